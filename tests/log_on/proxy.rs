//! A proxy on the way: the log-on goes through it, tied to the certificate of the server behind.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use calsyncd::{
    auth::ntlm::Schemes,
    http::{Transport, TransportError, client::ReqwestTransport, pinned::PinnedTransport},
    settings::{Network, Proxy},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use crate::stage::{Authority, PASSWORD, USER, config, get, log_on, settings, start, trusting};

/// A proxy that leads every CONNECT to `server`, or answers with `refusal`; counts what it is asked for.
async fn proxy(server: SocketAddr, refusal: Option<&'static str>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut first = String::new();
                stream.read_line(&mut first).await.unwrap();
                let mut line = first.clone();
                while line != "\r\n" {
                    line.clear();
                    stream.read_line(&mut line).await.unwrap();
                }
                assert!(first.starts_with("CONNECT mail.example.test:443 HTTP/1.1"), "{first}");
                counted.fetch_add(1, Ordering::SeqCst);
                if let Some(refusal) = refusal {
                    stream.write_all(refusal.as_bytes()).await.unwrap();
                    return;
                }
                stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
                let mut server = TcpStream::connect(server).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut server).await;
            });
        }
    });
    (url, asked)
}

#[tokio::test]
async fn a_log_on_goes_through_a_proxy() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign("server", &["mail.example.test"], 2099);
    let mut settings = settings();
    settings.tls.certificate_file = Some(certificate);
    settings.tls.key_file = Some(key);
    let sandbox = start(settings).await;
    let (url, asked) = proxy(sandbox.address(), None).await;
    let network = Network { proxy: Proxy::Url(url), ..trusting(&authority.pem()) };
    let log_on = log_on(USER, PASSWORD, Schemes::NtlmOnly);
    let pinned = PinnedTransport::new(&config(network.clone()), log_on).unwrap();
    for _ in 0..2 {
        assert_eq!(get(&pinned, "https://mail.example.test").await.unwrap().status, 200);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let pooled = ReqwestTransport::new(config(network)).unwrap();
    assert_eq!(get(&pooled, "https://mail.example.test").await.unwrap().status, 401);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named() {
    let sandbox = start(settings()).await;
    let (url, _) = proxy(sandbox.address(), Some("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")).await;
    let network = Network { proxy: Proxy::Url(url), ..trusting(sandbox.certificate().unwrap()) };
    let pinned = PinnedTransport::new(&config(network.clone()), log_on(USER, PASSWORD, Schemes::NtlmOnly)).unwrap();
    let error = get(&pinned, "https://mail.example.test").await.unwrap_err();
    let TransportError::Unreachable { cause, .. } = &error else { panic!("{error}") };
    assert!(cause.contains("proxy") && cause.contains("407"), "{cause}");
    // A loopback address is reached directly, whatever proxy there is.
    let transports: [&dyn Transport; 2] = [&pinned, &ReqwestTransport::new(config(network)).unwrap()];
    for transport in transports {
        assert!(get(transport, &sandbox.url()).await.is_ok());
    }
}
