//! The accepting side of NTLMv2 (MS-NLMP §3.2.5): challenge, response, the hash over the messages, and Extended Protection.
//!
//! A log-on holds for its connection, as IIS has it. Nothing here is shared with the client of the daemon.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use md4::{Digest, Md4};
use md5::Md5;

use super::{
    identity::{Denied, Identity},
    settings::{AccountSettings, ExtendedProtection},
    wire::Wire,
};

/// How far the log-on of a connection has come.
#[derive(Debug, Default)]
pub(super) enum Progress {
    /// Nobody.
    #[default]
    Nobody,
    /// The client has its challenge.
    Challenged {
        /// The client's first message.
        first: Vec<u8>,
        /// Our answer.
        second: Vec<u8>,
    },
    /// Logged on.
    Known(Box<AccountSettings>),
}

/// What a request comes to.
#[derive(Debug)]
pub(super) enum Step {
    /// A challenge for the client, in base64.
    Challenge(String),
    /// Who it is.
    Known(AccountSettings),
    /// Nobody.
    Denied(Denied),
}

/// What the server is.
const DOMAIN: &str = "EXAMPLE";
const COMPUTER: &str = "SANDBOX";
const DNS_DOMAIN: &str = "example.test";
const DNS_COMPUTER: &str = "sandbox.example.test";
/// Unicode, target name asked for, NTLM, always sign, target is a domain, extended session security, target info, version, 128, 56.
const CHALLENGE_FLAGS: u32 = 0xa289_8205;
const TICKS_1601_TO_1970: i64 = 116_444_736_000_000_000;

/// Looks at the `Authorization` of a request; `None` when it is nothing of NTLM and the connection is nobody's.
pub(super) fn step(
    identity: &Identity,
    protection: ExtendedProtection,
    wire: &Wire,
    authorization: Option<&str>,
    now: Timestamp,
) -> Option<Step> {
    let mut progress = wire.log_on.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(header) = authorization else {
        return match &*progress {
            Progress::Known(account) => Some(Step::Known((**account).clone())),
            Progress::Nobody | Progress::Challenged { .. } => None,
        };
    };
    let (scheme, token) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("ntlm") {
        return None;
    }
    let before = std::mem::take(&mut *progress);
    let message = STANDARD.decode(token.trim()).unwrap_or_default();
    let kind = message.strip_prefix(b"NTLMSSP\0").and_then(|rest| rest.first());
    Some(match (kind, before) {
        (Some(1), _) => {
            let second = challenge(now);
            let token = STANDARD.encode(&second);
            *progress = Progress::Challenged { first: message, second };
            Step::Challenge(token)
        }
        (Some(3), Progress::Challenged { first, second }) => {
            let attempt = Attempt { first: &first, second: &second, third: &message };
            match attempt.judge(identity, protection, wire.channel_bindings) {
                Ok(account) => {
                    *progress = Progress::Known(Box::new(account.clone()));
                    Step::Known(account)
                }
                Err(denied) => Step::Denied(denied),
            }
        }
        // Out of order, or on another connection than the challenge.
        _ => Step::Denied(Denied::OutOfOrder),
    })
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// A second message, with 8 random bytes.
fn challenge(now: Timestamp) -> Vec<u8> {
    let name = wide(DOMAIN);
    let mut info = Vec::new();
    let ticks = now.as_microsecond() * 10 + TICKS_1601_TO_1970;
    let values = [(2_u8, wide(DOMAIN)), (1, wide(COMPUTER)), (4, wide(DNS_DOMAIN)), (3, wide(DNS_COMPUTER))];
    for (id, value) in values.into_iter().chain([(7, ticks.to_le_bytes().to_vec()), (0, Vec::new())]) {
        info.extend([id, 0, u8::try_from(value.len()).unwrap_or_default(), 0]);
        info.extend(value);
    }
    let mut message = b"NTLMSSP\0\x02\0\0\0".to_vec();
    let field = |message: &mut Vec<u8>, length: usize, offset: usize| {
        let length = u16::try_from(length).unwrap_or_default().to_le_bytes();
        message.extend([length, length].concat());
        message.extend(u32::try_from(offset).unwrap_or_default().to_le_bytes());
    };
    field(&mut message, name.len(), 56);
    message.extend(CHALLENGE_FLAGS.to_le_bytes());
    message.extend(&uuid::Uuid::new_v4().as_bytes()[8..]);
    message.extend([0; 8]);
    field(&mut message, info.len(), 56 + name.len());
    message.extend([10, 0, 0x7c, 0x4f, 0, 0, 0, 15]);
    message.extend(name);
    message.extend(info);
    message
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(key) else { return [0; 16] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The three messages of a log-on.
struct Attempt<'a> {
    first: &'a [u8],
    second: &'a [u8],
    third: &'a [u8],
}

impl Attempt<'_> {
    /// What a field of the third message points at.
    fn field(&self, at: usize) -> Option<&[u8]> {
        let number = |from: usize, count: usize| {
            let digits = self.third.get(from..from + count)?;
            Some(digits.iter().rev().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit)))
        };
        let (length, offset) = (number(at, 2)?, number(at + 4, 4)?);
        self.third.get(offset..offset + length)
    }

    fn text(&self, at: usize) -> Option<String> {
        let units = self.field(at)?.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        char::decode_utf16(units).collect::<Result<String, _>>().ok()
    }

    fn judge(
        &self,
        identity: &Identity,
        protection: ExtendedProtection,
        bindings: Option<[u8; 16]>,
    ) -> Result<AccountSettings, Denied> {
        let unreadable = || Denied::OutOfOrder;
        let (domain, user) = (self.text(28).ok_or_else(unreadable)?, self.text(36).ok_or_else(unreadable)?);
        let response = self.field(20).ok_or_else(unreadable)?;
        // 16 bytes of proof, 28 bytes of head, and the attributes.
        let (proof, blob) =
            response.split_at_checked(16).filter(|(_, blob)| blob.len() >= 28).ok_or_else(unreadable)?;
        let mut session_key = [0; 16];
        let names = [format!("{domain}\\{user}"), user.clone()];
        let account = identity.log_on_by(&names, |password| {
            let hash = Md4::digest(wide(password));
            let key = hmac(&hash, &[&wide(&user.to_uppercase()), &wide(&domain)]);
            session_key = hmac(&key, &[proof]);
            hmac(&key, &[&self.second[24..32], blob]) == proof
        })?;
        let attributes = attributes(&blob[28..]);
        let attribute = |id: u16| attributes.iter().find(|(found, _)| *found == id).map(|(_, value)| *value);
        // We send a time, so a client of today signs the messages.
        if attribute(6).and_then(|flags| flags.first()).is_none_or(|flags| flags & 2 == 0) {
            return Err(Denied::Unsigned { user });
        }
        let (head, rest) = self.third.split_at_checked(72).ok_or_else(unreadable)?;
        let (mic, payload) = rest.split_at_checked(16).ok_or_else(unreadable)?;
        if hmac(&session_key, &[self.first, self.second, head, &[0; 16], payload]) != mic {
            return Err(Denied::Unsigned { user });
        }
        let shown = attribute(10).filter(|value| value.iter().any(|byte| *byte != 0));
        let bound = match (protection, shown, bindings) {
            (ExtendedProtection::None, _, _) | (ExtendedProtection::Allow, None, _) => true,
            (_, Some(shown), Some(bindings)) => shown == bindings,
            (_, Some(_), None) | (ExtendedProtection::Require, None, _) => false,
        };
        if bound { Ok(account) } else { Err(Denied::Unbound { user }) }
    }
}

/// The attributes of a response, up to their end.
fn attributes(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while let [a, b, c, d, rest @ ..] = bytes {
        let (id, length) = (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])));
        if id == 0 || rest.len() < length {
            break;
        }
        found.push((id, &rest[..length]));
        bytes = &rest[length..];
    }
    found
}
