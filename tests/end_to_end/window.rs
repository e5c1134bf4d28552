//! Events that leave the window of their job: the calendar shows them where the source puts them.

use serde_json::{Value, json};

use crate::harness::{Face, World, appointment, on, series};

through!(what_is_moved_out_of_the_window_is_followed: Ews Graph);
through!(what_repeats_is_followed_too: Ews Graph);

/// Over the 180 days of the window.
const FAR: i32 = 400;

/// The same event on another day.
fn moved(event: &Value, days: i32, from: &str, to: &str) -> Value {
    let mut event = event.clone();
    event["start"] = json!(on(days, from));
    event["end"] = json!(on(days, to));
    event
}

fn what_is_moved_out_of_the_window_is_followed(face: Face) {
    let world = World::new(face);
    let event = appointment("a", "ana", 7, "09:00");
    let other = appointment("other", "ana", 2, "09:00");
    world.events(&[event.clone(), other.clone()]);
    world.sync();
    let id = world.shown("ana").one("appointment/a").immutable_id.clone();

    for days in [FAR, FAR + 1] {
        world.events(&[moved(&event, days, "09:00", "10:00"), other.clone()]);
        world.command(&["plan"]).expect(10, &["update      inbox/appointment/a: the source changed: time"]);
        assert_eq!(world.sync().changes(), [0, 1, 0]);
        let shown = world.shown("ana");
        assert_eq!(shown.line("appointment/a"), format!("{} {} Meeting a", on(days, "09:00"), on(days, "10:00")));
        assert_eq!(shown.one("appointment/a").immutable_id, id);
        assert_eq!(world.agenda("ana").len(), 1, "next week is free");
        assert_eq!(world.sync().changes(), [0, 0, 0]);
    }

    world.events(&[event.clone(), other.clone()]);
    assert_eq!(world.sync().changes(), [0, 1, 0]);
    let shown = world.shown("ana");
    assert_eq!(shown.line("appointment/a"), format!("{} {} Meeting a", on(7, "09:00"), on(7, "10:00")));
    assert_eq!(shown.one("appointment/a").immutable_id, id);

    // Out there it is deleted like any other.
    world.events(&[moved(&event, FAR, "09:00", "10:00"), other.clone()]);
    world.sync();
    world.events(&[other]);
    assert_eq!(world.sync().changes(), [0, 0, 1]);
}

fn what_repeats_is_followed_too(face: Face) {
    let world = World::new(face);
    let starts = |starts: &[String]| starts.iter().map(|start| format!("{start} ")).collect::<Vec<_>>();
    let agenda = |expected: &[String]| {
        let agenda = world.agenda("ana");
        let expected = starts(expected);
        assert!(
            agenda.len() == expected.len() && agenda.iter().zip(&expected).all(|(line, start)| line.starts_with(start)),
            "{agenda:?} {expected:?}"
        );
    };
    // A series as a whole.
    let weekly = series("s", "ana", &json!([]));
    world.events(std::slice::from_ref(&weekly));
    world.sync();
    agenda(&[7, 14, 21, 28, 35].map(|days| on(days, "09:00")));
    world.events(&[moved(&weekly, FAR, "09:00", "09:30")]);
    assert_eq!(world.sync().changes(), [0, 1, 0]);
    agenda(&[]);
    assert_eq!(world.item_count("ana"), 1);

    // Single events of a rule that Outlook cannot say, one of them moved away.
    let mut expanded = moved(&weekly, 7, "09:00", "09:30");
    expanded["recurrence"] = json!("FREQ=WEEKLY;COUNT=2;BYHOUR=9,15");
    world.events(std::slice::from_ref(&expanded));
    world.sync();
    agenda(&[on(7, "09:00"), on(7, "15:00")]);
    let change = json!({"original": on(7, "15:00"), "start": on(FAR, "15:00"), "end": on(FAR, "15:30")});
    expanded["exceptions"] = json!([change]);
    world.events(std::slice::from_ref(&expanded));
    assert_eq!(world.sync().changes(), [0, 1, 0]);
    agenda(&[on(7, "09:00")]);
    assert_eq!(world.item_count("ana"), 2);

    // One event instead, out of the window: its parts take no place any more.
    world.events(&[moved(&appointment("s", "ana", 7, "09:00"), FAR, "09:00", "10:00")]);
    world.sync();
    agenda(&[]);
    assert_eq!(world.item_count("ana"), 0);
}
