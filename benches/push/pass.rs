//! One pass over every mailbox, in a process of its own.

use std::{path::Path, sync::Arc, time::Duration, time::Instant};

use anyhow::{Context, ensure};
use calsyncd::{
    clock::{Clock, SystemClock},
    daemon::wire,
    observability::logging::{self, Form, Level},
    scheduler::{Engine, Progress},
    settings::{Environment, Strictness, load},
    state::{Access, Store},
};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::process;

/// What a pass finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PassKind {
    /// Empty calendars.
    First,
    /// Everything as it should be, by the links.
    Unchanged,
    /// Everything as it should be, and the calendars are read to see whether somebody changed anything.
    UnchangedRead,
}

impl PassKind {
    pub(crate) const ALL: [Self; 3] = [Self::First, Self::Unchanged, Self::UnchangedRead];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::First => "first push",
            Self::Unchanged => "nothing changed",
            Self::UnchangedRead => "nothing changed, calendars read",
        }
    }
}

/// What a pass took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// From the first read of the source to the end of the last mailbox.
    pub(crate) seconds: f64,
    /// Of the whole process, its start included.
    pub(crate) client_cpu_seconds: f64,
    /// Of the sandbox.
    pub(crate) server_cpu_seconds: f64,
    pub(crate) requests: u64,
    pub(crate) changes: u64,
    pub(crate) peak_kib: u64,
}

/// Runs the pass that the settings file `arguments[0]` describes, reading the calendars where `arguments[1]` says so, and
/// prints what it took.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let [settings, read] = arguments else { anyhow::bail!("a settings file and `read` or `links` are wanted") };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let taken = runtime.block_on(pass(Path::new(settings), read == "read"))?;
    println!("{}", serde_json::to_string(&taken)?);
    Ok(())
}

async fn pass(file: &Path, read: bool) -> anyhow::Result<Taken> {
    // The log of a daemon at work: JSON lines, level info.
    logging::init(Form::Json, Level::Info)?;
    let loaded = load(file, &Environment::default(), Strictness::Check);
    let mut settings = loaded.map_err(|faults| anyhow::anyhow!("{:?}", faults.findings))?.settings;
    if read {
        settings.limits.drift_every = Duration::ZERO;
    }
    let store = Store::open(&settings.state.path, Access::Exclusive).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wiring = Arc::new(wire(&settings, store.owner(), &clock)?);
    let mut engine = Engine::new(store.clone(), clock, wiring, Progress::default(), CancellationToken::new());
    let start = Instant::now();
    let summary = engine.once(&calsyncd::model::cohort::Cohort::everybody()).await?;
    let seconds = start.elapsed().as_secs_f64();
    store.close().await;
    ensure!(summary.sources_failed.is_empty(), "{:?}", summary.sources_failed);
    for (mailbox, done) in &summary.mailboxes {
        ensure!(done.stop.is_none() && done.done.failed == 0, "{mailbox}: {:?}", done.stop);
    }
    let sum = |each: fn(&calsyncd::scheduler::MailboxSummary) -> u64| summary.mailboxes.values().map(each).sum();
    Ok(Taken {
        seconds,
        client_cpu_seconds: process::cpu_seconds("self").context("no processor time")?,
        server_cpu_seconds: 0.0,
        requests: sum(|mailbox| mailbox.requests),
        changes: sum(|mailbox| mailbox.done.changes()),
        peak_kib: process::peak_kib()?,
    })
}
