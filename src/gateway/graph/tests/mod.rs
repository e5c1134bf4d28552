//! Each operation as it goes over the wire: what is sent, what is answered, what comes of it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod apply;
mod failures;
mod occurrences;
mod reading;
mod shapes;

use std::{
    collections::VecDeque,
    future::Future,
    io::Write as _,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{Timestamp, civil::DateTime};
use serde_json::{Value, json};

use super::{
    super::{Calendar, Gateway as _, Later, Outcome, Pace, RequestReport, Write},
    GraphConfig, GraphGateway,
};
use crate::{
    auth::Authorization,
    clock::{Clock, Wait},
    http::{Answer, Request, Response, Transport, TransportError},
    model::{
        address::Address,
        event::{Body, BodyKind, Content, DesiredEvent, Importance, Sensitivity, ShowAs},
        fault::Fault,
        key::{Kind, SourceKey},
        link::{ItemRef, Owner},
        recurrence::{Pattern, Recurrence, RecurrenceEnd, Series},
        time::EventTime,
        zone::Zone,
    },
};

pub(super) const ROOT: &str = "https://graph.example.test";

/// Answers what it was told to, in order, and keeps what it was sent.
#[derive(Debug, Default)]
pub(super) struct Script {
    replies: Mutex<VecDeque<Result<Response, TransportError>>>,
    seen: Mutex<Vec<(Request, Result<Response, TransportError>)>>,
}

impl Transport for Script {
    fn send(&self, request: Request) -> Answer<'_> {
        let reply = self.replies.lock().unwrap().pop_front().expect("more requests than the script has answers");
        for (name, value) in [("prefer", "IdType=\"ImmutableId\""), ("accept", "application/json")] {
            assert_eq!(request.headers[name], value);
        }
        assert!(request.headers.contains_key("client-request-id") && !request.headers.contains_key("x-anchormailbox"));
        assert!(request.headers["authorization"].is_sensitive());
        self.seen.lock().unwrap().push((request, reply.clone()));
        Box::pin(std::future::ready(reply))
    }
}

/// Counts what is asked of it.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) cost: AtomicUsize,
    pub(super) reports: Mutex<Vec<(&'static str, Option<u16>, usize)>>,
}

impl Pace for Limits {
    fn admit<'a>(&'a self, mailbox: &'a Address, cost: u32) -> Later<'a, ()> {
        assert_eq!(mailbox, &self::mailbox());
        self.cost.fetch_add(cost as usize, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }

    fn report(&self, report: RequestReport<'_>) {
        self.reports.lock().unwrap().push((report.operation, report.status, report.items));
    }
}

/// Gives tokens `t1`, `t2`…; a refusal of the last one brings the next.
#[derive(Debug)]
pub(super) struct Tokens(AtomicUsize);

impl Authorization for Tokens {
    fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>> {
        let mut header = HeaderValue::try_from(format!("Bearer t{}", self.0.load(Ordering::SeqCst))).unwrap();
        header.set_sensitive(true);
        Box::pin(std::future::ready(Ok(header)))
    }

    fn refused(&self, header: &HeaderValue) -> bool {
        let current = self.0.load(Ordering::SeqCst);
        self.0.store(current + usize::from(*header == format!("Bearer t{current}")), Ordering::SeqCst);
        true
    }
}

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn sleep(&self, _: Duration) -> Wait {
        unreachable!("the gateway does not wait")
    }
}

/// A gateway in front of a script.
pub(super) struct Stage {
    pub(super) script: Arc<Script>,
    pub(super) limits: Arc<Limits>,
    pub(super) gateway: GraphGateway,
}

impl Stage {
    /// What became of each write.
    pub(super) async fn apply(&self, calendar: &Calendar, writes: &[Write]) -> Vec<Outcome> {
        super::super::Answer::outcomes(self.gateway.apply(calendar, writes).await)
    }

    pub(super) fn new(replies: impl IntoIterator<Item = Result<Response, TransportError>>) -> Self {
        Self::with_gzip(replies, false)
    }

    pub(super) fn with_gzip(
        replies: impl IntoIterator<Item = Result<Response, TransportError>>,
        gzip_requests: bool,
    ) -> Self {
        let script = Arc::new(Script { replies: Mutex::new(replies.into_iter().collect()), ..Script::default() });
        let limits = Arc::new(Limits::default());
        let owner = Owner("calsyncd-1".to_owned());
        let config = GraphConfig { root: format!("{ROOT}/"), owner, page_size: 100, gzip_requests };
        let tokens = Arc::new(Tokens(AtomicUsize::new(1)));
        let gateway = GraphGateway::new(script.clone(), tokens, limits.clone(), Arc::new(StoppedClock), config);
        Self { script, limits, gateway }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.script.seen.lock().unwrap().iter().map(|(request, _)| request.clone()).collect()
    }

    /// Compares the exchanges and what came of them with the golden file; with `GRAPH_HAR` set, also appends them to
    /// that file for `check_exchanges.py`.
    pub(super) fn golden(&self, name: &str, outcome: &impl std::fmt::Debug) {
        assert!(self.script.replies.lock().unwrap().is_empty(), "{name}: answers are left over");
        let mut text = String::new();
        for (request, reply) in self.script.seen.lock().unwrap().iter() {
            let reply = reply.as_ref().unwrap();
            self.record(request, reply);
            let path = request.url.strip_prefix(ROOT).unwrap();
            text.push_str(&format!("{} {path}\n{}", request.method, pretty(&request.body)));
            text.push_str(&format!("--> {}\n{}\n", reply.status, pretty(&reply.body)));
        }
        text.push_str(&format!("{outcome:#?}"));
        insta::with_settings!({
            snapshot_path => "../../../../tests/goldens/graph",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!(name, text) });
    }

    fn record(&self, request: &Request, reply: &Response) {
        let Some(path) = std::env::var_os("GRAPH_HAR") else { return };
        let text = |body: &Bytes| String::from_utf8(body.to_vec()).unwrap();
        let entry = json!({
            "request": {"method": request.method.as_str(), "url": request.url, "headers": [],
                        "postData": {"text": text(&request.body)}},
            "response": {"status": reply.status, "headers": [], "content": {"text": text(&reply.body)}},
        });
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{entry}").unwrap();
    }
}

fn pretty(body: &Bytes) -> String {
    if body.is_empty() {
        return String::new();
    }
    let value: Value = serde_json::from_slice(body).unwrap();
    format!("{}\n", serde_json::to_string_pretty(&value).unwrap())
}

/// An answer.
pub(super) fn reply(status: u16, body: Value) -> Result<Response, TransportError> {
    let headers =
        HeaderMap::from_iter([(HeaderName::from_static("content-type"), HeaderValue::from_static("application/json"))]);
    Ok(Response { status, headers, body: serde_json::to_vec(&body).unwrap().into() })
}

/// The answer to a batch.
pub(super) fn batch(answers: impl IntoIterator<Item = (u32, u16, Value)>) -> Result<Response, TransportError> {
    let answers =
        answers.into_iter().map(|(id, status, body)| json!({"id": id.to_string(), "status": status, "body": body}));
    reply(200, json!({"responses": answers.collect::<Vec<_>>()}))
}

pub(super) fn error(code: &str) -> Value {
    json!({"error": {"code": code, "message": "It says 'a secret title' here.", "innerError": {"request-id": "r-1"}}})
}

pub(super) fn written(id: &str, change_key: &str) -> Value {
    json!({"id": id, "changeKey": change_key, "subject": "whatever the server made of it"})
}

pub(super) fn mailbox() -> Address {
    Address::parse("ana@example.test").unwrap()
}

pub(super) fn calendar() -> Calendar {
    Calendar { mailbox: mailbox(), id: "AAMk/cal+1=".to_owned() }
}

pub(super) fn key(id: &str) -> SourceKey {
    SourceKey::new("erp", Kind::Appointment, id)
}

pub(super) fn item(id: &str) -> ItemRef {
    ItemRef { id: id.to_owned(), change_key: "old".to_owned() }
}

pub(super) fn at(text: &str) -> DateTime {
    text.parse().unwrap()
}

pub(super) fn timed(start: &str, end: &str, zone: &str) -> EventTime {
    EventTime::Timed { start: at(start), end: at(end), zone: Zone::parse(zone).unwrap() }
}

pub(super) fn all_day(first: &str, last: &str, zone: &str) -> EventTime {
    let (first, last) = (first.parse().unwrap(), last.parse().unwrap());
    EventTime::AllDay { first, last, zone: Zone::parse(zone).unwrap() }
}

pub(super) fn content(subject: &str) -> Content {
    Content {
        subject: subject.to_owned(),
        body: Body { kind: BodyKind::Text, content: "Bring the plans.".to_owned() },
        location: "Lyon".to_owned(),
        show_as: ShowAs::OutOfOffice,
        sensitivity: Sensitivity::Private,
        importance: Importance::High,
        categories: vec!["Project".to_owned()],
        reminder_minutes: Some(15),
    }
}

pub(super) fn single(id: &str, time: EventTime) -> DesiredEvent {
    DesiredEvent { key: key(id), time, series: None, content: content("Kick-off"), keeps: None, said: None }
}

pub(super) fn paris() -> EventTime {
    timed("2026-11-23T09:00", "2026-11-23T10:30", "Europe/Paris")
}

pub(super) fn series(id: &str, time: EventTime, pattern: Pattern, end: RecurrenceEnd) -> DesiredEvent {
    let series = Series { recurrence: Recurrence { pattern, end }, exceptions: Vec::new() };
    DesiredEvent { series: Some(series), ..single(id, time) }
}
