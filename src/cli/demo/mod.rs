//! `calsyncd demo`: the sandbox, the sample data and the daemon on this machine, nothing to configure.

mod mirror;
mod samples;
mod shift;
mod stage;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use comfy_table::Cell;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::stage::{Face, Stage};
use super::{
    Outcome,
    output::{self, hinted, say},
    setup,
    sync::{Bar, Totals, has_failed, timed},
};
use crate::{
    observability::logging::{self, Form, Level},
    scheduler::{Progress, ProgressEvent, Summary},
};

/// The options of the demo.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) once: bool,
    pub(super) json: bool,
    pub(super) record: Option<PathBuf>,
    pub(super) listen: SocketAddr,
}

/// What one pass through both faces did.
struct Passes {
    ews: Summary,
    graph: Summary,
    ews_totals: Totals,
    graph_totals: Totals,
}

impl Passes {
    fn totals(&self) -> Totals {
        self.ews_totals.and(self.graph_totals)
    }

    fn has_failed(&self) -> bool {
        has_failed(&self.ews) || has_failed(&self.graph)
    }

    fn as_json(&self) -> serde_json::Value {
        let mut value = self.totals().as_json();
        if let Some(object) = value.as_object_mut() {
            object.insert("ews".to_owned(), self.ews_totals.as_json());
            object.insert("graph".to_owned(), self.graph_totals.as_json());
        }
        value
    }
}

/// Runs the demo.
pub(super) async fn demo(options: Options) -> Outcome {
    let stop = setup::stop_on_signal();
    let stage = Stage::build(options.listen, options.record.clone()).await?;
    say!("The sandbox listens on {}; its week page is {}", stage.url(), stage.week_page());
    say!("{} people, {} events in {}", stage.people(), stage.events(), stage.samples().display());
    let first = pass(&stage, "first pass", &stop).await?;
    say!("\nEach person has two calendars: one on-premises (EWS, impersonation), one in the cloud (Graph).\n");
    say!("{}\n", table(&first).trim_fmt());
    if stop.is_cancelled() {
        say!("stopped by a signal");
        stage.strike().await;
        return Ok(ExitCode::FAILURE);
    }
    let second = pass(&stage, "second pass", &stop).await?;
    print_totals("first pass", &first);
    print_totals("second pass", &second);
    let converged =
        second.totals().changes() == 0 && !first.has_failed() && !second.has_failed() && !stop.is_cancelled();
    output::print_rejections(&first.ews.rejections);
    if !converged {
        print_failures(&first);
        print_failures(&second);
    }
    say!("\nweek page: {}", stage.week_page());
    if !options.once && converged {
        follow(&stage, stop).await?;
    }
    if options.json {
        let object = json!({
            "first_pass": first.as_json(),
            "second_pass": second.as_json(),
            "mailboxes": first.ews.mailboxes.len() + first.graph.mailboxes.len(),
            "converged": converged,
            "page": stage.week_page(),
        });
        say!("{object}");
    }
    stage.strike().await;
    Ok(if converged { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn pass(stage: &Stage, title: &str, stop: &CancellationToken) -> anyhow::Result<Passes> {
    let (ews, ews_elapsed) = through(stage, Face::Ews, title, stop).await?;
    let (graph, graph_elapsed) = through(stage, Face::Graph, title, stop).await?;
    let ews_totals = Totals::of(&ews, ews_elapsed);
    let graph_totals = Totals::of(&graph, graph_elapsed);
    Ok(Passes { ews, graph, ews_totals, graph_totals })
}

async fn through(
    stage: &Stage,
    face: Face,
    title: &str,
    stop: &CancellationToken,
) -> anyhow::Result<(Summary, Duration)> {
    let bar = Bar::new(&format!("{title}, {}", face.title()));
    let mut engine = stage.engine(face, bar.progress(), stop.clone())?;
    let result = timed(&mut engine).await;
    bar.end();
    result
}

fn table(passes: &Passes) -> comfy_table::Table {
    let mut table =
        output::table(&["mailbox", "through", "created", "updated", "deleted", "failed", "requests"], &[2, 3, 4, 5, 6]);
    for (face, summary) in [(Face::Ews, &passes.ews), (Face::Graph, &passes.graph)] {
        for (mailbox, entry) in &summary.mailboxes {
            table.add_row([
                Cell::new(mailbox),
                Cell::new(face.title()),
                Cell::new(entry.done.created),
                Cell::new(entry.done.updated),
                Cell::new(entry.done.deleted),
                Cell::new(entry.done.failed),
                Cell::new(entry.requests),
            ]);
        }
    }
    table
}

fn print_totals(title: &str, passes: &Passes) {
    for (face, totals) in [(Face::Ews, passes.ews_totals), (Face::Graph, passes.graph_totals)] {
        say!(
            "{title:<11} {:<5} {} changes ({} created, {} updated, {} deleted), {} requests, {}",
            face.title(),
            totals.changes(),
            totals.created,
            totals.updated,
            totals.deleted,
            totals.requests,
            output::seconds(totals.elapsed),
        );
    }
}

fn print_failures(passes: &Passes) {
    for summary in [&passes.ews, &passes.graph] {
        output::print_sources_failed(&summary.sources_failed);
        for (mailbox, entry) in &summary.mailboxes {
            if let Some(stop) = &entry.stop {
                say!("{mailbox}: {stop}");
                if let Some(hint) = output::stop_hint(stop) {
                    say!("  hint: {hint}");
                }
            }
        }
    }
}

/// Goes on until a signal: changes of the sample files reach the calendars.
async fn follow(stage: &Stage, stop: CancellationToken) -> anyhow::Result<()> {
    say!("\nEdit a file in {} and look at the week page; Ctrl-C ends the demo.", stage.samples().display());
    // A sample file with a fault in it says so.
    logging::init(Form::Human, Level::Warn)
        .map_err(|error| hinted(format!("cannot set up the log: {error}"), "this is a defect: please report it"))?;
    let mut engines = tokio::task::JoinSet::new();
    let mut commands = Vec::new();
    for face in [Face::Ews, Face::Graph] {
        let (sender, receiver) = mpsc::channel(1);
        commands.push(sender);
        engines.spawn(stage.engine(face, changes(), stop.clone())?.run(receiver));
    }
    stage.mirror(stop.clone()).await;
    while let Some(end) = engines.join_next().await {
        end?.map_err(|error| setup::state_failure(&error))?;
    }
    Ok(())
}

/// Prints a line for each mailbox that changes.
fn changes() -> Progress {
    Progress::to(|event| {
        if let ProgressEvent::Finished(report) = event
            && (report.done.changes() > 0 || report.stop.is_some())
        {
            let done = report.done;
            say!(
                "{}: {} created, {} updated, {} deleted{}",
                report.mailbox,
                done.created,
                done.updated,
                done.deleted,
                report.stop.as_ref().map(|stop| format!("; {stop}")).unwrap_or_default()
            );
        }
    })
}
