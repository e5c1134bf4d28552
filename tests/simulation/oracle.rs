//! What has to hold: while requests pass, and once everything has come to rest.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use calsyncd::{
    model::side::Side,
    sandbox::store::{Entry, Filter, Target},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    erp::{Event, Shown},
    monitor::{Touch, key_of, stored, touches},
    wire::Sent,
    world::{Face, World},
};

/// For so long a read counts that did not tell of an event: a pass that was planned on it may have to wait until the server
/// may be asked again.
const ABSENT_FOR: Duration = Duration::from_hours(30);
const FREEZE: SignedDuration = SignedDuration::from_hours(7 * 24);

impl World {
    /// Looks at a request before it is carried out.
    pub(crate) fn observe(&mut self, sent: &Sent) -> Result<(), String> {
        for touch in touches(&self.sandbox, sent)? {
            self.writes += 1;
            self.refuse_other_half(sent, &touch)?;
            let entry = match &touch {
                Touch::Create(_) => continue,
                Touch::Update(entry) | Touch::Delete(entry) => entry,
            };
            let key = key_of(entry).unwrap_or_default();
            self.refuse_copy(&sent.mailbox, &key, entry)?;
            if matches!(touch, Touch::Delete(_)) {
                self.deletes += 1;
                let absent = self.absent.get(&(sent.mailbox.clone(), key.clone()));
                if absent.is_none_or(|at| self.clock.passed() > *at + ABSENT_FOR) {
                    return Err(format!("{key} is deleted from {}, and no complete read was without it", sent.mailbox));
                }
            }
        }
        Ok(())
    }

    /// A copy is the user's, as long as the original is there to tell it from.
    fn refuse_copy(&mut self, mailbox: &str, key: &str, entry: &Entry) -> Result<(), String> {
        let is_copy = |entry: &Entry| self.copies.contains_key(&(mailbox.to_owned(), entry.immutable_id.clone()));
        if self.is_restored || !is_copy(entry) {
            return Ok(());
        }
        // Of two items of one second, which came first nobody knows where no link tells; nor on a clock that was set back.
        let is_original = |item: &Entry| {
            key_of(item).as_deref() == Some(key)
                && !is_copy(item)
                && item.created.as_second() < entry.created.as_second()
        };
        let original = self.items(mailbox).into_iter().find(is_original);
        if original.is_some() {
            return Err(format!("a copy that a user made of {key} in {mailbox} is written"));
        }
        let is_tied = |item: &Entry| {
            key_of(item).as_deref() == Some(key)
                && !is_copy(item)
                && item.created.as_second() == entry.created.as_second()
        };
        if self.items(mailbox).iter().any(is_tied) {
            self.tied.insert((mailbox.to_owned(), entry.immutable_id.clone()));
        }
        Ok(())
    }

    /// Remembers what a complete read leaves out.
    pub(crate) fn note_read(&mut self, told: &BTreeSet<u32>) {
        for event in self.erp.events.values() {
            for (place, mailbox) in self.erp.mailboxes.iter().enumerate() {
                let is_there = told.contains(&event.id) && event.owner == place && !event.cancelled;
                if !is_there {
                    let key = (mailbox.as_str().to_owned(), event.key().as_str().to_owned());
                    self.absent.insert(key, self.clock.passed());
                }
            }
        }
    }

    /// The items of the default calendar.
    pub(crate) fn items(&self, mailbox: &str) -> Vec<Entry> {
        let store = self.sandbox.store();
        let Ok(folder) = store.folder(mailbox, None) else { return Vec::new() };
        store.find(mailbox, Some(&folder.id), &Filter::All).unwrap_or_default()
    }

    /// What an item shows.
    fn shown(&self, mailbox: &str, entry: &Entry) -> Vec<Shown> {
        let of = |entry: &Entry| Shown {
            start: entry.content.start,
            end: entry.content.end,
            subject: entry.content.subject.clone(),
        };
        if entry.series.is_none() {
            return vec![of(entry)];
        }
        let (from, to) = ("2020-01-01T00:00:00Z".parse().unwrap(), "2035-01-01T00:00:00Z".parse().unwrap());
        let all = self.sandbox.store().instances(mailbox, &entry.id, from, to).unwrap();
        let mut all: Vec<Shown> = all.iter().map(of).collect();
        all.sort();
        all
    }

    /// Whether everything is as it should be; the first thing that is not.
    pub(crate) async fn at_rest(&self) -> Result<(), String> {
        if self.sandbox.counts().mails_sent != 0 {
            return Err("mail was sent".to_owned());
        }
        self.own_items_are_untouched()?;
        let frozen = self.now().checked_sub(FREEZE).unwrap();
        for (place, address) in self.erp.mailboxes.iter().enumerate() {
            let intents = self.store().intents(address).await.map_err(|error| error.to_string())?;
            if let Some(intent) = intents.first() {
                return Err(format!("an intent of {} is left in {}", intent.key.as_str(), address.as_str()));
            }
            let links = self.store().links(address).await.map_err(|error| error.to_string())?;
            let links = links.into_iter().map(|link| (link.key.as_str().to_owned(), stored(&link.item.id))).collect();
            self.mailbox_is_right(place, address.as_str(), &links, frozen)?;
        }
        Ok(())
    }

    fn mailbox_is_right(
        &self,
        place: usize,
        mailbox: &str,
        links: &BTreeMap<String, String>,
        frozen: Timestamp,
    ) -> Result<(), String> {
        let mut by_key: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for item in self.items(mailbox) {
            if let Some(key) = key_of(&item) {
                by_key.entry(key).or_default().push(item);
            }
        }
        for event in self.erp.events.values() {
            let key = event.key().as_str().to_owned();
            let items = by_key.remove(&key).unwrap_or_default();
            let named = |item: &&Entry| links.get(&key).is_some_and(|id| *id == item.id || *id == item.immutable_id);
            let linked = items.iter().find(named);
            let others: Vec<&Entry> = items.iter().filter(|item| !named(item)).collect();
            let is_here = event.present && !event.cancelled && event.owner == place;
            // Who knew of it is lost with the state, and nothing asks for it any more: it is for a person to adopt.
            let is_orphan = self.is_restored && !is_here && !links.contains_key(&key);
            if is_orphan {
                continue;
            }
            self.others_are_copies(mailbox, &key, &others)?;
            if is_here {
                self.is_shown(mailbox, event, linked, frozen)?;
            } else if linked.is_some() && event.ended_first >= frozen {
                return Err(format!("{key} is still in {mailbox}"));
            }
        }
        by_key.into_keys().next().map_or(Ok(()), |key| Err(format!("nobody knows {key} in {mailbox}")))
    }

    fn is_shown(&self, mailbox: &str, event: &Event, linked: Option<&Entry>, frozen: Timestamp) -> Result<(), String> {
        let key = event.key();
        let (ends, wanted) = (event.ends(), event.shown());
        let window_ends = self.now().checked_add(SignedDuration::from_hours(24 * 179)).unwrap();
        let is_outside = wanted.first().is_none_or(|first| first.start > window_ends);
        if ends < frozen {
            return Ok(());
        }
        let place = (mailbox.to_owned(), key.as_str().to_owned());
        let is_doubtful = self.doubtful.contains(&place);
        let Some(linked) = linked else {
            // Created under the generation of an attempt before the last reading, and gone before the next one: no reading of
            // changes tells of it, and the link does not look new.
            let is_ews = match self.face {
                Face::Ews => true,
                Face::Graph => false,
                Face::Hybrid => self.lives(mailbox) == Some(Side::Ews),
            };
            let cannot_be_told = is_ews && is_doubtful && self.removed.contains(&place);
            return if is_outside || cannot_be_told {
                Ok(())
            } else {
                Err(format!("{} is not in {mailbox}", key.as_str()))
            };
        };
        let shown = self.shown(mailbox, linked);
        // Whether somebody edits an item after a write of which nobody heard the end, the item does not tell; nor does one that
        // was found again after the state was lost, or after a move: what a user did before that was never read.
        let is_unseen = self.unseen.contains(&place);
        let cannot_be_told = self.edited.contains(&place) && (self.is_restored || is_doubtful || is_unseen);
        if shown == wanted || cannot_be_told {
            return Ok(());
        }
        Err(format!("{} in {mailbox} shows\n{shown:?}\nin place of\n{wanted:?}", key.as_str()))
    }

    /// Every further item under a key of ours is a copy that a user made, and as that user left it.
    fn others_are_copies(&self, mailbox: &str, key: &str, others: &[&Entry]) -> Result<(), String> {
        let place = |item: &Entry| (mailbox.to_owned(), item.immutable_id.clone());
        let copy = |item: &Entry| self.copies.get(&place(item));
        let copies_of_key = self
            .copies
            .iter()
            .filter(|((address, _), copy)| address == mailbox && key_of(copy).as_deref() == Some(key))
            .count();
        for item in others {
            match copy(item) {
                Some(before) if before.content != item.content && !self.tied.contains(&place(item)) => {
                    return Err(format!("a copy of {key} in {mailbox} was changed"));
                }
                Some(_) => {}
                // Which of two is the copy nobody knows once the link is lost.
                None if others.len() <= copies_of_key => {}
                None => return Err(format!("{key} is in {mailbox} {} times too often", others.len())),
            }
        }
        Ok(())
    }

    fn own_items_are_untouched(&self) -> Result<(), String> {
        for ((mailbox, id), own) in &self.own {
            let found = self.sandbox.store().get(mailbox, &Target::Id(id.clone()));
            let found = found.map_err(|error| format!("a user's own item in {mailbox} is gone: {error}"))?;
            if found.content != own.content || found.change_key != own.change_key {
                return Err(format!("a user's own item in {mailbox} was changed"));
            }
        }
        Ok(())
    }
}
