//! The `patternedRecurrence` of a series: only the members of the chosen type, because Graph checks the others too.
//! <https://learn.microsoft.com/en-us/graph/api/resources/patternedrecurrence?view=graph-rest-1.0>

use jiff::civil::Weekday;
use serde::Serialize;

use crate::model::{
    recurrence::{Pattern, Recurrence, RecurrenceEnd, RelativeDay, WeekIndex},
    time::EventTime,
};

/// How an event repeats.
#[derive(Debug, Serialize)]
pub(super) struct PatternedRecurrence {
    pattern: RecurrencePattern,
    range: RecurrenceRange,
}

/// Which days.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct RecurrencePattern {
    r#type: &'static str,
    /// Needed everywhere, for years too.
    interval: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    day_of_month: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_of_week: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_day_of_week: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'static str>,
}

/// Until when.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RecurrenceRange {
    r#type: &'static str,
    /// The date of the event's start, or Graph refuses it.
    start_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_of_occurrences: Option<u16>,
    recurrence_time_zone: &'static str,
}

/// The recurrence of a series that starts at `time`.
pub(super) fn patterned(recurrence: &Recurrence, time: &EventTime) -> PatternedRecurrence {
    let (r#type, end_date, number_of_occurrences) = match recurrence.end {
        RecurrenceEnd::Never => ("noEnd", None, None),
        RecurrenceEnd::On(date) => ("endDate", Some(date.to_string()), None),
        RecurrenceEnd::After(count) => ("numbered", None, Some(count)),
    };
    let range = RecurrenceRange {
        r#type,
        start_date: time.start().date().to_string(),
        end_date,
        number_of_occurrences,
        recurrence_time_zone: time.zone().told(),
    };
    PatternedRecurrence { pattern: pattern(&recurrence.pattern), range }
}

fn pattern(pattern: &Pattern) -> RecurrencePattern {
    let empty = RecurrencePattern::default();
    match *pattern {
        Pattern::Daily { interval } => RecurrencePattern { r#type: "daily", interval, ..empty },
        Pattern::Weekly { interval, ref days, first_day } => RecurrencePattern {
            r#type: "weekly",
            interval,
            days_of_week: Some(days.iter().copied().map(weekday).collect()),
            first_day_of_week: Some(weekday(first_day)),
            ..empty
        },
        Pattern::AbsoluteMonthly { interval, day } => {
            RecurrencePattern { r#type: "absoluteMonthly", interval, day_of_month: Some(day), ..empty }
        }
        Pattern::RelativeMonthly { interval, day, index } => RecurrencePattern {
            r#type: "relativeMonthly",
            interval,
            days_of_week: Some(relative_days(day)),
            index: Some(week_index(index)),
            ..empty
        },
        Pattern::AbsoluteYearly { interval, day, month } => RecurrencePattern {
            r#type: "absoluteYearly",
            interval,
            month: Some(month),
            day_of_month: Some(day),
            ..empty
        },
        Pattern::RelativeYearly { interval, day, index, month } => RecurrencePattern {
            r#type: "relativeYearly",
            interval,
            month: Some(month),
            days_of_week: Some(relative_days(day)),
            index: Some(week_index(index)),
            ..empty
        },
    }
}

/// Several days in a relative pattern mean the first of them that matches.
fn relative_days(day: RelativeDay) -> Vec<&'static str> {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let days: &[Weekday] = match day {
        RelativeDay::On(day) => return vec![weekday(day)],
        RelativeDay::Day => &[Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday],
        RelativeDay::Weekday => &[Monday, Tuesday, Wednesday, Thursday, Friday],
        RelativeDay::WeekendDay => &[Saturday, Sunday],
    };
    days.iter().copied().map(weekday).collect()
}

const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

const fn week_index(index: WeekIndex) -> &'static str {
    match index {
        WeekIndex::First => "first",
        WeekIndex::Second => "second",
        WeekIndex::Third => "third",
        WeekIndex::Fourth => "fourth",
        WeekIndex::Last => "last",
    }
}
