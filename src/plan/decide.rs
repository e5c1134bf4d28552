//! One decision for each key: what is wanted, against what is known of its item.

use std::{cmp::Ordering, sync::Arc};

use super::{
    Action, CreateReason, Decision, DeleteReason, Inputs, KeepReason, Plan, PlanError, Policy, QuarantineReason,
    UpdateReason,
    known::{Inventory, Known, inventory},
    occurrences::occurrences,
    reshaped,
};
use crate::model::{
    event::DesiredEvent,
    fingerprint::{Field, Fingerprint},
    hold::Verdict,
    key::SourceKey,
    link::{ItemRef, Link, Repairs},
    recurrence::{ExceptionChange, RecurrenceEnd},
};

/// Makes the plan of one mailbox.
///
/// # Errors
/// When the calendar is kept by another instance.
pub fn plan(inputs: &Inputs<'_>) -> Result<Plan, PlanError> {
    let inventory = inventory(inputs)?;
    let newer = inventory.newer();
    let Inventory { known, copies } = inventory;
    let mut desired: Vec<&Arc<DesiredEvent>> = inputs.desired.iter().collect();
    // They come in this order already, so that this is cheap.
    desired.sort_by(|one, other| one.key.cmp(&other.key));
    let mut decisions = Vec::with_capacity(desired.len().max(known.len()));
    let (mut desired, mut known) = (desired.into_iter().peekable(), known.into_iter().peekable());
    loop {
        // Both are in the order of the keys: the smaller one is next, and of two alike both.
        let order = match (desired.peek(), known.peek()) {
            (Some(event), Some(known)) => event.key.cmp(known.key()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let event = if order.is_le() { desired.next() } else { None };
        let known = if order.is_ge() { known.next() } else { None };
        decisions.extend(decision(inputs, event, known));
    }
    let (mailbox, brake_base) = (inputs.mailbox.clone(), brake_base(inputs));
    let mut plan = Plan { mailbox, decisions, copies, newer, brake_base };
    reshaped::tell(&mut plan, inputs.desired.iter().map(|event| &event.key));
    brake(inputs, &mut plan);
    Ok(plan)
}

fn decision(inputs: &Inputs<'_>, event: Option<&Arc<DesiredEvent>>, known: Option<Known<'_>>) -> Option<Decision> {
    match (event, known) {
        (Some(event), known) => Some(Decision { key: event.key.clone(), action: wanted(inputs, event, known) }),
        (None, Some(known)) => {
            let key = known.key().clone();
            let action = match inputs.scope.outside.get(&key) {
                Some(event) => outside(inputs, event, known),
                None => unwanted(inputs, &key, known),
            };
            Some(Decision { key, action })
        }
        (None, None) => None,
    }
}

/// When an event is over for good, its moved occurrences included; [`jiff::Timestamp::MAX`] for a series without end.
#[must_use]
pub fn ends(event: &DesiredEvent) -> jiff::Timestamp {
    let Some(series) = &event.series else { return event.time.end_instant() };
    let first = event.time.start().date();
    let last = match series.recurrence.end {
        RecurrenceEnd::Never => return jiff::Timestamp::MAX,
        RecurrenceEnd::On(date) => Some(date),
        RecurrenceEnd::After(_) => series.recurrence.days(first).last(),
    };
    let length = event.time.end().duration_since(event.time.start());
    let regular = last
        .and_then(|date| date.to_datetime(event.time.start().time()).checked_add(length).ok())
        .map_or(jiff::Timestamp::MAX, |wall| event.time.zone().instant(wall));
    let moved = series.exceptions.iter().filter_map(|exception| match &exception.change {
        ExceptionChange::Changed { time, .. } => Some(time.end_instant()),
        ExceptionChange::Cancelled => None,
    });
    moved.fold(regular, jiff::Timestamp::max)
}

fn wanted(inputs: &Inputs<'_>, event: &Arc<DesiredEvent>, known: Option<Known<'_>>) -> Action {
    let fingerprint = event.fingerprint();
    let over = is_over(inputs, ends(event));
    if let Some(reason) = refused(inputs, event, &fingerprint) {
        return Action::Quarantine { reason };
    }
    match known {
        None if over => Action::Keep { reason: KeepReason::Frozen, link: None },
        None if inputs.is_cancelled(&event.key) => Action::Keep { reason: KeepReason::Cancelled, link: None },
        Some(Known::Missing(_)) if inputs.is_cancelled(&event.key) => Action::Forget,
        None => create(inputs, event, None, Repairs::NONE),
        Some(Known::Missing(_)) if over => Action::Keep { reason: KeepReason::Frozen, link: None },
        Some(Known::Missing(link)) => match repair(inputs, link) {
            None => Action::Quarantine { reason: QuarantineReason::RepairedTooOften },
            Some(repairs) => create(inputs, event, Some(link), repairs),
        },
        Some(Known::Intact(link)) => {
            let frozen = over && is_over(inputs, link.ends);
            compare(inputs, event, link, frozen, None)
        }
        Some(Known::Unlinked(link)) => {
            let link = Link { ends: ends(event), ..*link };
            compare(inputs, event, &link, over, Some(link.clone()))
        }
        Some(Known::Newer(link)) => {
            let frozen = over && is_over(inputs, link.ends);
            let link = Link { ends: ends(event), ..*link };
            compare(inputs, event, &link, frozen, Some(link.clone()))
        }
        Some(Known::Changed { link, item }) => {
            let frozen = over && is_over(inputs, link.ends);
            changed(inputs, event, &fingerprint, link, item, frozen)
        }
    }
}

fn refused(inputs: &Inputs<'_>, event: &DesiredEvent, fingerprint: &Fingerprint) -> Option<QuarantineReason> {
    let refusal = inputs.refusals.get(&event.key)?;
    let waits = refusal.fingerprint == *fingerprint && inputs.now < refusal.retry_at;
    waits.then(|| QuarantineReason::Refused(refusal.code.clone()))
}

/// What becomes of an item whose event lies outside of the window: it goes where its source puts it. Nothing is created or
/// repaired out there.
fn outside(inputs: &Inputs<'_>, event: &Arc<DesiredEvent>, known: Known<'_>) -> Action {
    let as_it_is = |link| Action::Keep { reason: KeepReason::OutOfWindow, link };
    match known {
        Known::Missing(_) => Action::Forget,
        Known::Changed { link, item } if link.fingerprint == event.fingerprint() => {
            as_it_is(Some(found_anew(link, item.clone())))
        }
        Known::Intact(_) | Known::Changed { .. } | Known::Newer(_) | Known::Unlinked(_) => {
            match wanted(inputs, event, Some(known)) {
                Action::Keep { reason: KeepReason::Same, link } => as_it_is(link),
                action => action,
            }
        }
    }
}

/// Whether what ends at `instant` is frozen. An event is left alone only when both what we wrote and what the source says
/// are over: an event that moves from the past into the future, or back, is followed.
fn is_over(inputs: &Inputs<'_>, instant: jiff::Timestamp) -> bool {
    instant < inputs.policy.frozen_before
}

/// A new item, in place of the one that `gone` names where there was one.
fn create(inputs: &Inputs<'_>, event: &Arc<DesiredEvent>, gone: Option<&Link>, repairs: Repairs) -> Action {
    let (before, reason) =
        gone.map_or((0, CreateReason::New), |link| (link.generation, CreateReason::DeletedInOutlook));
    let generation = inputs.pending.get(&event.key).copied().unwrap_or_else(|| generation_after(inputs, before));
    Action::Create { event: Arc::clone(event), generation, repairs, reason }
}

/// One repair more, or `None` when there were too many today.
fn repair(inputs: &Inputs<'_>, link: &Link) -> Option<Repairs> {
    (link.repairs.today(inputs.now) < Repairs::COUNT_MAX).then(|| link.repairs.and_one(inputs.now))
}

/// The generation of a write that is decided now: later than the one before, also on a clock that was set back.
fn generation_after(inputs: &Inputs<'_>, before: i64) -> i64 {
    inputs.now.as_millisecond().max(before.saturating_add(1))
}

fn compare(inputs: &Inputs<'_>, event: &Arc<DesiredEvent>, link: &Link, frozen: bool, adopted: Option<Link>) -> Action {
    let fingerprint = event.fingerprint();
    if link.fingerprint == fingerprint {
        return Action::Keep { reason: KeepReason::Same, link: adopted };
    }
    if frozen {
        return Action::Keep { reason: KeepReason::Frozen, link: adopted };
    }
    let fields = fingerprint.differing_fields(&link.fingerprint);
    let (occurrences, written) = occurrences(event, &fields, link);
    Action::Update {
        event: Arc::clone(event),
        item: link.item.clone(),
        generation: generation_after(inputs, link.generation),
        fields,
        occurrences,
        written,
        repairs: link.repairs,
        reason: UpdateReason::SourceChanged,
    }
}

fn changed(
    inputs: &Inputs<'_>,
    event: &Arc<DesiredEvent>,
    fingerprint: &Fingerprint,
    link: &Link,
    item: &ItemRef,
    frozen: bool,
) -> Action {
    let item = item.clone();
    if frozen {
        return Action::Keep { reason: KeepReason::Frozen, link: Some(found_anew(link, item)) };
    }
    let reason =
        if link.fingerprint == *fingerprint { UpdateReason::ChangedInOutlook } else { UpdateReason::SourceChanged };
    let repairs = match (reason, repair(inputs, link)) {
        (UpdateReason::SourceChanged, _) => link.repairs,
        (UpdateReason::ChangedInOutlook, Some(repairs)) => repairs,
        (UpdateReason::ChangedInOutlook, None) => {
            return Action::Quarantine { reason: QuarantineReason::RepairedTooOften };
        }
    };
    // Nobody knows which of them somebody else changed: a series may have become a single event, or the other way round.
    let fields = Field::ALL.to_vec();
    let (occurrences, written) = occurrences(event, &fields, &found_anew(link, item.clone()));
    let (event, generation) = (Arc::clone(event), generation_after(inputs, link.generation));
    Action::Update { event, item, generation, fields, occurrences, written, repairs, reason }
}

/// The link of an item that somebody changed: what became of its occurrences is not known.
fn found_anew(link: &Link, item: ItemRef) -> Link {
    Link { item, occurrences: None, ..link.clone() }
}

fn unwanted(inputs: &Inputs<'_>, key: &SourceKey, known: Known<'_>) -> Action {
    let (link, item, adopted) = match known {
        Known::Missing(_) => return Action::Forget,
        Known::Intact(link) => (link.clone(), link.item.clone(), None),
        Known::Changed { link, item } => {
            let link = found_anew(link, item.clone());
            (link.clone(), item.clone(), Some(link))
        }
        Known::Newer(link) => (Link::clone(&link), link.item.clone(), Some(*link)),
        Known::Unlinked(link) => return unwanted_orphan(inputs, key, *link),
    };
    match absence(inputs, key) {
        Err(reason) => Action::Keep { reason, link: adopted },
        Ok(_) if is_over(inputs, link.ends) => Action::Keep { reason: KeepReason::Frozen, link: adopted },
        Ok(reason) => match inputs.verdicts.get(key) {
            Some(Verdict::Approved) => Action::Delete { item, link, reason },
            Some(Verdict::Rejected) => Action::Hold { item, reason },
            None if inputs.scope.braked.contains(key.source()) => Action::Hold { item, reason },
            None => Action::Delete { item, link, reason },
        },
    }
}

/// An item with our mark that no link tells of. When it ended is not known, so that its removal is
/// an operator's to decide.
fn unwanted_orphan(inputs: &Inputs<'_>, key: &SourceKey, link: Link) -> Action {
    match absence(inputs, key) {
        Err(reason) => Action::Keep { reason, link: None },
        Ok(_) if inputs.is_approved(key) => {
            Action::Delete { item: link.item.clone(), link, reason: DeleteReason::Orphan }
        }
        Ok(_) => Action::Hold { item: link.item, reason: DeleteReason::Orphan },
    }
}

/// Why a key is not desired: a reason to delete its item, or a reason to keep it.
fn absence(inputs: &Inputs<'_>, key: &SourceKey) -> Result<DeleteReason, KeepReason> {
    if let Some(reason) = inputs.scope.kept.get(key) {
        return Err(reason.clone());
    }
    if !inputs.scope.complete.contains(key.source()) {
        return Err(KeepReason::SourceIncomplete);
    }
    let elsewhere = inputs.scope.elsewhere.get(key).is_some_and(|mailboxes| !mailboxes.is_empty());
    Ok(if elsewhere {
        DeleteReason::HandedOver
    } else if inputs.is_cancelled(key) {
        DeleteReason::Cancelled
    } else if inputs.scope.out_of_scope.contains(key) {
        DeleteReason::OutOfScope
    } else {
        DeleteReason::DeletedInSource
    })
}

fn brake_base(inputs: &Inputs<'_>) -> usize {
    inputs.links.iter().filter(|link| link.ends >= inputs.policy.frozen_before).count()
}

/// Whether `deletions` of `base` links are over the share *and* over the number.
#[must_use]
pub fn is_braked(deletions: usize, base: usize, policy: &Policy) -> bool {
    let over_number = deletions > policy.brake_number as usize;
    let over_share = deletions * 100 > base * usize::from(policy.brake_share_percent);
    over_number && over_share
}

fn brake(inputs: &Inputs<'_>, plan: &mut Plan) {
    let deletions = reshaped::weight(plan, inputs);
    if !is_braked(deletions, plan.brake_base, inputs.policy) {
        return;
    }
    for decision in plan.decisions.iter_mut().filter(|decision| !inputs.is_approved(&decision.key)) {
        if let Action::Delete { item, reason, .. } = &decision.action {
            decision.action = Action::Hold { item: item.clone(), reason: *reason };
        }
    }
}
