//! Reads an event as a client sends it.

use jiff::civil::{DateTime, Time};
use serde_json::Value;

use super::{
    super::store::{Body, BodyKind, Change, Draft, Entry, Importance, Moment, PropertyName, Sensitivity, ShowAs, Zone},
    error::GraphError,
    members::Members,
    prefer::zone,
    property_id::property_name,
    recurrence_in::recurrence,
    words::{IMPORTANCE, SENSITIVITY, SHOW_AS},
};

const WRITABLE: [&str; 23] = [
    "subject",
    "body",
    "start",
    "end",
    "isAllDay",
    "location",
    "locations",
    "showAs",
    "sensitivity",
    "importance",
    "categories",
    "isReminderOn",
    "reminderMinutesBeforeStart",
    "recurrence",
    "transactionId",
    "attendees",
    "responseRequested",
    "allowNewTimeProposals",
    "hideAttendees",
    "isDraft",
    "isOnlineMeeting",
    "onlineMeetingProvider",
    "singleValueExtendedProperties",
];

const READ_ONLY: [&str; 18] = [
    "id",
    "changeKey",
    "iCalUId",
    "type",
    "seriesMasterId",
    "originalStart",
    "originalStartTimeZone",
    "originalEndTimeZone",
    "webLink",
    "isOrganizer",
    "isCancelled",
    "bodyPreview",
    "createdDateTime",
    "lastModifiedDateTime",
    "hasAttachments",
    "onlineMeeting",
    "organizer",
    "responseStatus",
];

/// What a client says of an event; what it does not name is absent.
#[derive(Debug)]
pub(super) struct EventIn<'a> {
    subject: Option<String>,
    body: Option<Option<Body>>,
    location: Option<Option<String>>,
    show_as: Option<ShowAs>,
    sensitivity: Option<Sensitivity>,
    importance: Option<Importance>,
    categories: Option<Vec<String>>,
    reminder_on: Option<bool>,
    reminder_minutes: Option<u32>,
    start: Option<Point>,
    end: Option<Point>,
    all_day: Option<bool>,
    recurrence: Option<&'a Value>,
    properties: Vec<(PropertyName, Option<String>)>,
    attendees: Option<Vec<String>>,
    /// `transactionId`.
    pub(super) transaction_id: Option<String>,
    /// Whether attendees are not told yet.
    pub(super) is_draft: bool,
}

/// A `dateTimeTimeZone`.
#[derive(Debug, Clone)]
struct Point {
    wall: DateTime,
    zone: Zone,
}

/// Reads an event.
pub(super) fn event(value: &Value) -> Result<EventIn<'_>, GraphError> {
    if let Some(name) = READ_ONLY.iter().find(|name| value.get(name).is_some()) {
        let message = format!("The property '{name}' is read-only and cannot be set.");
        return Err(GraphError::new(400, "ErrorInvalidPropertyRequest", message));
    }
    let members = Members::of(value, "microsoft.graph.event", &WRITABLE)?;
    for flag in ["responseRequested", "allowNewTimeProposals", "hideAttendees", "isOnlineMeeting"] {
        members.boolean(flag)?;
    }
    let texts = |name: &str| -> Result<Option<Vec<String>>, GraphError> {
        Ok(members.texts(name)?.map(|texts| texts.into_iter().map(str::to_owned).collect()))
    };
    let transaction_id = members.text("transactionId")?.map(str::to_owned);
    Ok(EventIn {
        subject: members
            .get("subject")
            .map(|_| members.text("subject"))
            .transpose()?
            .map(|text| text.unwrap_or_default().to_owned()),
        body: members.get("body").map(body).transpose()?,
        location: location(members)?,
        show_as: members.one_of("showAs", &SHOW_AS)?,
        sensitivity: members.one_of("sensitivity", &SENSITIVITY)?,
        importance: members.one_of("importance", &IMPORTANCE)?,
        categories: texts("categories")?,
        reminder_on: members.boolean("isReminderOn")?,
        reminder_minutes: members.number("reminderMinutesBeforeStart")?,
        start: members.some("start").map(|value| point(value, "start")).transpose()?,
        end: members.some("end").map(|value| point(value, "end")).transpose()?,
        all_day: members.boolean("isAllDay")?,
        recurrence: members.get("recurrence"),
        properties: properties(members)?,
        attendees: attendees(members)?,
        transaction_id,
        is_draft: members.boolean("isDraft")?.unwrap_or(false),
    })
}

fn body(value: &Value) -> Result<Option<Body>, GraphError> {
    if value.is_null() {
        return Ok(None);
    }
    let members = Members::of(value, "itemBody", &["contentType", "content"])?;
    let kind = members.one_of("contentType", &[("text", BodyKind::Text), ("html", BodyKind::Html)])?;
    let sent = members.text("content")?.unwrap_or_default().to_owned();
    Ok(Some(Body { kind: kind.unwrap_or(BodyKind::Text), sent }))
}

/// The displayed location; `locations` mirrors `location`.
fn location(members: Members<'_>) -> Result<Option<Option<String>>, GraphError> {
    let known = [
        "displayName",
        "locationType",
        "uniqueId",
        "uniqueIdType",
        "address",
        "coordinates",
        "locationEmailAddress",
        "locationUri",
    ];
    let name = |value| -> Result<Option<String>, GraphError> {
        Ok(Members::of(value, "location", &known)?
            .text("displayName")?
            .filter(|name| !name.is_empty())
            .map(str::to_owned))
    };
    if let Some(locations) = members.list("locations")? {
        let names: Vec<String> =
            locations.iter().filter_map(|value| name(value).transpose()).collect::<Result<_, _>>()?;
        if !names.is_empty() || members.get("location").is_none() {
            return Ok(Some((!names.is_empty()).then(|| names.join("; "))));
        }
    }
    match members.get("location") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(value) => name(value).map(Some),
    }
}

fn point(value: &Value, name: &'static str) -> Result<Point, GraphError> {
    let members = Members::of(value, "dateTimeTimeZone", &["dateTime", "timeZone"])?;
    let missing = |member: &str| GraphError::property(format!("{name}.{member} is required."));
    let text = members.text("dateTime")?.ok_or_else(|| missing("dateTime"))?;
    let zone = zone(members.text("timeZone")?.ok_or_else(|| missing("timeZone"))?)?;
    // The offset belongs into timeZone: a time that has both would say two things.
    let has_offset = text.len() > 10 && text[10..].contains(['Z', 'z', '+', '-']);
    match text.parse() {
        Ok(wall) if !has_offset && text.contains('T') => Ok(Point { wall, zone }),
        Ok(_) | Err(_) => {
            Err(GraphError::property(format!("{name}.dateTime: '{text}' is not a date and time without offset.")))
        }
    }
}

fn properties(members: Members<'_>) -> Result<Vec<(PropertyName, Option<String>)>, GraphError> {
    let mut properties = Vec::new();
    for value in members.list("singleValueExtendedProperties")?.unwrap_or_default() {
        let property = Members::of(value, "singleValueLegacyExtendedProperty", &["id", "value"])?;
        let id = property
            .text("id")?
            .ok_or_else(|| GraphError::body("singleValueExtendedProperties: an id is required."))?;
        properties.push((property_name(id)?, property.text("value")?.map(str::to_owned)));
    }
    Ok(properties)
}

fn attendees(members: Members<'_>) -> Result<Option<Vec<String>>, GraphError> {
    let address = |value| -> Result<String, GraphError> {
        let attendee = Members::of(value, "attendee", &["type", "status", "emailAddress", "proposedNewTime"])?;
        let missing = || GraphError::property("attendees: an emailAddress is required.");
        let address = attendee.some("emailAddress").ok_or_else(missing)?;
        let address = Members::of(address, "emailAddress", &["name", "address"])?;
        Ok(address.text("address")?.ok_or_else(missing)?.to_owned())
    };
    members.list("attendees")?.map(|list| list.iter().map(address).collect()).transpose()
}

/// All-day events begin and end at midnight in one zone, and last a day at least.
fn check_all_day(start: (&DateTime, &Zone), end: (&DateTime, &Zone)) -> Result<(), GraphError> {
    for (name, (wall, _)) in [("Start", start), ("End", end)] {
        if wall.time() != Time::midnight() {
            let message = format!("The Event.{name} property for an all-day event needs to be set to midnight.");
            return Err(GraphError::property(message));
        }
    }
    if start.1 != end.1 {
        return Err(GraphError::property("The start and the end of an all-day event must be in the same time zone."));
    }
    if end.0.date() <= start.0.date() {
        return Err(GraphError::property("The duration of an event marked as All day must be at least 24 hours."));
    }
    Ok(())
}

impl EventIn<'_> {
    /// How many people a write of these attendees mails.
    pub(super) fn mails(&self) -> u64 {
        let invited = self.attendees.as_ref().map_or(0, Vec::len);
        if self.is_draft { 0 } else { u64::try_from(invited).unwrap_or(u64::MAX) }
    }

    /// The draft of a new event.
    pub(super) fn into_draft(self) -> Result<Draft, GraphError> {
        let missing = |name: &str| GraphError::property(format!("At least one of the properties is required: {name}."));
        let start = self.start.ok_or_else(|| missing("start"))?;
        let end = self.end.ok_or_else(|| missing("end"))?;
        if self.all_day == Some(true) {
            check_all_day((&start.wall, &start.zone), (&end.wall, &end.zone))?;
        }
        let recurrence = self
            .recurrence
            .filter(|value| !value.is_null())
            .map(|value| recurrence(value, start.wall.date()))
            .transpose()?;
        let mut draft = Draft::new(Moment::Wall(start.wall), Moment::Wall(end.wall), start.zone);
        draft.end_zone = end.zone;
        draft.subject = self.subject.unwrap_or_default();
        draft.body = self.body.flatten();
        draft.location = self.location.flatten();
        draft.show_as = self.show_as.unwrap_or(draft.show_as);
        draft.sensitivity = self.sensitivity.unwrap_or(draft.sensitivity);
        draft.importance = self.importance.unwrap_or(draft.importance);
        draft.categories = self.categories.unwrap_or_default();
        draft.reminder_set = self.reminder_on;
        draft.reminder_minutes = self.reminder_minutes;
        draft.all_day = self.all_day.unwrap_or(false);
        draft.recurrence = recurrence;
        draft.properties = self.properties.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        draft.attendees = self.attendees.unwrap_or_default();
        draft.transaction_id = self.transaction_id;
        Ok(draft)
    }

    /// The changes of an event that is there.
    pub(super) fn into_changes(self, present: &Entry) -> Result<Vec<Change>, GraphError> {
        let content = &present.content;
        let start = self.start.as_ref().map_or_else(|| content.start_wall(), |point| point.wall);
        if self.all_day.unwrap_or(content.all_day) {
            let end = self.end.as_ref().map_or_else(|| content.end_wall(), |point| point.wall);
            let zone_of = |point: &Option<Point>, present: &Zone| {
                point.as_ref().map_or(present.clone(), |point| point.zone.clone())
            };
            let start_zone = zone_of(&self.start, &content.start_zone);
            check_all_day((&start, &start_zone), (&end, &zone_of(&self.end, &content.end_zone)))?;
        }
        let mut changes = Vec::new();
        if let Some(Point { wall, zone }) = self.start {
            changes.extend([Change::StartZone(zone), Change::Start(Moment::Wall(wall))]);
        }
        if let Some(Point { wall, zone }) = self.end {
            changes.extend([Change::EndZone(zone), Change::End(Moment::Wall(wall))]);
        }
        match self.recurrence {
            None => {}
            Some(Value::Null) => changes.push(Change::Recurrence(None)),
            Some(value) => changes.push(Change::Recurrence(Some(recurrence(value, start.date())?))),
        }
        changes.extend(self.subject.map(Change::Subject));
        changes.extend(self.body.map(Change::Body));
        changes.extend(self.location.map(Change::Location));
        changes.extend(self.show_as.map(Change::ShowAs));
        changes.extend(self.sensitivity.map(Change::Sensitivity));
        changes.extend(self.importance.map(Change::Importance));
        changes.extend(self.categories.map(Change::Categories));
        changes.extend(self.reminder_on.map(Change::ReminderSet));
        changes.extend(self.reminder_minutes.map(Change::ReminderMinutes));
        changes.extend(self.all_day.map(Change::AllDay));
        changes.extend(self.attendees.map(Change::Attendees));
        changes.extend(self.properties.into_iter().map(|(name, value)| Change::Property(name, value)));
        Ok(changes)
    }
}
