//! Nothing that a program says, keeps or records holds a secret.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    World,
    world::{SECRET, WRONG},
};

/// Something that the program said.
#[derive(Debug)]
pub(crate) enum Said {
    /// What a command printed.
    Text(String),
    /// The log of a daemon.
    Log(Arc<Mutex<Vec<Value>>>),
}

/// Every form in which a secret could be told.
fn secrets() -> Vec<String> {
    let of = |secret: &str| {
        let encoded = secret.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let json = secret.replace('/', "\\/");
        [secret.to_owned(), encoded, json, STANDARD.encode(format!("service:{secret}")), STANDARD.encode(secret)]
    };
    [SECRET, WRONG].into_iter().flat_map(of).collect()
}

/// The first secret that a text tells: a password, a client secret, or a token of the sandbox.
fn told(text: &str) -> Option<String> {
    let token = text.match_indices("sandbox-").find(|(at, _)| {
        let after = text.as_bytes().get(at + "sandbox-".len()..).unwrap_or_default();
        after.iter().take(32).filter(|byte| byte.is_ascii_hexdigit()).count() == 32
    });
    let token = token.map(|(at, _)| text[at..].chars().take(20).collect());
    secrets().into_iter().find(|secret| text.contains(secret)).or(token)
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

    /// Searches everything that was said, every file of the world but the secret itself, and the recording.
    #[track_caller]
    pub(super) fn assert_silent(&self) {
        for said in self.said.lock().unwrap().iter() {
            let text = match said {
                Said::Text(text) => text.clone(),
                Said::Log(log) => log.lock().unwrap().iter().map(|line| format!("{line}\n")).collect(),
            };
            if let Some(secret) = told(&text) {
                panic!("the program told {secret}:\n{text}");
            }
        }
        let mut paths = vec![self.recording().to_owned()];
        files(self.path(), &mut paths);
        for path in paths.iter().filter(|path| **path != self.path().join("secret")) {
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
        "e30.e30.sandbox-0123456789abcdef0123456789abcdef-0123456789abcdef0123456789abcdef",
    ] {
        assert!(told(text).is_some(), "{text}");
    }
    assert_eq!(told("the client secret of the sandbox-account was refused"), None);
}
