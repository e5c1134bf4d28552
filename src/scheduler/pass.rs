//! One pass over one mailbox, the only place where effects are ordered:
//! settle what was left → read → plan → check → intents → apply → links.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    Progress, Wiring,
    copies::without_copies,
    expected::{Expected, told},
    hand_over::Waiting,
    outcomes::{Batch, rank, settle_outcomes},
    outside::moved_away,
    recovery::{self, Recovered},
    view::View,
};
use crate::{
    clock::Clock,
    gateway::{Calendar, Reading, Write},
    model::{
        address::Address,
        event::DesiredEvent,
        fault::{Fault, FaultKind, FaultScope},
        hold::Verdict,
        key::SourceKey,
        link::{FoundItem, Intent, Link, Verb},
        occurrences::WrittenOccurrences,
        snapshot::Snapshot,
    },
    observability::events::{DeletionsHeld, DriftFound, PlanMade},
    plan::{
        Action, Counts, CreateReason, Decision, Inputs, KeepReason, Part, Plan, PlanError, QuarantineReason, Refusal,
        Stamp, UpdateReason, Violation, check, plan, stamp,
    },
    state::{MailboxState, Settlement, StateError, Store},
};

/// What a pass works with.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) wiring: Arc<Wiring>,
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
    /// Which credential the pass ran with, in the engine's count.
    pub(super) epoch: u32,
    /// How many passes had ended when it began, in the engine's count.
    pub(super) began: u64,
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

/// What a plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be carried out.
    Apply,
    /// To be looked at: the calendar is read in any case, and nothing is written anywhere.
    Look,
}

/// A plan and what it was made from.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) calendar: Calendar,
    pub(super) state: MailboxState,
    pub(super) reading: Option<(Option<String>, Timestamp)>,
    /// Whether every item of ours in the calendar was seen.
    pub(super) is_whole: bool,
    /// What it was decided on, where somebody asks.
    pub(super) stamp: Option<Stamp>,
}

impl Pass {
    /// Runs the pass.
    pub(super) async fn run(self) -> PassReport {
        let started = self.clock.now();
        let mut done = Done::default();
        let mut planned = Counts::default();
        let mut waiting = Waiting::default();
        let result = tokio::select! {
            result = self.steps(&mut done, &mut planned, &mut waiting) => result,
            () = self.stopped_while_waiting() => Err(PassStop::Stopped),
        };
        if matches!(&result, Err(PassStop::Fault(fault)) if fault.scope != FaultScope::Item) {
            self.wiring.forget(&self.mailbox);
        }
        let elapsed = Duration::try_from(self.clock.now().duration_since(started)).unwrap_or_default();
        let requests = self.wiring.limiter.take_requests(&self.mailbox);
        PassReport {
            mailbox: self.mailbox,
            done,
            planned,
            requests,
            elapsed,
            stop: result.err(),
            waiting,
            epoch: self.epoch,
            began: self.began,
        }
    }

    /// Ends when the daemon stops and the pass waits for its next request: nothing of it is in flight then, and what it meant
    /// to send is in the intents.
    async fn stopped_while_waiting(&self) {
        self.stop.cancelled().await;
        self.wiring.limiter.close();
        self.wiring.limiter.waits(&self.mailbox).await;
    }

    async fn steps(&self, done: &mut Done, planned: &mut Counts, waiting: &mut Waiting) -> Result<(), PassStop> {
        let mut made = self.make_plan(Purpose::Apply).await?;
        *planned = made.plan.counts();
        if let Some(expected) = &self.expected {
            expected.check(made.stamp.as_ref())?;
        }
        self.note_plan(&made).await?;
        *waiting = self.keep_until_handed_over(&mut made.plan).await?;
        self.apply(&made, done).await?;
        let now = self.clock.now();
        let mut state = made.state;
        if let Some((cursor, read_at)) = made.reading {
            // What is in quarantine was not repaired: the same changes have to be read again.
            if planned.quarantine == 0 || state.read_at.is_none() {
                state.cursor = cursor;
            }
            state.read_at = Some(read_at);
        }
        state.finished_at = Some(now);
        state.parked = None;
        state.parked_times = 0;
        Ok(self.store.save_mailbox(&state).await?)
    }

    /// Reads and plans; writes nothing to the calendar, and to the state only for the purpose of applying the plan.
    pub(super) async fn make_plan(&self, purpose: Purpose) -> Result<Planned, PassStop> {
        let state = self.store.mailbox(&self.mailbox).await?;
        let calendar = self.open().await?;
        let links = self.store.links(&self.mailbox).await?;
        let Recovered { pending, settlements, links } = recovery::look(self, &calendar, links).await?;
        if purpose == Purpose::Apply {
            self.store.settle(&self.mailbox, &settlements, self.clock.now()).await?;
        }
        let holds = self.store.holds(Some(&self.mailbox)).await?;
        let verdicts = holds.iter().filter_map(|hold| Some((hold.key.clone(), hold.verdict()?))).collect();
        let reading = if is_orphan_approved(&verdicts, &links) {
            // Only a whole reading tells of it.
            Some(self.read_now(&calendar, None).await?)
        } else {
            self.read(&calendar, &state, purpose).await?
        };
        let asked = purpose == Purpose::Look || self.expected.is_some();
        let (plan, stamp) = self.plan(&links, reading.as_ref(), &pending, &verdicts, asked).await?;
        // Before this process creates anything in a calendar, it looks: the state may be an old copy, or the item restored.
        let unread = reading.is_none() && plan.counts().create > 0 && !self.wiring.has_read(&self.mailbox);
        let (plan, stamp, reading) = if unread {
            let reading = Some(self.read_now(&calendar, cursor(&state)).await?);
            let (plan, stamp) = self.plan(&links, reading.as_ref(), &pending, &verdicts, asked).await?;
            (plan, stamp, reading)
        } else {
            (plan, stamp, reading)
        };
        let is_whole = matches!(&reading, Some((Reading { snapshot: Snapshot::Whole(_), .. }, _)));
        let reading = reading.map(|(reading, read_at)| (reading.cursor, read_at));
        Ok(Planned { plan, calendar, state, reading, is_whole, stamp })
    }

    /// The plan, checked, and what it was decided on when `stamped`.
    async fn plan(
        &self,
        links: &[Link],
        reading: Option<&(Reading, Timestamp)>,
        pending: &BTreeMap<SourceKey, i64>,
        verdicts: &BTreeMap<SourceKey, Verdict>,
        stamped: bool,
    ) -> Result<(Plan, Option<Stamp>), PassStop> {
        let snapshot = reading.map_or(&Snapshot::NotRead, |(reading, _)| &reading.snapshot);
        let copies = self.store.copies(&self.mailbox).await?;
        let (snapshot, left) = without_copies(snapshot, &copies, links);
        let refusals = self.refusals().await?;
        let now = self.clock.now();
        let unwanted = unwanted(&self.desired, links, &snapshot);
        let mut scope = self.view.scope(&self.mailbox, unwanted.iter().map(|(key, _)| key));
        scope.outside = moved_away(&self.view, &self.wiring.jobs, &self.mailbox, &unwanted, now);
        let policy = self.wiring.policy(now);
        let inputs = Inputs {
            mailbox: &self.mailbox,
            owner: self.store.owner(),
            desired: &self.desired,
            links,
            snapshot: &snapshot,
            scope: &scope,
            refusals: &refusals,
            pending,
            verdicts,
            policy: &policy,
            now,
        };
        let mut plan = plan(&inputs)?;
        if let Some(violation) = check(&plan, &inputs).into_iter().next() {
            return Err(PassStop::Violation(violation));
        }
        let stamp = if stamped { Some(stamp(&inputs, &plan)?) } else { None };
        plan.copies.extend(left);
        Ok((plan, stamp))
    }

    async fn refusals(&self) -> Result<BTreeMap<SourceKey, Refusal>, StateError> {
        let refused = self.store.refusals(Some(&self.mailbox)).await?;
        let entry = |refused: crate::state::Refused| {
            let refusal = Refusal { fingerprint: refused.fingerprint, code: refused.code, retry_at: refused.retry_at };
            (refused.key, refusal)
        };
        Ok(refused.into_iter().map(entry).collect())
    }

    pub(super) async fn open(&self) -> Result<Calendar, PassStop> {
        if let Some(calendar) = self.wiring.calendar(&self.mailbox) {
            return Ok(calendar);
        }
        let calendar = self.wiring.gateway.open(&self.mailbox).await?;
        self.wiring.remember(calendar.clone());
        Ok(calendar)
    }

    /// Reads the calendar when that is due.
    async fn read(
        &self,
        calendar: &Calendar,
        state: &MailboxState,
        purpose: Purpose,
    ) -> Result<Option<(Reading, Timestamp)>, PassStop> {
        let now = self.clock.now();
        // A reading that lies in the future is one from before the clock was set back.
        let is_due = state.read_at.is_none_or(|read_at| {
            Duration::try_from(now.duration_since(read_at))
                .map_or(true, |since| since >= self.wiring.limits.drift_every)
        });
        if is_due || purpose == Purpose::Look || self.expected.is_some() {
            self.read_now(calendar, cursor(state)).await.map(Some)
        } else {
            Ok(None)
        }
    }

    pub(super) async fn read_now(
        &self,
        calendar: &Calendar,
        cursor: Option<&str>,
    ) -> Result<(Reading, Timestamp), PassStop> {
        let now = self.clock.now();
        let reading = self.wiring.gateway.read(calendar, cursor).await?;
        self.wiring.note_read(&self.mailbox);
        Ok((reading, now))
    }

    /// Writes down what the plan says without a write to the calendar: found and forgotten links, held deletions.
    async fn note_plan(&self, Planned { plan, is_whole, .. }: &Planned) -> Result<(), PassStop> {
        let now = self.clock.now();
        let counts = plan.counts();
        PlanMade {
            mailbox: self.mailbox.as_str(),
            create: counts.create as u64,
            update: counts.update as u64,
            delete: counts.delete as u64,
            held: counts.hold as u64,
            quarantined: counts.quarantine as u64,
            kept: counts.keep as u64,
        }
        .emit();
        let mut settlements = Vec::new();
        let mut held = Vec::new();
        for decision in &plan.decisions {
            drift(&self.mailbox, decision);
            match &decision.action {
                Action::Keep { link: Some(link), .. } => settlements.push(Settlement::Linked(link.clone())),
                Action::Forget => settlements.push(Settlement::Unlinked(decision.key.clone())),
                Action::Hold { .. } => held.push((decision.key.clone(), decision.action.reason())),
                Action::Create { .. }
                | Action::Update { .. }
                | Action::Delete { .. }
                | Action::Keep { .. }
                | Action::Quarantine { .. } => {}
            }
        }
        self.store.settle(&self.mailbox, &settlements, now).await?;
        self.store.note_copies(&self.mailbox, &plan.copies, *is_whole).await?;
        self.store.replace_holds(&self.mailbox, &held, |key| is_still_held(plan, *is_whole, key), now).await?;
        if !held.is_empty() {
            DeletionsHeld {
                mailbox: self.mailbox.as_str(),
                count: held.len() as u64,
                total: plan.brake_base as u64,
                reason: &held[0].1,
            }
            .emit();
        }
        self.progress.planned(&self.mailbox, counts.changes());
        Ok(())
    }

    pub(super) async fn apply(&self, made: &Planned, done: &mut Done) -> Result<(), PassStop> {
        let mut left_over: Option<Fault> = None;
        let mut batches = batches(&made.plan, self.wiring.gateway.batch_limits().writes).into_iter();
        let mut next = batches.next();
        let mut stopped = next.is_some() && self.stop.is_cancelled();
        if let (Some(first), false) = (&next, stopped) {
            self.store.intend(&self.mailbox, &first.intents).await?;
        }
        while let (Some(batch), false) = (next.take(), stopped) {
            if self.stop.is_cancelled() {
                // Nothing of it was sent.
                let dropped: Vec<_> = batch.intents.into_iter().map(|intent| Settlement::Dropped(intent.key)).collect();
                self.store.settle(&self.mailbox, &dropped, self.clock.now()).await?;
                return Err(PassStop::Stopped);
            }
            let outcomes = self.wiring.gateway.apply(&made.calendar, &batch.writes).await;
            let (settlements, worst) = settle_outcomes(self, &batch, outcomes, done);
            next = batches.next();
            stopped = next.is_some() && self.stop.is_cancelled();
            let goes_on = !stopped && worst.as_ref().is_none_or(|fault| fault.scope == FaultScope::Item);
            // The intents of the next batch go with the links of this one: one commit for both.
            let intents = next.as_ref().filter(|_| goes_on).map_or(&[][..], |next| &next.intents);
            self.store.advance(&self.mailbox, &settlements, intents, self.clock.now()).await?;
            self.progress.written(&self.mailbox, batch.writes.len());
            match worst {
                None => {}
                // It waits in the quarantine: the pass is as good as it can be.
                Some(fault) if fault.scope == FaultScope::Item && fault.kind == FaultKind::Permanent => {}
                Some(fault) if fault.scope == FaultScope::Item => {
                    let is_worse = left_over.as_ref().is_none_or(|before| rank(&fault) > rank(before));
                    left_over = if is_worse { Some(fault) } else { left_over };
                }
                Some(fault) => return Err(fault.into()),
            }
        }
        if stopped {
            return Err(PassStop::Stopped);
        }
        left_over.map_or(Ok(()), |fault| Err(fault.into()))
    }
}

/// The cursor to read from; one without a reading is of no use: everything is read anew.
fn cursor(state: &MailboxState) -> Option<&str> {
    state.read_at.and(state.cursor.as_deref())
}

/// Whether an item was approved to be removed that no link tells of.
fn is_orphan_approved(verdicts: &BTreeMap<SourceKey, Verdict>, links: &[Link]) -> bool {
    let is_linked = |key: &SourceKey| links.binary_search_by(|link| link.key.cmp(key)).is_ok();
    verdicts.iter().any(|(key, verdict)| *verdict == Verdict::Approved && !is_linked(key))
}

/// Whether a deletion that was held and is not held by this plan is nevertheless not settled.
fn is_still_held(plan: &Plan, is_whole: bool, key: &SourceKey) -> bool {
    match plan.decisions.binary_search_by(|decision| decision.key.cmp(key)) {
        Ok(at) => matches!(
            plan.decisions[at].action,
            // Until the item is gone, the approval counts.
            Action::Delete { .. } | Action::Keep { reason: KeepReason::SourceIncomplete, .. }
        ),
        // An orphan is seen by a whole reading only.
        Err(_) => !is_whole,
    }
}

/// Tells the log what somebody did to an item of ours.
fn drift(mailbox: &Address, decision: &Decision) {
    let kind = match &decision.action {
        Action::Create { reason: CreateReason::DeletedInOutlook, .. } => "deleted",
        Action::Update { reason: UpdateReason::ChangedInOutlook, .. } => "changed",
        Action::Quarantine { reason: QuarantineReason::RepairedTooOften } => "changed too often",
        Action::Create { .. }
        | Action::Update { .. }
        | Action::Delete { .. }
        | Action::Hold { .. }
        | Action::Keep { .. }
        | Action::Forget
        | Action::Quarantine { .. } => return,
    };
    DriftFound { mailbox: mailbox.as_str(), key: decision.key.as_str(), kind }.emit();
}

/// The keys that may be ours in the calendar and are not wanted there, and when what was written ends.
fn unwanted(desired: &[Arc<DesiredEvent>], links: &[Link], snapshot: &Snapshot) -> Vec<(SourceKey, Timestamp)> {
    let wanted: HashSet<&SourceKey> = desired.iter().map(|event| &event.key).collect();
    let found: &[FoundItem] = match snapshot {
        Snapshot::Whole(found) | Snapshot::Changes { ours: found, .. } => found,
        Snapshot::NotRead => &[],
    };
    // The end of what no link tells of is not known; what a link tells of the same key comes last, and counts.
    let found = found.iter().filter_map(|item| Some((SourceKey::parse(&item.key)?, Timestamp::MAX)));
    let written = found.chain(links.iter().map(|link| (link.key.clone(), link.ends)));
    let unwanted: BTreeMap<SourceKey, Timestamp> = written.filter(|(key, _)| !wanted.contains(key)).collect();
    unwanted.into_iter().collect()
}

/// The writes of a plan in the order in which they are carried out: creates, updates, deletes.
fn batches(plan: &Plan, size: usize) -> Vec<Batch> {
    let mut decisions: Vec<(Write, Intent, Option<WrittenOccurrences>)> = Vec::new();
    for decision in &plan.decisions {
        let key = decision.key.clone();
        match &decision.action {
            Action::Create { event, generation, repairs, .. } => {
                let write = Write::Create { event: Arc::clone(event), generation: *generation };
                let ends = crate::plan::ends(event);
                let intent = Intent { key, verb: Verb::Create, generation: *generation, ends, repairs: *repairs };
                decisions.push((write, intent, WrittenOccurrences::of(event)));
            }
            Action::Update { event, item, generation, fields, occurrences, written, repairs, .. } => {
                let write = Write::Update {
                    item: item.clone(),
                    event: Arc::clone(event),
                    fields: fields.clone(),
                    occurrences: occurrences.clone(),
                };
                let ends = crate::plan::ends(event);
                let intent = Intent { key, verb: Verb::Update, generation: *generation, ends, repairs: *repairs };
                decisions.push((write, intent, written.clone()));
            }
            Action::Delete { item, link, .. } => {
                let write = Write::Delete { key: key.clone(), item: item.clone() };
                let (generation, ends, repairs) = (link.generation, link.ends, link.repairs);
                let intent = Intent { key, verb: Verb::Delete, generation, ends, repairs };
                decisions.push((write, intent, None));
            }
            Action::Hold { .. } | Action::Keep { .. } | Action::Forget | Action::Quarantine { .. } => {}
        }
    }
    decisions.sort_by_key(|(_, intent, _)| intent.verb);
    let mut batches: Vec<Batch> = Vec::new();
    for (write, intent, occurrences) in decisions {
        if batches.last().is_none_or(|batch| batch.writes.len() >= size.max(1)) {
            batches.push(Batch::default());
        }
        if let Some(batch) = batches.last_mut() {
            batch.writes.push(write);
            batch.intents.push(intent);
            batch.occurrences.push(occurrences);
        }
    }
    batches
}
