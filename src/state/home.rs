//! Where a state lives: a copy of it, on another machine or under another path, is not the instance that it tells of.

use std::{fmt, path::Path};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::model::link::Owner;

/// Where systemd keeps the name of the machine.
const MACHINE_ID: &str = "/etc/machine-id";

/// The machine that a state is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(String);

impl Host {
    /// The machine by the name that the settings give it, else by `/etc/machine-id`, of which no more than a hash is kept. A
    /// machine without that file is told from no other.
    #[must_use]
    pub fn of(named: Option<&str>) -> Self {
        let id = || std::fs::read_to_string(MACHINE_ID).unwrap_or_default();
        Self(named.map_or_else(|| machine(id().trim()), |name| format!("host {name}")))
    }
}

fn machine(id: &str) -> String {
    if id.is_empty() {
        return "machine without a name".to_owned();
    }
    let hash = Sha256::new().chain_update("calsyncd\n").chain_update(id).finalize();
    let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("machine {hash}")
}

/// The place of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The machine.
    pub(super) host: String,
    /// The file, with every link in its path followed.
    pub(super) path: String,
    /// Since when.
    pub(super) since: Timestamp,
}

impl Home {
    /// The place of the file at `state` on this machine.
    pub(super) fn here(host: &Host, state: &Path, since: Timestamp) -> Self {
        let whole = std::fs::canonicalize(state).or_else(|_| std::path::absolute(state));
        let path = whole.unwrap_or_else(|_| state.to_owned()).display().to_string();
        Self { host: host.0.clone(), path, since }
    }

    /// Whether it is the same place.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.host == other.host && self.path == other.path
    }

    /// Reads what [`Home::to_lines`] gave.
    pub(super) fn of_lines<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut next = |word: &str| lines.next()?.strip_prefix(word)?.strip_prefix(": ");
        let (host, path, since) = (next("host")?.to_owned(), next("path")?.to_owned(), next("since")?.parse().ok()?);
        Some(Self { host, path, since })
    }

    /// Three lines of text.
    pub(super) fn to_lines(&self) -> String {
        format!("host: {}\npath: {}\nsince: {}\n", self.host, self.path.replace('\n', " "), self.since)
    }
}

/// A state that was copied or moved: whose it is, and where that instance was when it was last at work with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The instance.
    pub owner: Owner,
    /// Its place.
    pub home: Home,
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, home: Home { host, path, since } } = self;
        let since = since.strftime("%Y-%m-%d %H:%M:%SZ");
        write!(formatter, "instance {} at {path} on {host}, since {since}", owner.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use jiff::Timestamp;

    use super::{Home, Host, machine};

    #[test]
    fn a_machine_is_told_by_a_hash() {
        assert_eq!(machine("7f3c"), machine("7f3c"));
        assert_ne!(machine("7f3c"), machine("7f3d"));
        assert!(!machine("7f3c").contains("7f3c"));
        assert_eq!(machine(""), "machine without a name");
        assert_ne!(Host::of(Some("one")), Host::of(Some("two")));
    }

    #[test]
    fn a_home_is_read_back() {
        let home = Home::here(&Host::of(Some("node")), Path::new("/nowhere/state.sqlite"), Timestamp::UNIX_EPOCH);
        assert_eq!(Home::of_lines(home.to_lines().lines()).unwrap(), home);
        for cut in ["", "host: a\n", "host: a\npath: b\nsince: noon\n", "path: b\nhost: a\nsince: x\n"] {
            assert_eq!(Home::of_lines(cut.lines()), None, "{cut}");
        }
    }
}
