#![allow(clippy::unwrap_used)]
use std::{collections::BTreeMap, time::Duration};

use jiff::civil::{DateTime, date, time};

use super::{Desired, SkipReason, desired};
use crate::{
    model::{
        address::Address,
        event::{Body, BodyKind, DesiredEvent, Importance, Sensitivity, ShowAs},
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
    settings::{Departure, Job, WorkingDays},
    template::Templates,
};

pub(super) fn paris() -> Zone {
    Zone::parse("Europe/Paris").unwrap()
}

pub(super) fn job() -> Job {
    Job {
        source: "erp".to_owned(),
        kinds: vec![Kind::Schedule, Kind::Appointment],
        people: Vec::new(),
        generic_people: Vec::new(),
        people_domain: Some("example.test".to_owned()),
        addresses: BTreeMap::from([("boss".to_owned(), Address::parse("ceo@example.test").unwrap())]),
        window_days_back: 7,
        window_days_ahead: 28,
        every: Duration::from_secs(60),
        zone: paris(),
        morning: (time(9, 0, 0, 0), time(12, 30, 0, 0)),
        afternoon: (time(14, 0, 0, 0), time(17, 30, 0, 0)),
        working_days: WorkingDays::default(),
        max_days: 60,
        cancelled: Departure::Delete,
        cancelled_subject: "Cancelled:".to_owned(),
        out_of_scope: Departure::Keep,
        keeps: None,
        show_as: ShowAs::Busy,
        sensitivity: Sensitivity::Normal,
        importance: Importance::Normal,
        categories: vec!["ERP".to_owned()],
        reminder_minutes: Some(10),
        private_subject: Some("Private".to_owned()),
        templates: Templates::default(),
    }
}

/// From Monday 2026-11-16 to Monday 2026-12-21.
pub(super) fn window() -> Window {
    let zone = paris();
    Window {
        start: zone.instant(date(2026, 11, 16).at(0, 0, 0, 0)),
        end: zone.instant(date(2026, 12, 21).at(0, 0, 0, 0)),
    }
}

pub(super) fn timed(start: &str, end: &str) -> EventTime {
    EventTime::Timed { start: start.parse().unwrap(), end: end.parse().unwrap(), zone: paris() }
}

pub(super) fn event(id: &str, person: &str, time: EventTime) -> SourceEvent {
    SourceEvent {
        key: SourceKey::new("erp", Kind::Appointment, id),
        kind: Kind::Appointment,
        place: format!("a.jsonl:{id}"),
        recipient: Recipient::Person(person.to_owned()),
        generic: false,
        cancelled: false,
        time: SourceTime::Fixed(time),
        recurrence: None,
        content: SourceContent { subject: Some("A".to_owned()), ..SourceContent::default() },
    }
}

pub(super) fn read(events: Vec<SourceEvent>) -> SourceRead {
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

/// The items of the only event: its own, with the number of exceptions, and its parts; or the reason of its rejection.
fn items(event: SourceEvent) -> String {
    let result = desired(&read(vec![event]), &job(), window());
    if let [rejection] = result.rejections.as_slice() {
        assert_eq!(result.skipped[0].reason, SkipReason::Rejected);
        return rejection.reason.clone();
    }
    let minute = |wall: DateTime| wall.strftime("%Y-%m-%dT%H:%M");
    let item = |event: &std::sync::Arc<DesiredEvent>| match (event.key.whole(), &event.series, event.time.start()) {
        (None, Some(series), start) => format!("series {} with {}", start.date(), series.exceptions.len()),
        (None, None, start) => format!("single {}", minute(start)),
        (Some((_, original)), _, start) if start == original => minute(original).to_string(),
        (Some((_, original)), _, start) => format!("{} at {}", minute(original), minute(start)),
    };
    result.mailboxes.values().flatten().map(item).collect::<Vec<_>>().join(", ")
}

#[test]
fn exceptions_of_a_series_are_checked() {
    let original = "2026-11-30T09:00";
    let (second, third) = ("2026-12-07T09:00", "2026-12-14T09:00");
    let weekly = "FREQ=WEEKLY;COUNT=4";
    let cases: &[(&str, Vec<SourceException>, &str)] = &[
        (weekly, vec![], "series 2026-11-23 with 0"),
        (
            weekly,
            vec![exception(original, Some("2026-12-01T14:00")), exception(second, None)],
            "series 2026-11-23 with 2",
        ),
        (weekly, vec![exception(original, Some(original))], "series 2026-11-23 with 0"),
        (weekly, vec![exception("2026-12-01T09:00", None)], "series 2026-11-23 with 0"),
        (weekly, vec![exception("2026-12-01T09:00", Some("2026-12-01T14:00"))], "no occurrence"),
        (weekly, vec![exception("2026-11-30T10:00", Some("2026-12-01T14:00"))], "no occurrence"),
        (weekly, vec![exception("2026-12-21T09:00", Some("2026-12-22T14:00"))], "no occurrence"),
        (weekly, vec![exception(original, None), exception(original, Some("2026-12-01T14:00"))], "two ways"),
        // What moves to or across the day of its neighbour is shown beside the series.
        (
            weekly,
            vec![exception(original, Some("2026-12-07T14:00"))],
            "series 2026-11-23 with 1, 2026-11-30T09:00 at 2026-12-07T14:00",
        ),
        (weekly, vec![exception(original, Some("2026-12-06T14:00"))], "series 2026-11-23 with 1"),
        (
            weekly,
            vec![exception(original, Some("2026-11-23T14:00"))],
            "series 2026-11-23 with 1, 2026-11-30T09:00 at 2026-11-23T14:00",
        ),
        (
            weekly,
            vec![exception(original, Some("2026-12-15T14:00"))],
            "series 2026-11-23 with 1, 2026-11-30T09:00 at 2026-12-15T14:00",
        ),
        (
            weekly,
            vec![exception(original, Some("2026-12-07T14:00")), exception(second, None)],
            "series 2026-11-23 with 2",
        ),
        (
            weekly,
            vec![exception(original, Some("2026-12-08T14:00")), exception(second, Some("2026-12-09T14:00"))],
            "series 2026-11-23 with 2, 2026-12-07T09:00 at 2026-12-09T14:00",
        ),
        (
            weekly,
            vec![exception(original, Some("2026-12-01T14:00")), exception(second, Some("2026-12-01T16:00"))],
            "series 2026-11-23 with 2, 2026-12-07T09:00 at 2026-12-01T16:00",
        ),
        // Two that change places: the later one leaves, and the earlier one is still in the way of nobody.
        (
            weekly,
            vec![exception(second, Some("2026-12-14T14:00")), exception(third, Some("2026-12-07T14:00"))],
            "series 2026-11-23 with 2, 2026-12-14T09:00 at 2026-12-07T14:00",
        ),
        // All cancelled: there is nothing to show, and what was shown goes.
        ("FREQ=WEEKLY;COUNT=2", vec![exception("2026-11-23T09:00", None), exception(original, None)], ""),
    ];
    for (rule, exceptions, expected) in cases {
        let mut series = event("1", "ana", timed("2026-11-23T09:00", "2026-11-23T10:00"));
        series.recurrence = Some(SourceRecurrence::of_rule(rule, exceptions.clone()));
        let found = items(series);
        let fits = if expected.starts_with("series") { found == *expected } else { found.contains(expected) };
        assert!(fits && (found.is_empty() || !expected.is_empty()), "{exceptions:?}: {found}");
    }
}

#[test]
fn rules_that_outlook_cannot_say_become_single_events() {
    let recurrence = |rules: &[&str], additional: &[&str], excluded: &[&str]| SourceRecurrence {
        rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        additional: additional.iter().map(|time| time.parse().unwrap()).collect(),
        excluded_rules: excluded.iter().map(|rule| (*rule).to_owned()).collect(),
        exceptions: vec![exception("2026-12-15T09:00", Some("2026-12-16T09:00")), exception("2026-12-18T09:00", None)],
    };
    let (first, fifteenth) = ("2026-12-01T09:00", "2026-12-15T09:00 at 2026-12-16T09:00");
    let twice_a_month = "FREQ=MONTHLY;BYMONTHDAY=1,15";
    let cases = [
        // The window is 2026-11-16 to 2026-12-21.
        ("2015-01-01", recurrence(&[twice_a_month], &[], &[]), format!("{first}, {fifteenth}")),
        ("2026-12-01", recurrence(&[&format!("{twice_a_month};COUNT=2")], &[], &[]), format!("{first}, {fifteenth}")),
        ("2020-12-01", recurrence(&["FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=3"], &[], &[]), "no occurrence".to_owned()),
        ("2026-12-01", recurrence(&[], &["2026-12-15T09:00"], &[]), format!("{first}, {fifteenth}")),
        (
            "2026-12-01",
            recurrence(
                &["FREQ=WEEKLY;COUNT=3", "FREQ=WEEKLY;INTERVAL=2;BYHOUR=9,11;COUNT=4"],
                &[],
                &["FREQ=MONTHLY;BYMONTHDAY=8"],
            ),
            format!("{first}, 2026-12-01T11:00, {fifteenth}, 2026-12-15T11:00"),
        ),
        // A series with single events beside it; a cancelled RDATE is none.
        (
            "2026-12-01",
            recurrence(&["FREQ=WEEKLY;COUNT=3"], &["2026-12-08T09:00", "2026-12-08T13:00", "2026-12-18T09:00"], &[]),
            "series 2026-12-01 with 1, 2026-12-08T13:00".to_owned(),
        ),
        // A start off the rule counts as the first of three.
        (
            "2026-11-30",
            recurrence(&["FREQ=WEEKLY;BYDAY=TU;COUNT=4"], &[], &[]),
            "series 2026-12-01 with 1, 2026-11-30T09:00".to_owned(),
        ),
        (
            "2026-11-30",
            recurrence(&["FREQ=WEEKLY;BYDAY=TU;COUNT=3"], &[], &[]),
            "no occurrence at 2026-12-15".to_owned(),
        ),
        ("2026-11-23", recurrence(&["FREQ=MINUTELY"], &[], &[]), "more than 10000 occurrences".to_owned()),
        ("2026-12-15", recurrence(&["FREQ=MINUTELY;INTERVAL=8"], &[], &[]), "more than 1000 occurrences".to_owned()),
        ("2000-01-01", recurrence(&["FREQ=SECONDLY;BYHOUR=9;BYMINUTE=0;BYSECOND=0"], &[], &[]), String::new()),
    ];
    for (day, recurrence, expected) in cases {
        let mut series = event("1", "ana", timed(&format!("{day}T09:00"), &format!("{day}T10:00")));
        let words = format!("{recurrence:?}");
        series.recurrence = Some(recurrence);
        let found = items(series);
        let fits = if expected.starts_with("20") || expected.starts_with("series") {
            found == expected
        } else {
            found.contains(&expected)
        };
        assert!(fits, "{words}: {found}");
    }
}

#[test]
fn an_occurrence_of_another_form_is_shown_beside_its_series() {
    let mut series = event("1", "ana", timed("2026-11-23T09:00", "2026-11-23T10:00"));
    let mut change = exception("2026-11-30T09:00", Some("2026-11-30T09:00"));
    let day = date(2026, 11, 30);
    change.change.as_mut().unwrap().time = EventTime::AllDay { first: day, last: day, zone: paris() };
    series.recurrence = Some(SourceRecurrence::of_rule("FREQ=WEEKLY", vec![change]));
    let result = desired(&read(vec![series]), &job(), window());
    let [series, part] = result.mailboxes.values().next().unwrap().as_slice() else { panic!() };
    assert_eq!(series.series.as_ref().unwrap().exceptions[0].change, ExceptionChange::Cancelled);
    assert!(part.time.is_all_day());
    let [note] = result.notes.as_slice() else { panic!() };
    assert_eq!((note.items, note.reason.contains("another form")), (2, true));
}

#[test]
fn a_series_is_in_the_window_with_any_occurrence() {
    let cases = [
        ("FREQ=WEEKLY", "2020-01-06", vec![], true),
        ("FREQ=WEEKLY;UNTIL=20261115", "2020-01-06", vec![], false),
        ("FREQ=WEEKLY", "2026-12-21", vec![], false),
        ("FREQ=WEEKLY;COUNT=2", "2026-11-09", vec![], true),
        ("FREQ=WEEKLY;COUNT=2", "2026-11-09", vec![exception("2026-11-16T09:00", None)], true),
        ("FREQ=WEEKLY;COUNT=2", "2026-11-09", vec![exception("2026-11-16T09:00", Some("2026-11-15T09:00"))], true),
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

fn schedule(id: &str, person: &str, period: Period, half_days: u32) -> SourceEvent {
    let mut schedule = event(id, person, timed("2026-11-23T09:00", "2026-11-23T10:00"));
    schedule.kind = Kind::Schedule;
    schedule.time = SourceTime::Period { date: date(2026, 11, 27), period, half_days, zone: None };
    schedule
}

/// 2026-11-27 is a Friday.
#[test]
fn a_schedule_over_a_weekend_is_two_items() {
    let read = read(vec![schedule("1", "ana", Period::Afternoon, 3)]);
    let shown = |job: &Job, window: Window| {
        let result = desired(&read, job, window);
        let items = result.mailboxes.into_values().flatten();
        let text = |item: &DesiredEvent| format!("{} {} {}", item.key, item.time.start(), item.time.end());
        (items.map(|item| text(&item)).collect::<Vec<_>>(), result.skipped.len())
    };
    let friday = "erp/appointment/1 2026-11-27T14:00:00 2026-11-27T17:30:00".to_owned();
    let monday = "erp/appointment/1#20261130T000000 2026-11-30T00:00:00 2026-12-01T00:00:00".to_owned();
    assert_eq!(shown(&job(), window()), (vec![friday.clone(), monday.clone()], 0));
    let end = paris().instant(date(2026, 11, 30).at(0, 0, 0, 0));
    assert_eq!(shown(&job(), Window { end, ..window() }), (vec![friday], 1));
    assert_eq!(shown(&job(), Window { start: end, ..window() }), (vec![monday], 1));
    let every_day = Job { working_days: WorkingDays { skip: false, ..WorkingDays::default() }, ..job() };
    let through = "erp/appointment/1 2026-11-27T14:00:00 2026-11-28T17:30:00".to_owned();
    assert_eq!(shown(&every_day, window()), (vec![through], 0));
}

#[test]
fn planned_workloads_and_generic_people_are_left_out() {
    let mut told = schedule("told", "ana", Period::Day, 2);
    told.generic = true;
    let mut nobody = schedule("nobody", "not a person", Period::Day, 2);
    nobody.generic = true;
    let events = vec![
        schedule("longest", "ana", Period::Day, 6),
        schedule("longer", "ana", Period::Day, 7),
        schedule("load", "ana", Period::Day, 150),
        told,
        nobody,
        schedule("code", "GEN01", Period::Day, 150),
        schedule("address", "gen02", Period::Day, 2),
    ];
    let generic_people = vec!["GEN01".to_owned(), "Gen02@example.test".to_owned()];
    let result = desired(&read(events), &Job { max_days: 3, generic_people, ..job() }, window());
    let skipped: Vec<String> = result
        .skipped
        .iter()
        .map(|skipped| {
            let mailbox = skipped.mailbox.as_ref().map_or("nobody", |mailbox| mailbox.as_str());
            format!("{} of {mailbox}: {}", skipped.key.as_str().rsplit('/').next().unwrap(), skipped.reason)
        })
        .collect();
    let generic = "of a generic person, who has no calendar";
    assert_eq!(
        skipped,
        [
            format!("address of gen02@example.test: {generic}"),
            format!("code of gen01@example.test: {generic}"),
            "load of ana@example.test: a planned workload of 75 days, over max_days = 3".to_owned(),
            "longer of ana@example.test: a planned workload of 3.5 days, over max_days = 3".to_owned(),
            format!("nobody of nobody: {generic}"),
            format!("told of ana@example.test: {generic}"),
        ]
    );
    assert_eq!(result.rejections, []);
    let shown: Vec<&str> = result.mailboxes.values().flatten().map(|item| item.key.as_str()).collect();
    assert_eq!(shown, ["erp/appointment/longest", "erp/appointment/longest#20261130T000000"]);
}
