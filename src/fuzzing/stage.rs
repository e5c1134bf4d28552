//! A job, a window, and gateways in front of answers that are told beforehand.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use futures_util::FutureExt;
use http::HeaderValue;
use jiff::Timestamp;

use crate::{
    auth::Authorization,
    clock::{Clock, Wait},
    desired::{Desired, desired},
    gateway::{
        Calendar, Gateway, Later, Pace, RequestReport, Write,
        ews::{EwsConfig, EwsGateway},
        graph::{GraphConfig, GraphGateway},
    },
    http::{Answer, Request, Response, Transport, TransportError},
    model::{address::Address, event::DesiredEvent, fault::Fault, link::Owner, window::Window},
    settings::{self, Environment, EwsAccess, Job, ServerVersion, Strictness},
    sources::{FileForm, read_bytes},
};

/// Settings with a job that pushes everything; the files that they name are not read.
const SETTINGS: &str = r#"
[exchange]
ews_service_url = "https://mail.example.test/EWS/Exchange.asmx"
delegated_user = "svc@example.test"
linked_password_file = "password"
[sources.erp]
kind = "files"
path = "inbox"
zone = "Europe/Paris"
[jobs.all]
source = "erp"
people_domain = "example.test"
"#;

/// An event, whole days and a series with exceptions, which the calls of a gateway are about.
const EVENTS: &str = r#"
{"kind":"appointment","id":"1","person":"ana","subject":"A","start":"2026-11-24T09:00","end":"2026-11-24T10:00"}
{"kind":"appointment","id":"2","person":"ana","subject":"B","all_day":true,"start":"2026-11-25","end":"2026-11-26"}
{"kind":"appointment","id":"3","person":"ana","subject":"C","start":"2026-11-23T09:00","end":"2026-11-23T10:00","recurrence":"FREQ=WEEKLY;COUNT=5","exceptions":[{"original":"2026-11-30T09:00","cancelled":true},{"original":"2026-12-07T09:00","start":"2026-12-08T09:00"}]}
"#;

/// The most events of a file that are written: a request is as long as its events, and reading is what is looked at.
const WRITTEN_MAX: usize = 20;

/// The job.
pub(super) fn job() -> &'static Job {
    static JOB: LazyLock<Job> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calsyncd.toml");
        std::fs::write(&path, SETTINGS).unwrap();
        std::fs::write(folder.path().join("password"), "secret").unwrap();
        let loaded = settings::load(&path, &Environment::default(), Strictness::Check).unwrap();
        loaded.settings.jobs["all"].clone()
    });
    &JOB
}

/// The window: the 180 days of a job and 30 before them.
pub(super) fn window() -> Window {
    Window { start: "2026-10-24T00:00:00Z".parse().unwrap(), end: "2027-05-22T00:00:00Z".parse().unwrap() }
}

/// The mailbox.
pub(super) fn mailbox() -> Address {
    Address::parse("ana@example.test").unwrap()
}

/// Its calendar.
pub(super) fn calendar() -> Calendar {
    Calendar { mailbox: mailbox(), id: "AQ+cal=".to_owned() }
}

/// The events that the calls of a gateway are about.
pub(super) fn events() -> &'static [Arc<DesiredEvent>] {
    static EVENTS_READ: LazyLock<Vec<Arc<DesiredEvent>>> = LazyLock::new(|| {
        let read = read_bytes(FileForm::JsonLines, EVENTS.as_bytes());
        let desired = desired(&read, job(), window());
        assert!(desired.rejections.is_empty(), "{:?}", desired.rejections);
        desired.mailboxes.into_values().flatten().collect()
    });
    &EVENTS_READ
}

/// Writes what is desired through both protocols: that no answer comes is no matter, the requests are made all the same.
pub(super) fn write(desired: &Desired) {
    for gateway in [ews(Script::default()), graph(Script::default())] {
        for (mailbox, events) in &desired.mailboxes {
            let calendar = Calendar { mailbox: mailbox.clone(), id: "AQ+cal=".to_owned() };
            let create = |event: &Arc<DesiredEvent>| Write::Create { event: Arc::clone(event), generation: 1 };
            let writes: Vec<Write> = events.iter().take(WRITTEN_MAX).map(create).collect();
            let outcomes = now(gateway.apply(&calendar, &writes));
            assert_eq!(outcomes.len(), writes.len());
        }
    }
}

/// The result of a future that waits for nothing.
pub(super) fn now<T>(future: Later<'_, T>) -> T {
    future.now_or_never().expect("a gateway waits for nothing but the answer, which is there")
}

/// A gateway of EWS.
pub(super) fn ews(script: Script) -> Box<dyn Gateway> {
    let config = EwsConfig {
        url: "https://mail.example.test/EWS/Exchange.asmx".to_owned(),
        version: ServerVersion::Exchange2016,
        access: EwsAccess::impersonation(),
        owner: owner(),
        batch_size: WRITTEN_MAX,
        gzip_requests: false,
    };
    let gateway = EwsGateway::new(Arc::new(script), Arc::new(Known), Arc::new(Unlimited), config);
    Box::new(gateway.with_clock(Arc::new(Stopped)))
}

/// A gateway of Graph.
pub(super) fn graph(script: Script) -> Box<dyn Gateway> {
    let root = "https://graph.example.test".to_owned();
    let config = GraphConfig { root, owner: owner(), page_size: 100, gzip_requests: false };
    Box::new(GraphGateway::new(Arc::new(script), Arc::new(Known), Arc::new(Unlimited), Arc::new(Stopped), config))
}

fn owner() -> Owner {
    Owner("node-1".to_owned())
}

/// Answers what it was told to, in order; then nothing.
#[derive(Debug, Default)]
pub(super) struct Script(pub(super) Mutex<VecDeque<Response>>);

impl Transport for Script {
    fn send(&self, _: Request) -> Answer<'_> {
        let interrupted =
            || TransportError::Interrupted { host: "mail.example.test".to_owned(), cause: "no answer".to_owned() };
        let answer = self.0.lock().unwrap().pop_front().ok_or_else(interrupted);
        Box::pin(std::future::ready(answer))
    }
}

/// A credential that can always be had.
#[derive(Debug)]
struct Known;

impl Authorization for Known {
    fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(HeaderValue::from_static("Bearer token"))))
    }

    fn refused(&self, _: &HeaderValue) -> bool {
        true
    }
}

/// Admits everything.
#[derive(Debug)]
struct Unlimited;

impl Pace for Unlimited {
    fn admit<'a>(&'a self, _: &'a Address, _: u32) -> Later<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    fn report(&self, _: RequestReport<'_>) {}
}

/// A clock that stands still.
#[derive(Debug)]
pub(super) struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn sleep(&self, _: Duration) -> Wait {
        Box::pin(std::future::ready(()))
    }
}
