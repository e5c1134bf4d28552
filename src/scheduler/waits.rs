//! Waits that survive a restart: of the credential, of the server, of sources.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    Way,
    catalogue::Taken,
    ends::emit_state_error,
    engine::{Engine, Subject, TaskEnd},
    sides::SideState,
    turns::{Credential, after},
};
use crate::{
    model::{fault::Fault, side::Side},
    observability::events::CredentialParkedError,
    state::{StateError, Wait, WaitScope},
};

/// How often the history is pruned.
const PRUNE_EVERY: Duration = Duration::from_hours(24);

impl Engine {
    /// Goes on waiting where a process before this one waited.
    pub(super) async fn take_up_waits(&mut self, now: Timestamp) -> Result<(), StateError> {
        for wait in self.store.waits().await? {
            self.noted.insert(wait.scope.clone());
            match &wait.scope {
                WaitScope::Credential(side) => self.take_up_credential(*side, &wait, now).await?,
                WaitScope::Server(side) => {
                    // Who runs once by hand wants to try now, but what the server asked for is waited all the same.
                    let left = Duration::try_from(wait.until.duration_since(now)).unwrap_or_default();
                    let is_kept = !left.is_zero() && (self.once.is_none() || wait.asked);
                    if let Some(way) = self.wiring.ways.to(*side).filter(|_| is_kept) {
                        way.limiter.pause(left);
                    }
                    self.side(*side).server_attempts = if self.once.is_some() { 0 } else { wait.times };
                }
                WaitScope::Source(name) => {
                    if !self.wiring.sources.contains_key(name) {
                        self.end_wait(&wait.scope).await;
                    }
                }
            }
        }
        self.forget_sides().await;
        Ok(())
    }

    /// A credential that was refused and is the same is left alone until its next try; another one is tried at once.
    async fn take_up_credential(&mut self, side: Side, wait: &Wait, now: Timestamp) -> Result<(), StateError> {
        let Some(way) = self.wiring.ways.to(side).cloned() else { return Ok(()) };
        // It takes a moment on purpose; at a start nothing else runs yet.
        let is_same = way.identity.is_of(wait.proof.as_deref().unwrap_or_default());
        if !is_same {
            self.noted.remove(&wait.scope);
            return self.store.end_wait(&wait.scope).await;
        }
        // Who runs once by hand was asked whether it is to be tried.
        let until = if self.once.is_some() { wait.until.min(now) } else { wait.until };
        let state = self.side(side);
        state.credential = Credential::Refused { until, times: wait.times };
        state.refused = way.identity.mark();
        if until > now {
            let (code, reason, hint) = (wait.code.as_str(), wait.message.as_str(), wait.hint.as_deref());
            CredentialParkedError { side: side.as_str(), code, reason, hint, until }.emit();
        }
        Ok(())
    }

    /// The credential of a side may have changed: it is tried at once, and what waited for it.
    pub(super) async fn try_credential(&mut self, side: Side, now: Timestamp) {
        let state = self.side(side);
        state.epoch += 1;
        state.credential = Credential::Unproven;
        state.server_attempts = 0;
        self.attempts.clear();
        self.agenda.unpark_all(now);
        self.end_wait(&WaitScope::Credential(side)).await;
    }

    /// A refused credential whose files say something else by now is another one. No signal tells of that.
    pub(super) async fn follow_credentials(&mut self) {
        let is_another = |way: &&Arc<Way>| {
            self.sides.get(&way.side).is_some_and(|state| {
                matches!(state.credential, Credential::Refused { .. }) && way.identity.mark() != state.refused
            })
        };
        let changed: Vec<Side> = self.wiring.ways.all().filter(is_another).map(|way| way.side).collect();
        for side in changed {
            self.try_credential(side, self.clock.now()).await;
        }
    }

    /// Tells and notes that the credential of a side is refused.
    pub(super) async fn note_credential(&mut self, side: Side, fault: &Fault, until: Timestamp, times: u32) {
        let (code, hint) = (fault.code.as_str(), fault.hint.as_deref());
        CredentialParkedError { side: side.as_str(), code, reason: &fault.message, hint, until }.emit();
        let Some(way) = self.wiring.ways.to(side).cloned() else { return };
        // It takes a moment on purpose; with this credential nothing is begun meanwhile.
        let proof = Some(way.identity.proof());
        self.side(side).refused = way.identity.mark();
        let wait = of_fault(WaitScope::Credential(side), fault, self.clock.now(), until, times);
        self.note_wait(Wait { proof, ..wait }).await;
    }

    /// Notes that the server of a side is left alone.
    pub(super) async fn note_pause(&mut self, way: &Way, fault: &Fault) {
        let now = self.clock.now();
        let until = after(now, way.limiter.paused_for().unwrap_or_default());
        let times = self.side(way.side).server_attempts;
        self.note_wait(of_fault(WaitScope::Server(way.side), fault, now, until, times)).await;
    }

    /// Notes that a source cannot be read, or was read in part, or that it was read to its end.
    pub(super) async fn note_source(&mut self, source: &str, taken: &Taken, until: Timestamp) {
        let scope = WaitScope::Source(source.to_owned());
        let (code, message, hint) = match (&taken.error, &taken.incomplete) {
            (Some(error), _) => {
                let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
                ("unreadable", format!("it cannot be read: {error}{cause}"), Some(error.hint().to_owned()))
            }
            (None, Some(reason)) => {
                ("incomplete", format!("read in part, so that nothing is deleted on its word: {reason}"), None)
            }
            (None, None) => return self.end_wait(&scope).await,
        };
        let now = self.clock.now();
        let code = code.to_owned();
        self.note_wait(Wait { scope, since: now, until, code, message, hint, times: 1, asked: false, proof: None })
            .await;
    }

    async fn note_wait(&mut self, wait: Wait) {
        match self.store.save_wait(&wait).await {
            Ok(()) => {
                self.noted.insert(wait.scope);
            }
            Err(error) => emit_state_error(&error),
        }
    }

    /// Ends a wait that was noted.
    pub(super) async fn end_wait(&mut self, scope: &WaitScope) {
        if self.noted.remove(scope)
            && let Err(error) = self.store.end_wait(scope).await
        {
            emit_state_error(&error);
        }
    }

    /// Forgets what was known of sides that the settings name no longer. A refused credential stays noted: it may come back.
    pub(super) async fn forget_sides(&mut self) {
        for side in [Side::Ews, Side::Graph] {
            if self.wiring.ways.to(side).is_some() {
                continue;
            }
            // What a pass of before says of it does not count, should it come back.
            let epoch = self.side(side).epoch + 1;
            *self.side(side) = SideState { epoch, ..SideState::default() };
            self.end_wait(&WaitScope::Server(side)).await;
        }
    }

    /// Goes on waiting on sides that the settings name again.
    pub(super) async fn take_up_sides(&mut self, new: &[Side], now: Timestamp) {
        let waits = match self.store.waits().await {
            Ok(waits) => waits,
            Err(error) => return emit_state_error(&error),
        };
        for wait in &waits {
            let WaitScope::Credential(side) = wait.scope else { continue };
            if !new.contains(&side) {
                continue;
            }
            self.noted.insert(wait.scope.clone());
            if let Err(error) = self.take_up_credential(side, wait, now).await {
                emit_state_error(&error);
            }
        }
    }

    /// Ends the waits of sources that the settings name no longer.
    pub(super) async fn forget_sources(&mut self) {
        let is_gone =
            |scope: &&WaitScope| matches!(scope, WaitScope::Source(name) if !self.wiring.sources.contains_key(name));
        let gone: Vec<WaitScope> = self.noted.iter().filter(is_gone).cloned().collect();
        for scope in gone {
            self.end_wait(&scope).await;
        }
    }

    /// Begins to prune the history when that is due: at the start, and once a day.
    pub(super) fn start_pruning(&mut self, now: Timestamp) {
        if now < self.prune_due {
            return;
        }
        self.prune_due = after(now, PRUNE_EVERY);
        let before = now.checked_sub(self.wiring.keep_history).unwrap_or(Timestamp::MIN);
        let store = self.store.clone();
        let task = self.tasks.spawn(async move {
            loop {
                match store.prune_history(before).await {
                    Ok(0) => return TaskEnd::Pruned(Ok(())),
                    Ok(_) => {}
                    Err(error) => return TaskEnd::Pruned(Err(error)),
                }
            }
        });
        self.subjects.insert(task.id(), Subject::History);
    }
}

fn of_fault(scope: WaitScope, fault: &Fault, since: Timestamp, until: Timestamp, times: u32) -> Wait {
    Wait {
        scope,
        since,
        until,
        code: fault.code.clone(),
        message: fault.message.clone(),
        hint: fault.hint.clone(),
        times,
        asked: fault.wait().is_some(),
        proof: None,
    }
}
