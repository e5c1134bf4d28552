//! What a refusal of Graph means: by its status first, then by its code without regard to case; unknown codes are kept.
//! <https://learn.microsoft.com/en-us/graph/errors>

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

use super::answer::ErrorAnswer;
use crate::{
    http::{TransportError, retry_after::retry_after},
    model::fault::{Fault, FaultKind, FaultScope},
};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// It changes nothing.
    Read,
    /// It makes an item.
    Create,
    /// It changes or removes an item.
    Change,
}

/// Which answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// That of an HTTP request.
    Outer,
    /// One of those inside a batch.
    Inner,
}

/// An answer that is not a success.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal<'a> {
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    pub(super) error: Option<&'a ErrorAnswer>,
    pub(super) place: Place,
    pub(super) verb: Verb,
}

/// Codes of an address that is not a mailbox.
const UNKNOWN_MAILBOX: [&str; 4] =
    ["errorinvaliduser", "request_resourcenotfound", "resourcenotfound", "errornonexistentmailbox"];
/// Codes of a mailbox that Graph does not reach.
const ELSEWHERE_MAILBOX: [&str; 2] = ["mailboxnotenabledforrestapi", "mailboxnotsupportedforrestapi"];
/// Codes of a mailbox that cannot be used for the moment.
const BUSY_MAILBOX: [&str; 3] = ["errormailboxmoveinprogress", "errormailboxstoreunavailable", "mailboxinfostale"];
/// Codes of a mailbox that takes no more.
const FULL_MAILBOX: [&str; 1] = ["errorquotaexceeded"];
/// The longest part of the server's own words that is kept.
const MESSAGE_LENGTH_MAX: usize = 200;

/// Whether the status and the code say that the item (and not its mailbox) is not there.
pub(super) fn is_gone(refusal: &Refusal<'_>) -> bool {
    let code = refusal.error.and_then(|error| error.code.as_deref()).unwrap_or_default().to_ascii_lowercase();
    let mailbox = UNKNOWN_MAILBOX.contains(&code.as_str()) || ELSEWHERE_MAILBOX.contains(&code.as_str());
    matches!(refusal.status, 404 | 410) && !mailbox
}

/// The fault of an answer that is not a success.
pub(super) fn of_refusal(refusal: &Refusal<'_>, now: Timestamp) -> Fault {
    let name = refusal.error.and_then(|error| error.code.as_deref()).filter(|code| !code.is_empty());
    let code = name.map_or_else(|| format!("HTTP {}", refusal.status), str::to_owned);
    let said = refusal.error.and_then(|error| error.message.as_deref()).unwrap_or_default();
    let (scope, kind, hint) = judge(refusal, &code.to_ascii_lowercase(), retry_after(refusal.headers, now));
    let mut fault = Fault::new(scope, kind, code, message(refusal.status, said));
    fault.hint = hint.map(str::to_owned);
    fault.request_id = request_id(refusal);
    fault
}

/// Whether an occurrence would meet its neighbour.
pub(super) fn is_crossing(fault: &Fault) -> bool {
    fault.code.eq_ignore_ascii_case("ErrorOccurrenceCrossingBoundary")
}

/// The fault of a mailbox that refuses a token which others take.
pub(super) fn of_closed_mailbox(fault: Fault) -> Fault {
    Fault { scope: FaultScope::Mailbox, hint: Some(CLOSED.to_owned()), ..fault }
}

/// The fault of a request without an answer.
pub(super) fn of_transport(error: &TransportError, verb: Verb) -> Fault {
    match error {
        TransportError::Untrusted { problem, .. } => {
            let kind = FaultKind::Transient { wait: None };
            Fault::new(FaultScope::Server, kind, problem.code(), error.to_string()).hint(problem.hint())
        }
        // Only a connection that logs on by itself says so, and Graph has none.
        TransportError::Unreachable { .. } | TransportError::NoLogOn { .. } => {
            let kind = FaultKind::Transient { wait: None };
            Fault::new(FaultScope::Server, kind, "Unreachable", error.to_string())
        }
        TransportError::Interrupted { .. } => {
            Fault::new(FaultScope::Mailbox, unsettled(verb, None), "Interrupted", error.to_string())
        }
        TransportError::TooLarge { .. } => {
            Fault::new(FaultScope::Mailbox, unsettled(verb, None), "TooLarge", error.to_string())
        }
    }
}

/// The fault of an answer that is a success and does not say what it must.
pub(super) fn of_nonsense(verb: Verb, message: impl Into<String>) -> Fault {
    let scope = match verb {
        Verb::Read => FaultScope::Mailbox,
        Verb::Create | Verb::Change => FaultScope::Item,
    };
    Fault::new(scope, unsettled(verb, None), "MalformedAnswer", message)
}

/// The kind of a fault after which a read is done again and nobody knows of a write.
const fn unsettled(verb: Verb, wait: Option<Duration>) -> FaultKind {
    match verb {
        Verb::Read => FaultKind::Transient { wait },
        Verb::Create | Verb::Change => FaultKind::Doubtful { wait },
    }
}

type Judgement = (FaultScope, FaultKind, Option<&'static str>);

fn judge(refusal: &Refusal<'_>, code: &str, wait: Option<Duration>) -> Judgement {
    use FaultScope::{Credential, Item, Mailbox, Server};
    let transient = FaultKind::Transient { wait };
    let inner = refusal.place == Place::Inner;
    match refusal.status {
        401 => (Credential, FaultKind::Permanent, Some(UNAUTHORISED)),
        403 if FULL_MAILBOX.contains(&code) => (Mailbox, FaultKind::Permanent, Some(FULL)),
        403 => (Mailbox, FaultKind::Permanent, Some(FORBIDDEN)),
        404 | 410 => missing(refusal, code, transient),
        409 if refusal.verb == Verb::Create => (Item, FaultKind::Doubtful { wait }, None),
        409 | 412 => (Item, transient, None),
        424 => (Item, FaultKind::NotAttempted, None),
        // The documents name no other scope: the limits are those of an application in one mailbox.
        429 => (Mailbox, transient, None),
        507 => (Mailbox, FaultKind::Permanent, Some(FULL)),
        408 | 500..=599 if BUSY_MAILBOX.contains(&code) => (Mailbox, unsettled(refusal.verb, wait), None),
        503 if inner => (Mailbox, unsettled(refusal.verb, wait), None),
        408 | 500..=599 if inner => (Item, unsettled(refusal.verb, wait), None),
        408 | 500 => (Mailbox, unsettled(refusal.verb, wait), None),
        501..=599 => (Server, unsettled(refusal.verb, wait), None),
        // A proxy or a wrong root: nothing was carried out.
        300..=399 => (Server, transient, Some("the server sends us elsewhere: check graph_url and the proxy")),
        _ => invalid(code),
    }
}

/// Something that is not there: the mailbox, the calendar or the item.
fn missing(refusal: &Refusal<'_>, code: &str, transient: FaultKind) -> Judgement {
    match (mailbox_hint(code), refusal.verb) {
        (Some(hint), _) => (FaultScope::Mailbox, FaultKind::Permanent, Some(hint)),
        // The calendar itself is gone; opening the mailbox again finds the one that is there now.
        (None, Verb::Create | Verb::Read) => (FaultScope::Mailbox, transient, None),
        (None, Verb::Change) => (FaultScope::Item, transient, None),
    }
}

/// A request that can never be carried out as it is.
fn invalid(code: &str) -> Judgement {
    match mailbox_hint(code) {
        Some(hint) => (FaultScope::Mailbox, FaultKind::Permanent, Some(hint)),
        None => (FaultScope::Item, FaultKind::Permanent, invalid_hint(code)),
    }
}

/// What to do about a mailbox that cannot be written to, whatever the request.
fn mailbox_hint(code: &str) -> Option<&'static str> {
    if UNKNOWN_MAILBOX.contains(&code) {
        Some("no mailbox has this address: check it, and that the person still has a mailbox")
    } else if ELSEWHERE_MAILBOX.contains(&code) {
        Some(
            "the mailbox has no licence, is deleted or is on-premises: license or migrate it, or reach it by EWS (protocol = \"auto\")",
        )
    } else {
        FULL_MAILBOX.contains(&code).then_some(FULL)
    }
}

fn invalid_hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "erroroccurrencecrossingboundary" => {
            "an occurrence cannot move to or over the day of its neighbour: make it an event of its own in the source"
        }
        "timezonenotsupportedexception" => "the server does not know the time zone of the event",
        _ => return None,
    })
}

const UNAUTHORISED: &str = "Graph refuses the token: check tenant_id, client_id, that the scope is that of graph_url's \
                            cloud, and that the application has Calendars.ReadWrite";
const FORBIDDEN: &str = "grant the application Calendars.ReadWrite, or assign it the role \"Application \
                         Calendars.ReadWrite\" with a scope that holds this mailbox (RBAC for Applications); a change \
                         takes half an hour or more";
const CLOSED: &str = "Graph takes the token for other mailboxes: the application has no role on this one; assign it the role \
                      \"Application Calendars.ReadWrite\" with a scope that holds this mailbox";
const FULL: &str = "the mailbox is full: its owner or an administrator must make room";

/// The server's words without what it quotes, which may be the content of an event.
fn message(status: u16, said: &str) -> String {
    let mut kept = String::new();
    let mut quote: Option<char> = None;
    let mut before = ' ';
    for character in said.lines().next().unwrap_or_default().chars() {
        let apostrophe = character == '\'' && before.is_alphanumeric() && quote.is_none();
        match quote {
            Some(mark) if character == mark => {
                quote = None;
                kept.push('…');
                kept.push(mark);
            }
            Some(_) => {}
            None => {
                kept.push(character);
                quote = (matches!(character, '\'' | '"') && !apostrophe).then_some(character);
            }
        }
        before = character;
    }
    let kept: String = kept.chars().take(MESSAGE_LENGTH_MAX).collect();
    if kept.is_empty() { format!("Graph answers with status {status}") } else { kept }
}

/// The server's name for the request.
fn request_id(refusal: &Refusal<'_>) -> Option<String> {
    let said = refusal.error.and_then(|error| error.inner_error.as_ref()).and_then(|inner| inner.request_id.clone());
    said.or_else(|| refusal.headers.get("request-id")?.to_str().ok().map(str::to_owned))
}

#[cfg(test)]
#[path = "tests/fault.rs"]
mod tests;
