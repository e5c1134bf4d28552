//! Which keys there are, of which form, and what they default to: the one list behind the check for unknown keys, `config get`
//! and `config set`.

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// A list of texts.
    List,
    /// A secret, never written by us.
    Secret,
    /// A table of texts.
    Table,
    /// A section of its own keys.
    Section(&'static [Key]),
}

/// One key of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// Its name.
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) form: Form,
    /// What it is when nobody says; `None` when it must be said, is derived, or is simply not set.
    pub(super) default: Option<&'static str>,
}

const fn key(name: &'static str, form: Form, default: &'static str) -> Key {
    Key { name, form, default: Some(default) }
}

const fn unset(name: &'static str, form: Form) -> Key {
    Key { name, form, default: None }
}

/// `[exchange]`.
pub(super) const EXCHANGE: &[Key] = &[
    unset("protocol", Form::Text),
    unset("delegated_user", Form::Text),
    unset("linked_password", Form::Secret),
    unset("linked_password_file", Form::Text),
    key("authentication", Form::Text, "auto"),
    unset("ews_service_url", Form::Text),
    key("exchange_server_version", Form::Text, "Exchange2010_SP2"),
    key("max_threads", Form::Number, "4"),
    key("use_impersonation", Form::Switch, "false"),
    key("impersonate_by", Form::Text, "smtp_address"),
    unset("identities", Form::Table),
    unset("calendar", Form::Text),
    key("create_calendar", Form::Switch, "false"),
    unset("test_user", Form::Text),
    key("use_oauth", Form::Switch, "false"),
    key("use_graph_api", Form::Switch, "false"),
    unset("tenant_id", Form::Text),
    unset("client_id", Form::Text),
    unset("client_secret", Form::Secret),
    unset("client_secret_file", Form::Text),
    unset("client_secret_expires", Form::Text),
    unset("next_client_secret", Form::Secret),
    unset("next_client_secret_file", Form::Text),
    unset("next_client_secret_expires", Form::Text),
    unset("application_certificate_file", Form::Text),
    unset("application_key", Form::Secret),
    unset("application_key_file", Form::Text),
    unset("application_certificate_password", Form::Secret),
    unset("application_certificate_password_file", Form::Text),
    unset("next_application_certificate_file", Form::Text),
    unset("next_application_key", Form::Secret),
    unset("next_application_key_file", Form::Text),
    unset("next_application_certificate_password", Form::Secret),
    unset("next_application_certificate_password_file", Form::Text),
    key("application_certificate_algorithm", Form::Text, "auto"),
    unset("federated_token_file", Form::Text),
    key("cloud", Form::Text, "global"),
    key("graph_url", Form::Text, "https://graph.microsoft.com"),
    unset("token_url", Form::Text),
];

/// `[network]`.
pub(super) const NETWORK: &[Key] = &[
    unset("ca_file", Form::Text),
    unset("client_certificate_file", Form::Text),
    unset("client_key", Form::Secret),
    unset("client_key_file", Form::Text),
    key("proxy", Form::Text, "environment"),
];

/// `[sources.NAME]`.
pub(super) const SOURCE: &[Key] = &[
    unset("kind", Form::Text),
    unset("path", Form::Text),
    unset("zone", Form::Text),
    key("end_marker", Form::Switch, "false"),
];

/// `[jobs.NAME]`.
pub(super) const JOB: &[Key] = &[
    unset("source", Form::Text),
    key("kinds", Form::List, "schedule, appointment"),
    key("people", Form::List, ""),
    key("generic_people", Form::List, ""),
    unset("people_domain", Form::Text),
    unset("addresses", Form::Table),
    key("window_days_back", Form::Number, "30"),
    key("window_days_ahead", Form::Number, "180"),
    key("every", Form::Text, "15m"),
    unset("zone", Form::Text),
    key("morning", Form::List, "09:00, 12:30"),
    key("afternoon", Form::List, "14:00, 17:30"),
    key("skip_non_working_days", Form::Switch, "true"),
    key("working_days", Form::List, "monday, tuesday, wednesday, thursday, friday"),
    key("holidays", Form::List, ""),
    unset("holidays_file", Form::Text),
    key("max_days", Form::Number, "60"),
    key("show_as", Form::Text, "busy"),
    key("sensitivity", Form::Text, "normal"),
    key("importance", Form::Text, "normal"),
    key("categories", Form::List, ""),
    unset("reminder_minutes", Form::Number),
    unset("private_subject", Form::Text),
    unset("private_when", Form::Text),
    key("cancelled", Form::Text, "delete"),
    key("cancelled_subject", Form::Text, "Cancelled:"),
    key("out_of_scope", Form::Text, "keep"),
    key("keep_reminder", Form::Switch, "false"),
    key("keep_categories", Form::Switch, "false"),
    unset("keep_notes", Form::Text),
    key("deleted_by_user", Form::Text, "recreate"),
    unset("templates", Form::Section(TEMPLATES)),
];

/// `[jobs.NAME.templates]`.
pub(super) const TEMPLATES: &[Key] = &[
    unset("subject", Form::Text),
    unset("body", Form::Text),
    unset("body_type", Form::Text),
    unset("location", Form::Text),
    unset("categories", Form::List),
    unset("schedule", Form::Section(KIND_TEMPLATES)),
    unset("appointment", Form::Section(KIND_TEMPLATES)),
];

/// `[jobs.NAME.templates.schedule]` and `[jobs.NAME.templates.appointment]`.
pub(super) const KIND_TEMPLATES: &[Key] = &[
    unset("subject", Form::Text),
    unset("body", Form::Text),
    unset("location", Form::Text),
    unset("categories", Form::List),
];

/// `[state]`.
pub(super) const STATE: &[Key] = &[
    key("path", Form::Text, "/var/lib/calsyncd/state.sqlite"),
    unset("host", Form::Text),
    key("keep_history", Form::Text, "400d"),
];

/// `[limits]`.
pub(super) const LIMITS: &[Key] = &[
    key("requests_per_minute", Form::Number, "1500"),
    key("mailbox_requests_per_minute", Form::Number, "600"),
    key("request_timeout", Form::Text, "75s"),
    key("batch_size", Form::Number, "20"),
    key("gzip_requests", Form::Switch, "false"),
    key("freeze_days", Form::Number, "7"),
    key("drift_every", Form::Text, "1h"),
    key("stop_timeout", Form::Text, "90s"),
];

/// `[brake]`.
pub(super) const BRAKE: &[Key] = &[key("share_percent", Form::Number, "20"), key("number", Form::Number, "10")];

/// `[rollout]`.
pub(super) const ROLLOUT: &[Key] =
    &[unset("mailboxes", Form::List), unset("share", Form::Text), key("except", Form::List, "")];

/// `[log]`.
pub(super) const LOG: &[Key] = &[key("format", Form::Text, "auto"), key("level", Form::Text, "info")];

/// The sections, and whether each holds named entries (`[jobs.NAME]`).
pub(super) const SECTIONS: &[(&str, bool, &[Key])] = &[
    ("exchange", false, EXCHANGE),
    ("network", false, NETWORK),
    ("sources", true, SOURCE),
    ("jobs", true, JOB),
    ("state", false, STATE),
    ("limits", false, LIMITS),
    ("brake", false, BRAKE),
    ("rollout", false, ROLLOUT),
    ("log", false, LOG),
];

/// A dotted key, found in the list.
#[derive(Debug, Clone)]
pub(super) struct KeyPath {
    /// The names on the way: `["jobs", "consultants", "every"]`.
    pub(super) parts: Vec<String>,
    /// What it takes.
    pub(super) form: Form,
    /// What it is when nobody says.
    pub(super) default: Option<&'static str>,
}

/// Finds `exchange.tenant_id`, `jobs.consultants.every` or `jobs.consultants.addresses.ana`.
///
/// # Errors
/// The nearest known key, if one is near.
pub(super) fn find(dotted: &str) -> Result<KeyPath, Option<String>> {
    let (section, rest) = dotted.split_once('.').unwrap_or((dotted, ""));
    let Some((_, named, keys)) = SECTIONS.iter().find(|(name, _, _)| *name == section) else {
        return Err(nearest(section, SECTIONS.iter().map(|(name, _, _)| *name)).map(|name| format!("{name}.{rest}")));
    };
    let (parts, rest) = if *named {
        let Some((name, rest)) = rest.split_once('.') else { return Err(None) };
        (vec![section.to_owned(), name.to_owned()], rest)
    } else {
        (vec![section.to_owned()], rest)
    };
    below(parts, keys, rest)
}

/// Finds the rest of a dotted key among the keys of a section.
fn below(mut parts: Vec<String>, keys: &[Key], rest: &str) -> Result<KeyPath, Option<String>> {
    let (name, deeper) = rest.split_once('.').map_or((rest, None), |(name, deeper)| (name, Some(deeper)));
    let Some(key) = keys.iter().find(|key| key.name == name) else {
        let near = nearest(name, keys.iter().map(|key| key.name));
        return Err(near.map(|near| format!("{}.{near}", parts.join("."))));
    };
    parts.push(name.to_owned());
    match (key.form, deeper) {
        (Form::Table, Some(deeper)) if !deeper.is_empty() => {
            parts.push(deeper.to_owned());
            Ok(KeyPath { parts, form: Form::Text, default: None })
        }
        (Form::Section(keys), Some(deeper)) => below(parts, keys, deeper),
        (Form::Table, _) => Err(Some(format!("{}.NAME", parts.join(".")))),
        (Form::Section(keys), None) => Err(keys.first().map(|key| format!("{}.{}", parts.join("."), key.name))),
        (_, Some(_)) => Err(Some(parts.join("."))),
        (form, None) => Ok(KeyPath { parts, form, default: key.default }),
    }
}

/// The candidate nearest to `name`, if it is near enough to be meant.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase().replace('-', "_");
    let bound = (name.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= bound)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
