//! `POST /$batch`: up to 20 requests in one, un-chained; each is answered, and judged, on its own.
//! <https://learn.microsoft.com/en-us/graph/json-batching>

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;

use super::{
    GraphGateway,
    answer::{BatchAnswer, InnerAnswer, InnerBody},
    event::EventBody,
    fault::{self, Place, Refusal, Verb},
    send::{self, Call, PREFER, PREFER_TEXT},
};
use crate::model::{
    address::Address,
    fault::{Fault, FaultKind, FaultScope},
};

/// Requests of one batch.
pub(super) const REQUESTS_MAX: usize = 20;
/// Headers of one inner answer.
const HEADERS_MAX: usize = 1000;

/// One request of a batch.
#[derive(Debug)]
pub(super) struct Inner<'a> {
    pub(super) method: &'static str,
    /// What follows `/v1.0`, query included.
    pub(super) url: String,
    pub(super) body: Option<EventBody<'a>>,
    pub(super) verb: Verb,
    /// Whether bodies are wanted as text.
    pub(super) as_text: bool,
}

impl Inner<'_> {
    /// A GET.
    pub(super) fn get(url: String) -> Self {
        Self { method: "GET", url, body: None, verb: Verb::Read, as_text: false }
    }

    /// A GET that wants bodies as text.
    pub(super) fn get_text(url: String) -> Self {
        Self { as_text: true, ..Self::get(url) }
    }
}

/// Why a request of a batch did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    /// The item is not there (any more).
    pub(super) gone: bool,
    /// What happened.
    pub(super) fault: Fault,
}

/// What became of one request of a batch.
pub(super) type Settled = Result<InnerBody, Failure>;

#[derive(Serialize)]
struct BatchBody<'a> {
    requests: Vec<InnerRequest<'a>>,
}

#[derive(Serialize)]
struct InnerRequest<'a> {
    id: String,
    method: &'static str,
    url: &'a str,
    headers: InnerHeaders,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a EventBody<'a>>,
}

/// The headers of the outer request do not hold for the inner ones.
#[derive(Serialize)]
struct InnerHeaders {
    #[serde(rename = "Prefer")]
    prefer: &'static str,
    #[serde(rename = "Content-Type", skip_serializing_if = "Option::is_none")]
    content_type: Option<&'static str>,
}

/// Some of the requests, by their places, and the token that was refused for them already.
struct Chunk {
    places: Vec<usize>,
    refused_before: Option<HeaderValue>,
}

/// Sends the batches of one task to one mailbox, and no more of them once the server has refused more than an item.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    pub(super) gateway: &'a GraphGateway,
    mailbox: &'a Address,
    /// The fault after which nothing more is sent.
    stopped: Option<Fault>,
}

impl<'a> Sender<'a> {
    pub(super) const fn new(gateway: &'a GraphGateway, mailbox: &'a Address) -> Self {
        Self { gateway, mailbox, stopped: None }
    }

    /// Sends requests, 20 at a time, and returns what became of each, in their order. All are reads, or all are writes of
    /// different items.
    pub(super) async fn run(&mut self, requests: &[Inner<'_>]) -> Vec<Settled> {
        let mut settled: Vec<Option<Settled>> = requests.iter().map(|_| None).collect();
        let all: Vec<usize> = (0..requests.len()).collect();
        let mut chunks: VecDeque<Chunk> =
            all.chunks(REQUESTS_MAX).map(|places| Chunk { places: places.to_vec(), refused_before: None }).collect();
        while let Some(chunk) = chunks.pop_front() {
            if let Some(stopped) = &self.stopped {
                let fault = not_attempted(stopped);
                for place in chunk.places {
                    settled[place].get_or_insert_with(|| Err(Failure { gone: false, fault: fault.clone() }));
                }
                continue;
            }
            let places = chunk.places.clone();
            let again = send_chunk(self.gateway, self.mailbox, requests, chunk, &mut settled).await;
            let is_due = |place: &usize| again.iter().any(|chunk| chunk.places.contains(place));
            for place in places.into_iter().filter(|place| !is_due(place)) {
                if let Some(Err(failure)) = &settled[place] {
                    self.note(failure, requests[place].verb);
                }
            }
            for chunk in again.into_iter().rev() {
                chunks.push_front(chunk);
            }
        }
        let missing = |place: usize| Failure { gone: false, fault: not_answered(requests[place].verb) };
        settled.into_iter().enumerate().map(|(place, settled)| settled.unwrap_or_else(|| Err(missing(place)))).collect()
    }

    /// The fault of something that was written in part: what stopped the rest, where that was not sent.
    pub(super) fn stopping(&self, fault: Fault) -> Fault {
        match (&self.stopped, fault.kind) {
            (Some(stopped), FaultKind::NotAttempted) => stopped.clone(),
            _ => fault,
        }
    }

    /// Nothing more is sent after a fault that concerns more than an item.
    fn note(&mut self, failure: &Failure, verb: Verb) {
        // The series is gone, not the calendar.
        let item_is_gone = failure.gone && verb != Verb::Create;
        if failure.fault.scope >= FaultScope::Mailbox && !item_is_gone && self.stopped.is_none() {
            self.stopped = Some(failure.fault.clone());
        }
    }
}

fn not_attempted(stopped: &Fault) -> Fault {
    let message = format!("not sent, because an earlier request failed: {}", stopped.message);
    Fault::new(FaultScope::Item, FaultKind::NotAttempted, stopped.code.clone(), message)
}

fn not_answered(verb: Verb) -> Fault {
    fault::of_nonsense(verb, "the batch was answered, this request of it was not")
}

/// Sends one batch; returns what is to be sent once more.
async fn send_chunk(
    gateway: &GraphGateway,
    mailbox: &Address,
    requests: &[Inner<'_>],
    chunk: Chunk,
    settled: &mut [Option<Settled>],
) -> Vec<Chunk> {
    let verb = chunk.places.first().map_or(Verb::Read, |place| requests[*place].verb);
    let answer = send::send(gateway, &call(mailbox, requests, &chunk.places, verb)).await;
    let all_fail = |settled: &mut [Option<Settled>], fault: &Fault| {
        for place in &chunk.places {
            settled[*place] = Some(Err(Failure { gone: false, fault: fault.clone() }));
        }
        Vec::new()
    };
    let (answer, token) = match answer {
        Ok(answered) => answered,
        Err(fault) => return all_fail(settled, &fault),
    };
    // One request that cannot be read, or is too large, must not take the others with it; none was carried out.
    if matches!(answer.status, 400 | 413) && chunk.places.len() > 1 {
        let halves = chunk.places.split_at(chunk.places.len() / 2);
        let half = |places: &[usize]| Chunk { places: places.to_vec(), refused_before: chunk.refused_before.clone() };
        return vec![half(halves.0), half(halves.1)];
    }
    if !matches!(answer.status, 200..=299) {
        return all_fail(settled, &send::refused(gateway, &answer, verb));
    }
    let outer_id = answer.headers.get("request-id").and_then(|id| id.to_str().ok()).map(Arc::from);
    let Ok(answer) = serde_json::from_slice::<BatchAnswer>(&answer.body) else {
        let mut fault = fault::of_nonsense(verb, "the answer to POST /$batch cannot be read");
        fault.request_id = outer_id.as_deref().map(str::to_owned);
        return all_fail(settled, &fault);
    };
    settle(gateway, mailbox, requests, &chunk, &token, Answered { answer, request_id: outer_id }, settled)
}

/// The answer to a batch, and the server's name for the request.
struct Answered {
    answer: BatchAnswer,
    request_id: Option<Arc<str>>,
}

/// Judges each answer of a batch; returns those whose token was refused, to be sent once more with a new one.
fn settle(
    gateway: &GraphGateway,
    mailbox: &Address,
    requests: &[Inner<'_>],
    chunk: &Chunk,
    token: &HeaderValue,
    Answered { answer, request_id }: Answered,
    settled: &mut [Option<Settled>],
) -> Vec<Chunk> {
    let mut answers: HashMap<String, InnerAnswer> = HashMap::with_capacity(answer.responses.len());
    for inner in answer.responses {
        answers.entry(inner.id.clone()).or_insert(inner);
    }
    let mut refused = Vec::new();
    for (index, place) in chunk.places.iter().enumerate() {
        let Some(inner) = answers.remove(&id(index)) else { continue };
        let status = inner.status;
        let mut one = judge(gateway, inner, requests[*place].verb, request_id.as_ref());
        match (&mut one, &chunk.refused_before) {
            (Ok(_), _) => gateway.acceptance.note(token, mailbox),
            (Err(failure), Some(before)) if status == 401 => {
                failure.fault = send::closed_or_refused(gateway, mailbox, [before, token], failure.fault.clone());
            }
            (Err(_), None) if status == 401 => refused.push(*place),
            (Err(_), _) => {}
        }
        settled[*place] = Some(one);
    }
    if refused.is_empty() || !gateway.authorization.refused(token) {
        return Vec::new();
    }
    vec![Chunk { places: refused, refused_before: Some(token.clone()) }]
}

/// Judges one answer. It names its request, or else the one of the batch.
fn judge(gateway: &GraphGateway, inner: InnerAnswer, verb: Verb, outer_id: Option<&Arc<str>>) -> Settled {
    if matches!(inner.status, 200..=299) {
        let headers = inner.headers.as_ref();
        let named = headers.and_then(|all| all.iter().find(|(name, _)| name.eq_ignore_ascii_case("request-id")));
        let request_id = named.map(|(_, id)| Arc::from(id.as_str())).or_else(|| outer_id.cloned());
        let mut body = inner.body.unwrap_or_default();
        body.request_id = request_id;
        return Ok(body);
    }
    let headers = header_map(inner.headers.unwrap_or_default());
    let error = inner.body.as_ref().and_then(InnerBody::error);
    let refusal = Refusal { status: inner.status, headers: &headers, error, place: Place::Inner, verb };
    let mut fault = fault::of_refusal(&refusal, gateway.clock.now());
    fault.request_id = fault.request_id.or_else(|| outer_id.map(|id| (**id).to_owned()));
    Err(Failure { gone: fault::is_gone(&refusal), fault })
}

fn call<'a>(mailbox: &'a Address, requests: &[Inner<'_>], places: &[usize], verb: Verb) -> Call<'a> {
    let inner = |(index, place): (usize, &usize)| {
        let request = &requests[*place];
        let content_type = request.body.is_some().then_some("application/json");
        let headers = InnerHeaders { prefer: if request.as_text { PREFER_TEXT } else { PREFER }, content_type };
        InnerRequest { id: id(index), method: request.method, url: &request.url, headers, body: request.body.as_ref() }
    };
    let body = BatchBody { requests: places.iter().enumerate().map(inner).collect() };
    Call {
        mailbox,
        operation: "POST /$batch",
        method: Method::POST,
        path: "/$batch".to_owned(),
        // Strings, numbers and structs only: this cannot fail.
        body: serde_json::to_vec(&body).unwrap_or_default().into(),
        cost: u32::try_from(places.len()).unwrap_or(u32::MAX),
        items: places.len(),
        verb,
    }
}

/// The id of a request inside its batch.
fn id(index: usize) -> String {
    (index + 1).to_string()
}

/// The headers of an inner answer, which come as an object. No server sends more than a few, and a map of headers panics
/// over 32 768.
fn header_map(headers: BTreeMap<String, String>) -> HeaderMap {
    let read =
        |(name, value): (String, String)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?));
    headers.into_iter().filter_map(read).take(HEADERS_MAX).collect()
}
