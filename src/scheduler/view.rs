//! What the sources say of keys that a mailbox does not show: is its item to be deleted, or kept, and why?

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::outside::Read;
use crate::{
    desired::Divided,
    model::{address::Address, key::SourceKey},
    plan::{KeepReason, Scope},
};

/// What the sources say of keys, for the scopes of plans.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// The sources whose last read was complete.
    pub(super) complete: BTreeSet<String>,
    /// The sources all of whose deletions are held.
    pub(super) braked: BTreeSet<String>,
    /// The mailboxes that show a key, in the order of the keys. Clones of both share their texts.
    holders: Vec<(SourceKey, Address)>,
    kept: HashMap<SourceKey, Vec<(Option<Address>, KeepReason)>>,
    /// What was read of each source, for what lies outside of the window.
    pub(super) reads: HashMap<String, Arc<Read>>,
    /// The events that several items may show.
    divided: HashMap<SourceKey, Vec<Divided>>,
    /// The events that are cancelled.
    cancelled: Arc<BTreeSet<SourceKey>>,
    /// Those of them whose items go, by the word of a job that selects them.
    gone: HashSet<SourceKey>,
    /// The events whose items go where no job keeps them.
    out_of_scope: HashSet<SourceKey>,
}

impl View {
    /// Notes that the item of a key is to be kept, in one mailbox or wherever it is.
    pub(super) fn keep(&mut self, key: SourceKey, mailbox: Option<Address>, reason: KeepReason) {
        self.kept.entry(key).or_default().push((mailbox, reason));
    }

    /// Notes an event that several items may show.
    pub(super) fn divide(&mut self, divided: Divided) {
        self.divided.entry(divided.key.clone()).or_default().push(divided);
    }

    /// Notes the events that a job knows to be cancelled, and those of them whose items it wants gone.
    pub(super) fn cancel(&mut self, cancelled: BTreeSet<SourceKey>, gone: Vec<SourceKey>) {
        if !cancelled.is_empty() {
            Arc::make_mut(&mut self.cancelled).extend(cancelled);
        }
        self.gone.extend(gone);
    }

    /// Whether an event, or the event of a part, is cancelled.
    pub(super) fn is_cancelled(&self, key: &SourceKey) -> bool {
        !self.cancelled.is_empty() && (self.cancelled.contains(key) || self.cancelled.contains(&key.event()))
    }

    /// Notes an event that a job does not push, and whose item it does not keep.
    pub(super) fn let_go(&mut self, key: SourceKey) {
        self.out_of_scope.insert(key);
    }

    /// Notes what every mailbox shows, at the end: what one job leaves out and another shows is not kept for everybody.
    /// Were it handed over, it would stay for ever.
    pub(super) fn hold(&mut self, holders: Vec<(SourceKey, Address)>) {
        self.holders = holders;
        self.holders.sort();
        let (holders, divided, gone) = (&self.holders, &self.divided, &self.gone);
        self.kept.retain(|key, reasons| {
            // One job that knows it gone is enough.
            if gone.contains(key) {
                reasons.retain(|(_, reason)| *reason == KeepReason::Rejected);
            }
            let shown = holders.binary_search_by(|(other, _)| other.cmp(key)).is_ok() || divided.contains_key(key);
            let is_placed = |(holder, reason): &(Option<Address>, KeepReason)| {
                holder.is_some() && *reason == KeepReason::OutOfWindow
            };
            let shown = shown || reasons.iter().any(is_placed);
            if shown {
                reasons.retain(|(holder, reason)| holder.is_some() || *reason == KeepReason::Rejected);
            }
            !reasons.is_empty()
        });
    }

    /// The scope of a plan for `mailbox` that may be asked about `keys`.
    pub(super) fn scope<'a>(&self, mailbox: &Address, keys: impl Iterator<Item = &'a SourceKey>) -> Scope {
        let mut scope = Scope {
            complete: self.complete.clone(),
            braked: self.braked.clone(),
            elsewhere: BTreeMap::new(),
            kept: BTreeMap::new(),
            outside: BTreeMap::new(),
            cancelled: Arc::clone(&self.cancelled),
            out_of_scope: BTreeSet::new(),
        };
        for key in keys {
            let elsewhere = self.elsewhere(mailbox, key);
            if !elsewhere.is_empty() {
                scope.elsewhere.insert(key.clone(), elsewhere);
            }
            if self.out_of_scope.contains(key) || self.out_of_scope.contains(&key.event()) {
                scope.out_of_scope.insert(key.clone());
            }
            if let Some(reason) = self.reason_to_keep(mailbox, key) {
                scope.kept.insert(key.clone(), reason);
            }
        }
        scope
    }

    /// How many of these items would be deleted on the word of their sources. An event that other items of the same mailbox
    /// show now counts once.
    pub(super) fn deletions(&self, links: &[(Address, SourceKey)]) -> usize {
        let is_deleted = |(mailbox, key): &&(Address, SourceKey)| {
            !self.is_held(mailbox, key) && self.reason_to_keep(mailbox, key).is_none()
        };
        let (mut items, mut reshaped) = (0, HashSet::new());
        for (mailbox, key) in links.iter().filter(is_deleted) {
            let event = key.event();
            if self.is_shown(mailbox, &event) {
                reshaped.insert((mailbox, event));
            } else {
                items += 1;
            }
        }
        items + reshaped.len()
    }

    /// Whether a mailbox shows an event, as a whole or in part.
    fn is_shown(&self, mailbox: &Address, event: &SourceKey) -> bool {
        let parts = format!("{event}#");
        let first = self.holders.partition_point(|(other, _)| other.as_str() < parts.as_str());
        let mut of_parts = self.holders[first..].iter().take_while(|(other, _)| other.as_str().starts_with(&parts));
        self.is_held(mailbox, event) || of_parts.any(|(_, holder)| holder == mailbox)
    }

    /// The mailboxes that are to show the event of a key which `mailbox` shows no longer. Where it lies outside of the window
    /// nothing is created, so that there is nothing to wait for.
    pub(super) fn destinations(&self, mailbox: &Address, key: &SourceKey) -> BTreeSet<Address> {
        let event = key.event();
        let mut elsewhere = self.elsewhere(mailbox, key);
        elsewhere.retain(|other| self.is_shown(other, &event));
        elsewhere
    }

    /// Whether a destination whose calendar holds the items of `written` shows what a key stood for: its own item where it
    /// is to have one, and any item of the event where the event is divided in another way.
    pub(super) fn is_written(&self, destination: &Address, key: &SourceKey, written: &BTreeSet<SourceKey>) -> bool {
        if self.is_held(destination, key) {
            return written.contains(key);
        }
        let event = key.event();
        written.iter().any(|other| other.event() == event)
    }

    /// Whether the item of a key, kept in this mailbox, follows its event out of the window.
    pub(super) fn follows(&self, mailbox: &Address, key: &SourceKey) -> bool {
        let event = key.whole().map(|(event, _)| event);
        let mut named = std::iter::once(key).chain(&event).flat_map(|name| self.reasons(mailbox, name));
        let reason = self.reason_to_keep(mailbox, key);
        let placed = reason == Some(KeepReason::OutOfWindow)
            || reason.is_some() && self.reasons(mailbox, key).any(|reason| *reason == KeepReason::OutOfWindow);
        placed && !named.any(|reason| *reason == KeepReason::Rejected)
    }

    /// Why the item of a key that the mailbox does not show is kept there; `None` when it is not.
    fn reason_to_keep(&self, mailbox: &Address, key: &SourceKey) -> Option<KeepReason> {
        let named = |key| self.reasons(mailbox, key).next().cloned();
        let rejected = |key| self.reasons(mailbox, key).find(|reason| **reason == KeepReason::Rejected).cloned();
        let Some((event, original)) = key.whole() else {
            // An event that its parts alone show has no item of its own, whatever another job says of it.
            let by_parts_alone = self.divided(mailbox, key).any(|divided| !divided.has_item);
            return if by_parts_alone { rejected(key) } else { named(key) };
        };
        if let Some(reason) = named(key).or_else(|| rejected(&event)) {
            return Some(reason);
        }
        let mut divided = self.divided(mailbox, &event).peekable();
        if divided.peek().is_some() {
            // One job that knows it gone is enough.
            let may_take_place = divided.all(|divided| divided.unlisted.may_take_place(original));
            return may_take_place.then_some(KeepReason::OutOfWindow);
        }
        // An event of one item that is out of the window has no parts either.
        let whole = named(&event).filter(|reason| *reason != KeepReason::OutOfWindow);
        if self.is_held(mailbox, &event) { None } else { whole }
    }

    /// The mailboxes but `mailbox` that show a key, or the event of which it is a part.
    fn elsewhere(&self, mailbox: &Address, key: &SourceKey) -> BTreeSet<Address> {
        let event = key.whole().map(|(event, _)| event);
        let names = [Some(key), event.as_ref()];
        let others = names.into_iter().flatten().flat_map(|name| {
            let divided = self.divided.get(name).into_iter().flatten().map(|divided| &divided.mailbox);
            let reasons = self.kept.get(name).into_iter().flatten();
            let outside = reasons.filter(|(_, reason)| *reason == KeepReason::OutOfWindow);
            self.holders_of(name).chain(divided).chain(outside.filter_map(|(holder, _)| holder.as_ref()))
        });
        others.filter(|holder| *holder != mailbox).cloned().collect()
    }

    fn holders_of<'a>(&'a self, key: &'a SourceKey) -> impl Iterator<Item = &'a Address> {
        let first = self.holders.partition_point(|(other, _)| other < key);
        self.holders[first..].iter().take_while(move |(other, _)| other == key).map(|(_, holder)| holder)
    }

    fn is_held(&self, mailbox: &Address, key: &SourceKey) -> bool {
        self.holders_of(key).any(|holder| holder == mailbox)
    }

    fn reasons<'a>(&'a self, mailbox: &'a Address, key: &SourceKey) -> impl Iterator<Item = &'a KeepReason> {
        let here = self.kept.get(key).into_iter().flatten();
        here.filter(move |(holder, _)| holder.as_ref().is_none_or(|holder| holder == mailbox)).map(|(_, reason)| reason)
    }

    fn divided<'a>(&'a self, mailbox: &'a Address, event: &SourceKey) -> impl Iterator<Item = &'a Divided> {
        let here = self.divided.get(event).into_iter().flatten();
        here.filter(move |divided| divided.mailbox == *mailbox)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::View;
    use crate::{
        desired::{Divided, Unlisted},
        model::{
            address::Address,
            key::{Kind, SourceKey},
            time::EventTime,
            window::Window,
            zone::Zone,
        },
        plan::KeepReason,
    };

    fn address(name: &str) -> Address {
        Address::parse(&format!("{name}@example.test")).unwrap()
    }

    fn event() -> SourceKey {
        SourceKey::new("erp", Kind::Appointment, "1")
    }

    /// The part of the event that stands for 09:00 on a day of December 2026.
    fn part(day: u8) -> SourceKey {
        event().part(format!("2026-12-{day:02}T09:00").parse().unwrap())
    }

    /// An event that is followed inside 10 to 20 December only, or wholly listed.
    fn divided(mailbox: &str, has_item: bool, is_listed: bool) -> Divided {
        let zone = Zone::parse("Europe/Paris").unwrap();
        let wall = |day: i8| jiff::civil::date(2026, 12, day).at(9, 0, 0, 0);
        let instant = |day: i8| zone.instant(jiff::civil::date(2026, 12, day).at(0, 0, 0, 0));
        let window = Window { start: instant(10), end: instant(21) };
        let first = EventTime::Timed { start: wall(1), end: wall(1), zone: zone.clone() };
        let unlisted =
            if is_listed { Unlisted::Gone } else { Unlisted::OutsideWindow { first, window, cancelled: Vec::new() } };
        Divided { key: event(), mailbox: address(mailbox), has_item, unlisted }
    }

    /// What the view says of an item in the calendar of ana.
    fn says(view: &View, key: &SourceKey) -> String {
        let scope = view.scope(&address("ana"), std::iter::once(key));
        let deletions = view.deletions(&[(address("ana"), key.clone())]);
        let held = view.is_held(&address("ana"), key);
        let kept = scope.kept.get(key);
        assert_eq!(deletions == 1, kept.is_none() && !held, "the brake counts what the plan deletes");
        match (kept, scope.elsewhere.contains_key(key)) {
            (Some(reason), _) => format!("kept: {reason:?}"),
            (None, true) => "handed over".to_owned(),
            (None, false) => "deleted".to_owned(),
        }
    }

    #[test]
    fn parts_are_kept_or_deleted_by_what_is_known_of_their_event() {
        let nothing: fn(&mut View) = |_| {};
        let holds = |view: &mut View, keys: &[(SourceKey, &str)]| {
            view.hold(keys.iter().map(|(key, mailbox)| (key.clone(), address(mailbox))).collect());
        };
        let check = |name: &str, notes: fn(&mut View), shown: &[(SourceKey, &str)], expected: &[(Option<u8>, &str)]| {
            let mut view = View::default();
            notes(&mut view);
            holds(&mut view, shown);
            for (day, says_of_it) in expected {
                let key = day.map_or_else(event, part);
                assert_eq!(says(&view, &key), *says_of_it, "{name}: {key}");
            }
        };
        let own = |key: SourceKey| (key, "ana");
        check("absent", nothing, &[], &[(None, "deleted"), (Some(15), "deleted")]);
        check("a single event", nothing, &[own(event())], &[(Some(15), "deleted"), (Some(25), "deleted")]);
        check(
            "expanded",
            |view| view.divide(divided("ana", false, false)),
            &[own(part(14))],
            &[
                (None, "deleted"),
                (Some(15), "deleted"),
                (Some(9), "kept: OutOfWindow"),
                (Some(25), "kept: OutOfWindow"),
            ],
        );
        check(
            "expanded, with nothing in the window",
            |view| view.divide(divided("ana", false, false)),
            &[],
            &[(None, "deleted"), (Some(15), "deleted"), (Some(25), "kept: OutOfWindow")],
        );
        check(
            "a series out of the window with parts inside",
            |view| {
                view.divide(divided("ana", true, true));
                view.keep(event(), Some(address("ana")), KeepReason::OutOfWindow);
                view.keep(part(25), Some(address("ana")), KeepReason::OutOfWindow);
            },
            &[own(part(14))],
            &[
                (None, "kept: OutOfWindow"),
                (Some(15), "deleted"),
                (Some(25), "kept: OutOfWindow"),
                (Some(26), "deleted"),
            ],
        );
        for reason in [KeepReason::Rejected, KeepReason::NotSelected, KeepReason::TooLong] {
            let mut view = View::default();
            view.keep(event(), Some(address("ana")), reason.clone());
            view.hold(Vec::new());
            assert_eq!(says(&view, &part(15)), format!("kept: {reason:?}"));
        }
        check(
            "one item that moved out of the window",
            |view| {
                view.keep(event(), None, KeepReason::NotSelected);
                view.keep(event(), Some(address("ana")), KeepReason::OutOfWindow);
            },
            &[],
            &[(None, "kept: OutOfWindow"), (Some(15), "deleted")],
        );
        check(
            "handed over, and out of the window",
            |view| {
                view.keep(event(), None, KeepReason::NotSelected);
                view.keep(event(), Some(address("bob")), KeepReason::OutOfWindow);
            },
            &[],
            &[(None, "handed over"), (Some(15), "handed over")],
        );
        check(
            "rejected in part",
            |view| {
                view.divide(divided("ana", false, false));
                view.keep(event(), None, KeepReason::Rejected);
            },
            &[own(part(14))],
            &[(None, "kept: Rejected"), (Some(15), "kept: Rejected")],
        );
        check(
            "handed over",
            |view| {
                view.divide(divided("bob", false, false));
                view.keep(event(), None, KeepReason::NotSelected);
            },
            &[(part(14), "bob")],
            &[(None, "handed over"), (Some(14), "handed over"), (Some(25), "handed over")],
        );
        check(
            "another job does not select it",
            |view| {
                view.divide(divided("ana", false, false));
                view.keep(event(), Some(address("ana")), KeepReason::NotSelected);
            },
            &[own(part(14))],
            &[(None, "deleted"), (Some(15), "deleted"), (Some(25), "kept: OutOfWindow")],
        );
        check(
            "an occurrence without its series",
            nothing,
            &[own(part(14))],
            &[(None, "deleted"), (Some(15), "deleted")],
        );
    }

    /// An expanded event whose two occurrences out of the window were moved into it; the one of the 25th is called off.
    #[test]
    fn what_is_called_off_does_not_stay() {
        let mut called_off = divided("ana", false, false);
        if let Unlisted::OutsideWindow { cancelled, .. } = &mut called_off.unlisted {
            cancelled.push("2026-12-25T09:00".parse().unwrap());
        }
        let mut view = View::default();
        view.divide(called_off);
        view.hold(Vec::new());
        assert_eq!(says(&view, &part(25)), "deleted");
        assert_eq!(says(&view, &part(26)), "kept: OutOfWindow");
    }

    #[test]
    fn an_event_that_other_items_show_weighs_once() {
        let links = |keys: &[SourceKey]| keys.iter().map(|key| (address("ana"), key.clone())).collect::<Vec<_>>();
        let other = SourceKey::new("erp", Kind::Appointment, "12");
        let check = |shown: &[(SourceKey, &str)], written: &[SourceKey], expected: usize| {
            let mut view = View::default();
            view.divide(divided("ana", false, true));
            view.hold(shown.iter().map(|(key, mailbox)| (key.clone(), address(mailbox))).collect());
            assert_eq!(view.deletions(&links(written)), expected, "{shown:?} {written:?}");
        };
        let written = [event(), part(11), part(12), other.clone()];
        check(&[(part(14), "ana")], &written, 2);
        check(&[(part(14), "bob")], &written, 4);
        check(&[(other.clone(), "ana")], &written, 3);
        check(&[], &written, 4);
    }
}
