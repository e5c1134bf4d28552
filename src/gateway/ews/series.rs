//! The second wave of a series: its cancelled and changed occurrences, then the fingerprint that says that they are there.
//!
//! Cancelled ones go first: they make room for those that move to another day, which may not reach a neighbour's. Then come
//! those that move to an earlier time, the first one first, then the others, the last one first. Where an occurrence was
//! before is not always known: one that meets a neighbour is sent again once others have moved.

use jiff::civil::DateTime;

use super::{
    apply::{Pending, gone as not_found, update},
    batch::{Parcel, Sender},
    delete_item::{DeleteItem, Target},
    fault::{is_crossing, is_gone},
    occurrences::{Act, Changed, occurrences},
    update_item::{Update, UpdateItem, Way, ends_too_early},
};
use crate::{
    gateway::{Answer, Outcome},
    model::{
        event::DesiredEvent,
        fault::{Fault, FaultKind, FaultScope},
        fingerprint::Fingerprint,
        link::ItemRef,
    },
};

/// A series whose master is written and whose exceptions are not.
#[derive(Debug)]
pub(super) struct Master<'a> {
    number: usize,
    event: &'a DesiredEvent,
    item: ItemRef,
    /// What the master says until its exceptions are there.
    fingerprint: Fingerprint,
    /// The originals that are written; `None` for all that differ.
    only: Option<&'a [DateTime]>,
    /// What stopped an exception.
    fault: Option<Fault>,
}

impl<'a> Master<'a> {
    /// The master of the write of that number.
    pub(super) const fn new(
        number: usize,
        event: &'a DesiredEvent,
        item: ItemRef,
        fingerprint: Fingerprint,
        only: Option<&'a [DateTime]>,
    ) -> Self {
        Self { number, event, item, fingerprint, only, fault: None }
    }

    fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    fn partly(self, fault: Fault) -> (usize, Answer) {
        let outcome = Outcome::Partly { item: self.item, fingerprint: self.fingerprint, fault };
        (self.number, Answer::new(outcome, None))
    }
}

/// An occurrence to be written: the position of its master, its index, what it shows.
struct Job<T> {
    master: usize,
    id: String,
    index: u32,
    what: T,
}

/// Writes the exceptions of series and returns what became of each.
pub(super) async fn write_occurrences(sender: &mut Sender<'_>, mut masters: Vec<Master<'_>>) -> Vec<(usize, Answer)> {
    if masters.is_empty() {
        return Vec::new();
    }
    let (mut cancelled, mut changed) = (Vec::new(), Vec::new());
    let mut later = Vec::new();
    for (position, master) in masters.iter_mut().enumerate() {
        let (found, stray) = occurrences(master.event, master.only);
        master.fault = stray;
        for occurrence in found {
            let (id, index) = (master.item.id.clone(), occurrence.index);
            match occurrence.act {
                Act::Cancel => cancelled.push(Job { master: position, id, index, what: () }),
                Act::Change(what) if what.properties().is_empty() => {}
                Act::Change(what) if what.is_later() => later.push(Job { master: position, id, index, what }),
                Act::Change(what) => changed.push(Job { master: position, id, index, what }),
            }
        }
    }
    cancel(sender, &cancelled, &mut masters).await;
    changed.extend(later.into_iter().rev());
    change(sender, changed, &mut masters).await;
    finish(sender, masters).await
}

async fn cancel(sender: &mut Sender<'_>, jobs: &[Job<()>], masters: &mut [Master<'_>]) {
    let parcels = (0..jobs.len()).map(Parcel::bare).collect();
    let target =
        |position: &usize| jobs.get(*position).map(|job| Target::Occurrence { master: &job.id, index: job.index });
    let build = |positions: &[usize]| DeleteItem { targets: positions.iter().filter_map(target).collect() };
    for (position, result) in sender.send(parcels, build).await {
        match result {
            Ok(()) => {}
            // Already cancelled. Should the whole series be gone, the next request tells.
            Err(fault) if is_gone(&fault) => {}
            Err(fault) => fail(masters, jobs, position, fault),
        }
    }
}

async fn change(sender: &mut Sender<'_>, mut jobs: Vec<Job<Changed<'_>>>, masters: &mut [Master<'_>]) {
    let mut due: Vec<usize> = (0..jobs.len()).collect();
    while !due.is_empty() {
        let (mut again, mut crossed, mut goes_on) = (Vec::new(), Vec::new(), false);
        for (position, result) in send(sender, &jobs, &due).await {
            let Some(job) = jobs.get_mut(position) else { continue };
            match result {
                Ok(_) => goes_on |= !crossed.is_empty(),
                Err(fault) if is_crossing(&fault) => crossed.push((position, fault)),
                Err(fault) if job.what.whole && !job.what.start_first && ends_too_early(&fault) => {
                    job.what.start_first = true;
                    again.push(position);
                    goes_on = true;
                }
                Err(fault) if job.what.whole && is_gone(&fault) => fail(masters, &jobs, position, not_there(&fault)),
                Err(fault) => fail(masters, &jobs, position, fault),
            }
        }
        // Others have moved since: there may be room now. Each round needs one that did, so that this comes to an end.
        for (position, fault) in crossed {
            if goes_on { again.push(position) } else { fail(masters, &jobs, position, fault) }
        }
        again.sort_unstable();
        due = again;
    }
}

async fn send(
    sender: &mut Sender<'_>,
    jobs: &[Job<Changed<'_>>],
    due: &[usize],
) -> Vec<(usize, Result<ItemRef, Fault>)> {
    // Days are meant in the zone of the request.
    let parcel = |position: &usize| {
        let shown = jobs.get(*position)?.what.shown();
        Some(Parcel::showing(*position, shown.time, shown.content))
    };
    let parcels = due.iter().filter_map(parcel).collect();
    let one = |position: &usize| {
        let job = jobs.get(*position)?;
        Some((Target::Occurrence { master: &job.id, index: job.index }, Update::Occurrence(job.what.clone())))
    };
    let build = |positions: &[usize]| UpdateItem { changes: positions.iter().filter_map(one).collect() };
    sender.send(parcels, build).await
}

/// Somebody deleted an occurrence that is to change: the series is due as a whole.
fn not_there(fault: &Fault) -> Fault {
    let message = "an occurrence that changes is not there any more: the series is written anew";
    let kind = FaultKind::Transient { wait: None };
    Fault { kind, message: message.to_owned(), scope: FaultScope::Item, ..fault.clone() }
}

fn fail<T>(masters: &mut [Master<'_>], jobs: &[Job<T>], position: usize, fault: Fault) {
    if let Some(master) = jobs.get(position).and_then(|job| masters.get_mut(job.master)) {
        master.fail(fault);
    }
}

/// Asks for the change keys, which every occurrence has changed, and writes the full fingerprint on the masters whose
/// exceptions are all there.
async fn finish(sender: &mut Sender<'_>, mut masters: Vec<Master<'_>>) -> Vec<(usize, Answer)> {
    let mut outcomes = Vec::with_capacity(masters.len());
    let wanted: Vec<_> = masters
        .iter()
        .enumerate()
        .map(|(position, master)| (position, master.item.id.clone(), &master.event.key))
        .collect();
    let mut gone = Vec::new();
    for (position, result) in sender.refresh(&wanted).await {
        match (result, masters.get_mut(position)) {
            (Ok(item), Some(master)) => master.item = item,
            (Err(fault), Some(_)) if is_gone(&fault) => gone.push((position, not_found(&fault))),
            (Err(fault), Some(master)) => master.fail(fault),
            (_, None) => {}
        }
    }
    let mut complete = Vec::new();
    for (position, mut master) in masters.into_iter().enumerate() {
        if let Some((_, answer)) = gone.iter().find(|(gone, _)| *gone == position) {
            outcomes.push((master.number, answer.clone()));
        } else if let Some(fault) = master.fault.take() {
            outcomes.push(master.partly(fault));
        } else {
            complete.push(master);
        }
    }
    let pending = complete.iter().enumerate().map(|(number, master)| Pending {
        number,
        item: master.item.clone(),
        event: master.event,
        fields: None,
        fingerprint: master.event.fingerprint(),
        generation: 0,
        way: Way::FIRST,
        refreshed: false,
        request_id: None,
    });
    let pending = pending.collect();
    let mut complete: Vec<Option<Master<'_>>> = complete.into_iter().map(Some).collect();
    for (pending, result) in update(sender, pending).await {
        let Some(master) = complete.get_mut(pending.number).and_then(Option::take) else {
            continue;
        };
        outcomes.push(match result {
            Ok(item) => {
                let outcome = Outcome::Written { item, fingerprint: pending.fingerprint };
                (master.number, Answer::new(outcome, pending.request_id))
            }
            Err(fault) if is_gone(&fault) => (master.number, not_found(&fault)),
            Err(fault) => master.partly(fault),
        });
    }
    outcomes
}
