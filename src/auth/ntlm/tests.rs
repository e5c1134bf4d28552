//! Names, refusals, and challenges that make no sense. That a server takes the answers is tried in `tests/log_on`.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use secrecy::SecretString;

use super::{
    PasswordLogOn, Schemes,
    message::{Answerer, Challenge, ChallengeError, first},
    proof::key_of_password,
};
use crate::{
    auth::{AuthError, Authorization},
    clock::SystemClock,
    http::pinned::{LogOn, LogOnError, Peer, Step},
};

fn log_on(user: &str, schemes: Schemes) -> Result<PasswordLogOn, AuthError> {
    PasswordLogOn::new(user, &SecretString::from("hush"), schemes, Arc::new(SystemClock))
}

/// A challenge with these flags and attributes, the latter with their end.
fn challenge(flags: u32, attributes: &[u8]) -> Vec<u8> {
    let mut message = b"NTLMSSP\0\x02\0\0\0\0\0\0\0\x38\0\0\0".to_vec();
    message.extend(flags.to_le_bytes());
    message.extend([1, 2, 3, 4, 5, 6, 7, 8]);
    message.extend([0; 8]);
    let length = u16::try_from(attributes.len()).unwrap().to_le_bytes();
    message.extend([length, length].concat());
    message.extend(56_u32.to_le_bytes());
    message.extend([0; 8]);
    message.extend(attributes);
    message
}

/// One attribute: the name of the domain.
const NAMED: [u8; 10] = [2, 0, 2, 0, b'D', 0, 0, 0, 0, 0];

#[test]
fn a_challenge_that_makes_no_sense_is_refused() {
    let good = challenge(1, &NAMED);
    assert!(Challenge::read(&good).is_ok());
    for length in 0..good.len() - 4 {
        assert!(Challenge::read(&good[..length]).is_err(), "{length}");
    }
    let cases = [
        (challenge(0, &NAMED), ChallengeError::TooOld),
        (challenge(1, &[]), ChallengeError::TooOld),
        (challenge(1, &[0, 0, 0, 0]), ChallengeError::TooOld),
        (challenge(1, &[2, 0, 9, 0, 1]), ChallengeError::CutOff),
        (first(), ChallengeError::NotAChallenge),
        (b"<html>".to_vec(), ChallengeError::NotAChallenge),
    ];
    for (message, expected) in cases {
        assert_eq!(Challenge::read(&message), Err(expected), "{message:?}");
    }
    let mut far = good;
    far[44..48].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(Challenge::read(&far), Err(ChallengeError::CutOff));
}

#[test]
fn the_hash_over_the_messages_is_there_where_the_server_sends_a_time() {
    let timed = [&[7, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8][..], &NAMED].concat();
    for (attributes, signed) in [(timed.as_slice(), true), (&NAMED, false)] {
        let answerer = Answerer {
            user: "ana",
            domain: "",
            key: &key_of_password("ana", "", "hush"),
            service: "HTTP/mail.example.test",
            channel_bindings: [9; 16],
            client: [5; 8],
            now: 1,
        };
        let third = answerer.third(&first(), &challenge(1, attributes)).unwrap();
        assert_eq!(third[72..88] != [0; 16], signed);
        assert_eq!(third[88..112] == [0; 24], signed, "the short response is for servers without a time");
        assert!(third.windows(20).any(|part| part == [&[10, 0, 16, 0][..], &[9; 16]].concat()));
    }
}

#[test]
fn what_basic_cannot_say_ntlm_can() {
    assert!(matches!(log_on("a:b", Schemes::NtlmOrBasic), Err(AuthError::User(_))));
    assert!(log_on("a:b", Schemes::NtlmOnly).is_ok());
}

#[tokio::test]
async fn a_refused_password_is_shown_by_no_scheme() {
    let log_on = log_on("EXAMPLE\\ana", Schemes::NtlmOrBasic).unwrap();
    let offered = |schemes: &[&str]| {
        let schemes: Vec<String> = schemes.iter().map(|scheme| (*scheme).to_owned()).collect();
        log_on.offered(&schemes)
    };
    assert!(matches!(log_on.begin(), Ok(Step::Ask)));
    assert!(matches!(offered(&["Negotiate"]), Err(LogOnError::Impossible(_))));
    assert!(matches!(offered(&["Basic"]), Ok(Step::Header(_))));
    assert!(matches!(offered(&["basic", "ntlm"]), Ok(Step::Handshake(_))));
    assert!(matches!(log_on.begin(), Ok(Step::Handshake(_))));
    assert!(log_on.header().await.is_ok());
    LogOn::refused(&log_on);
    assert!(matches!(log_on.begin(), Err(LogOnError::Refused)));
    let peer = Peer { name: "mail.example.test", certificate: None };
    assert_eq!(log_on.answer(&challenge(1, &NAMED), peer), Err(LogOnError::Refused));
    assert!(log_on.header().await.is_err());
    let printed = format!("{log_on:?}");
    assert!(printed.contains("ana") && !printed.contains("hush") && !printed.contains("aHVza"), "{printed}");
}
