//! What a mailbox holds of ours, and how much of it was read.

use super::link::{FoundItem, ItemRef};

/// A reading of a mailbox. Only what a snapshot covers can be found missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Snapshot {
    /// Nothing was read: the links are taken at their word.
    NotRead,
    /// What has changed in the calendar since the last cursor.
    Changes {
        /// Items that were created or changed, whosoever they are.
        changed: Vec<ItemRef>,
        /// Those of them that carry our properties, with what they say.
        ours: Vec<FoundItem>,
        /// Ids of items that are gone.
        gone: Vec<String>,
    },
    /// Every item of the calendar that carries our properties.
    Whole(Vec<FoundItem>),
}
