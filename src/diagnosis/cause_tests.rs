//! The table: mode and what came back → cause.

use super::{CameBack, Cause, Mode, Proof, Token, Way, cause};

const ON_PREMISES: Mode = Mode { way: Way::Impersonation, proof: Proof::Password, is_online: false };
const DELEGATE: Mode = Mode { way: Way::Delegate, ..ON_PREMISES };
const ONLINE: Mode = Mode { way: Way::Impersonation, proof: Proof::Token, is_online: true };
const GRAPH: Mode = Mode { way: Way::Graph, proof: Proof::Token, is_online: true };

fn back<'a>(code: &'a str, message: &'a str) -> CameBack<'a> {
    CameBack { code, message, writes: false, token: Token::Unknown, secret_like_an_id: false }
}

#[test]
fn each_answer_has_its_cause() {
    for (mode, code, message, expected) in [
        (ON_PREMISES, "NameNotFound", "", Cause::NameUnknown),
        (ON_PREMISES, "Unreachable", "tcp connect error: Connection refused (os error 111)", Cause::NotReachable),
        (ON_PREMISES, "Unreachable", "client error (Connect): dns error", Cause::NameUnknown),
        (ON_PREMISES, "Unreachable", "client error (Connect): operation timed out", Cause::TimedOut),
        (ON_PREMISES, "CertificateExpired", "", Cause::CertificateExpired),
        (GRAPH, "CertificateNotYetValid", "", Cause::CertificateNotYetValid),
        (ON_PREMISES, "CertificateUnknownIssuer", "", Cause::CertificateUntrusted),
        (GRAPH, "CertificateWrongName", "", Cause::CertificateName),
        (ON_PREMISES, "CertificateBad", "", Cause::CertificateRefused),
        (ON_PREMISES, "ClientCertificateRefused", "", Cause::ClientCertificate),
        (ON_PREMISES, "TlsNothingInCommon", "", Cause::TlsNothingInCommon),
        (ON_PREMISES, "NoLogOn", "it offers Negotiate; NTLM is needed", Cause::NoLogOn),
        (GRAPH, "FederatedTokenUnreadable", "", Cause::ProofUnusable),
        (GRAPH, "TokenEndpointUnreachable", "no token: dns error", Cause::NameUnknown),
        (ON_PREMISES, "Interrupted", "connection closed before message completed", Cause::Busy),
        (ON_PREMISES, "HTTP 401", "the server refuses the credential", Cause::WrongPassword),
        (ON_PREMISES, "HTTP 401", "the account is locked out", Cause::AccountLocked),
        (ONLINE, "HTTP 401", "the server refuses the credential", Cause::TokenRefused),
        (ON_PREMISES, "HTTP 403", "", Cause::EwsBlocked),
        (ONLINE, "HTTP 403", "", Cause::EwsBlocked),
        (ON_PREMISES, "HTTP 404", "there is no EWS at this address", Cause::WrongPath),
        (ON_PREMISES, "HTTP 407", "", Cause::ProxyAuthentication),
        (GRAPH, "HTTP 407", "", Cause::ProxyAuthentication),
        (ON_PREMISES, "HTTP 302", "the server leads elsewhere", Cause::Redirect),
        (GRAPH, "HTTP 302", "", Cause::Redirect),
        (ON_PREMISES, "HTTP 500", "the server does not know the version asked for", Cause::VersionUnknown),
        (ON_PREMISES, "HTTP 503", "", Cause::Busy),
        (ON_PREMISES, "NotEws", "", Cause::LoginPage),
        (GRAPH, "MalformedAnswer", "the answer cannot be read: it is not JSON at byte 1", Cause::LoginPage),
        (GRAPH, "HTTP 200", "no token: the answer of the token address is not one", Cause::LoginPage),
        (GRAPH, "HTTP 404", "no token: the answer of the token address is not one", Cause::TokenAddress),
        (ON_PREMISES, "ErrorInvalidServerVersion", "", Cause::VersionUnknown),
        (ON_PREMISES, "ErrorImpersonationDenied", "", Cause::ImpersonationNotGranted),
        (ON_PREMISES, "ErrorImpersonateUserDenied", "", Cause::ImpersonationOutOfScope),
        (ON_PREMISES, "ErrorNonPrimarySmtpAddress", "", Cause::AliasAddress),
        (GRAPH, "OwnerMismatch", "", Cause::AliasAddress),
        (ON_PREMISES, "ErrorNonExistentMailbox", "The SMTP address has no mailbox", Cause::NoMailbox),
        (ON_PREMISES, "ErrorNonExistentMailbox", "No mailbox with such guid.", Cause::OtherSide),
        (GRAPH, "MailboxNotEnabledForRESTAPI", "", Cause::OtherSide),
        (GRAPH, "ErrorInvalidUser", "", Cause::NoMailbox),
        (GRAPH, "MailboxOnBothSides", "", Cause::OnBothSides),
        (GRAPH, "MailboxOnNoSide", "", Cause::NoMailbox),
        (ON_PREMISES, "MailboxAway", "", Cause::MailboxMoving),
        (ON_PREMISES, "EwsRetired", "", Cause::EwsBlocked),
        (DELEGATE, "ErrorFolderNotFound", "", Cause::DelegateWithoutRights),
        (DELEGATE, "ErrorCreateItemAccessDenied", "", Cause::DelegateReadsOnly),
        (ON_PREMISES, "ErrorMailboxMoveInProgress", "", Cause::MailboxMoving),
        (GRAPH, "ErrorQuotaExceeded", "", Cause::MailboxFull),
        (GRAPH, "AADSTS7000222", "", Cause::SecretExpired),
        (GRAPH, "AADSTS7000215", "", Cause::SecretWrong),
        (GRAPH, "AADSTS90002", "", Cause::TenantUnknown),
        (GRAPH, "AADSTS900382", "", Cause::WrongCloud),
        (GRAPH, "AADSTS700016", "", Cause::ApplicationUnknown),
        (GRAPH, "AADSTS7000112", "", Cause::ApplicationDisabled),
        (GRAPH, "AADSTS53003", "", Cause::TenantPolicy),
        (GRAPH, "AADSTS700027", "", Cause::AssertionRefused),
        (GRAPH, "AADSTS1", "", Cause::Other),
        (GRAPH, "InvalidAuthenticationToken", "", Cause::TokenRefused),
        (GRAPH, "ErrorInventedIn2031", "", Cause::Other),
        (ON_PREMISES, "CalendarMissing", "", Cause::CalendarMissing),
    ] {
        assert_eq!(cause(mode, &back(code, message)), expected, "{mode:?} {code} {message}");
    }
}

#[test]
fn the_roles_of_the_token_tell_why_a_mailbox_is_denied() {
    let roles = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (mode, code, roles, expected) in [
        (GRAPH, "ErrorAccessDenied", roles(&[]), Cause::NoConsent),
        (GRAPH, "ErrorAccessDenied", roles(&["User.Read.All"]), Cause::RoleMissing),
        (GRAPH, "ErrorAccessDenied", roles(&["Calendars.ReadWrite"]), Cause::OutOfScope),
        (ONLINE, "HTTP 403", roles(&[]), Cause::NoConsent),
        (ONLINE, "HTTP 403", roles(&["Mail.Read"]), Cause::RoleMissing),
        (ONLINE, "HTTP 403", roles(&["full_access_as_app"]), Cause::EwsBlocked),
    ] {
        let back = CameBack { token: Token::Roles(&roles), ..back(code, "") };
        assert_eq!(cause(mode, &back), expected, "{code} {roles:?}");
    }
    assert_eq!(cause(GRAPH, &back("ErrorAccessDenied", "")), Cause::OutOfScope);
}

#[test]
fn the_form_of_the_secret_and_the_write_tell_more() {
    let id = CameBack { secret_like_an_id: true, ..back("AADSTS7000215", "") };
    assert_eq!(cause(GRAPH, &id), Cause::SecretIdForValue);
    let write = CameBack { writes: true, ..back("ErrorAccessDenied", "") };
    assert_eq!(cause(DELEGATE, &write), Cause::DelegateReadsOnly);
    assert_eq!(cause(DELEGATE, &back("ErrorAccessDenied", "")), Cause::DelegateWithoutRights);
}
