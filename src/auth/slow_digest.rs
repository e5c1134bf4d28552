//! A slow, salted digest of a secret: tells whether two secrets are the same, and is of little use to whoever finds it.
//!
//! PBKDF2 with HMAC-SHA-256 (RFC 8018 §5.2), one block: `pbkdf2-sha256$<rounds>$<salt>$<digest>`, both in hexadecimal digits.

use sha2::{Digest, Sha256};
use uuid::Uuid;

const NAME: &str = "pbkdf2-sha256";
const BLOCK_BYTES: usize = 64;
/// OWASP's number for this function; a build for tests is slow enough with fewer.
const ROUNDS: u32 = if cfg!(debug_assertions) { 2_000 } else { 600_000 };

/// The digest of `secret` with a new salt.
pub(super) fn digest(secret: &[u8]) -> String {
    let salt = Uuid::new_v4();
    let digest = pbkdf2(secret, salt.as_bytes(), ROUNDS);
    format!("{NAME}${ROUNDS}${}${}", hex(salt.as_bytes()), hex(&digest))
}

/// Whether `digest` is one of `secret`.
pub(super) fn is_of(digest: &str, secret: &[u8]) -> bool {
    let mut parts = digest.split('$');
    let (Some(NAME), Some(rounds), Some(salt), Some(expected), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Ok(rounds), Some(salt)) = (rounds.parse::<u32>(), bytes(salt)) else { return false };
    rounds <= 10_000_000 && hex(&pbkdf2(secret, &salt, rounds)) == expected
}

fn pbkdf2(secret: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    let keyed = Keyed::new(secret);
    let mut salted = salt.to_vec();
    salted.extend(1_u32.to_be_bytes());
    let mut last = keyed.sign(&salted);
    let mut digest = last;
    for _ in 1..rounds {
        last = keyed.sign(&last);
        digest.iter_mut().zip(last).for_each(|(byte, next)| *byte ^= next);
    }
    digest
}

/// HMAC (RFC 2104) with a key.
struct Keyed {
    inner: Sha256,
    outer: Sha256,
}

impl Keyed {
    fn new(key: &[u8]) -> Self {
        let mut block = [0_u8; BLOCK_BYTES];
        if key.len() > BLOCK_BYTES {
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let start = |pad: u8| Sha256::new_with_prefix(block.map(|byte| byte ^ pad));
        Self { inner: start(0x36), outer: start(0x5c) }
    }

    fn sign(&self, message: &[u8]) -> [u8; 32] {
        let inner = self.inner.clone().chain_update(message).finalize();
        self.outer.clone().chain_update(inner).finalize().into()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{digest, hex, is_of, pbkdf2};

    /// RFC 7914 §11 and RFC 4231 keys of more than a block.
    #[test]
    fn the_function_is_the_one_of_the_standard() {
        let digest = hex(&pbkdf2(b"passwd", b"salt", 1));
        assert_eq!(digest, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
        let digest = hex(&pbkdf2(b"Password", b"NaCl", 80_000));
        assert_eq!(digest, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
    }

    #[test]
    fn the_same_secret_is_known_again_and_no_other() {
        let (one, two) = (digest(b"word"), digest(b"word"));
        assert_ne!(one, two, "each has a salt of its own");
        assert!(is_of(&one, b"word") && is_of(&two, b"word"));
        let long = digest(&[b'a'; 100]);
        assert!(is_of(&long, &[b'a'; 100]) && !is_of(&long, &[b'a'; 99]));
        for (digest, secret) in
            [(one.as_str(), "Word"), ("", "word"), ("pbkdf2-sha256$x$00$00", "word"), ("a$1$00$00", "")]
        {
            assert!(!is_of(digest, secret.as_bytes()), "{digest}");
        }
    }
}
