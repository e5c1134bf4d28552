//! What is read of an X.509 certificate: who issued it, until when it is valid, its public key, and which hash signed it.
//!
//! A walk over DER that looks at nothing else. It trusts nothing and decides nothing: TLS does that.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, constructed.
const CONTEXT_0: u8 = 0xa0;
/// 2.5.4.3 and 2.5.4.10.
const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
const ORGANISATION: [u8; 3] = [0x55, 4, 10];
/// The longest name that is told.
const NAME_LENGTH_MAX: usize = 120;

/// The hash of RFC 5929 §4.1 for a certificate: that of its signature, SHA-256 at the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the usual names")]
pub enum SignatureHash {
    Sha256,
    Sha384,
    Sha512,
}

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From when.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

/// When the certificate is valid; `None` when its DER cannot be read.
#[must_use]
pub fn validity(der: &[u8]) -> Option<Validity> {
    let (_, times, _) = element(from_validity(der)?)?;
    let (tag, text, times) = element(times)?;
    let not_before = instant(tag, text)?;
    let (tag, text, _) = element(times)?;
    Some(Validity { not_before, not_after: instant(tag, text)? })
}

/// Its public key with the name of its algorithm (`SubjectPublicKeyInfo`), DER; `None` when the DER cannot be read.
#[must_use]
pub fn public_key(der: &[u8]) -> Option<&[u8]> {
    // Validity, subject.
    let key = element(element(from_validity(der)?)?.2)?.2;
    let after = element(key)?.2;
    key.get(..key.len() - after.len())
}

/// Who issued it: the common name, else the organisation. `None` when it has neither, or its DER cannot be read.
#[must_use]
pub fn issuer(der: &[u8]) -> Option<String> {
    let (_, mut sets, _) = element(from_issuer(der)?)?;
    let (mut common, mut organisation) = (None, None);
    while let Some((_, mut set, rest)) = element(sets) {
        sets = rest;
        while let Some((_, pair, rest)) = element(set) {
            set = rest;
            let (_, kind, value) = element(pair)?;
            let (_, text, _) = element(value)?;
            let text = String::from_utf8_lossy(text);
            let text = || Some(text.chars().filter(|one| !one.is_control()).take(NAME_LENGTH_MAX).collect());
            if kind == COMMON_NAME {
                common = text();
            } else if kind == ORGANISATION {
                organisation = text();
            }
        }
    }
    common.or(organisation)
}

fn from_validity(der: &[u8]) -> Option<&[u8]> {
    Some(element(from_issuer(der)?)?.2)
}

/// What follows version, serial number and algorithm.
fn from_issuer(der: &[u8]) -> Option<&[u8]> {
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    if rest.first() == Some(&CONTEXT_0) {
        rest = element(rest)?.2;
    }
    for _ in 0..2 {
        rest = element(rest)?.2;
    }
    Some(rest)
}

/// The hash that the certificate was signed with; SHA-256 where it is weaker, unknown or none.
#[must_use]
pub fn signature_hash(der: &[u8]) -> SignatureHash {
    algorithm(der).unwrap_or(SignatureHash::Sha256)
}

fn algorithm(der: &[u8]) -> Option<SignatureHash> {
    let (_, certificate, _) = element(der)?;
    let after_body = element(certificate)?.2;
    let (_, identifier, _) = element(after_body)?;
    let (tag, name, parameters) = element(identifier)?;
    if tag != OBJECT_ID {
        return None;
    }
    match name {
        // 1.2.840.113549.1.1: RSA; 10 is PSS, whose parameters name the hash.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, last] => match last {
            10 => hash_of_pss(parameters),
            12 => Some(SignatureHash::Sha384),
            13 => Some(SignatureHash::Sha512),
            _ => None,
        },
        // 1.2.840.10045.4.3: ECDSA.
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, last] => match last {
            3 => Some(SignatureHash::Sha384),
            4 => Some(SignatureHash::Sha512),
            _ => None,
        },
        _ => None,
    }
}

/// `RSASSA-PSS-params`: the hash is the first field, `[0]`; without it SHA-1.
fn hash_of_pss(parameters: &[u8]) -> Option<SignatureHash> {
    let (_, fields, _) = element(parameters)?;
    let (tag, hash, _) = element(fields)?;
    let (_, identifier, _) = element(hash)?;
    let (_, name, _) = element(identifier)?;
    match name {
        // 2.16.840.1.101.3.4.2: SHA-2.
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last] if tag == CONTEXT_0 => match last {
            2 => Some(SignatureHash::Sha384),
            3 => Some(SignatureHash::Sha512),
            _ => None,
        },
        _ => None,
    }
}

/// The first element: its tag, its content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 || rest.len() < count {
            return None;
        }
        let (digits, rest) = rest.split_at(count);
        (digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit)), rest)
    };
    (length <= rest.len()).then(|| {
        let (content, rest) = rest.split_at(length);
        (tag, content, rest)
    })
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280 §4.1.2.5).
fn instant(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = match tag {
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", &text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::Timestamp;
    use rcgen::{
        CertificateParams, DnType, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA512, PublicKeyData, date_time_ymd,
    };

    use super::{SignatureHash, issuer, public_key, signature_hash, validity};

    const SEQUENCE: u8 = 0x30;

    fn made(key: &KeyPair) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["mail.example.test".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2024, 1, 2);
        params.not_after = date_time_ymd(2051, 3, 4);
        params.self_signed(key).unwrap().der().to_vec()
    }

    #[test]
    fn validity_key_and_hash_are_read() {
        let key = KeyPair::generate().unwrap();
        let der = made(&key);
        assert_eq!(public_key(&der).unwrap(), key.subject_public_key_info());
        let valid = validity(&der).unwrap();
        assert_eq!(valid.not_before, "2024-01-02T00:00:00Z".parse::<Timestamp>().unwrap());
        assert_eq!(valid.not_after, "2051-03-04T00:00:00Z".parse::<Timestamp>().unwrap());
        assert_eq!(signature_hash(&der), SignatureHash::Sha256);
        let longer = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        assert_eq!(signature_hash(&made(&longer)), SignatureHash::Sha384);
        let rsa = KeyPair::generate_for(&PKCS_RSA_SHA512).unwrap();
        assert_eq!(signature_hash(&made(&rsa)), SignatureHash::Sha512);
    }

    #[test]
    fn an_issuer_has_a_common_name_or_an_organisation() {
        let key = KeyPair::generate().unwrap();
        let named = |names: &[(DnType, &str)]| {
            let mut params = CertificateParams::default();
            params.distinguished_name = rcgen::DistinguishedName::new();
            names.iter().for_each(|(kind, name)| params.distinguished_name.push(kind.clone(), *name));
            issuer(params.self_signed(&key).unwrap().der())
        };
        let organisation = (DnType::OrganizationName, "Example Trust");
        let both = [organisation.clone(), (DnType::CommonName, "Example\u{7} CA 7")];
        assert_eq!(named(&both).as_deref(), Some("Example CA 7"));
        assert_eq!(named(&[organisation]).as_deref(), Some("Example Trust"));
        assert_eq!(named(&[]), None);
    }

    #[test]
    fn what_is_signed_with_pss_names_its_hash_in_the_parameters() {
        let part = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
        let pss = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
        for (last, expected) in [(1, SignatureHash::Sha256), (2, SignatureHash::Sha384), (3, SignatureHash::Sha512)] {
            let hash = part(0x06, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last]);
            let parameters = part(SEQUENCE, &part(0xa0, &part(SEQUENCE, &hash)));
            let algorithm = part(SEQUENCE, &[part(0x06, &pss), parameters].concat());
            let certificate = part(SEQUENCE, &[part(SEQUENCE, &[]), algorithm].concat());
            assert_eq!(signature_hash(&certificate), expected);
        }
    }

    #[test]
    fn half_a_certificate_is_none() {
        let der = made(&KeyPair::generate().unwrap());
        for length in 0..der.len() {
            let half = &der[..length];
            let _ = (validity(half), public_key(half), issuer(half));
            assert_eq!(signature_hash(&der[..length]), SignatureHash::Sha256);
        }
        assert_eq!((validity(&der[..40]), public_key(&der[..40])), (None, None));
        assert_eq!(validity(&[]), None);
        assert_eq!(validity(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0]), None);
    }
}
