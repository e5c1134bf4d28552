//! The JSON of every pattern, of whole days, and of the hours that a change of the clock skips or repeats.

use std::sync::Arc;

use jiff::civil::Weekday::{Friday, Saturday, Tuesday};
use serde_json::{Value, json};

use super::{super::event::EventBody, Stage, all_day, batch, calendar, paris, series, single, timed, written};
use crate::{
    gateway::Write,
    model::{
        event::DesiredEvent,
        recurrence::{Pattern, RecurrenceEnd, RelativeDay, WeekIndex},
        time::EventTime,
    },
};

async fn create(events: Vec<DesiredEvent>) -> (Stage, Vec<Value>) {
    let count = u32::try_from(events.len()).unwrap();
    let stage = Stage::new([batch((1..=count).map(|id| (id, 201, written(&format!("N{id}"), "c"))))]);
    let writes: Vec<Write> =
        events.into_iter().map(|event| Write::Create { event: Arc::new(event), generation: 0 }).collect();
    stage.apply(&calendar(), &writes).await;
    let sent: Value = serde_json::from_slice(&stage.requests()[0].body).unwrap();
    let bodies = sent["requests"].as_array().unwrap().iter().map(|request| request["body"].clone()).collect();
    (stage, bodies)
}

#[tokio::test]
async fn every_pattern_has_its_shape() {
    use RecurrenceEnd::{After, Never, On};
    let until = On("2027-03-31".parse().unwrap());
    let cases = [
        (Pattern::Daily { interval: 3 }, Never),
        (Pattern::Weekly { interval: 1, days: vec![Tuesday, Friday], first_day: Saturday }, until),
        (Pattern::AbsoluteMonthly { interval: 2, day: 31 }, After(10)),
        (Pattern::RelativeMonthly { interval: 1, day: RelativeDay::On(Friday), index: WeekIndex::Last }, Never),
        (Pattern::RelativeMonthly { interval: 1, day: RelativeDay::Weekday, index: WeekIndex::First }, Never),
        (Pattern::RelativeMonthly { interval: 1, day: RelativeDay::Day, index: WeekIndex::Second }, Never),
        (Pattern::AbsoluteYearly { interval: 1, day: 23, month: 11 }, Never),
        (
            Pattern::RelativeYearly { interval: 4, day: RelativeDay::WeekendDay, index: WeekIndex::Third, month: 11 },
            After(3),
        ),
    ];
    let events = cases.into_iter().enumerate();
    let events = events.map(|(n, (pattern, end))| series(&n.to_string(), paris(), pattern, end)).collect();
    let (stage, bodies) = create(events).await;
    let recurrences: Vec<&Value> = bodies.iter().map(|body| &body["recurrence"]).collect();
    stage.golden("patterns", &recurrences);
}

#[tokio::test]
async fn times_say_what_is_meant() {
    // time, expected start, end and zone
    let cases: Vec<(EventTime, [&str; 3])> = vec![
        (paris(), ["2026-11-23T09:00:00", "2026-11-23T10:30:00", "Romance Standard Time"]),
        (
            all_day("2026-11-23", "2026-11-23", "Europe/Paris"),
            ["2026-11-23T00:00:00", "2026-11-24T00:00:00", "Romance Standard Time"],
        ),
        // A day of 25 hours, and several days across it.
        (
            all_day("2026-10-24", "2026-10-26", "Europe/Paris"),
            ["2026-10-24T00:00:00", "2026-10-27T00:00:00", "Romance Standard Time"],
        ),
        // Midnight does not exist on this day in Cairo; whole days keep it.
        (
            all_day("2026-04-24", "2026-04-24", "Africa/Cairo"),
            ["2026-04-24T00:00:00", "2026-04-25T00:00:00", "Egypt Standard Time"],
        ),
        // 02:30 is skipped in spring: it is 03:30.
        (
            timed("2026-03-29T02:30", "2026-03-29T04:00", "Europe/Paris"),
            ["2026-03-29T03:30:00", "2026-03-29T04:00:00", "Romance Standard Time"],
        ),
        // 02:30 comes twice in autumn: the first is meant, and only UTC can say so.
        (
            timed("2026-10-25T02:30", "2026-10-25T03:30", "Europe/Paris"),
            ["2026-10-25T00:30:00", "2026-10-25T02:30:00", "UTC"],
        ),
        (
            timed("2026-11-23T09:00", "2026-11-23T09:30", "America/New_York"),
            ["2026-11-23T09:00:00", "2026-11-23T09:30:00", "Eastern Standard Time"],
        ),
    ];
    let events = cases.iter().enumerate().map(|(n, (time, _))| single(&n.to_string(), time.clone())).collect();
    let (_, bodies) = create(events).await;
    for (body, (time, [start, end, zone])) in bodies.iter().zip(&cases) {
        assert_eq!(body["start"], json!({"dateTime": start, "timeZone": zone}), "{time:?}");
        assert_eq!(body["end"], json!({"dateTime": end, "timeZone": zone}), "{time:?}");
        assert_eq!(body["isAllDay"], json!(time.is_all_day()), "{time:?}");
    }
}

#[tokio::test]
async fn a_series_keeps_its_zone() {
    let time = timed("2026-10-25T02:30", "2026-10-25T03:30", "Europe/Paris");
    let (_, bodies) = create(vec![series("1", time, Pattern::Daily { interval: 1 }, RecurrenceEnd::Never)]).await;
    assert_eq!(bodies[0]["start"], json!({"dateTime": "2026-10-25T02:30:00", "timeZone": "Romance Standard Time"}));
    assert_eq!(bodies[0]["recurrence"]["range"]["startDate"], "2026-10-25");
}

/// Without an explicit "off", the server takes the mailbox's default.
#[tokio::test]
async fn no_reminder_is_said_to_be_none() {
    let mut quiet = single("quiet", paris());
    quiet.content.reminder_minutes = None;
    let (_, bodies) = create(vec![quiet.clone()]).await;
    let occurrence = serde_json::to_value(EventBody::occurrence(&paris(), &quiet.content)).unwrap();
    for body in [&bodies[0], &occurrence] {
        assert_eq!((&body["isReminderOn"], &body["reminderMinutesBeforeStart"]), (&json!(false), &json!(0)), "{body}");
    }
}
