//! What a person sees: events arrive, change, go, and nothing is written twice.

use calsyncd::sandbox::store::{Sensitivity, ShowAs};
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::harness::{Face, World, appointment, day, on, series};

through!(the_life_of_events: Ews Delegate Graph);
through!(a_series_and_its_exceptions: Ews Graph);

/// A file of one event of whole days.
fn icalendar(first: Date, end: Date) -> String {
    let (first, end) = (first.strftime("%Y%m%d"), end.strftime("%Y%m%d"));
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//test//EN",
        "BEGIN:VEVENT",
        "UID:course@x",
        "DTSTAMP:20260101T000000Z",
        &format!("DTSTART;VALUE=DATE:{first}"),
        &format!("DTEND;VALUE=DATE:{end}"),
        "SUMMARY:Course",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    .join(
        "
",
    )
}

fn initial() -> Vec<Value> {
    let mut meeting = appointment("meeting", "ana", 2, "10:00");
    meeting["categories"] = json!(["Project", "Élan"]);
    meeting["body"] = json!("Agenda:\n1. Où en sommes-nous 🎉");
    let mut private = appointment("doctor", "ana", 3, "17:00");
    private["sensitivity"] = json!("private");
    let mut all_day = appointment("leave", "bob", 4, "00:00");
    all_day["all_day"] = json!(true);
    all_day["start"] = json!(day(4).to_string());
    all_day["end"] = json!(day(5).to_string());
    all_day["show_as"] = json!("out_of_office");
    let audit = json!({
        "kind": "schedule", "id": "audit", "person": "bob", "subject": "Audit", "date": day(6).to_string(),
        "period": "afternoon", "days": 0.5,
    });
    vec![meeting, private, all_day, audit, appointment("short", "chloe", 2, "08:00")]
}

fn the_life_of_events(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("jobs.inbox", "private_subject", "\"Private\""));
    let mut events = initial();
    world.events(&events);
    world.file("chloe/course.ics", icalendar(day(8), day(10)));

    assert_eq!(world.sync().changes(), [6, 0, 0]);
    let ana = world.shown("ana");
    assert_eq!(ana.line("appointment/meeting"), format!("{} {} Meeting meeting", on(2, "10:00"), on(2, "11:00")));
    let meeting = ana.one("appointment/meeting");
    assert_eq!(meeting.content.location.as_deref(), Some("Lyon"));
    assert_eq!(meeting.content.categories, ["Project", "Élan"]);
    let doctor = ana.one("appointment/doctor");
    assert_eq!(doctor.content.subject, "Private");
    assert_eq!((doctor.content.sensitivity, doctor.content.location.as_deref()), (Sensitivity::Private, None));
    let bob = world.shown("bob");
    let leave = bob.one("appointment/leave");
    assert!(leave.content.all_day && leave.content.show_as == ShowAs::OutOfOffice);
    assert_eq!(bob.line("appointment/leave"), format!("{} {} Meeting leave", on(4, "00:00"), on(6, "00:00")));
    assert_eq!(bob.line("schedule/audit"), format!("{} {} Audit", on(6, "14:00"), on(6, "17:30")));
    let chloe = world.shown("chloe");
    assert_eq!(chloe.ours.len(), 2);
    assert!(chloe.ours.values().flatten().any(|entry| entry.content.subject == "Course" && entry.content.all_day));

    let written = world.writes();
    assert_eq!(world.sync().changes(), [0, 0, 0], "the second pass");
    assert_eq!(world.writes(), written);

    events[0]["start"] = json!(on(2, "15:00"));
    events[0]["end"] = json!(on(2, "16:30"));
    events[0]["subject"] = json!("Meeting, later");
    let gone = events.remove(3);
    assert_eq!(gone["id"], "audit");
    events.push(appointment("new", "dan", 9, "11:00"));
    world.events(&events);
    assert_eq!(world.sync().changes(), [1, 1, 1]);
    let after = world.shown("ana");
    assert_eq!(after.line("appointment/meeting"), format!("{} {} Meeting, later", on(2, "15:00"), on(2, "16:30")));
    assert_eq!(after.one("appointment/meeting").immutable_id, meeting.immutable_id, "changed in place");
    world.assert_exactly("bob", &events);
    world.assert_exactly("dan", &events);

    // Handed to another person.
    events[4]["person"] = json!("ana");
    world.events(&events);
    assert_eq!(world.sync().changes(), [1, 0, 1]);
    world.assert_exactly("ana", &events);
    world.assert_exactly("dan", &events);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

fn a_series_and_its_exceptions(face: Face) {
    let world = World::new(face);
    let moved = |time: &str| json!({"original": on(14, "09:00"), "start": on(14, time), "end": on(14, "16:00")});
    let cancelled = |days| json!({"original": on(days, "09:00"), "cancelled": true});
    let lines = |starts: &[(i32, &str, &str)]| -> Vec<String> {
        starts.iter().map(|(days, from, to)| format!("{} {} Weekly", on(*days, from), on(*days, to))).collect()
    };
    world.events(&[series("s", "ana", &json!([moved("15:00"), cancelled(21)]))]);
    assert_eq!(world.sync().changes(), [1, 0, 0]);
    let plain = [(7, "09:00", "09:30"), (14, "15:00", "16:00"), (28, "09:00", "09:30"), (35, "09:00", "09:30")];
    assert_eq!(world.agenda("ana"), lines(&plain));
    assert_eq!(world.sync().changes(), [0, 0, 0]);

    // The exception changes, another occurrence is cancelled.
    world.events(&[series("s", "ana", &json!([moved("15:30"), cancelled(21), cancelled(28)]))]);
    assert_eq!(world.sync().changes(), [0, 1, 0]);
    let later = [(7, "09:00", "09:30"), (14, "15:30", "16:00"), (35, "09:00", "09:30")];
    assert_eq!(world.agenda("ana"), lines(&later));
    assert_eq!(world.sync().changes(), [0, 0, 0]);

    // An exception goes back to the rule; what was cancelled takes place again.
    world.events(&[series("s", "ana", &json!([cancelled(28)]))]);
    world.sync();
    let back = [(7, "09:00", "09:30"), (14, "09:00", "09:30"), (21, "09:00", "09:30"), (35, "09:00", "09:30")];
    assert_eq!(world.agenda("ana"), lines(&back));
    assert_eq!(world.sync().changes(), [0, 0, 0]);

    world.events(&[series("s", "ana", &json!([cancelled(28)])), appointment("other", "ana", 1, "09:00")]);
    world.sync();
    world.events(&[appointment("other", "ana", 1, "09:00")]);
    assert_eq!(world.sync().changes(), [0, 0, 1]);
    world.assert_exactly("ana", &[appointment("other", "ana", 1, "09:00")]);
}
