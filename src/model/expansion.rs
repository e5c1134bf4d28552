//! The days of a series.

use jiff::{
    Span, ToSpan,
    civil::{Date, Weekday, date},
};

use super::recurrence::{Pattern, Recurrence, RecurrenceEnd, RelativeDay, WeekIndex};

/// The last day that Exchange lets a series have (`ErrorRecurrenceEndDateTooBig`).
pub const LAST_DAY: Date = date(4500, 9, 1);

impl Recurrence {
    /// The days of the series whose first occurrence is on `first`, in order: those of the pattern, from `first` on,
    /// counted in intervals from the day, week, month or year of `first`. Day 31 of a short month is its last day, as
    /// in Exchange. A series without end stops at [`LAST_DAY`].
    pub fn days(&self, first: Date) -> impl Iterator<Item = Date> {
        self.days_from(first, first)
    }

    /// The same from `from` on. What lies before it is passed over at once, except where the end is a number.
    pub fn days_from(&self, first: Date, from: Date) -> impl Iterator<Item = Date> {
        let (last, count) = match self.end {
            RecurrenceEnd::Never => (LAST_DAY, usize::MAX),
            RecurrenceEnd::On(last) => (last.min(LAST_DAY), usize::MAX),
            RecurrenceEnd::After(count) => (LAST_DAY, usize::from(count)),
        };
        let pattern = &self.pattern;
        let begin = match self.end {
            RecurrenceEnd::After(_) => 0,
            RecurrenceEnd::Never | RecurrenceEnd::On(_) => period_of(pattern, first, from) - 1,
        };
        (begin.max(0)..)
            .map_while(move |number| period(pattern, first, number).filter(|(begin, _)| *begin <= last))
            .flat_map(|(_, days)| days)
            .skip_while(move |day| *day < first)
            .take_while(move |day| *day <= last)
            .take(count)
            .skip_while(move |day| *day < from)
    }

    /// The last day of the series before `day`.
    #[must_use]
    pub fn day_before(&self, first: Date, day: Date) -> Option<Date> {
        let (last, mut number) = match self.end {
            RecurrenceEnd::After(_) => return self.days(first).take_while(|other| *other < day).last(),
            RecurrenceEnd::On(last) => (last.min(LAST_DAY), period_of(&self.pattern, first, day.min(last)) + 1),
            RecurrenceEnd::Never => (LAST_DAY, period_of(&self.pattern, first, day.min(LAST_DAY)) + 1),
        };
        while number >= 0 {
            let days = period(&self.pattern, first, number).map(|(_, days)| days).unwrap_or_default();
            if let Some(found) = days.into_iter().rfind(|other| *other < day && *other >= first && *other <= last) {
                return Some(found);
            }
            number -= 1;
        }
        None
    }
}

impl Pattern {
    /// The day of occurrence `number` (the first is 0) of a series that begins on `first`, which is a day of the pattern.
    #[must_use]
    pub fn nth_day(&self, first: Date, number: u32) -> Option<Date> {
        let mut own = period(self, first, 0)?.1;
        own.retain(|day| *day >= first);
        if let Some(day) = own.get(number as usize) {
            return Some(*day);
        }
        // Every later period has as many days as the next.
        let each = period(self, first, 1)?.1.len().max(1);
        let rest = (number as usize).checked_sub(own.len())?;
        let (_, days) = period(self, first, i64::try_from(rest / each + 1).ok()?)?;
        days.get(rest % each).copied()
    }
}

/// The number of the period that `day` lies in, or of one next to it.
fn period_of(pattern: &Pattern, first: Date, day: Date) -> i64 {
    let days = || first.duration_until(day).as_hours() / 24;
    let years = i64::from(day.year()) - i64::from(first.year());
    let months = years * 12 + i64::from(day.month()) - i64::from(first.month());
    let (units, interval) = match pattern {
        Pattern::Daily { interval } => (days(), interval),
        Pattern::Weekly { interval, .. } => (days() / 7, interval),
        Pattern::AbsoluteMonthly { interval, .. } | Pattern::RelativeMonthly { interval, .. } => (months, interval),
        Pattern::AbsoluteYearly { interval, .. } | Pattern::RelativeYearly { interval, .. } => (years, interval),
    };
    units / i64::from((*interval).max(1))
}

/// The first day of the `number`th period of the pattern and the days of the series in it; `None` past the calendar.
fn period(pattern: &Pattern, first: Date, number: i64) -> Option<(Date, Vec<Date>)> {
    let steps = |interval: u16| number.checked_mul(i64::from(interval.max(1)));
    match pattern {
        Pattern::Daily { interval } => {
            let day = first.checked_add(Span::new().try_days(steps(*interval)?).ok()?).ok()?;
            Some((day, vec![day]))
        }
        Pattern::Weekly { interval, days, first_day } => {
            let begin = first.checked_sub(i64::from(first.weekday().since(*first_day)).days()).ok()?;
            let begin = begin.checked_add(Span::new().try_weeks(steps(*interval)?).ok()?).ok()?;
            if days.is_empty() {
                return None;
            }
            let week = (0..7).filter_map(|offset: i64| begin.checked_add(offset.days()).ok());
            Some((begin, week.filter(|day| days.contains(&day.weekday())).collect()))
        }
        Pattern::AbsoluteMonthly { interval, day } => {
            let begin = month(first.first_of_month(), steps(*interval)?)?;
            Some((begin, vec![day_of_month(begin, *day)]))
        }
        Pattern::RelativeMonthly { interval, day, index } => {
            let begin = month(first.first_of_month(), steps(*interval)?)?;
            Some((begin, relative(begin, *day, *index).into_iter().collect()))
        }
        Pattern::AbsoluteYearly { interval, day, month: name } => {
            let begin = month_of_year(first, *name, steps(*interval)?)?;
            Some((begin, vec![day_of_month(begin, *day)]))
        }
        Pattern::RelativeYearly { interval, day, index, month: name } => {
            let begin = month_of_year(first, *name, steps(*interval)?)?;
            Some((begin, relative(begin, *day, *index).into_iter().collect()))
        }
    }
}

/// The first day of the month that is `months` later.
fn month(begin: Date, months: i64) -> Option<Date> {
    begin.checked_add(Span::new().try_months(months).ok()?).ok()
}

/// The first day of a month, `years` after the year of `first`.
fn month_of_year(first: Date, month: u8, years: i64) -> Option<Date> {
    let begin = Date::new(first.year(), i8::try_from(month).ok()?, 1).ok()?;
    begin.checked_add(Span::new().try_years(years).ok()?).ok()
}

/// A day of the month that starts with `begin`; its last day where it has no such day.
fn day_of_month(begin: Date, day: u8) -> Date {
    let day = i8::try_from(day).unwrap_or(i8::MAX).clamp(1, begin.days_in_month());
    begin.with().day(day).build().unwrap_or(begin)
}

/// The day of a relative pattern in the month that starts with `begin`.
fn relative(begin: Date, day: RelativeDay, index: WeekIndex) -> Option<Date> {
    let mut days = (1..=begin.days_in_month())
        .filter_map(|number| begin.with().day(number).build().ok())
        .filter(|date| is_kind(*date, day));
    match index {
        WeekIndex::First => days.next(),
        WeekIndex::Second => days.nth(1),
        WeekIndex::Third => days.nth(2),
        WeekIndex::Fourth => days.nth(3),
        WeekIndex::Last => days.next_back(),
    }
}

/// Whether a date is of a kind of day.
fn is_kind(date: Date, day: RelativeDay) -> bool {
    let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    match day {
        RelativeDay::On(weekday) => date.weekday() == weekday,
        RelativeDay::Day => true,
        RelativeDay::Weekday => !weekend,
        RelativeDay::WeekendDay => weekend,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::civil::{Date, Weekday, date};
    use proptest::prelude::*;

    use super::{LAST_DAY, Pattern, Recurrence, RecurrenceEnd, RelativeDay, WeekIndex, is_kind};

    fn check(pattern: Pattern, end: RecurrenceEnd, first: &str, expected: &[&str]) {
        let recurrence = Recurrence { pattern, end };
        let days: Vec<String> =
            recurrence.days(first.parse().unwrap()).take(expected.len() + 1).map(|day| day.to_string()).collect();
        let days: Vec<&str> = days.iter().map(String::as_str).collect();
        assert_eq!(&days[..days.len().min(expected.len())], expected, "{recurrence:?}");
        if end != RecurrenceEnd::Never {
            assert_eq!(days.len(), expected.len(), "{recurrence:?}");
        }
    }

    #[test]
    fn patterns_fall_on_their_days() {
        use {Pattern as P, RecurrenceEnd as End, Weekday as W};
        let weekly = |interval, days: &[W], first_day| P::Weekly { interval, days: days.to_vec(), first_day };
        check(P::Daily { interval: 1 }, End::After(3), "2026-02-27", &["2026-02-27", "2026-02-28", "2026-03-01"]);
        check(
            P::Daily { interval: 10 },
            End::On(date(2026, 1, 21)),
            "2026-01-01",
            &["2026-01-01", "2026-01-11", "2026-01-21"],
        );
        let days = [W::Monday, W::Thursday];
        check(weekly(1, &days, W::Monday), End::After(3), "2026-03-02", &["2026-03-02", "2026-03-05", "2026-03-09"]);
        check(weekly(1, &days, W::Monday), End::After(2), "2026-03-05", &["2026-03-05", "2026-03-09"]);
        // RFC 5545 §3.3.10: every other week on Tuesday and Sunday depends on where the week begins.
        let days = [W::Tuesday, W::Sunday];
        let monday = ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"];
        let sunday = ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"];
        check(weekly(2, &days, W::Monday), End::After(4), "1997-08-05", &monday);
        check(weekly(2, &days, W::Sunday), End::After(4), "1997-08-05", &sunday);
        check(weekly(1, &[], W::Monday), End::After(4), "1997-08-05", &[]);
        let last_day = ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"];
        check(P::AbsoluteMonthly { interval: 1, day: 31 }, End::After(4), "2026-01-31", &last_day);
        check(P::AbsoluteMonthly { interval: 2, day: 15 }, End::After(2), "2026-01-20", &["2026-03-15", "2026-05-15"]);
        check(P::AbsoluteMonthly { interval: 12, day: 29 }, End::After(2), "2028-02-29", &["2028-02-29", "2029-02-28"]);
        let relative = |day, index| P::RelativeMonthly { interval: 1, day, index };
        let fridays = ["2026-01-30", "2026-02-27"];
        check(relative(RelativeDay::On(W::Friday), WeekIndex::Last), End::After(2), "2026-01-30", &fridays);
        let second = ["2026-01-13", "2026-02-10"];
        check(relative(RelativeDay::On(W::Tuesday), WeekIndex::Second), End::After(2), "2026-01-13", &second);
        check(relative(RelativeDay::Day, WeekIndex::Last), End::After(2), "2026-01-31", &["2026-01-31", "2026-02-28"]);
        let first = ["2026-08-03", "2026-09-01"];
        check(relative(RelativeDay::Weekday, WeekIndex::First), End::After(2), "2026-08-03", &first);
        let weekend = ["2026-08-01", "2026-09-05"];
        check(relative(RelativeDay::WeekendDay, WeekIndex::First), End::After(2), "2026-08-01", &weekend);
        let leap = ["2028-02-29", "2029-02-28", "2030-02-28"];
        check(P::AbsoluteYearly { interval: 1, day: 29, month: 2 }, End::After(3), "2028-02-29", &leap);
        check(
            P::AbsoluteYearly { interval: 4, day: 29, month: 2 },
            End::After(2),
            "2028-02-29",
            &["2028-02-29", "2032-02-29"],
        );
        let november = RelativeDay::On(W::Thursday);
        let thanksgiving = P::RelativeYearly { interval: 1, day: november, index: WeekIndex::Fourth, month: 11 };
        check(thanksgiving, End::After(2), "2026-11-26", &["2026-11-26", "2027-11-25"]);
        check(P::AbsoluteYearly { interval: 1, day: 1, month: 13 }, End::Never, "2026-01-01", &[]);
    }

    #[test]
    fn a_series_without_end_is_bounded() {
        let recurrence = Recurrence { pattern: Pattern::Daily { interval: 999 }, end: RecurrenceEnd::Never };
        assert!(recurrence.days(date(2026, 1, 1)).last().unwrap() <= LAST_DAY);
        assert_eq!(recurrence.days(Date::MAX).next(), None);
        let never = RelativeDay::On(Weekday::Monday);
        let yearly = Pattern::RelativeYearly { interval: 8, day: never, index: WeekIndex::Last, month: 2 };
        assert!(Recurrence { pattern: yearly, end: RecurrenceEnd::Never }.days(date(2026, 2, 1)).count() < 400);
    }

    fn weekday() -> impl Strategy<Value = Weekday> {
        (1_i8..=7).prop_map(|number| Weekday::from_monday_one_offset(number).unwrap())
    }

    fn pattern() -> impl Strategy<Value = Pattern> {
        let kind = prop_oneof![
            weekday().prop_map(RelativeDay::On),
            Just(RelativeDay::Day),
            Just(RelativeDay::Weekday),
            Just(RelativeDay::WeekendDay)
        ];
        let index = prop_oneof![
            Just(WeekIndex::First),
            Just(WeekIndex::Second),
            Just(WeekIndex::Third),
            Just(WeekIndex::Fourth),
            Just(WeekIndex::Last)
        ];
        let relative = (kind, index);
        prop_oneof![
            (1_u16..=999).prop_map(|interval| Pattern::Daily { interval }),
            (1_u16..=99, prop::collection::vec(weekday(), 1..4), weekday())
                .prop_map(|(interval, days, first_day)| Pattern::Weekly { interval, days, first_day }),
            (1_u16..=99, 1_u8..=31).prop_map(|(interval, day)| Pattern::AbsoluteMonthly { interval, day }),
            (1_u16..=99, relative.clone()).prop_map(|(interval, (day, index))| Pattern::RelativeMonthly {
                interval,
                day,
                index
            }),
            (1_u16..=8, 1_u8..=31, 1_u8..=12).prop_map(|(interval, day, month)| Pattern::AbsoluteYearly {
                interval,
                day,
                month
            }),
            (1_u16..=8, relative, 1_u8..=12).prop_map(|(interval, (day, index), month)| Pattern::RelativeYearly {
                interval,
                day,
                index,
                month
            }),
        ]
    }

    fn matches(pattern: &Pattern, first: Date, day: Date) -> bool {
        let months = (i32::from(day.year()) - i32::from(first.year())) * 12 + i32::from(day.month() - first.month());
        let of_month = |number: u8| i32::from(day.day()) == i32::from(number).min(i32::from(day.days_in_month()));
        let nth = |kind: RelativeDay, index: WeekIndex| {
            let before =
                (1..day.day()).filter(|number| is_kind(day.with().day(*number).build().unwrap(), kind)).count();
            let after = (day.day() + 1..=day.days_in_month())
                .filter(|number| is_kind(day.with().day(*number).build().unwrap(), kind))
                .count();
            is_kind(day, kind)
                && match index {
                    WeekIndex::First => before == 0,
                    WeekIndex::Second => before == 1,
                    WeekIndex::Third => before == 2,
                    WeekIndex::Fourth => before == 3,
                    WeekIndex::Last => after == 0,
                }
        };
        match pattern {
            Pattern::Daily { interval } => (day - first).get_days() % i32::from(*interval) == 0,
            Pattern::Weekly { days, .. } => days.contains(&day.weekday()),
            Pattern::AbsoluteMonthly { interval, day } => months % i32::from(*interval) == 0 && of_month(*day),
            Pattern::RelativeMonthly { interval, day, index } => {
                months % i32::from(*interval) == 0 && nth(*day, *index)
            }
            Pattern::AbsoluteYearly { interval, day: number, month } => {
                i32::from(day.year() - first.year()) % i32::from(*interval) == 0
                    && day.month() == i8::try_from(*month).unwrap()
                    && of_month(*number)
            }
            Pattern::RelativeYearly { interval, day: kind, index, month } => {
                i32::from(day.year() - first.year()) % i32::from(*interval) == 0
                    && day.month() == i8::try_from(*month).unwrap()
                    && nth(*kind, *index)
            }
        }
    }

    proptest! {
        #[test]
        fn days_increase_and_match(
            pattern in pattern(),
            (year, month, day) in (1990_i16..2090, 1_i8..=12, 1_i8..=28),
            count in 1_u16..60,
        ) {
            let first = date(year, month, day);
            let recurrence = Recurrence { pattern, end: RecurrenceEnd::After(count) };
            let days: Vec<Date> = recurrence.days(first).collect();
            prop_assert_eq!(days.len(), usize::from(count));
            prop_assert!(days.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(days.iter().all(|day| *day >= first && matches(&recurrence.pattern, first, *day)));
            let last = *days.last().unwrap();
            let until = Recurrence { end: RecurrenceEnd::On(last), ..recurrence.clone() };
            prop_assert_eq!(until.days(first).collect::<Vec<_>>(), days.clone());
            for (number, day) in days.iter().enumerate() {
                let others = [day.yesterday().unwrap(), *day, day.tomorrow().unwrap()];
                for from in others {
                    for series in [&recurrence, &until] {
                        let found: Vec<Date> = series.days_from(first, from).collect();
                        let wanted: Vec<Date> = days.iter().copied().filter(|day| *day >= from).collect();
                        prop_assert_eq!(found, wanted);
                        let before = days.iter().copied().rfind(|day| *day < from);
                        prop_assert_eq!(series.day_before(first, from), before);
                    }
                }
                if days[0] == first {
                    prop_assert_eq!(recurrence.pattern.nth_day(first, u32::try_from(number).unwrap()), Some(*day));
                }
            }
        }
    }
}
