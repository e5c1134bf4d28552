#![allow(clippy::unwrap_used)]

use jiff::civil::{DateTime, date};

use super::{super::scan::scan, TimeZones};
use crate::{model::zone::Zone, sources::zones::Zones};

/// The zone of `TZID:Mine`, defined by these lines.
fn mine(lines: &str) -> Result<Zone, String> {
    of("Mine", &format!("TZID:Mine\n{lines}"))
}

fn of(tzid: &str, lines: &str) -> Result<Zone, String> {
    let text = format!("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\n{lines}\nEND:VTIMEZONE\nEND:VCALENDAR\n");
    let found = scan(text.as_bytes());
    assert_eq!(found.broken, None);
    let mut zones = Zones::at(Zone::parse("Europe/Paris").unwrap(), "2026-11-23T12:00:00Z".parse().unwrap());
    TimeZones::new(found.zones).zone(tzid, &mut zones)
}

fn rule(kind: &str, start: &str, from: &str, to: &str, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!("{more}\n") };
    format!("BEGIN:{kind}\nDTSTART:{start}\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\n{more}END:{kind}\n")
}

/// The two rules of a zone as they hold since a year.
fn two(year: &str, standard: (&str, &str, &str), daylight: (&str, &str, &str)) -> String {
    let standard_rule = format!("RRULE:FREQ=YEARLY;{}", standard.2);
    let daylight_rule = format!("RRULE:FREQ=YEARLY;{}", daylight.2);
    rule("STANDARD", &format!("{year}T{}", standard.0), daylight.1, standard.1, &standard_rule)
        + &rule("DAYLIGHT", &format!("{year}T{}", daylight.0), standard.1, daylight.1, &daylight_rule)
}

#[test]
fn rules_are_recognised() {
    let europe =
        |year| two(year, ("030000", "+0100", "BYMONTH=10;BYDAY=-1SU"), ("020000", "+0200", "BYMONTH=3;BYDAY=-1SU"));
    let new_york =
        two("20070101", ("020000", "-0500", "BYMONTH=11;BYDAY=1SU"), ("020000", "-0400", "BYMONTH=3;BYDAY=2SU"));
    let by_days = two(
        "19700101",
        ("020000", "-0500", "BYMONTH=11;BYMONTHDAY=1,2,3,4,5,6,7;BYDAY=SU"),
        ("020000", "-0400", "BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU"),
    );
    let utc_until = rule("STANDARD", "19961027T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU")
        + &rule("DAYLIGHT", "19810329T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU")
        + &rule(
            "STANDARD",
            "19810927T030000",
            "+0200",
            "+0100",
            "RRULE:FREQ=YEARLY;UNTIL=19950924T010000Z;BYMONTH=9;BYDAY=-1SU",
        );
    let equal = rule("STANDARD", "16010101T000000", "+0530", "+0530", "")
        + &rule("DAYLIGHT", "16010101T000000", "+0530", "+0530", "");
    let dated = |last: &str| {
        rule("DAYLIGHT", "20240331T020000", "+0100", "+0200", "RDATE:20250330T020000,20260329T020000,20270328T020000")
            + &rule(
                "STANDARD",
                "20241027T030000",
                "+0200",
                "+0100",
                &format!("RDATE:20251026T030000,20261025T030000{last}"),
            )
    };
    let cases = [
        // The source's own zone comes first, then the zones of Windows in the order of their names.
        (europe("19700101"), "Europe/Paris"),
        (europe("16010101"), "Europe/Paris"),
        (europe("20250101"), "Europe/Paris"),
        (utc_until, "Europe/Paris"),
        (new_york, "America/New_York"),
        (by_days, "America/New_York"),
        (equal, "Asia/Kolkata"),
        (rule("STANDARD", "16010101T000000", "+0900", "+0900", ""), "Asia/Seoul"),
        (rule("STANDARD", "19700101T000000", "+0545", "+0545", "TZNAME:any\nX-OWN:x"), "Asia/Kathmandu"),
        // Dates end where they end: what comes after is another zone.
        (dated(",20271031T030000"), "Mine"),
        ("X-LIC-LOCATION:Asia/Tokyo\nBEGIN:STANDARD\nEND:STANDARD\n".to_owned(), "Asia/Tokyo"),
        ("BEGIN:X-OTHER\nEND:X-OTHER\nX-LIC-LOCATION:Asia/Tokyo".to_owned(), "Asia/Tokyo"),
    ];
    for (lines, expected) in cases {
        assert_eq!(mine(&lines).as_ref().map(Zone::iana), Ok(expected), "{lines}");
    }
}

#[test]
fn rules_that_outlook_does_not_know_are_a_zone_of_their_own() {
    // Two hours of summer time, from the first Sunday of May to the fourth of August.
    let lines = two("16010101", ("030000", "+0100", "BYMONTH=8;BYDAY=4SU"), ("010000", "+0300", "BYMONTH=5;BYDAY=1SU"));
    let zone = mine(&lines).unwrap();
    assert_eq!((zone.iana(), zone.windows()), ("Mine", None));
    let cases = [
        (date(2026, 5, 3).at(0, 59, 0, 0), "2026-05-02T23:59:00Z"),
        (date(2026, 5, 3).at(3, 0, 0, 0), "2026-05-03T00:00:00Z"),
        (date(2026, 7, 1).at(9, 0, 0, 0), "2026-07-01T06:00:00Z"),
        (date(2026, 8, 23).at(0, 30, 0, 0), "2026-08-22T21:30:00Z"),
        (date(2026, 8, 23).at(3, 0, 0, 0), "2026-08-23T02:00:00Z"),
        (date(2199, 7, 1).at(9, 0, 0, 0), "2199-07-01T06:00:00Z"),
    ];
    for (wall, instant) in cases {
        let wall: DateTime = wall;
        assert_eq!(zone.instant(wall).to_string(), instant, "{wall}");
    }
    assert!(zone.skips(date(2026, 5, 3).at(1, 30, 0, 0)) && zone.repeats(date(2026, 8, 23).at(1, 30, 0, 0)));
}

#[test]
fn a_nonsensical_definition_has_a_reason() {
    let many = rule("STANDARD", "19700101T000000", "+0100", "+0100", "").repeat(10_000);
    let wide = format!("{}X:{}", "X:x\n".repeat(20_000), "x");
    let often = rule(
        "STANDARD",
        "19000101T000000",
        "+0100",
        "+0200",
        "RRULE:FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYMONTHDAY=1,2,3",
    );
    let good = rule("STANDARD", "19700101T000000", "+0100", "+0100", "");
    let cases = [
        (String::new(), "has no rules"),
        ("BEGIN:STANDARD\nEND:STANDARD\n".to_owned(), "without DTSTART"),
        (
            "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nEND:STANDARD\n".to_owned(),
            "without TZOFFSETTO",
        ),
        (
            "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:+0100\nEND:STANDARD\n".to_owned(),
            "without TZOFFSETFROM",
        ),
        (rule("STANDARD", "19700101", "+0100", "+0100", ""), "malformed DTSTART"),
        (rule("STANDARD", "19700101T000000Z", "+0100", "+0100", ""), "malformed DTSTART"),
        (rule("STANDARD", "19700101T000000", "+9900", "+0100", ""), "malformed TZOFFSETFROM"),
        (rule("STANDARD", "19700101T000000", "+0100", "+9900", ""), "malformed TZOFFSETTO"),
        (rule("STANDARD", "19700101T000000", "+0100", "0100", ""), "malformed TZOFFSETTO"),
        (rule("STANDARD", "19700101T000000", "+0100", "+0200", "RRULE:FREQ=SECONDLY"), "not understood"),
        (rule("STANDARD", "19700101T000000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYDAY=20MO"), "not understood"),
        (rule("STANDARD", "19700101T000000", "+0100", "+0200", "RRULE:FREQ=YEARLY;INTERVAL=0"), "not understood"),
        (
            rule("STANDARD", "19700101T000000", "+0100", "+0200", "RDATE;VALUE=PERIOD:19970101T180000Z/PT1H"),
            "malformed RDATE",
        ),
        (format!("{good}{}", rule("DAYLIGHT", "19700101T000000", "+0100", "+0200", "")), "two times at once"),
        (format!("BEGIN:VTIMEZONE\nTZID:Other\n{good}END:VTIMEZONE\n"), "holds a component \"VTIMEZONE\""),
        (format!("BEGIN:STANDARD\n{good}END:STANDARD\n"), "holds a component \"STANDARD\""),
        (many, "more than"),
        (wide, "more than 10000 lines"),
        (often, "too often"),
    ];
    for (lines, expected) in cases {
        let reason = mine(&lines).unwrap_err();
        assert!(reason.starts_with("the VTIMEZONE of \"Mine\" ") && reason.contains(expected), "{expected}: {reason}");
    }
}

#[test]
fn names_come_before_rules_and_rules_before_guesses() {
    let tokyo = rule("STANDARD", "19700101T000000", "+0900", "+0900", "");
    let cases = [
        ("Europe/Berlin", "Europe/Berlin"),
        ("\"Europe/Berlin\"", "Europe/Berlin"),
        // The rules of the definition are not those of the name without its number.
        ("Europe/Berlin-1", "Asia/Seoul"),
        ("Asia/Tokyo-1", "Asia/Tokyo"),
        ("W. Europe Standard Time 1", "Asia/Seoul"),
        ("Tokyo Standard Time 1", "Asia/Tokyo"),
    ];
    for (tzid, expected) in cases {
        let zone = of(tzid, &format!("TZID:{tzid}\n{tokyo}"));
        assert_eq!(zone.as_ref().map(Zone::iana), Ok(expected), "{tzid}");
    }
    // Without a definition the number says nothing.
    for (tzid, expected) in [("Europe/Berlin-1", "Europe/Berlin"), ("Tokyo Standard Time 1", "Asia/Tokyo")] {
        assert_eq!(of(tzid, "TZID:Other").as_ref().map(Zone::iana), Ok(expected), "{tzid}");
    }
    assert_eq!(of("Etc/GMT-15", "TZID:Other"), Err("unknown time zone \"Etc/GMT-15\"".to_owned()));
    let twice = format!("TZID:Mine\n{tokyo}END:VTIMEZONE\nBEGIN:VTIMEZONE\nTZID:Mine\n");
    assert_eq!(of("Mine", &twice), Err("the VTIMEZONE of \"Mine\" is defined twice, and differently".to_owned()));
    let equal = format!("TZID:Mine\n{tokyo}END:VTIMEZONE\nBEGIN:VTIMEZONE\nTZID:Mine\n{}", tokyo.trim_end());
    assert_eq!(of("Mine", &equal).as_ref().map(Zone::iana), Ok("Asia/Seoul"));
}
