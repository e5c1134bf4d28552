//! Waits that survive a restart: of the credential, of the server, of sources.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    catalogue::Taken,
    ends::emit_state_error,
    engine::{Engine, Subject, TaskEnd},
    turns::{Credential, after},
};
use crate::{
    model::fault::Fault,
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
                WaitScope::Credential => self.take_up_credential(&wait, now).await?,
                WaitScope::Server => {
                    // Who runs once by hand wants to try now, but what the server asked for is waited all the same.
                    let left = Duration::try_from(wait.until.duration_since(now)).unwrap_or_default();
                    if !left.is_zero() && (self.once.is_none() || wait.asked) {
                        self.wiring.limiter.pause(left);
                    }
                    self.server_attempts = if self.once.is_some() { 0 } else { wait.times };
                }
                WaitScope::Source(name) => {
                    if !self.wiring.sources.contains_key(name) {
                        self.end_wait(&wait.scope).await;
                    }
                }
            }
        }
        Ok(())
    }

    /// A credential that was refused and is the same is left alone until its next try; another one is tried at once.
    async fn take_up_credential(&mut self, wait: &Wait, now: Timestamp) -> Result<(), StateError> {
        // It takes a moment on purpose; at a start nothing else runs yet.
        let is_same = self.wiring.identity.is_of(wait.proof.as_deref().unwrap_or_default());
        if !is_same {
            self.noted.remove(&wait.scope);
            return self.store.end_wait(&wait.scope).await;
        }
        // Who runs once by hand was asked whether it is to be tried.
        let until = if self.once.is_some() { wait.until.min(now) } else { wait.until };
        self.credential = Credential::Refused { until, times: wait.times };
        self.refused = self.wiring.identity.mark();
        if until > now {
            let (code, reason, hint) = (wait.code.as_str(), wait.message.as_str(), wait.hint.as_deref());
            CredentialParkedError { code, reason, hint, until }.emit();
        }
        Ok(())
    }

    /// The credential may have changed: it is tried at once, and what waited for it.
    pub(super) async fn try_credential(&mut self, now: Timestamp) {
        self.epoch += 1;
        self.credential = Credential::Unproven;
        self.server_attempts = 0;
        self.attempts.clear();
        self.agenda.unpark_all(now);
        self.end_wait(&WaitScope::Credential).await;
    }

    /// A refused credential whose files say something else by now is another one. No signal tells of that.
    pub(super) async fn follow_credential(&mut self) {
        if matches!(self.credential, Credential::Refused { .. }) && self.wiring.identity.mark() != self.refused {
            self.try_credential(self.clock.now()).await;
        }
    }

    /// Notes that the credential is refused.
    pub(super) async fn note_credential(&mut self, fault: &Fault, until: Timestamp, times: u32) {
        // It takes a moment on purpose; with this credential nothing is begun meanwhile.
        let proof = Some(self.wiring.identity.proof());
        self.refused = self.wiring.identity.mark();
        let wait = of_fault(WaitScope::Credential, fault, self.clock.now(), until, times);
        self.note_wait(Wait { proof, ..wait }).await;
    }

    /// Notes that the server is left alone.
    pub(super) async fn note_pause(&mut self, fault: &Fault) {
        let now = self.clock.now();
        let until = after(now, self.wiring.limiter.paused_for().unwrap_or_default());
        self.note_wait(of_fault(WaitScope::Server, fault, now, until, self.server_attempts)).await;
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
