//! What the process is given beside the file, as plain data: variables, the folder of systemd credentials, and the time.

use std::{collections::BTreeMap, fmt, os::unix::fs::MetadataExt, path::PathBuf};

use jiff::Timestamp;

use crate::clock::{Clock, SystemClock};

/// The beginning of every variable that is a setting.
pub(super) const PREFIX: &str = "CALSYNCD__";

/// Variables and credentials, as data, so that loading depends on nothing of the process.
#[derive(Clone, Default)]
pub struct Environment {
    /// Variables by name; only those that begin with `CALSYNCD__` matter, and empty ones count as not set.
    pub variables: BTreeMap<String, String>,
    /// `$CREDENTIALS_DIRECTORY`: one file for each credential, named as the key (`linked_password`, `client_secret`, `client_key`).
    pub credentials: Option<PathBuf>,
    /// The present instant, which certificates are judged by.
    pub now: Timestamp,
}

impl Environment {
    /// What this process is given.
    #[must_use]
    pub fn of_process() -> Self {
        // Lossy: a value that is not UTF-8 cannot be a good one, and its replacement characters show in the finding.
        let variables = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Self { variables, credentials, now: SystemClock.now() }
    }

    /// Who runs this process: as its variables tell, else the number of its user.
    #[must_use]
    pub fn user() -> Option<String> {
        let named = |name: &str| std::env::var(name).ok().filter(|user| !user.is_empty());
        let number = || std::fs::metadata("/proc/self").ok().map(|own| format!("uid {}", own.uid()));
        ["SUDO_USER", "LOGNAME", "USER"].into_iter().find_map(named).or_else(number)
    }

    /// The name of the variable that sets `key`.
    #[must_use]
    pub fn variable(key: &str) -> String {
        format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
    }

    /// The same without the variable that sets `key`.
    pub(super) fn without(&self, key: &str) -> Self {
        let name = Self::variable(key);
        let mut other = self.clone();
        other.variables.retain(|variable, _| !variable.eq_ignore_ascii_case(&name));
        other
    }
}

/// Names only: a value may be a secret.
impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Environment")
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("credentials", &self.credentials)
            .finish()
    }
}
