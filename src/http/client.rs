//! The HTTP client for the world: [`ReqwestTransport`], pooled, over rustls.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::DATE;
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{Client, redirect::Policy, tls::TlsInfo};

use super::{
    Answer, Request, Response, Transport, TransportError,
    target::Target,
    tls::{self, TlsProblem, TlsSetupError},
};
use crate::settings::{Network, Proxy};

/// What we call ourselves: administrators allow or block clients by this name.
pub const USER_AGENT: &str = concat!("calsyncd/", env!("CARGO_PKG_VERSION"));

/// The limits of the client, and its way into the network.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// For one request, its answer included.
    pub request_timeout: Duration,
    /// For name resolution, TCP and TLS.
    pub connect_timeout: Duration,
    /// The largest answer, decompressed.
    pub response_bytes_max: usize,
    /// Connections to one host that are kept open between requests.
    pub idle_connections_max: usize,
    /// Certificates and the proxy.
    pub network: Network,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            response_bytes_max: 32 << 20,
            idle_connections_max: 32,
            network: Network::default(),
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client")]
pub enum HttpClientError {
    /// The client.
    Client(#[from] reqwest::Error),
    /// TLS.
    Tls(#[from] TlsSetupError),
}

/// What a server shows to somebody who shows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Its clock, by the header `Date`.
    pub date: Option<Timestamp>,
    /// Its certificate, DER; `None` without TLS.
    pub certificate: Option<Vec<u8>>,
}

/// A pooled client: TLS by rustls, answers compressed with gzip, HTTP/2 where the server
/// has it. It keeps no cookies, follows no redirects (a redirect is an answer) and never retries.
#[derive(Debug)]
pub struct ReqwestTransport {
    world: Client,
    loopback: Client,
    response_bytes_max: usize,
}

impl ReqwestTransport {
    /// Sets up the client, and aws-lc-rs as the one provider of cryptography of the process.
    ///
    /// # Errors
    /// When TLS cannot be set up, for want of readable certificates.
    pub fn new(config: HttpConfig) -> Result<Self, HttpClientError> {
        tls::install_crypto_provider();
        let tls = tls::client_config(&config.network, &["h2", "http/1.1"])?;
        let builder = || {
            Client::builder()
                .user_agent(USER_AGENT)
                .tls_backend_preconfigured(tls.clone())
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .gzip(true)
                .tls_info(true)
                .timeout(config.request_timeout)
                .connect_timeout(config.connect_timeout)
                .pool_max_idle_per_host(config.idle_connections_max)
        };
        let world = match &config.network.proxy {
            Proxy::Environment => builder(),
            Proxy::None => builder().no_proxy(),
            Proxy::Url(url) => builder().no_proxy().proxy(reqwest::Proxy::all(url)?),
        };
        Ok(Self {
            world: world.build()?,
            // A proxy would carry what is sent in clear to a loopback address out of the machine.
            loopback: builder().no_proxy().build()?,
            response_bytes_max: config.response_bytes_max,
        })
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, request: Request) -> Answer<'_> {
        Box::pin(async move {
            let target = Target::read(&request.url)?;
            let client = if target.loopback { &self.loopback } else { &self.world };
            let answer = client
                .request(request.method, target.url)
                .headers(request.headers)
                .body(request.body)
                .send()
                .await
                .map_err(|error| failure(&target.host, error))?;
            self.receive(&target.host, answer).await
        })
    }
}

impl ReqwestTransport {
    /// Asks for an address without a credential, whatever the answer: it tells of the server and of the way to it.
    ///
    /// # Errors
    /// When nothing is answered.
    pub async fn look(&self, url: &str) -> Result<Look, TransportError> {
        let target = Target::read(url)?;
        let client = if target.loopback { &self.loopback } else { &self.world };
        let answer = client.get(target.url).send().await.map_err(|error| failure(&target.host, error))?;
        let certificate = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
        Ok(Look { date, certificate: certificate.map(<[u8]>::to_vec) })
    }

    /// Reads an answer to its end. The limit is on what comes out of the decompression.
    async fn receive(&self, host: &str, mut answer: reqwest::Response) -> Result<Response, TransportError> {
        let (status, headers) = (answer.status().as_u16(), std::mem::take(answer.headers_mut()));
        let limit_bytes = self.response_bytes_max;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| interruption(host, error))? {
            if body.len() + chunk.len() > limit_bytes {
                return Err(TransportError::TooLarge { host: host.to_owned(), limit_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers, body: Bytes::from(body) })
    }
}

/// Why there is no answer to a request.
fn failure(host: &str, error: reqwest::Error) -> TransportError {
    if let Some(problem) = TlsProblem::of(&error) {
        TransportError::Untrusted { host: host.to_owned(), problem, cause: chain(error) }
    } else if error.is_connect() || error.is_builder() {
        TransportError::Unreachable { host: host.to_owned(), cause: chain(error) }
    } else {
        interruption(host, error)
    }
}

/// Everything that goes wrong once a connection is there: the server may have done what it was asked.
fn interruption(host: &str, error: reqwest::Error) -> TransportError {
    TransportError::Interrupted { host: host.to_owned(), cause: chain(error) }
}

/// The whole chain of causes, which reqwest's own text hides. The address is left out: it names mailboxes.
fn chain(error: reqwest::Error) -> String {
    tls::chain(&error.without_url())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{io::Write, time::Duration};

    use axum::{Router, body::Body, routing::any};
    use bytes::Bytes;
    use flate2::{Compression, write::GzEncoder};
    use http::{HeaderMap, HeaderValue, Method, header};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::{HttpConfig, ReqwestTransport};
    use crate::http::{Request, Response, Transport, TransportError};

    const LIMIT: usize = 10_000;

    fn client() -> ReqwestTransport {
        let config = HttpConfig { response_bytes_max: LIMIT, ..HttpConfig::default() };
        ReqwestTransport::new(config).unwrap()
    }

    fn get(url: String) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer hush"));
        Request { method: Method::GET, url, headers, body: Bytes::new() }
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zipped(plain: Vec<u8>) -> http::Response<Body> {
        http::Response::builder().header("Content-Encoding", "gzip").body(Body::from(gzip(&plain))).unwrap()
    }

    async fn serve() -> String {
        let router = Router::new()
            .route("/echo", any(|body: Bytes| async move { body }))
            .route("/moved", any(|| async { (http::StatusCode::FOUND, [("location", "/echo")], "") }))
            .route("/cookie", any(|| async { ([("set-cookie", "a=b")], "") }))
            .route("/cookies", any(|headers: HeaderMap| async move { headers.contains_key("cookie").to_string() }))
            .route("/accepts", any(|headers: HeaderMap| async move { headers["accept-encoding"].as_bytes().to_vec() }))
            .route("/zipped", any(|| async { zipped(b"plain".to_vec()) }))
            .route("/large", any(|| async { vec![b'x'; LIMIT + 1] }))
            .route("/bomb", any(|| async { zipped(vec![b'x'; LIMIT * 100]) }))
            .route("/whole", any(|| async { vec![b'x'; LIMIT] }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    /// A server that reads a request, writes `answer` and closes the connection.
    async fn cut(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut buffer = [0; 1024];
                let _ = socket.read(&mut buffer).await;
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        format!("http://{address}/")
    }

    #[tokio::test]
    async fn answers_come_whole_and_as_they_are() {
        let (client, root) = (client(), serve().await);
        let text = |answer: Response| String::from_utf8(answer.body.to_vec()).unwrap();
        let mut request = get(format!("{root}/echo"));
        request.body = Bytes::from_static(b"hello");
        assert_eq!(text(client.send(request).await.unwrap()), "hello");
        assert_eq!(client.send(get(format!("{root}/moved"))).await.unwrap().status, 302);
        client.send(get(format!("{root}/cookie"))).await.unwrap();
        assert_eq!(text(client.send(get(format!("{root}/cookies"))).await.unwrap()), "false");
        assert_eq!(text(client.send(get(format!("{root}/accepts"))).await.unwrap()), "gzip");
        assert_eq!(text(client.send(get(format!("{root}/zipped"))).await.unwrap()), "plain");
        assert_eq!(client.send(get(format!("{root}/whole"))).await.unwrap().body.len(), LIMIT);
    }

    #[tokio::test]
    async fn answers_over_the_limit_are_refused() {
        let (client, root) = (client(), serve().await);
        for path in ["/large", "/bomb"] {
            let error = client.send(get(format!("{root}{path}"))).await.unwrap_err();
            assert!(matches!(error, TransportError::TooLarge { limit_bytes: LIMIT, .. }), "{path}: {error}");
        }
    }

    #[tokio::test]
    async fn an_answer_cut_short_is_an_interruption() {
        let client = client();
        for answer in ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"] {
            let error = client.send(get(cut(answer).await)).await.unwrap_err();
            assert!(matches!(error, TransportError::Interrupted { .. }), "{answer:?}: {error}");
            assert!(!error.to_string().contains("hush") && error.to_string().matches(": ").count() > 1, "{error}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_an_interruption() {
        let config = HttpConfig { request_timeout: Duration::from_millis(20), ..HttpConfig::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let error = ReqwestTransport::new(config).unwrap().send(get(url)).await.unwrap_err();
        assert!(matches!(error, TransportError::Interrupted { .. }), "{error}");
    }

    #[tokio::test]
    async fn what_was_not_sent_is_unreachable() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = listener.local_addr().unwrap();
        drop(listener);
        let client = client();
        let cases = [
            (format!("http://{closed}/"), "refused"),
            ("http://outlook.example.test/".to_owned(), "loopback"),
            ("http://127.0.0.1.example.test/".to_owned(), "loopback"),
            ("http://10.0.0.1/".to_owned(), "loopback"),
            ("ftp://127.0.0.1/".to_owned(), "neither"),
            ("outlook".to_owned(), "not a URL"),
        ];
        for (url, cause) in cases {
            let error = client.send(get(url.clone())).await.unwrap_err();
            assert!(matches!(error, TransportError::Unreachable { .. }), "{url}: {error}");
            assert!(error.to_string().contains(cause) && !error.to_string().contains("hush"), "{url}: {error}");
        }
    }
}
