//! `calsyncd why MAILBOX DAY`: what takes place in a calendar on a day, what used to, and what is left out.

use serde_json::{Value, json};

use super::{
    held, history,
    output::{self, count, say},
    status,
    why::span,
};
use crate::{
    model::{event::DesiredEvent, history::Step, time::EventTime},
    scheduler::{Day, OnDay},
};

pub(super) fn print(day: &Day) {
    say!("{} {} ({})", day.mailbox, day.date, day.zone.iana());
    if let Some(parked) = &day.state.parked {
        say!("  parked   {}", status::parked_text(parked));
    }
    for wait in &day.waits {
        say!("  waits    {}", status::wait_text(wait));
    }
    for (name, error) in &day.unreadable {
        say!("  source   {name} cannot be read: {}", output::chain(error));
        say!("           hint: {}", error.hint());
    }
    for (name, reason) in &day.incomplete {
        say!("  source   {name} was not read to its end: {reason}");
    }
    for event in &day.events {
        let times: Vec<String> = event.times.iter().map(span).collect();
        say!("  event    {}  {}", event.key, times.join(", "));
        tell(event);
    }
    for event in &day.past {
        say!("  before   {}  {}", event.key, now_elsewhere(event));
        tell(event);
    }
    for (key, reason) in &day.left_out {
        say!("  left out {key}: {reason}");
    }
    if day.events.is_empty() && day.past.is_empty() && day.left_out.is_empty() {
        say!("  nothing  no source holds anything of this day for this mailbox, and nothing was written");
    }
    if day.rejected > 0 {
        let events = count(day.rejected, "event");
        say!("  rejected {events} of the sources cannot be used, maybe some of this day: `calsyncd status` names them");
    }
}

fn tell(event: &OnDay) {
    if let Some(place) = &event.place {
        say!("           {} holds it: {place}", event.key.source());
    }
    say!("           {}", stands(event));
    if let Some(held) = &event.held {
        say!("           held: {}", held::text(held));
    }
    for entry in last(event) {
        say!("           {}", history::text(entry, &event.key, false));
    }
}

/// The last decision and what came after it.
fn last(event: &OnDay) -> &[crate::model::history::Entry] {
    let at = event.history.iter().rposition(|entry| entry.step == Step::Decision).unwrap_or_default();
    &event.history[at..]
}

/// How an item stands, in words.
fn stands(event: &OnDay) -> String {
    if let Some(refused) = &event.refused {
        let (code, message) = (&refused.code, &refused.message);
        return format!("refused by the server: {code} {message}; next try {}", history::time(refused.retry_at));
    }
    if let Some(standing) = event.standing.as_ref().filter(|standing| standing.action == "quarantine") {
        return status::standing_text(standing);
    }
    match (&event.link, &event.wanted) {
        (Some(link), Some(wanted)) => match wanted.fingerprint().differing_fields(&link.fingerprint).as_slice() {
            [] => "written as it should be".to_owned(),
            fields => {
                let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
                format!("written, and to be changed: {}", names.join(", "))
            }
        },
        (Some(_), None) => "written, and no job shows it now: `calsyncd plan` tells what becomes of it".to_owned(),
        (None, Some(_)) => "not written yet".to_owned(),
        (None, None) => "not in the calendar".to_owned(),
    }
}

/// Where an event is that was of this day.
fn now_elsewhere(event: &OnDay) -> String {
    match (&event.wanted, &event.link) {
        (Some(wanted), _) => format!("moved to {}", whole(wanted)),
        (None, Some(_)) => "its item is elsewhere in the calendar, or its source does not tell".to_owned(),
        (None, None) => "removed".to_owned(),
    }
}

fn whole(event: &DesiredEvent) -> String {
    let series = if event.series.is_some() { ", a series" } else { "" };
    format!("{}{series}", span(&event.time))
}

pub(super) fn as_json(day: &Day) -> Value {
    let left_out: Vec<Value> =
        day.left_out.iter().map(|(key, reason)| json!({ "key": key.as_str(), "reason": reason.to_string() })).collect();
    let unreadable = day.unreadable.iter().map(|(name, error)| (name, "unreadable", output::chain(error)));
    let incomplete = day.incomplete.iter().map(|(name, reason)| (name, "read_in_part", reason.clone()));
    let sources: Vec<Value> = unreadable
        .chain(incomplete)
        .map(|(name, state, reason)| json!({ "source": name, "state": state, "reason": reason }))
        .collect();
    json!({
        "mailbox": day.mailbox.as_str(),
        "day": day.date.to_string(),
        "zone": day.zone.iana(),
        "parked": day.state.parked.as_ref().map(status::parked_json),
        "waits": day.waits.iter().map(status::wait_json).collect::<Vec<_>>(),
        "sources": sources,
        "events": day.events.iter().map(event_json).collect::<Vec<_>>(),
        "before": day.past.iter().map(event_json).collect::<Vec<_>>(),
        "left_out": left_out,
        "rejected": day.rejected,
    })
}

fn event_json(event: &OnDay) -> Value {
    let time = |time: &EventTime| {
        let (start, end) = (time.start().to_string(), time.end().to_string());
        json!({ "start": start, "end": end, "zone": time.zone().iana(), "all_day": time.is_all_day() })
    };
    json!({
        "key": event.key.as_str(),
        "place": event.place,
        "times": event.times.iter().map(time).collect::<Vec<_>>(),
        "now": event.wanted.as_ref().map(|wanted| time(&wanted.time)),
        "item_id": event.link.as_ref().map(|link| &link.item.id),
        "state": stands(event),
        "held": event.held.as_ref().map(held::as_json),
        "history": history::as_json(&event.history),
    })
}
