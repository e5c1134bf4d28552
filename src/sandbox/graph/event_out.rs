//! Writes an event as Graph shows it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    super::store::{BodyKind, Content, Entry, EntryKind, Exception, PropertyName, Zone},
    error::GraphError,
    filter::type_name,
    prefer::Prefer,
    property_id::id_out,
    query::Query,
    recurrence_out::recurrence,
    words::{IMPORTANCE, SENSITIVITY, SHOW_AS, word},
};

/// The moment that Graph shows where there is none.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// How a client wants to see events.
#[derive(Debug, Default)]
pub(super) struct View<'a> {
    immutable_ids: bool,
    zone: Option<(&'a Zone, &'a str)>,
    text_bodies: bool,
    select: Option<&'a [String]>,
    expand: &'a [(String, PropertyName)],
}

impl<'a> View<'a> {
    /// What header and query ask for.
    pub(super) fn new(prefer: &'a Prefer, query: &'a Query) -> Self {
        Self {
            immutable_ids: prefer.immutable_ids,
            zone: prefer.zone.as_ref().map(|(zone, name)| (zone, name.as_str())),
            text_bodies: prefer.text_bodies,
            select: query.select.as_deref(),
            expand: &query.expand.properties,
        }
    }

    /// The same without extended properties.
    pub(super) fn without_properties(self) -> Self {
        Self { expand: &[], ..self }
    }

    /// The id of an entry in the form asked for.
    pub(super) fn id(&self, entry: &Entry) -> String {
        id_out(if self.immutable_ids { &entry.immutable_id } else { &entry.id })
    }

    fn point(&self, instant: Timestamp, content: &Content, zone: &Zone) -> Value {
        let (shown, name) = self.zone.map_or_else(|| (Zone::utc(), "UTC"), |(zone, name)| (zone.clone(), name));
        // Whole days have no instant: Graph shows their dates in whatever zone is asked for.
        let wall = if content.all_day { zone.wall(instant) } else { shown.wall(instant) };
        json!({"dateTime": wall.strftime("%Y-%m-%dT%H:%M:%S.0000000").to_string(), "timeZone": name})
    }
}

/// Refuses a `$select` of something that an event does not have.
pub(super) fn check_select(query: &Query) -> Result<(), GraphError> {
    const MORE: [&str; 10] = [
        "id",
        "cancelledOccurrences",
        "exceptionOccurrences",
        "originalStart",
        "singleValueExtendedProperties",
        "multiValueExtendedProperties",
        "calendar",
        "attachments",
        "instances",
        "extensions",
    ];
    let unknown = |name: &&String| !MORE.contains(&name.as_str()) && !FIELDS.contains(&name.as_str());
    match query.select.iter().flatten().find(unknown) {
        None => Ok(()),
        Some(name) => {
            let message = format!("Could not find a property named '{name}' on type 'microsoft.graph.event'.");
            Err(GraphError::new(400, "BadRequest", message))
        }
    }
}

const FIELDS: [&str; 39] = [
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "transactionId",
    "originalStartTimeZone",
    "originalEndTimeZone",
    "iCalUId",
    "reminderMinutesBeforeStart",
    "isReminderOn",
    "hasAttachments",
    "subject",
    "bodyPreview",
    "importance",
    "sensitivity",
    "isAllDay",
    "isCancelled",
    "isOrganizer",
    "responseRequested",
    "seriesMasterId",
    "showAs",
    "type",
    "webLink",
    "onlineMeetingUrl",
    "isOnlineMeeting",
    "onlineMeetingProvider",
    "allowNewTimeProposals",
    "isDraft",
    "hideAttendees",
    "responseStatus",
    "body",
    "start",
    "end",
    "location",
    "locations",
    "recurrence",
    "attendees",
    "organizer",
    "onlineMeeting",
];

/// The JSON of an event.
pub(super) fn event(entry: &Entry, view: &View<'_>) -> Value {
    let mut shown = Map::new();
    shown.insert("@odata.etag".into(), format!("W/\"{}\"", entry.change_key).into());
    shown.insert("id".into(), view.id(entry).into());
    let selected = |name: &&str| view.select.is_none_or(|select| select.iter().any(|one| one == name));
    for name in FIELDS.iter().filter(|name| selected(name)) {
        shown.insert((*name).to_owned(), field(name, entry, view));
    }
    if let Some(occurrence) = entry.occurrence.filter(|_| selected(&"originalStart")) {
        let start = occurrence.original_start.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        shown.insert("originalStart".into(), start.into());
    }
    // Only for those who name it.
    if view.select.is_some() && selected(&"cancelledOccurrences") && entry.kind == EntryKind::Master {
        shown.insert("cancelledOccurrences".into(), cancelled(entry, view).into());
    }
    let properties: Vec<Value> = view
        .expand
        .iter()
        .filter_map(|(id, name)| Some(json!({"id": id, "value": entry.content.properties.get(name)?})))
        .collect();
    if !properties.is_empty() {
        shown.insert("singleValueExtendedProperties".into(), properties.into());
    }
    Value::Object(shown)
}

/// The occurrence ids of the deleted occurrences of a series.
fn cancelled(entry: &Entry, view: &View<'_>) -> Vec<String> {
    let deleted = entry.series.iter().flat_map(|series| &series.exceptions);
    deleted
        .filter(|(_, exception)| **exception == Exception::Deleted)
        .map(|(date, _)| format!("OID.{}.{date}", view.id(entry)))
        .collect()
}

fn field(name: &str, entry: &Entry, view: &View<'_>) -> Value {
    let content = &entry.content;
    match name {
        "createdDateTime" => instant(entry.created),
        "lastModifiedDateTime" => instant(entry.modified),
        "changeKey" => json!(entry.change_key),
        "transactionId" => json!(entry.transaction_id),
        "iCalUId" => json!(match entry.occurrence {
            Some(occurrence) => format!("{}{}", content.uid, occurrence.date.strftime("%Y%m%d")),
            None => content.uid.clone(),
        }),
        "type" => json!(type_name(entry.kind)),
        "seriesMasterId" => json!(
            entry
                .master
                .as_ref()
                .map(|master| { id_out(if view.immutable_ids { &master.immutable_id } else { &master.id }) })
        ),
        "webLink" => {
            json!(format!("https://outlook.office365.com/owa/?itemid={}&exvsurl=1&path=/calendar/item", view.id(entry)))
        }
        "organizer" => json!({"emailAddress": {"name": entry.mailbox, "address": entry.mailbox}}),
        "recurrence" => match (&entry.series, entry.kind) {
            (Some(series), EntryKind::Master) => recurrence(&series.recurrence, content.start_zone.id()),
            (Some(_) | None, _) => Value::Null,
        },
        "start" => view.point(content.start, content, &content.start_zone),
        "end" => view.point(content.end, content, &content.end_zone),
        _ => content_field(name, content, view),
    }
}

fn content_field(name: &str, content: &Content, view: &View<'_>) -> Value {
    match name {
        "categories" => json!(content.categories),
        "originalStartTimeZone" => json!(content.start_zone.id()),
        "originalEndTimeZone" => json!(content.end_zone.id()),
        "reminderMinutesBeforeStart" => json!(content.reminder_minutes),
        "isReminderOn" => json!(content.reminder_set),
        "subject" => json!(content.subject),
        "bodyPreview" => {
            let text = content.body.as_ref().map(|body| body.read_back(BodyKind::Text)).unwrap_or_default();
            json!(text.chars().take(255).collect::<String>())
        }
        "importance" => json!(word(&IMPORTANCE, &content.importance)),
        "sensitivity" => json!(word(&SENSITIVITY, &content.sensitivity)),
        "isAllDay" => json!(content.all_day),
        "showAs" => json!(word(&SHOW_AS, &content.show_as)),
        "isOrganizer" | "responseRequested" | "allowNewTimeProposals" => json!(true),
        "hasAttachments" | "isCancelled" | "isOnlineMeeting" | "isDraft" | "hideAttendees" => json!(false),
        "onlineMeetingProvider" => json!("unknown"),
        "responseStatus" => json!({"response": "organizer", "time": NEVER}),
        "body" => {
            let kind = if view.text_bodies { BodyKind::Text } else { BodyKind::Html };
            let text = content.body.as_ref().map(|body| body.read_back(kind)).unwrap_or_default();
            json!({"contentType": if view.text_bodies { "text" } else { "html" }, "content": text})
        }
        "location" => location(content.location.as_deref().unwrap_or_default()),
        "locations" => json!(content.location.iter().map(|name| location(name)).collect::<Vec<_>>()),
        "attendees" => json!(content.attendees.iter().map(|address| attendee(address)).collect::<Vec<_>>()),
        _ => Value::Null,
    }
}

fn location(name: &str) -> Value {
    if name.is_empty() {
        return json!({"displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": {}, "coordinates": {}});
    }
    json!({"displayName": name, "locationType": "default", "uniqueId": name, "uniqueIdType": "private"})
}

fn attendee(address: &str) -> Value {
    json!({
        "type": "required",
        "status": {"response": "none", "time": NEVER},
        "emailAddress": {"name": address, "address": address},
    })
}

fn instant(instant: Timestamp) -> Value {
    instant.strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string().into()
}
