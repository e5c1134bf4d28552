//! The token endpoint: client credentials in, bearer token out, and errors in Entra's form.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{settings::ApplicationSettings, urlencoded};

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

impl Audience {
    /// The audience of a resource such as `https://graph.microsoft.com`.
    fn of_resource(resource: &str) -> Option<Self> {
        let (_, host) = resource.split_once("://")?;
        let host = host.split(['/', ':']).next()?;
        match host {
            "graph.microsoft.com"
            | "graph.microsoft.us"
            | "dod-graph.microsoft.us"
            | "microsoftgraph.chinacloudapi.cn" => Some(Self::Graph),
            "outlook.office365.com" | "outlook.office.com" | "outlook.office365.us" | "partner.outlook.cn" => {
                Some(Self::Ews)
            }
            "127.0.0.1" | "localhost" | "[" => Some(Self::Sandbox),
            _ => None,
        }
    }
}

/// Why a token does not open a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenFault {
    /// Never issued here, or no longer known.
    Unknown,
    /// Its time is over.
    Expired,
    /// It is for the other face.
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

/// The tokens that are out.
#[derive(Debug)]
pub(super) struct Tokens {
    applications: Vec<ApplicationSettings>,
    foreign_tenants: Vec<String>,
    issued: Mutex<HashMap<String, Issued>>,
}

#[derive(Debug)]
struct Issued {
    application: usize,
    audience: Audience,
    expires: Timestamp,
    revoked: bool,
}

/// A refusal of the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// 400 or 401.
    pub(super) status: u16,
    error: &'static str,
    code: u32,
    message: String,
    /// The application that failed to prove itself.
    pub(super) failed_log_on: Option<String>,
}

impl Refusal {
    fn new(status: u16, error: &'static str, code: u32, message: impl Into<String>) -> Self {
        Self { status, error, code, message: message.into(), failed_log_on: None }
    }

    /// The body in Entra's form.
    pub(super) fn body(&self, now: Timestamp, trace_id: &str) -> Value {
        let timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let Self { code, message, .. } = self;
        json!({
            "error": self.error,
            "error_description":
                format!("AADSTS{code}: {message} Trace ID: {trace_id} Correlation ID: {trace_id} Timestamp: {timestamp}"),
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": trace_id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        })
    }
}

impl Tokens {
    /// No tokens, for these applications; these tenants live in another cloud.
    pub(super) fn new(applications: Vec<ApplicationSettings>, foreign_tenants: Vec<String>) -> Self {
        Self { applications, foreign_tenants, issued: Mutex::default() }
    }

    /// Answers a token request with the token or the refusal.
    pub(super) fn issue(&self, tenant: &str, form: &str, now: Timestamp) -> Result<Value, Refusal> {
        let form = urlencoded::pairs(form);
        let field = |name: &str| urlencoded::value(&form, name).filter(|value| !value.is_empty());
        match field("grant_type") {
            Some("client_credentials") => {}
            Some(other) => {
                let message = format!("The app requested an unsupported grant type '{other}'.");
                return Err(Refusal::new(400, "unsupported_grant_type", 70003, message));
            }
            None => return Err(missing("grant_type")),
        }
        let client_id = field("client_id").ok_or_else(|| missing("client_id"))?;
        let application = self.application(tenant, client_id)?;
        self.prove(application, field("client_secret"), field("client_assertion").is_some())?;
        let audience = audience(field("scope"))?;
        let lifetime_s = self.applications[application].token_lifetime_s;
        let token = self.token(application, field("scope").unwrap_or_default());
        let expires = Timestamp::from_second(now.as_second() + i64::from(lifetime_s)).unwrap_or(Timestamp::MAX);
        let issued = Issued { application, audience, expires, revoked: false };
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), issued);
        Ok(json!({
            "token_type": "Bearer",
            "expires_in": lifetime_s,
            "ext_expires_in": lifetime_s,
            "access_token": token,
        }))
    }

    /// A token in the form of a JWT (RFC 7519). Nothing is read from it here: it is known or not.
    fn token(&self, application: usize, scope: &str) -> String {
        let application = &self.applications[application];
        let mut claims = json!({
            "aud": scope.trim_end_matches("/.default"),
            "appid": application.client_id,
            "tid": application.tenant_id,
        });
        if application.roles_in_token && !application.roles.is_empty() {
            claims["roles"] = json!(application.roles);
        }
        let head = URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "JWT"}).to_string());
        let ends = format!("sandbox-{}-{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        format!("{head}.{}.{ends}", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    fn application(&self, tenant: &str, client_id: &str) -> Result<usize, Refusal> {
        if ["common", "consumers", "organizations"].contains(&tenant) {
            let message = "The grant type is not supported over the /common or /consumers endpoints.";
            return Err(Refusal::new(400, "invalid_request", 9_001_023, message));
        }
        if self.foreign_tenants.iter().any(|one| one.eq_ignore_ascii_case(tenant)) {
            let message = "Confidential Client is not supported in Cross Cloud request.";
            return Err(Refusal::new(400, "invalid_request", 900_382, message));
        }
        let mut in_tenant = self
            .applications
            .iter()
            .enumerate()
            .filter(|(_, one)| one.tenant_id.eq_ignore_ascii_case(tenant))
            .peekable();
        if in_tenant.peek().is_none() {
            let message = format!("Tenant '{tenant}' not found.");
            return Err(Refusal::new(400, "invalid_request", 90002, message));
        }
        let found = in_tenant.find(|(_, one)| one.client_id.eq_ignore_ascii_case(client_id));
        let Some((index, application)) = found else {
            let message =
                format!("Application with identifier '{client_id}' was not found in the directory '{tenant}'.");
            return Err(Refusal::new(400, "unauthorized_client", 700_016, message));
        };
        if application.disabled {
            let message = format!("Application '{client_id}' is disabled.");
            return Err(Refusal::new(400, "unauthorized_client", 7_000_112, message));
        }
        Ok(index)
    }

    fn prove(&self, index: usize, secret: Option<&str>, assertion: bool) -> Result<(), Refusal> {
        let application = &self.applications[index];
        let id = &application.client_id;
        let refusal = match secret {
            Some(secret) if application.client_secrets.iter().any(|one| one == secret) => return Ok(()),
            Some(secret) if application.expired_secrets.iter().any(|one| one == secret) => {
                (7_000_222, format!("The provided client secret keys for app '{id}' are expired."))
            }
            Some(_) => (
                7_000_215,
                format!(
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
                     value, not the client secret ID, for a secret added to app '{id}'."
                ),
            ),
            None if assertion => {
                (700_027, "The certificate used to sign the client assertion is not registered.".to_owned())
            }
            None => (
                7_000_218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
                    .to_owned(),
            ),
        };
        let mut refusal = Refusal::new(401, "invalid_client", refusal.0, refusal.1);
        refusal.failed_log_on = Some(id.clone());
        Err(refusal)
    }

    /// The application behind a token, if it opens this face now.
    pub(super) fn verify(
        &self,
        token: &str,
        audience: Audience,
        now: Timestamp,
    ) -> Result<ApplicationSettings, TokenFault> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let issued = issued.get(token).ok_or(TokenFault::Unknown)?;
        if issued.revoked {
            return Err(TokenFault::Revoked);
        }
        if now >= issued.expires {
            return Err(TokenFault::Expired);
        }
        if issued.audience != audience && issued.audience != Audience::Sandbox {
            return Err(TokenFault::Audience);
        }
        Ok(self.applications[issued.application].clone())
    }

    /// Makes every token void that is out.
    pub(super) fn revoke_all(&self) {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.values_mut().for_each(|issued| issued.revoked = true);
    }
}

fn missing(name: &str) -> Refusal {
    let message = format!("The request body must contain the following parameter: '{name}'.");
    Refusal::new(400, "invalid_request", 900_144, message)
}

fn audience(scope: Option<&str>) -> Result<Audience, Refusal> {
    let scope = scope.ok_or_else(|| missing("scope"))?;
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
    Audience::of_resource(resource.trim_end_matches('/')).ok_or_else(|| {
        let message = format!("The resource principal named {resource} was not found in the tenant.");
        Refusal::new(400, "invalid_resource", 500_011, message)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tokens() -> Tokens {
        let known = ApplicationSettings {
            tenant_id: "t".to_owned(),
            client_id: "c".to_owned(),
            client_secrets: vec!["s+1".to_owned()],
            expired_secrets: vec!["old".to_owned()],
            token_lifetime_s: 100,
            ..ApplicationSettings::default()
        };
        let disabled = ApplicationSettings { client_id: "d".to_owned(), disabled: true, ..known.clone() };
        Tokens::new(vec![known, disabled], vec!["abroad".to_owned()])
    }

    const GOOD: &str = "grant_type=client_credentials&client_id=c&client_secret=s%2B1&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";

    #[test]
    fn a_token_opens_its_face_until_it_ends() {
        let tokens = tokens();
        let at = |second| Timestamp::from_second(second).unwrap();
        let answer = tokens.issue("T", GOOD, at(0)).unwrap();
        let token = answer["access_token"].as_str().unwrap();
        let verify =
            |audience, second| tokens.verify(token, audience, at(second)).map(|application| application.client_id);
        assert_eq!(verify(Audience::Graph, 99), Ok("c".to_owned()));
        assert_eq!(verify(Audience::Ews, 99), Err(TokenFault::Audience));
        assert_eq!(verify(Audience::Graph, 100), Err(TokenFault::Expired));
        tokens.revoke_all();
        assert_eq!(verify(Audience::Graph, 1), Err(TokenFault::Revoked));
        assert_eq!(tokens.verify("x", Audience::Graph, at(0)), Err(TokenFault::Unknown));
    }

    #[test]
    fn each_refusal_has_entras_code() {
        let tokens = tokens();
        for (tenant, form, status, code) in [
            ("t", GOOD.replace("client_credentials", "password"), 400, 70003),
            ("t", GOOD.replace("grant_type", "x"), 400, 900_144),
            ("common", GOOD.to_owned(), 400, 9_001_023),
            ("u", GOOD.to_owned(), 400, 90002),
            ("abroad", GOOD.to_owned(), 400, 900_382),
            ("t", GOOD.replace("client_id=c", "client_id=e"), 400, 700_016),
            ("t", GOOD.replace("client_id=c", "client_id=d"), 400, 7_000_112),
            ("t", GOOD.replace("s%2B1", "s+1"), 401, 7_000_215),
            ("t", GOOD.replace("s%2B1", "old"), 401, 7_000_222),
            ("t", GOOD.replace("client_secret", "x"), 401, 7_000_218),
            ("t", GOOD.replace("client_secret", "client_assertion"), 401, 700_027),
            ("t", GOOD.replace("%2F.default", ""), 400, 70011),
            ("t", GOOD.replace("graph.microsoft.com", "example.test"), 400, 500_011),
        ] {
            let refusal = tokens.issue(tenant, &form, Timestamp::UNIX_EPOCH).unwrap_err();
            assert_eq!((refusal.status, refusal.code), (status, code), "{form}");
            let body = refusal.body(Timestamp::UNIX_EPOCH, "id");
            assert!(body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")));
        }
    }
}
