//! JSON Web Tokens (RFC 7519), read and checked by hand, and signed with the sandbox's own key.

use aws_lc_rs::{
    hmac,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A token taken apart; nothing of it is proved yet.
#[derive(Debug)]
pub(super) struct Jwt {
    header: Value,
    claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Jwt {
    /// Takes a token apart.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| -> Option<Value> {
            let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
            value.is_object().then_some(value)
        };
        let (header, claims) = (object(header)?, object(claims)?);
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Self { header, claims, signed: signed.to_owned(), signature })
    }

    /// A text of the header.
    pub(super) fn header(&self, name: &str) -> &str {
        self.header[name].as_str().unwrap_or_default()
    }

    /// A text of the claims.
    pub(super) fn claim(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    /// A number of the claims.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.claims[name].as_i64()
    }

    /// The texts of a list of the claims.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let list = self.claims[name].as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Whether this RSA key, a SubjectPublicKeyInfo, has signed it in the way that the header says.
    pub(super) fn is_signed_by(&self, public_key: &[u8]) -> bool {
        let algorithm = match self.header("alg") {
            "PS256" => &RSA_PSS_2048_8192_SHA256,
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, public_key).verify(self.signed.as_bytes(), &self.signature).is_ok()
    }

    /// Whether the sandbox itself has signed it.
    pub(super) fn is_own(&self, key: &hmac::Key) -> bool {
        self.header("alg") == "HS256" && hmac::verify(key, self.signed.as_bytes(), &self.signature).is_ok()
    }
}

/// Signs a token of the sandbox.
pub(super) fn sign(claims: &Value, key: &hmac::Key) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"typ": "JWT", "alg": "HS256", "kid": "sandbox"})), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(key, signed.as_bytes()));
    format!("{signed}.{signature}")
}
