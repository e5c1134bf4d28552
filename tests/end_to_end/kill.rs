//! The process is killed in the middle of its work, and begins again.

use calsyncd::sandbox::{Fault, FaultKind};

use crate::harness::{Face, World, eventually, many};

through!(killed_at_any_moment: Ews Delegate Graph);
through!(killed_between_a_write_and_its_answer: Ews Delegate Graph);

fn killed_at_any_moment(face: Face) {
    let mut world = World::with(face, |settings| settings.latency_ms = 15);
    world.configure(|config| config.set("limits", "batch_size", "3"));
    let events = [many("ana", 34), many("bob", 30)].concat();
    world.events(&events);
    let written = || world.item_count("ana") + world.item_count("bob");
    for least in [1, 9, 22, 40] {
        let daemon = world.daemon();
        let extra = fastrand::usize(0..8);
        eventually("items", || (written() >= least + extra).then_some(()));
        daemon.kill();
    }
    let pass = world.sync();
    world.assert_exactly("ana", &events);
    world.assert_exactly("bob", &events);
    assert_eq!(pass.total("failed"), 0);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

/// The server has written and the process, which stands still meanwhile, never learns of it.
fn killed_between_a_write_and_its_answer(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("limits", "batch_size", "3"));
    let mut events = many("ana", 24);
    // A calendar that was read lately is not read again: only the intents tell of what was under way.
    world.events(&events[..3]);
    world.sync();
    world.events(&events);
    let interrupt = |operation: &str| {
        let asked = world.operations(operation);
        world.inject(Fault { delay_ms: 800, ..Fault::nth(FaultKind::Slow, 1, operation) });
        let daemon = world.daemon();
        eventually(operation, || (world.operations(operation) > asked).then_some(()));
        daemon.signal("STOP");
        let answered = world.counts().exchanges;
        eventually("the write", || (world.counts().exchanges > answered).then_some(()));
        daemon.kill();
        world.sandbox().sandbox().calm();
    };
    let [create, update, delete] = face.writes();
    interrupt(create);
    interrupt(create);
    world.sync();
    world.assert_exactly("ana", &events);

    events[0]["subject"] = "Changed".into();
    world.events(&events);
    interrupt(update);
    events.remove(5);
    world.events(&events);
    interrupt(delete);
    world.sync();
    world.assert_exactly("ana", &events);
    assert_eq!(world.shown("ana").one("appointment/ana-000").content.subject, "Changed");
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}
