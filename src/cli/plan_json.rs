//! A plan as JSON, for programs; `docs/plan.schema.json` is its schema.

use serde_json::{Value, json};

use super::{left_out, output};
use crate::{
    model::{
        event::{DesiredEvent, Importance, Sensitivity, ShowAs},
        fingerprint::Field,
    },
    plan::{Action, Decision, Plan, PlanError, wall},
    scheduler::{PassStop, Plans},
};

/// The version of the form: one more for a change that a reader of the old form would misread.
const VERSION: u64 = 1;

/// The whole.
pub(super) fn plans(plans: &Plans, instance: &str) -> Value {
    let mailboxes: Vec<_> = plans
        .mailboxes
        .iter()
        .map(|(mailbox, looked)| match looked {
            Ok(looked) => plan(&looked.plan),
            Err(stop) => json!({
                "mailbox": mailbox.as_str(), "error": stop.to_string(), "hint": output::stop_hint(stop),
                "foreign": foreign(stop),
            }),
        })
        .collect();
    let failed: Vec<_> = plans
        .sources_failed
        .iter()
        .map(|(name, error)| json!({ "source": name, "error": output::chain(error), "hint": error.hint() }))
        .collect();
    json!({
        "version": VERSION,
        "instance": instance,
        "mailboxes": mailboxes,
        "mailboxes_left": plans.mailboxes_left,
        "sources_failed": failed,
        "rejected": output::rejections_as_json(&plans.rejections),
        "expanded": output::notes_as_json(&plans.notes),
        "skipped": left_out::as_json(&plans.skipped),
        "out_of_window": plans.out_of_window,
    })
}

/// How many items another instance marked.
pub(super) fn foreign(stop: &PassStop) -> Value {
    match stop {
        PassStop::Plan(PlanError::OwnedByAnother { owner, count, .. }) => json!({ "owner": owner, "items": count }),
        PassStop::Fault(_) | PassStop::State(_) | PassStop::Violation(_) | PassStop::Moved(_) | PassStop::Stopped => {
            Value::Null
        }
    }
}

fn plan(plan: &Plan) -> Value {
    let counts = plan.counts();
    json!({
        "mailbox": plan.mailbox.as_str(),
        "create": counts.create,
        "update": counts.update,
        "delete": counts.delete,
        "hold": counts.hold,
        "keep": counts.keep,
        "forget": counts.forget,
        "quarantine": counts.quarantine,
        "copies": plan.copies.len(),
        "newer": plan.newer,
        "decisions": plan.decisions.iter().map(decision).collect::<Vec<_>>(),
    })
}

fn decision(decision: &Decision) -> Value {
    let (event, fields, occurrences, rebuilds) = match &decision.action {
        Action::Create { event, .. } => (Some(event), &[][..], Vec::new(), false),
        Action::Update { event, fields, occurrences, .. } => (
            Some(event),
            fields.as_slice(),
            occurrences.only().unwrap_or_default().iter().copied().map(wall).collect(),
            event.series.is_some() && occurrences.lays_out(),
        ),
        Action::Delete { .. }
        | Action::Hold { .. }
        | Action::Keep { .. }
        | Action::Forget
        | Action::Quarantine { .. } => (None, &[][..], Vec::new(), false),
    };
    let change = |field: &Field| json!({ "field": field.name(), "wanted": event.map(|event| wanted(event, *field)) });
    json!({
        "key": decision.key.as_str(),
        "action": decision.action.word(),
        "code": decision.action.code(),
        "reason": decision.action.reason(),
        "shows": event.map(|event| shows(event)),
        "fields": fields.iter().map(|field| field.name()).collect::<Vec<_>>(),
        "changes": fields.iter().map(change).collect::<Vec<_>>(),
        "occurrences": occurrences,
        "rebuilds_series": rebuilds,
    })
}

fn shows(event: &DesiredEvent) -> Value {
    json!({
        "start": event.time.start().to_string(),
        "end": event.time.end().to_string(),
        "zone": event.time.zone().iana(),
        "all_day": event.time.is_all_day(),
        "repeats": event.series.is_some(),
    })
}

/// What a field is to say. What it says now is not known: the state keeps hashes. Texts of a calendar are not told.
fn wanted(event: &DesiredEvent, field: Field) -> Value {
    let content = &event.content;
    match field {
        Field::Time => shows(event),
        Field::ShowAs => json!(match content.show_as {
            ShowAs::Free => "free",
            ShowAs::Tentative => "tentative",
            ShowAs::Busy => "busy",
            ShowAs::OutOfOffice => "out_of_office",
            ShowAs::WorkingElsewhere => "working_elsewhere",
        }),
        Field::Sensitivity => json!(match content.sensitivity {
            Sensitivity::Normal => "normal",
            Sensitivity::Personal => "personal",
            Sensitivity::Private => "private",
            Sensitivity::Confidential => "confidential",
        }),
        Field::Importance => json!(match content.importance {
            Importance::Low => "low",
            Importance::Normal => "normal",
            Importance::High => "high",
        }),
        Field::Reminder => json!(content.reminder_minutes),
        Field::Subject | Field::Body | Field::Location | Field::Recurrence | Field::Categories | Field::Occurrences => {
            Value::Null
        }
    }
}
