//! `calsyncd purge`: removes everything of ours from one calendar, after asking.

use std::{
    io::{self, IsTerminal},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    Outcome, PurgeArguments, check,
    output::{self, count, hinted, say, stop_hint},
    setup,
    sync::Bar,
};
use crate::{
    clock::{Clock, SystemClock},
    model::address::Address,
    scheduler::{PassStop, Purge},
    settings::Strictness,
    state::Access,
};

/// Looks, asks and removes.
pub(super) async fn purge(config: Option<&Path>, arguments: &PurgeArguments) -> Outcome {
    let mailbox = setup::address(&arguments.mailbox)?;
    let settings = match setup::load_settings(config, Strictness::Run) {
        Ok(loaded) => loaded.settings,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    // Alone: a daemon would write again what is removed here.
    let store = setup::open_state(&settings, Access::Exclusive).await?;
    let parked = setup::parked_sides(&settings, &store, arguments.credential.try_credential).await?;
    let stop = setup::stop_on_signal();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wiring = setup::wiring(&settings, &store, &parked)?;
    setup::keep_pause(&wiring, &store).await?;
    let found = Purge::look(wiring, store.clone(), clock, &mailbox, stop.clone()).await;
    let found = found.map_err(|stop| failure(&mailbox, &stop))?;
    let (items, copies, comes_back) = (found.items(), found.copies(), found.comes_back());
    if items > 0 && !arguments.yes && !is_agreed(&mailbox, &found, &stop).await? {
        store.close().await;
        return Err(hinted("nothing was removed", "type the address of the mailbox to agree"));
    }
    // Not before the question: it would be drawn over.
    let bar = Bar::new("purge");
    let (done, stop) = found.carry_out(bar.progress()).await;
    bar.end();
    store.close().await;
    if arguments.json {
        say!(
            "{}",
            json!({
                "mailbox": mailbox.as_str(), "found": items, "removed": done.deleted, "failed": done.failed,
                "copies_left": copies, "comes_back": comes_back, "error": stop.as_ref().map(ToString::to_string),
            })
        );
    } else {
        let copies = if copies > 0 { format!(", {} left alone", copies_of(copies)) } else { String::new() };
        say!("{mailbox}: {} of {} removed{copies}", done.deleted, count(items, "item"));
        say!("{}", told(comes_back));
    }
    match stop {
        Some(stop) => Err(failure(&mailbox, &stop)),
        None if done.failed > 0 => Ok(ExitCode::FAILURE),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// What the next pass does here: the source is the reference, and a calendar is not left empty by what nobody can see.
fn told(comes_back: Option<usize>) -> String {
    let again = match comes_back {
        Some(0) => {
            return "Nothing of it comes back: no job has an event for this mailbox, or [rollout] leaves it out."
                .to_owned();
        }
        Some(items) => format!("The next pass writes {} there again", count(items, "item")),
        None => "A source cannot be read: the next pass may write its events there again".to_owned(),
    };
    format!("{again}; name the mailbox in [rollout] except, and it stays as it is.")
}

fn copies_of(copies: usize) -> String {
    output::count_of(copies, "copy that a user made", "copies that users made")
}

/// Asks, where somebody can answer. A signal is a no.
async fn is_agreed(mailbox: &Address, found: &Purge, stop: &CancellationToken) -> anyhow::Result<bool> {
    let question = format!("{} of ours would be removed from the calendar of {mailbox}", count(found.items(), "item"));
    if !io::stdin().is_terminal() {
        return Err(hinted(
            format!("{question}, and nobody can be asked"),
            "run it on a terminal, or say --yes; nothing was removed",
        ));
    }
    output::complain(format_args!("{question}, past ones too."));
    if found.copies() > 0 {
        output::complain(format_args!("Left alone: {}.", copies_of(found.copies())));
    }
    output::complain(format_args!("{}", told(found.comes_back())));
    output::complain(format_args!("Type {mailbox} to go on:"));
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    });
    tokio::select! {
        answer = answer => Ok(Address::parse(answer??.trim()).is_ok_and(|answer| answer == *mailbox)),
        () = stop.cancelled() => Ok(false),
    }
}

fn failure(mailbox: &Address, stop: &PassStop) -> anyhow::Error {
    let cause = std::error::Error::source(stop).map(|cause| format!(": {cause}")).unwrap_or_default();
    let hint = stop_hint(stop).unwrap_or("run it again: what is removed is written down");
    hinted(format!("{mailbox}: {stop}{cause}"), hint)
}
