#![allow(clippy::unwrap_used)]
use super::ICalendarFile;
use crate::{
    model::{
        event::{BodyKind, Importance, Sensitivity, ShowAs},
        source::{Recipient, SourceEvent, SourceReminder, SourceTime},
        zone::Zone,
    },
    sources::{files::Gathered, zones::Zones},
};

fn read(text: &str) -> Gathered {
    let mut gathered = Gathered::default();
    let mut zones = Zones::new(Zone::parse("Europe/Paris").unwrap());
    let owner = Recipient::Person("ana".to_owned());
    ICalendarFile { source: "erp", file: "ana.ics", owner: &owner }.read(text.as_bytes(), &mut zones, &mut gathered);
    gathered
}

fn event(lines: &str) -> Gathered {
    read(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n"))
}

fn time_of(event: &SourceEvent) -> String {
    match &event.time {
        SourceTime::Fixed(time) => {
            let form = if time.is_all_day() { "AllDay" } else { "Timed" };
            format!("{form} {} {} {}", time.start(), time.end(), time.zone())
        }
        SourceTime::Period { .. } => "period".to_owned(),
    }
}

#[test]
fn times_are_read_in_every_form() {
    let paris = "Timed 2026-11-23T09:00:00 2026-11-23T10:00:00 Europe/Paris";
    let cases = [
        ("DTSTART:20261123T090000\nDTEND:20261123T100000", paris),
        ("DTSTART;TZID=Europe/Paris:20261123T090000\nDURATION:PT1H", paris),
        ("DTSTART;TZID=\"Europe/Paris\":20261123T090000\nDURATION:PT1H", paris),
        ("DTSTART;TZID=Romance Standard Time:20261123T090000\nDURATION:PT1H", paris),
        ("DTSTART;TZID=Europe/Paris:20261123T090000\nDTEND;TZID=Europe/London:20261123T090000", paris),
        ("DTSTART;TZID=Europe/Paris:20261123T090000\nDTEND:20261123T090000Z", paris),
        ("DTSTART:20261123T080000Z\nDTEND:20261123T090000Z", "Timed 2026-11-23T08:00:00 2026-11-23T09:00:00 Etc/UTC"),
        ("DTSTART:20261123T090000", "Timed 2026-11-23T09:00:00 2026-11-23T09:00:00 Europe/Paris"),
        ("DTSTART;VALUE=DATE:20261123", "AllDay 2026-11-23T00:00:00 2026-11-24T00:00:00 Europe/Paris"),
        (
            "DTSTART;VALUE=DATE:20261123\nDTEND;VALUE=DATE:20261125",
            "AllDay 2026-11-23T00:00:00 2026-11-25T00:00:00 Europe/Paris",
        ),
        (
            "DTSTART;VALUE=DATE:20261123\nDTEND;VALUE=DATE:20261123",
            "AllDay 2026-11-23T00:00:00 2026-11-24T00:00:00 Europe/Paris",
        ),
        ("DTSTART;VALUE=DATE:20261123\nDURATION:P2D", "AllDay 2026-11-23T00:00:00 2026-11-25T00:00:00 Europe/Paris"),
    ];
    for (lines, expected) in cases {
        let found = event(lines);
        assert_eq!(found.rejections, [], "{lines}");
        assert_eq!(time_of(&found.events[0]), expected, "{lines}");
    }
}

#[test]
fn events_that_cannot_be_used_are_refused_with_their_key() {
    let cases = [
        ("SUMMARY:x", "no DTSTART"),
        ("DTSTART:tomorrow", "DTSTART"),
        ("DTSTART:20261131T090000", "no such date"),
        ("DTSTART:20261123T250000", "no such time"),
        ("DTSTART:00000101T090000", ""),
        ("DTSTART:99991231T090000", "year"),
        ("DTSTART;TZID=Europe/Atlantis:20261123T090000", "Europe/Atlantis"),
        ("DTSTART:20261123T090000\nDTEND:20261123T080000", "before it starts"),
        ("DTSTART:20261123T090000\nDTEND;VALUE=DATE:20261124", "is a date"),
        ("DTSTART:20261123T090000\nDURATION:-PT1H", "negative"),
        ("DTSTART:20261123T090000\nDTEND:20330101T000000", "5 years"),
        ("DTSTART:20261123T090000\nRDATE;VALUE=PERIOD:20261124T090000/PT1H", "RDATE with periods"),
        ("DTSTART:20261123T090000\nRDATE:soon", "RDATE"),
        ("DTSTART:20261123T090000\nRECURRENCE-ID:20261123T090000\nRDATE:20261124T090000", "repeats by itself"),
        ("DTSTART:20261123T090000\nRRULE:FREQ=DAILY\nEXDATE:never", "EXDATE"),
        ("DTSTART:20261123T090000\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261123T090000", "RANGE"),
        ("DTSTART:20261123T090000\nno colon here", "no colon"),
    ];
    for (lines, reason) in cases {
        let found = event(lines);
        assert!(found.events.is_empty(), "{lines}");
        let [rejection] = found.rejections.as_slice() else { panic!("{lines}: {:?}", found.rejections) };
        assert!(rejection.reason.contains(reason), "{lines}: {}", rejection.reason);
        assert_eq!(rejection.key.as_ref().unwrap().as_str(), "erp/appointment/ana/1");
        assert_eq!(rejection.place, "ana.ics:2");
    }
    let nameless = read("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261123T090000\nEND:VEVENT\nEND:VCALENDAR");
    assert_eq!(nameless.rejections[0].key, None);
}

#[test]
fn a_series_has_its_exceptions() {
    for text in [include_str!("sample.ics").to_owned(), include_str!("sample.ics").replace('\n', "\r\n")] {
        let found = read(&text);
        assert_eq!(found.rejections, []);
        let [event] = found.events.as_slice() else { panic!("{:?}", found.events) };
        assert_eq!(time_of(event), "Timed 2026-11-23T09:00:00 2026-11-23T09:30:00 Europe/London");
        let content = &event.content;
        assert_eq!(content.subject.as_deref(), Some("Stand-up, with a comma"));
        assert_eq!(content.body.as_ref().unwrap().content, "First line\nsecondline");
        assert_eq!(content.location.as_deref(), Some("Café"));
        assert_eq!(content.categories.as_deref(), Some(["Team".to_owned(), "Project".to_owned()].as_slice()));
        assert_eq!(content.sensitivity, Some(Sensitivity::Private));
        assert_eq!(content.importance, Some(Importance::High));
        assert_eq!(content.reminder, Some(SourceReminder::Minutes(15)));
        let recurrence = event.recurrence.as_ref().unwrap();
        assert_eq!(recurrence.rules, ["FREQ=WEEKLY;COUNT=5"]);
        let exceptions: Vec<String> = recurrence
            .exceptions
            .iter()
            .map(|exception| {
                let change = exception.change.as_ref();
                let to = change.map_or("cancelled".to_owned(), |change| change.time.start().to_string());
                format!("{} {to}", exception.original)
            })
            .collect();
        assert_eq!(exceptions, ["2026-11-30T09:00:00 2026-11-30T14:00:00", "2026-12-07T09:00:00 cancelled"]);
        let change = recurrence.exceptions[0].change.as_ref().unwrap();
        // What the changed occurrence leaves out is empty, not inherited.
        assert_eq!(change.content.location.as_deref(), Some(""));
        assert_eq!(change.content.subject.as_deref(), Some("Stand-up (moved)"));
    }
}

#[test]
fn content_is_told_in_the_words_of_the_model() {
    let show_as = |lines: &str| event(&format!("DTSTART:20261123T090000\n{lines}")).events[0].content.show_as;
    assert_eq!(show_as("TRANSP:OPAQUE"), None);
    assert_eq!(show_as("TRANSP:TRANSPARENT"), Some(ShowAs::Free));
    assert_eq!(show_as("STATUS:TENTATIVE"), Some(ShowAs::Tentative));
    assert_eq!(show_as("TRANSP:TRANSPARENT\nX-MICROSOFT-CDO-BUSYSTATUS:OOF"), Some(ShowAs::OutOfOffice));
    assert_eq!(show_as("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE"), Some(ShowAs::WorkingElsewhere));
    let sensitivity =
        |class: &str| event(&format!("DTSTART:20261123T090000\nCLASS:{class}")).events[0].content.sensitivity;
    assert_eq!(sensitivity("PUBLIC"), Some(Sensitivity::Normal));
    assert_eq!(sensitivity("CONFIDENTIAL"), Some(Sensitivity::Confidential));
    assert_eq!(sensitivity("X-SECRET"), Some(Sensitivity::Private));
    let alarm = |trigger: &str| {
        let alarm = format!("DTSTART:20261123T090000\nDURATION:PT1H\nBEGIN:VALARM\nTRIGGER{trigger}\nEND:VALARM");
        event(&alarm).events[0].content.reminder
    };
    assert_eq!(alarm(":-P1D"), Some(SourceReminder::Minutes(1440)));
    assert_eq!(alarm(":PT0S"), Some(SourceReminder::Minutes(0)));
    assert_eq!(alarm(":PT5M"), None);
    assert_eq!(alarm(";RELATED=END:-PT70M"), Some(SourceReminder::Minutes(10)));
    let html = event("DTSTART:20261123T090000\nDESCRIPTION:plain\nX-ALT-DESC;FMTTYPE=text/html:<p>a\\, b</p>;\\n");
    let body = html.events[0].content.body.as_ref().unwrap();
    assert_eq!((body.kind, body.content.as_str()), (BodyKind::Html, "<p>a, b</p>;\n"));
}

#[test]
fn what_is_cancelled_or_stands_alone() {
    let cancelled = |read: Gathered| read.events.iter().map(|event| event.cancelled).collect::<Vec<_>>();
    assert_eq!(cancelled(event("DTSTART:20261123T090000\nSTATUS:CANCELLED")), [true]);
    assert_eq!(cancelled(event("DTSTART:20261123T090000\nSTATUS:CONFIRMED")), [false]);
    let cancel =
        "BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\nUID:1\nDTSTART:20261123T090000\nEND:VEVENT\nEND:VCALENDAR";
    assert!(cancelled(read(cancel)) == [true] && read(cancel).rejections.is_empty());
    let alone = event("RECURRENCE-ID:20261123T080000Z\nDTSTART:20261123T140000");
    assert_eq!(alone.events[0].key.as_str(), "erp/appointment/ana/1#20261123T090000");
    let twice = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20261123T090000\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\nSEQUENCE:2\n\
                 DTSTART:20261124T090000\nEND:VEVENT\nEND:VCALENDAR";
    let twice = read(twice);
    assert!(time_of(&twice.events[0]).contains("2026-11-24"));
    assert_eq!(twice.rejections.len(), 1);
    let all_day = event("DTSTART;VALUE=DATE:20261123\nRRULE:FREQ=DAILY\nEXDATE;VALUE=DATE:20261124,20261125");
    assert_eq!(all_day.events[0].recurrence.as_ref().unwrap().exceptions.len(), 2);
}

#[test]
fn additional_times_and_several_rules_are_read() {
    let lines = "DTSTART;TZID=Europe/Paris:20261123T090000\nRRULE:FREQ=DAILY;COUNT=2\nRRULE:FREQ=WEEKLY;COUNT=2\n\
                 EXRULE:FREQ=MONTHLY;COUNT=2\nRDATE;VALUE=DATE:20261201\nRDATE:20261202T080000Z,20261203T080000Z\n\
                 RDATE;TZID=Europe/London:20261204T080000\nEXDATE:20261203T090000";
    let found = event(lines);
    assert_eq!(found.rejections, []);
    let recurrence = found.events[0].recurrence.clone().unwrap();
    assert_eq!(recurrence.rules, ["FREQ=DAILY;COUNT=2", "FREQ=WEEKLY;COUNT=2"]);
    assert_eq!(recurrence.excluded_rules, ["FREQ=MONTHLY;COUNT=2"]);
    let additional: Vec<String> = recurrence.additional.iter().map(ToString::to_string).collect();
    assert_eq!(
        additional,
        ["2026-12-01T09:00:00", "2026-12-02T09:00:00", "2026-12-03T09:00:00", "2026-12-04T09:00:00"]
    );
    assert_eq!(recurrence.exceptions.len(), 1);
    let alone = event("DTSTART:20261123T090000\nRDATE:20261124T090000");
    assert!(alone.events[0].recurrence.as_ref().unwrap().rules.is_empty());
}

#[test]
fn an_occurrence_may_be_of_another_form_than_its_series() {
    let change = |lines: &str, own: &str| {
        let text = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n{lines}\nRRULE:FREQ=DAILY\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\n{own}\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        let found = read(&text);
        assert_eq!(found.rejections, []);
        let exception = found.events[0].recurrence.as_ref().unwrap().exceptions[0].clone();
        let time = exception.change.unwrap().time;
        format!("{} {} {} {}", exception.original, time.is_all_day(), time.start(), time.zone())
    };
    assert_eq!(
        change("DTSTART:20261123T090000", "RECURRENCE-ID:20261124T090000\nDTSTART;VALUE=DATE:20261124"),
        "2026-11-24T09:00:00 true 2026-11-24T00:00:00 Europe/Paris"
    );
    assert_eq!(
        change(
            "DTSTART;VALUE=DATE:20261123",
            "RECURRENCE-ID;VALUE=DATE:20261124\nDTSTART;TZID=Europe/London:20261124T080000"
        ),
        "2026-11-24T00:00:00 false 2026-11-24T08:00:00 Europe/London"
    );
}

#[test]
fn a_faulty_zone_costs_the_events_that_need_it() {
    let nested = "BEGIN:STANDARD\nBEGIN:STANDARD\nEND:STANDARD\nEND:STANDARD";
    let wide = "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+9900\nTZOFFSETTO:+9900\nEND:STANDARD";
    let many = "BEGIN:STANDARD\nEND:STANDARD\n".repeat(10_000);
    for rules in [nested, wide, "no colon here", "X-LIC-LOCATION:Mine", many.trim_end()] {
        let found = read(&format!(
            "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Mine\n{rules}\nEND:VTIMEZONE\n\
             BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Mine:20261123T090000\nEND:VEVENT\n\
             BEGIN:VEVENT\nUID:2\nDTSTART:20261123T090000\nEND:VEVENT\nEND:VCALENDAR\n"
        ));
        assert_eq!((found.events.len(), found.rejections.len()), (1, 1), "{rules:.60}");
        assert!(found.rejections[0].reason.contains("VTIMEZONE of \"Mine\""), "{}", found.rejections[0].reason);
    }
}

#[test]
fn links_are_those_that_calendars_write() {
    let long = format!("URL:https://erp.test/{}", "x".repeat(2048));
    let cases = [
        ("URL:https://erp.test/1", Some("https://erp.test/1"), None),
        ("URL;VALUE=URI: https://erp.test/a;b,c?d:e ", Some("https://erp.test/a;b,c?d:e"), None),
        ("URL:mailto:ana@example.test", None, None),
        (long.as_str(), None, None),
        ("CONFERENCE;VALUE=URI;FEATURE=PHONE:tel:+1-412-555-0123", None, None),
        (
            "CONFERENCE;VALUE=URI;FEATURE=AUDIO:https://a.test\nCONFERENCE;VALUE=URI;LABEL=\"x;FEATURE=y: z\";FEATURE=\"AUDIO,\n VIDEO\":https://v.test\nCONFERENCE;FEATURE=VIDEO:https://w.test",
            None,
            Some("https://v.test"),
        ),
        ("X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.test/l\\,1", None, Some("https://teams.test/l,1")),
        ("X-GOOGLE-CONFERENCE:https://meet.test/abc", None, Some("https://meet.test/abc")),
        ("X-MICROSOFT-ONLINEMEETINGEXTERNALLINK:\nX-GOOGLE-CONFERENCE:https://g.test", None, Some("https://g.test")),
        ("X-GOOGLE-CONFERENCE:https://g.test\nCONFERENCE;VALUE=URI:https://c.test", None, Some("https://c.test")),
        ("BEGIN:VALARM\nURL:https://alarm.test\nEND:VALARM", None, None),
    ];
    for (lines, url, meeting) in cases {
        let found = event(&format!("DTSTART:20261123T090000\n{lines}"));
        assert_eq!(found.rejections, [], "{lines}");
        let content = &found.events[0].content;
        assert_eq!((content.url.as_deref(), content.online_meeting_url.as_deref()), (url, meeting), "{lines}");
    }
}
