//! Secrets: a value, a file, or a systemd credential of the same name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use config::ValueKind;
use secrecy::{ExposeSecret, SecretString};

use super::{
    Strictness, document,
    finding::Severity,
    reader::{Place, Reader, Section},
};

/// A secret is a line, not a document.
const SECRET_SIZE_MAX: u64 = 64 * 1024;

/// Where a secret came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretOrigin {
    /// Written in the settings file.
    SettingsFile,
    /// A `CALSYNCD__…` variable.
    Variable(String),
    /// The file that `*_file` names.
    File(PathBuf),
    /// A file of the credentials folder.
    Credential(PathBuf),
}

/// A secret and where it came from.
pub(super) struct Secret {
    pub(super) value: SecretString,
    pub(super) origin: SecretOrigin,
}

impl Secret {
    /// Whether it only stands in for one that `check` cannot reach.
    pub(super) fn is_unread(&self) -> bool {
        self.value.expose_secret().is_empty()
    }
}

/// The credential of the name `key`, if the folder of credentials has one.
pub(super) fn credential(credentials: Option<&Path>, key: &str) -> Option<PathBuf> {
    credentials.map(|folder| folder.join(key)).filter(|path| fs::symlink_metadata(path).is_ok())
}

impl Reader<'_> {
    /// Whether anything gives the secret `key`.
    pub(super) fn has_secret(&self, section: &Section<'_>, key: &str) -> bool {
        section.has(key)
            || section.has(&format!("{key}_file"))
            || credential(self.environment.credentials.as_deref(), key).is_some()
    }

    /// Reads the secret `key`. A higher layer replaces a lower one: file < environment < credential; two in one layer are a
    /// fault. In [`Strictness::Check`] a secret that cannot be reached is a warning, and stands in empty.
    pub(super) fn secret(&mut self, section: &Section<'_>, key: &str) -> Option<Secret> {
        let key_file = format!("{key}_file");
        let place = self.place_of(section, key);
        if let Some(path) = credential(self.environment.credentials.as_deref(), key) {
            if section.has(key) {
                self.warn(&place, "the credential of this name replaces the value", "take the value out");
            }
            let place = if section.has(key) { place } else { self.place_of(section, &key_file) };
            return self.secret_from(&path, &place, SecretOrigin::Credential(path.clone()));
        }
        let file_place = self.place_of(section, &key_file);
        let (by_value, by_file) = (section.has(key), section.has(&key_file));
        if by_value && by_file && place.variable.is_some() == file_place.variable.is_some() {
            self.error(
                &place,
                format!("both `{key}` and `{key_file}` give this secret"),
                "keep one of them, best the file",
            );
            return None;
        }
        if by_file && (!by_value || file_place.variable.is_some()) {
            let given = self.text(section, &key_file)?;
            let path = self.folder().join(&given.value);
            return self.secret_from(&path, &given.place, SecretOrigin::File(path.clone()));
        }
        self.secret_by_value(section, key, &place)
    }

    fn secret_by_value(&mut self, section: &Section<'_>, key: &str, place: &Place) -> Option<Secret> {
        let value = section.get(key)?;
        let ValueKind::String(text) = &value.kind else {
            self.error(place, "the secret must be text in quotes", "put it in quotes, or better into a file");
            return None;
        };
        if text.is_empty() {
            self.error(place, "the secret is empty", "give it, or take the key out");
            return None;
        }
        let origin = place.variable.clone().map_or(SecretOrigin::SettingsFile, SecretOrigin::Variable);
        if origin == SecretOrigin::SettingsFile && self.mode.is_some_and(open_to_others) {
            self.reachable(
                place,
                "the file holds a secret and others may read it".to_owned(),
                "chmod o= the file, or move the secret out with `*_file`",
            );
        }
        Some(Secret { value: SecretString::from(text.clone()), origin })
    }

    fn secret_from(&mut self, path: &Path, place: &Place, origin: SecretOrigin) -> Option<Secret> {
        let text = match read(path) {
            Ok(text) => text,
            Err(SecretFault::Unreachable(message)) => {
                let hint = "see that the path is right and that the user of the service may read the file";
                self.reachable(place, format!("{}: {message}", path.display()), hint);
                // `check` may run as somebody who cannot reach the secret; `run` never gets here with an empty one.
                String::new()
            }
            Err(SecretFault::Unusable(message)) => {
                self.error(
                    place,
                    format!("{}: {message}", path.display()),
                    "write the secret alone into the file, as UTF-8",
                );
                return None;
            }
        };
        let is_credential = matches!(origin, SecretOrigin::Credential(_));
        if !is_credential {
            self.closed(path, place);
        }
        if text.ends_with(char::is_whitespace) {
            self.warn(
                place,
                format!("the secret in {} ends with a blank", path.display()),
                "one line break is cut, no more",
            );
        }
        Some(Secret { value: SecretString::from(text), origin })
    }

    /// The credential of the name `key`, if there is one.
    pub(super) fn credential_file(&self, key: &str) -> Option<PathBuf> {
        credential(self.environment.credentials.as_deref(), key)
    }

    /// Reports a file that holds a secret and that others may read.
    pub(super) fn closed(&mut self, path: &Path, place: &Place) {
        if fs::metadata(path).ok().as_ref().and_then(document::mode).is_some_and(open_to_others) {
            let hint = format!("chmod o= {}", path.display());
            self.reachable(place, format!("others may read {}", path.display()), &hint);
        }
    }

    /// What keeps `run` from its secret is only a warning in `check`.
    pub(super) fn reachable(&mut self, place: &Place, message: String, hint: &str) {
        let severity = match self.strictness {
            Strictness::Check => Severity::Warning,
            Strictness::Run => Severity::Error,
        };
        self.find(severity, place, message, Some(hint));
    }

    /// The folder of the settings file, which relative paths start from.
    pub(super) fn folder(&self) -> PathBuf {
        let absolute = std::path::absolute(self.file).unwrap_or_else(|_| self.file.to_path_buf());
        absolute.parent().map(Path::to_path_buf).unwrap_or_default()
    }
}

/// Whether users other than the owner and the group may read or replace the content.
const fn open_to_others(mode: u32) -> bool {
    mode & 0o006 != 0
}

enum SecretFault {
    Unreachable(String),
    Unusable(String),
}

/// The content of a secret file without its last line break.
fn read(path: &Path) -> Result<String, SecretFault> {
    let failed = |error: io::Error| {
        SecretFault::Unreachable(match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        })
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() || metadata.len() > SECRET_SIZE_MAX {
        return Err(SecretFault::Unusable("this is not a file of one line".to_owned()));
    }
    let bytes = fs::read(path).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|_| SecretFault::Unusable("the secret is not UTF-8".to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let secret = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if secret.is_empty() {
        return Err(SecretFault::Unusable("the secret is empty".to_owned()));
    }
    Ok(secret.to_owned())
}
