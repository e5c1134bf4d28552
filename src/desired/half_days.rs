//! A period and a number of half-days → the times of a schedule.

use jiff::civil::{Date, Time};

use crate::{
    model::{source::Period, time::EventTime, zone::Zone},
    settings::WorkingDays,
};

/// Days in a row that are not worked, after which a schedule is given up: nobody plans over a year of holidays.
const GAP_DAYS_MAX: u32 = 366;

/// The hours of a job's half-days.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hours {
    /// From when to when a morning is.
    pub(super) morning: (Time, Time),
    /// From when to when an afternoon is.
    pub(super) afternoon: (Time, Time),
}

/// The times of a schedule of `half_days`, in their order. Days that do not count are passed over, except the first: the
/// source is right about where its schedule begins. Each run of days that follow each other is one time: whole days are
/// an all-day event; otherwise it lasts from the start of its first half-day to the end of its last, with the nights
/// between them.
pub(super) fn event_times(
    date: Date,
    period: Period,
    half_days: u32,
    zone: &Zone,
    hours: Hours,
    working_days: &WorkingDays,
) -> Result<Vec<EventTime>, String> {
    if half_days == 0 {
        return Err("it lasts no half-day".to_owned());
    }
    let in_afternoon = matches!(period, Period::Afternoon);
    // In half-days of the first day.
    let slots = u64::from(half_days) + u64::from(in_afternoon);
    let ends_in_afternoon = slots.is_multiple_of(2);
    let runs = runs(date, slots.div_ceil(2), working_days)?;
    let last_run = runs.len() - 1;
    let times = runs.into_iter().enumerate().map(|(index, (first, last))| {
        let from_afternoon = index == 0 && in_afternoon;
        let to_morning = index == last_run && !ends_in_afternoon;
        if !from_afternoon && !to_morning {
            return EventTime::AllDay { first, last, zone: zone.clone() };
        }
        let start = if from_afternoon { hours.afternoon.0 } else { hours.morning.0 };
        let end = if to_morning { hours.morning.1 } else { hours.afternoon.1 };
        EventTime::Timed { start: first.to_datetime(start), end: last.to_datetime(end), zone: zone.clone() }
    });
    Ok(times.collect())
}

/// The first and the last day of each run of days that count, `days` in all.
fn runs(first: Date, days: u64, working_days: &WorkingDays) -> Result<Vec<(Date, Date)>, String> {
    let tomorrow = |date: Date| date.tomorrow().map_err(|_| "it leads out of the calendar".to_owned());
    let mut runs = vec![(first, first)];
    let mut last = first;
    for _ in 1..days {
        let mut next = tomorrow(last)?;
        let mut gap = 0;
        while !working_days.count(next) {
            gap += 1;
            if gap > GAP_DAYS_MAX {
                return Err(format!("no day is worked in the year after {last}"));
            }
            next = tomorrow(next)?;
        }
        match runs.last_mut() {
            Some((_, end)) if gap == 0 => *end = next,
            Some(_) | None => runs.push((next, next)),
        }
        last = next;
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::civil::{Date, Weekday, date, time};
    use proptest::prelude::*;

    use super::{Hours, event_times};
    use crate::{
        model::{source::Period, time::EventTime, zone::Zone},
        settings::WorkingDays,
    };

    fn hours() -> Hours {
        Hours { morning: (time(9, 0, 0, 0), time(12, 30, 0, 0)), afternoon: (time(14, 0, 0, 0), time(17, 30, 0, 0)) }
    }

    fn days(skip: bool, holidays: &[Date]) -> WorkingDays {
        WorkingDays { skip, holidays: holidays.iter().copied().collect(), ..WorkingDays::default() }
    }

    fn text(times: &[EventTime]) -> String {
        let text = |time: &EventTime| {
            if time.is_all_day() {
                let last = time.end().date().yesterday().unwrap();
                format!("{}..{}", time.start().date().strftime("%m-%d"), last.strftime("%m-%d"))
            } else {
                format!("{}..{}", time.start().strftime("%m-%dT%H:%M"), time.end().strftime("%m-%dT%H:%M"))
            }
        };
        times.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn half_days_become_one_event() {
        let cases = [
            (Period::Morning, 1, "11-23T09:00..11-23T12:30"),
            (Period::Afternoon, 1, "11-23T14:00..11-23T17:30"),
            (Period::Day, 1, "11-23T09:00..11-23T12:30"),
            (Period::Day, 2, "11-23..11-23"),
            (Period::Morning, 2, "11-23..11-23"),
            (Period::Afternoon, 2, "11-23T14:00..11-24T12:30"),
            (Period::Day, 3, "11-23T09:00..11-24T12:30"),
            (Period::Afternoon, 3, "11-23T14:00..11-24T17:30"),
            (Period::Day, 10, "11-23..11-27"),
            (Period::Day, 120, "11-23..01-21"),
            (Period::Day, 0, ""),
        ];
        for (period, half_days, expected) in cases {
            let every_day = days(false, &[]);
            let times = event_times(date(2026, 11, 23), period, half_days, &Zone::utc(), hours(), &every_day);
            assert_eq!(times.map_or(String::new(), |times| text(&times)), expected, "{period:?} {half_days}");
        }
    }

    /// Friday is 2026-12-18; Christmas is the Friday after it.
    #[test]
    fn days_that_are_not_worked_are_passed_over() {
        let (friday, saturday, monday) = (date(2026, 12, 18), date(2026, 12, 19), date(2026, 12, 21));
        let christmas = date(2026, 12, 25);
        let cases = [
            (friday, Period::Afternoon, 3, "12-18T14:00..12-18T17:30 12-21..12-21"),
            (friday, Period::Afternoon, 2, "12-18T14:00..12-18T17:30 12-21T09:00..12-21T12:30"),
            (friday, Period::Afternoon, 1, "12-18T14:00..12-18T17:30"),
            (friday, Period::Day, 2, "12-18..12-18"),
            (friday, Period::Day, 5, "12-18..12-18 12-21T09:00..12-22T12:30"),
            (friday, Period::Day, 14, "12-18..12-18 12-21..12-24 12-28..12-29"),
            (monday, Period::Afternoon, 9, "12-21T14:00..12-24T17:30 12-28..12-28"),
            (monday, Period::Day, 8, "12-21..12-24"),
            // The source says where it begins, on whatever day that is.
            (saturday, Period::Day, 2, "12-19..12-19"),
            (saturday, Period::Afternoon, 1, "12-19T14:00..12-19T17:30"),
            (saturday, Period::Day, 4, "12-19..12-19 12-21..12-21"),
            (saturday, Period::Morning, 3, "12-19..12-19 12-21T09:00..12-21T12:30"),
            (date(2026, 12, 20), Period::Day, 4, "12-20..12-21"),
            (christmas, Period::Day, 4, "12-25..12-25 12-28..12-28"),
        ];
        for (first, period, half_days, expected) in cases {
            let times =
                event_times(first, period, half_days, &Zone::utc(), hours(), &days(true, &[christmas])).unwrap();
            assert_eq!(text(&times), expected, "{first} {period:?} {half_days}");
        }
    }

    #[test]
    fn the_search_for_a_worked_day_ends() {
        let year: Vec<Date> = date(2026, 1, 1).series(jiff::Span::new().days(1)).take(800).collect();
        let never = WorkingDays { weekdays: Vec::new(), ..WorkingDays::default() };
        for (first, working_days, words) in [
            (date(2026, 1, 1), days(true, &year), "in the year after 2026-01-01"),
            (date(2026, 1, 1), never, "in the year after"),
            (date(9999, 12, 31), days(false, &[]), "out of the calendar"),
        ] {
            let times = event_times(first, Period::Day, 4, &Zone::utc(), hours(), &working_days);
            assert!(times.as_ref().is_err_and(|error| error.contains(words)), "{times:?}");
        }
    }

    fn weekday() -> impl Strategy<Value = Weekday> {
        (0_i8..7).prop_map(|offset| Weekday::from_monday_zero_offset(offset).unwrap())
    }

    proptest! {
        /// Every half-day of the duration is shown once, in order, on the first day or on days that are worked.
        #[test]
        fn the_duration_is_neither_cut_nor_stretched(
            offset in 0_i64..800,
            afternoon: bool,
            half_days in 1_u32..200,
            weekdays in prop::collection::vec(weekday(), 1..7),
            holidays in prop::collection::vec(0_i64..1_000, 0..40),
        ) {
            let day = |offset: i64| date(2026, 1, 1).checked_add(jiff::Span::new().days(offset)).unwrap();
            let first = day(offset);
            let holidays = holidays.into_iter().map(day).collect();
            let working_days = WorkingDays { skip: true, weekdays, holidays, holidays_file: None };
            let period = if afternoon { Period::Afternoon } else { Period::Day };
            let times = event_times(first, period, half_days, &Zone::utc(), hours(), &working_days).unwrap();
            let mut shown = 0;
            let mut before: Option<Date> = None;
            for time in &times {
                let last = if time.is_all_day() { time.end().date().yesterday().unwrap() } else { time.end().date() };
                let mut date = time.start().date();
                // Two runs do not touch each other, or they would be one.
                prop_assert!(before.is_none_or(|before| before.tomorrow().unwrap() < date));
                while date <= last {
                    prop_assert!(date == first || working_days.count(date));
                    let starts_late = !time.is_all_day() && date == time.start().date() && time.start().hour() == 14;
                    let ends_early = !time.is_all_day() && date == last && time.end().hour() == 12;
                    shown += 2 - u32::from(starts_late) - u32::from(ends_early);
                    date = date.tomorrow().unwrap();
                }
                before = Some(last);
            }
            prop_assert_eq!(shown, half_days);
            prop_assert_eq!(times[0].start().date(), first);
        }
    }
}
