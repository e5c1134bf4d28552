//! What a pass adds to the history: what the source said, what was decided by which rule, what the server answered.

use jiff::Timestamp;

use crate::{
    gateway::{Answer, Outcome},
    model::{
        address::Address,
        event::DesiredEvent,
        fault::Fault,
        history::{Entry, Step, Word},
        link::{Intent, Verb},
    },
    plan::{Action, CreateReason, Decision, DeleteReason, UpdateReason, ends},
    state::Settlement,
};

/// A decision, and what the source said that led to it.
pub(super) fn decided(mailbox: &Address, decision: &Decision, is_cancelled: bool, now: Timestamp) -> Entry {
    let action = &decision.action;
    let (event, detail) = match action {
        Action::Create { event, .. } => (Some(event), None),
        Action::Update { event, fields, .. } => {
            let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
            (Some(event), Some(names.join(", ")))
        }
        Action::Delete { .. }
        | Action::Hold { .. }
        | Action::Keep { .. }
        | Action::Forget
        | Action::Quarantine { .. } => (None, None),
    };
    Entry {
        verb: verb(action),
        source: said(action, is_cancelled).map(Word::from),
        code: Some(action.code().into()),
        detail,
        span: event.map(|event| span(event)),
        ..Entry::new(now, Some(mailbox), &decision.key, Step::Decision, word(action))
    }
}

/// From the first start to the last end.
fn span(event: &DesiredEvent) -> (Timestamp, Timestamp) {
    (event.time.start_instant(), ends(event))
}

const fn verb(action: &Action) -> Option<Verb> {
    match action {
        Action::Create { .. } => Some(Verb::Create),
        Action::Update { .. } => Some(Verb::Update),
        Action::Delete { .. } => Some(Verb::Delete),
        Action::Hold { .. } | Action::Keep { .. } | Action::Forget | Action::Quarantine { .. } => None,
    }
}

const fn word(action: &Action) -> &'static str {
    match action {
        Action::Create { .. } => "create",
        Action::Update { .. } => "update",
        Action::Delete { .. } => "delete",
        Action::Hold { .. } => "hold",
        Action::Keep { .. } => "keep",
        Action::Forget => "forget",
        Action::Quarantine { .. } => "quarantine",
    }
}

/// What the source said that is new.
const fn said(action: &Action, is_cancelled: bool) -> Option<&'static str> {
    match action {
        Action::Create { reason: CreateReason::New, .. } => Some("seen"),
        Action::Update { reason: UpdateReason::SourceChanged, .. } if is_cancelled => Some("cancelled"),
        Action::Update { reason: UpdateReason::SourceChanged, .. } => Some("changed"),
        Action::Delete { reason, .. } | Action::Hold { reason, .. } => match reason {
            DeleteReason::DeletedInSource => Some("gone"),
            DeleteReason::Cancelled => Some("cancelled"),
            DeleteReason::HandedOver => Some("handed_over"),
            DeleteReason::Reshaped => Some("changed"),
            DeleteReason::OutOfScope | DeleteReason::Orphan | DeleteReason::Purged => None,
        },
        Action::Create { reason: CreateReason::DeletedInOutlook, .. }
        | Action::Update { reason: UpdateReason::ChangedInOutlook, .. }
        | Action::Keep { .. }
        | Action::Forget
        | Action::Quarantine { .. } => None,
    }
}

/// What the server answered to a write.
pub(super) fn answered(mailbox: &Address, intent: &Intent, answer: &Answer, now: Timestamp) -> Entry {
    let (word, fault): (&'static str, Option<&Fault>) = match &answer.outcome {
        Outcome::Written { .. } => ("written", None),
        Outcome::Partly { fault, .. } => ("partly", Some(fault)),
        Outcome::Gone => ("gone", None),
        Outcome::Failed(fault) => ("failed", Some(fault)),
    };
    Entry {
        verb: Some(intent.verb),
        code: fault.map(|fault| fault.code.clone().into()),
        detail: fault.map(|fault| fault.message.clone()),
        request_id: answer.request_id.clone(),
        ..Entry::new(now, Some(mailbox), &intent.key, Step::Answer, word)
    }
}

/// A write that was decided and not sent, because the daemon stops.
pub(super) fn not_sent(mailbox: &Address, intent: &Intent, now: Timestamp) -> Entry {
    Entry { verb: Some(intent.verb), ..Entry::new(now, Some(mailbox), &intent.key, Step::Answer, "not_sent") }
}

/// What the calendar said of a write of unknown end.
pub(super) fn looked_up(mailbox: &Address, intent: &Intent, settlement: &Settlement, now: Timestamp) -> Entry {
    let word = match (intent.verb, settlement) {
        (_, Settlement::Linked(_)) | (Verb::Delete, Settlement::Dropped(_)) => "found",
        (_, Settlement::Unlinked(_) | Settlement::Dropped(_) | Settlement::Refused { .. }) => "not_found",
    };
    Entry { verb: Some(intent.verb), ..Entry::new(now, Some(mailbox), &intent.key, Step::Answer, word) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use jiff::Timestamp;

    use super::{answered, decided, looked_up};
    use crate::{
        gateway::{Answer, Outcome},
        model::{
            address::Address,
            fault::{Fault, FaultKind, FaultScope},
            fingerprint::Fingerprint,
            history::Entry,
            key::{Kind, SourceKey},
            link::{Intent, ItemRef, Link, Repairs, Verb},
        },
        plan::{Action, Decision, DeleteReason, KeepReason, QuarantineReason},
        state::Settlement,
    };

    fn key() -> SourceKey {
        SourceKey::new("erp", Kind::Appointment, "1")
    }

    fn mailbox() -> Address {
        Address::parse("ana@example.test").unwrap()
    }

    fn item() -> ItemRef {
        ItemRef { id: "I".to_owned(), change_key: "1".to_owned() }
    }

    fn told(entry: &Entry) -> String {
        let words = [entry.source.as_deref(), Some(&*entry.word), entry.code.as_deref(), entry.request_id.as_deref()];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn decisions_say_what_the_source_said_and_which_rule_it_was() {
        let link = Link::new(key(), item(), Fingerprint::unknown());
        let delete = |reason| Action::Delete { item: item(), link: link.clone(), reason };
        let cases = [
            (delete(DeleteReason::DeletedInSource), "gone delete deleted_in_source"),
            (delete(DeleteReason::HandedOver), "handed_over delete handed_over"),
            (delete(DeleteReason::OutOfScope), "delete out_of_scope"),
            (delete(DeleteReason::Purged), "delete purged"),
            (Action::Hold { item: item(), reason: DeleteReason::Cancelled }, "cancelled hold cancelled"),
            (Action::Forget, "forget gone"),
            (Action::Keep { reason: KeepReason::TooLong, link: None }, "keep too_long"),
            (Action::Quarantine { reason: QuarantineReason::RepairedTooOften }, "quarantine repaired_too_often"),
        ];
        for (action, expected) in cases {
            let entry = decided(&mailbox(), &Decision { key: key(), action }, false, Timestamp::UNIX_EPOCH);
            assert_eq!(told(&entry), expected);
        }
    }

    #[test]
    fn answers_name_their_request() {
        let intent = |verb| Intent { key: key(), verb, generation: 1, ends: Timestamp::MAX, repairs: Repairs::NONE };
        let fault = Fault::new(FaultScope::Item, FaultKind::Permanent, "ErrorFull", "full");
        let named = Fault { request_id: Some("of-the-fault".to_owned()), ..fault.clone() };
        let written = Outcome::Written { item: item(), fingerprint: Fingerprint::unknown() };
        let id = || Some(Arc::from("r-1"));
        let cases = [
            (Answer::new(written, id()), "written r-1"),
            (Answer::new(Outcome::Gone, id()), "gone r-1"),
            (Answer::new(Outcome::Failed(fault), id()), "failed ErrorFull r-1"),
            (Answer::new(Outcome::Failed(named), id()), "failed ErrorFull of-the-fault"),
        ];
        for (answer, expected) in cases {
            let entry = answered(&mailbox(), &intent(Verb::Update), &answer, Timestamp::UNIX_EPOCH);
            assert_eq!((told(&entry).as_str(), entry.verb), (expected, Some(Verb::Update)));
        }
        let linked = Settlement::Linked(Link::new(key(), item(), Fingerprint::unknown()));
        let cases = [
            (Verb::Create, linked, "found"),
            (Verb::Create, Settlement::Dropped(key()), "not_found"),
            (Verb::Delete, Settlement::Dropped(key()), "found"),
            (Verb::Delete, Settlement::Unlinked(key()), "not_found"),
        ];
        for (verb, settlement, expected) in cases {
            let entry = looked_up(&mailbox(), &intent(verb), &settlement, Timestamp::UNIX_EPOCH);
            assert_eq!(told(&entry), expected);
        }
    }
}
