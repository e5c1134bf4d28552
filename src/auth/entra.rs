//! What Microsoft Entra says when it gives no token. Microsoft warns that the AADSTS codes may change: they make the
//! text better, and a few tell a passing trouble; the answer's `error` and status decide the rest.
//! <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>

/// The number after `AADSTS` in an error description.
pub(super) fn code(description: &str) -> Option<u32> {
    let digits = description.split("AADSTS").nth(1)?;
    digits.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// Whether a code means that the service is busy, not that the credential is wrong.
pub(super) fn is_passing(code: u32) -> bool {
    matches!(code, 90055 | 90024 | 90006 | 90012 | 90033 | 50033)
}

/// Whether a refusal is about what the application shows, so that another proof may be taken; `error` and the code of the answer.
/// A clock that is wrong, a tenant or a policy refuse every proof alike.
pub(super) fn is_about_proof(error: &str, code: Option<u32>) -> bool {
    match code {
        Some(500_133 | 700_024 | 7_000_112 | 700_016) => false,
        Some(7_000_215 | 7_000_222 | 7_000_218 | 700_027 | 50013 | 50048 | 70021 | 700_211..=700_213) => true,
        Some(_) | None => error == "invalid_client",
    }
}

/// Whether a refusal of an assertion names the algorithm that it is signed with.
pub(super) fn names_algorithm(description: &str) -> bool {
    let description = description.to_ascii_lowercase();
    ["algorithm", "ps256", "'alg'"].iter().any(|word| description.contains(word))
}

/// What to do about a code.
pub(super) fn hint(code: u32) -> Option<&'static str> {
    Some(match code {
        7_000_215 => {
            "client_secret must be the secret's value, not its id; the value is shown once, when it is created"
        }
        7_000_222 => "the client secret has expired: create a new one in Entra and put it into client_secret",
        7_000_218 => "client_secret is empty: fill it in",
        700_016 => {
            "the application is not known in this tenant: check client_id and tenant_id, and that consent was given"
        }
        7_000_112 => "the application is disabled in Entra: an administrator must enable it",
        90002 => {
            "the tenant is not known: check tenant_id, and that `cloud` or token_url is that of the tenant's cloud"
        }
        90038 | 900_382 | 900_432 => "the tenant lives in another national cloud: set `cloud`",
        70011 | 700_022 | 700_023 => "the scope must be one resource followed by /.default",
        9_001_023 => "tenant_id must be the tenant's own id or domain, not common or consumers",
        700_027 => {
            "the certificate is not known for the application: upload it in Entra under Certificates & secrets, and see that it has not ended"
        }
        500_133 | 700_024 => "the client assertion is out of its time: set this machine's clock",
        50013 => "the client assertion is refused: check that the key belongs to the certificate that Entra has",
        50048 => "the client assertion is not about this application: check client_id",
        70021 | 700_211..=700_213 => {
            "no federated credential of the application fits issuer, subject and audience of the token: compare them in Entra"
        }
        50105 => "an administrator must assign the application to those it is for",
        53003 | 530_032 => "a security policy of the tenant forbids it: an administrator must allow this application",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{code, hint, is_about_proof, is_passing, names_algorithm};

    #[test]
    fn codes_are_read_from_descriptions() {
        let cases = [
            ("AADSTS7000215: Invalid client secret provided.", Some(7_000_215)),
            ("Error: AADSTS90002: Tenant not found", Some(90002)),
            ("AADSTS", None),
            ("nothing", None),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected, "{text}");
        }
        assert!(hint(7_000_215).is_some_and(|hint| hint.contains("value, not its id")));
        let about = [
            ("invalid_client", Some(7_000_215), true),
            ("invalid_client", Some(700_027), true),
            ("invalid_client", Some(700_024), false),
            ("invalid_client", Some(1), true),
            ("invalid_client", None, true),
            ("unauthorized_client", Some(700_016), false),
            ("invalid_request", Some(700_213), true),
            ("invalid_request", Some(90002), false),
            ("invalid_scope", None, false),
        ];
        for (error, code, expected) in about {
            assert_eq!(is_about_proof(error, code), expected, "{error} {code:?}");
        }
        assert!(
            names_algorithm("AADSTS1: the Algorithm PS256 is not supported") && !names_algorithm("AADSTS700027: x")
        );
        assert!(hint(1).is_none() && is_passing(90033) && !is_passing(90002));
    }
}
