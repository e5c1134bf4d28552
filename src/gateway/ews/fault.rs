//! What a response code means: whom it concerns, whether to try again, what to do.
//!
//! Codes: <https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode>.

use std::time::Duration;

use super::{document::Element, operation::Effect};
use crate::model::{
    address::Address,
    fault::{Fault, FaultKind, FaultScope},
};

/// What the server says of a request or of one item of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ServerError {
    /// The response code, known to us or not.
    pub(super) code: String,
    /// The sentence with it.
    pub(super) text: String,
    /// The named values with it.
    pub(super) values: Vec<(String, String)>,
}

impl ServerError {
    /// Reads a SOAP fault (`soap:Fault`).
    pub(super) fn of_soap_fault(fault: &Element) -> Self {
        let text_of = |element: Option<&Element>| element.map_or("", Element::text).trim().to_owned();
        let detail = fault.child("detail");
        let fault_code = text_of(fault.child("faultcode"));
        let code = text_of(detail.and_then(|detail| detail.child("ResponseCode")));
        let code = if code.is_empty() { fault_code.rsplit(':').next().unwrap_or_default().to_owned() } else { code };
        let message = text_of(detail.and_then(|detail| detail.child("Message")));
        let text = if message.is_empty() { text_of(fault.child("faultstring")) } else { message };
        Self { code, text, values: values(detail.and_then(|detail| detail.child("MessageXml"))) }
    }

    /// Reads a response message.
    pub(super) fn of_message(message: &Element) -> Self {
        let text_of = |name| message.child(name).map_or("", Element::text).trim().to_owned();
        Self {
            code: text_of("ResponseCode"),
            text: text_of("MessageText"),
            values: values(message.child("MessageXml")),
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The code that says most: `ErrorInternalServerError` may hide the cause.
    fn telling_code(&self) -> &str {
        match self.value("InnerErrorResponseCode") {
            Some(inner) if self.code == "ErrorInternalServerError" && !inner.is_empty() => inner,
            Some(_) | None => &self.code,
        }
    }

    /// The address that a server names in place of an alias.
    fn primary_address(&self) -> Option<Address> {
        let named = (self.code == "ErrorNonPrimarySmtpAddress").then(|| self.value("Primary")).flatten();
        named.and_then(|address| Address::parse(address.trim()).ok())
    }

    fn back_off(&self) -> Option<Duration> {
        self.value("BackOffMilliseconds")?.trim().parse().ok().map(Duration::from_millis)
    }
}

fn values(bag: Option<&Element>) -> Vec<(String, String)> {
    let children = bag.map(Element::children).unwrap_or_default();
    let named = children.iter().filter_map(|value| Some((value.attribute("Name")?, value.text())));
    named.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// What a code means for the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// The server refused before doing anything; later it may not.
    Later,
    /// The server failed on the way: a write may be stored.
    Failed,
    /// Somebody must change something.
    Never,
    /// Not attempted.
    Stopped,
}

/// Whom a code concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Concern {
    Item,
    Mailbox,
    Credential,
    Server,
    /// The mailbox under impersonation, where each mailbox has its own budget; else the account, which all share.
    Budget,
}

struct Row {
    concern: Concern,
    meaning: Meaning,
    hint: Option<&'static str>,
    codes: &'static [&'static str],
}

/// The item is not there (any more).
const GONE: [&str; 2] = ["ErrorItemNotFound", "ErrorCalendarOccurrenceIsDeletedFromRecurrence"];
/// The change key is not the item's present one.
const CONFLICT: [&str; 5] = [
    "ErrorIrresolvableConflict",
    "ErrorStaleObject",
    "ErrorChangeKeyRequired",
    "ErrorChangeKeyRequiredForWriteOperations",
    "ErrorInvalidChangeKey",
];
const TABLE: &[Row] = &[
    Row { concern: Concern::Item, meaning: Meaning::Never, hint: None, codes: &GONE },
    Row { concern: Concern::Item, meaning: Meaning::Later, hint: None, codes: &CONFLICT },
    Row { concern: Concern::Item, meaning: Meaning::Stopped, hint: None, codes: &["ErrorBatchProcessingStopped"] },
    Row {
        concern: Concern::Budget,
        meaning: Meaning::Later,
        hint: None,
        codes: &["ErrorServerBusy", "ErrorExceededConnectionCount", "ErrorTooManyObjectsOpened"],
    },
    Row { concern: Concern::Mailbox, meaning: Meaning::Later, hint: None, codes: &["ErrorExceededFindCountLimit"] },
    Row {
        concern: Concern::Mailbox,
        meaning: Meaning::Failed,
        hint: None,
        codes: &[
            "ErrorTimeoutExpired",
            "ErrorInternalServerTransientError",
            "ErrorMailboxStoreUnavailable",
            "ErrorMailboxFailover",
            "ErrorConnectionFailed",
        ],
    },
    Row { concern: Concern::Server, meaning: Meaning::Failed, hint: None, codes: &["ErrorInsufficientResources"] },
    Row { concern: Concern::Item, meaning: Meaning::Failed, hint: None, codes: &["ErrorInternalServerError"] },
    Row {
        concern: Concern::Mailbox,
        meaning: Meaning::Later,
        hint: None,
        codes: &["ErrorMailboxMoveInProgress", "ErrorADUnavailable", "ErrorADOperation", "ErrorMailboxLogonFailed"],
    },
    Row {
        concern: Concern::Mailbox,
        meaning: Meaning::Never,
        hint: Some("check the address of the mailbox: it must be the primary SMTP address of a mailbox on this server"),
        codes: &[
            "ErrorNonExistentMailbox",
            "ErrorNonPrimarySmtpAddress",
            "ErrorMissingEmailAddress",
            "ErrorInvalidUserPrincipalName",
            "ErrorInvalidUserSid",
            "ErrorInvalidSmtpAddress",
        ],
    },
    Row {
        concern: Concern::Mailbox,
        meaning: Meaning::Never,
        hint: Some("the mailbox is disabled, unlicensed or blocked: an Exchange administrator must look at it"),
        codes: &[
            "ErrorAccountDisabled",
            "ErrorMailboxConfiguration",
            "ErrorInvalidLicense",
            "ErrorOrganizationAccessBlocked",
            "ErrorOrganizationNotFederated",
        ],
    },
    Row {
        concern: Concern::Mailbox,
        meaning: Meaning::Never,
        hint: Some(
            "the account lacks rights on this calendar: with impersonation the mailbox must be in the scope of \
                    the role ApplicationImpersonation, else the account needs Editor rights on the calendar",
        ),
        codes: &[
            "ErrorImpersonateUserDenied",
            "ErrorAccessDenied",
            "ErrorCreateItemAccessDenied",
            "ErrorDeleteItemAccessDenied",
            "ErrorCannotDeleteObject",
            "ErrorFolderNotFound",
            "ErrorSavedItemFolderNotFound",
            "ErrorSyncFolderNotFound",
            "ErrorParentFolderNotFound",
        ],
    },
    Row {
        concern: Concern::Credential,
        meaning: Meaning::Never,
        hint: Some(
            "the account may not impersonate: give it the role ApplicationImpersonation, or turn \
                    use_impersonation off",
        ),
        codes: &["ErrorImpersonationDenied", "ErrorImpersonationFailed", "ErrorCallerIsInvalidADAccount"],
    },
    Row {
        concern: Concern::Credential,
        meaning: Meaning::Never,
        hint: Some("the account must be put right by an administrator"),
        codes: &[
            "ErrorInvalidAuthorizationContext",
            "ErrorPasswordExpired",
            "ErrorPasswordChangeRequired",
            "ErrorProxyGroupSidLimitExceeded",
        ],
    },
    Row {
        concern: Concern::Mailbox,
        meaning: Meaning::Never,
        hint: Some("the mailbox is full"),
        codes: &["ErrorQuotaExceeded", "ErrorMessagePerFolderCountReceiveQuotaExceeded"],
    },
    Row {
        concern: Concern::Server,
        meaning: Meaning::Never,
        hint: Some("set exchange_server_version to a version that this server knows, such as Exchange2010_SP2"),
        codes: &["ErrorInvalidServerVersion", "ErrorIncorrectSchemaVersion", "ErrorWrongServerVersion"],
    },
    Row {
        concern: Concern::Mailbox,
        meaning: Meaning::Never,
        hint: Some("the mailbox is on an older server: set exchange_server_version to that server's"),
        codes: &["ErrorInvalidSchemaVersionForMailboxVersion", "ErrorWrongServerVersionDelegate"],
    },
    Row {
        concern: Concern::Mailbox,
        meaning: Meaning::Later,
        hint: Some("the servers of the mailbox's site do not answer each other: an Exchange administrator must look"),
        codes: &[
            "ErrorNoRespondingCASInDestinationSite",
            "ErrorNoDestinationCASDueToKerberosRequirements",
            "ErrorNoDestinationCASDueToSSLRequirements",
            "ErrorNoDestinationCASDueToVersionMismatch",
            "ErrorProxyServiceDiscoveryFailed",
            "ErrorProxyRequestNotAllowed",
            "ErrorProxyRequestProcessingFailed",
        ],
    },
    Row {
        concern: Concern::Item,
        meaning: Meaning::Never,
        hint: Some("the server refuses this event as it is: look at its source"),
        codes: &[
            "ErrorSchemaValidation",
            "ErrorRequestStreamTooBig",
            "ErrorInvalidRequest",
            "ErrorInvalidPropertySet",
            "ErrorInvalidPropertyRequest",
            "ErrorInvalidPropertyDelete",
            "ErrorInvalidExtendedProperty",
            "ErrorInvalidExtendedPropertyValue",
            "ErrorItemSavePropertyError",
            "ErrorPropertyUpdate",
            "ErrorDataSizeLimitExceeded",
            "ErrorMessageSizeExceeded",
            "ErrorInvalidId",
            "ErrorInvalidIdEmpty",
            "ErrorInvalidIdMalformed",
            "ErrorInvalidIdMalformedEwsLegacyIdFormat",
            "ErrorCannotUseFolderIdForItemId",
            "ErrorUpdatePropertyMismatch",
            "ErrorIncorrectUpdatePropertyCount",
            "ErrorCalendarEndDateIsEarlierThanStartDate",
            "ErrorCalendarDurationIsTooLong",
            "ErrorCalendarOutOfRange",
            "ErrorCalendarInvalidRecurrence",
            "ErrorCalendarInvalidPropertyValue",
            "ErrorRecurrenceHasNoOccurrence",
            "ErrorRecurrenceEndDateTooBig",
            "ErrorCalendarInvalidDayForWeeklyRecurrence",
            "ErrorOccurrenceCrossingBoundary",
            "ErrorOccurrenceTimeSpanTooBig",
            "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange",
            "ErrorCalendarCannotUseIdForOccurrenceId",
            "ErrorCalendarCannotUseIdForRecurringMasterId",
            "ErrorCalendarInvalidTimeZone",
            "ErrorTimeZone",
            "ErrorCalendarViewRangeTooBig",
        ],
    },
];

/// What a code of the server is judged by, beside the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Circumstances {
    /// Whether the request was to change something.
    pub(super) effect: Effect,
    /// Whether it was sent in the name of the mailbox.
    pub(super) impersonation: bool,
    /// The wait that the headers ask for.
    pub(super) retry_after: Option<Duration>,
    /// The server's name for the request.
    pub(super) request_id: Option<String>,
}

impl Circumstances {
    /// The fault of one item of a request.
    pub(super) fn of_item(&self, error: &ServerError) -> Fault {
        let code = error.telling_code();
        let row = TABLE.iter().find(|row| row.codes.contains(&code));
        // A code that nobody has heard of: a write may have been carried out, so it is looked up before it is sent again.
        let (concern, meaning) = row.map_or((Concern::Item, Meaning::Failed), |row| (row.concern, row.meaning));
        let wait = error.back_off().max(self.retry_after);
        let kind = match (meaning, self.effect) {
            (Meaning::Later, _) | (Meaning::Failed, Effect::Read) => FaultKind::Transient { wait },
            (Meaning::Failed, Effect::Write) => FaultKind::Doubtful { wait },
            (Meaning::Never, _) => FaultKind::Permanent,
            (Meaning::Stopped, _) => FaultKind::NotAttempted,
        };
        let scope = match (concern, self.effect) {
            (Concern::Item, Effect::Write) => FaultScope::Item,
            (Concern::Item, Effect::Read) | (Concern::Mailbox, _) => FaultScope::Mailbox,
            (Concern::Credential, _) => FaultScope::Credential,
            (Concern::Server, _) => FaultScope::Server,
            (Concern::Budget, _) if self.impersonation => FaultScope::Mailbox,
            (Concern::Budget, _) => FaultScope::Server,
        };
        let mut fault = self.named(Fault::new(scope, kind, code, sentence(code, error)));
        fault.hint = row.and_then(|row| row.hint).map(str::to_owned);
        if let Some(primary) = error.primary_address() {
            fault.hint = Some(format!("use {primary} in its place: that is the primary address of the mailbox"));
        }
        fault
    }

    /// The fault of a whole request: what would be transient for one item holds for the mailbox.
    pub(super) fn of_request(&self, error: &ServerError) -> Fault {
        let mut fault = self.of_item(error);
        if fault.scope == FaultScope::Item && fault.kind != FaultKind::Permanent {
            fault.scope = FaultScope::Mailbox;
        }
        fault
    }

    /// A fault of a request whose write may have been carried out.
    pub(super) fn unknown_outcome(&self, scope: FaultScope, code: &str, message: impl Into<String>) -> Fault {
        let kind = match self.effect {
            Effect::Read => FaultKind::Transient { wait: self.retry_after },
            Effect::Write => FaultKind::Doubtful { wait: self.retry_after },
        };
        self.named(Fault::new(scope, kind, code, message))
    }

    /// The fault with the server's name for the request.
    pub(super) fn named(&self, mut fault: Fault) -> Fault {
        fault.request_id.clone_from(&self.request_id);
        fault
    }
}

/// The server's sentence, cut short. That of a schema violation may quote the event and is left out.
fn sentence(code: &str, error: &ServerError) -> String {
    if code == "ErrorSchemaValidation" {
        let place = |name| error.value(name).unwrap_or("?").chars().take(12).collect::<String>();
        return format!(
            "the request does not fit the schema at line {}, column {}",
            place("LineNumber"),
            place("LinePosition")
        );
    }
    let text: String = error.text.chars().filter(|character| !character.is_control()).take(300).collect();
    if text.is_empty() { "the server gives no reason".to_owned() } else { text }
}

/// Whether the item is not there (any more).
pub(super) fn is_gone(fault: &Fault) -> bool {
    fault.kind == FaultKind::Permanent && GONE.contains(&fault.code.as_str())
}

/// Whether an occurrence would meet its neighbour.
pub(super) fn is_crossing(fault: &Fault) -> bool {
    fault.code == "ErrorOccurrenceCrossingBoundary"
}

/// Whether the change key was not the item's present one.
pub(super) fn is_conflict(fault: &Fault) -> bool {
    CONFLICT.contains(&fault.code.as_str())
}

/// Whether, as the fault of a whole request, it speaks of an item of it, or of their size: smaller requests tell which item
/// the server does not take.
pub(super) fn is_indivisible(fault: &Fault) -> bool {
    let of_an_item = |row: &Row| row.concern == Concern::Item && row.codes.contains(&fault.code.as_str());
    fault.kind == FaultKind::Permanent && (fault.scope == FaultScope::Item || TABLE.iter().any(of_an_item))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{collections::BTreeSet, time::Duration};

    use super::{Circumstances, ServerError, TABLE};
    use crate::{
        gateway::ews::operation::Effect,
        model::fault::{FaultKind, FaultScope},
        settings::ServerVersion,
    };

    fn error(code: &str, values: &[(&str, &str)]) -> ServerError {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ServerError { code: code.to_owned(), text: "A sentence.".to_owned(), values }
    }

    fn circumstances(effect: Effect, impersonation: bool) -> Circumstances {
        Circumstances { effect, impersonation, retry_after: None, request_id: Some("r-1".to_owned()) }
    }

    #[test]
    fn codes_are_classed() {
        use FaultScope::{Credential, Item, Mailbox, Server};
        let wait = |milliseconds| Some(Duration::from_millis(milliseconds));
        let later = |wait| FaultKind::Transient { wait };
        let doubt = |wait| FaultKind::Doubtful { wait };
        let busy = [("BackOffMilliseconds", "2345")];
        let none: &[(&str, &str)] = &[];
        let cases = [
            ("ErrorItemNotFound", none, Item, FaultKind::Permanent),
            ("ErrorIrresolvableConflict", none, Item, later(None)),
            ("ErrorServerBusy", &busy, Mailbox, later(wait(2345))),
            ("ErrorServerBusy", &[("BackOffMilliseconds", "0")], Mailbox, later(wait(0))),
            ("ErrorServerBusy", &[("BackOffMilliseconds", "x")], Mailbox, later(None)),
            ("ErrorTimeoutExpired", none, Mailbox, doubt(None)),
            ("ErrorMailboxMoveInProgress", none, Mailbox, later(None)),
            ("ErrorNonExistentMailbox", none, Mailbox, FaultKind::Permanent),
            ("ErrorImpersonateUserDenied", none, Mailbox, FaultKind::Permanent),
            ("ErrorImpersonationDenied", none, Credential, FaultKind::Permanent),
            ("ErrorInvalidServerVersion", none, Server, FaultKind::Permanent),
            ("ErrorQuotaExceeded", none, Mailbox, FaultKind::Permanent),
            ("ErrorOccurrenceCrossingBoundary", none, Item, FaultKind::Permanent),
            ("ErrorBatchProcessingStopped", none, Item, FaultKind::NotAttempted),
            ("ErrorInternalServerError", none, Item, doubt(None)),
            ("ErrorInventedIn2031", none, Item, doubt(None)),
            ("", none, Item, doubt(None)),
        ];
        for (code, values, scope, kind) in cases {
            let fault = circumstances(Effect::Write, true).of_item(&error(code, values));
            assert_eq!((fault.scope, fault.kind, fault.code.as_str()), (scope, kind, code), "{code}");
            assert_eq!(fault.request_id.as_deref(), Some("r-1"));
        }
        let hidden = [("InnerErrorResponseCode", "ErrorServerBusy"), ("BackOffMilliseconds", "7")];
        let fault = circumstances(Effect::Write, false).of_item(&error("ErrorInternalServerError", &hidden));
        assert_eq!((fault.scope, fault.kind, fault.code.as_str()), (Server, later(wait(7)), "ErrorServerBusy"));
        let read = circumstances(Effect::Read, true).of_item(&error("ErrorInventedIn2031", none));
        assert_eq!((read.scope, read.kind), (Mailbox, later(None)));
        let whole = circumstances(Effect::Write, true).of_request(&error("ErrorInternalServerError", none));
        assert_eq!((whole.scope, whole.kind), (Mailbox, doubt(None)));
    }

    #[test]
    fn the_primary_address_of_an_alias_is_named() {
        let hint =
            |values| circumstances(Effect::Read, true).of_request(&error("ErrorNonPrimarySmtpAddress", values)).hint;
        assert!(hint(&[("Primary", "ana@example.test")]).unwrap().starts_with("use ana@example.test in its place"));
        assert!(hint(&[("Primary", "no address")]).unwrap().contains("primary SMTP address"));
        assert!(hint(&[]).unwrap().contains("primary SMTP address"));
    }

    #[test]
    fn the_longer_wait_holds() {
        let mut circumstances = circumstances(Effect::Write, true);
        circumstances.retry_after = Some(Duration::from_secs(60));
        let fault = circumstances.of_request(&error("ErrorServerBusy", &[("BackOffMilliseconds", "1000")]));
        assert_eq!(fault.wait(), Some(Duration::from_secs(60)));
    }

    #[test]
    fn a_schema_violation_does_not_quote_the_event() {
        let mut violation = error("ErrorSchemaValidation", &[("LineNumber", "3"), ("LinePosition", "40")]);
        violation.text = "The value 'Secret meeting' is invalid".to_owned();
        let fault = circumstances(Effect::Write, true).of_request(&violation);
        assert_eq!(fault.message, "the request does not fit the schema at line 3, column 40");
    }

    #[test]
    fn the_version_that_is_advised_is_one_of_the_list() {
        let row = TABLE.iter().find(|row| row.codes.contains(&"ErrorInvalidServerVersion")).unwrap();
        let advised = row.hint.unwrap().rsplit(' ').next().unwrap();
        assert!(ServerVersion::ALL.iter().any(|version| version.as_str() == advised), "{advised}");
    }

    #[test]
    fn each_code_is_in_the_table_once() {
        let codes: Vec<&str> = TABLE.iter().flat_map(|row| row.codes).copied().collect();
        let distinct: BTreeSet<&str> = codes.iter().copied().collect();
        assert_eq!(codes.len(), distinct.len());
    }
}
