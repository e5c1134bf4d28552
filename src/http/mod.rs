//! The one HTTP client, behind a port: [`Transport`].

pub mod client;
pub mod pinned;
mod proxy;
pub mod retry_after;
mod target;
mod tls;

pub use tls::{TlsProblem, TlsSetupError};

use std::{fmt, future::Future, pin::Pin};

use bytes::Bytes;
use http::{HeaderMap, Method};

/// A request that is whole in memory.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute address.
    pub url: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// An answer that is whole in memory and decompressed.
#[derive(Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

// Bodies hold calendars and secrets, headers hold tokens: only their names and lengths are printed.

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.keys().collect();
        formatter
            .debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.keys().collect();
        formatter
            .debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The request did not leave: no connection, no name, no TLS.
    #[error("cannot reach {host}: {cause}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The chain of causes.
        cause: String,
    },
    /// The request did not leave, or was not taken: TLS finds that one of the two is not to be trusted.
    #[error("no secure connection to {host}: {cause}")]
    Untrusted {
        /// Host and port.
        host: String,
        /// What is wrong.
        problem: TlsProblem,
        /// The chain of causes.
        cause: String,
    },
    /// The request did not leave: the server has no way to log on that we have.
    #[error("cannot log on to {host}: {cause}")]
    NoLogOn {
        /// Host and port.
        host: String,
        /// What was looked for, and what is there.
        cause: String,
    },
    /// The request left, or may have, and no whole answer came: it may have been carried out.
    #[error("no answer from {host}: {cause}")]
    Interrupted {
        /// Host and port.
        host: String,
        /// The chain of causes.
        cause: String,
    },
    /// The answer is larger than we read; the request was carried out.
    #[error("the answer from {host} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// Host and port.
        host: String,
        /// The limit.
        limit_bytes: usize,
    },
}

/// The future of an answer.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// Sends requests and returns whatever the server answered; never retries.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends one request.
    fn send(&self, request: Request) -> Answer<'_>;
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method, header::AUTHORIZATION};

    use super::{Request, Response};

    #[test]
    fn nothing_confidential_is_printed() {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer hush"))]);
        let (url, body) = ("https://example.test/".to_owned(), Bytes::from_static(b"hush"));
        let request = Request { method: Method::GET, url, headers: headers.clone(), body: body.clone() };
        let response = Response { status: 200, headers, body };
        let printed = format!("{request:?} {response:?}");
        assert!(printed.contains("authorization") && printed.contains("body_bytes: 4"), "{printed}");
        assert!(!printed.contains("hush"), "{printed}");
    }
}
