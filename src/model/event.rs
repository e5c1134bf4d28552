//! What a calendar should show.

use std::sync::Arc;

use super::{fingerprint::Fingerprint, keeps::Keeps, key::SourceKey, recurrence::Series, time::EventTime};

/// The longest reminder, in minutes (`ReminderMinutesBeforeStartType` of the EWS schema).
pub const REMINDER_MINUTES_MAX: u32 = 2_629_800;

/// A source event, normalised into what a calendar should show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredEvent {
    /// Whose event it is, in the source's terms.
    pub key: SourceKey,
    /// When it takes place; for a series, its first occurrence.
    pub time: EventTime,
    /// How it repeats.
    pub series: Option<Series>,
    /// What it shows.
    pub content: Content,
    /// What users may keep of its item; `None`: nothing.
    pub keeps: Option<Arc<Keeps>>,
    /// What the source says, where `content` holds what a user wrote too.
    pub said: Option<Box<Fingerprint>>,
}

impl DesiredEvent {
    /// The hash of the normal form of what the source says, one for each group of fields.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.said.as_deref().map_or_else(|| Fingerprint::of(self), Clone::clone)
    }

    /// What users may keep of its item.
    #[must_use]
    pub fn keeps(&self) -> &Keeps {
        self.keeps.as_deref().unwrap_or_else(|| Keeps::nothing())
    }

    /// The same with other content, which is what the source says together with what a user keeps.
    #[must_use]
    pub fn with_content_of_users(&self, content: Content) -> Self {
        let said = Some(Box::new(self.fingerprint()));
        Self { content, said, ..self.clone() }
    }
}

/// What an event shows. Texts hold no character that XML 1.0 forbids and fit the limits of the calendar: `desired` sees to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The title, at most 255 characters, one line.
    pub subject: String,
    /// The body.
    pub body: Body,
    /// The place as text, at most 255 characters; empty for none.
    pub location: String,
    /// How the time counts for others.
    pub show_as: ShowAs,
    /// Who may read it.
    pub sensitivity: Sensitivity,
    /// How important it is.
    pub importance: Importance,
    /// Outlook categories, sorted, without repetition.
    pub categories: Vec<String>,
    /// Minutes before the start at which Outlook reminds; `None` is off (never the mailbox's default).
    pub reminder_minutes: Option<u32>,
}

/// The body of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// How `content` is to be read.
    pub kind: BodyKind,
    /// The text or the HTML; empty for none.
    pub content: String,
}

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the protocols' own")]
pub enum BodyKind {
    Text,
    Html,
}

/// How the time of an event counts for others (EWS `LegacyFreeBusyStatus`, Graph `showAs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the protocols' own")]
pub enum ShowAs {
    Free,
    Tentative,
    Busy,
    OutOfOffice,
    WorkingElsewhere,
}

/// Who may read an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the protocols' own")]
pub enum Sensitivity {
    Normal,
    Personal,
    Private,
    Confidential,
}

/// How important an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the protocols' own")]
pub enum Importance {
    Low,
    Normal,
    High,
}
