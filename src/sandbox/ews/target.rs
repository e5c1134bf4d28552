//! Ids of folders and items in requests.

use super::{
    element::{Element, Space, unexpected},
    fault::Fault,
    value::number_attribute,
};

/// A folder as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FolderRef {
    Id(String),
    Distinguished { name: String, mailbox: Option<String> },
}

impl FolderRef {
    /// The address of the `Mailbox` element.
    pub(super) fn mailbox(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::Distinguished { mailbox, .. } => mailbox.as_deref(),
        }
    }

    /// The id.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Id(id) => Some(id),
            Self::Distinguished { .. } => None,
        }
    }
}

/// An item as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemRef {
    pub(super) id: String,
    pub(super) change_key: Option<String>,
    pub(super) kind: ItemRefKind,
}

/// Which item the id leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemRefKind {
    /// The item itself.
    Item,
    /// The occurrence at this index; the id is the master's.
    Occurrence(i64),
    /// The master; the id is an occurrence's.
    Master,
}

/// Reads the folder ids inside `ParentFolderIds` or `FolderIds`.
pub(super) fn read_folders(parent: &Element) -> Result<Vec<FolderRef>, Fault> {
    not_empty(parent)?;
    parent.children.iter().map(|child| read_folder(parent, child)).collect()
}

/// Reads the one folder id inside `SavedItemFolderId`, `SyncFolderId` or `ParentFolderId`.
pub(super) fn read_one_folder(parent: &Element) -> Result<FolderRef, Fault> {
    match parent.children.as_slice() {
        [child] => read_folder(parent, child),
        [] => Err(Fault::schema(parent, format!("The element '{}' has incomplete content.", parent.name))),
        [_, second, ..] => Err(Fault::schema(second, unexpected(parent, second))),
    }
}

fn read_folder(parent: &Element, element: &Element) -> Result<FolderRef, Fault> {
    match element.name.as_str() {
        "FolderId" if element.space == Space::Types => {
            element.only_attributes(&["Id", "ChangeKey"])?;
            Ok(FolderRef::Id(element.required("Id")?.to_owned()))
        }
        "DistinguishedFolderId" if element.space == Space::Types => {
            element.only_attributes(&["Id", "ChangeKey"])?;
            let name = element.required("Id")?.to_owned();
            let mut sequence = element.sequence();
            let mailbox = sequence.optional(Space::Types, "Mailbox").map(read_mailbox).transpose()?;
            sequence.finish()?;
            Ok(FolderRef::Distinguished { name, mailbox })
        }
        _ => Err(Fault::schema(element, unexpected(parent, element))),
    }
}

/// Reads the address of a `Mailbox`.
pub(super) fn read_mailbox(element: &Element) -> Result<String, Fault> {
    let mut sequence = element.sequence();
    let mut address = String::new();
    for name in ["Name", "EmailAddress", "RoutingType", "MailboxType", "ItemId"] {
        if let Some(child) = sequence.optional(Space::Types, name)
            && name == "EmailAddress"
        {
            child.value()?.trim().clone_into(&mut address);
        }
    }
    sequence.finish()?;
    Ok(address)
}

/// Reads the ids inside `ItemIds`.
pub(super) fn read_items(parent: &Element) -> Result<Vec<ItemRef>, Fault> {
    not_empty(parent)?;
    parent.children.iter().map(|child| read_item(parent, child)).collect()
}

/// Reads one item id.
pub(super) fn read_item(parent: &Element, element: &Element) -> Result<ItemRef, Fault> {
    let change_key = element.attribute("ChangeKey").map(str::to_owned);
    let (id, kind) = match element.name.as_str() {
        "ItemId" if element.space == Space::Types => {
            element.only_attributes(&["Id", "ChangeKey"])?;
            (element.required("Id")?, ItemRefKind::Item)
        }
        "OccurrenceItemId" if element.space == Space::Types => {
            element.only_attributes(&["RecurringMasterId", "ChangeKey", "InstanceIndex"])?;
            element.required("InstanceIndex")?;
            let index = number_attribute(element, "InstanceIndex")?.unwrap_or_default();
            (element.required("RecurringMasterId")?, ItemRefKind::Occurrence(index))
        }
        "RecurringMasterItemId" if element.space == Space::Types => {
            element.only_attributes(&["OccurrenceId", "ChangeKey"])?;
            (element.required("OccurrenceId")?, ItemRefKind::Master)
        }
        _ => return Err(Fault::schema(element, unexpected(parent, element))),
    };
    if !element.children.is_empty() {
        return Err(Fault::schema(element, format!("The element '{}' cannot contain child elements.", element.name)));
    }
    Ok(ItemRef { id: id.to_owned(), change_key, kind })
}

fn not_empty(parent: &Element) -> Result<(), Fault> {
    if parent.children.is_empty() {
        return Err(Fault::schema(parent, format!("The element '{}' has incomplete content.", parent.name)));
    }
    Ok(())
}
