//! Recurrence: a pattern, a range, and the dates they give.

use std::collections::VecDeque;

use jiff::civil::{Date, Weekday};

use super::error::StoreError;

/// The last date on which a series may end.
const END_MAX: Date = jiff::civil::date(4500, 9, 1);

/// A pattern and its range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    /// Which days.
    pub pattern: Pattern,
    /// The date from which the pattern counts. The store sets it to the date of the first occurrence.
    pub start: Date,
    /// Until when.
    pub end: RecurrenceEnd,
}

/// Which days a series falls on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Every `interval` days.
    Daily {
        /// 1–999.
        interval: u32,
    },
    /// On some weekdays of every `interval`th week.
    Weekly {
        /// 1–99.
        interval: u32,
        /// At least one.
        days: Vec<Weekday>,
        /// The day on which a week begins.
        first_day: Weekday,
    },
    /// On a day of every `interval`th month; a day that a month lacks is its last.
    AbsoluteMonthly {
        /// 1–99.
        interval: u32,
        /// 1–31.
        day: u32,
    },
    /// On the nth day out of a set of every `interval`th month.
    RelativeMonthly {
        /// 1–99.
        interval: u32,
        /// The set: one weekday, Monday to Friday, the weekend, or all seven.
        days: Vec<Weekday>,
        /// Which of them.
        index: WeekIndex,
    },
    /// On a day of a month of every `interval`th year.
    AbsoluteYearly {
        /// 1–99; EWS always says 1.
        interval: u32,
        /// 1–31.
        day: u32,
        /// 1–12.
        month: u32,
    },
    /// On the nth day out of a set of a month of every `interval`th year.
    RelativeYearly {
        /// 1–99; EWS always says 1.
        interval: u32,
        /// The set.
        days: Vec<Weekday>,
        /// Which of them.
        index: WeekIndex,
        /// 1–12.
        month: u32,
    },
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
    After(u32),
}

impl Recurrence {
    /// Whether Exchange would take it.
    ///
    /// # Errors
    /// [`StoreError::InvalidRecurrence`], [`StoreError::RecurrenceEndTooLate`], [`StoreError::NoOccurrence`].
    pub fn validate(&self) -> Result<(), StoreError> {
        let fault = |what| Err(StoreError::InvalidRecurrence(what));
        let (interval, interval_max) = match &self.pattern {
            Pattern::Daily { interval } => (*interval, 999),
            Pattern::Weekly { interval, .. }
            | Pattern::AbsoluteMonthly { interval, .. }
            | Pattern::RelativeMonthly { interval, .. }
            | Pattern::AbsoluteYearly { interval, .. }
            | Pattern::RelativeYearly { interval, .. } => (*interval, 99),
        };
        if interval == 0 || interval > interval_max {
            return fault("the interval is out of range");
        }
        match &self.pattern {
            Pattern::Daily { .. } => {}
            Pattern::Weekly { days, .. } | Pattern::RelativeMonthly { days, .. } if days.is_empty() => {
                return fault("no day of the week");
            }
            Pattern::AbsoluteMonthly { day, .. } if !(1..=31).contains(day) => return fault("no such day of a month"),
            Pattern::AbsoluteYearly { day, month, .. } if !(1..=31).contains(day) || !(1..=12).contains(month) => {
                return fault("no such day of a year");
            }
            Pattern::RelativeYearly { days, month, .. } if days.is_empty() || !(1..=12).contains(month) => {
                return fault("no such day of a year");
            }
            Pattern::Weekly { .. }
            | Pattern::AbsoluteMonthly { .. }
            | Pattern::RelativeMonthly { .. }
            | Pattern::AbsoluteYearly { .. }
            | Pattern::RelativeYearly { .. } => {}
        }
        match self.end {
            RecurrenceEnd::Never => {}
            RecurrenceEnd::On(end) if end > END_MAX => return Err(StoreError::RecurrenceEndTooLate),
            RecurrenceEnd::After(0) => return Err(StoreError::NoOccurrence),
            RecurrenceEnd::After(1000..) => return fault("more than 999 occurrences"),
            RecurrenceEnd::On(_) | RecurrenceEnd::After(_) => {}
        }
        if self.dates().next().is_none() {
            return Err(StoreError::NoOccurrence);
        }
        Ok(())
    }

    /// The dates of the series in order, deleted occurrences included: the first has index 1.
    #[must_use]
    pub fn dates(&self) -> Dates<'_> {
        Dates { recurrence: self, period: 0, buffer: VecDeque::new(), given: 0 }
    }

    /// The date at a 1-based index.
    #[must_use]
    pub fn date_at(&self, index: u32) -> Option<Date> {
        self.dates().nth(usize::try_from(index.checked_sub(1)?).ok()?)
    }

    /// The 1-based index of a date.
    #[must_use]
    pub fn index_of(&self, date: Date) -> Option<u32> {
        let position =
            self.dates().take_while(|candidate| *candidate <= date).position(|candidate| candidate == date)?;
        u32::try_from(position).ok()?.checked_add(1)
    }

    /// The dates of the `number`th period of the pattern (day, week, month or year), in order. `None` past the calendar.
    fn period(&self, number: u32) -> Option<Vec<Date>> {
        let number = i64::from(number);
        match &self.pattern {
            Pattern::Daily { interval } => Some(vec![plus_days(self.start, number * i64::from(*interval))?]),
            Pattern::Weekly { interval, days, first_day } => {
                let lead = i64::from(self.start.weekday().since(*first_day));
                let week = number * 7 * i64::from(*interval) - lead;
                (0..7)
                    .map(|day| plus_days(self.start, week + day))
                    .filter(|date| date.is_none_or(|date| days.contains(&date.weekday())))
                    .collect()
            }
            Pattern::AbsoluteMonthly { interval, day } => {
                let first = self.month_after(number * i64::from(*interval))?;
                Some(vec![day_of_month(first, *day)?])
            }
            Pattern::RelativeMonthly { interval, days, index } => {
                let first = self.month_after(number * i64::from(*interval))?;
                Some(vec![nth_of_month(first, days, *index)?])
            }
            Pattern::AbsoluteYearly { interval, day, month } => {
                let first = self.month_of_year(number * i64::from(*interval), *month)?;
                Some(vec![day_of_month(first, *day)?])
            }
            Pattern::RelativeYearly { interval, days, index, month } => {
                let first = self.month_of_year(number * i64::from(*interval), *month)?;
                Some(vec![nth_of_month(first, days, *index)?])
            }
        }
    }

    /// The first day of the month that lies `months` after the one of the start.
    fn month_after(&self, months: i64) -> Option<Date> {
        let ordinal = i64::from(self.start.year()) * 12 + i64::from(self.start.month()) - 1 + months;
        let year = i16::try_from(ordinal.div_euclid(12)).ok()?;
        let month = i8::try_from(ordinal.rem_euclid(12) + 1).ok()?;
        Date::new(year, month, 1).ok()
    }

    /// The first day of a month of the year that lies `years` after the one of the start.
    fn month_of_year(&self, years: i64, month: u32) -> Option<Date> {
        let year = i16::try_from(i64::from(self.start.year()) + years).ok()?;
        Date::new(year, i8::try_from(month).ok()?, 1).ok()
    }
}

/// The dates of a series, see [`Recurrence::dates`].
#[derive(Debug)]
pub struct Dates<'a> {
    recurrence: &'a Recurrence,
    period: u32,
    buffer: VecDeque<Date>,
    given: u32,
}

impl Iterator for Dates<'_> {
    type Item = Date;

    fn next(&mut self) -> Option<Date> {
        if let RecurrenceEnd::After(count) = self.recurrence.end
            && self.given >= count
        {
            return None;
        }
        loop {
            if let Some(date) = self.buffer.pop_front() {
                let past = matches!(self.recurrence.end, RecurrenceEnd::On(end) if date > end) || date > END_MAX;
                self.given = self.given.saturating_add(1);
                return (!past).then_some(date);
            }
            let dates = self.recurrence.period(self.period)?;
            self.period = self.period.checked_add(1)?;
            self.buffer.extend(dates.into_iter().filter(|date| *date >= self.recurrence.start));
        }
    }
}

fn plus_days(date: Date, days: i64) -> Option<Date> {
    let span = jiff::Span::new().try_days(days).ok()?;
    date.checked_add(span).ok()
}

fn day_of_month(first: Date, day: u32) -> Option<Date> {
    let day = i8::try_from(day).ok()?.min(first.days_in_month());
    Date::new(first.year(), first.month(), day).ok()
}

fn nth_of_month(first: Date, days: &[Weekday], index: WeekIndex) -> Option<Date> {
    let fitting: Vec<Date> = (1..=first.days_in_month())
        .filter_map(|day| Date::new(first.year(), first.month(), day).ok())
        .filter(|date| days.contains(&date.weekday()))
        .collect();
    match index {
        WeekIndex::First => fitting.first(),
        WeekIndex::Second => fitting.get(1),
        WeekIndex::Third => fitting.get(2),
        WeekIndex::Fourth => fitting.get(3),
        WeekIndex::Last => fitting.last(),
    }
    .copied()
}
