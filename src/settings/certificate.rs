//! The certificate of an application: PEM or PKCS#12 in, what a client assertion is signed with out.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rsa::KeyPair as RsaKey,
    signature::KeyPair as _,
};
use jiff::Timestamp;
use p12_keystore::Pkcs12Archive;
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use zeroize::Zeroizing;

use crate::certificate::{public_key, validity};

/// `rsaEncryption`, RFC 8017 §A.1.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A certificate and its key.
#[derive(Clone)]
pub struct Certificate {
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// Its RSA key, DER of PKCS#1.
    pub key: SecretSlice<u8>,
    /// When it ends; `None` for one that `check` could not read.
    pub ends: Option<Timestamp>,
}

impl Certificate {
    /// What stands in, in `check`, for one that cannot be reached.
    pub(super) fn unread() -> Self {
        Self { der: Vec::new(), key: SecretSlice::from(Vec::new()), ends: None }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Certificate").field("ends", &self.ends).finish_non_exhaustive()
    }
}

/// Why a file is no certificate that an application can show. Holds nothing of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CertificateFault {
    #[error("the file is neither PEM nor PKCS#12")]
    Form,
    #[error("there is no certificate in the file")]
    NoCertificate,
    #[error("there is no private key for the certificate")]
    NoKey,
    #[error("the private key is encrypted")]
    KeyEncrypted,
    #[error("the password does not open the PKCS#12 file")]
    Password,
    #[error("the file is PKCS#12 and needs its password")]
    PasswordMissing,
    #[error("the private key is no RSA key of 2048 bits or more")]
    NotRsa,
    #[error("the private key belongs to another certificate")]
    AnotherKey,
}

impl CertificateFault {
    /// What to do, where `base` is the key of the settings without `_file`.
    pub(super) fn hint(self, base: &str) -> String {
        match self {
            Self::Form | Self::NoCertificate => {
                "give a PEM file with BEGIN CERTIFICATE, or a PKCS#12 file (.pfx, .p12)".to_owned()
            }
            Self::NoKey => "put the key into the same PEM file, or name its file with application_key_file".to_owned(),
            Self::KeyEncrypted => {
                "decrypt it (openssl pkey -in KEY -out PLAIN; chmod 600 PLAIN), or give a PKCS#12 file and its password"
                    .to_owned()
            }
            Self::Password | Self::PasswordMissing => {
                format!("give the password with {base}_password_file, or a credential named {base}_password")
            }
            Self::NotRsa => "Entra takes RSA keys: openssl req -x509 -newkey rsa:3072 …".to_owned(),
            Self::AnotherKey => "give the key that the certificate was made with".to_owned(),
        }
    }
}

/// Reads a certificate and its key. `key` is PEM, and goes before a key in the file itself.
pub(super) fn parse(
    bytes: &[u8],
    key: Option<&SecretString>,
    password: Option<&SecretString>,
) -> Result<Certificate, CertificateFault> {
    let is_pem = |bytes: &[u8]| bytes.windows(11).any(|window| window == b"-----BEGIN ");
    if is_pem(bytes) {
        let certificates: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(bytes)
            .map(|read| read.map(|der| der.as_ref().to_vec()).map_err(|_| CertificateFault::NoCertificate))
            .collect::<Result<_, _>>()?;
        let key = match key {
            Some(key) => pem_key(key.expose_secret().as_bytes())?,
            None => pem_key(bytes)?,
        };
        return matching(&certificates, &key);
    }
    // DER of a SEQUENCE, which a PKCS#12 file is.
    if bytes.first() != Some(&0x30) {
        return Err(CertificateFault::Form);
    }
    let password = password.ok_or(CertificateFault::PasswordMissing)?;
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.expose_secret()).map_err(|error| match error {
        p12_keystore::error::Error::MacError(_)
        | p12_keystore::error::Error::UnpadError
        | p12_keystore::error::Error::Pkcs5Error(_) => CertificateFault::Password,
        _ => CertificateFault::Form,
    })?;
    let certificates: Vec<Vec<u8>> = archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect();
    let bag = archive.keys.first().ok_or(CertificateFault::NoKey)?;
    let key = rsa_key(bag.key.as_der())?;
    matching(&certificates, &key)
}

/// The RSA key of a PEM text, DER of PKCS#1.
fn pem_key(pem: &[u8]) -> Result<Zeroizing<Vec<u8>>, CertificateFault> {
    let encrypted = b"ENCRYPTED";
    if pem.windows(encrypted.len()).any(|window| window == encrypted) {
        return Err(CertificateFault::KeyEncrypted);
    }
    match PrivateKeyDer::from_pem_slice(pem).map_err(|_| CertificateFault::NoKey)? {
        PrivateKeyDer::Pkcs1(key) => Ok(Zeroizing::new(key.secret_pkcs1_der().to_vec())),
        PrivateKeyDer::Pkcs8(key) => rsa_key(key.secret_pkcs8_der()),
        _ => Err(CertificateFault::NotRsa),
    }
}

/// The RSA key in a PKCS#8 envelope, DER of PKCS#1.
fn rsa_key(pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, CertificateFault> {
    let envelope = PrivateKeyInfoRef::try_from(pkcs8).map_err(|_| CertificateFault::NoKey)?;
    if envelope.algorithm.oid != RSA {
        return Err(CertificateFault::NotRsa);
    }
    Ok(Zeroizing::new(envelope.private_key.as_bytes().to_vec()))
}

/// The certificate among those of the file, which may hold a chain, that the key belongs to.
fn matching(certificates: &[Vec<u8>], key: &[u8]) -> Result<Certificate, CertificateFault> {
    let pair = RsaKey::from_der(key).map_err(|_| CertificateFault::NotRsa)?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| CertificateFault::NotRsa)?;
    let mut read = 0;
    for der in certificates {
        let (Some(of_certificate), Some(validity)) = (public_key(der), validity(der)) else { continue };
        read += 1;
        if of_certificate == public.as_ref() {
            let ends = Some(validity.not_after);
            return Ok(Certificate { der: der.clone(), key: SecretSlice::from(key.to_vec()), ends });
        }
    }
    Err(if read == 0 { CertificateFault::NoCertificate } else { CertificateFault::AnotherKey })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, date_time_ymd};

    use super::*;

    fn key() -> KeyPair {
        KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap()
    }

    fn pem(key: &KeyPair) -> String {
        let mut params = CertificateParams::default();
        params.not_after = date_time_ymd(2031, 2, 3);
        params.self_signed(key).unwrap().pem()
    }

    #[test]
    fn pem_files_are_read_or_refused() {
        let (one, two) = (key(), key());
        let elliptic = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let (certificate, key) = (pem(&one), one.serialize_pem());
        let chain = format!("{}{certificate}", pem(&two));
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let cases = [
            (format!("{certificate}{key}"), None, Ok(())),
            (format!("{key}{chain}"), None, Ok(())),
            (certificate.clone(), Some(key.clone()), Ok(())),
            (certificate.clone(), None, Err(CertificateFault::NoKey)),
            (certificate.clone(), Some("key".to_owned()), Err(CertificateFault::NoKey)),
            (certificate.clone(), Some(two.serialize_pem()), Err(CertificateFault::AnotherKey)),
            (certificate.clone(), Some(encrypted.to_owned()), Err(CertificateFault::KeyEncrypted)),
            (certificate, Some(elliptic.serialize_pem()), Err(CertificateFault::NotRsa)),
            (key, None, Err(CertificateFault::NoCertificate)),
            ("certificate".to_owned(), None, Err(CertificateFault::Form)),
            (String::new(), None, Err(CertificateFault::Form)),
        ];
        for (at, (file, key, expected)) in cases.into_iter().enumerate() {
            let read = parse(file.as_bytes(), key.map(SecretString::from).as_ref(), None);
            assert_eq!(read.as_ref().map(|_| ()).map_err(|fault| *fault), expected, "case {at}");
            let Ok(read) = read else { continue };
            assert_eq!(read.ends, Some("2031-02-03T00:00:00Z".parse().unwrap()), "case {at}");
            assert!(!format!("{read:?}").contains("key"));
        }
    }

    #[test]
    fn pkcs12_files_need_their_password() {
        let pair = key();
        let certificate = CertificateParams::default().self_signed(&pair).unwrap();
        let mut store = p12_keystore::KeyStore::new();
        let chain = p12_keystore::PrivateKeyChain::new(
            p12_keystore::LocalKeyId(b"1".to_vec()),
            p12_keystore::PrivateKey::from_der(&pair.serialize_der()).unwrap(),
            [p12_keystore::Certificate::from_der(certificate.der()).unwrap()],
        );
        store.add_entry("app", p12_keystore::KeyStoreEntry::PrivateKeyChain(chain));
        let file = store.writer("pass-word").write().unwrap();
        let read = |password: Option<&str>| parse(&file, None, password.map(SecretString::from).as_ref());
        assert_eq!(read(Some("pass-word")).unwrap().der, certificate.der().to_vec());
        assert_eq!(read(Some("wrong")).unwrap_err(), CertificateFault::Password);
        assert_eq!(read(None).unwrap_err(), CertificateFault::PasswordMissing);
        let half = parse(&file[..file.len() / 2], None, Some(&SecretString::from("pass-word")));
        assert_eq!(half.unwrap_err(), CertificateFault::Form);
    }
}
