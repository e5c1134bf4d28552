//! Looks at every request before it reaches the server.

use calsyncd::sandbox::{
    Sandbox,
    store::{Entry, PropertyName, Target},
};
use serde_json::Value;

use crate::wire::Sent;

const SET: &str = "0ab89da0-c8e5-4849-914a-1396b47752b5";

/// One write of a request.
#[derive(Debug)]
pub(crate) enum Touch {
    /// The source key that it gets.
    Create(String),
    /// The item, as it is before.
    Update(Box<Entry>),
    Delete(Box<Entry>),
}

/// The source key that an item carries.
pub(crate) fn key_of(entry: &Entry) -> Option<String> {
    entry.content.properties.get(&PropertyName::new(SET, "SourceKey")).cloned()
}

/// The source key that the text of a create gives.
fn key_in(text: &str) -> String {
    let at = text.find("erp/").unwrap_or(text.len());
    text[at..].split(['<', '"', '\\']).next().unwrap_or_default().to_owned()
}

/// What a request is about to write; an error where it must not.
pub(crate) fn touches(sandbox: &Sandbox, sent: &Sent) -> Result<Vec<Touch>, String> {
    let text = String::from_utf8_lossy(&sent.request.body);
    if sent.mailbox.is_empty() {
        return Ok(Vec::new());
    }
    if text.to_lowercase().contains("attendees") {
        return Err(format!("{} names attendees", sent.operation));
    }
    if sent.request.headers.contains_key("soapaction") {
        ews(sandbox, sent, &text)
    } else {
        graph(sandbox, sent, &text)
    }
}

fn ews(sandbox: &Sandbox, sent: &Sent, text: &str) -> Result<Vec<Touch>, String> {
    let told = text.split("PrimarySmtpAddress>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
    if told != sent.mailbox {
        return Err(format!("{} for {} impersonates {told}", sent.operation, sent.mailbox));
    }
    let attribute = match sent.operation.as_str() {
        "CreateItem" => "SendMeetingInvitations",
        "UpdateItem" => "SendMeetingInvitationsOrCancellations",
        "DeleteItem" => "SendMeetingCancellations",
        _ => return Ok(Vec::new()),
    };
    if !text.contains(&format!("{attribute}=\"SendToNone\"")) {
        return Err(format!("{} without SendToNone", sent.operation));
    }
    if sent.operation == "CreateItem" {
        let items: Vec<&str> = text.split("<t:CalendarItem>").skip(1).collect();
        if items.iter().any(|item| !["SourceKey", "Owner", "Fingerprint"].iter().all(|name| item.contains(name))) {
            return Err("an item is created without our properties".to_owned());
        }
        return Ok(items.iter().map(|item| Touch::Create(key_in(item))).collect());
    }
    let is_delete = sent.operation == "DeleteItem";
    let whole = text.split("<t:ItemId Id=\"").skip(1).map(|rest| (rest, is_delete));
    // An occurrence is a part of its master; deleting one is changing the series.
    let parts = text.split("RecurringMasterId=\"").skip(1).map(|rest| (rest, false));
    let ids = whole.chain(parts);
    ids.filter_map(|(rest, is_delete)| {
        let id = rest.split('"').next().unwrap_or_default();
        touch(sandbox, &sent.mailbox, id, is_delete).transpose()
    })
    .collect()
}

/// The write to an item: it has to be in the mailbox, and ours. What is not there any more is not touched.
fn touch(sandbox: &Sandbox, mailbox: &str, id: &str, is_delete: bool) -> Result<Option<Touch>, String> {
    let identified = sandbox.store().identify(id).map_err(|error| format!("the id {id}: {error}"))?;
    if identified.mailbox != mailbox {
        return Err(format!("a write meant for {mailbox} names an item of {}", identified.mailbox));
    }
    let Ok(mut entry) = sandbox.store().get(mailbox, &Target::Id(id.to_owned())) else { return Ok(None) };
    let is_part = entry.master.is_some();
    if let Some(master) = entry.master.clone() {
        match sandbox.store().get(mailbox, &Target::Id(master.id)) {
            Ok(found) => entry = found,
            Err(_) => return Ok(None),
        }
    }
    if key_of(&entry).is_none() {
        return Err(format!("an item in {mailbox} is written that is not ours: {:?}", entry.content.subject));
    }
    let entry = Box::new(entry);
    Ok(Some(if is_delete && !is_part { Touch::Delete(entry) } else { Touch::Update(entry) }))
}

fn graph(sandbox: &Sandbox, sent: &Sent, text: &str) -> Result<Vec<Touch>, String> {
    if sent.request.method == "GET" {
        return Ok(Vec::new());
    }
    let body: Value = serde_json::from_str(text).map_err(|error| format!("{}: {error}", sent.operation))?;
    let requests = body["requests"].as_array().ok_or("a request that is no batch")?;
    let mut touches = Vec::new();
    for request in requests {
        let (method, url) =
            (request["method"].as_str().unwrap_or_default(), request["url"].as_str().unwrap_or_default());
        if !url.starts_with(&format!("/users/{}/", sent.mailbox)) {
            return Err(format!("a batch for {} asks for {url}", sent.mailbox));
        }
        match method {
            "GET" => {}
            "POST" => {
                let properties = request["body"]["singleValueExtendedProperties"].to_string();
                if !["SourceKey", "Owner", "Fingerprint"].iter().all(|name| properties.contains(name)) {
                    return Err("an event is created without our properties".to_owned());
                }
                if !request["body"]["transactionId"].is_string() {
                    return Err("an event is created without a transactionId".to_owned());
                }
                touches.push(Touch::Create(key_in(&properties)));
            }
            "PATCH" | "DELETE" => {
                let id = url.rsplit("/events/").next().unwrap_or_default().split(['?', '/']).next().unwrap_or_default();
                touches.extend(touch(sandbox, &sent.mailbox, &decoded(id), method == "DELETE")?);
            }
            other => return Err(format!("{other} {url}")),
        }
    }
    Ok(touches)
}

fn decoded(id: &str) -> String {
    let mut decoded = String::new();
    let mut rest = id;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let (code, next) = after.split_at(2);
        decoded.push(char::from(u8::from_str_radix(code, 16).unwrap()));
        rest = next;
    }
    // An id in an address has other signs in the places of two of base64.
    stored(&(decoded + rest))
}

/// The form of an id of Graph in which the store knows it.
pub(crate) fn stored(id: &str) -> String {
    id.replace('-', "/").replace('_', "+")
}
