//! What every command that works with settings begins with.

use std::{
    collections::BTreeMap,
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
    model::{
        address::Address,
        fault::{Fault, FaultKind, FaultScope},
        side::Side,
    },
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

/// The sides whose credential the server refused, that has not changed and that is not due, unless somebody wants it tried: each
/// try with a wrong password brings the account closer to its lock-out. They are left alone; where there is no other side, that is
/// an error.
pub(super) async fn parked_sides(settings: &Settings, store: &Store, is_wanted: bool) -> anyhow::Result<Parked> {
    let waits = store.waits().await.map_err(|error| state_failure(&error))?;
    let mut parked = Parked::new();
    for wait in waits.into_iter().filter(|_| !is_wanted) {
        let WaitScope::Credential(side) = wait.scope else { continue };
        let Some(of_side) = settings.exchange.sides.get(&side) else { continue };
        let is_the_same = wait.proof.as_ref().is_some_and(|proof| Identity::of(of_side).is_of(proof));
        if wait.until <= SystemClock.now() || !is_the_same {
            continue;
        }
        let (code, message) = (&wait.code, &wait.message);
        let (since, until) = (history::time(wait.since), history::time(wait.until));
        let told =
            format!("the server of {side} refuses this credential: {code} {message} (since {since}, next try {until})");
        parked.insert(side, Fault::new(FaultScope::Credential, FaultKind::Permanent, code, told).hint(TRY_AGAIN));
    }
    for (side, fault) in &parked {
        if parked.len() == settings.exchange.sides.len() {
            return Err(hinted(format!("nothing was sent: {}", fault.message), TRY_AGAIN));
        }
        output::complain(format_args!("the mailboxes of {side} are left alone: {}", fault.message));
        output::print_hint(TRY_AGAIN);
    }
    Ok(parked)
}

/// The sides that are left alone, and why.
pub(super) type Parked = BTreeMap<Side, Fault>;

/// What to do about a refused credential.
const TRY_AGAIN: &str = "correct the account, its password or secret in [exchange]: a changed one is tried at once; where it was put \
                         right on the server, say --try-credential";

/// Everything that a run in the foreground works with, without the sides that are left alone.
pub(super) fn wiring(settings: &Settings, store: &Store, parked: &Parked) -> Result<Arc<Wiring>, WiringError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut wiring = wire(settings, store.owner(), &clock)?;
    wiring.ways.leave_alone(parked);
    Ok(Arc::new(wiring))
}

/// Waits as long as each server asked everybody to.
pub(super) async fn keep_pause(wiring: &Wiring, store: &Store) -> anyhow::Result<()> {
    for (side, left) in tell_pause(store).await? {
        if let Some(way) = wiring.ways.to(side) {
            way.limiter.pause(left);
        }
    }
    Ok(())
}

/// Says so where a server asked everybody to wait, and for how long that still is.
pub(super) async fn tell_pause(store: &Store) -> anyhow::Result<Vec<(Side, Duration)>> {
    let mut pauses = Vec::new();
    for wait in store.waits().await.map_err(|error| state_failure(&error))?.into_iter().filter(|wait| wait.asked) {
        let WaitScope::Server(side) = wait.scope else { continue };
        let left = Duration::try_from(wait.until.duration_since(SystemClock.now())).unwrap_or_default();
        if !left.is_zero() {
            let until = history::time(wait.until);
            output::complain(format_args!("waiting: the server of {side} asks everybody to wait until {until}"));
            pauses.push((side, left));
        }
    }
    Ok(pauses)
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
    parked: &Parked,
    progress: Progress,
    stop: CancellationToken,
) -> Result<Engine, WiringError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wiring = wiring(settings, store, parked)?;
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
