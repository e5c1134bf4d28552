//! The running daemon: it watches the source, loads its settings again, and goes on when they are wrong.

use serde_json::json;

use crate::harness::{Daemon, Face, World, appointment, eventually, many};

through!(an_edited_file_arrives: Ews Graph);
through!(good_settings_are_taken_over: Ews Graph);
through!(faulty_settings_change_nothing: Ews);
through!(templates_are_taken_over: Ews Graph);

fn arrives(world: &World, person: &str, count: usize) {
    eventually(person, || (world.item_count(person) == count).then_some(()));
}

fn an_edited_file_arrives(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 3);
    world.events(&events);
    let daemon = world.daemon();
    arrives(&world, "ana", 3);
    // The job reads every 15 minutes: only the watch can bring these so soon.
    events[0]["subject"] = json!("Edited");
    events.remove(2);
    events.push(appointment("new", "bob", 4, "09:00"));
    world.events(&events);
    arrives(&world, "bob", 1);
    arrives(&world, "ana", 2);
    eventually("the edit", || world.shown("ana").line("appointment/ana-000").ends_with("Edited").then_some(()));
    daemon.stop();
    world.assert_exactly("ana", &events);
}

fn reload(daemon: &Daemon, event: &str) -> serde_json::Value {
    let mark = daemon.mark();
    daemon.signal("HUP");
    daemon.wait_after(mark, event, |_| true)
}

fn good_settings_are_taken_over(face: Face) {
    let mut world = World::new(face);
    world.events(&many("ana", 2));
    let daemon = world.daemon();
    arrives(&world, "ana", 2);

    for (from, to) in [(4, 1), (1, 8)] {
        world.configure(|config| config.set("exchange", "max_threads", &to.to_string()));
        let reloaded = reload(&daemon, "settings_reloaded");
        assert_eq!(reloaded["changed"], "exchange.max_threads");
        daemon.wait_after(0, "workers_resized", |line| line["from"] == from && line["to"] == to);
    }
    let written = world.writes();
    let more = many("dan", 5);
    std::fs::create_dir(world.path().join("more")).unwrap();
    let lines: String = more.iter().map(|event| format!("{event}\n")).collect();
    std::fs::write(world.path().join("more/dan.jsonl"), lines).unwrap();
    world.configure(|config| config.source("more", "more"));
    reload(&daemon, "settings_reloaded");
    arrives(&world, "dan", 5);
    world.assert_exactly("dan", &more);
    assert!(world.writes() <= written + 5);

    // The new source is watched too, and a key that needs a restart is named and not applied.
    std::fs::write(world.path().join("more/bob.jsonl"), format!("{}\n", appointment("b", "bob", 2, "09:00"))).unwrap();
    arrives(&world, "bob", 1);
    world.configure(|config| config.set("state", "path", "\"elsewhere.sqlite\""));
    let reloaded = reload(&daemon, "settings_reloaded");
    assert_eq!(reloaded["needs_restart"], "state.path");
    daemon.stop();
    assert!(!world.path().join("elsewhere.sqlite").exists());
}

fn templates_are_taken_over(face: Face) {
    let mut world = World::new(face);
    let mut events = many("ana", 2);
    events[0]["data"] = json!({"customer": "ACME", "kind": "leave"});
    world.events(&events);
    let daemon = world.daemon();
    arrives(&world, "ana", 2);
    world.configure(|config| config.set("jobs.inbox", "templates.subject", "\"for {{ data.customer }}\""));
    let reloaded = reload(&daemon, "settings_reloaded");
    assert_eq!(reloaded["changed"], "jobs.inbox.templates.subject");
    eventually("the template", || world.shown("ana").line("appointment/ana-000").ends_with("for ACME").then_some(()));
    world.configure(|config| {
        config.set("jobs.inbox", "private_when", "\"data.kind == 'leave'\"");
        config.set("jobs.inbox", "private_subject", "\"Away\"");
    });
    reload(&daemon, "settings_reloaded");
    eventually("the mask", || world.shown("ana").line("appointment/ana-000").ends_with("Away").then_some(()));
    daemon.stop();
}

fn faulty_settings_change_nothing(face: Face) {
    let mut world = World::new(face);
    world.events(&many("ana", 2));
    let daemon = world.daemon();
    arrives(&world, "ana", 2);

    world.configure(|config| {
        config.set("exchange", "max_threads", "0");
        config.set("jobs.inbox", "evry", "\"15m\"");
    });
    let rejected = reload(&daemon, "settings_rejected_error");
    assert_eq!((&rejected["count"], &rejected["kept_old"]), (&json!(2), &json!(true)), "{rejected}");
    for word in ["calsyncd.toml:6:1", "max_threads: 0 is out of range", "unknown key `evry`"] {
        assert!(rejected["faults"].as_str().unwrap().contains(word), "{rejected}");
    }
    for text in ["", "[exchange\n", "\u{feff}\0"] {
        std::fs::write(world.settings_path(), text).unwrap();
        reload(&daemon, "settings_rejected_error");
    }
    std::fs::remove_file(world.settings_path()).unwrap();
    reload(&daemon, "settings_rejected_error");

    // The old settings are in force and the daemon works.
    world.events(&many("ana", 4));
    arrives(&world, "ana", 4);
    assert_eq!(daemon.count("workers_resized"), 0);
    daemon.stop();
}
