//! An event that is handed to another person is created there before it is deleted here.

use serde_json::json;

use crate::harness::{Face, World, appointment};

through!(what_is_handed_over_moves_in_one_run: Ews Graph);
through!(what_cannot_be_created_there_stays_here: Ews Graph);
through!(a_daemon_deletes_once_the_other_calendar_shows_it: Ews Graph);

const ANA: &str = "ana@example.test";
const BOB: &str = "bob@example.test";

fn counts(world: &World) -> [usize; 2] {
    ["ana", "bob"].map(|person| world.item_count(person))
}

fn what_is_handed_over_moves_in_one_run(face: Face) {
    let world = World::new(face);
    world.events(&[appointment("1", "ana", 3, "09:00"), appointment("2", "bob", 4, "09:00")]);
    world.sync();
    assert_eq!(counts(&world), [1, 1]);
    // Each is the other's: neither waits for ever.
    world.events(&[appointment("1", "bob", 3, "09:00"), appointment("2", "ana", 4, "09:00")]);
    let pass = world.sync();
    assert_eq!(pass.changes(), [2, 0, 2]);
    assert_eq!(counts(&world), [1, 1]);
    assert_eq!(pass.of("ana")["waiting"], json!(0));
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

fn what_cannot_be_created_there_stays_here(face: Face) {
    let world = World::new(face);
    world.events(&[appointment("1", "ana", 3, "09:00"), appointment("2", "ana", 4, "09:00")]);
    world.sync();
    // There is no mailbox of that name. What else ana's calendar needs is written all the same.
    world.events(&[appointment("1", "zoe", 3, "09:00"), appointment("2", "ana", 4, "10:00")]);
    let ended = world.command(&["sync", "--json"]).expect(1, &[]).json();
    let ana = ended["mailboxes"].as_array().unwrap().iter().find(|one| one["mailbox"] == ANA).unwrap();
    assert_eq!((&ana["updated"], &ana["deleted"]), (&json!(1), &json!(0)), "{ana}");
    assert_eq!((&ana["waiting"], &ana["waits_for"]), (&json!(1), &json!(["zoe@example.test"])), "{ana}");
    assert_eq!(counts(&world), [2, 0]);
    world
        .command(&["sync"])
        .expect(1, &["ana@example.test: 1 item stays until created in the calendar of zoe@example.test", "hint: "]);
    assert_eq!(counts(&world), [2, 0]);
    // A run that leaves the other mailbox out does not delete either.
    world.events(&[appointment("1", "bob", 3, "09:00"), appointment("2", "ana", 4, "10:00")]);
    world.command(&["sync", "--mailbox", ANA]).expect(1, &["1 item stays until created in the calendar of bob"]);
    assert_eq!(counts(&world), [2, 0]);
    world.command(&["sync", "--mailbox", BOB]).expect(0, &[]);
    assert_eq!(counts(&world), [2, 1]);
    world.command(&["sync", "--mailbox", ANA]).expect(0, &[]);
    assert_eq!(counts(&world), [1, 1]);
}

fn a_daemon_deletes_once_the_other_calendar_shows_it(face: Face) {
    let world = World::new(face);
    world.events(&[appointment("1", "ana", 3, "09:00")]);
    world.sync();
    let daemon = world.daemon();
    daemon.wait("mailbox_pass_finished");
    let mark = daemon.mark();
    world.events(&[appointment("1", "bob", 3, "09:00")]);
    daemon.wait_after(mark, "mailbox_pass_finished", |pass| pass["mailbox"] == ANA && pass["deleted"] == 1);
    assert_eq!(counts(&world), [0, 1]);
    daemon.stop();
}
