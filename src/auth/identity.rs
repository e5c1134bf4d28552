//! Who we are to Outlook, to be compared: whether a credential that was refused would be tried again.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::slow_digest;
use crate::settings::{Credential, Exchange, Protocol};

/// The credential of the settings, and where it is shown.
#[derive(Clone)]
pub struct Identity {
    /// Everything but the secret.
    public: Vec<String>,
    secret: SecretString,
}

impl Identity {
    /// That of `[exchange]`.
    #[must_use]
    pub fn of(exchange: &Exchange) -> Self {
        let mut public = vec![match &exchange.protocol {
            Protocol::Ews { url, .. } => url.clone(),
            Protocol::Graph { root } => root.clone(),
        }];
        let secret = match &exchange.credential {
            Credential::Password { user, password } => {
                public.extend(["password".to_owned(), user.clone()]);
                password
            }
            Credential::ClientSecret { token_url, client_id, client_secret, scope } => {
                public.extend(["secret".to_owned(), token_url.clone(), client_id.clone(), scope.clone()]);
                client_secret
            }
        };
        Self { public, secret: secret.clone() }
    }

    /// What can be kept of it: a slow salted digest. Takes a moment on purpose.
    #[must_use]
    pub fn proof(&self) -> String {
        slow_digest::digest(&self.text())
    }

    /// Whether a proof is one of this identity. Takes a moment on purpose.
    #[must_use]
    pub fn is_of(&self, proof: &str) -> bool {
        slow_digest::is_of(proof, &self.text())
    }

    /// Each part with its length, so that no two identities have one text.
    fn text(&self) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::new());
        for part in self.public.iter().map(String::as_str).chain([self.secret.expose_secret()]) {
            text.extend((part.len() as u64).to_be_bytes());
            text.extend(part.as_bytes());
        }
        text
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Identity;
    use crate::settings::{Credential, Exchange, Protocol};

    #[test]
    fn another_account_secret_or_server_is_another_identity() {
        let exchange = |root: &str, client_id: &str, secret: &str| Exchange {
            protocol: Protocol::Graph { root: root.to_owned() },
            credential: Credential::ClientSecret {
                token_url: "https://login.example.test".to_owned(),
                client_id: client_id.to_owned(),
                client_secret: secret.to_owned().into(),
                scope: "all".to_owned(),
            },
            max_threads: 4,
            test_user: None,
        };
        let identity = |root, client_id, secret| Identity::of(&exchange(root, client_id, secret));
        let proof = identity("https://a.test", "app", "word").proof();
        let cases = [
            ("https://a.test", "app", "word", true),
            ("https://a.test", "app", "Word", false),
            ("https://a.test", "ap", "pword", false),
            ("https://b.test", "app", "word", false),
        ];
        for (root, client_id, secret, expected) in cases {
            assert_eq!(identity(root, client_id, secret).is_of(&proof), expected, "{root} {client_id} {secret}");
        }
        assert!(!proof.contains("word"));
        assert!(!format!("{:?}", identity("https://a.test", "app", "word")).contains("word"));
    }
}
