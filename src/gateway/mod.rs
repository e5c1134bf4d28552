//! The port to Outlook, and its two implementations: EWS and Microsoft Graph.
//!
//! *Invariant*: no attendee can be expressed here; every request names the mailbox that it is meant for.

mod absence;
mod acceptance;
pub mod ews;
pub mod graph;

pub use absence::{is_absent, is_unknown_name};

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::model::{
    address::Address,
    event::DesiredEvent,
    fault::{Fault, FaultKind, FaultScope},
    fingerprint::{Field, Fingerprint},
    key::SourceKey,
    link::{FoundItem, ItemRef},
    occurrences::Occurrences,
    shown::Seen,
    snapshot::Snapshot,
};

/// The property set of our named properties, the same on EWS and Graph.
pub const PROPERTY_SET: &str = "0ab89da0-c8e5-4849-914a-1396b47752b5";

/// The calendar of a mailbox, opened: the folder that writes go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Whose calendar it is.
    pub mailbox: Address,
    /// The folder's own id.
    pub id: String,
}

/// A calendar as its mailbox lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCalendar {
    /// The folder's own id: it stays when the calendar is renamed.
    pub id: String,
    /// Its name now.
    pub name: String,
}

/// One write. An item is written with our named properties `SourceKey`, `Fingerprint`, `Owner` and
/// `Generation` in the same request.
#[derive(Debug, Clone)]
pub enum Write {
    /// A new item.
    Create {
        /// What it shows.
        event: Arc<DesiredEvent>,
        /// The generation of the write; part of the transaction id.
        generation: i64,
    },
    /// A change of an item of ours.
    Update {
        /// The item.
        item: ItemRef,
        /// What it is to show.
        event: Arc<DesiredEvent>,
        /// The generation of the write.
        generation: i64,
        /// The fields that differ from what was last written.
        fields: Vec<Field>,
        /// The occurrences that are written, after their series.
        occurrences: Occurrences,
    },
    /// The removal of an item of ours.
    Delete {
        /// The source event.
        key: SourceKey,
        /// The item.
        item: ItemRef,
    },
}

impl Write {
    /// The source event that the write is for.
    #[must_use]
    pub fn key(&self) -> &SourceKey {
        match self {
            Self::Create { event, .. } | Self::Update { event, .. } => &event.key,
            Self::Delete { key, .. } => key,
        }
    }
}

/// What became of one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The item is there and says `fingerprint`.
    Written {
        /// Its name now.
        item: ItemRef,
        /// What it says now.
        fingerprint: Fingerprint,
    },
    /// The item is there and says `fingerprint`, but not all of the write was done: the rest is due again.
    Partly {
        /// Its name now.
        item: ItemRef,
        /// What it says now.
        fingerprint: Fingerprint,
        /// What stopped the rest.
        fault: Fault,
    },
    /// The item is not there (any more): for a delete, success.
    Gone,
    /// It was not done, or nobody knows: see the fault.
    Failed(Fault),
}

/// What a server answered to one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What became of the write.
    pub outcome: Outcome,
    /// The server's name for the request that says so; ours where it gave none.
    pub request_id: Option<Arc<str>>,
}

impl Answer {
    /// An outcome, and the request that says so; where a fault names its own request, that one.
    #[must_use]
    pub fn new(outcome: Outcome, request_id: Option<Arc<str>>) -> Self {
        let named = match &outcome {
            Outcome::Partly { fault, .. } | Outcome::Failed(fault) => fault.request_id.as_deref().map(Arc::from),
            Outcome::Written { .. } | Outcome::Gone => None,
        };
        Self { outcome, request_id: named.or(request_id) }
    }

    /// The outcomes alone.
    #[must_use]
    pub fn outcomes(answers: Vec<Self>) -> Vec<Outcome> {
        answers.into_iter().map(|answer| answer.outcome).collect()
    }
}

/// A reading of a calendar and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What was read.
    pub snapshot: Snapshot,
    /// Where the next reading of changes begins; `None` where the protocol has no such thing.
    pub cursor: Option<String>,
}

/// One request, as the limits and the log see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestReport<'a> {
    /// The mailbox it is for.
    pub mailbox: &'a Address,
    /// The operation's name in its protocol's documents, such as `CreateItem` or `POST /$batch`.
    pub operation: &'static str,
    /// The status of the answer; `None` when none came.
    pub status: Option<u16>,
    /// How long it took.
    pub elapsed: Duration,
    /// How many items it carried.
    pub items: usize,
}

/// A boxed future.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Admits requests one by one: the scheduler's limits, seen from the gateway.
pub trait Pace: Send + Sync + fmt::Debug {
    /// Ends when a request that counts as `cost` (inner requests of a batch count one by one) may be sent.
    fn admit<'a>(&'a self, mailbox: &'a Address, cost: u32) -> Later<'a, ()>;
    /// Tells what became of a request.
    fn report(&self, report: RequestReport<'_>);
}

/// How much one request may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Writes of one [`Gateway::apply`].
    pub writes: usize,
    /// Keys of one [`Gateway::probe`].
    pub keys: usize,
}

/// The port to Outlook. Nothing is retried here: faults say whether and when to try again.
pub trait Gateway: Send + Sync + fmt::Debug {
    /// How much one request may carry.
    fn batch_limits(&self) -> BatchLimits;

    /// Opens the calendar of a mailbox, and makes sure that it is that mailbox's.
    ///
    /// # Errors
    /// A fault of the mailbox, the credential or the server.
    fn open<'a>(&'a self, mailbox: &'a Address) -> Later<'a, Result<Calendar, Fault>>;

    /// The calendars of a mailbox, its own ones alone; deleted ones are not among them.
    ///
    /// # Errors
    /// A fault of the mailbox, the credential or the server.
    fn calendars<'a>(&'a self, mailbox: &'a Address) -> Later<'a, Result<Vec<ListedCalendar>, Fault>>;

    /// Makes a calendar. Whether one of that name is there is for the caller to know.
    ///
    /// # Errors
    /// A fault of the mailbox, the credential or the server; the calendar may be there all the same.
    fn create_calendar<'a>(&'a self, mailbox: &'a Address, name: &'a str) -> Later<'a, Result<Calendar, Fault>>;

    /// Reads what has changed since `cursor`; without one, or when the server no longer knows it, everything of ours.
    ///
    /// # Errors
    /// A fault, when the reading could not be brought to its end.
    fn read<'a>(&'a self, calendar: &'a Calendar, cursor: Option<&'a str>) -> Later<'a, Result<Reading, Fault>>;

    /// The items that carry one of `keys` (compared byte by byte), at most [`BatchLimits::keys`] of them.
    ///
    /// # Errors
    /// A fault, when the reading could not be brought to its end.
    fn probe<'a>(&'a self, calendar: &'a Calendar, keys: &'a [SourceKey]) -> Later<'a, Result<Vec<FoundItem>, Fault>>;

    /// What items show at this moment, bodies as text. Those that are not there any more are left out.
    ///
    /// # Errors
    /// A fault, when they could not all be asked for.
    fn look<'a>(&'a self, calendar: &'a Calendar, items: &'a [ItemRef]) -> Later<'a, Result<Vec<Seen>, Fault>>;

    /// Carries out writes, at most [`BatchLimits::writes`] of them, and returns one answer for each, in their order.
    fn apply<'a>(&'a self, calendar: &'a Calendar, writes: &'a [Write]) -> Later<'a, Vec<Answer>>;

    /// Writes the name of this instance on items, at most [`BatchLimits::writes`] of them, and nothing else: it may be
    /// repeated. Returns what became of each, in their order.
    fn own<'a>(&'a self, calendar: &'a Calendar, items: &'a [ItemRef]) -> Later<'a, Vec<Result<(), Fault>>>;
}

/// The fault of a write that is no item's: it holds for the mailbox, and whoever tries again looks first.
fn of_mailbox(mut fault: Fault) -> Fault {
    if fault.scope == FaultScope::Item {
        fault.scope = FaultScope::Mailbox;
    }
    if let FaultKind::Doubtful { wait } = fault.kind {
        fault.kind = FaultKind::Transient { wait };
    }
    fault
}
