//! The proxy on the way, and the tunnel through it.

use std::time::Duration;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{TransportError, target::Target, tls::chain};
use crate::settings::Proxy;

/// The longest answer to a CONNECT that is read.
const ANSWER_BYTES_MAX: usize = 8 << 10;

/// Which proxy stands before which server.
#[derive(Debug)]
pub(super) struct Proxies(Option<Matcher>);

impl Proxies {
    pub(super) fn new(proxy: &Proxy) -> Self {
        Self(match proxy {
            Proxy::Environment => Some(Matcher::from_env()),
            Proxy::None => None,
            Proxy::Url(url) => Some(Matcher::builder().all(url.as_str()).build()),
        })
    }

    /// A connection to the server, through the proxy if there is one. A loopback address is reached directly: a proxy would
    /// carry what is sent in clear out of the machine.
    pub(super) async fn connect(&self, target: &Target, timeout: Duration) -> Result<TcpStream, TransportError> {
        let unreachable = |cause: String| TransportError::Unreachable { host: target.host.clone(), cause };
        let uri: Option<Uri> = target.url.as_str().parse().ok();
        let proxy = self.0.as_ref().filter(|_| !target.loopback).zip(uri).and_then(|(all, uri)| all.intercept(&uri));
        let connecting = async {
            match &proxy {
                None => TcpStream::connect((target.name.as_str(), target.port())).await.map_err(|error| chain(&error)),
                Some(proxy) => tunnel(proxy.uri(), proxy.basic_auth(), &target.authority()).await,
            }
        };
        match tokio::time::timeout(timeout, connecting).await {
            Ok(connected) => connected.map_err(unreachable),
            Err(_) => Err(unreachable(format!("no connection within {} seconds", timeout.as_secs()))),
        }
    }
}

/// Asks a proxy for a connection to `authority` (RFC 9110 §9.3.6).
async fn tunnel(proxy: &Uri, login: Option<&HeaderValue>, authority: &str) -> Result<TcpStream, String> {
    if proxy.scheme_str().is_some_and(|scheme| scheme != "http") {
        return Err("a proxy is reached by http only".to_owned());
    }
    let host = proxy.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = proxy.port_u16().unwrap_or(80);
    let name = format!("the proxy {host}:{port}");
    let mut stream =
        TcpStream::connect((host, port)).await.map_err(|error| format!("{name} cannot be reached: {error}"))?;
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").into_bytes();
    if let Some(login) = login {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(login.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await.map_err(|error| format!("{name} does not answer: {error}"))?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.map_err(|error| format!("{name} does not answer: {error}"))?;
        answer.push(byte);
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(format!("the answer of {name} is too long"));
        }
    }
    let first = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    let status = first.split(' ').nth(1).unwrap_or_default();
    if first.starts_with("HTTP/1.") && status.len() == 3 && status.starts_with('2') {
        return Ok(stream);
    }
    let first: String = first.chars().filter(|character| !character.is_control()).take(80).collect();
    Err(format!("{name} refuses a connection to {authority}: {first}"))
}
