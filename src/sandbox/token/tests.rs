//! Tokens: asked for, refused, verified.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::{super::settings::FederatedSettings, *};

fn tokens() -> Tokens {
    let known = ApplicationSettings {
        tenant_id: "t".to_owned(),
        client_id: "c".to_owned(),
        client_secrets: vec!["s+1".to_owned()],
        expired_secrets: vec!["old".to_owned()],
        token_lifetime_s: 100,
        ..ApplicationSettings::default()
    };
    let disabled = ApplicationSettings { client_id: "d".to_owned(), disabled: true, ..known.clone() };
    Tokens::new(vec![known, disabled], Cloud::Global)
}

const URL: &str = "https://login.microsoftonline.com/t/oauth2/v2.0/token";

fn ask<'a>(tenant: &'a str, form: &'a str) -> TokenAsk<'a> {
    TokenAsk { tenant, url: URL, form }
}

const GOOD: &str =
    "grant_type=client_credentials&client_id=c&client_secret=s%2B1&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";

#[test]
fn a_token_opens_its_face_until_it_ends() {
    let tokens = tokens();
    let at = |second| Timestamp::from_second(second).unwrap();
    let answer = tokens.issue(ask("T", GOOD), at(0)).unwrap().answer;
    let token = answer["access_token"].as_str().unwrap();
    let verify = |audience, second| {
        tokens.verify(token, audience, "127.0.0.1", at(second)).map(|application| application.client_id)
    };
    assert_eq!(verify(Audience::Graph, 99), Ok("c".to_owned()));
    assert_eq!(verify(Audience::Ews, 99), Err(TokenFault::Audience));
    assert_eq!(verify(Audience::Graph, 100), Err(TokenFault::Expired));
    tokens.revoke_all();
    assert_eq!(verify(Audience::Graph, 1), Err(TokenFault::Revoked));
    assert_eq!(tokens.verify("x", Audience::Graph, "127.0.0.1", at(0)).map(|_| ()), Err(TokenFault::Unknown));
}

#[test]
fn each_refusal_has_entras_code() {
    let tokens = tokens();
    for (tenant, form, status, code) in [
        ("t", GOOD.replace("client_credentials", "password"), 400, 70003),
        ("t", GOOD.replace("grant_type", "x"), 400, 900_144),
        ("common", GOOD.to_owned(), 400, 9_001_023),
        ("u", GOOD.to_owned(), 400, 90002),
        ("t", GOOD.replace("client_id=c", "client_id=e"), 400, 700_016),
        ("t", GOOD.replace("client_id=c", "client_id=d"), 400, 7_000_112),
        ("t", GOOD.replace("s%2B1", "s+1"), 401, 7_000_215),
        ("t", GOOD.replace("s%2B1", "old"), 401, 7_000_222),
        ("t", GOOD.replace("client_secret", "x"), 401, 7_000_218),
        ("t", GOOD.replace("client_secret", "client_assertion"), 401, 7_000_218),
        (
            "t",
            GOOD.replace("client_secret", &format!("client_assertion_type={ASSERTION_TYPE}&client_assertion")),
            401,
            50027,
        ),
        ("t", GOOD.replace("%2F.default", ""), 400, 70011),
        ("t", GOOD.replace("graph.microsoft.com", "example.test"), 400, 500_011),
    ] {
        let refusal = tokens.issue(ask(tenant, &form), Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!((refusal.status, refusal.code), (status, code), "{form}");
        let body = refusal.body(Timestamp::UNIX_EPOCH, "id");
        assert!(body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")));
    }
}

/// A certificate and its key, and an assertion that they sign.
struct Signer {
    pem: String,
    key: rcgen::KeyPair,
    sha256: String,
}

impl Signer {
    fn new(ends: i32) -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.not_after = rcgen::date_time_ymd(ends, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate.der());
        let sha256 = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, hash);
        Self { pem: certificate.pem(), key, sha256 }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let pair = RsaKeyPair::from_pkcs8(&self.key.serialize_der()).unwrap();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; pair.public_modulus_len()];
        let encoding: &'static dyn RsaEncoding =
            if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        pair.sign(encoding, &aws_lc_rs::rand::SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The form with an assertion; what is changed in its header and claims.
fn with_assertion(signer: &Signer, change: &[(&str, Value)]) -> String {
    let mut header = json!({"typ": "JWT", "alg": "PS256", "x5t#S256": signer.sha256});
    let mut claims = json!({"aud": URL, "iss": "c", "sub": "c", "jti": "1", "nbf": 1000, "iat": 1000, "exp": 1600});
    for (name, value) in change {
        let part = if header.get(*name).is_some() { &mut header } else { &mut claims };
        part[*name] = value.clone();
    }
    let assertion = signer.sign(&header, &claims);
    GOOD.replace("client_secret=s%2B1", &format!("client_assertion_type={ASSERTION_TYPE}&client_assertion={assertion}"))
}

#[test]
fn assertions_are_held_against_the_certificates() {
    let (known, unknown, ended) = (Signer::new(2040), Signer::new(2040), Signer::new(1960));
    let tokens = tokens();
    tokens.change("c", |application| {
        application.certificates = vec![known.pem.clone(), ended.pem.clone()];
    });
    let at = |second| Timestamp::from_second(second).unwrap();
    let issue = |form: &str, second| tokens.issue(ask("t", form), at(second)).map(|issued| issued.proved_by);
    assert_eq!(issue(&with_assertion(&known, &[]), 1000).unwrap(), "certificate 1");
    let rs256 = with_assertion(&known, &[("alg", json!("RS256")), ("jti", json!("2"))]);
    assert_eq!(issue(&rs256, 1000).unwrap(), "certificate 1");
    let forged = with_assertion(&unknown, &[("x5t#S256", json!(known.sha256))]);
    for (form, second, code) in [
        (with_assertion(&known, &[]), 1000, 50013),
        (forged, 1000, 50013),
        (with_assertion(&unknown, &[]), 1000, 700_027),
        (with_assertion(&ended, &[]), 1000, 700_027),
        (with_assertion(&known, &[("sub", json!("d"))]), 1000, 50048),
        (with_assertion(&known, &[("iss", json!("d"))]), 1000, 50048),
        (with_assertion(&known, &[("aud", json!("https://login.microsoftonline.com/t"))]), 1000, 50013),
        (with_assertion(&known, &[("alg", json!("none"))]), 1000, 5_002_738),
        (with_assertion(&known, &[("jti", json!("3"))]), 699, 700_024),
        (with_assertion(&known, &[("jti", json!("3"))]), 1901, 700_024),
        (with_assertion(&known, &[("jti", Value::Null)]), 1000, 50013),
    ] {
        let refusal = issue(&form, second).unwrap_err();
        assert_eq!((refusal.status, refusal.code), (401, code), "{form}");
        assert_eq!(refusal.failed_log_on.is_some(), code != 5_002_738, "{code}");
    }
    assert!(issue(&with_assertion(&known, &[("jti", json!("3"))]), 700).is_ok(), "clocks may differ by five minutes");
}

#[test]
fn tokens_of_another_issuer_need_a_record() {
    let (issuer, other) = (Signer::new(2040), Signer::new(2040));
    let tokens = tokens();
    tokens.change("c", |application| {
        application.federated = vec![FederatedSettings {
            issuer: "https://issuer.example.test".to_owned(),
            subject: "pod".to_owned(),
            certificate: issuer.pem.clone(),
            ..FederatedSettings::default()
        }];
    });
    let good = [
        ("alg", json!("RS256")),
        ("iss", json!("https://issuer.example.test")),
        ("sub", json!("pod")),
        ("aud", json!("api://AzureADTokenExchange")),
    ];
    let issue = |signer: &Signer, change: Option<(&'static str, &str)>| {
        let change = change.map(|(name, value)| (name, json!(value)));
        let all: Vec<_> = good.iter().cloned().chain(change).collect();
        let issued = tokens.issue(ask("t", &with_assertion(signer, &all)), Timestamp::from_second(1000).unwrap());
        issued.map(|issued| issued.proved_by).map_err(|refusal| refusal.code)
    };
    assert_eq!(issue(&issuer, None), Ok("federated 1".to_owned()));
    assert_eq!(issue(&issuer, None), Ok("federated 1".to_owned()), "it may be shown again");
    assert_eq!(issue(&other, None), Err(50013));
    assert_eq!(issue(&issuer, Some(("iss", "https://other.example.test"))), Err(700_211));
    assert_eq!(issue(&issuer, Some(("aud", "api://other"))), Err(700_212));
    assert_eq!(issue(&issuer, Some(("sub", "other"))), Err(700_213));
}

#[test]
fn tokens_are_for_one_cloud_and_carry_roles() {
    let mut tokens = tokens();
    let high = ApplicationSettings {
        tenant_id: "gov".to_owned(),
        cloud: Cloud::UsGovHigh,
        ..tokens.applications()[0].clone()
    };
    tokens.applications().push(high);
    let (now, host) = (Timestamp::from_second(1000).unwrap(), "https://login.microsoftonline.us/gov/oauth2/v2.0/token");
    let form = GOOD.replace("graph.microsoft.com", "graph.microsoft.us");
    let code = |tokens: &Tokens, url, form: &str| {
        tokens.issue(TokenAsk { tenant: "gov", url, form }, now).map(|_| ()).map_err(|refusal| refusal.code)
    };
    assert_eq!(code(&tokens, URL, &form), Err(900_382));
    assert_eq!(code(&tokens, host, GOOD), Err(500_011));
    assert_eq!(code(&tokens, host, &form), Ok(()));
    let local = "http://127.0.0.1:1/gov/oauth2/v2.0/token";
    assert_eq!(code(&tokens, local, &form), Err(900_382));
    tokens.cloud = Cloud::UsGovHigh;
    assert_eq!(code(&tokens, local, &form), Ok(()));

    let issued = tokens.issue(TokenAsk { tenant: "gov", url: host, form: &form }, now).unwrap();
    let token = issued.answer["access_token"].as_str().unwrap();
    let verify = |face, host| tokens.verify(token, face, host, now).map(|application| application.roles.join(" "));
    let roles = "Calendars.ReadWrite User.Read.All".to_owned();
    assert_eq!(verify(Audience::Graph, "graph.microsoft.us"), Ok(roles.clone()));
    assert_eq!(verify(Audience::Graph, "127.0.0.1"), Ok(roles));
    assert_eq!(verify(Audience::Graph, "graph.microsoft.com"), Err(TokenFault::Audience));
    assert_eq!(verify(Audience::Ews, "outlook.office365.us"), Err(TokenFault::Audience));
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{}.{signature}", rest.replacen('.', ".A", 1));
    assert_eq!(tokens.verify(&forged, Audience::Graph, "127.0.0.1", now).map(|_| ()), Err(TokenFault::Unknown));
    tokens.change("c", |application| application.roles.clear());
    let issued = tokens.issue(TokenAsk { tenant: "gov", url: host, form: &form }, now).unwrap();
    let claims = Jwt::parse(issued.answer["access_token"].as_str().unwrap()).unwrap();
    assert!(claims.list("roles").is_empty() && claims.claim("tid") == "gov");
}
