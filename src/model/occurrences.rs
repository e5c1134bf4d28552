//! What was last written of the occurrences of a series that differ from it, and which of them a write concerns.
//!
//! An occurrence is known by the wall time at which the rule lets it start. The ids that a server gives it change with the
//! pattern and are kept nowhere.

use std::fmt::Write as _;

use jiff::civil::DateTime;

use super::{
    event::DesiredEvent,
    fingerprint::change_hash,
    recurrence::{Exception, ExceptionChange},
};

/// What an occurrence was last written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was removed.
    Cancelled,
    /// As its series and the rule say; to the server it still is an exception, which what the series says later may not reach.
    AsTheRule,
    /// Otherwise: the hash of its times and its content.
    Changed([u8; 6]),
}

impl Written {
    /// What an exception is written as.
    #[must_use]
    pub fn of(change: &ExceptionChange) -> Self {
        match change {
            ExceptionChange::Cancelled => Self::Cancelled,
            ExceptionChange::Changed { .. } => Self::Changed(change_hash(change)),
        }
    }
}

/// What was last written of the occurrences of a series: each that the server holds as an exception, by its original wall
/// time, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenOccurrences(Box<[(DateTime, Written)]>);

impl WrittenOccurrences {
    /// What is written of a series that is laid out anew; `None` for an event that is none.
    #[must_use]
    pub fn of(event: &DesiredEvent) -> Option<Self> {
        let series = event.series.as_ref()?;
        let written = |exception: &Exception| (exception.original, Written::of(&exception.change));
        Some(Self(series.exceptions.iter().map(written).collect()))
    }

    /// From originals in order, each once.
    #[must_use]
    pub fn new(written: Vec<(DateTime, Written)>) -> Self {
        Self(written.into())
    }

    /// The originals and what they were written as, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[(DateTime, Written)] {
        &self.0
    }

    /// Whether the server holds no exception of the series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text that the state keeps: `2026-11-30T09:00:00 0123456789ab,2026-12-07T09:00:00 cancelled`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.0.len() * 33);
        for (original, written) in &self.0 {
            let comma = if text.is_empty() { "" } else { "," };
            // Writing into memory does not fail.
            let _ = write!(text, "{comma}{original} ");
            match written {
                Written::Cancelled => text.push_str("cancelled"),
                Written::AsTheRule => text.push_str("rule"),
                Written::Changed(hash) => hash.iter().for_each(|byte| {
                    let _ = write!(text, "{byte:02x}");
                }),
            }
        }
        text
    }

    /// Reads the text back; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Box::default()));
        }
        let one = |part: &str| {
            let (original, written) = part.split_once(' ')?;
            let written = match written {
                "cancelled" => Written::Cancelled,
                "rule" => Written::AsTheRule,
                digits if digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                    let bytes = u64::from_str_radix(digits, 16).ok()?.to_be_bytes();
                    Written::Changed([bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
                }
                _ => return None,
            };
            Some((original.parse().ok()?, written))
        };
        let written: Vec<(DateTime, Written)> = text.split(',').map(one).collect::<Option<_>>()?;
        written.windows(2).all(|pair| pair[0].0 < pair[1].0).then(|| Self(written.into()))
    }
}

/// Which occurrences of a series an update concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occurrences {
    /// The series is laid out anew: what the server holds of its exceptions goes, and all that differ are written again.
    All,
    /// The same, of a series that the server holds no exception of.
    Fresh,
    /// Those of these originals, in order; the recurrence is not written, and no other occurrence is touched.
    Only(Vec<DateTime>),
}

impl Occurrences {
    /// None of them.
    pub const NONE: Self = Self::Only(Vec::new());

    /// Whether the times and the recurrence of the series are written.
    #[must_use]
    pub const fn lays_out(&self) -> bool {
        match self {
            Self::All | Self::Fresh => true,
            Self::Only(_) => false,
        }
    }

    /// The originals that are written, where not all that differ are.
    #[must_use]
    pub fn only(&self) -> Option<&[DateTime]> {
        match self {
            Self::All | Self::Fresh => None,
            Self::Only(originals) => Some(originals),
        }
    }

    /// Whether there are occurrences to be written apart from their series.
    #[must_use]
    pub fn are_due(&self, event: &DesiredEvent) -> bool {
        let Some(series) = &event.series else { return false };
        self.only().map_or(!series.exceptions.is_empty(), |originals| !originals.is_empty())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Written, WrittenOccurrences};

    #[test]
    fn the_text_is_read_back() {
        let at = |text: &str| text.parse().unwrap();
        let written = WrittenOccurrences::new(vec![
            (at("2026-11-30T09:00"), Written::Changed([0, 1, 0x23, 0x45, 0xab, 0xff])),
            (at("2026-12-07T09:00"), Written::Cancelled),
            (at("2026-12-14T09:00:30"), Written::AsTheRule),
        ]);
        let text = written.to_text();
        assert_eq!(text, "2026-11-30T09:00:00 00012345abff,2026-12-07T09:00:00 cancelled,2026-12-14T09:00:30 rule");
        assert_eq!(WrittenOccurrences::parse(&text), Some(written));
        assert!(WrittenOccurrences::parse("").unwrap().is_empty());
        let repeated = "2026-11-30T09:00:00 rule,2026-11-30T09:00:00 rule";
        for text in ["x", "2026-11-30T09:00:00", "2026-11-30T09:00:00 00", "2026-11-30T09:00:00 +00123456789", repeated]
        {
            assert_eq!(WrittenOccurrences::parse(text), None, "{text}");
        }
    }
}
