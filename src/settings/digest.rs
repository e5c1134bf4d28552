//! The hash of the settings: what a saved plan was made under.

use sha2::{Digest, Sha256};

use super::{
    Settings,
    flat::{Value, flatten},
};

/// The hash of every setting but the secrets, of which nothing is told, and `[log]` and `keep_history`, which decide nothing.
#[must_use]
pub fn digest(settings: &Settings) -> String {
    let mut hash = Sha256::new();
    for (key, value) in flatten(settings) {
        let Value::Text(value) = value else { continue };
        if key.starts_with("log.") || key == "state.keep_history" {
            continue;
        }
        for text in [&key, &value] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
