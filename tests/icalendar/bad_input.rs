//! What nobody should write: a reason for each event that cannot be shown, and the rest of the file goes on.

use calsyncd::model::source::Completeness;
use jiff::civil::date;

use crate::shown::{show, window};

/// An event as the file has it, and what becomes of it: how many occurrences are shown between Monday 2026-11-23 and
/// Sunday 2027-01-31, or a part of the reason why none is.
struct Case {
    what: &'static str,
    lines: String,
    expected: Expected,
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Occurrences(usize),
    Reason(&'static str),
}
use Expected::{Occurrences, Reason};

/// The event that stands before and after the bad one.
const GOOD: &str =
    "BEGIN:VEVENT\r\nUID:good-NUMBER\r\nDTSTART:20261124T090000Z\r\nDURATION:PT1H\r\nSUMMARY:Good\r\nEND:VEVENT";

fn case(what: &'static str, lines: &[&str], expected: Expected) -> Case {
    Case { what, lines: lines.join("\r\n"), expected }
}

/// An event that starts on Tuesday 2026-11-24 at nine, with more lines.
fn event(what: &'static str, more: &[&str], expected: Expected) -> Case {
    let mut lines = vec!["BEGIN:VEVENT", "UID:bad", "DTSTART:20261124T090000Z", "DURATION:PT1H", "SUMMARY:Bad"];
    lines.extend(more);
    lines.push("END:VEVENT");
    case(what, &lines, expected)
}

fn rules() -> Vec<Case> {
    vec![
        event("every second without end", &["RRULE:FREQ=SECONDLY"], Reason("more than 10000 occurrences")),
        event("ten seconds of every day", &["RRULE:FREQ=DAILY;BYSECOND=0,1,2,3,4,5,6,7,8,9"], Occurrences(690)),
        event(
            "a rule without an occurrence",
            &["RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"],
            Reason("the rule has no occurrence"),
        ),
        event("COUNT of 100 000", &["RRULE:FREQ=DAILY;COUNT=100000"], Reason("COUNT=100000")),
        event("COUNT of 0", &["RRULE:FREQ=DAILY;COUNT=0"], Reason("COUNT=0")),
        event("COUNT that is no number", &["RRULE:FREQ=DAILY;COUNT=many"], Reason("malformed")),
        event("INTERVAL of 0", &["RRULE:FREQ=DAILY;INTERVAL=0"], Reason("zero")),
        event(
            "UNTIL before DTSTART",
            &["RRULE:FREQ=DAILY;UNTIL=20261101T000000Z"],
            Reason("the rule ends before the start"),
        ),
        event("a rule that is none", &["RRULE:every day"], Reason("malformed")),
        event("an empty rule", &["RRULE:"], Reason("Missing recurrence frequency")),
        event(
            "a rule of half a megabyte",
            &[&format!("RRULE:FREQ=DAILY;BYDAY=MO{}", ",MO".repeat(170_000))],
            Reason("1024"),
        ),
        event("a part that nobody knows", &["RRULE:FREQ=DAILY;BYEASTER=0"], Reason("BYEASTER")),
        event(
            "an exclusion of what is not there",
            &["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20270501T090000Z", "EXDATE:20261124T091500Z"],
            Occurrences(3),
        ),
        event(
            "every occurrence excluded",
            &["RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20261124T090000Z,20261125T090000Z"],
            Occurrences(0),
        ),
    ]
}

fn parts() -> Vec<Case> {
    let changed = |original: &str, more: &str| {
        format!(
            "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:bad\r\nRECURRENCE-ID:{original}\r\nDTSTART:20261124T100000Z\r\nSUMMARY:Moved{more}"
        )
    };
    let series = "RRULE:FREQ=DAILY;COUNT=3";
    vec![
        event(
            "a change of an occurrence that does not exist",
            &[series, &changed("20261124T120000Z", "")],
            Reason("no occurrence at 2026-11-24T12:00"),
        ),
        event(
            "a change of an event that does not repeat",
            &[&changed("20261124T090000Z", "")],
            Reason("does not repeat"),
        ),
        event(
            "a change of this and all that follow",
            &[series, &changed("20261124T090000Z", "").replace("RECURRENCE-ID:", "RECURRENCE-ID;RANGE=THISANDFUTURE:")],
            Reason("RANGE"),
        ),
        event(
            "a change with a rule of its own",
            &[series, &changed("20261124T090000Z", "\r\nRRULE:FREQ=DAILY")],
            Occurrences(3),
        ),
        event(
            "a change with an end before its start",
            &[series, &changed("20261124T090000Z", "\r\nDTEND:20261124T080000Z")],
            Reason("before it starts"),
        ),
    ]
}

fn events() -> Vec<Case> {
    let description = format!("DESCRIPTION:{}", "x".repeat(10 * 1024 * 1024));
    let folded = format!("DESCRIPTION:{}", "é\r\n ".repeat(500_000));
    let nested = "BEGIN:VTIMEZONE\r\nTZID:Mine\r\nBEGIN:VTIMEZONE\r\nBEGIN:STANDARD\r\nBEGIN:VTIMEZONE\r\nTZID:Mine\r\nEND:VTIMEZONE\r\n\
                  END:STANDARD\r\nEND:VTIMEZONE\r\nRRULE:FREQ=SECONDLY\r\nEND:VTIMEZONE";
    let in_mine = ["BEGIN:VEVENT", "UID:bad", "DTSTART;TZID=Mine:20261124T090000", "END:VEVENT"];
    vec![
        case(
            "two events with one UID",
            &[
                "BEGIN:VEVENT",
                "UID:bad",
                "DTSTART:20261124T090000Z",
                "END:VEVENT",
                "BEGIN:VEVENT",
                "UID:bad",
                "DTSTART:20261125T090000Z",
                "END:VEVENT",
            ],
            Reason("another event of the file has its UID"),
        ),
        case(
            "zones inside each other",
            &[&[nested][..], &in_mine[..]].concat(),
            Reason("the VTIMEZONE of \"Mine\" holds a component"),
        ),
        case("a zone that nobody describes", &in_mine, Reason("unknown time zone \"Mine\"")),
        event("a description of 2 bytes a line", &[&folded], Occurrences(1)),
        case(
            "a description of 10 MiB",
            &["BEGIN:VEVENT", "UID:bad", "DTSTART:20261124T090000Z", &description, "END:VEVENT"],
            Reason("longer than 4 MiB"),
        ),
        case("no start", &["BEGIN:VEVENT", "UID:bad", "END:VEVENT"], Reason("no DTSTART")),
        case(
            "a start that is no date",
            &["BEGIN:VEVENT", "UID:bad", "DTSTART:20261332T250000", "END:VEVENT"],
            Reason("DTSTART"),
        ),
        case(
            "an end before the start",
            &["BEGIN:VEVENT", "UID:bad", "DTSTART:20261124T090000Z", "DTEND:20261123T090000Z", "END:VEVENT"],
            Reason("before it starts"),
        ),
        case(
            "a negative duration",
            &["BEGIN:VEVENT", "UID:bad", "DTSTART:20261124T090000Z", "DURATION:-PT1H", "END:VEVENT"],
            Reason("negative"),
        ),
        case(
            "a date that ends at a time",
            &["BEGIN:VEVENT", "UID:bad", "DTSTART;VALUE=DATE:20261124", "DTEND:20261124T100000Z", "END:VEVENT"],
            Reason("a date and the other a time"),
        ),
        case(
            "a line without a colon",
            &["BEGIN:VEVENT", "UID:bad", "DTSTART:20261124T090000Z", "nothing", "END:VEVENT"],
            Reason("no colon"),
        ),
        case(
            "NULs",
            &["BEGIN:VEVENT", "UID:bad", "DTSTART:20261124T090000Z", "SUMMARY:a\0b", "END:VEVENT"],
            Occurrences(1),
        ),
    ]
}

#[test]
fn each_bad_event_has_its_reason_and_the_rest_goes_on() {
    let mut faults = Vec::new();
    for Case { what, lines, expected } in rules().into_iter().chain(parts()).chain(events()) {
        let before = GOOD.replace("NUMBER", "1");
        let after = GOOD.replace("NUMBER", "2");
        let file = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{before}\r\n{lines}\r\n{after}\r\nEND:VCALENDAR\r\n");
        let shown = show(file.as_bytes(), window(date(2026, 11, 23), date(2027, 1, 31), "UTC"));
        let occurrences = shown.occurrences();
        let good = occurrences.iter().filter(|one| one.subject == "Good").count();
        let reasons = shown.reasons();
        let found = match &expected {
            Occurrences(_) => Occurrences(occurrences.len() - good),
            Reason(part) if reasons.iter().any(|reason| reason.contains(part)) => Reason(part),
            Reason(_) => Reason("another one"),
        };
        let complete = shown.read.completeness == Completeness::Complete;
        if good != 2 || found != expected || !complete {
            let some: Vec<&str> = reasons.iter().map(|reason| &reason[..reason.len().min(200)]).collect();
            let counted = occurrences.len() - good;
            faults.push(format!(
                "{what}: {good} good events, {counted} others, meant {expected:?}, {some:?} {:?}",
                shown.read.completeness
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
