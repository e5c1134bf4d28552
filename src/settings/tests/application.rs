//! The application of `[exchange]`: what it shows, when that ends, and which cloud it is in.

use std::sync::LazyLock;

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, date_time_ymd};

use super::{
    super::{
        Credential, Environment, ProofKind, Severity, Strictness,
        expiry::{Stage, expiries},
        load,
    },
    Bench, GRAPH, only, set_mode,
};

/// RSA keys take long to make.
static KEYS: LazyLock<[KeyPair; 2]> =
    LazyLock::new(|| [(); 2].map(|()| KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap()));

/// The good file for Graph with other lines in place of its secret, and beside it a certificate with its key (`app.pem`), one
/// without (`certificate.pem`, `key.pem`) and the key of another (`other.pem`).
fn bench(lines: &str) -> Bench {
    let bench = Bench::new(GRAPH.replace("client_secret_file = \"secret\"", lines));
    let [key, other] = &*KEYS;
    let mut params = CertificateParams::default();
    params.not_after = date_time_ymd(2031, 2, 3);
    let certificate = params.self_signed(key).unwrap().pem();
    for (name, content, mode) in [
        ("app.pem", format!("{certificate}{}", key.serialize_pem()), 0o600),
        ("open.pem", format!("{certificate}{}", key.serialize_pem()), 0o644),
        ("certificate.pem", certificate, 0o644),
        ("key.pem", key.serialize_pem(), 0o600),
        ("other.pem", other.serialize_pem(), 0o600),
        ("token", "x.y.z".to_owned(), 0o600),
    ] {
        let path = bench.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        set_mode(&path, mode);
    }
    bench
}

#[test]
fn an_application_shows_a_secret_a_certificate_or_a_token_and_a_next_one() {
    let secret = "client_secret_file = \"secret\"";
    let cases: [(&str, &[&str]); 7] = [
        (secret, &["client_secret"]),
        (
            "client_secret_file = \"secret\"\nnext_client_secret_file = \"password\"",
            &["client_secret", "next_client_secret"],
        ),
        ("application_certificate_file = \"app.pem\"", &["application_certificate"]),
        (
            "application_certificate_file = \"certificate.pem\"\napplication_key_file = \"key.pem\"",
            &["application_certificate"],
        ),
        (
            "client_secret_file = \"secret\"\nnext_application_certificate_file = \"app.pem\"",
            &["client_secret", "next_application_certificate"],
        ),
        (
            "application_certificate_file = \"app.pem\"\nnext_application_certificate_file = \"certificate.pem\"\n\
             next_application_key_file = \"key.pem\"\napplication_certificate_algorithm = \"RS256\"",
            &["application_certificate", "next_application_certificate"],
        ),
        ("federated_token_file = \"token\"", &["federated_token"]),
    ];
    for (lines, expected) in cases {
        let loaded = bench(lines).load(&Environment::default()).unwrap_or_else(|faults| panic!("{lines}: {faults}"));
        let Credential::Application { proofs, .. } = &only(&loaded.settings.exchange).credential else {
            panic!("{lines}")
        };
        assert_eq!(proofs.iter().map(|proof| proof.key).collect::<Vec<_>>(), expected, "{lines}");
        assert_eq!(loaded.warnings, [], "{lines}");
        for proof in proofs {
            let ends =
                matches!(proof.kind, ProofKind::Certificate { .. }).then(|| "2031-02-03T00:00:00Z".parse().unwrap());
            assert_eq!(proof.ends, ends, "{lines}");
        }
        assert!(!format!("{loaded:?}").contains("sec-ret"), "{lines}");
    }
}

#[test]
fn what_cannot_be_shown_is_refused() {
    for (lines, key, words) in [
        ("test_user = \"ana@example.test\"", "client_secret", "is needed"),
        ("next_client_secret_file = \"secret\"", "client_secret", "is needed"),
        (
            "client_secret_file = \"secret\"\napplication_certificate_file = \"app.pem\"",
            "application_certificate_file",
            "both `client_secret`",
        ),
        (
            "client_secret_file = \"secret\"\nnext_client_secret = \"a\"\nnext_application_certificate_file = \"app.pem\"",
            "next_application_certificate_file",
            "both `next_client_secret`",
        ),
        ("application_certificate_file = \"key.pem\"", "application_certificate_file", "no certificate"),
        ("application_certificate_file = \"certificate.pem\"", "application_certificate_file", "no private key"),
        (
            "application_certificate_file = \"certificate.pem\"\napplication_key_file = \"other.pem\"",
            "application_certificate_file",
            "another certificate",
        ),
        ("application_certificate_file = \"token\"", "application_certificate_file", "neither PEM nor PKCS#12"),
        ("application_certificate_file = \"none.pem\"", "application_certificate_file", "No such file"),
        ("application_certificate_file = \"open.pem\"", "application_certificate_file", "others may read"),
        (
            "application_certificate_file = \"app.pem\"\napplication_certificate_algorithm = \"ES256\"",
            "application_certificate_algorithm",
            "auto, PS256, RS256",
        ),
        ("client_secret_file = \"secret\"\nclient_secret_expires = \"soon\"", "client_secret_expires", "is not a day"),
        ("client_secret_file = \"secret\"\nclient_secret_expires = 2027-03-01", "client_secret_expires", "in quotes"),
        ("client_secret_file = \"secret\"\ncloud = \"mars\"", "cloud", "global, us-gov-high, us-gov-dod, china"),
        (
            "client_secret_file = \"secret\"\ncloud = \"china\"\ngraph_url = \"https://graph.microsoft.com\"",
            "graph_url",
            "the cloud global, and the section is for china",
        ),
        (
            "client_secret_file = \"secret\"\ncloud = \"us-gov-high\"\n\
             token_url = \"https://login.microsoftonline.com/t/oauth2/v2.0/token\"",
            "token_url",
            "the cloud global, and the section is for us-gov-high",
        ),
        (
            "client_secret_file = \"secret\"\ngraph_url = \"https://graph.microsoft.us\"\n\
             token_url = \"https://login.chinacloudapi.cn/t/oauth2/v2.0/token\"",
            "token_url",
            "the cloud china, and the section is for us-gov-high",
        ),
        (
            "client_secret_file = \"secret\"\ntoken_url = \"https://login.microsoftonline.us/t/oauth2/v2.0/token\"",
            "token_url",
            "the section is for global",
        ),
    ] {
        let faults = bench(lines).load(&Environment::default()).expect_err(lines);
        let errors: Vec<_> = faults.errors().collect();
        assert_eq!(errors.len(), 1, "{lines}: {faults}");
        assert_eq!(errors[0].key, format!("exchange.{key}"), "{lines}");
        let said = format!("{} {}", errors[0].message, errors[0].hint.as_deref().unwrap_or_default());
        assert!(said.contains(words), "{lines}: {said}");
    }
}

#[test]
fn addresses_of_one_cloud_go_together() {
    for lines in [
        "cloud = \"us-gov-dod\"\ntoken_url = \"https://login.microsoftonline.us/t/oauth2/v2.0/token\"",
        "graph_url = \"https://dod-graph.microsoft.us\"\ntoken_url = \"https://login.microsoftonline.us/t/oauth2/v2.0/token\"",
        "cloud = \"china\"\ntoken_url = \"https://login.partner.microsoftonline.cn/t/oauth2/v2.0/token\"",
        "graph_url = \"https://graph.example.test\"\ntoken_url = \"https://login.example.test/token\"",
        "cloud = \"china\"\ngraph_url = \"http://127.0.0.1:1\"\ntoken_url = \"http://127.0.0.1:1/token\"",
    ] {
        let bench = bench(&format!("client_secret_file = \"secret\"\n{lines}"));
        assert_eq!(
            bench.load(&Environment::default()).unwrap_or_else(|faults| panic!("{lines}: {faults}")).warnings,
            []
        );
    }
}

#[test]
fn a_credential_of_systemd_goes_before_the_file() {
    let bench = bench("");
    let credentials = bench.folder.path().join("credentials");
    std::fs::create_dir(&credentials).unwrap();
    for (name, from) in [("application_certificate", "certificate.pem"), ("application_key", "key.pem")] {
        std::fs::copy(bench.folder.path().join(from), credentials.join(name)).unwrap();
    }
    let environment = Environment { credentials: Some(credentials), ..Environment::default() };
    let loaded = bench.load(&environment).unwrap();
    let Credential::Application { proofs, .. } = &only(&loaded.settings.exchange).credential else {
        panic!("no application")
    };
    assert_eq!((proofs.len(), proofs[0].key), (1, "application_certificate"));
}

#[test]
fn a_check_by_somebody_else_warns_of_what_it_cannot_reach() {
    let bench = bench("application_certificate_file = \"none.pem\"\nnext_client_secret_file = \"nowhere\"");
    let loaded = load(&bench.path(), &Environment::default(), Strictness::Check).unwrap();
    let keys: Vec<&str> = loaded.warnings.iter().map(|finding| finding.key.as_str()).collect();
    assert_eq!(keys, ["exchange.application_certificate_file", "exchange.next_client_secret_file"]);
    assert!(loaded.warnings.iter().all(|finding| finding.severity == Severity::Warning));
}

#[test]
fn the_ends_that_are_known_are_told() {
    let lines = "client_secret_file = \"secret\"\nclient_secret_expires = \"2030-12-31\"\n\
                 next_application_certificate_file = \"app.pem\"";
    let settings = bench(lines).load(&Environment::default()).unwrap().settings;
    let found = expiries(&settings, "2031-01-27T00:00:00Z".parse().unwrap());
    let found: Vec<_> = found.iter().map(|expiry| (expiry.key, expiry.days_left, expiry.stage)).collect();
    assert_eq!(found, [("client_secret", -27, Stage::Over), ("next_application_certificate", 7, Stage::Within(7))]);
    let none = bench("client_secret_file = \"secret\"").load(&Environment::default()).unwrap().settings;
    assert_eq!(expiries(&none, "2031-01-27T00:00:00Z".parse().unwrap()), []);
}
