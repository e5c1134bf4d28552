//! An event that is another person's now: created there before it is deleted here.

use std::collections::{BTreeMap, BTreeSet};

use super::{pass::Pass, view::View};
use crate::{
    model::{address::Address, key::SourceKey},
    observability::events::HandOverWaits,
    plan::{Action, DeleteReason, Plan},
    state::StateError,
};

/// The deletions that wait, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many items stay for now.
    pub count: u64,
    /// The mailboxes in which none of them is yet.
    pub destinations: BTreeSet<Address>,
}

/// What the state knows of the destinations: the keys of the items that are there.
type Written = BTreeMap<Address, BTreeSet<SourceKey>>;

impl Pass {
    /// Takes out of a plan the deletions of events that are handed over and that no destination shows yet: the items stay
    /// until one does. Destinations outside of the roll-out are not waited for, since nothing is written there.
    pub(super) async fn keep_until_handed_over(&self, plan: &mut Plan) -> Result<Waiting, StateError> {
        let destinations = |key: &SourceKey| {
            let mut all = self.view.destinations(&self.mailbox, key);
            all.retain(|destination| self.wiring.rollout.contains(destination));
            all
        };
        let awaited: BTreeMap<SourceKey, BTreeSet<Address>> = plan
            .decisions
            .iter()
            .filter(|decision| is_hand_over(&decision.action))
            .map(|decision| (decision.key.clone(), destinations(&decision.key)))
            .collect();
        let mut written = Written::new();
        for destination in awaited.values().flatten() {
            if !written.contains_key(destination) {
                written.insert(destination.clone(), self.store.linked_keys(destination).await?);
            }
        }
        let waiting = take_out(plan, &self.view, &awaited, &written);
        if waiting.count > 0 {
            let names: Vec<&str> = waiting.destinations.iter().map(Address::as_str).collect();
            let (mailbox, destinations) = (self.mailbox.as_str(), names.join(", "));
            HandOverWaits { mailbox, count: waiting.count, destinations: &destinations }.emit();
        }
        Ok(waiting)
    }
}

fn is_hand_over(action: &Action) -> bool {
    matches!(action, Action::Delete { reason: DeleteReason::HandedOver, .. })
}

fn take_out(
    plan: &mut Plan,
    view: &View,
    awaited: &BTreeMap<SourceKey, BTreeSet<Address>>,
    written: &Written,
) -> Waiting {
    let mut waiting = Waiting::default();
    plan.decisions.retain(|decision| {
        let destinations = awaited.get(&decision.key).filter(|_| is_hand_over(&decision.action));
        let Some(destinations) = destinations.filter(|destinations| !destinations.is_empty()) else { return true };
        let is_there = |destination: &Address| {
            let keys = written.get(destination);
            keys.is_some_and(|keys| view.is_written(destination, &decision.key, keys))
        };
        if destinations.iter().any(is_there) {
            return true;
        }
        waiting.count += 1;
        waiting.destinations.extend(destinations.iter().cloned());
        false
    });
    waiting
}
