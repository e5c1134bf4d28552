//! `calsyncd purge`: removes everything of ours from one calendar, after asking.

use std::{
    io::{self, IsTerminal},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use serde_json::json;

use super::{
    Outcome, PurgeArguments, check,
    output::{self, count, hinted, say, stop_hint},
    setup,
    sync::Bar,
};
use crate::{
    clock::{Clock, SystemClock},
    daemon::wire,
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
    let stop = setup::stop_on_signal();
    let bar = Bar::new("purge");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wiring = Arc::new(wire(&settings, store.owner(), &clock)?);
    let looked = Purge::look(wiring, store.clone(), clock, &mailbox, bar.progress(), stop).await;
    let found = looked.map_err(|stop| failure(&mailbox, &stop))?;
    let (items, copies) = (found.items(), found.copies());
    if items > 0 && !arguments.yes && !is_agreed(&mailbox, items, copies)? {
        store.close().await;
        return Err(hinted("nothing was removed", "type the address of the mailbox to agree"));
    }
    let (done, stop) = found.carry_out().await;
    bar.end();
    store.close().await;
    if arguments.json {
        say!(
            "{}",
            json!({
                "mailbox": mailbox.as_str(), "found": items, "removed": done.deleted, "failed": done.failed,
                "copies_left": copies, "error": stop.as_ref().map(ToString::to_string),
            })
        );
    } else {
        let copies =
            if copies > 0 { format!(", {} left alone", count(copies, "copy of users")) } else { String::new() };
        say!("{mailbox}: {} of {} removed{copies}", done.deleted, count(items, "item"));
    }
    match stop {
        Some(stop) => Err(failure(&mailbox, &stop)),
        None if done.failed > 0 => Ok(ExitCode::FAILURE),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Asks, where somebody can answer.
fn is_agreed(mailbox: &Address, items: usize, copies: usize) -> anyhow::Result<bool> {
    let question = format!("{} of ours would be removed from the calendar of {mailbox}", count(items, "item"));
    if !io::stdin().is_terminal() {
        return Err(hinted(
            format!("{question}, and nobody can be asked"),
            "run it on a terminal, or say --yes; nothing was removed",
        ));
    }
    output::complain(format_args!("{question}, past ones too."));
    if copies > 0 {
        output::complain(format_args!("{copies} more are copies that users made: they stay."));
    }
    output::complain(format_args!("As long as a job chooses this mailbox, the next pass writes its events again."));
    output::complain(format_args!("Type {mailbox} to go on:"));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(Address::parse(answer.trim()).is_ok_and(|answer| answer == *mailbox))
}

fn failure(mailbox: &Address, stop: &PassStop) -> anyhow::Error {
    let cause = std::error::Error::source(stop).map(|cause| format!(": {cause}")).unwrap_or_default();
    let hint = stop_hint(stop).unwrap_or("run it again: what is removed is written down");
    hinted(format!("{mailbox}: {stop}{cause}"), hint)
}
