//! What was written where.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::{echo::Echo, fingerprint::Fingerprint, key::SourceKey, occurrences::WrittenOccurrences};

/// The name of an item on the server at one moment. Both parts are compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemRef {
    /// The item id.
    pub id: String,
    /// The change key: it changes with every change of the item.
    pub change_key: String,
}

/// What we last wrote for a source key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The source event.
    pub key: SourceKey,
    /// The item and its change key after our write; without a change key while our name is written on what another instance wrote.
    pub item: ItemRef,
    /// What we wrote.
    pub fingerprint: Fingerprint,
    /// The generation of the last write: the millisecond, since 1970, at which it was decided, and later than the one before.
    /// The item carries it too. That of a create is part of its transaction id, so that an event that comes back is not
    /// taken for a repetition.
    pub generation: i64,
    /// When the event is over; a link whose event is long over is frozen. [`Timestamp::MAX`] for a series without end
    /// and for an item whose end is not known.
    pub ends: Timestamp,
    /// How often the item was rewritten because somebody had changed or deleted it.
    pub repairs: Repairs,
    /// What we wrote of the occurrences that differ; `None` when that is not known: after a write that was not done to its
    /// end, for an item that was found again, and for an event that is no series.
    pub occurrences: Option<WrittenOccurrences>,
    /// What the server shows of what we wrote, as far as that is known.
    pub echo: Option<Echo>,
    /// When we found that a user had deleted the item, where that is respected: there is none.
    pub deleted_at: Option<Timestamp>,
}

impl Link {
    /// The link of an item of which no more is known than its name and what it says.
    #[must_use]
    pub const fn new(key: SourceKey, item: ItemRef, fingerprint: Fingerprint) -> Self {
        Self {
            key,
            item,
            fingerprint,
            generation: 1,
            ends: Timestamp::MAX,
            repairs: Repairs::NONE,
            occurrences: None,
            echo: None,
            deleted_at: None,
        }
    }
}

/// Repairs of one item, counted by the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repairs {
    /// When the day began.
    pub since: Timestamp,
    /// How many since then.
    pub count: u32,
}

impl Repairs {
    /// No repair yet.
    pub const NONE: Self = Self { since: Timestamp::UNIX_EPOCH, count: 0 };
    /// More repairs of one item in a day are a fight with another program: the item is parked.
    pub const COUNT_MAX: u32 = 5;

    /// The repairs within the day that ends at `now`.
    #[must_use]
    pub fn today(self, now: Timestamp) -> u32 {
        let over = now.duration_since(self.since) >= jiff::SignedDuration::from_hours(24);
        if over { 0 } else { self.count }
    }

    /// The count after one more repair at `now`.
    #[must_use]
    pub fn and_one(self, now: Timestamp) -> Self {
        match self.today(now) {
            0 => Self { since: now, count: 1 },
            count => Self { since: self.since, count: count + 1 },
        }
    }
}

/// A write that was decided and is not yet confirmed; on disk before the request leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The source event.
    pub key: SourceKey,
    /// What was to be done.
    pub verb: Verb,
    /// The generation of the write (see [`Link::generation`]); of a delete, that of the last write.
    pub generation: i64,
    /// When the event is over (see [`Link::ends`]).
    pub ends: Timestamp,
    /// The repairs of the item, this write included (see [`Link::repairs`]).
    pub repairs: Repairs,
}

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// A new item.
    Create,
    /// A change of an item of ours.
    Update,
    /// The removal of an item of ours.
    Delete,
}

impl Verb {
    /// The word used in plans, logs and the state.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete].into_iter().find(|verb| verb.as_str() == text)
    }
}

/// The name that an instance of the daemon writes on its items (property `Owner`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner(pub String);

/// An item of ours as the server holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundItem {
    /// Its name now.
    pub item: ItemRef,
    /// Its property `SourceKey`, as it stands.
    pub key: String,
    /// Its property `Fingerprint`, where there is one that can be read.
    pub fingerprint: Option<Fingerprint>,
    /// Its property `Owner`.
    pub owner: Option<Owner>,
    /// Its property `Generation`: which write it shows. Items that were written before there was one have none.
    pub generation: Option<i64>,
    /// When the server says that it was created.
    pub created: Option<Timestamp>,
}

impl FoundItem {
    /// An item that carries a key, and says no more of itself.
    #[must_use]
    pub fn new(item: ItemRef, key: impl Into<String>) -> Self {
        Self { item, key: key.into(), fingerprint: None, owner: None, generation: None, created: None }
    }

    /// Whether another instance than `owner` wrote it. A canary of the test is nobody's.
    #[must_use]
    pub fn is_of_another(&self, owner: &Owner) -> bool {
        !SourceKey::is_canary(&self.key) && self.owner.as_ref().is_some_and(|other| other != owner)
    }

    /// Of several items with one key and without a link, the one that is ours: the one that shows the last write, for a copy
    /// stays at the write that it was made after; then the first one, for a copy is created after its original. Where that is
    /// not known, or the same, the smallest id, so that every reading chooses the same.
    #[must_use]
    pub fn original<'a>(candidates: impl IntoIterator<Item = &'a Self>) -> Option<&'a Self> {
        let rank = |found: &'a Self| {
            (Reverse(found.generation), found.created.unwrap_or(Timestamp::MAX), found.item.id.as_str())
        };
        candidates.into_iter().min_by_key(|found| rank(found))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{FoundItem, ItemRef, Owner};
    use crate::model::key::{Kind, SourceKey};

    #[test]
    fn the_original_shows_the_last_write_and_is_the_first_of_those() {
        let found = |id: &str, generation, created| FoundItem {
            generation,
            created: Timestamp::from_second(created).ok(),
            ..FoundItem::new(ItemRef { id: id.to_owned(), change_key: "1".to_owned() }, "erp/appointment/1")
        };
        for (items, expected) in [
            (vec![found("copy", Some(7), 200), found("original", Some(7), 100)], "original"),
            // It was deleted and written anew: the copy is older.
            (vec![found("copy", Some(7), 100), found("original", Some(8), 200)], "original"),
            (vec![found("copy", None, 100), found("original", Some(8), 200)], "original"),
            (vec![found("b", Some(7), 100), found("a", Some(7), 100)], "a"),
            (vec![found("copy", None, 200), found("original", None, 100)], "original"),
        ] {
            let original = FoundItem::original(&items).map(|item| item.item.id.as_str());
            assert_eq!(original, Some(expected), "{items:?}");
        }
    }

    #[test]
    fn an_item_of_another_instance_carries_its_name() {
        let (ours, theirs) = (Owner("one".to_owned()), Owner("two".to_owned()));
        let event = SourceKey::new("inbox", Kind::Appointment, "1");
        let canary = SourceKey::canary("day");
        for (key, owner, expected) in
            [(&event, &theirs, true), (&event, &ours, false), (&canary, &theirs, false), (&canary, &ours, false)]
        {
            let item = ItemRef { id: "1".to_owned(), change_key: "1".to_owned() };
            let found = FoundItem { owner: Some(owner.clone()), ..FoundItem::new(item, key.as_str()) };
            assert_eq!(found.is_of_another(&ours), expected, "{key} {owner:?}");
        }
    }
}
