//! What a run would do: sources and calendars are read, nothing is written.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{
    Progress, Wiring,
    brake::brake,
    catalogue::Catalogue,
    left_out::{LeftOut, left_out},
    pass::{Pass, PassStop},
    planning::{Planned, Purpose},
    progress::ProgressEvent,
    route::Passable,
};
use crate::{
    clock::Clock,
    desired::{Note, Skipped},
    model::{address::Address, cohort::Cohort, source::Rejection},
    plan::{Plan, Stamp},
    sources::SourceError,
    state::{StateError, Store},
};

/// The plan of one mailbox.
#[derive(Debug)]
pub struct Looked {
    /// What would be done.
    pub plan: Plan,
    /// What that was decided on.
    pub stamp: Stamp,
}

/// The plans of all mailboxes, or why there is none.
#[derive(Debug, Default)]
pub struct Plans {
    /// In the order of the addresses.
    pub mailboxes: Vec<(Address, Result<Looked, PassStop>)>,
    /// How many mailboxes do not take part in the roll-out.
    pub mailboxes_left: usize,
    /// Sources that could not be read.
    pub sources_failed: Vec<(String, SourceError)>,
    /// Events that could not be used, with their sources.
    pub rejections: Vec<(String, Rejection)>,
    /// Events that are not shown by one item, and why.
    pub notes: Vec<Note>,
    /// Events inside the window that no job shows, and why.
    pub skipped: Vec<Skipped>,
    /// How many events are outside the window.
    pub out_of_window: usize,
}

/// Every mailbox that the sources or the state name.
///
/// # Errors
/// When the state cannot be read.
pub async fn mailboxes(wiring: &Wiring, store: &Store, clock: &dyn Clock) -> Result<Vec<Address>, StateError> {
    let mut catalogue = Catalogue::default();
    catalogue.know_mailboxes(store.mailboxes().await?.into_iter().map(|state| state.mailbox));
    for (name, source) in &wiring.sources {
        catalogue.take(&wiring.jobs, name, source.read().await, clock.now());
    }
    Ok(catalogue.mailboxes().cloned().collect())
}

/// Plans every mailbox of `only` that takes part in the roll-out, one after the other, and ends early at a fault that would meet every one of them.
///
/// # Errors
/// When the state cannot be read.
pub async fn plans(
    wiring: Arc<Wiring>,
    store: Store,
    clock: Arc<dyn Clock>,
    only: &Cohort,
    progress: Progress,
) -> Result<Plans, StateError> {
    let mut catalogue = Catalogue::telling();
    let takes = |mailbox: &Address| wiring.rollout.contains(mailbox) && only.contains(mailbox);
    let mut plans = Plans::default();
    catalogue.know_mailboxes(store.mailboxes().await?.into_iter().map(|state| state.mailbox));
    for (name, source) in &wiring.sources {
        let taken = catalogue.take(&wiring.jobs, name, source.read().await, clock.now());
        brake(&mut catalogue, &wiring, &store, name, clock.now()).await?;
        plans.rejections.extend(taken.findings().into_iter().map(|rejection| (name.clone(), rejection)));
        plans.notes.extend(taken.notes.into_iter().filter(|note| takes(&note.mailbox)));
        plans.sources_failed.extend(taken.error.map(|error| (name.clone(), error)));
    }
    let LeftOut { skipped, out_of_window } = left_out(&catalogue, takes);
    (plans.skipped, plans.out_of_window) = (skipped, out_of_window);
    let asked = catalogue.mailboxes().filter(|mailbox| only.contains(mailbox));
    let (mailboxes, left): (Vec<_>, Vec<_>) = asked.cloned().partition(takes);
    plans.mailboxes_left = left.len();
    let mut passable = Passable::new(&wiring.ways);
    for mailbox in mailboxes {
        let found = passable.way(&wiring, &store, &mailbox).await;
        let side = match &found {
            Ok((way, _)) => Some(way.side),
            Err(blocked) => blocked.side,
        };
        let planned = match found {
            Ok((way, noted)) => {
                let pass = Pass {
                    wiring: Arc::clone(&wiring),
                    way,
                    noted,
                    store: store.clone(),
                    clock: Arc::clone(&clock),
                    stop: CancellationToken::new(),
                    progress: progress.clone(),
                    desired: catalogue.desired(&mailbox),
                    view: catalogue.view(),
                    mailbox: mailbox.clone(),
                    expected: None,
                    epoch: 0,
                    began: 0,
                };
                look(&pass).await
            }
            Err(blocked) => Err(blocked.stop),
        };
        let changes = planned.as_ref().map_or(0, |looked| looked.plan.counts().changes());
        progress.tell(ProgressEvent::Planned { mailbox: &mailbox, writes: changes });
        let is_over = passable.note(&wiring, side, &planned);
        plans.mailboxes.push((mailbox, planned));
        if is_over {
            break;
        }
    }
    Ok(plans)
}

async fn look(pass: &Pass) -> Result<Looked, PassStop> {
    let Planned { plan, stamp, .. } = pass.make_plan(Purpose::Look).await?;
    Ok(Looked { plan, stamp: stamp.unwrap_or_default() })
}
