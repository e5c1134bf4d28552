//! SIGTERM: what is in flight is finished, the rest is due at the next start.

use calsyncd::{
    model::address::Address,
    sandbox::{Fault, FaultKind},
    state::{Access, Store, WaitScope},
};

use crate::harness::{Face, World, eventually, many};

through!(a_stop_in_the_middle_of_a_long_push: Ews Graph);
through!(a_second_signal_ends_at_once: Ews Graph);
through!(a_stop_while_the_server_asks_to_wait: Ews Graph);

/// The items that the state knows.
fn links(world: &World, person: &str) -> usize {
    let mailbox = Address::parse(&format!("{person}@example.test")).unwrap();
    world.block_on(async {
        let store = Store::open(&world.state_path(), Access::Exclusive).await.unwrap();
        let links = store.links(&mailbox).await.unwrap().len();
        store.close().await;
        links
    })
}

fn a_stop_in_the_middle_of_a_long_push(face: Face) {
    let mut world = World::with(face, |settings| settings.latency_ms = 60);
    world.configure(|config| config.set("limits", "batch_size", "5"));
    let events = many("ana", 100);
    world.events(&events);
    let mut daemon = world.daemon();
    eventually("the first items", || (world.item_count("ana") > 0).then_some(()));
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0, "{}", daemon.text());
    daemon.wait("daemon_stopped");
    let written = world.item_count("ana");
    assert!(written < events.len(), "the push was over before the signal");
    assert_eq!(links(&world, "ana"), written, "what was in flight was finished and written down");

    let pass = world.sync();
    assert_eq!(pass.changes(), [(events.len() - written) as u64, 0, 0]);
    world.assert_exactly("ana", &events);
}

fn a_second_signal_ends_at_once(face: Face) {
    let world = World::new(face);
    world.inject(Fault { delay_ms: 120_000, times: 1, ..Fault::nth(FaultKind::Slow, 1, face.create()) });
    let events = many("ana", 5);
    world.events(&events);
    let mut daemon = world.daemon();
    eventually("the first create", || (world.operations(face.create()) > 0).then_some(()));
    daemon.signal("TERM");
    daemon.wait("daemon_stopping");
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 1, "{}", daemon.text());
    assert!(daemon.text().contains("second signal"), "{}", daemon.text());
    world.sync();
    world.assert_exactly("ana", &events);
}

/// A long wait of the server is no reason to stop late, or badly: bob or chloe meets it while the other is in the middle of
/// a push.
fn a_stop_while_the_server_asks_to_wait(face: Face) {
    let mut world = World::with(face, |settings| settings.latency_ms = 20);
    world.configure(|config| config.set("limits", "batch_size", "20"));
    let events = [many("ana", 1), many("bob", 100), many("chloe", 100)].concat();
    world.events(&events);
    let operation = if face == Face::Graph { "Batch" } else { "CreateItem" };
    world.inject(Fault { retry_after_s: Some(600.0), ..Fault::nth(FaultKind::Http503, 4, operation) });
    let mut daemon = world.daemon();
    daemon.wait("server_paused");
    daemon.signal("TERM");
    assert_eq!(daemon.end(), 0, "{}", daemon.text());
    assert!(world.item_count("bob") < 100 || world.item_count("chloe") < 100);

    // Ten minutes later.
    world.block_on(async {
        let store = Store::open(&world.state_path(), Access::Exclusive).await.unwrap();
        let scope = WaitScope::Server(face.side());
        assert_eq!(store.waits().await.unwrap()[0].scope, scope);
        store.end_wait(&scope).await.unwrap();
        store.close().await;
    });
    let pass = world.sync();
    assert_eq!(pass.total("failed"), 0);
    ["ana", "bob", "chloe"].iter().for_each(|person| world.assert_exactly(person, &events));
}
