//! The words of Graph's enumerations.

use jiff::civil::Weekday;

use super::super::store::{Importance, Sensitivity, ShowAs, WeekIndex};

pub(super) const SHOW_AS: [(&str, ShowAs); 6] = [
    ("free", ShowAs::Free),
    ("tentative", ShowAs::Tentative),
    ("busy", ShowAs::Busy),
    ("oof", ShowAs::OutOfOffice),
    ("workingElsewhere", ShowAs::WorkingElsewhere),
    ("unknown", ShowAs::Unknown),
];

pub(super) const SENSITIVITY: [(&str, Sensitivity); 4] = [
    ("normal", Sensitivity::Normal),
    ("personal", Sensitivity::Personal),
    ("private", Sensitivity::Private),
    ("confidential", Sensitivity::Confidential),
];

pub(super) const IMPORTANCE: [(&str, Importance); 3] =
    [("low", Importance::Low), ("normal", Importance::Normal), ("high", Importance::High)];

pub(super) const WEEKDAY: [(&str, Weekday); 7] = [
    ("sunday", Weekday::Sunday),
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
];

pub(super) const WEEK_INDEX: [(&str, WeekIndex); 5] = [
    ("first", WeekIndex::First),
    ("second", WeekIndex::Second),
    ("third", WeekIndex::Third),
    ("fourth", WeekIndex::Fourth),
    ("last", WeekIndex::Last),
];

/// The word for a value.
pub(super) fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, meaning)| meaning == value).map_or("unknown", |(word, _)| word)
}
