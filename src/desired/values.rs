//! A source event → what templates know of it.

use std::sync::Arc;

use super::{content::Told, texts};
use crate::{
    model::{
        event::{BodyKind, Importance, Sensitivity, ShowAs},
        key::Kind,
        source::{Recipient, SourceEvent},
        time::EventTime,
    },
    settings::Job,
    template::{self, Moment, Values},
};

/// What templates know of an event, or of one occurrence of it.
pub(super) fn values(event: &SourceEvent, told: &Told<'_>, time: &EventTime, job: &Job) -> Arc<Values> {
    let (person, mailbox) = match &event.recipient {
        Recipient::Person(person) => (person.clone(), String::new()),
        Recipient::Mailbox(address) => (String::new(), address.as_str().to_owned()),
    };
    let body = told.body.map(texts::body_for_template);
    let (start, end) = moments(time);
    let id = event.key.as_str().splitn(3, '/').nth(2).unwrap_or_default();
    Arc::new(Values {
        kind: match event.kind {
            Kind::Schedule => template::Kind::Schedule,
            Kind::Appointment => template::Kind::Appointment,
        },
        id: decoded(id),
        subject: texts::line(told.subject),
        body_html: body.as_ref().is_some_and(|body| body.kind == BodyKind::Html),
        body: body.map(|body| Arc::from(body.content)).unwrap_or_default(),
        location: texts::line(told.location),
        categories: texts::categories(told.categories.iter()),
        show_as: match told.show_as {
            ShowAs::Free => "free",
            ShowAs::Tentative => "tentative",
            ShowAs::Busy => "busy",
            ShowAs::OutOfOffice => "out_of_office",
            ShowAs::WorkingElsewhere => "working_elsewhere",
        },
        sensitivity: match told.sensitivity {
            Sensitivity::Normal => "normal",
            Sensitivity::Personal => "personal",
            Sensitivity::Private => "private",
            Sensitivity::Confidential => "confidential",
        },
        importance: match told.importance {
            Importance::Low => "low",
            Importance::Normal => "normal",
            Importance::High => "high",
        },
        url: told.url.to_owned(),
        online_meeting_url: told.online_meeting_url.to_owned(),
        data: told.data.cloned().map(Arc::new).unwrap_or_default(),
        start,
        end,
        zone: time.zone().to_string(),
        person,
        mailbox,
        source: event.key.source().to_owned(),
        job: job.templates.job().to_owned(),
    })
}

fn moments(time: &EventTime) -> (Moment, Moment) {
    match time {
        EventTime::Timed { start, end, .. } => {
            (Moment { wall: *start, is_day: false }, Moment { wall: *end, is_day: false })
        }
        EventTime::AllDay { first, last, .. } => {
            let day = |day: &jiff::civil::Date| Moment { wall: day.at(0, 0, 0, 0), is_day: true };
            (day(first), day(last))
        }
    }
}

/// The id of an event from its key, where bytes are percent-encoded.
fn decoded(id: &str) -> String {
    let mut bytes = Vec::with_capacity(id.len());
    let mut rest = id;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(b'%'));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}
