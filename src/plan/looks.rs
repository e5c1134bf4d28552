//! Which items have to be looked at before a plan is made: those that somebody changed, those of which users may keep what is to
//! be written, and those of which the echo of our write is not known yet.

use std::collections::HashMap;

use super::{
    Inputs, PlanError,
    decide::{ends, is_over},
    drift::needs_look,
    known::{Known, inventory},
};
use crate::model::{
    echo::Echo,
    event::DesiredEvent,
    fingerprint::Field,
    key::SourceKey,
    link::{ItemRef, Link},
    snapshot::Snapshot,
};

/// The items that a plan has to know more of, at most `learn_max` of them only to learn their echo. Nothing is learnt without
/// a reading.
///
/// # Errors
/// When the calendar is kept by another instance.
pub fn looks(inputs: &Inputs<'_>, learn_max: usize) -> Result<Vec<ItemRef>, PlanError> {
    let is_read = *inputs.snapshot != Snapshot::NotRead;
    let events = || inputs.desired.iter().chain(inputs.scope.outside.values());
    if !is_read && events().all(|event| event.keeps.is_none()) {
        return Ok(Vec::new());
    }
    let by_key: HashMap<&SourceKey, &DesiredEvent> = events().map(|event| (&event.key, &**event)).collect();
    let (mut looks, mut learning) = (Vec::new(), Vec::new());
    for known in &inventory(inputs)?.known {
        let Some(event) = by_key.get(known.key()).copied() else { continue };
        match known {
            Known::Missing(_) => {}
            Known::Changed { link, item } => {
                let is_known = link.echo.as_ref().is_some_and(Echo::is_something);
                if (is_known || event.keeps.is_some()) && !is_frozen(inputs, event, link) {
                    looks.push((*item).clone());
                }
            }
            Known::Intact(link) if is_same(event, link) => {
                let is_unknown = !link.echo.as_ref().is_some_and(Echo::is_whole);
                if is_read && is_unknown && learning.len() < learn_max && !is_frozen(inputs, event, link) {
                    learning.push(link.item.clone());
                }
            }
            Known::Intact(link) => looks.extend(kept(event, link)),
            Known::Newer(link) | Known::Unlinked(link) => looks.extend(kept(event, link)),
        }
    }
    looks.append(&mut learning);
    Ok(looks)
}

fn is_same(event: &DesiredEvent, link: &Link) -> bool {
    event.fingerprint() == link.fingerprint
}

fn is_frozen(inputs: &Inputs<'_>, event: &DesiredEvent, link: &Link) -> bool {
    is_over(inputs, link.ends) && is_over(inputs, ends(event))
}

/// The item, when a change of the source concerns what users may keep of it.
fn kept(event: &DesiredEvent, link: &Link) -> Option<ItemRef> {
    let fields: Vec<Field> = event.fingerprint().differing_fields(&link.fingerprint);
    needs_look(event, &fields).then(|| link.item.clone())
}
