//! The doors of the sandbox: each checks who asks, passes the gate, carries out, and gives refusals its protocol's form.

pub(super) mod ews;
pub(super) mod graph;
pub(super) mod token;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};

use super::{answer, wire::Wire};

/// One request, body decompressed.
#[derive(Debug, Clone)]
pub(super) struct Inbound {
    /// The method.
    pub(super) method: Method,
    /// The path, still percent-encoded.
    pub(super) path: String,
    /// The query, still percent-encoded; empty for none.
    pub(super) query: String,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) body: Bytes,
    /// Scheme and host that the client asked, for links in answers.
    pub(super) origin: String,
    /// The connection; none in process.
    pub(super) wire: Option<Wire>,
}

impl Inbound {
    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What a client gets.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// An answer.
    Answer(Response<Bytes>),
    /// A broken connection.
    Broken,
}

/// What a proxy says to those who have not logged on to it.
fn proxy() -> Response<Bytes> {
    let response = answer::html(407, "<html><body>Proxy Authentication Required</body></html>".to_owned());
    answer::with_header(response, "proxy-authenticate", "Basic realm=\"proxy\"")
}

/// A redirect that leads to itself.
fn elsewhere() -> Response<Bytes> {
    answer::with_header(answer::empty(302), "location", "/owa/auth/logon.aspx")
}

/// What a gateway in front of the server shows to those who are not logged on.
fn login_page() -> Response<Bytes> {
    answer::html(
        200,
        "<!DOCTYPE html><html><head><title>Sign in to your account</title></head><body><form method=\"post\">\
         <input name=\"loginfmt\"><input type=\"password\" name=\"passwd\"><input type=\"submit\" value=\"Sign in\">\
         </form></body></html>"
            .to_owned(),
    )
}
