//! `[network]`: certificates and the proxy.

use std::{fs, io, path::Path};

use jiff::{SignedDuration, Timestamp};
use rustls::{
    RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use secrecy::{ExposeSecret, SecretString};

use super::super::{
    network::{ClientCertificate, Network, PemFile, Proxy},
    reader::{Given, Place, Reader, Section},
    schema,
    secret::SecretOrigin,
};
use crate::certificate::{self, Validity};

/// Certificates are kilobytes; the authorities of a whole machine are some hundred kilobytes.
const PEM_BYTES_MAX: u64 = 4 << 20;
/// From when on somebody is told that a certificate ends.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// What people write who want certificates not to be checked.
const UNCHECKED: [&str; 6] =
    ["verify_tls", "tls_verify", "verify_certificates", "insecure", "skip_verify", "accept_invalid_certificates"];

/// The section, and where its key came from.
pub(in super::super) struct NetworkRead {
    /// The section.
    pub(in super::super) network: Network,
    /// The key of the secret and its origin.
    pub(in super::super) secret: Option<(String, SecretOrigin)>,
}

/// Reads the section; what cannot be used is a finding.
pub(in super::super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> NetworkRead {
    for key in UNCHECKED.into_iter().filter(|key| section.has(key)) {
        let place = reader.place_of(section, key);
        let hint = "give the authority, or the server's own certificate if nobody else signed it, with ca_file";
        reader.error(&place, "certificates are always checked", hint);
    }
    let mut others = section.values.cloned().unwrap_or_default();
    others.retain(|key, _| !UNCHECKED.contains(&key.as_str()));
    reader.unknown_keys(&Section { path: section.path.clone(), values: Some(&others) }, schema::NETWORK);
    let authorities = authorities(reader, section);
    let (client, secret) = client(reader, section);
    let proxy = proxy(reader, section);
    NetworkRead { network: Network { authorities, client, proxy }, secret }
}

fn authorities(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<PemFile> {
    let given = pem_file(reader, section, "ca_file")?;
    let certificates = certificates(reader, &given)?;
    let mut store = RootCertStore::empty();
    for (number, certificate) in certificates.into_iter().enumerate() {
        if let Some(ends) = certificate::validity(&certificate).map(|validity| validity.not_after)
            && ends < reader.environment.now
        {
            let message = format!("certificate {} ended on {}", number + 1, day(ends));
            reader.warn(&given.place, message, "replace it by the present one of the authority");
        }
        if let Err(error) = store.add(certificate) {
            let message = format!("certificate {} cannot be an authority: {error}", number + 1);
            reader.error(&given.place, message, "give the certificate of the authority, X.509 version 3, as PEM");
            return None;
        }
    }
    Some(given.value)
}

type ClientRead = (Option<ClientCertificate>, Option<(String, SecretOrigin)>);

fn client(reader: &mut Reader<'_>, section: &Section<'_>) -> ClientRead {
    let named = section.has("client_certificate_file");
    if named && !reader.has_secret(section, "client_key") {
        let hint = "name the file with client_key_file, or give a systemd credential named client_key";
        reader.needed(section, "client_key_file", "with client_certificate_file", hint);
    }
    if !named {
        if section.has("client_key") || section.has("client_key_file") {
            let hint = "name the certificate of this key";
            reader.needed(section, "client_certificate_file", "with client_key_file", hint);
        }
        return (None, None);
    }
    let chain = pem_file(reader, section, "client_certificate_file");
    let secret = reader.secret(section, "client_key");
    let (Some(chain), Some(secret)) = (chain, secret) else { return (None, None) };
    let origin = ("network.client_key".to_owned(), secret.origin);
    let Some(certificates) = certificates(reader, &chain) else { return (None, Some(origin)) };
    let key_place = reader.place_of(section, "client_key_file");
    let good = judge_key(reader, &key_place, &certificates, &secret.value);
    if let Some(validity) = certificates.first().and_then(|first| certificate::validity(first)) {
        judge_validity(reader, &chain.place, validity);
    }
    let client = good.then_some(ClientCertificate { chain: chain.value, key: secret.value });
    (client, Some(origin))
}

/// Whether the key can be read and is that of the certificate. One that `check` cannot reach is not judged.
fn judge_key(
    reader: &mut Reader<'_>,
    place: &Place,
    certificates: &[CertificateDer<'static>],
    key: &SecretString,
) -> bool {
    if key.expose_secret().is_empty() {
        return true;
    }
    let hint = "give the key without a password, as PEM: PKCS#8, PKCS#1 or SEC1";
    let Ok(key) = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes()) else {
        reader.error(place, "this holds no private key in PEM", hint);
        return false;
    };
    let Ok(key) = aws_lc_rs::sign::any_supported_type(&key) else {
        reader.error(place, "the private key cannot be used", "RSA, ECDSA and Ed25519 keys can");
        return false;
    };
    if CertifiedKey::new(certificates.to_vec(), key).keys_match().is_err() {
        let hint = "give the key that the certificate was made for; the certificate itself comes first in its file";
        reader.error(place, "the key is not that of the certificate", hint);
        return false;
    }
    true
}

/// An ended certificate is a warning, not a fault: the daemon goes on, and the server says what it thinks of it.
fn judge_validity(reader: &mut Reader<'_>, place: &Place, validity: Validity) {
    let (now, ends) = (reader.environment.now, validity.not_after);
    let hint = "have it renewed, replace the file, and reload";
    if ends < now {
        reader.warn(place, format!("the client certificate ended on {}", day(ends)), hint);
    } else if ends.duration_since(now) < ENDS_SOON {
        let days = ends.duration_since(now).as_hours() / 24;
        reader.warn(place, format!("the client certificate ends on {}, in {days} days", day(ends)), hint);
    } else if validity.not_before > now {
        let message = format!("the client certificate is valid from {} on", day(validity.not_before));
        reader.warn(place, message, "see that the clock of this machine is right");
    }
}

fn day(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d").to_string()
}

fn pem_file(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<Given<PemFile>> {
    let given = reader.text(section, key)?;
    let path = reader.folder().join(&given.value);
    match read_file(&path) {
        Ok(text) => Some(Given { value: PemFile { path, text }, place: given.place }),
        Err(message) => {
            let hint = "see that the path is right and that the user of the service may read the file";
            reader.error(&given.place, format!("{}: {message}", path.display()), hint);
            None
        }
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let told = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    let metadata = fs::metadata(path).map_err(told)?;
    if !metadata.is_file() || metadata.len() > PEM_BYTES_MAX {
        return Err("this is not a file of certificates".to_owned());
    }
    let bytes = fs::read(path).map_err(told)?;
    String::from_utf8(bytes).map_err(|_| "this is not PEM; it may be DER or PKCS#12".to_owned())
}

fn certificates(reader: &mut Reader<'_>, given: &Given<PemFile>) -> Option<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(given.value.text.as_bytes()).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Some(certificates),
        Ok(_) | Err(_) => {
            let message = format!("{} holds no certificate in PEM", given.value.path.display());
            let hint = "a block begins with -----BEGIN CERTIFICATE-----; openssl x509 -inform DER turns DER into it";
            reader.error(&given.place, message, hint);
            None
        }
    }
}

fn proxy(reader: &mut Reader<'_>, section: &Section<'_>) -> Proxy {
    let Some(given) = reader.text(section, "proxy") else { return Proxy::Environment };
    match given.value.as_str() {
        "environment" => return Proxy::Environment,
        "none" => return Proxy::None,
        _ => {}
    }
    let hint = "write \"http://proxy.example.org:3128\", \"none\" or \"environment\"";
    let uri: Option<::http::Uri> = given.value.parse().ok();
    let Some((uri, authority)) = uri.as_ref().and_then(|uri| Some((uri, uri.authority()?))) else {
        reader.error(&given.place, "this is not the address of a proxy", hint);
        return Proxy::None;
    };
    if authority.as_str().contains('@') {
        let hint =
            "let the proxy know this machine by its address, or give the variable HTTPS_PROXY with \"environment\"";
        reader.error(&given.place, "the address of the proxy holds a user or a password", hint);
    } else if uri.scheme_str() != Some("http") || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        reader.error(&given.place, "a proxy is reached by http, at its root", hint);
    }
    Proxy::Url(format!("http://{authority}"))
}
