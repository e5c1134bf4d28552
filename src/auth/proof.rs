//! What an application shows for a token: its secret, an assertion signed with its certificate, or the token of another issuer.

use std::{fs, io::Read, path::Path};

use jiff::Timestamp;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    assertion::{self, About},
    token_memory::ProofId,
};
use crate::{
    model::fault::{Fault, FaultKind, FaultScope},
    settings::{AssertionAlgorithm, Proof, ProofKind},
};

/// The largest token of another issuer.
const TOKEN_SIZE_MAX: u64 = 64 * 1024;

/// A proof and the hash that tells it from others.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) proof: Proof,
    pub(super) id: ProofId,
}

/// What goes into a request.
pub(super) enum Shown {
    /// `client_secret`.
    Secret(Zeroizing<String>),
    /// `client_assertion`.
    Assertion(Zeroizing<String>),
}

impl Shown {
    /// The text that no message may repeat.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Secret(text) | Self::Assertion(text) => text,
        }
    }
}

impl Known {
    pub(super) fn new(proof: Proof) -> Self {
        let id = match &proof.kind {
            ProofKind::Secret(secret) => hash(b"secret", secret.expose_secret().as_bytes()),
            ProofKind::Certificate { certificate, .. } => hash(b"certificate", &certificate.der),
            ProofKind::FederatedToken(path) => hash(b"federated", path.as_os_str().as_encoded_bytes()),
        };
        Self { proof, id }
    }

    /// The hash of what would be shown now: a federated token changes with its file.
    pub(super) fn shown_id(&self) -> ProofId {
        match &self.proof.kind {
            ProofKind::Secret(_) | ProofKind::Certificate { .. } => self.id,
            ProofKind::FederatedToken(path) => read(path).map_or(self.id, |token| hash(b"token", token.as_bytes())),
        }
    }

    /// Whether its end is known and over.
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.proof.ends.is_some_and(|ends| ends <= now)
    }

    /// Whether an assertion of this proof may become RS256 when the server does not take PS256.
    pub(super) const fn may_fall_back(&self) -> bool {
        matches!(self.proof.kind, ProofKind::Certificate { algorithm: AssertionAlgorithm::Auto, .. })
    }

    /// What goes into a request, and the hash of it.
    pub(super) fn show(&self, rs256: bool, about: About<'_>) -> Result<(Shown, ProofId), Fault> {
        match &self.proof.kind {
            ProofKind::Secret(secret) => {
                Ok((Shown::Secret(Zeroizing::new(secret.expose_secret().to_owned())), self.id))
            }
            ProofKind::Certificate { certificate, algorithm } => {
                let rs256 = match algorithm {
                    AssertionAlgorithm::Auto => rs256,
                    AssertionAlgorithm::Ps256 => false,
                    AssertionAlgorithm::Rs256 => true,
                };
                let signed = assertion::sign(certificate, rs256, about).ok_or_else(|| {
                    let message = format!("the key of `{}` cannot sign", self.proof.key);
                    Fault::new(FaultScope::Credential, FaultKind::Permanent, "AssertionUnsigned", message)
                        .hint("check the certificate and its key with `calsyncd check`")
                })?;
                Ok((Shown::Assertion(signed), self.id))
            }
            ProofKind::FederatedToken(path) => {
                let token = read(path).map_err(|error| {
                    let message = format!("the federated token {} cannot be read: {error}", path.display());
                    let kind = FaultKind::Transient { wait: None };
                    Fault::new(FaultScope::Credential, kind, "FederatedTokenUnreadable", message)
                        .hint("see that federated_token_file is right and that whoever writes the token still does")
                })?;
                let id = hash(b"token", token.as_bytes());
                Ok((Shown::Assertion(token), id))
            }
        }
    }
}

/// The token of another issuer, read anew each time.
fn read(path: &Path) -> std::io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    fs::File::open(path)?.take(TOKEN_SIZE_MAX).read_to_string(&mut text)?;
    let token = text.trim();
    if token.is_empty() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "it is empty"));
    }
    Ok(Zeroizing::new(token.to_owned()))
}

fn hash(kind: &[u8], content: &[u8]) -> ProofId {
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(content).finalize().into()
}
