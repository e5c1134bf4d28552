//! A first roll-out: some mailboxes take part, the others are left as they are.

use serde_json::json;

use crate::harness::{Face, World, eventually, many};

through!(a_run_takes_the_mailboxes_that_are_asked_for: Ews Graph);
through!(the_rollout_of_the_settings_grows_and_shrinks: Ews Graph);

const ANA: &str = "ana@example.test";
const BOB: &str = "bob@example.test";

fn counts(world: &World) -> [usize; 3] {
    ["ana", "bob", "chloe"].map(|person| world.item_count(person))
}

fn everybody() -> Vec<serde_json::Value> {
    [many("ana", 2), many("bob", 2), many("chloe", 2)].concat()
}

fn a_run_takes_the_mailboxes_that_are_asked_for(face: Face) {
    let mut world = World::new(face);
    world.events(&everybody());
    let planned = |arguments: &[&str]| -> Vec<String> {
        let plan = world.command(&[&["plan", "--json"], arguments].concat()).json();
        let mailboxes = plan["mailboxes"].as_array().unwrap().iter();
        mailboxes.map(|one| one["mailbox"].as_str().unwrap().trim_end_matches("@example.test").to_owned()).collect()
    };
    assert_eq!(planned(&["--mailbox", ANA, "--mailbox", BOB]), ["ana", "bob"]);
    assert_eq!(planned(&["--share", "0%", "--mailbox", BOB]), ["bob"]);
    assert_eq!(planned(&["--share", "100%"]), ["ana", "bob", "chloe"]);
    let mut before = Vec::new();
    for percent in [5, 20, 40, 60, 80, 100] {
        let now = planned(&["--share", &format!("{percent}%")]);
        assert!(before.iter().all(|mailbox| now.contains(mailbox)), "{percent} %: {before:?}, {now:?}");
        before = now;
    }
    world.command(&["plan", "--share", "200%"]).expect(1, &["not a share", "hint: "]);
    world.command(&["sync", "--mailbox", "zoe@example.test", "--mailbox", BOB]).expect(1, &["zoe@example.test has no"]);
    assert_eq!(counts(&world), [0, 2, 0]);

    // What the settings leave out cannot be asked for.
    world.configure(|config| config.set("rollout", "mailboxes", "[\"ana@example.test\"]"));
    world.command(&["sync", "--mailbox", BOB]).expect(1, &["bob@example.test is not in the roll-out", "hint: "]);
    world.command(&["sync", "--share", "100%"]).expect(0, &[]);
    assert_eq!(counts(&world), [2, 2, 0]);
    world.command(&["plan"]).expect(0, &["2 mailboxes outside of [rollout]"]);
    for (key, value) in [("mailboxes", "[\"nobody\"]"), ("share", "\"half\""), ("except", "[1]"), ("shar", "\"1%\"")] {
        let good = world.config.clone();
        world.configure(|config| config.set("rollout", key, value));
        world.command(&["check"]).expect(2, &[&format!("rollout.{key}"), "hint: "]);
        world.config = good;
    }
    world.configure(|config| config.set("rollout", "mailboxes", "[]"));
    world.command(&["check"]).expect(0, &["no mailbox takes part"]);
}

fn the_rollout_of_the_settings_grows_and_shrinks(face: Face) {
    let mut world = World::new(face);
    let mut events = everybody();
    world.events(&events);
    world.configure(|config| config.set("rollout", "mailboxes", "[\"Ana@example.test\"]"));
    let daemon = world.daemon();
    daemon.wait_after(0, "mailbox_pass_finished", |line| line["mailbox"] == ANA);
    assert_eq!(counts(&world), [2, 0, 0]);
    let reload = || {
        let mark = daemon.mark();
        daemon.signal("HUP");
        let reloaded = daemon.wait_after(mark, "settings_reloaded", |_| true);
        assert!(reloaded["changed"].as_str().unwrap().contains("rollout."), "{reloaded}");
        assert_eq!(reloaded["needs_restart"], "");
        mark
    };
    world.configure(|config| config.set("rollout", "mailboxes", "[\"ana@example.test\", \"bob@example.test\"]"));
    reload();
    eventually("bob", || (counts(&world) == [2, 2, 0]).then_some(()));

    // Ana leaves: what is there stays, whatever the source says now.
    world.configure(|config| config.set("rollout", "mailboxes", "[\"bob@example.test\"]"));
    let mark = reload();
    daemon.wait_after(mark, "mailbox_pass_finished", |line| line["mailbox"] == BOB);
    let before = format!("{:?}", world.shown("ana"));
    events[0]["subject"] = json!("Changed");
    events.remove(1);
    events[1]["subject"] = json!("Changed");
    world.events(&events);
    eventually("bob's change", || world.agenda("bob").iter().any(|line| line.ends_with("Changed")).then_some(()));
    let status = world.status();
    let is_in = |address: &str| {
        let mailboxes = status["mailboxes"].as_array().unwrap();
        mailboxes.iter().find(|one| one["mailbox"] == address).unwrap()["in_rollout"].clone()
    };
    assert_eq!((is_in(ANA), is_in(BOB)), (json!(false), json!(true)));
    assert_eq!(status["rollout"], json!({ "mailboxes": [BOB], "share": "0%", "except": [] }));
    world.command(&["status"]).expect(0, &["roll-out    0% of all mailboxes, and 1 named", "left as it is"]);

    // The whole, without bob: ana is followed again, and what has changed meanwhile is made good.
    assert_eq!(format!("{:?}", world.shown("ana")), before);
    world.configure(|config| {
        config.set("rollout", "share", "\"100%\"");
        config.set("rollout", "mailboxes", "[]");
        config.set("rollout", "except", "[\"bob@example.test\"]");
    });
    reload();
    eventually("all but bob", || (counts(&world) == [1, 2, 2]).then_some(()));
    daemon.stop();
    world.assert_exactly("ana", &events);
    assert!(world.agenda("ana")[0].ends_with("Changed"));
}
