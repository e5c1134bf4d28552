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
    /// Setting the recurrence, the times, a zone or the whole-day flag of a master drops the exceptions of its series.
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
        Guard::ChangeKey(key) if *key == identity::change_key(mailbox.seed, mailbox.number, item.tick) => Ok(()),
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
    let mut content = apply(&item.content, changes, order)?;
    let recurrence = changes.iter().rev().find_map(|change| match change {
        Change::Recurrence(recurrence) => Some(recurrence.clone()),
        _ => None,
    });
    let moved = changes.iter().any(Change::moves_series);
    item.series = match (recurrence, item.series.take()) {
        (Some(None), _) | (None, None) => None,
        (Some(Some(recurrence)), _) => Some(Arc::new(lay_out(&mut content, recurrence)?)),
        (None, Some(series)) if moved => Some(Arc::new(move_series(&mut content, &series)?)),
        (None, Some(series)) => Some(series),
    };
    item.content = Arc::new(content);
    Ok(())
}

/// The same rule from the master's new start on, without exceptions.
fn move_series(content: &mut Content, series: &Series) -> Result<Series, StoreError> {
    let mut recurrence = series.recurrence.clone();
    recurrence.start = content.start_wall().date();
    lay_out(content, recurrence)
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
