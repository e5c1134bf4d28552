#![allow(clippy::unwrap_used)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use secrecy::{SecretSlice, SecretString};

use super::{Application, ClientCredentials};
use crate::{
    auth::{Authorization, TokenMemory, authorization},
    clock::{Clock, SystemClock, Wait},
    http::{Answer, Request, Response, Transport, TransportError},
    model::fault::{Fault, FaultKind, FaultScope},
    settings::{AssertionAlgorithm, Authentication, Certificate, Credential, Proof, ProofKind},
};

/// A clock that the test moves.
#[derive(Debug, Default)]
struct HandClock(AtomicI64);

impl HandClock {
    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn sleep(&self, _: Duration) -> Wait {
        Box::pin(std::future::ready(()))
    }
}

/// A token endpoint: gives tokens `t1`, `t2`… or what `fails` says.
#[derive(Debug, Default)]
struct Endpoint {
    fails: Mutex<Option<Result<Response, TransportError>>>,
    /// What is refused: a part of the form, and the answer.
    refuses: Mutex<Option<(String, Response)>>,
    lifetime: Option<i64>,
    seen: Mutex<Vec<Request>>,
}

impl Endpoint {
    fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    fn refuse(&self, part: &str, status: u16, body: &str) {
        *self.refuses.lock().unwrap() = Some((part.to_owned(), answer(status, body)));
    }

    fn fail(&self, answer: Option<Result<Response, TransportError>>) {
        *self.fails.lock().unwrap() = answer;
    }
}

fn answer(status: u16, body: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert("x-ms-request-id", HeaderValue::from_static("r-1"));
    Response { status, headers, body: Bytes::from(body.to_owned()) }
}

impl Transport for Endpoint {
    fn send(&self, request: Request) -> Answer<'_> {
        Box::pin(async move {
            let form = String::from_utf8(request.body.to_vec()).unwrap();
            let count = {
                let mut seen = self.seen.lock().unwrap();
                seen.push(request);
                seen.len()
            };
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            if let Some(answer) = self.fails.lock().unwrap().clone() {
                return answer;
            }
            if let Some((part, answer)) = self.refuses.lock().unwrap().clone()
                && form.contains(&part)
            {
                return Ok(answer);
            }
            let life = self.lifetime.map_or_else(String::new, |life| format!(r#""expires_in":{life},"#));
            Ok(answer(200, &format!(r#"{{{life}"token_type":"Bearer","access_token":"t{count}"}}"#)))
        })
    }
}

const SECRET: &str = "s3cr+t/&=";

fn secret(key: &'static str, secret: &str) -> Proof {
    Proof { key, kind: ProofKind::Secret(SecretString::from(secret)), ends: None }
}

/// A certificate of the application, and its public key.
pub(in crate::auth) fn certificate() -> (Certificate, Vec<u8>) {
    use aws_lc_rs::{rsa, signature::KeyPair as _};
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let der = rcgen::CertificateParams::default().self_signed(&key).unwrap().der().to_vec();
    let pair = rsa::KeyPair::from_pkcs8(&key.serialize_der()).unwrap();
    let pkcs8 = key.serialize_der();
    let pkcs1 = pkcs8::PrivateKeyInfoRef::try_from(pkcs8.as_slice()).unwrap().private_key.as_bytes().to_vec();
    let public = pair.public_key().as_ref().to_vec();
    (Certificate { der, key: SecretSlice::from(pkcs1), ends: None }, public)
}

fn with_certificate(algorithm: AssertionAlgorithm) -> Proof {
    let (certificate, _) = certificate();
    Proof { key: "application_certificate", kind: ProofKind::Certificate { certificate, algorithm }, ends: None }
}

fn application() -> Application {
    Application {
        token_url: "https://login.example.test/contoso/oauth2/v2.0/token".to_owned(),
        client_id: "app".to_owned(),
        scope: "https://graph.example.test/.default".to_owned(),
        proofs: vec![secret("client_secret", SECRET)],
    }
}

/// Credentials with these proofs, on a common memory.
fn shown(
    proofs: Vec<Proof>,
    (endpoint, clock): (&Arc<Endpoint>, &Arc<HandClock>),
    memory: &TokenMemory,
) -> Arc<ClientCredentials> {
    let application = Application { proofs, ..application() };
    Arc::new(ClientCredentials::new(application, endpoint.clone(), clock.clone(), memory).unwrap())
}

fn setup(lifetime: Option<i64>) -> (Arc<Endpoint>, Arc<HandClock>, Arc<ClientCredentials>) {
    let endpoint = Arc::new(Endpoint { lifetime, ..Endpoint::default() });
    let clock = Arc::new(HandClock::default());
    let credentials =
        ClientCredentials::new(application(), endpoint.clone(), clock.clone(), &TokenMemory::default()).unwrap();
    (endpoint, clock, Arc::new(credentials))
}

async fn header(credentials: &ClientCredentials) -> Result<String, Fault> {
    credentials.header().await.map(|header| header.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_request_is_a_form_in_the_body() {
    let (endpoint, _, credentials) = setup(Some(3599));
    let value = credentials.header().await.unwrap();
    assert!(value.is_sensitive() && value == "Bearer t1");
    let seen = endpoint.seen.lock().unwrap();
    assert_eq!((&seen[0].method, seen[0].url.as_str()), (&Method::POST, application().token_url.as_str()));
    assert_eq!(seen[0].headers["content-type"], "application/x-www-form-urlencoded");
    assert!(!seen[0].headers.contains_key("authorization"));
    let mut form: Vec<&str> = std::str::from_utf8(&seen[0].body).unwrap().split('&').collect();
    form.sort_unstable();
    let expected = [
        "client_id=app",
        "client_secret=s3cr%2Bt%2F%26%3D",
        "grant_type=client_credentials",
        "scope=https%3A%2F%2Fgraph.example.test%2F.default",
    ];
    assert_eq!(form, expected);
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_its_end() {
    // lifetime, seconds at which it is still used, seconds at which a new one is asked for
    let cases = [(Some(3599), 3298, 3299), (Some(600), 299, 300), (Some(100), 49, 50), (None, 149, 150)];
    for (lifetime, kept, renewed) in cases {
        let (endpoint, clock, credentials) = setup(lifetime);
        header(&credentials).await.unwrap();
        clock.pass(kept);
        assert_eq!(header(&credentials).await.unwrap(), "Bearer t1", "{lifetime:?}");
        clock.pass(renewed - kept);
        assert_eq!(header(&credentials).await.unwrap(), "Bearer t2", "{lifetime:?}");
        assert_eq!(endpoint.requests(), 2, "{lifetime:?}");
    }
}

async fn fifty(credentials: &Arc<ClientCredentials>) -> Vec<Result<String, Fault>> {
    let tasks = (0..50).map(|_| {
        let credentials = Arc::clone(credentials);
        tokio::spawn(async move { header(&credentials).await })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut headers = Vec::new();
    for task in tasks {
        headers.push(task.await.unwrap());
    }
    headers
}

#[tokio::test]
async fn fifty_tasks_ask_once() {
    let (endpoint, clock, credentials) = setup(Some(3599));
    assert!(fifty(&credentials).await.iter().all(|header| header.as_deref() == Ok("Bearer t1")));
    assert_eq!(endpoint.requests(), 1);
    clock.pass(3500);
    assert!(fifty(&credentials).await.iter().all(|header| header.as_deref() == Ok("Bearer t2")));
    assert_eq!(endpoint.requests(), 2);
}

#[tokio::test]
async fn a_wrong_secret_is_tried_once() {
    let (endpoint, clock, credentials) = setup(None);
    let body =
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret s3cr+t/&=.\r\nTrace"}"#;
    endpoint.fail(Some(Ok(answer(401, body))));
    let faults = fifty(&credentials).await;
    clock.pass(60);
    let late = header(&credentials).await;
    for fault in faults.into_iter().chain([late]).map(Result::unwrap_err) {
        assert_eq!((fault.scope, fault.kind), (FaultScope::Credential, FaultKind::Permanent));
        assert_eq!((fault.code.as_str(), fault.request_id.as_deref()), ("AADSTS7000215", Some("r-1")));
        assert!(fault.hint.as_ref().is_some_and(|hint| hint.contains("value, not its id")));
        assert!(!format!("{fault:?}").contains(SECRET), "{fault:?}");
    }
    assert_eq!(endpoint.requests(), 1);
    endpoint.fail(None);
    clock.pass(600);
    assert!(header(&credentials).await.is_ok(), "after a while the credential is tried again");
}

#[tokio::test]
async fn those_who_wait_share_the_failure() {
    let (endpoint, _, credentials) = setup(None);
    endpoint.fail(Some(Ok(answer(503, ""))));
    assert!(fifty(&credentials).await.iter().all(Result::is_err));
    assert_eq!(endpoint.requests(), 1);
    endpoint.fail(None);
    assert!(header(&credentials).await.is_ok(), "without a wait, the next one asks again");
}

#[tokio::test]
async fn a_revoked_token_is_replaced_once_for_all_who_held_it() {
    let (endpoint, _, credentials) = setup(Some(3599));
    let first = credentials.header().await.unwrap();
    for _ in 0..10 {
        assert!(credentials.refused(&first));
        assert!(fifty(&credentials).await.iter().all(|header| header.as_deref() == Ok("Bearer t2")));
    }
    assert_eq!(endpoint.requests(), 2, "late refusals of the first say nothing of the second");
    let second = credentials.header().await.unwrap();
    assert!(credentials.refused(&second));
    assert!(credentials.refused(&first) && credentials.refused(&second), "there is none, and none is asked for yet");
    assert_eq!(header(&credentials).await.unwrap(), "Bearer t3");
    assert_eq!(endpoint.requests(), 3, "at the same instant");
}

#[tokio::test]
async fn a_passing_trouble_does_not_take_the_token_away() {
    let (endpoint, clock, credentials) = setup(Some(3599));
    header(&credentials).await.unwrap();
    let mut busy = answer(503, "");
    busy.headers.insert("retry-after", HeaderValue::from_static("30.5"));
    endpoint.fail(Some(Ok(busy)));
    clock.pass(3400);
    assert_eq!(header(&credentials).await.unwrap(), "Bearer t1");
    clock.pass(30);
    assert_eq!(header(&credentials).await.unwrap(), "Bearer t1");
    assert_eq!(endpoint.requests(), 2, "nothing is asked before the wait is over");
    clock.pass(1);
    assert_eq!(header(&credentials).await.unwrap(), "Bearer t1");
    assert_eq!(endpoint.requests(), 3);
    clock.pass(1000);
    let fault = header(&credentials).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Transient { wait: Some(Duration::from_millis(30_500)) });
}

#[tokio::test]
async fn answers_without_a_token_are_told_apart() {
    let transient = FaultKind::Transient { wait: None };
    let error = |name: &str, text: &str| format!(r#"{{"error":"{name}","error_description":"{text}"}}"#);
    let interrupted = TransportError::Interrupted { host: "login".to_owned(), cause: "reset".to_owned() };
    let cases = [
        (Ok(answer(400, &error("unauthorized_client", "AADSTS700016: no app"))), FaultKind::Permanent, "AADSTS700016"),
        (Ok(answer(400, &error("invalid_request", "AADSTS90002: no tenant"))), FaultKind::Permanent, "AADSTS90002"),
        (Ok(answer(401, &error("invalid_client", "wrong"))), FaultKind::Permanent, "invalid_client"),
        (Ok(answer(400, &error("new_error", "AADSTS1: new"))), FaultKind::Permanent, "AADSTS1"),
        (Ok(answer(400, &error("temporarily_unavailable", "busy"))), transient, "temporarily_unavailable"),
        (Ok(answer(400, &error("invalid_grant", "AADSTS90033: busy"))), transient, "AADSTS90033"),
        (Ok(answer(429, &error("invalid_request", "slow down"))), transient, "invalid_request"),
        (Ok(answer(503, &error("server_error", "busy"))), transient, "server_error"),
        (Ok(answer(502, "<html>")), transient, "HTTP 502"),
        (Ok(answer(404, "<html>")), FaultKind::Permanent, "HTTP 404"),
        (Ok(answer(200, "<html>")), transient, "HTTP 200"),
        (Err(interrupted), transient, "TokenEndpointUnreachable"),
    ];
    for (answer, kind, code) in cases {
        let (endpoint, _, credentials) = setup(None);
        endpoint.fail(Some(answer.clone()));
        let fault = header(&credentials).await.unwrap_err();
        assert_eq!((fault.scope, fault.kind, fault.code.as_str()), (FaultScope::Credential, kind, code), "{answer:?}");
    }
}

/// What the requests showed, in their order: the value of `name` in each form.
fn fields(endpoint: &Endpoint, name: &str) -> Vec<String> {
    let seen = endpoint.seen.lock().unwrap();
    let field = |request: &Request| {
        let form = String::from_utf8(request.body.to_vec()).unwrap();
        let pair = form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
        pair.unwrap_or_default()
    };
    seen.iter().map(field).collect()
}

const WRONG: &str = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret."}"#;

#[tokio::test]
async fn a_refused_secret_gives_way_to_the_next_one() {
    let (endpoint, clock, memory) =
        (Arc::new(Endpoint::default()), Arc::new(HandClock::default()), TokenMemory::default());
    let both = || vec![secret("client_secret", "old"), secret("next_client_secret", "new")];
    let credentials = shown(both(), (&endpoint, &clock), &memory);
    endpoint.refuse("client_secret=old", 401, WRONG);
    assert_eq!(header(&credentials).await.unwrap(), "Bearer t2");
    assert_eq!(fields(&endpoint, "client_secret"), ["old", "new"]);
    // The one that was taken is shown first from now on, also after a reload.
    clock.pass(3600);
    header(&credentials).await.unwrap();
    let reloaded = shown(both(), (&endpoint, &clock), &memory);
    assert_eq!(header(&reloaded).await.unwrap(), "Bearer t3", "a reload keeps the token");
    clock.pass(3600);
    header(&reloaded).await.unwrap();
    assert_eq!(fields(&endpoint, "client_secret")[2..], ["new", "new"]);
    // Once the settings have the new one alone, nothing of the old one is left.
    let alone = shown(vec![secret("client_secret", "new")], (&endpoint, &clock), &memory);
    assert_eq!(header(&alone).await.unwrap(), "Bearer t4");
}

#[tokio::test]
async fn a_secret_that_is_known_to_have_ended_is_shown_last() {
    let (endpoint, clock, memory) =
        (Arc::new(Endpoint::default()), Arc::new(HandClock::default()), TokenMemory::default());
    let ends = Some(clock.now() + jiff::SignedDuration::from_secs(100));
    let both = vec![Proof { ends, ..secret("client_secret", "old") }, secret("next_client_secret", "new")];
    let credentials = shown(both, (&endpoint, &clock), &memory);
    for _ in 0..2 {
        header(&credentials).await.unwrap();
        clock.pass(300);
    }
    endpoint.refuse("client_secret=new", 401, WRONG);
    header(&credentials).await.unwrap();
    assert_eq!(fields(&endpoint, "client_secret"), ["old", "new", "new", "old"]);
}

#[tokio::test]
async fn when_both_are_refused_each_is_tried_once_and_again_after_growing_pauses() {
    let (endpoint, clock, memory) =
        (Arc::new(Endpoint::default()), Arc::new(HandClock::default()), TokenMemory::default());
    let both = vec![secret("client_secret", "old"), secret("next_client_secret", "older")];
    let credentials = shown(both.clone(), (&endpoint, &clock), &memory);
    endpoint.fail(Some(Ok(answer(401, WRONG))));
    assert!(fifty(&credentials).await.iter().all(Result::is_err));
    assert!(header(&shown(both, (&endpoint, &clock), &memory)).await.is_err(), "a reload changes nothing");
    assert_eq!(fields(&endpoint, "client_secret"), ["old", "older"]);
    for (seconds, requests) in [(599, 2), (1, 4), (1199, 4), (1, 6), (2399, 6), (1, 8)] {
        clock.pass(seconds);
        assert!(header(&credentials).await.is_err());
        assert_eq!(endpoint.requests(), requests, "after {seconds} s");
    }
    endpoint.fail(None);
    let changed = shown(vec![secret("client_secret", "right")], (&endpoint, &clock), &memory);
    assert!(header(&changed).await.is_ok(), "a changed secret is tried at once");
}

#[tokio::test]
async fn what_no_secret_is_to_blame_for_costs_one_attempt() {
    for body in [
        r#"{"error":"invalid_request","error_description":"AADSTS90002: Tenant not found."}"#,
        r#"{"error":"unauthorized_client","error_description":"AADSTS700016: no app"}"#,
        r#"{"error":"invalid_client","error_description":"AADSTS700024: not within its valid time range"}"#,
        r#"{"error":"server_error","error_description":"AADSTS90033: busy"}"#,
    ] {
        let (endpoint, clock, memory) =
            (Arc::new(Endpoint::default()), Arc::new(HandClock::default()), TokenMemory::default());
        endpoint.fail(Some(Ok(answer(400, body))));
        let both = vec![secret("client_secret", "one"), secret("next_client_secret", "two")];
        assert!(header(&shown(both, (&endpoint, &clock), &memory)).await.is_err());
        assert_eq!(fields(&endpoint, "client_secret"), ["one"], "{body}");
    }
}

/// The algorithms of the assertions that were shown.
fn algorithms(endpoint: &Endpoint) -> Vec<String> {
    let assertions = fields(endpoint, "client_assertion");
    let of = |assertion: &String| {
        let header = URL_SAFE_NO_PAD.decode(assertion.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<serde_json::Value>(&header).unwrap()["alg"].as_str().unwrap().to_owned()
    };
    assertions.iter().map(of).collect()
}

#[tokio::test]
async fn an_assertion_becomes_rs256_when_the_server_wants_it_so() {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS1: the algorithm 'PS256' is not supported."}"#;
    let auto = AssertionAlgorithm::Auto;
    let cases: [(AssertionAlgorithm, bool, &[&str]); 4] = [
        (auto, false, &["PS256", "PS256"]),
        (auto, true, &["PS256", "RS256", "RS256"]),
        (AssertionAlgorithm::Ps256, true, &["PS256"]),
        (AssertionAlgorithm::Rs256, false, &["RS256", "RS256"]),
    ];
    for (algorithm, refuses, expected) in cases {
        let (endpoint, clock, memory) =
            (Arc::new(Endpoint::default()), Arc::new(HandClock::default()), TokenMemory::default());
        if refuses {
            // {"typ":"JWT","alg":"PS256" in base64
            endpoint.refuse("client_assertion=eyJ0eXAiOiJKV1QiLCJhbGciOiJQUzI1NiI", 401, body);
        }
        let credentials = shown(vec![with_certificate(algorithm)], (&endpoint, &clock), &memory);
        let first = header(&credentials).await;
        assert_eq!(first.is_ok(), algorithm != AssertionAlgorithm::Ps256, "{algorithm:?}");
        clock.pass(400);
        assert_eq!(header(&credentials).await.is_ok(), first.is_ok());
        assert_eq!(algorithms(&endpoint), expected, "{algorithm:?} {refuses}");
        let kinds = fields(&endpoint, "client_assertion_type");
        assert!(kinds.iter().all(|kind| kind == "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"));
        assert!(fields(&endpoint, "client_id").iter().all(|id| id == "app"));
    }
}

#[tokio::test]
async fn a_federated_token_is_read_anew_for_each_request() {
    let (endpoint, clock, memory) =
        (Arc::new(Endpoint::default()), Arc::new(HandClock::default()), TokenMemory::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let proof = Proof { key: "federated_token", kind: ProofKind::FederatedToken(path.clone()), ends: None };
    let credentials = shown(vec![proof], (&endpoint, &clock), &memory);
    let fault = header(&credentials).await.unwrap_err();
    assert_eq!((fault.code.as_str(), endpoint.requests()), ("FederatedTokenUnreadable", 0));
    for token in ["one", "two"] {
        std::fs::write(&path, format!("{token}\n")).unwrap();
        header(&credentials).await.unwrap();
        clock.pass(300);
    }
    endpoint.refuse("client_assertion=two", 401, r#"{"error":"invalid_client","error_description":"AADSTS700213: s"}"#);
    assert!(header(&credentials).await.is_err() && header(&credentials).await.is_err());
    std::fs::write(&path, "three").unwrap();
    assert!(header(&credentials).await.is_ok(), "another token is tried at once");
    assert_eq!(fields(&endpoint, "client_assertion"), ["one", "two", "two", "three"]);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_named() {
    let (endpoint, _, credentials) = setup(None);
    let body = r#"{"error":"invalid_client","error_description":"AADSTS700024: not within its valid time range."}"#;
    let mut refused = answer(401, body);
    // The hand clock begins at 2026-11-18T11:06:40Z.
    refused.headers.insert("date", HeaderValue::from_static("Wed, 18 Nov 2026 11:16:40 GMT"));
    endpoint.fail(Some(Ok(refused)));
    let fault = header(&credentials).await.unwrap_err();
    assert!(fault.message.ends_with("(this machine's clock is 600 s behind the server's)"), "{fault}");
    assert!(fault.hint.unwrap().contains("clock"));
}

#[test]
fn nothing_prints_the_secret() {
    let (_, _, credentials) = setup(None);
    let Application { token_url, client_id, scope, mut proofs } = application();
    proofs.push(with_certificate(AssertionAlgorithm::Auto));
    let credential = Credential::Application { token_url, client_id, scope, proofs };
    let password = Credential::Password {
        authentication: Authentication::Basic,
        user: "ana".to_owned(),
        password: SecretString::from(SECRET),
    };
    for credential in [credential, password] {
        let (endpoint, clock) = (Arc::new(Endpoint::default()), Arc::new(SystemClock));
        let port = authorization(&credential, endpoint, clock, &TokenMemory::default()).unwrap();
        let printed = format!("{port:?} {credential:?}");
        // Bytes of a key would be a list of numbers.
        assert!(!printed.contains(SECRET) && !printed.contains(", 1, "), "{printed}");
    }
    let printed = format!("{credentials:?} {:?}", application());
    assert!(printed.contains("app") && !printed.contains(SECRET), "{printed}");
    let wrong = Application { token_url: "login".to_owned(), ..application() };
    assert!(
        ClientCredentials::new(wrong, Arc::new(Endpoint::default()), Arc::new(SystemClock), &TokenMemory::default())
            .is_err()
    );
}
