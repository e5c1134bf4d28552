//! `calsyncd run`: the daemon.

use std::{path::Path, process::ExitCode};

use super::{Outcome, check, output::hinted, setup};
use crate::{
    daemon::{self, RunError},
    observability::logging,
    settings::{Environment, Strictness},
};

/// Runs the daemon until a signal stops it.
pub(super) async fn run(config: Option<&Path>) -> Outcome {
    let loaded = match setup::load_settings(config, Strictness::Run) {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    let log = logging::init(daemon::form(loaded.settings.log.format), daemon::level(loaded.settings.log.level))
        .map_err(|error| hinted(format!("cannot set up the log: {error}"), "choose another [log] format"))?;
    let path = setup::settings_path(config);
    match daemon::run(&path, &Environment::of_process(), loaded, &log).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(RunError::State(error)) => Err(setup::state_failure(&error)),
        Err(error) => Err(error.into()),
    }
}
