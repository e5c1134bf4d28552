//! Everything of ours in one calendar, to be removed because an operator wants it so.

use super::{
    Action, Decision, DeleteReason, Inputs, Plan, PlanError,
    known::{Inventory, Known, inventory},
};
use crate::model::link::Link;

/// The plan that removes every item of ours, whatever the sources say, and leaves copies that users made. The snapshot has to
/// be whole, or items without a link stay.
///
/// # Errors
/// When the calendar is kept by another instance.
pub fn purge(inputs: &Inputs<'_>) -> Result<Plan, PlanError> {
    let inventory = inventory(inputs)?;
    let newer = inventory.newer();
    let Inventory { known, copies } = inventory;
    let decision = |known: Known<'_>| {
        let key = known.key().clone();
        let link = match known {
            Known::Missing(_) => return Decision { key, action: Action::Forget },
            Known::Intact(link) => link.clone(),
            Known::Changed { link, item } => Link { item: item.clone(), ..link.clone() },
            Known::Newer(link) | Known::Unlinked(link) => *link,
        };
        Decision { key, action: Action::Delete { item: link.item.clone(), link, reason: DeleteReason::Purged } }
    };
    let decisions = known.into_iter().map(decision).collect();
    let (mailbox, brake_base) = (inputs.mailbox.clone(), inputs.links.len());
    Ok(Plan { mailbox, decisions, copies, newer, brake_base, learnt: Vec::new() })
}
