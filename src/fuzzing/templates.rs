//! A template, and what it is given.

use super::{promises, stage};
use crate::{
    desired::desired,
    model::{
        event::{Body, BodyKind},
        key::{Kind, SourceKey},
        source::{Completeness, Recipient, SourceContent, SourceEvent, SourceRead, SourceTime},
        time::EventTime,
        zone::Zone,
    },
    settings::Job,
    template::{Given, GivenTexts, Templates},
};

/// The template, up to a NUL, and the body of the event after it, which is HTML when it begins with `<`. The template is
/// that of every text, and what makes an event private.
pub(super) fn template(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let (Ok(text), Ok(body)) =
        (std::str::from_utf8(&input[..end]), std::str::from_utf8(input.get(end + 1..).unwrap_or_default()))
    else {
        return;
    };
    let every = GivenTexts {
        subject: Some(text.to_owned()),
        body: Some(text.to_owned()),
        location: Some(text.to_owned()),
        categories: Some(vec![text.to_owned()]),
    };
    let texts = Given { every, ..Given::default() };
    let expression = Given { private_when: Some(text.to_owned()), ..Given::default() };
    let read = SourceRead { events: vec![event(body)], rejections: Vec::new(), completeness: Completeness::Complete };
    for given in [texts, expression] {
        match Templates::compile("all", given) {
            Ok(templates) => {
                let job = Job { templates, ..stage::job().clone() };
                let desired = desired(&read, &job, stage::window());
                promises::check(&read, &desired);
            }
            Err(faults) => {
                assert!(!faults.is_empty(), "a template that is refused has a fault");
                assert!(faults.iter().all(|(_, fault)| fault.offset <= text.len()), "a fault is inside its template");
            }
        }
    }
}

fn event(body: &str) -> SourceEvent {
    let start = jiff::civil::date(2026, 11, 24).at(9, 0, 0, 0);
    let kind = if body.starts_with('<') { BodyKind::Html } else { BodyKind::Text };
    SourceEvent {
        key: SourceKey::new("erp", Kind::Appointment, "1"),
        kind: Kind::Appointment,
        place: "template".to_owned(),
        recipient: Recipient::Mailbox(stage::mailbox()),
        time: SourceTime::Fixed(EventTime::Timed { start, end: start, zone: Zone::utc() }),
        recurrence: None,
        generic: false,
        cancelled: false,
        content: SourceContent {
            subject: Some(body.chars().take(1000).collect()),
            body: Some(Body { kind, content: body.to_owned() }),
            categories: Some(vec!["Project".to_owned(), "Leave, sick".to_owned()]),
            ..SourceContent::default()
        },
    }
}
