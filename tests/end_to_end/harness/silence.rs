//! Nothing that a program says, keeps or records holds a secret.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    World,
    wait::within_deadline,
    world::{SECRET, WRONG, WRONG_TOO},
};

/// Something that the program said.
#[derive(Debug)]
pub(crate) enum Said {
    /// What a command printed.
    Text(String),
    /// The lines of a daemon, and who reads them.
    Log(Arc<Mutex<Vec<Value>>>, JoinHandle<()>),
}

/// Every form in which a secret could be told.
fn secrets() -> Vec<String> {
    let of = |secret: &str| {
        let encoded = secret.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let json = secret.replace('/', "\\/");
        [secret.to_owned(), encoded, json, STANDARD.encode(format!("service:{secret}")), STANDARD.encode(secret)]
    };
    [SECRET, WRONG, WRONG_TOO].into_iter().flat_map(of).collect()
}

/// The first secret that a text tells: a password, a client secret, a key, a token, or what proves a password (the third message of
/// NTLM, from which it can be guessed).
fn told(text: &str) -> Option<String> {
    let marks = [("PRIVATE KEY", "a private key"), ("TlRMTVNTUAAD", "the third message of NTLM")];
    let marked = marks.iter().find(|(mark, _)| text.contains(mark)).map(|(_, what)| (*what).to_owned());
    secrets().into_iter().find(|secret| text.contains(secret)).or_else(|| token(text)).or(marked)
}

/// The beginning of a token (RFC 7519): three parts, the first one of JSON.
fn token(text: &str) -> Option<String> {
    let is_of_token = |character: &char| character.is_ascii_alphanumeric() || "-_.".contains(*character);
    text.match_indices("eyJ").find_map(|(at, _)| {
        let run: String = text[at..].chars().take_while(is_of_token).collect();
        let parts: Vec<&str> = run.split('.').collect();
        let is_token = parts.len() >= 3 && parts.iter().take(3).all(|part| part.len() >= 10);
        is_token.then(|| run.chars().take(20).collect())
    })
}

/// Whether a test put a secret there.
fn is_given(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    ["secret", "client_secret", "next", "token"].iter().any(|given| name == *given)
        || path.extension().is_some_and(|end| end == "pem")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

impl World {
    /// Keeps what was said for the search.
    pub(crate) fn heard(&self, said: Said) {
        self.said.lock().unwrap().push(said);
    }

    /// Searches everything that was said, every file of the world but those that hold what was given, and the recording.
    #[track_caller]
    pub(super) fn assert_silent(&self) {
        for said in self.said.lock().unwrap().iter() {
            let text = match said {
                Said::Text(text) => text.clone(),
                Said::Log(log, reader) => {
                    // It reads until the daemon has ended.
                    within_deadline(|| reader.is_finished().then_some(())).expect("the end of a log");
                    log.lock().unwrap().iter().map(|line| format!("{line}\n")).collect()
                }
            };
            if let Some(secret) = told(&text) {
                panic!("the program told {secret}:\n{text}");
            }
        }
        let mut paths = vec![self.recording().to_owned()];
        files(self.path(), &mut paths);
        for path in paths.iter().filter(|path| !is_given(path)) {
            // A file that went in the meantime tells nothing.
            let Ok(content) = fs::read(path) else { continue };
            if let Some(secret) = told(&String::from_utf8_lossy(&content)) {
                panic!("{} holds {secret}", path.display());
            }
        }
    }
}

#[test]
fn secrets_are_found_in_every_form() {
    for text in [
        "a password R1ght-hush+4711/= in a line",
        "client_secret=Wr0ng-hush%2B4711%2F%3D&scope=x",
        "Basic c2VydmljZTpSMWdodC1odXNoKzQ3MTEvPQ==",
        "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJlLW9mLWl0",
        "-----BEGIN PRIVATE KEY-----",
        "NTLM TlRMTVNTUAADAAAAGAAYAFgAAAA=",
    ] {
        assert!(told(text).is_some(), "{text}");
    }
    assert_eq!(told("the client secret of the account eyJhbGciOi was refused"), None);
}
