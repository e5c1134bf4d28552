//! What a pass reads and what it plans: read → plan → check.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    calendar::Opening,
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
    plan::{Inputs, Plan, Refusal, Stamp, check, plan, stamp},
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
    /// What it was decided on, where somebody asks.
    pub(super) stamp: Option<Stamp>,
}

impl Pass {
    /// Reads and plans; writes nothing to the calendar, and to the state only for the purpose of applying the plan.
    pub(super) async fn make_plan(&self, purpose: Purpose) -> Result<Planned, PassStop> {
        let opening = match purpose {
            Purpose::Apply => Opening::Write,
            Purpose::Look => Opening::Look,
        };
        let calendar = self.open(opening).await?;
        // After the calendar: another one has no cursor.
        let state = self.store.mailbox(&self.mailbox).await?;
        let links = self.store.links(&self.mailbox).await?;
        let Recovered { pending, settlements, links } = recovery::look(self, &calendar, links).await?;
        if purpose == Purpose::Apply {
            self.store.settle(&self.mailbox, &settlements, self.clock.now()).await?;
        }
        let holds = self.store.holds(Some(&self.mailbox)).await?;
        let verdicts = holds.iter().filter_map(|hold| Some((hold.key.clone(), hold.verdict()?))).collect();
        let reading = if is_orphan_approved(&verdicts, &links) {
            // Only a whole reading tells of it.
            Some(self.read_now(&calendar, None).await?)
        } else {
            self.read(&calendar, &state, purpose).await?
        };
        let asked = purpose == Purpose::Look || self.expected.is_some();
        let (plan, stamp) = self.plan(&links, reading.as_ref(), &pending, &verdicts, asked).await?;
        // Before this process creates anything in a calendar, it looks: the state may be an old copy, or the item restored.
        let unread = reading.is_none() && plan.counts().create > 0 && !self.wiring.has_read(&self.mailbox);
        let (plan, stamp, reading) = if unread {
            let reading = Some(self.read_now(&calendar, cursor(&state)).await?);
            let (plan, stamp) = self.plan(&links, reading.as_ref(), &pending, &verdicts, asked).await?;
            (plan, stamp, reading)
        } else {
            (plan, stamp, reading)
        };
        let is_whole = matches!(&reading, Some((Reading { snapshot: Snapshot::Whole(_), .. }, _)));
        let reading = reading.map(|(reading, read_at)| (reading.cursor, read_at));
        Ok(Planned { plan, calendar, state, reading, is_whole, stamp })
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

    /// Reads the calendar when that is due.
    async fn read(
        &self,
        calendar: &Calendar,
        state: &MailboxState,
        purpose: Purpose,
    ) -> Result<Option<(Reading, Timestamp)>, PassStop> {
        let now = self.clock.now();
        // A reading that lies in the future is one from before the clock was set back.
        let is_due = state.read_at.is_none_or(|read_at| {
            Duration::try_from(now.duration_since(read_at))
                .map_or(true, |since| since >= self.wiring.limits.drift_every)
        });
        if is_due || purpose == Purpose::Look || self.expected.is_some() {
            self.read_now(calendar, cursor(state)).await.map(Some)
        } else {
            Ok(None)
        }
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
