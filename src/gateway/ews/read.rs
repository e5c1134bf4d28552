//! Reads what a calendar holds of ours: everything, what has changed, or the items of some keys.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    client::Client,
    find_item::FindItem,
    sync_folder_items::{Change, SyncFolderItems},
};
use crate::{
    gateway::{Calendar, Reading},
    model::{
        fault::{Fault, FaultKind, FaultScope},
        key::SourceKey,
        link::FoundItem,
        snapshot::Snapshot,
    },
};

/// Pages of one reading: a million items of ours, two million changes. More is a server that goes round in circles.
const PAGES_MAX: usize = 4096;
/// How often a calendar that changes while it is read is read again.
const READINGS_MAX: usize = 4;

/// Reads the changes since `cursor`; without one, or when the server no longer knows it, everything of ours.
pub(super) async fn read(client: &Client, calendar: &Calendar, cursor: Option<&str>) -> Result<Reading, Fault> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else {
        return whole(client, calendar).await;
    };
    // Of several changes of an item the last holds.
    let mut changes: BTreeMap<String, Change> = BTreeMap::new();
    let state = sync(client, calendar, Some(cursor), |change| drop(changes.insert(change.id().to_owned(), change)));
    let state = match state.await {
        Ok(state) => state,
        Err(fault) if fault.code == "ErrorInvalidSyncStateData" => return whole(client, calendar).await,
        Err(fault) => return Err(fault),
    };
    let (mut changed, mut ours, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes.into_values() {
        match change {
            Change::Ours(found) => {
                changed.push(found.item.clone());
                ours.push(found);
            }
            Change::Foreign(item) => changed.push(item),
            Change::Gone(id) => gone.push(id),
        }
    }
    Ok(Reading { snapshot: Snapshot::Changes { changed, ours, gone }, cursor: Some(state) })
}

/// Reads everything of ours. Pages are told apart by their offset, which an item that comes or goes in the meantime
/// shifts: a reading of several pages counts only if the calendar did not change meanwhile, or an item of ours could be
/// missed and taken for deleted.
async fn whole(client: &Client, calendar: &Calendar) -> Result<Reading, Fault> {
    let mut state = sync(client, calendar, None, |_| {}).await?;
    for _ in 0..READINGS_MAX {
        let (items, pages) = pages(client, calendar, None).await?;
        if pages <= 1 {
            return Ok(Reading { snapshot: Snapshot::Whole(items), cursor: Some(state) });
        }
        let mut changes = 0_usize;
        let later = sync(client, calendar, Some(&state), |_| changes += 1).await?;
        if changes == 0 {
            return Ok(Reading { snapshot: Snapshot::Whole(items), cursor: Some(later) });
        }
        state = later;
    }
    let message = "the calendar changes faster than it can be read";
    Err(Fault::new(FaultScope::Mailbox, FaultKind::Transient { wait: None }, "CalendarChanging", message))
}

/// The items that carry one of `keys`. The server compares without regard to case; here every byte counts.
pub(super) async fn probe(client: &Client, calendar: &Calendar, keys: &[SourceKey]) -> Result<Vec<FoundItem>, Fault> {
    let (mut items, _) = pages(client, calendar, Some(keys)).await?;
    items.retain(|item| keys.iter().any(|key| key.as_str() == item.key));
    Ok(items)
}

/// Reads the changes since `state` to their end and returns the state then.
async fn sync(
    client: &Client,
    calendar: &Calendar,
    state: Option<&str>,
    mut each: impl FnMut(Change) + Send,
) -> Result<String, Fault> {
    let mut state = state.map(str::to_owned);
    for _ in 0..PAGES_MAX {
        let operation = SyncFolderItems { calendar, state: state.as_deref() };
        let page = client.send(&calendar.mailbox, &operation).await?;
        page.changes.into_iter().for_each(&mut each);
        if page.is_last {
            return Ok(page.state);
        }
        state = Some(page.state);
    }
    Err(endless())
}

/// Reads the items of ours to the last page and returns them, each once, and the number of pages.
async fn pages(
    client: &Client,
    calendar: &Calendar,
    keys: Option<&[SourceKey]>,
) -> Result<(Vec<FoundItem>, usize), Fault> {
    let (mut items, mut ids, mut offset) = (Vec::new(), BTreeSet::new(), 0);
    for number in 1..=PAGES_MAX {
        let page = client.send(&calendar.mailbox, &FindItem { calendar, keys, offset }).await?;
        items.extend(page.items.into_iter().filter(|found| ids.insert(found.item.id.clone())));
        match page.next {
            None => return Ok((items, number)),
            Some(next) => offset = next,
        }
    }
    Err(endless())
}

fn endless() -> Fault {
    let message = format!("the reading has no end after {PAGES_MAX} pages");
    Fault::new(FaultScope::Mailbox, FaultKind::Transient { wait: None }, "EndlessReading", message)
}
