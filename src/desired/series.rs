//! An event that repeats: as a series where Outlook can say its rule, with single events beside it for what the series
//! cannot hold; otherwise expanded into single events.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use jiff::{
    SignedDuration,
    civil::{Date, DateTime},
};

use super::{
    content, expand,
    pattern::{self, Said},
    rule::Rule,
    shape::{Part, Shape, Unlisted},
    times,
};
use crate::{
    model::{
        event::Content,
        recurrence::{Exception, ExceptionChange, Recurrence, RecurrenceEnd, Series},
        source::{SourceChange, SourceEvent, SourceRecurrence},
        time::EventTime,
        window::Window,
    },
    settings::Job,
};

/// The most occurrences of a series that may differ.
const EXCEPTIONS_MAX: usize = 500;
/// The most rules of one event.
const RULES_MAX: usize = 50;
/// Days of a series after which the distances between them repeat: those of two weeks, or of some years of months.
const NEIGHBOURS: usize = 60;

/// An event that repeats.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repeating<'a> {
    /// How it repeats.
    pub(super) source: &'a SourceRecurrence,
    /// When it takes place for the first time.
    pub(super) first: &'a EventTime,
    /// What the source says of it.
    pub(super) event: &'a SourceEvent,
    /// The job.
    pub(super) job: &'a Job,
    /// The window of the job.
    pub(super) window: Window,
    /// How many single events may still be made of events that must be expanded.
    pub(super) left: &'a Cell<usize>,
}

impl Repeating<'_> {
    /// What an occurrence at `time` shows that does not differ.
    pub(super) fn plain(&self, time: &EventTime) -> Result<Content, String> {
        content::content(self.event, None, time, self.job)
    }

    /// What takes place at `original` by the rule or by RDATE.
    pub(super) fn part(&self, original: DateTime) -> Result<Part, String> {
        let time = at(self.first, original).ok_or_else(|| format!("the occurrence at {original} is out of range"))?;
        let time = times::normal(time)?;
        Ok(Part { original, content: self.plain(&time)?, time })
    }

    /// What takes place in place of the occurrence at `original`.
    pub(super) fn changed(&self, original: DateTime, change: &SourceChange) -> Result<Part, String> {
        let time = times::normal(change.time.clone())?;
        let content = content::content(self.event, Some(&change.content), &time, self.job)?;
        Ok(Part { original, time, content })
    }
}

/// The changes of a series, by the occurrence that they are for; `None` is a cancelled one.
pub(super) type Changes<'a> = BTreeMap<DateTime, Option<&'a SourceChange>>;

/// The shape of an event that repeats.
pub(super) fn shape(event: &Repeating<'_>) -> Result<Shape, String> {
    if event.source.rules.len() + event.source.excluded_rules.len() > RULES_MAX {
        return Err(format!("more than {RULES_MAX} rules"));
    }
    let mut rules = Vec::with_capacity(event.source.rules.len());
    for text in &event.source.rules {
        rules.push(Rule::parse(text, event.first)?);
    }
    let mut excluded = Vec::with_capacity(event.source.excluded_rules.len());
    for text in &event.source.excluded_rules {
        excluded.push(Rule::parse_excluding(text, event.first)?);
    }
    let mut changes = Changes::new();
    for exception in &event.source.exceptions {
        if changes.insert(exception.original, exception.change.as_ref()).is_some() {
            return Err(format!("the occurrence at {} differs in two ways", exception.original));
        }
    }
    match one_series(event, &rules, &excluded, &changes) {
        Ok((rule, said)) => divided(event, rule, said, &changes),
        Err(reason) => expand::shape(event, &rules, &excluded, &changes, reason),
    }
}

/// The rule of the series that can show the event, or why it must be expanded into single events.
fn one_series<'a>(
    event: &Repeating<'_>,
    rules: &'a [Rule],
    excluded: &[Rule],
    changes: &Changes<'_>,
) -> Result<(&'a Rule, Said), String> {
    let rule = match rules {
        [] => return Err("it has no rule, only additional times (RDATE)".to_owned()),
        [rule] => rule,
        _ => return Err("Outlook cannot say several rules".to_owned()),
    };
    if !excluded.is_empty() {
        return Err("Outlook cannot say a rule of days that are left out (EXRULE)".to_owned());
    }
    if changes.len() > EXCEPTIONS_MAX {
        return Err(format!("more than {EXCEPTIONS_MAX} occurrences differ from the series"));
    }
    let said = pattern::say(rule)?;
    if overlaps(event.first, &said) {
        return Err("Outlook cannot say a series whose occurrences last into the next".to_owned());
    }
    match zone_fault(event, &said) {
        Some(reason) => Err(reason),
        None => Ok((rule, said)),
    }
}

/// Whether an occurrence lasts longer than from one day of the series to the next: Exchange refuses such a series
/// (`ErrorOccurrenceTimeSpanTooBig`).
fn overlaps(first: &EventTime, said: &Said) -> bool {
    let lasts = first.start().duration_until(first.end());
    if lasts <= SignedDuration::from_hours(24) {
        return false;
    }
    let days: Vec<Date> = said.recurrence.days(said.first.date()).take(NEIGHBOURS).collect();
    days.windows(2).any(|pair| lasts > pair[0].duration_until(pair[1]))
}

/// Why the zone of an event does not let Outlook repeat it.
fn zone_fault(event: &Repeating<'_>, said: &Said) -> Option<String> {
    let first = at(event.first, said.first)?;
    let time_of_day = said.first.time();
    let days = said.recurrence.days_from(said.first.date(), before_window(&first, event.window));
    times::series_fault(&first, days.map_while(|day| at(&first, day.to_datetime(time_of_day))), event.window)
}

/// The days of a series, as far as something is said of them.
struct Days {
    /// The wall time at which the first one starts.
    first: DateTime,
    days: Vec<Date>,
}

impl Days {
    /// Whether an occurrence of the series starts at a wall time.
    fn have(&self, original: DateTime) -> bool {
        original.time() == self.first.time() && self.days.binary_search(&original.date()).is_ok()
    }
}

/// A series, and single events beside it.
fn divided(event: &Repeating<'_>, rule: &Rule, said: Said, changes: &Changes<'_>) -> Result<Shape, String> {
    let Said { recurrence, first } = said;
    let main = at(event.first, first).ok_or("the first occurrence on the rule is out of range")?;
    let said_of = changes.keys().chain(&event.source.additional).map(|original| original.date());
    let days = Days { first, days: neighbourhood(&recurrence, first.date(), said_of) };
    let mut notes = Vec::new();
    let mut beside = beside(event, rule, &days, &mut notes);
    let mut parts: Vec<Part> = Vec::new();
    let mut exceptions: BTreeMap<DateTime, ExceptionChange> = BTreeMap::new();
    let plain = event.plain(&main)?;
    for (original, change) in changes {
        let is_beside = beside.remove(original);
        if !is_beside && !days.have(*original) {
            // A cancelled occurrence that does not exist does not take place either way.
            if change.is_some() {
                return Err(format!("the series has no occurrence at {original} that could change"));
            }
            continue;
        }
        match change.map(|change| event.changed(*original, change)).transpose()? {
            Some(part) if is_beside => parts.push(part),
            None if is_beside => {}
            None => drop(exceptions.insert(*original, ExceptionChange::Cancelled)),
            Some(Part { time, content, .. }) if time.is_all_day() == main.is_all_day() => {
                if differs(&time, &content, *original, &main, &plain) {
                    exceptions.insert(*original, ExceptionChange::Changed { time, content: Box::new(content) });
                }
            }
            Some(part) => {
                notes.push("an occurrence is of another form, timed or all-day, than its series");
                exceptions.insert(*original, ExceptionChange::Cancelled);
                parts.push(part);
            }
        }
    }
    for original in beside {
        parts.push(event.part(original)?);
    }
    let crossing = take_crossing(&days.days, &mut exceptions);
    if !crossing.is_empty() {
        notes.push("Outlook cannot move an occurrence to or across the day of its neighbour");
        parts.extend(crossing);
    }
    parts.sort_by_key(|part| part.original);
    let note = note(notes, parts.is_empty());
    let exceptions = exceptions.into_iter().map(|(original, change)| Exception { original, change }).collect();
    let series = Series { recurrence, exceptions };
    // A series all of whose occurrences are cancelled takes no place in a calendar.
    let main = takes_place(&series, first.date()).then_some((main, Some(series)));
    Ok(Shape { main, parts, unlisted: Unlisted::Gone, note })
}

/// The wall times of an event that are not on its series: a start off the rule, and RDATE.
fn beside(event: &Repeating<'_>, rule: &Rule, days: &Days, notes: &mut Vec<&'static str>) -> BTreeSet<DateTime> {
    let mut beside = BTreeSet::new();
    if rule.start != days.first {
        notes.push("it starts on a day that is not on its rule");
        beside.insert(rule.start);
    }
    for original in event.source.additional.iter().filter(|original| !days.have(**original)) {
        if beside.insert(*original) {
            notes.push("it has additional times (RDATE)");
        }
    }
    beside
}

/// The reasons in one line, where there is anything beside the series.
fn note(mut reasons: Vec<&'static str>, no_parts: bool) -> Option<String> {
    reasons.sort_unstable();
    reasons.dedup();
    (!no_parts).then(|| reasons.join("; "))
}

/// The days of the series that something is said of, each with the days before and after it.
fn neighbourhood(recurrence: &Recurrence, first: Date, said_of: impl Iterator<Item = Date>) -> Vec<Date> {
    let said_of: BTreeSet<Date> = said_of.collect();
    let mut days = BTreeSet::new();
    for day in said_of {
        days.extend(recurrence.day_before(first, day));
        days.extend(recurrence.days_from(first, day).take(2));
    }
    days.into_iter().collect()
}

/// The first day whose occurrence may touch the window.
fn before_window(first: &EventTime, window: Window) -> Date {
    let lasts = first.start().duration_until(first.end());
    let begin = first.zone().wall(window.start).saturating_sub(lasts);
    begin.date().yesterday().unwrap_or(begin.date())
}

/// Whether a changed occurrence says anything else than the series.
fn differs(time: &EventTime, content: &Content, original: DateTime, first: &EventTime, plain: &Content) -> bool {
    let lasts = |time: &EventTime| time.start().duration_until(time.end());
    time.start() != original || lasts(time) != lasts(first) || content != plain
}

/// Exchange refuses an occurrence that is moved to or across the day of its neighbour
/// (`ErrorOccurrenceCrossingBoundary`), where the neighbour was or where it has been moved to. Such occurrences are cancelled
/// in the series, and shown beside it.
fn take_crossing(days: &[Date], exceptions: &mut BTreeMap<DateTime, ExceptionChange>) -> Vec<Part> {
    let by_day: BTreeMap<Date, DateTime> = exceptions.keys().map(|original| (original.date(), *original)).collect();
    let mut crossing: Vec<DateTime> = Vec::new();
    // The occurrences so far that take place in the series: the day, where it is moved to, and its name where it is changed.
    let mut before: Vec<(Date, Date, Option<DateTime>)> = Vec::new();
    for day in days {
        let original = by_day.get(day).copied();
        let (moved, name) = match original.and_then(|original| exceptions.get(&original)) {
            Some(ExceptionChange::Cancelled) => continue,
            Some(ExceptionChange::Changed { time, .. }) => (time.start().date(), original),
            None => (*day, None),
        };
        let mut stays = true;
        while let Some((previous, previous_moved, previous_name)) = before.last().copied() {
            if moved > previous.max(previous_moved) && previous_moved < *day {
                break;
            }
            // Of two that are in each other's way the changed one leaves, the later one first.
            let leaves = name.or(previous_name);
            crossing.extend(leaves);
            if name.is_some() {
                stays = false;
                break;
            }
            before.pop();
        }
        if stays {
            before.push((*day, moved, name));
        }
    }
    let mut parts = Vec::with_capacity(crossing.len());
    for original in crossing {
        if let Some(ExceptionChange::Changed { time, content }) =
            exceptions.insert(original, ExceptionChange::Cancelled)
        {
            parts.push(Part { original, time, content: *content });
        }
    }
    parts
}

/// Whether any occurrence of the series takes place.
fn takes_place(series: &Series, first: Date) -> bool {
    match series.recurrence.end {
        RecurrenceEnd::Never => true,
        RecurrenceEnd::On(_) | RecurrenceEnd::After(_) => {
            let is_cancelled = |exception: &&Exception| exception.change == ExceptionChange::Cancelled;
            let cancelled = series.exceptions.iter().filter(is_cancelled).count();
            series.recurrence.days(first).nth(cancelled).is_some()
        }
    }
}

/// Whether the series says anything of the window: an occurrence takes place there, or would without its exception.
pub(super) fn touches(series: &Series, first: &EventTime, window: Window) -> bool {
    let changed_inside = series.exceptions.iter().any(|exception| match &exception.change {
        ExceptionChange::Cancelled => false,
        ExceptionChange::Changed { time, .. } => window.touches(time),
    });
    if changed_inside {
        return true;
    }
    for day in series.recurrence.days_from(first.start().date(), before_window(first, window)) {
        let Some(time) = at(first, day.to_datetime(first.start().time())) else { return false };
        if time.start_instant() >= window.end {
            return false;
        }
        if window.touches(&time) {
            return true;
        }
    }
    false
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
