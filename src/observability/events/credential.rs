//! What an application shows to get tokens.

use jiff::Timestamp;

use super::super::catalogue::declare_events;

declare_events! {
    /// A token came for another credential of the application than before.
    INFO CredentialUsed<'a> "credential_used": "a credential of the application is in use" {
        /// The key of the settings that gives it, such as client_secret or next_application_certificate.
        credential: &'a str,
        /// The one that was in use before; absent for the first.
        before: Option<&'a str>,
    } metric "credentials_used_total"

    /// A credential of the application is refused. It is left alone until then, and the other one, if there is one, is tried once.
    WARN CredentialRefused<'a> "credential_refused": "a credential of the application is refused" {
        /// The key of the settings that gives it.
        credential: &'a str,
        /// The code of the fault.
        code: &'a str,
        /// What the server says.
        reason: &'a str,
        /// What to do.
        hint: Option<&'a str>,
        /// When it is tried again, if it is needed then.
        until: Timestamp,
        /// Credentials beside it.
        others: u64,
    } metric "credentials_refused_total"

    /// A credential ends within 30, 14 or 7 days; told once a day.
    WARN CredentialExpiring<'a> "credential_expiring": "a credential of the application comes to its end" {
        /// The key of the settings that gives it.
        credential: &'a str,
        /// When it ends.
        ends: Timestamp,
        /// Whole days that are left.
        days_left: i64,
        /// The days within which it ends: 30, 14 or 7.
        within_days: i64,
    } hint "add a new one in Entra, give it as next_client_secret or next_application_certificate beside the first, and reload" metric "credentials_expiring_total"

    /// A credential has ended; told once a day.
    ERROR CredentialExpiredError<'a> "credential_expired_error": "a credential of the application has ended" {
        /// The key of the settings that gives it.
        credential: &'a str,
        /// When it ended.
        ends: Timestamp,
        /// Whole days that are left: negative.
        days_left: i64,
    } hint "add a new one in Entra, give it as next_client_secret or next_application_certificate beside the first, and reload" metric "credentials_expired_total"
}
