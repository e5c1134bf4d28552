//! The recurrence patterns that EWS and Graph can both say.

use jiff::civil::{Date, DateTime, Weekday};

use super::{event::Content, time::EventTime};

/// A pattern and its range. The start of the range is the date of the first occurrence: the master's own start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    /// Which days.
    pub pattern: Pattern,
    /// Until when.
    pub end: RecurrenceEnd,
}

/// Which days a series falls on. Intervals: 1–999 days, 1–99 weeks or months, 1–8 years (as 12n months, at most 99).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Every `interval` days.
    Daily {
        /// 1–999.
        interval: u16,
    },
    /// On some weekdays of every `interval`th week.
    Weekly {
        /// 1–99.
        interval: u16,
        /// The weekdays, Monday first, without repetition, at least one.
        days: Vec<Weekday>,
        /// The day on which a week begins (it matters when `interval` is over 1).
        first_day: Weekday,
    },
    /// On a day of every `interval`th month.
    AbsoluteMonthly {
        /// 1–99.
        interval: u16,
        /// 1–31.
        day: u8,
    },
    /// On the nth such day of every `interval`th month.
    RelativeMonthly {
        /// 1–99.
        interval: u16,
        /// Which day.
        day: RelativeDay,
        /// Which of them in the month.
        index: WeekIndex,
    },
    /// On a day of a month of every `interval`th year.
    AbsoluteYearly {
        /// 1–8.
        interval: u16,
        /// 1–31.
        day: u8,
        /// 1–12.
        month: u8,
    },
    /// On the nth such day of a month of every `interval`th year.
    RelativeYearly {
        /// 1–8.
        interval: u16,
        /// Which day.
        day: RelativeDay,
        /// Which of them in the month.
        index: WeekIndex,
        /// 1–12.
        month: u8,
    },
}

/// A kind of day in a relative pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelativeDay {
    /// A day of the week.
    On(Weekday),
    /// Any day.
    Day,
    /// Monday to Friday.
    Weekday,
    /// Saturday or Sunday.
    WeekendDay,
}

/// Which of the days of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the protocols' own")]
pub enum WeekIndex {
    First,
    Second,
    Third,
    Fourth,
    Last,
}

/// When a series ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecurrenceEnd {
    /// Never.
    Never,
    /// With the last occurrence on or before this date, in the series' zone.
    On(Date),
    /// After this many occurrences, 1–999.
    After(u16),
}

/// A series: the recurrence and the occurrences that differ from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The rule.
    pub recurrence: Recurrence,
    /// What differs, in the order of `original`, at most one for each occurrence.
    pub exceptions: Vec<Exception>,
}

/// One occurrence that differs from its series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The wall time at which the rule lets it start, in the series' zone.
    pub original: DateTime,
    /// What happens in its place.
    pub change: ExceptionChange,
}

/// What happens in place of an occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExceptionChange {
    /// It does not take place.
    Cancelled,
    /// It takes place otherwise.
    Changed {
        /// When, in the series' zone.
        time: EventTime,
        /// With what content.
        content: Box<Content>,
    },
}
