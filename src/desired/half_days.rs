//! A period and a number of half-days → the times of one event.

use jiff::{
    ToSpan,
    civil::{Date, Time},
};

use crate::model::{source::Period, time::EventTime, zone::Zone};

/// The longest schedule, in half-days: a planned workload of months on its first day is not an appointment.
const HALF_DAYS_MAX: u32 = 120;

/// The hours of a job's half-days.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hours {
    /// From when to when a morning is.
    pub(super) morning: (Time, Time),
    /// From when to when an afternoon is.
    pub(super) afternoon: (Time, Time),
}

/// One event over the whole span: whole days are an all-day event; otherwise it lasts from the start of its first
/// half-day to the end of its last, with the nights, and the weekends, between them.
pub(super) fn event_time(
    date: Date,
    period: Period,
    half_days: u32,
    zone: Zone,
    hours: Hours,
) -> Result<EventTime, String> {
    if !(1..=HALF_DAYS_MAX).contains(&half_days) {
        return Err(format!("{half_days} half-days are outside 1–{HALF_DAYS_MAX}"));
    }
    let in_afternoon = matches!(period, Period::Afternoon);
    let first_slot = u32::from(in_afternoon);
    let last_slot = first_slot + half_days - 1;
    let last =
        date.checked_add(i64::from(last_slot / 2).days()).map_err(|_| "it leads out of the calendar".to_owned())?;
    let ends_in_afternoon = last_slot % 2 == 1;
    if !in_afternoon && ends_in_afternoon {
        return Ok(EventTime::AllDay { first: date, last, zone });
    }
    let start = if in_afternoon { hours.afternoon.0 } else { hours.morning.0 };
    let end = if ends_in_afternoon { hours.afternoon.1 } else { hours.morning.1 };
    Ok(EventTime::Timed { start: date.to_datetime(start), end: last.to_datetime(end), zone })
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::{Hours, event_time};
    use crate::model::{source::Period, zone::Zone};

    #[test]
    fn half_days_become_one_event() {
        let hours = Hours {
            morning: (time(9, 0, 0, 0), time(12, 30, 0, 0)),
            afternoon: (time(14, 0, 0, 0), time(17, 30, 0, 0)),
        };
        let cases = [
            (Period::Morning, 1, "2026-11-23T09:00:00 2026-11-23T12:30:00"),
            (Period::Afternoon, 1, "2026-11-23T14:00:00 2026-11-23T17:30:00"),
            (Period::Day, 1, "2026-11-23T09:00:00 2026-11-23T12:30:00"),
            (Period::Day, 2, "all day 2026-11-23 2026-11-23"),
            (Period::Morning, 2, "all day 2026-11-23 2026-11-23"),
            (Period::Afternoon, 2, "2026-11-23T14:00:00 2026-11-24T12:30:00"),
            (Period::Day, 3, "2026-11-23T09:00:00 2026-11-24T12:30:00"),
            (Period::Afternoon, 3, "2026-11-23T14:00:00 2026-11-24T17:30:00"),
            (Period::Day, 10, "all day 2026-11-23 2026-11-27"),
            (Period::Day, 120, "all day 2026-11-23 2027-01-21"),
            (Period::Day, 121, ""),
            (Period::Day, 0, ""),
        ];
        for (period, half_days, expected) in cases {
            let time = event_time(date(2026, 11, 23), period, half_days, Zone::utc(), hours);
            let text = time.map_or(String::new(), |time| {
                if time.is_all_day() {
                    format!("all day {} {}", time.start().date(), time.end().date().yesterday().unwrap_or_default())
                } else {
                    format!("{} {}", time.start(), time.end())
                }
            });
            assert_eq!(text, expected, "{period:?} {half_days}");
        }
    }
}
