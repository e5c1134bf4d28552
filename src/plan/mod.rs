//! What is to be done in a mailbox, and why: a pure function over what is desired, what we wrote and what is there.
//!
//! *Invariant*: nothing here reads a clock, a file or a setting; the same values give the same plan.

mod adopt;
mod check;
mod code;
mod decide;
mod drift;
mod known;
mod looks;
mod occurrences;
mod purge;
mod reshaped;
mod saved;
mod stamp;
mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use crate::model::{
    address::Address,
    echo::Echo,
    event::DesiredEvent,
    fingerprint::{Field, Fingerprint},
    hold::Verdict,
    key::SourceKey,
    link::{ItemRef, Link, Owner, Repairs},
    occurrences::{Occurrences, WrittenOccurrences},
    shown::Seen,
    snapshot::Snapshot,
};

pub use adopt::{Adopted, Adoption, adopt, foreign};
pub use check::{Violation, check};
pub use decide::{ends, is_braked, plan};
pub use drift::learnt;
pub use known::refuse_foreign_owner;
pub use looks::looks;
pub use purge::purge;
pub use saved::{SavedPlan, SavedPlanError};
pub use stamp::{Part, Stamp, stamp};
pub(crate) use text::wall;

/// Everything that a plan depends on.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Whose calendar it is.
    pub mailbox: &'a Address,
    /// Who we are.
    pub owner: &'a Owner,
    /// What the calendar should show, in the order of the keys, each key once.
    pub desired: &'a [Arc<DesiredEvent>],
    /// What we wrote, in the order of the keys.
    pub links: &'a [Link],
    /// What is there.
    pub snapshot: &'a Snapshot,
    /// The items that were looked at since, by their ids: see [`looks`].
    pub seen: &'a BTreeMap<String, Seen>,
    /// What the sources say of keys that are not desired here.
    pub scope: &'a Scope,
    /// Writes that the server refused for good.
    pub refusals: &'a BTreeMap<SourceKey, Refusal>,
    /// Creates of doubtful outcome whose item was looked for and not found: they are sent again under the same generation,
    /// so that a server that remembers the first one recognises it.
    pub pending: &'a BTreeMap<SourceKey, i64>,
    /// What operators said of deletions that were held.
    pub verdicts: &'a BTreeMap<SourceKey, Verdict>,
    /// The rules that the settings choose.
    pub policy: &'a Policy,
    /// The present instant.
    pub now: Timestamp,
}

/// What the sources say of keys that are not desired in a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The sources whose last read was complete: what they do not name, they do not hold.
    pub complete: BTreeSet<String>,
    /// The sources whose last read would delete more, over all mailboxes, than the brake allows: all their deletions are
    /// held.
    pub braked: BTreeSet<String>,
    /// Keys that a source holds for other mailboxes.
    pub elsewhere: BTreeMap<SourceKey, BTreeSet<Address>>,
    /// Keys that a source holds but that are not to be pushed now: their items stay as they are.
    pub kept: BTreeMap<SourceKey, KeepReason>,
    /// What the sources say of some of those keys that lie outside of the window of their job: their items follow.
    pub outside: BTreeMap<SourceKey, Arc<DesiredEvent>>,
    /// The events that are cancelled: a mark is put on their items, or they go; none is created.
    pub cancelled: Arc<BTreeSet<SourceKey>>,
    /// Keys that a source holds, of which jobs that delete what is out of their scope say that it is.
    pub out_of_scope: BTreeSet<SourceKey>,
}

/// The rules that the settings choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Deletions over this share of the links, in percent, *and* over `brake_number`, are held.
    pub brake_share_percent: u8,
    /// See `brake_share_percent`.
    pub brake_number: u32,
    /// Events that were over before this instant are frozen: neither created, changed nor deleted.
    pub frozen_before: Timestamp,
}

/// A write that the server refused for good; tried again when the event changes or `retry_at` has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was to be written.
    pub fingerprint: Fingerprint,
    /// The server's code.
    pub code: String,
    /// When it is tried again all the same.
    pub retry_at: Timestamp,
}

/// The plan of one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Whose calendar it is for.
    pub mailbox: Address,
    /// One decision for each key, in the order of the keys.
    pub decisions: Vec<Decision>,
    /// Items that carry our properties and are left alone: copies that a user made.
    pub copies: Vec<String>,
    /// How many items were written after their links: the state is an old copy, and what the items say counts.
    pub newer: usize,
    /// The links that the brake's share is taken of.
    pub brake_base: usize,
    /// Links of items that are kept or held as they are, with what was learnt of them.
    pub learnt: Vec<Link>,
}

/// What is done about one source key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The source event.
    pub key: SourceKey,
    /// What is done.
    pub action: Action,
}

/// What is done, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Write a new item.
    Create {
        /// What it shows.
        event: Arc<DesiredEvent>,
        /// The generation of the write: part of the transaction id, and written on the item.
        generation: i64,
        /// The repairs to record with the link.
        repairs: Repairs,
        /// Why.
        reason: CreateReason,
    },
    /// Change an item of ours.
    Update {
        /// What it is to show.
        event: Arc<DesiredEvent>,
        /// The item as it is now.
        item: ItemRef,
        /// The generation of the write, which the item carries after it.
        generation: i64,
        /// The fields that are written.
        fields: Vec<Field>,
        /// The occurrences that are written.
        occurrences: Occurrences,
        /// What the link says of the occurrences once all is written.
        written: Option<WrittenOccurrences>,
        /// What is still known of the echo once all is written.
        echo: Option<Echo>,
        /// The repairs to record with the link.
        repairs: Repairs,
        /// Why.
        reason: UpdateReason,
    },
    /// Remove an item of ours.
    Delete {
        /// The item as it is now.
        item: ItemRef,
        /// The link that goes with it.
        link: Link,
        /// Why.
        reason: DeleteReason,
    },
    /// Remove it once an operator approves.
    Hold {
        /// The item.
        item: ItemRef,
        /// Why it would be removed.
        reason: DeleteReason,
    },
    /// Leave everything as it is. Where the link has to change (the item was found under another id, or was unknown),
    /// `link` is what it becomes.
    Keep {
        /// Why.
        reason: KeepReason,
        /// The link to write.
        link: Option<Link>,
    },
    /// Drop the link: the item is gone and nobody wants it back.
    Forget,
    /// Leave it alone, for a fault that somebody must look at.
    Quarantine {
        /// Why.
        reason: QuarantineReason,
    },
}

/// Why an item is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateReason {
    /// There is none.
    New,
    /// Ours was deleted in Outlook.
    DeletedInOutlook,
}

/// Why an item is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateReason {
    /// The source says something else than before.
    SourceChanged,
    /// Somebody changed it in Outlook.
    ChangedInOutlook,
}

/// Why an item is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteReason {
    /// The source no longer holds it.
    DeletedInSource,
    /// The source says that it is cancelled.
    Cancelled,
    /// The source holds it, and the job that deletes such items does not push it any more.
    OutOfScope,
    /// It is another person's now.
    HandedOver,
    /// Other items in this calendar show its event now.
    Reshaped,
    /// It carries our mark, no link tells of it and the source does not hold it: never deleted without approval.
    Orphan,
    /// An operator wants everything of ours out of the calendar.
    Purged,
}

/// Why nothing is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepReason {
    /// It shows what it should.
    Same,
    /// It was over long ago.
    Frozen,
    /// The source was not read to its end, or not at all.
    SourceIncomplete,
    /// The source holds it outside the job's window.
    OutOfWindow,
    /// The source holds it, but the job does not select it.
    NotSelected,
    /// The source holds it, but for a person who stands for nobody.
    Generic,
    /// The source holds it, but it is longer than the job pushes.
    TooLong,
    /// The source holds it, but it could not be used.
    Rejected,
    /// It was cancelled before it was in the calendar.
    Cancelled,
    /// A user deleted it, which is respected for some time.
    DeletedByUser,
    /// What users may keep of it could not be looked at.
    NotSeen,
}

/// Why an event is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuarantineReason {
    /// The server refused it for good, with this code.
    Refused(String),
    /// It was repaired too often today.
    RepairedTooOften,
}

/// Why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Items of ours carry the mark of another instance.
    #[error("the calendar of {mailbox} is kept by another instance of calsyncd ({owner}), which marked {count} items")]
    OwnedByAnother {
        /// Whose calendar it is.
        mailbox: Address,
        /// The other's name.
        owner: String,
        /// How many items.
        count: usize,
    },
}

/// How many decisions of each sort a plan holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the actions")]
pub struct Counts {
    pub create: usize,
    pub update: usize,
    pub delete: usize,
    pub hold: usize,
    pub keep: usize,
    pub forget: usize,
    pub quarantine: usize,
}

impl Counts {
    /// Creates, updates and deletes.
    #[must_use]
    pub const fn changes(&self) -> usize {
        self.create + self.update + self.delete
    }
}

impl Inputs<'_> {
    /// Whether the event of a key is cancelled.
    fn is_cancelled(&self, key: &SourceKey) -> bool {
        let cancelled = &self.scope.cancelled;
        !cancelled.is_empty() && (cancelled.contains(key) || cancelled.contains(&key.event()))
    }

    /// Whether an operator approved the deletion of a key.
    fn is_approved(&self, key: &SourceKey) -> bool {
        self.verdicts.get(key) == Some(&Verdict::Approved)
    }
}

impl Plan {
    /// Whether nothing that was read is left to be read again.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let is_left = |decision: &Decision| {
            matches!(decision.action, Action::Quarantine { .. } | Action::Keep { reason: KeepReason::NotSeen, .. })
        };
        !self.decisions.iter().any(is_left)
    }

    /// How many decisions of each sort.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for decision in &self.decisions {
            match decision.action {
                Action::Create { .. } => counts.create += 1,
                Action::Update { .. } => counts.update += 1,
                Action::Delete { .. } => counts.delete += 1,
                Action::Hold { .. } => counts.hold += 1,
                Action::Keep { .. } => counts.keep += 1,
                Action::Forget => counts.forget += 1,
                Action::Quarantine { .. } => counts.quarantine += 1,
            }
        }
        counts
    }
}
