//! A rule (RFC 5545 §3.3.10) as text → its parts, checked: what is malformed or beyond the limits is refused with its reason.

use ical::recur::{IcalRecurDateTime, IcalRecurFreq, IcalRecurRule};
use jiff::civil::{Date, DateTime, Time, time};

use super::walk::{self, Walk};
use crate::model::{time::EventTime, zone::Zone};

/// The parts of a rule that are understood; RFC 5545 lets a reader skip others, but then the calendar would show days
/// that the source does not mean. `RSCALE` and `SKIP` are those of RFC 7529.
const PARTS: [&str; 16] = [
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
    "RSCALE",
    "SKIP",
];
/// The most occurrences that a rule may number.
const COUNT_MAX: u32 = 10_000;
/// The longest rule, in bytes.
const RULE_BYTES_MAX: usize = 1024;

/// A rule of an event. Its occurrences are wall times in the zone of the event.
#[derive(Debug)]
pub(super) struct Rule {
    /// The parts: `UNTIL` is a wall time of the event, and `COUNT` is that of the occurrences that the rule itself gives.
    pub(super) parts: IcalRecurRule,
    /// Where the event starts.
    pub(super) start: DateTime,
    /// The first occurrence that the rule itself gives; `None` when the start, off the rule, is the only one.
    pub(super) first: Option<DateTime>,
    /// The occurrences.
    pub(super) walk: Walk,
}

impl Rule {
    /// Reads a rule of an event that takes place at `first` for the first time. RFC 5545 §3.8.5.3 counts the start as the
    /// first occurrence even where it is not on the rule: `COUNT` is then one less.
    pub(super) fn parse(text: &str, first: &EventTime) -> Result<Self, String> {
        let rule = Self::parse_excluding(text, first)?;
        if rule.parts.until.is_some_and(|until| until < walk::to_ical(rule.start)) {
            return Err(format!("the rule ends before the start {}", rule.start));
        }
        let Some(on_rule) = rule.first else {
            return Err("the rule has no occurrence".to_owned());
        };
        if on_rule == rule.start {
            return Ok(rule);
        }
        let mut parts = rule.parts;
        parts.count = parts.count.map(|count| count - 1);
        let first = (parts.count != Some(0)).then_some(on_rule);
        Ok(Self { first, walk: Walk::new(parts.clone(), rule.start), parts, start: rule.start })
    }

    /// Reads a rule of days that are left out: it need not have any.
    pub(super) fn parse_excluding(text: &str, first: &EventTime) -> Result<Self, String> {
        let until = raw_until(text)?;
        let mut parts = IcalRecurRule::parse(text).map_err(|error| format!("the rule is malformed: {error}"))?;
        if let Some(problem) = parts.problems().first() {
            return Err(format!("the rule is malformed: {problem}"));
        }
        refuse(&parts, first)?;
        if first.is_all_day() {
            // RFC 5545 §3.3.10: they are ignored where the start is a date.
            (parts.by_hour, parts.by_minute, parts.by_second) = (Vec::new(), Vec::new(), Vec::new());
        }
        if let Some(bound) = parts.until {
            parts.until = Some(walk::to_ical(last_moment(bound, until, first)?));
        }
        let start = first.start();
        let walk = Walk::new(parts.clone(), start);
        let on_rule = walk.first()?;
        Ok(Self { parts, start, first: on_rule, walk })
    }
}

/// Refuses what no calendar can show, or what would be no end of work.
fn refuse(parts: &IcalRecurRule, first: &EventTime) -> Result<(), String> {
    if let Some(count) = parts.count
        && !(1..=COUNT_MAX).contains(&count)
    {
        return Err(format!("COUNT={count} is outside 1–{COUNT_MAX}"));
    }
    if parts.scale.as_deref().is_some_and(|scale| scale != "GREGORIAN") {
        return Err("the rule counts in another calendar (RSCALE) than the Gregorian".to_owned());
    }
    let within_a_day = match parts.freq {
        IcalRecurFreq::Hourly | IcalRecurFreq::Minutely | IcalRecurFreq::Secondly => true,
        IcalRecurFreq::Daily | IcalRecurFreq::Weekly | IcalRecurFreq::Monthly | IcalRecurFreq::Yearly => false,
    };
    if within_a_day && first.is_all_day() {
        return Err("an all-day event cannot repeat within a day (FREQ=HOURLY and finer)".to_owned());
    }
    Ok(())
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

/// The last wall time at which an occurrence may start, in the zone of the event.
fn last_moment(bound: IcalRecurDateTime, form: Until, first: &EventTime) -> Result<DateTime, String> {
    let fault = |_| "the rule is malformed: UNTIL is out of range".to_owned();
    let part = u8::cast_signed;
    let year = i16::try_from(bound.year).map_err(|_| "the rule is malformed: UNTIL is out of range".to_owned())?;
    let date = Date::new(year, part(bound.month), part(bound.day)).map_err(fault)?;
    // A leap second is a second that wall clocks do not show.
    let clock = Time::new(part(bound.hour), part(bound.minute), part(bound.second.min(59)), 0).map_err(fault)?;
    let wall = date.to_datetime(clock);
    Ok(match form {
        // A date that ends a series of clock times is that day as a whole.
        Until::Day => date.to_datetime(time(23, 59, 59, 0)),
        Until::Wall => wall,
        // Midnight in UTC is what some write for the date itself; Outlook writes the midnight of the zone in UTC.
        Until::Instant if first.is_all_day() && clock == Time::midnight() => wall,
        Until::Instant => first.zone().wall(Zone::utc().instant(wall)),
    })
}
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Rule;
    use crate::model::{time::EventTime, zone::Zone};

    fn timed(zone: &str) -> EventTime {
        let start: jiff::civil::DateTime = "2026-11-23T09:00".parse().unwrap();
        EventTime::Timed { start, end: start, zone: Zone::parse(zone).unwrap() }
    }

    fn all_day(zone: &str) -> EventTime {
        let first = jiff::civil::date(2026, 11, 23);
        EventTime::AllDay { first, last: first, zone: Zone::parse(zone).unwrap() }
    }

    #[test]
    fn what_no_calendar_can_show_is_refused_with_its_reason() {
        let cases = [
            ("", "Missing recurrence frequency"),
            ("WEEKLY", "malformed"),
            ("FREQ=FORTNIGHTLY", "Unknown recurrence frequency"),
            ("FREQ=DAILY;INTERVAL=0", "cannot be zero"),
            ("FREQ=DAILY;COUNT=0", "COUNT=0"),
            ("FREQ=DAILY;COUNT=10001", "COUNT=10001"),
            ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "UNTIL and COUNT"),
            ("FREQ=DAILY;COUNT=2;COUNT=3", "twice"),
            ("FREQ=DAILY;BYEASTER=0", "BYEASTER"),
            ("FREQ=DAILY;RSCALE=HEBREW", "another calendar"),
            ("FREQ=MONTHLY;SKIP=FORWARD", "SKIP"),
            ("FREQ=DAILY;BYDAY=", "BYDAY is empty"),
            ("FREQ=WEEKLY;BYDAY=2MO", "ordinal"),
            ("FREQ=WEEKLY;UNTIL=20261101", "ends before the start"),
            ("FREQ=WEEKLY;BYDAY=TU;UNTIL=20261123T090000", "no occurrence"),
            ("FREQ=WEEKLY;UNTIL=2026", "Invalid recurrence date"),
            ("FREQ=WEEKLY;BYDAY=€", "weekday"),
            ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "no occurrence"),
            ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "no occurrence"),
            ("FREQ=MINUTELY;BYSECOND=0;BYSETPOS=2", "no occurrence"),
            ("FREQ=YEARLY;INTERVAL=4294967295;BYMONTH=1", "no occurrence"),
        ];
        for (rule, reason) in cases {
            let error = Rule::parse(rule, &timed("Europe/Paris")).unwrap_err();
            assert!(error.contains(reason), "{rule}: {error}");
        }
        assert!(Rule::parse("FREQ=HOURLY", &all_day("Europe/Paris")).unwrap_err().contains("within a day"));
    }

    #[test]
    fn until_is_a_wall_time_of_the_event() {
        let cases = [
            ("20261207", timed("Europe/Paris"), "2026-12-07T23:59:59"),
            ("20261207T090000", timed("Europe/Paris"), "2026-12-07T09:00:00"),
            ("20261207T080000Z", timed("Europe/Paris"), "2026-12-07T09:00:00"),
            ("20261207T080060Z", timed("Europe/Paris"), "2026-12-07T09:00:59"),
            // Outlook writes the midnight of the zone, others the date.
            ("20261206T230000Z", all_day("Europe/Paris"), "2026-12-07T00:00:00"),
            ("20261207T050000Z", all_day("America/New_York"), "2026-12-07T00:00:00"),
            ("20261207T000000Z", all_day("America/New_York"), "2026-12-07T00:00:00"),
            ("20261207", all_day("America/New_York"), "2026-12-07T23:59:59"),
        ];
        for (until, first, expected) in cases {
            let rule = Rule::parse(&format!("FREQ=DAILY;UNTIL={until}"), &first).unwrap();
            let found = crate::desired::walk::from_ical(rule.parts.until.unwrap()).unwrap();
            assert_eq!(found.to_string(), expected, "{until}");
        }
    }
}
