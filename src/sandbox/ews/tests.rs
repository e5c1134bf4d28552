//! Requests and their answers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod items;
mod refusals;

use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::{
    clock::{Clock, Wait},
    sandbox::{
        caller::Impersonation,
        store::{MailboxSettings, Store},
    },
};

pub(super) const ANA: &str = "ana@example.test";
pub(super) const KEY: &str = "<t:ExtendedFieldURI PropertySetId=\"0ab89da0-c8e5-4849-914a-1396b47752b5\" \
                              PropertyName=\"SourceKey\" PropertyType=\"String\"/>";
pub(super) const CALENDAR: &str = "<t:DistinguishedFolderId Id=\"calendar\"/>";

/// A clock that stands still.
#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        "2026-01-15T12:00:00Z".parse().unwrap()
    }

    fn sleep(&self, _: std::time::Duration) -> Wait {
        Box::pin(async {})
    }
}

/// A server with one caller.
pub(super) struct Server {
    pub(super) store: Store,
    pub(super) caller: Caller,
}

impl Server {
    pub(super) fn new() -> Self {
        let store = Store::new(Arc::new(Fixed), 7);
        let mut ana = MailboxSettings::new(ANA);
        ana.aliases.push("alias@example.test".to_owned());
        store.add_mailbox(ana).unwrap();
        store.add_mailbox(MailboxSettings::new("bob@example.test")).unwrap();
        let caller = Caller {
            name: "service@example.test".to_owned(),
            impersonation: Impersonation::Everybody,
            ..Caller::default()
        };
        Self { store, caller }
    }

    /// Sends an envelope.
    pub(super) fn send(&self, envelope: &str) -> Reply {
        match parse(envelope.as_bytes()) {
            Ok(call) => {
                let count = call.item_count();
                let reply = execute(&self.store, &self.caller, call);
                if reply.status == 200 {
                    assert_eq!(reply.body.matches("ResponseClass=").count(), count);
                }
                reply
            }
            Err(reply) => reply,
        }
    }

    /// Sends an operation as Ana, from Paris.
    pub(super) fn call(&self, operation: &str) -> Reply {
        self.send(&envelope("Exchange2016", operation))
    }

    /// Creates items and gives back their ids and change keys.
    pub(super) fn create(&self, items: &str) -> Vec<(String, String)> {
        ids(&self.call(&create(items)).body)
    }

    /// An item read back whole.
    pub(super) fn get(&self, id: &str, additional: &str) -> String {
        self.call(&get_item(&format!("<t:ItemId Id=\"{id}\"/>"), "AllProperties", additional)).body
    }
}

pub(super) fn envelope(version: &str, operation: &str) -> String {
    let impersonation = format!(
        "<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>{ANA}</t:PrimarySmtpAddress></t:ConnectingSID>\
         </t:ExchangeImpersonation>"
    );
    let zone = "<t:TimeZoneContext><t:TimeZoneDefinition Id=\"Romance Standard Time\"/></t:TimeZoneContext>";
    with_header(&format!("<t:RequestServerVersion Version=\"{version}\"/>{zone}{impersonation}"), operation)
}

pub(super) fn with_header(header: &str, operation: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<s:Envelope xmlns:s=\"{SOAP}\" xmlns:m=\"{MESSAGES}\" \
         xmlns:t=\"{TYPES}\"><s:Header>{header}</s:Header><s:Body>{operation}</s:Body></s:Envelope>"
    )
}

pub(super) fn create(items: &str) -> String {
    format!(
        "<m:CreateItem SendMeetingInvitations=\"SendToNone\"><m:SavedItemFolderId>{CALENDAR}</m:SavedItemFolderId>\
         <m:Items>{items}</m:Items></m:CreateItem>"
    )
}

pub(super) fn item(properties: &str) -> String {
    format!("<t:CalendarItem>{properties}</t:CalendarItem>")
}

pub(super) fn get_item(ids: &str, base: &str, additional: &str) -> String {
    let additional = match additional {
        "" => String::new(),
        paths => format!("<t:AdditionalProperties>{paths}</t:AdditionalProperties>"),
    };
    format!(
        "<m:GetItem><m:ItemShape><t:BaseShape>{base}</t:BaseShape>{additional}</m:ItemShape><m:ItemIds>{ids}</m:ItemIds>\
         </m:GetItem>"
    )
}

pub(super) fn update(id: &str, updates: &str) -> String {
    format!(
        "<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" MessageDisposition=\"SaveOnly\" \
         SendMeetingInvitationsOrCancellations=\"SendToNone\"><m:ItemChanges><t:ItemChange>{id}<t:Updates>{updates}\
         </t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )
}

pub(super) fn set(path: &str, property: &str) -> String {
    format!("<t:SetItemField><t:FieldURI FieldURI=\"{path}\"/>{}</t:SetItemField>", item(property))
}

pub(super) fn delete(ids: &str) -> String {
    format!(
        "<m:DeleteItem DeleteType=\"HardDelete\" SendMeetingCancellations=\"SendToNone\"><m:ItemIds>{ids}</m:ItemIds>\
         </m:DeleteItem>"
    )
}

/// The ids and change keys of the items in an answer.
pub(super) fn ids(body: &str) -> Vec<(String, String)> {
    let value = |text: &str, name: &str| {
        let begin = text.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
        text[begin..begin + text[begin..].find('"').unwrap()].to_owned()
    };
    body.split("<t:ItemId").skip(1).map(|part| (value(part, "Id"), value(part, "ChangeKey"))).collect()
}

/// The response codes of an answer, without the success of every item.
pub(super) fn codes(body: &str) -> String {
    let codes = body.split("ResponseCode").skip(1).step_by(2);
    let codes = codes.map(|part| part.split('>').nth(1).unwrap().split('<').next().unwrap());
    codes.collect::<Vec<_>>().join(" ")
}

/// The text between the tags of an element.
pub(super) fn text<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let begin = body.find(&format!("<t:{name}>"))? + name.len() + 4;
    Some(&body[begin..begin + body[begin..].find("</t:")?])
}

/// What the `Body` of the envelope holds.
pub(super) fn content(reply: &Reply) -> &str {
    let begin = reply.body.find("<soap:Body>").unwrap() + 11;
    &reply.body[begin..reply.body.find("</soap:Body>").unwrap()]
}
