//! Intents that were left: a crash, a lost answer. Look first, then decide.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    history::looked_up,
    pass::{Pass, PassStop},
};
use crate::{
    gateway::Calendar,
    model::{
        fingerprint::Fingerprint,
        history::Entry,
        key::SourceKey,
        link::{FoundItem, Intent, Link, Verb},
    },
    observability::events::IntentResolved,
    plan::refuse_foreign_owner,
    state::{Settlement, Settlements},
};

/// What the calendar says of the intents of a mailbox.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    /// Creates that were not found, with their generations: they are sent again as they were.
    pub(super) pending: BTreeMap<SourceKey, i64>,
    /// What is to be written to the state.
    pub(super) settlements: Settlements,
    /// What the history is told of it.
    pub(super) entries: Vec<Entry>,
    /// The links once that is written.
    pub(super) links: Vec<Link>,
}

/// Looks every intent of the mailbox up in the calendar; without one, none of their items is there.
pub(super) async fn look(pass: &Pass, calendar: Option<&Calendar>, links: Vec<Link>) -> Result<Recovered, PassStop> {
    let intents = pass.store.intents(&pass.mailbox).await?;
    if intents.is_empty() {
        return Ok(Recovered { links, ..Recovered::default() });
    }
    let mut links = by_key(links);
    let mut recovered = Recovered::default();
    let copies = pass.store.copies(&pass.mailbox).await?;
    let now = pass.clock.now();
    for chunk in intents.chunks(pass.way.gateway.batch_limits().keys.max(1)) {
        let keys: Vec<SourceKey> = chunk.iter().map(|intent| intent.key.clone()).collect();
        let found = match calendar {
            Some(calendar) => pass.way.gateway.probe(calendar, &keys).await?,
            None => Vec::new(),
        };
        for intent in chunk {
            let item = original(&found, intent, links.get(&intent.key), &copies);
            refuse_foreign_owner(&pass.mailbox, pass.store.owner(), item.map_or(&[], std::slice::from_ref))?;
            IntentResolved { mailbox: pass.mailbox.as_str(), key: intent.key.as_str(), found: item.is_some() }.emit();
            // What a move leaves behind was deleted by nobody.
            let link = links.get(&intent.key).filter(|_| item.is_some() || !pass.has_moved());
            let settlement = settle_one(intent, item, link, now);
            if let Settlement::Dropped(key) = &settlement
                && intent.verb == Verb::Create
                && is_recent(intent, now)
            {
                // The intent stays: until the create is sent again, nothing but it remembers the generation.
                recovered.pending.insert(key.clone(), intent.generation);
                continue;
            }
            settlement.apply(&mut links);
            recovered.entries.push(looked_up(&pass.mailbox, intent, &settlement, now));
            recovered.settlements.push(settlement);
        }
    }
    recovered.links = links.into_values().collect();
    Ok(recovered)
}

/// For so long a create that was not found is sent again under its own generation: should the server have it after all and
/// not show it yet, it recognises the repetition. After that, an item that is still not there is one that somebody deleted,
/// and only a new generation can bring it back.
const SAME_GENERATION_MS: i64 = 600_000;

fn is_recent(intent: &Intent, now: Timestamp) -> bool {
    now.as_millisecond() - intent.generation < SAME_GENERATION_MS
}

/// The item of an intent: the one that the link names, else the original of several with the key, of which none is known to be
/// a copy that a user made.
fn original<'a>(
    found: &'a [FoundItem],
    intent: &Intent,
    link: Option<&Link>,
    copies: &BTreeSet<String>,
) -> Option<&'a FoundItem> {
    let with_key = || found.iter().filter(|item| item.key == intent.key.as_str());
    with_key()
        .find(|item| link.is_some_and(|link| link.item.id == item.item.id))
        .or_else(|| FoundItem::original(with_key().filter(|item| !copies.contains(&item.item.id))))
}

/// Links by their keys.
pub(super) fn by_key(links: Vec<Link>) -> BTreeMap<SourceKey, Link> {
    links.into_iter().map(|link| (link.key.clone(), link)).collect()
}

/// What the calendar says of an intent. The item's own fingerprint and generation tell which write it went through.
fn settle_one(intent: &Intent, item: Option<&FoundItem>, link: Option<&Link>, now: Timestamp) -> Settlement {
    match (intent.verb, item) {
        // It carries an earlier write: this one was not done, and what the link says holds, also of what users did since.
        (Verb::Update, Some(found)) if link.is_some() && found.generation < Some(intent.generation) => {
            Settlement::Dropped(intent.key.clone())
        }
        // How far the write came with the occurrences nobody knows.
        (Verb::Create | Verb::Update, Some(found)) => {
            let fingerprint = found.fingerprint.clone().unwrap_or_else(Fingerprint::unknown);
            Settlement::Linked(Link {
                generation: found.generation.unwrap_or(intent.generation),
                ends: intent.ends,
                repairs: intent.repairs,
                ..Link::new(intent.key.clone(), found.item.clone(), fingerprint)
            })
        }
        (Verb::Delete, Some(_)) | (Verb::Create, None) => Settlement::Dropped(intent.key.clone()),
        // Somebody deleted what was to be changed: the link says so, since that may be respected.
        (Verb::Update, None) => link.map_or_else(
            || Settlement::Unlinked(intent.key.clone()),
            |link| Settlement::Linked(Link { deleted_at: link.deleted_at.or(Some(now)), ..link.clone() }),
        ),
        (Verb::Delete, None) => Settlement::Unlinked(intent.key.clone()),
    }
}
