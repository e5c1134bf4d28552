//! A daemon that starts again knows what it wrote, and finds it again when it has lost its memory.

use calsyncd::sandbox::{Fault, FaultKind};

use crate::harness::{Daemon, Face, World, appointment, many};

through!(a_restart_writes_nothing: Ews Graph);
through!(a_lost_state_doubles_nothing: Ews Graph);
through!(a_wait_that_was_asked_for_outlives_the_process: Ews Graph);

/// Waits until each of these mailboxes had a pass after `mark` that left nothing to do.
fn passed(daemon: &Daemon, mark: usize, people: &[&str]) {
    for person in people {
        let address = format!("{person}@example.test");
        daemon.wait_after(mark, "mailbox_pass_finished", |line| line["mailbox"] == address && line["failed"] == 0);
    }
}

fn a_restart_writes_nothing(face: Face) {
    let world = World::new(face);
    let events = [many("ana", 12), many("bob", 3)].concat();
    world.events(&events);
    let daemon = world.daemon();
    passed(&daemon, 0, &["ana", "bob"]);
    world.assert_exactly("ana", &events);
    world.assert_exactly("bob", &events);
    daemon.stop();

    let written = world.writes();
    let daemon = world.daemon();
    passed(&daemon, 0, &["ana", "bob"]);
    assert_eq!(world.writes(), written, "{}", daemon.text());
    daemon.stop();
}

fn a_lost_state_doubles_nothing(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 6);
    world.events(&events);
    assert_eq!(world.sync().changes(), [6, 0, 0]);

    std::fs::remove_file(world.state_path()).unwrap();
    let written = world.writes();
    let pass = world.sync();
    assert_eq!(pass.changes(), [0, 0, 0], "{:#}", pass.json);
    assert_eq!(world.writes(), written);
    world.assert_exactly("ana", &events);

    // The items are ours again: changes reach them.
    events[0]["location"] = "Paris".into();
    events.push(appointment("one-more", "ana", 20, "09:00"));
    world.events(&events);
    assert_eq!(world.sync().changes(), [1, 1, 0]);
    world.assert_exactly("ana", &events);
}

fn a_wait_that_was_asked_for_outlives_the_process(face: Face) {
    const ANA: &str = "ana@example.test";
    let world = World::new(face);
    let kind = if face == Face::Graph { FaultKind::Http429 } else { FaultKind::ServerBusy };
    let (operation, mailbox) = (Some(face.create().to_owned()), Some(ANA.to_owned()));
    world.inject(Fault { operation, mailbox, retry_after_s: Some(3600.0), ..Fault::new(kind) });
    let mut events = [many("ana", 2), many("bob", 2)].concat();
    world.events(&events);
    let daemon = world.daemon();
    daemon.wait_after(0, "mailbox_parked", |line| line["mailbox"] == ANA);
    passed(&daemon, 0, &["bob"]);
    daemon.kill();
    world.sandbox().sandbox().calm();

    let asked = || world.counts().mailboxes[ANA];
    let before = asked();
    events.push(appointment("more", "bob", 3, "09:00"));
    world.events(&events);
    let daemon = world.daemon();
    passed(&daemon, 0, &["bob"]);
    assert_eq!((world.item_count("ana"), world.item_count("bob")), (0, 3));
    assert_eq!(asked(), before, "{}", daemon.text());
    daemon.stop();
}
