//! Source events, relative to today: the window of a job moves with the calendar.

use jiff::{
    ToSpan, Zoned,
    civil::{Date, DateTime, Time},
};
use serde_json::{Value, json};

/// The day so many days from today, in Paris.
pub(crate) fn day(days: i32) -> Date {
    let today = Zoned::now().in_tz("Europe/Paris").unwrap().date();
    today.checked_add(days.days()).unwrap()
}

/// A wall time of such a day, as a source writes it.
pub(crate) fn on(days: i32, time: &str) -> String {
    format!("{}T{time}", day(days))
}

/// An appointment of an hour.
pub(crate) fn appointment(id: &str, person: &str, days: i32, time: &str) -> Value {
    let start: Time = time.parse().unwrap();
    let end = DateTime::from_parts(day(days), start).checked_add(1.hour()).unwrap();
    json!({
        "kind": "appointment", "id": id, "person": person, "subject": format!("Meeting {id}"),
        "start": on(days, time), "end": end.strftime("%Y-%m-%dT%H:%M").to_string(), "location": "Lyon",
    })
}

/// So many appointments of one person.
pub(crate) fn many(person: &str, count: usize) -> Vec<Value> {
    let one = |number: usize| {
        let days = i32::try_from(number / 8).unwrap() + 1;
        appointment(&format!("{person}-{number:03}"), person, days, &format!("{:02}:00", 9 + number % 8))
    };
    (0..count).map(one).collect()
}

/// A weekly series of five, from the day after a week from today on, with exceptions.
pub(crate) fn series(id: &str, person: &str, exceptions: &Value) -> Value {
    json!({
        "kind": "appointment", "id": id, "person": person, "subject": "Weekly", "start": on(7, "09:00"),
        "end": on(7, "09:30"), "recurrence": "FREQ=WEEKLY;COUNT=5", "exceptions": exceptions,
    })
}
