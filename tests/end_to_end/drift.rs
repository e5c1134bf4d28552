//! Somebody changes, deletes or copies our items in Outlook.

use calsyncd::sandbox::store::{Change, ChangeOrder, Entry, Guard, Target};
use serde_json::json;

use crate::harness::{Face, World, eventually, many, series};

through!(what_a_user_changes_is_put_right: Ews Graph);
through!(a_copy_is_left_alone: Ews Graph);

const ANA: &str = "ana@example.test";

fn world(face: Face) -> World {
    let mut world = World::new(face);
    world.configure(|config| {
        config.set("limits", "drift_every", "\"1s\"");
        config.set("jobs.inbox", "every", "\"1s\"");
    });
    world
}

/// What a user does in Outlook.
fn edit(world: &World, entry: &Entry, changes: &[Change]) {
    let target = Target::Id(entry.id.clone());
    world.store().update(ANA, &target, changes, ChangeOrder::Together, &Guard::Any).unwrap();
}

fn what_a_user_changes_is_put_right(face: Face) {
    let world = world(face);
    let mut events = many("ana", 3);
    events.push(series("s", "ana", &json!([])));
    world.events(&events);
    let daemon = world.daemon();
    eventually("the first push", || (world.item_count("ana") == 4).then_some(()));
    let before = world.shown("ana");
    let agenda = world.agenda("ana");

    let subject = before.one("appointment/ana-000");
    edit(&world, subject, &[Change::Subject("Mine".to_owned()), Change::Categories(vec!["Mine".to_owned()])]);
    eventually("the repair of the subject", || (world.agenda("ana") == agenda).then_some(()));
    let after = world.shown("ana");
    assert_eq!(after.one("appointment/ana-000").immutable_id, subject.immutable_id, "repaired in place");
    assert!(after.one("appointment/ana-000").content.categories.is_empty());

    let gone = before.one("appointment/ana-001");
    world.store().delete(ANA, &Target::Id(gone.id.clone()), &Guard::Any).unwrap();
    eventually("the item anew", || (world.agenda("ana") == agenda).then_some(()));

    let master = before.one("appointment/s").id.clone();
    let second = world.store().instances(ANA, &master, jiff::Timestamp::now(), far()).unwrap().remove(1);
    world.store().delete(ANA, &Target::Id(second.id), &Guard::Any).unwrap();
    assert_ne!(world.agenda("ana"), agenda);
    eventually("the occurrence anew", || (world.agenda("ana") == agenda).then_some(()));
    daemon.wait("drift_found");
    daemon.stop();
    world.assert_exactly("ana", &events);
}

fn far() -> jiff::Timestamp {
    jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 90)
}

fn a_copy_is_left_alone(face: Face) {
    let world = world(face);
    let mut events = many("ana", 2);
    world.events(&events);
    world.sync();
    let original = world.shown("ana").one("appointment/ana-000").clone();
    let copy = world.store().copy_item(ANA, &original.id, None).unwrap();
    let copied = || world.store().get(ANA, &Target::Id(copy.id.clone())).map(|entry| format!("{entry:?}"));
    let before = copied().unwrap();

    // A whole reading, a change and a deletion of the original: the copy is the user's.
    std::fs::remove_file(world.state_path()).unwrap();
    let first = world.sync().changes();
    assert_eq!(first, [0, 0, 0]);
    let daemon = world.daemon();
    events[0]["subject"] = json!("Changed");
    world.events(&events);
    eventually("the change", || world.agenda("ana").iter().any(|line| line.ends_with("Changed")).then_some(()));
    events.remove(0);
    world.events(&events);
    eventually("the deletion", || (world.item_count("ana") == 2).then_some(()));
    daemon.stop();
    assert_eq!(copied().unwrap(), before);
    assert_eq!(world.shown("ana").ours["appointment/ana-000"].len(), 1);
}
