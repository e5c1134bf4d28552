//! Ids and change keys: opaque, case-sensitive, reproducible.
//!
//! An id is 25 bytes in base64. The last byte is 0x01 for an even number and 0x69 for an odd one, which base64 writes as
//! `AQ==` and `aQ==`: two neighbours differ in the case of one letter alone, as Exchange ids may.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::civil::Date;

use super::error::StoreError;

const ID_MARK: [u8; 3] = [0x00, 0x03, 0x24];
const KEY_MARK: [u8; 8] = [0x0f, 0, 0, 0, 0x16, 0, 0, 0];
const TAIL_EVEN: u8 = 0x01;
const TAIL_ODD: u8 = 0x69;

/// How many bits of an id's mailbox are its number in the store; the others count its moves.
const NUMBER_BITS: u32 = 20;
/// The most moves of one mailbox that ids can tell apart.
pub(super) const MOVES_MAX: u32 = u32::MAX >> NUMBER_BITS;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// A folder.
    Folder,
    /// An item, under the id that changes when the item moves to another folder.
    Item,
    /// An item, under its immutable id.
    Immutable,
}

impl IdKind {
    const fn code(self) -> u8 {
        match self {
            Self::Folder => 0x2e,
            Self::Item => 0x46,
            Self::Immutable => 0x49,
        }
    }

    const fn of(code: u8) -> Option<Self> {
        match code {
            0x2e => Some(Self::Folder),
            0x46 => Some(Self::Item),
            0x49 => Some(Self::Immutable),
            _ => None,
        }
    }
}

/// A mailbox at one of its places: after each move it is another to all ids and change keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Home {
    /// The mailbox's number in the store.
    pub(super) mailbox: u32,
    /// How often it has moved.
    pub(super) moves: u32,
}

impl Home {
    const fn word(self) -> u32 {
        self.moves << NUMBER_BITS | self.mailbox
    }

    const fn of(word: u32) -> Self {
        Self { mailbox: word & (u32::MAX >> (u32::BITS - NUMBER_BITS)), moves: word >> NUMBER_BITS }
    }
}

/// An id in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) kind: IdKind,
    pub(super) home: Home,
    pub(super) number: u32,
    /// The pattern date of an occurrence.
    pub(super) date: Option<Date>,
}

impl Identity {
    pub(super) fn render(self, seed: u64) -> String {
        let mut bytes = Vec::with_capacity(25);
        bytes.extend(ID_MARK);
        bytes.push(self.kind.code());
        let half = self.number / 2;
        let home = self.home.word();
        bytes.extend(mix(seed ^ u64::from(self.kind.code()) << 56, home, half).to_be_bytes());
        bytes.extend(home.to_be_bytes());
        bytes.extend(half.to_be_bytes());
        bytes.extend(packed(self.date).to_be_bytes());
        bytes.push(if self.number.is_multiple_of(2) { TAIL_EVEN } else { TAIL_ODD });
        STANDARD.encode(bytes)
    }

    pub(super) fn parse(text: &str, seed: u64) -> Result<Self, StoreError> {
        let bytes: [u8; 25] =
            STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(StoreError::MalformedId)?;
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let identity = Self {
            kind: IdKind::of(bytes[3]).ok_or(StoreError::MalformedId)?,
            home: Home::of(word(12)),
            number: word(16).wrapping_mul(2).wrapping_add(u32::from(bytes[24] == TAIL_ODD)),
            date: unpacked(word(20))?,
        };
        if identity.render(seed) == text { Ok(identity) } else { Err(StoreError::MalformedId) }
    }
}

/// The change key of a mailbox's `tick`th change.
pub(super) fn change_key(seed: u64, home: Home, tick: u32) -> String {
    let mut bytes = Vec::with_capacity(20);
    bytes.extend(KEY_MARK);
    bytes.extend(mix(seed, home.word(), tick).to_be_bytes());
    bytes.extend(tick.to_be_bytes());
    STANDARD.encode(bytes)
}

/// Whether a text can be a change key of this store.
pub(super) fn is_change_key(text: &str) -> bool {
    STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == 20 && bytes.starts_with(&KEY_MARK))
}

/// A sync state in parts: which folder, and how far its holder has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SyncState {
    pub(super) epoch: u32,
    pub(super) folder: u32,
    pub(super) mailbox: u32,
    /// The tick at which the holder had last read everything: what came into the folder since is new to him.
    pub(super) base: u32,
    /// The tick up to which he has read.
    pub(super) tick: u32,
}

impl SyncState {
    pub(super) fn render(self, seed: u64) -> String {
        let mut bytes = Vec::with_capacity(28);
        for word in [self.epoch, self.folder, self.mailbox, self.base, self.tick] {
            bytes.extend(word.to_be_bytes());
        }
        let salt = seed ^ u64::from(self.epoch) ^ u64::from(self.base) << 32;
        bytes.extend(mix(salt, self.folder ^ self.mailbox.rotate_left(16), self.tick).to_be_bytes());
        STANDARD.encode(bytes)
    }

    pub(super) fn parse(text: &str, seed: u64) -> Result<Self, StoreError> {
        let bytes: [u8; 28] =
            STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(StoreError::InvalidSyncState)?;
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let state = Self { epoch: word(0), folder: word(4), mailbox: word(8), base: word(12), tick: word(16) };
        if state.render(seed) == text { Ok(state) } else { Err(StoreError::InvalidSyncState) }
    }
}

/// Scatters the bits, so that ids look as irregular as they do in Exchange (splitmix64).
fn mix(seed: u64, high: u32, low: u32) -> u64 {
    let mut value = seed ^ (u64::from(high) << 32 | u64::from(low)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn packed(date: Option<Date>) -> u32 {
    date.map_or(0, |date| {
        let part = |value: i64| u32::try_from(value).unwrap_or(0);
        part(i64::from(date.year())) << 16 | part(i64::from(date.month())) << 8 | part(i64::from(date.day()))
    })
}

fn unpacked(word: u32) -> Result<Option<Date>, StoreError> {
    if word == 0 {
        return Ok(None);
    }
    let [_, _, month, day] = word.to_be_bytes();
    let year = i16::try_from(word >> 16).map_err(|_| StoreError::MalformedId)?;
    let small = |value: u8| i8::try_from(value).map_err(|_| StoreError::MalformedId);
    Date::new(year, small(month)?, small(day)?).map(Some).map_err(|_| StoreError::MalformedId)
}
