//! `DeleteItem`: removes items of ours, or single occurrences of them.
//!
//! `SoftDelete`: the item leaves the calendar at once, and the user can still bring it back with "Recover deleted
//! items". `HardDelete` would put it out of the user's reach, and a delegate may not use `MoveToDeletedItems`.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/deleteitem-operation>

use super::{
    document::Element,
    operation::{Effect, Operation, ReadError, item_id, occurrence_id},
    xml::Xml,
};
use crate::{
    model::{fault::Fault, link::ItemRef},
    settings::ServerVersion,
};

/// An item, or an occurrence of a series.
#[derive(Debug, Clone)]
pub(super) enum Target<'a> {
    /// An item; of a series, the whole series.
    Item(ItemRef),
    /// One occurrence.
    Occurrence {
        /// The id of the series' master.
        master: &'a str,
        /// Its place, from 1.
        index: u32,
    },
}

impl Target<'_> {
    /// Writes the id.
    pub(super) fn write(&self, xml: &mut Xml) {
        match self {
            Self::Item(item) => item_id(xml, item),
            Self::Occurrence { master, index } => occurrence_id(xml, master, *index),
        }
    }
}

/// Removes items.
#[derive(Debug)]
pub(super) struct DeleteItem<'a> {
    /// Which.
    pub(super) targets: Vec<Target<'a>>,
}

impl Operation for DeleteItem<'_> {
    type Answer = Vec<Result<(), Fault>>;
    const NAME: &'static str = "DeleteItem";
    const EFFECT: Effect = Effect::Write;

    fn items(&self) -> usize {
        self.targets.len()
    }

    fn write(&self, xml: &mut Xml, _version: ServerVersion) {
        let attributes = [("DeleteType", "SoftDelete"), ("SendMeetingCancellations", "SendToNone")];
        xml.element("m:DeleteItem", &attributes, |xml| {
            xml.element("m:ItemIds", &[], |xml| self.targets.iter().for_each(|target| target.write(xml)));
        });
    }

    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<Self::Answer, ReadError> {
        Ok(messages.into_iter().map(|message| message.map(drop)).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{DeleteItem, Target};
    use crate::{
        gateway::ews::sample::{Latest, check_answer, check_request},
        model::link::ItemRef,
    };

    fn operation() -> DeleteItem<'static> {
        let item = ItemRef { id: "AAMk1=".to_owned(), change_key: "DwA1".to_owned() };
        DeleteItem { targets: vec![Target::Item(item), Target::Occurrence { master: "AAMk2=", index: 3 }] }
    }

    #[test]
    fn the_request_tells_nobody() {
        check_request("delete_item", &Latest, &operation());
    }

    #[test]
    fn answers_are_read_item_by_item() {
        let answer = include_str!("../../../tests/goldens/ews/delete_item.answer.xml");
        let answers = check_answer(&operation(), answer).unwrap();
        assert_eq!(answers[0], Ok(()));
        assert_eq!(answers[1].as_ref().unwrap_err().code, "ErrorCalendarOccurrenceIsDeletedFromRecurrence");
    }
}
