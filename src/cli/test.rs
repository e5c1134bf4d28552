//! `calsyncd test`: the Test button.

use std::{path::Path, process::ExitCode, sync::Arc};

use serde_json::{Value, json};

use super::{
    Outcome, TestArguments, check,
    output::{hinted, say},
    setup,
};
use crate::{
    clock::{Clock, SystemClock},
    daemon::{StepResult, Wanted, test_access, wire},
    model::address::Address,
    scheduler::mailboxes,
    settings::{Settings, Strictness},
    state::{Store, WaitScope},
};

/// Tests the access with the configured credentials and prints each step.
pub(super) async fn test(config: Option<&Path>, arguments: &TestArguments) -> Outcome {
    let settings = match setup::load_settings(config, Strictness::Run) {
        Ok(loaded) => loaded.settings,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    let addresses =
        |texts: &[String]| texts.iter().map(|text| setup::address(text)).collect::<anyhow::Result<Vec<_>>>();
    let store = setup::look_at_state(&settings).await?;
    let parked = setup::parked_sides(&settings, &store, arguments.credential.try_credential).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let out_of_scope = addresses(&arguments.out_of_scope)?;
    let tested =
        if arguments.all { every_mailbox(&settings, &store, &clock).await? } else { addresses(&arguments.user)? };
    let default = || settings.exchange.test_user.clone();
    let tested = if tested.is_empty() && out_of_scope.is_empty() { default().into_iter().collect() } else { tested };
    if tested.is_empty() && out_of_scope.is_empty() {
        return Err(hinted("there is no mailbox to test with", "set exchange.test_user, or give --user ADDRESS"));
    }
    let wanted = Wanted { mailboxes: tested, out_of_scope };
    let mut steps = Vec::new();
    let stop = setup::stop_on_signal();
    let ok = test_access(&settings, &store, &parked, clock, stop, &wanted, |step| {
        if arguments.json {
            steps.push(as_json(step));
        } else {
            print(step, settings.exchange.is_hybrid());
        }
    })
    .await?;
    if ok {
        // The server takes it: whoever starts next need not wait.
        for side in settings.exchange.sides.keys() {
            store.end_wait(&WaitScope::Credential(*side)).await.map_err(|error| setup::state_failure(&error))?;
        }
    }
    store.close().await;
    let names = |mailboxes: &[Address]| mailboxes.iter().map(ToString::to_string).collect::<Vec<_>>();
    if arguments.json {
        let (mailboxes, out_of_scope) = (names(&wanted.mailboxes), names(&wanted.out_of_scope));
        say!("{}", json!({ "ok": ok, "mailboxes": mailboxes, "out_of_scope": out_of_scope, "steps": steps }));
    } else if ok {
        let both = [names(&wanted.mailboxes), names(&wanted.out_of_scope)].concat();
        say!("{}: everything works", both.join(", "));
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every mailbox that takes part in the roll-out.
async fn every_mailbox(settings: &Settings, store: &Store, clock: &Arc<dyn Clock>) -> anyhow::Result<Vec<Address>> {
    let wiring = wire(settings, store.owner(), clock)?;
    let all = mailboxes(&wiring, store, &**clock).await.map_err(|error| setup::state_failure(&error))?;
    Ok(all.into_iter().filter(|mailbox| settings.rollout.contains(mailbox)).collect())
}

fn print(step: &StepResult, is_hybrid: bool) {
    let title = step.step.title();
    let tried = if is_hybrid { format!("{}: {}", step.side, step.tried) } else { step.tried.clone() };
    match &step.result {
        Ok(answer) => say!("ok      {title:<14} {tried}: {answer}"),
        Err(failure) => {
            say!("FAILED  {title:<14} {tried}: {}", failure.fault);
            say!("        cause: {} ({})", failure.cause.title(), failure.cause.as_str());
            for line in &failure.advice {
                say!("        do: {line}");
            }
            if let Some(request) = &failure.fault.request_id {
                say!("        request id: {request}");
            }
        }
    }
}

fn as_json(step: &StepResult) -> Value {
    let failure = step.result.as_ref().err();
    json!({
        "step": step.step.title(),
        "side": step.side.as_str(),
        "mailbox": step.mailbox.as_ref().map(ToString::to_string),
        "tried": step.tried,
        "ok": step.result.is_ok(),
        "answer": step.result.as_ref().ok(),
        "code": failure.map(|failure| &failure.fault.code),
        "message": failure.map(|failure| &failure.fault.message),
        "cause": failure.map(|failure| failure.cause.as_str()),
        "what_to_do": failure.map(|failure| &failure.advice),
        "request_id": failure.and_then(|failure| failure.fault.request_id.as_ref()),
    })
}
