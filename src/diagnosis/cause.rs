//! From what came back to the cause.
//!
//! EWS: <https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode>;
//! Entra: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use super::{CameBack, Mode, Proof, Token, Way};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the words of `as_str`; `title` says them in full")]
pub enum Cause {
    NameUnknown,
    NotReachable,
    TimedOut,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateUntrusted,
    CertificateName,
    CertificateRefused,
    ClientCertificate,
    TlsNothingInCommon,
    ClockOff,
    ProxyAuthentication,
    LoginPage,
    Redirect,
    WrongPath,
    NotThisService,
    VersionUnknown,
    NoLogOn,
    WrongPassword,
    AccountLocked,
    SecretExpired,
    SecretIdForValue,
    SecretWrong,
    TenantUnknown,
    WrongCloud,
    ApplicationUnknown,
    ApplicationDisabled,
    TenantPolicy,
    AssertionRefused,
    ProofUnusable,
    TokenAddress,
    TokenRefused,
    NoConsent,
    RoleMissing,
    OutOfScope,
    ImpersonationNotGranted,
    ImpersonationOutOfScope,
    DelegateWithoutRights,
    DelegateReadsOnly,
    AliasAddress,
    NoMailbox,
    OtherSide,
    OnBothSides,
    MailboxUnusable,
    MailboxMoving,
    MailboxFull,
    EwsBlocked,
    CalendarMissing,
    NotRefused,
    ReadBackDiffers,
    Busy,
    Other,
}

impl Cause {
    /// The word of JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.words().0
    }

    /// What is wrong, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.words().1
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NameUnknown => ("name_unknown", "the host name is not known here"),
            Self::NotReachable => ("not_reachable", "the server takes no connection"),
            Self::TimedOut => ("timed_out", "the server does not answer in time"),
            Self::CertificateExpired => ("certificate_expired", "the certificate of the server has expired"),
            Self::CertificateUntrusted => ("certificate_untrusted", "the certificate's issuer is not trusted here"),
            Self::CertificateName => ("certificate_name", "the certificate is for another host name"),
            Self::CertificateRefused => ("certificate_refused", "the certificate of the server cannot be accepted"),
            Self::CertificateNotYetValid => {
                ("certificate_not_yet_valid", "the certificate of the server is not valid yet")
            }
            Self::ClientCertificate => {
                ("client_certificate", "the server wants a certificate, or another one than ours")
            }
            Self::TlsNothingInCommon => {
                ("tls_nothing_in_common", "the server has no version or cipher of TLS that this program has")
            }
            Self::NoLogOn => ("no_log_on", "the server offers no way to log on that this program may take"),
            Self::ClockOff => ("clock_off", "the clocks of this machine and of the server differ"),
            Self::ProxyAuthentication => ("proxy_authentication", "a proxy in between wants a log-on of its own"),
            Self::LoginPage => {
                ("login_page", "a web page comes in place of an answer: something asks people to sign in")
            }
            Self::Redirect => ("redirect", "the server sends the request elsewhere"),
            Self::WrongPath => ("wrong_path", "the server is there, the service is not at this path"),
            Self::NotThisService => ("not_this_service", "what answers is not the service"),
            Self::VersionUnknown => ("version_unknown", "the server does not know the version asked for"),
            Self::WrongPassword => ("wrong_password", "the server refuses the user name or the password"),
            Self::AccountLocked => ("account_locked", "the account is locked out"),
            Self::SecretExpired => ("secret_expired", "the client secret has expired"),
            Self::SecretIdForValue => {
                ("secret_id_for_value", "client_secret holds the id of the secret, not its value")
            }
            Self::SecretWrong => ("secret_wrong", "the client secret is not one of this application"),
            Self::TenantUnknown => ("tenant_unknown", "no tenant has this id or domain in this cloud"),
            Self::WrongCloud => ("wrong_cloud", "the tenant lives in another national cloud"),
            Self::ApplicationUnknown => ("application_unknown", "the application is not known in this tenant"),
            Self::ApplicationDisabled => ("application_disabled", "the application is disabled in Entra"),
            Self::TenantPolicy => ("tenant_policy", "a policy of the tenant keeps the application out"),
            Self::AssertionRefused => ("assertion_refused", "the certificate that the application shows is refused"),
            Self::ProofUnusable => ("proof_unusable", "what the application is to show cannot be read or signed with"),
            Self::TokenAddress => ("token_address", "the token address gives no token"),
            Self::TokenRefused => ("token_refused", "the server refuses the token"),
            Self::NoConsent => ("no_consent", "the token carries no role, and Exchange grants none for this mailbox"),
            Self::RoleMissing => ("role_missing", "the application has roles, and not the one that is needed"),
            Self::OutOfScope => ("out_of_scope", "a policy or scope leaves this mailbox out"),
            Self::ImpersonationNotGranted => ("impersonation_not_granted", "the account may not impersonate anybody"),
            Self::ImpersonationOutOfScope => {
                ("impersonation_out_of_scope", "the account may impersonate, but not the owner of this mailbox")
            }
            Self::DelegateWithoutRights => ("delegate_without_rights", "the account has no rights in this calendar"),
            Self::DelegateReadsOnly => {
                ("delegate_reads_only", "the account may read this calendar and not write to it")
            }
            Self::AliasAddress => ("alias_address", "the address is an alias of the mailbox"),
            Self::NoMailbox => ("no_mailbox", "no mailbox has this address"),
            Self::OtherSide => ("other_side", "the mailbox lives on the other side of the hybrid, or has no licence"),
            Self::OnBothSides => ("on_both_sides", "both sides of the hybrid have a mailbox of this address"),
            Self::MailboxUnusable => ("mailbox_unusable", "the mailbox is disabled, unlicensed or broken"),
            Self::MailboxMoving => ("mailbox_moving", "the mailbox is being moved or is away for the moment"),
            Self::MailboxFull => ("mailbox_full", "the mailbox is full"),
            Self::EwsBlocked => ("ews_blocked", "EWS is blocked for the organisation, the mailbox or this program"),
            Self::CalendarMissing => ("calendar_missing", "the calendar that is to be written to is not there"),
            Self::NotRefused => ("not_refused", "a mailbox outside the scope can be opened"),
            Self::ReadBackDiffers => ("read_back_differs", "the calendar does not show what was written"),
            Self::Busy => ("busy", "the server is busy or in trouble for the moment"),
            Self::Other => ("other", "something that this program has no name for"),
        }
    }
}

/// The cause of what came back.
#[must_use]
pub fn cause(mode: Mode, back: &CameBack<'_>) -> Cause {
    let code = back.code.to_ascii_lowercase();
    if let Some(number) = code.strip_prefix("aadsts") {
        return of_entra(number, back);
    }
    if let Some(status) = code.strip_prefix("http ").and_then(|status| status.parse().ok()) {
        return of_status(mode, status, back);
    }
    if let Some(cause) = of_connection(&code, back) {
        return cause;
    }
    match mode.way {
        Way::Graph => of_graph(&code, back),
        Way::Impersonation | Way::Delegate => of_ews(mode.way, &code, back),
    }
}

/// The name, the network, TLS, and what is no answer of the service at all.
fn of_connection(code: &str, back: &CameBack<'_>) -> Option<Cause> {
    let said = back.message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    Some(match code {
        "namenotfound" => Cause::NameUnknown,
        "notews" => Cause::LoginPage,
        "calendarmissing" | "calendargone" | "calendarambiguous" | "calendarchanged" => Cause::CalendarMissing,
        "readbackdiffers" => Cause::ReadBackDiffers,
        "notrefused" => Cause::NotRefused,
        "clockoff" => Cause::ClockOff,
        "certificateexpired" => Cause::CertificateExpired,
        "certificatenotyetvalid" => Cause::CertificateNotYetValid,
        "certificateunknownissuer" => Cause::CertificateUntrusted,
        "certificatewrongname" => Cause::CertificateName,
        "certificatebad" => Cause::CertificateRefused,
        "clientcertificaterefused" => Cause::ClientCertificate,
        "tlsnothingincommon" => Cause::TlsNothingInCommon,
        "nologon" => Cause::NoLogOn,
        "ewsretired" => Cause::EwsBlocked,
        "mailboxonbothsides" => Cause::OnBothSides,
        "mailboxonnoside" => Cause::NoMailbox,
        "mailboxaway" => Cause::MailboxMoving,
        "federatedtokenunreadable" | "assertionunsigned" => Cause::ProofUnusable,
        "unreachable" | "interrupted" | "tokenendpointunreachable" => {
            if says(&["407", "proxy authentication", "proxy auth"]) {
                Cause::ProxyAuthentication
            } else if says(&["dns error", "lookup address", "name or service not known"]) {
                Cause::NameUnknown
            } else if says(&["timed out", "timeout"]) {
                Cause::TimedOut
            } else if code == "interrupted" {
                Cause::Busy
            } else {
                Cause::NotReachable
            }
        }
        _ => return None,
    })
}

/// What Entra says when it gives no token.
fn of_entra(number: &str, back: &CameBack<'_>) -> Cause {
    match number {
        "7000215" if back.secret_like_an_id => Cause::SecretIdForValue,
        "7000215" | "7000218" => Cause::SecretWrong,
        "7000222" => Cause::SecretExpired,
        "90002" | "9001023" | "900021" => Cause::TenantUnknown,
        "90038" | "900382" | "900432" => Cause::WrongCloud,
        "700016" => Cause::ApplicationUnknown,
        "7000112" => Cause::ApplicationDisabled,
        "50105" | "53003" | "530032" | "53000" | "53001" => Cause::TenantPolicy,
        "700027" | "50013" | "500133" | "50048" => Cause::AssertionRefused,
        "65001" | "650057" => Cause::NoConsent,
        "70011" | "700022" | "700023" | "500011" => Cause::TokenAddress,
        "90055" | "90024" | "90006" | "90012" | "90033" | "50033" => Cause::Busy,
        _ => Cause::Other,
    }
}

/// A status without a code of the protocol.
fn of_status(mode: Mode, status: u16, back: &CameBack<'_>) -> Cause {
    let said = back.message.to_ascii_lowercase();
    match status {
        401 if said.contains("locked out") => Cause::AccountLocked,
        401 if said.contains("takes for others") => Cause::OutOfScope,
        401 if mode.proof == Proof::Password => Cause::WrongPassword,
        401 => Cause::TokenRefused,
        407 => Cause::ProxyAuthentication,
        403 if mode.way == Way::Graph => denied(back, "Calendars.ReadWrite"),
        403 if mode.proof == Proof::Token => match denied(back, "full_access_as_app") {
            Cause::OutOfScope => Cause::EwsBlocked,
            cause => cause,
        },
        403 => Cause::EwsBlocked,
        404 | 410 if said.contains("token") => Cause::TokenAddress,
        404 | 405 | 410 => Cause::WrongPath,
        300..=399 => Cause::Redirect,
        500 if said.contains("version") => Cause::VersionUnknown,
        408 | 429 | 500..=599 => Cause::Busy,
        200..=299 => Cause::LoginPage,
        _ => Cause::NotThisService,
    }
}

/// Why an application is denied a mailbox, as far as its token tells.
fn denied(back: &CameBack<'_>, role: &str) -> Cause {
    match back.token {
        Token::Roles([]) => Cause::NoConsent,
        Token::Roles(roles) if !roles.iter().any(|one| one == role) => Cause::RoleMissing,
        Token::Roles(_) | Token::Unknown => Cause::OutOfScope,
    }
}

/// The codes of Graph.
fn of_graph(code: &str, back: &CameBack<'_>) -> Cause {
    match code {
        "invalidauthenticationtoken" | "unauthorized" => Cause::TokenRefused,
        "erroraccessdenied" | "authorization_requestdenied" => denied(back, "Calendars.ReadWrite"),
        "errorinvaliduser" | "request_resourcenotfound" | "resourcenotfound" | "errornonexistentmailbox" => {
            Cause::NoMailbox
        }
        "mailboxnotenabledforrestapi" | "mailboxnotsupportedforrestapi" => Cause::OtherSide,
        "ownermismatch" => Cause::AliasAddress,
        "errorquotaexceeded" => Cause::MailboxFull,
        "errormailboxmoveinprogress" | "errormailboxstoreunavailable" | "mailboxinfostale" => Cause::MailboxMoving,
        "malformedanswer" if back.message.contains("not JSON") => Cause::LoginPage,
        "malformedanswer" => Cause::NotThisService,
        "applicationthrottled" | "toomanyrequests" | "servicenotavailable" | "errorserverbusy" => Cause::Busy,
        _ => Cause::Other,
    }
}

/// The codes of EWS.
fn of_ews(way: Way, code: &str, back: &CameBack<'_>) -> Cause {
    let delegate = way == Way::Delegate;
    match code {
        "errornonexistentmailbox" if back.message.to_ascii_lowercase().contains("no mailbox with such guid") => {
            Cause::OtherSide
        }
        "errornonexistentmailbox" | "errorinvaliduserprincipalname" | "errorinvalidusersid" => Cause::NoMailbox,
        "errornonprimarysmtpaddress" => Cause::AliasAddress,
        "errorimpersonationdenied" | "errorimpersonationfailed" | "errorimpersonationrequired" => {
            Cause::ImpersonationNotGranted
        }
        "errorimpersonateuserdenied" => Cause::ImpersonationOutOfScope,
        "errorcreateitemaccessdenied" | "errordeleteitemaccessdenied" | "errorcannotdeleteobject" => {
            Cause::DelegateReadsOnly
        }
        "erroraccessdenied" if back.writes => Cause::DelegateReadsOnly,
        "errorfoldernotfound" | "erroritemnotfound" | "erroraccessdenied" if delegate => Cause::DelegateWithoutRights,
        "errormissingemailaddress" => Cause::DelegateWithoutRights,
        "erroraccessdenied" => Cause::ImpersonationOutOfScope,
        "erroraccountdisabled" | "errormailboxconfiguration" | "errorinvalidlicense" | "errorfoldernotfound" => {
            Cause::MailboxUnusable
        }
        "errororganizationaccessblocked" | "errororganizationnotfederated" => Cause::EwsBlocked,
        "errorpasswordexpired" | "errorpasswordchangerequired" | "errorcallerisinvalidadaccount" => {
            Cause::WrongPassword
        }
        "errorinvalidauthorizationcontext" => Cause::TokenRefused,
        "errorquotaexceeded" | "errormessageperfoldercountreceivequotaexceeded" => Cause::MailboxFull,
        "errorinvalidserverversion"
        | "errorincorrectschemaversion"
        | "errorwrongserverversion"
        | "errorinvalidschemaversionformailboxversion" => Cause::VersionUnknown,
        "errormailboxmoveinprogress" | "errormailboxstoreunavailable" | "errormailboxfailover" => Cause::MailboxMoving,
        "errorserverbusy"
        | "errortimeoutexpired"
        | "errorinternalservertransienterror"
        | "errorexceededconnectioncount" => Cause::Busy,
        "unreadableanswer" => Cause::NotThisService,
        _ => Cause::Other,
    }
}

#[cfg(test)]
#[path = "cause_tests.rs"]
mod tests;
