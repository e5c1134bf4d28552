//! Batches of which not everything succeeds.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use proptest::prelude::{Just, Strategy, any, proptest};
use serde_json::{Value, json};

use super::{Stage, batch, calendar, error, item, key, paris, reply, single, written};
use crate::{
    gateway::{Gateway, Outcome, Write},
    http::{Response, TransportError},
    model::{
        address::Address,
        fault::{Fault, FaultKind, FaultScope},
        fingerprint::Field,
        occurrences::Occurrences,
    },
};

fn create(id: &str) -> Write {
    Write::Create { event: Arc::new(single(id, paris())), generation: 0 }
}

fn update(id: &str) -> Write {
    let event = Arc::new(single(id, paris()));
    Write::Update { item: item(id), event, generation: 2, fields: vec![Field::Subject], occurrences: Occurrences::NONE }
}

fn delete(id: &str) -> Write {
    Write::Delete { key: key(id), item: item(id) }
}

fn fault(outcome: &Outcome) -> (FaultScope, FaultKind) {
    match outcome {
        Outcome::Failed(Fault { scope, kind, .. }) => (*scope, *kind),
        other => panic!("{other:?}"),
    }
}

fn seconds(seconds: f64) -> Option<Duration> {
    Some(Duration::from_secs_f64(seconds))
}

#[tokio::test]
async fn each_answer_of_a_batch_is_judged_on_its_own() {
    let answer = |id: u32, status: u16, headers: Value, body: Value| {
        let id = id.to_string();
        json!({"id": id, "status": status, "headers": headers, "body": body})
    };
    let none = || json!({});
    let writes = [
        create("1"),
        create("2"),
        update("3"),
        update("4"),
        delete("5"),
        delete("6"),
        create("7"),
        update("8"),
        create("9"),
        delete("10"),
        create("11"),
    ];
    let stage = Stage::new([reply(
        200,
        json!({"responses": [
            answer(11, 400, none(), error("ErrorPropertyValidationFailure")),
            answer(10, 404, none(), error("MailboxNotEnabledForRESTAPI")),
            answer(8, 424, none(), error("FailedDependency")),
            answer(7, 503, json!({"Retry-After": "Mon, 23 Nov 2026 12:00:07 GMT"}), json!("<html>")),
            answer(6, 404, none(), Value::Null),
            answer(5, 204, none(), Value::Null),
            answer(4, 404, none(), error("ErrorItemNotFound")),
            answer(3, 412, none(), error("ErrorIrresolvableConflict")),
            answer(2, 429, json!({"retry-after": "2.128", "bad name": "x"}), error("ApplicationThrottled")),
            answer(1, 201, none(), written("N1", "c1")),
            answer(1, 500, none(), Value::Null),
            answer(77, 201, none(), written("N1", "c1")),
        ]}),
    )]);
    let outcomes = stage.apply(&calendar(), &writes).await;
    stage.golden("inner_failures", &outcomes);
    assert!(matches!(&outcomes[0], Outcome::Written { item, .. } if item.id == "N1"));
    let (wait, doubtful) = (seconds(2.128), FaultKind::Doubtful { wait: None });
    assert_eq!(fault(&outcomes[1]), (FaultScope::Mailbox, FaultKind::Transient { wait }));
    assert_eq!(fault(&outcomes[2]), (FaultScope::Item, FaultKind::Transient { wait: None }));
    assert!(outcomes[3..6].iter().all(|outcome| *outcome == Outcome::Gone));
    assert_eq!(fault(&outcomes[6]), (FaultScope::Mailbox, FaultKind::Doubtful { wait: seconds(7.0) }));
    assert_eq!(fault(&outcomes[7]), (FaultScope::Item, FaultKind::NotAttempted));
    assert_eq!(fault(&outcomes[8]), (FaultScope::Item, doubtful), "no answer");
    assert_eq!(fault(&outcomes[9]), (FaultScope::Mailbox, FaultKind::Permanent));
    assert_eq!(fault(&outcomes[10]), (FaultScope::Item, FaultKind::Permanent));
    assert!(!format!("{outcomes:?}").contains("secret title"));
}

#[tokio::test]
async fn a_batch_without_a_whole_answer_is_judged_as_one() {
    let host = "graph".to_owned();
    let with_wait = |status: u16| {
        reply(status, error("ErrorServerBusy")).map(|mut answer| {
            answer.headers.insert("retry-after", "30".parse().unwrap());
            answer
        })
    };
    let cause = String::new;
    let doubtful = FaultKind::Doubtful { wait: None };
    let transient = FaultKind::Transient { wait: None };
    let cases: Vec<(Result<Response, TransportError>, FaultScope, FaultKind)> = vec![
        (Err(TransportError::Interrupted { host: host.clone(), cause: cause() }), FaultScope::Mailbox, doubtful),
        (Err(TransportError::TooLarge { host: host.clone(), limit_bytes: 1 }), FaultScope::Mailbox, doubtful),
        (Err(TransportError::Unreachable { host, cause: cause() }), FaultScope::Server, transient),
        (with_wait(503), FaultScope::Server, FaultKind::Doubtful { wait: seconds(30.0) }),
        (with_wait(429), FaultScope::Mailbox, FaultKind::Transient { wait: seconds(30.0) }),
        (reply(504, Value::Null), FaultScope::Server, doubtful),
        (reply(403, error("ErrorAccessDenied")), FaultScope::Mailbox, FaultKind::Permanent),
        (reply(302, Value::Null), FaultScope::Server, transient),
        (reply(200, json!({"value": []})), FaultScope::Item, doubtful),
        (reply(200, json!({"responses": []})), FaultScope::Item, doubtful),
    ];
    for (reply, scope, kind) in cases {
        let stage = Stage::new([reply.clone()]);
        let outcomes = stage.apply(&calendar(), &[create("1"), delete("2")]).await;
        for outcome in &outcomes {
            assert_eq!(fault(outcome), (scope, kind), "{reply:?}");
        }
    }
}

#[tokio::test]
async fn one_bad_request_does_not_take_the_others_with_it() {
    let bad = || reply(400, error("BadRequest"));
    let ok = || batch([(1, 204, Value::Null)]);
    let stage = Stage::new([bad(), ok(), bad(), bad(), ok()]);
    let outcomes = stage.apply(&calendar(), &[delete("1"), delete("2"), delete("3")]).await;
    assert!(matches!((&outcomes[0], &outcomes[2]), (Outcome::Gone, Outcome::Gone)), "{outcomes:?}");
    assert_eq!(fault(&outcomes[1]), (FaultScope::Item, FaultKind::Permanent));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let refused = || reply(401, error("InvalidAuthenticationToken"));
    let inner = || batch([(1, 204, Value::Null), (2, 401, error("InvalidAuthenticationToken"))]);
    let inner_again = || batch([(1, 401, error("InvalidAuthenticationToken"))]);
    let ok = |count| batch((1..=count).map(|id| (id, 204, Value::Null)));
    let permanent = Some((FaultScope::Credential, FaultKind::Permanent));
    let cases = [
        (vec![refused(), ok(2)], None, "Bearer t2"),
        (vec![refused(), refused()], permanent, "Bearer t2"),
        (vec![inner(), ok(1)], None, "Bearer t2"),
        (vec![inner(), inner_again()], permanent, "Bearer t2"),
    ];
    for (replies, expected, token) in cases {
        let text = format!("{replies:?}");
        let stage = Stage::new(replies);
        let outcomes = stage.apply(&calendar(), &[delete("1"), delete("2")]).await;
        assert!(stage.script.replies.lock().unwrap().is_empty(), "{text}");
        assert_eq!(stage.requests().last().unwrap().headers["authorization"], token, "{text}");
        let kept = stage.gateway.authorization.header().await.unwrap();
        assert_eq!(kept, token, "the second refusal is one of the credential: {text}");
        match expected {
            None => assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Gone), "{text}"),
            Some(expected) => assert_eq!(fault(&outcomes[1]), expected, "{text}"),
        }
    }
}

#[tokio::test]
async fn a_mailbox_that_is_closed_to_us_does_not_stop_the_others() {
    let refused = || reply(401, error("Unauthorized"));
    let inner = || batch([(1, 401, error("Unauthorized"))]);
    let bob = Address::parse("bob@example.test").unwrap();
    let (ana, mailbox, credential) = (super::mailbox(), FaultScope::Mailbox, FaultScope::Credential);
    // whom which token opened
    let cases = [(&bob, "t1", mailbox), (&bob, "t2", mailbox), (&bob, "t0", credential), (&ana, "t1", credential)];
    for replies in [[refused(), refused()], [inner(), inner()]] {
        for (whom, token, scope) in cases {
            let stage = Stage::new(replies.clone());
            stage.gateway.acceptance.note(&HeaderValue::try_from(format!("Bearer {token}")).unwrap(), whom);
            let outcomes = stage.apply(&calendar(), &[delete("1")]).await;
            assert_eq!(fault(&outcomes[0]), (scope, FaultKind::Permanent), "{whom} {token}");
        }
    }
    let stage = Stage::new([batch([(1, 204, Value::Null)])]);
    stage.apply(&calendar(), &[delete("1")]).await;
    assert!(stage.gateway.acceptance.opened_another(&[&HeaderValue::from_static("Bearer t1")], &bob));
    let stage = Stage::new([inner(), inner()]);
    stage.apply(&calendar(), &[delete("1")]).await;
    let token = HeaderValue::from_static("Bearer t1");
    assert!(!stage.gateway.acceptance.opened_another(&[&token], &bob), "the answer to the batch itself says nothing");
}

/// Some answers of a batch of creates: which come, with what status, and in what order.
fn answers() -> impl Strategy<Value = Vec<(u32, u16)>> {
    let status = proptest::sample::select(vec![201_u16, 400, 404, 409, 412, 424, 429, 500, 503, 507]);
    let one = |id| (Just(id), status.clone(), any::<bool>());
    let all: Vec<_> = (1..=20).map(one).collect();
    all.prop_shuffle_some()
}

trait ShuffleSome {
    fn prop_shuffle_some(self) -> proptest::strategy::BoxedStrategy<Vec<(u32, u16)>>;
}

impl<S: Strategy<Value = (u32, u16, bool)> + 'static> ShuffleSome for Vec<S> {
    fn prop_shuffle_some(self) -> proptest::strategy::BoxedStrategy<Vec<(u32, u16)>> {
        let kept = |answers: Vec<(u32, u16, bool)>| {
            answers.into_iter().filter(|answer| answer.2).map(|(id, status, _)| (id, status)).collect()
        };
        self.prop_shuffle().prop_map(kept).boxed()
    }
}

proptest! {
    /// A create counts as written only if its own answer says so, and is sent again blindly only if it was refused.
    #[test]
    fn outcomes_follow_their_own_answers(answers in answers()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let body = |id: u32, status: u16| if status == 201 { written(&format!("N{id}"), "c") } else { error("Any") };
        let stage = Stage::new([batch(answers.iter().map(|(id, status)| (*id, *status, body(*id, *status))))]);
        let writes: Vec<Write> = (1..=20).map(|id: u32| create(&id.to_string())).collect();
        let outcomes = runtime.block_on(stage.apply(&calendar(), &writes));
        assert_eq!(outcomes.len(), writes.len());
        for (id, outcome) in (1_u32..).zip(&outcomes) {
            let status = answers.iter().find(|answer| answer.0 == id).map(|answer| answer.1);
            match (outcome, status) {
                (Outcome::Written { item, .. }, Some(201)) => assert_eq!(item.id, format!("N{id}")),
                (Outcome::Failed(fault), None | Some(409 | 500 | 503)) => {
                    assert!(matches!(fault.kind, FaultKind::Doubtful { .. }));
                }
                (Outcome::Failed(fault), Some(400 | 404 | 412 | 424 | 429 | 507)) => {
                    assert!(!matches!(fault.kind, FaultKind::Doubtful { .. }));
                }
                other => panic!("{id}: {other:?}"),
            }
        }
    }
}

/// One answer of a batch that asks to wait.
fn throttled(id: u32) -> Value {
    let body = error("ApplicationThrottled");
    json!({"id": id.to_string(), "status": 429, "headers": {"Retry-After": "30"}, "body": body})
}

#[tokio::test]
async fn nothing_is_sent_after_the_server_asks_to_wait() {
    // Two batches: the second is not sent.
    let done = |id: u32| json!({"id": id.to_string(), "status": 204, "headers": {}, "body": null});
    let answers: Vec<Value> = (1..=19).map(done).chain([throttled(20)]).collect();
    let busy = || reply(503, error("ServiceUnavailable"));
    let writes: Vec<Write> = (0..25).map(|id| delete(&id.to_string())).collect();
    let inner = Stage::new([reply(200, json!({"responses": answers}))]);
    let outcomes = inner.apply(&calendar(), &writes).await;
    assert!(outcomes[..19].iter().all(|outcome| *outcome == Outcome::Gone));
    assert_eq!(fault(&outcomes[19]), (FaultScope::Mailbox, FaultKind::Transient { wait: seconds(30.0) }));
    assert!(outcomes[20..].iter().all(|outcome| fault(outcome) == (FaultScope::Item, FaultKind::NotAttempted)));
    let outer = Stage::new([busy()]);
    let outcomes = outer.apply(&calendar(), &writes).await;
    assert_eq!(fault(&outcomes[0]).0, FaultScope::Server);
    assert!(outcomes[20..].iter().all(|outcome| fault(outcome) == (FaultScope::Item, FaultKind::NotAttempted)));
    // What is gone, and a probe that finds nothing gone, stop nothing.
    let missing = |count: u32| batch((1..=count).map(|id| (id, 404, error("ErrorItemNotFound"))));
    let gone = Stage::new([missing(20), missing(5)]);
    assert!(gone.apply(&calendar(), &writes).await.iter().all(|outcome| *outcome == Outcome::Gone));
}

#[tokio::test]
async fn a_probe_stops_when_the_server_asks_to_wait() {
    let keys: Vec<_> = (0..25).map(|id| key(&id.to_string())).collect();
    let stage = Stage::new([reply(200, json!({"responses": [throttled(1)]}))]);
    let fault = stage.gateway.probe(&calendar(), &keys).await.unwrap_err();
    assert_eq!((fault.scope, fault.wait()), (FaultScope::Mailbox, seconds(30.0)));
}
