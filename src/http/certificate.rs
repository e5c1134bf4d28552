//! Who issued a certificate and until when it holds, read from its DER (RFC 5280 §4.1). For telling people, not for trust:
//! the TLS library has verified it before.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// What is told of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The common name of the issuer, else its organisation; empty when it has neither.
    pub issuer: String,
    /// When it ends.
    pub ends: Timestamp,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const IDENTIFIER: u8 = 0x06;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// 2.5.4.3 and 2.5.4.10.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const ORGANISATION: [u8; 3] = [0x55, 0x04, 0x0a];

impl Certificate {
    /// Reads a certificate; `None` when it is not one.
    #[must_use]
    pub fn parse(der: &[u8]) -> Option<Self> {
        let mut outer = Values(der).take(SEQUENCE)?;
        let mut body = outer.take(SEQUENCE)?;
        if body.0.first() == Some(&VERSION) {
            body.take(VERSION)?;
        }
        body.take(INTEGER)?;
        body.take(SEQUENCE)?;
        let issuer = body.take(SEQUENCE)?;
        let mut validity = body.take(SEQUENCE)?;
        validity.next()?;
        let (kind, ends) = validity.next()?;
        Some(Self { issuer: name(issuer), ends: time(kind, ends)? })
    }

    /// How many whole days it still holds; negative when it has ended.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.ends.duration_since(now).as_secs().div_euclid(86_400)
    }
}

/// The values that follow each other in a text of DER (X.690 §8.1).
struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    /// The next value and its tag.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, value))
    }

    /// The next value, when it has this tag.
    fn take(&mut self, tag: u8) -> Option<Self> {
        let (found, value) = self.next()?;
        (found == tag).then_some(Values(value))
    }
}

fn name(mut issuer: Values<'_>) -> String {
    let (mut common, mut organisation) = (None, None);
    while let Some(mut set) = issuer.take(SET) {
        while let Some(mut pair) = set.take(SEQUENCE) {
            let (Some(kind), Some((_, text))) = (pair.take(IDENTIFIER), pair.next()) else { continue };
            let text: String =
                String::from_utf8_lossy(text).chars().filter(|one| !one.is_control()).take(120).collect();
            if kind.0 == COMMON_NAME {
                common = Some(text);
            } else if kind.0 == ORGANISATION {
                organisation = Some(text);
            }
        }
    }
    common.or(organisation).unwrap_or_default()
}

/// RFC 5280 §4.1.2.5: two digits of a year are 1950 to 2049.
fn time(kind: u8, value: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(value).ok()?.strip_suffix('Z')?;
    let text = match kind {
        UTC_TIME => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", &text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

    use super::Certificate;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = match content.len() {
            short @ 0..=0x7f => vec![short as u8],
            long => vec![0x82, (long >> 8) as u8, long as u8],
        };
        [&[tag], length.as_slice(), content].concat()
    }

    fn named(kind: u8, text: &str) -> Vec<u8> {
        let pair = [value(0x06, &[0x55, 0x04, kind]), value(0x0c, text.as_bytes())].concat();
        value(0x31, &value(0x30, &pair))
    }

    fn certificate(issuer: &[u8], kind: u8, ends: &str) -> Vec<u8> {
        let validity = [value(0x17, b"260101000000Z"), value(kind, ends.as_bytes())].concat();
        let padding = value(0x30, &[0; 300]);
        let parts = [
            value(0xa0, &value(0x02, &[2])),
            value(0x02, &[1]),
            value(0x30, &[]),
            value(0x30, issuer),
            value(0x30, &validity),
            padding,
        ];
        value(0x30, &[value(0x30, &parts.concat()), value(0x30, &[])].concat())
    }

    #[test]
    fn issuer_and_end_are_read() {
        let both = [named(0x0a, "Example Trust"), named(0x03, "Example CA 7")].concat();
        let read = Certificate::parse(&certificate(&both, 0x17, "261231235959Z")).unwrap();
        assert_eq!((read.issuer.as_str(), read.ends), ("Example CA 7", "2026-12-31T23:59:59Z".parse().unwrap()));
        assert_eq!(read.days_left("2026-12-22T00:00:00Z".parse().unwrap()), 9);
        assert_eq!(read.days_left("2027-01-01T00:00:00Z".parse().unwrap()), -1);
        let read = Certificate::parse(&certificate(&named(0x0a, "Example Trust"), 0x18, "20510101000000Z")).unwrap();
        assert_eq!((read.issuer.as_str(), read.ends), ("Example Trust", "2051-01-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn half_a_certificate_is_none() {
        let whole = certificate(&named(0x03, "CA"), 0x17, "261231235959Z");
        assert!(Certificate::parse(&whole).is_some());
        assert!((0..whole.len()).all(|length| Certificate::parse(&whole[..length]).is_none()));
    }
}
