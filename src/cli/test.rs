//! `calsyncd test`: the Test button.

use std::{path::Path, process::ExitCode, sync::Arc};

use serde_json::json;

use super::{
    Outcome, TestArguments, check,
    output::{hinted, say},
    setup,
};
use crate::{
    clock::SystemClock,
    daemon::{StepResult, test_access},
    settings::Strictness,
    state::WaitScope,
};

/// Opens a mailbox with the configured credentials and prints each step.
pub(super) async fn test(config: Option<&Path>, arguments: &TestArguments) -> Outcome {
    let TestArguments { user, credential, json } = arguments;
    let json = *json;
    let settings = match setup::load_settings(config, Strictness::Run) {
        Ok(loaded) => loaded.settings,
        Err(faults) => return Ok(check::refuse(&faults)),
    };
    let mailbox = match user {
        Some(user) => setup::address(user)?,
        None => settings.exchange.test_user.clone().ok_or_else(|| {
            hinted("there is no mailbox to test with", "set exchange.test_user, or give --user ADDRESS")
        })?,
    };
    let store = setup::look_at_state(&settings).await?;
    setup::refuse_parked(&settings, &store, credential.try_credential).await?;
    let mut steps = Vec::new();
    let ok = test_access(&settings, &mailbox, Arc::new(SystemClock), |step| {
        if json {
            steps.push(as_json(step));
        } else {
            print(step);
        }
    })
    .await;
    if ok {
        // The server takes it: whoever starts next need not wait.
        store.end_wait(&WaitScope::Credential).await.map_err(|error| setup::state_failure(&error))?;
    }
    if json {
        say!("{}", json!({ "mailbox": mailbox.as_str(), "ok": ok, "steps": steps }));
    } else if ok {
        say!("{mailbox}: everything works");
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(step: &StepResult) {
    match &step.result {
        Ok(answer) => say!("ok      {:<11} {}: {answer}", step.step.title(), step.tried),
        Err(fault) => {
            say!("FAILED  {:<11} {}: {fault}", step.step.title(), step.tried);
            if let Some(hint) = &fault.hint {
                say!("        hint: {hint}");
            }
            if let Some(request) = &fault.request_id {
                say!("        request id: {request}");
            }
        }
    }
}

fn as_json(step: &StepResult) -> serde_json::Value {
    let fault = step.result.as_ref().err();
    json!({
        "step": step.step.title(),
        "tried": step.tried,
        "ok": step.result.is_ok(),
        "answer": step.result.as_ref().ok(),
        "code": fault.map(|fault| &fault.code),
        "message": fault.map(|fault| &fault.message),
        "hint": fault.and_then(|fault| fault.hint.as_ref()),
        "request_id": fault.and_then(|fault| fault.request_id.as_ref()),
    })
}
