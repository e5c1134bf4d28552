//! `FindItem`: the items of ours, all of them or those of some keys. Singles and masters only: occurrences are not expanded.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/finditem-operation>

use super::{
    calendar_item::Named,
    document::{Element, Unreadable},
    operation::{Effect, Operation, ReadError, item_ref, only},
    xml::Xml,
};
use crate::{
    gateway::Calendar,
    model::{
        fault::Fault,
        fingerprint::Fingerprint,
        key::SourceKey,
        link::{FoundItem, Owner},
    },
    settings::ServerVersion,
};

/// Items of one page: what a server since 2013 returns at most with a restriction.
const PAGE_ITEMS_MAX: &str = "250";

/// Asks for a page of our items.
#[derive(Debug)]
pub(super) struct FindItem<'a> {
    /// Where.
    pub(super) calendar: &'a Calendar,
    /// Which; `None` for all.
    pub(super) keys: Option<&'a [SourceKey]>,
    /// Where the page begins.
    pub(super) offset: u64,
}

/// A page of our items.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The items.
    pub(super) items: Vec<FoundItem>,
    /// Where the next page begins; `None` after the last.
    pub(super) next: Option<u64>,
}

impl Operation for FindItem<'_> {
    type Answer = Page;
    const NAME: &'static str = "FindItem";
    const EFFECT: Effect = Effect::Read;

    fn items(&self) -> usize {
        1
    }

    fn write(&self, xml: &mut Xml, _version: ServerVersion) {
        xml.element("m:FindItem", &[("Traversal", "Shallow")], |xml| {
            found_shape(xml);
            let offset = self.offset.to_string();
            let view =
                [("MaxEntriesReturned", PAGE_ITEMS_MAX), ("Offset", offset.as_str()), ("BasePoint", "Beginning")];
            xml.empty("m:IndexedPageItemView", &view);
            xml.element("m:Restriction", &[], |xml| match self.keys {
                None => xml.element("t:Exists", &[], |xml| Named::SourceKey.field_uri(xml)),
                Some([key]) => is_equal(xml, key),
                Some(keys) => xml.element("t:Or", &[], |xml| keys.iter().for_each(|key| is_equal(xml, key))),
            });
            xml.element("m:ParentFolderIds", &[], |xml| xml.empty("t:FolderId", &[("Id", &self.calendar.id)]));
        });
    }

    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<Page, ReadError> {
        let message = only(messages)?;
        let folder = message.require("RootFolder")?;
        let mut items = Vec::new();
        for element in folder.child("Items").map(Element::children).unwrap_or_default() {
            items.extend(found_item(element)?);
        }
        let next = match folder.attribute("IncludesLastItemInRange") {
            Some("true" | "1") => None,
            Some(_) | None => {
                let offset = folder.require_attribute("IndexedPagingOffset")?;
                let offset = offset.parse().ok().filter(|offset| *offset > self.offset);
                Some(offset.ok_or_else(|| Unreadable::new("RootFolder", "the next page does not lie after this one"))?)
            }
        };
        Ok(Page { items, next })
    }
}

/// Writes the shape of what [`found_item`] reads: the id, when it was created, and our named properties.
pub(super) fn found_shape(xml: &mut Xml) {
    xml.element("m:ItemShape", &[], |xml| {
        xml.text("t:BaseShape", "IdOnly");
        xml.element("t:AdditionalProperties", &[], |xml| {
            xml.empty("t:FieldURI", &[("FieldURI", "item:DateTimeCreated")]);
            Named::ALL.iter().for_each(|property| property.field_uri(xml));
        });
    });
}

fn is_equal(xml: &mut Xml, key: &SourceKey) {
    xml.element("t:IsEqualTo", &[], |xml| {
        Named::SourceKey.field_uri(xml);
        xml.element("t:FieldURIOrConstant", &[], |xml| xml.empty("t:Constant", &[("Value", key.as_str())]));
    });
}

/// Reads an item with our named properties; `None` when it has no `SourceKey`: it is not ours.
///
/// # Errors
/// When it has no id.
pub(super) fn found_item(element: &Element) -> Result<Option<FoundItem>, Unreadable> {
    let item = item_ref(element.require("ItemId")?)?;
    let mut values: [Option<&str>; Named::ALL.len()] = [None; Named::ALL.len()];
    for property in element.children().iter().filter(|child| child.name() == "ExtendedProperty") {
        let uri = property.require("ExtendedFieldURI")?;
        let position = Named::ALL.iter().position(|named| uri.attribute("PropertyName") == Some(named.name()));
        if let Some(value) = position.and_then(|position| values.get_mut(position)) {
            *value = property.child("Value").map(Element::text);
        }
    }
    let [key, fingerprint, owner, generation] = values;
    let created = element.child("DateTimeCreated").and_then(|created| created.text().trim().parse().ok());
    Ok(key.map(|key| FoundItem {
        fingerprint: fingerprint.and_then(Fingerprint::parse),
        owner: owner.map(|owner| Owner(owner.to_owned())),
        generation: generation.and_then(|generation| generation.parse().ok()),
        created,
        ..FoundItem::new(item, key)
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::FindItem;
    use crate::{
        gateway::ews::sample::{self, Delegate, Latest, check_answer, check_request},
        model::{
            key::{Kind, SourceKey},
            link::Owner,
        },
    };

    #[test]
    fn requests_are_restricted_to_ours() {
        let calendar = sample::calendar();
        let keys = [SourceKey::new("erp", Kind::Appointment, "4711"), SourceKey::new("erp", Kind::Schedule, "<&>")];
        check_request("find_item_all", &Latest, &FindItem { calendar: &calendar, keys: None, offset: 250 });
        check_request("find_item_key", &Delegate, &FindItem { calendar: &calendar, keys: Some(&keys[..1]), offset: 0 });
        check_request("find_item_keys", &Latest, &FindItem { calendar: &calendar, keys: Some(&keys), offset: 0 });
    }

    #[test]
    fn a_page_is_read() {
        let calendar = sample::calendar();
        let operation = FindItem { calendar: &calendar, keys: None, offset: 0 };
        let answer = include_str!("../../../tests/goldens/ews/find_item.answer.xml");
        let page = check_answer(&operation, answer).unwrap();
        assert_eq!(page.next, Some(250));
        assert_eq!(page.items.len(), 2, "an item without our key is not ours");
        assert_eq!(page.items[0].item.id, "AAMk1=");
        assert_eq!(page.items[0].item.change_key, "DwA1");
        assert_eq!(page.items[0].key, "erp/appointment/4711");
        assert_eq!(page.items[0].owner, Some(Owner("node-1".to_owned())));
        assert_eq!(page.items[0].fingerprint, Some(sample::meeting().fingerprint()));
        assert_eq!((page.items[1].fingerprint.as_ref(), page.items[1].owner.as_ref()), (None, None));
        let last = answer.replace("IncludesLastItemInRange=\"false\"", "IncludesLastItemInRange=\"true\"");
        assert_eq!(check_answer(&operation, &last).unwrap().next, None);
        let stuck = FindItem { calendar: &calendar, keys: None, offset: 250 };
        let fault = check_answer(&stuck, answer).unwrap_err();
        assert!(fault.message.contains("does not lie after this one"), "{fault}");
        let bare = answer.replace("IncludesLastItemInRange=\"false\"", "").replace("IndexedPagingOffset=\"250\"", "");
        assert!(check_answer(&operation, &bare).is_err(), "a page that does not say whether it is the last");
    }
}
