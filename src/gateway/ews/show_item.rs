//! `GetItem`: what an item shows, for the test of the access.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/getitem-operation>

use jiff::Timestamp;

use super::{
    document::{Element, Unreadable},
    operation::{Effect, Operation, ReadError, item_id, only},
    xml::Xml,
};
use crate::{
    gateway::Shown,
    model::{fault::Fault, link::ItemRef},
    settings::ServerVersion,
};

/// What is asked for.
const FIELDS: [&str; 4] = ["item:Subject", "calendar:Start", "calendar:End", "calendar:IsAllDayEvent"];

/// Asks what one item shows.
#[derive(Debug)]
pub(super) struct ShowItem<'a> {
    /// Which.
    pub(super) item: &'a ItemRef,
}

impl Operation for ShowItem<'_> {
    type Answer = Shown;
    const NAME: &'static str = "GetItem";
    const EFFECT: Effect = Effect::Read;

    fn items(&self) -> usize {
        1
    }

    fn write(&self, xml: &mut Xml, _version: ServerVersion) {
        xml.element("m:GetItem", &[], |xml| {
            xml.element("m:ItemShape", &[], |xml| {
                xml.text("t:BaseShape", "IdOnly");
                xml.element("t:AdditionalProperties", &[], |xml| {
                    FIELDS.iter().for_each(|field| xml.empty("t:FieldURI", &[("FieldURI", field)]));
                });
            });
            xml.element("m:ItemIds", &[], |xml| item_id(xml, self.item));
        });
    }

    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<Shown, ReadError> {
        let message = only(messages)?;
        let item = message.require("Items")?.children().first();
        let item = item.ok_or_else(|| Unreadable::new("Items", "no item"))?;
        let instant = |name: &str| {
            let text = item.require(name)?.text();
            text.parse::<Timestamp>().map_err(|_| Unreadable::new(name, "no instant"))
        };
        Ok(Shown {
            subject: item.child("Subject").map_or("", Element::text).to_owned(),
            start: instant("Start")?,
            end: instant("End")?,
            is_all_day: item.child("IsAllDayEvent").is_some_and(|text| matches!(text.text(), "true" | "1")),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::ShowItem;
    use crate::{
        gateway::ews::sample::{Latest, check_answer, check_request},
        model::link::ItemRef,
    };

    #[test]
    fn an_item_is_read() {
        let item = ItemRef { id: "AAMk1=".to_owned(), change_key: "DwA1".to_owned() };
        let operation = ShowItem { item: &item };
        check_request("show_item", &Latest, &operation);
        let answer = include_str!("../../../tests/goldens/ews/show_item.answer.xml");
        let shown = check_answer(&operation, answer).unwrap();
        assert_eq!((shown.subject.as_str(), shown.is_all_day), ("calsyncd test", true));
        assert_eq!(shown.end, "2026-03-29T22:00:00Z".parse().unwrap());
        assert!(check_answer(&operation, &answer.replace("2026-03-29T22:00:00Z", "soon")).is_err());
    }
}
