//! It never harms a calendar: foreign items, emptied sources, mass deletions.

use calsyncd::sandbox::{
    Fault, FaultKind,
    store::{Draft, Moment, Zone},
};
use jiff::civil::Time;
use serde_json::{Value, json};

use crate::harness::{Face, World, appointment, day, many, series};

through!(foreign_items_stay_as_they_are: Ews Delegate Graph);
through!(an_emptied_source_deletes_nothing: Ews Graph);
through!(half_of_the_events_gone_is_braked: Ews Graph);
through!(held_deletions_wait_for_a_word: Ews Graph);
through!(an_orphan_waits_for_a_word: Ews Graph);
through!(a_purge_removes_what_is_ours: Ews Graph);

/// Items of the person's own: a meeting with attendees, a series, an item with the properties of another program.
fn own_items(world: &World, person: &str) {
    let zone = Zone::iana("Europe/Paris").unwrap();
    let at = |hour| Moment::Wall(day(3).to_datetime(Time::constant(hour, 0, 0, 0)));
    for (subject, hour) in [("Lunch", 12), ("Meeting ana-003", 12), ("", 18)] {
        let draft = Draft {
            subject: subject.to_owned(),
            attendees: vec!["guest@elsewhere.test".to_owned()],
            ..Draft::new(at(hour), at(hour + 1), zone.clone())
        };
        world.store().create(&format!("{person}@example.test"), None, draft).unwrap();
    }
}

fn foreign_items_stay_as_they_are(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("limits", "drift_every", "\"1s\""));
    own_items(&world, "ana");
    let before = world.shown("ana").foreign;
    assert_eq!(before.len(), 3);

    let mut events = many("ana", 6);
    events.push(series("s", "ana", &json!([])));
    world.events(&events);
    world.sync();
    events[1]["subject"] = json!("Changed");
    events.remove(0);
    world.events(&events);
    assert_eq!(world.sync().changes(), [0, 1, 1]);
    world.events(&[appointment("other", "bob", 1, "09:00")]);
    assert_eq!(world.sync().changes(), [1, 0, 6]);
    let after = world.shown("ana");
    assert_eq!(after.foreign, before);
    assert!(after.ours.is_empty());
    assert_eq!(world.counts().mails_sent, 0);
}

fn an_emptied_source_deletes_nothing(face: Face) {
    let world = World::new(face);
    let events = many("ana", 5);
    let rename = |from: &str, to: &str| std::fs::rename(world.path().join(from), world.path().join(to)).unwrap();
    world.events(&events);
    world.sync();

    world.file("events.jsonl", "");
    assert_eq!(world.sync().changes(), [0, 0, 0], "a file without a line");
    world.events(&events);
    rename("events", "elsewhere");
    let pass = world.try_sync();
    assert_eq!((pass.code, pass.changes()), (1, [0, 0, 0]), "no folder: {:#}", pass.json);
    assert_eq!(pass.json["sources_failed"][0]["source"], "inbox");
    std::fs::create_dir(world.path().join("events")).unwrap();
    let pass = world.try_sync();
    assert_eq!(pass.total("deleted"), 0, "an empty folder: {:#}", pass.json);
    world.assert_exactly("ana", &events);
    std::fs::remove_dir(world.path().join("events")).unwrap();
    rename("elsewhere", "events");
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

fn half_of_the_events_gone_is_braked(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 30);
    world.events(&events);
    assert_eq!(world.sync().changes(), [30, 0, 0]);

    // Creates and updates go on; the deletions are held, and one can see which.
    let mut half: Vec<Value> = events.iter().take(15).cloned().collect();
    half[0]["location"] = json!("Paris");
    half.push(appointment("new", "ana", 9, "09:00"));
    world.events(&half);
    let pass = world.sync();
    assert_eq!((pass.changes(), pass.total("held")), ([1, 1, 0], 15), "{:#}", pass.json);
    let status = world.status();
    let held = status["held"].as_array().unwrap();
    assert_eq!(held.len(), 15);
    assert!(held.iter().all(|one| one["mailbox"] == "ana@example.test" && one["reason"] == "no longer in the source"));
    world.command(&["status"]).expect(0, &["held", "inbox/appointment/ana-029"]);

    // They come back: nothing is held any more, and nothing was lost.
    events[0] = half[0].clone();
    events.push(half[15].clone());
    world.events(&events);
    let pass = world.sync();
    assert_eq!((pass.changes(), pass.total("held")), ([0, 0, 0], 0));
    assert_eq!(world.status()["held"], json!([]));
    world.assert_exactly("ana", &events);
}

fn held_deletions_wait_for_a_word(face: Face) {
    let world = World::new(face);
    let events = many("ana", 30);
    world.events(&events);
    world.sync();
    world.command(&["held", "list"]).expect(0, &["no deletion is held"]);
    world.events(&events[..15]);
    assert_eq!(world.sync().total("held"), 15);
    let held = || world.command(&["held", "list", "--json"]).expect(0, &[]).json()["held"].as_array().unwrap().clone();
    assert_eq!(held().len(), 15);

    let (gone, kept) = ("inbox/appointment/ana-020", "inbox/appointment/ana-021");
    world
        .command(&["held", "approve", gone, "inbox/appointment/ana-001"])
        .expect(1, &["ana-001", "nothing was decided"]);
    world.command(&["held", "approve", "--all", "--mailbox", "bob@example.test"]).expect(0, &["0 deletions"]);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    world.command(&["held", "approve", gone, "--by", "kim"]).expect(0, &["approved by kim: 1 deletion"]);
    world.command(&["held", "reject", kept, "--by", "kim"]).expect(0, &["rejected by kim: 1 deletion"]);
    world.command(&["held", "list"]).expect(0, &["ana-020: no longer in the source", "; rejected by kim at 2"]);
    world.command(&["plan"]).expect(10, &["delete      inbox/appointment/ana-020"]);
    let pass = world.sync();
    assert_eq!((pass.changes(), pass.total("held")), ([0, 0, 1], 14));
    assert!(held().iter().all(|one| one["key"] != gone));

    // A source that is not read to its end deletes nothing, and what was said is not forgotten.
    let rest = world.command(&["held", "approve", "--all", "--json"]).expect(0, &[]).json();
    assert_eq!((rest["decided"].as_u64(), rest["verdict"].as_str()), (Some(13), Some("approved")));
    world.file("broken.jsonl", "{\n");
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    assert_eq!(held().iter().filter(|one| one["verdict"] == "approved").count(), 13);
    std::fs::remove_file(world.path().join("events/broken.jsonl")).unwrap();

    // One comes back in time: it leaves the hold and stays, as does what was rejected.
    let mut events = events[..16].to_vec();
    world.events(&events);
    let pass = world.sync();
    assert_eq!((pass.changes(), pass.total("held")), ([0, 0, 12], 1));
    assert_eq!((held().len(), held()[0]["key"].as_str(), world.item_count("ana")), (1, Some(kept), 17));
    events.pop();
    world.events(&events);
    assert_eq!(world.sync().changes(), [0, 0, 1], "one alone is under the brake");
}

fn an_orphan_waits_for_a_word(face: Face) {
    let world = World::new(face);
    let events = many("ana", 3);
    world.events(&events);
    world.sync();
    for name in ["calsyncd.sqlite", "calsyncd.sqlite-wal", "calsyncd.sqlite-shm"] {
        let _ = std::fs::remove_file(world.path().join("state").join(name));
    }
    world.events(&events[..2]);
    let pass = world.sync();
    assert_eq!((pass.changes(), pass.total("held")), ([0, 0, 0], 1));
    assert_eq!(world.sync().changes(), [0, 0, 0], "without a look at the calendar");
    world.command(&["held", "approve", "inbox/appointment/ana-002"]).expect(0, &["1 deletion"]);
    assert_eq!(world.sync().changes(), [0, 0, 1]);
    world.command(&["held", "list"]).expect(0, &["no deletion is held"]);
    assert_eq!(world.item_count("ana"), 2);
}

fn a_purge_removes_what_is_ours(face: Face) {
    let world = World::new(face);
    own_items(&world, "ana");
    let before = world.shown("ana").foreign;
    let mut events = many("ana", 30);
    events.push(series("s", "ana", &json!([])));
    events.extend(many("bob", 2));
    world.events(&events);
    world.sync();
    world.command(&["purge", "--mailbox", "ana@example.test"]).expect(1, &["31 items of ours", "nothing was removed"]);
    assert_eq!(world.shown("ana").ours.len(), 31);

    // The links are lost, and the server loses an answer.
    for name in ["calsyncd.sqlite", "calsyncd.sqlite-wal", "calsyncd.sqlite-shm"] {
        let _ = std::fs::remove_file(world.path().join("state").join(name));
    }
    let [_, _, delete] = face.writes();
    world.inject(Fault::nth(FaultKind::DropAnswerAfterCommit, 1, delete));
    let purge = ["purge", "--mailbox", "ana@example.test", "--yes", "--json"];
    let said = world.command(&purge).expect(0, &[]).json();
    assert_eq!((said["found"].as_u64(), said["failed"].as_u64()), (Some(31), Some(0)), "{said}");
    assert_eq!(world.shown("ana").ours.len(), 0);
    assert_eq!((world.shown("ana").foreign, world.item_count("bob")), (before, 2));
    let said = world.command(&purge).expect(0, &[]).json();
    assert_eq!(said["found"], 0);
    assert_eq!(world.counts().mails_sent, 0);

    // As long as a job chooses the mailbox, its events are written again, once.
    assert_eq!(world.sync().changes(), [31, 0, 0]);
    assert_eq!(world.shown("ana").ours.len(), 31);
    world.command(&["purge", "--mailbox", "nobody@example.test", "--yes"]).expect(1, &["nobody@example.test"]);
}
