//! A gateway in front of a sandbox in this process, and what the scheduler does with plans and outcomes.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use calsyncd::{
    auth::Authorization,
    clock::SystemClock,
    gateway::{
        Calendar, Gateway, Later, Outcome, Pace, RequestReport, Write,
        ews::{EwsConfig, EwsGateway},
        graph::{GraphConfig, GraphGateway},
    },
    http::{Answer, Request, Response, Transport, TransportError},
    model::{
        address::Address,
        event::DesiredEvent,
        fault::{Fault, FaultKind},
        fingerprint::Fingerprint,
        link::{ItemRef, Link, Owner},
        occurrences::{Occurrences, WrittenOccurrences},
        snapshot::Snapshot,
    },
    plan::{Action, Inputs, Policy, Scope, check, ends, plan},
    sandbox::{
        self, Sandbox, SandboxSettings,
        store::{Entry, EntryKind, Filter},
    },
    settings::{EwsAccess, ServerVersion},
};
use http::HeaderValue;
use jiff::Timestamp;

/// Which protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    Ews,
    Graph,
}

/// A request that is lost: before it is carried out, or its answer after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Request,
    Answer,
}

const ROOT: &str = "http://sandbox.example.test";

/// Leads requests to the sandbox, and loses one when told to.
#[derive(Debug)]
struct Line {
    sandbox: Sandbox,
    header: HeaderValue,
    /// Requests until the one that is lost; 0 for none.
    countdown: AtomicI64,
    lost: Mutex<Lost>,
}

impl Transport for Line {
    fn send(&self, request: Request) -> Answer<'_> {
        let lost = (self.countdown.fetch_sub(1, Ordering::SeqCst) == 1).then(|| *self.lost.lock().unwrap());
        Box::pin(async move {
            let broken =
                || TransportError::Interrupted { host: "sandbox.example.test".to_owned(), cause: "lost".to_owned() };
            if lost == Some(Lost::Request) {
                return Err(broken());
            }
            let mut inner = http::Request::builder().method(request.method).uri(request.url);
            *inner.headers_mut().unwrap() = request.headers;
            let sandbox::Outcome::Answer(answer) = self.sandbox.handle(inner.body(request.body).unwrap()).await else {
                return Err(broken());
            };
            let (parts, body) = answer.into_parts();
            if lost.is_some() {
                return Err(broken());
            }
            Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body })
        })
    }
}

impl Authorization for Line {
    fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(self.header.clone())))
    }

    fn refused(&self, _: &HeaderValue) -> bool {
        false
    }
}

impl Pace for Line {
    fn admit<'a>(&'a self, _: &'a Address, _: u32) -> Later<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    fn report(&self, _: RequestReport<'_>) {}
}

/// What a calendar shows of one series, and by itself of each occurrence.
pub(crate) type Shown = Vec<String>;

/// A mailbox that is kept as the scheduler keeps it, and another for comparison.
pub(crate) struct Stage {
    line: Arc<Line>,
    gateway: Box<dyn Gateway>,
    calendar: Calendar,
    other: Calendar,
    owner: Owner,
    pub(crate) link: Option<Link>,
}

impl Stage {
    pub(crate) async fn new(face: Face) -> Self {
        let settings = SandboxSettings::with_mailboxes(["ana@example.test", "bob@example.test"], "Europe/Paris");
        let sandbox = Sandbox::new(settings, None, Arc::new(SystemClock)).unwrap();
        let header = match face {
            Face::Ews => HeaderValue::from_static("Basic c2VydmljZTpzZWNyZXQ="),
            Face::Graph => token(&sandbox).await,
        };
        let line = Arc::new(Line { sandbox, header, countdown: AtomicI64::new(0), lost: Mutex::new(Lost::Answer) });
        let owner = Owner("this-instance".to_owned());
        let gateway: Box<dyn Gateway> = match face {
            Face::Ews => {
                let config = EwsConfig {
                    url: format!("{ROOT}/EWS/Exchange.asmx"),
                    version: ServerVersion::Exchange2016,
                    access: EwsAccess::impersonation(),
                    owner: owner.clone(),
                    batch_size: 3,
                    gzip_requests: false,
                };
                Box::new(EwsGateway::new(line.clone(), line.clone(), line.clone(), config))
            }
            Face::Graph => {
                let config =
                    GraphConfig { root: ROOT.to_owned(), owner: owner.clone(), page_size: 50, gzip_requests: false };
                let clock = Arc::new(SystemClock);
                Box::new(GraphGateway::new(line.clone(), line.clone(), line.clone(), clock, config))
            }
        };
        let open = |address: &'static str| Address::parse(address).unwrap();
        let calendar = gateway.open(&open("ana@example.test")).await.unwrap();
        let other = gateway.open(&open("bob@example.test")).await.unwrap();
        Self { line, gateway, calendar, other, owner, link: None }
    }

    /// Loses the nth request from now on.
    pub(crate) fn lose(&self, lost: Lost, nth: i64) {
        *self.line.lost.lock().unwrap() = lost;
        self.line.countdown.store(nth, Ordering::SeqCst);
    }

    /// Whether the request that is to be lost was sent, and lost.
    pub(crate) fn has_lost(&self) -> bool {
        self.line.countdown.load(Ordering::SeqCst) <= 0
    }

    /// Passes until nothing is to be done; returns which occurrences the first of them wrote.
    pub(crate) async fn push(&mut self, event: &Arc<DesiredEvent>) -> Option<Occurrences> {
        let mut first = None;
        for pass in 0..8 {
            let action = self.plan(event);
            match &action {
                Action::Keep { .. } => return first,
                Action::Update { occurrences, .. } if pass == 0 => first = Some(occurrences.clone()),
                _ => {}
            }
            self.carry_out(event, action).await;
        }
        panic!("it does not come to an end: {:?}", self.plan(event));
    }

    /// One pass.
    pub(crate) async fn attempt(&mut self, event: &Arc<DesiredEvent>) {
        let action = self.plan(event);
        self.carry_out(event, action).await;
    }

    fn plan(&self, event: &Arc<DesiredEvent>) -> Action {
        let desired = [Arc::clone(event)];
        let links: Vec<Link> = self.link.iter().cloned().collect();
        let scope = Scope { complete: BTreeSet::from(["erp".to_owned()]), ..Scope::default() };
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let inputs = Inputs {
            mailbox: &self.calendar.mailbox,
            owner: &self.owner,
            desired: &desired,
            links: &links,
            snapshot: &Snapshot::NotRead,
            seen: &BTreeMap::new(),
            scope: &scope,
            refusals: &BTreeMap::new(),
            pending: &BTreeMap::new(),
            verdicts: &BTreeMap::new(),
            policy: &Policy { brake_share_percent: 20, brake_number: 10, frozen_before: Timestamp::MIN },
            now,
        };
        let plan = plan(&inputs).unwrap();
        assert_eq!(check(&plan, &inputs), []);
        plan.decisions[0].action.clone()
    }

    async fn carry_out(&mut self, event: &Arc<DesiredEvent>, action: Action) {
        let (write, written) = match action {
            Action::Create { event, generation, .. } => {
                let written = WrittenOccurrences::of(&event);
                (Write::Create { event, generation }, written)
            }
            Action::Update { event, item, fields, occurrences, written, .. } => {
                (Write::Update { item, event, generation: 2, fields, occurrences }, written)
            }
            other => panic!("{other:?}"),
        };
        let outcome = self.gateway.apply(&self.calendar, &[write]).await.remove(0).outcome;
        match outcome {
            Outcome::Written { item, fingerprint } => {
                self.link = Some(Link { occurrences: written, ..link(event, item, fingerprint) });
            }
            Outcome::Partly { item, fingerprint, fault } => {
                assert_ne!(fault.kind, FaultKind::Permanent, "{fault:?}");
                self.link = Some(link(event, item, fingerprint));
            }
            Outcome::Failed(fault) => {
                assert_ne!(fault.kind, FaultKind::Permanent, "{fault:?}");
                self.look(event).await;
            }
            Outcome::Gone => self.look(event).await,
        }
    }

    /// What became of a write that nobody knows the end of.
    async fn look(&mut self, event: &DesiredEvent) {
        let found = self.gateway.probe(&self.calendar, std::slice::from_ref(&event.key)).await.unwrap();
        assert!(found.len() <= 1, "{found:?}");
        self.link = found
            .into_iter()
            .next()
            .map(|found| link(event, found.item, found.fingerprint.unwrap_or_else(Fingerprint::unknown)));
    }

    /// What the calendar shows.
    pub(crate) fn shown(&self) -> Shown {
        self.entries("ana@example.test").iter().map(text).collect()
    }

    /// What a calendar shows into which the event was pushed for the first time.
    pub(crate) async fn shown_at_first(&self, event: &Arc<DesiredEvent>) -> Shown {
        let create = Write::Create { event: Arc::clone(event), generation: fastrand::i64(..) };
        let outcome = self.gateway.apply(&self.other, &[create]).await.remove(0).outcome;
        let Outcome::Written { item, .. } = outcome else { panic!("{outcome:?}") };
        let shown = self.entries("bob@example.test").iter().map(text).collect();
        let delete = Write::Delete { key: event.key.clone(), item };
        assert_eq!(self.gateway.apply(&self.other, &[delete]).await.remove(0).outcome, Outcome::Gone);
        shown
    }

    /// When each occurrence was last written by itself, by the day that the rule gives it.
    pub(crate) fn revisions(&self) -> BTreeMap<jiff::civil::Date, u32> {
        let masters = self.line.sandbox.store().find("ana@example.test", None, &Filter::All).unwrap();
        assert_eq!(masters.len(), 1);
        masters[0].series.as_ref().map(|series| series.revisions.clone()).unwrap_or_default()
    }

    fn entries(&self, address: &str) -> Vec<Entry> {
        let (from, to) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2027-12-31T00:00:00Z".parse().unwrap());
        self.line.sandbox.store().view(address, None, from, to).unwrap()
    }
}

fn link(event: &DesiredEvent, item: ItemRef, fingerprint: Fingerprint) -> Link {
    let (key, ends) = (event.key.clone(), ends(event));
    Link { ends, ..Link::new(key, item, fingerprint) }
}

/// Everything that a person sees of an entry.
fn text(entry: &Entry) -> String {
    let content = &entry.content;
    let single = if entry.kind == EntryKind::Single { " single" } else { "" };
    format!(
        "{} {} {:?} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?}{single}",
        content.start,
        content.end,
        content.all_day,
        content.subject,
        content.body.as_ref().map(|body| &body.sent).filter(|body| !body.is_empty()),
        content.location.as_ref().filter(|location| !location.is_empty()),
        content.show_as,
        content.sensitivity,
        content.importance,
        content.categories,
        content.reminder_set.then_some(content.reminder_minutes),
    )
}

async fn token(sandbox: &Sandbox) -> HeaderValue {
    let form = "grant_type=client_credentials&client_id=client&client_secret=secret\
                &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
    let request = http::Request::post(format!("{ROOT}/tenant/oauth2/v2.0/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from_static(form.as_bytes()))
        .unwrap();
    let sandbox::Outcome::Answer(answer) = sandbox.handle(request).await else { panic!("no token") };
    let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    let token = body["access_token"].as_str().unwrap_or_else(|| panic!("{body}"));
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    header.set_sensitive(true);
    header
}
