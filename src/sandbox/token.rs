//! The token endpoint: client credentials in, signed bearer token out, and errors in Entra's form.

mod assertion;
mod certificate;
mod jwt;
mod refusal;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use aws_lc_rs::hmac;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) use self::refusal::Refusal;
use self::{
    assertion::{Presented, Proved},
    jwt::Jwt,
};
use super::{
    cloud::{self, Cloud},
    settings::ApplicationSettings,
    urlencoded,
};

/// The role that opens EWS.
const EWS_ROLE: &str = "full_access_as_app";
/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Which face a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Microsoft Graph.
    Graph,
    /// Exchange Web Services.
    Ews,
    /// The sandbox itself, by its own address: both.
    Sandbox,
}

/// Why a token does not open a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenFault {
    /// Never issued here, or no longer known.
    Unknown,
    /// Its time is over.
    Expired,
    /// It is for the other face, or for another cloud.
    Audience,
    /// It was revoked.
    Revoked,
}

impl TokenFault {
    /// What the server says.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Unknown => "CompactToken parsing failed with error code: 80049217.",
            Self::Expired => "Lifetime validation failed, the token is expired.",
            Self::Audience => "Access token validation failure. Invalid audience.",
            Self::Revoked => "Continuous access evaluation resulted in claims challenge: the token was revoked.",
        }
    }
}

/// The applications, and the key that their tokens are signed with.
#[derive(Debug)]
pub(super) struct Tokens {
    applications: Mutex<Vec<ApplicationSettings>>,
    key: hmac::Key,
    /// The cloud that the sandbox's own address stands for.
    cloud: Cloud,
    /// Numbers the tokens.
    serial: AtomicI64,
    /// Tokens up to this number are void.
    revoked: AtomicI64,
    /// Names of assertions that were used.
    used: Mutex<HashSet<String>>,
}

/// A token, and what it was given for.
#[derive(Debug)]
pub(super) struct Issued {
    /// The answer.
    pub(super) answer: Value,
    /// `secret 1`, `certificate 2`, `federated ID`.
    pub(super) proved_by: String,
}

/// A token request.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenAsk<'a> {
    /// The tenant of the address.
    pub(super) tenant: &'a str,
    /// The whole address.
    pub(super) url: &'a str,
    /// The body.
    pub(super) form: &'a str,
}

impl Tokens {
    /// No tokens, for these applications.
    pub(super) fn new(applications: Vec<ApplicationSettings>, cloud: Cloud) -> Self {
        let mut secret = uuid::Uuid::new_v4().into_bytes().to_vec();
        secret.extend(uuid::Uuid::new_v4().into_bytes());
        Self {
            applications: Mutex::new(applications),
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            cloud,
            serial: AtomicI64::new(0),
            revoked: AtomicI64::new(0),
            used: Mutex::default(),
        }
    }

    fn applications(&self) -> MutexGuard<'_, Vec<ApplicationSettings>> {
        self.applications.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the applications of a client id.
    pub(super) fn change(&self, client_id: &str, change: impl Fn(&mut ApplicationSettings)) {
        self.applications().iter_mut().filter(|one| one.client_id == client_id).for_each(change);
    }

    /// Answers a token request with the token or the refusal.
    pub(super) fn issue(&self, ask: TokenAsk<'_>, now: Timestamp) -> Result<Issued, Refusal> {
        let form = urlencoded::pairs(ask.form);
        let field = |name: &str| urlencoded::value(&form, name).filter(|value| !value.is_empty());
        match field("grant_type") {
            Some("client_credentials") => {}
            Some(other) => {
                let message = format!("The app requested an unsupported grant type '{other}'.");
                return Err(Refusal::new(400, "unsupported_grant_type", 70003, message));
            }
            None => return Err(Refusal::missing("grant_type")),
        }
        let client_id = field("client_id").ok_or_else(|| Refusal::missing("client_id"))?;
        let application = self.application(ask, client_id)?;
        let is_jwt = field("client_assertion_type") == Some(ASSERTION_TYPE);
        let proved_by = match (field("client_secret"), field("client_assertion").filter(|_| is_jwt)) {
            (Some(secret), _) => by_secret(&application, secret)?,
            (None, Some(assertion)) => self.by_assertion(&application, assertion, ask.url, now)?,
            (None, None) => {
                let message =
                    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
                return Err(Refusal::client(7_000_218, message).failed_log_on(&application.client_id));
            }
        };
        let (resource, audience) = audience(field("scope"), application.cloud)?;
        let lifetime_s = application.token_lifetime_s;
        let token = self.token(&application, &resource, audience, now);
        let answer = json!({
            "token_type": "Bearer",
            "expires_in": lifetime_s,
            "ext_expires_in": lifetime_s,
            "access_token": token,
        });
        Ok(Issued { answer, proved_by })
    }

    fn by_assertion(
        &self,
        application: &ApplicationSettings,
        assertion: &str,
        token_url: &str,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let Proved { by, once } = assertion::check(&Presented { application, assertion, token_url, now })?;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if once.is_some_and(|id| !used.insert(id)) {
            let message = "Assertion failed signature validation. [Reason - The jti was used before.]";
            return Err(Refusal::client(50013, message).failed_log_on(&application.client_id));
        }
        Ok(by)
    }

    /// A token as the faces verify it. Without roles of the resource there is no claim of them.
    fn token(&self, application: &ApplicationSettings, resource: &str, audience: Audience, now: Timestamp) -> String {
        let now = now.as_second();
        let mut claims = json!({
            "aud": resource,
            "iss": format!("https://sts.windows.net/{}/", application.tenant_id),
            "iat": now,
            "nbf": now,
            "exp": now + i64::from(application.token_lifetime_s),
            "appid": application.client_id,
            "tid": application.tenant_id,
            "idtyp": "app",
            "ver": "1.0",
            "serial": self.serial.fetch_add(1, Ordering::Relaxed) + 1,
        });
        let opens = |role: &str| match audience {
            Audience::Graph => role != EWS_ROLE,
            Audience::Ews => role == EWS_ROLE,
            Audience::Sandbox => true,
        };
        let roles: Vec<&String> = application.roles.iter().filter(|role| opens(role)).collect();
        if !roles.is_empty() {
            claims["roles"] = json!(roles);
        }
        jwt::sign(&claims, &self.key)
    }

    fn application(&self, ask: TokenAsk<'_>, client_id: &str) -> Result<ApplicationSettings, Refusal> {
        let tenant = ask.tenant;
        if ["common", "consumers", "organizations"].contains(&tenant) {
            let message = "The grant type is not supported over the /common or /consumers endpoints.";
            return Err(Refusal::new(400, "invalid_request", 9_001_023, message));
        }
        let applications = self.applications();
        let in_tenant: Vec<&ApplicationSettings> =
            applications.iter().filter(|one| one.tenant_id.eq_ignore_ascii_case(tenant)).collect();
        let Some(any) = in_tenant.first() else {
            let message = format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
            );
            return Err(Refusal::new(400, "invalid_request", 90002, message));
        };
        if !cloud::gives_tokens(cloud::host(ask.url), self.cloud, any.cloud) {
            let message = "Confidential Client is not supported in Cross Cloud request.";
            return Err(Refusal::new(400, "invalid_request", 900_382, message));
        }
        let found = in_tenant.into_iter().find(|one| one.client_id.eq_ignore_ascii_case(client_id));
        let Some(application) = found else {
            let message =
                format!("Application with identifier '{client_id}' was not found in the directory '{tenant}'.");
            return Err(Refusal::new(400, "unauthorized_client", 700_016, message));
        };
        if application.disabled {
            let message = format!("Application '{client_id}' is disabled.");
            return Err(Refusal::new(400, "unauthorized_client", 7_000_112, message));
        }
        Ok(application.clone())
    }

    /// The application behind a token, with the roles that the token names, if it opens this face on this host now.
    pub(super) fn verify(
        &self,
        token: &str,
        face: Audience,
        host: &str,
        now: Timestamp,
    ) -> Result<ApplicationSettings, TokenFault> {
        let jwt = Jwt::parse(token).filter(|jwt| jwt.is_own(&self.key)).ok_or(TokenFault::Unknown)?;
        if jwt.number("serial").unwrap_or_default() <= self.revoked.load(Ordering::Relaxed) {
            return Err(TokenFault::Revoked);
        }
        if now.as_second() >= jwt.number("exp").unwrap_or_default() {
            return Err(TokenFault::Expired);
        }
        let resource = cloud::host(jwt.claim("aud"));
        let opens = match (cloud::face(resource), cloud::face(host)) {
            (Some((audience, in_cloud)), Some((_, asked))) => audience == face && in_cloud == asked,
            (Some((audience, _)), None) => audience == face,
            (None, asked) => cloud::is_own(resource) && asked.is_none(),
        };
        if !opens {
            return Err(TokenFault::Audience);
        }
        let applications = self.applications();
        let application = applications
            .iter()
            .find(|one| one.client_id == jwt.claim("appid") && one.tenant_id == jwt.claim("tid"))
            .ok_or(TokenFault::Unknown)?;
        Ok(ApplicationSettings { roles: jwt.list("roles"), ..application.clone() })
    }

    /// Makes every token void that is out.
    pub(super) fn revoke_all(&self) {
        self.revoked.store(self.serial.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Which of the application's secrets this is.
fn by_secret(application: &ApplicationSettings, secret: &str) -> Result<String, Refusal> {
    let id = &application.client_id;
    if let Some(at) = application.client_secrets.iter().position(|one| one == secret) {
        return Ok(format!("secret {}", at + 1));
    }
    let (code, message) = if application.expired_secrets.iter().any(|one| one == secret) {
        (7_000_222, format!("The provided client secret keys for app '{id}' are expired."))
    } else {
        let message = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not \
             the client secret ID, for a secret added to app '{id}'."
        );
        (7_000_215, message)
    };
    Err(Refusal::client(code, message).failed_log_on(id))
}

/// The resource of a scope, and what it opens.
fn audience(scope: Option<&str>, of_tenant: Cloud) -> Result<(String, Audience), Refusal> {
    let scope = scope.ok_or_else(|| Refusal::missing("scope"))?;
    if scope.split_whitespace().count() > 1 {
        let message =
            format!("The provided value for the input parameter 'scope' is not valid: several resources in '{scope}'.");
        return Err(Refusal::new(400, "invalid_scope", 70011, message));
    }
    let Some(resource) = scope.strip_suffix("/.default") else {
        let message =
            format!("The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.");
        return Err(Refusal::new(400, "invalid_scope", 70011, message));
    };
    let resource = resource.trim_end_matches('/');
    let host = cloud::host(resource);
    let audience = match cloud::face(host) {
        Some((audience, cloud)) if cloud == of_tenant => Some(audience),
        Some(_) => None,
        None => (resource.contains("://") && cloud::is_own(host)).then_some(Audience::Sandbox),
    };
    audience.map(|audience| (resource.to_owned(), audience)).ok_or_else(|| {
        let message = format!("The resource principal named {resource} was not found in the tenant.");
        Refusal::new(400, "invalid_resource", 500_011, message)
    })
}
