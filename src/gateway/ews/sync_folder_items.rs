//! `SyncFolderItems`: what has changed in a calendar.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/syncfolderitems-operation>

use super::{
    document::{Element, Unreadable},
    find_item::{found_item, found_shape},
    operation::{Effect, Operation, ReadError, item_ref, only},
    xml::Xml,
};
use crate::{
    gateway::Calendar,
    model::{
        fault::Fault,
        link::{FoundItem, ItemRef},
    },
    settings::ServerVersion,
};

/// Changes of one page: the most that a server returns.
const PAGE_CHANGES_MAX: &str = "512";

/// Asks for a page of changes.
#[derive(Debug)]
pub(super) struct SyncFolderItems<'a> {
    /// Where.
    pub(super) calendar: &'a Calendar,
    /// Since when; `None` for the beginning.
    pub(super) state: Option<&'a str>,
}

/// A change of an item.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It was created or changed and carries our properties.
    Ours(FoundItem),
    /// It was created or changed and does not carry them.
    Foreign(ItemRef),
    /// It is gone.
    Gone(String),
}

impl Change {
    /// The id of the item.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Ours(found) => &found.item.id,
            Self::Foreign(item) => &item.id,
            Self::Gone(id) => id,
        }
    }
}

/// A page of changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changes {
    /// The changes, in order.
    pub(super) changes: Vec<Change>,
    /// Where the next page begins.
    pub(super) state: String,
    /// Whether there is no next page for now.
    pub(super) is_last: bool,
}

impl Operation for SyncFolderItems<'_> {
    type Answer = Changes;
    const NAME: &'static str = "SyncFolderItems";
    const EFFECT: Effect = Effect::Read;

    fn items(&self) -> usize {
        1
    }

    fn write(&self, xml: &mut Xml, _version: ServerVersion) {
        xml.element("m:SyncFolderItems", &[], |xml| {
            found_shape(xml);
            xml.element("m:SyncFolderId", &[], |xml| xml.empty("t:FolderId", &[("Id", &self.calendar.id)]));
            if let Some(state) = self.state {
                xml.text("m:SyncState", state);
            }
            xml.text("m:MaxChangesReturned", PAGE_CHANGES_MAX);
        });
    }

    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<Changes, ReadError> {
        let message = only(messages)?;
        let state = message.require("SyncState")?.text().trim().to_owned();
        let is_last = matches!(message.require("IncludesLastItemInRange")?.text().trim(), "true" | "1");
        let mut changes = Vec::new();
        for change in message.child("Changes").map(Element::children).unwrap_or_default() {
            changes.extend(read_change(change)?);
        }
        if state.is_empty() || (!is_last && self.state == Some(&state)) {
            return Err(Unreadable::new("SyncFolderItemsResponseMessage", "the reading does not advance").into());
        }
        Ok(Changes { changes, state, is_last })
    }
}

/// Reads one change; `None` for a kind that does not concern us, such as `ReadFlagChange`.
fn read_change(change: &Element) -> Result<Option<Change>, Unreadable> {
    match change.name() {
        // The item's element tells its class; whatever it is, the id is what counts.
        "Create" | "Update" => {
            let item = change.children().first().ok_or_else(|| Unreadable::new(change.name(), "no item"))?;
            Ok(Some(match found_item(item)? {
                Some(found) => Change::Ours(found),
                None => Change::Foreign(item_ref(item.require("ItemId")?)?),
            }))
        }
        "Delete" => Ok(Some(Change::Gone(change.require("ItemId")?.require_attribute("Id")?.to_owned()))),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Change, Changes, SyncFolderItems};
    use crate::{
        gateway::ews::sample::{self, Latest, Oldest, check_answer, check_request},
        model::link::{FoundItem, ItemRef, Owner},
    };

    #[test]
    fn requests_carry_the_state() {
        let calendar = sample::calendar();
        check_request("sync_folder_items", &Latest, &SyncFolderItems { calendar: &calendar, state: Some("H4sI+/=") });
        check_request("sync_folder_items_2007", &Oldest, &SyncFolderItems { calendar: &calendar, state: None });
    }

    #[test]
    fn changes_are_read() {
        let calendar = sample::calendar();
        let operation = SyncFolderItems { calendar: &calendar, state: Some("H4sI+/=") };
        let answer = include_str!("../../../tests/goldens/ews/sync_folder_items.answer.xml");
        let item = |id: &str, key: &str| ItemRef { id: id.to_owned(), change_key: key.to_owned() };
        let ours = Change::Ours(FoundItem {
            fingerprint: Some(sample::meeting().fingerprint()),
            owner: Some(Owner("node-1".to_owned())),
            ..FoundItem::new(item("AAMk1=", "DwA1"), "erp/appointment/4711")
        });
        let changes = vec![ours, Change::Foreign(item("AAMk2=", "DwA2")), Change::Gone("AAMk3=".to_owned())];
        let expected = Changes { changes, state: "H4sI2=".to_owned(), is_last: false };
        assert_eq!(check_answer(&operation, answer).unwrap(), expected);
        let stuck = include_str!("../../../tests/goldens/ews/sync_folder_items.stuck.xml");
        assert!(check_answer(&operation, stuck).unwrap_err().message.contains("does not advance"));
    }
}
