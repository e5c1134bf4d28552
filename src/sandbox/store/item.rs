//! What an item holds.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp, civil};

use super::{body::Body, error::StoreError, recurrence::Recurrence, zone::Zone};

/// How the time is shown to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the protocols' own")]
pub enum ShowAs {
    Free,
    Tentative,
    Busy,
    OutOfOffice,
    WorkingElsewhere,
    Unknown,
}

/// How private it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the protocols' own")]
pub enum Sensitivity {
    Normal,
    Personal,
    Private,
    Confidential,
}

/// How important it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the protocols' own")]
pub enum Importance {
    Low,
    Normal,
    High,
}

/// The name of a named string property.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyName {
    /// The property set's GUID, lower case, without braces.
    pub set: String,
    /// The name; its case counts.
    pub name: String,
}

impl PropertyName {
    /// A name; the GUID is brought to its normal form.
    #[must_use]
    pub fn new(set: &str, name: impl Into<String>) -> Self {
        let set = set.trim_start_matches('{').trim_end_matches('}').to_ascii_lowercase();
        Self { set, name: name.into() }
    }
}

/// What an item says: the properties that a single item, a series and an occurrence all have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The subject.
    pub subject: String,
    /// The body, as it was sent.
    pub body: Option<Body>,
    /// The location.
    pub location: Option<String>,
    /// How the time is shown.
    pub show_as: ShowAs,
    /// How private it is.
    pub sensitivity: Sensitivity,
    /// How important it is.
    pub importance: Importance,
    /// The categories, in their order.
    pub categories: Vec<String>,
    /// Whether there is a reminder.
    pub reminder_set: bool,
    /// How long before the start.
    pub reminder_minutes: u32,
    /// When it starts.
    pub start: Timestamp,
    /// When it ends, exclusive.
    pub end: Timestamp,
    /// The zone of the start: it governs series and whole days.
    pub start_zone: Zone,
    /// The zone of the end.
    pub end_zone: Zone,
    /// Whether it lasts whole days.
    pub all_day: bool,
    /// The iCalendar UID.
    pub uid: String,
    /// The named string properties.
    pub properties: BTreeMap<PropertyName, String>,
    /// The addresses of the attendees.
    pub attendees: Vec<String>,
}

impl Content {
    /// The wall time of the start in its zone.
    #[must_use]
    pub fn start_wall(&self) -> civil::DateTime {
        self.start_zone.wall(self.start)
    }

    /// The wall time of the end in its zone.
    #[must_use]
    pub fn end_wall(&self) -> civil::DateTime {
        self.end_zone.wall(self.end)
    }

    /// This content at the occurrence of a date: the same wall times in the zone of the start.
    pub(super) fn on(&self, date: civil::Date) -> Result<Self, StoreError> {
        let (start, end) = self.times_on(date)?;
        Ok(Self { start, end, ..self.clone() })
    }

    /// The instants of the occurrence of a date.
    pub(super) fn times_on(&self, date: civil::Date) -> Result<(Timestamp, Timestamp), StoreError> {
        let master_start = self.start_wall();
        let length = self.start_zone.wall(self.end).duration_since(master_start);
        let start = date.to_datetime(master_start.time());
        let end = start.checked_add(length).map_err(|_| StoreError::OutOfRange)?;
        let start = self.start_zone.instant(start)?;
        Ok((start, self.start_zone.instant(end)?.max(start)))
    }

    /// Moves the start down and the end up to the beginning of a day, each in its zone: midnight, or what comes after it
    /// where the zone skips midnight.
    pub(super) fn snap_to_days(&mut self) -> Result<(), StoreError> {
        let midnight = civil::Time::midnight();
        let start = self.start_wall();
        let mut end_date = self.end_wall().date();
        let begins_a_day = self.end == self.end_zone.instant(end_date.to_datetime(midnight))?;
        if !begins_a_day || end_date <= start.date() {
            end_date = end_date.max(start.date()).tomorrow().map_err(|_| StoreError::OutOfRange)?;
        }
        self.start = self.start_zone.instant(start.date().to_datetime(midnight))?;
        self.end = self.end_zone.instant(end_date.to_datetime(midnight))?;
        Ok(())
    }

    /// Whether Exchange would take it.
    pub(super) fn validate(&self) -> Result<(), StoreError> {
        const MINUTES_MAX: u32 = 2_629_800;
        if self.subject.chars().count() > 255 {
            return Err(StoreError::SubjectTooLong);
        }
        if self.categories.iter().any(|category| category.is_empty() || category.chars().count() > 255) {
            return Err(StoreError::InvalidCategory);
        }
        if self.reminder_minutes > MINUTES_MAX {
            return Err(StoreError::ReminderOutOfRange);
        }
        if self.end < self.start {
            return Err(StoreError::EndBeforeStart);
        }
        let (first, last) = (self.start_wall().year(), self.end_wall().year());
        if first < 1601 || last > 4500 {
            return Err(StoreError::OutOfRange);
        }
        if self.end.duration_since(self.start) > SignedDuration::from_hours(24 * (5 * 365 + 1)) {
            return Err(StoreError::DurationTooLong);
        }
        Ok(())
    }
}

/// A point in time as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// An instant.
    Instant(Timestamp),
    /// A wall time in the zone of the item's start, or end.
    Wall(civil::DateTime),
}

impl Moment {
    pub(super) fn instant(self, zone: &Zone) -> Result<Timestamp, StoreError> {
        match self {
            Self::Instant(instant) => Ok(instant),
            Self::Wall(wall) => zone.instant(wall),
        }
    }
}

/// What a create says.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The subject.
    pub subject: String,
    /// The body.
    pub body: Option<Body>,
    /// The location.
    pub location: Option<String>,
    /// How the time is shown.
    pub show_as: ShowAs,
    /// How private it is.
    pub sensitivity: Sensitivity,
    /// How important it is.
    pub importance: Importance,
    /// The categories.
    pub categories: Vec<String>,
    /// Whether there is a reminder; without it the mailbox's default holds: yes.
    pub reminder_set: Option<bool>,
    /// How long before the start; without it 15.
    pub reminder_minutes: Option<u32>,
    /// When it starts.
    pub start: Moment,
    /// When it ends.
    pub end: Moment,
    /// The zone of the start.
    pub start_zone: Zone,
    /// The zone of the end.
    pub end_zone: Zone,
    /// Whether it lasts whole days.
    pub all_day: bool,
    /// The recurrence of a series.
    pub recurrence: Option<Recurrence>,
    /// The iCalendar UID; without it the store makes one.
    pub uid: Option<String>,
    /// The named string properties.
    pub properties: BTreeMap<PropertyName, String>,
    /// The addresses of the attendees.
    pub attendees: Vec<String>,
    /// The transaction id (Graph).
    pub transaction_id: Option<String>,
}

impl Draft {
    /// A draft that says nothing but when.
    #[must_use]
    pub fn new(start: Moment, end: Moment, zone: Zone) -> Self {
        Self {
            subject: String::new(),
            body: None,
            location: None,
            show_as: ShowAs::Busy,
            sensitivity: Sensitivity::Normal,
            importance: Importance::Normal,
            categories: Vec::new(),
            reminder_set: None,
            reminder_minutes: None,
            start,
            end,
            end_zone: zone.clone(),
            start_zone: zone,
            all_day: false,
            recurrence: None,
            uid: None,
            properties: BTreeMap::new(),
            attendees: Vec::new(),
            transaction_id: None,
        }
    }
}

/// A series: the rule and the occurrences that differ from it, by their pattern dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The rule.
    pub recurrence: Recurrence,
    /// What differs.
    pub exceptions: BTreeMap<civil::Date, Exception>,
    /// The mailbox's count of changes at which each occurrence was last written or deleted by itself.
    pub revisions: BTreeMap<civil::Date, u32>,
}

/// How an occurrence differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exception {
    /// It was deleted.
    Deleted,
    /// These properties differ.
    Changed(Vec<super::change::Change>),
}

/// What kind of item an [`Entry`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the protocols' own")]
pub enum EntryKind {
    Single,
    Master,
    Occurrence,
    Exception,
}

/// An item as a reader sees it: a single item, the master of a series, or one occurrence.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Which of them.
    pub kind: EntryKind,
    /// The id; it changes when the item moves.
    pub id: String,
    /// The id that never changes.
    pub immutable_id: String,
    /// Changes with every change; a series and its occurrences share one.
    pub change_key: String,
    /// The primary address of the mailbox.
    pub mailbox: String,
    /// The folder.
    pub folder_id: String,
    /// What it says.
    pub content: Arc<Content>,
    /// The rule and the exceptions: of a master, and of an occurrence those of its master.
    pub series: Option<Arc<Series>>,
    /// The master of an occurrence.
    pub master: Option<MasterIds>,
    /// Which occurrence it is.
    pub occurrence: Option<OccurrencePosition>,
    /// Of an occurrence: the count of changes at which it was last written by itself; none for one that never was.
    pub revision: Option<u32>,
    /// The transaction id it was created with.
    pub transaction_id: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// The ids of the master of an occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterIds {
    /// The id.
    pub id: String,
    /// The immutable id.
    pub immutable_id: String,
}

/// Where in its series an occurrence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OccurrencePosition {
    /// The date that the rule gives it, in the series' zone.
    pub date: civil::Date,
    /// The instant at which the rule lets it start.
    pub original_start: Timestamp,
    /// The instant at which the rule lets it end.
    pub original_end: Timestamp,
}

/// A series' item as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Never changes; the immutable id is made of it.
    pub(super) number: u32,
    /// Changes with the folder; the id is made of it.
    pub(super) alias: u32,
    pub(super) folder: u32,
    pub(super) content: Arc<Content>,
    pub(super) series: Option<Arc<Series>>,
    pub(super) transaction_id: Option<String>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// The mailbox's tick at which it came into its folder.
    pub(super) tick_created: u32,
    /// The mailbox's tick of the last change; the change key is made of it.
    pub(super) tick: u32,
}
