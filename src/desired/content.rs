//! What the source says, and the job's templates and defaults → what an event shows.

use std::{collections::BTreeMap, sync::Arc};

use super::{texts, values::values};
use crate::{
    model::{
        event::{Body, BodyKind, Content, Importance, REMINDER_MINUTES_MAX, Sensitivity, ShowAs},
        source::{SourceContent, SourceEvent, SourceReminder, SourceTime},
        time::EventTime,
    },
    settings::Job,
    template::Values,
};

/// The longest body that is cut, in bytes; what is longer is no text for a calendar.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is said of an event: by its source, or else by the job.
pub(super) struct Told<'a> {
    pub(super) subject: &'a str,
    pub(super) body: Option<&'a Body>,
    pub(super) location: &'a str,
    pub(super) categories: &'a [String],
    pub(super) show_as: ShowAs,
    pub(super) sensitivity: Sensitivity,
    pub(super) importance: Importance,
    pub(super) url: &'a str,
    pub(super) online_meeting_url: &'a str,
    pub(super) data: Option<&'a BTreeMap<String, String>>,
    reminder: Option<SourceReminder>,
}

impl<'a> Told<'a> {
    /// What is said of an event; with `change` of an occurrence that differs.
    fn new(event: &'a SourceEvent, change: Option<&'a SourceContent>, job: &Job) -> Self {
        let series = &event.content;
        let own = change.unwrap_or(series);
        let text = |own: &'a Option<String>, series: &'a Option<String>| {
            own.as_deref().or(series.as_deref()).unwrap_or_default()
        };
        Self {
            subject: text(&own.subject, &series.subject),
            body: own.body.as_ref().or(series.body.as_ref()),
            location: text(&own.location, &series.location),
            categories: own.categories.as_deref().or(series.categories.as_deref()).unwrap_or_default(),
            show_as: own.show_as.or(series.show_as).unwrap_or(job.show_as),
            sensitivity: own.sensitivity.or(series.sensitivity).unwrap_or(job.sensitivity),
            importance: own.importance.or(series.importance).unwrap_or(job.importance),
            url: text(&own.url, &series.url),
            online_meeting_url: text(&own.online_meeting_url, &series.online_meeting_url),
            data: own.data.as_ref().or(series.data.as_ref()),
            reminder: own.reminder.or(series.reminder),
        }
    }

    /// Whether no template has anything to do: what is said is shown as it is.
    fn is_plain(&self, job: &Job) -> bool {
        self.url.is_empty() && self.online_meeting_url.is_empty() && job.templates.is_plain()
    }

    /// The sensitivity, with what `private_when` says.
    fn sensitivity(&self, values: Option<&Arc<Values>>, job: &Job) -> Result<Sensitivity, String> {
        let Some(values) = values else { return Ok(self.sensitivity) };
        let private = job.templates.is_private(values).map_err(|error| error.to_string())?;
        Ok(if private { stricter(self.sensitivity, Sensitivity::Private) } else { self.sensitivity })
    }
}

/// What an event shows at `time`; with `change`, what an occurrence of it shows that differs.
///
/// # Errors
/// Why it cannot be shown, without any of its content. An event of which nobody knows whether it is private is not shown.
pub(super) fn content(
    event: &SourceEvent,
    change: Option<&SourceContent>,
    time: &EventTime,
    job: &Job,
) -> Result<Content, String> {
    let told = Told::new(event, change, job);
    if told.body.is_some_and(|body| body.content.len() > BODY_BYTES_MAX) {
        return Err("its body is longer than 4 MiB".to_owned());
    }
    let values = (!told.is_plain(job)).then(|| values(event, &told, time, job));
    let mut sensitivity = told.sensitivity(values.as_ref(), job)?;
    if change.is_some() {
        sensitivity = with_series(sensitivity, event, time, job)?;
    }
    let of_job = |reminder: Option<u32>| reminder.map(|minutes| minutes.min(REMINDER_MINUTES_MAX));
    let content = Content {
        subject: String::new(),
        body: Body { kind: BodyKind::Text, content: String::new() },
        location: String::new(),
        show_as: told.show_as,
        sensitivity,
        importance: told.importance,
        categories: texts::shown_categories(job.categories.iter()),
        reminder_minutes: match told.reminder {
            Some(SourceReminder::Off) => None,
            Some(SourceReminder::Minutes(minutes)) => of_job(Some(minutes)),
            None => of_job(job.reminder_minutes),
        },
    };
    let content = match (&job.private_subject, values) {
        // Nothing of the source is shown, and nothing that a template makes of it.
        (Some(mask), _) if is_private(sensitivity) => Ok(Content { subject: texts::line(mask), ..content }),
        (_, Some(values)) => templated(content, &values, job),
        (_, None) => Ok(plain(content, &told, job)),
    }?;
    let content = if event.cancelled { called_off(content, job) } else { content };
    Ok(match &job.keeps {
        Some(keeps) => Content { body: keeps.marked(content.body), ..content },
        None => content,
    })
}

/// What a cancelled event shows where its item stays: that it is cancelled, and that the time is free.
fn called_off(content: Content, job: &Job) -> Content {
    let subject = texts::line(&format!("{} {}", job.cancelled_subject, content.subject));
    Content { subject, show_as: ShowAs::Free, reminder_minutes: None, ..content }
}

/// The texts as the source says them.
fn plain(content: Content, told: &Told<'_>, job: &Job) -> Content {
    Content {
        subject: texts::line(told.subject),
        body: told.body.map_or_else(|| content.body.clone(), texts::body),
        location: texts::line(told.location),
        categories: texts::shown_categories(texts::bounded(told.categories).iter().chain(&job.categories)),
        ..content
    }
}

/// The texts as the templates make them.
fn templated(content: Content, values: &Arc<Values>, job: &Job) -> Result<Content, String> {
    let templates = &job.templates;
    let render = || {
        let (body, is_html) = templates.body(values)?;
        let kind = if is_html { BodyKind::Html } else { BodyKind::Text };
        let own = templates.categories(values)?;
        Ok(Content {
            subject: texts::line(&templates.subject(values)?),
            body: texts::body(&Body { kind, content: body }),
            location: texts::line(&templates.location(values)?),
            categories: texts::shown_categories(texts::bounded(&own).iter().chain(&job.categories)),
            ..content
        })
    };
    render().map_err(|error: crate::template::RenderError| error.to_string())
}

/// The occurrences of a private series are private, whatever they say themselves.
fn with_series(own: Sensitivity, event: &SourceEvent, time: &EventTime, job: &Job) -> Result<Sensitivity, String> {
    let told = Told::new(event, None, job);
    let time = match &event.time {
        SourceTime::Fixed(first) => first,
        SourceTime::Period { .. } => time,
    };
    let values = (!told.is_plain(job)).then(|| values(event, &told, time, job));
    let series = told.sensitivity(values.as_ref(), job)?;
    Ok(if is_private(series) { stricter(own, series) } else { own })
}

/// The stricter of two.
const fn stricter(one: Sensitivity, other: Sensitivity) -> Sensitivity {
    const fn rank(sensitivity: Sensitivity) -> u8 {
        match sensitivity {
            Sensitivity::Normal => 0,
            Sensitivity::Personal => 1,
            Sensitivity::Private => 2,
            Sensitivity::Confidential => 3,
        }
    }
    if rank(one) >= rank(other) { one } else { other }
}

const fn is_private(sensitivity: Sensitivity) -> bool {
    match sensitivity {
        Sensitivity::Private | Sensitivity::Confidential => true,
        Sensitivity::Normal | Sensitivity::Personal => false,
    }
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
