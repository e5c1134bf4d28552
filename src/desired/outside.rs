//! What an item shows whose event lies outside of the window of its job.

use std::cell::Cell;

use super::{
    EXPANDED_MAX, content, holder, item,
    series::at,
    shape::{self, Part, Shape, Unlisted},
};
use crate::{
    model::{address::Address, event::DesiredEvent, key::SourceKey, source::SourceEvent, window::Window},
    settings::Job,
};

/// What the item under `key`, of `event` or of a part of it, is to show, wherever that is, and in whose calendar. `None`
/// when the job does not show the event, or knows nothing of such a part.
#[must_use]
pub fn outside(event: &SourceEvent, key: &SourceKey, job: &Job, window: Window) -> Option<(Address, DesiredEvent)> {
    let mailbox = holder(event, job).ok()?;
    let left = Cell::new(EXPANDED_MAX);
    let shape = shape::shape(event, job, window, &left).ok()?;
    if *key == event.key {
        let (time, series) = shape.main?;
        let content = content::content(event, None, &time, job).ok()?;
        return Some((mailbox, item(key.clone(), time, series, content, job)));
    }
    let Part { time, content, .. } = part(event, key, job, shape)?;
    Some((mailbox, item(key.clone(), time, None, content, job)))
}

/// The part of a key. One that the rule puts outside of the window is looked for where it would be.
fn part(event: &SourceEvent, key: &SourceKey, job: &Job, shape: Shape) -> Option<Part> {
    let (whole, original) = key.whole()?;
    let find = |shape: Shape| shape.parts.into_iter().find(|part| part.original == original);
    if whole != event.key {
        return None;
    }
    let there = match &shape.unlisted {
        Unlisted::Gone => None,
        Unlisted::OutsideWindow { first, .. } => at(first, original),
    };
    find(shape).or_else(|| {
        let there = there?;
        let around = Window { start: there.start_instant(), end: there.end_instant().max(there.start_instant()) };
        let second = jiff::SignedDuration::from_secs(1);
        let around = Window { end: around.end.checked_add(second).ok()?, ..around };
        find(shape::shape(event, job, around, &Cell::new(EXPANDED_MAX)).ok()?)
    })
}
