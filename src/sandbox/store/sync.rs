//! What changed in a folder since a state.

use super::{
    Store,
    error::StoreError,
    identity::{IdKind, SyncState},
    item::Entry,
    mailbox::Mailbox,
    touch::settle_before_listing,
};

/// A change in a folder. Occurrences count as changes of their master.
#[derive(Debug, Clone)]
pub enum FolderChange {
    /// It was not there.
    Created(Entry),
    /// It is otherwise.
    Updated(Entry),
    /// It is gone.
    Deleted {
        /// The id it had.
        id: String,
        /// The immutable id it had.
        immutable_id: String,
    },
}

/// Some changes of a folder.
#[derive(Debug, Clone)]
pub struct Changes {
    /// In the order in which they happened; of several changes of one item the last counts.
    pub changes: Vec<FolderChange>,
    /// The state after them.
    pub state: String,
    /// Whether nothing is left.
    pub is_last: bool,
}

impl Store {
    /// The state of a folder now.
    ///
    /// # Errors
    /// When the mailbox or the folder cannot be reached.
    pub fn sync_state(&self, address: &str, folder: Option<&str>) -> Result<String, StoreError> {
        self.with(address, |mailbox| {
            let folder = mailbox.folder(folder)?;
            Ok(now(mailbox, folder).render(mailbox.seed))
        })
    }

    /// What changed in a folder since a state (since ever without one), `count_max` changes at most.
    ///
    /// # Errors
    /// [`StoreError::InvalidSyncState`], or when the mailbox or the folder cannot be reached.
    pub fn changes(
        &self,
        address: &str,
        folder: Option<&str>,
        since: Option<&str>,
        count_max: usize,
    ) -> Result<Changes, StoreError> {
        let read_at = self.clock.now();
        self.with(address, |mailbox| {
            settle_before_listing(mailbox, read_at);
            let folder = mailbox.folder(folder)?;
            let present = now(mailbox, folder);
            let since = since.map_or(Ok(SyncState { base: 0, tick: 0, ..present }), |state| {
                SyncState::parse(state, mailbox.seed)
                    .ok()
                    .filter(|state| SyncState { base: present.base, tick: present.tick, ..*state } == present)
                    .ok_or(StoreError::InvalidSyncState)
            })?;
            let all = changes_since(mailbox, since);
            let is_last = all.len() <= count_max;
            let reached = all.get(count_max.saturating_sub(1)).map_or(since.tick, |(tick, _)| *tick);
            let state = if is_last { present } else { SyncState { tick: reached, ..since } };
            let changes = all.into_iter().take(count_max).map(|(_, change)| change).collect();
            Ok(Changes { changes, state: state.render(mailbox.seed), is_last })
        })
    }
}

/// The state of one who has read everything.
fn now(mailbox: &Mailbox, folder: u32) -> SyncState {
    SyncState { epoch: mailbox.epoch, folder, mailbox: mailbox.number, base: mailbox.tick, tick: mailbox.tick }
}

fn changes_since(mailbox: &Mailbox, since: SyncState) -> Vec<(u32, FolderChange)> {
    let present = mailbox.items.values().filter(|item| item.folder == since.folder && item.tick > since.tick);
    let present = present.map(|item| {
        let entry = mailbox.entry(item);
        let is_new = item.tick_created > since.base;
        (item.tick, if is_new { FolderChange::Created(entry) } else { FolderChange::Updated(entry) })
    });
    // What came and went since the state was never seen by its holder.
    let gone = mailbox.departures.iter().filter(|departure| {
        departure.folder == since.folder && departure.tick > since.tick && departure.tick_created <= since.tick
    });
    let gone = gone.map(|departure| {
        let id = mailbox.render(IdKind::Item, departure.alias, None);
        let immutable_id = mailbox.render(IdKind::Immutable, departure.number, None);
        (departure.tick, FolderChange::Deleted { id, immutable_id })
    });
    let mut all: Vec<_> = present.chain(gone).collect();
    all.sort_by_key(|(tick, _)| *tick);
    all
}
