//! What a source gives: events as it tells them, and whether that was everything.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};

use super::{
    address::Address,
    event::{Body, Importance, Sensitivity, ShowAs},
    key::{Kind, SourceKey},
    time::EventTime,
};

/// One schedule or appointment as a source gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceEvent {
    /// Its stable name.
    pub key: SourceKey,
    /// Schedule or appointment.
    pub kind: Kind,
    /// Where in the source it was read: file and line.
    pub place: String,
    /// Whose it is.
    pub recipient: Recipient,
    /// Whether that is a placeholder for somebody who is not known yet, without a calendar.
    pub generic: bool,
    /// Whether it is cancelled, and still told of.
    pub cancelled: bool,
    /// When it takes place.
    pub time: SourceTime,
    /// How it repeats.
    pub recurrence: Option<SourceRecurrence>,
    /// What the source says of it; `None` where it says nothing and the job's default holds.
    pub content: SourceContent,
}

/// Whose event it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recipient {
    /// The mailbox itself.
    Mailbox(Address),
    /// A person by the source's own name or code.
    Person(String),
}

/// When a source event takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceTime {
    /// Clock times or dates.
    Fixed(EventTime),
    /// A period of a day and a duration in half-days: the hours come from the job.
    Period {
        /// The first day.
        date: Date,
        /// Where in the first day it starts.
        period: Period,
        /// How long, in half-days of work; at least 1.
        half_days: u32,
        /// The zone; `None` for the job's.
        zone: Option<super::zone::Zone>,
    },
}

/// The period of a day (Akuiteo's words).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// The whole day.
    Day,
    /// The morning.
    Morning,
    /// The afternoon.
    Afternoon,
}

/// How a source event repeats: on its own time, by its rules and at the additional times, except by the excluded rules and
/// for the occurrences that are cancelled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceRecurrence {
    /// The values of RRULE (RFC 5545 §3.3.10), without its name.
    pub rules: Vec<String>,
    /// The wall times of RDATE, in the series' zone (midnight for whole days).
    pub additional: Vec<DateTime>,
    /// The values of EXRULE (RFC 2445 §4.8.5.2), without its name.
    pub excluded_rules: Vec<String>,
    /// The occurrences that differ.
    pub exceptions: Vec<SourceException>,
}

impl SourceRecurrence {
    /// One rule, and the occurrences that differ.
    #[must_use]
    pub fn of_rule(rule: &str, exceptions: Vec<SourceException>) -> Self {
        Self { rules: vec![rule.to_owned()], exceptions, ..Self::default() }
    }
}

/// An occurrence that differs from its series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceException {
    /// The wall time at which the rule lets it start, in the series' zone (midnight for whole days).
    pub original: DateTime,
    /// `None`: it is cancelled.
    pub change: Option<SourceChange>,
}

/// What takes place in place of an occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChange {
    /// When; in the series' zone where both have clock times.
    pub time: EventTime,
    /// What differs in content; `None` where it is as in the series.
    pub content: SourceContent,
}

/// What a source says of an event's content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of `Content`")]
pub struct SourceContent {
    pub subject: Option<String>,
    pub body: Option<Body>,
    pub location: Option<String>,
    pub show_as: Option<ShowAs>,
    pub sensitivity: Option<Sensitivity>,
    pub importance: Option<Importance>,
    pub categories: Option<Vec<String>>,
    pub reminder: Option<SourceReminder>,
    /// A link back to the source; empty for none.
    pub url: Option<String>,
    /// The link to an online meeting; empty for none.
    pub online_meeting_url: Option<String>,
    /// The source's own fields, by name.
    pub data: Option<BTreeMap<String, String>>,
}

/// What a source says of the reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceReminder {
    /// No reminder.
    Off,
    /// Minutes before the start.
    Minutes(u32),
}

/// An event that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rejection {
    /// Its key, where the source told that much; its item in the calendar then stays as it is.
    pub key: Option<SourceKey>,
    /// Where in the source: file and line.
    pub place: String,
    /// Why, in a sentence.
    pub reason: String,
}

/// Whether a read gave everything that the source holds. Nothing is deleted on an incomplete read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// Everything was read.
    Complete,
    /// Something was not, and this is why.
    Incomplete(String),
}

/// One read of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRead {
    /// The events, in the order of their keys, each key once.
    pub events: Vec<SourceEvent>,
    /// What could not be used.
    pub rejections: Vec<Rejection>,
    /// Whether that was everything.
    pub completeness: Completeness,
}
