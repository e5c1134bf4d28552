//! Events as a business system has them: most of them appointments with a short text, some of them whole days, some of
//! them weekly series. The same number always makes the same event.

#![allow(dead_code, clippy::unwrap_used, reason = "a benchmark; each uses a part")]

use jiff::civil::{Date, DateTime, Time, Weekday, date};

use calsyncd::model::{
    event::{Body, BodyKind, Content, DesiredEvent, Importance, Sensitivity, ShowAs},
    key::{Kind, SourceKey},
    recurrence::{Pattern, Recurrence, RecurrenceEnd, Series},
    time::EventTime,
    zone::Zone,
};

/// The name of the source.
pub(crate) const SOURCE: &str = "erp";
/// The first day of the events; the half year after it holds them all.
pub(crate) const FIRST_DAY: Date = date(2026, 11, 23);
/// The days that events are spread over.
const DAYS: usize = 150;

/// The key of an event.
pub(crate) fn key(number: usize) -> SourceKey {
    SourceKey::new(SOURCE, Kind::Appointment, &format!("{number:08}"))
}

/// The day of an event.
pub(crate) fn day(number: usize) -> Date {
    FIRST_DAY.checked_add(jiff::Span::new().days((number % DAYS) as i64)).unwrap()
}

/// The wall time at which an event starts.
pub(crate) fn start(number: usize) -> DateTime {
    let hour = 8 + (number / DAYS % 10) as i8;
    day(number).to_datetime(Time::constant(hour, (number % 4 * 15) as i8, 0, 0))
}

/// The zone of every event.
pub(crate) fn zone() -> Zone {
    Zone::parse("Europe/Paris").unwrap()
}

/// The title of an event.
pub(crate) fn subject(number: usize) -> String {
    format!("Réunion de suivi n° {number} <ACME & Co>")
}

/// The text of an event.
pub(crate) fn body(number: usize) -> String {
    format!("Project 4711-{number}\nBring the plans of the second phase & the list of open points.\nRoom: 3rd floor.")
}

/// What an event shows.
pub(crate) fn content(number: usize) -> Content {
    Content {
        subject: subject(number),
        body: Body { kind: BodyKind::Text, content: body(number) },
        location: "Lyon, salle Rhône".to_owned(),
        show_as: ShowAs::Busy,
        sensitivity: Sensitivity::Normal,
        importance: Importance::Normal,
        categories: vec!["Project".to_owned()],
        reminder_minutes: Some(15),
    }
}

/// One event of ten is a whole day, one of fifty a weekly series.
pub(crate) fn event(number: usize, zone: &Zone) -> DesiredEvent {
    let zone = zone.clone();
    let time = if number % 10 == 9 {
        EventTime::AllDay { first: day(number), last: day(number), zone }
    } else {
        let start = start(number);
        EventTime::Timed { start, end: start.checked_add(jiff::Span::new().minutes(90)).unwrap(), zone }
    };
    let series = (number % 50 == 1).then(|| {
        let days = vec![day(number).weekday()];
        let pattern = Pattern::Weekly { interval: 1, days, first_day: Weekday::Monday };
        Series { recurrence: Recurrence { pattern, end: RecurrenceEnd::After(5) }, exceptions: Vec::new() }
    });
    DesiredEvent { key: key(number), time, series, content: content(number), keeps: None, said: None }
}
