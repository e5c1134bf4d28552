//! What the tests of the operations share: events, settings, and a server that answers what it is told to.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{
    collections::VecDeque,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::civil::Weekday;

use super::{EwsConfig, EwsGateway, envelope::envelope, operation::Operation, route::Route};
use crate::{
    auth::Authorization,
    gateway::{Calendar, Later, Pace, RequestReport},
    http::{Answer, Request, Response, Transport, TransportError},
    model::{
        address::Address,
        event::{Body, BodyKind, Content, DesiredEvent, Importance, Sensitivity, ShowAs},
        fault::Fault,
        key::{Kind, SourceKey},
        link::Owner,
        recurrence::{Exception, ExceptionChange, Pattern, Recurrence, RecurrenceEnd, Series},
        time::EventTime,
        zone::Zone,
    },
    settings::{EwsAccess, ServerVersion},
};

/// The settings that requests are written for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Setting {
    Latest,
    Of2013,
    Of2010,
    Oldest,
    Delegate,
}

pub(super) use Setting::{Delegate, Latest, Of2010, Of2013, Oldest};

/// Every sort of version, with the end of the names of its goldens.
pub(super) const VERSIONS: [(Setting, &str); 4] =
    [(Latest, ""), (Of2013, "_2013"), (Of2010, "_2010"), (Oldest, "_2007")];

impl Setting {
    pub(super) fn config(self) -> EwsConfig {
        let (version, access) = match self {
            Latest => (ServerVersion::V2016_10_10, EwsAccess::impersonation()),
            Of2013 => (ServerVersion::Exchange2013_SP1, EwsAccess::impersonation()),
            Of2010 => (ServerVersion::Exchange2010_SP2, EwsAccess::impersonation()),
            Oldest => (ServerVersion::Exchange2007_SP1, EwsAccess::impersonation()),
            Delegate => (ServerVersion::Exchange2010_SP2, EwsAccess::Delegate),
        };
        let url = "https://mail.example.test/EWS/Exchange.asmx".to_owned();
        EwsConfig { url, version, access, owner: owner(), batch_size: 3, gzip_requests: false }
    }
}

pub(super) fn mailbox() -> Address {
    Address::parse("ana@example.test").unwrap()
}

pub(super) fn calendar() -> Calendar {
    Calendar { mailbox: mailbox(), id: "AQ+cal=".to_owned() }
}

pub(super) fn owner() -> Owner {
    Owner("node-1".to_owned())
}

pub(super) fn timed(start: &str, end: &str) -> EventTime {
    let zone = Zone::parse("Europe/Paris").unwrap();
    EventTime::Timed { start: start.parse().unwrap(), end: end.parse().unwrap(), zone }
}

pub(super) fn meeting() -> DesiredEvent {
    DesiredEvent {
        key: SourceKey::new("erp", Kind::Appointment, "4711"),
        time: timed("2026-11-23T09:00", "2026-11-23T10:00"),
        series: None,
        content: Content {
            subject: "Kick-off <ACME> & \"friends\"".to_owned(),
            body: Body { kind: BodyKind::Text, content: "Line 1\r\nLine 2\u{b}".to_owned() },
            location: "Lyon".to_owned(),
            show_as: ShowAs::Busy,
            sensitivity: Sensitivity::Private,
            importance: Importance::High,
            categories: vec!["Project".to_owned(), "R&D".to_owned()],
            reminder_minutes: Some(15),
        },
        keeps: None,
        said: None,
    }
}

pub(super) fn all_day() -> DesiredEvent {
    let zone = Zone::parse("Europe/Paris").unwrap();
    let (first, last) = ("2026-12-24".parse().unwrap(), "2026-12-26".parse().unwrap());
    let mut event = meeting();
    event.key = SourceKey::new("erp", Kind::Schedule, "99");
    event.time = EventTime::AllDay { first, last, zone };
    event.content.body = Body { kind: BodyKind::Html, content: "<p>Audit</p>".to_owned() };
    event.content.location.clear();
    event.content.show_as = ShowAs::WorkingElsewhere;
    event.content.categories.clear();
    event.content.reminder_minutes = None;
    event
}

/// Mondays at nine, five times over the change of clocks; the second is cancelled, the third later, the fourth earlier.
pub(super) fn series_with_exceptions() -> DesiredEvent {
    let mut event = meeting();
    event.key = SourceKey::new("erp", Kind::Appointment, "4712");
    event.time = timed("2026-03-02T09:00", "2026-03-02T10:00");
    let pattern = Pattern::Weekly { interval: 1, days: vec![Weekday::Monday], first_day: Weekday::Monday };
    let mut later = event.content.clone();
    later.subject = "Later".to_owned();
    later.reminder_minutes = None;
    let mut earlier = event.content.clone();
    earlier.location = "Paris".to_owned();
    let exception = |original: &str, change| Exception { original: original.parse().unwrap(), change };
    let changed =
        |start, end, content| ExceptionChange::Changed { time: timed(start, end), content: Box::new(content) };
    let exceptions = vec![
        exception("2026-03-09T09:00", ExceptionChange::Cancelled),
        exception("2026-03-16T09:00", changed("2026-03-16T14:00", "2026-03-16T15:30", later)),
        exception("2026-03-23T09:00", changed("2026-03-23T07:00", "2026-03-23T07:30", earlier)),
    ];
    event.series = Some(Series { recurrence: Recurrence { pattern, end: RecurrenceEnd::After(5) }, exceptions });
    event
}

/// Starts in the hour that the autumn change repeats.
pub(super) fn ambiguous() -> DesiredEvent {
    let mut event = meeting();
    event.key = SourceKey::new("erp", Kind::Appointment, "4713");
    event.time = timed("2026-10-25T02:30", "2026-10-25T03:30");
    event.content.body.content.clear();
    event
}

/// The envelope of an operation on Ana's mailbox.
pub(super) fn request<O: Operation>(setting: &Setting, operation: &O) -> Vec<u8> {
    let (config, mailbox) = (setting.config(), mailbox());
    envelope(&config, &Route::new(&config.access, &mailbox), operation)
}

/// Compares the request of an operation with `tests/goldens/ews/<name>.xml`; writes the file when `UPDATE_GOLDEN` is set.
pub(super) fn check_request<O: Operation>(name: &str, setting: &Setting, operation: &O) {
    let written = String::from_utf8(request(setting, operation)).unwrap();
    let written = written.replace("><", ">\n<") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/goldens/ews/{name}.xml"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, golden, "{name}: set UPDATE_GOLDEN=1 to write it anew, and read what has changed");
}

/// Reads an answer of the server to an operation.
pub(super) fn check_answer<O: Operation>(operation: &O, answer: &str) -> Result<O::Answer, Fault> {
    let server = Server::new([ok(answer)]);
    let gateway = server.gateway(Latest.config());
    block_on(gateway.client.send(&mailbox(), operation))
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// An answer of the server, or none.
pub(super) type Given = Result<Response, TransportError>;

pub(super) fn ok(body: &str) -> Given {
    status(200, &[("request-id", "srv-1")], body)
}

pub(super) fn status(status: u16, headers: &[(&'static str, &str)], body: &str) -> Given {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    Ok(Response { status, headers: map, body: Bytes::copy_from_slice(body.as_bytes()) })
}

/// A server that gives its answers in their order, and the rest of what a gateway needs.
#[derive(Debug)]
pub(super) struct Server {
    answers: Mutex<VecDeque<Given>>,
    /// The bodies of the requests.
    pub(super) requests: Mutex<Vec<Request>>,
    /// What the pace saw.
    pub(super) log: Mutex<Vec<String>>,
    /// Whether a refused header can be replaced.
    pub(super) renewable: bool,
}

impl Server {
    pub(super) fn new(answers: impl IntoIterator<Item = Given>) -> Arc<Self> {
        Self::with_token(answers, false)
    }

    pub(super) fn with_token(answers: impl IntoIterator<Item = Given>, renewable: bool) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self { answers, requests: Mutex::default(), log: Mutex::default(), renewable })
    }

    pub(super) fn gateway(self: &Arc<Self>, config: EwsConfig) -> EwsGateway {
        EwsGateway::new(self.clone(), self.clone(), self.clone(), config)
    }

    /// The bodies of the requests so far.
    pub(super) fn bodies(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|request| String::from_utf8(request.body.to_vec()).unwrap()).collect()
    }

    /// The operations of the requests so far.
    pub(super) fn operations(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let action = |request: &Request| request.headers.get("soapaction").unwrap().to_str().unwrap().to_owned();
        requests
            .iter()
            .map(|request| action(request).rsplit('/').next().unwrap().trim_matches('"').to_owned())
            .collect()
    }
}

impl Transport for Server {
    fn send(&self, request: Request) -> Answer<'_> {
        self.requests.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front().expect("a request too many");
        Box::pin(async move { answer })
    }
}

impl Authorization for Server {
    fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>> {
        Box::pin(async { Ok(HeaderValue::from_static("Bearer sample")) })
    }

    fn refused(&self, _: &HeaderValue) -> bool {
        self.log.lock().unwrap().push("refused".to_owned());
        self.renewable
    }
}

impl Pace for Server {
    fn admit<'a>(&'a self, mailbox: &'a Address, cost: u32) -> Later<'a, ()> {
        self.log.lock().unwrap().push(format!("admit {mailbox} {cost}"));
        Box::pin(async {})
    }

    fn report(&self, report: RequestReport<'_>) {
        let line = format!("{} {:?} {}", report.operation, report.status, report.items);
        self.log.lock().unwrap().push(line);
    }
}
