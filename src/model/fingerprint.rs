//! The hash of what a calendar should show, one for each group of fields, so that a plan can say which fields differ
//! and an update can send only those.

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

use super::{
    event::{Body, BodyKind, Content, DesiredEvent, Importance, Sensitivity, ShowAs},
    recurrence::{Exception, ExceptionChange, Pattern, Recurrence, RecurrenceEnd, RelativeDay, WeekIndex},
    time::EventTime,
};

/// A group of fields that is written together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is the field of the same name")]
pub enum Field {
    Subject,
    Body,
    Location,
    /// Start, end, zone and whether it is all day.
    Time,
    /// The pattern and its range.
    Recurrence,
    ShowAs,
    Sensitivity,
    Importance,
    Categories,
    Reminder,
    /// The occurrences that differ from the series.
    Occurrences,
}

impl Field {
    /// Whether it belongs to the content, which an occurrence has too.
    #[must_use]
    pub const fn is_content(self) -> bool {
        !matches!(self, Self::Time | Self::Recurrence | Self::Occurrences)
    }

    /// Every field, in the order of the fingerprint's text.
    pub const ALL: [Self; 11] = [
        Self::Subject,
        Self::Body,
        Self::Location,
        Self::Time,
        Self::Recurrence,
        Self::ShowAs,
        Self::Sensitivity,
        Self::Importance,
        Self::Categories,
        Self::Reminder,
        Self::Occurrences,
    ];

    /// The name used in plans and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Body => "body",
            Self::Location => "location",
            Self::Time => "time",
            Self::Recurrence => "recurrence",
            Self::ShowAs => "show_as",
            Self::Sensitivity => "sensitivity",
            Self::Importance => "importance",
            Self::Categories => "categories",
            Self::Reminder => "reminder",
            Self::Occurrences => "occurrences",
        }
    }
}

/// The version of the normal form; a change of it makes every item be written once more.
const VERSION: &str = "1";
/// Hexadecimal digits of each field's hash.
const DIGITS: usize = 12;

/// One hash of 48 bits for each [`Field`]. Its text (`1:` and 132 hexadecimal digits) is the named property
/// `Fingerprint` of the item, under the 255 characters that `FindItem` returns.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of an event.
    #[must_use]
    pub fn of(event: &DesiredEvent) -> Self {
        let mut text = String::with_capacity(VERSION.len() + 1 + DIGITS * Field::ALL.len());
        text.push_str(VERSION);
        text.push(':');
        let mut form = Form::new();
        for field in Field::ALL {
            form.field(event, field);
            form.end(&mut text);
        }
        Self(text)
    }

    /// The fingerprint of an item whose own cannot be read: it differs from every event in every field.
    #[must_use]
    pub fn unknown() -> Self {
        Self(format!("{VERSION}:{}", "f".repeat(DIGITS * Field::ALL.len())))
    }

    /// Reads a fingerprint back; `None` when it is of another version or not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(VERSION)?.strip_prefix(':')?;
        let well_formed = digits.len() == DIGITS * Field::ALL.len()
            && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The text that is written on the item.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, with the occurrences that differ marked as not written yet: what the item of a series says until its
    /// exceptions are there too.
    #[must_use]
    pub fn without_occurrences(&self) -> Self {
        let mut text = self.0.clone();
        text.truncate(text.len() - DIGITS);
        text.push_str(&"0".repeat(DIGITS));
        Self(text)
    }

    /// Whether a field of the content says what it says in `content`.
    #[must_use]
    pub fn says(&self, field: Field, content: &Content) -> bool {
        let mut form = Form::new();
        form.content_field(content, field);
        let mut digits = String::with_capacity(DIGITS);
        form.end(&mut digits);
        let place = Field::ALL.iter().position(|one| *one == field);
        place.and_then(|place| self.parts().nth(place)) == Some(digits.as_bytes())
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.0.as_bytes()[VERSION.len() + 1..].chunks(DIGITS)
    }

    /// The fields in which `self` differs from `other`.
    #[must_use]
    pub fn differing_fields(&self, other: &Self) -> Vec<Field> {
        let both = Field::ALL.into_iter().zip(self.parts().zip(other.parts()));
        both.filter(|(_, (ours, theirs))| ours != theirs).map(|(field, _)| field).collect()
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Fingerprint({})", self.0)
    }
}

/// A hexadecimal digit.
const fn digit(value: u8) -> char {
    (if value < 10 { b'0' + value } else { b'a' + value - 10 }) as char
}

/// Writes the normal form into a hash: each value with its length, so that no two forms run into each other.
pub(super) struct Form {
    hash: Sha256,
    scratch: String,
}

/// The hash of what happens in place of an occurrence: its times and its whole content.
pub(super) fn change_hash(change: &ExceptionChange) -> [u8; DIGITS / 2] {
    let mut form = Form::new();
    form.change(change);
    form.hash()
}

impl Form {
    pub(super) fn new() -> Self {
        Self { hash: Sha256::new(), scratch: String::new() }
    }

    /// Writes the hash of what was written since the last, and begins another.
    fn end(&mut self, text: &mut String) {
        for byte in self.hash.finalize_reset().iter().take(DIGITS / 2) {
            text.push(digit(byte >> 4));
            text.push(digit(byte & 0xf));
        }
    }

    /// The hash of what was written.
    pub(super) fn hash(self) -> [u8; DIGITS / 2] {
        let digest = self.hash.finalize();
        std::array::from_fn(|place| digest[place])
    }

    pub(super) fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    pub(super) fn bytes(&mut self, value: &[u8]) {
        self.number(value.len() as u64);
        self.hash.update(value);
    }

    /// The text of a date or of a wall time.
    pub(super) fn display(&mut self, value: impl fmt::Display) {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        // Writing into memory does not fail.
        let _ = write!(text, "{value}");
        self.text(&text);
        self.scratch = text;
    }

    pub(super) fn number(&mut self, value: u64) {
        self.hash.update(value.to_be_bytes());
    }

    fn field(&mut self, event: &DesiredEvent, field: Field) {
        match field {
            Field::Time => self.time(&event.time),
            Field::Recurrence => match &event.series {
                None => self.number(0),
                Some(series) => self.recurrence(&series.recurrence),
            },
            Field::Occurrences => {
                for exception in event.series.iter().flat_map(|series| &series.exceptions) {
                    self.exception(exception);
                }
            }
            Field::Subject
            | Field::Body
            | Field::Location
            | Field::ShowAs
            | Field::Sensitivity
            | Field::Importance
            | Field::Categories
            | Field::Reminder => self.content_field(&event.content, field),
        }
    }

    fn content_field(&mut self, content: &Content, field: Field) {
        match field {
            Field::Subject => self.text(&content.subject),
            Field::Body => self.body(&content.body),
            Field::Location => self.text(&content.location),
            Field::ShowAs => self.number(show_as(content.show_as)),
            Field::Sensitivity => self.number(sensitivity(content.sensitivity)),
            Field::Importance => self.number(importance(content.importance)),
            Field::Categories => {
                for category in &content.categories {
                    self.text(category);
                }
            }
            Field::Reminder => self.number(content.reminder_minutes.map_or(0, |minutes| u64::from(minutes) + 1)),
            Field::Time | Field::Recurrence | Field::Occurrences => {}
        }
    }

    fn body(&mut self, body: &Body) {
        self.number(match body.kind {
            BodyKind::Text => 1,
            BodyKind::Html => 2,
        });
        self.text(&body.content);
    }

    fn time(&mut self, time: &EventTime) {
        self.number(u64::from(time.is_all_day()));
        self.display(time.start());
        self.display(time.end());
        self.text(time.zone().iana());
    }

    fn recurrence(&mut self, recurrence: &Recurrence) {
        let mut numbers: Vec<u64> = Vec::new();
        match &recurrence.pattern {
            Pattern::Daily { interval } => numbers.extend([1, u64::from(*interval)]),
            Pattern::Weekly { interval, days, first_day } => {
                numbers.extend([2, u64::from(*interval), weekday(*first_day)]);
                numbers.extend(days.iter().map(|day| weekday(*day)));
            }
            Pattern::AbsoluteMonthly { interval, day } => numbers.extend([3, u64::from(*interval), u64::from(*day)]),
            Pattern::RelativeMonthly { interval, day, index } => {
                numbers.extend([4, u64::from(*interval), relative_day(*day), week_index(*index)]);
            }
            Pattern::AbsoluteYearly { interval, day, month } => {
                numbers.extend([5, u64::from(*interval), u64::from(*day), u64::from(*month)]);
            }
            Pattern::RelativeYearly { interval, day, index, month } => {
                numbers.extend([6, u64::from(*interval), relative_day(*day), week_index(*index), u64::from(*month)]);
            }
        }
        self.number(numbers.len() as u64);
        numbers.into_iter().for_each(|number| self.number(number));
        match recurrence.end {
            RecurrenceEnd::Never => self.text("never"),
            RecurrenceEnd::On(date) => self.display(date),
            RecurrenceEnd::After(count) => self.number(u64::from(count)),
        }
    }

    fn exception(&mut self, exception: &Exception) {
        self.display(exception.original);
        self.change(&exception.change);
    }

    fn change(&mut self, change: &ExceptionChange) {
        match change {
            ExceptionChange::Cancelled => self.number(0),
            ExceptionChange::Changed { time, content } => {
                self.number(1);
                self.time(time);
                self.content(content);
            }
        }
    }

    fn content(&mut self, content: &Content) {
        self.text(&content.subject);
        self.body(&content.body);
        self.text(&content.location);
        self.number(show_as(content.show_as));
        self.number(sensitivity(content.sensitivity));
        self.number(importance(content.importance));
        self.number(content.categories.len() as u64);
        content.categories.iter().for_each(|category| self.text(category));
        self.number(content.reminder_minutes.map_or(0, |minutes| u64::from(minutes) + 1));
    }
}

const fn show_as(value: ShowAs) -> u64 {
    match value {
        ShowAs::Free => 1,
        ShowAs::Tentative => 2,
        ShowAs::Busy => 3,
        ShowAs::OutOfOffice => 4,
        ShowAs::WorkingElsewhere => 5,
    }
}

const fn sensitivity(value: Sensitivity) -> u64 {
    match value {
        Sensitivity::Normal => 1,
        Sensitivity::Personal => 2,
        Sensitivity::Private => 3,
        Sensitivity::Confidential => 4,
    }
}

const fn importance(value: Importance) -> u64 {
    match value {
        Importance::Low => 1,
        Importance::Normal => 2,
        Importance::High => 3,
    }
}

const fn weekday(day: jiff::civil::Weekday) -> u64 {
    day.to_monday_one_offset() as u64
}

const fn relative_day(day: RelativeDay) -> u64 {
    match day {
        RelativeDay::On(day) => weekday(day),
        RelativeDay::Day => 8,
        RelativeDay::Weekday => 9,
        RelativeDay::WeekendDay => 10,
    }
}

const fn week_index(index: WeekIndex) -> u64 {
    match index {
        WeekIndex::First => 1,
        WeekIndex::Second => 2,
        WeekIndex::Third => 3,
        WeekIndex::Fourth => 4,
        WeekIndex::Last => 5,
    }
}
