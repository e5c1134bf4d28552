//! `STANDARD` and `DAYLIGHT` of a `VTIMEZONE`: when the clocks change, and to what.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

/// The years in which a rule is followed: no event is outside.
const YEARS: (i16, i16) = (1900, 2201);
/// The most single dates of one rule.
const DATES_MAX: usize = 1000;

/// One rule, as far as it is read.
#[derive(Debug, Default)]
pub(super) struct Observance {
    start: Option<DateTime>,
    from_seconds: Option<i32>,
    to_seconds: Option<i32>,
    rules: Vec<Yearly>,
    dates: Vec<DateTime>,
}

/// `RRULE`: once in every year, or on several days.
#[derive(Debug, Clone, Default)]
struct Yearly {
    interval: Option<i16>,
    count: Option<usize>,
    until: Option<Until>,
    months: Vec<i8>,
    month_days: Vec<i8>,
    weekdays: Vec<(i8, Weekday)>,
}

/// The end of a rule.
#[derive(Debug, Clone, Copy)]
enum Until {
    Wall(DateTime),
    Instant(Timestamp),
}

impl Observance {
    /// Takes a property.
    pub(super) fn take(&mut self, name: &str, parameters: &str, value: &str) -> Result<(), String> {
        let malformed = || format!("has a malformed {name}");
        match name {
            "DTSTART" => self.start = Some(wall(value).ok_or_else(malformed)?),
            "TZOFFSETFROM" => self.from_seconds = Some(offset(value).ok_or_else(malformed)?),
            "TZOFFSETTO" => self.to_seconds = Some(offset(value).ok_or_else(malformed)?),
            "RRULE" => self.rules.push(Yearly::read(value)?),
            "RDATE" if parameters.to_ascii_uppercase().contains("PERIOD") => return Err(malformed()),
            "RDATE" => {
                for date in value.split(',') {
                    self.dates.push(wall(date.trim()).ok_or_else(malformed)?);
                }
                if self.dates.len() > DATES_MAX {
                    return Err(format!("has more than {DATES_MAX} dates in one rule"));
                }
            }
            "EXDATE" | "EXRULE" => return Err(format!("has {name}")),
            _ => {}
        }
        Ok(())
    }

    /// When the clocks change by this rule, as seconds of the Unix clock, with the offsets before and after.
    pub(super) fn changes(&self) -> Result<Vec<(i64, i32, i32)>, String> {
        let start = self.start.ok_or("has a rule without DTSTART")?;
        let from = self.from_seconds.ok_or("has a rule without TZOFFSETFROM")?;
        let to = self.to_seconds.ok_or("has a rule without TZOFFSETTO")?;
        let second = |wall: DateTime| {
            let at = TimeZone::UTC.to_timestamp(wall).map_err(|_| "leads out of the calendar".to_owned())?;
            Ok::<_, String>(at.as_second() - i64::from(from))
        };
        let mut found = Vec::new();
        // Old Outlooks let a rule begin in 1601, on a day that is not its own.
        if self.rules.is_empty() {
            found.push(second(start)?);
        }
        for date in &self.dates {
            found.push(second(*date)?);
        }
        for rule in &self.rules {
            let mut count = 0;
            'rule: for year in rule.first_year(start)..=YEARS.1 {
                if (year - start.year()) % rule.interval.unwrap_or(1) != 0 {
                    continue;
                }
                for day in rule.days(year, start.date()) {
                    let onset = day.to_datetime(start.time());
                    if onset < start {
                        continue;
                    }
                    let at = second(onset)?;
                    let past = match rule.until {
                        None => false,
                        Some(Until::Wall(until)) => onset > until,
                        Some(Until::Instant(until)) => at > until.as_second(),
                    };
                    if past || rule.count.is_some_and(|most| count >= most) {
                        break 'rule;
                    }
                    count += 1;
                    found.push(at);
                }
            }
        }
        Ok(found.into_iter().map(|at| (at, from, to)).collect())
    }
}

impl Yearly {
    fn read(text: &str) -> Result<Self, String> {
        let mut rule = Self::default();
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let not_understood = || format!("has a rule that is not understood ({part})");
            let (name, value) = part.split_once('=').ok_or_else(not_understood)?;
            let value = value.trim().to_ascii_uppercase();
            let values = || value.split(',').map(str::trim);
            match name.trim().to_ascii_uppercase().as_str() {
                "FREQ" if value == "YEARLY" => {}
                "WKST" => {}
                "INTERVAL" => {
                    let interval = value.parse().ok().filter(|interval| (1..=100).contains(interval));
                    rule.interval = Some(interval.ok_or_else(not_understood)?);
                }
                "COUNT" => rule.count = Some(value.parse().map_err(|_| not_understood())?),
                "UNTIL" => rule.until = Some(until(&value).ok_or_else(not_understood)?),
                "BYMONTH" => rule.months = numbers(values(), 1..=12).ok_or_else(not_understood)?,
                "BYMONTHDAY" => rule.month_days = numbers(values(), -31..=31).ok_or_else(not_understood)?,
                "BYDAY" => {
                    let days: Option<Vec<_>> = values().map(weekday).collect();
                    rule.weekdays = days.ok_or_else(not_understood)?;
                }
                _ => return Err(not_understood()),
            }
        }
        // Without a month a weekday would be counted in the year.
        if rule.months.is_empty() && !rule.weekdays.is_empty() {
            return Err(format!("has a rule that is not understood ({text})"));
        }
        Ok(rule)
    }

    /// The first year that is looked at: a rule that is counted is followed from its beginning.
    fn first_year(&self, start: DateTime) -> i16 {
        if self.count.is_some() { start.year() } else { start.year().max(YEARS.0) }
    }

    /// Its days in a year, in order.
    fn days(&self, year: i16, start: Date) -> Vec<Date> {
        let months = if self.months.is_empty() { vec![start.month()] } else { self.months.clone() };
        let mut days: Vec<Date> = Vec::new();
        for month in months {
            let Ok(first) = Date::new(year, month, 1) else { continue };
            let last = first.days_in_month();
            let all = (1..=last).filter_map(|day| Date::new(year, month, day).ok());
            days.extend(all.filter(|date| self.has_day(*date, last, start)));
        }
        days.sort_unstable();
        days
    }

    fn has_day(&self, date: Date, last: i8, start: Date) -> bool {
        let day = date.day();
        let by_number = self.month_days.is_empty()
            || self.month_days.iter().any(|wanted| *wanted == day || *wanted == day - last - 1);
        let by_weekday = self.weekdays.is_empty()
            || self.weekdays.iter().any(|(ordinal, weekday)| {
                let position = if *ordinal < 0 { -((last - day) / 7 + 1) } else { (day - 1) / 7 + 1 };
                date.weekday() == *weekday && (*ordinal == 0 || *ordinal == position)
            });
        let says_nothing = self.month_days.is_empty() && self.weekdays.is_empty();
        by_number && by_weekday && (!says_nothing || day == start.day())
    }
}

/// Reads `20261025T030000`: a wall time.
fn wall(text: &str) -> Option<DateTime> {
    let well_formed = text.len() == 15 && text.is_ascii() && text.as_bytes().get(8) == Some(&b'T');
    well_formed.then(|| text.parse().ok()).flatten()
}

/// Reads `20261025T010000Z`, a wall time, or a date.
fn until(text: &str) -> Option<Until> {
    if let Some(wall_time) = text.strip_suffix('Z') {
        return TimeZone::UTC.to_timestamp(wall(wall_time)?).ok().map(Until::Instant);
    }
    if text.len() == 8 {
        let date: Date = text.parse().ok()?;
        return Some(Until::Wall(date.at(23, 59, 59, 0)));
    }
    wall(text).map(Until::Wall)
}

/// Reads `+0100` or `-003015`.
fn offset(text: &str) -> Option<i32> {
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let digits = text.get(1..)?;
    if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let two = |from: usize| digits.get(from..from + 2).and_then(|two| two.parse::<i32>().ok());
    let (hours, minutes, seconds) = (two(0)?, two(2)?, two(4).unwrap_or_default());
    (hours < 24 && minutes < 60 && seconds < 60).then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

fn numbers<'a>(values: impl Iterator<Item = &'a str>, range: std::ops::RangeInclusive<i8>) -> Option<Vec<i8>> {
    values.map(|value| value.parse().ok().filter(|number| *number != 0 && range.contains(number))).collect()
}

/// Reads `-1SU`, `2SU` or `SU`.
fn weekday(text: &str) -> Option<(i8, Weekday)> {
    let (ordinal, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let weekday = match name {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    let ordinal = if ordinal.is_empty() { 0 } else { ordinal.parse().ok().filter(|number: &i8| *number != 0)? };
    (-5..=5).contains(&ordinal).then_some((ordinal, weekday))
}
