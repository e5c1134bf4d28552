//! The four ways in which an event leaves a calendar: deleted, cancelled, handed over, out of scope.

use serde_json::{Value, json};

use crate::harness::{Face, World, appointment, day, series};

through!(what_is_cancelled_is_deleted: Ews Graph);
through!(what_is_cancelled_stays_with_a_mark: Ews Graph);
through!(what_leaves_the_scope_stays_or_goes: Ews Graph);
through!(what_moves_behind_the_window_is_never_deleted: Ews Graph);
through!(a_past_that_is_split_under_new_ids_stays: Ews Graph);

fn cancelled(mut event: Value) -> Value {
    event["cancelled"] = json!(true);
    event
}

fn events() -> Vec<Value> {
    vec![appointment("1", "ana", 3, "09:00"), series("2", "ana", &json!([])), appointment("3", "ana", 5, "09:00")]
}

fn all_but_the_last_cancelled() -> Vec<Value> {
    let mut events: Vec<Value> = events().into_iter().map(cancelled).collect();
    events[2]["cancelled"] = json!(false);
    events.push(cancelled(appointment("4", "ana", 6, "09:00")));
    events
}

fn what_is_cancelled_is_deleted(face: Face) {
    let world = World::new(face);
    world.events(&events());
    world.sync();
    world.events(&all_but_the_last_cancelled());
    let words =
        ["delete      inbox/appointment/1: cancelled in the source", "delete      inbox/appointment/2: cancelled"];
    world.command(&["plan"]).expect(10, &words);
    assert_eq!(world.sync().changes(), [0, 0, 2]);
    world.assert_exactly("ana", &events()[2..]);
    // It takes place after all.
    world.events(&events());
    assert_eq!(world.sync().changes(), [2, 0, 0]);
}

fn what_is_cancelled_stays_with_a_mark(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| {
        config.set("jobs.inbox", "cancelled", "\"keep\"");
        config.set("jobs.inbox", "cancelled_subject", "\"Annulé :\"");
        config.set("jobs.inbox", "reminder_minutes", "15");
    });
    world.events(&events());
    world.sync();
    world.events(&all_but_the_last_cancelled());
    world.command(&["plan"]).expect(10, &["inbox/appointment/4: cancelled before it was in the calendar"]);
    assert_eq!(world.sync().changes(), [0, 2, 0]);
    assert_eq!(world.item_count("ana"), 3);
    let shown = world.shown("ana");
    let line = shown.line("appointment/1");
    assert!(line.contains("Annulé : "), "{line}");
    let content = format!("{:?}", shown.one("appointment/1").content).to_lowercase();
    assert!(content.contains(": free"), "{content}");
    assert!(!shown.line("appointment/3").contains("Annulé"));
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    // And back.
    world.events(&events());
    assert_eq!(world.sync().changes(), [0, 2, 0]);
    assert!(!world.shown("ana").line("appointment/1").contains("Annulé"));
}

fn what_leaves_the_scope_stays_or_goes(face: Face) {
    let mut world = World::new(face);
    let both = [appointment("1", "ana", 3, "09:00"), appointment("2", "bob", 3, "09:00")];
    world.events(&both);
    world.sync();
    world.configure(|config| config.set("jobs.inbox", "people", "[\"bob\"]"));
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    world.configure(|config| config.set("jobs.inbox", "out_of_scope", "\"delete\""));
    world.command(&["plan"]).expect(10, &["delete      inbox/appointment/1: out of the scope of the job"]);
    assert_eq!(world.sync().changes(), [0, 0, 1]);
    assert_eq!((world.item_count("ana"), world.item_count("bob")), (0, 1));
}

/// Whatever the policy says of what is out of scope.
fn what_moves_behind_the_window_is_never_deleted(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| {
        config.set("jobs.inbox", "out_of_scope", "\"delete\"");
        config.set("jobs.inbox", "window_days_back", "20");
        config.set("limits", "freeze_days", "30");
    });
    world.events(&[appointment("1", "ana", -10, "09:00"), appointment("2", "ana", 90, "09:00")]);
    world.sync();
    assert_eq!(world.item_count("ana"), 2);
    world.configure(|config| {
        config.set("jobs.inbox", "window_days_back", "3");
        config.set("jobs.inbox", "window_days_ahead", "30");
    });
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    assert_eq!(world.item_count("ana"), 2);
}

/// An ERP that closes a period splits what is past into pieces with new ids.
fn a_past_that_is_split_under_new_ids_stays(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("jobs.inbox", "window_days_back", "60"));
    let schedule = |id: &str, days: i32, length: f64| {
        json!({ "kind": "schedule", "id": id, "person": "ana", "subject": "Audit",
                "date": day(days).to_string(), "period": "day", "days": length })
    };
    let whole = [schedule("1", -20, 4.0), schedule("2", 5, 1.0)];
    world.configure(|config| config.set("limits", "freeze_days", "30"));
    world.events(&whole);
    world.sync();
    let before = world.agenda("ana");
    world.configure(|config| config.set("limits", "freeze_days", "1"));
    world.events(&[schedule("1a", -20, 2.0), schedule("1b", -18, 2.0), schedule("2", 5, 1.0)]);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    assert_eq!(world.agenda("ana"), before);
}
