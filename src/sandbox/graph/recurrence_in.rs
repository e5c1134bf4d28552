//! Reads `recurrence`.

use jiff::civil::{Date, Weekday};
use serde_json::Value;

use super::{
    super::store::{Pattern, Recurrence, RecurrenceEnd, WeekIndex},
    error::GraphError,
    members::Members,
    prefer::zone,
    words::{WEEK_INDEX, WEEKDAY},
};

/// Reads a recurrence whose series begins on `start`.
pub(super) fn recurrence(value: &Value, start: Date) -> Result<Recurrence, GraphError> {
    let members = Members::of(value, "patternedRecurrence", &["pattern", "range"])?;
    let missing = |name: &str| GraphError::property(format!("recurrence.{name} is required."));
    let pattern = pattern(members.some("pattern").ok_or_else(|| missing("pattern"))?)?;
    let range = members.some("range").ok_or_else(|| missing("range"))?;
    Ok(Recurrence { pattern, start, end: range_end(range, start)? })
}

fn pattern(value: &Value) -> Result<Pattern, GraphError> {
    let known = ["type", "interval", "month", "dayOfMonth", "daysOfWeek", "firstDayOfWeek", "index"];
    let members = Members::of(value, "recurrencePattern", &known)?;
    let missing = |name: &str| GraphError::property(format!("recurrence.pattern.{name} is required for this type."));
    let interval = members.number("interval")?.filter(|interval| *interval > 0).ok_or_else(|| missing("interval"))?;
    // What the type does not use is validated all the same.
    let day = members.number("dayOfMonth")?.unwrap_or(0);
    let month = members.number("month")?.unwrap_or(0);
    if day > 31 || month > 12 {
        return Err(GraphError::property("recurrence.pattern: dayOfMonth or month is out of range."));
    }
    let days = days(members)?;
    let first_day = members.one_of("firstDayOfWeek", &WEEKDAY)?;
    let index = members.one_of("index", &WEEK_INDEX)?.unwrap_or(WeekIndex::First);
    let some_days = || if days.is_empty() { Err(missing("daysOfWeek")) } else { Ok(days.clone()) };
    let some_day = || if day == 0 { Err(missing("dayOfMonth")) } else { Ok(day) };
    let some_month = || if month == 0 { Err(missing("month")) } else { Ok(month) };
    match members.text("type")?.ok_or_else(|| missing("type"))? {
        "daily" => Ok(Pattern::Daily { interval }),
        "weekly" => {
            let first_day = first_day.ok_or_else(|| missing("firstDayOfWeek"))?;
            Ok(Pattern::Weekly { interval, days: some_days()?, first_day })
        }
        "absoluteMonthly" => Ok(Pattern::AbsoluteMonthly { interval, day: some_day()? }),
        "relativeMonthly" => Ok(Pattern::RelativeMonthly { interval, days: some_days()?, index }),
        "absoluteYearly" => Ok(Pattern::AbsoluteYearly { interval, day: some_day()?, month: some_month()? }),
        "relativeYearly" => Ok(Pattern::RelativeYearly { interval, days: some_days()?, index, month: some_month()? }),
        other => {
            Err(GraphError::body(format!("Requested value '{other}' of 'type' on 'recurrencePattern' was not found.")))
        }
    }
}

fn days(members: Members<'_>) -> Result<Vec<Weekday>, GraphError> {
    let mut days = Vec::new();
    for word in members.texts("daysOfWeek")?.unwrap_or_default() {
        let found = WEEKDAY.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let (_, day) = found
            .ok_or_else(|| GraphError::body(format!("Requested value '{word}' of 'daysOfWeek' was not found.")))?;
        if !days.contains(day) {
            days.push(*day);
        }
    }
    Ok(days)
}

fn range_end(value: &Value, start: Date) -> Result<RecurrenceEnd, GraphError> {
    let known = ["type", "startDate", "endDate", "numberOfOccurrences", "recurrenceTimeZone"];
    let members = Members::of(value, "recurrenceRange", &known)?;
    let date = |name: &str| -> Result<Date, GraphError> {
        let text =
            members.text(name)?.ok_or_else(|| GraphError::property(format!("recurrence.range.{name} is required.")))?;
        text.parse().map_err(|_| GraphError::body(format!("recurrence.range.{name}: '{text}' is not a date.")))
    };
    if date("startDate")? != start {
        return Err(GraphError::property("recurrence.range.startDate must be the date of the event's start."));
    }
    if let Some(name) = members.text("recurrenceTimeZone")?.filter(|name| !name.is_empty()) {
        zone(name)?;
    }
    match members.text("type")? {
        Some("noEnd") => Ok(RecurrenceEnd::Never),
        Some("endDate") => {
            let end = date("endDate")?;
            if end < start {
                return Err(GraphError::property("recurrence.range.endDate lies before startDate."));
            }
            Ok(RecurrenceEnd::On(end))
        }
        Some("numbered") => match members.number("numberOfOccurrences")? {
            Some(count) if count > 0 => Ok(RecurrenceEnd::After(count)),
            Some(_) | None => Err(GraphError::property("recurrence.range.numberOfOccurrences must be over 0.")),
        },
        other => {
            Err(GraphError::body(format!("Requested value {other:?} of 'type' on 'recurrenceRange' was not found.")))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    const START: Date = jiff::civil::date(2026, 11, 23);

    fn with(pattern: Value, range: Value) -> Result<Recurrence, GraphError> {
        recurrence(&json!({"pattern": pattern, "range": range}), START)
    }

    #[test]
    fn each_type_is_read() {
        let range = || json!({"type": "noEnd", "startDate": "2026-11-23"});
        let weekdays = vec![Weekday::Monday, Weekday::Friday];
        for (value, expected) in [
            (json!({"type": "daily", "interval": 2}), Pattern::Daily { interval: 2 }),
            (
                json!({"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "Friday"], "firstDayOfWeek": "monday"}),
                Pattern::Weekly { interval: 1, days: weekdays.clone(), first_day: Weekday::Monday },
            ),
            (
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}),
                Pattern::AbsoluteMonthly { interval: 1, day: 31 },
            ),
            (
                json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday", "friday"], "index": "last"}),
                Pattern::RelativeMonthly { interval: 1, days: weekdays.clone(), index: WeekIndex::Last },
            ),
            (
                json!({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 1, "month": 5}),
                Pattern::AbsoluteYearly { interval: 1, day: 1, month: 5 },
            ),
            (
                json!({"type": "relativeYearly", "interval": 1, "daysOfWeek": ["monday", "friday"], "month": 5}),
                Pattern::RelativeYearly { interval: 1, days: weekdays, index: WeekIndex::First, month: 5 },
            ),
        ] {
            assert_eq!(with(value, range()).unwrap().pattern, expected);
        }
        let numbered = json!({"type": "numbered", "startDate": "2026-11-23", "numberOfOccurrences": 5});
        assert_eq!(with(json!({"type": "daily", "interval": 1}), numbered).unwrap().end, RecurrenceEnd::After(5));
    }

    #[test]
    fn what_graph_refuses() {
        let daily = || json!({"type": "daily", "interval": 1});
        let range = || json!({"type": "noEnd", "startDate": "2026-11-23"});
        for (pattern, range) in [
            (json!({"type": "daily"}), range()),
            (json!({"type": "daily", "interval": 0}), range()),
            (json!({"type": "hourly", "interval": 1}), range()),
            (json!({"type": "daily", "interval": 1, "colour": 1}), range()),
            (json!({"type": "daily", "interval": 1, "dayOfMonth": 32}), range()),
            (json!({"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]}), range()),
            (json!({"type": "weekly", "interval": 1, "firstDayOfWeek": "monday"}), range()),
            (json!({"type": "absoluteMonthly", "interval": 1}), range()),
            (json!({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 1}), range()),
            (daily(), json!({"type": "noEnd", "startDate": "2026-11-24"})),
            (daily(), json!({"type": "noEnd"})),
            (daily(), json!({"type": "endDate", "startDate": "2026-11-23"})),
            (daily(), json!({"type": "endDate", "startDate": "2026-11-23", "endDate": "2026-11-22"})),
            (daily(), json!({"type": "numbered", "startDate": "2026-11-23"})),
            (daily(), json!({"type": "noEnd", "startDate": "2026-11-23", "recurrenceTimeZone": "Mars"})),
        ] {
            let text = format!("{pattern} {range}");
            assert_eq!(with(pattern, range).map_err(|error| error.status), Err(400), "{text}");
        }
    }
}
