//! What the operations of EWS have in common.

use super::{
    document::{Element, Unreadable},
    xml::Xml,
};
use crate::{
    model::{fault::Fault, link::ItemRef, zone::Zone},
    settings::ServerVersion,
};

/// Whether an operation changes something: what an answer that does not come means depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It only reads.
    Read,
    /// It changes the mailbox.
    Write,
}

/// One operation: its request and how its answer is read.
pub(super) trait Operation: Send + Sync {
    /// What the answer says.
    type Answer: Send;
    /// The operation's name in the protocol.
    const NAME: &'static str;
    /// Whether it changes something.
    const EFFECT: Effect;

    /// How many items it carries; the answer has as many response messages.
    fn items(&self) -> usize;

    /// The zone in which the server is to see the request.
    fn zone(&self) -> Option<&Zone> {
        None
    }

    /// Writes the content of the SOAP body.
    fn write(&self, xml: &mut Xml, version: ServerVersion);

    /// Reads the response messages, one for each item.
    ///
    /// # Errors
    /// When a message is not as the schema says.
    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<Self::Answer, ReadError>;
}

/// Why an answer gives no result.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The server says that it failed.
    Fault(Fault),
    /// It is not as the schema says.
    Unreadable(Unreadable),
}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Unreadable> for ReadError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

/// The one message of an operation without items.
///
/// # Errors
/// The server's fault, or when there is no message.
pub(super) fn only(messages: Vec<Result<Element, Fault>>) -> Result<Element, ReadError> {
    let first = messages.into_iter().next();
    Ok(first.ok_or_else(|| Unreadable::new("ResponseMessages", "no response message"))??)
}

/// Reads `t:ItemId`.
///
/// # Errors
/// When an attribute is missing.
pub(super) fn item_ref(element: &Element) -> Result<ItemRef, Unreadable> {
    let change_key = element.attribute("ChangeKey").unwrap_or_default().to_owned();
    Ok(ItemRef { id: element.require_attribute("Id")?.to_owned(), change_key })
}

/// Reads the `ItemId` of the first item of a message of `CreateItem` or `UpdateItem`.
///
/// # Errors
/// When there is none.
pub(super) fn first_item(message: &Element) -> Result<ItemRef, Unreadable> {
    let item = message.require("Items")?.children().first();
    item_ref(item.ok_or_else(|| Unreadable::new("Items", "no item"))?.require("ItemId")?)
}

/// Writes `t:ItemId`.
pub(super) fn item_id(xml: &mut Xml, item: &ItemRef) {
    if item.change_key.is_empty() {
        xml.empty("t:ItemId", &[("Id", &item.id)]);
    } else {
        xml.empty("t:ItemId", &[("Id", &item.id), ("ChangeKey", &item.change_key)]);
    }
}

/// Writes `t:OccurrenceItemId`. Without a change key: it is the series' own and changes with each of its occurrences.
pub(super) fn occurrence_id(xml: &mut Xml, master: &str, index: u32) {
    xml.empty("t:OccurrenceItemId", &[("RecurringMasterId", master), ("InstanceIndex", &index.to_string())]);
}
