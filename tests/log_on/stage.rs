//! A sandbox behind TLS, certificates, and the transports of the daemon in front of it.

use std::{path::PathBuf, sync::Arc};

use calsyncd::{
    auth::ntlm::{PasswordLogOn, Schemes},
    clock::SystemClock,
    http::{
        Request, Response, Transport, TransportError,
        client::HttpConfig,
        pinned::{LogOn, PinnedTransport},
    },
    sandbox::{ExtendedProtection, LogOnScheme, RunningSandbox, Sandbox, SandboxSettings},
    settings::{Network, PemFile, Proxy},
};
use http::{HeaderMap, Method};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use secrecy::SecretString;
use tempfile::TempDir;

pub(crate) const USER: &str = "service";
pub(crate) const PASSWORD: &str = "secret";

/// A sandbox behind TLS with a certificate of its own, NTLM alone, and Extended Protection.
pub(crate) fn settings() -> SandboxSettings {
    let mut settings = SandboxSettings::with_mailboxes(["ana@example.test"], "Europe/Paris");
    settings.tls.enabled = true;
    settings.authentication = vec![LogOnScheme::Ntlm];
    settings.extended_protection = ExtendedProtection::Require;
    settings
}

pub(crate) async fn start(settings: SandboxSettings) -> RunningSandbox {
    Sandbox::start(settings, ([127, 0, 0, 1], 0).into(), None).await.unwrap()
}

pub(crate) fn log_on(user: &str, password: &str, schemes: Schemes) -> Arc<PasswordLogOn> {
    Arc::new(PasswordLogOn::new(user, &SecretString::from(password), schemes, Arc::new(SystemClock)).unwrap())
}

/// Trusts what the PEM text holds, besides the machine's authorities.
pub(crate) fn trusting(pem: &str) -> Network {
    let authorities = Some(PemFile { path: PathBuf::from("ca.pem"), text: pem.to_owned() });
    Network { authorities, proxy: Proxy::None, ..Network::default() }
}

pub(crate) fn config(network: Network) -> HttpConfig {
    HttpConfig { network, idle_connections_max: 8, ..HttpConfig::default() }
}

/// A pinned transport that trusts the sandbox.
pub(crate) fn pinned(sandbox: &RunningSandbox, log_on: Arc<dyn LogOn>) -> PinnedTransport {
    PinnedTransport::new(&config(trusting(sandbox.certificate().unwrap_or_default())), log_on).unwrap()
}

/// Asks EWS for its page, which it shows to whoever is logged on.
pub(crate) async fn get(transport: &dyn Transport, root: &str) -> Result<Response, TransportError> {
    let url = format!("{root}/EWS/Exchange.asmx");
    transport.send(Request { method: Method::GET, url, headers: HeaderMap::new(), body: Default::default() }).await
}

/// Certificates in a folder.
pub(crate) struct Authority {
    pub(crate) folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "An authority of a test");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for these names until the end of a year, and its key: two files.
    pub(crate) fn sign(&self, file: &str, names: &[&str], until: i32) -> (PathBuf, PathBuf) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let paths = ["crt", "key"].map(|kind| self.folder.path().join(format!("{file}.{kind}")));
        std::fs::write(&paths[0], certificate.pem()).unwrap();
        std::fs::write(&paths[1], key.serialize_pem()).unwrap();
        let [certificate, key] = paths;
        (certificate, key)
    }
}
