//! Items of events that lie outside of the window: what merely aged out stays, what was moved away follows its source.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;

use super::{catalogue::window, view::View};
use crate::{
    desired::outside,
    model::{
        address::Address,
        event::DesiredEvent,
        key::SourceKey,
        source::{SourceEvent, SourceRead},
    },
    settings::Job,
};

/// A read whose events can be found by their keys.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) read: SourceRead,
    /// Places of the events, in the order of their keys; made when one is looked for.
    order: OnceLock<Vec<usize>>,
}

impl Read {
    pub(super) fn new(read: SourceRead) -> Self {
        Self { read, order: OnceLock::new() }
    }

    fn event(&self, key: &SourceKey) -> Option<&SourceEvent> {
        let events = &self.read.events;
        let order = self.order.get_or_init(|| {
            let mut order: Vec<usize> = (0..events.len()).collect();
            order.sort_by(|one, other| events[*one].key.cmp(&events[*other].key));
            order
        });
        let found = order.binary_search_by(|place| events[*place].key.cmp(key)).ok()?;
        Some(&events[order[found]])
    }
}

/// What the sources say of the items of a mailbox that are not wanted inside a window. `written` names them, with the ends of
/// what was written: what ended before the window has aged out, and is not asked about.
pub(super) fn moved_away(
    view: &View,
    jobs: &BTreeMap<String, Job>,
    mailbox: &Address,
    written: &[(SourceKey, Timestamp)],
    now: Timestamp,
) -> BTreeMap<SourceKey, Arc<DesiredEvent>> {
    let mut found = BTreeMap::new();
    for (key, ends) in written.iter().filter(|(key, _)| view.follows(mailbox, key)) {
        let Some(read) = view.reads.get(key.source()) else { continue };
        let event = key.event();
        let Some(event) = read.event(&event) else { continue };
        let jobs = jobs.values().filter(|job| job.source == key.source());
        let mut says = jobs.filter_map(|job| {
            let window = window(job, now);
            (*ends >= window.start).then(|| outside(event, key, job, window)).flatten()
        });
        if let Some((_, wanted)) = says.find(|(holder, _)| holder == mailbox) {
            found.insert(key.clone(), Arc::new(wanted));
        }
    }
    found
}
