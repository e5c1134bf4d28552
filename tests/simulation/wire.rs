//! Everything that leaves the engine waits here until the driver says what becomes of it.

use std::sync::{Arc, Mutex, PoisonError};

use calsyncd::{
    http::{Answer, Request, Response, Transport, TransportError},
    model::{side::Side, source::SourceRead},
    sources::{self, Source, SourceError},
};
use tokio::sync::{Notify, oneshot};

/// A request and whoever waits for its answer.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The mailbox it is for; empty for the token endpoint.
    pub(crate) mailbox: String,
    pub(crate) operation: String,
    /// The place among the requests to that mailbox.
    pub(crate) number: u64,
    pub(crate) request: Request,
    pub(crate) answer: oneshot::Sender<Result<Response, TransportError>>,
}

#[derive(Debug, Default)]
struct Waiting {
    requests: Vec<Sent>,
    reads: Vec<oneshot::Sender<Result<SourceRead, SourceError>>>,
    count: u64,
}

/// The queue of requests and of reads of the source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire {
    waiting: Arc<Mutex<Waiting>>,
    news: Arc<Notify>,
}

impl Wire {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests wait; those that nobody waits for any more are gone.
    pub(crate) fn requests(&self) -> usize {
        let mut waiting = self.waiting();
        waiting.requests.retain(|sent| !sent.answer.is_closed());
        waiting.requests.sort_by(|one, other| (&one.mailbox, one.number).cmp(&(&other.mailbox, other.number)));
        waiting.requests.len()
    }

    /// The number of the last request that was sent.
    pub(crate) fn last_number(&self) -> u64 {
        self.waiting().count
    }

    pub(crate) fn take_request(&self, place: usize) -> Sent {
        self.waiting().requests.remove(place)
    }

    /// Everything in flight, whoever waits for it.
    pub(crate) fn take_all(&self) -> Vec<Sent> {
        let mut waiting = self.waiting();
        waiting.reads.clear();
        let mut all = std::mem::take(&mut waiting.requests);
        all.sort_by(|one, other| (&one.mailbox, one.number).cmp(&(&other.mailbox, other.number)));
        all
    }

    pub(crate) fn reads(&self) -> usize {
        let mut waiting = self.waiting();
        waiting.reads.retain(|read| !read.is_closed());
        waiting.reads.len()
    }

    pub(crate) fn take_read(&self) -> oneshot::Sender<Result<SourceRead, SourceError>> {
        self.waiting().reads.remove(0)
    }

    /// Tells the engine that the source has changed.
    pub(crate) fn announce(&self) {
        self.news.notify_waiters();
    }
}

pub(crate) fn broken() -> TransportError {
    TransportError::Interrupted { host: "sandbox.example.test".to_owned(), cause: "lost".to_owned() }
}

impl Transport for Wire {
    fn send(&self, request: Request) -> Answer<'_> {
        let (answer, answered) = oneshot::channel();
        {
            let mut waiting = self.waiting();
            waiting.count += 1;
            let (mailbox, operation, number) = (mailbox(&request), operation(&request), waiting.count);
            waiting.requests.push(Sent { mailbox, operation, number, request, answer });
        }
        Box::pin(async move { answered.await.unwrap_or_else(|_| Err(broken())) })
    }
}

impl Source for Wire {
    fn read(&self) -> sources::Later<'_, Result<SourceRead, SourceError>> {
        let (answer, answered) = oneshot::channel();
        self.waiting().reads.push(answer);
        Box::pin(async move { answered.await.unwrap_or_else(|_| Err(unreadable())) })
    }

    fn changed(&self) -> sources::Later<'_, ()> {
        Box::pin(self.news.notified())
    }
}

pub(crate) fn unreadable() -> SourceError {
    let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    SourceError::Unreadable { path: "erp".into(), source }
}

impl Sent {
    /// The side that it goes to.
    pub(crate) fn side(&self) -> Side {
        if self.request.headers.contains_key("soapaction") { Side::Ews } else { Side::Graph }
    }
}

/// Whose calendar a request is for, by what leads it there.
fn mailbox(request: &Request) -> String {
    if let Some(anchor) = request.headers.get("x-anchormailbox") {
        return anchor.to_str().unwrap().to_owned();
    }
    let body = String::from_utf8_lossy(&request.body);
    let place = request.url.split_once("/users/").or_else(|| body.split_once("/users/"));
    place.map(|(_, rest)| rest.split('/').next().unwrap_or_default().to_owned()).unwrap_or_default()
}

fn operation(request: &Request) -> String {
    if let Some(action) = request.headers.get("soapaction") {
        return action.to_str().unwrap().trim_matches('"').rsplit('/').next().unwrap_or_default().to_owned();
    }
    let path = request.url.split('?').next().unwrap_or_default();
    let body = String::from_utf8_lossy(&request.body);
    let count = |method: &str| body.matches(&format!("\"method\":\"{method}\"")).count();
    let last = path.rsplit('/').next().unwrap_or_default();
    let last: String = last.chars().take(12).collect();
    match last.as_str() {
        "$batch" => format!("$batch {}+{}~{}-", count("POST"), count("PATCH"), count("DELETE")),
        _ => format!("{} {last}", request.method),
    }
}
