//! The brake over all mailboxes: a source that is short all at once empties many small calendars, each under its own brake.

use jiff::Timestamp;

use super::{Wiring, catalogue::Catalogue};
use crate::{
    observability::events::SourceBraked,
    state::{StateError, Store},
};

/// Holds every deletion on the word of `source` when its last read would delete more than the brake allows.
pub(super) async fn brake(
    catalogue: &mut Catalogue,
    wiring: &Wiring,
    store: &Store,
    source: &str,
    now: Timestamp,
) -> Result<(), StateError> {
    let policy = wiring.policy(now);
    let links = store.live_links(source, policy.frozen_before).await?;
    if let Some(deletions) = catalogue.brake(source, &links, &policy) {
        SourceBraked { source, count: deletions as u64, total: links.len() as u64 }.emit();
    }
    Ok(())
}
