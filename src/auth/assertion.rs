//! The client assertion of a certificate: a signed token about ourselves (RFC 7523 §2.2).
//! <https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials>

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::settings::Certificate;

/// How long an assertion is good for: it is shown at once, and clocks differ.
const LIFETIME_S: i64 = 10 * 60;

/// What an assertion says.
#[derive(Debug, Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: &'a str,
    nbf: i64,
    iat: i64,
    exp: i64,
}

/// What an assertion is made of, besides the certificate.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// The token address: whom it is for.
    pub(super) audience: &'a str,
    /// The application.
    pub(super) client_id: &'a str,
    /// The present instant.
    pub(super) now: Timestamp,
    /// Its name, which is never used again.
    pub(super) id: &'a str,
}

/// Signs an assertion, PS256 or RS256; `None` when the key cannot sign.
pub(super) fn sign(certificate: &Certificate, rs256: bool, about: About<'_>) -> Option<Zeroizing<String>> {
    let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &certificate.der));
    let mut header = Header::new(if rs256 { Algorithm::RS256 } else { Algorithm::PS256 });
    header.x5t_s256 = Some(thumbprint(&digest::SHA256));
    // Whoever knows RS256 alone knows the certificate by its SHA-1.
    header.x5t = rs256.then(|| thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY));
    let now = about.now.as_second();
    let claims = Claims {
        aud: about.audience,
        iss: about.client_id,
        sub: about.client_id,
        jti: about.id,
        nbf: now,
        iat: now,
        exp: now.saturating_add(LIFETIME_S),
    };
    let key = EncodingKey::from_rsa_der(certificate.key.expose_secret());
    jsonwebtoken::encode(&header, &claims, &key).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::{Value, json};

    use super::*;
    use crate::auth::client_credentials::tests::certificate;

    #[test]
    fn an_assertion_says_who_we_are_to_whom_and_for_how_long() {
        let (certificate, public) = certificate();
        let about = About {
            audience: "https://login.example.test/contoso/oauth2/v2.0/token",
            client_id: "app",
            now: Timestamp::from_second(1_795_000_000).unwrap(),
            id: "id-1",
        };
        for rs256 in [false, true] {
            let assertion = sign(&certificate, rs256, about).unwrap();
            let parts: Vec<&str> = assertion.split('.').collect();
            let read =
                |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
            let hash = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &certificate.der));
            let mut header = json!({"typ": "JWT", "alg": "PS256", "x5t#S256": hash(&digest::SHA256)});
            if rs256 {
                header["alg"] = json!("RS256");
                header["x5t"] = json!(hash(&digest::SHA1_FOR_LEGACY_USE_ONLY));
            }
            assert_eq!(read(parts[0]), header);
            let claims = json!({
                "aud": about.audience, "iss": "app", "sub": "app", "jti": "id-1",
                "nbf": 1_795_000_000_i64, "iat": 1_795_000_000_i64, "exp": 1_795_000_600_i64,
            });
            assert_eq!(read(parts[1]), claims);
            let (signed, signature) = (format!("{}.{}", parts[0], parts[1]), URL_SAFE_NO_PAD.decode(parts[2]).unwrap());
            let algorithm = if rs256 { &RSA_PKCS1_2048_8192_SHA256 } else { &RSA_PSS_2048_8192_SHA256 };
            UnparsedPublicKey::new(algorithm, &public).verify(signed.as_bytes(), &signature).unwrap();
        }
    }
}
