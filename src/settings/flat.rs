//! Settings as a flat list of keys and texts: what `diff` compares and the defaults of `config get` are checked against.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::civil::{Date, Time};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{
    Brake, ClientCertificate, Credential, EwsAccess, Exchange, FilesSource, HolidaysFile, Identities, Job, Limits, Log,
    NamedCalendar, Network, PemFile, Proof, ProofKind, Protocol, Settings, SideSettings, Source, State, WorkingDays,
    duration, words,
};
use crate::model::{address::Address, cohort::Cohort, keeps::Keeps, side::Side};

/// The value of a key.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Anything but a secret.
    Text(String),
    /// A secret: compared, never shown.
    Secret(SecretString),
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(two)) => one == two,
            (Self::Secret(one), Self::Secret(two)) => one.expose_secret() == two.expose_secret(),
            (Self::Text(_), Self::Secret(_)) | (Self::Secret(_), Self::Text(_)) => false,
        }
    }
}

/// Keys and values, sorted.
pub(super) type Flat = BTreeMap<String, Value>;

/// Every key of the settings. The sections are taken apart without `..`, so that a new field cannot be forgotten here.
pub(super) fn flatten(settings: &Settings) -> Flat {
    let Settings { exchange, network, sources, jobs, state, limits, brake, rollout, log } = settings;
    let mut flat = Flat::new();
    flatten_exchange(exchange, &mut flat);
    flatten_network(network, &mut flat);
    for (name, source) in sources {
        flatten_source(&format!("sources.{name}"), source, &mut flat);
    }
    for (name, job) in jobs {
        flatten_job(&format!("jobs.{name}"), job, &mut flat);
    }
    let State { path, host, keep_history } = state;
    let Limits {
        requests_per_minute,
        mailbox_requests_per_minute,
        request_timeout,
        batch_size,
        gzip_requests,
        freeze_days,
        drift_every,
        stop_timeout,
    } = limits;
    let Brake { share_percent, number } = brake;
    let Log { format, level } = log;
    text(&mut flat, "state", "path", path.display());
    if let Some(host) = host {
        text(&mut flat, "state", "host", host);
    }
    text(&mut flat, "state", "keep_history", duration::format(*keep_history));
    text(&mut flat, "limits", "requests_per_minute", requests_per_minute);
    text(&mut flat, "limits", "mailbox_requests_per_minute", mailbox_requests_per_minute);
    text(&mut flat, "limits", "request_timeout", duration::format(*request_timeout));
    text(&mut flat, "limits", "batch_size", batch_size);
    text(&mut flat, "limits", "gzip_requests", gzip_requests);
    text(&mut flat, "limits", "freeze_days", freeze_days);
    text(&mut flat, "limits", "drift_every", duration::format(*drift_every));
    text(&mut flat, "limits", "stop_timeout", duration::format(*stop_timeout));
    text(&mut flat, "brake", "share_percent", share_percent);
    text(&mut flat, "brake", "number", number);
    flatten_rollout(rollout, &mut flat);
    text(&mut flat, "log", "format", format.as_str());
    text(&mut flat, "log", "level", level.as_str());
    flat
}

fn text(flat: &mut Flat, section: &str, key: &str, value: impl ToString) {
    flat.insert(format!("{section}.{key}"), Value::Text(value.to_string()));
}

fn flatten_rollout(rollout: &Cohort, flat: &mut Flat) {
    let list = |mailboxes: &BTreeSet<Address>| mailboxes.iter().map(Address::as_str).collect::<Vec<_>>().join(", ");
    if let (Some(named), Some(share)) = (rollout.named(), rollout.share()) {
        text(flat, "rollout", "mailboxes", list(named));
        text(flat, "rollout", "share", share);
    }
    text(flat, "rollout", "except", list(rollout.except()));
}

fn flatten_exchange(exchange: &Exchange, flat: &mut Flat) {
    let Exchange { sides, max_threads, test_user, calendar } = exchange;
    let mut put = |key: &str, value: String| text(flat, "exchange", key, value);
    put("max_threads", max_threads.to_string());
    if let Some(user) = test_user {
        put("test_user", user.to_string());
    }
    if let Some(NamedCalendar { name, create }) = calendar {
        put("calendar", name.clone());
        put("create_calendar", create.to_string());
    }
    // What is chosen: one side, or both.
    match (sides.get(&Side::Ews), sides.get(&Side::Graph)) {
        (Some(_), Some(_)) => put("protocol", "auto".to_owned()),
        (ews, graph) => {
            put("use_graph_api", graph.is_some().to_string());
            let is_oauth = |side: &SideSettings| matches!(side.credential, Credential::Application { .. });
            put("use_oauth", ews.or(graph).is_some_and(is_oauth).to_string());
        }
    }
    sides.values().for_each(|side| flatten_side(side, flat));
}

fn flatten_side(SideSettings { protocol, credential }: &SideSettings, flat: &mut Flat) {
    let mut put = |key: &str, value: String| text(flat, "exchange", key, value);
    match protocol {
        // The end follows from the address.
        Protocol::Ews { url, version, access, ends: _ } => {
            put("ews_service_url", url.clone());
            put("exchange_server_version", version.as_str().to_owned());
            put("use_impersonation", access.is_impersonation().to_string());
            if let EwsAccess::Impersonation(Identities { form, named }) = access {
                put("impersonate_by", words::word(words::ADDRESS_FORMS, form).to_owned());
                for (mailbox, identity) in named {
                    put(&format!("identities.{mailbox}"), identity.as_str().to_owned());
                }
            }
        }
        Protocol::Graph { root } => {
            put("graph_url", root.clone());
        }
    }
    match credential {
        Credential::Password { authentication, user, password } => {
            put("authentication", words::word(words::AUTHENTICATIONS, authentication).to_owned());
            put("delegated_user", user.clone());
            flat.insert("exchange.linked_password".to_owned(), Value::Secret(password.clone()));
        }
        // The scope follows from the address of the service.
        Credential::Application { token_url, client_id, scope: _, proofs } => {
            put("token_url", token_url.clone());
            put("client_id", client_id.clone());
            proofs.iter().for_each(|proof| flatten_proof(proof, flat));
        }
    }
}

fn flatten_proof(Proof { key, kind, ends }: &Proof, flat: &mut Flat) {
    match kind {
        ProofKind::Secret(secret) => {
            flat.insert(format!("exchange.{key}"), Value::Secret(secret.clone()));
            if let Some(ends) = ends {
                text(flat, "exchange", &format!("{key}_expires"), ends);
            }
        }
        // Its end is in the certificate, and the key belongs to it.
        ProofKind::Certificate { certificate, algorithm } => {
            let der = SecretString::from(STANDARD.encode(&certificate.der));
            flat.insert(format!("exchange.{key}_file"), Value::Secret(der));
            let algorithm = words::word(words::ASSERTION_ALGORITHMS, algorithm);
            text(flat, "exchange", "application_certificate_algorithm", algorithm);
        }
        ProofKind::FederatedToken(path) => text(flat, "exchange", &format!("{key}_file"), path.display()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn flatten_network(network: &Network, flat: &mut Flat) {
    let Network { authorities, client, proxy } = network;
    // With what they hold: a certificate that was renewed in place is a change of the settings.
    let mut file = |key: &str, PemFile { path, text: held }: &PemFile| {
        text(flat, "network", key, format!("{}: {}", path.display(), hex(&Sha256::digest(held))));
    };
    if let Some(authorities) = authorities {
        file("ca_file", authorities);
    }
    if let Some(ClientCertificate { chain, key }) = client {
        file("client_certificate_file", chain);
        flat.insert("network.client_key".to_owned(), Value::Secret(key.clone()));
    }
    text(flat, "network", "proxy", proxy.as_str());
}

fn flatten_source(path: &str, source: &Source, flat: &mut Flat) {
    match source {
        Source::Files(FilesSource { path: folder, zone, end_marker }) => {
            text(flat, path, "kind", "files");
            text(flat, path, "path", folder.display());
            text(flat, path, "zone", zone);
            text(flat, path, "end_marker", end_marker);
        }
    }
}

fn flatten_job(path: &str, job: &Job, flat: &mut Flat) {
    let Job {
        source,
        kinds,
        people,
        generic_people,
        people_domain,
        addresses,
        window_days_back,
        window_days_ahead,
        every,
        zone,
        morning,
        afternoon,
        working_days,
        max_days,
        show_as,
        sensitivity,
        importance,
        categories,
        reminder_minutes,
        private_subject,
        templates,
        cancelled,
        cancelled_subject,
        out_of_scope,
        keeps,
    } = job;
    text(flat, path, "source", source);
    text(flat, path, "kinds", kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "));
    text(flat, path, "people", people.join(", "));
    text(flat, path, "generic_people", generic_people.join(", "));
    for (person, address) in addresses {
        text(flat, path, &format!("addresses.{person}"), address);
    }
    text(flat, path, "window_days_back", window_days_back);
    text(flat, path, "window_days_ahead", window_days_ahead);
    text(flat, path, "every", duration::format(*every));
    text(flat, path, "zone", zone);
    text(flat, path, "morning", hours(morning));
    text(flat, path, "afternoon", hours(afternoon));
    flatten_working_days(path, working_days, flat);
    text(flat, path, "max_days", max_days);
    text(flat, path, "show_as", words::word(words::SHOW_AS, show_as));
    text(flat, path, "sensitivity", words::word(words::SENSITIVITY, sensitivity));
    text(flat, path, "importance", words::word(words::IMPORTANCE, importance));
    text(flat, path, "categories", categories.join(", "));
    text(flat, path, "cancelled", words::word(words::DEPARTURES, cancelled));
    text(flat, path, "cancelled_subject", cancelled_subject);
    text(flat, path, "out_of_scope", words::word(words::DEPARTURES, out_of_scope));
    flatten_keeps(path, keeps.as_deref().unwrap_or_else(|| Keeps::nothing()), flat);
    if let Some(domain) = people_domain {
        text(flat, path, "people_domain", domain);
    }
    if let Some(minutes) = reminder_minutes {
        text(flat, path, "reminder_minutes", minutes);
    }
    if let Some(subject) = private_subject {
        text(flat, path, "private_subject", subject);
    }
    for (key, template) in templates.given() {
        text(flat, path, &key, template);
    }
}

fn flatten_keeps(path: &str, keeps: &Keeps, flat: &mut Flat) {
    let Keeps { reminder, categories, notes, deleted } = keeps;
    text(flat, path, "keep_reminder", reminder);
    text(flat, path, "keep_categories", categories);
    if let Some(marker) = notes {
        text(flat, path, "keep_notes", marker);
    }
    let respected = deleted.and_then(|length| Duration::try_from(length).ok());
    text(flat, path, "deleted_by_user", respected.map_or_else(|| "recreate".to_owned(), duration::format));
}

fn flatten_working_days(path: &str, working_days: &WorkingDays, flat: &mut Flat) {
    let WorkingDays { skip, weekdays, holidays, holidays_file } = working_days;
    let weekdays: Vec<&str> = weekdays.iter().map(|weekday| words::word(words::WEEKDAYS, weekday)).collect();
    text(flat, path, "skip_non_working_days", skip);
    text(flat, path, "working_days", weekdays.join(", "));
    text(flat, path, "holidays", dates(holidays));
    if let Some(HolidaysFile { path: file, dates: listed }) = holidays_file {
        // With what it lists: a file that was changed in place is a change of the settings.
        text(flat, path, "holidays_file", format!("{}: {}", file.display(), dates(listed)));
    }
}

fn dates(dates: &BTreeSet<Date>) -> String {
    dates.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn hours((start, end): &(Time, Time)) -> String {
    format!("{}, {}", start.strftime("%H:%M"), end.strftime("%H:%M"))
}
