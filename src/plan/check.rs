//! Reads a plan before it runs: rules that hold whatever made the plan.

use std::collections::{HashMap, HashSet};

use jiff::civil::DateTime;

use super::{Action, DeleteReason, Inputs, Plan, decide::is_braked, reshaped};
use crate::model::{
    event::DesiredEvent,
    fingerprint::Field,
    hold::Verdict,
    key::SourceKey,
    link::Link,
    occurrences::{Occurrences, Written},
};

/// A rule that a plan breaks. Such a plan is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The plan is for another calendar.
    #[error("the plan is for another mailbox")]
    OtherMailbox,
    /// A key is decided twice.
    #[error("{0} is decided twice")]
    KeyTwice(SourceKey),
    /// An item is written twice.
    #[error("one item is written twice, the second time for {0}")]
    ItemTwice(SourceKey),
    /// A write for a key that is not desired here.
    #[error("{0} would be written although nobody asked for it here")]
    NotDesired(SourceKey),
    /// A delete of a key that is desired here.
    #[error("{0} would be deleted although it is wanted")]
    DeleteOfDesired(SourceKey),
    /// A delete without a link: nothing proves that the item is ours.
    #[error("{0} would be deleted without a link")]
    DeleteWithoutLink(SourceKey),
    /// A delete although the source was not read to its end.
    #[error("{0} would be deleted although its source was not read to its end")]
    DeleteOnIncompleteRead(SourceKey),
    /// A delete although the brake holds every deletion of the source.
    #[error("{0} would be deleted although the deletions of its source are held")]
    DeleteOfBrakedSource(SourceKey),
    /// A delete that an operator has rejected.
    #[error("{0} would be deleted although an operator has rejected that")]
    DeleteOfRejected(SourceKey),
    /// A delete for the reason that other items show the event, although none does.
    #[error("{0} would be deleted because other items show its event, but there are none")]
    NotShownOtherwise(SourceKey),
    /// Single occurrences of a series would be written although its pattern changes, or although nobody knows what the
    /// others say.
    #[error("single occurrences of {0} would be written, but the whole series is due")]
    SeriesIsDue(SourceKey),
    /// An occurrence that differs from what was written would be left as it is.
    #[error("the occurrence of {key} at {original} would be left out")]
    OccurrenceLeftOut {
        /// The series.
        key: SourceKey,
        /// The wall time at which the rule lets it start.
        original: DateTime,
    },
    /// More deletes than the brake lets through.
    #[error("{deletions} of {base} items would be deleted, more than the brake allows")]
    OverTheBrake {
        /// Deletes of the plan, where an event that other items show now counts once.
        deletions: usize,
        /// Links that count.
        base: usize,
    },
}

/// The rules that `plan` breaks; none for a sound plan.
#[must_use]
pub fn check(plan: &Plan, inputs: &Inputs<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    if plan.mailbox != *inputs.mailbox {
        violations.push(Violation::OtherMailbox);
    }
    let deletions = reshaped::weight(plan, inputs);
    // Asked about writes only: a plan without any needs no list.
    let (mut desired, mut links, mut shown) = (HashSet::new(), HashMap::new(), HashSet::new());
    if plan.counts().changes() > 0 {
        desired = inputs.desired.iter().map(|event| &event.key).collect();
        shown = reshaped::events(inputs.desired.iter().map(|event| &event.key));
        links = inputs.links.iter().map(|link| (&link.key, link)).collect();
    }
    let mut keys = HashSet::with_capacity(plan.decisions.len());
    let mut items = HashSet::new();
    for decision in &plan.decisions {
        let key = &decision.key;
        if !keys.insert(key) {
            violations.push(Violation::KeyTwice(key.clone()));
        }
        let item = match &decision.action {
            Action::Create { event, .. } => {
                violations
                    .extend((!desired.contains(key) || event.key != *key).then(|| Violation::NotDesired(key.clone())));
                None
            }
            Action::Update { event, item, fields, occurrences, .. } => {
                // What the source puts outside of the window moves its item, and makes none.
                let is_asked = desired.contains(key) || is_outside(inputs, event);
                violations.extend((!is_asked || event.key != *key).then(|| Violation::NotDesired(key.clone())));
                violations.extend(occurrence_left_out(event, fields, occurrences, links.get(key).copied()));
                Some(item)
            }
            Action::Delete { item, reason, .. } => {
                violations.extend(delete(key, *reason, inputs, (&desired, &shown), links.contains_key(key)));
                Some(item)
            }
            Action::Hold { .. } | Action::Keep { .. } | Action::Forget | Action::Quarantine { .. } => None,
        };
        if item.is_some_and(|item| !items.insert(item.id.as_str())) {
            violations.push(Violation::ItemTwice(key.clone()));
        }
    }
    if is_braked(deletions, plan.brake_base, inputs.policy) {
        violations.push(Violation::OverTheBrake { deletions, base: plan.brake_base });
    }
    violations
}

/// Whether an event is what its source puts outside of the window; what a user keeps of it is not its source's.
fn is_outside(inputs: &Inputs<'_>, event: &DesiredEvent) -> bool {
    inputs.scope.outside.get(&event.key).is_some_and(|outside| outside.fingerprint() == event.fingerprint())
}

/// Names a rule that a delete of a key breaks.
type OfKey = fn(SourceKey) -> Violation;

/// The rules that a delete breaks. `wanted` are the keys that are desired, and the events that those show.
fn delete(
    key: &SourceKey,
    reason: DeleteReason,
    inputs: &Inputs<'_>,
    wanted: (&HashSet<&SourceKey>, &HashSet<SourceKey>),
    linked: bool,
) -> impl Iterator<Item = Violation> {
    let (desired, shown) = wanted;
    let scope = inputs.scope;
    // It carries our mark, and somebody has looked.
    let is_approved_orphan = reason == DeleteReason::Orphan && inputs.is_approved(key);
    let rules: [(bool, OfKey); 6] = [
        (desired.contains(key) || scope.outside.contains_key(key), Violation::DeleteOfDesired),
        (!linked && !is_approved_orphan, Violation::DeleteWithoutLink),
        (!scope.complete.contains(key.source()), Violation::DeleteOnIncompleteRead),
        (scope.braked.contains(key.source()) && !inputs.is_approved(key), Violation::DeleteOfBrakedSource),
        (inputs.verdicts.get(key) == Some(&Verdict::Rejected), Violation::DeleteOfRejected),
        (reason == DeleteReason::Reshaped && !shown.contains(&key.event()), Violation::NotShownOtherwise),
    ];
    let key = key.clone();
    rules.into_iter().filter(|(broken, _)| *broken).map(move |(_, violation)| violation(key.clone()))
}

/// The rule that a write of some occurrences of a series breaks.
fn occurrence_left_out(
    event: &DesiredEvent,
    fields: &[Field],
    occurrences: &Occurrences,
    link: Option<&Link>,
) -> Option<Violation> {
    let series = event.series.as_ref()?;
    let due = || Some(Violation::SeriesIsDue(event.key.clone()));
    let before = link.and_then(|link| link.occurrences.as_ref());
    let touched = match (occurrences, before) {
        (Occurrences::All, _) => return None,
        (Occurrences::Fresh, Some(before)) if before.is_empty() => return None,
        (Occurrences::Fresh, _) | (Occurrences::Only(_), None) => return due(),
        (Occurrences::Only(touched), Some(_)) => touched,
    };
    if fields.iter().any(|field| matches!(field, Field::Time | Field::Recurrence)) {
        return due();
    }
    let before: HashMap<DateTime, Written> = before?.as_slice().iter().copied().collect();
    let wanted: HashMap<DateTime, Written> =
        series.exceptions.iter().map(|exception| (exception.original, Written::of(&exception.change))).collect();
    let is_cancelled = |original| wanted.get(original) == Some(&Written::Cancelled);
    if before.iter().any(|(original, written)| *written == Written::Cancelled && !is_cancelled(original)) {
        return due();
    }
    let touched: HashSet<&DateTime> = touched.iter().collect();
    let now = |original: &DateTime| wanted.get(original).copied().unwrap_or(Written::AsTheRule);
    let mut originals = before.keys().chain(wanted.keys());
    let left_out = originals
        .find(|original| before.get(original).copied() != Some(now(original)) && !touched.contains(original))?;
    Some(Violation::OccurrenceLeftOut { key: event.key.clone(), original: *left_out })
}
