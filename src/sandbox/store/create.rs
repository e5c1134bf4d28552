//! Creates, copies and moves items.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;

use super::{
    Store,
    change::without_repetition,
    error::StoreError,
    item::{Content, Draft, Entry, Item, Series},
    mailbox::{Departure, Mailbox},
    recurrence::Recurrence,
};

/// The reminder that Exchange gives an item that says nothing of one.
const REMINDER_DEFAULT_MINUTES: u32 = 15;

impl Store {
    /// Creates an item; in the default calendar without `folder`.
    ///
    /// # Errors
    /// [`StoreError::DuplicateTransaction`], what Exchange refuses, or a mailbox or folder that cannot be reached.
    pub fn create(&self, address: &str, folder: Option<&str>, draft: Draft) -> Result<Entry, StoreError> {
        let now = self.clock.now();
        self.with(address, |mailbox| {
            mailbox.check_quota()?;
            let folder = mailbox.folder(folder)?;
            if draft.transaction_id.as_ref().is_some_and(|id| mailbox.transactions.contains_key(id)) {
                return Err(StoreError::DuplicateTransaction);
            }
            let (recurrence, transaction_id) = (draft.recurrence.clone(), draft.transaction_id.clone());
            let mut content = content_of(draft)?;
            let series = recurrence.map(|recurrence| lay_out(&mut content, recurrence)).transpose()?;
            content.validate()?;
            let number = mailbox.next_number();
            if content.uid.is_empty() {
                content.uid = format!("040000008200E00074C5B7101A82E008{:08X}{number:08X}", mailbox.number);
            }
            let tick = mailbox.next_tick();
            if let Some(id) = &transaction_id {
                mailbox.transactions.insert(id.clone(), number);
            }
            Ok(insert(
                mailbox,
                Item {
                    number,
                    alias: number,
                    folder,
                    content: Arc::new(content),
                    series: series.map(Arc::new),
                    transaction_id,
                    created: now,
                    modified: now,
                    tick_created: tick,
                    tick,
                },
            ))
        })
    }

    /// The item that a transaction id made: `None` when the id was never used, `Some(None)` when the item is gone.
    ///
    /// # Errors
    /// When the mailbox cannot be reached.
    pub fn transaction(&self, address: &str, transaction_id: &str) -> Result<Option<Option<Entry>>, StoreError> {
        self.with(address, |mailbox| {
            let number = mailbox.transactions.get(transaction_id);
            Ok(number.map(|number| mailbox.items.get(number).map(|item| mailbox.entry(item))))
        })
    }

    /// Copies a single item or a whole series, as a person may: the copy has new ids and carries the named properties.
    ///
    /// # Errors
    /// When the item or the folder cannot be reached, or the id is that of an occurrence.
    pub fn copy_item(&self, address: &str, id: &str, folder: Option<&str>) -> Result<Entry, StoreError> {
        let now = self.clock.now();
        self.with(address, |mailbox| {
            let folder = mailbox.folder(folder)?;
            let (item, date) = mailbox.find(id)?;
            if date.is_some() {
                return Err(StoreError::NotASeries);
            }
            let number = mailbox.next_number();
            let tick = mailbox.next_tick();
            let mut copy = Item::clone(&item);
            copy.number = number;
            copy.alias = number;
            copy.folder = folder;
            copy.transaction_id = None;
            (copy.created, copy.modified) = (now, now);
            (copy.tick_created, copy.tick) = (tick, tick);
            Ok(insert(mailbox, copy))
        })
    }

    /// Moves an item to another folder of the mailbox: the id changes, the immutable id stays.
    ///
    /// # Errors
    /// When the item or the folder cannot be reached, or the id is that of an occurrence.
    pub fn move_item(&self, address: &str, id: &str, folder: Option<&str>) -> Result<Entry, StoreError> {
        self.with(address, |mailbox| {
            let folder = mailbox.folder(folder)?;
            let (item, date) = mailbox.find(id)?;
            if date.is_some() {
                return Err(StoreError::NotASeries);
            }
            let tick = mailbox.next_tick();
            depart(mailbox, &item, tick);
            let mut moved = Item::clone(&item);
            moved.alias = mailbox.next_number();
            moved.folder = folder;
            (moved.tick_created, moved.tick) = (tick, tick);
            Ok(insert(mailbox, moved))
        })
    }
}

fn insert(mailbox: &mut Mailbox, item: Item) -> Entry {
    let entry = mailbox.entry(&item);
    mailbox.aliases.insert(item.alias, item.number);
    mailbox.items.insert(item.number, Arc::new(item));
    entry
}

/// Takes an item out of its folder and keeps what the followers of that folder must be told.
pub(super) fn depart(mailbox: &mut Mailbox, item: &Item, tick: u32) {
    mailbox.aliases.remove(&item.alias);
    mailbox.items.remove(&item.number);
    mailbox.departures.push(Departure {
        folder: item.folder,
        number: item.number,
        alias: item.alias,
        tick_created: item.tick_created,
        tick,
    });
}

fn content_of(draft: Draft) -> Result<Content, StoreError> {
    let start = draft.start.instant(&draft.start_zone)?;
    let end = draft.end.instant(&draft.end_zone)?;
    let mut content = Content {
        subject: draft.subject,
        body: draft.body,
        location: draft.location,
        show_as: draft.show_as,
        sensitivity: draft.sensitivity,
        importance: draft.importance,
        categories: without_repetition(draft.categories),
        reminder_set: draft.reminder_set.unwrap_or(true),
        reminder_minutes: draft.reminder_minutes.unwrap_or(REMINDER_DEFAULT_MINUTES),
        start,
        end,
        start_zone: draft.start_zone,
        end_zone: draft.end_zone,
        all_day: draft.all_day,
        uid: draft.uid.unwrap_or_default(),
        properties: draft.properties,
        attendees: draft.attendees,
    };
    content.validate()?;
    if content.all_day {
        content.snap_to_days()?;
    }
    Ok(content)
}

/// Makes a series: the master takes the times of the first date that the rule gives.
pub(super) fn lay_out(content: &mut Content, mut recurrence: Recurrence) -> Result<Series, StoreError> {
    recurrence.validate()?;
    let first = recurrence.dates().next().ok_or(StoreError::NoOccurrence)?;
    recurrence.start = first;
    (content.start, content.end) = content.times_on(first)?;
    let length = content.end.duration_since(content.start);
    let dates: Vec<_> = recurrence.dates().take(60).collect();
    let shortest = dates.windows(2).map(|pair| pair[1].duration_since(pair[0])).min();
    // An hour of grace: whole days of a daily series may last 25 hours.
    if shortest.is_some_and(|gap| length > gap.saturating_add(SignedDuration::from_hours(1))) {
        return Err(StoreError::OccurrenceTooLong);
    }
    Ok(Series { recurrence, exceptions: BTreeMap::new(), revisions: BTreeMap::new() })
}
