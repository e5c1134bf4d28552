//! What a plan says without a write to the calendar: found and forgotten links, held deletions, what stands, and what the
//! history is told of it.

use jiff::{SignedDuration, Timestamp};

use super::{history::decided, pass::Pass, planning::Planned};
use crate::{
    model::{address::Address, history::Entry, key::SourceKey},
    observability::events::{DeletionsHeld, DriftFound, PlanMade},
    plan::{Action, CreateReason, Decision, KeepReason, Plan, QuarantineReason, UpdateReason},
    state::{Advance, Held, Settlement, Settlements, Standing, released},
};

/// What is written of a plan before anything is sent.
#[derive(Debug, Default)]
pub(super) struct Notes {
    settlements: Settlements,
    held: Vec<(SourceKey, String)>,
    released: Vec<SourceKey>,
    standings: Vec<Standing>,
    passed: Vec<SourceKey>,
    entries: Vec<Entry>,
}

impl Notes {
    /// Nothing but links that end.
    pub(super) fn forgotten(mailbox: &Address, plan: &Plan, now: Timestamp) -> Self {
        let mut notes = Self::default();
        for decision in plan.decisions.iter().filter(|decision| matches!(decision.action, Action::Forget)) {
            notes.settlements.push(Settlement::Unlinked(decision.key.clone()));
            notes.entries.push(decided(mailbox, decision, false, now));
        }
        notes
    }

    /// The transaction that writes it.
    pub(super) fn step(&self) -> Advance<'_> {
        Advance {
            settlements: &self.settlements,
            held: &self.held,
            released: &self.released,
            standings: &self.standings,
            passed: &self.passed,
            entries: &self.entries,
            ..Advance::default()
        }
    }

    /// Adds to what the history is told.
    pub(super) fn tell(&mut self, entries: &[Entry]) {
        self.entries.extend_from_slice(entries);
    }
}

impl Pass {
    /// Tells the log of a plan, and says what is to be written of it.
    pub(super) fn notes(&self, made: &Planned) -> Notes {
        let Planned { plan, is_whole, holds, standings, .. } = made;
        let now = self.clock.now();
        let counts = plan.counts();
        PlanMade {
            mailbox: self.mailbox.as_str(),
            create: counts.create as u64,
            update: counts.update as u64,
            delete: counts.delete as u64,
            held: counts.hold as u64,
            quarantined: counts.quarantine as u64,
            kept: counts.keep as u64,
        }
        .emit();
        let mut notes = Notes::default();
        let mut stands = Vec::new();
        for decision in &plan.decisions {
            drift(&self.mailbox, decision);
            let is_news = match &decision.action {
                Action::Keep { link: Some(link), .. } => {
                    notes.settlements.push(Settlement::Linked(link.clone()));
                    true
                }
                Action::Forget => {
                    notes.settlements.push(Settlement::Unlinked(decision.key.clone()));
                    true
                }
                Action::Hold { .. } => {
                    let reason = decision.action.reason();
                    let is_news = !was_held(holds, &decision.key, &reason);
                    notes.held.push((decision.key.clone(), reason));
                    is_news
                }
                Action::Create { .. }
                | Action::Update { .. }
                | Action::Delete { .. }
                | Action::Keep { .. }
                | Action::Quarantine { .. } => false,
            };
            let standing = standing(decision, now);
            let is_new_standing = standing.as_ref().is_some_and(|standing| !stood(standings, standing));
            if is_news || is_new_standing {
                notes.entries.push(decided(&self.mailbox, decision, self.view.is_cancelled(&decision.key), now));
            }
            notes.standings.extend(standing.clone().filter(|_| is_new_standing));
            stands.extend(standing.map(|standing| standing.key));
        }
        notes.released = released(holds, &notes.held, |key| is_still_held(plan, *is_whole, key));
        notes.passed = standings
            .iter()
            .map(|standing| &standing.key)
            .filter(|key| stands.binary_search(key).is_err())
            .cloned()
            .collect();
        if !notes.held.is_empty() {
            DeletionsHeld {
                mailbox: self.mailbox.as_str(),
                count: notes.held.len() as u64,
                total: plan.brake_base as u64,
                reason: &notes.held[0].1,
            }
            .emit();
        }
        self.progress.planned(&self.mailbox, counts.changes());
        notes
    }
}

fn was_held(holds: &[Held], key: &SourceKey, reason: &str) -> bool {
    holds.binary_search_by(|held| held.key.cmp(key)).is_ok_and(|at| holds[at].reason == reason)
}

fn stood(before: &[Standing], standing: &Standing) -> bool {
    let found = before.binary_search_by(|other| other.key.cmp(&standing.key));
    found.is_ok_and(|at| before[at].action == standing.action && before[at].code == standing.code)
}

/// What stands without a write and is worth to be told: not that an item is as it should be, is over, has aged out of the window,
/// or that its source was not read to its end, which comes and goes for all of them at once.
fn standing(decision: &Decision, now: Timestamp) -> Option<Standing> {
    let (action, retry_at) = match &decision.action {
        Action::Quarantine { reason: QuarantineReason::RepairedTooOften } => {
            ("quarantine", now.checked_add(SignedDuration::from_hours(24)).ok())
        }
        Action::Keep { reason, .. } => match reason {
            KeepReason::NotSelected | KeepReason::Generic | KeepReason::TooLong | KeepReason::Rejected => {
                ("keep", None)
            }
            KeepReason::Same
            | KeepReason::Frozen
            | KeepReason::SourceIncomplete
            | KeepReason::OutOfWindow
            | KeepReason::Cancelled => return None,
        },
        // What the server refused is kept among the refusals.
        Action::Quarantine { reason: QuarantineReason::Refused(_) }
        | Action::Create { .. }
        | Action::Update { .. }
        | Action::Delete { .. }
        | Action::Hold { .. }
        | Action::Forget => return None,
    };
    let code = decision.action.code().to_owned();
    Some(Standing { key: decision.key.clone(), action: action.to_owned(), code, since: now, retry_at })
}

/// Whether a deletion that was held and is not held by this plan is nevertheless not settled.
fn is_still_held(plan: &Plan, is_whole: bool, key: &SourceKey) -> bool {
    match plan.decisions.binary_search_by(|decision| decision.key.cmp(key)) {
        Ok(at) => matches!(
            plan.decisions[at].action,
            // Until the item is gone, the approval counts.
            Action::Delete { .. } | Action::Keep { reason: KeepReason::SourceIncomplete, .. }
        ),
        // An orphan is seen by a whole reading only.
        Err(_) => !is_whole,
    }
}

/// Tells the log what somebody did to an item of ours.
fn drift(mailbox: &Address, decision: &Decision) {
    let kind = match &decision.action {
        Action::Create { reason: CreateReason::DeletedInOutlook, .. } => "deleted",
        Action::Update { reason: UpdateReason::ChangedInOutlook, .. } => "changed",
        Action::Quarantine { reason: QuarantineReason::RepairedTooOften } => "changed too often",
        Action::Create { .. }
        | Action::Update { .. }
        | Action::Delete { .. }
        | Action::Hold { .. }
        | Action::Keep { .. }
        | Action::Forget
        | Action::Quarantine { .. } => return,
    };
    DriftFound { mailbox: mailbox.as_str(), key: decision.key.as_str(), kind }.emit();
}
