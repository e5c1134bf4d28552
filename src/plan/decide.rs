//! One decision for each key: what is wanted, against what is known of its item.

use std::{cmp::Ordering, sync::Arc};

use super::{
    Action, CreateReason, Decision, DeleteReason, Inputs, KeepReason, Plan, PlanError, Policy, QuarantineReason,
    UpdateReason, drift,
    known::{Inventory, Known, inventory},
    occurrences::occurrences,
    reshaped,
};
use crate::model::{
    echo::Echo,
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
    let (mut learnt, mut suspects) = (Vec::new(), Vec::new());
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
        let intact = match &known {
            Some(Known::Intact(link)) => Some(*link),
            Some(Known::Changed { .. } | Known::Newer(_) | Known::Missing(_) | Known::Unlinked(_)) | None => None,
        };
        if let (None, Some(Known::Changed { link, item })) = (event, &known) {
            suspects.push(suspect(link, (*item).clone()));
        }
        let decided = decision(inputs, event, known);
        if let (Some(event), Some(link), Some(Decision { action, .. })) = (event, intact, &decided)
            && matches!(action, Action::Keep { reason: KeepReason::Same, .. })
        {
            learnt.extend(drift::learnt(inputs.seen, event, link));
        }
        decisions.extend(decided);
    }
    let (mailbox, brake_base) = (inputs.mailbox.clone(), brake_base(inputs));
    let mut plan = Plan { mailbox, decisions, copies, newer, brake_base, learnt };
    reshaped::tell(&mut plan, inputs.desired.iter().map(|event| &event.key));
    brake(inputs, &mut plan);
    let held = |key: &SourceKey| {
        let at = plan.decisions.binary_search_by(|decision| decision.key.cmp(key));
        at.is_ok_and(|at| matches!(plan.decisions[at].action, Action::Hold { .. }))
    };
    suspects.retain(|link| held(&link.key));
    plan.learnt.append(&mut suspects);
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
        Some(Known::Missing(link)) => missing(inputs, event, &fingerprint, link),
        Some(Known::Intact(link)) => {
            let frozen = over && is_over(inputs, link.ends);
            compare(inputs, event, &fingerprint, link, frozen, None)
        }
        Some(Known::Unlinked(link)) => {
            let link = Link { ends: ends(event), ..*link };
            compare(inputs, event, &fingerprint, &link, over, Some(link.clone()))
        }
        Some(Known::Newer(link)) => {
            let frozen = over && is_over(inputs, link.ends);
            let link = Link { ends: ends(event), ..*link };
            compare(inputs, event, &fingerprint, &link, frozen, Some(link.clone()))
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

/// What becomes of an item whose event lies outside of the window: it goes where its source puts it, and what somebody
/// changed of it is put right. Nothing is created out there.
fn outside(inputs: &Inputs<'_>, event: &Arc<DesiredEvent>, known: Known<'_>) -> Action {
    if matches!(known, Known::Missing(_)) {
        return Action::Forget;
    }
    match wanted(inputs, event, Some(known)) {
        Action::Keep { reason: KeepReason::Same, link } => Action::Keep { reason: KeepReason::OutOfWindow, link },
        action => action,
    }
}

/// Whether what ends at `instant` is frozen. An event is left alone only when both what we wrote and what the source says
/// are over: an event that moves from the past into the future, or back, is followed.
pub(super) fn is_over(inputs: &Inputs<'_>, instant: jiff::Timestamp) -> bool {
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

/// What becomes of an item that a user deleted. Its deletion is respected as long as the settings say, and as long as the
/// source leaves its time: who deletes a meeting of Monday has said nothing of the one of Tuesday.
fn missing(inputs: &Inputs<'_>, event: &Arc<DesiredEvent>, fingerprint: &Fingerprint, link: &Link) -> Action {
    let deleted_at = link.deleted_at.unwrap_or(inputs.now);
    let is_respected = |respected| inputs.now.duration_since(deleted_at) < respected;
    let is_at_its_time = || {
        let differing = fingerprint.differing_fields(&link.fingerprint);
        !differing.iter().any(|field| matches!(field, Field::Time | Field::Recurrence))
    };
    if event.keeps().deleted.is_some_and(is_respected) && is_at_its_time() {
        return Action::Keep { reason: KeepReason::DeletedByUser, link: mark(inputs, link) };
    }
    match repair(inputs, link) {
        None => Action::Quarantine { reason: QuarantineReason::RepairedTooOften },
        Some(repairs) => create(inputs, event, Some(link), repairs),
    }
}

/// The link with the mark that its item is gone, where it has none yet.
fn mark(inputs: &Inputs<'_>, link: &Link) -> Option<Link> {
    link.deleted_at.is_none().then(|| Link { deleted_at: Some(inputs.now), ..link.clone() })
}

fn compare(
    inputs: &Inputs<'_>,
    event: &Arc<DesiredEvent>,
    fingerprint: &Fingerprint,
    link: &Link,
    frozen: bool,
    adopted: Option<Link>,
) -> Action {
    if link.fingerprint == *fingerprint {
        return Action::Keep { reason: KeepReason::Same, link: adopted };
    }
    if frozen {
        return Action::Keep { reason: KeepReason::Frozen, link: adopted };
    }
    let fields = fingerprint.differing_fields(&link.fingerprint);
    let update = update(inputs, event, link, fields, (UpdateReason::SourceChanged, link.repairs));
    update.unwrap_or(Action::Keep { reason: KeepReason::NotSeen, link: adopted })
}

/// The update of the item of a link; `None` when nobody has looked at what users keep of it.
fn update(
    inputs: &Inputs<'_>,
    event: &Arc<DesiredEvent>,
    link: &Link,
    fields: Vec<Field>,
    (reason, repairs): (UpdateReason, Repairs),
) -> Option<Action> {
    let shown = inputs.seen.get(&link.item.id).map(|seen| &seen.shown);
    let (wanted, fields) = drift::with_kept(event, fields, link, shown)?;
    let (occurrences, written) = occurrences(&wanted, &fields, link);
    // What a user keeps is not what we wrote.
    let echo = Echo::after_write(link.echo.as_ref(), event, &fields);
    let (item, generation) = (link.item.clone(), generation_after(inputs, link.generation));
    Some(Action::Update { event: wanted, item, generation, fields, occurrences, written, echo, repairs, reason })
}

fn changed(
    inputs: &Inputs<'_>,
    event: &Arc<DesiredEvent>,
    fingerprint: &Fingerprint,
    link: &Link,
    item: &ItemRef,
    frozen: bool,
) -> Action {
    if frozen {
        return Action::Keep { reason: KeepReason::Frozen, link: Some(found_anew(link, item.clone())) };
    }
    let shown = inputs.seen.get(&item.id).map(|seen| &seen.shown);
    let touched = drift::touched(event, link, shown);
    let saved = drift::saved(link, item, shown);
    let reason =
        if link.fingerprint == *fingerprint { UpdateReason::ChangedInOutlook } else { UpdateReason::SourceChanged };
    let repairs = match reason {
        UpdateReason::SourceChanged => link.repairs,
        UpdateReason::ChangedInOutlook if touched.is_empty() => {
            return Action::Keep { reason: KeepReason::Same, link: Some(saved) };
        }
        UpdateReason::ChangedInOutlook => match repair(inputs, link) {
            Some(repairs) => repairs,
            None => return Action::Quarantine { reason: QuarantineReason::RepairedTooOften },
        },
    };
    // A series that somebody moved, or of which some occurrence was touched, is laid out anew.
    let is_laid_out = touched.iter().any(|field| !field.is_content());
    let link = if is_laid_out { found_anew(link, item.clone()) } else { saved };
    let mut fields = fingerprint.differing_fields(&link.fingerprint);
    fields.extend(touched);
    fields.sort_unstable();
    fields.dedup();
    let update = update(inputs, event, &link, fields, (reason, repairs));
    // Whatever it is, the item stays known under its old name: it is looked at again.
    update.unwrap_or(Action::Keep { reason: KeepReason::NotSeen, link: None })
}

/// The link of an item that somebody changed: what became of its occurrences is not known.
fn found_anew(link: &Link, item: ItemRef) -> Link {
    Link { item, occurrences: None, deleted_at: None, ..link.clone() }
}

/// The link of an item that somebody changed while nobody wants it. No later reading tells of it again: should it be wanted
/// again, all of it is written.
fn suspect(link: &Link, item: ItemRef) -> Link {
    Link { fingerprint: Fingerprint::unknown(), echo: None, ..found_anew(link, item) }
}

fn unwanted(inputs: &Inputs<'_>, key: &SourceKey, known: Known<'_>) -> Action {
    let (link, item, adopted) = match known {
        Known::Missing(link) => return unwanted_missing(inputs, key, link),
        Known::Intact(link) => (link.clone(), link.item.clone(), None),
        Known::Changed { link, item } => {
            (found_anew(link, item.clone()), item.clone(), Some(suspect(link, item.clone())))
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

/// What becomes of the link of an item that is gone. Where the source could not be read, or its event could not be used, it
/// may still be wanted: the link remembers that its user deleted it.
fn unwanted_missing(inputs: &Inputs<'_>, key: &SourceKey, link: &Link) -> Action {
    match absence(inputs, key) {
        Err(reason @ (KeepReason::SourceIncomplete | KeepReason::Rejected)) => {
            Action::Keep { reason, link: mark(inputs, link) }
        }
        Ok(_) | Err(_) => Action::Forget,
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
