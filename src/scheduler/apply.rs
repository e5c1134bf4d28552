//! What a pass writes: batch by batch intents → requests → links, and the cursor with the last of them.

use std::sync::Arc;

use super::{
    history::{decided, not_sent},
    notes::Notes,
    outcomes::{Batch, Known, Settled, rank, settle_outcomes},
    pass::{Done, Pass, PassStop},
    planning::Planned,
};
use crate::{
    gateway::Write,
    model::{
        echo::Echo,
        fault::{Fault, FaultKind, FaultScope},
        fingerprint::Field,
        history::Entry,
        link::{Intent, Verb},
        occurrences::WrittenOccurrences,
    },
    plan::{Action, Plan},
    state::{Advance, MailboxState, Settlement},
};

impl Pass {
    /// Writes what a plan says, to the state and to the calendar. `end` is what is known of the mailbox once all of it is
    /// written; it goes with the last links, or with the notes where there is nothing to send.
    pub(super) async fn apply(
        &self,
        made: &Planned,
        mut notes: Notes,
        mut end: MailboxState,
        done: &mut Done,
    ) -> Result<(), PassStop> {
        let mut left_over: Option<Fault> = None;
        let mut batches = self.batches(&made.plan).into_iter();
        let mut next = batches.next();
        let mut stopped = next.is_some() && self.stop.is_cancelled();
        let now = self.clock.now();
        end.finished_at = Some(now);
        let first = next.as_ref().filter(|_| !stopped);
        let intents = first.map_or(&[][..], |batch| &batch.intents);
        notes.tell(first.map_or(&[][..], |batch| &batch.decisions));
        let step = Advance { intents, end: next.is_none().then_some(&end), ..notes.step() };
        self.store.advance(&self.mailbox, &step, now).await?;
        while let (Some(batch), false) = (next.take(), stopped) {
            if self.stop.is_cancelled() {
                self.drop_batch(&batch).await?;
                return Err(PassStop::Stopped);
            }
            let answers = self.way.gateway.apply(&made.calendar, &batch.writes).await;
            let Settled { settlements, mut entries, worst } = settle_outcomes(self, &batch, answers, done);
            next = batches.next();
            stopped = next.is_some() && self.stop.is_cancelled();
            let goes_on = !stopped && worst.as_ref().is_none_or(|fault| fault.scope == FaultScope::Item);
            // The intents of the next batch go with the links of this one: one commit for both.
            let following = next.as_ref().filter(|_| goes_on);
            let intents = following.map_or(&[][..], |next| &next.intents);
            entries.extend(following.into_iter().flat_map(|next| next.decisions.iter().cloned()));
            let is_done = next.is_none() && left_over.is_none() && worst.as_ref().is_none_or(is_settled);
            let now = self.clock.now();
            end.finished_at = Some(now);
            let end = is_done.then_some(&end);
            let step = Advance { settlements: &settlements, intents, entries: &entries, end, ..Advance::default() };
            self.store.advance(&self.mailbox, &step, now).await?;
            self.progress.written(&self.mailbox, batch.writes.len());
            match worst {
                None => {}
                // It waits in the quarantine: the pass is as good as it can be.
                Some(fault) if is_settled(&fault) => {}
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

    /// Ends the intents of writes of which nothing was sent.
    async fn drop_batch(&self, batch: &Batch) -> Result<(), PassStop> {
        let now = self.clock.now();
        let entries: Vec<Entry> = batch.intents.iter().map(|intent| not_sent(&self.mailbox, intent, now)).collect();
        let dropped: Vec<_> = batch.intents.iter().map(|intent| Settlement::Dropped(intent.key.clone())).collect();
        let step = Advance { settlements: &dropped, entries: &entries, ..Advance::default() };
        Ok(self.store.advance(&self.mailbox, &step, now).await?)
    }

    /// The writes of a plan in batches, each with its intents and what the history is told of its decisions.
    fn batches(&self, plan: &Plan) -> Vec<Batch> {
        let now = self.clock.now();
        let mut batches = batches(plan, self.way.gateway.batch_limits().writes);
        let decisions = &plan.decisions;
        for batch in &mut batches {
            let found = batch.intents.iter().filter_map(|intent| {
                let at = decisions.binary_search_by(|decision| decision.key.cmp(&intent.key)).ok()?;
                Some(decided(&self.mailbox, &decisions[at], self.view.is_cancelled(&intent.key), now))
            });
            batch.decisions = found.collect();
        }
        batches
    }
}

/// Whether a fault leaves nothing to do for this pass.
fn is_settled(fault: &Fault) -> bool {
    fault.scope == FaultScope::Item && fault.kind == FaultKind::Permanent
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
                    generation: *generation,
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
