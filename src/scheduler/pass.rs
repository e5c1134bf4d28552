//! One pass over one mailbox, the only place where effects are ordered:
//! settle what was left → read → look → plan → check → intents → apply → links.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    Progress, Way, Wiring,
    expected::{Expected, told},
    hand_over::Waiting,
    planning::Purpose,
    view::View,
};
use crate::{
    clock::Clock,
    model::{
        address::Address,
        event::DesiredEvent,
        fault::{Fault, FaultScope},
        link::Verb,
        side::Side,
    },
    plan::{Counts, Part, PlanError, Violation},
    state::{MailboxPlace, StateError, Store},
};

/// What a pass works with.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) wiring: Arc<Wiring>,
    /// The way to the mailbox.
    pub(super) way: Arc<Way>,
    /// Where its links were written; `None` while nobody knows.
    pub(super) noted: Option<MailboxPlace>,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: CancellationToken,
    pub(super) progress: Progress,
    pub(super) mailbox: Address,
    pub(super) epoch: u32,
    /// How many passes had ended when this one began.
    pub(super) began: u64,
    /// What the calendar should show, in the order of the keys.
    pub(super) desired: Arc<Vec<Arc<DesiredEvent>>>,
    /// What the sources say of keys that are not desired here.
    pub(super) view: Arc<View>,
    /// What a saved plan was decided on: nothing is written where that has moved.
    pub(super) expected: Option<Arc<Expected>>,
}

/// What a pass did.
#[derive(Debug)]
pub struct PassReport {
    /// Whose calendar it was.
    pub mailbox: Address,
    /// Items written, in the sense of [`Done`].
    pub done: Done,
    /// What the plan wanted.
    pub planned: Counts,
    /// Requests sent.
    pub requests: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// What stopped it, or is left to do.
    pub stop: Option<PassStop>,
    /// The deletions that wait for another mailbox.
    pub waiting: Waiting,
    /// Where the mailbox is: whose server and credential a fault is about.
    pub side: Side,
    /// Which credential of the side the pass ran with, in the engine's count.
    pub(super) epoch: u32,
    /// How many passes had ended when it began, in the engine's count.
    pub(super) began: u64,
}

impl PassReport {
    /// A pass that was stopped before it did anything on its side.
    pub(super) fn stopped(mailbox: Address, side: Side, stop: PassStop) -> Self {
        Self {
            mailbox,
            done: Done::default(),
            planned: Counts::default(),
            requests: 0,
            elapsed: Duration::ZERO,
            stop: Some(stop),
            waiting: Waiting::default(),
            side,
            epoch: 0,
            began: 0,
        }
    }
}

/// Items that were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the verbs")]
pub struct Done {
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
    /// Writes that were refused for good, or wait for another attempt.
    pub failed: u64,
}

impl Done {
    /// Creates, updates and deletes.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.created + self.updated + self.deleted
    }

    pub(super) fn count(&mut self, verb: Verb) {
        match verb {
            Verb::Create => self.created += 1,
            Verb::Update => self.updated += 1,
            Verb::Delete => self.deleted += 1,
        }
    }
}

/// Why a pass did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum PassStop {
    /// Outlook.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// No plan can be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan breaks a rule and is not carried out.
    #[error("the plan breaks a rule: {0}")]
    Violation(Violation),
    /// A saved plan was decided on something else.
    #[error("not carried out, because since the plan was saved {}", told(.0))]
    Moved(Vec<Part>),
    /// The daemon stops: the rest is due at the next start.
    #[error("stopped")]
    Stopped,
}

impl Pass {
    /// Runs the pass.
    pub(super) async fn run(self) -> PassReport {
        let started = self.clock.now();
        let mut done = Done::default();
        let mut planned = Counts::default();
        let mut waiting = Waiting::default();
        let result = tokio::select! {
            biased;
            result = self.steps(&mut done, &mut planned, &mut waiting) => result,
            () = self.stopped_while_waiting() => Err(PassStop::Stopped),
        };
        if matches!(&result, Err(PassStop::Fault(fault)) if fault.scope != FaultScope::Item) {
            self.way.forget(&self.mailbox);
        }
        let elapsed = Duration::try_from(self.clock.now().duration_since(started)).unwrap_or_default();
        let requests = self.way.limiter.take_requests(&self.mailbox);
        PassReport {
            mailbox: self.mailbox,
            done,
            planned,
            requests,
            elapsed,
            stop: result.err(),
            waiting,
            side: self.way.side,
            epoch: self.epoch,
            began: self.began,
        }
    }

    /// Ends when the daemon stops and the pass waits for its next request: nothing of it is in flight then, and what it meant
    /// to send is in the intents.
    async fn stopped_while_waiting(&self) {
        self.stop.cancelled().await;
        self.way.limiter.close();
        self.way.limiter.waits(&self.mailbox).await;
    }

    async fn steps(&self, done: &mut Done, planned: &mut Counts, waiting: &mut Waiting) -> Result<(), PassStop> {
        let mut made = self.make_plan(Purpose::Apply).await?;
        *planned = made.plan.counts();
        if let Some(expected) = &self.expected {
            expected.check(made.stamp.as_ref())?;
        }
        let mut notes = self.notes(&made);
        // Before the originals go: nothing else tells the copies from them.
        self.store.note_copies(&self.mailbox, &made.plan.copies, made.is_whole).await?;
        *waiting = self.keep_until_handed_over(&mut made.plan, &made.links, &mut notes).await?;
        let mut end = made.state.clone();
        if let Some((cursor, read_at)) = made.reading.clone() {
            // What is in quarantine, or could not be looked at, was not repaired: the same changes have to be read again.
            if made.plan.is_settled() || end.read_at.is_none() {
                end.cursor = cursor;
            }
            if made.has_orphans {
                // The next reading is to tell of them again.
                end.cursor = None;
            }
            end.read_at = Some(read_at);
        }
        end.parked = None;
        end.parked_times = 0;
        self.apply(&made, notes, end, done).await?;
        self.learn_repaired(&made).await
    }
}
