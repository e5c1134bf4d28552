//! A rule → the pattern that EWS and Graph can both say, or what they cannot say. Nothing is bent to fit.

use ical::recur::{IcalRecurFreq, IcalRecurRule, IcalRecurSkip, IcalRecurWeekday, IcalRecurWeekdayNum};
use jiff::civil::{Date, DateTime, Weekday};

use super::{rule::Rule, walk};
use crate::model::{
    expansion::LAST_DAY,
    recurrence::{Pattern, Recurrence, RecurrenceEnd, RelativeDay, WeekIndex},
};

/// The most occurrences of a numbered series in Exchange.
const COUNT_MAX: u32 = 999;

/// A series as Outlook knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// The pattern and its range.
    pub(super) recurrence: Recurrence,
    /// The wall time at which the first occurrence starts.
    pub(super) first: DateTime,
}

/// The series that a rule means; an error says what Outlook cannot say.
pub(super) fn say(rule: &Rule) -> Result<Said, String> {
    let parts = &rule.parts;
    refuse_parts(parts, rule.start)?;
    let pattern = pattern(parts, rule.start.date())?;
    // The days are counted from the first one on the rule; it lies in a period of the rule, so that nothing shifts.
    let first = rule.first.ok_or("the start, which is not on the rule, is the only occurrence")?;
    let end = match (parts.until, parts.count) {
        (None, None) => RecurrenceEnd::Never,
        (None, Some(count)) => numbered(&pattern, count, first.date()),
        (Some(until), _) => {
            let until = walk::from_ical(until).ok_or("an UNTIL that is not in the calendar")?;
            let day = if until.time() >= first.time() { until.date() } else { yesterday(until.date()) };
            RecurrenceEnd::On(day.min(LAST_DAY))
        }
    };
    Ok(Said { recurrence: Recurrence { pattern, end }, first })
}

/// The end after `count` occurrences: a date where Exchange cannot count so far.
fn numbered(pattern: &Pattern, count: u32, first: Date) -> RecurrenceEnd {
    match u16::try_from(count) {
        Ok(short) if count <= COUNT_MAX => RecurrenceEnd::After(short),
        Ok(_) | Err(_) => {
            let last = pattern.nth_day(first, count.saturating_sub(1)).unwrap_or(LAST_DAY);
            RecurrenceEnd::On(last.min(LAST_DAY))
        }
    }
}

fn yesterday(date: Date) -> Date {
    date.yesterday().unwrap_or(date)
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
        Ok(_) | Err(_) => Err(cannot_say(&format!("INTERVAL={}, more than {max}", rule.interval))),
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
        // RFC 5545 leaves out the months that have no such day; Exchange takes their last day, as RFC 7529 may ask for.
        MonthDay::Number(day) if rule.skip == IcalRecurSkip::Backward => Ok(Pattern::AbsoluteMonthly { interval, day }),
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
        MonthDay::Number(day) if day <= longest || rule.skip == IcalRecurSkip::Backward => {
            Ok(Pattern::AbsoluteYearly { interval, day, month })
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::civil::{Weekday, date};

    use proptest::prelude::*;

    use super::say;
    use crate::{
        desired::rule::Rule,
        model::{
            recurrence::{Pattern, Recurrence, RecurrenceEnd, RelativeDay, WeekIndex},
            time::EventTime,
            zone::Zone,
        },
    };

    fn recurrence(rule: &str, first: &EventTime) -> Result<Recurrence, String> {
        say(&Rule::parse(rule, first)?).map(|said| said.recurrence)
    }

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
                "RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD",
                "2026-10-31",
                Pattern::AbsoluteMonthly { interval: 1, day: 31 },
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
    fn what_outlook_cannot_say_has_its_reason() {
        let cases = [
            ("FREQ=HOURLY", "several occurrences a day"),
            ("FREQ=DAILY;INTERVAL=1000", "INTERVAL=1000"),
            ("FREQ=WEEKLY;INTERVAL=100", "INTERVAL=100"),
            ("FREQ=YEARLY;INTERVAL=9", "INTERVAL=9"),
            ("FREQ=DAILY;INTERVAL=2;BYDAY=MO", "BYDAY and INTERVAL"),
            ("FREQ=DAILY;BYHOUR=9,17", "several times"),
            ("FREQ=DAILY;BYHOUR=10", "several times"),
            ("FREQ=WEEKLY;BYDAY=TU;COUNT=1", "only occurrence"),
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
            ("RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD", "day 31"),
        ];
        for (rule, reason) in cases {
            let rule_of_case = Rule::parse(rule, &timed("2026-11-23T09:00", "Europe/Paris")).unwrap();
            let error = say(&rule_of_case).unwrap_err();
            assert!(error.contains(reason), "{rule}: {error}");
        }
    }

    #[test]
    fn a_series_begins_and_ends_with_its_rule() {
        let cases = [
            ("FREQ=WEEKLY;BYDAY=TU", "2026-11-24", RecurrenceEnd::Never),
            ("FREQ=WEEKLY;BYDAY=TU;COUNT=3", "2026-11-24", RecurrenceEnd::After(2)),
            ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "2026-11-23", RecurrenceEnd::After(3)),
            ("FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=15", "2027-01-15", RecurrenceEnd::Never),
            ("FREQ=DAILY;COUNT=999", "2026-11-23", RecurrenceEnd::After(999)),
            ("FREQ=DAILY;COUNT=1000", "2026-11-23", RecurrenceEnd::On(date(2029, 8, 18))),
            ("FREQ=DAILY;UNTIL=99991231", "2026-11-23", RecurrenceEnd::On(date(4500, 9, 1))),
        ];
        for (rule, first, end) in cases {
            let said = say(&Rule::parse(rule, &timed("2026-11-23T09:00", "Europe/Paris")).unwrap()).unwrap();
            assert_eq!((said.first.date().to_string().as_str(), said.recurrence.end), (first, end), "{rule}");
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

    /// Rules of every shape, most of which a series can show.
    fn rule() -> impl Strategy<Value = String> {
        let days = prop::sample::subsequence(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"], 1..=7);
        let position = prop::sample::select(vec!["1", "2", "3", "4", "5", "-1", "-2"]);
        let by_day = (days, position).prop_flat_map(|(days, position)| {
            let (one, list) = (days[0], days.join(","));
            prop::sample::select(vec![
                String::new(),
                format!(";BYDAY={list}"),
                format!(";BYDAY={position}{one}"),
                format!(";BYDAY={list};BYSETPOS={position}"),
                format!(";BYDAY=MO,TU,WE,TH,FR;BYSETPOS={position}"),
            ])
        });
        let by_month_day = prop::sample::select(vec!["", ";BYMONTHDAY=-1", ";BYMONTHDAY=15", ";BYMONTHDAY=31"]);
        let by_month = prop::sample::select(vec!["", "", ";BYMONTH=2", ";BYMONTH=11"]);
        let skip = prop::sample::select(vec!["", "", ";RSCALE=GREGORIAN;SKIP=BACKWARD"]);
        let freq = prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
        let week_start = prop::sample::select(vec!["", ";WKST=SU", ";WKST=WE"]);
        (freq, 1..6_u32, by_day, by_month_day, by_month, skip, week_start).prop_map(
            |(freq, interval, by_day, by_month_day, by_month, skip, week_start)| {
                format!("FREQ={freq};INTERVAL={interval}{by_day}{by_month_day}{by_month}{skip}{week_start}")
            },
        )
    }

    proptest! {
        /// A series has the days that the rule engine finds, and walking from afar finds the same as walking from the start.
        #[test]
        fn a_series_has_the_days_of_its_rule(
            rule in rule(),
            (year, month, day) in (2015_i16..2027, 1_i8..=12, 1_i8..=31),
            years in 0_i16..12,
        ) {
            let day = day.min(date(year, month, 1).days_in_month());
            let first = timed(&format!("{}T09:00", date(year, month, day)), "Europe/Paris");
            let Ok(rule) = Rule::parse(&rule, &first) else { return Ok(()) };
            let from = date(year + years, 3, 1).at(0, 0, 0, 0);
            let to = date(year + years + 3, 3, 1).at(0, 0, 0, 0);
            let all = rule.walk.between(first.start(), to).unwrap();
            let inside: Vec<_> = all.iter().copied().filter(|wall| *wall >= from).collect();
            prop_assert_eq!(rule.walk.between(from, to).unwrap(), inside);
            if let Ok(said) = say(&rule) {
                let days = said.recurrence.days(said.first.date());
                let days: Vec<_> =
                    days.map(|day| day.to_datetime(said.first.time())).take_while(|wall| *wall <= to).collect();
                prop_assert_eq!(days, all);
            }
        }
    }
}
