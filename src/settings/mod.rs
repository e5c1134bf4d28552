//! The settings: what the file says, checked and resolved.
//!
//! [`load`] lays the layers over one another (defaults < file < `CALSYNCD__SECTION__KEY` variables < credentials), reads each key
//! on its own and reports every fault in one go. [`diff`](diff::diff) compares two settings for a reload; [`edit`] shows and saves
//! one key of the file.

mod atomic_file;
mod certificate;
mod cloud;
pub mod diff;
mod digest;
mod document;
mod duration;
pub mod edit;
mod environment;
mod ews_access;
pub mod expiry;
mod finding;
mod flat;
mod literal;
mod load;
mod network;
mod reader;
mod schema;
mod secret;
mod section;
mod server_version;
mod service_url;
mod version_limits;
mod words;
mod working_days;

#[cfg(test)]
mod tests;

pub use certificate::Certificate;
pub use digest::digest;
pub use environment::Environment;
pub use ews_access::{AddressForm, EwsAccess, Identities, Identity};
pub use finding::{Finding, SettingsFaults, Severity};
pub use load::{Loaded, Strictness, load};
pub use network::{ClientCertificate, Network, PemFile, Proxy};
pub use secret::SecretOrigin;
pub use section::exchange::side_of_key;
pub use server_version::{Feature, ServerVersion};
pub use working_days::{HolidaysFile, WorkingDays};

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use jiff::{Timestamp, civil::Time};
use secrecy::SecretString;

use crate::model::{
    address::Address,
    cohort::Cohort,
    event::{Importance, Sensitivity, ShowAs},
    keeps::Keeps,
    key::Kind,
    side::Side,
    zone::Zone,
};
use crate::template::Templates;

/// Every setting, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[exchange]`: where the calendars are and who we are to them.
    pub exchange: Exchange,
    /// `[network]`: certificates and the proxy.
    pub network: Network,
    /// `[sources.NAME]`: where events come from.
    pub sources: BTreeMap<String, Source>,
    /// `[jobs.NAME]`: what is pushed where.
    pub jobs: BTreeMap<String, Job>,
    /// `[state]`.
    pub state: State,
    /// `[limits]`.
    pub limits: Limits,
    /// `[brake]`.
    pub brake: Brake,
    /// `[rollout]`: the mailboxes that take part; all, where nobody says.
    pub rollout: Cohort,
    /// `[log]`.
    pub log: Log,
}

/// `[exchange]`: the fields of Akuiteo's Exchange page, resolved.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The ways to Outlook: one, or with `protocol = "auto"` one to each side of a hybrid.
    pub sides: BTreeMap<Side, SideSettings>,
    /// `max_threads`: mailboxes synchronised at the same time, 1–100.
    pub max_threads: u16,
    /// `test_user`: the mailbox that `calsyncd test` opens.
    pub test_user: Option<Address>,
    /// `calendar`: the calendar that is written to; `None` for the default one of each mailbox.
    pub calendar: Option<NamedCalendar>,
}

/// A way to Outlook.
#[derive(Debug, Clone)]
pub struct SideSettings {
    /// How it is reached.
    pub protocol: Protocol,
    /// Who we are there.
    pub credential: Credential,
}

impl SideSettings {
    /// Where requests go.
    #[must_use]
    pub fn url(&self) -> &str {
        match &self.protocol {
            Protocol::Ews { url, .. } => url,
            Protocol::Graph { root } => root,
        }
    }
}

impl Exchange {
    /// Whether there are two sides.
    #[must_use]
    pub fn is_hybrid(&self) -> bool {
        self.sides.len() > 1
    }
}

/// A calendar beside the default one, the same in every mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCalendar {
    /// `calendar`: its name.
    pub name: String,
    /// `create_calendar`: whether it is made where it is not there.
    pub create: bool,
}

/// How Outlook is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// Exchange Web Services.
    Ews {
        /// `ews_service_url`.
        url: String,
        /// `exchange_server_version`: the value of `RequestServerVersion`.
        version: ServerVersion,
        /// `use_impersonation`, `impersonate_by` and `[exchange.identities]`.
        access: EwsAccess,
        /// When Microsoft ends it there; `None` for servers of one's own.
        ends: Option<Timestamp>,
    },
    /// Microsoft Graph.
    Graph {
        /// `graph_url`: the root without `/v1.0`, such as `https://graph.microsoft.com`.
        root: String,
    },
}

/// How a password is shown to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// NTLM where the server offers it, else Basic.
    Auto,
    /// In each request.
    Basic,
    /// Once for each connection, without sending it.
    Ntlm,
}

/// Who we are to Outlook.
#[derive(Debug, Clone)]
pub enum Credential {
    /// `delegated_user` and `linked_password`.
    Password {
        /// `authentication`: how they are shown.
        authentication: Authentication,
        /// The account.
        user: String,
        /// Its password.
        password: SecretString,
    },
    /// OAuth2 client credentials.
    Application {
        /// Where tokens come from.
        token_url: String,
        /// `client_id`.
        client_id: String,
        /// The scope asked for, `<resource>/.default`.
        scope: String,
        /// What it shows to get a token: at least one; a second one stands in when the first is refused.
        proofs: Vec<Proof>,
    },
}

/// What an application shows to get a token.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The key of `[exchange]` that gives it, without `_file`: `client_secret`, `next_application_certificate`.
    pub key: &'static str,
    /// What it is.
    pub kind: ProofKind,
    /// When it ends, as far as the settings tell.
    pub ends: Option<Timestamp>,
}

/// The kinds of proofs.
#[derive(Debug, Clone)]
pub enum ProofKind {
    /// `client_secret`.
    Secret(SecretString),
    /// `application_certificate_file`.
    Certificate {
        /// The certificate and its key.
        certificate: Certificate,
        /// `application_certificate_algorithm`.
        algorithm: AssertionAlgorithm,
    },
    /// `federated_token_file`: read again for each request.
    FederatedToken(PathBuf),
}

/// How a client assertion is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionAlgorithm {
    /// PS256, and RS256 once the server has said that it does not take PS256.
    Auto,
    /// PS256.
    Ps256,
    /// RS256.
    Rs256,
}

/// `[sources.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `kind = "files"`: a folder of iCalendar and JSON Lines files.
    Files(FilesSource),
}

/// A folder of iCalendar and JSON Lines files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesSource {
    /// `path`.
    pub path: PathBuf,
    /// `zone`: the zone of wall times that name none.
    pub zone: Zone,
    /// `end_marker`: each JSON Lines file must end with `{"end":true,"count":N}`.
    pub end_marker: bool,
}

/// `[jobs.NAME]`: one push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// `source`: the name of the source.
    pub source: String,
    /// `kinds`: which kinds of events.
    pub kinds: Vec<Kind>,
    /// `people`: which mailboxes or persons; empty for all.
    pub people: Vec<String>,
    /// `generic_people`: persons or mailboxes that stand for nobody; nothing of theirs is pushed.
    pub generic_people: Vec<String>,
    /// `people_domain`: `person` becomes `person@people_domain` where `addresses` has no entry.
    pub people_domain: Option<String>,
    /// `[jobs.NAME.addresses]`: person → mailbox.
    pub addresses: BTreeMap<String, Address>,
    /// `window_days_back`.
    pub window_days_back: u16,
    /// `window_days_ahead`.
    pub window_days_ahead: u16,
    /// `every`: how often the source is read and its mailboxes compared.
    pub every: Duration,
    /// `zone`: the zone of half-days and whole days that name none.
    pub zone: Zone,
    /// `morning = ["09:00", "12:30"]`.
    pub morning: (Time, Time),
    /// `afternoon = ["14:00", "17:30"]`.
    pub afternoon: (Time, Time),
    /// `skip_non_working_days`, `working_days`, `holidays` and `holidays_file`: the days that durations count.
    pub working_days: WorkingDays,
    /// `max_days`: the longest duration in days that is pushed.
    pub max_days: u16,
    /// `show_as`: where the source says nothing.
    pub show_as: ShowAs,
    /// `sensitivity`: where the source says nothing.
    pub sensitivity: Sensitivity,
    /// `importance`: where the source says nothing.
    pub importance: Importance,
    /// `categories`: added to those of the source.
    pub categories: Vec<String>,
    /// `reminder_minutes`: where the source says nothing; absent for off.
    pub reminder_minutes: Option<u32>,
    /// `private_subject`: the subject shown of a private event, whose body, location, links and categories, but for those of
    /// the job, are then left out; absent: the event is shown as it is, with its sensitivity.
    pub private_subject: Option<String>,
    /// `[jobs.NAME.templates]` and `private_when`.
    pub templates: Templates,
    /// `cancelled`: what becomes of the item of an event that the source calls cancelled.
    pub cancelled: Departure,
    /// `cancelled_subject`: what stands before the subject of a cancelled event whose item is kept.
    pub cancelled_subject: String,
    /// `out_of_scope`: what becomes of the item of an event that the job no longer pushes, by its kinds, people or `max_days`.
    pub out_of_scope: Departure,
    /// `keep_reminder`, `keep_categories`, `keep_notes` and `deleted_by_user`: what users may keep; `None`: nothing.
    pub keeps: Option<Arc<Keeps>>,
}

/// What becomes of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// It is deleted.
    Delete,
    /// It stays.
    Keep,
}

/// `[state]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// `path`: the SQLite file.
    pub path: PathBuf,
    /// `host`: the name of the machine, for a state that follows its container; else the machine says who it is.
    pub host: Option<String>,
    /// `keep_history`: how long is remembered what happened to each event.
    pub keep_history: Duration,
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `requests_per_minute`: over all mailboxes.
    pub requests_per_minute: u32,
    /// `mailbox_requests_per_minute`: to one mailbox (inner requests of a batch count one by one).
    pub mailbox_requests_per_minute: u32,
    /// `request_timeout`: for one request, answer included.
    pub request_timeout: Duration,
    /// `batch_size`: items of one EWS request, 1–100 (a Graph `$batch` holds 20).
    pub batch_size: u16,
    /// `gzip_requests`: compress what we send; answers are always asked for compressed.
    pub gzip_requests: bool,
    /// `drift_every`: how often a mailbox is read for changes that somebody made to our items.
    pub drift_every: Duration,
    /// `freeze_days`: events that were over this many days ago are neither created, changed nor deleted.
    pub freeze_days: u16,
    /// `stop_timeout`: how long a stop waits for what is in flight.
    pub stop_timeout: Duration,
}

/// `[brake]`: deletions over the share *and* the number are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brake {
    /// `share_percent` of the links.
    pub share_percent: u8,
    /// `number` of deletions.
    pub number: u32,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `format`.
    pub format: LogFormat,
    /// `level`: error, warn, info or debug.
    pub level: LogLevel,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON lines otherwise.
    Auto,
    /// JSON lines on standard error.
    Json,
    /// The journal, with fields.
    Journald,
    /// For reading.
    Human,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the usual words")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

impl Authentication {
    /// The word of the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Basic => "basic",
            Self::Ntlm => "ntlm",
        }
    }
}

impl LogFormat {
    /// The word of the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Json => "json",
            Self::Journald => "journald",
            Self::Human => "human",
        }
    }
}

impl LogLevel {
    /// The word of the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}
