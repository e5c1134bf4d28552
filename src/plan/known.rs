//! Puts links and snapshot together: what do we know of each key's item?

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap, HashSet},
};

use super::{Inputs, PlanError};
use crate::model::{
    address::Address,
    fingerprint::Fingerprint,
    key::SourceKey,
    link::{FoundItem, ItemRef, Link, Owner},
    shown::Seen,
    snapshot::Snapshot,
};

/// What is known of the item of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known<'a> {
    /// It is as we left it.
    Intact(&'a Link),
    /// Somebody changed it: `item` is its name now.
    Changed {
        /// What we wrote.
        link: &'a Link,
        /// Its name now.
        item: &'a ItemRef,
    },
    /// It was written after its link: the state is an old copy. What the item says is the link to be.
    Newer(Box<Link>),
    /// It is gone.
    Missing(&'a Link),
    /// It is there, under our key, and no link names it, or its link does not say which version: what it says is the link to be.
    Unlinked(Box<Link>),
}

impl Known<'_> {
    /// The key.
    pub(super) fn key(&self) -> &SourceKey {
        match self {
            Self::Intact(link) | Self::Changed { link, .. } | Self::Missing(link) => &link.key,
            Self::Newer(link) | Self::Unlinked(link) => &link.key,
        }
    }
}

impl<'a> Known<'a> {
    /// Names an item as it was called when it was looked at: it may have changed since the reading.
    fn look(&mut self, seen: &'a BTreeMap<String, Seen>) {
        match self {
            Self::Intact(link) => {
                if let Some(seen) = seen.get(&link.item.id).filter(|seen| seen.item != link.item) {
                    *self = Self::Changed { link, item: &seen.item };
                }
            }
            Self::Changed { item, .. } => {
                if let Some(seen) = seen.get(&item.id) {
                    *item = &seen.item;
                }
            }
            Self::Newer(link) | Self::Unlinked(link) => {
                if let Some(seen) = seen.get(&link.item.id) {
                    link.item = seen.item.clone();
                }
            }
            Self::Missing(_) => {}
        }
    }
}

/// What a link says without a reading.
const fn at_its_word(link: &Link) -> Known<'_> {
    if link.deleted_at.is_some() { Known::Missing(link) } else { Known::Intact(link) }
}

/// What is known of every key, in the order of the keys, and the ids of copies that users made.
#[derive(Debug, Default)]
pub(super) struct Inventory<'a> {
    pub(super) known: Vec<Known<'a>>,
    pub(super) copies: Vec<String>,
}

impl Inventory<'_> {
    /// How many items were written after their links.
    pub(super) fn newer(&self) -> usize {
        self.known.iter().filter(|known| matches!(known, Known::Newer(_))).count()
    }
}

/// What links and snapshot say together.
pub(super) fn inventory<'a>(inputs: &Inputs<'a>) -> Result<Inventory<'a>, PlanError> {
    let links = inputs.links.iter();
    let mut inventory = match inputs.snapshot {
        Snapshot::NotRead => Inventory { known: links.map(at_its_word).collect(), copies: Vec::new() },
        Snapshot::Changes { changed, ours, gone } => {
            refuse_foreign_owner(inputs.mailbox, inputs.owner, ours)?;
            since_cursor(inputs.links, changed, ours, gone)
        }
        Snapshot::Whole(found) => {
            refuse_foreign_owner(inputs.mailbox, inputs.owner, found)?;
            whole(inputs.links, found)
        }
    };
    if !inputs.seen.is_empty() {
        inventory.known.iter_mut().for_each(|known| known.look(inputs.seen));
    }
    // Links come in this order already, so that this is cheap.
    inventory.known.sort_by(|one, other| one.key().cmp(other.key()));
    Ok(inventory)
}

/// What the changes since the last cursor say. An item of ours that is gone under its id may be there under another one: the
/// user moved it away and back, or took its deletion back.
fn since_cursor<'a>(
    links: &'a [Link],
    changed: &'a [ItemRef],
    ours: &'a [FoundItem],
    gone: &'a [String],
) -> Inventory<'a> {
    let changed: HashMap<&str, &ItemRef> = changed.iter().map(|item| (item.id.as_str(), item)).collect();
    let gone: HashSet<&str> = gone.iter().map(String::as_str).collect();
    let mut by_key: BTreeMap<&str, Vec<&FoundItem>> = BTreeMap::new();
    for item in ours {
        by_key.entry(item.key.as_str()).or_default().push(item);
    }
    let mut inventory = Inventory::default();
    for link in links {
        let candidates = by_key.remove(link.key.as_str()).unwrap_or_default();
        let there = changed.get(link.item.id.as_str()).copied();
        // What was found deleted stays so until a reading shows it again.
        let is_gone = gone.contains(link.item.id.as_str()) || link.deleted_at.is_some() && there.is_none();
        let restored = if is_gone { FoundItem::original(candidates.iter().copied()) } else { None };
        let named = candidates.iter().copied().find(|found| found.item.id == link.item.id);
        let known = match (is_gone, restored.or(named), there) {
            (_, Some(found), _) => linked(link, found),
            (true, None, _) => Known::Missing(link),
            (false, None, Some(item)) if item.change_key != link.item.change_key || link.deleted_at.is_some() => {
                Known::Changed { link, item }
            }
            (false, None, Some(_) | None) => Known::Intact(link),
        };
        let own = restored.map_or(link.item.id.as_str(), |found| found.item.id.as_str());
        let copies = candidates.iter().filter(|item| item.item.id != own);
        inventory.copies.extend(copies.map(|item| item.item.id.clone()));
        inventory.known.push(known);
    }
    for (key, candidates) in by_key {
        let ours = FoundItem::original(candidates.iter().copied());
        let (Some(key), Some(ours)) = (SourceKey::parse(key), ours) else { continue };
        inventory.copies.extend(others(&candidates, ours));
        inventory.known.push(Known::Unlinked(Box::new(link_of(key, ours))));
    }
    inventory.copies.sort();
    inventory
}

/// Refuses a calendar that holds items of another instance.
///
/// # Errors
/// Whose, and how many.
pub fn refuse_foreign_owner(mailbox: &Address, owner: &Owner, found: &[FoundItem]) -> Result<(), PlanError> {
    let foreign = found.iter().find(|item| item.is_of_another(owner));
    match foreign.and_then(|item| item.owner.clone()) {
        None => Ok(()),
        Some(owner) => Err(PlanError::OwnedByAnother {
            mailbox: mailbox.clone(),
            count: found.iter().filter(|item| item.owner.as_ref() == Some(&owner)).count(),
            owner: owner.0,
        }),
    }
}

pub(super) fn whole<'a>(links: &'a [Link], found: &'a [FoundItem]) -> Inventory<'a> {
    let mut by_key: Vec<&FoundItem> = found.iter().collect();
    by_key.sort_by(|one, other| one.key.cmp(&other.key));
    let links_by_key: HashMap<&str, &Link> = links.iter().map(|link| (link.key.as_str(), link)).collect();
    let mut inventory = Inventory::default();
    let mut found_keys = HashSet::with_capacity(found.len());
    for candidates in by_key.chunk_by(|one, other| one.key == other.key) {
        let Some(first) = candidates.first() else { continue };
        let link = links_by_key.get(first.key.as_str()).copied();
        let named = link.and_then(|link| candidates.iter().copied().find(|item| item.item.id == link.item.id));
        let Some(ours) = named.or_else(|| FoundItem::original(candidates.iter().copied())) else { continue };
        let known = match link {
            Some(link) => linked(link, ours),
            // Not a key of ours, whatever it says.
            None => match SourceKey::parse(&first.key) {
                Some(key) => Known::Unlinked(Box::new(link_of(key, ours))),
                None => continue,
            },
        };
        found_keys.insert(first.key.as_str());
        inventory.copies.extend(others(candidates, ours));
        inventory.known.push(known);
    }
    let missing = links.iter().filter(|link| !found_keys.contains(link.key.as_str()));
    inventory.known.extend(missing.map(Known::Missing));
    inventory.copies.sort();
    inventory
}

/// What the item of a link is. One that carries a later generation than the link is of a write that the state does not know,
/// and one that carries an earlier generation is of an old copy of the calendar.
fn linked<'a>(link: &'a Link, ours: &'a FoundItem) -> Known<'a> {
    let is_as_left = ours.item == link.item && link.deleted_at.is_none();
    match ours.generation.map(|generation| generation.cmp(&link.generation)) {
        Some(Ordering::Greater) => {
            let told = link_of(link.key.clone(), ours);
            Known::Newer(Box::new(Link { ends: link.ends, repairs: link.repairs, ..told }))
        }
        None | Some(Ordering::Equal) if is_as_left => Known::Intact(link),
        // Our name was being written on it: whatever version it has now is the one that the link means.
        None | Some(Ordering::Equal) if link.item.change_key.is_empty() && ours.item.id == link.item.id => {
            Known::Unlinked(Box::new(Link { item: ours.item.clone(), ..link.clone() }))
        }
        None | Some(Ordering::Equal | Ordering::Less) => Known::Changed { link, item: &ours.item },
    }
}

fn others<'a>(candidates: &'a [&FoundItem], ours: &FoundItem) -> impl Iterator<Item = String> + 'a {
    let ours = ours.item.id.clone();
    candidates.iter().filter(move |item| item.item.id != ours).map(|item| item.item.id.clone())
}

fn link_of(key: SourceKey, found: &FoundItem) -> Link {
    let link = Link::new(key, found.item.clone(), found.fingerprint.clone().unwrap_or_else(Fingerprint::unknown));
    Link { generation: found.generation.unwrap_or(link.generation), ..link }
}
