//! Sends many items in as few requests as the limits allow, and stops sending when the server says so.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use super::{
    client::Client,
    fault::{is_gone, is_indivisible},
    get_item::{GetItem, not_ours},
    operation::Operation,
};
use crate::{
    gateway::Calendar,
    model::{
        event::{Content, DesiredEvent},
        fault::{Fault, FaultKind, FaultScope},
        key::SourceKey,
        link::ItemRef,
        time::EventTime,
    },
};

/// Texts of one request; a server may refuse a request of 400 KB (`ErrorRequestStreamTooBig`).
const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// Sends the requests of one `apply`.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    pub(super) client: &'a Client,
    pub(super) calendar: &'a Calendar,
    /// The fault after which nothing more is sent.
    stopped: Option<Fault>,
    /// The requests that brought what was sent last, by the numbers of its parcels.
    request_ids: HashMap<usize, Arc<str>>,
}

/// An item to be sent: its number, the zone in which the server is to see it, and its size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parcel<'a> {
    number: usize,
    zone: &'a str,
    bytes: usize,
}

impl<'a> Parcel<'a> {
    /// An item without content.
    pub(super) const fn bare(number: usize) -> Self {
        Self { number, zone: "", bytes: 0 }
    }

    /// An item with the content of an event.
    pub(super) fn of(number: usize, event: &'a DesiredEvent) -> Self {
        Self::showing(number, &event.time, &event.content)
    }

    /// An item that shows this then.
    pub(super) fn showing(number: usize, time: &'a EventTime, content: &Content) -> Self {
        Self { number, zone: time.zone().told(), bytes: content.body.content.len() + 2048 }
    }
}

impl<'a> Sender<'a> {
    pub(super) fn new(client: &'a Client, calendar: &'a Calendar) -> Self {
        Self { client, calendar, stopped: None, request_ids: HashMap::new() }
    }

    /// The name of the request in which the server took the parcel of that number, of those that were sent last.
    pub(super) fn request_id(&self, number: usize) -> Option<Arc<str>> {
        self.request_ids.get(&number).cloned()
    }

    /// Sends all parcels with the operation that `build` makes of some of them, and returns what became of each.
    ///
    /// A request that the server refuses for one of its items (such a fault names no item) is sent again in halves:
    /// refused as a whole, nothing of it was carried out, and the others are not to suffer for the one.
    pub(super) async fn send<O, R>(
        &mut self,
        parcels: Vec<Parcel<'_>>,
        build: impl Fn(&[usize]) -> O + Send + Sync,
    ) -> Vec<(usize, Result<R, Fault>)>
    where
        O: Operation<Answer = Vec<Result<R, Fault>>>,
        R: Send,
    {
        let mut results = Vec::with_capacity(parcels.len());
        let mut requests = requests(parcels, self.client.config.batch_size.max(1));
        self.request_ids.clear();
        while let Some(numbers) = requests.pop_front() {
            if let Some(stopped) = &self.stopped {
                let fault = not_attempted(stopped);
                results.extend(numbers.into_iter().map(|number| (number, Err(fault.clone()))));
                continue;
            }
            match self.client.send_named(&self.calendar.mailbox, &build(&numbers)).await {
                Ok((answers, request_id)) => {
                    self.request_ids.extend(
                        request_id.iter().flat_map(|id| numbers.iter().map(|number| (*number, Arc::clone(id)))),
                    );
                    answers.iter().filter_map(|answer| answer.as_ref().err()).for_each(|fault| self.note(fault));
                    results.extend(numbers.into_iter().zip(answers));
                }
                Err(fault) if is_indivisible(&fault) && numbers.len() > 1 => {
                    let (first, second) = numbers.split_at(numbers.len() / 2);
                    requests.push_front(second.to_vec());
                    requests.push_front(first.to_vec());
                }
                Err(fault) => {
                    self.note(&fault);
                    results.extend(numbers.into_iter().map(|number| (number, Err(fault.clone()))));
                }
            }
        }
        results
    }

    /// The present names of items, each made sure to carry its key.
    pub(super) async fn refresh(
        &mut self,
        wanted: &[(usize, String, &SourceKey)],
    ) -> Vec<(usize, Result<ItemRef, Fault>)> {
        let parcels = (0..wanted.len()).map(Parcel::bare).collect();
        let id = |position: &usize| wanted.get(*position).map(|(_, id, _)| id.clone()).unwrap_or_default();
        let found = self.send(parcels, |positions| GetItem { ids: positions.iter().map(id).collect() }).await;
        let checked = found.into_iter().filter_map(|(position, found)| {
            let (number, _, key) = wanted.get(position)?;
            let item = found.and_then(|found| if found.key == key.as_str() { Ok(found.item) } else { Err(not_ours()) });
            Some((*number, item))
        });
        checked.collect()
    }

    /// Nothing more is sent after a fault that concerns more than an item.
    fn note(&mut self, fault: &Fault) {
        let concerns_more = fault.scope != FaultScope::Item && fault.kind != FaultKind::NotAttempted;
        if concerns_more && !is_gone(fault) && self.stopped.is_none() {
            self.stopped = Some(fault.clone());
        }
    }
}

fn not_attempted(stopped: &Fault) -> Fault {
    let message = format!("not sent, because an earlier request failed: {}", stopped.message);
    Fault::new(FaultScope::Item, FaultKind::NotAttempted, stopped.code.clone(), message)
}

/// Puts parcels together: those of one zone, up to the number and the size of a request.
fn requests(parcels: Vec<Parcel<'_>>, items_max: usize) -> VecDeque<Vec<usize>> {
    let mut zones: BTreeMap<&str, Vec<Parcel<'_>>> = BTreeMap::new();
    parcels.into_iter().for_each(|parcel| zones.entry(parcel.zone).or_default().push(parcel));
    let mut requests = VecDeque::new();
    for parcels in zones.into_values() {
        let (mut numbers, mut bytes) = (Vec::new(), 0);
        for parcel in parcels {
            if !numbers.is_empty() && (numbers.len() >= items_max || bytes + parcel.bytes > REQUEST_BYTES_MAX) {
                requests.push_back(std::mem::take(&mut numbers));
                bytes = 0;
            }
            numbers.push(parcel.number);
            bytes += parcel.bytes;
        }
        requests.push_back(numbers);
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::{Parcel, requests};

    #[test]
    fn requests_keep_to_zone_number_and_size() {
        let parcel = |number, zone, bytes| Parcel { number, zone, bytes };
        let parcels = vec![
            parcel(0, "b", 1),
            parcel(1, "a", 200_000),
            parcel(2, "a", 100_000),
            parcel(3, "a", 1),
            parcel(4, "a", 1),
            parcel(5, "b", 900_000),
            parcel(6, "a", 1),
        ];
        assert_eq!(requests(parcels, 3), [vec![1], vec![2, 3, 4], vec![6], vec![0], vec![5]]);
        assert!(requests(Vec::new(), 3).is_empty());
    }
}
