//! `GetItem`: the present change keys of items, and whose they are.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/getitem-operation>

use super::{
    document::{Element, Unreadable},
    find_item::{found_item, found_shape},
    operation::{Effect, Operation, ReadError, item_id},
    xml::Xml,
};
use crate::{
    model::{
        fault::{Fault, FaultKind, FaultScope},
        link::{FoundItem, ItemRef},
    },
    settings::ServerVersion,
};

/// Asks for items by id.
#[derive(Debug)]
pub(super) struct GetItem {
    /// The ids.
    pub(super) ids: Vec<String>,
}

impl Operation for GetItem {
    /// For each id: the item, when it carries our key.
    type Answer = Vec<Result<FoundItem, Fault>>;
    const NAME: &'static str = "GetItem";
    const EFFECT: Effect = Effect::Read;

    fn items(&self) -> usize {
        self.ids.len()
    }

    fn write(&self, xml: &mut Xml, _version: ServerVersion) {
        xml.element("m:GetItem", &[], |xml| {
            found_shape(xml);
            xml.element("m:ItemIds", &[], |xml| {
                for id in &self.ids {
                    item_id(xml, &ItemRef { id: id.clone(), change_key: String::new() });
                }
            });
        });
    }

    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<Self::Answer, ReadError> {
        let read = |message: Element| {
            let item = message.require("Items")?.children().first();
            let found = found_item(item.ok_or_else(|| Unreadable::new("Items", "no item"))?)?;
            Ok::<_, Unreadable>(found.ok_or_else(not_ours))
        };
        let results = messages.into_iter().map(|message| match message {
            Ok(message) => read(message),
            Err(fault) => Ok(Err(fault)),
        });
        Ok(results.collect::<Result<Vec<_>, Unreadable>>()?)
    }
}

/// The fault of an item that is not the one it should be.
pub(super) fn not_ours() -> Fault {
    let message = "the item does not carry the key of this event";
    Fault::new(FaultScope::Item, FaultKind::Permanent, "NotOurs", message)
        .hint("somebody changed the item's properties: look at it in Outlook; calsyncd plan shows what a run would do")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::GetItem;
    use crate::gateway::ews::sample::{Latest, check_answer, check_request};

    #[test]
    fn the_request_lists_ids() {
        let ids = vec!["AAMk1=".to_owned(), "AAMk2=".to_owned(), "AAMk3=".to_owned()];
        check_request("get_item", &Latest, &GetItem { ids });
    }

    #[test]
    fn the_answer_is_read_item_by_item() {
        let operation = GetItem { ids: vec!["AAMk1=".to_owned(), "AAMk2=".to_owned(), "AAMk3=".to_owned()] };
        let answer = include_str!("../../../tests/goldens/ews/get_item.answer.xml");
        let answers = check_answer(&operation, answer).unwrap();
        assert_eq!(answers[0].as_ref().unwrap().item.change_key, "DwA9");
        assert_eq!(answers[0].as_ref().unwrap().key, "erp/appointment/4711");
        assert_eq!(answers[1].as_ref().unwrap_err().code, "ErrorItemNotFound");
        let not_ours = answers[2].as_ref().unwrap_err();
        assert_eq!(not_ours.code, "NotOurs");
        assert!(not_ours.hint.as_ref().is_some_and(|hint| !hint.contains("adopt")), "there is no such command");
    }
}
