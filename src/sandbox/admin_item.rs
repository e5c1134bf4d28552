//! An item as the admin face shows it: everything that the store knows.

use jiff::civil::{Date, DateTime};
use serde_json::{Map, Value, json};

use super::{
    graph::recurrence_json,
    store::{BodyKind, Content, Entry, EntryKind, Exception, Importance, Sensitivity, ShowAs},
};

/// The JSON of an item.
pub(super) fn item(entry: &Entry) -> Value {
    let content = &entry.content;
    let properties: Map<String, Value> =
        content.properties.iter().map(|(name, value)| (format!("{}/{}", name.set, name.name), json!(value))).collect();
    let body = content.body.as_ref().map(|body| {
        let kind = match body.kind {
            BodyKind::Text => "text",
            BodyKind::Html => "html",
        };
        json!({"kind": kind, "sent": body.sent})
    });
    let days = content.all_day.then(|| days(content));
    json!({
        "id": entry.id,
        "immutable_id": entry.immutable_id,
        "change_key": entry.change_key,
        "folder": entry.folder_id,
        "kind": kind(entry.kind),
        "master": entry.master.as_ref().map(|master| &master.id),
        "original_start": entry.occurrence.map(|occurrence| occurrence.original_start.to_string()),
        "revision": entry.revision,
        "subject": content.subject,
        "body": body,
        "location": content.location,
        "start": content.start.to_string(),
        "end": content.end.to_string(),
        "start_wall": wall(content.start_wall()),
        "end_wall": wall(content.end_wall()),
        "start_zone": content.start_zone.id(),
        "end_zone": content.end_zone.id(),
        "all_day": content.all_day,
        "first_day": days.map(|(first, _)| first.to_string()),
        "last_day": days.map(|(_, last)| last.to_string()),
        "show_as": show_as(content.show_as),
        "sensitivity": sensitivity(content.sensitivity),
        "importance": importance(content.importance),
        "categories": content.categories,
        "reminder_minutes": content.reminder_set.then_some(content.reminder_minutes),
        "uid": content.uid,
        "properties": properties,
        "attendees": content.attendees,
        "transaction_id": entry.transaction_id,
        "created": entry.created.to_string(),
        "modified": entry.modified.to_string(),
        "recurrence": entry.series.as_ref().map(|series| recurrence_json(&series.recurrence, content.start_zone.id())),
        "deleted_dates": dates(entry, |exception| matches!(exception, Exception::Deleted)),
        "changed_dates": dates(entry, |exception| matches!(exception, Exception::Changed(_))),
    })
}

/// The first and the last of whole days, in the zone that they were written in.
fn days(content: &Content) -> (Date, Date) {
    let (first, end) = (content.start_wall().date(), content.end_wall().date());
    (first, end.yesterday().unwrap_or(end).max(first))
}

fn dates(entry: &Entry, fits: impl Fn(&Exception) -> bool) -> Vec<String> {
    let exceptions = entry.series.iter().flat_map(|series| &series.exceptions);
    exceptions.filter(|(_, exception)| fits(exception)).map(|(date, _)| date.to_string()).collect()
}

fn wall(wall: DateTime) -> String {
    wall.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

const fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Single => "single",
        EntryKind::Master => "master",
        EntryKind::Occurrence => "occurrence",
        EntryKind::Exception => "exception",
    }
}

const fn show_as(show_as: ShowAs) -> &'static str {
    match show_as {
        ShowAs::Free => "free",
        ShowAs::Tentative => "tentative",
        ShowAs::Busy => "busy",
        ShowAs::OutOfOffice => "out_of_office",
        ShowAs::WorkingElsewhere => "working_elsewhere",
        ShowAs::Unknown => "unknown",
    }
}

const fn sensitivity(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Normal => "normal",
        Sensitivity::Personal => "personal",
        Sensitivity::Private => "private",
        Sensitivity::Confidential => "confidential",
    }
}

const fn importance(importance: Importance) -> &'static str {
    match importance {
        Importance::Low => "low",
        Importance::Normal => "normal",
        Importance::High => "high",
    }
}
