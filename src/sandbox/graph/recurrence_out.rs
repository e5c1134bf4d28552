//! Writes `recurrence`, with the fillers that Graph puts where a type has no value.

use serde_json::{Value, json};

use super::{
    super::store::{Pattern, Recurrence, RecurrenceEnd, WeekIndex},
    words::{WEEK_INDEX, WEEKDAY, word},
};

/// The date that Graph shows of a range without end.
const NO_DATE: &str = "0001-01-01";

/// The JSON of a recurrence in a zone.
pub(in super::super) fn recurrence(recurrence: &Recurrence, zone: &str) -> Value {
    json!({"pattern": pattern(&recurrence.pattern), "range": range(recurrence, zone)})
}

fn pattern(pattern: &Pattern) -> Value {
    let none = Vec::new();
    let (kind, interval, days, index, day, month) = match pattern {
        Pattern::Daily { interval } => ("daily", interval, &none, WeekIndex::First, 0, 0),
        Pattern::Weekly { interval, days, .. } => ("weekly", interval, days, WeekIndex::First, 0, 0),
        Pattern::AbsoluteMonthly { interval, day } => ("absoluteMonthly", interval, &none, WeekIndex::First, *day, 0),
        Pattern::RelativeMonthly { interval, days, index } => ("relativeMonthly", interval, days, *index, 0, 0),
        Pattern::AbsoluteYearly { interval, day, month } => {
            ("absoluteYearly", interval, &none, WeekIndex::First, *day, *month)
        }
        Pattern::RelativeYearly { interval, days, index, month } => {
            ("relativeYearly", interval, days, *index, 0, *month)
        }
    };
    let first_day = match pattern {
        Pattern::Weekly { first_day, .. } => word(&WEEKDAY, first_day),
        _ => "sunday",
    };
    let mut written = json!({
        "type": kind,
        "interval": interval,
        "month": month,
        "dayOfMonth": day,
        "firstDayOfWeek": first_day,
        "index": word(&WEEK_INDEX, &index),
    });
    if !days.is_empty() {
        written["daysOfWeek"] = days.iter().map(|day| word(&WEEKDAY, day)).collect();
    }
    written
}

fn range(recurrence: &Recurrence, zone: &str) -> Value {
    let (kind, end, count) = match recurrence.end {
        RecurrenceEnd::Never => ("noEnd", NO_DATE.to_owned(), 0),
        RecurrenceEnd::On(date) => ("endDate", date.to_string(), 0),
        RecurrenceEnd::After(count) => ("numbered", NO_DATE.to_owned(), count),
    };
    json!({
        "type": kind,
        "startDate": recurrence.start.to_string(),
        "endDate": end,
        "recurrenceTimeZone": zone,
        "numberOfOccurrences": count,
    })
}
