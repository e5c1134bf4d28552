#![allow(clippy::unwrap_used)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use secrecy::SecretString;

use super::{Application, ClientCredentials};
use crate::{
    auth::{Authorization, authorization},
    clock::{Clock, SystemClock, Wait},
    http::{Answer, Request, Response, Transport, TransportError},
    model::fault::{Fault, FaultKind, FaultScope},
    settings::{Authentication, Credential},
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
    lifetime: Option<i64>,
    seen: Mutex<Vec<Request>>,
}

impl Endpoint {
    fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
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
            let life = self.lifetime.map_or_else(String::new, |life| format!(r#""expires_in":{life},"#));
            Ok(answer(200, &format!(r#"{{{life}"token_type":"Bearer","access_token":"t{count}"}}"#)))
        })
    }
}

const SECRET: &str = "s3cr+t/&=";

fn application() -> Application {
    Application {
        token_url: "https://login.example.test/contoso/oauth2/v2.0/token".to_owned(),
        client_id: "app".to_owned(),
        client_secret: SecretString::from(SECRET),
        scope: "https://graph.example.test/.default".to_owned(),
    }
}

fn setup(lifetime: Option<i64>) -> (Arc<Endpoint>, Arc<HandClock>, Arc<ClientCredentials>) {
    let endpoint = Arc::new(Endpoint { lifetime, ..Endpoint::default() });
    let clock = Arc::new(HandClock::default());
    let credentials = ClientCredentials::new(application(), endpoint.clone(), clock.clone()).unwrap();
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
    let (endpoint, clock, credentials) = setup(Some(3599));
    header(&credentials).await.unwrap();
    assert!(credentials.refused());
    assert_eq!(header(&credentials).await.unwrap(), "Bearer t2");
    for _ in 0..10 {
        assert!(credentials.refused());
        assert_eq!(header(&credentials).await.unwrap(), "Bearer t2");
    }
    clock.pass(10);
    assert!(credentials.refused());
    assert_eq!(header(&credentials).await.unwrap(), "Bearer t3");
    assert_eq!(endpoint.requests(), 3);
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

#[test]
fn nothing_prints_the_secret() {
    let (_, _, credentials) = setup(None);
    let credential = Credential::ClientSecret {
        token_url: application().token_url,
        client_id: "app".to_owned(),
        client_secret: SecretString::from(SECRET),
        scope: application().scope,
    };
    let password = Credential::Password {
        authentication: Authentication::Basic,
        user: "ana".to_owned(),
        password: SecretString::from(SECRET),
    };
    for credential in [credential, password] {
        let port = authorization(&credential, Arc::new(Endpoint::default()), Arc::new(SystemClock)).unwrap();
        assert!(!format!("{port:?} {credential:?}").contains(SECRET));
    }
    let printed = format!("{credentials:?} {:?}", application());
    assert!(printed.contains("app") && !printed.contains(SECRET), "{printed}");
    let wrong = Application { token_url: "login".to_owned(), ..application() };
    assert!(ClientCredentials::new(wrong, Arc::new(Endpoint::default()), Arc::new(SystemClock)).is_err());
}
