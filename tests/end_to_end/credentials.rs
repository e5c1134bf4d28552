//! A wrong password costs one log-on, whatever there is to do.

use calsyncd::sandbox::{Fault, FaultKind};

use crate::harness::{Face, SECRET, WRONG, World, eventually, many};

through!(a_wrong_secret_is_tried_once: Ews Graph);
through!(a_right_secret_is_taken_over_at_a_reload: Ews Graph);
through!(a_refused_secret_is_known_again_after_a_restart: Ews Graph);
through!(a_pause_of_the_server_survives_a_restart: Ews Graph);

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
    assert_eq!(failed(&world), 1, "the daemon knows that it was refused");
    daemon.stop();
}

fn a_refused_secret_is_known_again_after_a_restart(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("exchange", "test_user", "\"ana@example.test\""));
    let events = events();
    world.events(&events);
    world.secret(WRONG);
    let daemon = world.daemon();
    daemon.wait("credential_parked_error");
    eventually("the note", || (world.status()["waits"][0]["scope"] == "credential").then_some(()));
    daemon.kill();
    let since = world.status()["waits"][0]["since"].clone();
    world.command(&["status"]).expect(0, &["waits       the credential of ", " is refused: ", "(since ", "next try "]);
    world.command(&["why", "inbox/appointment/ana-000"]).expect(0, &["waits    the credential of "]);
    for command in ["sync", "plan", "test"] {
        world.command(&[command]).expect(1, &["nothing was sent", "--try-credential"]);
    }
    let daemon = world.daemon();
    daemon.wait("credential_parked_error");
    daemon.wait("source_read_finished");
    daemon.stop();
    assert_eq!(failed(&world), 1);
    // Somebody who knows better.
    world.command(&["sync", "--try-credential"]).expect(1, &[]);
    assert_eq!(failed(&world), 2);
    let wait = world.status()["waits"][0].clone();
    assert_eq!(wait["since"], since, "{wait}");
    // Another secret is tried at once.
    world.secret(SECRET);
    world.sync();
    world.assert_exactly("ana", &events);
    assert_eq!(world.status()["waits"], serde_json::json!([]));
}

fn a_pause_of_the_server_survives_a_restart(face: Face) {
    let world = World::new(face);
    world.events(&events());
    world.inject(Fault { retry_after_s: Some(3_600.0), ..Fault::new(FaultKind::Http503) });
    let daemon = world.daemon();
    daemon.wait("server_paused");
    eventually("the note", || (world.status()["waits"][0]["scope"] == "server").then_some(()));
    daemon.kill();
    let wait = world.status()["waits"][0].clone();
    assert_eq!(wait["asked"], true, "{wait}");
    world.sandbox().sandbox().calm();
    let before = world.counts().operations.values().sum::<u64>();
    let daemon = world.daemon();
    // Two reads: after the first the mailboxes would have had their turn.
    for _ in 0..2 {
        let mark = daemon.mark();
        daemon.signal("HUP");
        daemon.wait_after(mark, "source_read_finished", |_| true);
    }
    daemon.stop();
    assert_eq!(world.counts().operations.values().sum::<u64>(), before, "nothing is sent before the server is due");
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
