//! A series: its rule, and the occurrences that differ, within what Outlook can hold.

use std::collections::BTreeMap;

use jiff::{SignedDuration, civil::Date, civil::DateTime};

use super::{
    content, rule,
    shape::{Shape, Unlisted},
    times,
};
use crate::{
    model::{
        event::Content,
        recurrence::{Exception, ExceptionChange, Recurrence, Series},
        source::{SourceContent, SourceRecurrence},
        time::EventTime,
        window::Window,
    },
    settings::Job,
};

/// The most occurrences of a series that may differ.
const EXCEPTIONS_MAX: usize = 500;

/// The shape of an event that repeats, the first time at `first`.
pub(super) fn shape(
    source: &SourceRecurrence,
    first: &EventTime,
    own: &SourceContent,
    job: &Job,
    _window: Window,
) -> Result<Shape, String> {
    // The start of a series stays as it is: the rule repeats its wall time, which exists on every other day.
    let series = series(source, first, own, job)?;
    Ok(Shape { main: Some((first.clone(), Some(series))), parts: Vec::new(), unlisted: Unlisted::Gone, note: None })
}

/// The series of an event whose first occurrence is at `first`.
///
/// A cancelled occurrence that the rule does not have is left out: it does not take place either way. A changed one is a
/// fault of the event, since something would be missing.
fn series(source: &SourceRecurrence, first: &EventTime, own: &SourceContent, job: &Job) -> Result<Series, String> {
    let rule = match source.rules.as_slice() {
        [rule] if source.additional.is_empty() && source.excluded_rules.is_empty() => rule,
        _ => return Err("RDATE, EXRULE and several RRULEs are not supported yet".to_owned()),
    };
    let recurrence = rule::recurrence(rule, first)?;
    if source.exceptions.len() > EXCEPTIONS_MAX {
        return Err(format!("more than {EXCEPTIONS_MAX} occurrences differ from the series"));
    }
    let last = source.exceptions.iter().map(|exception| exception.original.date()).max();
    let days = days_past(&recurrence, first.start().date(), last);
    let time_of_day = first.start().time();
    let plain = content::content(own, None, job);
    let mut exceptions: BTreeMap<DateTime, ExceptionChange> = BTreeMap::new();
    for exception in &source.exceptions {
        let original = exception.original;
        let exists = original.time() == time_of_day && days.binary_search(&original.date()).is_ok();
        let change = match &exception.change {
            None if !exists => continue,
            None => ExceptionChange::Cancelled,
            Some(_) if !exists => return Err(format!("the series has no occurrence at {original} that could change")),
            Some(change) => {
                let time = times::normal(change.time.clone())?;
                let content = content::content(&change.content, Some(own), job);
                if differs(&time, &content, original, first, &plain) {
                    ExceptionChange::Changed { time, content: Box::new(content) }
                } else {
                    continue;
                }
            }
        };
        if exceptions.insert(original, change).is_some() {
            return Err(format!("the occurrence at {original} differs in two ways"));
        }
    }
    keep_order(&days, &exceptions)?;
    let exceptions = exceptions.into_iter().map(|(original, change)| Exception { original, change }).collect();
    Ok(Series { recurrence, exceptions })
}

/// The days of the series up to the one after `last`.
fn days_past(recurrence: &Recurrence, first: Date, last: Option<Date>) -> Vec<Date> {
    let Some(last) = last else { return Vec::new() };
    let mut days = Vec::new();
    for day in recurrence.days(first) {
        days.push(day);
        if day > last {
            break;
        }
    }
    days
}

/// Whether a changed occurrence says anything else than the series.
fn differs(time: &EventTime, content: &Content, original: DateTime, first: &EventTime, plain: &Content) -> bool {
    let lasts = |time: &EventTime| time.start().duration_until(time.end());
    time.start() != original || lasts(time) != lasts(first) || content != plain
}

/// Exchange refuses an occurrence that is moved to or across the day of its neighbour
/// (`ErrorOccurrenceCrossingBoundary`), where the neighbour was or where it has been moved to.
fn keep_order(days: &[Date], exceptions: &BTreeMap<DateTime, ExceptionChange>) -> Result<(), String> {
    let changes: BTreeMap<Date, &ExceptionChange> =
        exceptions.iter().map(|(original, change)| (original.date(), change)).collect();
    let mut previous: Option<(Date, Date)> = None;
    for day in days {
        let moved = match changes.get(day) {
            Some(ExceptionChange::Cancelled) => continue,
            Some(ExceptionChange::Changed { time, .. }) => time.start().date(),
            None => *day,
        };
        if let Some((before, before_moved)) = previous
            && (moved <= before.max(before_moved) || before_moved >= *day)
        {
            return Err(format!(
                "Outlook cannot move an occurrence to or across the day of its neighbour ({before} and {day})"
            ));
        }
        previous = Some((*day, moved));
    }
    Ok(())
}

/// Whether any occurrence touches the window.
pub(super) fn touches(series: &Series, first: &EventTime, window: Window) -> bool {
    let changes: BTreeMap<DateTime, &ExceptionChange> =
        series.exceptions.iter().map(|exception| (exception.original, &exception.change)).collect();
    let changed_inside = changes.values().any(|change| match change {
        ExceptionChange::Cancelled => false,
        ExceptionChange::Changed { time, .. } => window.touches(time),
    });
    if changed_inside {
        return true;
    }
    for day in series.recurrence.days(first.start().date()) {
        let Some(time) = on_day(first, day) else { return false };
        if time.start_instant() >= window.end {
            return false;
        }
        if !changes.contains_key(&time.start()) && window.touches(&time) {
            return true;
        }
    }
    false
}

/// The occurrence of a series on a day; `None` past the calendar.
fn on_day(first: &EventTime, day: Date) -> Option<EventTime> {
    at(first, day.to_datetime(first.start().time()))
}

/// The occurrence of a series that starts at a wall time; `None` past the calendar.
pub(super) fn at(first: &EventTime, start: DateTime) -> Option<EventTime> {
    match first {
        EventTime::Timed { start: own, end, zone } => {
            let lasts: SignedDuration = own.duration_until(*end);
            Some(EventTime::Timed { start, end: start.checked_add(lasts).ok()?, zone: zone.clone() })
        }
        EventTime::AllDay { first, last, zone } => {
            let lasts = first.duration_until(*last);
            let day = start.date();
            Some(EventTime::AllDay { first: day, last: day.checked_add(lasts).ok()?, zone: zone.clone() })
        }
    }
}
