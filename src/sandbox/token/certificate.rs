//! As much of an X.509 certificate (RFC 5280 §4.1) as an assertion is checked with.

use aws_lc_rs::digest;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// A certificate that an application, or another issuer, signs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    der: Vec<u8>,
    /// Its SubjectPublicKeyInfo.
    pub(super) public_key: Vec<u8>,
    /// When it ends.
    pub(super) ends: Timestamp,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    pub(super) fn parse(pem: &str) -> Option<Self> {
        let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
        let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
        let text: String = body.chars().filter(|letter| !letter.is_whitespace()).collect();
        let der = STANDARD.decode(text).ok()?;
        let (_, certificate, _) = element(&der)?;
        let (_, mut rest, _) = element(certificate)?;
        if rest.first() == Some(&0xa0) {
            rest = element(rest)?.2;
        }
        // Serial number, algorithm, issuer.
        for _ in 0..3 {
            rest = element(rest)?.2;
        }
        let (_, validity, rest) = element(rest)?;
        let (_, _, not_after) = element(validity)?;
        let (kind, ends, _) = element(not_after)?;
        let (_, _, rest) = element(rest)?;
        let (_, _, after) = element(rest)?;
        let public_key = rest.get(..rest.len() - after.len())?.to_vec();
        Some(Self { public_key, ends: time(kind, ends)?, der })
    }

    /// Whether this is its hash, SHA-256 or SHA-1.
    pub(super) fn has_thumbprint(&self, sha256: &str, sha1: &str) -> bool {
        let hash = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &self.der));
        if sha256.is_empty() {
            hash(&digest::SHA1_FOR_LEGACY_USE_ONLY) == sha1
        } else {
            hash(&digest::SHA256) == sha256
        }
    }
}

/// The first element of DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)?;
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

/// UTCTime and GeneralizedTime.
fn time(kind: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let text = match kind {
        0x17 if text < "5" => format!("20{text}"),
        0x17 => format!("19{text}"),
        _ => text.to_owned(),
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}
