//! Carries out writes: creates, updates and deletes in batches, then the occurrences of series.

use std::sync::Arc;

use super::{
    batch::{Parcel, Sender},
    client::Client,
    create_item::CreateItem,
    delete_item::{DeleteItem, Target},
    fault::{is_conflict, is_gone},
    series::{Master, write_occurrences},
    update_item::{Update, UpdateItem, Way},
};
use crate::{
    gateway::{Answer, Calendar, Outcome, Write},
    model::{
        event::DesiredEvent,
        fault::{Fault, FaultKind, FaultScope},
        fingerprint::{Field, Fingerprint},
        key::SourceKey,
        link::ItemRef,
        occurrences::Occurrences,
    },
};

/// Requests for one item of an update or a delete: the first, and one more for each way in which the server may ask for another.
const ROUNDS_MAX: usize = 4;

/// Carries out writes and returns one answer for each, in their order.
pub(super) async fn apply(client: &Client, calendar: &Calendar, writes: &[Write]) -> Vec<Answer> {
    let mut sender = Sender::new(client, calendar);
    let mut outcomes: Vec<Option<Answer>> = vec![None; writes.len()];
    let mut masters = Vec::new();
    create(&mut sender, writes, &mut outcomes, &mut masters).await;
    change(&mut sender, writes, &mut outcomes, &mut masters).await;
    delete(&mut sender, writes, &mut outcomes).await;
    for (number, outcome) in write_occurrences(&mut sender, masters).await {
        set(&mut outcomes, number, outcome);
    }
    let forgotten = || Answer::new(Outcome::Failed(forgotten()), None);
    outcomes.into_iter().map(|answer| answer.unwrap_or_else(forgotten)).collect()
}

fn set(outcomes: &mut [Option<Answer>], number: usize, answer: Answer) {
    if let Some(place) = outcomes.get_mut(number) {
        *place = Some(answer);
    }
}

/// What a fault makes of a change or a removal.
fn failed(fault: Fault) -> Answer {
    if is_gone(&fault) { gone(&fault) } else { Answer::new(Outcome::Failed(fault), None) }
}

/// The item is not there, as a fault says.
pub(super) fn gone(fault: &Fault) -> Answer {
    Answer::new(Outcome::Gone, fault.request_id.as_deref().map(Arc::from))
}

/// What the server says of an item that it wrote.
struct Said {
    item: ItemRef,
    fingerprint: Fingerprint,
    request_id: Option<Arc<str>>,
}

/// Every write is sent or refused above; should one slip through, it is looked up before it is sent again.
fn forgotten() -> Fault {
    let message = "the write was neither sent nor refused";
    Fault::new(FaultScope::Item, FaultKind::Doubtful { wait: None }, "Forgotten", message)
}

/// What an item says of itself until the occurrences that are due are written too.
fn first_fingerprint(event: &DesiredEvent, occurrences: &Occurrences) -> Fingerprint {
    let fingerprint = event.fingerprint();
    if occurrences.are_due(event) { fingerprint.without_occurrences() } else { fingerprint }
}

/// Notes what was written; a series of which occurrences are due goes to the second wave.
fn written<'a>(
    outcomes: &mut [Option<Answer>],
    masters: &mut Vec<Master<'a>>,
    number: usize,
    event: &'a DesiredEvent,
    Said { item, fingerprint, request_id }: Said,
    occurrences: &'a Occurrences,
) {
    if occurrences.are_due(event) {
        masters.push(Master::new(number, event, item, fingerprint, occurrences.only()));
    } else {
        set(outcomes, number, Answer::new(Outcome::Written { item, fingerprint }, request_id));
    }
}

async fn create<'a>(
    sender: &mut Sender<'_>,
    writes: &'a [Write],
    outcomes: &mut [Option<Answer>],
    masters: &mut Vec<Master<'a>>,
) {
    let (calendar, owner) = (sender.calendar, &sender.client.config.owner);
    let said = |number: usize| match writes.get(number) {
        Some(Write::Create { event, generation }) => {
            Some((&**event, first_fingerprint(event, &Occurrences::Fresh), *generation))
        }
        Some(Write::Update { .. } | Write::Delete { .. }) | None => None,
    };
    let parcels =
        (0..writes.len()).filter_map(|number| said(number).map(|(event, ..)| Parcel::of(number, event))).collect();
    let build = |numbers: &[usize]| {
        let events = numbers.iter().filter_map(|number| said(*number)).collect();
        CreateItem { calendar, events, owner }
    };
    for (number, result) in sender.send(parcels, build).await {
        match (result, said(number)) {
            (Ok(item), Some((event, fingerprint, _))) => {
                let said = Said { item, fingerprint, request_id: sender.request_id(number) };
                written(outcomes, masters, number, event, said, &Occurrences::Fresh);
            }
            (Ok(_), None) => {}
            (Err(fault), _) => set(outcomes, number, Answer::new(Outcome::Failed(fault), None)),
        }
    }
}

async fn change<'a>(
    sender: &mut Sender<'_>,
    writes: &'a [Write],
    outcomes: &mut [Option<Answer>],
    masters: &mut Vec<Master<'a>>,
) {
    let mut pending = Vec::new();
    for (number, write) in writes.iter().enumerate() {
        if let Write::Update { item, event, generation, fields, occurrences } = write {
            let fingerprint = first_fingerprint(event, occurrences);
            let item = item.clone();
            pending.push(Pending {
                number,
                item,
                event,
                fields: Some((fields, occurrences)),
                fingerprint,
                generation: *generation,
                way: Way::FIRST,
                refreshed: false,
                request_id: None,
            });
        }
    }
    for (pending, result) in update(sender, pending).await {
        let number = pending.number;
        match result {
            Ok(item) => {
                let occurrences = pending.fields.map_or(&Occurrences::Fresh, |(_, occurrences)| occurrences);
                let said = Said { item, fingerprint: pending.fingerprint, request_id: pending.request_id };
                written(outcomes, masters, number, pending.event, said, occurrences);
            }
            Err(fault) => set(outcomes, number, failed(fault)),
        }
    }
}

/// An update of an item that is not done yet.
#[derive(Debug, Clone)]
pub(super) struct Pending<'a> {
    /// The number of its write.
    pub(super) number: usize,
    /// The item.
    pub(super) item: ItemRef,
    /// What it is to show.
    pub(super) event: &'a DesiredEvent,
    /// Which fields, and which occurrences after them; `None` for nothing but the fingerprint.
    pub(super) fields: Option<(&'a [Field], &'a Occurrences)>,
    /// The fingerprint that it is to carry.
    pub(super) fingerprint: Fingerprint,
    /// The generation that it is to carry, where fields are written.
    pub(super) generation: i64,
    /// How it is put.
    pub(super) way: Way,
    /// Whether its change key was asked for.
    pub(super) refreshed: bool,
    /// The request that was answered last.
    pub(super) request_id: Option<Arc<str>>,
}

/// Updates items. An item that the server refuses for its order or its change key is sent once more the other way, or
/// with the present change key: the source is the reference, so what somebody changed meanwhile is overwritten.
pub(super) async fn update<'a>(
    sender: &mut Sender<'_>,
    mut pending: Vec<Pending<'a>>,
) -> Vec<(Pending<'a>, Result<ItemRef, Fault>)> {
    let owner = &sender.client.config.owner;
    let mut done = Vec::with_capacity(pending.len());
    for round in 1..=ROUNDS_MAX {
        let parcels =
            pending.iter().enumerate().map(|(position, pending)| Parcel::of(position, pending.event)).collect();
        let one = |position: &usize| {
            pending.get(*position).map(|pending: &Pending<'a>| {
                let fingerprint = pending.fingerprint.clone();
                let update = match pending.fields {
                    Some((fields, occurrences)) => {
                        let (event, way, lays_out) = (pending.event, pending.way, occurrences.lays_out());
                        let generation = pending.generation;
                        Update::Fields { event, fields, lays_out, fingerprint, generation, owner, way }
                    }
                    None => Update::Fingerprint(fingerprint),
                };
                (Target::Item(pending.item.clone()), update)
            })
        };
        let build = |positions: &[usize]| UpdateItem { changes: positions.iter().filter_map(one).collect() };
        let results = sender.send(parcels, build).await;
        let (mut again, mut stale): (Vec<Pending<'a>>, Vec<Pending<'a>>) = (Vec::new(), Vec::new());
        for (position, result) in results {
            let Some(mut one) = pending.get(position).cloned() else {
                continue;
            };
            one.request_id = sender.request_id(position);
            match result {
                Err(fault) if round < ROUNDS_MAX && is_conflict(&fault) && !one.refreshed => {
                    one.refreshed = true;
                    stale.push(one);
                }
                Err(fault) if round < ROUNDS_MAX && one.way.other(&fault).is_some() => {
                    one.way = one.way.other(&fault).unwrap_or(one.way);
                    again.push(one);
                }
                result => done.push((one, result)),
            }
        }
        let wanted: Vec<_> =
            stale.iter().enumerate().map(|(position, one)| (position, one.item.id.clone(), &one.event.key)).collect();
        for (position, result) in sender.refresh(&wanted).await {
            let Some(mut one) = stale.get(position).cloned() else {
                continue;
            };
            match result {
                Ok(item) => {
                    one.item = item;
                    again.push(one);
                }
                Err(fault) => done.push((one, Err(fault))),
            }
        }
        pending = again;
        if pending.is_empty() {
            break;
        }
    }
    done
}

/// Writes the name of this instance on items, and nothing else.
pub(super) async fn own(client: &Client, calendar: &Calendar, items: &[ItemRef]) -> Vec<Result<(), Fault>> {
    let mut sender = Sender::new(client, calendar);
    let owner = &client.config.owner;
    let change = |position: &usize| items.get(*position).map(|item| (Target::Item(item.clone()), Update::Owner(owner)));
    let build = |positions: &[usize]| UpdateItem { changes: positions.iter().filter_map(change).collect() };
    let mut owned: Vec<Result<(), Fault>> = items.iter().map(|_| Err(forgotten())).collect();
    for (position, result) in sender.send((0..items.len()).map(Parcel::bare).collect(), build).await {
        if let Some(place) = owned.get_mut(position) {
            *place = result.map(|_: ItemRef| ());
        }
    }
    owned
}

async fn delete(sender: &mut Sender<'_>, writes: &[Write], outcomes: &mut [Option<Answer>]) {
    let mut items: Vec<(usize, ItemRef, &SourceKey)> = Vec::new();
    for (number, write) in writes.iter().enumerate() {
        if let Write::Delete { key, item } = write {
            items.push((number, item.clone(), key));
        }
    }
    for is_last_round in [false, true] {
        let parcels = (0..items.len()).map(Parcel::bare).collect();
        let target = |position: &usize| items.get(*position).map(|(_, item, _)| Target::Item(item.clone()));
        let build = |positions: &[usize]| DeleteItem { targets: positions.iter().filter_map(target).collect() };
        let mut stale = Vec::new();
        for (position, result) in sender.send(parcels, build).await {
            let Some((number, item, key)) = items.get(position) else {
                continue;
            };
            match result {
                Ok(()) => set(outcomes, *number, Answer::new(Outcome::Gone, sender.request_id(position))),
                Err(fault) if is_conflict(&fault) && !is_last_round => stale.push((*number, item.id.clone(), *key)),
                Err(fault) => set(outcomes, *number, failed(fault)),
            }
        }
        let mut again = Vec::new();
        for (number, result) in sender.refresh(&stale).await {
            match (result, writes.get(number)) {
                (Ok(item), Some(write)) => again.push((number, item, write.key())),
                (Ok(_), None) => {}
                (Err(fault), _) => set(outcomes, number, failed(fault)),
            }
        }
        items = again;
    }
}
