//! `calsyncd held`: the deletions that the brake keeps back, and what an operator says of them.

use std::{path::Path, process::ExitCode};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    HeldArguments, Outcome, check,
    output::{self, count, hinted, say},
    setup,
};
use crate::{
    clock::{Clock, SystemClock},
    model::{address::Address, hold::Verdict, key::SourceKey},
    settings::{Environment, Settings, Strictness},
    state::{Access, Decision, Held, Store},
};

/// Lists the held deletions.
pub(super) async fn list(config: Option<&Path>, mailbox: Option<&str>, json: bool) -> Outcome {
    let mailbox = mailbox.map(setup::address).transpose()?;
    let settings = match setup::load_settings(config, Strictness::Check) {
        Ok(loaded) => loaded.settings,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    let store = setup::look_at_state(&settings).await?;
    let held = store.holds(mailbox.as_ref()).await.map_err(|error| setup::state_failure(&error))?;
    if json {
        say!("{}", json!({ "held": held.iter().map(as_json).collect::<Vec<_>>() }));
    } else if held.is_empty() {
        say!("no deletion is held");
    } else {
        for held in &held {
            say!("{} {}: {}", held.mailbox, held.key, text(held));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Approves or rejects held deletions.
pub(super) async fn decide(config: Option<&Path>, verdict: Verdict, arguments: &HeldArguments) -> Outcome {
    let mailbox = arguments.mailbox.as_deref().map(setup::address).transpose()?;
    let settings = match setup::load_settings(config, Strictness::Check) {
        Ok(loaded) => loaded.settings,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    let store = open(&settings).await?;
    let held = store.holds(mailbox.as_ref()).await.map_err(|error| setup::state_failure(&error))?;
    let chosen = chosen(&held, arguments, mailbox.as_ref())?;
    let by = arguments.by.clone().or_else(Environment::user).unwrap_or_else(|| "somebody".to_owned());
    let decision = Decision { verdict, by, at: SystemClock.now() };
    let decided = store.decide_holds(&chosen, &decision).await.map_err(|error| setup::state_failure(&error))?;
    let whole = arguments.source.is_some() || arguments.all && mailbox.is_none();
    let accepted = if whole && verdict == Verdict::Approved {
        let accepted = store.accept_source_counts(arguments.source.as_deref()).await;
        accepted.map_err(|error| setup::state_failure(&error))?
    } else {
        0
    };
    store.close().await;
    let word = verdict.as_str();
    if arguments.json {
        let keys: Vec<_> =
            chosen.iter().map(|held| json!({ "mailbox": held.mailbox.as_str(), "key": held.key.as_str() })).collect();
        say!(
            "{}",
            json!({ "verdict": word, "by": decision.by, "decided": decided, "sources_accepted": accepted, "held": keys })
        );
    } else {
        say!("{word} by {}: {}", decision.by, count(usize::try_from(decided).unwrap_or(usize::MAX), "deletion"));
        if accepted > 0 {
            say!("what {} now is taken for right", output::count_of(accepted as usize, "source holds", "sources hold"));
        }
        if verdict == Verdict::Approved && decided > 0 {
            say!("a running daemon removes the items at the next turn of their mailboxes; `calsyncd sync` does it now");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The state, to write decisions beside a daemon that runs.
async fn open(settings: &Settings) -> anyhow::Result<Store> {
    if settings.state.path.exists() {
        return setup::open_state(settings, Access::Shared).await;
    }
    let message = format!("there is no state at {}, so that nothing is held", settings.state.path.display());
    Err(hinted(message, "look at [state] path: it has to be that of the daemon"))
}

/// The deletions that the arguments name.
fn chosen<'a>(held: &'a [Held], arguments: &HeldArguments, mailbox: Option<&Address>) -> anyhow::Result<Vec<&'a Held>> {
    let undecided = held.iter().filter(|held| held.decision.is_none());
    if arguments.all {
        return Ok(undecided.collect());
    }
    if let Some(source) = &arguments.source {
        return Ok(undecided.filter(|held| held.key.source() == source).collect());
    }
    let mut chosen = Vec::new();
    for text in &arguments.keys {
        let before = chosen.len();
        chosen.extend(held.iter().filter(|held| held.key.as_str() == text));
        if chosen.len() == before {
            let place = mailbox.map(|mailbox| format!(" in {mailbox}")).unwrap_or_default();
            return Err(hinted(
                format!("no deletion of {text} is held{place}; nothing was decided"),
                "`calsyncd held list` names what is held",
            ));
        }
    }
    Ok(chosen)
}

/// One held deletion in words, without its mailbox and its key.
pub(super) fn text(held: &Held) -> String {
    let decided = held
        .decision
        .as_ref()
        .map(|decision| format!("; {} by {} at {}", decision.verdict.as_str(), decision.by, time(decision.at)));
    format!("{} (since {}{})", held.reason, time(held.since), decided.unwrap_or_default())
}

/// One held deletion as JSON.
pub(super) fn as_json(held: &Held) -> Value {
    let decision = held.decision.as_ref();
    json!({
        "mailbox": held.mailbox.as_str(),
        "key": SourceKey::as_str(&held.key),
        "reason": held.reason,
        "since": held.since.to_string(),
        "verdict": decision.map(|decision| decision.verdict.as_str()),
        "decided_by": decision.map(|decision| decision.by.as_str()),
        "decided_at": decision.map(|decision| decision.at.to_string()),
    })
}

fn time(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}
