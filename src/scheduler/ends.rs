//! What comes after a task of the engine: the next turn, a wait, a line in the log.

use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{Id, JoinError};

use super::{
    agenda::Parking,
    backoff,
    brake::brake,
    engine::{ATTEMPTS_ONCE, Engine, Subject, TaskEnd},
    pass::{PassReport, PassStop},
    progress::ProgressEvent,
    turns::{Credential, Next, after, next, takes_the_credential},
};
use crate::{
    gateway::is_absent,
    model::{
        address::Address,
        fault::{FaultKind, FaultScope},
        side::Side,
        source::SourceRead,
    },
    observability::events::{
        CredentialRestored, MailboxParked, MailboxPassFinished, MailboxUnparked, OwnershipRefusedError,
        PlanRefusedError, ServerPaused, StateError as StateErrorEvent, TaskError,
    },
    plan::PlanError,
    sources::SourceError,
    state::{MailboxState, Parked, StateError, WaitScope},
};

/// How long after a read a source is read again that no job names.
const READ_AGAIN: Duration = Duration::from_mins(15);
/// How long after the failure of a task its mailbox or source has its turn again.
const AGAIN_AFTER_FAILURE: Duration = Duration::from_mins(15);

impl Engine {
    pub(super) async fn ended(&mut self, end: Result<(Id, TaskEnd), JoinError>) {
        match end {
            Ok((id, TaskEnd::Read { source, result })) => {
                self.subjects.remove(&id);
                self.read_ended(source, result).await;
            }
            Ok((id, TaskEnd::Pass(report))) => {
                self.subjects.remove(&id);
                self.pass_ended(*report).await;
            }
            Ok((id, TaskEnd::Routed(routed))) => {
                self.subjects.remove(&id);
                self.routed(*routed).await;
            }
            Ok((id, TaskEnd::Pruned(result))) => {
                self.subjects.remove(&id);
                if let Err(error) = result {
                    emit_state_error(&error);
                }
            }
            Err(error) => self.task_failed(&error),
        }
    }

    /// A task that failed in a way that it never should takes neither its mailbox nor its source with it.
    fn task_failed(&mut self, error: &JoinError) {
        TaskError { reason: &error.to_string() }.emit();
        let now = self.clock.now();
        let again = after(now, AGAIN_AFTER_FAILURE);
        match self.subjects.remove(&error.id()) {
            Some(Subject::Mailbox(mailbox)) => {
                self.stand_up(&mailbox);
                if self.once.is_none() {
                    self.agenda.park(&mailbox, Parking { until: again, asked: false });
                }
            }
            Some(Subject::Source(source)) => {
                if let Some(turn) = self.reads.get_mut(&source) {
                    turn.running = false;
                    turn.ended_once = true;
                    turn.due = if self.once.is_some() { Timestamp::MAX } else { again };
                }
            }
            Some(Subject::History) | None => {}
        }
        if let Some(summary) = &mut self.once {
            summary.tasks_failed += 1;
        }
    }

    async fn read_ended(&mut self, source: String, result: Result<SourceRead, SourceError>) {
        let now = self.clock.now();
        let every = self.wiring.jobs.values().filter(|job| job.source == source).map(|job| job.every).min();
        let mut everybody = result.is_ok();
        if let Some(turn) = self.reads.get_mut(&source) {
            everybody &= now >= turn.regular;
            turn.running = false;
            turn.ended_once = true;
            if now >= turn.regular {
                turn.regular = after(now, every.unwrap_or(READ_AGAIN));
            }
            turn.due = if turn.again { now } else { turn.regular };
            if self.once.is_some() {
                turn.due = Timestamp::MAX;
            }
        }
        let taken = self.catalogue.take(&self.wiring.jobs, &source, result, now);
        taken.emit();
        self.progress.tell(ProgressEvent::SourceRead {
            source: &source,
            events: taken.events,
            mailboxes: self.catalogue.mailboxes().count(),
        });
        self.note_source(&source, &taken, after(now, every.unwrap_or(READ_AGAIN))).await;
        let braked = self.brake(&source, now).await;
        let saved = taken.save_rejections(&self.store, now).await;
        if let Err(error) = &saved {
            emit_state_error(error);
        }
        if let Err(error) = braked {
            // Without the count of what would be deleted nothing is.
            emit_state_error(&error);
            self.catalogue.distrust(&source);
        }
        if let Some(summary) = &mut self.once {
            summary.rejections.extend(taken.findings().into_iter().map(|rejection| (source.clone(), rejection)));
            summary.sources_failed.extend(taken.error.map(|error| (source, error)));
        }
        let due: Vec<Address> = if everybody { self.catalogue.mailboxes().cloned().collect() } else { taken.changed };
        for mailbox in due {
            if self.takes(&mailbox) {
                self.agenda.bring_forward(&mailbox, now);
            }
        }
    }

    async fn brake(&mut self, source: &str, now: Timestamp) -> Result<(), StateError> {
        match brake(&mut self.catalogue, &self.wiring, &self.store, source, now).await? {
            Some(count) => self.store.save_source_count(&count).await,
            None => Ok(()),
        }
    }

    pub(super) async fn pass_ended(&mut self, report: PassReport) {
        let now = self.clock.now();
        let mailbox = report.mailbox.clone();
        self.stand_up(&mailbox);
        if proves_the_credential(&report) {
            self.prove(report.side, report.epoch).await;
        }
        self.follow_place(&report).await;
        if report.done.changes() > 0 {
            // Slow progress is progress: attempts count what leads nowhere.
            self.side(report.side).server_attempts = 0;
            self.attempts.entry(mailbox.clone()).and_modify(|attempts| *attempts = 0);
        }
        let attempt = *self.attempts.get(&mailbox).unwrap_or(&0);
        let is_server = matches!(&report.stop, Some(PassStop::Fault(fault)) if fault.scope == FaultScope::Server);
        let attempt = if is_server { self.side(report.side).server_attempts } else { attempt };
        let next = if self.is_absent(&report) {
            // Both sides are asked next, and may not agree yet.
            Next::Park { wait: backoff::wait(attempt, None, fastrand::f64()), permanent: false, asked: false }
        } else {
            next(&report, attempt, fastrand::f64())
        };
        MailboxPassFinished {
            mailbox: mailbox.as_str(),
            created: report.done.created,
            updated: report.done.updated,
            deleted: report.done.deleted,
            failed: report.done.failed,
            kept: report.planned.keep as u64,
            held: report.planned.hold as u64,
            quarantined: report.planned.quarantine as u64,
            requests: report.requests,
            elapsed_ms: u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
        }
        .emit();
        self.follow(&mailbox, &next, &report, now).await;
        self.follow_hand_over(&report, now);
        self.progress.tell(ProgressEvent::Finished(&report));
        self.summarise(report);
    }

    /// The server of a side took the credential of an epoch.
    pub(super) async fn prove(&mut self, side: Side, epoch: u32) {
        let state = self.side(side);
        if state.epoch != epoch {
            return;
        }
        let was_refused = matches!(state.credential, Credential::Refused { .. });
        state.credential = Credential::Proven;
        state.server_attempts = 0;
        if was_refused {
            CredentialRestored { side: side.as_str() }.emit();
        }
        self.end_wait(&WaitScope::Credential(side)).await;
        self.end_wait(&WaitScope::Server(side)).await;
    }

    /// Follows where the mailbox is: whether its links are those of the side of the pass by now, and whether it is still there.
    async fn follow_place(&mut self, report: &PassReport) {
        let mailbox = &report.mailbox;
        let is_hybrid = self.wiring.ways.is_hybrid();
        let is_noted =
            self.places.noted(mailbox).is_some_and(|noted| noted.side == report.side && (noted.asked || !is_hybrid));
        if !is_noted {
            match self.store.place(mailbox).await {
                Ok(Some(place)) => self.places.note(mailbox, place),
                Ok(None) => {}
                Err(error) => emit_state_error(&error),
            }
        }
        if self.is_absent(report) {
            self.places.lost(mailbox);
        }
    }

    /// Whether the mailbox is not where it was, so that the other side is to be asked.
    fn is_absent(&self, report: &PassReport) -> bool {
        self.wiring.ways.is_hybrid() && matches!(&report.stop, Some(PassStop::Fault(fault)) if is_absent(fault))
    }

    /// Does what comes after a pass: the next turn, or a wait.
    async fn follow(&mut self, mailbox: &Address, next: &Next, report: &PassReport, now: Timestamp) {
        match next {
            Next::Nothing => {}
            Next::Regular => {
                if self.attempts.remove(mailbox).is_some() {
                    MailboxUnparked { mailbox: mailbox.as_str() }.emit();
                }
            }
            Next::Park { wait, permanent, asked } => {
                let attempt = self.attempts.entry(mailbox.clone()).or_default();
                *attempt += 1;
                let times = *attempt;
                let given_up = self.once.is_some() && (*permanent || times >= ATTEMPTS_ONCE);
                let until = after(now, *wait);
                if !given_up {
                    self.agenda.park(mailbox, Parking { until, asked: *asked });
                }
                self.note_parked(mailbox, Parking { until, asked: *asked }, times, report).await;
            }
            Next::Pause(wait) => {
                self.pause(report, *wait).await;
                let is_permanent =
                    matches!(&report.stop, Some(PassStop::Fault(fault)) if fault.kind == FaultKind::Permanent);
                let (is_once, side) = (self.once.is_some(), self.side(report.side));
                if is_once && (is_permanent || side.server_attempts >= ATTEMPTS_ONCE) {
                    side.given_up = true;
                } else {
                    self.agenda.bring_forward(mailbox, after(now, *wait));
                }
            }
            Next::RefuseCredential if report.epoch != self.side(report.side).epoch => {
                // A pass with the credential of before: it says nothing of the present one.
                self.agenda.bring_forward(mailbox, now);
            }
            Next::RefuseCredential => {
                let (is_once, side) = (self.once.is_some(), self.side(report.side));
                side.epoch += 1;
                side.credential = side.credential.refused(now);
                side.given_up = is_once;
                if let (Some(PassStop::Fault(fault)), Credential::Refused { until, times }) =
                    (&report.stop, side.credential)
                {
                    self.agenda.bring_forward(mailbox, until);
                    self.note_credential(report.side, fault, until, times).await;
                }
            }
        }
    }

    /// Leaves the server of a side alone, with all its mailboxes.
    async fn pause(&mut self, report: &PassReport, wait: Duration) {
        let Some(way) = self.wiring.ways.to(report.side).cloned() else { return };
        // Several passes that meet one outage are one attempt.
        self.side(report.side).server_attempts += u32::from(way.limiter.paused_for().is_none());
        way.limiter.pause(wait);
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        ServerPaused { side: way.side.as_str(), wait_ms, code: &stop_code(report) }.emit();
        if let Some(PassStop::Fault(fault)) = &report.stop {
            self.note_pause(&way, fault).await;
        }
    }

    /// Gives a turn to the mailboxes that waited for this one, and notes for whom it waits itself.
    fn follow_hand_over(&mut self, report: &PassReport, now: Timestamp) {
        self.passes_ended += 1;
        if report.done.created > 0 {
            self.created_in.insert(report.mailbox.clone(), self.passes_ended);
            for waiter in self.waiters.remove(&report.mailbox).unwrap_or_default() {
                self.agenda.bring_forward(&waiter, now);
            }
        }
        for destination in &report.waiting.destinations {
            if self.created_in.get(destination).is_some_and(|ended| *ended > report.began) {
                // It was written while this pass ran.
                self.agenda.bring_forward(&report.mailbox, now);
            }
            self.waiters.entry(destination.clone()).or_default().insert(report.mailbox.clone());
        }
    }

    async fn note_parked(&self, mailbox: &Address, parking: Parking, times: u32, report: &PassReport) {
        let now = self.clock.now();
        let Parking { until, asked } = parking;
        let (code, hint) = (stop_code(report), stop_hint(report));
        let message = report.stop.as_ref().map(ToString::to_string).unwrap_or_default();
        MailboxParked {
            mailbox: mailbox.as_str(),
            code: &code,
            reason: &message,
            hint: hint.as_deref(),
            until: Some(until),
        }
        .emit();
        match &report.stop {
            Some(PassStop::Plan(PlanError::OwnedByAnother { owner, .. })) => {
                OwnershipRefusedError { mailbox: mailbox.as_str(), owner }.emit();
            }
            Some(PassStop::Violation(violation)) => {
                PlanRefusedError { mailbox: mailbox.as_str(), rule: &violation.to_string(), key: None }.emit();
            }
            Some(PassStop::Fault(_) | PassStop::State(_) | PassStop::Moved(_) | PassStop::Stopped) | None => {}
        }
        let saved = async {
            let state = self.store.mailbox(mailbox).await?;
            let parked = Some(Parked {
                since: state.parked.as_ref().map_or(now, |parked| parked.since),
                until,
                code,
                message: message.clone(),
                hint,
                asked,
            });
            self.store.save_mailbox(&MailboxState { parked, parked_times: times, ..state }).await
        };
        if let Err(error) = saved.await {
            emit_state_error(&error);
        }
    }

    fn summarise(&mut self, report: PassReport) {
        let Some(summary) = &mut self.once else { return };
        let entry = summary.mailboxes.entry(report.mailbox).or_default();
        entry.done.created += report.done.created;
        entry.done.updated += report.done.updated;
        entry.done.deleted += report.done.deleted;
        entry.requests += report.requests;
        entry.held = report.planned.hold;
        entry.quarantined = report.planned.quarantine;
        entry.kept = report.planned.keep;
        entry.done.failed = report.done.failed;
        entry.waiting = report.waiting;
        entry.stop = report.stop;
    }
}

/// Whether the server took the credential in this pass. A pass that sent nothing, or had no answer, says nothing.
fn proves_the_credential(report: &PassReport) -> bool {
    let answered = match &report.stop {
        None | Some(PassStop::Moved(_)) => true,
        Some(PassStop::Fault(fault)) => takes_the_credential(fault),
        Some(PassStop::State(_) | PassStop::Plan(_) | PassStop::Violation(_) | PassStop::Stopped) => false,
    };
    answered && report.requests > 0
}

fn stop_code(report: &PassReport) -> String {
    match &report.stop {
        Some(PassStop::Fault(fault)) => fault.code.clone(),
        Some(PassStop::State(_)) => "StateError".to_owned(),
        Some(PassStop::Plan(_)) => "OwnedByAnother".to_owned(),
        Some(PassStop::Violation(_)) => "PlanRefused".to_owned(),
        Some(PassStop::Moved(_)) => "PlanMoved".to_owned(),
        Some(PassStop::Stopped) | None => String::new(),
    }
}

fn stop_hint(report: &PassReport) -> Option<String> {
    match &report.stop {
        Some(PassStop::Fault(fault)) => fault.hint.clone(),
        Some(PassStop::State(error)) => Some(error.hint().to_owned()),
        Some(PassStop::Plan(_)) => Some("stop the other instance, or leave this mailbox to it".to_owned()),
        Some(PassStop::Violation(_)) => Some("this is a defect of calsyncd: please report it with the plan".to_owned()),
        Some(PassStop::Moved(_) | PassStop::Stopped) | None => None,
    }
}

pub(super) fn emit_state_error(error: &StateError) {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    StateErrorEvent { reason: &format!("{error}: {cause}") }.emit();
}
