//! What a template may know of an event: this, and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, OnceLock},
};

use jiff::civil::{DateTime, date};
use minijinja::value::{Object, ObjectRepr, Value};

use super::{engine::Escape, filters};

/// The kinds of events that have templates of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the kinds of a source event")]
pub enum Kind {
    Schedule,
    Appointment,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Schedule, Self::Appointment];

    /// The word of the settings and of `kind` in a template.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Appointment => "appointment",
        }
    }
}

/// A wall time, or a day of an all-day event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The wall time; midnight for a day.
    pub wall: DateTime,
    /// Whether it is a day.
    pub is_day: bool,
}

/// What a template knows of an event. Texts that are not there are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of a source event, in its words")]
pub struct Values {
    pub kind: Kind,
    pub id: String,
    pub subject: String,
    pub body: Arc<str>,
    /// Whether `body` is HTML.
    pub body_html: bool,
    pub location: String,
    pub categories: Vec<String>,
    pub show_as: &'static str,
    pub sensitivity: &'static str,
    pub importance: &'static str,
    pub url: String,
    pub online_meeting_url: String,
    pub data: Arc<BTreeMap<String, String>>,
    pub start: Moment,
    /// The end; of an all-day event the last day.
    pub end: Moment,
    pub zone: String,
    pub person: String,
    pub mailbox: String,
    pub source: String,
    pub job: String,
}

impl Values {
    /// Sample events: one that says everything, and one that says nothing.
    pub(super) fn samples(kind: Kind, job: &str, fields: &BTreeSet<String>) -> [Self; 2] {
        let text = |text: &str| text.to_owned();
        let moment = |hour| Moment { wall: date(2026, 11, 23).at(hour, 0, 0, 0), is_day: false };
        let full = Self {
            kind,
            id: text("4711"),
            subject: text("Kick-off"),
            body: Arc::from("Agenda <draft>"),
            body_html: false,
            location: text("Lyon"),
            categories: vec![text("Project"), text("Travel")],
            show_as: "busy",
            sensitivity: "normal",
            importance: "normal",
            url: text("https://erp.example.org/events/4711"),
            online_meeting_url: text("https://meet.example.org/4711"),
            data: Arc::new(fields.iter().map(|name| (name.clone(), text("sample"))).collect()),
            start: moment(9),
            end: moment(10),
            zone: text("Europe/Paris"),
            person: text("ana"),
            mailbox: text("ana@example.org"),
            source: text("inbox"),
            job: text(job),
        };
        let day = Moment { wall: date(2026, 11, 23).at(0, 0, 0, 0), is_day: true };
        let empty = Self {
            subject: String::new(),
            body: Arc::from(""),
            body_html: true,
            location: String::new(),
            categories: Vec::new(),
            url: String::new(),
            online_meeting_url: String::new(),
            data: Arc::default(),
            start: day,
            end: day,
            person: String::new(),
            ..full.clone()
        };
        [full, empty]
    }
}

/// The values as one rendering sees them.
#[derive(Debug)]
pub(super) struct Root {
    values: Arc<Values>,
    escape: Escape,
    /// Made once: a template may name it often, and it may be long.
    body: OnceLock<Value>,
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let values = &self.values;
        let text = |text: &str| Some(Value::from(text));
        match key.as_str()? {
            "kind" => text(values.kind.as_str()),
            "id" => text(&values.id),
            "subject" => text(&values.subject),
            "body" => Some(self.body.get_or_init(|| self.body()).clone()),
            "body_type" => text(match self.escape {
                Escape::Html => "html",
                Escape::None if values.body_html => "html",
                Escape::None => "text",
            }),
            "location" => text(&values.location),
            "categories" => Some(Value::from(values.categories.clone())),
            "show_as" => text(values.show_as),
            "sensitivity" => text(values.sensitivity),
            "importance" => text(values.importance),
            "url" => text(&values.url),
            "online_meeting_url" => text(&values.online_meeting_url),
            "data" => Some(Value::from_object(Data(Arc::clone(&values.data)))),
            "start" => Some(Value::from_object(values.start)),
            "end" => Some(Value::from_object(values.end)),
            "zone" => text(&values.zone),
            "all_day" => Some(Value::from(values.start.is_day)),
            "person" => text(&values.person),
            "mailbox" => text(&values.mailbox),
            "source" => text(&values.source),
            "job" => text(&values.job),
            "br" => Some(match self.escape {
                Escape::Html => Value::from_safe_string("<br>\n".to_owned()),
                Escape::None => Value::from("\n"),
            }),
            _ => None,
        }
    }
}

impl Root {
    pub(super) const fn new(values: Arc<Values>, escape: Escape) -> Self {
        Self { values, escape, body: OnceLock::new() }
    }

    /// The body in the form of the rendering.
    fn body(&self) -> Value {
        match (self.escape, self.values.body_html) {
            (Escape::Html, true) => Value::from_safe_string(self.values.body.to_string()),
            (Escape::Html, false) => {
                Value::from_safe_string(filters::escaped(self.values.body.trim_end()).replace('\n', "<br>\n"))
            }
            (Escape::None, _) => Value::from(Arc::clone(&self.values.body)),
        }
    }
}

/// `data`: a field that is not there is empty.
#[derive(Debug)]
struct Data(Arc<BTreeMap<String, String>>);

impl Object for Data {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(Value::from(self.0.get(key.as_str()?).map(String::as_str).unwrap_or_default()))
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let wall = self.wall;
        Some(match key.as_str()? {
            "date" => Value::from(wall.date().to_string()),
            "time" => Value::from(wall.strftime("%H:%M").to_string()),
            "year" => Value::from(wall.year()),
            "month" => Value::from(wall.month()),
            "day" => Value::from(wall.day()),
            "hour" => Value::from(wall.hour()),
            "minute" => Value::from(wall.minute()),
            "weekday" => Value::from(wall.weekday().to_monday_one_offset()),
            _ => return None,
        })
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_day {
            write!(formatter, "{}", self.wall.date())
        } else {
            write!(formatter, "{}", self.wall.strftime("%Y-%m-%dT%H:%M"))
        }
    }
}
