//! What every request passes before it is carried out: the limits, the faults, the latency.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    counters::Counters,
    faults::{Face, Fault, FaultKind, FaultPlan, Site},
    settings::{SandboxSettings, ThrottlingSettings},
    throttle::{Place, Refused, Throttle, retry_after},
};
use crate::clock::Clock;

/// The gate.
#[derive(Debug)]
pub(super) struct Gate {
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    faults: Mutex<FaultPlan>,
    throttle: Arc<Throttle>,
    throttling: ThrottlingSettings,
    latency: Duration,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Admission {
    /// It is carried out while the pass is held.
    Enter(Pass),
    /// It is answered with a refusal and not carried out.
    Refuse(Refusal),
    /// It is not carried out, and the connection breaks.
    Break,
}

/// The right to be carried out.
#[derive(Debug)]
pub(super) struct Pass {
    _place: Option<Place>,
    /// Whether the connection breaks afterwards, without an answer.
    pub(super) drop_answer: bool,
}

/// A refusal, before a face gives it its form.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refusal {
    /// Too many requests: the value of `Retry-After`, and what EWS says.
    TooMany {
        /// `Retry-After`.
        retry_after: Option<String>,
        /// `BackOffMilliseconds`.
        back_off_ms: u64,
    },
    /// 503: the value of `Retry-After`.
    Unavailable {
        /// `Retry-After`.
        retry_after: Option<String>,
    },
    /// 500 of the web server.
    Internal,
    /// 401.
    Unauthorized,
    /// 401, and every token is void.
    TokenRevoked,
    /// The HTML page of a log-on form.
    LoginPage,
    /// The mailbox is being moved.
    Moved,
    /// 407 of a proxy in between.
    Proxy,
    /// 302.
    Redirect,
    /// 403.
    Forbidden,
}

impl Gate {
    /// The gate that these settings describe.
    pub(super) fn new(settings: &SandboxSettings, clock: Arc<dyn Clock>, counters: Arc<Counters>) -> Self {
        Self {
            clock,
            counters,
            faults: Mutex::new(FaultPlan::new(settings.faults.clone(), settings.seed)),
            throttle: Arc::new(Throttle::new(settings.throttling.clone())),
            throttling: settings.throttling.clone(),
            latency: Duration::from_millis(settings.latency_ms),
        }
    }

    /// Adds a fault.
    pub(super) fn inject(&self, fault: Fault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).add(fault);
    }

    /// Forgets every fault.
    pub(super) fn calm(&self) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The most requests that were in flight to one mailbox, per mailbox.
    pub(super) fn in_flight_max(&self) -> Vec<(String, usize)> {
        self.throttle.in_flight_max()
    }

    /// Lets a request in, after the latency, or says what becomes of it.
    pub(super) async fn admit(&self, site: &Site<'_>) -> Admission {
        self.counters.request(site.operation, site.mailbox);
        let place = match site.mailbox.map(|mailbox| self.throttle.enter(mailbox, self.clock.now())).transpose() {
            Ok(place) => place,
            Err(Refused { after_s }) => {
                self.counters.update(|counts| counts.rejected += 1);
                return Admission::Refuse(self.too_many(after_s));
            }
        };
        let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).decide(site);
        if fault.is_some() {
            self.counters.update(|counts| counts.faults += 1);
        }
        let slow_ms = fault.as_ref().filter(|fault| fault.kind == FaultKind::Slow).map_or(0, |fault| fault.delay_ms);
        let delay = self.latency + Duration::from_millis(slow_ms);
        if !delay.is_zero() {
            self.clock.sleep(delay).await;
        }
        self.apply(site, fault, place)
    }

    fn apply(&self, site: &Site<'_>, fault: Option<Fault>, place: Option<Place>) -> Admission {
        let Some(fault) = fault else { return Admission::Enter(Pass { _place: place, drop_answer: false }) };
        let after_s = fault.retry_after_s.unwrap_or(self.throttling.retry_after_s);
        let refusal = match fault.kind {
            FaultKind::DropAnswerAfterCommit => {
                return Admission::Enter(Pass { _place: place, drop_answer: true });
            }
            FaultKind::Slow => return Admission::Enter(Pass { _place: place, drop_answer: false }),
            FaultKind::Reset => return Admission::Break,
            FaultKind::Http503 => Refusal::Unavailable { retry_after: self.retry_after(after_s) },
            FaultKind::Http500 => Refusal::Internal,
            FaultKind::Http429 | FaultKind::Batch429 => self.too_many(after_s),
            FaultKind::ServerBusy => {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded to a day")]
                let asked_ms = fault.retry_after_s.map(|after_s| (after_s.clamp(0.0, 86_400.0) * 1000.0) as u64);
                Refusal::TooMany { retry_after: None, back_off_ms: asked_ms.unwrap_or(self.throttling.ews_back_off_ms) }
            }
            FaultKind::Unauthorized => Refusal::Unauthorized,
            FaultKind::HtmlLoginPage => Refusal::LoginPage,
            FaultKind::TokenRevoked => Refusal::TokenRevoked,
            FaultKind::MailboxMoved => Refusal::Moved,
            FaultKind::ProxyLogin => Refusal::Proxy,
            FaultKind::Redirect => Refusal::Redirect,
            FaultKind::Forbidden => Refusal::Forbidden,
        };
        debug_assert!(!(site.face == Face::Token && refusal == Refusal::TokenRevoked), "faults decide by face");
        Admission::Refuse(refusal)
    }

    fn too_many(&self, after_s: f64) -> Refusal {
        Refusal::TooMany { retry_after: self.retry_after(after_s), back_off_ms: self.throttling.ews_back_off_ms }
    }

    fn retry_after(&self, after_s: f64) -> Option<String> {
        retry_after(self.throttling.retry_after_form, after_s, self.clock.now())
    }
}
