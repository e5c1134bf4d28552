//! A transport for log-ons that hold for a connection: NTLM.
//!
//! A connection that has logged on carries an identity. So a transport belongs to one credential, a request has its connection
//! for itself until its answer is whole, and HTTP/2, where requests share one, is not offered.
//!
//! ```text
//! kept connection, logged on ──► request ──► answer, or 401: the connection logs on again
//! new connection ──► first message, no body ──► 401 with a challenge ──► third message with the request ──► answer
//!                                                                        401 here is the refusal: nothing is tried again
//! ```
//!
//! *Invariant*: a third message goes out on the connection that its challenge came from, and once.

mod connection;
mod pool;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use tokio::sync::Semaphore;

use self::{
    connection::{Connection, Connector, Sent},
    pool::Pool,
};
use super::{
    Answer, Request, Response, Transport, TransportError,
    client::{HttpClientError, HttpConfig},
    target::Target,
};

/// How long a connection is kept without a request: less than the 120 s after which IIS closes it.
const IDLE_MAX: Duration = Duration::from_secs(100);
/// How often a request is begun anew because its connection went before the request did.
const ROUNDS_MAX: usize = 4;
const UNAUTHORIZED: u16 = 401;

/// What a connection has to do before its first request.
#[derive(Debug, Clone)]
pub enum Step {
    /// Ask, without a credential, which ways there are.
    Ask,
    /// Nothing: this header goes with each request.
    Header(HeaderValue),
    /// Send this first message and answer the challenge.
    Handshake(HeaderValue),
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// Its name in the address.
    pub name: &'a str,
    /// Its certificate, DER; none without TLS.
    pub certificate: Option<&'a [u8]>,
}

/// Why a log-on does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogOnError {
    /// The credential was refused in the meantime, and is not shown again for now.
    Refused,
    /// The server has no way that we have, or its challenge makes no sense.
    Impossible(String),
}

/// Logs a connection on.
pub trait LogOn: Send + Sync + fmt::Debug {
    /// What a new connection begins with.
    ///
    /// # Errors
    /// When the credential is not to be shown.
    fn begin(&self) -> Result<Step, LogOnError>;
    /// The same once the server has said which schemes it offers.
    ///
    /// # Errors
    /// When there is none that we have.
    fn offered(&self, schemes: &[String]) -> Result<Step, LogOnError>;
    /// The scheme that a challenge comes with, such as `NTLM`.
    fn scheme(&self) -> &'static str;
    /// The header that answers a challenge.
    ///
    /// # Errors
    /// When the challenge makes no sense, or the credential is not to be shown.
    fn answer(&self, challenge: &[u8], peer: Peer<'_>) -> Result<HeaderValue, LogOnError>;
    /// The server refused the answer.
    fn refused(&self);
}

/// Sends requests over connections of its own, each logged on as one credential.
#[derive(Debug)]
pub struct PinnedTransport {
    connector: Connector,
    log_on: Arc<dyn LogOn>,
    pool: Arc<Pool>,
    /// As many connections as this at the same time.
    permits: Semaphore,
    request_timeout: Duration,
}

impl PinnedTransport {
    /// A transport of one credential. `config.idle_connections_max` is the number of its connections.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(config: &HttpConfig, log_on: Arc<dyn LogOn>) -> Result<Self, HttpClientError> {
        Self::with_idle_limit(config, log_on, IDLE_MAX)
    }

    fn with_idle_limit(
        config: &HttpConfig,
        log_on: Arc<dyn LogOn>,
        idle_max: Duration,
    ) -> Result<Self, HttpClientError> {
        Ok(Self {
            connector: Connector::new(config)?,
            log_on,
            pool: Arc::new(Pool::new(idle_max)),
            permits: Semaphore::new(config.idle_connections_max.max(1)),
            request_timeout: config.request_timeout,
        })
    }
}

impl Transport for PinnedTransport {
    fn send(&self, request: Request) -> Answer<'_> {
        Box::pin(async move {
            let target = Target::read(&request.url)?;
            let left = AtomicBool::new(false);
            let _permit = self.permits.acquire().await;
            match tokio::time::timeout(self.request_timeout, self.exchange(&target, &request, &left)).await {
                Ok(answer) => answer,
                Err(_) => {
                    let cause = format!("no answer within {} seconds", self.request_timeout.as_secs());
                    let host = target.host;
                    Err(if left.load(Ordering::Relaxed) {
                        TransportError::Interrupted { host, cause }
                    } else {
                        TransportError::Unreachable { host, cause }
                    })
                }
            }
        })
    }
}

/// How a conversation on one connection ended.
enum Verdict {
    /// With an answer to the request.
    Answered(Response),
    /// The connection went before the request did.
    Gone,
}

impl From<Sent> for Verdict {
    fn from(sent: Sent) -> Self {
        match sent {
            Sent::Answer(response) => Self::Answered(response),
            Sent::Gone => Self::Gone,
        }
    }
}

impl PinnedTransport {
    /// `left` tells whether the request may have reached the server.
    async fn exchange(
        &self,
        target: &Target,
        request: &Request,
        left: &AtomicBool,
    ) -> Result<Response, TransportError> {
        for _ in 0..ROUNDS_MAX {
            let mut connection = match self.pool.take(&target.authority()) {
                Some(kept) => kept,
                None => self.connector.connect(target).await?,
            };
            let exchange = Exchange { log_on: &*self.log_on, target, request, left };
            match exchange.on(&mut connection).await? {
                Verdict::Answered(response) => {
                    if connection.is_open() {
                        self.pool.keep(target.authority(), connection);
                    }
                    return Ok(response);
                }
                Verdict::Gone => {}
            }
        }
        let cause = "the server closes each connection before it takes a request".to_owned();
        Err(TransportError::Unreachable { host: target.host.clone(), cause })
    }
}

/// One request on its way.
struct Exchange<'a> {
    log_on: &'a dyn LogOn,
    target: &'a Target,
    request: &'a Request,
    left: &'a AtomicBool,
}

impl Exchange<'_> {
    async fn on(&self, connection: &mut Connection) -> Result<Verdict, TransportError> {
        if connection.logged_on {
            match self.whole(connection, None).await? {
                Sent::Answer(response) if response.status == UNAUTHORIZED => connection.logged_on = false,
                Sent::Answer(response) => return Ok(Verdict::Answered(response)),
                Sent::Gone => return Ok(Verdict::Gone),
            }
            if !connection.is_open() {
                return Ok(Verdict::Gone);
            }
        }
        let step = match self.log_on.begin() {
            Ok(Step::Ask) => match self.empty(connection, None).await? {
                // Whoever does not ask for a log-on has something else to say: where the service is, or when to come again.
                Sent::Answer(answer) if answer.status != UNAUTHORIZED => return Ok(Verdict::Answered(answer)),
                Sent::Answer(answer) => self.log_on.offered(&schemes(&answer.headers)),
                Sent::Gone => return Ok(Verdict::Gone),
            },
            begun => begun,
        };
        match step {
            Err(error) => self.ends(error),
            Ok(Step::Header(header)) => Ok(self.whole(connection, Some(header)).await?.into()),
            Ok(Step::Handshake(first)) => self.handshake(connection, first).await,
            Ok(Step::Ask) => self.ends(LogOnError::Impossible("the server was asked twice".to_owned())),
        }
    }

    async fn handshake(&self, connection: &mut Connection, first: HeaderValue) -> Result<Verdict, TransportError> {
        let Sent::Answer(answer) = self.empty(connection, Some(first)).await? else { return Ok(Verdict::Gone) };
        if answer.status != UNAUTHORIZED {
            return Ok(Verdict::Answered(answer));
        }
        let Some(challenge) = challenge(&answer.headers, self.log_on.scheme()) else {
            // The server may have changed what it offers.
            return match self.log_on.offered(&schemes(&answer.headers)) {
                Ok(Step::Header(header)) => Ok(self.whole(connection, Some(header)).await?.into()),
                Ok(Step::Ask | Step::Handshake(_)) => {
                    let scheme = self.log_on.scheme();
                    let cause = format!("HTTP {} and no challenge to the first message of {scheme}", answer.status);
                    self.ends(LogOnError::Impossible(cause))
                }
                Err(error) => self.ends(error),
            };
        };
        // Before the credential is shown: a challenge is worth nothing on another connection.
        if !connection.is_open() {
            return Ok(Verdict::Gone);
        }
        let peer = Peer { name: &self.target.name, certificate: connection.certificate.as_deref() };
        let third = match self.log_on.answer(&challenge, peer) {
            Ok(third) => third,
            Err(error) => return self.ends(error),
        };
        match self.whole(connection, Some(third)).await? {
            Sent::Answer(response) => {
                connection.logged_on = response.status != UNAUTHORIZED;
                if !connection.logged_on {
                    self.log_on.refused();
                    connection.close();
                }
                Ok(Verdict::Answered(response))
            }
            Sent::Gone => Ok(Verdict::Gone),
        }
    }

    /// A credential that was refused on another connection is refused here too, without showing it.
    fn ends(&self, error: LogOnError) -> Result<Verdict, TransportError> {
        match error {
            LogOnError::Refused => {
                Ok(Verdict::Answered(Response { status: UNAUTHORIZED, headers: HeaderMap::new(), body: Bytes::new() }))
            }
            LogOnError::Impossible(cause) => Err(TransportError::NoLogOn { host: self.target.host.clone(), cause }),
        }
    }

    /// Sends the request.
    async fn whole(
        &self,
        connection: &mut Connection,
        authorization: Option<HeaderValue>,
    ) -> Result<Sent, TransportError> {
        let Request { method, headers, body, .. } = self.request;
        self.left.store(true, Ordering::Relaxed);
        let sent = connection.send(self.target, method, headers, authorization, body.clone()).await?;
        let answered_with_refusal = matches!(&sent, Sent::Answer(answer) if answer.status == UNAUTHORIZED);
        if matches!(sent, Sent::Gone) || answered_with_refusal {
            self.left.store(false, Ordering::Relaxed);
        }
        Ok(sent)
    }

    /// Sends the request's head without its body, to talk about the log-on. Whatever happens to it, nothing was done.
    async fn empty(
        &self,
        connection: &mut Connection,
        authorization: Option<HeaderValue>,
    ) -> Result<Sent, TransportError> {
        let mut headers = self.request.headers.clone();
        headers.remove(header::CONTENT_ENCODING);
        match connection.send(self.target, &Method::POST, &headers, authorization, Bytes::new()).await {
            Err(TransportError::Interrupted { .. }) => Ok(Sent::Gone),
            other => other,
        }
    }
}

/// The schemes of `WWW-Authenticate`, one a header line as servers of Exchange write them, or a list.
fn schemes(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    // A part without a blank that holds "=" is a parameter of the scheme before it.
    let parts = lines.flat_map(|line| line.split(',')).map(str::trim);
    let names = parts.filter_map(|part| part.split(' ').next()).filter(|name| !name.is_empty() && !name.contains('='));
    names.map(str::to_owned).collect()
}

fn challenge(headers: &HeaderMap, scheme: &str) -> Option<Vec<u8>> {
    let lines = headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .filter_map(|part| part.trim().split_once(' '))
        .find(|(name, token)| name.eq_ignore_ascii_case(scheme) && !token.trim().is_empty())
        .and_then(|(_, token)| STANDARD.decode(token.trim()).ok())
}
