//! One day of one mailbox: what takes place there, what used to, and what is left out. Sources and state are read; nothing is
//! written, and no calendar is opened.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{Timestamp, civil::Date};

use super::{Wiring, catalogue::window};
use crate::{
    desired::{SkipReason, desired, selects},
    model::{
        address::Address,
        event::DesiredEvent,
        history::Entry,
        key::{Kind, SourceKey},
        link::Link,
        recurrence::ExceptionChange,
        source::{Completeness, SourceRead},
        time::EventTime,
        window::Window,
        zone::{Zone, ZoneError},
    },
    settings::Job,
    sources::SourceError,
    state::{Held, MailboxState, Refused, Standing, StateError, Store, Wait},
};

/// One day of one mailbox.
#[derive(Debug)]
pub struct Day {
    /// Whose calendar it is.
    pub mailbox: Address,
    /// The day.
    pub date: Date,
    /// The zone in which it begins and ends.
    pub zone: Zone,
    /// What takes place that day, by the sources or by what was written, in the order of the keys.
    pub events: Vec<OnDay>,
    /// What used to be there that day and is not any more, in the order of the keys.
    pub past: Vec<OnDay>,
    /// What the sources hold for that day and the jobs leave out.
    pub left_out: Vec<(SourceKey, SkipReason)>,
    /// The sources that could not be read.
    pub unreadable: Vec<(String, SourceError)>,
    /// The sources that were read in part, and why.
    pub incomplete: Vec<(String, String)>,
    /// How many events of the sources cannot be used: some of them may be of this day.
    pub rejected: usize,
    /// What is known of the mailbox.
    pub state: MailboxState,
    /// Who is left alone for now.
    pub waits: Vec<Wait>,
}

/// One item, and how it stands.
#[derive(Debug)]
pub struct OnDay {
    /// The source event or the part of it.
    pub key: SourceKey,
    /// Where its source holds it.
    pub place: Option<String>,
    /// What it is to show now, on whichever day.
    pub wanted: Option<Arc<DesiredEvent>>,
    /// When it takes place that day.
    pub times: Vec<EventTime>,
    /// What was written.
    pub link: Option<Link>,
    /// What the server refused.
    pub refused: Option<Refused>,
    /// The deletion that is held.
    pub held: Option<Held>,
    /// What stands without a write.
    pub standing: Option<Standing>,
    /// Its history in this mailbox, oldest first.
    pub history: Vec<Entry>,
}

/// Why a day cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum DayError {
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// No job names a zone, and there is none to take.
    #[error(transparent)]
    Zone(#[from] ZoneError),
}

/// What the sources say of a day.
#[derive(Default)]
struct Said {
    /// What they hold for the day, whatever the jobs make of it.
    that_day: BTreeMap<SourceKey, Arc<DesiredEvent>>,
    /// What the calendar should show, on any day.
    wanted: BTreeMap<SourceKey, Arc<DesiredEvent>>,
    skipped: BTreeMap<SourceKey, SkipReason>,
    places: BTreeMap<SourceKey, String>,
}

/// Tells a day of a mailbox, in the zone of the jobs that select it.
///
/// # Errors
/// When the state cannot be read.
pub async fn day(
    wiring: &Wiring,
    store: &Store,
    mailbox: &Address,
    date: Date,
    now: Timestamp,
) -> Result<Day, DayError> {
    let zone = zone_of(wiring.jobs.values(), mailbox)?;
    let midnight = |date: Date| zone.instant(date.at(0, 0, 0, 0));
    let whole = Window { start: midnight(date), end: midnight(date.tomorrow().unwrap_or(date)) };
    let (mut said, mut unreadable, mut incomplete, mut rejected) = (Said::default(), Vec::new(), Vec::new(), 0);
    for (name, source) in &wiring.sources {
        match source.read().await {
            Err(error) => unreadable.push((name.clone(), error)),
            Ok(read) => {
                rejected += read.rejections.len();
                if let Completeness::Incomplete(reason) = &read.completeness {
                    incomplete.push((name.clone(), reason.clone()));
                }
                let jobs = wiring.jobs.values().filter(|job| job.source == *name);
                jobs.for_each(|job| said.take(&read, job, mailbox, whole, window(job, now)));
            }
        }
    }
    let known = Known::read(store, mailbox, whole).await?;
    let keys: BTreeSet<&SourceKey> = said.that_day.keys().chain(known.history.keys()).collect();
    let (mut events, mut past, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        let mut one = known.one(key, &said, whole);
        let is_shown = said.wanted.contains_key(key) || one.link.is_some();
        match (said.that_day.contains_key(key), is_shown) {
            // Its source does not hold it, or does not tell, and its item is there as it was written last.
            (false, true) if one.wanted.is_none() && one.last_time(&zone).is_some_and(|time| whole.touches(&time)) => {
                one.times.extend(one.last_time(&zone));
                events.push(one);
            }
            (true, true) => events.push(one),
            (true, false) => {
                let reason = said.skipped.get(key).or_else(|| said.skipped.get(&key.event()));
                left_out.push((key.clone(), *reason.unwrap_or(&SkipReason::OutOfWindow)));
                if !one.history.is_empty() {
                    past.push(one);
                }
            }
            // A series over these days that never changed has no occurrence on this one.
            (false, _) if one.is_steady_series() => {}
            (false, _) => past.push(one),
        }
    }
    let state = store.mailbox(mailbox).await?;
    let waits = store.waits().await?;
    let mailbox = mailbox.clone();
    Ok(Day { mailbox, date, zone, events, past, left_out, unreadable, incomplete, rejected, state, waits })
}

/// The zone of the first job that selects a mailbox, else of the first job.
fn zone_of<'a>(jobs: impl Iterator<Item = &'a Job> + Clone, mailbox: &Address) -> Result<Zone, ZoneError> {
    let selecting = jobs.clone().find(|job| selects(job, mailbox));
    selecting.or_else(|| jobs.clone().next()).map_or_else(|| Zone::parse("UTC"), |job| Ok(job.zone.clone()))
}

impl Said {
    fn take(&mut self, read: &SourceRead, job: &Job, mailbox: &Address, whole: Window, window: Window) {
        let mut everything = read.clone();
        everything.events.iter_mut().for_each(|event| event.generic = false);
        let all = desired(&everything, &everybody(job), whole);
        let shown = desired(read, job, window);
        let of = |mailboxes: &BTreeMap<Address, Vec<Arc<DesiredEvent>>>| {
            mailboxes
                .get(mailbox)
                .into_iter()
                .flatten()
                .map(|event| (event.key.clone(), Arc::clone(event)))
                .collect::<Vec<_>>()
        };
        self.that_day.extend(of(&all.mailboxes));
        self.wanted.extend(of(&shown.mailboxes));
        for skipped in shown.skipped {
            let reason = self.skipped.entry(skipped.key).or_insert(skipped.reason);
            *reason = (*reason).max(skipped.reason);
        }
        self.places.extend(read.events.iter().map(|event| (event.key.clone(), event.place.clone())));
    }
}

/// The job, had it everybody's events of every kind and length.
fn everybody(job: &Job) -> Job {
    Job {
        kinds: vec![Kind::Schedule, Kind::Appointment],
        people: Vec::new(),
        generic_people: Vec::new(),
        max_days: u16::MAX,
        ..job.clone()
    }
}

/// What the state knows.
struct Known {
    links: BTreeMap<SourceKey, Link>,
    refused: BTreeMap<SourceKey, Refused>,
    held: BTreeMap<SourceKey, Held>,
    standings: BTreeMap<SourceKey, Standing>,
    history: BTreeMap<SourceKey, Vec<Entry>>,
}

impl Known {
    async fn read(store: &Store, mailbox: &Address, whole: Window) -> Result<Self, StateError> {
        let mut history: BTreeMap<SourceKey, Vec<Entry>> = BTreeMap::new();
        for entry in store.history_between(mailbox, whole.start, whole.end).await? {
            history.entry(entry.key.clone()).or_default().push(entry);
        }
        let links = store.links(mailbox).await?.into_iter().map(|link| (link.key.clone(), link));
        let refused = store.refusals(Some(mailbox)).await?.into_iter().map(|one| (one.key.clone(), one));
        let held = store.holds(Some(mailbox)).await?.into_iter().map(|held| (held.key.clone(), held));
        let standings = store.standings(Some(mailbox)).await?.into_iter().map(|(_, one)| (one.key.clone(), one));
        Ok(Self {
            links: links.collect(),
            refused: refused.collect(),
            held: held.collect(),
            standings: standings.collect(),
            history,
        })
    }

    fn one(&self, key: &SourceKey, said: &Said, whole: Window) -> OnDay {
        OnDay {
            key: key.clone(),
            place: said.places.get(&key.event()).cloned(),
            wanted: said.wanted.get(key).cloned(),
            times: said.that_day.get(key).map(|event| times(event, whole)).unwrap_or_default(),
            link: self.links.get(key).cloned(),
            refused: self.refused.get(key).cloned(),
            held: self.held.get(key).cloned(),
            standing: self.standings.get(key).cloned(),
            history: self.history.get(key).cloned().unwrap_or_default(),
        }
    }
}

impl OnDay {
    /// When it took place as it was decided last.
    fn last_time(&self, zone: &Zone) -> Option<EventTime> {
        let (start, end) = self.history.iter().rev().find_map(|entry| entry.span)?;
        Some(EventTime::Timed { start: zone.wall(start), end: zone.wall(end), zone: zone.clone() })
    }

    fn is_steady_series(&self) -> bool {
        let is_series = self.wanted.as_ref().is_some_and(|event| event.series.is_some());
        let mut spans: Vec<_> = self.history.iter().filter_map(|entry| entry.span).collect();
        spans.dedup();
        is_series && spans.len() < 2
    }
}

/// When an event takes place inside a window: once, or as the occurrences that its rule and its exceptions give.
fn times(event: &DesiredEvent, whole: Window) -> Vec<EventTime> {
    let Some(series) = &event.series else { return vec![event.time.clone()] };
    let first = event.time.start().date();
    let days_long = event.time.start().date().until(event.time.end().date()).map_or(0, |span| span.get_days());
    let zone = event.time.zone();
    let wall = |instant| zone.wall(instant).date();
    let (mut from, to) = (wall(whole.start), wall(whole.end));
    for _ in 0..=days_long {
        from = from.yesterday().unwrap_or(from);
    }
    let is_exception = |time: &EventTime| series.exceptions.iter().any(|other| other.original == time.start());
    let by_rule = series.recurrence.days_from(first, from).take_while(|day| *day <= to).map(|day| event.time.on(day));
    let moved = series.exceptions.iter().filter_map(|exception| match &exception.change {
        ExceptionChange::Changed { time, .. } => Some(time.clone()),
        ExceptionChange::Cancelled => None,
    });
    let mut times: Vec<EventTime> =
        by_rule.filter(|time| !is_exception(time)).chain(moved).filter(|time| whole.touches(time)).collect();
    times.sort_by_key(EventTime::start);
    times
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::civil::{DateTime, date};

    use super::times;
    use crate::model::{
        event::{Body, BodyKind, Content, DesiredEvent, Importance, Sensitivity, ShowAs},
        key::{Kind, SourceKey},
        recurrence::{Exception, ExceptionChange, Pattern, Recurrence, RecurrenceEnd, Series},
        time::EventTime,
        window::Window,
        zone::Zone,
    };

    fn timed(start: DateTime, hours: i64) -> EventTime {
        let end = start.checked_add(jiff::SignedDuration::from_hours(hours)).unwrap();
        EventTime::Timed { start, end, zone: Zone::parse("Europe/Paris").unwrap() }
    }

    fn content() -> Content {
        Content {
            subject: String::new(),
            body: Body { kind: BodyKind::Text, content: String::new() },
            location: String::new(),
            show_as: ShowAs::Busy,
            sensitivity: Sensitivity::Normal,
            importance: Importance::Normal,
            categories: Vec::new(),
            reminder_minutes: None,
        }
    }

    #[test]
    fn occurrences_are_found_on_their_day() {
        let at = |day, hour| date(2026, 11, day).at(hour, 0, 0, 0);
        let changed = |time| ExceptionChange::Changed { time, content: Box::new(content()) };
        let exceptions = vec![
            Exception { original: at(24, 22), change: ExceptionChange::Cancelled },
            Exception { original: at(25, 22), change: changed(timed(at(28, 9), 1)) },
        ];
        let recurrence =
            Recurrence { pattern: Pattern::Daily { interval: 1 }, end: RecurrenceEnd::On(date(2026, 11, 27)) };
        let event = DesiredEvent {
            key: SourceKey::new("erp", Kind::Appointment, "1"),
            time: timed(at(23, 22), 4),
            series: Some(Series { recurrence, exceptions }),
            content: content(),
            keeps: None,
            said: None,
        };
        // The day, and the days on which what touches it starts: each goes on until two in the morning.
        let cases: [(i8, &[i8]); 7] =
            [(22, &[]), (23, &[23]), (24, &[23]), (25, &[]), (26, &[26]), (27, &[26, 27]), (28, &[27, 28])];
        for (day, expected) in cases {
            let zone = Zone::parse("Europe/Paris").unwrap();
            let midnight = |day: i8| zone.instant(date(2026, 11, day).at(0, 0, 0, 0));
            let found = times(&event, Window { start: midnight(day), end: midnight(day + 1) });
            let days: Vec<i8> = found.iter().map(|time| time.start().day()).collect();
            assert_eq!(days, expected, "day {day}");
        }
    }
}
