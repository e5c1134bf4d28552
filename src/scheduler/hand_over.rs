//! An event that is another person's now: created there before it is deleted here.

use std::collections::{BTreeMap, BTreeSet};

use super::{notes::Notes, pass::Pass, view::View};
use crate::{
    model::{
        address::Address,
        fingerprint::Fingerprint,
        key::SourceKey,
        link::{ItemRef, Link},
    },
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
    /// until one does. Destinations outside of the roll-out are not waited for, since nothing is written there. What of the
    /// `links` has another name by now is noted as such.
    pub(super) async fn keep_until_handed_over(
        &self,
        plan: &mut Plan,
        links: &[Link],
        notes: &mut Notes,
    ) -> Result<Waiting, StateError> {
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
        let (waiting, stays) = take_out(plan, &self.view, &awaited, &written);
        notes.link(renamed(links, stays));
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
) -> (Waiting, Vec<(Link, ItemRef)>) {
    let (mut waiting, mut stays) = (Waiting::default(), Vec::new());
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
        if let Action::Delete { item, link, .. } = &decision.action {
            stays.push((link.clone(), item.clone()));
        }
        false
    });
    (waiting, stays)
}

/// The links of items that stay and that somebody changed or moved meanwhile. No later reading tells of it again: should such an
/// item be wanted here after all, all of it is written.
fn renamed(links: &[Link], stays: Vec<(Link, ItemRef)>) -> impl Iterator<Item = Link> {
    let is_news = |(link, item): &(Link, ItemRef)| {
        let known = links.binary_search_by(|known| known.key.cmp(&link.key)).ok().map(|at| &links[at]);
        known.is_some_and(|known| known.item != *item)
    };
    let follow = |(link, item)| Link { item, fingerprint: Fingerprint::unknown(), echo: None, ..link };
    stays.into_iter().filter(is_news).map(follow)
}

#[cfg(test)]
mod tests {
    use super::renamed;
    use crate::model::{
        fingerprint::Fingerprint,
        key::{Kind, SourceKey},
        link::{ItemRef, Link},
    };

    #[test]
    fn what_stays_is_known_by_the_name_that_it_has_now() {
        let item = |id: &str, change_key: &str| ItemRef { id: id.to_owned(), change_key: change_key.to_owned() };
        let link = |id: &str| {
            let key = SourceKey::new("erp", Kind::Appointment, id);
            Link { generation: 7, ..Link::new(key, item(id, "1"), Fingerprint::unknown()) }
        };
        let links = [link("edited"), link("moved"), link("same")];
        let found = [item("edited", "2"), item("elsewhere", "1"), item("same", "1"), item("orphan", "1")];
        let stays = links.iter().cloned().chain([link("orphan")]).zip(found.clone()).collect();
        let news: Vec<(ItemRef, i64)> = renamed(&links, stays).map(|link| (link.item, link.generation)).collect();
        let [edited, elsewhere, ..] = found;
        assert_eq!(news, [(edited, 7), (elsewhere, 7)]);
    }
}
