//! Events that other items show than before: one change of one event, however many items it was.

use std::collections::HashSet;

use super::{Action, DeleteReason, Inputs, Plan};
use crate::model::key::SourceKey;

/// Turns the reason of deletions whose event the same calendar shows by other items.
pub(super) fn tell<'a>(plan: &mut Plan, desired: impl Iterator<Item = &'a SourceKey>) {
    let is_candidate = |action: &Action| {
        matches!(
            action,
            Action::Delete { reason: DeleteReason::DeletedInSource | DeleteReason::HandedOver, .. }
                | Action::Hold { reason: DeleteReason::DeletedInSource | DeleteReason::HandedOver, .. }
        )
    };
    if !plan.decisions.iter().any(|decision| is_candidate(&decision.action)) {
        return;
    }
    let shown = events(desired);
    for decision in plan.decisions.iter_mut().filter(|decision| shown.contains(&decision.key.event())) {
        if !is_candidate(&decision.action) {
            continue;
        }
        if let Action::Delete { reason, .. } | Action::Hold { reason, .. } = &mut decision.action {
            *reason = DeleteReason::Reshaped;
        }
    }
}

/// The events that these keys show, as a whole or in part.
pub(super) fn events<'a>(keys: impl Iterator<Item = &'a SourceKey>) -> HashSet<SourceKey> {
    keys.map(SourceKey::event).collect()
}

/// How much the deletions of a plan weigh: an event that is shown otherwise now counts once, what was approved not at all.
pub(super) fn weight(plan: &Plan, inputs: &Inputs<'_>) -> usize {
    let mut items = 0;
    let mut reshaped = HashSet::new();
    for decision in plan.decisions.iter().filter(|decision| !inputs.is_approved(&decision.key)) {
        match &decision.action {
            Action::Delete { reason: DeleteReason::Reshaped, .. } => {
                reshaped.insert(decision.key.event());
            }
            Action::Delete { .. } => items += 1,
            Action::Create { .. }
            | Action::Update { .. }
            | Action::Hold { .. }
            | Action::Keep { .. }
            | Action::Forget
            | Action::Quarantine { .. } => {}
        }
    }
    items + reshaped.len()
}
