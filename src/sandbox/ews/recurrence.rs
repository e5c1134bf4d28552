//! Recurrence on the wire.

use jiff::civil::Weekday;

use super::{
    element::{Element, Sequence, Space, unexpected},
    fault::{Fault, ItemFault},
    time::read_date,
    value::{number, word},
    version::Version,
    vocabulary::{MONTHS, WEEK_INDEXES, WEEKDAYS, value_of, word_of},
    writer::Writer,
};
use crate::sandbox::store::{Pattern, Recurrence, RecurrenceEnd};

const EVERY_DAY: [Weekday; 7] = [
    Weekday::Sunday,
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
];

/// What a `Recurrence` says: the schema allows more than a calendar.
pub(super) type Said = Result<Recurrence, ItemFault>;

/// Reads a `Recurrence`.
pub(super) fn read(element: &Element, version: Version) -> Result<Said, Fault> {
    element.only_attributes(&[])?;
    let mut sequence = element.sequence();
    let first =
        sequence.next().ok_or_else(|| Fault::schema(element, "The element 'Recurrence' has incomplete content."))?;
    let pattern = read_pattern(element, first, version)?;
    let second =
        sequence.next().ok_or_else(|| Fault::schema(element, "The element 'Recurrence' has incomplete content."))?;
    let (start, end) = read_range(element, second)?;
    sequence.finish()?;
    Ok(pattern.map(|pattern| Recurrence { pattern, start, end }))
}

fn read_pattern(parent: &Element, element: &Element, version: Version) -> Result<Result<Pattern, ItemFault>, Fault> {
    let mut sequence = element.sequence();
    let pattern = match element.name.as_str() {
        "DailyRecurrence" if element.space == Space::Types => {
            Ok(Pattern::Daily { interval: interval(&mut sequence, 999)? })
        }
        "WeeklyRecurrence" if element.space == Space::Types => weekly(&mut sequence, version)?,
        "AbsoluteMonthlyRecurrence" if element.space == Space::Types => {
            let interval = interval(&mut sequence, 99)?;
            Ok(Pattern::AbsoluteMonthly { interval, day: day_of_month(&mut sequence)? })
        }
        "RelativeMonthlyRecurrence" if element.space == Space::Types => {
            let interval = interval(&mut sequence, 99)?;
            let days = one_day(&mut sequence)?;
            let index = word(sequence.required(Space::Types, "DayOfWeekIndex")?, WEEK_INDEXES)?;
            Ok(Pattern::RelativeMonthly { interval, days, index })
        }
        "AbsoluteYearlyRecurrence" if element.space == Space::Types => {
            let day = day_of_month(&mut sequence)?;
            let month = word(sequence.required(Space::Types, "Month")?, MONTHS)?;
            Ok(Pattern::AbsoluteYearly { interval: 1, day, month })
        }
        "RelativeYearlyRecurrence" if element.space == Space::Types => {
            let days = one_day(&mut sequence)?;
            let index = word(sequence.required(Space::Types, "DayOfWeekIndex")?, WEEK_INDEXES)?;
            let month = word(sequence.required(Space::Types, "Month")?, MONTHS)?;
            Ok(Pattern::RelativeYearly { interval: 1, days, index, month })
        }
        _ => return Err(Fault::schema(element, unexpected(parent, element))),
    };
    sequence.finish()?;
    Ok(pattern)
}

/// The schema takes any number; a calendar has its limits.
fn interval(sequence: &mut Sequence<'_>, interval_max: u32) -> Result<u32, Fault> {
    number(sequence.required(Space::Types, "Interval")?, 1..=interval_max)
}

fn day_of_month(sequence: &mut Sequence<'_>) -> Result<u32, Fault> {
    number(sequence.required(Space::Types, "DayOfMonth")?, 1..=31)
}

fn weekly(sequence: &mut Sequence<'_>, version: Version) -> Result<Result<Pattern, ItemFault>, Fault> {
    let interval = interval(sequence, 99)?;
    let element = sequence.required(Space::Types, "DaysOfWeek")?;
    let sets: Option<Vec<Vec<Weekday>>> = element.value()?.split_whitespace().map(days_of).collect();
    let sets = sets.filter(|sets| !sets.is_empty()).ok_or_else(|| element.invalid("DaysOfWeekType"))?;
    let first_day = match sequence.peek().filter(|child| child.is_type("FirstDayOfWeek")) {
        Some(child) if version < Version::Exchange2010 => {
            return Err(Fault::schema(
                child,
                "The element 'WeeklyRecurrence' has invalid child element 'FirstDayOfWeek'.",
            ));
        }
        Some(child) => {
            sequence.next();
            word(child, WEEKDAYS)?
        }
        None => Weekday::Sunday,
    };
    if sets.iter().any(|set| set.len() > 1) {
        let message = "Day, Weekday and WeekendDay are not valid for a weekly recurrence.";
        return Ok(Err(ItemFault::on("ErrorCalendarInvalidDayForWeeklyRecurrence", message, "calendar:Recurrence")));
    }
    let days = EVERY_DAY.into_iter().filter(|day| sets.iter().any(|set| set.contains(day))).collect();
    Ok(Ok(Pattern::Weekly { interval, days, first_day }))
}

fn one_day(sequence: &mut Sequence<'_>) -> Result<Vec<Weekday>, Fault> {
    let element = sequence.required(Space::Types, "DaysOfWeek")?;
    days_of(element.value()?.trim()).ok_or_else(|| element.invalid("DayOfWeekType"))
}

fn days_of(word: &str) -> Option<Vec<Weekday>> {
    match word {
        "Day" => Some(EVERY_DAY.to_vec()),
        "Weekday" => Some(EVERY_DAY[1..6].to_vec()),
        "WeekendDay" => Some(vec![Weekday::Saturday, Weekday::Sunday]),
        _ => value_of(WEEKDAYS, word).map(|day| vec![day]),
    }
}

fn read_range(parent: &Element, element: &Element) -> Result<(jiff::civil::Date, RecurrenceEnd), Fault> {
    let mut sequence = element.sequence();
    if element.space != Space::Types
        || !matches!(element.name.as_str(), "NoEndRecurrence" | "EndDateRecurrence" | "NumberedRecurrence")
    {
        return Err(Fault::schema(element, unexpected(parent, element)));
    }
    let start = read_date(sequence.required(Space::Types, "StartDate")?)?;
    let end = match element.name.as_str() {
        "EndDateRecurrence" => RecurrenceEnd::On(read_date(sequence.required(Space::Types, "EndDate")?)?),
        "NumberedRecurrence" => {
            RecurrenceEnd::After(number(sequence.required(Space::Types, "NumberOfOccurrences")?, 1..=999)?)
        }
        _ => RecurrenceEnd::Never,
    };
    sequence.finish()?;
    Ok((start, end))
}

/// Writes a `Recurrence`.
pub(super) fn write(writer: &mut Writer, recurrence: &Recurrence, version: Version) {
    writer.open("t:Recurrence", &[]);
    write_pattern(writer, &recurrence.pattern, version);
    let start = recurrence.start.to_string();
    let range = match recurrence.end {
        RecurrenceEnd::Never => "t:NoEndRecurrence",
        RecurrenceEnd::On(_) => "t:EndDateRecurrence",
        RecurrenceEnd::After(_) => "t:NumberedRecurrence",
    };
    writer.open(range, &[]);
    writer.text("t:StartDate", &start);
    match recurrence.end {
        RecurrenceEnd::Never => {}
        RecurrenceEnd::On(end) => writer.text("t:EndDate", &end.to_string()),
        RecurrenceEnd::After(count) => writer.text("t:NumberOfOccurrences", &count.to_string()),
    }
    writer.close(range);
    writer.close("t:Recurrence");
}

fn write_pattern(writer: &mut Writer, pattern: &Pattern, version: Version) {
    let name = match pattern {
        Pattern::Daily { .. } => "t:DailyRecurrence",
        Pattern::Weekly { .. } => "t:WeeklyRecurrence",
        Pattern::AbsoluteMonthly { .. } => "t:AbsoluteMonthlyRecurrence",
        Pattern::RelativeMonthly { .. } => "t:RelativeMonthlyRecurrence",
        // What Graph made every n years EWS shows as every 12n months.
        Pattern::AbsoluteYearly { interval: 2.., .. } => "t:AbsoluteMonthlyRecurrence",
        Pattern::RelativeYearly { interval: 2.., .. } => "t:RelativeMonthlyRecurrence",
        Pattern::AbsoluteYearly { .. } => "t:AbsoluteYearlyRecurrence",
        Pattern::RelativeYearly { .. } => "t:RelativeYearlyRecurrence",
    };
    writer.open(name, &[]);
    match pattern {
        Pattern::Daily { interval } => writer.text("t:Interval", &interval.to_string()),
        Pattern::Weekly { interval, days, first_day } => {
            writer.text("t:Interval", &interval.to_string());
            let words: Vec<&str> = days.iter().map(|day| word_of(WEEKDAYS, day)).collect();
            writer.text("t:DaysOfWeek", &words.join(" "));
            if version >= Version::Exchange2010 {
                writer.text("t:FirstDayOfWeek", word_of(WEEKDAYS, first_day));
            }
        }
        Pattern::AbsoluteMonthly { interval, day } => {
            writer.text("t:Interval", &interval.to_string());
            writer.text("t:DayOfMonth", &day.to_string());
        }
        Pattern::RelativeMonthly { interval, days, index } => {
            writer.text("t:Interval", &interval.to_string());
            writer.text("t:DaysOfWeek", days_word(days));
            writer.text("t:DayOfWeekIndex", word_of(WEEK_INDEXES, index));
        }
        Pattern::AbsoluteYearly { interval: years @ 2.., day, .. } => {
            writer.text("t:Interval", &(years * 12).to_string());
            writer.text("t:DayOfMonth", &day.to_string());
        }
        Pattern::RelativeYearly { interval: years @ 2.., days, index, .. } => {
            writer.text("t:Interval", &(years * 12).to_string());
            writer.text("t:DaysOfWeek", days_word(days));
            writer.text("t:DayOfWeekIndex", word_of(WEEK_INDEXES, index));
        }
        Pattern::AbsoluteYearly { day, month, .. } => {
            writer.text("t:DayOfMonth", &day.to_string());
            writer.text("t:Month", word_of(MONTHS, month));
        }
        Pattern::RelativeYearly { days, index, month, .. } => {
            writer.text("t:DaysOfWeek", days_word(days));
            writer.text("t:DayOfWeekIndex", word_of(WEEK_INDEXES, index));
            writer.text("t:Month", word_of(MONTHS, month));
        }
    }
    writer.close(name);
}

fn days_word(days: &[Weekday]) -> &'static str {
    let weekend = |day: &Weekday| matches!(day, Weekday::Saturday | Weekday::Sunday);
    match days {
        [day] => word_of(WEEKDAYS, day),
        days if days.len() == 7 => "Day",
        days if days.iter().all(weekend) => "WeekendDay",
        _ => "Weekday",
    }
}
