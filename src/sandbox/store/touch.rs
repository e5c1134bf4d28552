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
