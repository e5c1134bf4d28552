//! OAuth2 client credentials (RFC 6749 §4.4) against Microsoft Entra: a token for the application itself.
//! <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError, Scope,
    StandardErrorResponse, TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType},
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{AuthError, Authorization, REFUSAL, entra, later};
use crate::{
    clock::Clock,
    http::{Request, Transport, TransportError, retry_after::retry_after},
    model::fault::{Fault, FaultKind, FaultScope},
};

/// How long before its end a token is renewed.
const RENEWAL_MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// What a token without `expires_in` is taken to live.
const LIFETIME_DEFAULT: SignedDuration = SignedDuration::from_mins(5);
/// How long the successor of a refused token is not dropped: refusals of the token before it still come in.
const SUCCESSOR: SignedDuration = SignedDuration::from_secs(2);
/// The longest part of the server's own words that is kept.
const DESCRIPTION_LENGTH_MAX: usize = 300;

/// The application and where its tokens come from.
#[derive(Debug, Clone)]
pub struct Application {
    /// Where tokens come from.
    pub token_url: String,
    /// The application's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// What the token is for, `<resource>/.default`.
    pub scope: String,
}

/// Tokens of one application, cached, asked for one at a time.
pub struct ClientCredentials {
    application: Application,
    token_url: TokenUrl,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    cache: Mutex<Cache>,
    /// Held by whoever asks for a token; the others wait for what comes of it.
    turn: tokio::sync::Mutex<()>,
}

/// What is known.
#[derive(Default)]
struct Cache {
    token: Option<Token>,
    refusal: Option<Refusal>,
    /// How many attempts have come to an end.
    attempts: u64,
    /// A token was refused and its successor is not there yet.
    succession: bool,
}

struct Token {
    header: HeaderValue,
    issued: Timestamp,
    renew: Timestamp,
    ends: Timestamp,
    successor: bool,
}

/// Why the last attempt gave no token, and until when it is not repeated.
struct Refusal {
    fault: Fault,
    until: Timestamp,
    attempt: u64,
}

impl ClientCredentials {
    /// Prepares the application; asks for nothing yet.
    ///
    /// # Errors
    /// When the token address is none.
    pub fn new(
        application: Application,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AuthError> {
        let token_url = TokenUrl::new(application.token_url.clone())
            .map_err(|source| AuthError::TokenUrl { url: application.token_url.clone(), source })?;
        let (cache, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { application, token_url, transport, clock, cache, turn })
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that is good for long enough, or the outcome of the attempt that ended while the caller waited.
    async fn token(&self) -> Result<HeaderValue, Fault> {
        let seen = {
            let cache = self.cache();
            if let Some(settled) = cache.settled(self.clock.now(), cache.attempts) {
                return settled;
            }
            cache.attempts
        };
        let _turn = self.turn.lock().await;
        if let Some(settled) = self.cache().settled(self.clock.now(), seen) {
            return settled;
        }
        let outcome = self.ask().await;
        self.cache().keep(outcome, self.clock.now())
    }

    /// Asks the server for a token.
    async fn ask(&self) -> Result<Token, Fault> {
        let issued = self.clock.now();
        let client = BasicClient::new(ClientId::new(self.application.client_id.clone()))
            .set_client_secret(ClientSecret::new(self.application.client_secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(self.token_url.clone());
        let exchange = Exchange { transport: self.transport.as_ref(), facts: Mutex::default(), now: issued };
        let answer = client
            .exchange_client_credentials()
            .add_scope(Scope::new(self.application.scope.clone()))
            .request_async(&exchange)
            .await;
        let facts = exchange.facts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let answer = answer.map_err(|error| self.fault(&error, facts))?;
        let text = Zeroizing::new(format!("Bearer {}", answer.access_token().secret()));
        let mut header = HeaderValue::from_str(&text).map_err(|_| {
            let message = "the token holds a character that no header can hold";
            Fault::new(FaultScope::Credential, FaultKind::Transient { wait: None }, "TokenMalformed", message)
        })?;
        header.set_sensitive(true);
        let lifetime =
            answer.expires_in().and_then(|life| SignedDuration::try_from(life).ok()).unwrap_or(LIFETIME_DEFAULT);
        let renewal = if lifetime > RENEWAL_MARGIN * 2 { lifetime - RENEWAL_MARGIN } else { lifetime / 2 };
        let (renew, ends) = (later(issued, renewal), later(issued, lifetime));
        Ok(Token { header, issued, renew, ends, successor: false })
    }

    /// The fault of an attempt.
    fn fault(&self, error: &TokenError, facts: Facts) -> Fault {
        let wait = facts.wait;
        let busy = FaultKind::Transient { wait };
        let refused = |status: u16| matches!(status, 400..=499) && !matches!(status, 408 | 429);
        let kind_of = |status| if refused(status) { FaultKind::Permanent } else { busy };
        let fault = |kind, code: String, message: String| Fault::new(FaultScope::Credential, kind, code, message);
        let mut fault = match (error, facts.status) {
            (RequestTokenError::Request(error), _) => {
                fault(busy, "TokenEndpointUnreachable".to_owned(), format!("no token: {error}"))
            }
            (RequestTokenError::ServerResponse(answer), status) => self.refusal(answer, kind_of(status), busy),
            (RequestTokenError::Parse(..) | RequestTokenError::Other(_), status) => {
                let message = "no token: the answer of the token address is not one of a token endpoint";
                fault(kind_of(status), format!("HTTP {status}"), message.to_owned())
                    .hint(format!("check the token address {}", self.token_url.as_str()))
            }
        };
        fault.request_id = facts.request_id;
        fault
    }

    /// The fault of an answer in the form of RFC 6749 §5.2.
    fn refusal(
        &self,
        answer: &StandardErrorResponse<BasicErrorResponseType>,
        by_status: FaultKind,
        busy: FaultKind,
    ) -> Fault {
        let description = answer.error_description().map_or("", String::as_str);
        let number = entra::code(description);
        let name = answer.error().as_ref();
        let passing =
            matches!(name, "temporarily_unavailable" | "server_error") || number.is_some_and(entra::is_passing);
        let code = number.map_or_else(|| name.to_owned(), |number| format!("AADSTS{number}"));
        let line = description.lines().next().unwrap_or_default();
        let line: String = line.chars().take(DESCRIPTION_LENGTH_MAX).collect();
        let line = line.replace(self.application.client_secret.expose_secret(), "[secret]");
        let message = format!("no token ({name}): {line}");
        let fault = Fault::new(FaultScope::Credential, if passing { busy } else { by_status }, code, message);
        match number.and_then(entra::hint) {
            Some(hint) => fault.hint(hint),
            None if passing => fault,
            None => fault.hint("check tenant_id, client_id and client_secret"),
        }
    }
}

impl Cache {
    /// What needs no request: a good token, or the outcome of an attempt after the `seen`th. While an attempt that
    /// failed is not to be repeated, a token that has not ended yet still does.
    fn settled(&self, now: Timestamp, seen: u64) -> Option<Result<HeaderValue, Fault>> {
        if let Some(token) = self.token.as_ref().filter(|token| now < token.renew) {
            return Some(Ok(token.header.clone()));
        }
        let refusal = self.refusal.as_ref().filter(|refusal| now < refusal.until || refusal.attempt > seen)?;
        Some(self.rest(now).ok_or_else(|| refusal.fault.clone()))
    }

    /// The token that has not ended yet.
    fn rest(&self, now: Timestamp) -> Option<HeaderValue> {
        self.token.as_ref().filter(|token| now < token.ends).map(|token| token.header.clone())
    }

    /// Keeps the outcome of an attempt.
    fn keep(&mut self, outcome: Result<Token, Fault>, now: Timestamp) -> Result<HeaderValue, Fault> {
        self.attempts += 1;
        match outcome {
            Ok(token) => {
                let header = token.header.clone();
                self.token = Some(Token { successor: self.succession, ..token });
                self.refusal = None;
                self.succession = false;
                Ok(header)
            }
            Err(fault) => {
                let pause = match fault.kind {
                    FaultKind::Permanent => REFUSAL,
                    FaultKind::Transient { .. } | FaultKind::Doubtful { .. } | FaultKind::NotAttempted => {
                        SignedDuration::try_from(fault.wait().unwrap_or_default()).unwrap_or(REFUSAL)
                    }
                };
                self.refusal = Some(Refusal { fault: fault.clone(), until: later(now, pause), attempt: self.attempts });
                self.rest(now).ok_or(fault)
            }
        }
    }
}

impl Authorization for ClientCredentials {
    fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>> {
        Box::pin(self.token())
    }

    fn refused(&self) -> bool {
        let now = self.clock.now();
        let mut cache = self.cache();
        let fresh = |token: &Token| token.successor && now < later(token.issued, SUCCESSOR);
        if cache.token.as_ref().is_some_and(|token| !fresh(token)) {
            cache.token = None;
            cache.succession = true;
        }
        true
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientCredentials")
            .field("token_url", &self.application.token_url)
            .field("client_id", &self.application.client_id)
            .field("scope", &self.application.scope)
            .finish_non_exhaustive()
    }
}

type TokenError = RequestTokenError<TransportError, StandardErrorResponse<BasicErrorResponseType>>;

/// What the answer says beside its body.
#[derive(Debug, Default)]
struct Facts {
    status: u16,
    wait: Option<Duration>,
    request_id: Option<String>,
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
            *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = Facts {
                status: answer.status,
                wait: retry_after(&answer.headers, self.now),
                request_id: name("x-ms-request-id").or_else(|| name("request-id")),
            };
            let mut response = HttpResponse::new(answer.body.to_vec());
            *response.headers_mut() = answer.headers;
            *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
            Ok(response)
        })
    }
}

#[cfg(test)]
#[path = "client_credentials_tests.rs"]
mod tests;
