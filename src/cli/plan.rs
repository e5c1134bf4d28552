//! `calsyncd plan`: what a run would do, and why.

use std::{path::Path, process::ExitCode, sync::Arc};

use serde_json::json;

use super::{
    Outcome, check, left_out,
    output::{self, hinted, say},
    setup,
};
use crate::{
    clock::{Clock, SystemClock},
    daemon::wire,
    plan::{Action, Plan, wall},
    scheduler::{Plans, Progress, plans},
    settings::Strictness,
};

/// The exit status when there is something to do.
const SOMETHING: u8 = 10;

/// Plans every mailbox, or one, and prints the plans.
pub(super) async fn plan(config: Option<&Path>, mailbox: Option<&str>, verbose: bool, json: bool) -> Outcome {
    let only = mailbox.map(setup::address).transpose()?;
    let settings = match setup::load_settings(config, Strictness::Run) {
        Ok(loaded) => loaded.settings,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    let store = setup::look_at_state(&settings).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wiring = Arc::new(wire(&settings, store.owner(), &clock)?);
    let plans = plans(wiring, store, clock, only.as_ref(), Progress::default())
        .await
        .map_err(|error| setup::state_failure(&error))?;
    if let Some(only) = only.filter(|_| plans.mailboxes.is_empty()) {
        return Err(hinted(
            format!("{only} has no events in any source, and nothing of ours was written there"),
            "check the address, and the people that the jobs choose",
        ));
    }
    if json {
        print_json(&plans)
    } else {
        print_text(&plans, verbose)
    }
    let failed = !plans.sources_failed.is_empty() || plans.mailboxes.iter().any(|(_, plan)| plan.is_err());
    let anything =
        plans.mailboxes.iter().filter_map(|(_, plan)| plan.as_ref().ok()).any(|plan| plan.counts().changes() > 0);
    Ok(match (failed, anything) {
        (true, _) => ExitCode::FAILURE,
        (false, true) => ExitCode::from(SOMETHING),
        (false, false) => ExitCode::SUCCESS,
    })
}

fn print_text(plans: &Plans, verbose: bool) {
    output::print_sources_failed(&plans.sources_failed);
    output::print_rejections(&plans.rejections);
    output::print_notes(&plans.notes);
    left_out::print(plans, verbose);
    for (mailbox, plan) in &plans.mailboxes {
        match plan {
            Ok(plan) => say!("{}", plan.to_string().trim_end()),
            Err(stop) => {
                say!("{mailbox}: no plan: {stop}");
                if let Some(hint) = output::stop_hint(stop) {
                    say!("  hint: {hint}");
                }
            }
        }
    }
}

fn print_json(plans: &Plans) {
    let mailboxes: Vec<_> = plans
        .mailboxes
        .iter()
        .map(|(mailbox, plan)| match plan {
            Ok(plan) => as_json(plan),
            Err(stop) => {
                json!({ "mailbox": mailbox.as_str(), "error": stop.to_string(), "hint": output::stop_hint(stop) })
            }
        })
        .collect();
    let failed: Vec<_> = plans
        .sources_failed
        .iter()
        .map(|(name, error)| json!({ "source": name, "error": output::chain(error), "hint": error.hint() }))
        .collect();
    say!(
        "{}",
        json!({
            "mailboxes": mailboxes,
            "sources_failed": failed,
            "rejected": output::rejections_as_json(&plans.rejections),
            "expanded": output::notes_as_json(&plans.notes),
            "skipped": left_out::as_json(&plans.skipped),
            "out_of_window": plans.out_of_window,
        })
    );
}

fn as_json(plan: &Plan) -> serde_json::Value {
    let decisions: Vec<_> = plan
        .decisions
        .iter()
        .map(|decision| {
            let (fields, occurrences, rebuilds) = match &decision.action {
                Action::Update { fields, occurrences, event, .. } => (
                    fields.iter().map(|field| field.name()).collect(),
                    occurrences.only().unwrap_or_default().iter().copied().map(wall).collect(),
                    event.series.is_some() && occurrences.lays_out(),
                ),
                Action::Create { .. }
                | Action::Delete { .. }
                | Action::Hold { .. }
                | Action::Keep { .. }
                | Action::Forget
                | Action::Quarantine { .. } => (Vec::new(), Vec::new(), false),
            };
            json!({
                "key": decision.key.as_str(),
                "action": decision.action.word(),
                "reason": decision.action.reason(),
                "fields": fields,
                "occurrences": occurrences,
                "rebuilds_series": rebuilds,
            })
        })
        .collect();
    let counts = plan.counts();
    json!({
        "mailbox": plan.mailbox.as_str(),
        "create": counts.create,
        "update": counts.update,
        "delete": counts.delete,
        "hold": counts.hold,
        "keep": counts.keep,
        "quarantine": counts.quarantine,
        "decisions": decisions,
    })
}
