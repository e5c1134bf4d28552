//! What happened: a hash of all of it, and the last lines in words.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
};

const LINES_MAX: usize = 60;

#[derive(Default)]
pub(crate) struct Trace {
    hash: DefaultHasher,
    lines: VecDeque<String>,
    steps: u64,
    /// Prints each line as it comes.
    pub(crate) aloud: bool,
}

impl Trace {
    pub(crate) fn line(&mut self, line: String) {
        line.hash(&mut self.hash);
        self.steps += 1;
        if self.aloud {
            println!("{:5} {line}", self.steps);
        }
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(format!("{:5} {line}", self.steps));
    }

    /// Bytes that count and are too long to be shown. Random ids are left out.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        without_ids(bytes).hash(&mut self.hash);
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.finish()
    }

    pub(crate) fn tail(&self) -> String {
        self.lines.iter().cloned().collect::<Vec<_>>().join("\n")
    }
}

/// The bytes without what looks like a UUID.
fn without_ids(bytes: &[u8]) -> Vec<u8> {
    const FORM: &[u8] = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    let is_id = |at: usize| {
        bytes.get(at..at + FORM.len()).is_some_and(|part| {
            part.iter()
                .zip(FORM)
                .all(|(byte, form)| if *form == b'-' { *byte == b'-' } else { byte.is_ascii_hexdigit() })
        })
    };
    let mut left = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        // The dash at the ninth place is looked at first: few have it.
        if bytes.get(at + 8) == Some(&b'-') && is_id(at) {
            at += FORM.len();
        } else {
            left.push(bytes[at]);
            at += 1;
        }
    }
    left
}
