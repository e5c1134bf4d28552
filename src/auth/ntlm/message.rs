//! The three messages of NTLM (MS-NLMP §2.2.1) and their attribute pairs (§2.2.2.1). Pure: times and random numbers are given.

use super::proof::{self, Sixteen, keyed, utf16};

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Of no product: the fields of the version are for humans.
const VERSION: [u8; 8] = [10, 0, 0, 0, 0, 0, 0, 15];

const UNICODE: u32 = 0x1;
const REQUEST_TARGET: u32 = 0x4;
const NTLM: u32 = 0x200;
const ALWAYS_SIGN: u32 = 0x8000;
const EXTENDED_SESSION_SECURITY: u32 = 0x8_0000;
const VERSION_GIVEN: u32 = 0x200_0000;
const KEY_128: u32 = 0x2000_0000;
const KEY_56: u32 = 0x8000_0000;
/// Nothing is signed or sealed after the log-on, so no key is exchanged and the session key is that of the proof.
const FLAGS: u32 =
    UNICODE | REQUEST_TARGET | NTLM | ALWAYS_SIGN | EXTENDED_SESSION_SECURITY | VERSION_GIVEN | KEY_128 | KEY_56;

const PAIR_END: u16 = 0;
const PAIR_FLAGS: u16 = 6;
const PAIR_TIME: u16 = 7;
const PAIR_TARGET_NAME: u16 = 9;
const PAIR_CHANNEL_BINDINGS: u16 = 10;
/// The third message carries a hash over all three.
const HAS_MIC: u32 = 2;

/// The third message: where its fields are, and where what they point at begins.
const MIC_AT: usize = 72;
const PAYLOAD_AT: usize = 88;

/// Why a challenge makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChallengeError {
    /// Not a second message.
    #[error("it is not a challenge of NTLM")]
    NotAChallenge,
    /// A field points outside.
    #[error("the challenge is cut off")]
    CutOff,
    /// No attributes, no Unicode: a server that knows NTLMv1 only.
    #[error("the server does not know NTLMv2")]
    TooOld,
}

/// The first message.
pub(super) fn first() -> Vec<u8> {
    let mut message = begin(1);
    message.extend_from_slice(&FLAGS.to_le_bytes());
    // Neither domain nor workstation: the third message names them.
    message.extend_from_slice(&[0; 16]);
    message.extend_from_slice(&VERSION);
    message
}

fn begin(kind: u32) -> Vec<u8> {
    [&SIGNATURE[..], &kind.to_le_bytes()].concat()
}

/// What the second message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    flags: u32,
    server: [u8; 8],
    /// The attributes, in their order and without their end.
    pairs: Vec<(u16, Vec<u8>)>,
}

impl Challenge {
    /// Reads a second message.
    pub(super) fn read(message: &[u8]) -> Result<Self, ChallengeError> {
        if !message.starts_with(&begin(2)) {
            return Err(ChallengeError::NotAChallenge);
        }
        let flags = u32::from_le_bytes(array(message, 20)?);
        let server = array(message, 24)?;
        let length = usize::from(u16::from_le_bytes(array(message, 40)?));
        let offset = usize::try_from(u32::from_le_bytes(array(message, 44)?)).map_err(|_| ChallengeError::CutOff)?;
        let end = offset.checked_add(length).ok_or(ChallengeError::CutOff)?;
        let pairs = read_pairs(message.get(offset..end).ok_or(ChallengeError::CutOff)?)?;
        if flags & UNICODE == 0 || pairs.is_empty() {
            return Err(ChallengeError::TooOld);
        }
        Ok(Self { flags, server, pairs })
    }

    /// The time of the server, a FILETIME.
    fn time(&self) -> Option<u64> {
        let (_, value) = self.pairs.iter().find(|(id, _)| *id == PAIR_TIME)?;
        value.as_slice().try_into().ok().map(u64::from_le_bytes)
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], ChallengeError> {
    bytes.get(at..at + N).and_then(|found| found.try_into().ok()).ok_or(ChallengeError::CutOff)
}

fn read_pairs(mut bytes: &[u8]) -> Result<Vec<(u16, Vec<u8>)>, ChallengeError> {
    let mut pairs = Vec::new();
    while !bytes.is_empty() {
        let id = u16::from_le_bytes(array(bytes, 0)?);
        if id == PAIR_END {
            break;
        }
        let length = usize::from(u16::from_le_bytes(array(bytes, 2)?));
        let value = bytes.get(4..4 + length).ok_or(ChallengeError::CutOff)?;
        pairs.push((id, value.to_vec()));
        bytes = &bytes[4 + length..];
    }
    Ok(pairs)
}

/// Who logs on, and to what.
pub(super) struct Answerer<'a> {
    pub(super) user: &'a str,
    pub(super) domain: &'a str,
    /// `NTOWFv2` of the password.
    pub(super) key: &'a Sixteen,
    /// The service, `HTTP/mail.example.org`.
    pub(super) service: &'a str,
    /// The hash that ties the log-on to the TLS connection; zero without TLS.
    pub(super) channel_bindings: Sixteen,
    /// Eight random bytes.
    pub(super) client: [u8; 8],
    /// The present time, a FILETIME, for servers that send none.
    pub(super) now: u64,
}

impl Answerer<'_> {
    /// The third message, in answer to `second`.
    pub(super) fn third(&self, first: &[u8], second: &[u8]) -> Result<Vec<u8>, ChallengeError> {
        let challenge = Challenge::read(second)?;
        let time = challenge.time();
        let target = self.target(&challenge);
        let proof = proof::prove(self.key, challenge.server, self.client, time.unwrap_or(self.now), &target);
        let short = match time {
            // A server that sends a time looks at the long response alone.
            Some(_) => vec![0; 24],
            None => proof::short_response(self.key, challenge.server, self.client),
        };
        let mut message = begin(3);
        let mut payload = Vec::new();
        let (domain, user) = (utf16(self.domain), utf16(self.user));
        // Responses, domain, user, workstation, session key.
        for field in [&short, &proof.response, &domain, &user, &Vec::new(), &Vec::new()] {
            // No field is longer: a challenge holds 64 KiB at the most, a name is a line.
            let length = u16::try_from(field.len()).map_err(|_| ChallengeError::CutOff)?;
            let offset = u32::try_from(PAYLOAD_AT + payload.len()).map_err(|_| ChallengeError::CutOff)?;
            message.extend_from_slice(&length.to_le_bytes());
            message.extend_from_slice(&length.to_le_bytes());
            message.extend_from_slice(&offset.to_le_bytes());
            payload.extend_from_slice(field);
        }
        message.extend_from_slice(&(FLAGS & challenge.flags).to_le_bytes());
        message.extend_from_slice(&VERSION);
        message.extend_from_slice(&[0; 16]);
        message.extend_from_slice(&payload);
        if time.is_some() {
            let mic = keyed(&*proof.session_key, &[first, second, &message]);
            message[MIC_AT..PAYLOAD_AT].copy_from_slice(&mic);
        }
        Ok(message)
    }

    /// The attributes of the challenge with ours.
    fn target(&self, challenge: &Challenge) -> Vec<u8> {
        let ours = [PAIR_FLAGS, PAIR_TARGET_NAME, PAIR_CHANNEL_BINDINGS];
        let mut flags = 0;
        let mut target = Vec::new();
        for (id, value) in &challenge.pairs {
            if *id == PAIR_FLAGS {
                flags = value.as_slice().try_into().map_or(0, u32::from_le_bytes);
            }
            if !ours.contains(id) {
                pair(&mut target, *id, value);
            }
        }
        if challenge.time().is_some() {
            flags |= HAS_MIC;
        }
        if flags != 0 {
            pair(&mut target, PAIR_FLAGS, &flags.to_le_bytes());
        }
        pair(&mut target, PAIR_CHANNEL_BINDINGS, &self.channel_bindings);
        pair(&mut target, PAIR_TARGET_NAME, &utf16(self.service));
        pair(&mut target, PAIR_END, &[]);
        target
    }
}

fn pair(target: &mut Vec<u8>, id: u16, value: &[u8]) {
    // Names of hosts and hashes are short; what came from a challenge has a length of 16 bits.
    let length = u16::try_from(value.len()).unwrap_or_default();
    target.extend_from_slice(&id.to_le_bytes());
    target.extend_from_slice(&length.to_le_bytes());
    target.extend_from_slice(&value[..usize::from(length)]);
}
