//! One request to the token endpoint, and what its answer means.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError, Scope,
    StandardErrorResponse, TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType},
};
use zeroize::Zeroizing;

use super::{
    entra, later,
    proof::Shown,
    token_memory::{ProofId, Token},
};
use crate::{
    http::{Request, Transport, TransportError, retry_after::retry_after},
    model::fault::{Fault, FaultKind, FaultScope},
};

/// How long before its end a token is renewed.
const RENEWAL_MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// What a token without `expires_in` is taken to live.
const LIFETIME_DEFAULT: SignedDuration = SignedDuration::from_mins(5);
/// The longest part of the server's own words that is kept.
const DESCRIPTION_LENGTH_MAX: usize = 300;
/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A difference of clocks that matters.
const SKEW_MIN_S: i64 = 60;

/// What is asked for.
pub(super) struct TokenRequest<'a> {
    pub(super) token_url: &'a TokenUrl,
    pub(super) client_id: &'a str,
    pub(super) scope: &'a str,
    /// What is shown, and its hash.
    pub(super) shown: &'a Shown,
    /// What the token is kept under.
    pub(super) proof: ProofId,
    pub(super) now: Timestamp,
}

/// Why there is no token.
pub(super) struct Refused {
    pub(super) fault: Fault,
    /// What is to blame.
    pub(super) blame: Blame,
}

/// What is to blame for a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// The proof: another one may be taken.
    Proof,
    /// The way that the assertion is signed.
    Algorithm,
    /// Something that another proof would meet too.
    Other,
}

/// Asks the server for a token.
pub(super) async fn ask(transport: &dyn Transport, request: TokenRequest<'_>) -> Result<Token, Refused> {
    let TokenRequest { token_url, client_id, scope, shown, proof, now } = request;
    let client = BasicClient::new(ClientId::new(client_id.to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(token_url.clone());
    let exchange = Exchange { transport, facts: Mutex::default(), now };
    let scope = Scope::new(scope.to_owned());
    let answer = match shown {
        Shown::Secret(secret) => {
            let client = client.set_client_secret(ClientSecret::new(secret.to_string()));
            client.exchange_client_credentials().add_scope(scope).request_async(&exchange).await
        }
        Shown::Assertion(assertion) => {
            let request = client.exchange_client_credentials().add_scope(scope);
            let request = request.add_extra_param("client_assertion_type", ASSERTION_TYPE);
            request.add_extra_param("client_assertion", assertion.as_str()).request_async(&exchange).await
        }
    };
    let facts = exchange.facts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let answer = answer.map_err(|error| refused(&error, facts, token_url, shown))?;
    let text = Zeroizing::new(format!("Bearer {}", answer.access_token().secret()));
    let mut header = HeaderValue::from_str(&text).map_err(|_| {
        let message = "the token holds a character that no header can hold";
        let kind = FaultKind::Transient { wait: None };
        let fault = Fault::new(FaultScope::Credential, kind, "TokenMalformed", message);
        Refused { fault, blame: Blame::Other }
    })?;
    header.set_sensitive(true);
    let lifetime = answer.expires_in().and_then(|life| SignedDuration::try_from(life).ok()).unwrap_or(LIFETIME_DEFAULT);
    let renewal = if lifetime > RENEWAL_MARGIN * 2 { lifetime - RENEWAL_MARGIN } else { lifetime / 2 };
    Ok(Token { header, renew: later(now, renewal), ends: later(now, lifetime), proof })
}

/// The fault of an attempt, and what is to blame.
fn refused(error: &TokenError, facts: Facts, token_url: &TokenUrl, shown: &Shown) -> Refused {
    let busy = FaultKind::Transient { wait: facts.wait };
    let refused = |status: u16| matches!(status, 400..=499) && !matches!(status, 408 | 429);
    let kind_of = |status| if refused(status) { FaultKind::Permanent } else { busy };
    let fault = |kind, code: String, message: String| Fault::new(FaultScope::Credential, kind, code, message);
    let (mut fault, blame) = match (error, facts.status) {
        (RequestTokenError::Request(error @ TransportError::Untrusted { problem, .. }), _) => {
            let fault = fault(busy, problem.code().to_owned(), format!("no token: {error}")).hint(problem.hint());
            (fault, Blame::Other)
        }
        (RequestTokenError::Request(error), _) => {
            (fault(busy, "TokenEndpointUnreachable".to_owned(), format!("no token: {error}")), Blame::Other)
        }
        (RequestTokenError::ServerResponse(answer), status) => refusal(answer, kind_of(status), busy, &facts, shown),
        (RequestTokenError::Parse(..) | RequestTokenError::Other(_), status) => {
            let message = "no token: the answer of the token address is not one of a token endpoint";
            let fault = fault(kind_of(status), format!("HTTP {status}"), message.to_owned())
                .hint(format!("check the token address {}", token_url.as_str()));
            (fault, Blame::Other)
        }
    };
    fault.request_id = facts.request_id;
    Refused { fault, blame }
}

/// The fault of an answer in the form of RFC 6749 §5.2.
fn refusal(
    answer: &StandardErrorResponse<BasicErrorResponseType>,
    by_status: FaultKind,
    busy: FaultKind,
    facts: &Facts,
    shown: &Shown,
) -> (Fault, Blame) {
    let description = answer.error_description().map_or("", String::as_str);
    let number = entra::code(description);
    let name = answer.error().as_ref();
    let passing = matches!(name, "temporarily_unavailable" | "server_error") || number.is_some_and(entra::is_passing);
    let kind = if passing { busy } else { by_status };
    let code = number.map_or_else(|| name.to_owned(), |number| format!("AADSTS{number}"));
    let line = description.lines().next().unwrap_or_default();
    let line: String = line.chars().take(DESCRIPTION_LENGTH_MAX).collect();
    let line = line.replace(shown.text(), "[secret]");
    let mut message = format!("no token ({name}): {line}");
    if let Some(ahead_s) = facts.ahead_s.filter(|seconds| seconds.abs() >= SKEW_MIN_S) {
        let (seconds, side) = (ahead_s.abs(), if ahead_s > 0 { "ahead of" } else { "behind" });
        message = format!("{message} (this machine's clock is {seconds} s {side} the server's)");
    }
    let blame = match shown {
        _ if kind != FaultKind::Permanent => Blame::Other,
        Shown::Assertion(_) if entra::names_algorithm(description) => Blame::Algorithm,
        Shown::Secret(_) | Shown::Assertion(_) if entra::is_about_proof(name, number) => Blame::Proof,
        Shown::Secret(_) | Shown::Assertion(_) => Blame::Other,
    };
    let fault = Fault::new(FaultScope::Credential, kind, code, message);
    let fault = match number.and_then(entra::hint) {
        Some(hint) => fault.hint(hint),
        None if passing => fault,
        None => {
            fault.hint("check tenant_id, client_id and what the application shows: its secret, certificate or token")
        }
    };
    (fault, blame)
}

type TokenError = RequestTokenError<TransportError, StandardErrorResponse<BasicErrorResponseType>>;

/// What the answer says beside its body.
#[derive(Debug, Default)]
struct Facts {
    status: u16,
    wait: Option<Duration>,
    request_id: Option<String>,
    /// Seconds by which this machine's clock is ahead of the server's.
    ahead_s: Option<i64>,
}

/// One exchange with the token endpoint, for the `oauth2` crate, which keeps of a failed answer only its body.
struct Exchange<'t> {
    transport: &'t dyn Transport,
    facts: Mutex<Facts>,
    now: Timestamp,
}

impl<'c> AsyncHttpClient<'c> for Exchange<'_> {
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let request =
                Request { method: parts.method, url: parts.uri.to_string(), headers: parts.headers, body: body.into() };
            let answer = self.transport.send(request).await?;
            let name = |header: &str| answer.headers.get(header)?.to_str().ok().map(str::to_owned);
            let date = name("date").and_then(|date| rfc2822::parse(&date).ok());
            *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = Facts {
                status: answer.status,
                wait: retry_after(&answer.headers, self.now),
                request_id: name("x-ms-request-id").or_else(|| name("request-id")),
                ahead_s: date.map(|date| self.now.as_second() - date.timestamp().as_second()),
            };
            let mut response = HttpResponse::new(answer.body.to_vec());
            *response.headers_mut() = answer.headers;
            *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
            Ok(response)
        })
    }
}
