//! `GET /users/{mailbox}/events/{id}` in batches: what items show, bodies as text; of a series also its exceptions and what was
//! cancelled of it.
//! <https://learn.microsoft.com/en-us/graph/api/event-get?view=graph-rest-1.0>

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    super::Calendar,
    GraphGateway,
    answer::{InnerBody, MomentAnswer, RecurrenceAnswer},
    batch::{Inner, Sender},
    pages::gravest,
    path,
};
use crate::model::{
    fault::{Fault, FaultKind, FaultScope},
    link::ItemRef,
    shown::{Seen, Shown, ShownException, ShownTime, zone_by_rules},
};

const SELECT: &str = "id,changeKey,originalStartTimeZone,subject,body,location,start,end,isAllDay,showAs,sensitivity,\
                      importance,categories,isReminderOn,reminderMinutesBeforeStart,recurrence,exceptionOccurrences,\
                      cancelledOccurrences";

/// Looks at items. Those that are not there, and those that the server does not show, are left out.
pub(super) async fn look(gateway: &GraphGateway, calendar: &Calendar, items: &[ItemRef]) -> Result<Vec<Seen>, Fault> {
    let mut sender = Sender::new(gateway, &calendar.mailbox);
    let requests: Vec<Inner<'_>> = items.iter().map(|item| get_event(calendar, &item.id)).collect();
    let (mut seen, mut faults) = (Vec::with_capacity(items.len()), Vec::new());
    for answer in sender.run(&requests).await {
        match answer {
            Ok(body) => seen.extend(read(body)),
            Err(failure) if failure.gone => {}
            Err(failure) if is_of_the_item(&failure.fault) => {}
            Err(failure) => faults.push(sender.stopping(failure.fault)),
        }
    }
    gravest(faults).map_or(Ok(seen), Err)
}

fn is_of_the_item(fault: &Fault) -> bool {
    fault.scope == FaultScope::Item && fault.kind == FaultKind::Permanent
}

fn get_event(calendar: &Calendar, id: &str) -> Inner<'static> {
    let event = path::event(&calendar.mailbox, id);
    Inner::get_text(format!("{event}?$select={SELECT}&$expand=exceptionOccurrences"))
}

/// Reads an event; `None` when what tells when it takes place, or which item it is, is missing.
fn read(body: InnerBody) -> Option<Seen> {
    Some(Seen { item: body.item_ref()?, shown: shown(body)? })
}

fn shown(body: InnerBody) -> Option<Shown> {
    let time = ShownTime {
        start: instant(body.start.as_ref()?)?,
        end: instant(body.end.as_ref()?)?,
        is_all_day: body.is_all_day.unwrap_or_default(),
    };
    let zone = body.original_start_time_zone.as_deref().unwrap_or_default();
    let recurrence = body.recurrence.as_ref().map(|rule| said(rule, zone, time.start)).unwrap_or_default();
    let mut exceptions = Vec::new();
    for id in body.cancelled_occurrences.unwrap_or_default() {
        // `OID.{id of the series}.{day}`.
        let original = id.rsplit('.').next().unwrap_or_default().to_owned();
        exceptions.push(ShownException { original, shown: None });
    }
    for exception in body.exception_occurrences.unwrap_or_default() {
        let original = exception.original_start.as_deref().and_then(original)?.to_string();
        exceptions.push(ShownException { original, shown: Some(shown(exception)?) });
    }
    Some(Shown {
        subject: body.subject.unwrap_or_default(),
        body: body.body.and_then(|body| body.content).unwrap_or_default(),
        location: body.location.and_then(|location| location.display_name).unwrap_or_default(),
        time,
        recurrence,
        show_as: body.show_as.unwrap_or_default(),
        sensitivity: body.sensitivity.unwrap_or_default(),
        importance: body.importance.unwrap_or_default(),
        categories: body.categories.unwrap_or_default(),
        reminder_minutes: body.reminder_minutes_before_start.filter(|_| body.is_reminder_on == Some(true)),
        exceptions,
    })
}

/// A rule as one text; its zone by what it does to times.
fn said(rule: &RecurrenceAnswer, zone: &str, start: Timestamp) -> String {
    let mut text = String::new();
    for (name, value) in rule.pattern.iter().chain(&rule.range) {
        if name != "recurrenceTimeZone" && !name.starts_with('@') {
            text.push_str(&format!("{name}={value};"));
        }
    }
    text + &zone_by_rules(zone, start)
}

/// A wall time in UTC, as times are told to those who ask for no other zone; whole days are told as they are.
fn instant(moment: &MomentAnswer) -> Option<Timestamp> {
    moment.date_time.as_deref().and_then(original)
}

/// An instant; without an offset it is UTC.
fn original(text: &str) -> Option<Timestamp> {
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(civil)
}
