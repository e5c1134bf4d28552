//! What a pass reads and what it plans: read → plan → check.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    calendar::Opening,
    copies::without_copies,
    echoes::AllSeen,
    outside::moved_away,
    pass::{Pass, PassStop},
    readings::{is_whole, leaves_orphans},
    relocation::Settled,
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
    plan::{Inputs, Plan, Policy, Refusal, Scope, Stamp, check, plan, stamp},
    state::{Held, MailboxState, Standing, StateError},
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
    /// What we wrote, in the order of the keys.
    pub(super) links: Vec<Link>,
    /// The deletions that were held before, in the order of the keys.
    pub(super) holds: Vec<Held>,
    /// What stood before, in the order of the keys.
    pub(super) standings: Vec<Standing>,
    /// Whether items of ours are left that no link tells of.
    pub(super) has_orphans: bool,
    /// What it was decided on, where somebody asks.
    pub(super) stamp: Option<Stamp>,
}

/// What the calendar said of intents (see [`Inputs::pending`]), and operators of held deletions.
pub(super) type Said<'a> = (&'a BTreeMap<SourceKey, i64>, &'a BTreeMap<SourceKey, Verdict>);

/// What a decision depends on, beside what is handed to it: gathered once, decided on as often as need be.
#[derive(Debug)]
pub(super) struct Grounds<'a> {
    snapshot: Cow<'a, Snapshot>,
    /// The known copies of the reading.
    pub(super) left: Vec<String>,
    refusals: BTreeMap<SourceKey, Refusal>,
    scope: Scope,
    policy: Policy,
    now: Timestamp,
}

impl Pass {
    /// Reads and plans; writes nothing to the calendar, and to the state only for the purpose of applying the plan.
    pub(super) async fn make_plan(&self, purpose: Purpose) -> Result<Planned, PassStop> {
        let opening = match purpose {
            Purpose::Apply => Opening::Write,
            Purpose::Look => Opening::Look,
        };
        let (calendar, settled) = match self.open(opening).await? {
            Some(calendar) => {
                let settled = self.settle(&calendar, purpose == Purpose::Apply).await?;
                (calendar, settled)
            }
            None => self.not_made_yet().await?,
        };
        let Settled { links, pending, read } = settled;
        // After the calendar and the place: another one has no cursor.
        let state = self.store.mailbox(&self.mailbox).await?;
        let holds = self.store.holds(Some(&self.mailbox)).await?;
        let standings = self.store.standings(Some(&self.mailbox)).await?.into_iter().map(|(_, one)| one).collect();
        let verdicts = holds.iter().filter_map(|hold| Some((hold.key.clone(), hold.verdict()?))).collect();
        let reading = if read.is_some() {
            read
        } else if is_orphan_approved(&verdicts, &links) {
            // Only a whole reading tells of it.
            Some(self.read_whole(&calendar, &links).await?)
        } else {
            self.read(&calendar, &state, &links, purpose).await?
        };
        let asked = purpose == Purpose::Look || self.expected.is_some();
        let (plan, stamp) = self.plan(&calendar, &links, reading.as_ref(), (&pending, &verdicts), asked).await?;
        // Before this process writes anything to a calendar, it looks: the state may be an old copy, the item restored, or the
        // calendar another instance's by now.
        let unread = reading.is_none() && plan.counts().changes() > 0 && !self.way.has_read(&self.mailbox);
        let (plan, stamp, reading) = if unread {
            let reading = Some(self.read_since(&calendar, &state, &links).await?);
            let (plan, stamp) = self.plan(&calendar, &links, reading.as_ref(), (&pending, &verdicts), asked).await?;
            (plan, stamp, reading)
        } else {
            (plan, stamp, reading)
        };
        // An old copy of the state has an old cursor, since which items may have come and gone again.
        let (plan, stamp, reading) = if plan.newer > 0 && !is_whole(reading.as_ref()) {
            let reading = Some(self.read_whole(&calendar, &links).await?);
            let (plan, stamp) = self.plan(&calendar, &links, reading.as_ref(), (&pending, &verdicts), asked).await?;
            (plan, stamp, reading)
        } else {
            (plan, stamp, reading)
        };
        if reading.is_some() {
            self.way.note_read(&self.mailbox);
        }
        let has_orphans = reading.as_ref().is_some_and(|(reading, _)| leaves_orphans(&plan, &links, &reading.snapshot));
        if has_orphans {
            // No link remembers them: who creates their events in the meantime has to see them first.
            self.way.forget_read(&self.mailbox);
        }
        let is_whole = is_whole(reading.as_ref());
        let reading = reading.map(|(reading, read_at)| (reading.cursor, read_at));
        Ok(Planned { plan, calendar, state, reading, is_whole, has_orphans, links, holds, standings, stamp })
    }

    /// The plan, checked, and what it was decided on when `stamped`. Items are looked at where it has to know more of them.
    async fn plan(
        &self,
        calendar: &Calendar,
        links: &[Link],
        reading: Option<&(Reading, Timestamp)>,
        said: Said<'_>,
        stamped: bool,
    ) -> Result<(Plan, Option<Stamp>), PassStop> {
        let grounds = self.grounds(links, reading).await?;
        let nothing = AllSeen::new();
        let inputs = self.inputs(&grounds, links, said, &nothing);
        let unseen = plan(&inputs)?;
        let seen = self.look_at(calendar, &inputs, &unseen, stamped).await?;
        let inputs = Inputs { seen: &seen, ..inputs };
        let mut plan = if seen.is_empty() { unseen } else { plan(&inputs)? };
        if let Some(violation) = check(&plan, &inputs).into_iter().next() {
            return Err(PassStop::Violation(violation));
        }
        let stamp = if stamped { Some(stamp(&inputs, &plan)?) } else { None };
        plan.copies.extend(grounds.left);
        Ok((plan, stamp))
    }

    /// Gathers what decisions about the calendar depend on, beside what is handed to them.
    pub(super) async fn grounds<'a>(
        &self,
        links: &[Link],
        reading: Option<&'a (Reading, Timestamp)>,
    ) -> Result<Grounds<'a>, PassStop> {
        let snapshot = reading.map_or(&Snapshot::NotRead, |(reading, _)| &reading.snapshot);
        let copies = self.store.copies(&self.mailbox).await?;
        let (snapshot, left) = without_copies(snapshot, &copies, links);
        let refusals = self.refusals().await?;
        let now = self.clock.now();
        let unwanted = unwanted(&self.desired, links, &snapshot);
        let mut scope = self.view.scope(&self.mailbox, unwanted.iter().map(|(key, _)| key));
        scope.outside = moved_away(&self.view, &self.wiring.jobs, &self.mailbox, &unwanted, now);
        Ok(Grounds { snapshot, left, refusals, scope, policy: self.wiring.policy(now), now })
    }

    /// Puts together what is decided on.
    pub(super) fn inputs<'a>(
        &'a self,
        grounds: &'a Grounds<'_>,
        links: &'a [Link],
        (pending, verdicts): Said<'a>,
        seen: &'a AllSeen,
    ) -> Inputs<'a> {
        Inputs {
            mailbox: &self.mailbox,
            owner: self.store.owner(),
            desired: &self.desired,
            links,
            snapshot: &grounds.snapshot,
            seen,
            scope: &grounds.scope,
            refusals: &grounds.refusals,
            pending,
            verdicts,
            policy: &grounds.policy,
            now: grounds.now,
        }
    }

    async fn refusals(&self) -> Result<BTreeMap<SourceKey, Refusal>, StateError> {
        let refused = self.store.refusals(Some(&self.mailbox)).await?;
        let entry = |refused: crate::state::Refused| {
            let refusal = Refusal { fingerprint: refused.fingerprint, code: refused.code, retry_at: refused.retry_at };
            (refused.key, refusal)
        };
        Ok(refused.into_iter().map(entry).collect())
    }
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
