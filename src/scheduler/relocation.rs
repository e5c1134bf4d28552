//! A mailbox that has moved to the other side: its items have other names there. They are found by their keys, and the links are
//! rewritten in one transaction with the place.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{
    pass::{Pass, PassStop},
    recovery::{self, Recovered, by_key},
};
use crate::{
    gateway::{Calendar, Reading},
    model::{
        fault::{Fault, FaultKind, FaultScope},
        history::{Entry, Step},
        key::SourceKey,
        link::{FoundItem, Link},
        snapshot::Snapshot,
    },
    observability::events::MailboxMoved,
    plan::refuse_foreign_owner,
    state::{Advance, FollowedCalendar, MailboxPlace, MailboxState, Settlement, Settlements},
};

/// What a pass begins with: nothing is in doubt, and every link names an item of this side.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) links: Vec<Link>,
    /// Creates that were not found, with their generations (see [`Recovered`]).
    pub(super) pending: BTreeMap<SourceKey, i64>,
    /// Of a mailbox that has moved, or a calendar that is not made yet, what was read of it.
    pub(super) read: Option<(Reading, Timestamp)>,
}

impl Pass {
    /// Whether the links were written on another side than that of this pass.
    pub(super) fn has_moved(&self) -> bool {
        self.noted.is_some_and(|noted| noted.side != self.way.side)
    }

    /// Looks into what is in doubt, and finds the items of a mailbox that has moved. With `keeps`, the state follows; one that
    /// does not finds them anew next time.
    pub(super) async fn settle(&self, calendar: &Calendar, keeps: bool) -> Result<Settled, PassStop> {
        let links = self.store.links(&self.mailbox).await?;
        let Recovered { pending, settlements, entries, links } = recovery::look(self, Some(calendar), links).await?;
        if keeps {
            let place = self.place();
            // Where no side was known, the links are of this one.
            let is_news = self.noted.is_none_or(|noted| noted.side == place.side && place.asked && !noted.asked);
            let place = is_news.then_some(&place);
            let step = Advance { settlements: &settlements, entries: &entries, place, ..Advance::default() };
            self.store.advance(&self.mailbox, &step, self.clock.now()).await?;
        }
        if self.has_moved() {
            self.relocate(calendar, links, pending, keeps).await
        } else {
            Ok(Settled { links, pending, read: None })
        }
    }

    /// A calendar that the next pass makes: nothing is in it.
    pub(super) async fn not_made_yet(&self) -> Result<(Calendar, Settled), PassStop> {
        let calendar = Calendar { mailbox: self.mailbox.clone(), id: String::new() };
        let links = self.store.links(&self.mailbox).await?;
        let Recovered { pending, links, .. } = recovery::look(self, None, links).await?;
        let reading = Reading { snapshot: Snapshot::Whole(Vec::new()), cursor: None };
        Ok((calendar, Settled { links, pending, read: Some((reading, self.clock.now())) }))
    }

    /// Where the mailbox is. In a hybrid no pass begins before both sides were asked.
    fn place(&self) -> MailboxPlace {
        MailboxPlace { side: self.way.side, asked: self.wiring.ways.is_hybrid(), since: self.clock.now() }
    }

    /// What no item is found for is wanted anew, unless it is known to be deleted or long over.
    async fn relocate(
        &self,
        calendar: &Calendar,
        links: Vec<Link>,
        pending: BTreeMap<SourceKey, i64>,
        keeps: bool,
    ) -> Result<Settled, PassStop> {
        let reading = self.read_whole(calendar, &links).await?;
        let Snapshot::Whole(found) = &reading.0.snapshot else { return Err(not_whole().into()) };
        refuse_foreign_owner(&self.mailbox, self.store.owner(), found)?;
        let now = self.clock.now();
        let has_copies = !self.store.copies(&self.mailbox).await?.is_empty();
        let frozen_before = self.wiring.policy(now).frozen_before;
        let Renamed { settlements, copies } = renamed(&links, found, &pending, frozen_before, has_copies);
        if keeps {
            self.keep_moved(calendar, &settlements, &copies, now).await?;
        }
        Ok(Settled { links: applied(links, &settlements), pending, read: Some(reading) })
    }

    /// Lets the state follow, all at once.
    async fn keep_moved(
        &self,
        calendar: &Calendar,
        settlements: &[Settlement],
        copies: &[String],
        now: Timestamp,
    ) -> Result<(), PassStop> {
        let entries: Vec<Entry> = settlements.iter().map(|settlement| self.moved(settlement, now)).collect();
        let state = self.store.mailbox(&self.mailbox).await?;
        let followed = self.store.calendar(&self.mailbox).await?;
        let followed = followed.map(|followed| FollowedCalendar { folder_id: calendar.id.clone(), ..followed });
        let step = Advance {
            settlements,
            entries: &entries,
            end: Some(&MailboxState { cursor: None, read_at: None, ..state }),
            place: Some(&self.place()),
            calendar: followed.as_ref(),
            copies,
            ..Advance::default()
        };
        self.store.advance(&self.mailbox, &step, now).await?;
        let lost = settlements.iter().filter(|settlement| matches!(settlement, Settlement::Unlinked(_))).count();
        MailboxMoved {
            mailbox: self.mailbox.as_str(),
            from: self.noted.map_or("", |noted| noted.side.as_str()),
            to: self.way.side.as_str(),
            found: (settlements.len() - lost) as u64,
            lost: lost as u64,
        }
        .emit();
        Ok(())
    }

    fn moved(&self, settlement: &Settlement, now: Timestamp) -> Entry {
        let (word, code) = match settlement {
            Settlement::Unlinked(_) => ("forget", "lost_in_move"),
            Settlement::Linked(_) | Settlement::Dropped(_) | Settlement::Refused { .. } => ("follow", "moved"),
        };
        let entry = Entry::new(now, Some(&self.mailbox), settlement.key(), Step::Decision, word);
        let detail = Some(format!("the mailbox is reached by {} now", self.way.side));
        Entry { code: Some(code.into()), detail, ..entry }
    }
}

/// What becomes of the links, and the items that are users' copies.
#[derive(Debug, PartialEq, Eq)]
struct Renamed {
    settlements: Settlements,
    copies: Vec<String>,
}

/// What becomes of each link: the item of its key in the new place, the original of several. An edit that its owner
/// made before the move is not told from ours any more: what the server shows there was never seen. Where users made copies and
/// the original is known to be deleted, what carries its key is a copy.
fn renamed(
    links: &[Link],
    found: &[FoundItem],
    pending: &BTreeMap<SourceKey, i64>,
    frozen_before: Timestamp,
    has_copies: bool,
) -> Renamed {
    let mut by_key: HashMap<&str, Vec<&FoundItem>> = HashMap::new();
    for item in found {
        by_key.entry(item.key.as_str()).or_default().push(item);
    }
    let mut renamed = Renamed { settlements: Vec::new(), copies: Vec::new() };
    for link in links {
        let candidates = by_key.remove(link.key.as_str()).unwrap_or_default();
        if has_copies && link.deleted_at.is_some() {
            renamed.copies.extend(candidates.iter().map(|item| item.item.id.clone()));
            continue;
        }
        match FoundItem::original(candidates) {
            Some(found) => {
                let link = Link { item: found.item.clone(), echo: None, ..link.clone() };
                renamed.settlements.push(Settlement::Linked(link));
            }
            None if link.deleted_at.is_some() || link.ends < frozen_before || pending.contains_key(&link.key) => {}
            None => renamed.settlements.push(Settlement::Unlinked(link.key.clone())),
        }
    }
    renamed
}

fn not_whole() -> Fault {
    let kind = FaultKind::Transient { wait: None };
    Fault::new(
        FaultScope::Mailbox,
        kind,
        "NotWhole",
        "the calendar of a mailbox that has moved was not read as a whole",
    )
}

/// The links as the settlements say, in the order of their keys.
fn applied(links: Vec<Link>, settlements: &[Settlement]) -> Vec<Link> {
    let mut links = by_key(links);
    settlements.iter().for_each(|settlement| settlement.apply(&mut links));
    links.into_values().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::{Renamed, applied, renamed};
    use crate::{
        model::{
            fingerprint::Fingerprint,
            key::{Kind, SourceKey},
            link::{FoundItem, ItemRef, Link},
        },
        state::Settlement,
    };

    fn key(id: &str) -> SourceKey {
        SourceKey::new("erp", Kind::Appointment, id)
    }

    fn item(id: &str, change_key: &str) -> ItemRef {
        ItemRef { id: id.to_owned(), change_key: change_key.to_owned() }
    }

    fn link(id: &str) -> Link {
        Link { generation: 7, ..Link::new(key(id), item(&format!("old-{id}"), "1"), Fingerprint::unknown()) }
    }

    fn found(id: &str, name: &str, created: i64) -> FoundItem {
        FoundItem { created: Timestamp::from_second(created).ok(), ..FoundItem::new(item(name, "9"), key(id).as_str()) }
    }

    #[test]
    fn items_are_found_by_their_keys_and_what_is_lost_is_wanted_anew() {
        let (over, deleted_at) = (Timestamp::from_second(10), Timestamp::from_second(20).ok());
        let links = vec![
            Link { deleted_at, ..link("deleted") },
            link("lost"),
            link("moved"),
            Link { ends: over.unwrap_or_default(), ..link("over") },
            link("pending"),
            Link { deleted_at, ..link("restored") },
        ];
        let there = [
            found("moved", "copy", 200),
            found("moved", "new-moved", 100),
            found("restored", "new-restored", 100),
            found("nobody's", "new", 100),
        ];
        let pending = BTreeMap::from([(key("pending"), 7)]);
        let frozen_before = Timestamp::from_second(15).unwrap_or_default();
        let Renamed { settlements, copies } = renamed(&links, &there, &pending, frozen_before, false);
        assert_eq!(copies, [] as [String; 0]);
        let named = |id: &str, name: &str| Link { item: item(name, "9"), ..link(id) };
        assert_eq!(
            settlements,
            [
                Settlement::Unlinked(key("lost")),
                Settlement::Linked(named("moved", "new-moved")),
                Settlement::Linked(Link { deleted_at, ..named("restored", "new-restored") }),
            ]
        );
        let links = applied(links, &settlements);
        let left: Vec<(&str, &str)> = links.iter().map(|link| (link.key.as_str(), link.item.id.as_str())).collect();
        assert_eq!(
            left,
            [
                ("erp/appointment/deleted", "old-deleted"),
                ("erp/appointment/moved", "new-moved"),
                ("erp/appointment/over", "old-over"),
                ("erp/appointment/pending", "old-pending"),
                ("erp/appointment/restored", "new-restored"),
            ]
        );
    }

    #[test]
    fn a_copy_of_what_was_deleted_stays_its_users() {
        let links = [Link { deleted_at: Timestamp::from_second(20).ok(), ..link("deleted") }, link("moved")];
        let there = [found("deleted", "copy", 100), found("moved", "new-moved", 100)];
        let renamed = renamed(&links, &there, &BTreeMap::new(), Timestamp::MIN, true);
        assert_eq!(renamed.copies, ["copy"]);
        assert_eq!(renamed.settlements, [Settlement::Linked(Link { item: item("new-moved", "9"), ..link("moved") })]);
    }
}
