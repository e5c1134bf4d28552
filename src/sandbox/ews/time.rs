//! Dates and times as the schema writes them.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::{Offset, TimeZone},
};

use super::{element::Element, fault::Fault};
use crate::sandbox::store::Zone;

/// An `xs:dateTime`: an instant, or a wall time that says no zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    Instant(Timestamp),
    Wall(DateTime),
}

impl Time {
    /// Reads a text of the form `2026-03-02T09:00:00`, with an optional fraction, and an optional `Z` or offset.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (wall, rest) = (text.get(..19)?, text.get(19..)?);
        let shape = b"0000-00-00T00:00:00";
        let fits = wall.bytes().zip(shape).all(|(byte, model)| match model {
            b'0' => byte.is_ascii_digit(),
            other => byte == *other,
        });
        if !fits {
            return None;
        }
        let wall: DateTime = wall.parse().ok()?;
        let rest = match rest.strip_prefix('.') {
            Some(fraction) => {
                let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
                if digits == 0 {
                    return None;
                }
                fraction.get(digits..)?
            }
            None => rest,
        };
        match rest {
            "" => Some(Self::Wall(wall)),
            "Z" => TimeZone::UTC.to_timestamp(wall).ok().map(Self::Instant),
            offset => TimeZone::fixed(parse_offset(offset)?).to_timestamp(wall).ok().map(Self::Instant),
        }
    }

    /// Reads an element.
    pub(super) fn read(element: &Element) -> Result<Self, Fault> {
        Self::parse(element.value()?).ok_or_else(|| element.invalid("http://www.w3.org/2001/XMLSchema:dateTime"))
    }

    /// The instant, with a zone for a wall time.
    pub(super) fn instant(self, zone: &Zone) -> Option<Timestamp> {
        match self {
            Self::Instant(instant) => Some(instant),
            Self::Wall(wall) => zone.instant(wall).ok(),
        }
    }
}

/// `+hh:mm` or `-hh:mm`.
fn parse_offset(text: &str) -> Option<Offset> {
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let two = |digits: &str| (digits.len() == 2).then(|| digits.parse::<u8>().ok()).flatten().map(i32::from);
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours <= 14 && minutes < 60).then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()).flatten()
}

/// An `xs:date`; a zone suffix is tolerated and ignored.
pub(super) fn read_date(element: &Element) -> Result<Date, Fault> {
    let fault = || element.invalid("http://www.w3.org/2001/XMLSchema:date");
    let text = element.value()?.trim();
    let (date, rest) = (text.get(..10).ok_or_else(fault)?, text.get(10..).ok_or_else(fault)?);
    if !rest.is_empty() && rest != "Z" && parse_offset(rest).is_none() {
        return Err(fault());
    }
    date.parse().map_err(|_| fault())
}

/// An instant as answers write it.
pub(super) fn write_instant(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
