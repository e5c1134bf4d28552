//! Which occurrences of a series are written apart from it, and under which index.
//!
//! `InstanceIndex` counts the days of the rule from 1, cancelled ones included:
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/occurrenceitemid>

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};

use super::calendar_item::{Clockwork, Property, Shown};
use crate::model::{
    event::{Content, DesiredEvent},
    fault::{Fault, FaultKind, FaultScope},
    recurrence::{Exception, ExceptionChange},
    time::EventTime,
};

/// An occurrence that differs from its series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occurrence<'a> {
    /// Its place in the series, from 1.
    pub(super) index: u32,
    /// What happens in its place.
    pub(super) act: Act<'a>,
}

/// What happens in place of an occurrence.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act<'a> {
    /// It is removed.
    Cancel,
    /// It is changed.
    Change(Changed<'a>),
}

/// An occurrence that takes place otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed<'a> {
    series: &'a DesiredEvent,
    original: Date,
    time: &'a EventTime,
    content: &'a Content,
}

/// The occurrences of an event that differ from its series, in order, and the fault of the first that the rule does
/// not have.
pub(super) fn occurrences(event: &DesiredEvent) -> (Vec<Occurrence<'_>>, Option<Fault>) {
    let Some(series) = &event.series else {
        return (Vec::new(), None);
    };
    let mut due: BTreeMap<Date, &Exception> =
        series.exceptions.iter().map(|exception| (exception.original.date(), exception)).collect();
    let Some(last) = due.last_key_value().map(|(day, _)| *day) else {
        return (Vec::new(), None);
    };
    let mut found = Vec::with_capacity(due.len());
    let days = series.recurrence.days(event.time.start().date()).take_while(|day| *day <= last);
    for (index, day) in (1_u32..).zip(days) {
        let Some(exception) = due.remove(&day) else {
            continue;
        };
        let act = match &exception.change {
            ExceptionChange::Cancelled => Act::Cancel,
            ExceptionChange::Changed { time, content } => {
                Act::Change(Changed { series: event, original: day, time, content })
            }
        };
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
    pub(super) const fn shown(&self) -> Shown<'a> {
        Shown { content: self.content, time: self.time, recurrence: None, clockwork: Clockwork::Instant }
    }

    /// The properties in which it differs from its series, in the order in which they are written. The times of before
    /// are known here: moved later, the end goes first, moved earlier, the start, so that it never ends before it starts.
    pub(super) fn properties(&self) -> Vec<Property> {
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
        let (found, fault) = occurrences(&event);
        let indices: Vec<(u32, bool)> =
            found.iter().map(|found| (found.index, matches!(found.act, Act::Cancel))).collect();
        assert_eq!((indices, fault), (vec![(2, true), (3, false), (4, false)], None));
    }

    #[test]
    fn an_exception_that_the_rule_does_not_have_is_a_fault() {
        let mut event = sample::series_with_exceptions();
        let stray = Exception { original: "2026-03-04T09:00".parse().unwrap(), change: ExceptionChange::Cancelled };
        event.series.as_mut().unwrap().exceptions.push(stray);
        let (found, fault) = occurrences(&event);
        assert_eq!(found.len(), 3);
        assert_eq!(fault.unwrap().message, "the series has no occurrence on 2026-03-04");
        assert!(occurrences(&sample::meeting()).0.is_empty());
    }

    #[test]
    fn only_what_differs_is_written_in_an_order_that_holds() {
        let event = sample::series_with_exceptions();
        let (found, _) = occurrences(&event);
        let properties: Vec<Vec<Property>> = found
            .iter()
            .filter_map(|found| match found.act {
                Act::Cancel => None,
                Act::Change(changed) => Some(changed.properties()),
            })
            .collect();
        let later = vec![Property::End, Property::Start, Property::Subject, Property::ReminderIsSet];
        let earlier = vec![Property::Start, Property::End, Property::Location];
        assert_eq!(properties, [later, earlier]);
    }
}
