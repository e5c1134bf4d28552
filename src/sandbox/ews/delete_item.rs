//! DeleteItem.

use super::{
    Targets,
    access::{Access, Session},
    element::{Element, Space},
    fault::{Fault, ItemFault},
    reply::{Reply, batch, run},
    target::{ItemRef, read_items},
    value::word_attribute,
};
use crate::sandbox::store::{Guard, StoreError};

#[derive(Debug, Clone)]
pub(super) struct Request {
    /// To the folder of deleted items, which a delegate may not.
    keeps_copy: bool,
    /// Whether mails are to be sent; none when the request does not say.
    sends: Option<bool>,
    items: Vec<ItemRef>,
}

impl Request {
    pub(super) fn read(element: &Element) -> Result<Self, Fault> {
        element.only_attributes(&[
            "DeleteType",
            "SendMeetingCancellations",
            "AffectedTaskOccurrences",
            "SuppressReadReceipts",
        ])?;
        element.required("DeleteType")?;
        let types = [("HardDelete", false), ("SoftDelete", false), ("MoveToDeletedItems", true)];
        let keeps_copy = word_attribute(element, "DeleteType", &types)?.unwrap_or_default();
        let values = [("SendToNone", false), ("SendOnlyToAll", true), ("SendToAllAndSaveCopy", true)];
        let sends = word_attribute(element, "SendMeetingCancellations", &values)?;
        word_attribute(element, "AffectedTaskOccurrences", &[("AllOccurrences", ()), ("SpecifiedOccurrenceOnly", ())])?;
        let mut sequence = element.sequence();
        let items = read_items(sequence.required(Space::Messages, "ItemIds")?)?;
        sequence.finish()?;
        Ok(Self { keeps_copy, sends, items })
    }

    pub(super) fn targets(&self) -> Targets<'_> {
        Targets::of_items(&self.items)
    }

    pub(super) fn execute(self, session: &Session<'_>) -> Reply {
        let outcomes = run(&self.items, |reference| {
            let sends = self.sends.ok_or_else(|| {
                let message = "The SendMeetingCancellations attribute is required for calendar items.";
                ItemFault::new("ErrorSendMeetingCancellationsRequired", message)
            })?;
            let (mailbox, target) = session.item(reference, Access::Write)?;
            if self.keeps_copy && session.is_delegate(&mailbox) {
                return Err(ItemFault::new("ErrorCannotDeleteObject", "The object cannot be deleted."));
            }
            let guard = reference.change_key.clone().map_or(Guard::Any, Guard::ChangeKey);
            match session.store.delete(&mailbox, &target, &guard) {
                // A deletion does not ask whether the item changed.
                Err(StoreError::Conflict) => session.store.delete(&mailbox, &target, &Guard::Any)?,
                other => other?,
            }
            session.store.count_mails(&mailbox, u64::from(sends))?;
            Ok(String::new())
        });
        batch("DeleteItem", "", &outcomes)
    }
}
