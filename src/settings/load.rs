//! From the file to the settings: defaults < file < environment < credentials, and every fault at once.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use config::{Config, ConfigError, Map, Source, Value, ValueKind};

use super::{
    Settings, SettingsFaults,
    document::{self, Document},
    environment::Environment,
    finding::{Finding, Severity},
    reader::{Reader, Section},
    schema,
    secret::SecretOrigin,
    section::{exchange, job, limits, network, rollout, source, state_and_log},
    version_limits,
};

/// How strict the check is about secrets that cannot be reached, or that others may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// `calsyncd check`: a warning, since somebody else than the service may run it.
    Check,
    /// The daemon: a fault.
    Run,
}

/// Settings that can be used, and what is worth knowing about them.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What somebody should look at.
    pub warnings: Vec<Finding>,
    /// Where each secret came from, by key.
    pub secrets: BTreeMap<String, SecretOrigin>,
    /// The file they were read from.
    pub file: PathBuf,
}

/// Loads and checks the settings file at `path`.
///
/// # Errors
/// Every fault of the file and of the environment, with the warnings among them.
pub fn load(path: &Path, environment: &Environment, strictness: Strictness) -> Result<Loaded, SettingsFaults> {
    let file = document::read(path)?;
    load_text(path, &file.text, file.mode, environment, strictness)
}

/// The same for a text that is, or is to be, in the file at `path`.
pub(super) fn load_text(
    path: &Path,
    text: &str,
    mode: Option<u32>,
    environment: &Environment,
    strictness: Strictness,
) -> Result<Loaded, SettingsFaults> {
    let document = Document::parse(path, text)?;
    let tree = layer(path, &document, environment)?;
    let mut reader = Reader::new(path, &document, environment, strictness, mode);
    let root = Section { path: String::new(), values: Some(&tree) };
    let read = resolve(&mut reader, &root);
    let mut findings = reader.findings;
    // Those of other files come last.
    findings.sort_by_key(|finding| {
        (finding.file != path, finding.line.unwrap_or(usize::MAX), finding.column, finding.key.clone())
    });
    match read {
        Some((settings, secrets)) if findings.iter().all(|finding| finding.severity == Severity::Warning) => {
            Ok(Loaded { settings, warnings: findings, secrets, file: path.to_path_buf() })
        }
        _ => Err(SettingsFaults { findings }),
    }
}

/// The file as a layer of [`Config`]. Only known sections take part: a key at the top is a path expression to `config`.
#[derive(Debug, Clone)]
struct FileLayer(Map<String, Value>);

impl Source for FileLayer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// Lays the environment over the file.
pub(super) fn layer(
    path: &Path,
    document: &Document,
    environment: &Environment,
) -> Result<Map<String, Value>, SettingsFaults> {
    let is_section = |name: &str| schema::SECTIONS.iter().any(|(section, _, _)| *section == name);
    let (known, unknown): (Vec<_>, Vec<_>) = document
        .values
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .partition(|(name, _)| is_section(name));
    let variables = environment.variables.clone().into_iter().collect();
    let layered = Config::builder()
        .add_source(FileLayer(known.into_iter().collect()))
        .add_source(
            config::Environment::with_prefix("CALSYNCD")
                .prefix_separator("__")
                .separator("__")
                .ignore_empty(true)
                .source(Some(variables)),
        )
        .build()
        .map_err(|_| {
            Finding::of_file(
                path,
                "the environment cannot be laid over the file",
                Some("see the CALSYNCD__… variables"),
            )
        })?;
    let mut tree = match layered.cache.kind {
        ValueKind::Table(tree) => tree,
        _ => Map::new(),
    };
    tree.extend(unknown);
    Ok(tree)
}

type Resolved = (Settings, BTreeMap<String, SecretOrigin>);

fn resolve<'a>(reader: &mut Reader<'a>, root: &Section<'a>) -> Option<Resolved> {
    unknown_sections(reader, root);
    let section = reader.section(root, "exchange");
    if !root.has("exchange") {
        let place = reader.place("exchange", None);
        reader.error(
            &place,
            "the section [exchange] is missing",
            "begin with config/calsyncd.toml, which explains every key",
        );
    }
    let exchange = root.has("exchange").then(|| exchange::read(reader, &section)).flatten();
    let network_section = reader.section(root, "network");
    let network = network::read(reader, &network_section);
    let sources_section = reader.section(root, "sources");
    let entries = reader.entries(&sources_section);
    let names: Vec<String> = entries.iter().map(|(name, _)| name.clone()).collect();
    let mut sources = BTreeMap::new();
    for (name, section) in entries {
        if let Some(source) = source::read(reader, &section) {
            sources.insert(name, source);
        }
    }
    let jobs_section = reader.section(root, "jobs");
    let mut jobs = BTreeMap::new();
    for (name, section) in reader.entries(&jobs_section) {
        let all = job::Sources { read: &sources, names: &names };
        if let Some(job) = job::read(reader, &section, &all) {
            jobs.insert(name, job);
        }
    }
    idle(reader, &jobs_section, &sources_section, &names);
    let (state, limits_section) = (reader.section(root, "state"), reader.section(root, "limits"));
    let (brake, log) = (reader.section(root, "brake"), reader.section(root, "log"));
    let state = state_and_log::state(reader, &state);
    let limits = limits::limits(reader, &limits_section);
    let brake = limits::brake(reader, &brake);
    let rollout_section = reader.section(root, "rollout");
    let rollout = rollout::read(reader, &rollout_section);
    let log = state_and_log::log(reader, &log);
    let exchange::ExchangeRead { exchange, secrets } = exchange?;
    let network::NetworkRead { network, secret: client_key } = network;
    let settings = Settings { exchange, network, sources, jobs, state, limits, brake, rollout, log };
    version_limits::warn(reader, root, &settings);
    Some((settings, client_key.into_iter().chain(secrets).collect()))
}

fn unknown_sections(reader: &mut Reader<'_>, root: &Section<'_>) {
    for (name, value) in root.values.into_iter().flatten() {
        if schema::SECTIONS.iter().any(|(section, _, _)| section == name) {
            continue;
        }
        let place = reader.place(name, Some(value));
        let sections = schema::SECTIONS.iter().map(|(section, _, _)| *section);
        let owner = schema::SECTIONS.iter().find(|(_, named, keys)| !named && keys.iter().any(|key| key.name == name));
        let hint = match (schema::nearest(name, sections.clone()), owner) {
            (Some(near), _) => format!("did you mean [{near}]?"),
            (None, Some((section, _, _))) => format!("`{name}` belongs into [{section}]"),
            (None, None) => format!("the sections are {}", sections.collect::<Vec<_>>().join(", ")),
        };
        let what = if matches!(value.kind, ValueKind::Table(_)) {
            format!("section [{name}]")
        } else {
            format!("key `{name}`")
        };
        reader.error(&place, format!("unknown {what}"), &hint);
    }
}

/// Warns of sections that do nothing.
fn idle(reader: &mut Reader<'_>, jobs: &Section<'_>, sources: &Section<'_>, names: &[String]) {
    if jobs.values.is_none_or(Map::is_empty) {
        let place = reader.place("jobs", None);
        reader.warn(&place, "there is no job: nothing is pushed", "add a [jobs.NAME]");
        return;
    }
    let used = |name: &str| {
        jobs.values.into_iter().flat_map(Map::values).any(|job| match &job.kind {
            ValueKind::Table(job) => {
                matches!(job.get("source").map(|source| &source.kind), Some(ValueKind::String(source)) if source == name)
            }
            _ => false,
        })
    };
    for name in names.iter().filter(|name| !used(name)) {
        let place = reader.place_of(sources, name);
        reader.warn(&place, format!("no job pushes from the source {name:?}"), "add a job, or take the source out");
    }
}
