//! What every command that works with settings begins with.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    history,
    output::{self, hinted},
};
use crate::{
    auth::Identity,
    clock::{Clock, SystemClock},
    daemon::{WiringError, wire},
    model::address::Address,
    scheduler::{Engine, Progress, Wiring},
    settings::{Environment, Loaded, Settings, SettingsFaults, Strictness, load},
    state::{Access, Host, StateError, Store, WaitScope},
};

/// Where the settings are when nobody says.
const DEFAULT_PATHS: [&str; 2] = ["/etc/calsyncd/calsyncd.toml", "config/calsyncd.toml"];

/// The settings file: the one that was named, else the first default that is there.
pub(super) fn settings_path(named: Option<&Path>) -> PathBuf {
    let found = || DEFAULT_PATHS.iter().map(PathBuf::from).find(|path| path.exists());
    named.map_or_else(|| found().unwrap_or_else(|| PathBuf::from(DEFAULT_PATHS[0])), Path::to_path_buf)
}

/// Loads the settings, or prints every fault.
pub(super) fn load_settings(named: Option<&Path>, strictness: Strictness) -> Result<Loaded, SettingsFaults> {
    load(&settings_path(named), &Environment::of_process(), strictness)
}

/// Prints every fault of the settings on standard error.
pub(super) fn print_faults(faults: &SettingsFaults) {
    for finding in &faults.findings {
        output::complain(format_args!("{finding}"));
        if let Some(hint) = &finding.hint {
            output::print_hint(hint);
        }
    }
}

/// Reads an address of the command line.
pub(super) fn address(text: &str) -> anyhow::Result<Address> {
    Address::parse(text).map_err(|error| hinted(error.to_string(), "give an SMTP address such as ana@example.test"))
}

/// Opens the state; a hint goes with every failure.
pub(super) async fn open_state(settings: &Settings, access: Access) -> anyhow::Result<Store> {
    let host = Host::of(settings.state.host.as_deref());
    let store = Store::open_on(&host, &settings.state.path, access).await.map_err(|error| state_failure(&error))?;
    if access == Access::Shared {
        tell_elsewhere(&store);
    }
    Ok(store)
}

/// Opens the state for looking, also while a daemon has it; a hint goes with every failure.
pub(super) async fn look_at_state(settings: &Settings) -> anyhow::Result<Store> {
    let host = Host::of(settings.state.host.as_deref());
    let store = Store::look_on(&host, &settings.state.path).await.map_err(|error| state_failure(&error))?;
    tell_elsewhere(&store);
    Ok(store)
}

/// Says whose a state is that was copied or moved here: it may be looked at.
fn tell_elsewhere(store: &Store) {
    if let Some(elsewhere) = store.elsewhere() {
        output::complain(format_args!("this state is a copy, or was moved: it is that of {elsewhere}"));
        output::print_hint("nothing can be written with it before `calsyncd adopt --take-over`");
    }
}

/// Refuses to go on with a credential that the server refused, that has not changed and that is not due, unless somebody wants it
/// tried: each try with a wrong password brings the account closer to its lock-out.
pub(super) async fn refuse_parked(settings: &Settings, store: &Store, is_wanted: bool) -> anyhow::Result<()> {
    let waits = store.waits().await.map_err(|error| state_failure(&error))?;
    let parked = waits.into_iter().find(|wait| wait.scope == WaitScope::Credential && wait.until > SystemClock.now());
    let Some(parked) = parked.filter(|_| !is_wanted) else { return Ok(()) };
    if !parked.proof.as_ref().is_some_and(|proof| Identity::of(&settings.exchange).is_of(proof)) {
        return Ok(());
    }
    let (code, message) = (&parked.code, &parked.message);
    let (since, until) = (history::time(parked.since), history::time(parked.until));
    Err(hinted(
        format!(
            "nothing was sent: the server refuses this credential: {code} {message} (since {since}, next try {until})"
        ),
        "correct the account, its password or secret in [exchange]: a changed one is tried at once; where it was put right on \
         the server, say --try-credential",
    ))
}

/// Waits as long as the server asked everybody to.
pub(super) async fn keep_pause(wiring: &Wiring, store: &Store) -> anyhow::Result<()> {
    if let Some(left) = tell_pause(store).await? {
        wiring.limiter.pause(left);
    }
    Ok(())
}

/// Says so where the server asked everybody to wait, and for how long that still is.
pub(super) async fn tell_pause(store: &Store) -> anyhow::Result<Option<Duration>> {
    let waits = store.waits().await.map_err(|error| state_failure(&error))?;
    let asked = waits.into_iter().find(|wait| wait.scope == WaitScope::Server && wait.asked);
    let left = asked.as_ref().and_then(|wait| Duration::try_from(wait.until.duration_since(SystemClock.now())).ok());
    let left = left.filter(|left| !left.is_zero());
    if let (Some(wait), Some(_)) = (&asked, left) {
        output::complain(format_args!(
            "waiting: the server asks everybody to wait until {}",
            history::time(wait.until)
        ));
    }
    Ok(left)
}

/// A failure of the state with its cause and its hint. Who needs the file's name finds it in the settings.
pub(super) fn state_failure(error: &StateError) -> anyhow::Error {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    hinted(format!("{error}{cause}"), error.hint())
}

/// An engine at rest for one run in the foreground.
pub(super) fn engine(
    settings: &Settings,
    store: &Store,
    progress: Progress,
    stop: CancellationToken,
) -> Result<Engine, WiringError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wiring = Arc::new(wire(settings, store.owner(), &clock)?);
    Ok(Engine::new(store.clone(), clock, wiring, progress, stop))
}

/// A token that Ctrl-C or SIGTERM cancels: what is in flight is finished, nothing new is begun. The second signal ends the
/// program at once; what was in flight is then looked into at the next start.
pub(super) fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    tokio::spawn(async move {
        crate::daemon::stop_signal().await;
        cancelled.cancel();
        if std::io::stderr().is_terminal() {
            output::complain(format_args!("finishing what is in flight; once more ends at once"));
        }
        crate::daemon::stop_signal().await;
        std::process::exit(1);
    });
    stop
}
