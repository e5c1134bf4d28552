//! What a server shows of an item when it is asked: the echo of what was written, and what users made of it.
//!
//! *Invariant*: it lives no longer than a pass. What the state keeps of it is hashes: see [`Echo`](super::echo::Echo).

use std::fmt;

use jiff::Timestamp;

use super::{link::ItemRef, zone::Zone};

/// An item that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its name at that moment.
    pub item: ItemRef,
    /// What it shows.
    pub shown: Shown,
}

/// What an item shows. Words are the protocol's own: they are compared with other words of the same server only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// The title.
    pub subject: String,
    /// The body as text, however it was written.
    pub body: String,
    /// The place.
    pub location: String,
    /// When it starts, ends, and whether it lasts whole days.
    pub time: ShownTime,
    /// The rule of a series in some form; empty for none.
    pub recurrence: String,
    /// How its time counts.
    pub show_as: String,
    /// Who may read it.
    pub sensitivity: String,
    /// How important it is.
    pub importance: String,
    /// The categories.
    pub categories: Vec<String>,
    /// The reminder, in minutes.
    pub reminder_minutes: Option<u32>,
    /// The occurrences that the server holds as exceptions.
    pub exceptions: Vec<ShownException>,
}

/// When an item takes place, as instants: the name of a zone may change, the instants may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownTime {
    /// The start.
    pub start: Timestamp,
    /// The end, exclusive.
    pub end: Timestamp,
    /// Whether it lasts whole days.
    pub is_all_day: bool,
}

/// An occurrence that the server holds as an exception.
#[derive(Clone, PartialEq, Eq)]
pub struct ShownException {
    /// When the rule lets it start, in the server's words.
    pub original: String,
    /// What it shows; `None`: it was deleted.
    pub shown: Option<Shown>,
}

impl Default for ShownTime {
    fn default() -> Self {
        Self { start: Timestamp::UNIX_EPOCH, end: Timestamp::UNIX_EPOCH, is_all_day: false }
    }
}

/// Tells nothing of what it shows.
impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shown").field("exceptions", &self.exceptions.len()).finish_non_exhaustive()
    }
}

/// Tells nothing of what it shows.
impl fmt::Debug for ShownException {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ShownException").field("original", &self.original).finish_non_exhaustive()
    }
}

/// A zone by what it does to times from `start` on, whatever it is called: its offsets, in seconds, half a year apart. Empty
/// for a name that is not known.
#[must_use]
pub fn zone_by_rules(name: &str, start: Timestamp) -> String {
    let Ok(zone) = Zone::parse(name) else { return String::new() };
    let offset = |months: i64| {
        let later = start.checked_add(jiff::SignedDuration::from_hours(24 * 30 * months)).unwrap_or(start);
        zone.rules().to_offset(later).seconds()
    };
    [0, 3, 6, 9].map(|months| offset(months).to_string()).join(",")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Shown, zone_by_rules};

    #[test]
    fn a_zone_is_told_by_its_rules() {
        let start = "2026-11-23T08:00:00Z".parse().unwrap();
        let paris = zone_by_rules("Europe/Paris", start);
        assert_eq!(paris, "3600,3600,7200,7200");
        for other in ["Romance Standard Time", "Europe/Berlin", "W. Europe Standard Time"] {
            assert_eq!(zone_by_rules(other, start), paris, "{other}");
        }
        assert_eq!(zone_by_rules("UTC", start), "0,0,0,0");
        assert_eq!(zone_by_rules("tzone://Microsoft/Custom", start), "");
    }

    #[test]
    fn nothing_of_it_is_logged() {
        let shown = Shown { subject: "secret".to_owned(), body: "secret".to_owned(), ..Shown::default() };
        assert!(!format!("{shown:?}").contains("secret"));
    }
}
