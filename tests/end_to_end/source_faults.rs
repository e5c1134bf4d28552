//! A source that is suddenly short: what is missing stays in the calendars.

use serde_json::{Value, json};

use crate::harness::{Face, World, appointment, many};

through!(what_a_short_source_does_not_name_stays: Ews Graph);
through!(a_drop_of_the_count_is_a_reason_to_hold: Ews Graph);
through!(several_sources_that_are_short_together_are_braked: Ews);
through!(one_job_that_is_short_is_braked: Ews);

const PEOPLE: [&str; 3] = ["ana", "bob", "chloe"];

fn everybody(count: usize) -> Vec<Value> {
    PEOPLE.iter().flat_map(|person| many(person, count)).collect()
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn marked(events: &[Value]) -> String {
    format!("{}{}\n", lines(events), json!({ "end": true, "count": events.len() }))
}

fn items(world: &World) -> usize {
    PEOPLE.iter().map(|person| world.item_count(person)).sum()
}

fn what_a_short_source_does_not_name_stays(face: Face) {
    let world = World::new(face);
    let all = everybody(12);
    world.file("events.jsonl", lines(&all));
    assert_eq!(world.sync().changes(), [36, 0, 0]);
    let text = lines(&all);
    // What the file holds, and how many deletions are held.
    let cases = [
        ("empty", String::new(), 0),
        ("empty, and meant", marked(&[]), 36),
        ("cut in a line", text[..text.len() / 2 + 7].to_owned(), 0),
        ("cut, with the marker of the whole", format!("{}{{\"end\":true,\"count\":36}}\n", lines(&all[..18])), 0),
        ("halved", lines(&everybody(6)), 18),
        ("what one person may see", lines(&all[..12]), 24),
    ];
    for (name, content, held) in cases {
        world.file("events.jsonl", content);
        let pass = world.try_sync();
        assert_eq!((pass.changes()[2], pass.total("held")), (0, held), "{name}");
        assert_eq!(items(&world), 36, "{name}");
    }
    // What comes back leaves the hold.
    world.file("events.jsonl", text);
    let pass = world.sync();
    assert_eq!((pass.changes(), pass.total("held")), ([0, 0, 0], 0));
    assert_eq!(world.status()["held"], json!([]));
}

fn a_drop_of_the_count_is_a_reason_to_hold(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("jobs.inbox", "people", "[\"ana\"]"));
    let mut all = everybody(12);
    all.push(appointment("extra", "ana", 9, "16:00"));
    world.events(&all);
    assert_eq!(world.sync().changes(), [13, 0, 0]);
    // The others, who are not pushed, are gone, and so is one event of ana.
    world.events(&all[..12]);
    world.command(&["plan"]).expect(0, &["hold        inbox/appointment/extra"]);
    let pass = world.sync();
    assert_eq!((pass.changes(), pass.total("held")), ([0, 0, 0], 1));
    world.command(&["status"]).expect(0, &["shrunk      inbox: 12 events, 37 before", "held approve --source inbox"]);
    assert_eq!(world.status()["sources"][0]["events_before"], json!(37));
    // Also after a restart, and again and again.
    assert_eq!(world.sync().total("held"), 1);
    world
        .command(&["held", "approve", "--source", "inbox", "--by", "eva"])
        .expect(0, &["approved by eva: 1 deletion", "what 1 source holds now is taken for right"]);
    assert_eq!(world.sync().changes(), [0, 0, 1]);
    assert_eq!(world.status()["sources"][0]["shrunk_since"], json!(null));
    world.events(&all[..11]);
    assert_eq!(world.sync().changes(), [0, 0, 1]);
}

/// Ten are under the number of each source, and thirty of thirty-three over that of the run.
fn several_sources_that_are_short_together_are_braked(face: Face) {
    let mut world = World::new(face);
    let of = |person: &str, count: usize| lines(&many(person, count));
    for name in ["second", "third"] {
        std::fs::create_dir(world.path().join(name)).unwrap();
        world.configure(|config| config.source(name, name));
    }
    let write = |count: usize| {
        for (folder, person) in [("events", "ana"), ("second", "bob"), ("third", "chloe")] {
            std::fs::write(world.path().join(folder).join("events.jsonl"), of(person, count)).unwrap();
        }
    };
    write(11);
    assert_eq!(world.sync().changes(), [33, 0, 0]);
    write(1);
    let pass = world.sync();
    assert_eq!((pass.changes()[2], pass.total("held")), (0, 30));
}

/// Eleven of twelve, which are few of the source and all but one of the job.
fn one_job_that_is_short_is_braked(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| {
        config.set("brake", "number", "5");
        config.set("jobs.inbox", "people", "[\"ana\", \"bob\"]");
        config.set("jobs.small", "source", "\"inbox\"");
        config.set("jobs.small", "people_domain", "\"example.test\"");
        config.set("jobs.small", "people", "[\"chloe\", \"dan\"]");
    });
    let of = |large: usize, small: usize| {
        let all = [many("ana", large), many("bob", large), many("chloe", small), many("dan", small)];
        all.concat()
    };
    world.events(&of(40, 5));
    assert_eq!(world.sync().changes(), [90, 0, 0]);
    world.events(&of(40, 1));
    let pass = world.sync();
    assert_eq!((pass.changes()[2], pass.total("held")), (0, 8));
}
