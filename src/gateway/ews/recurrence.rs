//! Writes `t:Recurrence`.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/recurrence-recurrencetype>

use jiff::civil::{Date, Weekday};

use super::xml::Xml;
use crate::{
    model::recurrence::{Pattern, Recurrence, RecurrenceEnd, RelativeDay, WeekIndex},
    settings::{Feature, ServerVersion},
};

/// Writes the recurrence of a series whose first occurrence is on `first`.
pub(super) fn recurrence(xml: &mut Xml, recurrence: &Recurrence, first: Date, version: ServerVersion) {
    xml.element("t:Recurrence", &[], |xml| {
        pattern(xml, &recurrence.pattern, version);
        range(xml, recurrence.end, first);
    });
}

fn pattern(xml: &mut Xml, pattern: &Pattern, version: ServerVersion) {
    let number = |xml: &mut Xml, name: &str, value: u16| xml.text(name, &value.to_string());
    match pattern {
        Pattern::Daily { interval } => {
            xml.element("t:DailyRecurrence", &[], |xml| number(xml, "t:Interval", *interval));
        }
        Pattern::Weekly { interval, days, first_day } => xml.element("t:WeeklyRecurrence", &[], |xml| {
            number(xml, "t:Interval", *interval);
            let names: Vec<&str> = days.iter().map(|day| weekday(*day)).collect();
            xml.text("t:DaysOfWeek", &names.join(" "));
            if version.carries(Feature::FirstDayOfWeek) {
                xml.text("t:FirstDayOfWeek", weekday(*first_day));
            }
        }),
        Pattern::AbsoluteMonthly { interval, day } => absolute_monthly(xml, *interval, *day),
        Pattern::RelativeMonthly { interval, day, index } => relative_monthly(xml, *interval, *day, *index),
        // The yearly patterns have no interval: every n years is every 12n months.
        Pattern::AbsoluteYearly { interval: interval @ 2.., day, .. } => {
            absolute_monthly(xml, interval.saturating_mul(12), *day);
        }
        Pattern::RelativeYearly { interval: interval @ 2.., day, index, .. } => {
            relative_monthly(xml, interval.saturating_mul(12), *day, *index);
        }
        Pattern::AbsoluteYearly { day, month: name, .. } => xml.element("t:AbsoluteYearlyRecurrence", &[], |xml| {
            number(xml, "t:DayOfMonth", u16::from(*day));
            xml.text("t:Month", month(*name));
        }),
        Pattern::RelativeYearly { day, index, month: name, .. } => {
            xml.element("t:RelativeYearlyRecurrence", &[], |xml| {
                xml.text("t:DaysOfWeek", relative_day(*day));
                xml.text("t:DayOfWeekIndex", week_index(*index));
                xml.text("t:Month", month(*name));
            });
        }
    }
}

fn absolute_monthly(xml: &mut Xml, interval: u16, day: u8) {
    xml.element("t:AbsoluteMonthlyRecurrence", &[], |xml| {
        xml.text("t:Interval", &interval.to_string());
        xml.text("t:DayOfMonth", &day.to_string());
    });
}

fn relative_monthly(xml: &mut Xml, interval: u16, day: RelativeDay, index: WeekIndex) {
    xml.element("t:RelativeMonthlyRecurrence", &[], |xml| {
        xml.text("t:Interval", &interval.to_string());
        xml.text("t:DaysOfWeek", relative_day(day));
        xml.text("t:DayOfWeekIndex", week_index(index));
    });
}

fn range(xml: &mut Xml, end: RecurrenceEnd, first: Date) {
    let first = first.to_string();
    match end {
        RecurrenceEnd::Never => xml.element("t:NoEndRecurrence", &[], |xml| xml.text("t:StartDate", &first)),
        RecurrenceEnd::On(last) => xml.element("t:EndDateRecurrence", &[], |xml| {
            xml.text("t:StartDate", &first);
            xml.text("t:EndDate", &last.to_string());
        }),
        RecurrenceEnd::After(count) => xml.element("t:NumberedRecurrence", &[], |xml| {
            xml.text("t:StartDate", &first);
            xml.text("t:NumberOfOccurrences", &count.to_string());
        }),
    }
}

const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

const fn relative_day(day: RelativeDay) -> &'static str {
    match day {
        RelativeDay::On(day) => weekday(day),
        RelativeDay::Day => "Day",
        RelativeDay::Weekday => "Weekday",
        RelativeDay::WeekendDay => "WeekendDay",
    }
}

const fn week_index(index: WeekIndex) -> &'static str {
    match index {
        WeekIndex::First => "First",
        WeekIndex::Second => "Second",
        WeekIndex::Third => "Third",
        WeekIndex::Fourth => "Fourth",
        WeekIndex::Last => "Last",
    }
}

/// The name of a month; a number that is none is December, which no pattern reaches: `desired` refuses it.
const fn month(number: u8) -> &'static str {
    match number {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        12.. | 0 => "December",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::civil::{Weekday, date};

    use super::recurrence;
    use crate::{
        gateway::ews::xml::Xml,
        model::recurrence::{Pattern, Recurrence, RecurrenceEnd, RelativeDay, WeekIndex},
        settings::ServerVersion,
    };

    fn check(pattern: Pattern, end: RecurrenceEnd, expected: &str) {
        let mut xml = Xml::new();
        recurrence(&mut xml, &Recurrence { pattern, end }, date(2026, 3, 2), ServerVersion::Exchange2010);
        let written = String::from_utf8(xml.into_bytes()).unwrap().replace("t:", "");
        assert_eq!(written, format!("<Recurrence>{expected}</Recurrence>"));
    }

    #[test]
    fn patterns_and_ranges_are_written_in_schema_order() {
        const START: &str = "<StartDate>2026-03-02</StartDate>";
        let never = format!("<NoEndRecurrence>{START}</NoEndRecurrence>");
        let check_never = |pattern, expected: &str| check(pattern, RecurrenceEnd::Never, &format!("{expected}{never}"));
        let first = RelativeDay::On(Weekday::Monday);
        check_never(Pattern::Daily { interval: 3 }, "<DailyRecurrence><Interval>3</Interval></DailyRecurrence>");
        check_never(
            Pattern::Weekly { interval: 2, days: vec![Weekday::Monday, Weekday::Sunday], first_day: Weekday::Sunday },
            "<WeeklyRecurrence><Interval>2</Interval><DaysOfWeek>Monday Sunday</DaysOfWeek>\
             <FirstDayOfWeek>Sunday</FirstDayOfWeek></WeeklyRecurrence>",
        );
        check_never(
            Pattern::AbsoluteYearly { interval: 1, day: 2, month: 3 },
            "<AbsoluteYearlyRecurrence><DayOfMonth>2</DayOfMonth><Month>March</Month></AbsoluteYearlyRecurrence>",
        );
        check_never(
            Pattern::AbsoluteYearly { interval: 4, day: 2, month: 3 },
            "<AbsoluteMonthlyRecurrence><Interval>48</Interval><DayOfMonth>2</DayOfMonth></AbsoluteMonthlyRecurrence>",
        );
        check_never(
            Pattern::RelativeYearly { interval: 1, day: first, index: WeekIndex::First, month: 3 },
            "<RelativeYearlyRecurrence><DaysOfWeek>Monday</DaysOfWeek><DayOfWeekIndex>First</DayOfWeekIndex>\
             <Month>March</Month></RelativeYearlyRecurrence>",
        );
        check_never(
            Pattern::RelativeYearly { interval: 2, day: RelativeDay::Weekday, index: WeekIndex::Last, month: 3 },
            "<RelativeMonthlyRecurrence><Interval>24</Interval><DaysOfWeek>Weekday</DaysOfWeek>\
             <DayOfWeekIndex>Last</DayOfWeekIndex></RelativeMonthlyRecurrence>",
        );
        let monthly = "<AbsoluteMonthlyRecurrence><Interval>1</Interval><DayOfMonth>31</DayOfMonth>\
                       </AbsoluteMonthlyRecurrence>";
        check(
            Pattern::AbsoluteMonthly { interval: 1, day: 31 },
            RecurrenceEnd::On(date(2026, 6, 30)),
            &format!("{monthly}<EndDateRecurrence>{START}<EndDate>2026-06-30</EndDate></EndDateRecurrence>"),
        );
        check(
            Pattern::AbsoluteMonthly { interval: 1, day: 31 },
            RecurrenceEnd::After(7),
            &format!(
                "{monthly}<NumberedRecurrence>{START}<NumberOfOccurrences>7</NumberOfOccurrences></NumberedRecurrence>"
            ),
        );
    }
}
