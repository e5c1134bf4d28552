//! Which days are worked, and the file that lists the holidays.

use std::{collections::BTreeSet, path::PathBuf};

use jiff::civil::{Date, Weekday};

/// The days that the duration of a schedule counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingDays {
    /// `skip_non_working_days`; off: every day counts.
    pub skip: bool,
    /// `working_days`: the days of the week that are worked; at least one.
    pub weekdays: Vec<Weekday>,
    /// `holidays`: days that are not worked.
    pub holidays: BTreeSet<Date>,
    /// `holidays_file`: more of them.
    pub holidays_file: Option<HolidaysFile>,
}

/// A file of holidays, as it was when the settings were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolidaysFile {
    /// Where it is.
    pub path: PathBuf,
    /// The days that it lists.
    pub dates: BTreeSet<Date>,
}

impl WorkingDays {
    /// `working_days` where nobody says.
    pub(super) const WEEKDAYS: [Weekday; 5] =
        [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

    /// Whether the duration of a schedule goes on on this day.
    #[must_use]
    pub fn count(&self, date: Date) -> bool {
        let in_file = || self.holidays_file.as_ref().is_some_and(|file| file.dates.contains(&date));
        let worked = || self.weekdays.contains(&date.weekday()) && !self.holidays.contains(&date) && !in_file();
        !self.skip || worked()
    }
}

impl Default for WorkingDays {
    /// Monday to Friday, without holidays.
    fn default() -> Self {
        Self { skip: true, weekdays: Self::WEEKDAYS.to_vec(), holidays: BTreeSet::new(), holidays_file: None }
    }
}

/// A line that is no date, counted from 1 like its column.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FaultyLine {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: String,
}

/// The dates of a file of holidays: one on each line, `#` begins a comment. Every faulty line is told.
pub(super) fn parse_dates(text: &str) -> (BTreeSet<Date>, Vec<FaultyLine>) {
    let (mut dates, mut faults) = (BTreeSet::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let content = line.split('#').next().unwrap_or_default();
        let given = content.trim();
        if given.is_empty() {
            continue;
        }
        match parse_date(given) {
            Some(date) => {
                dates.insert(date);
            }
            None => {
                let indent = content.len() - content.trim_start().len();
                let column = content[..indent].chars().count() + 1;
                // Only the beginning: a file named by mistake may hold anything.
                let shown: String = given.chars().take(20).collect();
                faults.push(FaultyLine { line: index + 1, column, message: format!("{shown:?} is not a date") });
            }
        }
    }
    (dates, faults)
}

/// `2026-12-25`, and no other form.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let well_formed = text.len() == 10
        && text.bytes().enumerate().all(
            |(index, byte)| {
                if matches!(index, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() }
            },
        );
    if well_formed { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::civil::{Weekday, date};

    use super::{FaultyLine, HolidaysFile, WorkingDays, parse_date, parse_dates};

    #[test]
    fn dates_have_one_form() {
        let cases = [
            ("2026-12-25", Some(date(2026, 12, 25))),
            ("2024-02-29", Some(date(2024, 2, 29))),
            ("2026-02-29", None),
            ("20261225", None),
            ("2026-12-5", None),
            ("25.12.2026", None),
            ("2026-12-25T00:00", None),
            ("+026-12-25", None),
            ("２０２６-12", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_date(text), expected, "{text}");
        }
    }

    #[test]
    fn a_file_has_one_date_on_each_line() {
        let text = "# 2026\r\n\r\n2026-12-25 # Christmas\n  2026-12-24\n2026-12-25\n\t\u{e9} 2026-12-31\n2027-01-01 New Year\n";
        let (dates, faults) = parse_dates(text);
        assert_eq!(dates.into_iter().collect::<Vec<_>>(), [date(2026, 12, 24), date(2026, 12, 25)]);
        let fault = |line, column, text: &str| FaultyLine { line, column, message: format!("{text} is not a date") };
        assert_eq!(faults, [fault(6, 2, "\"\u{e9} 2026-12-31\""), fault(7, 1, "\"2027-01-01 New Year\"")]);
    }

    #[test]
    fn days_count_unless_they_are_not_worked() {
        let (monday, saturday) = (date(2026, 12, 21), date(2026, 12, 26));
        let christmas = date(2026, 12, 25);
        let file = |dates: &[jiff::civil::Date]| {
            let dates = dates.iter().copied().collect();
            Some(HolidaysFile { path: "holidays".into(), dates })
        };
        let usual = WorkingDays::default();
        let listed = WorkingDays { holidays: [christmas].into(), ..usual.clone() };
        let filed = WorkingDays { holidays_file: file(&[christmas]), ..usual.clone() };
        let sundays = WorkingDays { weekdays: vec![Weekday::Sunday], ..usual.clone() };
        let every = WorkingDays { skip: false, ..listed.clone() };
        let cases = [
            (&usual, [true, true, false]),
            (&listed, [true, false, false]),
            (&filed, [true, false, false]),
            (&sundays, [false, false, false]),
            (&every, [true, true, true]),
        ];
        for (days, expected) in cases {
            assert_eq!([monday, christmas, saturday].map(|date| days.count(date)), expected, "{days:?}");
        }
    }
}
