//! What a pass writes: to the state what its plan says, then batch by batch intents → requests → links.

use std::sync::Arc;

use super::{
    outcomes::{Batch, Known, rank, settle_outcomes},
    pass::{Done, Pass, PassStop},
    planning::Planned,
};
use crate::{
    gateway::Write,
    model::{
        address::Address,
        echo::Echo,
        fault::{Fault, FaultKind, FaultScope},
        fingerprint::Field,
        key::SourceKey,
        link::{Intent, Verb},
        occurrences::WrittenOccurrences,
    },
    observability::events::{DeletionsHeld, DriftFound, PlanMade},
    plan::{Action, CreateReason, Decision, KeepReason, Plan, QuarantineReason, UpdateReason},
    state::Settlement,
};

impl Pass {
    /// Writes down what the plan says without a write to the calendar: found and forgotten links, held deletions.
    pub(super) async fn note_plan(&self, Planned { plan, is_whole, .. }: &Planned) -> Result<(), PassStop> {
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
        settlements.extend(plan.learnt.iter().cloned().map(Settlement::Linked));
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

/// The writes of a plan in the order in which they are carried out: creates, updates, deletes.
fn batches(plan: &Plan, size: usize) -> Vec<Batch> {
    let mut decisions: Vec<(Write, Intent, Known)> = Vec::new();
    for decision in &plan.decisions {
        let key = decision.key.clone();
        match &decision.action {
            Action::Create { event, generation, repairs, .. } => {
                let write = Write::Create { event: Arc::clone(event), generation: *generation };
                let ends = crate::plan::ends(event);
                let intent = Intent { key, verb: Verb::Create, generation: *generation, ends, repairs: *repairs };
                let known = Known {
                    occurrences: WrittenOccurrences::of(event),
                    echo: Echo::after_write(None, event, &Field::ALL),
                };
                decisions.push((write, intent, known));
            }
            Action::Update { event, item, generation, fields, occurrences, written, echo, repairs, .. } => {
                let write = Write::Update {
                    item: item.clone(),
                    event: Arc::clone(event),
                    fields: fields.clone(),
                    occurrences: occurrences.clone(),
                };
                let ends = crate::plan::ends(event);
                let intent = Intent { key, verb: Verb::Update, generation: *generation, ends, repairs: *repairs };
                decisions.push((write, intent, Known { occurrences: written.clone(), echo: echo.clone() }));
            }
            Action::Delete { item, link, .. } => {
                let write = Write::Delete { key: key.clone(), item: item.clone() };
                let (generation, ends, repairs) = (link.generation, link.ends, link.repairs);
                let intent = Intent { key, verb: Verb::Delete, generation, ends, repairs };
                decisions.push((write, intent, Known::default()));
            }
            Action::Hold { .. } | Action::Keep { .. } | Action::Forget | Action::Quarantine { .. } => {}
        }
    }
    decisions.sort_by_key(|(_, intent, _)| intent.verb);
    let mut batches: Vec<Batch> = Vec::new();
    for (write, intent, known) in decisions {
        if batches.last().is_none_or(|batch| batch.writes.len() >= size.max(1)) {
            batches.push(Batch::default());
        }
        if let Some(batch) = batches.last_mut() {
            batch.writes.push(write);
            batch.intents.push(intent);
            batch.known.push(known);
        }
    }
    batches
}
