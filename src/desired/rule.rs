//! RRULE (RFC 5545 §3.3.10) → the patterns that EWS and Graph can both say. What they cannot say is refused with its
//! reason; nothing is bent to fit.

use ical::recur::{IcalRecurDateTime, IcalRecurFreq, IcalRecurRule, IcalRecurWeekday, IcalRecurWeekdayNum};
use jiff::civil::{Date, DateTime, Time, Weekday};

use crate::model::{
    recurrence::{Pattern, Recurrence, RecurrenceEnd, RelativeDay, WeekIndex},
    time::EventTime,
};

/// The parts of a rule that are understood; RFC 5545 lets a reader skip others, but then the calendar would show days
/// that the source does not mean.
const PARTS: [&str; 14] = [
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYDAY",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
];
/// The most occurrences of a numbered series.
const COUNT_MAX: u32 = 999;
/// The longest rule, in bytes.
const RULE_BYTES_MAX: usize = 1024;

/// The recurrence of a series whose first occurrence is `first`.
pub(super) fn recurrence(rule: &str, first: &EventTime) -> Result<Recurrence, String> {
    let until = raw_until(rule)?;
    let parsed = IcalRecurRule::parse(rule).map_err(|error| format!("the rule is malformed: {error}"))?;
    if let Some(problem) = parsed.problems().first() {
        return Err(format!("the rule is malformed: {problem}"));
    }
    let start = first.start();
    refuse_parts(&parsed, start)?;
    let pattern = pattern(&parsed, start.date())?;
    let end = match (parsed.until, parsed.count) {
        (None, None) => RecurrenceEnd::Never,
        (None, Some(count)) => match u16::try_from(count) {
            Ok(count @ 1..) if u32::from(count) <= COUNT_MAX => RecurrenceEnd::After(count),
            _ => return Err(format!("COUNT={count} is outside 1–{COUNT_MAX}, the limits of Exchange")),
        },
        (Some(bound), None) => RecurrenceEnd::On(last_day(bound, until, first)?),
        (Some(_), Some(_)) => return Err("the rule is malformed: it has UNTIL and COUNT".to_owned()),
    };
    let recurrence = Recurrence { pattern, end };
    // RFC 5545 counts a first occurrence that is off the rule; Exchange moves the series to the first day on the rule.
    if recurrence.days(start.date()).next() != Some(start.date()) {
        return Err(format!("the start {} is not a day of the rule, or the rule ends before it", start.date()));
    }
    Ok(recurrence)
}

/// How `UNTIL` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// A date, or no `UNTIL` at all.
    Day,
    /// A wall time.
    Wall,
    /// An instant.
    Instant,
}

/// Checks the names of the parts, and tells the form of `UNTIL`, which the parser does not keep.
fn raw_until(rule: &str) -> Result<Until, String> {
    if rule.len() > RULE_BYTES_MAX {
        return Err("the rule is longer than 1024 characters".to_owned());
    }
    let mut seen: Vec<String> = Vec::new();
    let mut until = Until::Day;
    for part in rule.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("the rule is malformed: {part:?}"))?;
        let name = name.trim().to_ascii_uppercase();
        if !PARTS.contains(&name.as_str()) {
            return Err(format!("the part {name} of the rule is not supported"));
        }
        if value.trim().is_empty() {
            return Err(format!("the rule is malformed: {name} is empty"));
        }
        if seen.contains(&name) {
            return Err(format!("the rule is malformed: {name} is there twice"));
        }
        if name == "UNTIL" {
            let value = value.trim();
            until = match value.len() {
                8 => Until::Day,
                _ if value.ends_with(['Z', 'z']) => Until::Instant,
                _ => Until::Wall,
            };
        }
        seen.push(name);
    }
    Ok(until)
}

/// Refuses the parts that neither protocol can say.
fn refuse_parts(rule: &IcalRecurRule, start: DateTime) -> Result<(), String> {
    let unsayable = [
        (!rule.by_year_day.is_empty(), "BYYEARDAY"),
        (!rule.by_week_no.is_empty(), "BYWEEKNO"),
        (rule.by_month_day.len() > 1, "several days in BYMONTHDAY"),
        (rule.by_month.len() > 1, "several months in BYMONTH"),
        (rule.by_set_pos.len() > 1, "several positions in BYSETPOS"),
    ];
    if let Some((_, what)) = unsayable.iter().find(|(found, _)| *found) {
        return Err(cannot_say(what));
    }
    // A time of day that only repeats the one of the start says nothing new.
    let same = |values: &[u8], own: i8| values.is_empty() || values == [own.unsigned_abs()];
    if !same(&rule.by_hour, start.hour())
        || !same(&rule.by_minute, start.minute())
        || !same(&rule.by_second, start.second())
    {
        return Err(cannot_say("several times of one day (BYHOUR, BYMINUTE, BYSECOND)"));
    }
    Ok(())
}

fn cannot_say(what: &str) -> String {
    format!("Outlook cannot say {what}")
}

fn interval(rule: &IcalRecurRule, max: u16) -> Result<u16, String> {
    match u16::try_from(rule.interval) {
        Ok(interval) if (1..=max).contains(&interval) => Ok(interval),
        _ => Err(format!("INTERVAL={} is outside 1–{max}, the limits of Exchange", rule.interval)),
    }
}

fn pattern(rule: &IcalRecurRule, first: Date) -> Result<Pattern, String> {
    match rule.freq {
        IcalRecurFreq::Daily => daily(rule),
        IcalRecurFreq::Weekly => weekly(rule, first),
        IcalRecurFreq::Monthly => monthly(rule, first),
        IcalRecurFreq::Yearly => yearly(rule, first),
        IcalRecurFreq::Hourly | IcalRecurFreq::Minutely | IcalRecurFreq::Secondly => {
            Err(cannot_say("a series with several occurrences a day (FREQ=HOURLY and finer)"))
        }
    }
}

fn daily(rule: &IcalRecurRule) -> Result<Pattern, String> {
    if !rule.by_month.is_empty() || !rule.by_month_day.is_empty() || !rule.by_set_pos.is_empty() {
        return Err(cannot_say("FREQ=DAILY with BYMONTH, BYMONTHDAY or BYSETPOS"));
    }
    if rule.by_day.is_empty() {
        return Ok(Pattern::Daily { interval: interval(rule, 999)? });
    }
    if rule.interval != 1 {
        return Err(cannot_say("FREQ=DAILY with BYDAY and INTERVAL"));
    }
    Ok(Pattern::Weekly { interval: 1, days: weekdays(&rule.by_day)?, first_day: weekday(rule.week_start) })
}

fn weekly(rule: &IcalRecurRule, first: Date) -> Result<Pattern, String> {
    if !rule.by_month.is_empty() || !rule.by_set_pos.is_empty() {
        return Err(cannot_say("FREQ=WEEKLY with BYMONTH or BYSETPOS"));
    }
    let days = if rule.by_day.is_empty() { vec![first.weekday()] } else { weekdays(&rule.by_day)? };
    Ok(Pattern::Weekly { interval: interval(rule, 99)?, days, first_day: weekday(rule.week_start) })
}

fn monthly(rule: &IcalRecurRule, first: Date) -> Result<Pattern, String> {
    if !rule.by_month.is_empty() {
        return Err(cannot_say("FREQ=MONTHLY with BYMONTH"));
    }
    let interval = interval(rule, 99)?;
    if !rule.by_day.is_empty() {
        let (day, index) = relative(rule)?;
        return Ok(Pattern::RelativeMonthly { interval, day, index });
    }
    match day_of_month(rule, first)? {
        MonthDay::Last => Ok(Pattern::RelativeMonthly { interval, day: RelativeDay::Day, index: WeekIndex::Last }),
        MonthDay::Number(day @ 1..=28) => Ok(Pattern::AbsoluteMonthly { interval, day }),
        // RFC 5545 leaves out the months that have no such day, Exchange takes their last day.
        MonthDay::Number(day) => Err(cannot_say(&format!("day {day} of each month that has one"))),
    }
}

fn yearly(rule: &IcalRecurRule, first: Date) -> Result<Pattern, String> {
    let interval = interval(rule, 8)?;
    let month = match rule.by_month.first() {
        Some(month) => *month,
        None if rule.by_day.is_empty() && rule.by_month_day.is_empty() => first.month().unsigned_abs(),
        None => return Err(cannot_say("FREQ=YEARLY with BYDAY or BYMONTHDAY and without BYMONTH")),
    };
    if !rule.by_day.is_empty() {
        let (day, index) = relative(rule)?;
        return Ok(Pattern::RelativeYearly { interval, day, index, month });
    }
    let longest = match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    match day_of_month(rule, first)? {
        MonthDay::Last => {
            Ok(Pattern::RelativeYearly { interval, day: RelativeDay::Day, index: WeekIndex::Last, month })
        }
        MonthDay::Number(day) if day <= longest => Ok(Pattern::AbsoluteYearly { interval, day, month }),
        MonthDay::Number(day) => Err(cannot_say(&format!("day {day} of month {month} of each year that has one"))),
    }
}

/// A day of a month.
enum MonthDay {
    Number(u8),
    Last,
}

fn day_of_month(rule: &IcalRecurRule, first: Date) -> Result<MonthDay, String> {
    if !rule.by_set_pos.is_empty() {
        return Err(cannot_say("BYSETPOS without BYDAY"));
    }
    match rule.by_month_day.first() {
        None => Ok(MonthDay::Number(first.day().unsigned_abs())),
        Some(-1) => Ok(MonthDay::Last),
        Some(day @ 1..) => Ok(MonthDay::Number(day.unsigned_abs())),
        Some(day) => Err(cannot_say(&format!("BYMONTHDAY={day}"))),
    }
}

/// The day of a relative pattern: `2TU`, `TU` with `BYSETPOS=2`, and the sets that have a name of their own.
fn relative(rule: &IcalRecurRule) -> Result<(RelativeDay, WeekIndex), String> {
    if !rule.by_month_day.is_empty() {
        return Err(cannot_say("BYDAY with BYMONTHDAY"));
    }
    if let [IcalRecurWeekdayNum { ordinal: Some(ordinal), weekday: day }] = rule.by_day.as_slice() {
        if !rule.by_set_pos.is_empty() {
            return Err(cannot_say("a counted BYDAY with BYSETPOS"));
        }
        return Ok((RelativeDay::On(weekday(*day)), week_index(*ordinal)?));
    }
    let days = weekdays(&rule.by_day)?;
    let Some(position) = rule.by_set_pos.first() else {
        return Err(cannot_say("every such weekday of a month (BYDAY without a number)"));
    };
    let weekend = [Weekday::Saturday, Weekday::Sunday];
    let day = match days.as_slice() {
        [day] => RelativeDay::On(*day),
        days if days.len() == 7 => RelativeDay::Day,
        days if days.len() == 5 && !days.iter().any(|day| weekend.contains(day)) => RelativeDay::Weekday,
        days if days == weekend => RelativeDay::WeekendDay,
        _ => return Err(cannot_say("BYSETPOS over that list of days")),
    };
    Ok((day, week_index(*position)?))
}

fn week_index(ordinal: i16) -> Result<WeekIndex, String> {
    match ordinal {
        1 => Ok(WeekIndex::First),
        2 => Ok(WeekIndex::Second),
        3 => Ok(WeekIndex::Third),
        4 => Ok(WeekIndex::Fourth),
        -1 => Ok(WeekIndex::Last),
        other => Err(cannot_say(&format!("position {other} in a month"))),
    }
}

/// The weekdays of a list without numbers, Monday first, each once.
fn weekdays(list: &[IcalRecurWeekdayNum]) -> Result<Vec<Weekday>, String> {
    if list.iter().any(|day| day.ordinal.is_some()) {
        return Err(cannot_say("several counted days in BYDAY"));
    }
    let mut days: Vec<Weekday> = list.iter().map(|day| weekday(day.weekday)).collect();
    days.sort_by_key(|day| day.to_monday_zero_offset());
    days.dedup();
    Ok(days)
}

const fn weekday(day: IcalRecurWeekday) -> Weekday {
    match day {
        IcalRecurWeekday::Monday => Weekday::Monday,
        IcalRecurWeekday::Tuesday => Weekday::Tuesday,
        IcalRecurWeekday::Wednesday => Weekday::Wednesday,
        IcalRecurWeekday::Thursday => Weekday::Thursday,
        IcalRecurWeekday::Friday => Weekday::Friday,
        IcalRecurWeekday::Saturday => Weekday::Saturday,
        IcalRecurWeekday::Sunday => Weekday::Sunday,
    }
}

/// The last day on which an occurrence starts at or before `UNTIL`, in the zone of the series.
fn last_day(bound: IcalRecurDateTime, form: Until, first: &EventTime) -> Result<Date, String> {
    let fault = |_| "the rule is malformed: UNTIL is out of range".to_owned();
    let part = u8::cast_signed;
    let year = i16::try_from(bound.year).map_err(|_| "the rule is malformed: UNTIL is out of range".to_owned())?;
    let date = Date::new(year, part(bound.month), part(bound.day)).map_err(fault)?;
    if form == Until::Day {
        return Ok(date);
    }
    let time = Time::new(part(bound.hour), part(bound.minute), part(bound.second.min(59)), 0).map_err(fault)?;
    let wall = date.to_datetime(time);
    let local = match form {
        Until::Day | Until::Wall => wall,
        Until::Instant => first.zone().wall(crate::model::zone::Zone::utc().instant(wall)),
    };
    if local.time() >= first.start().time() { Ok(local.date()) } else { local.date().yesterday().map_err(fault) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::civil::{Weekday, date};

    use super::recurrence;
    use crate::model::{
        recurrence::{Pattern, RecurrenceEnd, RelativeDay, WeekIndex},
        time::EventTime,
        zone::Zone,
    };

    fn timed(start: &str, zone: &str) -> EventTime {
        let start: jiff::civil::DateTime = start.parse().unwrap();
        EventTime::Timed { start, end: start, zone: Zone::parse(zone).unwrap() }
    }

    #[test]
    fn rules_become_patterns() {
        let weekly =
            |interval, days: &[Weekday], first_day| Pattern::Weekly { interval, days: days.to_vec(), first_day };
        let (monday, friday, sunday) = (Weekday::Monday, Weekday::Friday, Weekday::Sunday);
        let on_monday = RelativeDay::On(monday);
        // 2026-11-23 is the fourth and 2026-11-30 the last Monday of November.
        let cases = [
            ("FREQ=DAILY", "2026-11-23", Pattern::Daily { interval: 1 }),
            ("freq=daily;interval=999", "2026-11-23", Pattern::Daily { interval: 999 }),
            ("FREQ=DAILY;BYDAY=FR,MO,MO", "2026-11-23", weekly(1, &[monday, friday], monday)),
            ("FREQ=WEEKLY", "2026-11-23", weekly(1, &[monday], monday)),
            ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,MO", "2026-11-23", weekly(2, &[monday, sunday], sunday)),
            ("FREQ=WEEKLY;BYHOUR=9;BYMINUTE=0", "2026-11-23", weekly(1, &[monday], monday)),
            ("FREQ=MONTHLY", "2026-11-23", Pattern::AbsoluteMonthly { interval: 1, day: 23 }),
            ("FREQ=MONTHLY;BYMONTHDAY=28", "2026-11-28", Pattern::AbsoluteMonthly { interval: 1, day: 28 }),
            (
                "FREQ=MONTHLY;BYMONTHDAY=-1",
                "2026-11-30",
                Pattern::RelativeMonthly { interval: 1, day: RelativeDay::Day, index: WeekIndex::Last },
            ),
            (
                "FREQ=MONTHLY;BYDAY=4MO",
                "2026-11-23",
                Pattern::RelativeMonthly { interval: 1, day: on_monday, index: WeekIndex::Fourth },
            ),
            (
                "FREQ=MONTHLY;BYDAY=-1MO",
                "2026-11-30",
                Pattern::RelativeMonthly { interval: 1, day: on_monday, index: WeekIndex::Last },
            ),
            (
                "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-1",
                "2026-11-30",
                Pattern::RelativeMonthly { interval: 1, day: on_monday, index: WeekIndex::Last },
            ),
            (
                "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
                "2026-11-02",
                Pattern::RelativeMonthly { interval: 1, day: RelativeDay::Weekday, index: WeekIndex::First },
            ),
            (
                "FREQ=MONTHLY;BYDAY=SU,SA;BYSETPOS=1",
                "2026-11-01",
                Pattern::RelativeMonthly { interval: 1, day: RelativeDay::WeekendDay, index: WeekIndex::First },
            ),
            ("FREQ=YEARLY", "2026-11-23", Pattern::AbsoluteYearly { interval: 1, day: 23, month: 11 }),
            (
                "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=23;INTERVAL=8",
                "2026-11-23",
                Pattern::AbsoluteYearly { interval: 8, day: 23, month: 11 },
            ),
            (
                "FREQ=YEARLY;BYMONTH=11;BYDAY=4MO",
                "2026-11-23",
                Pattern::RelativeYearly { interval: 1, day: on_monday, index: WeekIndex::Fourth, month: 11 },
            ),
        ];
        for (rule, start, pattern) in cases {
            let found = recurrence(rule, &timed(&format!("{start}T09:00"), "Europe/Paris"));
            assert_eq!(found.map(|found| found.pattern), Ok(pattern), "{rule}");
        }
    }

    #[test]
    fn what_outlook_cannot_say_is_refused_with_its_reason() {
        let cases = [
            ("", "Missing recurrence frequency"),
            ("WEEKLY", "malformed"),
            ("FREQ=FORTNIGHTLY", "Unknown recurrence frequency"),
            ("FREQ=HOURLY", "several occurrences a day"),
            ("FREQ=DAILY;INTERVAL=0", "cannot be zero"),
            ("FREQ=DAILY;INTERVAL=1000", "INTERVAL=1000"),
            ("FREQ=WEEKLY;INTERVAL=100", "INTERVAL=100"),
            ("FREQ=YEARLY;INTERVAL=9", "INTERVAL=9"),
            ("FREQ=DAILY;COUNT=0", "COUNT=0"),
            ("FREQ=DAILY;COUNT=1000", "COUNT=1000"),
            ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "UNTIL and COUNT"),
            ("FREQ=DAILY;COUNT=2;COUNT=3", "twice"),
            ("FREQ=DAILY;BYEASTER=0", "BYEASTER"),
            ("FREQ=DAILY;RSCALE=HEBREW", "RSCALE"),
            ("FREQ=DAILY;BYDAY=", "BYDAY is empty"),
            ("FREQ=DAILY;INTERVAL=2;BYDAY=MO", "BYDAY and INTERVAL"),
            ("FREQ=DAILY;BYHOUR=9,17", "several times"),
            ("FREQ=DAILY;BYHOUR=10", "several times"),
            ("FREQ=WEEKLY;BYDAY=TU", "not a day of the rule"),
            ("FREQ=WEEKLY;BYDAY=2MO", "ordinal"),
            ("FREQ=WEEKLY;UNTIL=20261101", "not a day of the rule"),
            ("FREQ=WEEKLY;UNTIL=2026", "Invalid recurrence date"),
            ("FREQ=MONTHLY;BYMONTHDAY=23,24", "several days"),
            ("FREQ=MONTHLY;BYMONTHDAY=31", "day 31"),
            ("FREQ=MONTHLY;BYMONTHDAY=-2", "BYMONTHDAY=-2"),
            ("FREQ=MONTHLY;BYDAY=MO", "every such weekday"),
            ("FREQ=MONTHLY;BYDAY=5MO", "position 5"),
            ("FREQ=MONTHLY;BYDAY=1MO,4MO", "several counted days"),
            ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", "BYSETPOS over"),
            ("FREQ=MONTHLY;BYMONTH=11", "BYMONTH"),
            ("FREQ=YEARLY;BYDAY=4MO", "without BYMONTH"),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "day 29 of month 2"),
            ("FREQ=YEARLY;BYYEARDAY=100", "BYYEARDAY"),
            ("FREQ=YEARLY;BYMONTH=10,11", "several months"),
            ("FREQ=WEEKLY;BYDAY=€", "weekday"),
        ];
        for (rule, reason) in cases {
            let error = recurrence(rule, &timed("2026-11-23T09:00", "Europe/Paris")).unwrap_err();
            assert!(error.contains(reason), "{rule}: {error}");
        }
    }

    #[test]
    fn until_is_a_day_of_the_series_own_zone() {
        let cases = [
            ("UNTIL=20261207", "2026-11-23T09:00", "Europe/Paris", date(2026, 12, 7)),
            // 08:00Z is 09:00 in Paris: the occurrence of that day takes place.
            ("UNTIL=20261207T080000Z", "2026-11-23T09:00", "Europe/Paris", date(2026, 12, 7)),
            ("UNTIL=20261207T075959Z", "2026-11-23T09:00", "Europe/Paris", date(2026, 12, 6)),
            // The day in UTC is the one after the day in New York.
            ("UNTIL=20261208T010000Z", "2026-11-23T20:00", "America/New_York", date(2026, 12, 7)),
            ("UNTIL=20261207T203000Z", "2026-11-23T01:00", "Asia/Kolkata", date(2026, 12, 8)),
            ("UNTIL=20261207T090000", "2026-11-23T09:00", "Europe/Paris", date(2026, 12, 7)),
        ];
        for (until, start, zone, day) in cases {
            let found = recurrence(&format!("FREQ=DAILY;{until}"), &timed(start, zone)).unwrap();
            assert_eq!(found.end, RecurrenceEnd::On(day), "{until} {zone}");
        }
    }
}
