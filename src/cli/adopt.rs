//! `calsyncd adopt`: rebuilds the links from the calendars; with `--take-over`, after asking, also of what another instance wrote.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    AdoptArguments, Outcome, check,
    output::{self, count, hinted, say, stop_hint},
    setup,
    sync::Bar,
};
use crate::{
    clock::{Clock, SystemClock},
    model::address::Address,
    plan::Adopted,
    scheduler::{Adoptions, Owners, PassStop},
    settings::Strictness,
    state::{Access, Store},
};

/// What is typed to agree.
const AGREED: &str = "take over";

/// Reads, asks where it takes over, and rebuilds.
pub(super) async fn adopt(config: Option<&Path>, arguments: &AdoptArguments) -> Outcome {
    let settings = match setup::load_settings(config, Strictness::Run) {
        Ok(loaded) => loaded.settings,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    let asked = arguments.cohort.cohort(&settings.rollout)?;
    // Alone: a daemon would write links of its own meanwhile.
    let access = if arguments.take_over { Access::TakeOver } else { Access::Exclusive };
    let store = setup::open_state(&settings, access).await?;
    let stop = setup::stop_on_signal();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let parked = setup::parked_sides(&settings, &store, arguments.credential.try_credential).await?;
    let wiring = setup::wiring(&settings, &store, &parked)?;
    setup::keep_pause(&wiring, &store).await?;
    let adoptions = Adoptions::begin(wiring, store.clone(), Arc::clone(&clock), &asked, stop.clone()).await;
    let mut adoptions = adoptions.map_err(|error| setup::state_failure(&error))?;
    output::print_sources_failed(&adoptions.sources_failed);
    let mut store = store;
    let mut owners = Owners::new();
    if arguments.take_over {
        owners = others(&store, &adoptions).await?;
        let moved = store.elsewhere().map(ToString::to_string);
        if (moved.is_some() || !owners.is_empty())
            && !arguments.yes
            && !is_agreed(&owners, moved.as_deref(), &stop).await?
        {
            store.close().await;
            return Err(hinted("nothing was taken over", format!("type `{AGREED}` to agree")));
        }
        if moved.is_some() {
            store = store.renamed().await.map_err(|error| setup::state_failure(&error))?;
            let wiring = setup::wiring(&settings, &store, &parked)?;
            setup::keep_pause(&wiring, &store).await?;
            adoptions = adoptions.renamed(wiring, store.clone());
        }
    }
    let bar = Bar::new("adopt");
    let adoptions = adoptions.told(bar.progress());
    let results = adoptions.carry_out(arguments.take_over).await;
    bar.end();
    let failed = !adoptions.sources_failed.is_empty() || results.iter().any(|(_, result)| result.is_err());
    if arguments.json {
        say!("{}", as_json(&store, &owners, &results, &adoptions, !failed));
    } else {
        results.iter().for_each(|(mailbox, result)| say!("{}", line(mailbox, result)));
        if results.is_empty() {
            say!("no mailbox is known: no source names one, and the state is empty; name them with --mailbox");
        }
    }
    store.close().await;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The other instances, and how many items each marked. A calendar that cannot be read now is one that would be half taken.
async fn others(store: &Store, adoptions: &Adoptions) -> anyhow::Result<Owners> {
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    for (mailbox, found) in adoptions.look().await {
        let found = found.map_err(|stop| failure(&mailbox, &stop))?;
        for (owner, items) in found {
            if store.elsewhere().is_some() || owner != store.owner().0 {
                *owners.entry(owner).or_default() += items;
            }
        }
    }
    Ok(owners)
}

/// Asks, where somebody can answer. A signal is a no.
async fn is_agreed(owners: &Owners, moved: Option<&str>, stop: &CancellationToken) -> anyhow::Result<bool> {
    let of = |(owner, items): (&String, &usize)| format!("{} of instance {owner}", count(*items, "item"));
    let items =
        if owners.is_empty() { "nothing".to_owned() } else { owners.iter().map(of).collect::<Vec<_>>().join(", ") };
    let question = format!("{items} would be taken over");
    if !io::stdin().is_terminal() {
        return Err(hinted(
            format!("{question}, and nobody can be asked"),
            "stop the other instance, then run it on a terminal, or say --yes; nothing was written",
        ));
    }
    output::complain(format_args!("{question}."));
    if let Some(moved) = moved {
        output::complain(format_args!(
            "This state was copied or moved; it is that of {moved}. It gets a name of its own."
        ));
    }
    output::complain(format_args!("The other instance has to be stopped: from now on it is refused these calendars."));
    output::complain(format_args!("Type `{AGREED}` to go on:"));
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    });
    tokio::select! {
        answer = answer => Ok(answer??.trim() == AGREED),
        () = stop.cancelled() => Ok(false),
    }
}

fn line(mailbox: &Address, result: &Result<Adopted, PassStop>) -> String {
    match result {
        Ok(adopted) => {
            let mut parts = vec![
                format!("{} linked", adopted.linked),
                format!("{} known", adopted.known),
                format!("{} corrected", adopted.corrected),
            ];
            let more = [
                (adopted.changed, "changed in Outlook"),
                (adopted.missing, "missing"),
                (adopted.unwanted, "not wanted now"),
                (adopted.copies, "copies left alone"),
            ];
            parts.extend(
                more.iter().filter(|(number, _)| *number > 0).map(|(number, words)| format!("{number} {words}")),
            );
            format!("{mailbox}: {}", parts.join(", "))
        }
        Err(stop) => {
            let hint = stop_hint(stop).map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
            format!("{mailbox}: not adopted: {stop}{hint}")
        }
    }
}

fn as_json(
    store: &Store,
    owners: &Owners,
    results: &[(Address, Result<Adopted, PassStop>)],
    adoptions: &Adoptions,
    ok: bool,
) -> serde_json::Value {
    let one = |(mailbox, result): &(Address, Result<Adopted, PassStop>)| match result {
        Ok(adopted) => json!({
            "mailbox": mailbox.as_str(), "linked": adopted.linked, "known": adopted.known,
            "corrected": adopted.corrected, "changed": adopted.changed, "missing": adopted.missing,
            "unwanted": adopted.unwanted, "copies": adopted.copies, "error": null, "hint": null, "foreign": null,
        }),
        Err(stop) => json!({
            "mailbox": mailbox.as_str(), "error": stop.to_string(), "hint": stop_hint(stop),
            "foreign": super::plan_json::foreign(stop),
        }),
    };
    let failed = adoptions.sources_failed.iter();
    let failed = failed.map(|(name, error)| json!({ "source": name, "error": output::chain(error) }));
    json!({
        "instance": store.owner().0,
        "taken_over": owners,
        "mailboxes": results.iter().map(one).collect::<Vec<_>>(),
        "sources_failed": failed.collect::<Vec<_>>(),
        "ok": ok,
    })
}

fn failure(mailbox: &Address, stop: &PassStop) -> anyhow::Error {
    let cause = std::error::Error::source(stop).map(|cause| format!(": {cause}")).unwrap_or_default();
    hinted(format!("{mailbox}: {stop}{cause}"), stop_hint(stop).unwrap_or("nothing was taken over: run it again"))
}
