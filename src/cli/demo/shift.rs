//! Moves the sample data, which are written for one week, to another week.

use jiff::{ToSpan, civil::Date};

/// How far a date may be from the week of the samples to count as one of theirs, in days.
const DAYS_NEAR: i32 = 400;

/// Moves every date of a sample text by the weeks between two Mondays: ISO dates (`2026-11-23`, also at the head of
/// `2026-11-23T09:00`) and iCalendar dates (`20261123`, `20261123T090000`). Wall times stay as they are. Dates further
/// than 400 days from `from_monday` are left alone, and so are digits that are part of a longer number or word.
#[must_use]
pub(super) fn shift_week(text: &str, from_monday: Date, to_monday: Date) -> String {
    let days = (to_monday - from_monday).get_days();
    let mut shifted = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(character) = rest.chars().next() {
        let date = if continues_a_word(before) { None } else { leading_date(rest, from_monday) };
        if let Some((date, length)) = date
            && let Ok(moved) = date.checked_add(i64::from(days).days())
        {
            let form = if length == 10 { "%Y-%m-%d" } else { "%Y%m%d" };
            shifted.push_str(&moved.strftime(form).to_string());
            before = Some('0');
            rest = &rest[length..];
        } else {
            shifted.push(character);
            before = Some(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    shifted
}

fn continues_a_word(before: Option<char>) -> bool {
    before.is_some_and(|character| character.is_alphanumeric() || matches!(character, '-' | '_' | '.'))
}

/// The date at the head of a text, with its length, if it is one of the samples'.
fn leading_date(text: &str, near: Date) -> Option<(Date, usize)> {
    let parse = |length: usize| {
        let head = text.get(..length)?;
        let digits = |range| head.get(range).and_then(|part: &str| part.parse::<u16>().ok());
        let (month, day) = if length == 10 { (5..7, 8..10) } else { (4..6, 6..8) };
        let separators =
            length == 8 || (head.as_bytes().get(4) == Some(&b'-') && head.as_bytes().get(7) == Some(&b'-'));
        if !separators || head.bytes().any(|byte| !byte.is_ascii_digit() && byte != b'-') {
            return None;
        }
        let (year, month, day) = (digits(0..4)?, digits(month)?, digits(day)?);
        let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        // After a date comes its time, or something that is no word.
        let mut after = text.get(length..)?.chars();
        let next = after.next();
        let ends = match next {
            Some('T') => after.next().is_some_and(|digit| digit.is_ascii_digit()),
            Some(other) => !other.is_alphanumeric() && other != '-',
            None => true,
        };
        let is_near = (date - near).get_days().abs() <= DAYS_NEAR;
        (ends && is_near).then_some((date, length))
    };
    parse(10).or_else(|| parse(8))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::shift_week;

    #[test]
    fn dates_move_by_whole_weeks() {
        let cases = [
            ("", ""),
            ("2026-11-23", "2027-03-01"),
            (
                r#"{"start":"2026-11-23T09:00","end":"2026-11-27T10:00"}"#,
                r#"{"start":"2027-03-01T09:00","end":"2027-03-05T10:00"}"#,
            ),
            ("DTSTART;TZID=Europe/Paris:20261123T090000\n", "DTSTART;TZID=Europe/Paris:20270301T090000\n"),
            ("DTEND;VALUE=DATE:20261128", "DTEND;VALUE=DATE:20270306"),
            ("RRULE:FREQ=DAILY;UNTIL=20270127;COUNT=3", "RRULE:FREQ=DAILY;UNTIL=20270505;COUNT=3"),
            ("EXDATE:20261130T090000,20261207T090000", "EXDATE:20270308T090000,20270315T090000"),
            ("20261123T", "20261123T"),
            ("DTSTART:19701025T030000", "DTSTART:19701025T030000"),
            (
                "2026-13-45 20261345 12026-11-23 2026-11-234 id-20261123 x20261123",
                "2026-13-45 20261345 12026-11-23 2026-11-234 id-20261123 x20261123",
            ),
            ("é2026-11-23 🎉 2026-11-24é 2026-11-24", "é2026-11-23 🎉 2026-11-24é 2027-03-02"),
        ];
        for (text, expected) in cases {
            assert_eq!(shift_week(text, date(2026, 11, 23), date(2027, 3, 1)), expected);
            assert_eq!(shift_week(text, date(2026, 11, 23), date(2026, 11, 23)), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_shifted(text in "(\\PC|20261123|2026-11-2|T09:00|-){0,40}") {
            let (from, to) = (date(2026, 11, 23), date(2026, 11, 16));
            prop_assert_eq!(shift_week(&text, from, to).len(), text.len());
        }
    }
}
