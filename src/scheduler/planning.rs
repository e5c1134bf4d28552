//! What a pass reads and what it plans: read → plan → check.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    copies::without_copies,
    outside::moved_away,
    pass::{Pass, PassStop},
    recovery::{self, Recovered},
};
use crate::{
    gateway::{Calendar, Reading},
    model::{
        event::DesiredEvent,
        hold::Verdict,
        key::SourceKey,
        link::{FoundItem, Link},
        snapshot::Snapshot,
    },
    plan::{Action, Decision, Inputs, Plan, Refusal, Stamp, check, plan, stamp},
    state::{MailboxState, StateError},
};

/// What a plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be carried out.
    Apply,
    /// To be looked at: the calendar is read in any case, and nothing is written anywhere.
    Look,
}

/// A plan and what it was made from.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) calendar: Calendar,
    pub(super) state: MailboxState,
    pub(super) reading: Option<(Option<String>, Timestamp)>,
    /// Whether every item of ours in the calendar was seen.
    pub(super) is_whole: bool,
    /// Whether items of ours are left that no link tells of.
    pub(super) has_orphans: bool,
    /// What it was decided on, where somebody asks.
    pub(super) stamp: Option<Stamp>,
}

impl Pass {
    /// Reads and plans; writes nothing to the calendar, and to the state only for the purpose of applying the plan.
    pub(super) async fn make_plan(&self, purpose: Purpose) -> Result<Planned, PassStop> {
        let state = self.store.mailbox(&self.mailbox).await?;
        let calendar = self.open().await?;
        let links = self.store.links(&self.mailbox).await?;
        let Recovered { pending, settlements, links } = recovery::look(self, &calendar, links).await?;
        if purpose == Purpose::Apply {
            self.store.settle(&self.mailbox, &settlements, self.clock.now()).await?;
        }
        let holds = self.store.holds(Some(&self.mailbox)).await?;
        let verdicts = holds.iter().filter_map(|hold| Some((hold.key.clone(), hold.verdict()?))).collect();
        let reading = if is_orphan_approved(&verdicts, &links) {
            // Only a whole reading tells of it.
            Some(self.read_whole(&calendar, None, &links).await?)
        } else {
            self.read(&calendar, &state, &links, purpose).await?
        };
        let asked = purpose == Purpose::Look || self.expected.is_some();
        let (plan, stamp) = self.plan(&links, reading.as_ref(), &pending, &verdicts, asked).await?;
        // Before this process creates anything in a calendar, it looks: the state may be an old copy, or the item restored.
        let unread = reading.is_none() && plan.counts().create > 0 && !self.wiring.has_read(&self.mailbox);
        let (plan, stamp, reading) = if unread {
            let reading = Some(self.read_whole(&calendar, cursor(&state), &links).await?);
            let (plan, stamp) = self.plan(&links, reading.as_ref(), &pending, &verdicts, asked).await?;
            (plan, stamp, reading)
        } else {
            (plan, stamp, reading)
        };
        let has_orphans = reading.as_ref().is_some_and(|(reading, _)| leaves_orphans(&plan, &links, &reading.snapshot));
        if has_orphans {
            // No link remembers them: who creates their events in the meantime has to see them first.
            self.wiring.forget_read(&self.mailbox);
        }
        let is_whole = matches!(&reading, Some((Reading { snapshot: Snapshot::Whole(_), .. }, _)));
        let reading = reading.map(|(reading, read_at)| (reading.cursor, read_at));
        Ok(Planned { plan, calendar, state, reading, is_whole, has_orphans, stamp })
    }

    /// The plan, checked, and what it was decided on when `stamped`.
    async fn plan(
        &self,
        links: &[Link],
        reading: Option<&(Reading, Timestamp)>,
        pending: &BTreeMap<SourceKey, i64>,
        verdicts: &BTreeMap<SourceKey, Verdict>,
        stamped: bool,
    ) -> Result<(Plan, Option<Stamp>), PassStop> {
        let snapshot = reading.map_or(&Snapshot::NotRead, |(reading, _)| &reading.snapshot);
        let copies = self.store.copies(&self.mailbox).await?;
        let (snapshot, left) = without_copies(snapshot, &copies, links);
        let refusals = self.refusals().await?;
        let now = self.clock.now();
        let unwanted = unwanted(&self.desired, links, &snapshot);
        let mut scope = self.view.scope(&self.mailbox, unwanted.iter().map(|(key, _)| key));
        scope.outside = moved_away(&self.view, &self.wiring.jobs, &self.mailbox, &unwanted, now);
        let policy = self.wiring.policy(now);
        let inputs = Inputs {
            mailbox: &self.mailbox,
            owner: self.store.owner(),
            desired: &self.desired,
            links,
            snapshot: &snapshot,
            scope: &scope,
            refusals: &refusals,
            pending,
            verdicts,
            policy: &policy,
            now,
        };
        let mut plan = plan(&inputs)?;
        if let Some(violation) = check(&plan, &inputs).into_iter().next() {
            return Err(PassStop::Violation(violation));
        }
        let stamp = if stamped { Some(stamp(&inputs, &plan)?) } else { None };
        plan.copies.extend(left);
        Ok((plan, stamp))
    }

    async fn refusals(&self) -> Result<BTreeMap<SourceKey, Refusal>, StateError> {
        let refused = self.store.refusals(Some(&self.mailbox)).await?;
        let entry = |refused: crate::state::Refused| {
            let refusal = Refusal { fingerprint: refused.fingerprint, code: refused.code, retry_at: refused.retry_at };
            (refused.key, refusal)
        };
        Ok(refused.into_iter().map(entry).collect())
    }

    pub(super) async fn open(&self) -> Result<Calendar, PassStop> {
        if let Some(calendar) = self.wiring.calendar(&self.mailbox) {
            return Ok(calendar);
        }
        let calendar = self.wiring.gateway.open(&self.mailbox).await?;
        self.wiring.remember(calendar.clone());
        Ok(calendar)
    }

    /// Reads the calendar when that is due.
    async fn read(
        &self,
        calendar: &Calendar,
        state: &MailboxState,
        links: &[Link],
        purpose: Purpose,
    ) -> Result<Option<(Reading, Timestamp)>, PassStop> {
        let now = self.clock.now();
        // A reading that lies in the future is one from before the clock was set back.
        let is_due = state.read_at.is_none_or(|read_at| {
            Duration::try_from(now.duration_since(read_at))
                .map_or(true, |since| since >= self.wiring.limits.drift_every)
        });
        if is_due || purpose == Purpose::Look || self.expected.is_some() {
            let (reading, read_at) = self.read_whole(calendar, cursor(state), links).await?;
            if leaves_out(&reading.snapshot, links, state.read_at) {
                return self.read_whole(calendar, None, links).await.map(Some);
            }
            Ok(Some((reading, read_at)))
        } else {
            Ok(None)
        }
    }

    /// Reads, and looks for what is not there by its key before it is taken for deleted: pages are told apart by their offset,
    /// so that an item can slip through when another one goes meanwhile.
    async fn read_whole(
        &self,
        calendar: &Calendar,
        cursor: Option<&str>,
        links: &[Link],
    ) -> Result<(Reading, Timestamp), PassStop> {
        let (mut reading, read_at) = self.read_now(calendar, cursor).await?;
        if let Snapshot::Whole(found) = &mut reading.snapshot {
            let frozen_before = self.wiring.policy(read_at).frozen_before;
            let missing = missing(links, found, frozen_before);
            for keys in missing.chunks(self.wiring.gateway.batch_limits().keys.max(1)) {
                found.extend(self.wiring.gateway.probe(calendar, keys).await?);
            }
        }
        Ok((reading, read_at))
    }

    pub(super) async fn read_now(
        &self,
        calendar: &Calendar,
        cursor: Option<&str>,
    ) -> Result<(Reading, Timestamp), PassStop> {
        let now = self.clock.now();
        let reading = self.wiring.gateway.read(calendar, cursor).await?;
        self.wiring.note_read(&self.mailbox);
        Ok((reading, now))
    }
}

/// The cursor to read from; one without a reading is of no use: everything is read anew.
fn cursor(state: &MailboxState) -> Option<&str> {
    state.read_at.and(state.cursor.as_deref())
}

/// The keys of links whose items were not found, but for what is frozen.
fn missing(links: &[Link], found: &[FoundItem], frozen_before: Timestamp) -> Vec<SourceKey> {
    let there: HashSet<&str> = found.iter().map(|found| found.key.as_str()).collect();
    let is_missing = |link: &&Link| link.ends >= frozen_before && !there.contains(link.key.as_str());
    links.iter().filter(is_missing).map(|link| link.key.clone()).collect()
}

/// Whether items that no link tells of stay as they are and stay unknown.
fn leaves_orphans(plan: &Plan, links: &[Link], snapshot: &Snapshot) -> bool {
    let found: &[FoundItem] = match snapshot {
        Snapshot::Whole(found) | Snapshot::Changes { ours: found, .. } => found,
        Snapshot::NotRead => &[],
    };
    let found: HashSet<&str> = found.iter().map(|found| found.key.as_str()).collect();
    let stays = |action: &Action| matches!(action, Action::Keep { link: None, .. } | Action::Hold { .. });
    let is_linked = |key: &SourceKey| links.binary_search_by(|link| link.key.cmp(key)).is_ok();
    let is_orphan = |decision: &&Decision| {
        stays(&decision.action) && found.contains(decision.key.as_str()) && !is_linked(&decision.key)
    };
    plan.decisions.iter().any(|decision| is_orphan(&decision))
}

/// Whether something that we created since the last reading is not among the changes: who deletes it before the next one leaves
/// no trace there, since it came and went in between.
fn leaves_out(snapshot: &Snapshot, links: &[Link], last_read_at: Option<Timestamp>) -> bool {
    let (Snapshot::Changes { changed, gone, .. }, Some(last)) = (snapshot, last_read_at) else { return false };
    let told: HashSet<&str> =
        changed.iter().map(|item| item.id.as_str()).chain(gone.iter().map(String::as_str)).collect();
    let is_new = |link: &&Link| link.generation >= last.as_millisecond();
    links.iter().filter(is_new).any(|link| !told.contains(link.item.id.as_str()))
}

/// Whether an item was approved to be removed that no link tells of.
fn is_orphan_approved(verdicts: &BTreeMap<SourceKey, Verdict>, links: &[Link]) -> bool {
    let is_linked = |key: &SourceKey| links.binary_search_by(|link| link.key.cmp(key)).is_ok();
    verdicts.iter().any(|(key, verdict)| *verdict == Verdict::Approved && !is_linked(key))
}

/// The keys that may be ours in the calendar and are not wanted there, and when what was written ends.
fn unwanted(desired: &[Arc<DesiredEvent>], links: &[Link], snapshot: &Snapshot) -> Vec<(SourceKey, Timestamp)> {
    let wanted: HashSet<&SourceKey> = desired.iter().map(|event| &event.key).collect();
    let found: &[FoundItem] = match snapshot {
        Snapshot::Whole(found) | Snapshot::Changes { ours: found, .. } => found,
        Snapshot::NotRead => &[],
    };
    // The end of what no link tells of is not known; what a link tells of the same key comes last, and counts.
    let found = found.iter().filter_map(|item| Some((SourceKey::parse(&item.key)?, Timestamp::MAX)));
    let written = found.chain(links.iter().map(|link| (link.key.clone(), link.ends)));
    let unwanted: BTreeMap<SourceKey, Timestamp> = written.filter(|(key, _)| !wanted.contains(key)).collect();
    unwanted.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{leaves_out, missing};
    use crate::model::{
        fingerprint::Fingerprint,
        key::{Kind, SourceKey},
        link::{FoundItem, ItemRef, Link},
        snapshot::Snapshot,
    };

    #[test]
    fn what_came_and_went_between_two_readings_is_missed() {
        let item = |id: &str| ItemRef { id: id.to_owned(), change_key: "1".to_owned() };
        let link = |id: &str, generation: i64| Link {
            generation,
            ..Link::new(SourceKey::new("erp", Kind::Appointment, id), item(id), Fingerprint::unknown())
        };
        let changes = |changed: &[&str], gone: &[&str]| Snapshot::Changes {
            changed: changed.iter().map(|id| item(id)).collect(),
            ours: Vec::new(),
            gone: gone.iter().map(|id| (*id).to_owned()).collect(),
        };
        let links = [link("old", 4_000), link("new", 5_000)];
        let last = Timestamp::from_second(5).ok();
        let cases = [
            (changes(&["new"], &[]), last, false),
            (changes(&["old", "other"], &[]), last, true),
            (changes(&[], &["new"]), last, false),
            (changes(&[], &[]), Timestamp::from_second(6).ok(), false),
            (changes(&[], &[]), None, false),
            (Snapshot::Whole(Vec::new()), last, false),
            (Snapshot::NotRead, last, false),
        ];
        for (snapshot, last, missed) in cases {
            assert_eq!(leaves_out(&snapshot, &links, last), missed, "{snapshot:?}");
        }
    }

    #[test]
    fn what_is_not_found_is_looked_for_unless_it_is_frozen() {
        let item = |id: &str| ItemRef { id: id.to_owned(), change_key: "1".to_owned() };
        let key = |id: &str| SourceKey::new("erp", Kind::Appointment, id);
        let link = |id: &str, ends: Timestamp| Link { ends, ..Link::new(key(id), item(id), Fingerprint::unknown()) };
        let (past, future) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let links = [link("found", future), link("lost", future), link("over", past)];
        let found = [FoundItem::new(item("found"), key("found").as_str())];
        let frozen_before = Timestamp::from_second(1).unwrap_or_default();
        assert_eq!(missing(&links, &found, frozen_before), [key("lost")]);
    }
}
