//! Schedules in days and half-days: what the calendars show of them, and what is left out.

use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};
use serde_json::{Value, json};

use crate::harness::{Face, World, day};

through!(a_schedule_passes_over_what_is_not_worked: Ews Graph);
through!(what_is_left_out_is_told_and_kept: Ews Graph);

/// A Friday that is some days ahead.
fn friday() -> Date {
    let ahead = (8..15).map(day);
    ahead.into_iter().find(|date| date.weekday() == Weekday::Friday).unwrap()
}

fn schedule(id: &str, person: &str, date: Date, period: &str, days: f64) -> Value {
    json!({ "kind": "schedule", "id": id, "person": person, "subject": "Audit", "date": date.to_string(), "period": period, "days": days })
}

fn a_schedule_passes_over_what_is_not_worked(face: Face) {
    let mut world = World::new(face);
    let friday = friday();
    let on = |days: i64| friday.checked_add(days.days()).unwrap();
    std::fs::write(world.path().join("holidays.txt"), format!("# Monday\n{}\n", on(3))).unwrap();
    world.configure(|config| config.set("jobs.inbox", "holidays_file", "\"holidays.txt\""));
    let mut events = vec![schedule("1", "ana", friday, "afternoon", 1.5), schedule("2", "bob", on(1), "day", 1.0)];
    world.events(&events);
    world.sync();
    let afternoon = format!("{friday}T14:00 {friday}T17:30 Audit");
    let whole = |days: i64| format!("{}T00:00 {}T00:00 Audit", on(days), on(days + 1));
    assert_eq!(world.agenda("ana"), [afternoon.clone(), whole(4)]);
    assert_eq!((world.item_count("ana"), world.item_count("bob")), (2, 1));
    assert_eq!(world.agenda("bob"), [whole(1)], "a Saturday stays a Saturday");
    let plan = world.command(&["plan", "--json"]).expect(0, &[]).json();
    assert_eq!(plan["expanded"], json!([]), "days that are passed over are no news");

    // The file is read again: Monday is worked.
    std::fs::write(world.path().join("holidays.txt"), "# none\n").unwrap();
    world.sync();
    assert_eq!(world.agenda("ana"), [afternoon.clone(), whole(3)]);
    assert_eq!(world.item_count("ana"), 2);

    // Half a day less: Friday alone.
    events[0]["days"] = json!(0.5);
    world.events(&events);
    world.sync();
    assert_eq!(world.agenda("ana"), [afternoon]);
    assert_eq!(world.item_count("ana"), 1);
}

fn what_is_left_out_is_told_and_kept(face: Face) {
    let world = World::new(face);
    let friday = friday();
    let mut events = vec![
        schedule("1", "ana", friday, "day", 1.0),
        schedule("2", "ana", friday, "day", 75.0),
        schedule("3", "bob", friday, "day", 1.0),
        schedule("4", "GEN01", friday, "day", 1.0),
    ];
    events[3]["generic"] = json!(true);
    world.events(&events);
    world.sync();
    assert_eq!((world.item_count("ana"), world.item_count("bob")), (1, 1));
    let load = "a planned workload of 75 days, over max_days = 60";
    let told = [&format!("left out: 1 event: {load}"), "inbox/schedule/2 of ana@example.test", "of a generic person"];
    world.command(&["plan"]).expect(0, &told);
    let plan = world.command(&["plan", "--json"]).expect(0, &[]).json();
    let expected = json!([
        { "key": "inbox/schedule/2", "mailbox": "ana@example.test", "reason": load },
        { "key": "inbox/schedule/4", "mailbox": "gen01@example.test", "reason": "of a generic person, who has no calendar" },
    ]);
    assert_eq!((&plan["skipped"], &plan["out_of_window"]), (&expected, &json!(0)));

    // What is there stays when it grows too long; what is handed to a placeholder leaves.
    events[0]["days"] = json!(75.0);
    events[2]["person"] = json!("GEN01");
    events[2]["generic"] = json!(true);
    world.events(&events);
    world.command(&["plan"]).expect(
        10,
        &["keep        inbox/schedule/1: a planned workload over max_days", "delete      inbox/schedule/3"],
    );
    world.sync();
    assert_eq!((world.item_count("ana"), world.item_count("bob")), (1, 0));
}
