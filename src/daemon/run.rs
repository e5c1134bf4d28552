//! The daemon's life: boot, one loop over signals and task ends, reload, stop.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    WiringError, expiry, notify,
    signals::{Signal, SignalStream},
    wiring::rewire,
};
use crate::{
    auth::TokenMemory,
    clock::{Clock, SystemClock},
    model::side::Side,
    observability::{
        events::{
            DaemonReady, DaemonStarted, DaemonStopped, DaemonStopping, SettingsLoaded, SettingsRejectedError,
            SettingsReloaded, SettingsWarned, SignalReceived, TaskError, WatchdogMissed,
        },
        logging::{Form, Level, LogHandle},
    },
    scheduler::{Command, Engine, Heartbeat, Progress},
    settings::{
        Environment, Finding, Loaded, LogFormat, LogLevel, Settings, SettingsFaults, Strictness,
        diff::{diff, until_restart},
        load, side_of_key,
    },
    state::{Access, Host, StateError, Store},
};

/// Why the daemon ends with a failure.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// Something could not be put together.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// Signals cannot be received.
    #[error("cannot receive signals")]
    Signals(#[from] std::io::Error),
    /// The engine ended although nobody stopped it.
    #[error("the engine ended by itself: {0}")]
    Engine(String),
    /// What was in flight did not end in time.
    #[error("{0} seconds were not enough to finish what was in flight; it is looked into at the next start")]
    StopTimeout(u64),
    /// A second signal came while the daemon stopped.
    #[error("stopped at once by a second signal; what was in flight is looked into at the next start")]
    StoppedAtOnce,
}

/// Keys of `[exchange]` that change nothing of a credential, nor of the way to a side.
const WAY_BLIND: [&str; 6] = [
    "exchange.calendar",
    "exchange.create_calendar",
    "exchange.max_threads",
    "exchange.protocol",
    "exchange.test_user",
    "exchange.use_graph_api",
];

/// Runs the daemon with settings that are loaded already, until a signal stops it.
///
/// # Errors
/// When it cannot start, or not stop cleanly.
pub async fn run(path: &Path, environment: &Environment, loaded: Loaded, log: &LogHandle) -> Result<(), RunError> {
    let Loaded { settings, warnings, .. } = loaded;
    let process = u64::from(std::process::id());
    DaemonStarted { version: env!("CARGO_PKG_VERSION"), process, settings: &path.display().to_string() }.emit();
    SettingsLoaded {
        file: &path.display().to_string(),
        sources: settings.sources.len() as u64,
        jobs: settings.jobs.len() as u64,
        warnings: warnings.len() as u64,
    }
    .emit();
    warn(&warnings);
    let mut signals = SignalStream::open()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store =
        Store::open_on(&Host::of(settings.state.host.as_deref()), &settings.state.path, Access::Exclusive).await?;
    let tokens = TokenMemory::default();
    let wiring = Arc::new(rewire(&settings, store.owner(), &clock, &tokens)?);
    let stop = CancellationToken::new();
    let engine = Engine::new(store.clone(), Arc::clone(&clock), wiring, Progress::default(), stop.clone());
    let heartbeat = engine.heartbeat();
    let (commands, receiver) = mpsc::channel(4);
    let engine = tokio::spawn(engine.run(receiver));
    let daemon = Daemon { path, environment, log, settings, store, clock, tokens, commands, stop };
    daemon.ready();
    daemon.serve(&mut signals, engine, &heartbeat).await
}

struct Daemon<'a> {
    path: &'a Path,
    environment: &'a Environment,
    log: &'a LogHandle,
    settings: Settings,
    store: Store,
    clock: Arc<dyn Clock>,
    tokens: TokenMemory,
    commands: mpsc::Sender<Command>,
    stop: CancellationToken,
}

impl Daemon<'_> {
    fn ready(&self) {
        let threads = u64::from(self.settings.exchange.max_threads);
        DaemonReady {
            jobs: self.settings.jobs.len() as u64,
            sources: self.settings.sources.len() as u64,
            workers: threads,
        }
        .emit();
        notify::ready(&format!("{} jobs, {threads} mailboxes at the same time", self.settings.jobs.len()));
    }

    async fn serve(
        mut self,
        signals: &mut SignalStream,
        mut engine: JoinHandle<Result<(), StateError>>,
        heartbeat: &Heartbeat,
    ) -> Result<(), RunError> {
        let watchdog = notify::watchdog_interval();
        let mut tell_expiries = expiry::tell(&self.settings, self.clock.now());
        loop {
            let clock = Arc::clone(&self.clock);
            let until_told = Duration::try_from(tell_expiries.duration_since(clock.now())).unwrap_or_default();
            tokio::select! {
                signal = signals.next() => {
                    SignalReceived { signal: signal.name() }.emit();
                    match signal {
                        Signal::Reload => {
                            self.reload().await;
                            tell_expiries = expiry::tell(&self.settings, clock.now());
                        }
                        Signal::Terminate | Signal::Interrupt => return self.shut_down(signals, engine).await,
                    }
                }
                end = &mut engine => return Err(unexpected(end)),
                () = clock.sleep(watchdog.unwrap_or(Duration::from_hours(1))), if watchdog.is_some() => {
                    self.tell_watchdog(heartbeat, watchdog.unwrap_or_default());
                }
                () = clock.sleep(until_told) => tell_expiries = expiry::tell(&self.settings, clock.now()),
            }
        }
    }

    /// The watchdog is told only while the engine's loop turns.
    fn tell_watchdog(&self, heartbeat: &Heartbeat, interval: Duration) {
        let since = self.clock.now().duration_since(heartbeat.last());
        let since = Duration::try_from(since).unwrap_or_default();
        if since < interval.max(Duration::from_secs(15)) {
            notify::watchdog();
        } else {
            WatchdogMissed { idle_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX) }.emit();
        }
    }

    /// Load, check, diff, apply; a fault anywhere changes nothing.
    async fn reload(&mut self) {
        notify::reloading();
        match load(self.path, self.environment, Strictness::Run) {
            Err(faults) => reject(self.path, &faults),
            Ok(Loaded { settings, warnings, .. }) => {
                warn(&warnings);
                self.apply(settings).await;
            }
        }
        self.ready();
    }

    async fn apply(&mut self, settings: Settings) {
        let changes = diff(&self.settings, &settings);
        let settings = until_restart(&self.settings, &settings);
        let wiring = match rewire(&settings, self.store.owner(), &self.clock, &self.tokens) {
            Ok(wiring) => Arc::new(wiring),
            Err(error) => {
                let file = self.path.display().to_string();
                SettingsRejectedError { file: &file, count: 1, faults: &error.to_string(), kept_old: true }.emit();
                return;
            }
        };
        if let Err(error) = self.log.set_level(level(settings.log.level)) {
            TaskError { reason: &error.to_string() }.emit();
        }
        let tried = changes.changed.iter().flat_map(|key| concerned(key, &self.settings, &settings)).collect();
        if self.commands.send(Command::Replace { wiring, changed: tried }).await.is_ok() {
            let (changed, needs_restart) = (changes.changed.join(", "), changes.needs_restart.join(", "));
            SettingsReloaded { changed: &changed, needs_restart: &needs_restart }.emit();
            self.settings = settings;
        }
    }

    async fn shut_down(
        self,
        signals: &mut SignalStream,
        mut engine: JoinHandle<Result<(), StateError>>,
    ) -> Result<(), RunError> {
        notify::stopping();
        let started = self.clock.now();
        let timeout = self.settings.limits.stop_timeout;
        DaemonStopping { timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX) }.emit();
        self.stop.cancel();
        let deadline = self.clock.sleep(timeout);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                end = &mut engine => {
                    return match end {
                        Ok(Ok(())) => {
                            self.store.close().await;
                            let elapsed = Duration::try_from(self.clock.now().duration_since(started)).unwrap_or_default();
                            DaemonStopped { elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX) }.emit();
                            Ok(())
                        }
                        other => Err(unexpected(other)),
                    };
                }
                signal = signals.next() => if signal.is_stop() { return Err(RunError::StoppedAtOnce) },
                () = &mut deadline => return Err(RunError::StopTimeout(timeout.as_secs())),
            }
        }
    }
}

/// The sides whose credential, or the way to them, a key is about.
fn concerned(key: &str, before: &Settings, settings: &Settings) -> Vec<Side> {
    let is_of_the_way = (key.starts_with("exchange.") && !WAY_BLIND.contains(&key)) || key.starts_with("network.");
    // Otherwise every key is about the only side.
    let is_hybrid = before.exchange.is_hybrid() || settings.exchange.is_hybrid();
    let of_key = side_of_key(key).filter(|_| is_hybrid);
    let sides = settings.exchange.sides.keys().copied();
    sides.filter(|side| is_of_the_way && of_key.is_none_or(|of_key| of_key == *side)).collect()
}

fn unexpected(end: Result<Result<(), StateError>, tokio::task::JoinError>) -> RunError {
    match end {
        Ok(Ok(())) => RunError::Engine("it was not stopped".to_owned()),
        Ok(Err(error)) => RunError::State(error),
        Err(error) => RunError::Engine(error.to_string()),
    }
}

/// The level of the log in the log's own words.
#[must_use]
pub const fn level(level: LogLevel) -> Level {
    match level {
        LogLevel::Error => Level::Error,
        LogLevel::Warn => Level::Warn,
        LogLevel::Info => Level::Info,
        LogLevel::Debug => Level::Debug,
    }
}

/// The form of the log in the log's own words.
#[must_use]
pub const fn form(format: LogFormat) -> Form {
    match format {
        LogFormat::Auto => Form::Auto,
        LogFormat::Json => Form::Json,
        LogFormat::Journald => Form::Journald,
        LogFormat::Human => Form::Human,
    }
}

fn warn(warnings: &[Finding]) {
    for warning in warnings {
        SettingsWarned {
            file: &warning.file.display().to_string(),
            line: warning.line.map(|line| line as u64),
            column: warning.column.map(|column| column as u64),
            key: &warning.key,
            warning: &warning.message,
            hint: warning.hint.as_deref(),
        }
        .emit();
    }
}

fn reject(path: &Path, faults: &SettingsFaults) {
    let file = path.display().to_string();
    let count = faults.errors().count() as u64;
    SettingsRejectedError { file: &file, count, faults: &faults.one_line(), kept_old: true }.emit();
}
