//! A hybrid: each mailbox is reached where it lives, and followed when it moves.

use calsyncd::{
    model::{address::Address, side::Side},
    sandbox::{Fault, FaultKind, store::Half},
    state::{Access, Store, WaitScope},
};
use serde_json::{Value, json};

use crate::harness::{Config, Daemon, Face, SECRET, WRONG, World, appointment, eventually, many, series};

/// Ana and Chloe live on-premises, Bob and Dan in Exchange Online.
fn world() -> World {
    let mut world = World::with(Face::Ews, |settings| {
        let halves = [Half::OnPremises, Half::Online, Half::OnPremises, Half::Online];
        settings.mailboxes.iter_mut().zip(halves).for_each(|(mailbox, half)| mailbox.half = half);
        settings.lock_out_after = 0;
    });
    let url = world.sandbox().url();
    world.configure(|config| {
        config.hybrid(&url);
        config.set("jobs.inbox", "every", "\"1s\"");
    });
    world.client_secret(SECRET);
    world
}

fn address(person: &str) -> String {
    format!("{person}@example.test")
}

fn move_to(world: &World, person: &str, half: Half) {
    world.store().begin_move(&address(person), half).unwrap();
    world.store().complete_move::<&str>(&address(person), &[]).unwrap();
}

fn events_of(count: usize) -> Vec<Value> {
    ["ana", "bob", "chloe", "dan"].iter().flat_map(|person| many(person, count)).collect()
}

fn everybody() -> Vec<Value> {
    events_of(5)
}

fn assert_everybody(world: &World, events: &[Value]) {
    ["ana", "bob", "chloe", "dan"].iter().for_each(|person| world.assert_exactly(person, events));
}

/// The entry of a mailbox in `status --json`.
fn status_of(world: &World, person: &str) -> Value {
    let status = world.status();
    let mailboxes = status["mailboxes"].as_array().unwrap();
    mailboxes.iter().find(|mailbox| mailbox["mailbox"] == address(person)).cloned().unwrap_or_default()
}

fn opened(world: &World) -> (u64, u64) {
    (world.operations(Face::Ews.open()), world.operations(Face::Graph.open()))
}

#[test]
fn each_mailbox_is_reached_where_it_lives_and_that_is_remembered() {
    let world = world();
    let events = everybody();
    world.events(&events);
    world.command(&["check"]).expect(0, &[]);
    world.command(&["plan"]).expect(10, &["dan@example.test: 5 to create"]);
    assert_eq!(world.status()["mailboxes"], json!([]), "looking remembers nothing");
    assert_eq!(world.sync().changes(), [20, 0, 0]);
    assert_everybody(&world, &events);
    assert_eq!((world.operations("CreateItem"), world.operations("CreateEvent")), (2, 10));
    let sides = ["ana", "bob", "chloe", "dan"].map(|person| status_of(&world, person)["side"].clone());
    assert_eq!(sides, ["ews", "graph", "ews", "graph"]);
    world.command(&["status"]).expect(0, &["EWS", "Graph"]);

    // Whoever knows does not ask both.
    let before = opened(&world);
    world.events(&many("bob", 6));
    assert_eq!(world.sync().changes()[0], 1);
    let after = opened(&world);
    assert_eq!((after.0 - before.0, after.1 - before.1), (2, 2));
    world.command(&["plan"]).expect(0, &[]);
}

#[test]
fn a_mailbox_on_both_sides_or_on_none_is_left_alone() {
    let mut world = world();
    world.configure(|config| config.set("jobs.inbox.addresses", "stray", "\"stray@example.test\""));
    world.events(&[many("ana", 2), many("stray", 2)].concat());
    let pass = world.try_sync();
    assert_eq!((pass.code, pass.changes()), (1, [2, 0, 0]), "{:#}", pass.json);
    assert!(pass.json.to_string().contains("MailboxOnNoSide"), "{:#}", pass.json);
    assert!(status_of(&world, "stray")["parked"].to_string().contains("neither on-premises nor in Exchange Online"));

    let both = World::with(Face::Ews, |_| {});
    let (url, mut both) = (both.sandbox().url(), both);
    both.configure(|config| config.hybrid(&url));
    both.client_secret(SECRET);
    both.events(&many("ana", 2));
    let pass = both.try_sync();
    assert_eq!((pass.code, both.item_count("ana")), (1, 0), "{:#}", pass.json);
    assert!(pass.json.to_string().contains("MailboxOnBothSides"), "{:#}", pass.json);
    both.command(&["plan"]).expect(1, &["MailboxOnBothSides", "Disable-Mailbox"]);
}

fn wait_parked(daemon: &Daemon, mark: usize, person: &str, code: &str) {
    daemon.wait_after(mark, "mailbox_parked", |line| line["mailbox"] == address(person) && line["code"] == code);
}

#[test]
fn a_mailbox_that_moves_is_parked_and_then_followed() {
    let mut world = world();
    world.configure(|config| config.set("limits", "drift_every", "\"1s\""));
    let mut events = everybody();
    events.push(series("weekly", "ana", &json!([])));
    world.events(&events);
    let daemon = world.daemon();
    eventually("everybody", || (world.item_count("ana") == 6 && world.item_count("dan") == 5).then_some(()));
    let mark = daemon.mark();
    world.store().begin_move(&address("ana"), Half::Online).unwrap();
    events.push(appointment("meanwhile", "ana", 3, "09:00"));
    events.push(appointment("too", "chloe", 3, "09:00"));
    world.events(&events);
    wait_parked(&daemon, mark, "ana", "ErrorMailboxMoveInProgress");
    eventually("the others go on", || (world.item_count("chloe") == 6).then_some(()));

    let created = world.operations("CreateEvent");
    world.store().complete_move::<&str>(&address("ana"), &[]).unwrap();
    let moved = daemon.wait_after(mark, "mailbox_moved", |line| line["mailbox"] == address("ana"));
    assert_eq!(
        (&moved["from"], &moved["to"], &moved["found"], &moved["lost"]),
        (&json!("ews"), &json!("graph"), &json!(6), &json!(0))
    );
    eventually("what came meanwhile", || (world.item_count("ana") == 7).then_some(()));
    assert_eq!(world.operations("CreateEvent"), created + 1, "nothing else was created");
    world.assert_exactly("ana", &events);

    // It is kept in step there, and comes back.
    events.retain(|event| event["id"] != "meanwhile");
    world.events(&events);
    eventually("a deletion", || (world.item_count("ana") == 6).then_some(()));
    let mark = daemon.mark();
    move_to(&world, "ana", Half::OnPremises);
    let moved = daemon.wait_after(mark, "mailbox_moved", |line| line["mailbox"] == address("ana"));
    assert_eq!((&moved["to"], &moved["found"], &moved["lost"]), (&json!("ews"), &json!(6), &json!(0)));
    daemon.stop();
    world.sync();
    world.assert_exactly("ana", &events);
    world.command(&["plan"]).expect(0, &[]);
    let key = format!("inbox/appointment/{}", events[0]["id"].as_str().unwrap());
    world
        .command(&["why", &key])
        .expect(0, &["decided: follow (moved): the mailbox is reached by Graph now", "by EWS now"]);
}

#[test]
fn what_a_move_loses_is_written_anew_and_what_it_keeps_is_not() {
    let world = world();
    world.events(&many("ana", 6));
    world.sync();
    let lost = world.shown("ana").one("appointment/ana-002").id.clone();
    world.store().begin_move(&address("ana"), Half::Online).unwrap();
    world.store().complete_move(&address("ana"), &[&lost]).unwrap();
    // Looking follows, and remembers nothing.
    world.command(&["plan"]).expect(10, &["1"]);
    assert_eq!(status_of(&world, "ana")["side"], "ews");
    assert_eq!(world.sync().changes(), [1, 0, 0]);
    assert_eq!(status_of(&world, "ana")["side"], "graph");
    world.assert_exactly("ana", &many("ana", 6));
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

#[test]
fn a_write_in_doubt_is_looked_for_where_the_mailbox_is_by_now() {
    let world = world();
    world.events(&many("ana", 4));
    world.inject(Fault::nth(FaultKind::DropAnswerAfterCommit, 1, "CreateItem"));
    // Nor is it known afterwards.
    world.inject(Fault { retry_after_s: Some(600.0), ..Fault::nth(FaultKind::Http503, 2, "FindItem") });
    let daemon = world.daemon();
    daemon.wait("server_paused");
    daemon.kill();
    assert_eq!(world.item_count("ana"), 4);
    world.block_on(async {
        let store = Store::open(&world.state_path(), Access::Exclusive).await.unwrap();
        assert_eq!(store.intents(&Address::parse(&address("ana")).unwrap()).await.unwrap().len(), 4);
        store.end_wait(&WaitScope::Server(Side::Ews)).await.unwrap();
        store.close().await;
    });
    move_to(&world, "ana", Half::Online);
    world.sync();
    world.assert_exactly("ana", &many("ana", 4));
    assert_eq!(world.operations("CreateEvent"), 0);
}

fn failed(world: &World) -> u64 {
    world.counts().failed_log_ons.values().sum()
}

#[test]
fn a_refused_credential_stops_its_side_alone() {
    let mut world = world();
    let events = everybody();
    world.events(&events);
    world.sync();
    world.secret(WRONG);
    let more: Vec<Value> = ["ana", "bob", "chloe", "dan"].iter().flat_map(|person| many(person, 7)).collect();
    world.events(&more);
    let daemon = world.daemon();
    let parked = daemon.wait("credential_parked_error");
    assert_eq!(parked["side"], "ews");
    eventually("the other side", || (world.item_count("bob") == 7 && world.item_count("dan") == 7).then_some(()));
    assert_eq!((failed(&world), world.item_count("ana"), world.item_count("chloe")), (1, 5, 5));
    // A change on the other side is no reason to try.
    let mark = daemon.mark();
    world.configure(|config| config.set("exchange", "client_secret_expires", "\"2099-01-01\""));
    daemon.signal("HUP");
    daemon.wait_after(mark, "settings_reloaded", |_| true);
    let mark = daemon.mark();
    daemon.wait_after(mark, "source_read_finished", |_| true);
    daemon.wait_after(mark, "source_read_finished", |_| true);
    assert_eq!(failed(&world), 1);
    assert_eq!(world.status()["waits"][0]["side"], "ews");
    daemon.stop();

    // Commands by hand leave it alone as well, whatever the settings say meanwhile.
    let more = events_of(8);
    world.events(&more);
    let sync = || world.command(&["sync"]).expect(1, &["the mailboxes of EWS are left alone", "--try-credential"]);
    sync();
    assert_eq!((failed(&world), world.item_count("ana"), world.item_count("bob")), (1, 5, 8));
    world.command(&["test", "--user", "bob@example.test"]).expect(1, &["left alone"]);
    world.command(&["adopt", "--mailbox", "bob@example.test"]).expect(0, &["8"]);
    world.command(&["adopt", "--mailbox", "ana@example.test"]).expect(1, &["refuses this credential"]);
    let hybrid = world.config.clone();
    world.config = Config::new(Face::Graph, &world.sandbox().url());
    world.save();
    world.secret(SECRET);
    world.command(&["sync", "--mailbox", "bob@example.test"]).expect(0, &[]);
    world.secret(WRONG);
    world.config = hybrid;
    world.save();
    world.command(&["sync"]).expect(1, &["the mailboxes of EWS are left alone"]);
    assert_eq!(failed(&world), 1);

    let daemon = world.daemon();
    daemon.wait("credential_parked_error");
    world.secret(SECRET);
    daemon.signal("HUP");
    eventually("everybody", || (world.item_count("ana") == 8 && world.item_count("chloe") == 8).then_some(()));
    daemon.stop();
    assert_everybody(&world, &more);
}

#[test]
fn a_server_that_is_left_alone_keeps_the_other_side_waiting_for_nothing() {
    let world = world();
    world.events(&everybody());
    world.sync();
    let more: Vec<Value> = ["ana", "bob", "chloe", "dan"].iter().flat_map(|person| many(person, 7)).collect();
    world.inject(Fault { retry_after_s: Some(600.0), ..Fault::nth(FaultKind::Http503, 1, "GetFolder") });
    world.events(&more);
    let daemon = world.daemon();
    let paused = daemon.wait("server_paused");
    assert_eq!(paused["side"], "ews");
    eventually("the other side", || (world.item_count("bob") == 7 && world.item_count("dan") == 7).then_some(()));
    assert_eq!((world.item_count("ana"), world.item_count("chloe")), (5, 5));
    daemon.stop();
}

#[test]
fn commands_in_the_foreground_find_the_mailbox() {
    let world = world();
    world.events(&everybody());
    world.sync();
    move_to(&world, "bob", Half::OnPremises);
    move_to(&world, "ana", Half::Online);
    world.command(&["plan", "--mailbox", "bob@example.test"]).expect(0, &[]);
    world.command(&["adopt", "--mailbox", "bob@example.test"]).expect(0, &["5"]);
    assert_eq!(status_of(&world, "bob")["side"], "ews");
    world.command(&["purge", "--mailbox", "ana@example.test", "--yes"]).expect(0, &["5"]);
    assert_eq!(world.item_count("ana"), 0);
    assert_eq!(world.sync().changes(), [5, 0, 0]);
    assert_everybody(&world, &everybody());
}

#[test]
fn a_calendar_beside_the_default_one_is_found_by_its_name_once_more() {
    let mut world = world();
    world.configure(|config| {
        config.set("exchange", "calendar", "\"Planning\"");
        config.set("exchange", "create_calendar", "true");
    });
    world.events(&many("ana", 3));
    world.sync();
    move_to(&world, "ana", Half::Online);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    world.events(&many("ana", 4));
    assert_eq!(world.sync().changes(), [1, 0, 0]);
    world.assert_exactly("ana", &many("ana", 4));
    let counts = || {
        let folders = world.store().folders(&address("ana")).unwrap();
        folders.into_iter().map(|one| (one.name, one.item_count)).collect::<Vec<_>>()
    };
    let named = |name: &str| vec![("Calendar".to_owned(), 0), (name.to_owned(), 4)];
    assert_eq!(counts(), named("Planning"));

    // Under another name it is known by what it holds, and none is made.
    let folders = world.store().folders(&address("ana")).unwrap();
    world.store().rename_folder(&address("ana"), &folders[1].id, "Work").unwrap();
    move_to(&world, "ana", Half::OnPremises);
    world.command(&["plan", "--mailbox", "ana@example.test"]).expect(0, &["4 kept"]);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    assert_eq!(counts(), named("Work"));
    world.events(&many("ana", 3));
    assert_eq!(world.sync().changes(), [0, 0, 1]);
    move_to(&world, "ana", Half::Online);
    world.command(&["purge", "--mailbox", "ana@example.test", "--yes"]).expect(0, &["3"]);
}

/// Whoever goes from EWS to Graph as a whole keeps the state, and the items.
#[test]
fn another_protocol_finds_the_same_items() {
    let mut world = World::new(Face::Ews);
    let events = everybody();
    world.events(&events);
    world.sync();
    let url = world.sandbox().url();
    world.config = Config::new(Face::Graph, &url);
    world.save();
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    assert_everybody(&world, &events);
    assert_eq!(world.operations("CreateEvent"), 0);
    assert_eq!(status_of(&world, "ana")["side"], "graph");

    // Nobody ever asked the other side: it has a mailbox of that address too.
    world.config = Config::new(Face::Ews, &url);
    world.configure(|config| config.hybrid(&url));
    world.client_secret(SECRET);
    world.events(&events_of(6));
    let pass = world.try_sync();
    assert_eq!((pass.code, world.item_count("ana")), (1, 5), "{:#}", pass.json);
    assert!(pass.json.to_string().contains("MailboxOnBothSides"), "{:#}", pass.json);
}

/// The steps of `test --json` that failed or say where a mailbox lives: side, step, cause or answer.
fn tested(world: &World, arguments: &[&str]) -> Vec<(String, String, String)> {
    let ended = world.command(&[&["test", "--json"], arguments].concat());
    let told = ended.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = told["steps"].as_array().unwrap().iter();
    let shown = steps.filter(|step| step["ok"] == false || step["step"] == "place" || step["step"] == "refusal");
    shown
        .map(|step| {
            let word = if step["ok"] == true { &step["answer"] } else { &step["cause"] };
            (text(&step["side"]), text(&step["step"]), text(word))
        })
        .collect()
}

fn told(steps: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    steps.iter().map(|(side, step, word)| ((*side).to_owned(), (*step).to_owned(), (*word).to_owned())).collect()
}

#[test]
fn the_test_of_the_access_says_where_each_mailbox_lives() {
    let mut world = world();
    let both = ["--user", "ana@example.test", "--user", "bob@example.test"];
    let (on_premises, online) =
        ("on-premises has it, Exchange Online has not", "Exchange Online has it, on-premises has not");
    assert_eq!(tested(&world, &both), told(&[("ews", "place", on_premises), ("graph", "place", online)]));
    assert_eq!((world.item_count("ana"), world.item_count("bob")), (0, 0), "canaries are gone");
    assert_eq!((world.operations("CreateItem"), world.operations("CreateEvent")), (1, 2));

    world.events(&many("ana", 1));
    world.sync();
    move_to(&world, "ana", Half::Online);
    let moved = "Exchange Online has it, on-premises has not: it has moved, the next pass follows";
    assert_eq!(tested(&world, &both[..2]), told(&[("graph", "place", moved)]));
    world.store().begin_move(&address("ana"), Half::OnPremises).unwrap();
    assert_eq!(tested(&world, &both[..2]), told(&[("graph", "place", "mailbox_moving")]));
    let nobody = tested(&world, &["--user", "nobody@example.test"]);
    assert_eq!(nobody, told(&[("graph", "place", "no_mailbox")]));

    world.store().cancel_move(&address("ana")).unwrap();

    // Each side by itself.
    let out = tested(&world, &["--out-of-scope", "chloe@example.test"]);
    assert_eq!(out, told(&[("ews", "refusal", "not_refused")]));
    world.secret(WRONG);
    let before = failed(&world);
    let steps = tested(&world, &both);
    assert_eq!(steps, told(&[("ews", "authentication", "wrong_password")]));
    assert_eq!(failed(&world) - before, 1);
    world.secret(SECRET);
    world.client_secret(WRONG);
    world.configure(|config| config.set("exchange", "test_user", "\"chloe@example.test\""));
    let steps = tested(&world, &[]);
    assert_eq!(
        (steps[0].0.as_str(), steps[0].1.as_str(), steps[0].2.as_str()),
        ("graph", "credential", "secret_wrong")
    );
    world.command(&["test"]).expect(1, &["Graph: get a token", "FAILED", "EWS: connect to"]);
}

#[test]
fn a_mailbox_on_both_sides_is_named_by_the_test() {
    let mut world = World::new(Face::Ews);
    let url = world.sandbox().url();
    world.configure(|config| config.hybrid(&url));
    world.client_secret(SECRET);
    assert_eq!(tested(&world, &["--user", "ana@example.test"]), told(&[("graph", "place", "on_both_sides")]));
    assert_eq!(world.operations("CreateItem") + world.operations("CreateEvent"), 0);
}
