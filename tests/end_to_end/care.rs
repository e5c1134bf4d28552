//! It never harms a calendar: foreign items, emptied sources, mass deletions.

use calsyncd::sandbox::store::{Draft, Moment, Zone};
use jiff::civil::Time;
use serde_json::{Value, json};

use crate::harness::{Face, World, appointment, day, many, series};

through!(foreign_items_stay_as_they_are: Ews Delegate Graph);
through!(an_emptied_source_deletes_nothing: Ews Graph);
through!(half_of_the_events_gone_is_braked: Ews Graph);

/// Items of the person's own: a meeting with attendees, a series, an item with the properties of another program.
fn own_items(world: &World, person: &str) {
    let zone = Zone::iana("Europe/Paris").unwrap();
    let at = |hour| Moment::Wall(day(3).to_datetime(Time::constant(hour, 0, 0, 0)));
    for (subject, hour) in [("Lunch", 12), ("Meeting ana-003", 12), ("", 18)] {
        let draft = Draft {
            subject: subject.to_owned(),
            attendees: vec!["guest@elsewhere.test".to_owned()],
            ..Draft::new(at(hour), at(hour + 1), zone.clone())
        };
        world.store().create(&format!("{person}@example.test"), None, draft).unwrap();
    }
}

fn foreign_items_stay_as_they_are(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("limits", "drift_every", "\"1s\""));
    own_items(&world, "ana");
    let before = world.shown("ana").foreign;
    assert_eq!(before.len(), 3);

    let mut events = many("ana", 6);
    events.push(series("s", "ana", &json!([])));
    world.events(&events);
    world.sync();
    events[1]["subject"] = json!("Changed");
    events.remove(0);
    world.events(&events);
    assert_eq!(world.sync().changes(), [0, 1, 1]);
    world.events(&[appointment("other", "bob", 1, "09:00")]);
    assert_eq!(world.sync().changes(), [1, 0, 6]);
    let after = world.shown("ana");
    assert_eq!(after.foreign, before);
    assert!(after.ours.is_empty());
    assert_eq!(world.counts().mails_sent, 0);
}

fn an_emptied_source_deletes_nothing(face: Face) {
    let world = World::new(face);
    let events = many("ana", 5);
    let rename = |from: &str, to: &str| std::fs::rename(world.path().join(from), world.path().join(to)).unwrap();
    world.events(&events);
    world.sync();

    world.file("events.jsonl", "");
    assert_eq!(world.sync().changes(), [0, 0, 0], "a file without a line");
    world.events(&events);
    rename("events", "elsewhere");
    let pass = world.try_sync();
    assert_eq!((pass.code, pass.changes()), (1, [0, 0, 0]), "no folder: {:#}", pass.json);
    assert_eq!(pass.json["sources_failed"][0]["source"], "inbox");
    std::fs::create_dir(world.path().join("events")).unwrap();
    let pass = world.try_sync();
    assert_eq!(pass.total("deleted"), 0, "an empty folder: {:#}", pass.json);
    world.assert_exactly("ana", &events);
    std::fs::remove_dir(world.path().join("events")).unwrap();
    rename("elsewhere", "events");
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

fn half_of_the_events_gone_is_braked(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 30);
    world.events(&events);
    assert_eq!(world.sync().changes(), [30, 0, 0]);

    // Creates and updates go on; the deletions are held, and one can see which.
    let mut half: Vec<Value> = events.iter().take(15).cloned().collect();
    half[0]["location"] = json!("Paris");
    half.push(appointment("new", "ana", 9, "09:00"));
    world.events(&half);
    let pass = world.sync();
    assert_eq!((pass.changes(), pass.total("held")), ([1, 1, 0], 15), "{:#}", pass.json);
    let status = world.status();
    let held = status["held"].as_array().unwrap();
    assert_eq!(held.len(), 15);
    assert!(held.iter().all(|one| one["mailbox"] == "ana@example.test" && one["reason"] == "no longer in the source"));
    world.command(&["status"]).expect(0, &["held", "inbox/appointment/ana-029"]);

    // They come back: nothing is held any more, and nothing was lost.
    events[0] = half[0].clone();
    events.push(half[15].clone());
    world.events(&events);
    let pass = world.sync();
    assert_eq!((pass.changes(), pass.total("held")), ([0, 0, 0], 0));
    assert_eq!(world.status()["held"], json!([]));
    world.assert_exactly("ana", &events);
}
