//! Removes everything of ours from one calendar.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    Progress, Wiring, backoff,
    calendar::Opening,
    catalogue::Catalogue,
    copies::without_copies,
    engine::ATTEMPTS_ONCE,
    notes::Notes,
    pass::{Done, Pass, PassStop},
    planning::Planned,
    relocation::Settled,
    route::Passable,
};
use crate::{
    clock::Clock,
    model::{
        address::Address,
        fault::FaultKind,
        link::{FoundItem, Link},
        snapshot::Snapshot,
    },
    plan::{Inputs, Scope, purge},
    state::Store,
};

/// A calendar that was looked at and is to be cleared of what is ours.
#[derive(Debug)]
pub struct Purge {
    pass: Pass,
    planned: Planned,
    comes_back: Option<usize>,
}

impl Purge {
    /// Looks for what is ours; removes nothing.
    ///
    /// # Errors
    /// When the calendar or the state cannot be read, or when another instance keeps the calendar.
    pub async fn look(
        wiring: Arc<Wiring>,
        store: Store,
        clock: Arc<dyn Clock>,
        mailbox: &Address,
        stop: CancellationToken,
    ) -> Result<Self, PassStop> {
        let comes_back = comes_back(&wiring, mailbox, clock.now()).await;
        let catalogue = Catalogue::default();
        let (desired, view, progress) = (catalogue.desired(mailbox), catalogue.view(), Progress::default());
        let found = Passable::new(&wiring.ways).way(&wiring, &store, mailbox).await;
        let (way, noted) = found.map_err(|blocked| blocked.stop)?;
        let pass = Pass {
            wiring,
            way,
            noted,
            store,
            clock,
            stop,
            progress,
            mailbox: mailbox.clone(),
            epoch: 0,
            began: 0,
            desired,
            view,
            expected: None,
        };
        let planned = plan(&pass).await?;
        Ok(Self { pass, planned, comes_back })
    }

    /// How many items are ours.
    #[must_use]
    pub fn items(&self) -> usize {
        self.planned.plan.counts().delete
    }

    /// How many copies that users made of our items stay.
    #[must_use]
    pub fn copies(&self) -> usize {
        self.planned.plan.copies.len()
    }

    /// How many items the next pass writes there again, because jobs choose the mailbox and it takes part in the roll-out;
    /// `None` when a source cannot be read.
    #[must_use]
    pub const fn comes_back(&self) -> Option<usize> {
        self.comes_back
    }

    /// Removes them; what fails for the moment is repeated a few times. Returns what was done, and why it is not all.
    pub async fn carry_out(mut self, progress: Progress) -> (Done, Option<PassStop>) {
        self.pass.progress = progress;
        let mut done = Done::default();
        for attempt in 0.. {
            let Err(stop) = self.remove(&mut done).await else { return (done, None) };
            let wait = match &stop {
                PassStop::Fault(fault) if fault.kind != FaultKind::Permanent && attempt < ATTEMPTS_ONCE => {
                    backoff::wait(attempt, fault.wait(), fastrand::f64())
                }
                _ => return (done, Some(stop)),
            };
            tokio::select! {
                () = self.pass.clock.sleep(wait) => {}
                () = self.pass.stop.cancelled() => return (done, Some(PassStop::Stopped)),
            }
            done.failed = 0;
            match plan(&self.pass).await {
                Ok(planned) => self.planned = planned,
                // The old plan is as good: what is gone is gone.
                Err(PassStop::Fault(_)) => {}
                Err(stop) => return (done, Some(stop)),
            }
        }
        (done, None)
    }

    async fn remove(&self, done: &mut Done) -> Result<(), PassStop> {
        let Self { pass, planned, .. } = self;
        let now = pass.clock.now();
        let notes = Notes::forgotten(&pass.mailbox, &planned.plan, now);
        // Before the originals go: nothing else tells the copies from them.
        pass.store.note_copies(&pass.mailbox, &planned.plan.copies, planned.is_whole).await?;
        pass.progress.planned(&pass.mailbox, planned.plan.counts().changes());
        // Whatever is written here later begins with a look.
        let mut end = planned.state.clone();
        (end.cursor, end.read_at) = (None, None);
        pass.apply(planned, notes, end, done).await?;
        pass.store.replace_holds(&pass.mailbox, &[], |_| false, now).await?;
        if done.failed == 0 {
            // Nothing is left there: the calendar that the settings name is looked for anew.
            pass.store.follow(&pass.mailbox, None).await?;
        }
        Ok(())
    }
}

/// What the sources ask for in a mailbox that takes part.
async fn comes_back(wiring: &Wiring, mailbox: &Address, now: Timestamp) -> Option<usize> {
    if !wiring.rollout.contains(mailbox) {
        return Some(0);
    }
    let mut catalogue = Catalogue::default();
    for (name, source) in &wiring.sources {
        if catalogue.take(&wiring.jobs, name, source.read().await, now).error.is_some() {
            return None;
        }
    }
    Some(catalogue.desired(mailbox).len())
}

async fn plan(pass: &Pass) -> Result<Planned, PassStop> {
    let state = pass.store.mailbox(&pass.mailbox).await?;
    let calendar = pass.open_made(Opening::Clear).await?;
    let Settled { links, .. } = pass.settle(&calendar, true).await?;
    let (mut reading, read_at) = pass.read_now(&calendar, None).await?;
    if let Snapshot::Whole(found) = &mut reading.snapshot {
        found.retain(|item| is_ours(&links, item));
    }
    let copies = pass.store.copies(&pass.mailbox).await?;
    let (snapshot, left) = without_copies(&reading.snapshot, &copies, &links);
    let now = pass.clock.now();
    let inputs = Inputs {
        mailbox: &pass.mailbox,
        owner: pass.store.owner(),
        desired: &[],
        links: &links,
        snapshot: &snapshot,
        seen: &BTreeMap::new(),
        scope: &Scope::default(),
        refusals: &BTreeMap::new(),
        pending: &BTreeMap::new(),
        verdicts: &BTreeMap::new(),
        policy: &pass.wiring.policy(now),
        now,
    };
    let mut plan = purge(&inputs)?;
    plan.copies.extend(left);
    let is_whole = matches!(reading.snapshot, Snapshot::Whole(_));
    let reading = Some((reading.cursor, read_at));
    let (holds, standings, has_orphans) = (Vec::new(), Vec::new(), false);
    Ok(Planned { plan, calendar, state, reading, is_whole, has_orphans, links, holds, standings, stamp: None })
}

/// Whether an item names an instance, which the plan then looks at, or is one that we wrote: a key alone proves nothing.
fn is_ours(links: &[Link], item: &FoundItem) -> bool {
    item.owner.is_some() || links.iter().any(|link| link.item.id == item.item.id)
}
