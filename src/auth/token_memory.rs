//! What is known of tokens, per application and scope: the token, and which proofs were refused. It outlives a reload, so that one
//! which changes nothing of a proof asks for nothing, and tries no refused proof again.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};

use super::{REFUSAL, later};
use crate::model::fault::{Fault, FaultKind};

/// The longest pause before a refused proof is tried again.
const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// A hash that tells one proof from another.
pub(super) type ProofId = [u8; 32];

/// Which application, where, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Whose {
    pub(super) token_url: String,
    pub(super) client_id: String,
    pub(super) scope: String,
}

/// Everything that is known of the tokens of a process.
#[derive(Clone, Default)]
pub struct TokenMemory(Arc<Mutex<HashMap<Whose, Arc<Known>>>>);

impl TokenMemory {
    /// What is known of one application and scope.
    pub(super) fn of(&self, whose: Whose) -> Arc<Known> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(whose).or_default())
    }
}

impl fmt::Debug for TokenMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenMemory").finish_non_exhaustive()
    }
}

/// What is known of one application and scope.
#[derive(Default)]
pub(super) struct Known {
    cache: Mutex<Cache>,
    /// Held by whoever asks for a token; the others wait for what comes of it.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Known {
    pub(super) fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token and its times.
pub(super) struct Token {
    pub(super) header: HeaderValue,
    pub(super) renew: Timestamp,
    pub(super) ends: Timestamp,
    /// What it was given for.
    pub(super) proof: ProofId,
}

/// Why an attempt gave no token, and until when it is not repeated.
#[derive(Clone)]
struct Refusal {
    fault: Fault,
    until: Timestamp,
    attempt: u64,
    times: u32,
}

impl Refusal {
    fn holds(&self, now: Timestamp, seen: u64) -> bool {
        now < self.until || self.attempt > seen
    }
}

#[derive(Default)]
pub(super) struct Cache {
    token: Option<Token>,
    /// How many attempts have come to an end.
    pub(super) attempts: u64,
    /// What no proof is to blame for, and the proofs that there were.
    blocked: Option<(Refusal, Vec<ProofId>)>,
    /// Proofs that were refused.
    parked: HashMap<ProofId, Refusal>,
    /// The proof that the last token was given for, and its key in the settings.
    pub(super) in_use: Option<(ProofId, &'static str)>,
    /// Certificates whose assertions must be RS256.
    pub(super) rs256: HashSet<ProofId>,
}

impl Cache {
    /// The token, if it is for one of these proofs and good for long enough.
    pub(super) fn good(&self, now: Timestamp, owners: &[ProofId]) -> Option<HeaderValue> {
        let token = self.token.as_ref().filter(|token| now < token.renew && owners.contains(&token.proof))?;
        Some(token.header.clone())
    }

    /// Why no request is made, as far as is known after the `seen`th attempt: the outcome of a later one, or a pause. While an
    /// attempt that failed is not to be repeated, a token that has not ended yet still does.
    pub(super) fn settled(
        &self,
        now: Timestamp,
        seen: u64,
        owners: &[ProofId],
        shown: &[ProofId],
    ) -> Option<Result<HeaderValue, Fault>> {
        if let Some(header) = self.good(now, owners) {
            return Some(Ok(header));
        }
        let fault = self.held(now, seen, shown)?;
        Some(self.rest(now, owners).ok_or(fault))
    }

    fn held(&self, now: Timestamp, seen: u64, shown: &[ProofId]) -> Option<Fault> {
        if let Some((refusal, of)) = &self.blocked
            && of == shown
            && refusal.holds(now, seen)
        {
            return Some(refusal.fault.clone());
        }
        let parked: Vec<&Refusal> = shown.iter().filter_map(|proof| self.parked.get(proof)).collect();
        let all = parked.len() == shown.len() && parked.iter().all(|refusal| refusal.holds(now, seen));
        let latest = parked.iter().max_by_key(|refusal| refusal.attempt)?;
        all.then(|| latest.fault.clone())
    }

    /// The token that has not ended yet.
    fn rest(&self, now: Timestamp, owners: &[ProofId]) -> Option<HeaderValue> {
        let token = self.token.as_ref().filter(|token| now < token.ends && owners.contains(&token.proof))?;
        Some(token.header.clone())
    }

    /// Whether a proof is parked, and why.
    pub(super) fn parked(&self, proof: &ProofId, now: Timestamp) -> Option<Fault> {
        self.parked.get(proof).filter(|refusal| now < refusal.until).map(|refusal| refusal.fault.clone())
    }

    /// Parks a refused proof: for ten minutes, then twice as long each time. Returns until when.
    pub(super) fn park(&mut self, proof: ProofId, fault: Fault, now: Timestamp) -> Timestamp {
        let times = self.parked.get(&proof).map_or(0, |before| before.times + 1);
        let until = later(now, pause(times));
        // Tokens of other issuers come and go.
        self.parked.retain(|_, refusal| now < later(refusal.until, PAUSE_MAX));
        self.parked.insert(proof, Refusal { fault, until, attempt: self.attempts + 1, times });
        until
    }

    /// Keeps the token that came of an attempt.
    pub(super) fn keep(&mut self, token: Token) {
        self.attempts += 1;
        self.blocked = None;
        self.token = Some(token);
    }

    /// Keeps that an attempt gave no token. A fault of a proof is parked already; another one blocks them all.
    pub(super) fn fail(
        &mut self,
        fault: &Fault,
        blocks: bool,
        now: Timestamp,
        owners: &[ProofId],
        shown: &[ProofId],
    ) -> Option<HeaderValue> {
        self.attempts += 1;
        if blocks {
            let before = self.blocked.as_ref().filter(|(_, of)| of == shown);
            let times = before.map_or(0, |(refusal, _)| refusal.times.saturating_add(1));
            let wait = match fault.kind {
                FaultKind::Permanent => pause(times),
                FaultKind::Transient { .. } | FaultKind::Doubtful { .. } | FaultKind::NotAttempted => {
                    SignedDuration::try_from(fault.wait().unwrap_or_default()).unwrap_or(REFUSAL)
                }
            };
            let times = if fault.kind == FaultKind::Permanent { times } else { 0 };
            let refusal = Refusal { fault: fault.clone(), until: later(now, wait), attempt: self.attempts, times };
            self.blocked = Some((refusal, shown.to_vec()));
        }
        self.rest(now, owners)
    }

    /// Drops the token that the service refused. One that has taken its place stays: late refusals are of the one before.
    pub(super) fn drop_token(&mut self, refused: &HeaderValue) {
        self.token.take_if(|token| token.header == *refused);
    }
}

/// The pause after a refusal: ten minutes, doubling to a day.
fn pause(times: u32) -> SignedDuration {
    REFUSAL.checked_mul(1_i32 << times.min(8)).unwrap_or(PAUSE_MAX).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::pause;

    #[test]
    fn pauses_grow_to_a_day() {
        let minutes = [0, 1, 2, 3, 7, 8, 40].map(|times| pause(times).as_mins());
        assert_eq!(minutes, [10, 20, 40, 80, 1280, 1440, 1440]);
    }
}
