//! OAuth2 client credentials (RFC 6749 §4.4) against Microsoft Entra: a token for the application itself.
//! <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use http::HeaderValue;
use jiff::Timestamp;
use oauth2::TokenUrl;

use super::{
    AuthError, Authorization,
    assertion::About,
    proof::Known as KnownProof,
    token_memory::{Known, ProofId, Token, TokenMemory, Whose},
    token_request::{self, Blame, Refused, TokenRequest},
};
use crate::{
    clock::Clock,
    http::Transport,
    model::fault::{Fault, FaultKind, FaultScope},
    observability::events::{CredentialRefused, CredentialUsed},
    settings::Proof,
};

/// The application and where its tokens come from.
#[derive(Debug, Clone)]
pub struct Application {
    /// Where tokens come from.
    pub token_url: String,
    /// The application's id.
    pub client_id: String,
    /// What the token is for, `<resource>/.default`.
    pub scope: String,
    /// What it shows, in this order; once one is taken, that one first.
    pub proofs: Vec<Proof>,
}

/// Tokens of one application, cached, asked for one at a time. A proof that is refused is parked, and the next one is tried once.
pub struct ClientCredentials {
    client_id: String,
    scope: String,
    token_url: TokenUrl,
    proofs: Vec<KnownProof>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    known: Arc<Known>,
}

/// Why there is no token, and whether something other than the proofs is to blame.
struct Failed {
    fault: Fault,
    blocks: bool,
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
        memory: &TokenMemory,
    ) -> Result<Self, AuthError> {
        let Application { token_url: url, client_id, scope, proofs } = application;
        let token_url =
            TokenUrl::new(url.clone()).map_err(|source| AuthError::TokenUrl { url: url.clone(), source })?;
        let known = memory.of(Whose { token_url: url, client_id: client_id.clone(), scope: scope.clone() });
        let proofs = proofs.into_iter().map(KnownProof::new).collect();
        Ok(Self { client_id, scope, token_url, proofs, transport, clock, known })
    }

    /// A token that is good for long enough, or the outcome of the attempt that ended while the caller waited.
    async fn token(&self) -> Result<HeaderValue, Fault> {
        let owners: Vec<ProofId> = self.proofs.iter().map(|proof| proof.id).collect();
        if let Some(header) = self.known.cache().good(self.clock.now(), &owners) {
            return Ok(header);
        }
        let shown: Vec<ProofId> = self.proofs.iter().map(KnownProof::shown_id).collect();
        let seen = {
            let cache = self.known.cache();
            if let Some(settled) = cache.settled(self.clock.now(), cache.attempts, &owners, &shown) {
                return settled;
            }
            cache.attempts
        };
        let _turn = self.known.turn.lock().await;
        if let Some(settled) = self.known.cache().settled(self.clock.now(), seen, &owners, &shown) {
            return settled;
        }
        match self.ask().await {
            Ok(token) => {
                let header = token.header.clone();
                self.known.cache().keep(token);
                Ok(header)
            }
            Err(Failed { fault, blocks }) => {
                let rest = self.known.cache().fail(&fault, blocks, self.clock.now(), &owners, &shown);
                rest.ok_or(fault)
            }
        }
    }

    /// Shows one proof after the other until one is taken: first the one that the last token was given for, last those whose end is
    /// known to be over.
    async fn ask(&self) -> Result<Token, Failed> {
        let before = self.known.cache().in_use;
        let now = self.clock.now();
        let mut order: Vec<&KnownProof> = self.proofs.iter().collect();
        order.sort_by_key(|proof| (proof.has_ended(now), before.is_none_or(|(id, _)| id != proof.id)));
        let mut fault = None;
        for proof in order {
            if let Some(parked) = self.known.cache().parked(&proof.shown_id(), now) {
                fault.get_or_insert(parked);
                continue;
            }
            match self.show(proof).await {
                Ok(token) => {
                    self.known.cache().in_use = Some((proof.id, proof.proof.key));
                    if before.is_none_or(|(id, _)| id != proof.id) {
                        CredentialUsed { credential: proof.proof.key, before: before.map(|(_, key)| key) }.emit();
                    }
                    return Ok(token);
                }
                Err(Refused { fault, blame: Blame::Other }) => return Err(Failed { fault, blocks: true }),
                Err(Refused { fault: refused, blame: Blame::Proof | Blame::Algorithm }) => fault = Some(refused),
            }
        }
        let fault = fault.unwrap_or_else(|| {
            let message = "the application has nothing to show: neither a secret nor a certificate nor a token";
            Fault::new(FaultScope::Credential, FaultKind::Permanent, "NoProof", message)
        });
        Err(Failed { fault, blocks: false })
    }

    /// Shows one proof, and parks it when it is refused. An assertion whose algorithm is refused is signed anew, once.
    async fn show(&self, proof: &KnownProof) -> Result<Token, Refused> {
        let rs256 = self.known.cache().rs256.contains(&proof.id);
        let first = self.request(proof, rs256).await;
        let (refused, shown) = match first {
            Err((Refused { blame: Blame::Algorithm, .. }, _)) if proof.may_fall_back() && !rs256 => {
                self.known.cache().rs256.insert(proof.id);
                match self.request(proof, true).await {
                    Ok(token) => return Ok(token),
                    Err(refused) => refused,
                }
            }
            Ok(token) => return Ok(token),
            Err(refused) => refused,
        };
        if refused.blame != Blame::Other {
            let until = self.known.cache().park(shown, refused.fault.clone(), self.clock.now());
            let (code, reason) = (refused.fault.code.as_str(), refused.fault.message.as_str());
            let others = (self.proofs.len() - 1) as u64;
            CredentialRefused {
                credential: proof.proof.key,
                code,
                reason,
                hint: refused.fault.hint.as_deref(),
                until,
                others,
            }
            .emit();
        }
        Err(refused)
    }

    /// One request with one proof; a refusal with the hash of what was shown.
    async fn request(&self, proof: &KnownProof, rs256: bool) -> Result<Token, (Refused, ProofId)> {
        let now: Timestamp = self.clock.now();
        let id = uuid::Uuid::new_v4().to_string();
        let about = About { audience: self.token_url.as_str(), client_id: &self.client_id, now, id: &id };
        let shown = proof.show(rs256, about);
        let (shown, hash) = shown.map_err(|fault| (Refused { fault, blame: Blame::Other }, proof.id))?;
        let request = TokenRequest {
            token_url: &self.token_url,
            client_id: &self.client_id,
            scope: &self.scope,
            shown: &shown,
            proof: proof.id,
            now,
        };
        token_request::ask(self.transport.as_ref(), request).await.map_err(|refused| (refused, hash))
    }
}

impl Authorization for ClientCredentials {
    fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>> {
        Box::pin(self.token())
    }

    fn refused(&self, header: &HeaderValue) -> bool {
        self.known.cache().drop_token(header);
        true
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proofs: Vec<&str> = self.proofs.iter().map(|proof| proof.proof.key).collect();
        formatter
            .debug_struct("ClientCredentials")
            .field("token_url", &self.token_url.as_str())
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .field("proofs", &proofs)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "client_credentials_tests.rs"]
pub(super) mod tests;
