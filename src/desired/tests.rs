#![allow(clippy::unwrap_used)]
use std::{collections::BTreeMap, time::Duration};

use jiff::civil::{DateTime, date, time};

use super::{Desired, SkipReason, desired};
use crate::{
    model::{
        address::Address,
        event::{Body, BodyKind, Importance, Sensitivity, ShowAs},
        key::{Kind, SourceKey},
        recurrence::ExceptionChange,
        source::{
            Completeness, Period, Recipient, Rejection, SourceChange, SourceContent, SourceEvent, SourceException,
            SourceRead, SourceRecurrence, SourceReminder, SourceTime,
        },
        time::EventTime,
        window::Window,
        zone::Zone,
    },
    settings::Job,
};

fn paris() -> Zone {
    Zone::parse("Europe/Paris").unwrap()
}

fn job() -> Job {
    Job {
        source: "erp".to_owned(),
        kinds: vec![Kind::Schedule, Kind::Appointment],
        people: Vec::new(),
        people_domain: Some("example.test".to_owned()),
        addresses: BTreeMap::from([("boss".to_owned(), Address::parse("ceo@example.test").unwrap())]),
        window_days_back: 7,
        window_days_ahead: 28,
        every: Duration::from_secs(60),
        zone: paris(),
        morning: (time(9, 0, 0, 0), time(12, 30, 0, 0)),
        afternoon: (time(14, 0, 0, 0), time(17, 30, 0, 0)),
        show_as: ShowAs::Busy,
        sensitivity: Sensitivity::Normal,
        importance: Importance::Normal,
        categories: vec!["ERP".to_owned()],
        reminder_minutes: Some(10),
        private_subject: Some("Private".to_owned()),
    }
}

/// From Monday 2026-11-16 to Monday 2026-12-21.
fn window() -> Window {
    let zone = paris();
    Window {
        start: zone.instant(date(2026, 11, 16).at(0, 0, 0, 0)),
        end: zone.instant(date(2026, 12, 21).at(0, 0, 0, 0)),
    }
}

fn timed(start: &str, end: &str) -> EventTime {
    EventTime::Timed { start: start.parse().unwrap(), end: end.parse().unwrap(), zone: paris() }
}

fn event(id: &str, person: &str, time: EventTime) -> SourceEvent {
    SourceEvent {
        key: SourceKey::new("erp", Kind::Appointment, id),
        kind: Kind::Appointment,
        place: format!("a.jsonl:{id}"),
        recipient: Recipient::Person(person.to_owned()),
        time: SourceTime::Fixed(time),
        recurrence: None,
        content: SourceContent { subject: Some("A".to_owned()), ..SourceContent::default() },
    }
}

fn read(events: Vec<SourceEvent>) -> SourceRead {
    SourceRead { events, rejections: Vec::new(), completeness: Completeness::Complete }
}

fn summary(result: &Desired) -> Vec<String> {
    let placed = result
        .mailboxes
        .iter()
        .flat_map(|(mailbox, events)| events.iter().map(move |event| format!("{} {mailbox}", event.key)));
    let skipped = result.skipped.iter().map(|skipped| format!("{} {:?}", skipped.key, skipped.reason));
    placed.chain(skipped).collect()
}

#[test]
fn every_key_is_placed_or_accounted_for() {
    let inside = || timed("2026-11-23T09:00", "2026-11-23T10:00");
    let mut schedule = event("s", "ana", inside());
    schedule.kind = Kind::Schedule;
    let mut addressed = event("m", "", inside());
    addressed.recipient = Recipient::Mailbox(Address::parse("ana@example.test").unwrap());
    let events = vec![
        event("1", "ana", inside()),
        event("2", "boss", inside()),
        event("3", "eve@example.test", inside()),
        event("4", "not a person", inside()),
        event("5", "ana", timed("2026-11-15T22:00", "2026-11-16T00:00")),
        event("6", "ana", timed("2026-11-15T22:00", "2026-11-16T00:01")),
        event("7", "ana", timed("2026-12-21T00:00", "2026-12-21T01:00")),
        event("8", "ana", timed("2026-11-23T10:00", "2026-11-23T09:00")),
        schedule,
        addressed,
    ];
    let mut read = read(events);
    for key in ["1", "bad"] {
        let key = Some(SourceKey::new("erp", Kind::Appointment, key));
        read.rejections.push(Rejection { key, place: "a".to_owned(), reason: "r".to_owned() });
    }
    let everybody = desired(&read, &Job { kinds: vec![Kind::Appointment], ..job() }, window());
    let expected = [
        "erp/appointment/1 ana@example.test",
        "erp/appointment/6 ana@example.test",
        "erp/appointment/m ana@example.test",
        "erp/appointment/2 ceo@example.test",
        "erp/appointment/3 eve@example.test",
        "erp/appointment/4 NoMailbox",
        "erp/appointment/5 OutOfWindow",
        "erp/appointment/7 OutOfWindow",
        "erp/appointment/8 Rejected",
        "erp/appointment/bad Rejected",
        "erp/appointment/s OtherKind",
    ];
    assert_eq!(summary(&everybody), expected);
    let reasons: Vec<&str> = everybody.rejections.iter().map(|rejection| rejection.reason.as_str()).collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    let chosen = Job { people: vec!["boss".to_owned(), "EVE@example.test".to_owned()], ..job() };
    let chosen = desired(&read, &chosen, window());
    assert_eq!(
        chosen.mailboxes.keys().map(Address::as_str).collect::<Vec<_>>(),
        ["ceo@example.test", "eve@example.test"]
    );
    let not_selected = chosen.skipped.iter().filter(|skipped| skipped.reason == SkipReason::NotSelected);
    assert_eq!(not_selected.count(), 8);
    let nobody = desired(&read, &Job { people_domain: None, ..job() }, window());
    assert!(nobody.rejections[0].reason.contains("people_domain"), "{:?}", nobody.rejections[0]);
}

#[test]
fn half_days_take_the_hours_and_the_zone_of_the_job() {
    let mut schedule = event("1", "ana", timed("2026-11-23T09:00", "2026-11-23T10:00"));
    schedule.time =
        SourceTime::Period { date: date(2026, 11, 23), period: Period::Afternoon, half_days: 3, zone: None };
    let result = desired(&read(vec![schedule]), &job(), window());
    let event = &result.mailboxes.values().next().unwrap()[0];
    assert_eq!(event.time, timed("2026-11-23T14:00", "2026-11-24T17:30"));
}

#[test]
fn content_is_normal_and_private_events_are_masked() {
    let mut plain = event("1", "ana", timed("2026-11-23T09:00", "2026-11-23T10:00"));
    plain.content = SourceContent {
        subject: Some(" Kick\n off\u{0} ".to_owned()),
        body: Some(Body { kind: BodyKind::Html, content: "<p>x</p>\r\n".to_owned() }),
        location: Some("Lyon".to_owned()),
        categories: Some(vec!["Project".to_owned(), "erp".to_owned()]),
        reminder: Some(SourceReminder::Minutes(u32::MAX)),
        ..SourceContent::default()
    };
    let mut private = plain.clone();
    private.key = SourceKey::new("erp", Kind::Appointment, "2");
    private.content.sensitivity = Some(Sensitivity::Private);
    private.content.reminder = Some(SourceReminder::Off);
    let source = read(vec![plain, private]);
    let masked = desired(&source, &job(), window());
    let [plain, private] = masked.mailboxes.values().next().unwrap().as_slice() else { panic!() };
    assert_eq!(plain.content.subject, "Kick off");
    assert_eq!((plain.content.body.kind, plain.content.body.content.as_str()), (BodyKind::Html, "<p>x</p>"));
    assert_eq!(plain.content.categories, ["ERP", "Project"]);
    assert_eq!(plain.content.reminder_minutes, Some(2_629_800));
    let content = &private.content;
    assert_eq!((content.subject.as_str(), content.location.as_str()), ("Private", ""));
    assert_eq!((content.body.content.as_str(), content.sensitivity), ("", Sensitivity::Private));
    assert_eq!(content.reminder_minutes, None);
    let shown = desired(&source, &Job { private_subject: None, ..job() }, window());
    assert_eq!(shown.mailboxes.values().next().unwrap()[1].content.subject, "Kick off");
}

fn exception(original: &str, start: Option<&str>) -> SourceException {
    let original: DateTime = original.parse().unwrap();
    let change = start.map(|start| {
        let start: DateTime = start.parse().unwrap();
        let end = start.checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
        let time = EventTime::Timed { start, end, zone: paris() };
        SourceChange { time, content: SourceContent::default() }
    });
    SourceException { original, change }
}

#[test]
fn exceptions_of_a_series_are_checked() {
    let original = "2026-11-30T09:00";
    let weekly = "FREQ=WEEKLY;COUNT=4";
    let cases: &[(&str, Vec<SourceException>, Result<usize, &str>)] = &[
        (weekly, vec![], Ok(0)),
        (weekly, vec![exception(original, Some("2026-12-01T14:00")), exception("2026-12-07T09:00", None)], Ok(2)),
        (weekly, vec![exception(original, Some(original))], Ok(0)),
        (weekly, vec![exception("2026-12-01T09:00", None)], Ok(0)),
        (weekly, vec![exception("2026-12-01T09:00", Some("2026-12-01T14:00"))], Err("no occurrence")),
        (weekly, vec![exception("2026-11-30T10:00", Some("2026-12-01T14:00"))], Err("no occurrence")),
        (weekly, vec![exception("2026-12-21T09:00", Some("2026-12-22T14:00"))], Err("no occurrence")),
        (weekly, vec![exception(original, None), exception(original, Some("2026-12-01T14:00"))], Err("two ways")),
        (weekly, vec![exception(original, Some("2026-12-07T14:00"))], Err("neighbour")),
        (weekly, vec![exception(original, Some("2026-12-06T14:00"))], Ok(1)),
        (weekly, vec![exception(original, Some("2026-11-23T14:00"))], Err("neighbour")),
        (weekly, vec![exception(original, Some("2026-12-15T14:00"))], Err("neighbour")),
        (weekly, vec![exception(original, Some("2026-12-07T14:00")), exception("2026-12-07T09:00", None)], Ok(2)),
        (
            weekly,
            vec![
                exception(original, Some("2026-12-08T14:00")),
                exception("2026-12-07T09:00", Some("2026-12-09T14:00")),
            ],
            Err("neighbour"),
        ),
        (
            weekly,
            vec![
                exception(original, Some("2026-12-07T14:00")),
                exception("2026-12-07T09:00", Some("2026-12-08T14:00")),
            ],
            Err("neighbour"),
        ),
        ("FREQ=HOURLY", vec![], Err("several occurrences a day")),
    ];
    for (rule, exceptions, expected) in cases {
        let mut series = event("1", "ana", timed("2026-11-23T09:00", "2026-11-23T10:00"));
        series.recurrence = Some(SourceRecurrence::of_rule(rule, exceptions.clone()));
        let result = desired(&read(vec![series]), &job(), window());
        match expected {
            Ok(count) => {
                let found = result.mailboxes.values().next().unwrap()[0].series.as_ref().unwrap();
                assert_eq!(found.exceptions.len(), *count, "{exceptions:?}");
            }
            Err(reason) => {
                assert!(result.rejections[0].reason.contains(reason), "{exceptions:?} {:?}", result.rejections);
                assert_eq!(result.skipped[0].reason, SkipReason::Rejected);
            }
        }
    }
}

#[test]
fn a_series_is_in_the_window_with_any_occurrence() {
    let cases = [
        ("FREQ=WEEKLY", "2020-01-06", vec![], true),
        ("FREQ=WEEKLY;UNTIL=20261115", "2020-01-06", vec![], false),
        ("FREQ=WEEKLY", "2026-12-21", vec![], false),
        ("FREQ=WEEKLY;COUNT=2", "2026-11-09", vec![], true),
        ("FREQ=WEEKLY;COUNT=2", "2026-11-09", vec![exception("2026-11-16T09:00", None)], false),
        ("FREQ=WEEKLY;COUNT=2", "2026-11-09", vec![exception("2026-11-16T09:00", Some("2026-11-15T09:00"))], false),
        ("FREQ=WEEKLY;COUNT=1", "2026-11-09", vec![exception("2026-11-09T09:00", Some("2026-11-16T09:00"))], true),
    ];
    for (rule, day, exceptions, inside) in cases {
        let time = timed(&format!("{day}T09:00"), &format!("{day}T10:00"));
        let mut series = event("1", "ana", time);
        series.recurrence = Some(SourceRecurrence::of_rule(rule, exceptions.clone()));
        let result = desired(&read(vec![series]), &job(), window());
        assert_eq!(result.rejections, [], "{rule}");
        assert_eq!(result.mailboxes.len() == 1, inside, "{rule} {day} {exceptions:?}");
    }
}

#[test]
fn a_changed_occurrence_keeps_what_it_does_not_change() {
    let mut series = event("1", "ana", timed("2026-11-23T09:00", "2026-11-23T10:00"));
    series.content.location = Some("Lyon".to_owned());
    let mut change = exception("2026-11-30T09:00", Some("2026-11-30T09:00"));
    change.change.as_mut().unwrap().content.subject = Some("B".to_owned());
    series.recurrence = Some(SourceRecurrence::of_rule("FREQ=WEEKLY;COUNT=3", vec![change]));
    let result = desired(&read(vec![series]), &job(), window());
    let found = result.mailboxes.values().next().unwrap()[0].series.clone().unwrap();
    let ExceptionChange::Changed { content, .. } = &found.exceptions[0].change else { panic!() };
    assert_eq!((content.subject.as_str(), content.location.as_str()), ("B", "Lyon"));
    assert_eq!(content.reminder_minutes, Some(10));
}
