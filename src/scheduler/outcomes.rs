//! From the outcomes of a batch to links, and to what is left to do.

use jiff::{SignedDuration, Timestamp};

use super::{
    history::answered,
    pass::{Done, Pass},
};
use crate::{
    gateway::{Answer, Outcome, Write},
    model::{
        echo::Echo,
        fault::{Fault, FaultKind, FaultScope},
        fingerprint::Fingerprint,
        history::Entry,
        key::SourceKey,
        link::{Intent, ItemRef, Link, Verb},
        occurrences::WrittenOccurrences,
    },
    observability::events::{ItemWriteError, ItemWritten},
    state::{Settlement, Settlements},
};

/// After this long a refused write is tried once more, in case the server has changed its mind.
const REFUSAL_HOURS: i64 = 6;

/// Writes that are carried out together, and their intents, pair by pair.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) writes: Vec<Write>,
    pub(super) intents: Vec<Intent>,
    /// What is known of each item once its write is done to its end.
    pub(super) known: Vec<Known>,
    /// What the history is told of the decisions.
    pub(super) decisions: Vec<Entry>,
}

/// What a link says of an item beside what was written.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Of its occurrences.
    pub(super) occurrences: Option<WrittenOccurrences>,
    /// Of what the server shows of it.
    pub(super) echo: Option<Echo>,
}

/// What the answers to a batch leave.
#[derive(Debug)]
pub(super) struct Settled {
    /// What is to be written down of what is known. What is not known keeps its intent.
    pub(super) settlements: Settlements,
    /// What the history is told of the answers.
    pub(super) entries: Vec<Entry>,
    /// The fault that says what happens next: the one of the widest scope.
    pub(super) worst: Option<Fault>,
}

/// What the answers to a batch mean.
pub(super) fn settle_outcomes(pass: &Pass, batch: &Batch, answers: Vec<Answer>, done: &mut Done) -> Settled {
    let now = pass.clock.now();
    let mut settlements = Settlements::with_capacity(answers.len());
    let mut entries = Vec::with_capacity(answers.len());
    let mut worst: Option<Fault> = None;
    let decided = batch.writes.iter().zip(&batch.intents).zip(&batch.known);
    for (((write, intent), known), answer) in decided.zip(answers) {
        entries.push(answered(&pass.mailbox, intent, &answer, now));
        let (settled, fault) = settle(write, intent, known, answer.outcome, now);
        if fault.is_none() {
            done.count(intent.verb);
            ItemWritten { mailbox: pass.mailbox.as_str(), key: intent.key.as_str(), action: intent.verb.as_str() }
                .emit();
        }
        settlements.extend(settled);
        if let Some(fault) = fault {
            done.failed += 1;
            report(pass, &intent.key, intent.verb, &fault);
            if worst.as_ref().is_none_or(|worst| rank(&fault) > rank(worst)) {
                worst = Some(fault);
            }
        }
    }
    Settled { settlements, entries, worst }
}

/// The wider the scope the more it decides; of two alike, the one that is due again; then the longer wait.
pub(super) fn rank(fault: &Fault) -> (FaultScope, bool, Option<std::time::Duration>) {
    (fault.scope, fault.kind != FaultKind::Permanent, fault.wait())
}

fn settle(
    write: &Write,
    intent: &Intent,
    known: &Known,
    outcome: Outcome,
    now: Timestamp,
) -> (Settlements, Option<Fault>) {
    match outcome {
        Outcome::Written { item, fingerprint } => {
            let Known { occurrences, echo } = known.clone();
            let link = Link { occurrences, echo, ..link(intent, item, fingerprint) };
            (vec![Settlement::Linked(link)], None)
        }
        Outcome::Partly { item, fingerprint, fault } => {
            let mut settled = vec![Settlement::Linked(link(intent, item, fingerprint))];
            if fault.kind == FaultKind::Permanent {
                settled.extend(refusal(write, intent, &fault, now));
            }
            (settled, Some(fault))
        }
        Outcome::Gone => match intent.verb {
            Verb::Delete => (vec![Settlement::Unlinked(intent.key.clone())], None),
            // Its id may have changed: the intent stays, so that the next pass looks for the item by its key.
            Verb::Create | Verb::Update => {
                let kind = FaultKind::Transient { wait: None };
                let message = "the item is not under its id any more";
                (Settlements::new(), Some(Fault::new(FaultScope::Item, kind, "ItemGone", message)))
            }
        },
        Outcome::Failed(fault) => (failed(write, intent, &fault, now), Some(fault)),
    }
}

fn link(intent: &Intent, item: ItemRef, fingerprint: Fingerprint) -> Link {
    Link {
        generation: intent.generation,
        ends: intent.ends,
        repairs: intent.repairs,
        ..Link::new(intent.key.clone(), item, fingerprint)
    }
}

/// What a failed write leaves: nothing when nobody knows what became of it, so that its intent stays.
fn failed(write: &Write, intent: &Intent, fault: &Fault, now: Timestamp) -> Settlements {
    let dropped = || vec![Settlement::Dropped(intent.key.clone())];
    match (fault.kind, fault.scope) {
        (FaultKind::Doubtful { .. }, _) => Settlements::new(),
        (FaultKind::Permanent, FaultScope::Item) => {
            refusal(write, intent, fault, now).map_or_else(dropped, |refused| vec![refused])
        }
        (FaultKind::Permanent | FaultKind::Transient { .. } | FaultKind::NotAttempted, _) => dropped(),
    }
}

/// The refusal of a write, so that it is not sent at every pass; a delete has none.
fn refusal(write: &Write, intent: &Intent, fault: &Fault, now: Timestamp) -> Option<Settlement> {
    let (Write::Create { event, .. } | Write::Update { event, .. }) = write else { return None };
    Some(Settlement::Refused {
        key: intent.key.clone(),
        fingerprint: event.fingerprint(),
        code: fault.code.clone(),
        message: fault.message.clone(),
        retry_at: now.checked_add(SignedDuration::from_hours(REFUSAL_HOURS)).unwrap_or(Timestamp::MAX),
    })
}

fn report(pass: &Pass, key: &SourceKey, verb: Verb, fault: &Fault) {
    ItemWriteError {
        mailbox: pass.mailbox.as_str(),
        key: key.as_str(),
        action: verb.as_str(),
        code: &fault.code,
        reason: &fault.message,
        hint: fault.hint.as_deref(),
        request_id: fault.request_id.as_deref(),
    }
    .emit();
}
