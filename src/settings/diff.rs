//! What a reload changes: a pure comparison of two settings.

use std::collections::BTreeSet;

use super::{
    Settings,
    flat::{Flat, flatten},
};

/// Keys that only a restart can apply: the state is open, and its file holds the leases of running work; the form of the log is
/// chosen once, so that one journal does not change its form half-way.
const NEEDS_RESTART: [&str; 3] = ["state.path", "state.host", "log.format"];

/// The difference of two settings. Holds names of keys, never values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsDiff {
    /// Every key that changed, appeared or went, sorted.
    pub changed: Vec<String>,
    /// Those of them that only a restart applies.
    pub needs_restart: Vec<String>,
    /// Whether a new gateway has to be built.
    pub exchange: bool,
    /// Whether limits or brake changed.
    pub limits: bool,
    /// Whether the level of the log changed.
    pub log_level: bool,
    /// The sources that appeared, went or changed.
    pub sources: NamesDiff,
    /// The jobs that appeared, went or changed.
    pub jobs: NamesDiff,
}

impl SettingsDiff {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }
}

/// Named entries that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamesDiff {
    /// Only in the new settings.
    pub added: Vec<String>,
    /// Only in the old settings.
    pub removed: Vec<String>,
    /// In both, and not the same.
    pub changed: Vec<String>,
}

/// Compares two settings.
#[must_use]
pub fn diff(old: &Settings, new: &Settings) -> SettingsDiff {
    let (before, after) = (flatten(old), flatten(new));
    let changed = changed_keys(&before, &after);
    let under =
        |section: &str| changed.iter().any(|key| key.strip_prefix(section).is_some_and(|rest| rest.starts_with('.')));
    SettingsDiff {
        needs_restart: changed.iter().filter(|key| NEEDS_RESTART.contains(&key.as_str())).cloned().collect(),
        exchange: under("exchange") || under("network"),
        limits: under("limits") || under("brake"),
        log_level: changed.iter().any(|key| key == "log.level"),
        sources: names(old.sources.keys(), new.sources.keys(), |name| under(&format!("sources.{name}"))),
        jobs: names(old.jobs.keys(), new.jobs.keys(), |name| under(&format!("jobs.{name}"))),
        changed,
    }
}

/// The new settings with the old values of what only a restart applies: what runs after a reload.
#[must_use]
pub fn until_restart(old: &Settings, new: &Settings) -> Settings {
    let mut live = new.clone();
    live.state.path.clone_from(&old.state.path);
    live.log.format = old.log.format;
    live
}

fn changed_keys(before: &Flat, after: &Flat) -> Vec<String> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

fn names<'a>(
    old: impl Iterator<Item = &'a String>,
    new: impl Iterator<Item = &'a String>,
    differs: impl Fn(&str) -> bool,
) -> NamesDiff {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (old.collect(), new.collect());
    NamesDiff {
        added: new.difference(&old).map(|name| (*name).clone()).collect(),
        removed: old.difference(&new).map(|name| (*name).clone()).collect(),
        changed: old.intersection(&new).filter(|name| differs(name)).map(|name| (*name).clone()).collect(),
    }
}
