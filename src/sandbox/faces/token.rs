//! `POST /{tenant}/oauth2/v2.0/token`.

use http::Method;
use serde_json::json;

use super::{
    super::{
        answer,
        counters::increment,
        faults::{Face, Site},
        gate::{Admission, Refusal},
        service::Sandbox,
        token::TokenAsk,
        urlencoded,
    },
    Inbound, Outcome, elsewhere, login_page, proxy,
};

/// The tenant of a token address.
pub(in super::super) fn tenant(path: &str) -> Option<String> {
    let tenant = path.strip_prefix('/')?.strip_suffix("/oauth2/v2.0/token")?;
    (!tenant.is_empty() && !tenant.contains('/')).then(|| urlencoded::decode(tenant, false))
}

/// Answers a token request.
pub(in super::super) async fn answer(sandbox: &Sandbox, inbound: &Inbound, tenant: &str) -> Outcome {
    if inbound.method != Method::POST {
        return Outcome::Answer(answer::empty(405));
    }
    let site = Site { face: Face::Token, operation: "Token", mailbox: None, in_batch: false };
    let pass = match sandbox.gate().admit(&site).await {
        Admission::Enter(pass) => pass,
        Admission::Break => return Outcome::Broken,
        Admission::Refuse(refusal) => return Outcome::Answer(refused(refusal)),
    };
    let now = sandbox.now();
    let form =
        if inbound.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            String::from_utf8_lossy(&inbound.body)
        } else {
            "".into()
        };
    let url = format!("{}{}", inbound.origin, inbound.path);
    let response = match sandbox.identity().tokens.issue(TokenAsk { tenant, url: &url, form: &form }, now) {
        Ok(issued) => {
            sandbox.counters().update(|counts| {
                counts.tokens_issued += 1;
                increment(&mut counts.proofs, &issued.proved_by, 1);
            });
            answer::json(200, &issued.answer)
        }
        Err(refusal) => {
            if let Some(client_id) = &refusal.failed_log_on {
                sandbox.counters().failed_log_on(client_id);
            }
            answer::json(refusal.status, &refusal.body(now, &uuid::Uuid::new_v4().to_string()))
        }
    };
    let response = answer::with_header(response, "cache-control", "no-store, no-cache");
    let response = answer::with_header(response, "date", &http_date(now));
    if pass.drop_answer { Outcome::Broken } else { Outcome::Answer(response) }
}

/// The instant of the sandbox's own clock: a client compares it with its own.
fn http_date(now: jiff::Timestamp) -> String {
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn refused(refusal: Refusal) -> http::Response<bytes::Bytes> {
    let transient = json!({
        "error": "temporarily_unavailable",
        "error_description": "AADSTS90033: A transient error has occurred. Please try again.",
        "error_codes": [90033],
    });
    let (status, retry_after) = match refusal {
        Refusal::TooMany { retry_after, .. } => (429, retry_after),
        Refusal::Unavailable { retry_after } => (503, retry_after),
        Refusal::Internal | Refusal::Moved => (500, None),
        Refusal::Unauthorized | Refusal::TokenRevoked => (401, None),
        Refusal::LoginPage => return login_page(),
        Refusal::Proxy => return proxy(),
        Refusal::Redirect => return elsewhere(),
        Refusal::Forbidden => return answer::empty(403),
    };
    let response = answer::json(status, &transient);
    match retry_after {
        Some(wait) => answer::with_header(response, "retry-after", &wait),
        None => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_address_names_its_tenant() {
        for (path, expected) in [
            ("/contoso.test/oauth2/v2.0/token", Some("contoso.test")),
            ("/a%20b/oauth2/v2.0/token", Some("a b")),
            ("//oauth2/v2.0/token", None),
            ("/a/b/oauth2/v2.0/token", None),
            ("/a/oauth2/token", None),
        ] {
            assert_eq!(tenant(path).as_deref(), expected, "{path}");
        }
    }
}
