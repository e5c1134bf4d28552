//! What happened to an event is told: what its source said, what was decided, what the server answered.

use calsyncd::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::harness::{Face, World, appointment, day, many};

through!(an_event_has_a_history: Ews Graph);
through!(a_day_of_a_mailbox_is_told: Ews Graph);
through!(a_refusal_is_told_with_its_request: Ews Graph);

const KEY: &str = "inbox/appointment/ana-000";

fn why(world: &World, key: &str) -> Value {
    world.command(&["why", key, "--json"]).expect(0, &[]).json()
}

/// `step word code`, entry by entry.
fn words(history: &Value) -> Vec<String> {
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    let entries = history.as_array().unwrap().iter();
    entries.map(|entry| format!("{} {} {}", word(entry, "step"), word(entry, "word"), word(entry, "code"))).collect()
}

fn an_event_has_a_history(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 2);
    events[0]["subject"] = json!("Confidential title");
    world.events(&events);
    world.sync();
    // What stays as it is has no history.
    world.sync();
    events[0]["subject"] = json!("Another confidential title");
    world.events(&events);
    world.sync();
    world.events(&events[1..]);
    assert_eq!(world.sync().changes(), [0, 0, 1]);

    let told = why(&world, KEY);
    let history = told["history"].as_array().unwrap();
    let expected = [
        "decision create new",
        "answer written -",
        "decision update source_changed",
        "answer written -",
        "decision delete deleted_in_source",
        "answer gone -",
    ];
    assert_eq!(words(&told["history"]), expected, "{told:#}");
    let sources: Vec<&Value> = history.iter().step_by(2).map(|entry| &entry["source"]).collect();
    assert_eq!(sources, ["seen", "changed", "gone"]);
    assert_eq!((&history[2]["detail"], &history[3]["verb"]), (&json!("subject"), &json!("update")));
    for entry in history {
        assert_eq!(entry["mailbox"], "ana@example.test");
        assert_eq!(entry["request_id"].is_string(), entry["step"] == "answer", "{entry}");
        assert_eq!(entry["start"].is_string(), matches!(entry["word"].as_str(), Some("create" | "update")), "{entry}");
    }
    let text = world.command(&["why", KEY]).expect(0, &["source: seen; decided: create (new)", "(request "]).out;
    let last = text.lines().last().unwrap();
    assert!(last.contains("answer to delete: gone"), "the oldest is first: {text}");
    let folder = world.state_path().parent().unwrap().to_owned();
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(
            !bytes.windows(12).any(|part| part == b"Confidential" || part == b"confidential"),
            "a title in the state"
        );
    }
}

fn a_day_of_a_mailbox_is_told(face: Face) {
    let world = World::new(face);
    let long = json!({ "kind": "schedule", "id": "long", "person": "ana", "date": day(1).to_string(), "period": "day", "days": 100 });
    let one = |id: &str, days: i32| appointment(id, "ana", days, "09:00");
    let weekly = json!({
        "kind": "appointment", "id": "weekly", "person": "ana", "subject": "s", "recurrence": "FREQ=WEEKLY;COUNT=3",
        "start": format!("{}T15:00", day(1)), "end": format!("{}T16:00", day(1)),
    });
    world.events(&[one("stays", 1), one("moves", 1), one("goes", 1), one("other", 2), weekly.clone(), long.clone()]);
    world.sync();
    world.events(&[one("stays", 1), one("moves", 2), one("other", 2), weekly, long]);
    world.sync();
    let on =
        |days: i32| world.command(&["why", "ana@example.test", &day(days).to_string(), "--json"]).expect(0, &[]).json();
    let keys = |told: &Value, list: &str| -> Vec<String> {
        let short = |entry: &Value| entry["key"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        told[list].as_array().unwrap().iter().map(short).collect()
    };
    let told = on(1);
    assert_eq!(told["zone"], "Europe/Paris");
    assert_eq!(keys(&told, "events"), ["stays", "weekly"], "{told:#}");
    assert_eq!(keys(&told, "before"), ["goes", "moves"], "{told:#}");
    assert_eq!(keys(&told, "left_out"), ["long"], "{told:#}");
    assert_eq!(told["events"][0]["state"], "written as it should be");
    assert_eq!(told["before"][0]["state"], "not in the calendar");
    assert_eq!(words(&told["before"][0]["history"]).last().unwrap(), "answer gone -");
    assert!(told["before"][1]["now"]["start"].as_str().unwrap().starts_with(&day(2).to_string()), "{told:#}");
    assert_eq!(keys(&on(2), "events"), ["moves", "other"]);
    assert_eq!(keys(&on(8), "events"), ["weekly"]);
    let other = on(9);
    assert_eq!((&other["events"], &other["before"]), (&json!([]), &json!([])), "a series has no occurrence then");

    let words = [
        "event    inbox/appointment/stays",
        "before   inbox/appointment/moves  moved to",
        "removed",
        "left out inbox/schedule/long",
    ];
    world.command(&["why", "ana@example.test", &day(1).to_string()]).expect(0, &words);
    world.command(&["why", "dan@example.test", &day(1).to_string()]).expect(0, &["no source holds anything"]);
    world.command(&["why", "ana@example.test"]).expect(1, &["hint: a mailbox is asked about with a day"]);
    world
        .command(&["why", "ana@example.test", "tomorrow"])
        .expect(1, &["\"tomorrow\" is not a day", "hint: a day looks like"]);
    world.command(&["why", "ana", "2026-11-27"]).expect(1, &["hint: give an SMTP address"]);
}

fn a_refusal_is_told_with_its_request(face: Face) {
    let world = World::new(face);
    world.inject(Fault { times: 1, ..Fault::nth(FaultKind::Http500, 1, face.create()) });
    world.events(&many("ana", 1));
    world.sync();
    let told = why(&world, KEY);
    let history = told["history"].as_array().unwrap();
    assert_eq!(history[0]["word"], "create");
    assert_eq!(history[1]["word"], "failed", "{told:#}");
    assert!(history[1]["code"].is_string());
    assert_eq!(history.last().unwrap()["word"], "written", "{told:#}");
}

#[test]
fn verdicts_rejections_and_a_purge_are_told() {
    let world = World::new(Face::Ews);
    let events = many("ana", 30);
    world.events(&events);
    world.sync();
    world.events(&events[..12]);
    world.sync();
    let gone = "inbox/appointment/ana-029";
    world.sync();
    world.command(&["held", "approve", gone, "--by", "eva"]).expect(0, &[]);
    world.sync();
    let told = why(&world, gone);
    let expected = [
        "decision create new",
        "answer written -",
        "decision hold deleted_in_source",
        "verdict approved -",
        "decision delete deleted_in_source",
        "answer gone -",
    ];
    assert_eq!(words(&told["history"]), expected, "{told:#}");
    world.command(&["why", gone]).expect(0, &["deletion approved by eva"]);

    let mut broken = events[0].clone();
    broken["end"] = json!("1999-01-01T00:00");
    world.events(&[&[broken], &events[1..]].concat());
    world.sync();
    world.events(&events);
    world.sync();
    let told = words(&why(&world, KEY)["history"]);
    assert_eq!(told[2..], ["source rejected -", "decision keep rejected", "source no_longer_rejected -"]);

    world.command(&["purge", "--mailbox", "ana@example.test", "--yes"]).expect(0, &[]);
    let told = words(&why(&world, KEY)["history"]);
    assert_eq!(told[5..], ["decision delete purged", "answer gone -"]);
}

#[test]
fn whoever_is_left_alone_is_named_with_since_and_next_try() {
    let mut world = World::new(Face::Ews);
    world.configure(|config| config.set("jobs.inbox", "people_domain", "\"example.test\""));
    world.events(&[appointment("1", "ana", 1, "09:00"), appointment("2", "zoe", 1, "09:00")]);
    assert_eq!(world.try_sync().code, 1);
    let status = world.status();
    let mailboxes = status["mailboxes"].as_array().unwrap();
    let zoe = mailboxes.iter().find(|mailbox| mailbox["mailbox"] == "zoe@example.test").unwrap();
    let parked = &zoe["parked"];
    assert!(parked["since"].is_string() && parked["until"].is_string() && parked["message"].is_string(), "{parked}");
    let since = parked["since"].clone();
    assert_eq!(world.try_sync().code, 1);
    let status = world.status();
    let mailboxes = status["mailboxes"].as_array().unwrap();
    let zoe = mailboxes.iter().find(|mailbox| mailbox["mailbox"] == "zoe@example.test").unwrap();
    assert_eq!(zoe["parked"]["since"], since, "it is parked since the first time");
    world.command(&["status"]).expect(0, &["parked      zoe@example.test: ", "(since ", "next try "]);
    world.command(&["why", "inbox/appointment/2"]).expect(0, &["parked   zoe@example.test: "]);

    let folder = world.path().join("events");
    let away = world.path().join("away");
    std::fs::rename(&folder, &away).unwrap();
    world.try_sync();
    let waits = world.status()["waits"].clone();
    assert_eq!(
        (&waits[0]["scope"], &waits[0]["source"], &waits[0]["code"]),
        (&json!("source"), &json!("inbox"), &json!("unreadable"))
    );
    world.command(&["status"]).expect(0, &["waits       source inbox: unreadable", "since", "next try"]);
    std::fs::rename(&away, &folder).unwrap();
    world.try_sync();
    assert_eq!(world.status()["waits"], json!([]));
}
