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
    Outcome, check, held, history,
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
    state::{
        Access, Held, MailboxPlace, MailboxState, Parked, Refused, RejectedEvent, SourceCount, Standing, StateError,
        Store, Wait, WaitScope,
    },
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
    waits: Vec<Wait>,
    places: BTreeMap<Address, MailboxPlace>,
    standings: Vec<(Address, Standing)>,
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
        waits: store.waits().await?,
        places: store.places().await?,
        standings: store.standings(None).await?,
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
        output::table(&["mailbox", "items", "by", "last pass", "calendar read", "parked until", "roll-out"], &[1]);
    for (state, links) in &status.mailboxes {
        let parked = state.parked.as_ref();
        table.add_row([
            Cell::new(&state.mailbox),
            Cell::new(links),
            Cell::new(status.places.get(&state.mailbox).map_or_else(String::new, |place| place.side.to_string())),
            Cell::new(time(state.finished_at)),
            Cell::new(time(state.read_at)),
            Cell::new(time(parked.map(|parked| parked.until))),
            Cell::new(if status.rollout.contains(&state.mailbox) { "in" } else { "left as it is" }),
        ]);
    }
    say!("{}", table.trim_fmt());
    for (state, _) in &status.mailboxes {
        if let Some(parked) = &state.parked {
            say!("parked      {}: {}", state.mailbox, parked_text(parked));
            if let Some(hint) = &parked.hint {
                say!("            hint: {hint}");
            }
        }
    }
    for wait in &status.waits {
        say!("waits       {}", wait_text(wait));
        if let Some(hint) = &wait.hint {
            say!("            hint: {hint}");
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
        let (since, next) = (history::time(refused.since), history::time(refused.retry_at));
        let (code, message) = (&refused.code, &refused.message);
        say!("refused     {} {}: {code} {message} (since {since}, next try {next})", refused.mailbox, refused.key);
    }
    for (mailbox, standing) in &status.standings {
        say!("{:<11} {mailbox} {}: {}", shown_as(standing), standing.key, standing_text(standing));
    }
    for rejected in &status.rejected {
        let rejection = &rejected.rejection;
        let since = history::time(rejected.since);
        say!(
            "quarantine  {} {}: {} (since {since}, next try when its source is read)",
            rejected.source,
            rejection.place,
            rejection.reason
        );
    }
}

/// Why a mailbox is left alone, in words.
pub(super) fn parked_text(parked: &Parked) -> String {
    let (since, until) = (history::time(parked.since), history::time(parked.until));
    format!("{}: {} (since {since}, next try {until})", parked.code, parked.message)
}

pub(super) fn parked_json(parked: &Parked) -> serde_json::Value {
    json!({
        "since": parked.since.to_string(),
        "until": parked.until.to_string(),
        "code": parked.code,
        "message": parked.message,
        "hint": parked.hint,
        "asked": parked.asked,
    })
}

/// Who is left alone, and why, in words.
pub(super) fn wait_text(wait: &Wait) -> String {
    let who = match &wait.scope {
        WaitScope::Credential(side) => format!("the credential of {side} is refused"),
        WaitScope::Server(side) => format!("the server of {side} is left alone"),
        WaitScope::Source(name) => format!("source {name}"),
    };
    let (since, until) = (history::time(wait.since), history::time(wait.until));
    format!("{who}: {}: {} (since {since}, next try {until})", wait.code, wait.message)
}

pub(super) fn wait_json(wait: &Wait) -> serde_json::Value {
    let (scope, side, source) = match &wait.scope {
        WaitScope::Credential(side) => ("credential", Some(side.as_str()), None),
        WaitScope::Server(side) => ("server", Some(side.as_str()), None),
        WaitScope::Source(name) => ("source", None, Some(name)),
    };
    json!({
        "scope": scope,
        "side": side,
        "source": source,
        "since": wait.since.to_string(),
        "until": wait.until.to_string(),
        "code": wait.code,
        "message": wait.message,
        "hint": wait.hint,
        "asked": wait.asked,
    })
}

fn shown_as(standing: &Standing) -> &'static str {
    if standing.action == "quarantine" { "quarantine" } else { "stays" }
}

/// What stands without a write, in words.
pub(super) fn standing_text(standing: &Standing) -> String {
    let next = standing.retry_at.map(|at| format!(", next try {}", history::time(at))).unwrap_or_default();
    format!("{} (since {}{next})", standing.code.replace('_', " "), history::time(standing.since))
}

pub(super) fn standing_json(standing: &Standing) -> serde_json::Value {
    json!({
        "key": standing.key.as_str(),
        "action": standing.action,
        "code": standing.code,
        "since": standing.since.to_string(),
        "retry_at": standing.retry_at.map(|at| at.to_string()),
    })
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

fn refused_json(refused: &Refused) -> serde_json::Value {
    json!({
        "mailbox": refused.mailbox.as_str(),
        "key": refused.key.as_str(),
        "code": refused.code,
        "message": refused.message,
        "since": refused.since.to_string(),
        "retry_at": refused.retry_at.to_string(),
    })
}

fn rejected_json(rejected: &RejectedEvent) -> serde_json::Value {
    let rejection = &rejected.rejection;
    json!({
        "source": rejected.source,
        "key": rejection.key.as_ref().map(SourceKey::as_str),
        "place": rejection.place,
        "reason": rejection.reason,
        "since": rejected.since.to_string(),
    })
}

fn as_json(status: &Status) -> serde_json::Value {
    let text = |instant: Option<Timestamp>| instant.map(|instant| instant.to_string());
    let mailboxes: Vec<_> = status
        .mailboxes
        .iter()
        .map(|(state, links)| {
            let parked = state.parked.as_ref().map(parked_json);
            json!({
                "mailbox": state.mailbox.as_str(),
                "items": links,
                "side": status.places.get(&state.mailbox).map(|place| place.side.as_str()),
                "finished_at": text(state.finished_at),
                "read_at": text(state.read_at),
                "parked": parked,
                "in_rollout": status.rollout.contains(&state.mailbox),
            })
        })
        .collect();
    let held: Vec<_> = status.held.iter().map(held::as_json).collect();
    let refused: Vec<_> = status.refused.iter().map(refused_json).collect();
    let rejected: Vec<_> = status.rejected.iter().map(rejected_json).collect();
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
    let standings: Vec<_> = status
        .standings
        .iter()
        .map(|(mailbox, standing)| {
            let mut json = standing_json(standing);
            json["mailbox"] = mailbox.as_str().into();
            json
        })
        .collect();
    json!({
        "credentials": credentials_json(&status.credentials),
        "sources": sources,
        "rollout": rollout_json(&status.rollout),
        "mailboxes": mailboxes,
        "waits": status.waits.iter().map(wait_json).collect::<Vec<_>>(),
        "held": held,
        "refused": refused,
        "standing": standings,
        "quarantine": rejected,
    })
}
