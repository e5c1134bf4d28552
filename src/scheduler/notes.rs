//! What a plan says without a write to the calendar: found and forgotten links, held deletions, what stands, and what the
//! history is told of it.

use jiff::{SignedDuration, Timestamp};

use super::{history::decided, pass::Pass, planning::Planned};
use crate::{
    model::{address::Address, history::Entry, key::SourceKey, link::Link},
    observability::events::{DeletionsHeld, DriftFound, PlanMade, StateOutdated},
    plan::{Action, CreateReason, Decision, KeepReason, Plan, QuarantineReason, UpdateReason},
    state::{Advance, Held, Settlement, Settlements, Standing, released},
};

/// The action of a standing that somebody should look at.
const QUARANTINE: &str = "quarantine";

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

    /// Adds links.
    pub(super) fn link(&mut self, links: impl Iterator<Item = Link>) {
        self.settlements.extend(links.map(Settlement::Linked));
    }

    /// Adds to what the history is told.
    pub(super) fn tell(&mut self, entries: &[Entry]) {
        self.entries.extend_from_slice(entries);
    }
}

impl Pass {
    /// Tells the log of a plan, and says what is to be written of it.
    pub(super) fn notes(&self, made: &Planned) -> Notes {
        let Planned { plan, is_whole, reading, links, holds, standings, .. } = made;
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
        if plan.newer > 0 {
            StateOutdated { mailbox: self.mailbox.as_str(), count: plan.newer as u64 }.emit();
        }
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
            let standing = standing(decision, links, now);
            let is_new_standing = standing.as_ref().is_some_and(|standing| !stood(standings, standing));
            if is_news || is_new_standing {
                notes.entries.push(decided(&self.mailbox, decision, self.view.is_cancelled(&decision.key), now));
            }
            notes.standings.extend(standing.clone().filter(|_| is_new_standing));
            stands.extend(standing.map(|standing| standing.key));
        }
        notes.settlements.extend(plan.learnt.iter().cloned().map(Settlement::Linked));
        notes.released = released(holds, &notes.held, |key| is_still_held(plan, *is_whole, key));
        let is_over = |before: &&Standing| {
            // Without a reading nobody knows whether the item is still changed.
            let may_stand = before.action == QUARANTINE && reading.is_none() && is_kept(plan, &before.key);
            stands.binary_search(&before.key).is_err() && !may_stand
        };
        notes.passed = standings.iter().filter(is_over).map(|standing| standing.key.clone()).collect();
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

fn is_kept(plan: &Plan, key: &SourceKey) -> bool {
    let found = plan.decisions.binary_search_by(|decision| decision.key.cmp(key));
    found.is_ok_and(|at| matches!(plan.decisions[at].action, Action::Keep { .. }))
}

/// What stands without a write and is worth to be told: not that an item is as it should be, is over, has aged out of the window,
/// or that its source was not read to its end, which comes and goes for all of them at once.
fn standing(decision: &Decision, links: &[Link], now: Timestamp) -> Option<Standing> {
    let (action, retry_at) = match &decision.action {
        Action::Quarantine { reason: QuarantineReason::RepairedTooOften } => {
            let link = links.binary_search_by(|link| link.key.cmp(&decision.key)).ok().map(|at| &links[at]);
            let since = link.map_or(now, |link| link.repairs.since);
            (QUARANTINE, since.checked_add(SignedDuration::from_hours(24)).ok())
        }
        Action::Keep { reason, .. } => match reason {
            KeepReason::NotSelected
            | KeepReason::Generic
            | KeepReason::TooLong
            | KeepReason::Rejected
            | KeepReason::DeletedByUser => ("keep", None),
            KeepReason::Same
            | KeepReason::Frozen
            | KeepReason::SourceIncomplete
            | KeepReason::OutOfWindow
            | KeepReason::Cancelled
            | KeepReason::NotSeen => return None,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::Timestamp;

    use super::{standing, stood};
    use crate::{
        model::{
            fingerprint::Fingerprint,
            key::{Kind, SourceKey},
            link::{ItemRef, Link, Repairs},
        },
        plan::{Action, Decision, KeepReason, QuarantineReason},
    };

    #[test]
    fn what_stands_is_told_once() {
        let key = SourceKey::new("erp", Kind::Appointment, "1");
        let at = |second| Timestamp::from_second(second).unwrap();
        let item = ItemRef { id: "I".to_owned(), change_key: "1".to_owned() };
        let repairs = Repairs { since: at(100), count: 5 };
        let link = Link { repairs, ..Link::new(key.clone(), item, Fingerprint::unknown()) };
        let keep = |reason| Action::Keep { reason, link: None };
        let cases = [
            (keep(KeepReason::Same), None),
            (keep(KeepReason::Frozen), None),
            (keep(KeepReason::OutOfWindow), None),
            (keep(KeepReason::SourceIncomplete), None),
            (keep(KeepReason::Rejected), Some(("keep", "rejected", None))),
            (keep(KeepReason::NotSelected), Some(("keep", "not_selected", None))),
            (Action::Quarantine { reason: QuarantineReason::Refused("E".to_owned()) }, None),
            (
                Action::Quarantine { reason: QuarantineReason::RepairedTooOften },
                Some(("quarantine", "repaired_too_often", Some(at(100 + 86_400)))),
            ),
        ];
        for (action, expected) in cases {
            let decision = Decision { key: key.clone(), action };
            let found = standing(&decision, std::slice::from_ref(&link), at(200));
            let told = found.as_ref().map(|one| (one.action.as_str(), one.code.as_str(), one.retry_at));
            assert_eq!(told, expected, "{decision:?}");
            if let Some(found) = found {
                let later = standing(&decision, std::slice::from_ref(&link), at(300)).unwrap();
                assert!(!stood(&[], &later) && stood(&[found], &later));
            }
        }
    }
}
