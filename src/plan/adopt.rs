//! Links from what a calendar says, where the state does not know it.

use super::{
    Inputs, PlanError, ends,
    known::{Inventory, Known, inventory, whole},
};
use crate::model::{
    key::SourceKey,
    link::{FoundItem, ItemRef, Link, Owner},
    snapshot::Snapshot,
};

/// What a calendar says of our items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The links to write.
    pub links: Vec<Link>,
    /// The copies that users made.
    pub copies: Vec<String>,
    /// How many of each sort.
    pub counts: Adopted,
}

/// How many items of each sort a calendar holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Items that had no link and have one now.
    pub linked: usize,
    /// Items that are as their links say.
    pub known: usize,
    /// Items that were written after their links, which are put right.
    pub corrected: usize,
    /// Items that somebody changed: the next pass repairs them.
    pub changed: usize,
    /// Items that links tell of and that are not there: the next pass decides.
    pub missing: usize,
    /// Items without a link that are not wanted now: the next pass holds those that their sources do not hold.
    pub unwanted: usize,
    /// Copies that users made.
    pub copies: usize,
}

/// What a whole reading says of our items. An item is linked only when its source wants it: when another one ended is not
/// known, so that its removal is an operator's to decide.
///
/// # Errors
/// When the calendar is kept by another instance.
pub fn adopt(inputs: &Inputs<'_>) -> Result<Adoption, PlanError> {
    let Inventory { known, copies } = inventory(inputs)?;
    let mut counts = Adopted { copies: copies.len(), ..Adopted::default() };
    let mut links = Vec::new();
    for known in known {
        match known {
            Known::Intact(_) => counts.known += 1,
            Known::Changed { .. } => counts.changed += 1,
            Known::Missing(_) => counts.missing += 1,
            Known::Newer(link) => {
                counts.corrected += 1;
                let ends = wanted_end(inputs, &link.key).unwrap_or(link.ends);
                links.push(Link { ends, ..*link });
            }
            // It has a link that does not say which version: see `Known::Unlinked`.
            Known::Unlinked(link) if inputs.links.binary_search_by(|one| one.key.cmp(&link.key)).is_ok() => {
                counts.known += 1;
                links.push(*link);
            }
            Known::Unlinked(link) => match wanted_end(inputs, &link.key) {
                Some(ends) => {
                    counts.linked += 1;
                    links.push(Link { ends, ..*link });
                }
                None => counts.unwanted += 1,
            },
        }
    }
    Ok(Adoption { links, copies, counts })
}

/// When the event of a key ends, where its source wants an item for it.
fn wanted_end(inputs: &Inputs<'_>, key: &SourceKey) -> Option<jiff::Timestamp> {
    let desired = inputs.desired.binary_search_by(|event| event.key.cmp(key)).ok();
    let event = desired.and_then(|place| inputs.desired.get(place)).or_else(|| inputs.scope.outside.get(key));
    event.map(|event| ends(event))
}

/// The items that carry the name of another instance than `owner`, and the copies that users made, which stay as they are.
#[must_use]
pub fn foreign(links: &[Link], snapshot: &Snapshot, owner: &Owner) -> (Vec<ItemRef>, Vec<String>) {
    let found: &[FoundItem] = match snapshot {
        Snapshot::NotRead => &[],
        Snapshot::Changes { ours: found, .. } | Snapshot::Whole(found) => found,
    };
    let copies = whole(links, found).copies;
    let is_foreign = |item: &&FoundItem| item.is_of_another(owner) && copies.binary_search(&item.item.id).is_err();
    (found.iter().filter(is_foreign).map(|item| item.item.clone()).collect(), copies)
}
