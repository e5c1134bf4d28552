//! `calsyncd plan`: what a run would do, and why.

use std::{path::Path, process::ExitCode, sync::Arc};

use super::{
    Outcome, PlanArguments, check,
    cohort::refuse_unknown,
    left_out,
    output::{self, say},
    plan_json, saved_plan, setup,
};
use crate::{
    clock::{Clock, SystemClock},
    scheduler::{Plans, Progress, plans},
    settings::Strictness,
    state::Access,
};

/// The exit status when there is something to do.
const SOMETHING: u8 = 10;

/// Plans every mailbox that is asked for, prints the plans and saves them where that is wanted.
pub(super) async fn plan(config: Option<&Path>, arguments: &PlanArguments) -> Outcome {
    let settings = match setup::load_settings(config, Strictness::Run) {
        Ok(loaded) => loaded.settings,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    let asked = arguments.cohort.cohort(&settings.rollout)?;
    if arguments.save.is_some() && !settings.state.path.exists() {
        // A saved plan is of this instance, whose name is made with the state.
        setup::open_state(&settings, Access::Exclusive).await?.close().await;
    }
    let store = setup::look_at_state(&settings).await?;
    let parked = setup::parked_sides(&settings, &store, arguments.credential.try_credential).await?;
    let owner = store.owner().clone();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let now = clock.now();
    let wiring = setup::wiring(&settings, &store, &parked)?;
    setup::keep_pause(&wiring, &store).await?;
    let plans =
        plans(wiring, store, clock, &asked, Progress::default()).await.map_err(|error| setup::state_failure(&error))?;
    let meets_all = plans.mailboxes.iter().any(|(_, looked)| looked.is_err());
    if !meets_all {
        refuse_unknown(&asked, |mailbox| plans.mailboxes.iter().any(|(other, _)| other == mailbox))?;
    }
    if arguments.json {
        say!("{}", plan_json::plans(&plans, &owner.0));
    } else {
        print_text(&plans, arguments.verbose);
    }
    if let Some(path) = &arguments.save {
        let saved = saved_plan::save(path, &plans, &owner, &settings, now)?;
        let mailboxes = output::count_of(saved.mailboxes.len(), "mailbox", "mailboxes");
        let without = plans.mailboxes.len() - saved.mailboxes.len();
        let without = if without > 0 { format!(", without {without} that have no plan") } else { String::new() };
        let path = path.display();
        output::complain(format_args!("saved at {path}: {mailboxes}{without}; `calsyncd sync --plan` carries it out"));
    }
    let failed = !plans.sources_failed.is_empty() || plans.mailboxes.iter().any(|(_, looked)| looked.is_err());
    let mut planned = plans.mailboxes.iter().filter_map(|(_, looked)| looked.as_ref().ok());
    let anything = planned.any(|looked| looked.plan.counts().changes() > 0);
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
    if plans.mailboxes_left > 0 {
        let mailboxes = output::count_of(plans.mailboxes_left, "mailbox", "mailboxes");
        say!("left as they are: {mailboxes} outside of [rollout]");
    }
    for (mailbox, looked) in &plans.mailboxes {
        match looked {
            Ok(looked) => say!("{}", looked.plan.to_string().trim_end()),
            Err(stop) => {
                say!("{mailbox}: no plan: {stop}");
                if let Some(hint) = output::stop_hint(stop) {
                    say!("  hint: {hint}");
                }
            }
        }
    }
}
