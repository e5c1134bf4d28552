//! One connection: HTTP/1.1 over TCP or TLS, one request at a time.

use std::{io::Read, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{self, Entry},
};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;

use crate::http::{
    Response, TransportError,
    client::{HttpClientError, HttpConfig, USER_AGENT},
    proxy::Proxies,
    target::Target,
    tls::{self, TlsProblem, chain},
};

/// Makes connections.
pub(super) struct Connector {
    tls: Arc<ClientConfig>,
    proxies: Proxies,
    connect_timeout: Duration,
    response_bytes_max: usize,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connector").field("proxies", &self.proxies).finish_non_exhaustive()
    }
}

impl Connector {
    pub(super) fn new(config: &HttpConfig) -> Result<Self, HttpClientError> {
        tls::install_crypto_provider();
        Ok(Self {
            tls: Arc::new(tls::client_config(&config.network, &["http/1.1"])?),
            proxies: Proxies::new(&config.network.proxy),
            connect_timeout: config.connect_timeout,
            response_bytes_max: config.response_bytes_max,
        })
    }

    /// A new connection, logged on as nobody.
    pub(super) async fn connect(&self, target: &Target) -> Result<Connection, TransportError> {
        let unreachable = |cause: String| TransportError::Unreachable { host: target.host.clone(), cause };
        let stream = self.proxies.connect(target, self.connect_timeout).await?;
        // Requests are written in one go.
        let _ = stream.set_nodelay(true);
        if !target.secure() {
            return self.begin(target, stream, None).await;
        }
        let name = ServerName::try_from(target.name.clone()).map_err(|error| unreachable(error.to_string()))?;
        let connecting = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        let stream = match tokio::time::timeout(self.connect_timeout, connecting).await {
            Ok(connected) => connected.map_err(|error| failure(target, &error, Sending::NotBegun))?,
            Err(_) => {
                let seconds = self.connect_timeout.as_secs();
                return Err(unreachable(format!("no secure connection within {seconds} seconds")));
            }
        };
        let certificates = stream.get_ref().1.peer_certificates();
        let certificate = certificates.and_then(|all| all.first()).map(|first| first.to_vec());
        self.begin(target, stream, certificate).await
    }

    async fn begin(
        &self,
        target: &Target,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        certificate: Option<Vec<u8>>,
    ) -> Result<Connection, TransportError> {
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failure(target, &error, Sending::NotBegun))?;
        // Ends with the sender, or with the connection.
        let driver = tokio::spawn(connection);
        let response_bytes_max = self.response_bytes_max;
        Ok(Connection { sender: Some(sender), driver, certificate, logged_on: false, response_bytes_max })
    }
}

/// A connection. Whoever drops it in the middle of a request closes it.
#[derive(Debug)]
pub(super) struct Connection {
    sender: Option<SendRequest<Full<Bytes>>>,
    driver: JoinHandle<Result<(), hyper::Error>>,
    /// The server's certificate, DER.
    pub(super) certificate: Option<Vec<u8>>,
    /// Whether the server knows who sends.
    pub(super) logged_on: bool,
    response_bytes_max: usize,
}

/// What came of a request.
pub(super) enum Sent {
    /// An answer, whole.
    Answer(Response),
    /// The connection was closed before the request left.
    Gone,
}

/// How far a request is when something goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    NotBegun,
    Begun,
}

impl Connection {
    /// Whether the next request can go.
    pub(super) fn is_open(&self) -> bool {
        self.sender.as_ref().is_some_and(|sender| !sender.is_closed())
    }

    /// Closes it.
    pub(super) fn close(&mut self) {
        self.sender = None;
    }

    /// Sends one request and reads its answer to the end, so that the next can go.
    pub(super) async fn send(
        &mut self,
        target: &Target,
        method: &Method,
        headers: &HeaderMap,
        authorization: Option<HeaderValue>,
        body: Bytes,
    ) -> Result<Sent, TransportError> {
        let Some(mut sender) = self.sender.take() else { return Ok(Sent::Gone) };
        if sender.ready().await.is_err() {
            return self.gone(target).await;
        }
        let request = request(target, method, headers, authorization, body)?;
        let answer = match sender.try_send_request(request).await {
            Ok(answer) => answer,
            // Handed back: not a byte of it was written.
            Err(error) if error.message().is_some() => return self.gone(target).await,
            Err(error) => return Err(failure(target, error.error(), Sending::Begun)),
        };
        let response = self.receive(target, answer).await?;
        self.sender = Some(sender);
        Ok(Sent::Answer(response))
    }

    /// The connection was closed before the request: for a reason of TLS, or for none that matters. Under TLS 1.3 a server says
    /// only after the handshake that it does not take our certificate.
    async fn gone(&mut self, target: &Target) -> Result<Sent, TransportError> {
        match (&mut self.driver).await {
            Ok(Err(error)) => match failure(target, &error, Sending::NotBegun) {
                untrusted @ TransportError::Untrusted { .. } => Err(untrusted),
                _ => Ok(Sent::Gone),
            },
            Ok(Ok(())) | Err(_) => Ok(Sent::Gone),
        }
    }

    /// Reads an answer to its end. The limit is on what comes out of the decompression.
    async fn receive(&self, target: &Target, answer: http::Response<Incoming>) -> Result<Response, TransportError> {
        let limit_bytes = self.response_bytes_max;
        let too_large = || TransportError::TooLarge { host: target.host.clone(), limit_bytes };
        let (mut parts, mut incoming) = answer.into_parts();
        let mut body = BytesMut::new();
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| failure(target, &error, Sending::Begun))?;
            let Ok(data) = frame.into_data() else { continue };
            if body.len() + data.len() > limit_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&data);
        }
        let mut body = body.freeze();
        if let Entry::Occupied(encoding) = parts.headers.entry(header::CONTENT_ENCODING)
            && encoding.get().as_bytes().eq_ignore_ascii_case(b"gzip")
        {
            encoding.remove();
            parts.headers.remove(header::CONTENT_LENGTH);
            let mut plain = Vec::new();
            let limit = u64::try_from(limit_bytes).unwrap_or(u64::MAX).saturating_add(1);
            if let Err(error) = MultiGzDecoder::new(&body[..]).take(limit).read_to_end(&mut plain) {
                return Err(TransportError::Interrupted { host: target.host.clone(), cause: chain(&error) });
            }
            if plain.len() > limit_bytes {
                return Err(too_large());
            }
            body = plain.into();
        }
        Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

fn request(
    target: &Target,
    method: &Method,
    headers: &HeaderMap,
    authorization: Option<HeaderValue>,
    body: Bytes,
) -> Result<http::Request<Full<Bytes>>, TransportError> {
    let refuse = |cause: &str| TransportError::Unreachable { host: target.host.clone(), cause: cause.to_owned() };
    let query = target.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{}{query}", target.url.path());
    let length = body.len();
    let mut request = http::Request::new(Full::new(body));
    *request.method_mut() = method.clone();
    *request.uri_mut() = path.parse().map_err(|_| refuse("its address has a path that HTTP cannot say"))?;
    let mut headers = headers.clone();
    headers.insert(header::HOST, HeaderValue::from_str(&target.host).map_err(|_| refuse("HTTP cannot say its name"))?);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    match authorization {
        Some(value) => headers.insert(header::AUTHORIZATION, value),
        None => headers.remove(header::AUTHORIZATION),
    };
    *request.headers_mut() = headers;
    Ok(request)
}

/// Why there is no answer.
fn failure(target: &Target, error: &(dyn std::error::Error + 'static), sending: Sending) -> TransportError {
    let (host, cause) = (target.host.clone(), chain(error));
    match (TlsProblem::of(error), sending) {
        (Some(problem), _) => TransportError::Untrusted { host, problem, cause },
        (None, Sending::NotBegun) => TransportError::Unreachable { host, cause },
        (None, Sending::Begun) => TransportError::Interrupted { host, cause },
    }
}
