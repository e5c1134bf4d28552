//! One request in, one outcome out: the whole sandbox without a socket.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;

use super::{
    admin,
    answer::{self, BodyFault},
    counters::{Counters, Counts},
    error::SandboxError,
    faces::{self, Inbound, Outcome},
    faults::Fault,
    gate::Gate,
    identity::Identity,
    page,
    record::{Exchange, Recorder},
    settings::{ApplicationSettings, SandboxSettings},
    store::{MailboxSettings as StoredMailbox, Store, Zone},
    wire::Wire,
};
use crate::clock::Clock;

/// The simulated Exchange. Cheap to clone; the clones are one sandbox.
#[derive(Debug, Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: SandboxSettings,
    clock: Arc<dyn Clock>,
    store: Store,
    identity: Identity,
    gate: Gate,
    counters: Arc<Counters>,
    recorder: Option<Recorder>,
    random: Mutex<fastrand::Rng>,
}

impl Sandbox {
    /// A sandbox that is called in process, with [`Sandbox::handle`]; [`Sandbox::start`] puts one on a socket.
    ///
    /// # Errors
    /// [`SandboxError::Settings`], or [`SandboxError::Record`] when the recording cannot be created.
    pub fn new(
        settings: SandboxSettings,
        record: Option<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SandboxError> {
        settings.check()?;
        let store = Store::new(Arc::clone(&clock), settings.seed);
        for mailbox in &settings.mailboxes {
            let fault = |fault: String| SandboxError::Settings { fault };
            let zone = Zone::iana(&mailbox.zone)
                .or_else(|_| Zone::windows(&mailbox.zone))
                .map_err(|error| fault(format!("mailbox {}: {error}", mailbox.address)))?;
            let mut stored = StoredMailbox::new(mailbox.address.clone());
            stored.aliases.clone_from(&mailbox.aliases);
            stored.zone = Some(zone);
            stored.half = mailbox.half;
            stored.state = mailbox.state.into();
            stored.sid.clone_from(&mailbox.sid);
            if !mailbox.principal_name.is_empty() {
                stored.principal_name.clone_from(&mailbox.principal_name);
            }
            if !mailbox.name.is_empty() {
                stored.display_name.clone_from(&mailbox.name);
            }
            store.add_mailbox(stored).map_err(|error| fault(error.to_string()))?;
        }
        let recorder = record
            .map(|path| Recorder::create(&path).map_err(|source| SandboxError::Record { path, source }))
            .transpose()?;
        let counters = Arc::<Counters>::default();
        Ok(Self {
            inner: Arc::new(Inner {
                identity: Identity::new(&settings),
                gate: Gate::new(&settings, Arc::clone(&clock), Arc::clone(&counters)),
                random: Mutex::new(fastrand::Rng::with_seed(settings.seed)),
                store,
                counters,
                recorder,
                clock,
                settings,
            }),
        })
    }

    /// The mailboxes.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// A reading of the counters.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = self.inner.counters.read();
        counts.in_flight_max = self.inner.gate.in_flight_max().into_iter().collect();
        let mailboxes = self.inner.store.mailboxes();
        counts.mails_sent = mailboxes.iter().map(|mailbox| mailbox.mails_sent).sum();
        counts.moves = mailboxes.iter().map(|mailbox| u64::from(mailbox.moves)).sum();
        counts.moving =
            u64::try_from(mailboxes.iter().filter(|one| one.moving_to.is_some()).count()).unwrap_or(u64::MAX);
        counts
    }

    /// Adds a fault, which counts requests from now.
    pub fn inject(&self, fault: Fault) {
        self.inner.gate.inject(fault);
    }

    /// Forgets every fault.
    pub fn calm(&self) {
        self.inner.gate.calm();
    }

    /// Makes every token void that is out.
    pub fn revoke_tokens(&self) {
        self.inner.identity.tokens.revoke_all();
    }

    /// Changes an application while the sandbox runs, as an administrator of its tenant does.
    pub fn change_application(&self, client_id: &str, change: impl Fn(&mut ApplicationSettings)) {
        self.inner.identity.tokens.change(client_id, change);
    }

    /// Empties the mailboxes, unlocks the accounts, forgets faults and counts.
    pub fn reset(&self) {
        self.inner.store.reset();
        self.inner.identity.unlock();
        self.inner.gate.calm();
        self.inner.counters.update(|counts| *counts = Counts::default());
    }

    /// Carries out one request. The address is a path, or absolute; a `Host` header names the host otherwise.
    pub async fn handle(&self, request: Request<Bytes>) -> Outcome {
        let (parts, body) = request.into_parts();
        let started = self.now();
        let inbound = Inbound {
            origin: origin(&parts),
            wire: parts.extensions.get().cloned(),
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body: Bytes::new(),
        };
        let (inbound, outcome) = match answer::decompressed(&inbound.headers, body, self.body_bytes_max()) {
            Ok(body) => {
                let inbound = Inbound { body, ..inbound };
                let outcome = self.route(&inbound).await;
                (inbound, outcome)
            }
            Err(fault) => {
                let status = match fault {
                    BodyFault::TooLarge => 413,
                    BodyFault::NotGzip => 400,
                    BodyFault::Encoding => 415,
                };
                (inbound, Outcome::Answer(answer::empty(status)))
            }
        };
        self.count_and_record(&inbound, &outcome, started);
        match outcome {
            Outcome::Answer(response) => Outcome::Answer(self.dated(answer::compressed(&inbound.headers, response))),
            Outcome::Broken => Outcome::Broken,
        }
    }

    /// The answer with the time of a clock that is off.
    fn dated(&self, response: Response<Bytes>) -> Response<Bytes> {
        let ahead = jiff::SignedDuration::from_secs(self.inner.settings.date_ahead_s);
        match self.now().checked_add(ahead) {
            Ok(date) if !ahead.is_zero() => {
                answer::with_header(response, "date", &date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
            }
            Ok(_) | Err(_) => response,
        }
    }

    async fn route(&self, inbound: &Inbound) -> Outcome {
        let path = inbound.path.as_str();
        if path.eq_ignore_ascii_case("/EWS/Exchange.asmx") {
            return faces::ews::answer(self, inbound).await;
        }
        if let Some(rest) = path.strip_prefix("/v1.0/") {
            return faces::graph::answer(self, inbound, rest).await;
        }
        if let Some(tenant) = faces::token::tenant(path) {
            return faces::token::answer(self, inbound, &tenant).await;
        }
        Outcome::Answer(match path.strip_prefix("/sandbox/") {
            Some(rest) => admin::answer(self, inbound, rest),
            None if path == "/" && inbound.method == Method::GET => page::answer(self, inbound),
            None => answer::empty(404),
        })
    }

    /// Counts and records what went over the three protocols; the admin face and the page do not count.
    fn count_and_record(&self, inbound: &Inbound, outcome: &Outcome, started: Timestamp) {
        if inbound.path == "/" || inbound.path.starts_with("/sandbox/") {
            return;
        }
        let answered = match outcome {
            Outcome::Answer(response) => Some(response),
            Outcome::Broken => None,
        };
        self.inner.counters.update(|counts| {
            counts.exchanges += 1;
            match answered {
                Some(response) => *counts.statuses.entry(response.status().as_u16()).or_default() += 1,
                None => counts.broken += 1,
            }
        });
        let Some(recorder) = &self.inner.recorder else { return };
        let query = if inbound.query.is_empty() { String::new() } else { format!("?{}", inbound.query) };
        let took = self.now().duration_since(started);
        recorder.write(&Exchange {
            started,
            took: Duration::try_from(took).unwrap_or_default(),
            method: &inbound.method,
            url: &format!("{}{}{query}", inbound.origin, inbound.path),
            request_headers: &inbound.headers,
            request_body: &inbound.body,
            answer: answered.map(|response: &Response<Bytes>| {
                (response.status().as_u16(), response.headers(), response.body().as_ref())
            }),
        });
    }

    /// The largest request body.
    pub(super) fn body_bytes_max(&self) -> usize {
        self.inner.settings.body_bytes_max
    }

    /// The present instant.
    pub(super) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(super) fn settings(&self) -> &SandboxSettings {
        &self.inner.settings
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    /// Puts things in an order that the seed decides.
    pub(super) fn shuffle<T>(&self, things: &mut [T]) {
        self.inner.random.lock().unwrap_or_else(PoisonError::into_inner).shuffle(things);
    }
}

/// Scheme and host of a request.
fn origin(parts: &http::request::Parts) -> String {
    let secure = parts.extensions.get::<Wire>().is_some_and(|wire| wire.channel_bindings.is_some());
    let scheme = parts.uri.scheme_str().unwrap_or(if secure { "https" } else { "http" });
    let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let host = parts.uri.authority().map(http::uri::Authority::as_str).or(host).unwrap_or("sandbox");
    format!("{scheme}://{host}")
}
