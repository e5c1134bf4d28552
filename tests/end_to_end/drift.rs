//! Somebody changes, deletes or copies our items in Outlook.

use calsyncd::sandbox::store::{
    Body, BodyKind, Change, ChangeOrder, Entry, Guard, Importance, Moment, Sensitivity, ShowAs, Target,
};
use serde_json::json;

use crate::harness::{Daemon, Face, World, appointment, eventually, many, on, series};

through!(what_a_user_changes_is_put_right: Ews Graph);
through!(a_copy_is_left_alone: Ews Graph);
through!(a_save_that_changes_nothing_is_no_drift: Ews Graph);
through!(what_users_may_keep_stays: Ews Graph);
through!(random_edits_are_told_apart: Ews Graph);
through!(a_deletion_is_respected: Ews Graph);
through!(five_repairs_and_then_parked: Ews Graph);
through!(what_the_server_rewrites_is_no_drift: Ews Graph);

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

/// The operation that looks at items.
const fn look(face: Face) -> &'static str {
    match face {
        Face::Ews | Face::Delegate => "GetItem",
        Face::Graph => "GetEvent",
    }
}

/// Waits until the daemon has looked at something and has noted what it saw.
fn looked(world: &World, daemon: &Daemon, since: u64) {
    eventually("a look", || (world.operations(look(world.face)) > since).then_some(()));
    passes(daemon);
}

/// Waits for two passes from their beginnings to their ends.
fn passes(daemon: &Daemon) {
    let before = daemon.count("plan_made");
    eventually("two passes", || (daemon.count("plan_made") >= before + 3).then_some(()));
}

fn looks(world: &World) -> u64 {
    world.operations(look(world.face))
}

fn a_save_that_changes_nothing_is_no_drift(face: Face) {
    let world = world(face);
    let exceptions = json!([{"original": on(14, "09:00"), "start": on(14, "15:00"), "end": on(14, "15:30")},
                            {"original": on(21, "09:00"), "cancelled": true}]);
    let mut html = appointment("html", "ana", 2, "11:00");
    html["body"] = json!("<p>Agenda</p><script>x()</script><ul><li>One</li></ul>");
    html["body_type"] = json!("html");
    let mut day = appointment("day", "ana", 3, "00:00");
    (day["start"], day["end"], day["all_day"]) =
        (json!(on(3, "09:00")[..10]), json!(on(4, "09:00")[..10]), json!(true));
    world.events(&[html, day, series("s", "ana", &exceptions)]);
    let daemon = world.daemon();
    eventually("the first push", || (world.item_count("ana") == 3).then_some(()));
    assert_eq!(looks(&world), 0, "a first push looks at nothing");
    looked(&world, &daemon, 0);
    let (agenda, writes, before) = (world.agenda("ana"), world.writes(), looks(&world));
    let shown = world.shown("ana");
    for key in ["appointment/html", "appointment/day", "appointment/s"] {
        world.store().touch(ANA, &Target::Id(shown.one(key).id.clone())).unwrap();
    }
    looked(&world, &daemon, before);
    let before = looks(&world);
    // A saved occurrence is an exception to the server, and shows what its series shows.
    let master = shown.one("appointment/s").id.clone();
    let last = world.store().instances(ANA, &master, jiff::Timestamp::now(), far()).unwrap().pop().unwrap();
    world.store().touch(ANA, &Target::Id(last.id)).unwrap();
    looked(&world, &daemon, before);
    let looked = looks(&world);
    passes(&daemon);
    assert_eq!(looks(&world), looked, "what is known is not looked at again");
    assert_eq!(world.writes(), writes, "nothing is written");
    assert_eq!(world.agenda("ana"), agenda);
    assert_eq!(daemon.count("drift_found"), 0);

    // An occurrence that says something else is drift.
    let second = world.store().instances(ANA, &master, jiff::Timestamp::now(), far()).unwrap().remove(1);
    edit(&world, &second, &[Change::Subject("Mine".to_owned())]);
    eventually("the occurrence", || (world.agenda("ana") == agenda).then_some(()));
    daemon.stop();
}

const MARKER: &str = "--- your notes ---";

fn keeping(face: Face) -> World {
    let mut world = world(face);
    world.configure(|config| {
        config.set("jobs.inbox", "keep_reminder", "true");
        config.set("jobs.inbox", "keep_categories", "true");
        config.set("jobs.inbox", "keep_notes", &format!("{MARKER:?}"));
    });
    world
}

fn body(entry: &Entry) -> String {
    entry.content.body.as_ref().map(|body| body.read_back(BodyKind::Text)).unwrap_or_default().replace("\r\n", "\n")
}

fn what_users_may_keep_stays(face: Face) {
    let world = keeping(face);
    let mut event = appointment("1", "ana", 2, "11:00");
    event["body"] = json!("Agenda");
    event["categories"] = json!(["Old"]);
    event["reminder_minutes"] = json!(10);
    event["sensitivity"] = json!("private");
    world.events(&[event.clone()]);
    let daemon = world.daemon();
    eventually("the first push", || (world.item_count("ana") == 1).then_some(()));
    looked(&world, &daemon, 0);
    let one = || world.shown("ana").one("appointment/1").clone();
    assert_eq!(body(&one()), format!("Agenda\n{MARKER}"));
    let (writes, before) = (world.writes(), looks(&world));
    edit(
        &world,
        &one(),
        &[
            Change::ReminderMinutes(45),
            Change::Categories(vec!["Mine".to_owned(), "Old".to_owned()]),
            Change::Body(Some(Body::html(format!("<p>Agenda</p><p>{MARKER}</p><p>Bring <b>cake</b> &amp; tea</p>")))),
        ],
    );
    looked(&world, &daemon, before);
    assert_eq!(world.writes(), writes, "all of it is the user's");

    // The source changes the same fields: what is the user's stays.
    event["body"] = json!("Another agenda");
    event["categories"] = json!(["New"]);
    event["reminder_minutes"] = json!(20);
    event["subject"] = json!("Changed");
    world.events(&[event.clone()]);
    eventually("the change", || (one().content.subject == "Changed").then_some(()));
    passes(&daemon);
    let content = one().content;
    assert_eq!(content.categories, ["New", "Mine"]);
    assert_eq!((content.reminder_set, content.reminder_minutes), (true, 45));
    assert_eq!(body(&one()), format!("Another agenda\n{MARKER}\nBring cake & tea"));

    // What is the source's is put right, and the notes stay; also after the next change of the reminder.
    edit(
        &world,
        &one(),
        &[
            Change::Body(Some(Body::text(format!("Mine\n{MARKER}\nNo cake")))),
            Change::Categories(vec!["Mine".to_owned()]),
        ],
    );
    eventually("the repair", || body(&one()).starts_with("Another agenda").then_some(()));
    event["reminder_minutes"] = json!(30);
    event["subject"] = json!("Changed again");
    world.events(&[event]);
    eventually("the change", || (one().content.subject == "Changed again").then_some(()));
    let content = one().content;
    assert_eq!(body(&one()), format!("Another agenda\n{MARKER}\nNo cake"));
    assert_eq!((content.categories.clone(), content.reminder_minutes), (vec!["New".to_owned(), "Mine".to_owned()], 45));
    let log = daemon.text();
    daemon.stop();
    let state = std::fs::read(world.state_path()).unwrap();
    for word in ["cake", "Mine"] {
        assert!(!log.contains(word), "logged: {word}");
        assert!(!state.windows(word.len()).any(|bytes| bytes == word.as_bytes()), "in the state: {word}");
    }
}

/// Numbers that look random, from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn random_edits_are_told_apart(face: Face) {
    let world = keeping(face);
    let mut events = many("ana", 6);
    for event in &mut events {
        event["body"] = json!("Agenda");
        event["categories"] = json!(["Ours"]);
        event["reminder_minutes"] = json!(10);
    }
    world.events(&events);
    let daemon = world.daemon();
    eventually("the first push", || (world.item_count("ana") == 6).then_some(()));
    looked(&world, &daemon, 0);
    let agenda = world.agenda("ana");
    let mut dice = Dice(20_261_127);
    for round in 0..3 {
        let shown = world.shown("ana");
        let mut theirs = Vec::new();
        for number in 0..6 {
            let key = format!("appointment/ana-{number:03}");
            let entry = shown.one(&key);
            let (note, category) = (format!("Note {}", dice.roll(100)), format!("Mine {}", dice.roll(100)));
            let later = entry.content.start + jiff::SignedDuration::from_mins(15);
            let all = [
                Change::Subject("Mine".to_owned()),
                Change::Location(None),
                Change::ShowAs(ShowAs::Free),
                Change::Sensitivity(Sensitivity::Personal),
                Change::Importance(Importance::High),
                Change::Start(Moment::Instant(later)),
            ];
            let mut changes: Vec<Change> = all.into_iter().filter(|_| dice.roll(3) == 0).collect();
            let minutes = 60 + u32::try_from(dice.roll(60)).unwrap();
            changes.push(Change::ReminderMinutes(minutes));
            changes.push(Change::Categories(vec!["Ours".to_owned(), category.clone()]));
            let above = if dice.roll(2) == 0 { "Agenda" } else { "Mine" };
            changes.push(Change::Body(Some(Body::text(format!("{above}\n{MARKER}\n{note}")))));
            edit(&world, entry, &changes);
            theirs.push((key, minutes, category, format!("Agenda\n{MARKER}\n{note}")));
        }
        let is_right = || {
            let shown = world.shown("ana");
            let fits = theirs.iter().all(|(key, minutes, category, text)| {
                let entry = shown.one(key);
                let content = &entry.content;
                content.reminder_minutes == *minutes
                    && content.categories.contains(category)
                    && content.categories.contains(&"Ours".to_owned())
                    && body(entry) == *text
                    && content.location.as_deref() == Some("Lyon")
                    && (content.show_as, content.sensitivity, content.importance)
                        == (ShowAs::Busy, Sensitivity::Normal, Importance::Normal)
            });
            (fits && world.agenda("ana") == agenda).then_some(())
        };
        eventually(&format!("everybody's own in round {round}"), is_right);
        passes(&daemon);
        assert!(is_right().is_some(), "round {round}");
    }
    daemon.stop();
}

fn a_deletion_is_respected(face: Face) {
    let mut world = world(face);
    world.configure(|config| config.set("jobs.inbox", "deleted_by_user", "\"30d\""));
    let mut events = many("ana", 3);
    world.events(&events);
    let daemon = world.daemon();
    eventually("the first push", || (world.item_count("ana") == 3).then_some(()));
    passes(&daemon);
    let gone = world.shown("ana").one("appointment/ana-001").clone();
    world.store().delete(ANA, &Target::Id(gone.id), &Guard::Any).unwrap();
    passes(&daemon);
    assert_eq!(world.item_count("ana"), 2);
    events[1]["subject"] = json!("Changed");
    events[0]["subject"] = json!("Changed too");
    world.events(&events);
    eventually("the change of another", || {
        (world.shown("ana").one("appointment/ana-000").content.subject == "Changed too").then_some(())
    });
    assert_eq!(world.item_count("ana"), 2, "another subject brings nothing back");
    daemon.stop();
    let plan = world.command(&["plan", "--json"]).expect(0, &[]).json();
    let decisions = plan["mailboxes"][0]["decisions"].as_array().unwrap();
    let told = decisions.iter().find(|decision| decision["code"] == "deleted_by_user");
    assert!(told.is_some_and(|decision| decision["key"] == "inbox/appointment/ana-001"), "{plan:#}");
    assert_eq!(world.status()["standing"][0]["code"], "deleted_by_user");
    world.command(&["why", "inbox/appointment/ana-001"]).expect(0, &["deleted by its user"]);

    let daemon = world.daemon();
    events[1]["start"] = json!(on(5, "16:00"));
    events[1]["end"] = json!(on(5, "17:00"));
    world.events(&events);
    eventually("the event at its new time", || (world.item_count("ana") == 3).then_some(()));
    daemon.stop();
    world.assert_exactly("ana", &events);
}

fn five_repairs_and_then_parked(face: Face) {
    let world = world(face);
    let events = many("ana", 1);
    world.events(&events);
    let daemon = world.daemon();
    eventually("the first push", || (world.item_count("ana") == 1).then_some(()));
    looked(&world, &daemon, 0);
    let one = || world.shown("ana").one("appointment/ana-000").clone();
    let ours = one().content.subject.clone();
    for number in 0..5 {
        edit(&world, &one(), &[Change::Subject(format!("Mine {number}"))]);
        eventually("the repair", || (one().content.subject == ours).then_some(()));
        passes(&daemon);
    }
    let mark = daemon.mark();
    edit(&world, &one(), &[Change::Subject("Mine for good".to_owned())]);
    daemon.wait_after(mark, "drift_found", |line| line["kind"] == "changed too often");
    passes(&daemon);
    assert_eq!(one().content.subject, "Mine for good");
    daemon.stop();
    world.command(&["plan"]).expect(0, &["repaired too often today"]);
    assert_eq!(world.status()["standing"][0]["code"], "repaired_too_often");
}

fn what_the_server_rewrites_is_no_drift(face: Face) {
    let world = world(face);
    world.store().set_settling(ANA, true).unwrap();
    let mut events = many("ana", 2);
    events[0]["body"] = json!("Agenda  \n\n  One");
    events.push(series("s", "ana", &json!([{"original": on(14, "09:00"), "cancelled": true}])));
    world.events(&events);
    let daemon = world.daemon();
    eventually("the first push", || (world.item_count("ana") == 3).then_some(()));
    // What was rewritten before its echo was learnt is written once more, and learnt then.
    looked(&world, &daemon, 0);
    passes(&daemon);
    let writes = world.writes();
    for _ in 0..3 {
        passes(&daemon);
    }
    assert_eq!(world.writes(), writes, "{}", daemon.text());
    world.store().set_settling(ANA, false).unwrap();
    let agenda = world.agenda("ana");
    edit(&world, world.shown("ana").one("appointment/ana-000"), &[Change::Subject("Mine".to_owned())]);
    eventually("the repair", || (world.agenda("ana") == agenda).then_some(()));
    daemon.stop();
}
