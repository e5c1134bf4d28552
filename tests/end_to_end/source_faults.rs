//! A source that is suddenly short: what is missing stays in the calendars.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Face, World, appointment, day, many};

through!(json_lines_that_are_short: Ews Graph);
through!(json_lines_with_an_end_marker_that_are_short: Ews Graph);
through!(calendars_that_are_short: Ews Graph);
through!(an_emptied_source_that_means_it_is_held: Ews);
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
    format!("{}{}", lines(events), counted(events.len()))
}

fn items(world: &World) -> usize {
    PEOPLE.iter().map(|person| world.item_count(person)).sum()
}

/// How a source writes its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One file of JSON Lines; nothing says where it ends.
    Lines,
    /// The same with an end marker, which the settings demand.
    Marked,
    /// One iCalendar file for each person.
    Calendars,
}

/// What is wrong with what a source writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Its files are there, and empty.
    Empty,
    /// Its files end within an event.
    Cut,
    /// Its files end after an event.
    CutBetween,
    /// Every other event is missing.
    Halved,
    /// The same, and the end marker counts all.
    Miscounted,
    /// It may not see this person any more.
    WithoutPerson(&'static str),
    /// It may not see this kind any more.
    WithoutKind(&'static str),
}

impl Form {
    fn faults(self) -> Vec<Fault> {
        let mut faults = vec![Fault::Empty, Fault::Cut, Fault::CutBetween, Fault::Halved, Fault::WithoutPerson("bob")];
        match self {
            Self::Lines => faults.push(Fault::WithoutKind("schedule")),
            Self::Marked => faults.extend([Fault::WithoutKind("schedule"), Fault::Miscounted]),
            Self::Calendars => {}
        }
        faults
    }

    /// The files that hold these events, by their names.
    fn files(self, events: &[Value]) -> Vec<(String, String)> {
        match self {
            Self::Lines => vec![("events.jsonl".to_owned(), lines(events))],
            Self::Marked => vec![("events.jsonl".to_owned(), marked(events))],
            Self::Calendars => {
                let of = |person: &str| events.iter().filter(|event| event["person"] == person).collect::<Vec<_>>();
                PEOPLE.iter().map(|person| (format!("{person}.ics"), calendar(&of(person)))).collect()
            }
        }
    }

    /// What comes before each event but the first one.
    const fn between(self) -> &'static str {
        match self {
            Self::Lines | Self::Marked => "\n{",
            Self::Calendars => "\nBEGIN:VEVENT",
        }
    }

    /// Writes the events with a fault.
    fn write(self, world: &World, events: &[Value], fault: Option<Fault>) {
        let mut place = 0;
        let mut kept = events.to_vec();
        kept.retain(|event| {
            place += 1;
            match fault {
                Some(Fault::Halved | Fault::Miscounted) => place <= 2 || place % 2 == 0,
                Some(Fault::WithoutPerson(person)) => event["person"] != person,
                Some(Fault::WithoutKind(kind)) => event["kind"] != kind,
                Some(Fault::Empty | Fault::Cut | Fault::CutBetween) | None => true,
            }
        });
        for (name, text) in self.files(&kept) {
            let half = text.len() / 2;
            let content = match fault {
                Some(Fault::Empty) => "",
                Some(Fault::CutBetween) => &text[..=half + text[half..].find(self.between()).unwrap()],
                Some(Fault::Cut) => &text[..half + text[half..].find(self.between()).unwrap() + 9],
                Some(_) | None => &text,
            };
            let content = match fault {
                Some(Fault::Miscounted) => content.replace(&counted(kept.len()), &counted(events.len())),
                Some(_) | None => content.to_owned(),
            };
            let is_hidden = matches!(fault, Some(Fault::WithoutPerson(person)) if name == format!("{person}.ics"));
            if is_hidden {
                std::fs::remove_file(world.path().join("events").join(name)).unwrap();
            } else {
                world.file(&name, content);
            }
        }
    }

    /// The id of an event in its source key.
    fn id(self, event: &Value) -> String {
        let (person, id) = (event["person"].as_str().unwrap(), event["id"].as_str().unwrap());
        if self == Self::Calendars { format!("{person}/{id}") } else { id.to_owned() }
    }
}

fn counted(count: usize) -> String {
    format!("{}\n", json!({ "end": true, "count": count }))
}

/// An iCalendar file of these events.
fn calendar(events: &[&Value]) -> String {
    let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
    let wall = |event: &Value, field: &str| format!("{}00", text(event, field).replace(['-', ':'], ""));
    let one = |event: &&Value| {
        let [uid, subject, location] = ["id", "subject", "location"].map(|field| text(event, field));
        let [start, end] = ["start", "end"].map(|field| wall(event, field));
        format!(
            "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Europe/Paris:{start}\r\n\
             DTEND;TZID=Europe/Paris:{end}\r\nSUMMARY:{subject}\r\nLOCATION:{location}\r\nEND:VEVENT\r\n"
        )
    };
    let events: String = events.iter().map(one).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//test//EN\r\n{events}END:VCALENDAR\r\n")
}

/// What each calendar holds under each key, as one text that changes with any change.
fn entries(world: &World) -> BTreeMap<String, String> {
    let ours = PEOPLE.iter().flat_map(|person| world.shown(person).ours);
    ours.map(|(key, entries)| (key, format!("{entries:?}"))).collect()
}

/// Whatever is missing, nothing is deleted, and what comes is created and changed; once it is whole, all is as before.
fn what_is_missing_stays(face: Face, form: Form) {
    let mut world = World::new(face);
    if form == Form::Marked {
        world.configure(|config| config.set("sources.inbox", "end_marker", "true"));
    }
    let mut all = everybody(12);
    if form != Form::Calendars {
        all.extend(PEOPLE.iter().flat_map(|person| (0..8).map(|number| schedule(person, number))));
    }
    form.write(&world, &all, None);
    assert_eq!(world.sync().changes(), [all.len() as u64, 0, 0]);
    let first = form.id(&all[0]);
    for (number, fault) in form.faults().into_iter().enumerate() {
        let before = entries(&world);
        all[0]["location"] = json!(format!("Room {number}"));
        all.insert(1, appointment(&format!("new-{number}"), "ana", 20, &format!("{:02}:00", 9 + number)));
        form.write(&world, &all, Some(fault));
        let (short, news) = (world.try_sync(), [1, 1, 0]);
        let nothing = [0, 0, 0];
        let (now, later) = if fault == Fault::Empty { (nothing, news) } else { (news, nothing) };
        assert_eq!(short.changes(), now, "{fault:?}: {:#}", short.json);

        form.write(&world, &all, None);
        let whole = world.sync();
        assert_eq!((whole.changes(), whole.total("held")), (later, 0), "whole after {fault:?}");
        assert_eq!(world.status()["held"], json!([]), "whole after {fault:?}");
        let after = entries(&world);
        assert_eq!(after.len(), before.len() + 1, "whole after {fault:?}");
        for (key, entry) in before.iter().filter(|(key, _)| !key.ends_with(&first)) {
            assert_eq!(after.get(key), Some(entry), "{fault:?} touches {key}");
        }
    }
    for event in &mut all {
        event["id"] = json!(form.id(event));
    }
    PEOPLE.iter().for_each(|person| world.assert_exactly(person, &all));
    assert_eq!(items(&world), all.len());
}

fn schedule(person: &str, number: i32) -> Value {
    json!({
        "kind": "schedule", "id": format!("{person}-{number}"), "person": person, "subject": "Audit",
        "date": day(number + 1).to_string(), "period": "morning",
    })
}

fn json_lines_that_are_short(face: Face) {
    what_is_missing_stays(face, Form::Lines);
}

fn json_lines_with_an_end_marker_that_are_short(face: Face) {
    what_is_missing_stays(face, Form::Marked);
}

fn calendars_that_are_short(face: Face) {
    what_is_missing_stays(face, Form::Calendars);
}

/// Nothing at all, and the source says that this is all: that is for an operator to decide.
fn an_emptied_source_that_means_it_is_held(face: Face) {
    let world = World::new(face);
    world.file("events.jsonl", lines(&everybody(12)));
    assert_eq!(world.sync().changes(), [36, 0, 0]);
    world.file("events.jsonl", marked(&[]));
    let pass = world.sync();
    assert_eq!((pass.changes(), pass.total("held"), items(&world)), ([0, 0, 0], 36, 36));
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
