//! What changes a change key and nothing that anybody wrote: a person who opens and saves, a server that rewrites by itself.

use std::sync::Arc;

use super::{
    Store,
    body::{Body, BodyKind},
    error::StoreError,
    find::{Target, resolve},
    item::{Entry, Exception, Item},
    mailbox::Mailbox,
    update::store,
    zone::Zone,
};

/// Zones of the same rules, of which the server may choose one for the other.
const SAME_RULES: [(&str, &str); 2] =
    [("Romance Standard Time", "W. Europe Standard Time"), ("W. Europe Standard Time", "Romance Standard Time")];

impl Store {
    /// Saves an item as it is, as Outlook does when a person opens and closes it. A saved occurrence is an exception from then
    /// on, which shows what it showed.
    ///
    /// # Errors
    /// When the item cannot be reached.
    pub fn touch(&self, address: &str, target: &Target) -> Result<Entry, StoreError> {
        let now = self.clock.now();
        self.with(address, |mailbox| {
            let (item, date) = resolve(mailbox, target)?;
            let mut saved = Item::clone(&item);
            if let (Some(date), Some(series)) = (date, &mut saved.series) {
                Arc::make_mut(series).exceptions.entry(date).or_insert_with(|| Exception::Changed(Vec::new()));
            }
            let saved = store(mailbox, saved, now);
            date.map_or_else(|| Ok(mailbox.entry(&saved)), |date| mailbox.occurrence(&saved, date))
        })
    }

    /// Rewrites what was written since the last time, as a server does by itself: texts are trimmed, bodies become HTML, a zone
    /// is called by another name, and the change key is another.
    ///
    /// # Errors
    /// When the mailbox cannot be reached.
    pub fn settle(&self, address: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.with(address, |mailbox| {
            settle(mailbox, now);
            Ok(())
        })
    }

    /// Whether what was written is rewritten each time before the folder is listed.
    ///
    /// # Errors
    /// When the mailbox cannot be reached.
    pub fn set_settling(&self, address: &str, is_settling: bool) -> Result<(), StoreError> {
        self.with(address, |mailbox| {
            mailbox.is_settling = is_settling;
            Ok(())
        })
    }
}

/// Rewrites what was written since the last listing, where the mailbox does so.
pub(super) fn settle_before_listing(mailbox: &mut Mailbox, now: jiff::Timestamp) {
    if mailbox.is_settling {
        settle(mailbox, now);
    }
}

fn settle(mailbox: &mut Mailbox, now: jiff::Timestamp) {
    let since = mailbox.settled_tick;
    let written: Vec<Item> =
        mailbox.items.values().filter(|item| item.tick > since).map(|item| Item::clone(item)).collect();
    for mut item in written {
        let content = Arc::make_mut(&mut item.content);
        content.subject = content.subject.trim().to_owned();
        content.location = content.location.as_deref().map(|location| location.trim().to_owned());
        content.body = content.body.as_ref().map(|body| Body::html(body.read_back(BodyKind::Html)));
        for zone in [&mut content.start_zone, &mut content.end_zone] {
            let other = SAME_RULES.iter().find(|(name, _)| zone.id() == *name).map(|(_, other)| *other);
            if let Some(Ok(other)) = other.map(Zone::windows) {
                *zone = other;
            }
        }
        store(mailbox, item, now);
    }
    mailbox.settled_tick = mailbox.tick;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use jiff::civil::date;

    use super::super::{
        Draft, Filter, MailboxSettings, Moment, Pattern, Recurrence, RecurrenceEnd, Store, Target, Zone,
    };
    use crate::clock::SystemClock;

    const ANA: &str = "ana@example.test";

    fn store() -> (Store, String) {
        let store = Store::new(Arc::new(SystemClock), 7);
        store.add_mailbox(MailboxSettings::new(ANA)).unwrap();
        let day = date(2026, 11, 23);
        let at = |hour| Moment::Wall(day.at(hour, 0, 0, 0));
        let pattern = Pattern::Daily { interval: 1 };
        let draft = Draft {
            subject: " S ".to_owned(),
            body: Some(super::Body::text("A\nB ")),
            recurrence: Some(Recurrence { pattern, start: day, end: RecurrenceEnd::After(3) }),
            ..Draft::new(at(9), at(10), Zone::windows("Romance Standard Time").unwrap())
        };
        let id = store.create(ANA, None, draft).unwrap().id;
        (store, id)
    }

    #[test]
    fn a_save_changes_the_change_key_alone() {
        let (store, id) = store();
        let before = store.get(ANA, &Target::Id(id.clone())).unwrap();
        let saved = store.touch(ANA, &Target::Id(id.clone())).unwrap();
        assert_ne!(saved.change_key, before.change_key);
        assert_eq!((saved.content, saved.series), (before.content, before.series));
        store.touch(ANA, &Target::Index { master: id.clone(), index: 2 }).unwrap();
        let found = store.exceptions(ANA, &id).unwrap();
        assert_eq!(found.changed.len(), 1);
        assert_eq!(found.changed[0].content.subject, " S ");
    }

    #[test]
    fn a_server_rewrites_once_what_was_written() {
        let (store, id) = store();
        let find = || store.find(ANA, None, &Filter::All).unwrap().remove(0);
        let before = find();
        assert_eq!(find().change_key, before.change_key);
        store.set_settling(ANA, true).unwrap();
        let settled = find();
        assert_ne!(settled.change_key, before.change_key);
        assert_eq!((settled.content.subject.as_str(), settled.content.start), ("S", before.content.start));
        assert_eq!(settled.content.start_zone.id(), "W. Europe Standard Time");
        assert_eq!(settled.series.as_ref().unwrap().recurrence, before.series.unwrap().recurrence);
        assert_eq!(find().change_key, settled.change_key, "once");
        store.touch(ANA, &Target::Id(id)).unwrap();
        assert_ne!(find().change_key, settled.change_key);
    }
}
