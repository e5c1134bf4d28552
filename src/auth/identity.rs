//! Who we are to Outlook, to be compared: whether a credential that was refused would be tried again.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{proof::Known, slow_digest, token_memory::ProofId};
use crate::settings::{Credential, ProofKind, SideSettings};

/// The credential of the settings, and where it is shown.
pub struct Identity {
    /// Everything but the secret.
    public: Vec<String>,
    secret: Option<SecretString>,
    proofs: Vec<Known>,
}

/// What the files said that are read again for each token. For comparing, in memory only.
#[derive(Debug, PartialEq, Eq)]
pub struct Mark(Vec<ProofId>);

impl Identity {
    /// That of a side.
    #[must_use]
    pub fn of(side: &SideSettings) -> Self {
        let url = side.url();
        match &side.credential {
            Credential::Password { authentication, user, password } => Self {
                public: ["password", url, authentication.as_str(), user].map(str::to_owned).into(),
                secret: Some(password.clone()),
                proofs: Vec::new(),
            },
            Credential::Application { token_url, client_id, scope, proofs } => {
                let mut public: Vec<String> =
                    ["application", url, token_url, client_id, scope].map(str::to_owned).into();
                public.extend(proofs.iter().map(|proof| match &proof.kind {
                    ProofKind::Certificate { algorithm, .. } => format!("certificate, {algorithm:?}"),
                    ProofKind::Secret(_) => "secret".to_owned(),
                    ProofKind::FederatedToken(path) => format!("federated token, {}", path.display()),
                }));
                Self { public, secret: None, proofs: proofs.iter().cloned().map(Known::new).collect() }
            }
        }
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

    /// What the files say now that are read again for each token; `None` where there is no such file.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        let followed = self.proofs.iter().filter(|known| matches!(known.proof.kind, ProofKind::FederatedToken(_)));
        let marks: Vec<ProofId> = followed.map(Known::shown_id).collect();
        (!marks.is_empty()).then_some(Mark(marks))
    }

    /// Each part with its length, so that no two identities have one text. Of the proofs of an application it holds the hash of
    /// what would be shown now: secrets, certificates, and what the file of a federated token says.
    fn text(&self) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::new());
        let mut put = |part: &[u8]| {
            text.extend((part.len() as u64).to_be_bytes());
            text.extend(part);
        };
        self.public.iter().for_each(|part| put(part.as_bytes()));
        self.secret.iter().for_each(|secret| put(secret.expose_secret().as_bytes()));
        self.proofs.iter().for_each(|proof| put(&proof.shown_id()));
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
    #![allow(clippy::unwrap_used)]

    use std::{fs, path::Path};

    use secrecy::SecretSlice;

    use super::Identity;
    use crate::settings::{
        AssertionAlgorithm, Authentication, Certificate, Credential, Proof, ProofKind, Protocol, SideSettings,
    };

    fn identity(root: &str, credential: Credential) -> Identity {
        let protocol = Protocol::Graph { root: root.to_owned() };
        Identity::of(&SideSettings { protocol, credential })
    }

    fn application(client_id: &str, kinds: &[ProofKind]) -> Identity {
        let proof = |kind: &ProofKind| Proof { key: "client_secret", kind: kind.clone(), ends: None };
        let credential = Credential::Application {
            token_url: "https://login.example.test".to_owned(),
            client_id: client_id.to_owned(),
            scope: "all".to_owned(),
            proofs: kinds.iter().map(proof).collect(),
        };
        identity("https://a.test", credential)
    }

    fn secret(text: &str) -> ProofKind {
        ProofKind::Secret(text.to_owned().into())
    }

    fn certificate(der: u8, algorithm: AssertionAlgorithm) -> ProofKind {
        let certificate = Certificate { der: vec![der], key: SecretSlice::from(vec![7; 8]), ends: None };
        ProofKind::Certificate { certificate, algorithm }
    }

    #[test]
    fn another_account_secret_scheme_or_server_is_another_identity() {
        let password = |root: &str, authentication, user: &str, password: &str| {
            let (user, password) = (user.to_owned(), password.to_owned().into());
            identity(root, Credential::Password { authentication, user, password })
        };
        let proof = password("https://a.test", Authentication::Auto, "ana", "word").proof();
        let cases = [
            ("https://a.test", Authentication::Auto, "ana", "word", true),
            ("https://a.test", Authentication::Auto, "ana", "Word", false),
            ("https://a.test", Authentication::Auto, "an", "aword", false),
            ("https://b.test", Authentication::Auto, "ana", "word", false),
            ("https://a.test", Authentication::Basic, "ana", "word", false),
        ];
        for (root, scheme, user, word, expected) in cases {
            assert_eq!(password(root, scheme, user, word).is_of(&proof), expected, "{root} {scheme:?} {user} {word}");
        }
        assert!(!proof.contains("word"));
        assert!(!format!("{:?}", password("https://a.test", Authentication::Auto, "ana", "hush")).contains("hush"));
    }

    #[test]
    fn another_proof_of_an_application_is_another_identity() {
        let cases = [
            ("app", vec![secret("word")]),
            ("ap", vec![secret("pword")]),
            ("app", vec![secret("Word")]),
            ("app", vec![secret("word"), secret("next")]),
            ("app", vec![certificate(1, AssertionAlgorithm::Auto)]),
            ("app", vec![certificate(2, AssertionAlgorithm::Auto)]),
            ("app", vec![certificate(1, AssertionAlgorithm::Rs256)]),
        ];
        let proofs = cases.clone().map(|(client_id, kinds)| application(client_id, &kinds).proof());
        for (at, (client_id, kinds)) in cases.iter().enumerate() {
            let identity = application(client_id, kinds);
            for (of, proof) in proofs.iter().enumerate() {
                assert_eq!(identity.is_of(proof), at == of, "{at} {of}");
            }
            assert!(!format!("{identity:?} {proofs:?}").contains("ord"));
            assert_eq!(identity.mark(), None);
        }
    }

    #[test]
    fn a_federated_token_is_another_one_when_its_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let identity = application("app", &[ProofKind::FederatedToken(path.clone())]);
        let write = |path: &Path, text: &str| fs::write(path, text).unwrap();
        let absent = (identity.proof(), identity.mark());
        write(&path, "one");
        let one = (identity.proof(), identity.mark());
        assert!(identity.is_of(&one.0) && identity.mark() == one.1);
        assert!(!identity.is_of(&absent.0) && absent.1 != one.1 && one.1.is_some());
        write(&path, "two");
        assert!(!identity.is_of(&one.0) && identity.mark() != one.1);
    }
}
