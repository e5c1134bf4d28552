//! `[network]`: whom we trust on the way to Outlook, who we are to TLS, and the proxy in between.

use std::{fmt, path::PathBuf};

use secrecy::SecretString;

/// `[network]`.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// `ca_file`: certificate authorities, added to those of the machine.
    pub authorities: Option<PemFile>,
    /// `client_certificate_file` and `client_key_file`.
    pub client: Option<ClientCertificate>,
    /// `proxy`.
    pub proxy: Proxy,
}

/// A file of PEM blocks as it was when the settings were loaded.
#[derive(Clone, PartialEq, Eq)]
pub struct PemFile {
    /// The file.
    pub path: PathBuf,
    /// What it held.
    pub text: String,
}

impl fmt::Debug for PemFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PemFile").field("path", &self.path).field("bytes", &self.text.len()).finish()
    }
}

/// The certificate that we show to a server which asks for one.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate, and those between it and its authority.
    pub chain: PemFile,
    /// Its key, PEM.
    pub key: SecretString,
}

/// The proxy on the way to Outlook. A loopback address is never reached through one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// As `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// None.
    None,
    /// `http://host:port`.
    Url(String),
}

impl Proxy {
    /// The word or the address of the settings.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Environment => "environment",
            Self::None => "none",
            Self::Url(url) => url,
        }
    }
}
