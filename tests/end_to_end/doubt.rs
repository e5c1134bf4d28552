//! What is missing is not taken for deleted, and what is there is not written again: short sources, restored items and states.

use calsyncd::sandbox::store::{Guard, Target};
use serde_json::json;

use crate::harness::{Face, WRONG, World, many};

through!(a_source_that_is_short_everywhere_is_braked: Ews Graph);
through!(an_event_that_changes_hands_between_jobs_moves: Ews);
through!(an_item_that_was_restored_is_found_again: Ews Graph);
through!(what_comes_and_goes_within_a_second: Ews Graph);
through!(an_old_state_writes_nothing_twice: Ews Graph);
through!(a_refused_password_is_tried_once_in_all: Ews);

const PEOPLE: [&str; 4] = ["ana", "bob", "chloe", "dan"];

fn a_source_that_is_short_everywhere_is_braked(face: Face) {
    let world = World::new(face);
    let all: Vec<_> = PEOPLE.iter().flat_map(|person| many(person, 10)).collect();
    world.events(&all);
    assert_eq!(world.sync().changes(), [40, 0, 0]);

    // Nine of ten are gone for everybody: under the brake of each mailbox, over that of all.
    let mut short: Vec<_> = PEOPLE.iter().flat_map(|person| many(person, 1)).collect();
    short[0]["subject"] = json!("Changed");
    world.events(&short);
    let pass = world.sync();
    assert_eq!(pass.changes(), [0, 1, 0], "updates go on");
    assert_eq!(pass.total("held"), 36);
    assert_eq!(world.item_count("chloe"), 10);

    // One is gone for everybody: that is a day like any other.
    let fewer: Vec<_> = PEOPLE.iter().flat_map(|person| many(person, 9)).collect();
    world.events(&fewer);
    let pass = world.sync();
    assert_eq!((pass.changes()[2], pass.total("held")), (4, 0));
}

fn an_event_that_changes_hands_between_jobs_moves(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| {
        config.set("jobs.inbox", "kinds", "[\"appointment\"]");
        config.set("jobs.schedules", "source", "\"inbox\"");
        config.set("jobs.schedules", "people_domain", "\"example.test\"");
        config.set("jobs.schedules", "kinds", "[\"schedule\"]");
    });
    let mut events = many("ana", 3);
    world.events(&events);
    world.sync();
    events[1]["person"] = json!("bob");
    world.events(&events);
    assert_eq!(world.sync().changes(), [1, 0, 1]);
    assert_eq!((world.item_count("ana"), world.item_count("bob")), (2, 1));
}

/// A server that recognises a repeated create by its id must not take a new item for the one that was deleted.
fn what_comes_and_goes_within_a_second(face: Face) {
    let world = World::new(face);
    let both = many("ana", 2);
    world.events(&both[..1]);
    world.sync();
    for _ in 0..4 {
        world.events(&both);
        assert_eq!(world.sync().changes(), [1, 0, 0]);
        world.events(&both[..1]);
        assert_eq!(world.sync().changes(), [0, 0, 1]);
    }
}

fn an_item_that_was_restored_is_found_again(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("limits", "drift_every", "\"1s\""));
    let events = many("ana", 3);
    world.events(&events);
    world.sync();
    // Deleted and taken back: the same item under another id.
    let address = "ana@example.test";
    let ids: Vec<String> = world.shown("ana").ours.values().flatten().map(|entry| entry.id.clone()).collect();
    for id in &ids {
        world.store().copy_item(address, id, None).unwrap();
        world.store().delete(address, &Target::Id(id.clone()), &Guard::Any).unwrap();
    }
    crate::harness::eventually("the next reading", || {
        world.sync();
        let read = world.status()["mailboxes"][0]["items"].as_u64() == Some(3);
        (read && world.sync().changes() == [0, 0, 0]).then_some(())
    });
    world.assert_exactly("ana", &events);
}

fn an_old_state_writes_nothing_twice(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 3);
    world.events(&events);
    world.sync();
    let backup = std::fs::read(world.state_path()).unwrap();
    events = many("ana", 6);
    events[0]["subject"] = json!("Changed");
    world.events(&events);
    assert_eq!(world.sync().changes(), [3, 1, 0]);
    for rest in ["-wal", "-shm"] {
        let mut path = world.state_path().into_os_string();
        path.push(rest);
        let _ = std::fs::remove_file(path);
    }
    std::fs::write(world.state_path(), backup).unwrap();
    let changes = world.sync().changes();
    assert_eq!((changes[0], changes[2]), (0, 0), "what was written since the backup is found");
    world.assert_exactly("ana", &events);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

fn a_refused_password_is_tried_once_in_all(face: Face) {
    let world = World::new(face);
    let all: Vec<_> = PEOPLE.iter().flat_map(|person| many(person, 2)).collect();
    world.events(&all);
    world.sync();
    world.secret(WRONG);
    let fewer: Vec<_> = PEOPLE.iter().flat_map(|person| many(person, 3)).collect();
    world.events(&fewer);
    let daemon = world.daemon();
    daemon.wait("credential_parked_error");
    // Every change of the source brings all mailboxes forward; none of them may try again.
    for count in [2, 3, 2] {
        let events: Vec<_> = PEOPLE.iter().flat_map(|person| many(person, count)).collect();
        let mark = daemon.mark();
        world.events(&events);
        daemon.wait_after(mark, "source_read_finished", |_| true);
    }
    daemon.stop();
    assert_eq!(world.counts().failed_log_ons.values().sum::<u64>(), 1);
}
