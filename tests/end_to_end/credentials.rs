//! A wrong password costs one log-on, whatever there is to do.

use crate::harness::{Face, SECRET, WRONG, World, eventually, many};

through!(a_wrong_secret_is_tried_once: Ews Graph);
through!(a_right_secret_is_taken_over_at_a_reload: Ews Graph);

fn events() -> Vec<serde_json::Value> {
    ["ana", "bob", "chloe", "dan"].iter().flat_map(|person| many(person, 3)).collect()
}

/// How often somebody was refused.
fn failed(world: &World) -> u64 {
    let counts = world.counts();
    assert_eq!(world.writes(), 0);
    if world.face == Face::Graph {
        assert_eq!(world.operations("Token"), counts.failed_log_ons.values().sum::<u64>());
    }
    counts.failed_log_ons.values().sum()
}

fn a_wrong_secret_is_tried_once(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("jobs.inbox", "every", "\"1s\""));
    world.events(&events());
    world.secret(WRONG);
    let pass = world.try_sync();
    assert_eq!(pass.code, 1);
    assert_eq!(failed(&world), 1);

    let daemon = world.daemon();
    let parked = daemon.wait("credential_parked_error");
    assert!(!parked["hint"].as_str().unwrap_or_default().is_empty(), "{parked}");
    // New events, more reads and a reload of the same settings are no reason to try again.
    let mark = daemon.mark();
    world.events(&many("ana", 5));
    daemon.wait_after(mark, "source_read_finished", |line| line["events"] == 5);
    daemon.signal("HUP");
    let mark = daemon.mark();
    daemon.wait_after(mark, "source_read_finished", |_| true);
    let mark = daemon.mark();
    daemon.wait_after(mark, "source_read_finished", |_| true);
    assert_eq!(failed(&world), 2);
    daemon.stop();
}

fn a_right_secret_is_taken_over_at_a_reload(face: Face) {
    let world = World::new(face);
    let events = events();
    world.events(&events);
    world.secret(WRONG);
    let daemon = world.daemon();
    daemon.wait("credential_parked_error");
    assert_eq!(failed(&world), 1);
    world.secret(SECRET);
    daemon.signal("HUP");
    for person in ["ana", "bob", "chloe", "dan"] {
        eventually(person, || (world.item_count(person) == 3).then_some(()));
        world.assert_exactly(person, &events);
    }
    daemon.stop();
}
