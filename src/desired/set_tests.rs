//! The items of an event show its recurrence set, whatever of it is a series and whatever is not.
#![allow(clippy::unwrap_used)]
use std::collections::{BTreeMap, BTreeSet};

use jiff::{ToSpan, civil::DateTime, civil::date};
use proptest::prelude::*;

use super::{
    Desired, desired,
    rule::Rule,
    tests::{event, job, paris, read, timed, window},
};
use crate::model::{
    recurrence::ExceptionChange,
    source::{SourceChange, SourceContent, SourceException, SourceRecurrence},
    time::EventTime,
};

/// Rules by days, sayable and not.
const RULES: [&str; 16] = [
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=DAILY;COUNT=40",
    "FREQ=DAILY;BYHOUR=9,15",
    "FREQ=WEEKLY;BYDAY=TU,TH",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU",
    "FREQ=WEEKLY;COUNT=30",
    "FREQ=WEEKLY;BYDAY=WE;UNTIL=20261201T080000Z",
    "FREQ=MONTHLY;BYMONTHDAY=-1",
    "FREQ=MONTHLY;BYMONTHDAY=1,15",
    "FREQ=MONTHLY;BYMONTHDAY=30",
    "FREQ=MONTHLY;BYDAY=MO,WE;BYSETPOS=-2",
    "FREQ=MONTHLY;BYDAY=2FR",
    "FREQ=YEARLY;BYWEEKNO=48,50",
    "FREQ=YEARLY;BYMONTH=11,12;BYDAY=FR",
    "FREQ=HOURLY;INTERVAL=30",
    "RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD",
];

fn hour_long(start: DateTime) -> EventTime {
    EventTime::Timed { start, end: start.checked_add(1.hour()).unwrap(), zone: paris() }
}

/// When the items take place inside the window.
fn shown(result: &Desired) -> Vec<DateTime> {
    let mut starts = Vec::new();
    for item in result.mailboxes.values().flatten() {
        let Some(series) = &item.series else {
            starts.push(item.time.start());
            continue;
        };
        let changes: BTreeMap<DateTime, &ExceptionChange> =
            series.exceptions.iter().map(|exception| (exception.original, &exception.change)).collect();
        let first = item.time.start();
        for day in series.recurrence.days(first.date()).take_while(|day| *day < date(2027, 3, 1)) {
            let original = day.to_datetime(first.time());
            match changes.get(&original) {
                None => starts.push(original),
                Some(ExceptionChange::Cancelled) => {}
                Some(ExceptionChange::Changed { time, .. }) => starts.push(time.start()),
            }
        }
    }
    starts.retain(|start| window().touches(&hour_long(*start)));
    starts.sort_unstable();
    starts
}

proptest! {
    #[test]
    fn the_items_show_the_recurrence_set(
        rule in prop::sample::select(RULES.to_vec()),
        back in 0_i64..700,
        additional in prop::collection::vec((-5_i64..40, 8_i8..11), 0..4),
        differing in prop::collection::vec((0_usize..60, prop::option::of(-4_i64..5)), 0..6),
    ) {
        let start = date(2026, 11, 25).checked_sub(back.days()).unwrap().at(9, 0, 0, 0);
        let first = hour_long(start);
        let additional: Vec<DateTime> = additional
            .into_iter()
            .map(|(days, hour)| date(2026, 11, 16).checked_add(days.days()).unwrap().at(hour, 0, 0, 0))
            .collect();
        // The plain set, walked from the start.
        let Ok(parsed) = Rule::parse(rule, &first) else { return Ok(()) };
        let walked = parsed.walk.between(start, date(2027, 2, 1).at(0, 0, 0, 0)).unwrap();
        let mut set: BTreeSet<DateTime> = walked.into_iter().chain(additional.iter().copied()).collect();
        set.insert(start);
        let late: Vec<DateTime> = set.iter().copied().rev().take(60).collect();
        let mut changes: BTreeMap<DateTime, Option<DateTime>> = BTreeMap::new();
        for (place, days) in differing {
            let Some(original) = late.get(place) else { continue };
            changes.insert(*original, days.map(|days| original.checked_add(days.days()).unwrap()));
        }
        let mut expected: Vec<DateTime> = set
            .into_iter()
            .filter_map(|original| changes.get(&original).map_or(Some(original), |to| *to))
            .filter(|start| window().touches(&hour_long(*start)))
            .collect();
        expected.sort_unstable();
        let exceptions = changes.into_iter().map(|(original, to)| SourceException {
            original,
            change: to.map(|to| SourceChange { time: hour_long(to), content: SourceContent::default() }),
        });
        let mut event = event("1", "ana", timed("2026-11-23T09:00", "2026-11-23T10:00"));
        event.time = crate::model::source::SourceTime::Fixed(first);
        event.recurrence = Some(SourceRecurrence {
            rules: vec![rule.to_owned()],
            additional,
            excluded_rules: Vec::new(),
            exceptions: exceptions.collect(),
        });
        let result = desired(&read(vec![event]), &job(), window());
        prop_assert_eq!(&result.rejections, &[]);
        prop_assert_eq!(shown(&result), expected);
    }
}
