//! Source events → what each calendar should show. Pure: no clock, no input or output.
//!
//! *Invariant*: every key of the read is in a mailbox of the result, in [`Desired::skipped`], in [`Desired::divided`] or in
//! [`Desired::cancelled_away`], so that a plan never takes what was left out for what was deleted.

mod content;
mod expand;
mod half_days;
mod outside;
mod pattern;
mod rule;
mod series;
mod shape;
mod texts;
mod times;
mod values;
mod walk;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use crate::{
    model::{
        address::Address,
        event::{Content, DesiredEvent},
        key::SourceKey,
        recurrence::Series,
        source::{Recipient, Rejection, SourceEvent, SourceRead, SourceTime},
        time::EventTime,
        window::Window,
    },
    settings::{Departure, Job},
};

pub use outside::outside;
pub use shape::{Divided, Note, Unlisted};

use shape::Shape;

/// What a job wants the calendars to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// The events of each mailbox, in the order of their keys.
    pub mailboxes: BTreeMap<Address, Vec<Arc<DesiredEvent>>>,
    /// Events that this job cannot push. Those of the read itself stay in the read.
    pub rejections: Vec<Rejection>,
    /// Every key of the read, and of the parts of its events, that is known and in no mailbox, in the order of the keys:
    /// none of them is a deletion.
    pub skipped: Vec<Skipped>,
    /// The events that several items may show, in the order of the read: they say which of their parts take place.
    pub divided: Vec<Divided>,
    /// The events that are not shown by one item, in the order of their keys.
    pub notes: Vec<Note>,
    /// The events of the job that are cancelled.
    pub cancelled: BTreeSet<SourceKey>,
    /// Those of them that are shown no more, in the order of the read: their items go.
    pub cancelled_away: Vec<SourceKey>,
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

/// Why a source event is left out. Of two, the greater one says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// The job does not push events of its kind.
    OtherKind,
    /// The job does not push to that person.
    NotSelected,
    /// No occurrence is inside the window.
    OutOfWindow,
    /// The person is a placeholder, by the word of the source or of the job.
    Generic,
    /// The duration is over the job's `max_days`: a workload that is planned on its first day is not an appointment.
    TooLong {
        /// The duration.
        half_days: u32,
        /// `max_days`.
        days_max: u16,
    },
    /// The person has no mailbox.
    NoMailbox,
    /// It cannot be used, as a rejection says.
    Rejected,
}

/// The words used in plans.
impl fmt::Display for SkipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OtherKind => "of a kind that the job does not push",
            Self::NotSelected => "of a person that the job does not push to",
            Self::OutOfWindow => "out of the window",
            Self::Generic => "of a generic person, who has no calendar",
            Self::TooLong { half_days, days_max } => {
                let (days, half) = (half_days / 2, if half_days % 2 == 1 { ".5" } else { "" });
                return write!(formatter, "a planned workload of {days}{half} days, over max_days = {days_max}");
            }
            Self::NoMailbox => "of a person without a mailbox",
            Self::Rejected => "rejected",
        })
    }
}

/// The most occurrences of one read that are followed one by one: it bounds the time and the memory that rules can take
/// which Outlook cannot say.
const EXPANDED_MAX: usize = 250_000;

/// What the calendars should show of `read`, by the rules of `job`, inside `window`.
#[must_use]
pub fn desired(read: &SourceRead, job: &Job, window: Window) -> Desired {
    let mut result = Desired::default();
    let left = Cell::new(EXPANDED_MAX);
    let mut placed: BTreeSet<&SourceKey> = BTreeSet::new();
    for event in &read.events {
        if event.cancelled && holder(event, job).is_ok() {
            placed.insert(&event.key);
            result.cancelled.insert(event.key.clone());
            if job.cancelled == Departure::Delete {
                result.cancelled_away.push(event.key.clone());
                continue;
            }
        }
        match place(event, job, window, &left) {
            Ok(placing) => {
                placed.insert(&event.key);
                show(event, placing, job, window, &mut result);
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
    result.notes.sort();
    result
}

/// Why an event has no place.
struct LeftOut {
    mailbox: Option<Address>,
    reason: SkipReason,
    rejection: Option<String>,
}

/// Where and how an event is shown.
struct Placing {
    mailbox: Address,
    shape: Shape,
    /// What the item of the event itself shows, where it is inside the window.
    content: Option<Content>,
}

/// The calendar that the job shows an event in.
fn holder(event: &SourceEvent, job: &Job) -> Result<Address, LeftOut> {
    if !job.kinds.contains(&event.kind) {
        return Err(LeftOut { mailbox: None, reason: SkipReason::OtherKind, rejection: None });
    }
    let mailbox = mailbox(&event.recipient, job);
    if event.generic || names(&job.generic_people, &event.recipient, mailbox.as_ref().ok()) {
        return Err(LeftOut { mailbox: mailbox.ok(), reason: SkipReason::Generic, rejection: None });
    }
    if !job.people.is_empty() && !names(&job.people, &event.recipient, mailbox.as_ref().ok()) {
        return Err(LeftOut { mailbox: mailbox.ok(), reason: SkipReason::NotSelected, rejection: None });
    }
    let mailbox =
        mailbox.map_err(|reason| LeftOut { mailbox: None, reason: SkipReason::NoMailbox, rejection: Some(reason) })?;
    if let Some(reason) = too_long(event, job) {
        return Err(LeftOut { mailbox: Some(mailbox), reason, rejection: None });
    }
    Ok(mailbox)
}

fn place(event: &SourceEvent, job: &Job, window: Window, left: &Cell<usize>) -> Result<Placing, LeftOut> {
    let mailbox = holder(event, job)?;
    let made = shape::shape(event, job, window, left).and_then(|shape| {
        let content = shape.item_inside(window).map(|time| content::content(event, None, time, job)).transpose()?;
        Ok((shape, content))
    });
    match made {
        Ok((shape, content)) => Ok(Placing { mailbox, shape, content }),
        Err(reason) => Err(LeftOut { mailbox: Some(mailbox), reason: SkipReason::Rejected, rejection: Some(reason) }),
    }
}

/// Puts the items of an event into its mailbox, as far as they touch the window.
fn show(event: &SourceEvent, placing: Placing, job: &Job, window: Window, result: &mut Desired) {
    let Placing { mailbox, shape, content } = placing;
    let mut shown = Vec::new();
    let out_of_window = |key| Skipped { key, mailbox: Some(mailbox.clone()), reason: SkipReason::OutOfWindow };
    if event.recurrence.is_some() || !shape.parts.is_empty() {
        let key = event.key.clone();
        result.divided.push(Divided {
            key,
            mailbox: mailbox.clone(),
            has_item: shape.main.is_some(),
            unlisted: shape.unlisted,
        });
    }
    if let Some((time, series)) = shape.main {
        let key = event.key.clone();
        match content {
            Some(content) => {
                shown.push(Arc::new(item(key, time, series, content, job)));
            }
            None => result.skipped.push(out_of_window(key)),
        }
    }
    for part in shape.parts {
        let key = event.key.part(part.original);
        if window.touches(&part.time) {
            shown.push(Arc::new(item(key, part.time, None, part.content, job)));
        } else {
            result.skipped.push(out_of_window(key));
        }
    }
    let by_parts = shown.iter().any(|item| item.key != event.key);
    if let Some(reason) = shape.note.filter(|_| by_parts) {
        let (key, items) = (event.key.clone(), shown.len());
        result.notes.push(Note { key, mailbox: mailbox.clone(), reason, items });
    }
    if !shown.is_empty() {
        result.mailboxes.entry(mailbox).or_default().extend(shown);
    }
}

/// One item. A series keeps its wall times.
fn item(key: SourceKey, time: EventTime, series: Option<Series>, content: Content, job: &Job) -> DesiredEvent {
    let time = if series.is_some() { time } else { times::told(time, &job.zone) };
    DesiredEvent { key, time, series, content, keeps: job.keeps.clone(), said: None }
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

/// Whether a job pushes to a mailbox, as far as its people tell.
#[must_use]
pub fn selects(job: &Job, address: &Address) -> bool {
    let is_named = |entry: &String| {
        entry.eq_ignore_ascii_case(address.as_str())
            || mailbox(&Recipient::Person(entry.clone()), job).is_ok_and(|named| named == *address)
    };
    job.people.is_empty() || job.people.iter().any(is_named)
}

/// Whether a list of people names the recipient, by code or by address.
fn names(people: &[String], recipient: &Recipient, mailbox: Option<&Address>) -> bool {
    people.iter().any(|entry| {
        let as_person = matches!(recipient, Recipient::Person(person) if person == entry);
        as_person || mailbox.is_some_and(|address| address.as_str().eq_ignore_ascii_case(entry))
    })
}

/// A planned workload puts the load of weeks on its first day.
fn too_long(event: &SourceEvent, job: &Job) -> Option<SkipReason> {
    let SourceTime::Period { half_days, .. } = event.time else { return None };
    let over = half_days > u32::from(job.max_days) * 2;
    over.then_some(SkipReason::TooLong { half_days, days_max: job.max_days })
}

#[cfg(test)]
mod set_tests;
#[cfg(test)]
mod tests;
