//! What an event shows: templates, privacy, limits.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    super::{
        Desired, desired,
        tests::{event, job, read, timed, window},
    },
    BODY_BYTES_MAX,
};
use crate::{
    model::{
        event::{Body, BodyKind, Content, Sensitivity},
        key::Kind,
        recurrence::ExceptionChange,
        source::{SourceChange, SourceContent, SourceEvent, SourceException, SourceRecurrence},
    },
    settings::Job,
    template::{Given, GivenTexts, Templates},
};

fn told(content: SourceContent) -> SourceEvent {
    let mut event = event("1", "ana", timed("2026-11-23T09:00", "2026-11-23T10:00"));
    event.content = content;
    event
}

fn full() -> SourceContent {
    SourceContent {
        subject: Some("Kick-off".to_owned()),
        body: Some(Body { kind: BodyKind::Text, content: "Agenda".to_owned() }),
        location: Some("Lyon".to_owned()),
        categories: Some(vec!["Leave".to_owned()]),
        url: Some("https://erp.test/1".to_owned()),
        online_meeting_url: Some("https://meet.test/1".to_owned()),
        data: Some(BTreeMap::from([("kind".to_owned(), "leave".to_owned())])),
        ..SourceContent::default()
    }
}

fn with(given: Given) -> Job {
    Job { templates: Templates::compile("team", given).unwrap(), ..job() }
}

fn every(texts: GivenTexts) -> Given {
    Given { every: texts, ..Given::default() }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn push(event: SourceEvent, job: &Job) -> Desired {
    desired(&read(vec![event]), job, window())
}

fn shown(event: SourceEvent, job: &Job) -> Content {
    let result = push(event, job);
    assert_eq!(result.rejections, []);
    result.mailboxes.values().next().unwrap()[0].content.clone()
}

fn reason(event: SourceEvent, job: &Job) -> String {
    let result = push(event, job);
    assert!(result.mailboxes.is_empty());
    result.rejections[0].reason.clone()
}

#[test]
fn links_follow_the_body_and_fill_the_location() {
    let content = shown(told(full()), &job());
    assert_eq!(content.body.content, "Agenda\n\nOnline meeting: https://meet.test/1\nSource: https://erp.test/1");
    assert_eq!(
        (content.location.as_str(), content.categories.as_slice()),
        ("Lyon", &["ERP".into(), "Leave".into()][..])
    );
    let body = Some(Body { kind: BodyKind::Html, content: "<p>Agenda</p>".to_owned() });
    let url = text("https://erp.test/?a&b");
    let content = shown(told(SourceContent { body, location: None, url, ..full() }), &job());
    assert_eq!((content.location.as_str(), content.body.kind), ("https://meet.test/1", BodyKind::Html));
    let anchor = "Source: <a href=\"https://erp.test/?a&amp;b\">https://erp.test/?a&amp;b</a>";
    assert!(content.body.content.starts_with("<p>Agenda</p><br>") && content.body.content.ends_with(anchor));
    let content = shown(told(SourceContent { body: None, url: None, ..full() }), &job());
    assert_eq!(content.body.content, "Online meeting: https://meet.test/1");
}

#[test]
fn templates_decide_what_is_shown() {
    let own = GivenTexts {
        subject: text(
            "{{ id }} {{ person }} {{ zone }} {{ start.time }}–{{ end.time }} {{ data.kind }} {{ sensitivity }}",
        ),
        body: text("{{ body }}<{{ location }}>"),
        location: text(""),
        categories: Some(vec!["{{ data.kind }}".to_owned(), "{{ data.none }}".to_owned()]),
    };
    let content = shown(told(full()), &with(every(own.clone())));
    assert_eq!(content.subject, "1 ana Europe/Paris 09:00–10:00 leave normal");
    assert_eq!((content.body.content.as_str(), content.location.as_str()), ("Agenda<Lyon>", ""));
    assert_eq!(content.categories, ["ERP", "leave"]);
    let other = Given { schedule: GivenTexts { subject: text("S"), ..GivenTexts::default() }, ..every(own) };
    let mut schedule = told(full());
    schedule.kind = Kind::Schedule;
    assert_eq!(shown(schedule, &with(other)).subject, "S");
    let html = shown(told(full()), &with(Given { body_html: true, ..Given::default() }));
    assert_eq!(html.body.kind, BodyKind::Html);
    assert!(html.body.content.contains("<a href=\"https://meet.test/1\">"), "{}", html.body.content);
}

#[test]
fn a_template_that_fails_leaves_out_its_event_only() {
    let failing = "{% if data.kind == 'leave' %}\n{{ subject + 1 }}{% endif %}";
    let job = with(every(GivenTexts { subject: text(failing), ..GivenTexts::default() }));
    let mut good = told(SourceContent { data: None, ..full() });
    good.key = crate::model::key::SourceKey::new("erp", Kind::Appointment, "2");
    let result = desired(&read(vec![told(full()), good]), &job, window());
    assert_eq!(result.mailboxes.values().map(Vec::len).sum::<usize>(), 1);
    let reason = &result.rejections[0].reason;
    assert!(reason.contains("`templates.subject` fails in its line 2") && !reason.contains("Kick-off"), "{reason}");
}

#[test]
fn separators_of_categories_are_not_shown_and_still_tell_what_is_private() {
    let event = || told(SourceContent { categories: Some(vec!["Leave, sick".to_owned()]), ..full() });
    assert_eq!(shown(event(), &job()).categories, ["ERP", "Leave sick"]);
    assert_masked(&shown(
        event(),
        &with(Given { private_when: text("'Leave, sick' in categories"), ..Given::default() }),
    ));
}

/// Nothing of the source is to be seen.
#[track_caller]
fn assert_masked(content: &Content) {
    let expected = ("Private", "", "", Sensitivity::Private);
    let found =
        (content.subject.as_str(), content.body.content.as_str(), content.location.as_str(), content.sensitivity);
    assert_eq!(found, expected);
    assert_eq!(content.categories, ["ERP"]);
}

#[test]
fn private_events_show_nothing_of_the_source() {
    let private_when = |expression: &str| with(Given { private_when: text(expression), ..Given::default() });
    let private = told(SourceContent { sensitivity: Some(Sensitivity::Private), ..full() });
    assert_masked(&shown(private.clone(), &job()));
    let leaking = GivenTexts {
        subject: text("{{ subject }}"),
        body: text("{{ body }}"),
        location: text("{{ online_meeting_url }}"),
        categories: Some(vec!["{{ data.kind }}".to_owned()]),
    };
    assert_masked(&shown(private, &with(every(leaking))));
    for (expression, expected) in [
        ("'Leave' in categories", true),
        ("data.kind == 'leave'", true),
        ("data.kind == 'work'", false),
        ("start.hour < 8", false),
    ] {
        let job = private_when(expression);
        let content = shown(told(full()), &job);
        assert_eq!(content.sensitivity == Sensitivity::Private, expected, "{expression}");
        if expected {
            assert_masked(&content);
            let unmasked = shown(told(full()), &Job { private_subject: None, ..job });
            assert_eq!((unmasked.subject.as_str(), unmasked.sensitivity), ("Kick-off", Sensitivity::Private));
        }
    }
    let confidential = told(SourceContent { sensitivity: Some(Sensitivity::Confidential), ..full() });
    assert_eq!(shown(confidential, &private_when("true")).sensitivity, Sensitivity::Confidential);
    // Nobody knows whether it is private: it is not shown.
    let reason = reason(told(full()), &private_when("data.kind == 'leave' and subject + 1 > 0"));
    assert!(reason.contains("`private_when` fails"), "{reason}");
}

#[test]
fn occurrences_of_a_private_series_are_private() {
    let change = |content| {
        let time = timed("2026-11-30T14:00", "2026-11-30T15:00");
        let original = "2026-11-30T09:00".parse().unwrap();
        let exceptions = vec![SourceException { original, change: Some(SourceChange { time, content }) }];
        let mut series = told(full());
        series.recurrence = Some(SourceRecurrence::of_rule("FREQ=WEEKLY;COUNT=3", exceptions));
        series
    };
    let changed = |event: SourceEvent, job: &Job| {
        let result = push(event, job);
        assert_eq!(result.rejections, []);
        let series = result.mailboxes.values().next().unwrap()[0].series.clone().unwrap();
        let ExceptionChange::Changed { content, .. } = series.exceptions[0].change.clone() else { panic!() };
        *content
    };
    let open = SourceContent {
        subject: text("Open"),
        categories: Some(vec!["Work".to_owned()]),
        sensitivity: Some(Sensitivity::Normal),
        ..SourceContent::default()
    };
    let mut series = change(open.clone());
    series.content.sensitivity = Some(Sensitivity::Private);
    assert_masked(&changed(series, &job()));
    let job = with(Given { private_when: text("'Leave' in categories"), ..Given::default() });
    assert_masked(&changed(change(open.clone()), &job));
    // An occurrence may be private by itself, too.
    let own = SourceContent { categories: Some(vec!["Leave".to_owned()]), ..open.clone() };
    let mut series = change(own);
    series.content.categories = None;
    assert_masked(&changed(series, &job));
    let plain = changed(change(SourceContent { url: text(""), ..open }), &self::job());
    assert_eq!(
        (plain.subject.as_str(), plain.body.content.as_str()),
        ("Open", "Agenda\n\nOnline meeting: https://meet.test/1")
    );
}

#[test]
fn bodies_have_limits() {
    let body = |kind, length: usize| {
        told(SourceContent { body: Some(Body { kind, content: "é<b>x</b>&amp;".repeat(length / 15) }), ..full() })
    };
    for kind in [BodyKind::Text, BodyKind::Html] {
        let content = shown(body(kind, BODY_BYTES_MAX - 15), &job()).body.content;
        let meeting = content.find("https://meet.test/1").unwrap();
        assert!(content.len() <= 1024 * 1024 && content[..meeting].contains('…'), "a link is not cut off");
        assert!(reason(body(kind, BODY_BYTES_MAX + 30), &job()).contains("longer than 4 MiB"));
    }
    let many = (0..1000).map(|number| format!("c{number:04}")).collect();
    let content = shown(told(SourceContent { categories: Some(many), ..full() }), &job());
    assert_eq!((content.categories.len(), content.categories.last().unwrap().as_str()), (65, "ERP"));
}

proptest! {
    #[test]
    fn what_is_shown_fits_a_calendar(
        subject in "\\PC{0,300}|[\0-\u{20}é🎉]{0,300}",
        body in "[\0-\u{20}<>&;a-zé🎉]{0,300}",
        html in any::<bool>(),
        field in "\\PC{0,80}|[\0-\u{20}<>&\"']{0,80}",
    ) {
        let kind = if html { BodyKind::Html } else { BodyKind::Text };
        let content = SourceContent {
            subject: Some(subject),
            body: Some(Body { kind, content: body }),
            categories: Some(vec![field.clone()]),
            data: Some(BTreeMap::from([("x".to_owned(), field)])),
            ..full()
        };
        let own = GivenTexts {
            subject: text("{{ data.x }}{{ subject }}{{ data.x | upper }}"),
            body: text("{{ data.x }}{{ body }}{{ data.x }}"),
            location: text("{{ data.x | title }}{{ subject | lower }}"),
            categories: Some(vec!["{{ data.x }}".to_owned(), "{{ categories | join('\n') }}".to_owned()]),
        };
        for job in [job(), with(every(own))] {
            let content = shown(told(content.clone()), &job);
            let lines = [&content.subject, &content.location].into_iter().chain(&content.categories);
            for line in lines {
                prop_assert!(line.encode_utf16().count() <= 255 && !line.contains(char::is_control));
            }
            let allowed = |character: char| !character.is_control() || matches!(character, '\n' | '\t' | '\u{7f}'..='\u{9f}');
            prop_assert!(content.body.content.chars().all(allowed));
        }
    }
}
