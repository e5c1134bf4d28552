//! Updates items: a single one, a master, or one occurrence.

use std::sync::Arc;

use jiff::civil::Date;

use super::{
    Store,
    change::{Change, ChangeOrder, apply},
    create::lay_out,
    error::StoreError,
    find::{Target, resolve},
    identity,
    item::{Content, Entry, Exception, Item, Series},
    mailbox::Mailbox,
};

/// Under which condition a write goes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// Always.
    Any,
    /// If the change key is still this one.
    ChangeKey(String),
}

impl Store {
    /// Changes an item. The properties that `changes` does not name stay.
    ///
    /// Another recurrence, other times, another zone or whole days drop the exceptions of a series; setting what is there
    /// already keeps them. What else changes of a series shows on the occurrences that are no exceptions; those keep what they
    /// had.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], what Exchange refuses, or an item that cannot be reached.
    pub fn update(
        &self,
        address: &str,
        target: &Target,
        changes: &[Change],
        order: ChangeOrder,
        guard: &Guard,
    ) -> Result<Entry, StoreError> {
        let now = self.clock.now();
        self.with(address, |mailbox| {
            mailbox.check_quota()?;
            let (item, date) = resolve(mailbox, target)?;
            check_guard(mailbox, &item, guard)?;
            let mut changed = Item::clone(&item);
            match date {
                Some(date) => change_occurrence(mailbox, &mut changed, date, changes, order)?,
                None => change_item(&mut changed, changes, order)?,
            }
            let changed = store(mailbox, changed, now);
            date.map_or_else(|| Ok(mailbox.entry(&changed)), |date| mailbox.occurrence(&changed, date))
        })
    }
}

/// Compares the change key of a guard with the present one.
pub(super) fn check_guard(mailbox: &Mailbox, item: &Item, guard: &Guard) -> Result<(), StoreError> {
    match guard {
        Guard::Any => Ok(()),
        Guard::ChangeKey(key) if !identity::is_change_key(key) => Err(StoreError::InvalidChangeKey),
        Guard::ChangeKey(key) if *key == mailbox.change_key(item.tick) => Ok(()),
        Guard::ChangeKey(_) => Err(StoreError::Conflict),
    }
}

/// Puts a changed item in the place of the old one, with a new change key.
pub(super) fn store(mailbox: &mut Mailbox, mut item: Item, now: jiff::Timestamp) -> Arc<Item> {
    item.tick = mailbox.next_tick();
    item.modified = now;
    let item = Arc::new(item);
    mailbox.items.insert(item.number, Arc::clone(&item));
    item
}

fn change_item(item: &mut Item, changes: &[Change], order: ChangeOrder) -> Result<(), StoreError> {
    let before = Arc::clone(&item.content);
    let mut content = apply(&before, changes, order)?;
    let mut series = item.series.take();
    let mut wanted = series.as_ref().map(|series| series.recurrence.clone());
    for change in changes {
        if let Change::Recurrence(recurrence) = change {
            // Once it is removed nothing of the series stays, whatever follows.
            series = series.filter(|_| recurrence.is_some());
            wanted.clone_from(recurrence);
        }
    }
    item.series = match (wanted, series) {
        (None, _) => None,
        (Some(recurrence), None) => Some(Arc::new(lay_out(&mut content, recurrence)?)),
        (Some(mut recurrence), Some(series)) => {
            if !changes.iter().any(|change| matches!(change, Change::Recurrence(_))) {
                recurrence.start = content.start_wall().date();
            }
            let anew = lay_out(&mut content, recurrence)?;
            let stays = anew.recurrence == series.recurrence && has_times_of(&content, &before);
            Some(if stays { Arc::new(keep(&series, &before, changes)) } else { Arc::new(anew) })
        }
    };
    item.content = Arc::new(content);
    Ok(())
}

/// Whether a series with this content has its occurrences where they were.
fn has_times_of(content: &Content, before: &Content) -> bool {
    let times = |content: &Content| (content.start, content.end, content.all_day);
    times(content) == times(before) && content.start_zone == before.start_zone && content.end_zone == before.end_zone
}

/// The series with exceptions that show what they did, although the master changes.
fn keep(series: &Series, before: &Content, changes: &[Change]) -> Series {
    let held: Vec<Change> = changes.iter().filter_map(|change| change.as_it_was(before)).collect();
    let mut series = series.clone();
    for exception in series.exceptions.values_mut() {
        if let Exception::Changed(kept) = exception {
            let missing: Vec<Change> =
                held.iter().filter(|one| !kept.iter().any(|other| other.same_property(one))).cloned().collect();
            kept.extend(missing);
        }
    }
    series
}

fn change_occurrence(
    mailbox: &Mailbox,
    item: &mut Item,
    date: Date,
    changes: &[Change],
    order: ChangeOrder,
) -> Result<(), StoreError> {
    for change in changes {
        match change {
            Change::Recurrence(_) => return Err(StoreError::NotOnOccurrence("the recurrence")),
            Change::Uid(_) => return Err(StoreError::NotOnOccurrence("the UID")),
            _ => {}
        }
    }
    let present = mailbox.occurrence(item, date)?;
    let content = apply(&present.content, changes, order)?;
    let mut series = item.series.as_deref().cloned().ok_or(StoreError::NotASeries)?;
    check_neighbours(mailbox, item, &series, date, &content)?;
    let mut kept = match series.exceptions.remove(&date) {
        Some(Exception::Changed(kept)) => kept,
        Some(Exception::Deleted) | None => Vec::new(),
    };
    for change in changes {
        let settled = match change {
            Change::Start(_) => Change::Start(super::item::Moment::Instant(content.start)),
            Change::End(_) => Change::End(super::item::Moment::Instant(content.end)),
            other => other.clone(),
        };
        kept.retain(|one| !one.same_property(&settled));
        kept.push(settled);
    }
    series.exceptions.insert(date, Exception::Changed(kept));
    series.revisions.insert(date, mailbox.tick.wrapping_add(1));
    item.series = Some(Arc::new(series));
    Ok(())
}

/// An occurrence stays strictly between the days of its neighbours, as they now are.
fn check_neighbours(
    mailbox: &Mailbox,
    item: &Item,
    series: &Series,
    date: Date,
    content: &Content,
) -> Result<(), StoreError> {
    let zone = &item.content.start_zone;
    let day = zone.wall(content.start).date();
    let is_deleted = |date: &Date| matches!(series.exceptions.get(date), Some(Exception::Deleted));
    let day_of = |date: Date| Ok::<_, StoreError>(zone.wall(mailbox.occurrence(item, date)?.content.start).date());
    let mut before = None;
    let mut after = None;
    for candidate in series.recurrence.dates().filter(|candidate| !is_deleted(candidate)) {
        if candidate < date {
            before = Some(candidate);
        } else if candidate > date {
            after = Some(candidate);
            break;
        }
    }
    if before.map(day_of).transpose()?.is_some_and(|before| day <= before)
        || after.map(day_of).transpose()?.is_some_and(|after| day >= after)
    {
        return Err(StoreError::CrossingBoundary);
    }
    Ok(())
}
