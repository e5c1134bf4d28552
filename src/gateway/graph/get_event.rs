//! `GET /users/{mailbox}/events/{id}`: what an event shows, for the test of the access.
//! <https://learn.microsoft.com/en-us/graph/api/event-get?view=graph-rest-1.0>

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    super::{Calendar, Shown},
    GraphGateway,
    answer::{MomentAnswer, ShownAnswer},
    fault::{self, Verb},
    path,
    send::{self, Call},
};
use crate::model::{fault::Fault, link::ItemRef};

/// What an event shows. Without a preference Graph answers in UTC.
pub(super) async fn get_event(gateway: &GraphGateway, calendar: &Calendar, item: &ItemRef) -> Result<Shown, Fault> {
    let path = format!("{}?$select=subject,start,end,isAllDay", path::event(&calendar.mailbox, &item.id));
    let call = Call::get(&calendar.mailbox, "GET /users/{id}/events/{id}", path);
    let answer: ShownAnswer = send::read(gateway, &call).await?;
    let instant = |moment: Option<MomentAnswer>| {
        moment.and_then(instant).ok_or_else(|| fault::of_nonsense(Verb::Read, "the event has no time in UTC"))
    };
    Ok(Shown {
        subject: answer.subject.unwrap_or_default(),
        start: instant(answer.start)?,
        end: instant(answer.end)?,
        is_all_day: answer.is_all_day,
    })
}

fn instant(moment: MomentAnswer) -> Option<Timestamp> {
    let time: DateTime = moment.date_time.parse().ok()?;
    (moment.time_zone == "UTC").then(|| time.to_zoned(TimeZone::UTC).ok()).flatten().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{MomentAnswer, instant};

    #[test]
    fn times_are_read_in_utc_only() {
        let moment = |time: &str, zone: &str| MomentAnswer { date_time: time.to_owned(), time_zone: zone.to_owned() };
        let read = |time, zone| instant(moment(time, zone)).map(|instant| instant.to_string());
        assert_eq!(read("2026-03-29T01:30:00.0000000", "UTC").as_deref(), Some("2026-03-29T01:30:00Z"));
        assert_eq!(read("2026-03-29T01:30:00.0000000", "Romance Standard Time"), None);
        assert_eq!(read("soon", "UTC"), None);
    }
}
