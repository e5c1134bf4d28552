//! `calsyncd config get|set`: one setting.

use std::{path::Path, process::ExitCode};

use super::{
    Outcome,
    output::{self, say},
    setup,
};
use crate::settings::{
    Environment, SettingsFaults,
    edit::{self, EditError},
};

/// The exit status when nothing was read or written.
const FAULTS: u8 = 2;

/// Prints the value of a setting.
pub(super) fn get(config: Option<&Path>, key: &str) -> Outcome {
    match edit::get(&setup::settings_path(config), key, &Environment::of_process()) {
        Ok(shown) => {
            say!("{}", shown.value);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Ok(refuse(&error)),
    }
}

/// Writes one setting.
pub(super) fn set(config: Option<&Path>, key: &str, value: &str) -> Outcome {
    let saved = match edit::set(&setup::settings_path(config), key, value, &Environment::of_process()) {
        Ok(saved) => saved,
        Err(error) => return Ok(refuse(&error)),
    };
    setup::print_faults(&SettingsFaults { findings: saved.findings });
    if let Some(variable) = saved.overridden_by {
        say!("{key} is saved, but the variable {variable} overrides it");
    } else if saved.changed {
        say!("{key} is saved; `systemctl reload calsyncd` (or SIGHUP) brings it into force");
    } else {
        say!("{key} says so already");
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints why, and gives the exit status.
fn refuse(error: &EditError) -> ExitCode {
    match error {
        EditError::Faults(faults) => setup::print_faults(faults),
        EditError::UnknownKey { .. }
        | EditError::UnknownEntry { .. }
        | EditError::Secret { .. }
        | EditError::Changed(_)
        | EditError::Write { .. } => {
            output::complain(format_args!("error: {}", output::chain(error)));
        }
    }
    if let Some(hint) = error.hint() {
        output::print_hint(&hint);
    }
    ExitCode::from(FAULTS)
}
