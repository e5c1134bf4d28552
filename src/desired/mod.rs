//! Source events → what each calendar should show. Pure: no clock, no input or output.
//!
//! *Invariant*: every key of the read is either in a mailbox of the result or in [`Desired::skipped`], so that a plan
//! never takes what was left out for what was deleted.

mod content;
mod half_days;
mod rule;
mod series;
mod texts;
mod times;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    model::{
        address::Address,
        event::DesiredEvent,
        key::SourceKey,
        source::{Recipient, Rejection, SourceEvent, SourceRead, SourceTime},
        time::EventTime,
        window::Window,
    },
    settings::Job,
};

/// What a job wants the calendars to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// The events of each mailbox, in the order of their keys.
    pub mailboxes: BTreeMap<Address, Vec<Arc<DesiredEvent>>>,
    /// Events that this job cannot push. Those of the read itself stay in the read.
    pub rejections: Vec<Rejection>,
    /// Every key of the read that is in no mailbox, in the order of the keys: none of them is a deletion.
    pub skipped: Vec<Skipped>,
}

/// A key of the source that is not in the result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The source event.
    pub key: SourceKey,
    /// Whose it is, where that is known.
    pub mailbox: Option<Address>,
    /// Why it is not there.
    pub reason: SkipReason,
}

/// Why a source event is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// No occurrence is inside the window.
    OutOfWindow,
    /// The job does not push events of its kind.
    OtherKind,
    /// The job does not push to that person.
    NotSelected,
    /// The person has no mailbox.
    NoMailbox,
    /// It cannot be used, as a rejection says.
    Rejected,
}

impl SkipReason {
    /// The words used in plans and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutOfWindow => "out of the window",
            Self::OtherKind => "of a kind that the job does not push",
            Self::NotSelected => "of a person that the job does not push to",
            Self::NoMailbox => "of a person without a mailbox",
            Self::Rejected => "rejected",
        }
    }
}

/// What the calendars should show of `read`, by the rules of `job`, inside `window`.
#[must_use]
pub fn desired(read: &SourceRead, job: &Job, window: Window) -> Desired {
    let mut result = Desired::default();
    let mut placed: BTreeSet<&SourceKey> = BTreeSet::new();
    for event in &read.events {
        match place(event, job, window) {
            Ok((mailbox, desired)) => {
                placed.insert(&event.key);
                result.mailboxes.entry(mailbox).or_default().push(Arc::new(desired));
            }
            Err(left_out) => {
                let key = event.key.clone();
                if let Some(reason) = left_out.rejection {
                    let place = event.place.clone();
                    result.rejections.push(Rejection { key: Some(key.clone()), place, reason });
                }
                result.skipped.push(Skipped { key, mailbox: left_out.mailbox, reason: left_out.reason });
            }
        }
    }
    let left_out: BTreeSet<SourceKey> = result.skipped.iter().map(|skipped| skipped.key.clone()).collect();
    for key in read.rejections.iter().filter_map(|rejection| rejection.key.as_ref()) {
        if !placed.contains(key) && !left_out.contains(key) {
            result.skipped.push(Skipped { key: key.clone(), mailbox: None, reason: SkipReason::Rejected });
        }
    }
    for events in result.mailboxes.values_mut() {
        events.sort_by(|one, other| one.key.cmp(&other.key));
    }
    result.skipped.sort();
    result.skipped.dedup();
    result.rejections.sort();
    result
}

/// Why an event has no place.
struct LeftOut {
    mailbox: Option<Address>,
    reason: SkipReason,
    rejection: Option<String>,
}

fn place(event: &SourceEvent, job: &Job, window: Window) -> Result<(Address, DesiredEvent), LeftOut> {
    if !job.kinds.contains(&event.kind) {
        return Err(LeftOut { mailbox: None, reason: SkipReason::OtherKind, rejection: None });
    }
    let mailbox = mailbox(&event.recipient, job);
    if !is_selected(&event.recipient, mailbox.as_ref().ok(), job) {
        return Err(LeftOut { mailbox: mailbox.ok(), reason: SkipReason::NotSelected, rejection: None });
    }
    let mailbox =
        mailbox.map_err(|reason| LeftOut { mailbox: None, reason: SkipReason::NoMailbox, rejection: Some(reason) })?;
    match normal(event, job, window) {
        Ok(Some(desired)) => Ok((mailbox, desired)),
        Ok(None) => Err(LeftOut { mailbox: Some(mailbox), reason: SkipReason::OutOfWindow, rejection: None }),
        Err(reason) => Err(LeftOut { mailbox: Some(mailbox), reason: SkipReason::Rejected, rejection: Some(reason) }),
    }
}

/// The mailbox of a recipient: the address itself, the entry in `addresses`, or the code at `people_domain`.
fn mailbox(recipient: &Recipient, job: &Job) -> Result<Address, String> {
    let person = match recipient {
        Recipient::Mailbox(address) => return Ok(address.clone()),
        Recipient::Person(person) => person,
    };
    if let Some(address) = job.addresses.get(person) {
        return Ok(address.clone());
    }
    let address = match &job.people_domain {
        _ if person.contains('@') => Address::parse(person),
        Some(domain) => Address::parse(&format!("{person}@{domain}")),
        None => return Err(format!("person {person:?} has no entry in `addresses`, and there is no `people_domain`")),
    };
    address.map_err(|error| format!("person {person:?} has no mailbox: {error}"))
}

/// Whether `people` names the recipient, by code or by address; an empty list names everybody.
fn is_selected(recipient: &Recipient, mailbox: Option<&Address>, job: &Job) -> bool {
    job.people.is_empty()
        || job.people.iter().any(|entry| {
            let as_person = matches!(recipient, Recipient::Person(person) if person == entry);
            as_person || mailbox.is_some_and(|address| address.as_str().eq_ignore_ascii_case(entry))
        })
}

/// The event in its normal form; `None` when it is out of the window.
fn normal(event: &SourceEvent, job: &Job, window: Window) -> Result<Option<DesiredEvent>, String> {
    let time = match &event.time {
        SourceTime::Fixed(time) => time.clone(),
        SourceTime::Period { date, period, half_days, zone } => {
            let hours = half_days::Hours { morning: job.morning, afternoon: job.afternoon };
            let zone = zone.clone().unwrap_or_else(|| job.zone.clone());
            half_days::event_time(*date, *period, *half_days, zone, hours)?
        }
    };
    let desired = |time: EventTime, series| DesiredEvent {
        key: event.key.clone(),
        time,
        series,
        content: content::content(&event.content, None, job),
    };
    let Some(recurrence) = &event.recurrence else {
        let time = times::normal(time)?;
        return Ok(window.touches(&time).then(|| desired(time, None)));
    };
    // The start of a series stays as it is: the rule repeats its wall time, which exists on every other day.
    let series = series::series(recurrence, &time, &event.content, job)?;
    Ok(series::touches(&series, &time, window).then(|| desired(time, Some(series))))
}

#[cfg(test)]
mod tests;
