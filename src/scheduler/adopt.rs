//! Rebuilds links from calendars, and takes over what another instance wrote.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio_util::sync::CancellationToken;

use super::{
    Progress, Wiring, backoff,
    calendar::Opening,
    catalogue::Catalogue,
    copies::without_copies,
    echoes::AllSeen,
    engine::ATTEMPTS_ONCE,
    pass::{Pass, PassStop},
    relocation::Settled,
    route::{Found, Passable},
};
use crate::{
    clock::Clock,
    gateway::Calendar,
    model::{
        address::Address,
        cohort::Cohort,
        fault::{Fault, FaultKind, FaultScope},
        history::{Entry, Step},
        key::SourceKey,
        link::{FoundItem, ItemRef, Link},
        side::Side,
        snapshot::Snapshot,
    },
    plan::{Adopted, adopt, foreign},
    sources::SourceError,
    state::{Advance, Settlement, StateError, Store},
};

/// How often a calendar is looked at until nothing of another instance is left: what changes meanwhile is marked in the next
/// round.
const ROUNDS_MAX: usize = 3;

/// The calendars that are adopted.
#[derive(Debug)]
pub struct Adoptions {
    wiring: Arc<Wiring>,
    store: Store,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    progress: Progress,
    catalogue: Catalogue,
    /// In the order of their addresses.
    mailboxes: BTreeSet<Address>,
    /// Sources that could not be read: what they want is not known, so that their items are not linked.
    pub sources_failed: Vec<(String, SourceError)>,
}

/// How many items carry the name of each instance.
pub type Owners = BTreeMap<String, usize>;

impl Adoptions {
    /// Reads the sources; opens no calendar.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn begin(
        wiring: Arc<Wiring>,
        store: Store,
        clock: Arc<dyn Clock>,
        only: &Cohort,
        stop: CancellationToken,
    ) -> Result<Self, StateError> {
        let mut catalogue = Catalogue::default();
        let mut sources_failed = Vec::new();
        let known: Vec<Address> = store.mailboxes().await?.into_iter().map(|state| state.mailbox).collect();
        catalogue.know_mailboxes(known.iter().cloned());
        for (name, source) in &wiring.sources {
            let taken = catalogue.take(&wiring.jobs, name, source.read().await, clock.now());
            sources_failed.extend(taken.error.map(|error| (name.clone(), error)));
        }
        let named = only.named().into_iter().flatten();
        let takes = |mailbox: &&Address| wiring.rollout.contains(mailbox) && only.contains(mailbox);
        let mailboxes = catalogue.mailboxes().chain(&known).chain(named).filter(takes).cloned().collect();
        let progress = Progress::default();
        Ok(Self { wiring, store, clock, stop, progress, catalogue, mailboxes, sources_failed })
    }

    /// The same, told to somebody.
    #[must_use]
    pub fn told(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// The same for a state under another name.
    #[must_use]
    pub fn renamed(self, wiring: Arc<Wiring>, store: Store) -> Self {
        Self { wiring, store, ..self }
    }

    /// Whose items are in each calendar. Nothing is written anywhere.
    pub async fn look(&self) -> Vec<(Address, Result<Owners, PassStop>)> {
        self.each(async |pass| {
            let Some(calendar) = pass.open(Opening::Look).await? else { return Ok(Owners::new()) };
            let (reading, _) = pass.read_now(&calendar, None).await?;
            let mut owners = Owners::new();
            let ours = found(&reading.snapshot).iter().filter(|item| !SourceKey::is_canary(&item.key));
            for owner in ours.filter_map(|item| item.owner.as_ref()) {
                *owners.entry(owner.0.clone()).or_default() += 1;
            }
            Ok(owners)
        })
        .await
    }

    /// Rebuilds the links of each calendar; with `takes_over`, what other instances wrote carries our name first. Writes
    /// nothing else to any calendar, and may be repeated.
    pub async fn carry_out(&self, takes_over: bool) -> Vec<(Address, Result<Adopted, PassStop>)> {
        self.each(async |pass| adopt_one(pass, takes_over).await).await
    }

    /// Does something with each calendar, one after the other; what fails for the moment is repeated a few times. Ends early at
    /// a fault that would meet every one of them.
    async fn each<T>(&self, one: impl AsyncFn(&Pass) -> Result<T, PassStop>) -> Vec<(Address, Result<T, PassStop>)> {
        let mut results = Vec::new();
        for mailbox in &self.mailboxes {
            self.progress.planned(mailbox, 1);
        }
        let mut passable = Passable::new(&self.wiring.ways);
        for mailbox in &self.mailboxes {
            let (side, result) = self.patiently(mailbox, &passable, &one).await;
            self.progress.written(mailbox, 1);
            let is_over = passable.note(&self.wiring, side, &result);
            let meets_all = matches!(&result, Err(PassStop::State(_) | PassStop::Stopped));
            results.push((mailbox.clone(), result));
            if meets_all || is_over {
                break;
            }
        }
        results
    }

    async fn patiently<T>(
        &self,
        mailbox: &Address,
        passable: &Passable,
        one: &impl AsyncFn(&Pass) -> Result<T, PassStop>,
    ) -> (Option<Side>, Result<T, PassStop>) {
        let mut side = None;
        for attempt in 0.. {
            if self.stop.is_cancelled() {
                break;
            }
            let result = match passable.way(&self.wiring, &self.store, mailbox).await {
                Ok(found) => {
                    side = Some(found.0.side);
                    one(&self.pass(mailbox, found)).await
                }
                Err(blocked) if blocked.is_known => return (blocked.side, Err(blocked.stop)),
                Err(blocked) => {
                    side = blocked.side;
                    Err(blocked.stop)
                }
            };
            let wait = match result {
                Err(PassStop::Fault(fault)) if fault.kind != FaultKind::Permanent && attempt < ATTEMPTS_ONCE => {
                    backoff::wait(attempt, fault.wait(), fastrand::f64())
                }
                result => return (side, result),
            };
            tokio::select! {
                () = self.clock.sleep(wait) => {}
                () = self.stop.cancelled() => break,
            }
        }
        (side, Err(PassStop::Stopped))
    }

    fn pass(&self, mailbox: &Address, (way, noted): Found) -> Pass {
        Pass {
            wiring: Arc::clone(&self.wiring),
            way,
            noted,
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            stop: self.stop.clone(),
            progress: self.progress.clone(),
            mailbox: mailbox.clone(),
            epoch: 0,
            began: 0,
            desired: self.catalogue.desired(mailbox),
            view: self.catalogue.view(),
            expected: None,
        }
    }
}

async fn adopt_one(pass: &Pass, takes_over: bool) -> Result<Adopted, PassStop> {
    let calendar = pass.open_made(Opening::Adopt).await?;
    let state = pass.store.mailbox(&pass.mailbox).await?;
    if takes_over {
        let links = pass.store.links(&pass.mailbox).await?;
        take_over(pass, &calendar, &links).await?;
    }
    let Settled { links, pending, .. } = pass.settle(&calendar, true).await?;
    let now = pass.clock.now();
    let reading = pass.read_now(&calendar, None).await?;
    let grounds = pass.grounds(&links, Some(&reading)).await?;
    let adoption = adopt(&pass.inputs(&grounds, &links, (&pending, &BTreeMap::new()), &AllSeen::new()))?;
    let adopted = |link: &Link| Entry::new(now, Some(&pass.mailbox), &link.key, Step::Decision, "adopt");
    let entries: Vec<Entry> = adoption.links.iter().map(adopted).collect();
    let found: Vec<_> = adoption.links.into_iter().map(Settlement::Linked).collect();
    let step = Advance { settlements: &found, entries: &entries, ..Advance::default() };
    pass.store.advance(&pass.mailbox, &step, now).await?;
    let copies: Vec<String> = adoption.copies.into_iter().chain(grounds.left).collect();
    pass.store.note_copies(&pass.mailbox, &copies, true).await?;
    // The next pass reads everything: it sees what is not linked.
    let state = crate::state::MailboxState { cursor: None, read_at: None, ..state };
    pass.store.save_mailbox(&state).await?;
    Ok(Adopted { copies: copies.len(), ..adoption.counts })
}

/// Writes our name on what another instance wrote, until nothing else is there. An item that carries our name already is left
/// alone, so that this may stop anywhere and be repeated; no intent is needed.
async fn take_over(pass: &Pass, calendar: &Calendar, links: &[Link]) -> Result<(), PassStop> {
    let mut refused: Option<Fault> = None;
    for _ in 0..ROUNDS_MAX {
        let items = not_ours(pass, calendar, links).await?;
        if items.is_empty() {
            return Ok(());
        }
        for some in items.chunks(pass.way.gateway.batch_limits().writes.max(1)) {
            if pass.stop.is_cancelled() {
                return Err(PassStop::Stopped);
            }
            expect_marks(pass, links, some).await?;
            for fault in pass.way.gateway.own(calendar, some).await.into_iter().filter_map(Result::err) {
                if fault.scope != FaultScope::Item {
                    return Err(fault.into());
                }
                refused = Some(fault);
            }
        }
    }
    let is_done = not_ours(pass, calendar, links).await?.is_empty();
    if is_done { Ok(()) } else { refused.map_or(Ok(()), |fault| Err(fault.into())) }
}

/// Notes that the links of items are right for whatever version they have after the mark, before it is sent: it is no drift. An
/// item with an intent is looked up anyway.
async fn expect_marks(pass: &Pass, links: &[Link], items: &[ItemRef]) -> Result<(), PassStop> {
    let unsettled = pass.store.intents(&pass.mailbox).await?;
    let is_due = |link: &&Link| items.contains(&link.item) && unsettled.iter().all(|intent| intent.key != link.key);
    let blank = |link: &Link| {
        let item = ItemRef { change_key: String::new(), ..link.item.clone() };
        Settlement::Linked(Link { item, ..link.clone() })
    };
    let expected: Vec<_> = links.iter().filter(is_due).map(blank).collect();
    Ok(pass.store.settle(&pass.mailbox, &expected, pass.clock.now()).await?)
}

/// The items of other instances. The copies that users made are noted before anything is marked, as the plan looks at the
/// owner of all else.
async fn not_ours(pass: &Pass, calendar: &Calendar, links: &[Link]) -> Result<Vec<ItemRef>, PassStop> {
    let (reading, _) = pass.read_now(calendar, None).await?;
    let known = pass.store.copies(&pass.mailbox).await?;
    let (snapshot, left) = without_copies(&reading.snapshot, &known, links);
    let (items, copies) = foreign(links, &snapshot, pass.store.owner());
    let copies: Vec<String> = copies.into_iter().chain(left).collect();
    pass.store.note_copies(&pass.mailbox, &copies, true).await?;
    Ok(items)
}

fn found(snapshot: &Snapshot) -> &[FoundItem] {
    match snapshot {
        Snapshot::NotRead => &[],
        Snapshot::Changes { ours: found, .. } | Snapshot::Whole(found) => found,
    }
}
