//! `GET /users/{mailbox}/events/{id}/instances`: the occurrences of a series. Their ids change with every change of the
//! pattern, so they are never kept: an occurrence is known by the instant at which the rule lets it start.
//! <https://learn.microsoft.com/en-us/graph/api/event-list-instances?view=graph-rest-1.0>

use std::collections::HashSet;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::{super::Calendar, GraphGateway, answer::EventAnswer, path};
use crate::model::{
    event::DesiredEvent,
    recurrence::{ExceptionChange, Series},
    time::EventTime,
};

/// How far around an occurrence is looked: an offset from UTC moves it to a neighbouring day.
const MARGIN: SignedDuration = SignedDuration::from_hours(24);
/// How far an occurrence without a neighbour on one side is looked for on that side.
const FAR: SignedDuration = SignedDuration::from_hours(24 * 366);
/// Windows that are closer than this are read as one.
const GAP: SignedDuration = SignedDuration::from_hours(24 * 30);

/// One occurrence of a series.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) id: String,
    original: Timestamp,
}

impl Instance {
    /// Reads one; `None` when its id or its original start is missing.
    pub(super) fn read(event: EventAnswer) -> Option<Self> {
        let text = event.original_start?;
        // An instant; without an offset it is UTC.
        let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
        let original = text.parse::<Timestamp>().ok().or_else(civil)?;
        Some(Self { id: event.id?, original })
    }

    /// Whether this is the occurrence that the rule lets start at `original`, exactly. Days of an all-day series are
    /// told as midnight in UTC or in the zone of the series.
    pub(super) fn is(&self, original: DateTime, series: &EventTime) -> bool {
        let all_day = || series.is_all_day() && TimeZone::UTC.to_datetime(self.original) == original;
        self.original == series.zone().instant(original) || all_day()
    }
}

/// The listings that hold the occurrences that are to be written: those of the originals `only`, wherever they are, or all
/// that differ, at their first places and at their new ones.
pub(super) fn listings(
    gateway: &GraphGateway,
    calendar: &Calendar,
    id: &str,
    event: &DesiredEvent,
    series: &Series,
    only: Option<&[DateTime]>,
) -> Vec<String> {
    let zone = event.time.zone();
    let spans = match only {
        Some(originals) => between_neighbours(event, series, originals),
        None => {
            let originals = series.exceptions.iter().map(|exception| zone.instant(exception.original));
            let moved = series.exceptions.iter().filter_map(|exception| match &exception.change {
                ExceptionChange::Cancelled => None,
                ExceptionChange::Changed { time, .. } => Some((time.start_instant(), time.end_instant())),
            });
            originals.map(|original| (original, original)).chain(moved).collect()
        }
    };
    let page_size = gateway.config.page_size;
    let event = path::event(&calendar.mailbox, id);
    let listing = |(start, end): (Timestamp, Timestamp)| {
        let window = format!("startDateTime={start:.0}&endDateTime={end:.0}");
        format!("{event}/instances?{window}&$select=id,originalStart,type&$top={page_size}")
    };
    merged(spans).into_iter().map(listing).collect()
}

/// Where occurrences of these originals, in order, may have been moved: an occurrence stays between the days of its
/// neighbours. One that is cancelled is no neighbour.
fn between_neighbours(event: &DesiredEvent, series: &Series, originals: &[DateTime]) -> Vec<(Timestamp, Timestamp)> {
    let cancelled: HashSet<Date> = series
        .exceptions
        .iter()
        .filter(|exception| exception.change == ExceptionChange::Cancelled)
        .map(|exception| exception.original.date())
        .collect();
    let at = |day: Date| event.time.zone().instant(day.to_datetime(event.time.start().time()));
    let mut wanted = originals.iter().map(|original| original.date()).peekable();
    let (mut spans, mut open, mut before): (Vec<_>, usize, Option<Date>) = (Vec::new(), 0, None);
    for day in series.recurrence.days(event.time.start().date()) {
        let is_neighbour = !cancelled.contains(&day);
        if is_neighbour {
            for (_, end) in spans.iter_mut().skip(open) {
                *end = at(day);
            }
            open = spans.len();
        }
        if wanted.next_if_eq(&day).is_some() {
            let start = before.map_or_else(|| at(day).checked_sub(FAR).unwrap_or(Timestamp::MIN), at);
            spans.push((start, at(day).checked_add(FAR).unwrap_or(Timestamp::MAX)));
        }
        if is_neighbour {
            before = Some(day);
        }
        if wanted.peek().is_none() && open == spans.len() {
            break;
        }
    }
    spans
}

/// The spans with their margins, in order, those that touch or nearly do in one.
fn merged(mut spans: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    spans.sort_unstable();
    let mut merged: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (start, end) in spans {
        let start = start.checked_sub(MARGIN).unwrap_or(Timestamp::MIN);
        let end = end.checked_add(MARGIN).unwrap_or(Timestamp::MAX);
        match merged.last_mut() {
            Some(last) if start.duration_since(last.1) <= GAP => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::civil::date;

    use super::{EventAnswer, Instance, merged};
    use crate::model::{time::EventTime, zone::Zone};

    #[test]
    fn an_occurrence_is_known_by_its_instant() {
        let zone = Zone::parse("Europe/Paris").unwrap();
        let day = date(2026, 11, 23);
        let timed = EventTime::Timed { start: day.at(9, 0, 0, 0), end: day.at(10, 0, 0, 0), zone: zone.clone() };
        let all_day = EventTime::AllDay { first: day, last: day, zone };
        let cases = [
            (&timed, "2026-11-23T08:00:00Z", true),
            (&timed, "2026-11-23T08:00:00.0000000Z", true),
            (&timed, "2026-11-23T09:00:00+01:00", true),
            (&timed, "2026-11-23T08:00:00", true),
            (&timed, "2026-11-23T09:00:00Z", false),
            (&timed, "2026-11-22T08:00:00Z", false),
            (&all_day, "2026-11-23T00:00:00Z", true),
            (&all_day, "2026-11-22T23:00:00Z", true),
            (&all_day, "2026-11-22T00:00:00Z", false),
            (&all_day, "2026-11-23T23:00:00Z", false),
        ];
        for (series, text, expected) in cases {
            let answer = EventAnswer {
                id: Some("i".to_owned()),
                original_start: Some(text.to_owned()),
                ..EventAnswer::default()
            };
            assert_eq!(Instance::read(answer).unwrap().is(series.start(), series), expected, "{text}");
        }
    }

    #[test]
    fn windows_are_widened_and_joined() {
        let at = |text: &str| text.parse().unwrap();
        let spans = vec![
            (at("2027-06-01T00:00:00Z"), at("2027-06-01T00:00:00Z")),
            (at("2026-01-02T08:00:00Z"), at("2026-01-02T08:00:00Z")),
            (at("2026-01-20T08:00:00Z"), at("2026-01-20T09:00:00Z")),
        ];
        let expected = vec![
            (at("2026-01-01T08:00:00Z"), at("2026-01-21T09:00:00Z")),
            (at("2027-05-31T00:00:00Z"), at("2027-06-02T00:00:00Z")),
        ];
        assert_eq!(merged(spans), expected);
    }
}
