//! Series with occurrences that differ.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Stage, at, batch, calendar, content, error, item, key, reply, series, timed, written};
use crate::{
    gateway::{Outcome, Write},
    model::{
        event::DesiredEvent,
        fault::{FaultKind, FaultScope},
        fingerprint::{Field, Fingerprint},
        occurrences::Occurrences,
        recurrence::{Exception, ExceptionChange, Pattern, RecurrenceEnd},
    },
};

const ZONE: &str = "Europe/Paris";

fn changed(original: &str, start: &str, end: &str) -> Exception {
    let change = ExceptionChange::Changed { time: timed(start, end, ZONE), content: Box::new(content("Moved")) };
    Exception { original: at(original), change }
}

fn cancelled(original: &str) -> Exception {
    Exception { original: at(original), change: ExceptionChange::Cancelled }
}

/// Daily at 09:00 from Monday the 23rd.
fn daily(id: &str, exceptions: Vec<Exception>) -> DesiredEvent {
    let time = timed("2026-11-23T09:00", "2026-11-23T10:00", ZONE);
    let mut event = series(id, time, Pattern::Daily { interval: 1 }, RecurrenceEnd::After(10));
    event.series.as_mut().unwrap().exceptions = exceptions;
    event
}

/// The occurrences of [`daily`] from the 23rd to the 28th, each with the UTC day in its id.
fn instances(prefix: &str) -> Value {
    let one = |day| json!({"id": format!("{prefix}{day}"), "originalStart": format!("2026-11-{day}T08:00:00Z")});
    json!({"value": (23..29).map(one).collect::<Vec<_>>()})
}

fn create(event: &DesiredEvent) -> Write {
    Write::Create { event: Arc::new(event.clone()), generation: 0 }
}

fn sent(stage: &Stage) -> Vec<Vec<String>> {
    let line = |request: &Value| {
        let url = request["url"].as_str().unwrap().rsplit('/').next().unwrap().split('?').next().unwrap();
        format!("{} {url}", request["method"].as_str().unwrap())
    };
    let lines = |request: crate::http::Request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        body["requests"].as_array().unwrap().iter().map(line).collect()
    };
    stage.requests().into_iter().map(lines).collect()
}

#[tokio::test]
async fn occurrences_are_written_after_their_series() {
    let event = daily(
        "1",
        vec![changed("2026-11-24T09:00", "2026-11-24T14:00", "2026-11-24T15:00"), cancelled("2026-11-26T09:00")],
    );
    let stage = Stage::new([
        batch([(1, 201, written("S1", "c1"))]),
        batch([(1, 200, instances("o"))]),
        batch([(1, 204, Value::Null)]),
        batch([(1, 200, written("o24", "x"))]),
        batch([(1, 200, written("S1", "c9"))]),
    ]);
    let outcomes = stage.apply(&calendar(), &[create(&event)]).await;
    let expected = Outcome::Written {
        item: crate::model::link::ItemRef { id: "S1".to_owned(), change_key: "c9".to_owned() },
        fingerprint: event.fingerprint(),
    };
    assert_eq!(outcomes, [expected]);
    stage.golden("occurrences", &outcomes);
}

#[tokio::test]
async fn a_batch_never_holds_two_writes_for_one_series() {
    let one = daily(
        "1",
        vec![
            changed("2026-11-23T09:00", "2026-11-23T08:00", "2026-11-23T08:30"),
            changed("2026-11-24T09:00", "2026-11-24T14:00", "2026-11-24T15:00"),
            changed("2026-11-25T09:00", "2026-11-25T14:00", "2026-11-25T15:00"),
            cancelled("2026-11-26T09:00"),
        ],
    );
    let two = daily("2", vec![cancelled("2026-11-25T09:00")]);
    let plain = daily("3", Vec::new());
    let ok = || (1, 200, written("x", "x"));
    let stage = Stage::new([
        batch([(2, 201, written("S2", "c")), (1, 201, written("S1", "c")), (3, 201, written("S3", "c"))]),
        batch([(1, 200, instances("a")), (2, 200, instances("b"))]),
        batch([ok(), (2, 404, error("ErrorItemNotFound"))]),
        batch([ok()]),
        batch([ok()]),
        batch([ok()]),
        batch([(1, 200, written("S1", "d")), (2, 200, written("S2", "d"))]),
    ]);
    let outcomes = stage.apply(&calendar(), &[create(&one), create(&two), create(&plain)]).await;
    let whole = |outcome: &Outcome| matches!(outcome, Outcome::Written { .. });
    assert!(outcomes.iter().all(whole), "{outcomes:?}");
    let expected: [&[&str]; 7] = [
        &["POST events", "POST events", "POST events"],
        &["GET instances", "GET instances"],
        &["DELETE a26", "DELETE b25"],
        &["PATCH a23"],
        &["PATCH a25"],
        &["PATCH a24"],
        &["PATCH S1", "PATCH S2"],
    ];
    assert_eq!(sent(&stage), expected);
}

#[tokio::test]
async fn an_update_writes_the_occurrences_again_when_it_must() {
    let event = daily("1", vec![cancelled("2026-11-24T09:00")]);
    // fields, occurrences, requests, whether the recurrence is removed first, whether the pattern is written
    let cases = [
        (vec![Field::Subject], Occurrences::NONE, 1, false, false),
        (vec![Field::Time], Occurrences::Fresh, 4, false, true),
        (vec![Field::Recurrence], Occurrences::All, 5, true, true),
        (vec![Field::Subject, Field::Occurrences], Occurrences::All, 5, true, true),
    ];
    for (fields, occurrences, requests, removes, pattern) in cases {
        let replies = [
            batch([(1, 200, written("S", "b"))]),
            batch([(1, 200, written("S", "c"))]),
            batch([(1, 200, instances("o"))]),
            batch([(1, 204, Value::Null)]),
            batch([(1, 200, written("S", "d"))]),
        ];
        let stage = Stage::new(replies.into_iter().skip(usize::from(!removes)).take(requests));
        let write = Write::Update {
            item: item("S"),
            event: Arc::new(event.clone()),
            generation: 2,
            fields: fields.clone(),
            occurrences: occurrences.clone(),
        };
        let outcomes = stage.apply(&calendar(), &[write]).await;
        let Outcome::Written { fingerprint, .. } = &outcomes[0] else { panic!("{fields:?}: {outcomes:?}") };
        assert_eq!(*fingerprint, event.fingerprint(), "{fields:?}");
        assert_eq!(stage.requests().len(), requests, "{fields:?}");
        let body = |number: usize| -> Value {
            let body: Value = serde_json::from_slice(&stage.requests()[number].body).unwrap();
            body["requests"][0]["body"].clone()
        };
        if removes {
            let bare = body(0);
            assert!(bare["recurrence"].is_null() && bare.get("recurrence").is_some(), "{bare}");
            assert_eq!(bare.as_object().unwrap().len(), 2, "the rest is its properties: {bare}");
            assert!(bare.to_string().contains(Fingerprint::unknown().as_str()), "{bare}");
        }
        let body = body(usize::from(removes));
        for member in ["start", "end", "isAllDay", "recurrence"] {
            assert_eq!(body.get(member).is_some(), pattern, "{fields:?} {member}");
        }
        assert!(body.get("transactionId").is_none());
    }
}

fn update(event: &DesiredEvent, occurrences: Occurrences) -> Write {
    Write::Update {
        item: item("S"),
        event: Arc::new(event.clone()),
        generation: 2,
        fields: vec![Field::Occurrences],
        occurrences,
    }
}

#[tokio::test]
async fn single_occurrences_are_written_without_the_others() {
    let event = daily(
        "1",
        vec![
            changed("2026-11-24T09:00", "2026-11-24T14:00", "2026-11-24T15:00"),
            cancelled("2026-11-26T09:00"),
            changed("2026-11-27T09:00", "2026-11-27T14:00", "2026-11-27T15:00"),
        ],
    );
    // The 24th changes; the 25th is as the rule says again.
    let only = Occurrences::Only(vec![at("2026-11-24T09:00"), at("2026-11-25T09:00")]);
    let stage = Stage::new([
        batch([(1, 200, written("S", "c1"))]),
        batch([(1, 200, instances("o"))]),
        batch([(1, 200, written("o25", "x"))]),
        batch([(1, 200, written("o24", "x"))]),
        batch([(1, 200, written("S", "c9"))]),
    ]);
    let outcomes = stage.apply(&calendar(), &[update(&event, only)]).await;
    let Outcome::Written { fingerprint, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(*fingerprint, event.fingerprint());
    stage.golden("one_occurrence", &outcomes);
}

#[tokio::test]
async fn an_occurrence_that_meets_its_neighbour_waits_until_that_has_moved() {
    let event = daily("1", Vec::new());
    let only = || Occurrences::Only(vec![at("2026-11-24T09:00"), at("2026-11-25T09:00")]);
    let crossing = || batch([(1, 400, error("ErrorOccurrenceCrossingBoundary"))]);
    let ok = || batch([(1, 200, written("S", "x"))]);
    let begin = || vec![ok(), batch([(1, 200, instances("o"))])];
    let stage = Stage::new([begin(), vec![crossing(), ok(), ok(), ok()]].concat());
    let outcomes = stage.apply(&calendar(), &[update(&event, only())]).await;
    assert!(matches!(outcomes[0], Outcome::Written { .. }), "{outcomes:?}");
    let lines: Vec<String> = sent(&stage).concat();
    assert_eq!(lines, ["PATCH S", "GET instances", "PATCH o24", "PATCH o25", "PATCH o24", "PATCH S"]);

    let stage = Stage::new([begin(), vec![crossing(), crossing()]].concat());
    let outcomes = stage.apply(&calendar(), &[update(&event, only())]).await;
    let Outcome::Partly { fault, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(fault.kind, FaultKind::Permanent, "no other has moved");

    // Somebody deleted one: the series is due as a whole.
    let empty = batch([(1, 200, json!({"value": []}))]);
    let stage = Stage::new([ok(), empty]);
    let outcomes = stage.apply(&calendar(), &[update(&event, only())]).await;
    let Outcome::Partly { fault, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(fault.kind, FaultKind::Transient { wait: None });
}

#[tokio::test]
async fn a_series_that_is_not_laid_out_again_says_so() {
    let event = daily("1", vec![cancelled("2026-11-24T09:00")]);
    let stage = Stage::new([batch([(1, 200, written("S", "c1"))]), batch([(1, 503, error("ErrorServerBusy"))])]);
    let outcomes = stage.apply(&calendar(), &[update(&event, Occurrences::All)]).await;
    let Outcome::Partly { item, fingerprint, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((item.change_key.as_str(), fingerprint), ("c1", &Fingerprint::unknown()));
    let stage = Stage::new([batch([(1, 404, error("ErrorItemNotFound"))])]);
    assert_eq!(stage.apply(&calendar(), &[update(&event, Occurrences::All)]).await, [Outcome::Gone]);
    let stage = Stage::new([batch([(1, 503, error("ErrorServerBusy"))])]);
    let outcomes = stage.apply(&calendar(), &[update(&event, Occurrences::All)]).await;
    assert!(matches!(outcomes[0], Outcome::Failed(_)), "{outcomes:?}");
}

#[tokio::test]
async fn a_series_that_stops_halfway_says_so() {
    let event = daily(
        "1",
        vec![cancelled("2026-11-24T09:00"), changed("2026-11-25T09:00", "2026-11-25T14:00", "2026-11-25T15:00")],
    );
    let far = daily("1", vec![changed("2026-11-24T10:00", "2026-11-25T14:00", "2026-11-25T15:00")]);
    let master = || batch([(1, 201, written("S", "c"))]);
    let listing = || batch([(1, 200, instances("o"))]);
    let ok = || batch([(1, 200, written("o", "x"))]);
    let throttled = || batch([(1, 429, error("ApplicationThrottled"))]);
    let crossing = || batch([(1, 400, error("ErrorOccurrenceCrossingBoundary"))]);
    let transient = FaultKind::Transient { wait: None };
    let doubtful = FaultKind::Doubtful { wait: None };
    let cases = [
        (&event, vec![master(), throttled()], transient),
        (&event, vec![master(), listing(), throttled()], transient),
        (&event, vec![master(), listing(), ok(), crossing()], FaultKind::Permanent),
        (&event, vec![master(), listing(), ok(), ok(), throttled()], transient),
        (&event, vec![master(), listing(), ok(), ok(), batch([(1, 200, json!({"id": "S"}))])], doubtful),
        (&far, vec![master(), listing()], FaultKind::Permanent),
    ];
    for (event, replies, kind) in cases {
        let text = format!("{:?}", replies.len());
        let stage = Stage::new(replies);
        let outcomes = stage.apply(&calendar(), &[create(event)]).await;
        let Outcome::Partly { item, fingerprint, fault } = &outcomes[0] else { panic!("{text}: {outcomes:?}") };
        assert_eq!((item.id.as_str(), fault.kind), ("S", kind), "{text}");
        assert_eq!(*fingerprint, event.fingerprint().without_occurrences(), "{text}");
        assert!(stage.script.replies.lock().unwrap().is_empty(), "{text}");
    }
}

#[tokio::test]
async fn a_series_that_vanishes_does_not_stop_its_mailbox() {
    let event = daily("1", vec![cancelled("2026-11-24T09:00")]);
    let stage = Stage::new([batch([(1, 201, written("S", "c"))]), batch([(1, 404, error("ErrorItemNotFound"))])]);
    let outcomes = stage.apply(&calendar(), &[create(&event)]).await;
    assert!(matches!(&outcomes[0], Outcome::Partly { fault, .. } if fault.scope == FaultScope::Item), "{outcomes:?}");
}

#[tokio::test]
async fn a_series_that_was_not_written_has_no_occurrences() {
    let event = daily("1", vec![cancelled("2026-11-24T09:00")]);
    let stage = Stage::new([batch([(1, 409, error("ErrorDuplicateTransactionId"))])]);
    let outcomes = stage.apply(&calendar(), &[create(&event)]).await;
    assert!(matches!(&outcomes[0], Outcome::Failed(fault) if matches!(fault.kind, FaultKind::Doubtful { .. })));
    let stage = Stage::new([batch([(1, 204, Value::Null)])]);
    let delete = Write::Delete { key: key("1"), item: item("S") };
    assert_eq!(stage.apply(&calendar(), &[delete]).await, [Outcome::Gone]);
}

#[tokio::test]
async fn no_occurrence_is_written_after_the_server_asks_to_wait() {
    let (one, two) = (
        daily("1", vec![cancelled("2026-11-24T09:00"), cancelled("2026-11-25T09:00")]),
        daily("2", vec![cancelled("2026-11-24T09:00"), cancelled("2026-11-25T09:00")]),
    );
    let masters = || batch([(1, 201, written("S1", "c")), (2, 201, written("S2", "c"))]);
    let wait = std::time::Duration::from_secs(30);
    let throttled = |first: Value, second: Value| {
        let mut answers = json!({"responses": [{"id": "1", "status": 429, "headers": {"Retry-After": "30"}}, second]});
        answers["responses"][0]["body"] = first;
        reply(200, answers)
    };
    let busy = || error("ApplicationThrottled");
    // With the series themselves: the one that is there is written in part. With the first occurrence: so are both.
    let created = json!({"id": "2", "status": 201, "body": written("S2", "c")});
    let stage = Stage::new([throttled(busy(), created)]);
    let outcomes = stage.apply(&calendar(), &[create(&one), create(&two)]).await;
    assert!(matches!(&outcomes[0], Outcome::Failed(fault) if fault.wait() == Some(wait)), "{outcomes:?}");
    assert!(matches!(&outcomes[1], Outcome::Partly { fault, .. } if fault.wait() == Some(wait)), "{outcomes:?}");

    let listings = batch([(1, 200, instances("a")), (2, 200, instances("b"))]);
    let removed = json!({"id": "2", "status": 204});
    let stage = Stage::new([masters(), listings, throttled(busy(), removed)]);
    let outcomes = stage.apply(&calendar(), &[create(&one), create(&two)]).await;
    for outcome in &outcomes {
        let Outcome::Partly { fault, .. } = outcome else { panic!("{outcomes:?}") };
        assert_eq!((fault.scope, fault.wait()), (FaultScope::Mailbox, Some(wait)));
    }
}
