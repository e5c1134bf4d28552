//! `calsyncd sync`: one pass in the foreground.

use std::{collections::BTreeMap, path::Path, process::ExitCode, sync::Arc, time::Duration};

use comfy_table::Cell;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    Outcome, SyncArguments, check,
    cohort::refuse_unknown,
    output::{self, count, say, stop_hint},
    saved_plan, setup,
};
use crate::{
    clock::{Clock, SystemClock},
    model::{
        address::Address,
        cohort::{Cohort, Share},
    },
    plan::{Part, SavedPlan},
    scheduler::{Engine, Looked, MailboxSummary, PassStop, Progress, ProgressEvent, Summary, plans},
    settings::{Settings, Strictness},
    state::{Access, Store},
};

/// Passes once over every mailbox that is asked for, or carries out a saved plan.
pub(super) async fn sync(config: Option<&Path>, arguments: &SyncArguments) -> Outcome {
    let settings = match setup::load_settings(config, Strictness::Run) {
        Ok(loaded) => loaded.settings,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    let asked = arguments.cohort.cohort(&settings.rollout)?;
    let store = setup::open_state(&settings, Access::Exclusive).await?;
    let parked = setup::parked_sides(&settings, &store, arguments.credential.try_credential).await?;
    setup::tell_pause(&store).await?;
    let saved = arguments.plan.as_deref().map(|path| saved_plan::load(path, store.owner(), &settings)).transpose()?;
    let stop = setup::stop_on_signal();
    let bar = Bar::new("sync");
    let mut engine = setup::engine(&settings, &store, &parked, bar.progress(), stop.clone())?;
    let summary = match &saved {
        None => engine.once(&asked).await,
        Some(saved) => {
            let moved = moved(&settings, &store, &parked, saved).await?;
            if !moved.is_empty() {
                bar.end();
                store.close().await;
                return Ok(refuse_moved(&moved, arguments.json));
            }
            engine.once_as_saved(saved).await
        }
    };
    let summary = summary.map_err(|error| setup::state_failure(&error))?;
    bar.end();
    store.close().await;
    let is_whole = !stop.is_cancelled() && !has_failed(&summary);
    if is_whole || summary.mailboxes.is_empty() && !stop.is_cancelled() {
        refuse_unknown(&asked, |mailbox| summary.mailboxes.contains_key(mailbox))?;
    }
    if arguments.json {
        say!("{}", as_json(&summary));
    } else {
        report(&summary, &stop);
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The mailboxes of a saved plan in which something has moved, and why nothing of it is carried out. An event that one
/// mailbox hands to another is in two plans: half of them is worse than none.
async fn moved(
    settings: &Settings,
    store: &Store,
    parked: &setup::Parked,
    saved: &SavedPlan,
) -> anyhow::Result<Vec<(Address, PassStop)>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wiring = setup::wiring(settings, store, parked)?;
    let asked = Cohort::only(saved.mailboxes.keys().cloned().collect(), Share::NOTHING);
    let present = plans(wiring, store.clone(), clock, &asked, Progress::default()).await;
    let mut present: BTreeMap<Address, Result<Looked, PassStop>> =
        present.map_err(|error| setup::state_failure(&error))?.mailboxes.into_iter().collect();
    let mut all = Vec::new();
    for (mailbox, stamp) in &saved.mailboxes {
        let stop = match present.remove(mailbox) {
            // No source names it, and nothing of ours is there.
            None => Some(PassStop::Moved(vec![Part::Sources])),
            Some(Err(stop)) => Some(stop),
            Some(Ok(looked)) => {
                let moved = stamp.moved(&looked.stamp);
                (!moved.is_empty()).then_some(PassStop::Moved(moved))
            }
        };
        all.extend(stop.map(|stop| (mailbox.clone(), stop)));
    }
    Ok(all)
}

fn refuse_moved(moved: &[(Address, PassStop)], json: bool) -> ExitCode {
    if json {
        let parts = |stop: &PassStop| match stop {
            PassStop::Moved(parts) => parts.iter().map(|part| part.word()).collect(),
            PassStop::Fault(_)
            | PassStop::State(_)
            | PassStop::Plan(_)
            | PassStop::Violation(_)
            | PassStop::Stopped => Vec::new(),
        };
        let mailboxes: Vec<_> = moved
            .iter()
            .map(|(mailbox, stop)| {
                json!({
                    "mailbox": mailbox.as_str(), "moved": parts(stop),
                    "error": stop.to_string(), "hint": stop_hint(stop),
                })
            })
            .collect();
        say!("{}", json!({ "refused": mailboxes, "ok": false }));
    }
    for (mailbox, stop) in moved.iter().filter(|_| !json) {
        say!("{mailbox}: {stop}");
    }
    output::complain(format_args!(
        "nothing was written: the plan is carried out as a whole or not at all, and {} moved or cannot be read",
        output::count_of(moved.len(), "mailbox has", "mailboxes have")
    ));
    output::print_hint(
        "look at a new plan and save it; `plan --save --mailbox` saves one of the mailboxes that can be written",
    );
    ExitCode::FAILURE
}

/// A progress bar that follows an engine.
pub(super) struct Bar(indicatif::ProgressBar);

impl Bar {
    pub(super) fn new(title: &str) -> Self {
        Self(output::progress_bar(title))
    }

    /// What the engine tells.
    pub(super) fn progress(&self) -> Progress {
        let bar = self.0.clone();
        Progress::to(move |event| match event {
            ProgressEvent::SourceRead { source, events, mailboxes } => {
                bar.set_message(format!("{source}: {events} events, {mailboxes} mailboxes"));
            }
            ProgressEvent::Planned { mailbox, writes } => {
                bar.inc_length(writes as u64);
                bar.set_message(mailbox.to_string());
            }
            ProgressEvent::Written { writes, .. } => bar.inc(writes as u64),
            ProgressEvent::Finished(report) => bar.set_message(report.mailbox.to_string()),
        })
    }

    pub(super) fn end(self) {
        self.0.finish_and_clear();
    }
}

/// Whether something was left undone.
pub(super) fn has_failed(summary: &Summary) -> bool {
    let failed =
        |mailbox: &MailboxSummary| mailbox.stop.is_some() || mailbox.done.failed > 0 || mailbox.waiting.count > 0;
    summary.tasks_failed > 0
        || summary.is_partial
        || !summary.sources_failed.is_empty()
        || summary.mailboxes.values().any(failed)
}

fn report(summary: &Summary, stop: &CancellationToken) {
    output::print_sources_failed(&summary.sources_failed);
    output::print_rejections(&summary.rejections);
    if !summary.mailboxes.is_empty() {
        say!("{}", table(summary.mailboxes.iter()).trim_fmt());
    }
    for (mailbox, entry) in &summary.mailboxes {
        if let Some(stopped) = &entry.stop {
            let cause = std::error::Error::source(stopped).map(|cause| format!(": {cause}")).unwrap_or_default();
            say!("{mailbox}: {stopped}{cause}");
            if let Some(hint) = stop_hint(stopped) {
                say!("  hint: {hint}");
            }
        }
    }
    for (mailbox, waiting) in summary.mailboxes.iter().map(|(mailbox, entry)| (mailbox, &entry.waiting)) {
        if waiting.count > 0 {
            let destinations: Vec<&str> = waiting.destinations.iter().map(Address::as_str).collect();
            let items = output::count_of(waiting.count as usize, "item stays", "items stay");
            say!("{mailbox}: {items} until created in the calendar of {}", destinations.join(", "));
            say!("  hint: look at why that calendar is not written: `calsyncd status`");
        }
    }
    let held: usize = summary.mailboxes.values().map(|entry| entry.held).sum();
    if held > 0 {
        say!("{} held back by the brake", count(held, "deletion"));
        say!(
            "  hint: `calsyncd held list` names them; bring the events back into the source, or let them go with `calsyncd held approve`"
        );
    }
    if stop.is_cancelled() {
        say!("stopped by a signal; the rest is due at the next run");
    }
}

/// The mailboxes as a table.
pub(super) fn table<'a>(mailboxes: impl Iterator<Item = (&'a Address, &'a MailboxSummary)>) -> comfy_table::Table {
    let head =
        ["mailbox", "created", "updated", "deleted", "as it should be", "held", "quarantine", "failed", "requests"];
    let mut table = output::table(&head, &[1, 2, 3, 4, 5, 6, 7, 8]);
    for (mailbox, entry) in mailboxes {
        table.add_row([
            Cell::new(mailbox),
            Cell::new(entry.done.created),
            Cell::new(entry.done.updated),
            Cell::new(entry.done.deleted),
            Cell::new(entry.kept),
            Cell::new(entry.held),
            Cell::new(entry.quarantined),
            Cell::new(entry.done.failed),
            Cell::new(entry.requests),
        ]);
    }
    table
}

fn as_json(summary: &Summary) -> serde_json::Value {
    let mailboxes: Vec<_> = summary
        .mailboxes
        .iter()
        .map(|(mailbox, entry)| {
            json!({
                "mailbox": mailbox.as_str(),
                "created": entry.done.created,
                "updated": entry.done.updated,
                "deleted": entry.done.deleted,
                "kept": entry.kept,
                "held": entry.held,
                "quarantined": entry.quarantined,
                "failed": entry.done.failed,
                "waiting": entry.waiting.count,
                "waits_for": entry.waiting.destinations.iter().map(Address::as_str).collect::<Vec<_>>(),
                "requests": entry.requests,
                "error": entry.stop.as_ref().map(ToString::to_string),
                "hint": entry.stop.as_ref().and_then(stop_hint),
            })
        })
        .collect();
    let failed: Vec<_> = summary
        .sources_failed
        .iter()
        .map(|(name, error)| json!({ "source": name, "error": output::chain(error), "hint": error.hint() }))
        .collect();
    let rejected = output::rejections_as_json(&summary.rejections);
    json!({ "mailboxes": mailboxes, "sources_failed": failed, "rejected": rejected, "ok": !has_failed(summary) })
}

/// The writes and requests of a run over all mailboxes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) deleted: u64,
    pub(super) requests: u64,
    pub(super) elapsed: Duration,
}

impl Totals {
    /// The totals of a summary.
    pub(super) fn of(summary: &Summary, elapsed: Duration) -> Self {
        let mut totals = Self { elapsed, ..Self::default() };
        for entry in summary.mailboxes.values() {
            totals.created += entry.done.created;
            totals.updated += entry.done.updated;
            totals.deleted += entry.done.deleted;
            totals.requests += entry.requests;
        }
        totals
    }

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            created: self.created + other.created,
            updated: self.updated + other.updated,
            deleted: self.deleted + other.deleted,
            requests: self.requests + other.requests,
            elapsed: self.elapsed + other.elapsed,
        }
    }

    /// Creates, updates and deletes.
    pub(super) const fn changes(self) -> u64 {
        self.created + self.updated + self.deleted
    }

    /// As JSON.
    pub(super) fn as_json(self) -> serde_json::Value {
        json!({
            "created": self.created,
            "updated": self.updated,
            "deleted": self.deleted,
            "changes": self.changes(),
            "seconds": (self.elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
            "requests": self.requests,
        })
    }
}

/// An engine's summary and how long it took.
pub(super) async fn timed(engine: &mut Engine) -> anyhow::Result<(Summary, Duration)> {
    let started = std::time::Instant::now();
    let summary = engine.once(&Cohort::everybody()).await.map_err(|error| setup::state_failure(&error))?;
    Ok((summary, started.elapsed()))
}
