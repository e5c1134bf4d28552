//! Plans as JSON, and plans that are saved, looked at and carried out later.

use std::{fs, os::unix::fs::PermissionsExt};

use calsyncd::sandbox::{
    Fault, FaultKind,
    store::{Change, ChangeOrder, Draft, Guard, Moment, Target, Zone},
};
use jiff::civil::Time;
use serde_json::{Value, json};

use crate::harness::{Face, World, assert_valid, day, many, series};

through!(a_plan_in_json_fits_its_schema: Ews Graph);
through!(a_saved_plan_does_what_was_looked_at: Ews Graph);
through!(a_plan_is_refused_when_anything_has_moved: Ews Graph);
through!(a_saved_plan_is_finished_after_a_throttle: Ews Graph);

const ANA: &str = "ana@example.test";
const BOB: &str = "bob@example.test";

fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/plan.schema.json")).unwrap()
}

/// A dry run as JSON; it fits the schema and tells no text of a calendar.
#[track_caller]
fn plan(world: &World, code: i32) -> Value {
    let ended = world.command(&["plan", "--json"]).expect(code, &[]);
    let json = ended.json();
    assert_valid(&schema(), &json);
    for text in ["Meeting", "Lyon", "Moved elsewhere", "Mine"] {
        assert!(!ended.out.contains(text), "{text} in {}", ended.out);
    }
    json
}

fn decision<'a>(plan: &'a Value, key: &str) -> &'a Value {
    let all = plan["mailboxes"].as_array().unwrap().iter().flat_map(|mailbox| mailbox["decisions"].as_array().unwrap());
    all.into_iter().find(|decision| decision["key"].as_str().unwrap().ends_with(key)).unwrap()
}

fn edit(world: &World, key: &str, subject: &str) {
    let target = Target::Id(world.shown("ana").one(key).id.clone());
    let changes = [Change::Subject(subject.to_owned())];
    world.store().update(ANA, &target, &changes, ChangeOrder::Together, &Guard::Any).unwrap();
}

fn a_plan_in_json_fits_its_schema(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 20);
    events.push(series("s", "ana", &json!([])));
    events.push(json!({ "kind": "appointment", "id": "bad", "person": "ana", "start": "yesterday" }));
    world.events(&events);
    let first = plan(&world, 10);
    assert_eq!(first["version"], 1);
    assert_eq!(first["rejected"].as_array().unwrap().len(), 1);
    let new = decision(&first, "ana-000");
    assert_eq!((&new["action"], &new["code"]), (&json!("create"), &json!("new")));
    assert_eq!(new["shows"]["start"], format!("{}T09:00:00", day(1)));
    world.sync();
    // A calendar that is read anew: EWS says nothing of an item that came and went since the last reading.
    for name in ["calsyncd.sqlite", "calsyncd.sqlite-wal", "calsyncd.sqlite-shm"] {
        let _ = fs::remove_file(world.path().join("state").join(name));
    }
    world.sync();
    assert_eq!(plan(&world, 0)["mailboxes"][0]["keep"], 21);

    events[0]["subject"] = json!("Moved elsewhere");
    events[0]["start"] = json!(format!("{}T07:00", day(2)));
    events[0]["end"] = json!(format!("{}T08:00", day(2)));
    events[0]["reminder_minutes"] = json!(20);
    events[20]["exceptions"] = json!([{ "original": format!("{}T09:00", day(14)), "cancelled": true }]);
    events.remove(1);
    world.events(&events);
    edit(&world, "appointment/ana-002", "Mine");
    let original = world.shown("ana").one("appointment/ana-003").id.clone();
    world.store().copy_item(ANA, &original, None).unwrap();
    world
        .store()
        .delete(ANA, &Target::Id(world.shown("ana").one("appointment/ana-004").id.clone()), &Guard::Any)
        .unwrap();
    let second = plan(&world, 10);
    let counts = ["create", "update", "delete", "hold", "keep", "forget", "quarantine", "copies"]
        .map(|name| second["mailboxes"][0][name].as_u64().unwrap());
    assert_eq!(counts, [1, 3, 1, 0, 16, 0, 0, 1], "{second:#}");
    let changed = decision(&second, "ana-000");
    assert_eq!(changed["fields"], json!(["subject", "time", "reminder"]));
    assert_eq!(changed["changes"][0], json!({ "field": "subject", "wanted": null }));
    assert_eq!(changed["changes"][1]["wanted"]["start"], format!("{}T07:00:00", day(2)));
    assert_eq!(changed["changes"][2], json!({ "field": "reminder", "wanted": 20 }));
    let codes = ["ana-001", "ana-002", "ana-003", "ana-004"].map(|key| decision(&second, key)["code"].clone());
    assert_eq!(codes, ["deleted_in_source", "changed_in_outlook", "same", "deleted_in_outlook"]);
    let series = decision(&second, "/s");
    assert_eq!((&series["fields"], &series["rebuilds_series"]), (&json!(["occurrences"]), &json!(true)));

    events.truncate(2);
    world.events(&events);
    let held = plan(&world, 10);
    assert!(held["mailboxes"][0]["hold"].as_u64().unwrap() > 10, "{held:#}");
    assert_eq!(decision(&held, "ana-010")["action"], "hold");
}

/// Saves a plan of everything.
fn save(world: &World) -> std::path::PathBuf {
    let path = world.path().join("plan.json");
    world.command(&["plan", "--save", path.to_str().unwrap()]).expect(10, &["saved at", "calsyncd sync --plan"]);
    path
}

fn carry_out(world: &World) -> Vec<String> {
    ["sync", "--json", "--plan", world.path().join("plan.json").to_str().unwrap()].map(str::to_owned).to_vec()
}

#[track_caller]
fn sync(world: &World, code: i32, words: &[&str]) -> Value {
    let arguments = carry_out(world);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    world.command(&arguments).expect(code, words).json()
}

fn a_saved_plan_does_what_was_looked_at(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 25);
    events.extend(many("bob", 2));
    world.events(&events);
    // Before the first run: the plan makes the name of the instance, and nothing else.
    let path = save(&world);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for word in ["Meeting", "Lyon", "secret", "service"] {
        assert!(!text.contains(word), "{word}");
    }
    assert_eq!(world.writes(), 0);
    let done = sync(&world, 0, &[]);
    assert_eq!(
        done["mailboxes"].as_array().unwrap().iter().map(|one| one["created"].as_u64().unwrap()).sum::<u64>(),
        27
    );
    world.assert_exactly("ana", &events);
    let written = world.writes();
    // Once is once.
    sync(&world, 1, &["nothing was written"]);
    assert_eq!(world.writes(), written);

    // A change, a deletion, a repair; what is not ours may move.
    events[0]["subject"] = json!("Changed");
    events.remove(1);
    world.events(&events);
    edit(&world, "appointment/ana-005", "Mine");
    save(&world);
    let zone = Zone::iana("Europe/Paris").unwrap();
    let at = |hour| Moment::Wall(day(3).to_datetime(Time::constant(hour, 0, 0, 0)));
    let draft = Draft { subject: "Lunch".to_owned(), ..Draft::new(at(12), at(13), zone) };
    world.store().create(ANA, None, draft).unwrap();
    let done = sync(&world, 0, &[]);
    let ana = &done["mailboxes"][0];
    assert_eq!((&ana["created"], &ana["updated"], &ana["deleted"]), (&json!(0), &json!(2), &json!(1)));
    world.assert_exactly("ana", &events);
    world.command(&["plan"]).expect(0, &[]);

    // A file that is not what was saved.
    events[0]["subject"] = json!("Changed again");
    world.events(&events);
    let path = save(&world);
    let text = fs::read_to_string(&path).unwrap();
    let cases = [
        (text[..text.len() / 2].to_owned(), "not a saved plan"),
        (text.replacen(ANA, BOB, 1), "changed after it was saved"),
        (String::new(), "not a saved plan"),
        ("{\"version\":1}".to_owned(), "not a saved plan"),
    ];
    let written = world.writes();
    let arguments = carry_out(&world);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    for (text, word) in cases {
        fs::write(&path, text).unwrap();
        world.command(&arguments).expect(1, &[word, "hint: "]);
    }
    fs::remove_file(&path).unwrap();
    world.command(&arguments).expect(1, &["cannot read the plan", "hint: "]);
    fs::write(&path, &text).unwrap();
    // Another instance, and other settings.
    let state = world.path().join("state");
    fs::rename(&state, world.path().join("kept")).unwrap();
    world.command(&arguments).expect(1, &["another instance of calsyncd made it", "hint: "]);
    fs::remove_dir_all(&state).unwrap();
    fs::rename(world.path().join("kept"), &state).unwrap();
    let mut world = world;
    world.configure(|config| config.set("brake", "number", "3"));
    world.command(&arguments).expect(1, &["the settings have changed", "hint: "]);
    assert_eq!(world.writes(), written);
    world.configure(|config| config.set("brake", "number", "10"));
    world.command(&arguments).expect(0, &[]);
}

fn a_plan_is_refused_when_anything_has_moved(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 3);
    events.extend(many("bob", 3));
    world.events(&events);
    world.sync();
    let refused = |parts: &[&str]| {
        let written = world.writes();
        let said = sync(&world, 1, &["nothing was written", "hint: "]);
        assert_eq!(said["refused"].as_array().unwrap().len(), 1, "{said:#}");
        assert_eq!(
            (&said["refused"][0]["mailbox"], &said["refused"][0]["moved"]),
            (&json!(ANA), &json!(parts)),
            "{said:#}"
        );
        assert_eq!(world.writes(), written, "neither ana's calendar nor bob's");
    };
    let mut change = |key: usize, subject: &str| {
        events[key]["subject"] = json!(subject);
        world.events(&events);
        events.clone()
    };
    // The source moves.
    change(4, "Bob's");
    change(0, "One");
    save(&world);
    change(0, "Two");
    refused(&["sources"]);
    // A user changes an item of ours.
    save(&world);
    edit(&world, "appointment/ana-001", "Mine");
    refused(&["calendar"]);
    // Another run writes.
    save(&world);
    let after = change(0, "Two");
    world.command(&["sync", "--mailbox", ANA]).expect(0, &[]);
    refused(&["state", "calendar"]);
    world.command(&["sync"]).expect(0, &[]);
    world.assert_exactly("ana", &after);
    // A mailbox that cannot be read.
    change(3, "Bob's other");
    save(&world);
    world.inject(Fault { mailbox: Some(ANA.to_owned()), ..Fault::new(FaultKind::MailboxMoved) });
    let written = world.writes();
    sync(&world, 1, &["nothing was written"]);
    assert_eq!(world.writes(), written);
}

/// The server puts the second batch off: the rest of the plan is still the plan.
fn a_saved_plan_is_finished_after_a_throttle(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("limits", "batch_size", "3"));
    let events = many("ana", 45);
    world.events(&events);
    save(&world);
    let kind = if face == Face::Graph { FaultKind::Batch429 } else { FaultKind::ServerBusy };
    world.inject(Fault { retry_after_s: Some(0.2), ..Fault::nth(kind, 4, face.create()) });
    let done = sync(&world, 0, &[]);
    assert_eq!(done["mailboxes"][0]["created"], 45, "{done:#}");
    world.assert_exactly("ana", &events);
    world.command(&["plan"]).expect(0, &[]);
}
