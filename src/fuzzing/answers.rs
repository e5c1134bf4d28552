//! Answers of a server to each call of a gateway.

use std::{collections::VecDeque, sync::Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;

use super::stage::{Script, Stopped, calendar, events, mailbox, now};
use crate::{
    auth::{TokenMemory, authorization},
    gateway::{Gateway, Write},
    http::Response,
    model::{fingerprint::Field, link::ItemRef, occurrences::Occurrences},
    settings::{Credential, Proof, ProofKind},
};

/// Makes the call that the input names, with the answers that it holds.
pub(super) fn answer(gateway: &dyn Fn(Script) -> Box<dyn Gateway>, input: &[u8]) {
    let mut parts = input.split(|byte| *byte == 0);
    let call = parts.next().unwrap_or_default().trim_ascii();
    let answers: VecDeque<Response> = parts.map(response).collect();
    let script = Script(Mutex::new(answers));
    if call == b"token" {
        return token(script);
    }
    let gateway = gateway(script);
    let calendar = calendar();
    match call {
        b"open" => drop(now(gateway.open(&mailbox()))),
        b"read" => drop(now(gateway.read(&calendar, None))),
        b"changes" => drop(now(gateway.read(&calendar, Some("H4sI+/=")))),
        b"probe" => {
            let keys: Vec<_> = events().iter().map(|event| event.key.clone()).collect();
            if let Ok(found) = now(gateway.probe(&calendar, &keys)) {
                let wanted = |key: &str| keys.iter().any(|own| own.as_str() == key);
                assert!(found.iter().all(|item| wanted(&item.key)), "an item that was not asked for");
            }
        }
        _ => {
            let writes = writes();
            assert_eq!(now(gateway.apply(&calendar, &writes)).len(), writes.len());
        }
    }
}

/// Each event created, changed as a whole, and deleted.
fn writes() -> Vec<Write> {
    let item = |id: &str| ItemRef { id: id.to_owned(), change_key: "DwA1".to_owned() };
    let created = events().iter().map(|event| Write::Create { event: event.clone(), generation: 1 });
    let updated = events().iter().zip(["AAMk1=", "AAMk2=", "AAMk3="]).map(|(event, id)| Write::Update {
        item: item(id),
        event: event.clone(),
        generation: 2,
        fields: Field::ALL.to_vec(),
        occurrences: Occurrences::All,
    });
    let deleted = events().iter().take(1).map(|event| Write::Delete { key: event.key.clone(), item: item("AAMk4=") });
    created.chain(updated).chain(deleted).collect()
}

/// A status and headers, an empty line, the body; all of it is the body when there is no empty line.
fn response(part: &[u8]) -> Response {
    let end = part.windows(2).position(|pair| pair == b"\n\n").filter(|end| *end < 1024);
    let (head, body) = end.map_or((&[][..], part), |end| (&part[..end], &part[end + 2..]));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or(200);
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = HeaderName::try_from(name.trim());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.trim())) {
            headers.insert(name, value);
        }
    }
    Response { status, headers, body: Bytes::copy_from_slice(body) }
}

/// Asks for a token.
fn token(script: Script) {
    let secret = ProofKind::Secret(SecretString::from("secret"));
    let credential = Credential::Application {
        token_url: "https://login.example.test/token".to_owned(),
        client_id: "app".to_owned(),
        scope: "https://graph.microsoft.com/.default".to_owned(),
        proofs: vec![Proof { key: "client_secret", kind: secret, ends: None }],
    };
    let (script, clock) = (std::sync::Arc::new(script), std::sync::Arc::new(Stopped));
    let own = authorization(&credential, script, clock, &TokenMemory::default()).unwrap();
    drop(own.header().now_or_never());
}
