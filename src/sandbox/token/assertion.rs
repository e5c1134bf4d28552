//! Client assertions: signed with a certificate of the application, or given by another issuer.

use jiff::Timestamp;

use super::{super::settings::ApplicationSettings, certificate::Certificate, jwt::Jwt, refusal::Refusal};

/// How far clocks may differ.
const SKEW_S: i64 = 5 * 60;

/// A client assertion, and what it is held against.
pub(super) struct Presented<'a> {
    pub(super) application: &'a ApplicationSettings,
    pub(super) assertion: &'a str,
    /// The token address that was asked.
    pub(super) token_url: &'a str,
    pub(super) now: Timestamp,
}

/// Who signed an assertion, and the name that it may use only once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proved {
    /// `certificate 1`, `federated SUBJECT`.
    pub(super) by: String,
    /// Its name, unless it may be shown again.
    pub(super) once: Option<String>,
}

/// Checks an assertion.
pub(super) fn check(presented: &Presented<'_>) -> Result<Proved, Refusal> {
    let malformed = || Refusal::client(50027, "JWT token is invalid or malformed.");
    let jwt = Jwt::parse(presented.assertion).ok_or_else(malformed)?;
    let proved = if jwt.claim("iss").eq_ignore_ascii_case(&presented.application.client_id) {
        own(presented, &jwt)
    } else if presented.application.federated.is_empty() {
        Err(Refusal::client(50048, "Subject must match Issuer claim in the client assertion."))
    } else {
        federated(presented, &jwt)
    };
    proved.map_err(|refusal| match refusal.code {
        // A way of signing is no attempt at a log-on.
        ALGORITHM => refusal,
        _ => refusal.failed_log_on(&presented.application.client_id),
    })
}

/// The code of a refused algorithm.
const ALGORITHM: u32 = 5_002_738;

/// An assertion that a certificate of the application has signed.
fn own(presented: &Presented<'_>, jwt: &Jwt) -> Result<Proved, Refusal> {
    let Presented { application, token_url, now, .. } = presented;
    let algorithm = jwt.header("alg");
    if !application.assertion_algorithms.iter().any(|one| one == algorithm) {
        let message = format!("Invalid client assertion: the algorithm '{algorithm}' is not supported.");
        return Err(Refusal::client(ALGORITHM, message));
    }
    let (sha256, sha1) = (jwt.header("x5t#S256"), jwt.header("x5t"));
    let certificates = application.certificates.iter().map(|pem| Certificate::parse(pem));
    let found = certificates.enumerate().find_map(|(at, certificate)| {
        certificate.filter(|certificate| certificate.has_thumbprint(sha256, sha1)).map(|found| (at + 1, found))
    });
    let unknown = |reason: &str| {
        let message = format!(
            "The certificate with identifier used to sign the client assertion is not registered on application. {reason}"
        );
        Refusal::client(700_027, message)
    };
    let (at, certificate) = found.ok_or_else(|| unknown("[Reason - The key was not found.]"))?;
    if certificate.ends <= *now {
        return Err(unknown("[Reason - The key used is expired.]"));
    }
    let invalid =
        |reason: &str| Refusal::client(50013, format!("Assertion failed signature validation. [Reason - {reason}]"));
    if !jwt.is_signed_by(&certificate.public_key) {
        return Err(invalid("The provided signature value did not match the expected signature value."));
    }
    if jwt.claim("sub") != jwt.claim("iss") {
        return Err(Refusal::client(50048, "Subject must match Issuer claim in the client assertion."));
    }
    if jwt.claim("aud") != *token_url {
        return Err(invalid("The audience is not that of the token address."));
    }
    in_time(jwt, *now)?;
    let id = jwt.claim("jti");
    if id.is_empty() {
        return Err(invalid("There is no jti."));
    }
    Ok(Proved { by: format!("certificate {at}"), once: Some(id.to_owned()) })
}

/// The token of another issuer that the application trusts.
fn federated(presented: &Presented<'_>, jwt: &Jwt) -> Result<Proved, Refusal> {
    let no_match = |code, what: &str, value: &str| {
        let message = format!("No matching federated identity record found for presented assertion {what} '{value}'.");
        Refusal::client(code, message)
    };
    let issuer = jwt.claim("iss");
    let known = presented.application.federated.iter().find(|one| one.issuer == issuer);
    let known = known.ok_or_else(|| no_match(700_211, "issuer", issuer))?;
    let certificate = Certificate::parse(&known.certificate);
    if !certificate.is_some_and(|certificate| jwt.is_signed_by(&certificate.public_key)) {
        return Err(Refusal::client(50013, "Assertion failed signature validation."));
    }
    let (subject, audience) = (jwt.claim("sub"), jwt.claim("aud"));
    if audience != known.audience {
        return Err(no_match(700_212, "audience", audience));
    }
    if subject != known.subject {
        return Err(no_match(700_213, "subject", subject));
    }
    in_time(jwt, presented.now)?;
    // Such a token is shown as often as its issuer lets it live.
    Ok(Proved { by: format!("federated {}", jwt.claim("jti")), once: None })
}

fn in_time(jwt: &Jwt, now: Timestamp) -> Result<(), Refusal> {
    let (begins, ends) = (jwt.number("nbf").unwrap_or(i64::MIN), jwt.number("exp").unwrap_or(i64::MIN));
    let now = now.as_second();
    if begins <= now.saturating_add(SKEW_S) && now.saturating_sub(SKEW_S) < ends {
        return Ok(());
    }
    let message = format!(
        "Client assertion is not within its valid time range. Current time: {now}, nbf: {begins}, exp: {ends}."
    );
    Err(Refusal::client(700_024, message))
}
