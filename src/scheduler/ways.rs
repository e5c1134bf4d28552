//! The ways to Outlook: one, or one to each side of a hybrid, each with limits and a credential of its own.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use super::limiter::Limiter;
use crate::{
    auth::Identity,
    gateway::{Calendar, Gateway},
    model::{address::Address, fault::Fault, side::Side},
};

/// A way to Outlook.
#[derive(Debug)]
pub struct Way {
    /// Where it leads.
    pub side: Side,
    /// How.
    pub gateway: Arc<dyn Gateway>,
    /// How fast.
    pub limiter: Arc<Limiter>,
    /// Who we are there.
    pub identity: Identity,
    /// The calendars that are open.
    pub calendars: Calendars,
    /// Why nothing is sent there in this run, where somebody decided so.
    pub left_alone: Option<Fault>,
}

/// The calendars that are open, by mailbox.
#[derive(Debug, Default)]
pub struct Calendars {
    open: Mutex<HashMap<Address, Calendar>>,
    /// The mailboxes whose calendars were read at least once, and found to be ours.
    read: Mutex<HashSet<Address>>,
}

impl Way {
    pub(super) fn calendar(&self, mailbox: &Address) -> Option<Calendar> {
        self.calendars.open.lock().unwrap_or_else(PoisonError::into_inner).get(mailbox).cloned()
    }

    pub(super) fn has_read(&self, mailbox: &Address) -> bool {
        self.calendars.read.lock().unwrap_or_else(PoisonError::into_inner).contains(mailbox)
    }

    pub(super) fn note_read(&self, mailbox: &Address) {
        self.calendars.read.lock().unwrap_or_else(PoisonError::into_inner).insert(mailbox.clone());
    }

    /// Looks again before something is created there.
    pub(super) fn forget_read(&self, mailbox: &Address) {
        self.calendars.read.lock().unwrap_or_else(PoisonError::into_inner).remove(mailbox);
    }

    pub(super) fn remember(&self, calendar: Calendar) {
        let mut open = self.calendars.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(calendar.mailbox.clone(), calendar);
    }

    /// Opens the calendar anew next time: after a fault of the mailbox it may be elsewhere.
    pub(super) fn forget(&self, mailbox: &Address) {
        self.calendars.open.lock().unwrap_or_else(PoisonError::into_inner).remove(mailbox);
    }
}

/// One way, or one to each side.
#[derive(Debug, Default)]
pub struct Ways(BTreeMap<Side, Arc<Way>>);

impl Ways {
    /// These ways, of which there is at least one.
    #[must_use]
    pub fn new(ways: impl IntoIterator<Item = Way>) -> Self {
        Self(ways.into_iter().map(|way| (way.side, Arc::new(way))).collect())
    }

    /// Sends nothing to these sides in this run.
    pub fn leave_alone(&mut self, sides: &BTreeMap<Side, Fault>) {
        for (side, fault) in sides {
            // A way that is shared already is in use.
            if let Some(way) = self.0.get_mut(side).and_then(Arc::get_mut) {
                way.left_alone = Some(fault.clone());
            }
        }
    }

    /// The way to a side.
    #[must_use]
    pub fn to(&self, side: Side) -> Option<&Arc<Way>> {
        self.0.get(&side)
    }

    /// Every way.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Way>> {
        self.0.values()
    }

    /// Every side that a way leads to.
    pub fn sides(&self) -> impl Iterator<Item = Side> + '_ {
        self.0.keys().copied()
    }

    /// Whether mailboxes live on two sides.
    #[must_use]
    pub fn is_hybrid(&self) -> bool {
        self.0.len() > 1
    }

    /// The sides where a mailbox may live: with one way that one, else the one that is known, else both.
    pub(super) fn possible(&self, known: Option<Side>) -> impl Iterator<Item = Side> + '_ {
        let known = known.filter(|_| self.is_hybrid());
        self.sides().filter(move |side| known.is_none_or(|known| known == *side))
    }
}
