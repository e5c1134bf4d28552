//! Which faults say that a mailbox is not on this side.

use crate::model::fault::{Fault, FaultKind, FaultScope};

/// Codes of EWS and Graph for an address without a mailbox there: it never had one, it lives on the other side of the hybrid, or it
/// has moved.
///
/// <https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode>,
/// <https://learn.microsoft.com/exchange/troubleshoot/user-and-shared-mailboxes/rest-api-is-not-yet-supported-for-this-mailbox-error>
const ABSENT: [&str; 6] = [
    "ErrorNonExistentMailbox",
    "MailboxNotEnabledForRESTAPI",
    "MailboxNotSupportedForRESTAPI",
    "ErrorInvalidUser",
    "Request_ResourceNotFound",
    "ResourceNotFound",
];

/// Codes of EWS for a name under which it impersonates nobody. It is that of a mailbox which lives elsewhere, or a wrong one.
const UNKNOWN_NAME: [&str; 2] = ["ErrorInvalidUserPrincipalName", "ErrorInvalidUserSid"];

/// Whether a fault says for certain that the mailbox is not on the side that was asked.
#[must_use]
pub fn is_absent(fault: &Fault) -> bool {
    is_one_of(fault, &ABSENT)
}

/// Whether a fault says that nobody has the name under which the mailbox was asked for.
#[must_use]
pub fn is_unknown_name(fault: &Fault) -> bool {
    is_one_of(fault, &UNKNOWN_NAME)
}

fn is_one_of(fault: &Fault, codes: &[&str]) -> bool {
    fault.scope == FaultScope::Mailbox
        && fault.kind == FaultKind::Permanent
        && codes.iter().any(|code| fault.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::is_absent;
    use crate::model::fault::{Fault, FaultKind, FaultScope};

    #[test]
    fn only_a_definite_word_of_the_mailbox_counts() {
        let permanent = FaultKind::Permanent;
        let transient = FaultKind::Transient { wait: None };
        for (scope, kind, code, absent) in [
            (FaultScope::Mailbox, permanent, "ErrorNonExistentMailbox", true),
            (FaultScope::Mailbox, permanent, "mailboxNotEnabledForRESTAPI", true),
            (FaultScope::Mailbox, permanent, "ErrorInvalidUser", true),
            (FaultScope::Mailbox, permanent, "ErrorInvalidUserPrincipalName", false),
            (FaultScope::Mailbox, transient, "ErrorMailboxMoveInProgress", false),
            (FaultScope::Mailbox, permanent, "ErrorNonPrimarySmtpAddress", false),
            (FaultScope::Mailbox, permanent, "ErrorAccessDenied", false),
            (FaultScope::Mailbox, transient, "ErrorItemNotFound", false),
            (FaultScope::Server, permanent, "ErrorNonExistentMailbox", false),
        ] {
            assert_eq!(is_absent(&Fault::new(scope, kind, code, "")), absent, "{scope:?} {code}");
        }
    }
}
