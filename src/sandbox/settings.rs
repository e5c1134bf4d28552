//! The sandbox's own settings: who and what exists, and how badly it behaves.

use std::path::PathBuf;

use serde::Deserialize;

use super::{
    cloud::Cloud,
    error::SandboxError,
    faults::Fault,
    store::{Half, MailboxState},
};

/// Everything that a sandbox is started with. Plain data: built in code by tests, or read from a TOML file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
    /// The mailboxes that exist.
    pub mailboxes: Vec<MailboxSettings>,
    /// The accounts that can log on with a password (EWS).
    pub accounts: Vec<AccountSettings>,
    /// The applications that can get tokens.
    pub applications: Vec<ApplicationSettings>,
    /// The cloud that the sandbox's own address stands for; Microsoft's host names in `Host` tell the others.
    pub cloud: Cloud,
    /// The limits, and how a refusal looks.
    pub throttling: ThrottlingSettings,
    /// How long every request takes, inner requests of a batch too.
    pub latency_ms: u64,
    /// How many inner requests of a Graph batch run at the same time.
    pub batch_concurrent: usize,
    /// The seed of everything random: faults by rate, the order of batch answers.
    pub seed: u64,
    /// The faults.
    pub faults: Vec<Fault>,
    /// How many wrong passwords in a row lock an account; 0 for never.
    pub lock_out_after: u32,
    /// The largest request body, after decompression.
    pub body_bytes_max: usize,
    /// How accounts may log on to EWS, in the order in which it is offered.
    pub authentication: Vec<LogOnScheme>,
    /// Whether a log-on by NTLM must be tied to its TLS connection.
    pub extended_protection: ExtendedProtection,
    /// After how many requests a connection is closed without a word; 0 for never.
    pub close_every: u64,
    /// TLS.
    pub tls: TlsSettings,
    /// The newest schema version that EWS knows; absent for all.
    pub ews_version_max: Option<String>,
    /// How far the clock in the header `Date` is ahead of the true one, or behind when negative.
    pub date_ahead_s: i64,
}

/// A way to log on with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogOnScheme {
    /// In each request.
    Basic,
    /// By NTLM, once for each connection. In process there is none, so it needs a socket.
    Ntlm,
    /// Offered, and refused whatever comes: for clients that must choose another way.
    Negotiate,
}

impl LogOnScheme {
    /// How a server offers it.
    pub(super) const fn challenge(self) -> &'static str {
        match self {
            Self::Basic => "Basic realm=\"sandbox\"",
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
        }
    }
}

/// Extended Protection, as the virtual directory of EWS has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtendedProtection {
    /// The binding is not looked at.
    #[default]
    None,
    /// A binding must be right; none is good too.
    Allow,
    /// The binding must be there and right. Exchange 2019 has it so since CU14.
    Require,
}

/// TLS: with a certificate from files, or a self-made one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// Whether the sandbox listens for TLS.
    pub enabled: bool,
    /// The certificate and those between it and its authority, PEM.
    pub certificate_file: Option<PathBuf>,
    /// Its key, PEM.
    pub key_file: Option<PathBuf>,
    /// The names of a self-made certificate.
    pub names: Vec<String>,
    /// Where a self-made certificate is written to, PEM, for clients to trust it.
    pub write_certificate_to: Option<PathBuf>,
    /// The authorities, PEM, one of which must have signed the certificate that clients then have to show.
    pub client_ca_file: Option<PathBuf>,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            certificate_file: None,
            key_file: None,
            names: ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec(),
            write_certificate_to: None,
            client_ca_file: None,
        }
    }
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            mailboxes: Vec::new(),
            accounts: Vec::new(),
            applications: Vec::new(),
            cloud: Cloud::Global,
            throttling: ThrottlingSettings::default(),
            latency_ms: 0,
            batch_concurrent: 4,
            seed: 1,
            faults: Vec::new(),
            lock_out_after: 5,
            body_bytes_max: 32 * 1024 * 1024,
            authentication: vec![LogOnScheme::Basic],
            extended_protection: ExtendedProtection::None,
            close_every: 0,
            tls: TlsSettings::default(),
            ews_version_max: None,
            date_ahead_s: 0,
        }
    }
}

impl SandboxSettings {
    /// Reads the text of a TOML file; unknown keys are refused.
    ///
    /// # Errors
    /// [`SandboxError::Settings`] with the place of the fault.
    pub fn from_toml(text: &str) -> Result<Self, SandboxError> {
        let settings: Self =
            toml::from_str(text).map_err(|fault| SandboxError::Settings { fault: fault.to_string() })?;
        settings.check()?;
        Ok(settings)
    }

    /// Refuses what cannot work: an address that is given twice, an account of a mailbox that does not exist.
    ///
    /// # Errors
    /// [`SandboxError::Settings`] with what is wrong.
    pub fn check(&self) -> Result<(), SandboxError> {
        let mut seen = std::collections::BTreeSet::new();
        for mailbox in &self.mailboxes {
            for address in std::iter::once(&mailbox.address).chain(&mailbox.aliases) {
                if !seen.insert(address.to_lowercase()) {
                    return Err(SandboxError::Settings { fault: format!("the address {address} is given twice") });
                }
            }
        }
        for account in &self.accounts {
            if let Some(mailbox) = &account.mailbox
                && !seen.contains(&mailbox.to_lowercase())
            {
                let user = &account.user;
                return Err(SandboxError::Settings {
                    fault: format!("the account {user} has the mailbox {mailbox}, which does not exist"),
                });
            }
        }
        Ok(())
    }

    /// Settings with mailboxes of these addresses in one zone, one impersonating account (`service` / `secret`) and one
    /// application (`tenant`, `client`, `secret`) that may do everything: what most tests and the demo start from.
    #[must_use]
    pub fn with_mailboxes<'a>(addresses: impl IntoIterator<Item = &'a str>, zone: &str) -> Self {
        Self {
            mailboxes: addresses
                .into_iter()
                .map(|address| MailboxSettings {
                    address: address.to_owned(),
                    zone: zone.to_owned(),
                    ..MailboxSettings::default()
                })
                .collect(),
            accounts: vec![AccountSettings {
                user: "service".to_owned(),
                password: "secret".to_owned(),
                impersonate: Scope::All,
                ..AccountSettings::default()
            }],
            applications: vec![ApplicationSettings {
                tenant_id: "tenant".to_owned(),
                client_id: "client".to_owned(),
                client_secrets: vec!["secret".to_owned()],
                ..ApplicationSettings::default()
            }],
            ..Self::default()
        }
    }
}

/// One mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailboxSettings {
    /// The primary SMTP address.
    pub address: String,
    /// The name shown; the address when empty.
    pub name: String,
    /// The IANA name of the mailbox's zone.
    pub zone: String,
    /// Further addresses of the same mailbox.
    pub aliases: Vec<String>,
    /// In which half of a hybrid it lives. EWS shows the mailboxes on premises to accounts with a password and those online to
    /// applications with a token, Graph those online.
    pub half: Half,
    /// Whether it can be used.
    pub state: MailboxCondition,
    /// The user principal name of its owner; the address when empty.
    pub principal_name: String,
    /// The security identifier of its owner; none when empty.
    pub sid: String,
}

impl Default for MailboxSettings {
    fn default() -> Self {
        Self {
            address: String::new(),
            name: String::new(),
            zone: "Europe/Paris".to_owned(),
            aliases: Vec::new(),
            half: Half::Both,
            state: MailboxCondition::Active,
            principal_name: String::new(),
            sid: String::new(),
        }
    }
}

/// Whether a mailbox can be used, and if not, why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxCondition {
    /// As usual.
    #[default]
    Active,
    /// The quota is used up: reading and deleting work, creating and changing do not.
    Full,
    /// It is being moved to another server; passes.
    Moving,
    /// It is in neither half, or has no licence.
    Elsewhere,
}

impl From<MailboxCondition> for MailboxState {
    fn from(condition: MailboxCondition) -> Self {
        match condition {
            MailboxCondition::Active => Self::Normal,
            MailboxCondition::Full => Self::Full,
            MailboxCondition::Moving => Self::Moving,
            MailboxCondition::Elsewhere => Self::Elsewhere,
        }
    }
}

/// One account that logs on with a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSettings {
    /// The user name: `DOMAIN\user` or `user@domain`.
    pub user: String,
    /// The password.
    pub password: String,
    /// The account's own mailbox, if it has one.
    pub mailbox: Option<String>,
    /// Whom it may impersonate.
    pub impersonate: Scope,
    /// The mailboxes whose calendars it may edit as a delegate.
    pub delegate_of: Vec<String>,
    /// The mailboxes whose calendars it may read as a delegate.
    pub reviewer_of: Vec<String>,
}

/// One application of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApplicationSettings {
    /// The tenant that it is registered in.
    pub tenant_id: String,
    /// Its id.
    pub client_id: String,
    /// Its valid secrets.
    pub client_secrets: Vec<String>,
    /// Secrets that have expired (AADSTS7000222).
    pub expired_secrets: Vec<String>,
    /// Its certificates, PEM: client assertions are held against them.
    pub certificates: Vec<String>,
    /// How assertions may be signed.
    pub assertion_algorithms: Vec<String>,
    /// Other issuers whose tokens it may show.
    pub federated: Vec<FederatedSettings>,
    /// The cloud of the tenant.
    pub cloud: Cloud,
    /// Its application roles: `Calendars.ReadWrite`, `Calendars.Read`, `full_access_as_app`, `User.Read.All`.
    pub roles: Vec<String>,
    /// The mailboxes that the roles hold for.
    pub scope: Scope,
    /// Roles that Exchange grants (RBAC for Applications), which no token carries: `Application Calendars.ReadWrite`,
    /// `Application Calendars.Read`, `Application EWS.AccessAsApp`.
    pub rbac_roles: Vec<String>,
    /// The mailboxes that those roles hold for.
    pub rbac_scope: Scope,
    /// How long its tokens are valid.
    pub token_lifetime_s: u32,
    /// Whether an administrator has disabled it (AADSTS7000112).
    pub disabled: bool,
}

impl Default for ApplicationSettings {
    fn default() -> Self {
        Self {
            tenant_id: String::new(),
            client_id: String::new(),
            client_secrets: Vec::new(),
            expired_secrets: Vec::new(),
            certificates: Vec::new(),
            assertion_algorithms: ["PS256", "RS256"].map(str::to_owned).to_vec(),
            federated: Vec::new(),
            cloud: Cloud::Global,
            rbac_roles: Vec::new(),
            rbac_scope: Scope::None,
            roles: ["Calendars.ReadWrite", "User.Read.All", "full_access_as_app"].map(str::to_owned).to_vec(),
            scope: Scope::All,
            token_lifetime_s: 3599,
            disabled: false,
        }
    }
}

/// Another issuer whose tokens an application may show.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FederatedSettings {
    /// The issuer.
    pub issuer: String,
    /// Whom its tokens are about.
    pub subject: String,
    /// Whom they are for.
    pub audience: String,
    /// The certificate that it signs with, PEM.
    pub certificate: String,
}

impl Default for FederatedSettings {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            subject: String::new(),
            audience: "api://AzureADTokenExchange".to_owned(),
            certificate: String::new(),
        }
    }
}

/// Which mailboxes something holds for: `"all"`, `"none"` or a list of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ScopeForm")]
pub enum Scope {
    /// Every mailbox.
    All,
    /// No mailbox.
    #[default]
    None,
    /// These mailboxes.
    Only(Vec<String>),
}

impl Scope {
    /// Whether it holds for the mailbox of this primary address.
    #[must_use]
    pub fn contains(&self, address: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(addresses) => addresses.iter().any(|one| one.eq_ignore_ascii_case(address)),
        }
    }
}

/// How a [`Scope`] is written in a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum ScopeForm {
    Word(String),
    List(Vec<String>),
}

impl TryFrom<ScopeForm> for Scope {
    type Error = String;

    fn try_from(form: ScopeForm) -> Result<Self, String> {
        match form {
            ScopeForm::Word(word) if word == "all" => Ok(Self::All),
            ScopeForm::Word(word) if word == "none" => Ok(Self::None),
            ScopeForm::Word(word) => Err(format!("{word:?} is neither \"all\", \"none\" nor a list of addresses")),
            ScopeForm::List(addresses) => Ok(Self::Only(addresses)),
        }
    }
}

/// The limits of the server, and how it refuses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThrottlingSettings {
    /// Requests to one mailbox at the same time; 0 for no limit.
    pub concurrent_per_mailbox: usize,
    /// Requests to one mailbox in one window; 0 for no limit.
    pub requests_per_window: u64,
    /// The length of a window.
    pub window_s: u32,
    /// How long a refusal for concurrency asks to wait.
    pub retry_after_s: f64,
    /// How the wait is written in `Retry-After`.
    pub retry_after_form: RetryAfterForm,
    /// The `BackOffMilliseconds` of an EWS refusal.
    pub ews_back_off_ms: u64,
}

impl Default for ThrottlingSettings {
    fn default() -> Self {
        Self {
            concurrent_per_mailbox: 0,
            requests_per_window: 0,
            window_s: 600,
            retry_after_s: 2.0,
            retry_after_form: RetryAfterForm::Integer,
            ews_back_off_ms: 2000,
        }
    }
}

/// How a wait is written in `Retry-After`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfterForm {
    /// Whole seconds.
    #[default]
    Integer,
    /// Seconds with a fraction, as in Microsoft's sample `2.128`.
    Fraction,
    /// An HTTP date.
    Date,
    /// Not at all.
    Absent,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_is_read_and_what_it_leaves_out_has_a_default() {
        let settings = SandboxSettings::from_toml(
            r#"
            latency_ms = 20
            mailboxes = [{ address = "ana@example.test", zone = "Europe/Madrid", aliases = ["a@example.test"], state = "moving",
                           half = "on_premises" }]
            [[accounts]]
            user = "svc"
            password = "p"
            impersonate = ["ana@example.test"]
            [[applications]]
            tenant_id = "t"
            client_id = "c"
            client_secrets = ["s"]
            scope = "none"
            [throttling]
            retry_after_form = "fraction"
            [[faults]]
            kind = "drop_answer_after_commit"
            operation = "CreateItem"
            nth = 3
            "#,
        )
        .unwrap();
        let ana = &settings.mailboxes[0];
        assert_eq!((ana.state, ana.half), (MailboxCondition::Moving, Half::OnPremises));
        assert!(settings.accounts[0].impersonate.contains("ANA@example.test"));
        assert!(!settings.applications[0].scope.contains("ana@example.test"));
        assert_eq!(settings.throttling.retry_after_form, RetryAfterForm::Fraction);
        assert_eq!((settings.faults[0].nth, settings.batch_concurrent), (3, 4));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, named) in [
            ("lateness = 1", "lateness"),
            ("mailboxes = [{ address = 'a@x' }, { address = 'b@x', aliases = ['A@x'] }]", "given twice"),
            ("mailboxes = [{ address = 'a@x', half = 'none' }]", "none"),
            ("accounts = [{ user = 'u', mailbox = 'a@x' }]", "does not exist"),
            ("accounts = [{ user = 'u', impersonate = 'some' }]", "impersonate"),
            ("faults = [{ kind = 'earthquake' }]", "earthquake"),
        ] {
            let fault = SandboxSettings::from_toml(text).unwrap_err().to_string();
            assert!(fault.contains(named), "{text}: {fault}");
        }
    }
}
