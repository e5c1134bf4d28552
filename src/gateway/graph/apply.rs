//! Writes, up to 20 in one request, and after them the occurrences of series that differ.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::civil::DateTime;

use super::{
    super::{Answer, Calendar, Outcome, Write},
    GraphGateway,
    batch::{Failure, Inner, Sender, Settled},
    create_event, delete_event, fault,
    fault::Verb,
    occurrences::{self, Pending},
    properties::Said,
    update_event,
};
use crate::model::{
    event::DesiredEvent,
    fault::{Fault, FaultKind, FaultScope},
    fingerprint::{Field, Fingerprint},
    link::ItemRef,
    occurrences::Occurrences,
    recurrence::Series,
};

/// One write and what its item says after its request.
enum Due<'a> {
    Create {
        event: &'a DesiredEvent,
        generation: i64,
        says: Fingerprint,
    },
    Update {
        item: &'a ItemRef,
        event: &'a DesiredEvent,
        generation: i64,
        fields: &'a [Field],
        lays_out: bool,
        says: Fingerprint,
    },
    Delete {
        item: &'a ItemRef,
    },
}

/// Carries out writes and returns one answer for each, in their order.
pub(super) async fn apply(gateway: &GraphGateway, calendar: &Calendar, writes: &[Write]) -> Vec<Answer> {
    let mut outcomes: Vec<Answer> = writes.iter().map(|_| Answer::new(Outcome::Failed(second_write()), None)).collect();
    let mut sender = Sender::new(gateway, &calendar.mailbox);
    let mut places = first_writes(writes);
    let bare = remove_recurrences(&mut sender, calendar, writes, &mut places, &mut outcomes).await;
    let due: Vec<(usize, Due<'_>)> = places.into_iter().map(|place| (place, Due::of(&writes[place]))).collect();
    let requests: Vec<Inner<'_>> = due.iter().map(|(_, due)| due.request(gateway, calendar)).collect();
    let answers = sender.run(&requests).await;
    let mut pending = Vec::new();
    for ((place, due), answer) in due.iter().zip(answers) {
        let Answer { outcome, request_id } = due.answer(answer);
        let outcome = match (outcome, bare.get(place)) {
            // It is there as a single event, and says so.
            (Outcome::Failed(fault), Some(item)) => Outcome::Partly {
                item: item.clone(),
                fingerprint: Fingerprint::unknown(),
                fault: sender.stopping(fault),
            },
            (outcome, _) => outcome,
        };
        if let (Some((event, series, only)), Outcome::Written { item, .. }) = (second_wave(&writes[*place]), &outcome) {
            let generation = generation(&writes[*place]);
            pending.push(Pending { place: *place, item: item.clone(), event, series, generation, only });
        }
        outcomes[*place] = Answer::new(outcome, request_id);
    }
    if !pending.is_empty() {
        for (place, outcome) in occurrences::write(&mut sender, calendar, pending).await {
            outcomes[place] = outcome;
        }
    }
    outcomes
}

/// Writes the name of this instance on items, and nothing else.
pub(super) async fn own(gateway: &GraphGateway, calendar: &Calendar, items: &[ItemRef]) -> Vec<Result<(), Fault>> {
    let request = |item: &ItemRef| update_event::update_owner(calendar, &item.id, &gateway.config.owner);
    let requests: Vec<Inner<'_>> = items.iter().map(request).collect();
    let answers = Sender::new(gateway, &calendar.mailbox).run(&requests).await;
    answers.into_iter().map(|answer| answer.map(|_| ()).map_err(|failure| failure.fault)).collect()
}

/// Makes single events of the series that are laid out anew, so that none of their exceptions stays, and returns what they
/// are called now. Until the series is there again its item says nothing that anybody wants. Series that could not be
/// written leave `places`.
async fn remove_recurrences(
    sender: &mut Sender<'_>,
    calendar: &Calendar,
    writes: &[Write],
    places: &mut Vec<usize>,
    outcomes: &mut [Answer],
) -> HashMap<usize, ItemRef> {
    let says = Fingerprint::unknown();
    let owner = &sender.gateway.config.owner;
    let rebuilt = |place: &usize| match &writes[*place] {
        Write::Update { item, event, generation, occurrences: Occurrences::All, .. } if event.series.is_some() => {
            let said = Said { fingerprint: &says, generation: *generation, owner };
            let request = update_event::remove_recurrence(calendar, &item.id, event, said);
            Some((*place, item, request))
        }
        Write::Create { .. } | Write::Update { .. } | Write::Delete { .. } => None,
    };
    let mut rebuilt_items = Vec::new();
    let mut requests = Vec::new();
    for (place, item, request) in places.iter().filter_map(rebuilt) {
        rebuilt_items.push((place, item));
        requests.push(request);
    }
    let mut bare = HashMap::with_capacity(requests.len());
    if requests.is_empty() {
        return bare;
    }
    for ((place, item), answer) in rebuilt_items.into_iter().zip(sender.run(&requests).await) {
        match answer {
            Ok(body) => {
                bare.insert(place, body.into_item_ref().unwrap_or_else(|| item.clone()));
                continue;
            }
            Err(failure) => outcomes[place] = failed(failure),
        }
        places.retain(|other| *other != place);
    }
    bare
}

/// What a failure makes of a change or a removal.
fn failed(failure: Failure) -> Answer {
    let request_id = failure.fault.request_id.as_deref().map(Arc::from);
    Answer::new(if failure.gone { Outcome::Gone } else { Outcome::Failed(failure.fault) }, request_id)
}

/// The first write for each item and key: a batch is carried out in any order, so it holds one for each.
fn first_writes(writes: &[Write]) -> Vec<usize> {
    let (mut keys, mut items) = (HashSet::new(), HashSet::new());
    let mut is_first = |write: &Write| {
        let item_is_new = match write {
            Write::Create { .. } => true,
            Write::Update { item, .. } | Write::Delete { item, .. } => items.insert(item.id.clone()),
        };
        keys.insert(write.key().clone()) && item_is_new
    };
    writes.iter().enumerate().filter(|(_, write)| is_first(write)).map(|(place, _)| place).collect()
}

fn second_write() -> Fault {
    let message = "another write for the same item goes first";
    Fault::new(FaultScope::Item, FaultKind::NotAttempted, "SecondWrite", message)
}

/// The series of which occurrences are to be written after it, and which originals, where not all that differ are.
fn second_wave(write: &Write) -> Option<(&DesiredEvent, &Series, Option<&[DateTime]>)> {
    let (event, occurrences) = match write {
        Write::Create { event, .. } => (event, &Occurrences::Fresh),
        Write::Update { event, occurrences, .. } => (event, occurrences),
        Write::Delete { .. } => return None,
    };
    let series = event.series.as_ref().filter(|_| occurrences.are_due(event))?;
    Some((event, series, occurrences.only()))
}

/// The generation of a write; of a delete there is none.
const fn generation(write: &Write) -> i64 {
    match write {
        Write::Create { generation, .. } | Write::Update { generation, .. } => *generation,
        Write::Delete { .. } => 0,
    }
}

impl<'a> Due<'a> {
    fn of(write: &'a Write) -> Self {
        let says = |event: &DesiredEvent| match second_wave(write) {
            Some(_) => event.fingerprint().without_occurrences(),
            None => event.fingerprint(),
        };
        match write {
            Write::Create { event, generation } => Self::Create { event, generation: *generation, says: says(event) },
            Write::Update { item, event, generation, fields, occurrences } => Self::Update {
                item,
                event,
                generation: *generation,
                fields,
                lays_out: occurrences.lays_out(),
                says: says(event),
            },
            Write::Delete { item, .. } => Self::Delete { item },
        }
    }

    fn request<'b>(&'b self, gateway: &'b GraphGateway, calendar: &Calendar) -> Inner<'b> {
        let owner = &gateway.config.owner;
        match self {
            Self::Create { event, generation, says } => {
                let said = Said { fingerprint: says, generation: *generation, owner };
                create_event::create_event(calendar, event, said)
            }
            Self::Update { item, event, generation, fields, lays_out, says } => {
                let said = Said { fingerprint: says, generation: *generation, owner };
                update_event::update_event(calendar, &item.id, event, (fields, *lays_out), said)
            }
            Self::Delete { item } => delete_event::delete_event(calendar, &item.id),
        }
    }

    fn answer(&self, answer: Settled) -> Answer {
        let (verb, says) = match self {
            Self::Create { says, .. } => (Verb::Create, Some(says)),
            Self::Update { says, .. } => (Verb::Change, Some(says)),
            Self::Delete { .. } => (Verb::Change, None),
        };
        match (answer, says) {
            (Ok(body), None) => Answer::new(Outcome::Gone, body.request_id),
            (Ok(body), Some(says)) => {
                let request_id = body.request_id.clone();
                let outcome = match body.into_item_ref() {
                    Some(item) => Outcome::Written { item, fingerprint: says.clone() },
                    None => Outcome::Failed(fault::of_nonsense(verb, "the written event has no id or change key")),
                };
                Answer::new(outcome, request_id)
            }
            (Err(failure), _) => failed(Failure { gone: failure.gone && verb == Verb::Change, ..failure }),
        }
    }
}
