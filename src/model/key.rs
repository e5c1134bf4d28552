//! The stable name of a source event.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use jiff::civil::DateTime;
use sha2::{Digest, Sha256};

/// What a source event is: a schedule (planning) or an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A schedule (Akuiteo: planning): days or half-days of work.
    Schedule,
    /// An appointment: an event with clock times.
    Appointment,
}

impl Kind {
    /// The word used in keys, files and settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Appointment => "appointment",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Schedule, Self::Appointment].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// `<source>/<kind>/<id>`: printable ASCII, under 200 characters, compared byte by byte.
///
/// It is written on each item as the named property `SourceKey`; 200 characters stay clear of the 255 that
/// `FindItem` returns of a string property. Clones share the text.
///
/// One source event may be shown by several items: a part that its item cannot say has the key of the event, `#` and the
/// wall time for which the part stands (`erp/appointment/4711#20261130T090000`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey(Arc<str>);

/// The longest id that is kept as it is.
const ID_LENGTH_MAX: usize = 120;
/// What stands between the key of an event and the time of one of its parts.
const PART_MARK: u8 = b'#';
/// What begins the key of a canary; no source has such a name.
const CANARY: &str = "~test/";
/// How the time of a part is written.
const PART_TIME: &str = "%Y%m%dT%H%M%S";
/// The longest key.
const KEY_LENGTH_MAX: usize = 199;

impl SourceKey {
    /// Builds the key of `id`. Bytes outside printable ASCII, `%` and `#` are percent-encoded; an id that is then over
    /// 120 characters keeps its beginning and ends with `~` and 32 hexadecimal digits of its SHA-256.
    #[must_use]
    pub fn new(source: &str, kind: Kind, id: &str) -> Self {
        let mut encoded = String::with_capacity(id.len());
        for byte in id.bytes() {
            if byte.is_ascii_graphic() && byte != b'%' && byte != PART_MARK {
                encoded.push(char::from(byte));
            } else {
                // Writing into memory does not fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        if encoded.len() > ID_LENGTH_MAX {
            let digest: String =
                Sha256::digest(id.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            encoded.truncate(ID_LENGTH_MAX - 33);
            encoded.push('~');
            encoded.push_str(&digest);
        }
        Self(format!("{source}/{}/{encoded}", kind.as_str()).into())
    }

    /// Reads a key back from a property or the state; `None` when it cannot be one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (source, kind, id) = (parts.next()?, parts.next()?, parts.next()?);
        let well_formed = !source.is_empty()
            && !Self::is_canary(text)
            && !id.is_empty()
            && Kind::parse(kind).is_some()
            && text.len() <= KEY_LENGTH_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        well_formed.then(|| Self(text.into()))
    }

    /// The key of an item that the test of the access writes and removes. [`SourceKey::parse`] takes it for none of ours, so
    /// that no plan ever sees an event in it.
    #[must_use]
    pub fn canary(name: &str) -> Self {
        Self(format!("{CANARY}{}/{name}", Kind::Appointment.as_str()).into())
    }

    /// Whether a property names a canary.
    #[must_use]
    pub fn is_canary(text: &str) -> bool {
        text.starts_with(CANARY)
    }

    /// The key of the part of this event that stands for the wall time `original`.
    #[must_use]
    pub fn part(&self, original: DateTime) -> Self {
        Self(format!("{}#{}", self.0, original.strftime(PART_TIME)).into())
    }

    /// The event that a part belongs to, and the wall time for which the part stands; `None` for an event as a whole.
    #[must_use]
    pub fn whole(&self) -> Option<(Self, DateTime)> {
        let (whole, time) = self.0.rsplit_once('#')?;
        Some((Self(whole.into()), DateTime::strptime(PART_TIME, time).ok()?))
    }

    /// The key of the event as a whole: this one, or that of which this is a part.
    #[must_use]
    pub fn event(&self) -> Self {
        self.whole().map_or_else(|| self.clone(), |(event, _)| event)
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names an event of a kind.
    #[must_use]
    pub fn is_of(&self, kind: Kind) -> bool {
        self.as_str().split('/').nth(1) == Some(kind.as_str())
    }

    /// The name of the source that the key belongs to.
    #[must_use]
    pub fn source(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }
}

impl fmt::Display for SourceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Kind, SourceKey};

    #[test]
    fn parts_name_their_event() {
        for id in ["4711", "uid#20261130T090000", &"x".repeat(500)] {
            let event = SourceKey::new(&"s".repeat(40), Kind::Appointment, id);
            assert_eq!(event.whole(), None);
            let time = "2026-11-30T09:00".parse().unwrap();
            let part = event.part(time);
            assert_eq!(SourceKey::parse(part.as_str()).as_ref(), Some(&part));
            assert_eq!((event.event(), part.event()), (event.clone(), event.clone()));
            assert_eq!(part.whole(), Some((event, time)));
        }
        assert_eq!(SourceKey::parse("erp/schedule/1#x").unwrap().whole(), None);
    }

    #[test]
    fn a_canary_is_no_event() {
        let canary = SourceKey::canary("1");
        assert!(SourceKey::is_canary(canary.as_str()));
        assert_eq!(SourceKey::parse(canary.as_str()), None);
        assert!(!SourceKey::is_canary(SourceKey::new("test", Kind::Appointment, "1").as_str()));
    }

    #[test]
    fn keys_are_ascii_and_short() {
        let long = "x".repeat(500);
        for id in ["4711", "é 🎉", long.as_str(), "a/b", "100%"] {
            let key = SourceKey::new("erp", Kind::Appointment, id);
            assert!(key.as_str().len() < 200 && key.as_str().is_ascii(), "{key}");
            assert_eq!(SourceKey::parse(key.as_str()).as_ref(), Some(&key));
        }
        assert_eq!(SourceKey::new("erp", Kind::Schedule, "a b%").as_str(), "erp/schedule/a%20b%25");
        assert_ne!(
            SourceKey::new("s", Kind::Schedule, &format!("{long}1")),
            SourceKey::new("s", Kind::Schedule, &format!("{long}2"))
        );
        for text in ["", "erp", "erp/schedule", "erp/note/1", "erp/schedule/", "erp/schedule/\u{e9}"] {
            assert_eq!(SourceKey::parse(text), None, "{text:?}");
        }
    }
}
