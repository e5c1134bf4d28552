//! Which mailbox is next: the one that is due longest, so that nobody starves.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::address::Address;

/// The mailboxes that wait for their turn, and those that have it.
#[derive(Debug, Clone, Default)]
pub(super) struct Agenda {
    due: BTreeSet<(Timestamp, Address)>,
    when: BTreeMap<Address, Timestamp>,
    running: BTreeSet<Address>,
    not_before: BTreeMap<Address, Parking>,
}

/// A wait that nothing ends early, or only a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parking {
    /// Its end.
    pub(super) until: Timestamp,
    /// Whether the server asked for it.
    pub(super) asked: bool,
}

impl Agenda {
    /// Makes a mailbox due at `at`, or earlier when it was due earlier; never before the end of a wait that was asked for.
    pub(super) fn bring_forward(&mut self, mailbox: &Address, at: Timestamp) {
        let at = self.not_before.get(mailbox).map_or(at, |parking| at.max(parking.until));
        match self.when.get(mailbox) {
            Some(before) if *before <= at => {}
            Some(_) | None => self.set(mailbox, at),
        }
    }

    /// Makes a mailbox wait, whatever asks for it earlier.
    pub(super) fn park(&mut self, mailbox: &Address, parking: Parking) {
        self.not_before.insert(mailbox.clone(), parking);
        self.set(mailbox, parking.until);
    }

    /// Ends every wait that no server asked for: those mailboxes are due at `at`.
    pub(super) fn unpark_all(&mut self, at: Timestamp) {
        let (asked, ours) = std::mem::take(&mut self.not_before).into_iter().partition(|(_, parking)| parking.asked);
        self.not_before = asked;
        let ours: BTreeMap<Address, Parking> = ours;
        for mailbox in ours.into_keys() {
            self.set(&mailbox, at);
        }
    }

    /// Of those that have room, the mailbox that is due longest and not running; `None` when none is due at `now`.
    pub(super) fn next(&self, now: Timestamp, has_room: impl Fn(&Address) -> bool) -> Option<Address> {
        let mut due = self.due.iter().take_while(|(at, _)| *at <= now).map(|(_, mailbox)| mailbox);
        due.find(|mailbox| !self.running.contains(*mailbox) && has_room(mailbox)).cloned()
    }

    /// Gives it its turn.
    pub(super) fn start(&mut self, mailbox: &Address) {
        if let Some(at) = self.when.remove(mailbox) {
            self.due.remove(&(at, mailbox.clone()));
        }
        self.not_before.remove(mailbox);
        self.running.insert(mailbox.clone());
    }

    /// Takes the turn back.
    pub(super) fn finish(&mut self, mailbox: &Address) {
        self.running.remove(mailbox);
    }

    /// When the next of those mailboxes is due that is not running.
    #[must_use]
    pub(super) fn next_due(&self, counts: impl Fn(&Address) -> bool) -> Option<Timestamp> {
        let mut due = self.due.iter();
        due.find(|(_, mailbox)| !self.running.contains(mailbox) && counts(mailbox)).map(|(at, _)| *at)
    }

    fn set(&mut self, mailbox: &Address, at: Timestamp) {
        if let Some(before) = self.when.insert(mailbox.clone(), at) {
            self.due.remove(&(before, mailbox.clone()));
        }
        self.due.insert((at, mailbox.clone()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::Timestamp;

    use super::{Agenda, Parking};
    use crate::model::address::Address;

    fn mailbox(name: &str) -> Address {
        Address::parse(&format!("{name}@example.test")).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn start_next(agenda: &mut Agenda, now: Timestamp) -> Option<Address> {
        let next = agenda.next(now, |_| true)?;
        agenda.start(&next);
        Some(next)
    }

    #[test]
    fn who_has_no_room_keeps_nobody_waiting() {
        let mut agenda = Agenda::default();
        agenda.bring_forward(&mailbox("early"), at(10));
        agenda.bring_forward(&mailbox("late"), at(20));
        let has_room = |address: &Address| *address == mailbox("late");
        assert_eq!(agenda.next(at(15), has_room), None);
        assert_eq!(agenda.next(at(30), has_room), Some(mailbox("late")));
        assert_eq!(agenda.next_due(has_room), Some(at(20)));
    }

    #[test]
    fn the_longest_due_is_first_and_runs_once() {
        let mut agenda = Agenda::default();
        agenda.bring_forward(&mailbox("late"), at(20));
        agenda.bring_forward(&mailbox("early"), at(10));
        assert_eq!(agenda.next_due(|_| true), Some(at(10)));
        assert_eq!(start_next(&mut agenda, at(5)), None);
        assert_eq!(start_next(&mut agenda, at(30)), Some(mailbox("early")));
        agenda.bring_forward(&mailbox("early"), at(11));
        assert_eq!(start_next(&mut agenda, at(30)), Some(mailbox("late")), "a running mailbox does not run twice");
        assert_eq!(start_next(&mut agenda, at(30)), None);
        agenda.finish(&mailbox("early"));
        assert_eq!(start_next(&mut agenda, at(30)), Some(mailbox("early")), "what came meanwhile is not lost");
    }

    #[test]
    fn a_parked_mailbox_waits_in_full() {
        let mut agenda = Agenda::default();
        agenda.park(&mailbox("ana"), Parking { until: at(100), asked: true });
        agenda.bring_forward(&mailbox("ana"), at(10));
        assert_eq!(start_next(&mut agenda, at(99)), None);
        assert_eq!(start_next(&mut agenda, at(100)), Some(mailbox("ana")));
        agenda.park(&mailbox("bob"), Parking { until: at(500), asked: false });
        agenda.park(&mailbox("chloe"), Parking { until: at(600), asked: true });
        agenda.unpark_all(at(101));
        assert_eq!(start_next(&mut agenda, at(101)), Some(mailbox("bob")));
        assert_eq!(agenda.next_due(|_| true), Some(at(600)), "what the server asked for is waited in full");
    }
}
