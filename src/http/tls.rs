//! TLS for every transport: rustls, versions 1.2 and 1.3, the machine's authorities and those of the settings.

use std::{
    error::Error,
    io,
    sync::{Arc, Once},
};

use rustls::{
    AlertDescription, CertificateError, ClientConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use rustls_platform_verifier::Verifier;
use secrecy::ExposeSecret;

use crate::settings::Network;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// The authorities or the client certificate.
    #[error("a certificate of [network] cannot be used")]
    Certificate(#[from] rustls::Error),
    /// A file of the settings.
    #[error("a file of [network] cannot be read as PEM")]
    Pem(#[from] rustls::pki_types::pem::Error),
}

/// Two providers in one process make rustls panic at first use, so one is chosen before any use. A provider that is
/// there already stays.
pub(super) fn install_crypto_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| drop(aws_lc_rs::default_provider().install_default()));
}

/// The configuration that the settings ask for, offering these application protocols.
pub(super) fn client_config(network: &Network, protocols: &[&str]) -> Result<ClientConfig, TlsSetupError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let authorities = match &network.authorities {
        Some(file) => CertificateDer::pem_slice_iter(file.text.as_bytes()).collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    let verifier = Verifier::new_with_extra_roots(authorities, Arc::clone(&provider))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])?
        // The word of rustls for a verifier that is not its own. This one verifies like its own, against more authorities.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &network.client {
        Some(client) => {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(client.chain.text.as_bytes()).collect();
            let key = PrivateKeyDer::from_pem_slice(client.key.expose_secret().as_bytes())?;
            builder.with_client_auth_cert(chain?, key)?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Ok(config)
}

/// Why two machines do not trust each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsProblem {
    /// The server's certificate has ended.
    Expired,
    /// The server's certificate is not valid yet.
    NotYetValid,
    /// Nobody whom we trust signed the server's certificate.
    UnknownIssuer,
    /// The server's certificate is for another name.
    WrongName,
    /// The server's certificate is wrong in another way.
    BadCertificate,
    /// The server wants a certificate of ours, or another than the one we show.
    ClientCertificate,
    /// The server has no version or cipher that we have.
    NothingInCommon,
}

impl TlsProblem {
    /// The problem behind an error, if it is one of TLS.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<rustls::Error>() {
                return Self::of_rustls(found);
            }
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                // The source of an I/O error is that of what it holds, and what it holds is left out.
                Some(held) => Some(held),
                None => error.source(),
            };
        }
        None
    }

    fn of_rustls(error: &rustls::Error) -> Option<Self> {
        use CertificateError as Certificate;
        Some(match error {
            rustls::Error::InvalidCertificate(problem) => match problem {
                Certificate::Expired | Certificate::ExpiredContext { .. } => Self::Expired,
                Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => Self::NotYetValid,
                // The second: an authority of the same name with another key.
                Certificate::UnknownIssuer | Certificate::BadSignature => Self::UnknownIssuer,
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => Self::WrongName,
                _ => Self::BadCertificate,
            },
            rustls::Error::AlertReceived(alert) => match alert {
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::DecryptError
                | AlertDescription::AccessDenied => Self::ClientCertificate,
                AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity => Self::NothingInCommon,
                _ => return None,
            },
            rustls::Error::PeerIncompatible(_) => Self::NothingInCommon,
            _ => return None,
        })
    }

    /// A word for logs and for those who search for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "CertificateExpired",
            Self::NotYetValid => "CertificateNotYetValid",
            Self::UnknownIssuer => "CertificateUnknownIssuer",
            Self::WrongName => "CertificateWrongName",
            Self::BadCertificate => "CertificateBad",
            Self::ClientCertificate => "ClientCertificateRefused",
            Self::NothingInCommon => "TlsNothingInCommon",
        }
    }

    /// What to do.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Expired => "have the server's certificate renewed; see also that the clock of this machine is right",
            Self::NotYetValid => "see that the clock of this machine is right",
            Self::UnknownIssuer => {
                "give the authority that signed the server's certificate with ca_file in [network]; a proxy that opens TLS \
                 has an authority of its own"
            }
            Self::WrongName => "write the host in the address as the server's certificate names it",
            Self::BadCertificate => {
                "have the server's certificate replaced: X.509 version 3, for servers, with its names"
            }
            Self::ClientCertificate => {
                "the server asks for a certificate: give client_certificate_file and client_key_file in [network], signed by \
                 an authority that the server knows"
            }
            Self::NothingInCommon => {
                "the server needs TLS 1.2 or 1.3 with ECDHE and AES-GCM or ChaCha20; Windows Server 2012 R2 with an RSA \
                 certificate has none of these: give it an ECDSA certificate or put a newer front end before it"
            }
        }
    }
}

/// The whole chain of causes, each said once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let part = inner.to_string();
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = inner.source();
    }
    text
}
