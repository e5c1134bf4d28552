//! The state is lost, copied, or an old backup: the calendars tell what there is, and two instances never write to one.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use calsyncd::{
    gateway::PROPERTY_SET,
    sandbox::store::{Change, ChangeOrder, Content, Entry, Filter, Guard, PropertyName, Target},
};
use serde_json::{Value, json};

use crate::harness::{Ended, Face, World, appointment, eventually, many, program, series};

through!(a_lost_state_is_rebuilt: Ews Graph);
through!(a_lost_name_is_taken_over: Ews Graph);
through!(an_old_backup_gives_way_to_the_items: Ews Graph);
through!(a_copied_state_writes_nothing: Ews Graph);
through!(a_take_over_that_is_killed_is_finished_by_the_next: Ews Graph);

const ANA: &str = "ana@example.test";
const TAKE_OVER: [&str; 4] = ["adopt", "--take-over", "--yes", "--json"];

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

fn lose_the_state(world: &World) {
    for name in ["calsyncd.sqlite", "calsyncd.sqlite-wal", "calsyncd.sqlite-shm"] {
        let _ = std::fs::remove_file(world.path().join("state").join(name));
    }
}

/// What an instance in another folder says.
fn command_in(world: &World, folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = program(folder);
    command.arg("--config").arg(folder.join("calsyncd.toml")).args(arguments);
    world.kept(Ended::of(command.spawn().unwrap()))
}

/// The second instance: settings, events and state, copied as they are.
fn second(world: &World) -> PathBuf {
    let folder = world.path().join("second");
    std::fs::create_dir(&folder).unwrap();
    for name in ["calsyncd.toml", "secret", "events", "state"] {
        copy(&world.path().join(name), &folder.join(name));
    }
    folder
}

/// What every item shows, without the name of its instance.
fn shown(world: &World, person: &str) -> BTreeMap<String, String> {
    let owner = PropertyName::new(PROPERTY_SET, "Owner");
    let entries = world.store().find(&format!("{person}@example.test"), None, &Filter::All).unwrap();
    let line = |content: &Content| {
        let mut content = content.clone();
        content.properties.remove(&owner);
        format!("{content:?}")
    };
    entries.into_iter().map(|entry| (entry.id.clone(), line(&entry.content))).collect()
}

/// How many items carry the name of each instance.
fn owners(world: &World, person: &str) -> BTreeMap<String, usize> {
    let owner = PropertyName::new(PROPERTY_SET, "Owner");
    let mut owners = BTreeMap::new();
    for entry in world.store().find(&format!("{person}@example.test"), None, &Filter::All).unwrap() {
        if let Some(owner) = entry.content.properties.get(&owner) {
            *owners.entry(owner.clone()).or_default() += 1;
        }
    }
    owners
}

/// Events of two people, one a series with a changed day, and a copy that ana made of an item of ours.
fn pushed(world: &World) -> Vec<Value> {
    let mut events = [many("ana", 8), many("bob", 2)].concat();
    let original = crate::harness::on(14, "09:00");
    events.push(series("s", "ana", &json!([{ "original": original, "cancelled": true }])));
    world.events(&events);
    assert_eq!(world.sync().changes(), [11, 0, 0]);
    let original = world.shown("ana").one("appointment/ana-000").clone();
    // Servers tell the second.
    let second = |at: jiff::Timestamp| at.as_second();
    eventually("a second", || (second(jiff::Timestamp::now()) > second(original.created)).then_some(()));
    world.store().copy_item(ANA, &original.id, None).unwrap();
    events
}

fn mailbox<'a>(said: &'a Value, address: &str) -> &'a Value {
    said["mailboxes"].as_array().unwrap().iter().find(|one| one["mailbox"] == address).unwrap()
}

fn a_lost_state_is_rebuilt(face: Face) {
    let world = World::new(face);
    let mut events = pushed(&world);
    let (before, writes) = (shown(&world, "ana"), world.writes());
    lose_the_state(&world);
    events.remove(7);
    world.events(&events);
    let said = world.command(&["adopt", "--json"]).expect(0, &[]).json();
    let ana = mailbox(&said, ANA);
    assert_eq!((&ana["linked"], &ana["unwanted"], &ana["copies"]), (&json!(8), &json!(1), &json!(1)), "{said}");
    assert_eq!(mailbox(&said, "bob@example.test")["linked"], 2);
    let said = world.command(&["adopt", "--mailbox", ANA, "--json"]).expect(0, &[]).json();
    assert_eq!((&mailbox(&said, ANA)["linked"], &mailbox(&said, ANA)["known"]), (&json!(0), &json!(8)), "{said}");
    assert_eq!((shown(&world, "ana"), world.writes()), (before, writes), "nothing is written to a calendar");

    // What no source wants waits for a word, everything else is as it should be.
    world.command(&["plan"]).expect(0, &["1 held"]);
    let pass = world.sync();
    assert_eq!((pass.changes(), pass.total("held")), ([0, 0, 0], 1));
    // Ours is the original, not the copy.
    events[0]["subject"] = json!("Changed");
    world.events(&events);
    assert_eq!(world.sync().changes(), [0, 1, 0]);
    let subjects: Vec<_> =
        world.shown("ana").ours["appointment/ana-000"].iter().map(|entry| entry.content.subject.clone()).collect();
    assert_eq!(subjects.len(), 2);
    let store = world.store();
    let copied = store.find(ANA, None, &Filter::All).unwrap();
    let of_key = |entry: &&Entry| entry.content.subject == "Changed";
    let changed: Vec<_> = copied.iter().filter(of_key).collect();
    let first = world.shown("ana").ours["appointment/ana-000"].iter().map(|entry| entry.created).min();
    assert_eq!((changed.len(), Some(changed[0].created)), (1, first), "the older one");
}

fn a_lost_name_is_taken_over(face: Face) {
    let world = World::new(face);
    let events = pushed(&world);
    let before = shown(&world, "ana");
    lose_the_state(&world);
    std::fs::remove_file(world.path().join("state/calsyncd.instance")).unwrap();
    let writes = world.writes();
    let said = world.command(&["adopt", "--json"]).expect(1, &[]).json();
    let ana = mailbox(&said, ANA);
    assert!(ana["hint"].as_str().unwrap().contains("--take-over") && ana["foreign"]["items"] == 10, "{said}");
    assert_eq!(world.try_sync().code, 1);
    world.command(&["adopt", "--take-over"]).expect(1, &["12 items of instance", "nobody can be asked"]);
    assert_eq!((world.writes(), shown(&world, "ana")), (writes, before.clone()));

    let said = world.command(&TAKE_OVER).expect(0, &[]).json();
    assert_eq!((&mailbox(&said, ANA)["linked"], &mailbox(&said, ANA)["copies"]), (&json!(9), &json!(1)), "{said}");
    assert_eq!(shown(&world, "ana"), before, "nothing but the name is written");
    assert_eq!(owners(&world, "ana").into_values().collect::<Vec<_>>().iter().sum::<usize>(), 10);
    world.command(&["plan"]).expect(0, &[]);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    world.assert_exactly("bob", &events);
}

fn an_old_backup_gives_way_to_the_items(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("limits", "drift_every", "\"1s\""));
    let mut events = many("ana", 8);
    world.events(&events);
    world.sync();
    let (state, backup) = (world.path().join("state"), world.path().join("backup"));
    copy(&state, &backup);

    // Since then: one changed, one deleted, two new, one repaired.
    events[0]["subject"] = json!("Changed");
    events.remove(7);
    events.push(appointment("new-1", "ana", 4, "18:00"));
    events.push(appointment("new-2", "ana", 5, "18:00"));
    world.events(&events);
    assert_eq!(world.sync().changes(), [2, 1, 1]);
    let touched = world.shown("ana").one("appointment/ana-003").id.clone();
    let mine = [Change::Subject("Mine".to_owned())];
    world.store().update(ANA, &Target::Id(touched), &mine, ChangeOrder::Together, &Guard::Any).unwrap();
    let repaired = || world.sync().changes() == [0, 1, 0];
    eventually("the repair", || repaired().then_some(()));

    std::fs::remove_dir_all(&state).unwrap();
    copy(&backup, &state);
    let writes = world.writes();
    world.command(&["plan"]).expect(0, &["2 items were written after what the state knows"]);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    world.command(&["plan"]).expect(0, &[]);
    let said = world.command(&["adopt", "--json"]).expect(0, &[]).json();
    assert_eq!((&mailbox(&said, ANA)["known"], &mailbox(&said, ANA)["corrected"]), (&json!(9), &json!(0)), "{said}");
    assert_eq!(world.writes(), writes, "nothing is rewritten");
    world.assert_exactly("ana", &events);

    // The same, but adopted before anything else.
    std::fs::remove_dir_all(&state).unwrap();
    copy(&backup, &state);
    let said = world.command(&["adopt", "--json"]).expect(0, &[]).json();
    let ana = mailbox(&said, ANA);
    assert_eq!((&ana["linked"], &ana["corrected"], &ana["missing"]), (&json!(2), &json!(2), &json!(1)), "{said}");
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    assert_eq!(world.writes(), writes);
}

fn a_copied_state_writes_nothing(face: Face) {
    let world = World::new(face);
    let mut events = pushed(&world);
    let second = second(&world);
    events[1]["subject"] = json!("Changed");
    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
    std::fs::write(second.join("events/events.jsonl"), &text).unwrap();
    let writes = world.writes();
    for refused in [&["sync"][..], &["run"], &["purge", "--mailbox", ANA, "--yes"], &["adopt"]] {
        let said =
            command_in(&world, &second, refused).expect(1, &["is a copy, or was moved", "--take-over", "machine"]);
        let first = world.state_path().canonicalize().unwrap();
        assert!(said.err.contains(first.to_str().unwrap()) || said.out.contains(first.to_str().unwrap()), "{said:?}");
    }
    for (looked, code) in [(&["plan"][..], 10), (&["status"], 0), (&["held", "list"], 0)] {
        command_in(&world, &second, looked).expect(code, &["this state is a copy, or was moved"]);
    }
    assert_eq!(world.writes(), writes);
    assert_eq!(world.sync().changes(), [0, 0, 0], "the first one goes on");

    let first_owner = owners(&world, "ana").into_keys().next().unwrap();
    let before = shown(&world, "ana");
    let said = command_in(&world, &second, &TAKE_OVER).expect(0, &[]).json();
    assert_eq!(said["taken_over"][&first_owner], json!(12), "{said}");
    assert_eq!(shown(&world, "ana"), before);
    let taken = owners(&world, "ana");
    assert_eq!((taken.get(&first_owner), taken.values().sum::<usize>()), (Some(&1), 10), "the copy stays as it is");
    let pass = command_in(&world, &second, &["sync", "--json"]).expect(0, &[]).json();
    assert_eq!(mailbox(&pass, ANA)["updated"], 1, "{pass}");
    command_in(&world, &second, &["plan"]).expect(0, &[]);

    // The first one comes back.
    let writes = world.writes();
    world.file("events.jsonl", text.replace("Changed", "Changed back"));
    let pass = world.try_sync();
    assert!(
        pass.code == 1 && pass.of("ana")["error"].as_str().unwrap().contains("another instance"),
        "{:#}",
        pass.json
    );
    assert_eq!(world.writes(), writes);
    // A state that is lost there, with the file beside it left, is no other case.
    lose_the_state(&world);
    assert_eq!((world.try_sync().code, world.writes()), (1, writes));
    // Nor is the copy of that file alone.
    let third = world.path().join("third");
    copy(&second, &third);
    std::fs::remove_file(third.join("state/calsyncd.sqlite")).unwrap();
    command_in(&world, &third, &["sync"]).expect(1, &["is a copy, or was moved"]);
    assert_eq!(world.writes(), writes);
}

fn a_take_over_that_is_killed_is_finished_by_the_next(face: Face) {
    let mut world = World::with(face, |settings| settings.latency_ms = 15);
    world.configure(|config| config.set("limits", "batch_size", "3"));
    let mut events = many("ana", 70);
    world.events(&events);
    world.sync();
    let second = second(&world);
    let first_owner = owners(&world, "ana").into_keys().next().unwrap();
    let left = || owners(&world, "ana").get(&first_owner).copied().unwrap_or_default();
    events[0]["subject"] = json!("Changed");
    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
    for most in [67, 45, 25] {
        let mut command = program(&second);
        let mut child = command.arg("--config").arg(second.join("calsyncd.toml")).args(TAKE_OVER).spawn().unwrap();
        eventually("some items", || (left() <= most).then_some(()));
        child.kill().unwrap();
        world.kept(Ended::of(child));
        if left() == 0 {
            continue;
        }
        // Half taken, neither writes there.
        let before = shown(&world, "ana");
        world.file("events.jsonl", &text);
        std::fs::write(second.join("events/events.jsonl"), &text).unwrap();
        assert_eq!(world.try_sync().code, 1);
        command_in(&world, &second, &["sync"]).expect(1, &["another instance"]);
        assert_eq!(shown(&world, "ana"), before);
    }
    command_in(&world, &second, &TAKE_OVER).expect(0, &[]);
    assert_eq!((left(), world.item_count("ana")), (0, 70));
    let pass = command_in(&world, &second, &["sync", "--json"]).expect(0, &[]).json();
    assert_eq!((&mailbox(&pass, ANA)["created"], &mailbox(&pass, ANA)["updated"]), (&json!(0), &json!(1)), "{pass}");
    command_in(&world, &second, &["plan"]).expect(0, &[]);
    world.assert_exactly("ana", &events);
    assert_eq!(world.try_sync().code, 1);
}
