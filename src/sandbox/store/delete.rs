//! Deletes items and occurrences.

use std::sync::Arc;

use super::{
    Store,
    create::depart,
    error::StoreError,
    find::{Target, resolve},
    item::{Exception, Item},
    update::{Guard, check_guard, store},
};

impl Store {
    /// Deletes a single item, a whole series, or one occurrence of it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], or an item that cannot be reached (also one that is gone already).
    pub fn delete(&self, address: &str, target: &Target, guard: &Guard) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.with(address, |mailbox| {
            let (item, date) = resolve(mailbox, target)?;
            check_guard(mailbox, &item, guard)?;
            let Some(date) = date else {
                let tick = mailbox.next_tick();
                depart(mailbox, &item, tick);
                return Ok(());
            };
            let mut changed = Item::clone(&item);
            let mut series = changed.series.as_deref().cloned().ok_or(StoreError::NotASeries)?;
            series.exceptions.insert(date, Exception::Deleted);
            series.revisions.insert(date, mailbox.tick.wrapping_add(1));
            let is_deleted = |date| matches!(series.exceptions.get(&date), Some(Exception::Deleted));
            if series.recurrence.dates().take(10_000).all(is_deleted) {
                // The last occurrence takes the series with it.
                let tick = mailbox.next_tick();
                depart(mailbox, &item, tick);
                return Ok(());
            }
            changed.series = Some(Arc::new(series));
            store(mailbox, changed, now);
            Ok(())
        })
    }
}
