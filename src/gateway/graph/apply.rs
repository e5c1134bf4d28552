//! Writes, up to 20 in one request, and after them the occurrences of series that differ.

use std::{collections::HashSet, sync::Arc};

use super::{
    super::{Calendar, Outcome, Write},
    GraphGateway,
    batch::{Inner, Sender, Settled},
    create_event, delete_event, event, fault,
    fault::Verb,
    occurrences::{self, Pending},
    update_event,
};
use crate::model::{
    event::DesiredEvent,
    fault::{Fault, FaultKind, FaultScope},
    fingerprint::{Field, Fingerprint},
    link::ItemRef,
    recurrence::Series,
};

/// One write and what its item says after its first request.
enum Due<'a> {
    Create { event: &'a DesiredEvent, generation: u32, says: Fingerprint },
    Update { item: &'a ItemRef, event: &'a DesiredEvent, fields: &'a [Field], says: Fingerprint },
    Delete { item: &'a ItemRef },
}

/// Carries out writes and returns one outcome for each, in their order.
pub(super) async fn apply(gateway: &GraphGateway, calendar: &Calendar, writes: &[Write]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = writes.iter().map(|_| Outcome::Failed(second_write())).collect();
    let due: Vec<(usize, Due<'_>)> =
        first_writes(writes).into_iter().map(|place| (place, Due::of(&writes[place]))).collect();
    let requests: Vec<Inner<'_>> = due.iter().map(|(_, due)| due.request(gateway, calendar)).collect();
    let mut sender = Sender::new(gateway, &calendar.mailbox);
    let answers = sender.run(&requests).await;
    let mut pending = Vec::new();
    for ((place, due), answer) in due.iter().zip(answers) {
        let outcome = due.outcome(answer);
        if let (Some((event, series)), Outcome::Written { item, .. }) = (exceptions(&writes[*place]), &outcome) {
            pending.push(Pending { place: *place, item: item.clone(), event, series });
        }
        outcomes[*place] = outcome;
    }
    if !pending.is_empty() {
        for (place, outcome) in occurrences::write(&mut sender, calendar, pending).await {
            outcomes[place] = outcome;
        }
    }
    outcomes
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

/// The series whose occurrences are to be written after it.
fn exceptions(write: &Write) -> Option<(&DesiredEvent, &Series)> {
    let (event, due): (&Arc<DesiredEvent>, bool) = match write {
        Write::Create { event, .. } => (event, true),
        Write::Update { event, fields, .. } => (event, event::touches_series(fields)),
        Write::Delete { .. } => return None,
    };
    let series = event.series.as_ref().filter(|series| due && !series.exceptions.is_empty())?;
    Some((event, series))
}

impl<'a> Due<'a> {
    fn of(write: &'a Write) -> Self {
        let says = |event: &DesiredEvent| match exceptions(write) {
            Some(_) => event.fingerprint().without_occurrences(),
            None => event.fingerprint(),
        };
        match write {
            Write::Create { event, generation } => Self::Create { event, generation: *generation, says: says(event) },
            Write::Update { item, event, fields } => Self::Update { item, event, fields, says: says(event) },
            Write::Delete { item, .. } => Self::Delete { item },
        }
    }

    fn request<'b>(&'b self, gateway: &'b GraphGateway, calendar: &Calendar) -> Inner<'b> {
        let owner = &gateway.config.owner;
        match self {
            Self::Create { event, generation, says } => {
                create_event::create_event(calendar, event, *generation, says, owner)
            }
            Self::Update { item, event, fields, says } => {
                update_event::update_event(calendar, &item.id, event, fields, says, owner)
            }
            Self::Delete { item } => delete_event::delete_event(calendar, &item.id),
        }
    }

    fn outcome(&self, answer: Settled) -> Outcome {
        let (verb, says) = match self {
            Self::Create { says, .. } => (Verb::Create, Some(says)),
            Self::Update { says, .. } => (Verb::Change, Some(says)),
            Self::Delete { .. } => (Verb::Change, None),
        };
        match (answer, says) {
            (Ok(_), None) => Outcome::Gone,
            (Ok(body), Some(says)) => match body.into_item_ref() {
                Some(item) => Outcome::Written { item, fingerprint: says.clone() },
                None => Outcome::Failed(fault::of_nonsense(verb, "the written event has no id or change key")),
            },
            (Err(failure), _) if failure.gone && verb == Verb::Change => Outcome::Gone,
            (Err(failure), _) => Outcome::Failed(failure.fault),
        }
    }
}
