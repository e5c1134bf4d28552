//! Dates, wall times and durations as files spell them, and the limits that a calendar sets to them.

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, DateTime},
};

use crate::model::{time::EventTime, zone::Zone};

/// The first and last year that is believed: Exchange holds no others, and a year outside is a fault of the source.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;
/// The longest event, in days: five years, as much as Graph shows in one view.
const DAYS_MAX: i64 = 1827;

/// Reads `2026-11-23`.
pub(super) fn date(text: &str) -> Result<Date, String> {
    let well_formed = text.len() == 10 && text.is_ascii();
    let date = well_formed.then(|| text.parse::<Date>().ok()).flatten();
    believable(date.ok_or_else(|| format!("{text:?} is not a date such as 2026-11-23"))?)
}

/// Reads `2026-11-23T09:00` or `2026-11-23T09:00:00`: a wall time, never with an offset.
pub(super) fn wall_time(text: &str) -> Result<DateTime, String> {
    let well_formed = matches!(text.len(), 16 | 19) && text.is_ascii() && text.as_bytes().get(10) == Some(&b'T');
    let time = well_formed.then(|| text.parse::<DateTime>().ok()).flatten();
    let time =
        time.ok_or_else(|| format!("{text:?} is not a wall time such as 2026-11-23T09:00, without an offset"))?;
    believable(time.date())?;
    Ok(time)
}

fn believable(date: Date) -> Result<Date, String> {
    if YEARS.contains(&date.year()) {
        Ok(date)
    } else {
        Err(format!("the year {} is outside {}–{}", date.year(), YEARS.start(), YEARS.end()))
    }
}

/// A duration: days by the calendar, then time by the clock (RFC 5545 §3.3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    /// Calendar days.
    pub(super) days: i64,
    /// Seconds of elapsed time.
    pub(super) seconds: i64,
}

impl Length {
    /// A length of elapsed minutes.
    pub(super) const fn minutes(minutes: u32) -> Self {
        Self { days: 0, seconds: minutes as i64 * 60 }
    }

    /// Reads an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as `P1DT2H` or `PT45M`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fault = || format!("{text:?} is not a duration such as PT45M, P1D or P1DT2H");
        if !text.starts_with('P') || text.len() > 32 {
            return Err(fault());
        }
        let span: jiff::Span = text.parse().map_err(|_| fault())?;
        if span.get_years() != 0 || span.get_months() != 0 || span.is_negative() || span.get_milliseconds() != 0 {
            return Err(fault());
        }
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let seconds = i64::from(span.get_hours()) * 3600 + span.get_minutes() * 60 + span.get_seconds();
        Ok(Self { days, seconds })
    }

    /// The time of an event that starts at `start` and lasts so long. Of one that `repeats` the length is that of its wall
    /// times, or every occurrence would inherit the change of the clocks in the first.
    pub(super) fn timed(self, start: DateTime, zone: Zone, repeats: bool) -> Result<EventTime, String> {
        let fault = |_| "the duration leads out of the calendar".to_owned();
        if self.days > DAYS_MAX || self.seconds > DAYS_MAX * 86_400 {
            return Err(too_long());
        }
        let day = start.checked_add(self.days.days()).map_err(fault)?;
        let elapsed = SignedDuration::from_secs(self.seconds);
        if repeats || self.seconds == 0 {
            let end = day.checked_add(elapsed).map_err(fault)?;
            return Ok(EventTime::Timed { start, end, zone });
        }
        let end = zone.instant(day).checked_add(elapsed).map_err(fault)?;
        Ok(until(start, zone, end))
    }

    /// The last of so many whole days from `first` on; an error unless they are whole days.
    pub(super) fn last_day(self, first: Date) -> Result<Date, String> {
        let days = self.days.saturating_add(self.seconds / 86_400);
        if days < 1 || self.seconds % 86_400 != 0 {
            return Err("an all-day event lasts whole days, at least one".to_owned());
        }
        if days > DAYS_MAX {
            return Err(too_long());
        }
        first.checked_add((days - 1).days()).map_err(|_| too_long())
    }
}

/// The time of a single event from a wall time to an instant. A wall time cannot say the second of two hours that the
/// autumn change makes alike: then both ends are said in UTC.
pub(super) fn until(start: DateTime, zone: Zone, end: Timestamp) -> EventTime {
    let wall = zone.wall(end);
    if zone.instant(wall) == end {
        return EventTime::Timed { start, end: wall, zone };
    }
    between(zone.instant(start), end, &Zone::utc())
}

/// The time of a single event from one instant to another, in a zone if its wall times can say it, otherwise in UTC.
pub(super) fn between(start: Timestamp, end: Timestamp, zone: &Zone) -> EventTime {
    let walls = |zone: &Zone| (zone.wall(start), zone.wall(end));
    let (start_wall, end_wall) = walls(zone);
    if zone.instant(start_wall) == start && zone.instant(end_wall) == end {
        return EventTime::Timed { start: start_wall, end: end_wall, zone: zone.clone() };
    }
    let utc = Zone::utc();
    let (start, end) = walls(&utc);
    EventTime::Timed { start, end, zone: utc }
}

fn too_long() -> String {
    "it lasts more than 5 years".to_owned()
}

/// The same time, if a calendar can hold it: believable years, not over before it starts, not longer than five years.
pub(super) fn checked(time: EventTime) -> Result<EventTime, String> {
    let (first, last) = match &time {
        EventTime::Timed { start, end, .. } => {
            if end < start {
                return Err(format!("it ends at {end}, before it starts at {start}"));
            }
            (start.date(), end.date())
        }
        EventTime::AllDay { first, last, .. } => {
            if last < first {
                return Err(format!("its last day {last} is before its first day {first}"));
            }
            (*first, *last)
        }
    };
    believable(first)?;
    believable(last)?;
    if (last - first).get_days() as i64 > DAYS_MAX {
        return Err(too_long());
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::civil::{date as day, datetime};

    use super::{Length, checked, date, wall_time};
    use crate::model::{time::EventTime, zone::Zone};

    #[test]
    fn dates_and_wall_times_are_read_strictly() {
        assert_eq!(date("2026-11-23"), Ok(day(2026, 11, 23)));
        for text in
            ["", "2026-11-31", "20261123", "2026-11-23T00:00", "0000-01-01", "9999-12-31", "1899-12-31", "２０26-1-1"]
        {
            assert!(date(text).is_err(), "{text:?}");
        }
        assert_eq!(wall_time("2026-11-23T09:00"), Ok(datetime(2026, 11, 23, 9, 0, 0, 0)));
        assert_eq!(wall_time("2026-11-23T09:00:30"), Ok(datetime(2026, 11, 23, 9, 0, 30, 0)));
        let bad = [
            "",
            "2026-11-23",
            "2026-11-23 09:00",
            "2026-11-23T09:00Z",
            "2026-11-23T09:00+01:00",
            "2026-11-23T24:00",
            "2026-11-23T09",
            "0000-01-01T00:00",
            "9999-12-31T23:59",
        ];
        for text in bad {
            assert!(wall_time(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_second_of_two_equal_hours_is_said_in_utc() {
        // Clocks in Paris go from 03:00 to 02:00 on 2026-10-25, at 01:00 in UTC.
        let paris = Zone::parse("Europe/Paris").unwrap();
        let cases = [
            ("PT1H", false, "2026-10-25T01:30:00 2026-10-25T02:30:00 Europe/Paris"),
            ("PT2H", false, "2026-10-24T23:30:00 2026-10-25T01:30:00 Etc/UTC"),
            ("PT3H", false, "2026-10-25T01:30:00 2026-10-25T03:30:00 Europe/Paris"),
            ("PT2H", true, "2026-10-25T01:30:00 2026-10-25T03:30:00 Europe/Paris"),
            ("P1DT2H", true, "2026-10-25T01:30:00 2026-10-26T03:30:00 Europe/Paris"),
        ];
        for (length, repeats, expected) in cases {
            let start = datetime(2026, 10, 25, 1, 30, 0, 0);
            let time = Length::parse(length).unwrap().timed(start, paris.clone(), repeats).unwrap();
            assert_eq!(format!("{} {} {}", time.start(), time.end(), time.zone()), expected, "{length}");
        }
    }

    #[test]
    fn durations_follow_the_calendar_and_then_the_clock() {
        let paris = Zone::parse("Europe/Paris").unwrap();
        let before_spring = datetime(2026, 3, 28, 12, 0, 0, 0);
        let cases = [
            ("PT45M", Some(datetime(2026, 3, 28, 12, 45, 0, 0))),
            ("P1D", Some(datetime(2026, 3, 29, 12, 0, 0, 0))),
            ("PT24H", Some(datetime(2026, 3, 29, 13, 0, 0, 0))),
            ("P1W", Some(datetime(2026, 4, 4, 12, 0, 0, 0))),
            ("PT0S", Some(before_spring)),
            ("P6Y", None),
            ("P9999D", None),
            ("-PT1H", None),
            ("1h", None),
            ("P", None),
        ];
        for (text, expected) in cases {
            let end = Length::parse(text).and_then(|length| length.timed(before_spring, paris.clone(), false));
            assert_eq!(end.ok().map(|time| time.end()), expected, "{text}");
        }
        assert_eq!(Length::parse("P2D").unwrap().last_day(day(2026, 11, 23)), Ok(day(2026, 11, 24)));
        assert!(Length::parse("PT36H").unwrap().last_day(day(2026, 11, 23)).is_err());
        assert!(Length::parse("PT0S").unwrap().last_day(day(2026, 11, 23)).is_err());
    }

    #[test]
    fn impossible_spans_are_refused() {
        let zone = Zone::utc();
        let timed = |start, end| checked(EventTime::Timed { start, end, zone: zone.clone() });
        let all_day = |first, last| checked(EventTime::AllDay { first, last, zone: zone.clone() });
        let nine = datetime(2026, 11, 23, 9, 0, 0, 0);
        assert!(timed(nine, nine).is_ok());
        assert!(timed(nine, datetime(2026, 11, 23, 8, 59, 0, 0)).is_err());
        assert!(timed(nine, datetime(2032, 1, 1, 0, 0, 0, 0)).is_err());
        assert!(all_day(day(2026, 11, 23), day(2026, 11, 23)).is_ok());
        assert!(all_day(day(2026, 11, 23), day(2026, 11, 22)).is_err());
        assert!(all_day(day(2200, 12, 31), day(2201, 1, 1)).is_err());
    }
}
