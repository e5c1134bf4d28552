//! Bad input gets a clear error and loses nothing.

use std::{fs, os::unix::fs::PermissionsExt};

use calsyncd::sandbox::MailboxCondition;
use serde_json::{Value, json};

use crate::harness::{Face, World, appointment, many, on};

through!(malformed_events_are_quarantined: Ews Graph);
through!(a_mailbox_that_is_not_there_stops_nobody_else: Ews Delegate Graph);

/// Events that cannot be used, each with a word of its reason.
fn malformed() -> Vec<(Value, &'static str)> {
    let with = |id: &str, field: &str, value: Value| {
        let mut event = appointment(id, "ana", 3, "09:00");
        event[field] = value;
        event
    };
    vec![
        (with("zone", "zone", json!("Europe/Atlantis")), "zone"),
        (with("backwards", "end", json!(on(2, "09:00"))), "before"),
        (with("year-0", "start", json!("0000-01-01T09:00")), "year"),
        (with("year-9999", "end", json!("9999-12-31T23:59")), ""),
        (with("date", "start", json!("2026-02-30T09:00")), "2026-02-30"),
        (with("field", "subjekt", json!("x")), "subjekt"),
        (with("rule", "recurrence", json!("FREQ=SOMETIMES")), ""),
        (with("nobody", "person", Value::Null), "mailbox"),
    ]
}

fn malformed_events_are_quarantined(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 4);
    let ids: Vec<&str> = vec!["zone", "backwards", "year-0", "year-9999", "date", "field", "rule", "nobody"];
    events.extend(ids.iter().map(|id| appointment(id, "ana", 3, "09:00")));
    world.events(&events);
    assert_eq!(world.sync().changes(), [12, 0, 0]);

    // The same events, no longer fit for use: their items stay, the rest goes on.
    let malformed = malformed();
    let mut changed = events[..4].to_vec();
    changed[0]["location"] = json!("Paris");
    let good: String = changed.iter().map(|event| format!("{event}\n")).collect();
    let bad: String = malformed.iter().map(|(event, _)| format!("{event}\n")).collect();
    world.file("events.jsonl", format!("{good}{bad}"));
    let pass = world.sync();
    assert_eq!(pass.changes(), [0, 1, 0], "{:#}", pass.json);
    world.assert_exactly("ana", &events);
    let status = world.status();
    for (number, (event, word)) in malformed.iter().enumerate() {
        let place = format!("events.jsonl:{}", 5 + number);
        let quarantine = status["quarantine"].as_array().unwrap();
        let found = quarantine.iter().find(|one| one["place"].as_str().unwrap().ends_with(&place));
        let found = found.unwrap_or_else(|| panic!("{place}, {event}: {status:#}"));
        assert!(found["reason"].as_str().unwrap().to_lowercase().contains(word), "{word}: {found}");
        assert_eq!(found["key"], format!("inbox/appointment/{}", event["id"].as_str().unwrap()));
    }

    // Lines and files that name no event: nothing is deleted while one of them is there.
    let nameless: [(&str, &[u8], bool); 4] = [
        ("half.jsonl", b"{\"kind\":\"appointment\",\"id\":\n", true),
        ("other.jsonl", b"\xff\xfe{\x00", true),
        ("ana.ics", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:yesterday\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", true),
        ("bob.ics", b"this is no calendar", false),
    ];
    let daemon = world.daemon();
    for (file, content, has_line) in nameless {
        world.file(file, content);
        let of_file = |one: &Value| one["reason"].as_str().is_some_and(|reason| reason.contains(file));
        daemon.wait_after(0, "source_incomplete", of_file);
        if has_line {
            daemon.wait_after(0, "event_quarantined", |line| line["place"].as_str().unwrap().starts_with(file));
        }
    }
    let mark = daemon.mark();
    world.file("events.jsonl", &good);
    daemon.wait_after(mark, "source_read_finished", |line| line["rejected"] == 3);
    let mark = daemon.mark();
    daemon.signal("HUP");
    daemon.wait_after(mark, "mailbox_pass_finished", |_| true);
    daemon.stop();
    world.assert_exactly("ana", &events);
    for (file, _, _) in nameless {
        fs::remove_file(world.path().join("events").join(file)).unwrap();
    }

    world.events(&changed);
    assert_eq!(world.sync().changes(), [0, 0, 8]);
    assert_eq!(world.status()["quarantine"], json!([]));
    world.assert_exactly("ana", &changed);
}

fn a_mailbox_that_is_not_there_stops_nobody_else(face: Face) {
    let mut world = World::with(face, |settings| settings.mailboxes[2].state = MailboxCondition::Elsewhere);
    world.configure(|config| config.set("exchange", "max_threads", "1"));
    let events = [many("aaron", 2), many("ana", 2), many("bob", 2), many("chloe", 2), many("dan", 2)].concat();
    world.events(&events);
    let pass = world.try_sync();
    assert_eq!(pass.code, 1);
    for person in ["ana", "bob", "dan"] {
        assert_eq!(pass.of(person)["created"], 2, "{person}");
        world.assert_exactly(person, &events);
    }
    let status = world.status();
    for person in ["aaron", "chloe"] {
        let mailbox = pass.of(person);
        assert!(mailbox["error"].is_string() && mailbox["hint"].is_string(), "{mailbox}");
        let address = format!("{person}@example.test");
        let parked = status["mailboxes"].as_array().unwrap().iter().find(|one| one["mailbox"] == address).unwrap();
        assert!(parked["parked"]["code"].is_string(), "{parked}");
    }
    let daemon = world.daemon();
    daemon.wait_after(0, "mailbox_pass_finished", |line| line["mailbox"] == "dan@example.test");
    daemon.stop();
}

#[test]
fn a_state_that_cannot_be_used_is_named_and_left_alone() {
    let mut world = World::new(Face::Ews);
    world.events(&many("ana", 2));
    world.sync();
    let state = world.state_path();
    for garbage in [vec![b'x'; 9000], b"SQLite format 3\0 and no more".to_vec()] {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{suffix}", state.display()));
        }
        fs::write(&state, &garbage).unwrap();
        for command in ["sync", "run", "plan", "status"] {
            world.command(&[command]).expect(1, &["calsyncd.sqlite", "hint: "]);
        }
        assert_eq!(fs::read(&state).unwrap(), garbage);
    }
    fs::remove_file(&state).unwrap();
    fs::create_dir(&state).unwrap();
    world.command(&["run"]).expect(1, &["calsyncd.sqlite", "hint: "]);
    let written = world.writes();

    // A folder that cannot be written to; the superuser can write everywhere.
    let folder = world.path().join("read-only");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(folder.join("probe"), "").is_err() {
        world.configure(|config| config.set("state", "path", "\"read-only/calsyncd.sqlite\""));
        world.command(&["run"]).expect(1, &["read-only", "hint: "]);
    }
    world.configure(|config| config.set("state", "path", "\"secret/calsyncd.sqlite\""));
    world.command(&["run"]).expect(1, &["secret/calsyncd.sqlite", "hint: "]);
    assert_eq!(world.writes(), written);
}

#[test]
fn a_state_in_use_is_not_shared() {
    let world = World::new(Face::Ews);
    world.events(&many("ana", 2));
    let daemon = world.daemon();
    daemon.wait("mailbox_pass_finished");
    world.command(&["sync"]).expect(1, &["in use", "hint: "]);
    world.command(&["run"]).expect(1, &["in use", "hint: "]);
    world.command(&["plan"]).expect(0, &["2 kept"]);
    world.command(&["status"]).expect(0, &["ana@example.test"]);
    daemon.stop();
}

#[test]
fn a_settings_file_that_cannot_be_read_is_named() {
    let world = World::new(Face::Ews);
    let good = world.config.text();
    let utf_16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(good.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let cases: [(&[u8], &str); 5] = [
        (b"", "empty"),
        (&good.as_bytes()[..good.len() / 2], "calsyncd.toml:"),
        (&utf_16, "UTF-16"),
        (b"[exchange]\ndelegated_user = \"Ren\xe9\"\n", "Latin-1"),
        (b"hello", "calsyncd.toml:1"),
    ];
    for (text, word) in cases {
        fs::write(world.settings_path(), text).unwrap();
        for command in ["check", "run", "sync", "plan", "status", "test"] {
            world.command(&[command]).expect(2, &["calsyncd.toml", word]);
        }
    }
    fs::remove_file(world.settings_path()).unwrap();
    world.command(&["run"]).expect(2, &["calsyncd.toml"]);
    fs::create_dir(world.settings_path()).unwrap();
    world.command(&["run"]).expect(2, &["calsyncd.toml", "folder"]);
    world.command(&["check"]).expect(2, &["calsyncd.toml"]);
}

#[test]
fn a_secret_that_others_may_read_is_a_warning_and_then_a_fault() {
    let world = World::new(Face::Ews);
    fs::set_permissions(world.path().join("secret"), fs::Permissions::from_mode(0o644)).unwrap();
    world.command(&["check"]).expect(0, &["secret", "warning"]);
    world.command(&["run"]).expect(2, &["secret", "others"]);
}

#[test]
fn a_port_in_use_is_named() {
    let world = World::new(Face::Ews);
    let address = world.sandbox().address().to_string();
    world.bare(&["sandbox", "--listen", &address]).expect(1, &[&address, "in use", "hint: "]);
}
