//! Which occurrences of a series are written apart from it, and under which index.
//!
//! `InstanceIndex` counts the days of the rule from 1, cancelled ones included:
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/occurrenceitemid>

use std::{borrow::Cow, collections::BTreeMap};

use jiff::civil::{Date, DateTime};

use super::calendar_item::{BEFORE_NAMED, Clockwork, Property, Shown};
use crate::model::{
    event::{Content, DesiredEvent},
    fault::{Fault, FaultKind, FaultScope},
    recurrence::{Exception, ExceptionChange},
    time::EventTime,
};

/// An occurrence that is written apart from its series.
#[derive(Debug, Clone)]
pub(super) struct Occurrence<'a> {
    /// Its place in the series, from 1.
    pub(super) index: u32,
    /// What happens in its place.
    pub(super) act: Act<'a>,
}

/// What happens in place of an occurrence.
#[derive(Debug, Clone)]
pub(super) enum Act<'a> {
    /// It is removed.
    Cancel,
    /// It is changed.
    Change(Changed<'a>),
}

/// An occurrence that takes place otherwise, or as the rule says again.
#[derive(Debug, Clone)]
pub(super) struct Changed<'a> {
    series: &'a DesiredEvent,
    original: Date,
    time: Cow<'a, EventTime>,
    content: &'a Content,
    /// Whether it may differ from its series in anything already, so that all of it is written.
    pub(super) whole: bool,
    /// Of a whole one: `Start` before `End`.
    pub(super) start_first: bool,
}

/// The occurrences of an event that are written apart from its series, in order, and the fault of the first that the rule
/// does not have: those of the originals `only`, as a whole, or all that differ, from a series that is as its rule says.
pub(super) fn occurrences<'a>(
    event: &'a DesiredEvent,
    only: Option<&[DateTime]>,
) -> (Vec<Occurrence<'a>>, Option<Fault>) {
    let Some(series) = &event.series else {
        return (Vec::new(), None);
    };
    let all = series.exceptions.iter().map(|exception| (exception.original.date(), exception));
    let mut due: BTreeMap<Date, Option<&Exception>> = match only {
        None => all.map(|(day, exception)| (day, Some(exception))).collect(),
        Some(originals) => {
            let all: BTreeMap<Date, &Exception> = all.collect();
            originals.iter().map(|original| (original.date(), all.get(&original.date()).copied())).collect()
        }
    };
    let Some(last) = due.last_key_value().map(|(day, _)| *day) else {
        return (Vec::new(), None);
    };
    let mut found = Vec::with_capacity(due.len());
    let days = series.recurrence.days(event.time.start().date()).take_while(|day| *day <= last);
    for (index, day) in (1_u32..).zip(days) {
        let Some(exception) = due.remove(&day) else {
            continue;
        };
        let (time, content) = match exception.map(|exception| &exception.change) {
            Some(ExceptionChange::Cancelled) => {
                found.push(Occurrence { index, act: Act::Cancel });
                continue;
            }
            Some(ExceptionChange::Changed { time, content }) => (Cow::Borrowed(time), &**content),
            None => (Cow::Owned(event.time.on(day)), &event.content),
        };
        let whole = only.is_some();
        let act = Act::Change(Changed { series: event, original: day, time, content, whole, start_first: false });
        found.push(Occurrence { index, act });
    }
    let stray = due.keys().next().map(|day| {
        let message = format!("the series has no occurrence on {day}");
        Fault::new(FaultScope::Item, FaultKind::Permanent, "NoSuchOccurrence", message)
            .hint("the exception and the rule of this event contradict each other: look at its source")
    });
    (found, stray)
}

impl<'a> Changed<'a> {
    /// What it shows.
    pub(super) fn shown(&self) -> Shown<'_> {
        Shown { content: self.content, time: &self.time, recurrence: None, clockwork: Clockwork::Instant }
    }

    /// Whether it starts later than the rule lets it.
    pub(super) fn is_later(&self) -> bool {
        self.time.start() > self.by_rule().0
    }

    /// The properties that are written, in that order.
    pub(super) fn properties(&self) -> Vec<Property> {
        if self.whole { self.all_properties() } else { self.differing_properties() }
    }

    /// All that an occurrence can differ in. What it said before is not known here: see [`Way`](super::update_item::Way)
    /// for the order of the times.
    fn all_properties(&self) -> Vec<Property> {
        let times = match (self.time.is_all_day(), self.start_first) {
            (false, false) => [Property::IsAllDay, Property::End, Property::Start],
            (false, true) => [Property::IsAllDay, Property::Start, Property::End],
            (true, false) => [Property::End, Property::Start, Property::IsAllDay],
            (true, true) => [Property::Start, Property::End, Property::IsAllDay],
        };
        let content = BEFORE_NAMED.into_iter().chain([Property::FreeBusy, Property::Location]);
        let has_value =
            |property: &Property| *property != Property::ReminderMinutes || self.content.reminder_minutes.is_some();
        times.into_iter().chain(content).filter(has_value).collect()
    }

    /// The properties in which it differs from its series, as which it was laid out. The times of before are known here:
    /// moved later, the end goes first, moved earlier, the start, so that it never ends before it starts.
    fn differing_properties(&self) -> Vec<Property> {
        let (ours, base) = (self.content, &self.series.content);
        let (start, end) = self.by_rule();
        let zone = self.series.time.zone();
        let mut properties = Vec::new();
        let mut add = |differs: bool, names: &[Property]| {
            if differs {
                properties.extend_from_slice(names);
            }
        };
        let all_day = (self.time.is_all_day(), self.series.time.is_all_day());
        add(all_day == (false, true), &[Property::IsAllDay]);
        let start_differs = self.time.start_instant() != zone.instant(start);
        let end_differs = self.time.end_instant() != zone.instant(end);
        let end_first = self.time.end_instant() > zone.instant(start);
        add(end_differs && end_first, &[Property::End]);
        add(start_differs, &[Property::Start]);
        add(end_differs && !end_first, &[Property::End]);
        add(all_day == (true, false), &[Property::IsAllDay]);
        add(ours.subject != base.subject, &[Property::Subject]);
        add(ours.sensitivity != base.sensitivity, &[Property::Sensitivity]);
        add(ours.body != base.body, &[Property::Body]);
        add(ours.categories != base.categories, &[Property::Categories]);
        add(ours.importance != base.importance, &[Property::Importance]);
        let reminder_differs = ours.reminder_minutes != base.reminder_minutes;
        add(reminder_differs, &[Property::ReminderIsSet]);
        add(reminder_differs && ours.reminder_minutes.is_some(), &[Property::ReminderMinutes]);
        add(ours.show_as != base.show_as, &[Property::FreeBusy]);
        add(ours.location != base.location, &[Property::Location]);
        properties
    }

    /// When the rule lets it start and end.
    fn by_rule(&self) -> (DateTime, DateTime) {
        let time = &self.series.time;
        let start = self.original.to_datetime(time.start().time());
        let length = time.start().duration_until(time.end());
        (start, start.checked_add(length).unwrap_or(start))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Act, Property, occurrences};
    use crate::{
        gateway::ews::sample,
        model::recurrence::{Exception, ExceptionChange},
    };

    #[test]
    fn indices_count_the_days_of_the_rule() {
        let event = sample::series_with_exceptions();
        let (found, fault) = occurrences(&event, None);
        let indices: Vec<(u32, bool)> =
            found.iter().map(|found| (found.index, matches!(found.act, Act::Cancel))).collect();
        assert_eq!((indices, fault), (vec![(2, true), (3, false), (4, false)], None));
    }

    #[test]
    fn an_exception_that_the_rule_does_not_have_is_a_fault() {
        let mut event = sample::series_with_exceptions();
        let stray = Exception { original: "2026-03-04T09:00".parse().unwrap(), change: ExceptionChange::Cancelled };
        event.series.as_mut().unwrap().exceptions.push(stray);
        let (found, fault) = occurrences(&event, None);
        assert_eq!(found.len(), 3);
        assert_eq!(fault.unwrap().message, "the series has no occurrence on 2026-03-04");
        assert!(occurrences(&sample::meeting(), None).0.is_empty());
    }

    #[test]
    fn only_what_differs_is_written_in_an_order_that_holds() {
        let event = sample::series_with_exceptions();
        let (found, _) = occurrences(&event, None);
        let properties: Vec<Vec<Property>> = found
            .iter()
            .filter_map(|found| match &found.act {
                Act::Cancel => None,
                Act::Change(changed) => Some(changed.properties()),
            })
            .collect();
        let later = vec![Property::End, Property::Start, Property::Subject, Property::ReminderIsSet];
        let earlier = vec![Property::Start, Property::End, Property::Location];
        assert_eq!(properties, [later, earlier]);
    }
}
