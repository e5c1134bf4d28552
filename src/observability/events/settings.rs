//! The settings: loaded, loaded again, refused.

use super::super::catalogue::declare_events;

declare_events! {
    /// The settings were read and are right.
    INFO SettingsLoaded<'a> "settings_loaded": "the settings are loaded" {
        /// The settings file.
        file: &'a str,
        /// Sources.
        sources: u64,
        /// Jobs.
        jobs: u64,
        /// Warnings, each logged on its own.
        warnings: u64,
    }

    /// The settings were read again; what can be applied live is applied.
    INFO SettingsReloaded<'a> "settings_reloaded": "the settings are loaded again" {
        /// The keys that changed, separated by commas; empty when nothing did.
        changed: &'a str,
        /// Those of them that keep their old value until a restart.
        needs_restart: &'a str,
    } metric "settings_reloads_total"

    /// The settings have faults. At a reload the old ones stay in force.
    ERROR SettingsRejectedError<'a> "settings_rejected_error": "the settings are refused" {
        /// The settings file.
        file: &'a str,
        /// How many faults there are.
        count: u64,
        /// The faults with line and column, in one line.
        faults: &'a str,
        /// Whether older settings stay in force.
        kept_old: bool,
    } hint "`calsyncd check` shows each fault and what to do about it" metric "settings_rejections_total"

    /// Something about the settings should be looked at.
    WARN SettingsWarned<'a> "settings_warned": "the settings can be used, but should be looked at" {
        /// The settings file.
        file: &'a str,
        /// The line, when one says it.
        line: Option<u64>,
        /// The column.
        column: Option<u64>,
        /// The key.
        key: &'a str,
        /// What is to be known.
        warning: &'a str,
        /// What to do.
        hint: Option<&'a str>,
    }
}
