//! `config get` and `config set`: one key of the file, with its comments and its order kept.

use std::{fmt, io, path::Path};

use config::{Map, Value, ValueKind};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike};

use super::{
    Strictness, atomic_file,
    document::{self, Document, FileText, ORIGIN_FILE},
    environment::Environment,
    finding::{Finding, SettingsFaults, Severity},
    load,
    schema::{self, Form, KeyPath},
    secret,
};

/// Where the value of a key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueOrigin {
    /// The settings file.
    File,
    /// An environment variable of this name.
    Variable(String),
    /// The credentials folder.
    Credential,
    /// Nobody says: the default.
    Default,
    /// Nobody says, and there is no default.
    Unset,
}

/// The value of a key, for showing: of a secret only that it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The value; `(set)` for a secret, empty when not set.
    pub value: String,
    /// Where it comes from.
    pub origin: ValueOrigin,
}

/// Why a key cannot be shown or saved. In every case the file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is no such key.
    #[error("there is no key {key:?}")]
    UnknownKey {
        /// What was asked for.
        key: String,
        /// The nearest known key.
        nearest: Option<String>,
    },
    /// The key is below an entry that the settings do not have.
    #[error("there is no {what} {name:?}")]
    UnknownEntry {
        /// What it would be: `job` or `source`.
        what: String,
        /// Its name.
        name: String,
        /// The names that there are, in their order.
        names: Vec<String>,
    },
    /// Secrets are never written by us.
    #[error("{key} is a secret and is not written into the file")]
    Secret {
        /// The key.
        key: String,
    },
    /// The file could not be read, or would be faulty with the new value.
    #[error("the settings would be faulty\n{0}")]
    Faults(SettingsFaults),
    /// Somebody changed the file at the same time.
    #[error("{0} changed meanwhile")]
    Changed(String),
    /// The file could not be replaced.
    #[error("{file} cannot be written")]
    Write {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
}

impl EditError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKey { nearest, .. } => match nearest {
                Some(nearest) => Some(format!("did you mean `{nearest}`?")),
                None => {
                    Some("keys look like exchange.tenant_id or jobs.NAME.every; config/calsyncd.toml lists them".into())
                }
            },
            Self::UnknownEntry { what, name, names } => {
                Some(match schema::nearest(name, names.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None if names.is_empty() => format!("there is no [{what}s.NAME] at all"),
                    None => format!("the {what}s are {}", names.join(", ")),
                })
            }
            Self::Secret { key } => {
                let name = key.rsplit('.').next().unwrap_or(key);
                Some(format!(
                    "write it into a file that only the service reads and set {key}_file, \
                     or give a systemd credential: LoadCredential={name}:/etc/calsyncd/{name}"
                ))
            }
            Self::Faults(_) => None,
            Self::Changed(_) => Some("try again".into()),
            Self::Write { .. } => Some("run it as a user who may write the file and its folder".into()),
        }
    }
}

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Whether the file changed; not when it said so already.
    pub changed: bool,
    /// The variable that overrides the saved value.
    pub overridden_by: Option<String>,
    /// What else is to be known about the new settings: warnings, and faults that were there before.
    pub findings: Vec<Finding>,
}

fn find(key: &str) -> Result<KeyPath, EditError> {
    schema::find(key).map_err(|nearest| EditError::UnknownKey { key: key.to_owned(), nearest })
}

fn read(path: &Path) -> Result<FileText, EditError> {
    document::read(path).map_err(EditError::Faults)
}

/// The value of a dotted key, as the daemon would see it. Faults of other keys do not matter.
///
/// # Errors
/// When there is no such key, no such job or source, or the file cannot be read.
pub fn get(path: &Path, key: &str, environment: &Environment) -> Result<Shown, EditError> {
    let known = find(key)?;
    let file = read(path)?;
    let document = Document::parse(path, &file.text).map_err(EditError::Faults)?;
    let tree = load::layer(path, &document, environment).map_err(EditError::Faults)?;
    let name = known.parts.last().map(String::as_str).unwrap_or_default();
    if known.form == Form::Secret && secret::credential(environment.credentials.as_deref(), name).is_some() {
        return Ok(Shown { value: "(set)".to_owned(), origin: ValueOrigin::Credential });
    }
    entry(&tree, &known)?;
    let Some(value) = value_at(&tree, &known.parts) else {
        return Ok(match known.default {
            Some(default) => Shown { value: default.to_owned(), origin: ValueOrigin::Default },
            None => Shown { value: String::new(), origin: ValueOrigin::Unset },
        });
    };
    let origin = if value.origin() == Some(ORIGIN_FILE) {
        ValueOrigin::File
    } else {
        ValueOrigin::Variable(Environment::variable(key))
    };
    let value = if known.form == Form::Secret { "(set)".to_owned() } else { shown(value) };
    Ok(Shown { value, origin })
}

/// Refuses a key of a job or a source that the settings do not have: its default is nobody's.
fn entry(tree: &Map<String, Value>, known: &KeyPath) -> Result<(), EditError> {
    let [section, name, _, ..] = known.parts.as_slice() else { return Ok(()) };
    let mut names: Vec<String> = match tree.get(section).map(|value| &value.kind) {
        Some(ValueKind::Table(entries)) => entries.keys().cloned().collect(),
        _ => Vec::new(),
    };
    if names.contains(name) {
        return Ok(());
    }
    names.sort();
    Err(EditError::UnknownEntry { what: section.trim_end_matches('s').to_owned(), name: name.clone(), names })
}

fn value_at<'a>(tree: &'a Map<String, Value>, parts: &[String]) -> Option<&'a Value> {
    let (last, sections) = parts.split_last()?;
    let mut table = tree;
    for section in sections {
        match &table.get(section)?.kind {
            ValueKind::Table(inner) => table = inner,
            _ => return None,
        }
    }
    table.get(last)
}

fn shown(value: &Value) -> String {
    match &value.kind {
        ValueKind::Array(elements) => elements.iter().map(shown).collect::<Vec<_>>().join(", "),
        kind => kind.to_string(),
    }
}

/// Saves one key: the page's Save button. The new text goes through the same check as at a start; when it has a fault that the
/// old one had not, nothing is written.
///
/// # Errors
/// When the key is unknown or a secret, the value is faulty, or the file cannot be replaced.
pub fn set(path: &Path, key: &str, value: &str, environment: &Environment) -> Result<Saved, EditError> {
    let known = find(key)?;
    if known.form == Form::Secret {
        return Err(EditError::Secret { key: key.to_owned() });
    }
    let file = read(path)?;
    let text = with_value(path, &file.text, &known, value)?;
    // Without the variable of this key, which would hide the new value from the check.
    let findings = check(path, &file, &text, &environment.without(key), key)?;
    let variable = Environment::variable(key);
    let overridden_by = environment
        .variables
        .iter()
        .find(|(name, value)| name.eq_ignore_ascii_case(&variable) && !value.is_empty())
        .map(|(name, _)| name.clone());
    let changed = text != file.text;
    if changed {
        let now = read(path)?;
        if now.text != file.text {
            return Err(EditError::Changed(path.display().to_string()));
        }
        let mark = if file.byte_order_mark { "\u{feff}" } else { "" };
        atomic_file::replace(path, format!("{mark}{text}").as_bytes())
            .map_err(|source| EditError::Write { file: path.display().to_string(), source })?;
    }
    Ok(Saved { changed, overridden_by, findings })
}

/// Findings of the new text; an error when one of them is a fault that the old text had not, or concerns the key itself.
fn check(
    path: &Path,
    file: &FileText,
    text: &str,
    environment: &Environment,
    key: &str,
) -> Result<Vec<Finding>, EditError> {
    let load = |text: &str| load::load_text(path, text, file.mode, environment, Strictness::Check);
    let faults = match load(text) {
        Ok(loaded) => return Ok(loaded.warnings),
        Err(faults) => faults,
    };
    let before: Vec<(String, String)> = match load(&file.text) {
        Ok(_) => Vec::new(),
        Err(old) => old.errors().map(|finding| (finding.key.clone(), finding.message.clone())).collect(),
    };
    let added = |finding: &&Finding| {
        finding.severity == Severity::Error
            && (finding.key == key || !before.contains(&(finding.key.clone(), finding.message.clone())))
    };
    let added: Vec<Finding> = faults.findings.iter().filter(added).cloned().collect();
    if added.is_empty() {
        return Ok(faults.findings);
    }
    Err(EditError::Faults(SettingsFaults { findings: added }))
}

/// The text with the key set; comments, order and line ends as they were.
fn with_value(path: &Path, text: &str, known: &KeyPath, value: &str) -> Result<String, EditError> {
    let fault =
        |message: String| EditError::Faults(Finding::of_file(path, message, Some("mend the file by hand")).into());
    let mut document: DocumentMut = text.parse().map_err(|_| {
        EditError::Faults(Document::parse(path, text).err().unwrap_or_else(|| SettingsFaults { findings: Vec::new() }))
    })?;
    let Some((last, sections)) = known.parts.split_last() else { return Err(fault("no key".to_owned())) };
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for (depth, section) in sections.iter().enumerate() {
        let item = table.entry(section).or_insert_with(|| {
            let mut new = Table::new();
            // `[jobs]` above `[jobs.NAME]` says nothing: it is not written.
            new.set_implicit(depth + 1 < sections.len());
            Item::Table(new)
        });
        table = item.as_table_like_mut().ok_or_else(|| fault(format!("{section} is not a section")))?;
    }
    let mut new = toml_value(known.form, value);
    match table.get_mut(last).and_then(Item::as_value_mut) {
        Some(old) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => {
            table.insert(last, Item::Value(new));
        }
    }
    let text_new = document.to_string();
    let all_crlf = text.contains("\r\n") && !text.replace("\r\n", "").contains('\n');
    Ok(if all_crlf { text_new.replace("\r\n", "\n").replace('\n', "\r\n") } else { text_new })
}

/// What is not of the form becomes a text, and the check then says what is wrong with it.
fn toml_value(form: Form, value: &str) -> toml_edit::Value {
    match form {
        Form::Number => value.trim().parse::<i64>().map_or_else(|_| value.into(), Into::into),
        Form::Switch => value.trim().parse::<bool>().map_or_else(|_| value.into(), Into::into),
        Form::List => match value.parse::<toml_edit::Value>() {
            Ok(list) if list.is_array() => list,
            _ => value.split(',').map(str::trim).filter(|element| !element.is_empty()).collect::<Array>().into(),
        },
        Form::Text | Form::Secret | Form::Table | Form::Section(_) => value.into(),
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.value)
    }
}
