//! What the source says and the job adds → what an event shows.

use super::texts;
use crate::{
    model::{
        event::{Body, BodyKind, Content, Sensitivity},
        source::{SourceContent, SourceReminder},
    },
    settings::Job,
};

/// The longest reminder, in minutes (EWS `ReminderMinutesBeforeStartType`).
const REMINDER_MINUTES_MAX: u32 = 2_629_800;

/// The content of an event; for a changed occurrence `series` is what the source says of its series.
pub(super) fn content(own: &SourceContent, series: Option<&SourceContent>, job: &Job) -> Content {
    let default = SourceContent::default();
    let series = series.unwrap_or(&default);
    let sensitivity = own.sensitivity.or(series.sensitivity).unwrap_or(job.sensitivity);
    let text = |own: &Option<String>, series: &Option<String>| {
        texts::line(own.as_deref().or(series.as_deref()).unwrap_or_default())
    };
    let body = own.body.as_ref().or(series.body.as_ref());
    let named = own.categories.as_ref().or(series.categories.as_ref());
    let empty_body = || Body { kind: BodyKind::Text, content: String::new() };
    let content = Content {
        subject: text(&own.subject, &series.subject),
        body: body.map_or_else(empty_body, texts::body),
        location: text(&own.location, &series.location),
        show_as: own.show_as.or(series.show_as).unwrap_or(job.show_as),
        sensitivity,
        importance: own.importance.or(series.importance).unwrap_or(job.importance),
        categories: texts::categories(named.into_iter().flatten().chain(&job.categories)),
        reminder_minutes: match own.reminder.or(series.reminder) {
            Some(SourceReminder::Off) => None,
            Some(SourceReminder::Minutes(minutes)) => Some(minutes.min(REMINDER_MINUTES_MAX)),
            None => job.reminder_minutes.map(|minutes| minutes.min(REMINDER_MINUTES_MAX)),
        },
    };
    match &job.private_subject {
        Some(mask) if is_private(sensitivity) => {
            Content { subject: texts::line(mask), body: empty_body(), location: String::new(), ..content }
        }
        Some(_) | None => content,
    }
}

const fn is_private(sensitivity: Sensitivity) -> bool {
    match sensitivity {
        Sensitivity::Private | Sensitivity::Confidential => true,
        Sensitivity::Normal | Sensitivity::Personal => false,
    }
}
