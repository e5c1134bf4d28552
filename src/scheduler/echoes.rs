//! Looks at items: before a plan is made, at those of which it has to know more; after its writes, at those that were repaired
//! although nobody knew what the server shows of them, so that it is known from then on.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    pass::{Pass, PassStop},
    planning::Planned,
};
use crate::{
    gateway::Calendar,
    model::{
        echo::Echo,
        link::{ItemRef, Link},
        shown::Seen,
        snapshot::Snapshot,
    },
    plan::{Action, Decision, Inputs, Plan, UpdateReason, learnt, looks},
    state::Settlement,
};

/// Items that one pass looks at only to learn what the server shows of them.
const LEARN_MAX: usize = 1000;

/// Items by their ids.
pub(super) type AllSeen = BTreeMap<String, Seen>;

impl Pass {
    /// Looks at the items that a plan has to know more of, of which `unseen` is what it would be without. A pass that creates
    /// learns nothing: a first push is not slowed; nor does one that is `stamped`.
    pub(super) async fn look_at(
        &self,
        calendar: &Calendar,
        inputs: &Inputs<'_>,
        unseen: &Plan,
        stamped: bool,
    ) -> Result<AllSeen, PassStop> {
        let creates = unseen.counts().create > 0;
        let mut items = looks(inputs, if creates || stamped { 0 } else { LEARN_MAX })?;
        if *inputs.snapshot == Snapshot::NotRead {
            items.extend(changed(unseen));
            items.sort_unstable_by(|one, other| one.id.cmp(&other.id));
            items.dedup_by(|one, other| one.id == other.id);
        }
        self.look(calendar, &items).await
    }

    async fn look(&self, calendar: &Calendar, items: &[ItemRef]) -> Result<AllSeen, PassStop> {
        if items.is_empty() {
            return Ok(AllSeen::new());
        }
        let seen = self.way.gateway.look(calendar, items).await?;
        Ok(seen.into_iter().map(|seen| (seen.item.id.clone(), seen)).collect())
    }

    /// Learns at once what the server shows of the items that were repaired in every field, for want of that. A server that
    /// changes an item by itself after each write would else have it repaired for ever.
    pub(super) async fn learn_repaired(&self, made: &Planned) -> Result<(), PassStop> {
        let mut repaired = BTreeMap::new();
        for Decision { key, action } in &made.plan.decisions {
            // What the source says: the event that was written may hold what a user keeps.
            let wanted = || self.desired.binary_search_by(|event| event.key.cmp(key)).ok();
            if let Action::Update { reason: UpdateReason::ChangedInOutlook, echo, .. } = action
                && !echo.as_ref().is_some_and(Echo::is_something)
                && let Some(place) = wanted()
            {
                repaired.insert(key, &self.desired[place]);
            }
        }
        if repaired.is_empty() {
            return Ok(());
        }
        let links: Vec<Link> = self.store.links(&self.mailbox).await?;
        let waiting: BTreeSet<_> =
            self.store.intents(&self.mailbox).await?.into_iter().map(|intent| intent.key).collect();
        let links: Vec<&Link> =
            links.iter().filter(|link| repaired.contains_key(&link.key) && !waiting.contains(&link.key)).collect();
        let items: Vec<ItemRef> = links.iter().map(|link| link.item.clone()).collect();
        let seen = self.look(&made.calendar, &items).await?;
        let known = links.iter().filter_map(|link| learnt(&seen, repaired.get(&link.key)?, link));
        let settlements: Vec<Settlement> = known.map(Settlement::Linked).collect();
        Ok(self.store.settle(&self.mailbox, &settlements, self.clock.now()).await?)
    }
}

/// The items that a plan changes. Where nothing was read somebody may have changed them: after a write of other fields nobody
/// would know.
fn changed(plan: &Plan) -> impl Iterator<Item = ItemRef> {
    plan.decisions.iter().filter_map(|decision| match &decision.action {
        Action::Update { item, .. } => Some(item.clone()),
        Action::Create { .. }
        | Action::Delete { .. }
        | Action::Hold { .. }
        | Action::Keep { .. }
        | Action::Forget
        | Action::Quarantine { .. } => None,
    })
}
