//! The sandbox behind TLS: with a certificate of one's own, or a self-made one.

use std::{fs, path::Path, sync::Arc};

use md5::Md5;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio_rustls::TlsAcceptor;

use super::{error::SandboxError, settings::TlsSettings};

/// What a listener needs for TLS.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    /// What NTLM ties a log-on to.
    pub(super) channel_bindings: [u8; 16],
    /// The self-made certificate, PEM.
    pub(super) self_made: Option<String>,
}

fn fault(what: impl std::fmt::Display) -> SandboxError {
    SandboxError::Settings { fault: format!("tls: {what}") }
}

/// Reads or makes the certificate; `None` when TLS is off.
pub(super) fn prepare(settings: &TlsSettings) -> Result<Option<Tls>, SandboxError> {
    if !settings.enabled {
        return Ok(None);
    }
    let (chain, key, self_made) = match (&settings.certificate_file, &settings.key_file) {
        (Some(certificate), Some(key)) => {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(certificate)?).collect();
            let key = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(fault)?;
            (chain.map_err(fault)?, key, None)
        }
        (None, None) => self_made(settings)?,
        _ => return Err(fault("certificate_file and key_file go together")),
    };
    let first = chain.first().ok_or_else(|| fault("there is no certificate in the file"))?;
    let channel_bindings = bindings(first);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(fault)?;
    let builder = match &settings.client_ca_file {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(&read(path)?) {
                roots.add(certificate.map_err(fault)?).map_err(fault)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(fault)?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(fault)?;
    // A log-on by NTLM holds for a connection, which requests of HTTP/2 share.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), channel_bindings, self_made }))
}

fn read(path: &Path) -> Result<Vec<u8>, SandboxError> {
    fs::read(path).map_err(|error| fault(format!("{}: {error}", path.display())))
}

type Made = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>, Option<String>);

/// A certificate that signs itself, for the names of the settings.
fn self_made(settings: &TlsSettings) -> Result<Made, SandboxError> {
    let key = rcgen::KeyPair::generate().map_err(fault)?;
    let mut params = rcgen::CertificateParams::new(settings.names.clone()).map_err(fault)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, "calsyncd sandbox");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key).map_err(fault)?;
    let pem = certificate.pem();
    if let Some(path) = &settings.write_certificate_to {
        fs::write(path, &pem).map_err(|error| fault(format!("{}: {error}", path.display())))?;
    }
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok((vec![certificate.der().clone()], key, Some(pem)))
}

/// MD5 over `gss_channel_bindings_struct`: twelve bytes of no initiator, no acceptor, and the data of `tls-server-end-point`.
fn bindings(certificate: &[u8]) -> [u8; 16] {
    let digest = match signature_name(certificate) {
        // ecdsa-with-SHA384, sha384WithRSAEncryption.
        Some([.., 0x04, 0x03, 0x03] | [.., 0x01, 0x01, 0x0c]) => Sha384::digest(certificate).to_vec(),
        Some([.., 0x04, 0x03, 0x04] | [.., 0x01, 0x01, 0x0d]) => Sha512::digest(certificate).to_vec(),
        Some(_) | None => Sha256::digest(certificate).to_vec(),
    };
    let mut data = vec![0; 16];
    let text = b"tls-server-end-point:";
    data.extend_from_slice(&u32::try_from(text.len() + digest.len()).unwrap_or_default().to_le_bytes());
    data.extend_from_slice(text);
    data.extend_from_slice(&digest);
    Md5::digest(data).into()
}

/// The object identifier of the signature: the first thing behind the body of the certificate.
fn signature_name(certificate: &[u8]) -> Option<&[u8]> {
    let inside = &certificate[header(certificate)?.0..];
    let (begin, length) = header(inside)?;
    let algorithm = inside.get(begin + length..)?;
    let name = algorithm.get(header(algorithm)?.0..)?;
    let (begin, length) = header(name)?;
    name.get(begin..begin + length)
}

/// How long the head of a DER element is, and how long its content.
fn header(der: &[u8]) -> Option<(usize, usize)> {
    match *der.get(1)? {
        short if short < 128 => Some((2, short.into())),
        long => {
            let digits = usize::from(long - 128);
            let length = der.get(2..2 + digits)?.iter().fold(0, |sum, digit| sum * 256 + usize::from(*digit));
            Some((2 + digits, length))
        }
    }
}
