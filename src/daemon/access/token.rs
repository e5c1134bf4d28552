//! What a token says of itself, for telling people. Nothing is decided on it, and nothing of it is kept.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;
use secrecy::ExposeSecret;
use serde::Deserialize;
use uuid::Uuid;

use crate::settings::{Credential, ProofKind};

/// The claims that are told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    aud: String,
    /// The roles; none is legal: RBAC for Applications needs none in the token.
    #[serde(default)]
    pub(super) roles: Vec<String>,
}

impl Claims {
    /// In words.
    pub(super) fn told(&self) -> String {
        let audience = if self.aud.is_empty() { "no audience" } else { &self.aud };
        let roles = if self.roles.is_empty() {
            "no roles (enough where Exchange grants them: RBAC for Applications)".to_owned()
        } else {
            format!("roles {}", self.roles.join(", "))
        };
        format!("a token for {audience}, with {roles}")
    }
}

/// The claims of a token (RFC 7519); `None` for one that does not show them.
pub(super) fn claims(header: &HeaderValue) -> Option<Claims> {
    let token = header.to_str().ok()?.strip_prefix("Bearer ")?;
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// Whether a client secret has the form of the id of one.
pub(super) fn is_secret_like_an_id(credential: &Credential) -> bool {
    match credential {
        Credential::Application { proofs, .. } => proofs.iter().any(|proof| match &proof.kind {
            ProofKind::Secret(secret) => Uuid::try_parse(secret.expose_secret().trim()).is_ok(),
            ProofKind::Certificate { .. } | ProofKind::FederatedToken(_) => false,
        }),
        Credential::Password { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use http::HeaderValue;

    use super::claims;

    #[test]
    fn claims_are_read_where_they_are_shown() {
        let read = |payload: &str| {
            let token = format!("Bearer e30.{}.sig", URL_SAFE_NO_PAD.encode(payload));
            claims(&HeaderValue::from_str(&token).unwrap()).map(|claims| claims.told())
        };
        let told = read(r#"{"aud":"https://graph.microsoft.com","roles":["Calendars.ReadWrite"],"tid":"t"}"#).unwrap();
        assert_eq!(told, "a token for https://graph.microsoft.com, with roles Calendars.ReadWrite");
        assert!(read(r#"{"aud":"x"}"#).unwrap().contains("no roles"));
        assert_eq!(read("nonsense"), None);
        assert_eq!(claims(&HeaderValue::from_static("Bearer opaque")), None);
        assert_eq!(claims(&HeaderValue::from_static("Basic eDp5")), None);
    }
}
