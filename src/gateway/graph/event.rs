//! The `event` resource as it is written: only members that we mean, never attendees.
//! <https://learn.microsoft.com/en-us/graph/api/resources/event?view=graph-rest-1.0>

use jiff::civil::DateTime;
use serde::Serialize;

use super::{
    properties::Property,
    recurrence::{PatternedRecurrence, patterned},
};
use crate::model::{
    event::{BodyKind, Content, DesiredEvent, Importance, Sensitivity, ShowAs},
    fingerprint::Field,
    time::EventTime,
    zone::Zone,
};

/// The body of a POST or a PATCH: what is absent stays as it is.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<ItemBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<DateTimeTimeZone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<DateTimeTimeZone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_all_day: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    show_as: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitivity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importance: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    categories: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_reminder_on: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reminder_minutes_before_start: Option<u32>,
    /// Absent: as it is; null: a series becomes a single event.
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrence: Option<Option<PatternedRecurrence>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) single_value_extended_properties: Option<Vec<Property<'a>>>,
}

/// The text of an event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemBody<'a> {
    content_type: &'static str,
    content: &'a str,
}

/// A wall time, without offset, and the Windows name of its zone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DateTimeTimeZone {
    date_time: String,
    time_zone: &'static str,
}

/// A place as text. Writing it replaces all places of the event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    display_name: &'a str,
}

impl<'a> EventBody<'a> {
    /// Everything of an event but our properties.
    pub(super) fn whole(event: &'a DesiredEvent) -> Self {
        let mut body = Self::default();
        for field in CONTENT_FIELDS {
            body.content(&event.content, field);
        }
        body.time(&event.time, event.series.is_some());
        if let Some(series) = &event.series {
            body.recurrence = Some(Some(patterned(&series.recurrence, &event.time)));
        }
        body
    }

    /// The given fields of an event; of a series that is laid out anew, its times and recurrence too.
    pub(super) fn sparse(event: &'a DesiredEvent, fields: &[Field], lays_out: bool) -> Self {
        let mut body = Self::default();
        for field in fields {
            body.content(&event.content, *field);
        }
        match &event.series {
            Some(series) if lays_out => {
                body.time(&event.time, true);
                body.recurrence = Some(Some(patterned(&series.recurrence, &event.time)));
            }
            Some(_) => {}
            None => {
                let recurrence = fields.contains(&Field::Recurrence);
                if recurrence {
                    body.recurrence = Some(None);
                }
                if recurrence || fields.contains(&Field::Time) {
                    body.time(&event.time, false);
                }
            }
        }
        body
    }

    /// A series that becomes a single event.
    pub(super) fn without_recurrence() -> Self {
        Self { recurrence: Some(None), ..Self::default() }
    }

    /// Everything that an occurrence can differ in.
    pub(super) fn occurrence(time: &EventTime, content: &'a Content) -> Self {
        let mut body = Self::default();
        for field in CONTENT_FIELDS {
            body.content(content, field);
        }
        body.time(time, false);
        body
    }

    /// Sets one field of the content.
    fn content(&mut self, content: &'a Content, field: Field) {
        match field {
            Field::Subject => self.subject = Some(&content.subject),
            Field::Body => {
                let content_type = match content.body.kind {
                    BodyKind::Text => "text",
                    BodyKind::Html => "html",
                };
                self.body = Some(ItemBody { content_type, content: &content.body.content });
            }
            Field::Location => self.location = Some(Location { display_name: &content.location }),
            Field::ShowAs => self.show_as = Some(show_as(content.show_as)),
            Field::Sensitivity => self.sensitivity = Some(sensitivity(content.sensitivity)),
            Field::Importance => self.importance = Some(importance(content.importance)),
            Field::Categories => self.categories = Some(&content.categories),
            Field::Reminder => {
                self.is_reminder_on = Some(content.reminder_minutes.is_some());
                self.reminder_minutes_before_start = Some(content.reminder_minutes.unwrap_or(0));
            }
            Field::Time | Field::Recurrence | Field::Occurrences => {}
        }
    }

    /// Sets start, end and whether it is all day, always together.
    fn time(&mut self, time: &EventTime, series: bool) {
        let (start, end, zone) = (time.start(), time.end(), time.zone());
        // The wall time of the hour that the autumn change repeats does not say which of the two it is, and one that
        // Outlook takes for another instant says the wrong one; UTC says the instant. A series must keep its zone.
        let unclear = |wall: DateTime| zone.repeats(wall) || !zone.agrees_with_outlook(wall);
        let in_utc = !series && !time.is_all_day() && (unclear(start) || unclear(end));
        let at = |wall: DateTime| {
            if in_utc {
                let (wall, utc) = (Zone::utc().wall(zone.instant(wall)), Zone::utc());
                return DateTimeTimeZone { date_time: wall.to_string(), time_zone: utc.told() };
            }
            // A wall time that the spring change skips is sent as the one that is meant.
            let wall = if time.is_all_day() { wall } else { zone.wall(zone.instant(wall)) };
            DateTimeTimeZone { date_time: wall.to_string(), time_zone: zone.told() }
        };
        self.start = Some(at(start));
        self.end = Some(at(end));
        self.is_all_day = Some(time.is_all_day());
    }
}

/// The fields of [`Content`].
const CONTENT_FIELDS: [Field; 8] = [
    Field::Subject,
    Field::Body,
    Field::Location,
    Field::ShowAs,
    Field::Sensitivity,
    Field::Importance,
    Field::Categories,
    Field::Reminder,
];

const fn show_as(value: ShowAs) -> &'static str {
    match value {
        ShowAs::Free => "free",
        ShowAs::Tentative => "tentative",
        ShowAs::Busy => "busy",
        ShowAs::OutOfOffice => "oof",
        ShowAs::WorkingElsewhere => "workingElsewhere",
    }
}

const fn sensitivity(value: Sensitivity) -> &'static str {
    match value {
        Sensitivity::Normal => "normal",
        Sensitivity::Personal => "personal",
        Sensitivity::Private => "private",
        Sensitivity::Confidential => "confidential",
    }
}

const fn importance(value: Importance) -> &'static str {
    match value {
        Importance::Low => "low",
        Importance::Normal => "normal",
        Importance::High => "high",
    }
}
