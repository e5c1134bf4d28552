//! A change of one occurrence touches that occurrence; a change of the pattern rebuilds the series in place.

use std::collections::BTreeMap;

use calsyncd::sandbox::{Fault, FaultKind, store::Entry};
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::harness::{Face, World, day, on, series};

through!(one_of_three_exceptions_changes: Ews Delegate Graph);
through!(a_cancelled_occurrence_takes_place_again: Ews Delegate Graph);
through!(another_pattern_keeps_the_exceptions: Ews Delegate Graph);
through!(the_answer_to_any_write_is_lost: Ews Graph);

fn moved(days: i32, time: &str) -> Value {
    let end = format!("{}:45", &time[..2]);
    json!({"original": on(days, "09:00"), "start": on(days, time), "end": on(days, &end)})
}

fn cancelled(days: i32) -> Value {
    json!({"original": on(days, "09:00"), "cancelled": true})
}

fn master(world: &World) -> Entry {
    world.shown("ana").one("appointment/s").clone()
}

/// When each occurrence was last written by itself.
fn revisions(world: &World) -> BTreeMap<Date, u32> {
    master(world).series.unwrap().revisions.clone()
}

fn lines(starts: &[(i32, &str, &str)]) -> Vec<String> {
    starts.iter().map(|(days, from, to)| format!("{} {} Weekly", on(*days, from), on(*days, to))).collect()
}

fn one_of_three_exceptions_changes(face: Face) {
    let world = World::new(face);
    let push = |exceptions: Value, expected: &[(i32, &str, &str)]| {
        world.events(&[series("s", "ana", &exceptions)]);
        assert_eq!(world.sync().total("failed"), 0);
        assert_eq!(world.agenda("ana"), lines(expected));
        assert_eq!(world.sync().changes(), [0, 0, 0]);
    };
    let plain = |days| (days, "09:00", "09:30");
    push(
        json!([moved(7, "14:00"), cancelled(14), moved(21, "15:00")]),
        &[(7, "14:00", "14:45"), (21, "15:00", "15:45"), plain(28), plain(35)],
    );
    let (before, revised) = (master(&world), revisions(&world));

    push(
        json!([moved(7, "14:00"), cancelled(14), moved(21, "16:00")]),
        &[(7, "14:00", "14:45"), (21, "16:00", "16:45"), plain(28), plain(35)],
    );
    let changed = |revised: &BTreeMap<Date, u32>| -> Vec<Date> {
        let now = revisions(&world);
        now.keys().filter(|day| now.get(day) != revised.get(day)).copied().collect()
    };
    assert_eq!(changed(&revised), [day(21)], "no other occurrence was written");
    assert_eq!(master(&world).immutable_id, before.immutable_id);

    // The plan says so beforehand.
    let revised = revisions(&world);
    let events = [series("s", "ana", &json!([cancelled(14), moved(21, "16:00"), cancelled(28)]))];
    world.events(&events);
    let plan = world.command(&["plan", "--json"]).expect(10, &[]).json();
    let decision = &plan["mailboxes"][0]["decisions"][0];
    assert_eq!(decision["occurrences"], json!([on(7, "09:00"), on(28, "09:00")]), "{decision}");
    assert_eq!(decision["rebuilds_series"], false);
    push(json!([cancelled(14), moved(21, "16:00"), cancelled(28)]), &[plain(7), (21, "16:00", "16:45"), plain(35)]);
    assert_eq!(changed(&revised), [day(7), day(28)]);

    // The one that went back to the rule follows its series, and so do the others.
    let mut event = series("s", "ana", &json!([cancelled(14), moved(21, "16:00"), cancelled(28)]));
    event["location"] = json!("Lyon");
    world.events(&[event]);
    assert_eq!(world.sync().changes(), [0, 1, 0]);
    let from = jiff::Timestamp::now();
    let entries =
        world.store().view("ana@example.test", None, from, from + jiff::SignedDuration::from_hours(24 * 60)).unwrap();
    let places: Vec<Option<&str>> = entries.iter().map(|entry| entry.content.location.as_deref()).collect();
    assert_eq!(places, [Some("Lyon"); 3]);
}

fn a_cancelled_occurrence_takes_place_again(face: Face) {
    let world = World::new(face);
    world.events(&[series("s", "ana", &json!([moved(7, "14:00"), cancelled(14), cancelled(28)]))]);
    world.sync();
    let before = master(&world);
    world.events(&[series("s", "ana", &json!([moved(7, "14:00"), cancelled(28)]))]);
    assert_eq!(world.sync().changes(), [0, 1, 0]);
    let expected = [(7, "14:00", "14:45"), (14, "09:00", "09:30"), (21, "09:00", "09:30"), (35, "09:00", "09:30")];
    assert_eq!(world.agenda("ana"), lines(&expected));
    assert_eq!(master(&world).immutable_id, before.immutable_id, "in place");
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

fn another_pattern_keeps_the_exceptions(face: Face) {
    let world = World::new(face);
    let mut event = series("s", "ana", &json!([moved(7, "14:00"), cancelled(21)]));
    world.events(&[event.clone()]);
    world.sync();
    let before = master(&world);
    event["recurrence"] = json!("FREQ=WEEKLY;INTERVAL=2;COUNT=3");
    world.events(&[event]);
    assert_eq!(world.sync().changes(), [0, 1, 0]);
    assert_eq!(world.agenda("ana"), lines(&[(7, "14:00", "14:45"), (35, "09:00", "09:30")]));
    assert_eq!(master(&world).immutable_id, before.immutable_id, "in place");
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}

/// The server has done it and the answer never comes, at each write of each sort of change in turn.
fn the_answer_to_any_write_is_lost(face: Face) {
    let changes =
        [json!([moved(7, "16:00"), cancelled(14), cancelled(28)]), json!([moved(7, "16:00"), moved(28, "10:00")])];
    let [_, update, delete] = face.writes();
    let world = World::new(face);
    for (operation, writes) in [(update, 4), (delete, 1)] {
        for nth in 1..=writes {
            for exceptions in &changes {
                world.events(&[series("s", "ana", &json!([moved(7, "14:00"), cancelled(14)]))]);
                world.sync();
                world.inject(Fault::nth(FaultKind::DropAnswerAfterCommit, nth, operation));
                world.events(&[series("s", "ana", exceptions)]);
                world.sync();
                world.sandbox().sandbox().calm();
                let found = world.agenda("ana");
                world.events(&[series("s", "ana", exceptions), series("fresh", "bob", exceptions)]);
                assert_eq!(world.sync().changes(), [1, 0, 0], "{operation} {nth}");
                assert_eq!(found, world.agenda("bob"), "{operation} {nth}");
                world.events(&[series("s", "ana", exceptions)]);
                world.sync();
            }
        }
    }
    assert!(world.counts().faults >= 5, "{:?}", world.counts());
}
