//! `calsyncd status`: what the state tells, whether a daemon runs or not.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::ExitCode,
};

use comfy_table::Cell;
use jiff::Timestamp;
use serde_json::json;

use super::{
    Outcome, check, held,
    output::{self, say},
    setup,
};
use crate::{
    clock::{Clock, SystemClock},
    model::{address::Address, cohort::Cohort, key::SourceKey},
    settings::{
        Strictness,
        expiry::{Expiry, Stage, expiries},
    },
    state::{Access, Held, MailboxState, Refused, RejectedEvent, SourceCount, StateError, Store},
};

#[derive(Default)]
struct Status {
    rollout: Cohort,
    credentials: Vec<Expiry>,
    mailboxes: Vec<(MailboxState, u64)>,
    held: Vec<Held>,
    refused: Vec<Refused>,
    rejected: Vec<RejectedEvent>,
    sources: Vec<SourceCount>,
}

/// Prints the status.
pub(super) async fn status(config: Option<&Path>, json: bool) -> Outcome {
    let settings = match setup::load_settings(config, Strictness::Check) {
        Ok(loaded) => loaded.settings,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    let credentials = expiries(&settings, SystemClock.now());
    let path = &settings.state.path;
    if !path.exists() {
        if json {
            say!("{}", as_json(&Status { rollout: settings.rollout, credentials, ..Status::default() }));
        } else {
            credentials.iter().for_each(say_expiry);
            say!("nothing yet: there is no state at {}, as neither `run` nor `sync` has been there", path.display());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let store = setup::open_state(&settings, Access::Shared).await?;
    let status = collect(&store, settings.rollout, credentials).await.map_err(|error| setup::state_failure(&error))?;
    if json {
        say!("{}", as_json(&status));
    } else {
        print(&status);
    }
    Ok(ExitCode::SUCCESS)
}

async fn collect(store: &Store, rollout: Cohort, credentials: Vec<Expiry>) -> Result<Status, StateError> {
    let links: BTreeMap<_, _> = store.link_counts().await?.into_iter().collect();
    let mailboxes = store.mailboxes().await?;
    Ok(Status {
        rollout,
        credentials,
        mailboxes: mailboxes
            .into_iter()
            .map(|state| {
                let count = links.get(&state.mailbox).copied().unwrap_or_default();
                (state, count)
            })
            .collect(),
        held: store.holds(None).await?,
        refused: store.refusals(None).await?,
        rejected: store.rejections().await?,
        sources: store.source_counts().await?,
    })
}

/// A credential that comes to its end; the others are in `--json`.
fn say_expiry(expiry: &Expiry) {
    if expiry.stage != Stage::Far {
        say!("credential  {}", expiry.message());
        say!("            hint: {}", Expiry::hint());
    }
}

fn time(instant: Option<Timestamp>) -> String {
    instant.map_or_else(String::new, |instant| instant.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

fn print(status: &Status) {
    if !status.rollout.is_everybody() {
        say!("roll-out    {}", rollout_text(&status.rollout));
    }
    status.credentials.iter().for_each(say_expiry);
    let mut table =
        output::table(&["mailbox", "items", "last pass", "calendar read", "parked until", "roll-out"], &[1]);
    for (state, links) in &status.mailboxes {
        let parked = state.parked.as_ref();
        table.add_row([
            Cell::new(&state.mailbox),
            Cell::new(links),
            Cell::new(time(state.finished_at)),
            Cell::new(time(state.read_at)),
            Cell::new(time(parked.map(|parked| parked.until))),
            Cell::new(if status.rollout.contains(&state.mailbox) { "in" } else { "left as it is" }),
        ]);
    }
    say!("{}", table.trim_fmt());
    for (state, _) in &status.mailboxes {
        if let Some(parked) = &state.parked {
            say!("parked      {}: {}: {}", state.mailbox, parked.code, parked.message);
            if let Some(hint) = &parked.hint {
                say!("            hint: {hint}");
            }
        }
    }
    for count in &status.sources {
        if let Some(since) = count.shrunk_since {
            let (source, latest, accepted) = (&count.source, count.latest, count.accepted);
            say!("shrunk      {source}: {latest} events, {accepted} before (since {})", time(Some(since)));
            say!(
                "            hint: its deletions are held; when it is meant: `calsyncd held approve --source {source}`"
            );
        }
    }
    for held in &status.held {
        say!("held        {} {}: {}", held.mailbox, held.key, held::text(held));
    }
    for refused in &status.refused {
        say!("refused     {} {}: {} {}", refused.mailbox, refused.key, refused.code, refused.message);
    }
    for rejected in &status.rejected {
        let rejection = &rejected.rejection;
        say!("quarantine  {} {}: {}", rejected.source, rejection.place, rejection.reason);
    }
}

/// Who takes part, in words.
fn rollout_text(rollout: &Cohort) -> String {
    let chosen = match (rollout.named(), rollout.share()) {
        (Some(named), Some(share)) => format!("{share} of all mailboxes, and {} named", named.len()),
        (_, _) => "all mailboxes".to_owned(),
    };
    if rollout.except().is_empty() { chosen } else { format!("{chosen}, without {}", rollout.except().len()) }
}

fn rollout_json(rollout: &Cohort) -> serde_json::Value {
    let list = |mailboxes: &BTreeSet<Address>| mailboxes.iter().map(|one| one.as_str().to_owned()).collect::<Vec<_>>();
    json!({
        "mailboxes": rollout.named().map(list),
        "share": rollout.share().map(|share| share.to_string()),
        "except": list(rollout.except()),
    })
}

fn credentials_json(credentials: &[Expiry]) -> Vec<serde_json::Value> {
    let one = |expiry: &Expiry| {
        json!({
            "credential": expiry.key,
            "ends": expiry.ends.to_string(),
            "days_left": expiry.days_left,
            "state": expiry.stage.as_str(),
        })
    };
    credentials.iter().map(one).collect()
}

fn as_json(status: &Status) -> serde_json::Value {
    let text = |instant: Option<Timestamp>| instant.map(|instant| instant.to_string());
    let mailboxes: Vec<_> = status
        .mailboxes
        .iter()
        .map(|(state, links)| {
            let parked = state.parked.as_ref().map(|parked| {
                json!({ "until": parked.until.to_string(), "code": parked.code, "message": parked.message, "hint": parked.hint })
            });
            json!({
                "mailbox": state.mailbox.as_str(),
                "items": links,
                "finished_at": text(state.finished_at),
                "read_at": text(state.read_at),
                "parked": parked,
                "in_rollout": status.rollout.contains(&state.mailbox),
            })
        })
        .collect();
    let held: Vec<_> = status.held.iter().map(held::as_json).collect();
    let refused: Vec<_> = status
        .refused
        .iter()
        .map(|refused| {
            json!({
                "mailbox": refused.mailbox.as_str(),
                "key": refused.key.as_str(),
                "code": refused.code,
                "message": refused.message,
                "since": refused.since.to_string(),
                "retry_at": refused.retry_at.to_string(),
            })
        })
        .collect();
    let rejected: Vec<_> = status
        .rejected
        .iter()
        .map(|rejected| {
            let rejection = &rejected.rejection;
            json!({
                "source": rejected.source,
                "key": rejection.key.as_ref().map(SourceKey::as_str),
                "place": rejection.place,
                "reason": rejection.reason,
                "since": rejected.since.to_string(),
            })
        })
        .collect();
    let sources: Vec<_> = status
        .sources
        .iter()
        .map(|count| {
            json!({
                "source": count.source,
                "events": count.latest,
                "events_before": count.accepted,
                "read_at": count.read_at.to_string(),
                "shrunk_since": text(count.shrunk_since),
            })
        })
        .collect();
    json!({ "credentials": credentials_json(&status.credentials), "sources": sources, "rollout": rollout_json(&status.rollout), "mailboxes": mailboxes, "held": held, "refused": refused, "quarantine": rejected })
}
