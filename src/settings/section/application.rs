//! The application of `[exchange]`: where its tokens come from, and what it shows to get them.

use std::fs;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    super::{
        AssertionAlgorithm, Credential, Proof, ProofKind,
        certificate::{self, Certificate},
        cloud::Cloud,
        reader::{Given, Reader, Section},
        secret::SecretOrigin,
        service_url::ServiceUrl,
        words::ASSERTION_ALGORITHMS,
    },
    exchange::{CredentialRead, needed_secret},
};

/// Fields that only an application has.
pub(super) const KEYS: [&str; 22] = [
    "tenant_id",
    "client_id",
    "client_secret",
    "client_secret_file",
    "client_secret_expires",
    "next_client_secret",
    "next_client_secret_file",
    "next_client_secret_expires",
    "application_certificate_file",
    "application_key",
    "application_key_file",
    "application_certificate_password",
    "application_certificate_password_file",
    "next_application_certificate_file",
    "next_application_key",
    "next_application_key_file",
    "next_application_certificate_password",
    "next_application_certificate_password_file",
    "application_certificate_algorithm",
    "federated_token_file",
    "cloud",
    "token_url",
];

/// The largest file of a certificate, its chain and its key.
const CERTIFICATE_SIZE_MAX: u64 = 1024 * 1024;

/// What is known before the application is read.
pub(super) struct Wanted {
    /// When an application is needed: "when use_oauth is on".
    pub(super) reason: &'static str,
    /// The address of Graph or EWS, when one is given.
    pub(super) service: Option<Given<ServiceUrl>>,
    /// What tokens are for.
    pub(super) scope: Option<String>,
    /// `cloud`.
    pub(super) cloud: Option<Given<Cloud>>,
}

/// The keys of one certificate.
struct CertificateKeys {
    base: &'static str,
    file: &'static str,
    key: &'static str,
    password: &'static str,
}

const FIRST: CertificateKeys = CertificateKeys {
    base: "application_certificate",
    file: "application_certificate_file",
    key: "application_key",
    password: "application_certificate_password",
};

const NEXT: CertificateKeys = CertificateKeys {
    base: "next_application_certificate",
    file: "next_application_certificate_file",
    key: "next_application_key",
    password: "next_application_certificate_password",
};

/// Reads the application; `None` when a finding says why it cannot be used.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, wanted: Wanted) -> Option<CredentialRead> {
    let reason = wanted.reason;
    reader.needed(section, "tenant_id", reason, "copy the Directory (tenant) ID of the app registration");
    reader.needed(section, "client_id", reason, "copy the Application (client) ID of the app registration");
    let tenant = tenant(reader, section);
    let client_id = reader.text(section, "client_id");
    let given = reader.url(section, "token_url");
    let cloud = one_cloud(reader, &wanted, given.as_ref());
    let token_url = match given {
        Some(given) => Some(given.value.text),
        None if section.has("token_url") => None,
        None => {
            let host = cloud.unwrap_or(Cloud::Global).token_host();
            tenant.as_ref().map(|tenant| format!("https://{host}/{tenant}/oauth2/v2.0/token"))
        }
    };
    let (proofs, secrets) = proofs(reader, section, reason)?;
    tenant?;
    let credential =
        Credential::Application { token_url: token_url?, client_id: client_id?.value, scope: wanted.scope?, proofs };
    Some((credential, secrets))
}

/// The cloud that the addresses and `cloud` agree on. Tokens of one cloud open nothing in another, so that two clouds in one
/// section are a fault. Addresses that are nobody's go with every cloud.
fn one_cloud(reader: &mut Reader<'_>, wanted: &Wanted, token_url: Option<&Given<ServiceUrl>>) -> Option<Cloud> {
    let said = wanted.cloud.as_ref().map(|given| given.value);
    // Where nobody says otherwise, the service is that of the global cloud.
    let mut possible = said.or(wanted.service.is_none().then_some(Cloud::Global)).map(|cloud| vec![cloud]);
    for given in [wanted.service.as_ref(), token_url].into_iter().flatten() {
        let of_host = Cloud::of_host(&given.value.host);
        if of_host.is_empty() {
            continue;
        }
        let before = possible.unwrap_or_else(|| of_host.clone());
        let both: Vec<Cloud> = before.iter().copied().filter(|cloud| of_host.contains(cloud)).collect();
        if both.is_empty() {
            let names = |clouds: &[Cloud]| clouds.iter().map(|cloud| cloud.word()).collect::<Vec<_>>().join(" or ");
            let message = format!(
                "this address belongs to the cloud {}, and the section is for {}: tokens of one open nothing in another",
                names(&of_host),
                names(&before),
            );
            reader.error(&given.place, message, "give `cloud` alone, or addresses of one cloud");
            return None;
        }
        possible = Some(both);
    }
    possible.and_then(|clouds| clouds.first().copied())
}

fn tenant(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<String> {
    let given = reader.text(section, "tenant_id")?;
    if !given.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)) {
        let message = format!("{:?} is neither the id nor a domain of a tenant", given.value);
        reader.error(&given.place, message, "give the id, or a domain such as \"example.onmicrosoft.com\"");
        return None;
    }
    if ["common", "organizations", "consumers"].contains(&given.value.as_str()) {
        let message = format!("{:?} names no tenant: an application signs in to one", given.value);
        reader.error(&given.place, message, "give the Directory (tenant) ID");
        return None;
    }
    Some(given.value)
}

type Proofs = (Vec<Proof>, Vec<(String, SecretOrigin)>);

/// What the application shows: one proof, and perhaps the next one beside it.
fn proofs(reader: &mut Reader<'_>, section: &Section<'_>, reason: &str) -> Option<Proofs> {
    let has_certificate = |reader: &Reader<'_>, keys: &CertificateKeys| {
        section.has(keys.file) || reader.credential_file(keys.base).is_some()
    };
    let first = [
        ("client_secret", reader.has_secret(section, "client_secret")),
        ("application_certificate_file", has_certificate(reader, &FIRST)),
        ("federated_token_file", section.has("federated_token_file")),
    ];
    let next = [
        ("next_client_secret", reader.has_secret(section, "next_client_secret")),
        ("next_application_certificate_file", has_certificate(reader, &NEXT)),
    ];
    let (first, next) = (one_of(reader, section, &first), one_of(reader, section, &next));
    let mut found = Proofs::default();
    let mut whole = true;
    let algorithm = reader.word(section, "application_certificate_algorithm", ASSERTION_ALGORITHMS);
    let algorithm = algorithm.map_or(AssertionAlgorithm::Auto, |given| given.value);
    whole &= match first? {
        None | Some("client_secret") => secret(reader, section, "client_secret", reason, &mut found),
        Some("application_certificate_file") => certificate(reader, section, &FIRST, algorithm, &mut found),
        Some(_) => federated(reader, section, &mut found),
    };
    whole &= match next? {
        None => true,
        Some("next_client_secret") => secret(reader, section, "next_client_secret", reason, &mut found),
        Some(_) => certificate(reader, section, &NEXT, algorithm, &mut found),
    };
    whole.then_some(found)
}

/// The one of these that is given: none, one, or a finding.
fn one_of(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    given: &[(&'static str, bool)],
) -> Option<Option<&'static str>> {
    let given: Vec<&'static str> = given.iter().filter(|(_, is_given)| *is_given).map(|(key, _)| *key).collect();
    if let [one, another, ..] = given.as_slice() {
        let place = reader.place_of(section, another);
        let hint =
            "keep one of them; what is to follow it goes under next_client_secret or next_application_certificate_file";
        reader.error(&place, format!("both `{one}` and `{another}` say what the application shows"), hint);
        return None;
    }
    Some(given.first().copied())
}

fn secret(reader: &mut Reader<'_>, section: &Section<'_>, key: &'static str, reason: &str, found: &mut Proofs) -> bool {
    let expires = format!("{key}_expires");
    let ends = date(reader, section, &expires);
    let Some(secret) = needed_secret(reader, section, key, reason) else { return false };
    found.0.push(Proof { key, kind: ProofKind::Secret(secret.value), ends });
    found.1.push((format!("exchange.{key}"), secret.origin));
    ends.is_some() || !section.has(&expires)
}

/// A day such as `2027-03-01`, at its beginning in UTC.
fn date(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<Timestamp> {
    let given = reader.text(section, key)?;
    let day = given.value.parse::<Date>().ok().filter(|_| given.value.len() == 10);
    let Some(ends) = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok()) else {
        reader.error(&given.place, format!("{:?} is not a day", given.value), "write it as \"2027-03-01\"");
        return None;
    };
    Some(ends.timestamp())
}

fn certificate(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    keys: &CertificateKeys,
    algorithm: AssertionAlgorithm,
    found: &mut Proofs,
) -> bool {
    let place = reader.place_of(section, keys.file);
    let (path, is_credential) = match (reader.credential_file(keys.base), reader.text(section, keys.file)) {
        (Some(path), _) => (path, true),
        (None, Some(given)) => (reader.folder().join(given.value), false),
        (None, None) => return false,
    };
    let (has_key, has_password) = (reader.has_secret(section, keys.key), reader.has_secret(section, keys.password));
    let (key, password) = (reader.secret(section, keys.key), reader.secret(section, keys.password));
    if (has_key && key.is_none()) || (has_password && password.is_none()) {
        return false;
    }
    for (name, secret) in [(keys.key, &key), (keys.password, &password)] {
        found.1.extend(secret.as_ref().map(|secret| (format!("exchange.{name}"), secret.origin.clone())));
    }
    let bytes = match fs::metadata(&path) {
        Ok(metadata) if metadata.len() > CERTIFICATE_SIZE_MAX => {
            let message = format!("{} is larger than a certificate can be", path.display());
            reader.error(&place, message, "give the file of the certificate and its key");
            return false;
        }
        Ok(_) | Err(_) => fs::read(&path),
    };
    // What cannot be read stands in: `check` may run as somebody who cannot reach it.
    let unread =
        key.as_ref().is_some_and(|key| key.is_unread()) || password.as_ref().is_some_and(|one| one.is_unread());
    let certificate = match bytes {
        Err(error) => {
            let hint = "see that the path is right and that the user of the service may read the file";
            reader.reachable(&place, format!("{}: {error}", path.display()), hint);
            Certificate::unread()
        }
        Ok(_) if unread => Certificate::unread(),
        Ok(bytes) => {
            let (key, password) = (key.map(|key| key.value), password.map(|password| password.value));
            match certificate::parse(&bytes, key.as_ref(), password.as_ref()) {
                Ok(certificate) => {
                    if !is_credential && !has_key {
                        reader.closed(&path, &place);
                    }
                    certificate
                }
                Err(fault) => {
                    reader.error(&place, format!("{}: {fault}", path.display()), &fault.hint(keys.base));
                    return false;
                }
            }
        }
    };
    let ends = certificate.ends;
    found.0.push(Proof { key: keys.base, kind: ProofKind::Certificate { certificate, algorithm }, ends });
    true
}

fn federated(reader: &mut Reader<'_>, section: &Section<'_>, found: &mut Proofs) -> bool {
    let Some(given) = reader.text(section, "federated_token_file") else { return false };
    let path = reader.folder().join(&given.value);
    if let Err(error) = fs::metadata(&path) {
        let hint = "the file is read again for each token; see that the user of the service may read it";
        reader.warn(&given.place, format!("{}: {error}", path.display()), hint);
    }
    found.0.push(Proof { key: "federated_token", kind: ProofKind::FederatedToken(path), ends: None });
    true
}
