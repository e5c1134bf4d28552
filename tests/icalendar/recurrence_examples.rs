//! The examples of RFC 5545 §3.8.5.3: rule, first occurrence, and the days that the section lists.

use calsyncd::model::window::Window;
use jiff::civil::{Date, DateTime};

use crate::shown::{show, window};

const ZONE: &str = "America/New_York";

/// How an example can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As one series of Outlook.
    Series,
    /// As several items.
    Items,
}
use Form::{Items, Series};

/// The days as the section lists them: `year month days`, separated by semicolons; days as numbers and `first-last`.
/// The list of an example without end is cut where the section cuts it.
struct Example {
    what: &'static str,
    form: Form,
    start: &'static str,
    properties: &'static [&'static str],
    days: &'static str,
    times: &'static [&'static str],
}

const fn example(
    what: &'static str,
    form: Form,
    start: &'static str,
    properties: &'static [&'static str],
    days: &'static str,
) -> Example {
    Example { what, form, start, properties, days, times: &["09:00"] }
}

const SEPTEMBER_2: &str = "19970902T090000";
const JANUARIES: &str = "1998 1 1-31; 1999 1 1-31; 2000 1 1-31";
const FIVE_WEEKS: &str = "1997 9 2 4 9 11 16 18 23 25 30; 1997 10 2";
const SUMMERS: &str = "1997 6 5 12 19 26; 1997 7 3 10 17 24 31; 1997 8 7 14 21 28; \
                       1998 6 4 11 18 25; 1998 7 2 9 16 23 30; 1998 8 6 13 20 27; \
                       1999 6 3 10 17 24; 1999 7 1 8 15 22 29; 1999 8 5 12 19 26";
const EVERY_20_MINUTES: [&str; 24] = [
    "09:00", "09:20", "09:40", "10:00", "10:20", "10:40", "11:00", "11:20", "11:40", "12:00", "12:20", "12:40",
    "13:00", "13:20", "13:40", "14:00", "14:20", "14:40", "15:00", "15:20", "15:40", "16:00", "16:20", "16:40",
];

const EXAMPLES: &[Example] = &[
    example("daily for 10 occurrences", Series, SEPTEMBER_2, &["RRULE:FREQ=DAILY;COUNT=10"], "1997 9 2-11"),
    example(
        "daily until December 24, 1997",
        Series,
        SEPTEMBER_2,
        &["RRULE:FREQ=DAILY;UNTIL=19971224T000000Z"],
        "1997 9 2-30; 1997 10 1-31; 1997 11 1-30; 1997 12 1-23",
    ),
    example(
        "every other day, forever",
        Series,
        SEPTEMBER_2,
        &["RRULE:FREQ=DAILY;INTERVAL=2"],
        "1997 9 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30; 1997 10 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30; \
         1997 11 1 3 5 7 9 11 13 15 17 19 21 23 25 27 29; 1997 12 1 3",
    ),
    example(
        "every 10 days, 5 occurrences",
        Series,
        SEPTEMBER_2,
        &["RRULE:FREQ=DAILY;INTERVAL=10;COUNT=5"],
        "1997 9 2 12 22; 1997 10 2 12",
    ),
    example(
        "every day in January, for 3 years (yearly)",
        Items,
        "19980101T090000",
        &["RRULE:FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA"],
        JANUARIES,
    ),
    example(
        "every day in January, for 3 years (daily)",
        Items,
        "19980101T090000",
        &["RRULE:FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1"],
        JANUARIES,
    ),
    example(
        "weekly for 10 occurrences",
        Series,
        SEPTEMBER_2,
        &["RRULE:FREQ=WEEKLY;COUNT=10"],
        "1997 9 2 9 16 23 30; 1997 10 7 14 21 28; 1997 11 4",
    ),
    example(
        "weekly until December 24, 1997",
        Series,
        SEPTEMBER_2,
        &["RRULE:FREQ=WEEKLY;UNTIL=19971224T000000Z"],
        "1997 9 2 9 16 23 30; 1997 10 7 14 21 28; 1997 11 4 11 18 25; 1997 12 2 9 16 23",
    ),
    example(
        "every other week, forever",
        Series,
        SEPTEMBER_2,
        &["RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU"],
        "1997 9 2 16 30; 1997 10 14 28; 1997 11 11 25; 1997 12 9 23; 1998 1 6 20; 1998 2 3 17",
    ),
    example(
        "weekly on Tuesday and Thursday for five weeks (until)",
        Series,
        SEPTEMBER_2,
        &["RRULE:FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH"],
        FIVE_WEEKS,
    ),
    example(
        "weekly on Tuesday and Thursday for five weeks (count)",
        Series,
        SEPTEMBER_2,
        &["RRULE:FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH"],
        FIVE_WEEKS,
    ),
    example(
        "every other week on Monday, Wednesday, and Friday until December 24, 1997",
        Series,
        "19970901T090000",
        &["RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR"],
        "1997 9 1 3 5 15 17 19 29; 1997 10 1 3 13 15 17 27 29 31; 1997 11 10 12 14 24 26 28; 1997 12 8 10 12 22",
    ),
    example(
        "every other week on Tuesday and Thursday, for 8 occurrences",
        Series,
        SEPTEMBER_2,
        &["RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH"],
        "1997 9 2 4 16 18 30; 1997 10 2 14 16",
    ),
    example(
        "monthly on the first Friday for 10 occurrences",
        Series,
        "19970905T090000",
        &["RRULE:FREQ=MONTHLY;COUNT=10;BYDAY=1FR"],
        "1997 9 5; 1997 10 3; 1997 11 7; 1997 12 5; 1998 1 2; 1998 2 6; 1998 3 6; 1998 4 3; 1998 5 1; 1998 6 5",
    ),
    example(
        "monthly on the first Friday until December 24, 1997",
        Series,
        "19970905T090000",
        &["RRULE:FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR"],
        "1997 9 5; 1997 10 3; 1997 11 7; 1997 12 5",
    ),
    example(
        "every other month on the first and last Sunday of the month for 10 occurrences",
        Items,
        "19970907T090000",
        &["RRULE:FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU"],
        "1997 9 7 28; 1997 11 2 30; 1998 1 4 25; 1998 3 1 29; 1998 5 3 31",
    ),
    example(
        "monthly on the second-to-last Monday of the month for 6 months",
        Items,
        "19970922T090000",
        &["RRULE:FREQ=MONTHLY;COUNT=6;BYDAY=-2MO"],
        "1997 9 22; 1997 10 20; 1997 11 17; 1997 12 22; 1998 1 19; 1998 2 16",
    ),
    example(
        "monthly on the third-to-the-last day of the month, forever",
        Items,
        "19970928T090000",
        &["RRULE:FREQ=MONTHLY;BYMONTHDAY=-3"],
        "1997 9 28; 1997 10 29; 1997 11 28; 1997 12 29; 1998 1 29; 1998 2 26",
    ),
    example(
        "monthly on the 2nd and 15th of the month for 10 occurrences",
        Items,
        SEPTEMBER_2,
        &["RRULE:FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15"],
        "1997 9 2 15; 1997 10 2 15; 1997 11 2 15; 1997 12 2 15; 1998 1 2 15",
    ),
    example(
        "monthly on the first and last day of the month for 10 occurrences",
        Items,
        "19970930T090000",
        &["RRULE:FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1"],
        "1997 9 30; 1997 10 1 31; 1997 11 1 30; 1997 12 1 31; 1998 1 1 31; 1998 2 1",
    ),
    example(
        "every 18 months on the 10th thru 15th of the month for 10 occurrences",
        Items,
        "19970910T090000",
        &["RRULE:FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15"],
        "1997 9 10-15; 1999 3 10-13",
    ),
    example(
        "every Tuesday, every other month",
        Items,
        SEPTEMBER_2,
        &["RRULE:FREQ=MONTHLY;INTERVAL=2;BYDAY=TU"],
        "1997 9 2 9 16 23 30; 1997 11 4 11 18 25; 1998 1 6 13 20 27; 1998 3 3 10 17 24 31",
    ),
    example(
        "yearly in June and July for 10 occurrences",
        Items,
        "19970610T090000",
        &["RRULE:FREQ=YEARLY;COUNT=10;BYMONTH=6,7"],
        "1997 6 10; 1997 7 10; 1998 6 10; 1998 7 10; 1999 6 10; 1999 7 10; 2000 6 10; 2000 7 10; 2001 6 10; 2001 7 10",
    ),
    example(
        "every other year on January, February, and March for 10 occurrences",
        Items,
        "19970310T090000",
        &["RRULE:FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3"],
        "1997 3 10; 1999 1 10; 1999 2 10; 1999 3 10; 2001 1 10; 2001 2 10; 2001 3 10; 2003 1 10; 2003 2 10; 2003 3 10",
    ),
    example(
        "every third year on the 1st, 100th, and 200th day for 10 occurrences",
        Items,
        "19970101T090000",
        &["RRULE:FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200"],
        "1997 1 1; 1997 4 10; 1997 7 19; 2000 1 1; 2000 4 9; 2000 7 18; 2003 1 1; 2003 4 10; 2003 7 19; 2006 1 1",
    ),
    example(
        "every 20th Monday of the year, forever",
        Items,
        "19970519T090000",
        &["RRULE:FREQ=YEARLY;BYDAY=20MO"],
        "1997 5 19; 1998 5 18; 1999 5 17",
    ),
    example(
        "Monday of week number 20, forever",
        Items,
        "19970512T090000",
        &["RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO"],
        "1997 5 12; 1998 5 11; 1999 5 17",
    ),
    example(
        "every Thursday in March, forever",
        Items,
        "19970313T090000",
        &["RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=TH"],
        "1997 3 13 20 27; 1998 3 5 12 19 26; 1999 3 4 11 18 25",
    ),
    example(
        "every Thursday, but only during June, July, and August, forever",
        Items,
        "19970605T090000",
        &["RRULE:FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8"],
        SUMMERS,
    ),
    example(
        "every Friday the 13th, forever",
        Items,
        SEPTEMBER_2,
        &["EXDATE;TZID=America/New_York:19970902T090000", "RRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13"],
        "1998 2 13; 1998 3 13; 1998 11 13; 1999 8 13; 2000 10 13",
    ),
    example(
        "the first Saturday that follows the first Sunday of the month, forever",
        Items,
        "19970913T090000",
        &["RRULE:FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13"],
        "1997 9 13; 1997 10 11; 1997 11 8; 1997 12 13; 1998 1 10; 1998 2 7; 1998 3 7; 1998 4 11; 1998 5 9; 1998 6 13",
    ),
    example(
        "every 4 years, the first Tuesday after a Monday in November, forever",
        Items,
        "19961105T090000",
        &["RRULE:FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8"],
        "1996 11 5; 2000 11 7; 2004 11 2",
    ),
    example(
        "the third instance into the month of one of Tuesday, Wednesday, or Thursday, for the next 3 months",
        Items,
        "19970904T090000",
        &["RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3"],
        "1997 9 4; 1997 10 7; 1997 11 6",
    ),
    example(
        "the second-to-last weekday of the month",
        Items,
        "19970929T090000",
        &["RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2"],
        "1997 9 29; 1997 10 30; 1997 11 27; 1997 12 30; 1998 1 29; 1998 2 26; 1998 3 30",
    ),
    Example {
        // The section says 17:00 and writes 170000Z, which is 13:00; the erratum of the RFC has it as 210000Z.
        what: "every 3 hours from 9:00 AM to 5:00 PM on a specific day",
        form: Items,
        start: SEPTEMBER_2,
        properties: &["RRULE:FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z"],
        days: "1997 9 2",
        times: &["09:00", "12:00", "15:00"],
    },
    Example {
        what: "every 15 minutes for 6 occurrences",
        form: Items,
        start: SEPTEMBER_2,
        properties: &["RRULE:FREQ=MINUTELY;INTERVAL=15;COUNT=6"],
        days: "1997 9 2",
        times: &["09:00", "09:15", "09:30", "09:45", "10:00", "10:15"],
    },
    Example {
        what: "every hour and a half for 4 occurrences",
        form: Items,
        start: SEPTEMBER_2,
        properties: &["RRULE:FREQ=MINUTELY;INTERVAL=90;COUNT=4"],
        days: "1997 9 2",
        times: &["09:00", "10:30", "12:00", "13:30"],
    },
    Example {
        what: "every 20 minutes from 9:00 AM to 4:40 PM every day (daily)",
        form: Items,
        start: SEPTEMBER_2,
        properties: &["RRULE:FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40"],
        days: "1997 9 2 3",
        times: &EVERY_20_MINUTES,
    },
    Example {
        what: "every 20 minutes from 9:00 AM to 4:40 PM every day (minutely)",
        form: Items,
        start: SEPTEMBER_2,
        properties: &["RRULE:FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16"],
        days: "1997 9 2 3",
        times: &EVERY_20_MINUTES,
    },
    example(
        "the days selected depend on WKST: weeks begin on Monday",
        Series,
        "19970805T090000",
        &["RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO"],
        "1997 8 5 10 19 24",
    ),
    example(
        "the days selected depend on WKST: weeks begin on Sunday",
        Series,
        "19970805T090000",
        &["RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU"],
        "1997 8 5 17 19 31",
    ),
    example(
        "an invalid date (February 30) is ignored",
        Items,
        "20070115T090000",
        &["RRULE:FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5"],
        "2007 1 15 30; 2007 2 15; 2007 3 15 30",
    ),
];

/// The wall times that an example lists.
fn listed(example: &Example) -> Vec<DateTime> {
    let mut found = Vec::new();
    for month in example.days.split(';') {
        let mut words = month.split_whitespace();
        let year = words.next().unwrap().parse().unwrap();
        let month = words.next().unwrap().parse().unwrap();
        for word in words {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            for day in first.parse().unwrap()..=last.parse().unwrap() {
                let date = Date::new(year, month, day).unwrap();
                found.extend(example.times.iter().map(|time| date.to_datetime(time.parse().unwrap())));
            }
        }
    }
    found
}

fn file(example: &Example) -> String {
    let properties = example.properties.join("\r\n");
    let start = example.start;
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//calsyncd//tests//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n\
         DTSTART;TZID={ZONE}:{start}\r\nDURATION:PT10M\r\n{properties}\r\nSUMMARY:Example\r\nEND:VEVENT\r\n\
         END:VCALENDAR\r\n"
    )
}

/// A month before the first occurrence, up to the last day that is listed; where the rule ends, a year more.
fn span(example: &Example, expected: &[DateTime]) -> Window {
    let first: DateTime = example.start.parse().unwrap();
    let ends = example.properties.iter().any(|property| property.contains("COUNT=") || property.contains("UNTIL="));
    let last = expected.last().unwrap().date().checked_add(jiff::Span::new().days(if ends { 366 } else { 0 })).unwrap();
    window(first.date().checked_sub(jiff::Span::new().days(30)).unwrap(), last, ZONE)
}

#[test]
fn every_example_shows_the_days_that_it_lists() {
    let mut faults = Vec::new();
    for example in EXAMPLES {
        let expected = listed(example);
        let shown = show(file(example).as_bytes(), span(example, &expected));
        let occurrences = shown.occurrences();
        let starts: Vec<DateTime> = occurrences.iter().map(|occurrence| occurrence.start).collect();
        if starts != expected || !occurrences.iter().all(|one| one.zone == ZONE && one.subject == "Example") {
            faults.push(format!("{}:\n  listed {expected:?}\n  shown  {starts:?} {:?}", example.what, shown.reasons()));
        }
        let items = shown.events().count();
        let one_series = shown.events().all(|event| event.series.is_some()) && items == 1;
        if (example.form == Series) != one_series {
            faults.push(format!("{}: {items} items, meant as {:?}", example.what, example.form));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), EXAMPLES.len(), faults.join("\n"));
}

#[test]
fn occurrences_that_last_into_the_next_are_single_events() {
    // Exchange refuses such a series (ErrorOccurrenceTimeSpanTooBig).
    for (rule, items) in
        [("FREQ=DAILY;COUNT=3", 3), ("FREQ=WEEKLY;BYDAY=MO,TU;COUNT=4", 4), ("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4", 1)]
    {
        let file = format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261123\r\nDTEND;VALUE=DATE:20261125\r\nRRULE:{rule}\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let shown = show(file.as_bytes(), window(Date::constant(2026, 11, 23), Date::constant(2026, 12, 31), "UTC"));
        assert_eq!(shown.events().count(), items, "{rule}: {:?}", shown.reasons());
        assert_eq!(shown.occurrences().len(), if items == 1 { 4 } else { items }, "{rule}");
    }
}
