//! A connection and its answers, against a server of a few lines.

#![allow(clippy::unwrap_used)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

use super::{LogOn, LogOnError, Peer, PinnedTransport, Step, challenge, schemes};
use crate::http::{Request, Transport, TransportError, client::HttpConfig};

/// Logs on by a header, or by a handshake.
#[derive(Debug)]
struct Stub(Step);

impl LogOn for Stub {
    fn begin(&self) -> Result<Step, LogOnError> {
        Ok(self.0.clone())
    }

    fn offered(&self, _: &[String]) -> Result<Step, LogOnError> {
        Err(LogOnError::Impossible("nothing".to_owned()))
    }

    fn scheme(&self) -> &'static str {
        "NTLM"
    }

    fn answer(&self, challenge: &[u8], _: Peer<'_>) -> Result<HeaderValue, LogOnError> {
        assert_eq!(challenge, b"second");
        Ok(HeaderValue::from_static("NTLM third"))
    }

    fn refused(&self) {}
}

const CHALLENGE: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM c2Vjb25k\r\nContent-Length: 4\r\n\r\nbody";
const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that gives each connection these answers and then closes it; an empty answer is never given. It tells what it reads,
/// and a blank for each end of a connection.
async fn serve(answers: &'static [&'static str]) -> (String, mpsc::UnboundedReceiver<String>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/EWS", listener.local_addr().unwrap());
    let (tell, told) = mpsc::unbounded_channel();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let tell = tell.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                for answer in answers {
                    let length = socket.read(&mut buffer).await.unwrap_or(0);
                    let _ = tell.send(String::from_utf8_lossy(&buffer[..length]).into_owned());
                    if answer.is_empty() {
                        std::future::pending::<()>().await;
                    }
                    let _ = socket.write_all(answer.as_bytes()).await;
                }
                // Until the client closes.
                if answers.last() == Some(&GOOD) {
                    let _ = socket.read(&mut buffer).await;
                }
                let _ = tell.send(String::new());
            });
        }
    });
    (url, told, connections)
}

fn transport(step: Step, timeout: Duration, idle_max: Duration) -> PinnedTransport {
    let config = HttpConfig { request_timeout: timeout, response_bytes_max: 1000, ..HttpConfig::default() };
    PinnedTransport::with_idle_limit(&config, Arc::new(Stub(step)), idle_max).unwrap()
}

const LONG: Duration = Duration::from_secs(60);

fn handshake() -> Step {
    Step::Handshake(HeaderValue::from_static("NTLM first"))
}

fn header() -> Step {
    Step::Header(HeaderValue::from_static("Basic hush"))
}

fn post(url: &str) -> Request {
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static("NTLM"))]);
    Request { method: Method::POST, url: url.to_owned(), headers, body: Bytes::from_static(b"<envelope/>") }
}

#[tokio::test]
async fn the_body_goes_with_the_third_message_and_with_what_follows() {
    let (url, mut told, connections) = serve(&[CHALLENGE, GOOD, GOOD]).await;
    let transport = transport(handshake(), LONG, LONG);
    for _ in 0..2 {
        assert_eq!(transport.send(post(&url)).await.unwrap().body, "ok");
    }
    let [first, third, next] = [told.recv().await.unwrap(), told.recv().await.unwrap(), told.recv().await.unwrap()];
    assert!(first.contains("authorization: NTLM first") && first.contains("content-length: 0"), "{first}");
    assert!(third.contains("authorization: NTLM third") && third.ends_with("<envelope/>"), "{third}");
    assert!(!next.contains("authorization") && next.ends_with("<envelope/>"), "{next}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let (url, mut told, _) = serve(&[GOOD]).await;
    let transport = transport(header(), LONG, Duration::from_millis(1));
    transport.send(post(&url)).await.unwrap();
    assert!(told.recv().await.unwrap().contains("Basic hush"));
    // The server sees the end though nobody sends anything more.
    assert_eq!(told.recv().await.unwrap(), "");
    drop(transport);
}

#[tokio::test]
async fn what_may_have_been_done_is_told_from_what_was_not() {
    // Long enough for a busy machine to get as far as the case says.
    let short = Duration::from_secs(4);
    let large: &'static str = format!("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n{}", "x".repeat(1001)).leak();
    let cases: [(&'static [&'static str], Step, &str); 6] = [
        (&[""], handshake(), "unreachable"),
        (&[CHALLENGE, ""], handshake(), "interrupted"),
        (&[""], header(), "interrupted"),
        (&["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"], header(), "interrupted"),
        (&[CHALLENGE, "HTTP/1.1 200 OK\r\nContent-Le"], handshake(), "interrupted"),
        // A server that closes each connection after the challenge.
        (&[CHALLENGE], handshake(), "interrupted or unreachable"),
    ];
    let tried = cases.into_iter().map(async |(answers, step, expected)| {
        let (url, _told, _) = serve(answers).await;
        let error = transport(step, short, LONG).send(post(&url)).await.unwrap_err();
        let found = match error {
            TransportError::Unreachable { .. } => "unreachable",
            TransportError::Interrupted { .. } => "interrupted",
            _ => "another",
        };
        assert!(expected.contains(found), "{answers:?}: {error}");
    });
    futures_util::future::join_all(tried).await;
    let (url, _told, _) = serve(vec![large].leak()).await;
    let error = transport(header(), LONG, LONG).send(post(&url)).await.unwrap_err();
    assert!(matches!(error, TransportError::TooLarge { limit_bytes: 1000, .. }), "{error}");
}

#[test]
fn what_a_server_offers_is_read() {
    let headers = |lines: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(line));
        }
        headers
    };
    let exchange = headers(&["Negotiate", "NTLM", "Basic realm=\"mail.example.test\""]);
    assert_eq!(schemes(&exchange), ["Negotiate", "NTLM", "Basic"]);
    assert_eq!(challenge(&exchange, "NTLM"), None);
    assert_eq!(schemes(&headers(&["NTLM, Basic realm=\"a\", charset=\"UTF-8\""])), ["NTLM", "Basic"]);
    let second = headers(&["Negotiate AAAA", "ntlm c2Vjb25k"]);
    assert_eq!(challenge(&second, "NTLM"), Some(b"second".to_vec()));
    assert_eq!(challenge(&headers(&["NTLM !"]), "NTLM"), None);
    assert!(schemes(&HeaderMap::new()).is_empty());
}
