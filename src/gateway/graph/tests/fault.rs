#![allow(clippy::unwrap_used)]

use http::HeaderMap;

use super::{
    super::answer::{ErrorAnswer, InnerErrorAnswer},
    FaultKind,
    FaultScope::{self, Credential, Item, Mailbox, Server},
    Place::{self, Inner, Outer},
    Refusal,
    Verb::{self, Change, Create, Read},
    is_gone, message, of_refusal,
};

const TRANSIENT: FaultKind = FaultKind::Transient { wait: None };
const DOUBTFUL: FaultKind = FaultKind::Doubtful { wait: None };
const PERMANENT: FaultKind = FaultKind::Permanent;

type Case = (u16, &'static str, Place, Verb, FaultScope, FaultKind);

const CASES: [Case; 40] = [
    (401, "InvalidAuthenticationToken", Outer, Read, Credential, PERMANENT),
    (401, "", Inner, Create, Credential, PERMANENT),
    (403, "ErrorAccessDenied", Outer, Read, Mailbox, PERMANENT),
    (403, "Authorization_RequestDenied", Outer, Read, Mailbox, PERMANENT),
    (403, "ErrorQuotaExceeded", Inner, Create, Mailbox, PERMANENT),
    (404, "ErrorInvalidUser", Outer, Read, Mailbox, PERMANENT),
    (404, "ERRORINVALIDUSER", Inner, Change, Mailbox, PERMANENT),
    (404, "Request_ResourceNotFound", Outer, Read, Mailbox, PERMANENT),
    (404, "ErrorNonExistentMailbox", Inner, Create, Mailbox, PERMANENT),
    (404, "MailboxNotEnabledForRESTAPI", Outer, Read, Mailbox, PERMANENT),
    (404, "MailboxNotSupportedForRESTAPI", Inner, Create, Mailbox, PERMANENT),
    (404, "ErrorItemNotFound", Inner, Create, Mailbox, TRANSIENT),
    (404, "ErrorItemNotFound", Inner, Change, Item, TRANSIENT),
    (404, "ErrorItemNotFound", Outer, Read, Mailbox, TRANSIENT),
    (409, "ErrorDuplicateTransactionId", Inner, Create, Item, DOUBTFUL),
    (409, "ErrorIrresolvableConflict", Inner, Change, Item, TRANSIENT),
    (412, "ErrorIrresolvableConflict", Inner, Change, Item, TRANSIENT),
    (412, "ErrorIrresolvableConflict", Inner, Create, Item, TRANSIENT),
    (400, "ErrorPropertyValidationFailure", Inner, Create, Item, PERMANENT),
    (400, "ErrorOccurrenceCrossingBoundary", Inner, Change, Item, PERMANENT),
    (400, "TimeZoneNotSupportedException", Inner, Create, Item, PERMANENT),
    (400, "ErrorInvalidUser", Inner, Create, Mailbox, PERMANENT),
    (413, "", Inner, Create, Item, PERMANENT),
    (424, "", Inner, Create, Item, FaultKind::NotAttempted),
    (429, "ApplicationThrottled", Outer, Create, Mailbox, TRANSIENT),
    (429, "TooManyRequests", Inner, Create, Mailbox, TRANSIENT),
    (429, "", Inner, Read, Mailbox, TRANSIENT),
    (500, "ErrorInternalServerTransientError", Inner, Create, Item, DOUBTFUL),
    (500, "UnknownError", Inner, Read, Item, TRANSIENT),
    (500, "UnknownError", Outer, Read, Mailbox, TRANSIENT),
    (503, "MailboxInfoStale", Outer, Read, Mailbox, TRANSIENT),
    (503, "ErrorMailboxMoveInProgress", Inner, Change, Mailbox, DOUBTFUL),
    (503, "serviceNotAvailable", Outer, Read, Server, TRANSIENT),
    (503, "ErrorServerBusy", Inner, Create, Mailbox, DOUBTFUL),
    (504, "", Inner, Create, Item, DOUBTFUL),
    (504, "", Outer, Create, Server, DOUBTFUL),
    (507, "", Inner, Create, Mailbox, PERMANENT),
    (302, "", Outer, Read, Server, TRANSIENT),
    (418, "NewCode", Inner, Create, Item, PERMANENT),
    (599, "NewCode", Outer, Read, Server, TRANSIENT),
];

fn error(code: &str) -> ErrorAnswer {
    let inner_error = Some(InnerErrorAnswer { request_id: Some("r".to_owned()) });
    ErrorAnswer { code: Some(code.to_owned()), message: None, inner_error }
}

#[test]
fn refusals_are_judged() {
    let (now, headers) = ("2026-11-23T12:00:00Z".parse().unwrap(), HeaderMap::new());
    for (status, code, place, verb, scope, kind) in CASES {
        let error = error(code);
        let refusal = Refusal { status, headers: &headers, error: Some(&error), place, verb };
        let fault = of_refusal(&refusal, now);
        assert_eq!((fault.scope, fault.kind), (scope, kind), "{status} {code} {place:?} {verb:?}");
        let expected = if code.is_empty() { format!("HTTP {status}") } else { code.to_owned() };
        assert_eq!((fault.code, fault.request_id.as_deref()), (expected, Some("r")));
        let concerned = matches!(scope, Mailbox | Credential) && kind == PERMANENT;
        assert!(fault.hint.is_some() || !concerned, "{status} {code}: somebody must know what to do");
    }
}

#[test]
fn a_missing_mailbox_is_not_a_missing_item() {
    let cases = [
        (404, "ErrorItemNotFound", true),
        (404, "", true),
        (410, "", true),
        (404, "mailboxnotenabledforrestapi", false),
        (404, "Request_ResourceNotFound", false),
        (400, "ErrorItemNotFound", false),
    ];
    for (status, code, expected) in cases {
        let (headers, error) = (HeaderMap::new(), error(code));
        let refusal = Refusal { status, headers: &headers, error: Some(&error), place: Inner, verb: Change };
        assert_eq!(is_gone(&refusal), expected, "{status} {code}");
    }
}

#[test]
fn messages_keep_no_quoted_content() {
    let cases = [
        ("", "Graph answers with status 400"),
        ("Access is denied.", "Access is denied."),
        ("Cannot convert the literal 'Board meeting' to Edm.Int32.", "Cannot convert the literal '…' to Edm.Int32."),
        ("The user's value \"O'Neil\" is wrong", "The user's value \"…\" is wrong"),
        ("Unclosed 'Board meeting", "Unclosed '"),
        ("first\nsecond", "first"),
    ];
    for (said, expected) in cases {
        assert_eq!(message(400, said), expected);
    }
    assert_eq!(message(400, &"x".repeat(999)).len(), 200);
}
