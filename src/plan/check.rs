//! Reads a plan before it runs: rules that hold whatever made the plan.

use std::collections::HashSet;

use super::{Action, Inputs, Plan, decide::is_braked};
use crate::model::key::SourceKey;

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
    /// More deletes than the brake lets through.
    #[error("{deletions} of {base} items would be deleted, more than the brake allows")]
    OverTheBrake {
        /// Deletes of the plan.
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
    let deletions = plan.counts().delete;
    // Asked about writes only: a plan without any needs no list.
    let (mut desired, mut links) = (HashSet::new(), HashSet::new());
    if plan.counts().changes() > 0 {
        desired = inputs.desired.iter().map(|event| &event.key).collect();
        links = inputs.links.iter().map(|link| &link.key).collect();
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
            Action::Update { event, item, .. } => {
                violations
                    .extend((!desired.contains(key) || event.key != *key).then(|| Violation::NotDesired(key.clone())));
                Some(item)
            }
            Action::Delete { item, .. } => {
                violations.extend(desired.contains(key).then(|| Violation::DeleteOfDesired(key.clone())));
                violations.extend((!links.contains(key)).then(|| Violation::DeleteWithoutLink(key.clone())));
                let complete = inputs.scope.complete.contains(key.source());
                violations.extend((!complete).then(|| Violation::DeleteOnIncompleteRead(key.clone())));
                let braked = inputs.scope.braked.contains(key.source());
                violations.extend(braked.then(|| Violation::DeleteOfBrakedSource(key.clone())));
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
