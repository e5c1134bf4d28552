//! Removes everything of ours from one calendar.

use std::{collections::BTreeMap, sync::Arc};

use tokio_util::sync::CancellationToken;

use super::{
    Progress, Wiring, backoff,
    catalogue::Catalogue,
    engine::ATTEMPTS_ONCE,
    pass::{Done, Pass, PassStop, Planned},
    recovery::{self, Recovered},
};
use crate::{
    clock::Clock,
    model::{
        address::Address,
        fault::FaultKind,
        link::{FoundItem, Link},
        snapshot::Snapshot,
    },
    plan::{Action, Inputs, Scope, purge},
    state::{Settlement, Store},
};

/// A calendar that was looked at and is to be cleared of what is ours.
#[derive(Debug)]
pub struct Purge {
    pass: Pass,
    planned: Planned,
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
        progress: Progress,
        stop: CancellationToken,
    ) -> Result<Self, PassStop> {
        let catalogue = Catalogue::default();
        let (desired, view) = (catalogue.desired(mailbox), catalogue.view());
        let pass = Pass {
            wiring,
            store,
            clock,
            stop,
            progress,
            mailbox: mailbox.clone(),
            epoch: 0,
            desired,
            view,
            expected: None,
        };
        let planned = plan(&pass).await?;
        Ok(Self { pass, planned })
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

    /// Removes them; what fails for the moment is repeated a few times. Returns what was done, and why it is not all.
    pub async fn carry_out(mut self) -> (Done, Option<PassStop>) {
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
        let Self { pass, planned } = self;
        let now = pass.clock.now();
        let gone = planned.plan.decisions.iter().filter(|decision| matches!(decision.action, Action::Forget));
        let gone: Vec<_> = gone.map(|decision| Settlement::Unlinked(decision.key.clone())).collect();
        pass.store.settle(&pass.mailbox, &gone, now).await?;
        pass.progress.planned(&pass.mailbox, planned.plan.counts().changes());
        pass.apply(planned, done).await?;
        pass.store.replace_holds(&pass.mailbox, &[], |_| false, now).await?;
        // Whatever is written here later begins with a look.
        let mut state = planned.state.clone();
        (state.cursor, state.read_at, state.finished_at) = (None, None, Some(pass.clock.now()));
        Ok(pass.store.save_mailbox(&state).await?)
    }
}

async fn plan(pass: &Pass) -> Result<Planned, PassStop> {
    let state = pass.store.mailbox(&pass.mailbox).await?;
    let calendar = pass.open().await?;
    let links = pass.store.links(&pass.mailbox).await?;
    let Recovered { settlements, links, .. } = recovery::look(pass, &calendar, links).await?;
    pass.store.settle(&pass.mailbox, &settlements, pass.clock.now()).await?;
    let (mut reading, read_at) = pass.read_now(&calendar, None).await?;
    if let Snapshot::Whole(found) = &mut reading.snapshot {
        found.retain(|item| is_ours(&links, item));
    }
    let now = pass.clock.now();
    let inputs = Inputs {
        mailbox: &pass.mailbox,
        owner: pass.store.owner(),
        desired: &[],
        links: &links,
        snapshot: &reading.snapshot,
        scope: &Scope::default(),
        refusals: &BTreeMap::new(),
        pending: &BTreeMap::new(),
        verdicts: &BTreeMap::new(),
        policy: &pass.wiring.policy(now),
        now,
    };
    let plan = purge(&inputs)?;
    let is_whole = matches!(reading.snapshot, Snapshot::Whole(_));
    Ok(Planned { plan, calendar, state, reading: Some((reading.cursor, read_at)), is_whole, stamp: None })
}

/// Whether an item names an instance, which the plan then looks at, or is one that we wrote: a key alone proves nothing.
fn is_ours(links: &[Link], item: &FoundItem) -> bool {
    item.owner.is_some() || links.iter().any(|link| link.item.id == item.item.id)
}
