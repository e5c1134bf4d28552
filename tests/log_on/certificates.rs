//! Who is trusted, and what is said of who is not.

use std::sync::Arc;

use calsyncd::{
    auth::ntlm::Schemes,
    http::{TlsProblem, Transport, TransportError, client::ReqwestTransport, pinned::PinnedTransport},
    settings::{ClientCertificate, Network, PemFile},
};
use secrecy::SecretString;

use crate::stage::{Authority, PASSWORD, USER, config, get, log_on, settings, start, trusting};

/// Both kinds of transport.
fn transports(network: &Network) -> [Arc<dyn Transport>; 2] {
    let config = config(network.clone());
    let log_on = log_on(USER, PASSWORD, Schemes::NtlmOnly);
    [Arc::new(PinnedTransport::new(&config, log_on).unwrap()), Arc::new(ReqwestTransport::new(config).unwrap())]
}

#[tokio::test]
async fn a_bad_certificate_is_named() {
    let authority = Authority::new();
    let here: &[&str] = &["127.0.0.1", "localhost"];
    let cases = [
        ("good", here, 2099, Some(authority.pem()), None),
        ("ended", here, 2021, Some(authority.pem()), Some(TlsProblem::Expired)),
        ("other", &["mail.example.test"], 2099, Some(authority.pem()), Some(TlsProblem::WrongName)),
        ("unknown", here, 2099, None, Some(TlsProblem::UnknownIssuer)),
    ];
    for (file, names, until, trusted, expected) in cases {
        let (certificate, key) = authority.sign(file, names, until);
        let mut settings = settings();
        settings.tls.certificate_file = Some(certificate);
        settings.tls.key_file = Some(key);
        let sandbox = start(settings).await;
        let other = Authority::new().pem();
        for transport in transports(&trusting(&trusted.unwrap_or(other))) {
            match (expected, get(&*transport, &sandbox.url()).await) {
                (None, Ok(_)) => {}
                (Some(expected), Err(TransportError::Untrusted { problem, cause, .. })) => {
                    assert_eq!(problem, expected, "{file}: {cause}");
                    assert!(!problem.hint().is_empty());
                }
                (_, other) => panic!("{file}: {other:?}"),
            }
        }
        assert!(sandbox.counters().failed_log_ons.is_empty(), "{file}: nothing is shown to whom nobody trusts");
    }
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_trusted_once_it_is_given() {
    let sandbox = start(settings()).await;
    let certificate = sandbox.certificate().unwrap();
    for transport in transports(&trusting(certificate)) {
        assert!(get(&*transport, &sandbox.url()).await.is_ok());
    }
    for transport in transports(&trusting(&Authority::new().pem())) {
        let error = get(&*transport, &sandbox.url()).await.unwrap_err();
        let TransportError::Untrusted { problem, .. } = error else { panic!("{error}") };
        assert_eq!(problem, TlsProblem::UnknownIssuer);
    }
}

#[tokio::test]
async fn a_server_may_ask_for_a_certificate_of_ours() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign("server", &["127.0.0.1"], 2099);
    let mut settings = settings();
    settings.tls.certificate_file = Some(certificate);
    settings.tls.key_file = Some(key);
    settings.tls.client_ca_file = Some(authority.folder.path().join("ca.pem"));
    let sandbox = start(settings).await;
    let without = trusting(&authority.pem());
    let shown = |authority: &Authority| {
        let (chain, key) = authority.sign("client", &["calsyncd"], 2099);
        let text = std::fs::read_to_string(&chain).unwrap();
        let key = SecretString::from(std::fs::read_to_string(key).unwrap());
        Network { client: Some(ClientCertificate { chain: PemFile { path: chain, text }, key }), ..without.clone() }
    };
    for transport in transports(&shown(&authority)) {
        assert!(get(&*transport, &sandbox.url()).await.is_ok());
    }
    for network in [without.clone(), shown(&Authority::new())] {
        for transport in transports(&network) {
            let error = get(&*transport, &sandbox.url()).await.unwrap_err();
            let TransportError::Untrusted { problem, .. } = error else { panic!("{error}") };
            assert_eq!(problem, TlsProblem::ClientCertificate);
        }
    }
}
