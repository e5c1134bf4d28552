//! `[network]` and `authentication`: what `check` says of certificates, keys, proxies and schemes.

use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::{
    super::{Authentication, Credential, Environment, Proxy, Severity, Strictness, diff, load},
    Bench, GOOD, only, set_mode,
};

/// Until the end of 2027, and its key.
fn certificate() -> (String, String) {
    let mut params = CertificateParams::new(vec!["calsyncd".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 12, 31);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn bench(network: &str) -> Bench {
    let bench = Bench::new(format!("{GOOD}[network]\n{network}\n"));
    let (certificate, key) = certificate();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let files = [("a.crt", certificate.as_str()), ("a.key", &key), ("b.key", &other), ("not.pem", "hello")];
    for (name, text) in files {
        std::fs::write(bench.folder.path().join(name), text).unwrap();
        set_mode(&bench.folder.path().join(name), 0o600);
    }
    std::fs::write(bench.folder.path().join("binary.der"), [0x30, 0x82, 0xff, 0xfe]).unwrap();
    bench
}

fn at(day: &str) -> Environment {
    Environment { now: format!("{day}T12:00:00Z").parse::<Timestamp>().unwrap(), ..Environment::default() }
}

#[test]
fn what_cannot_be_used_is_found_where_it_stands() {
    let client = "client_certificate_file = \"a.crt\"\n";
    let cases = [
        ("ca_file = \"none.pem\"".to_owned(), "network.ca_file", "no such file"),
        ("ca_file = \"not.pem\"".to_owned(), "network.ca_file", "BEGIN CERTIFICATE"),
        ("ca_file = \"binary.der\"".to_owned(), "network.ca_file", "may be DER"),
        (client.to_owned(), "network.client_key_file", "is needed"),
        ("client_key_file = \"a.key\"".to_owned(), "network.client_certificate_file", "is needed"),
        (format!("{client}client_key_file = \"b.key\""), "network.client_key_file", "not that of the certificate"),
        (format!("{client}client_key_file = \"not.pem\""), "network.client_key_file", "no private key"),
        ("proxy = \"proxy\"".to_owned(), "network.proxy", "reached by http"),
        ("proxy = \"https://proxy:3128\"".to_owned(), "network.proxy", "reached by http"),
        ("proxy = \"http://a:b@proxy:3128\"".to_owned(), "network.proxy", "user or a password"),
        ("verify_tls = false".to_owned(), "network.verify_tls", "always checked"),
        ("ca_fil = \"a.crt\"".to_owned(), "network.ca_fil", "did you mean `ca_file`?"),
    ];
    for (text, key, words) in cases {
        let faults = bench(&text).load(&at("2026-11-27")).unwrap_err();
        let errors: Vec<_> = faults.errors().collect();
        let [fault] = errors[..] else { panic!("{text}: {errors:?}") };
        let said = format!("{} {}", fault.message, fault.hint.as_deref().unwrap_or_default());
        assert!(fault.key == key && fault.line.is_some() && said.contains(words), "{text}: {fault:?}");
    }
}

#[test]
fn a_client_certificate_is_warned_about_before_it_ends() {
    let bench = bench("client_certificate_file = \"a.crt\"\nclient_key_file = \"a.key\"\nca_file = \"a.crt\"");
    for (day, words) in [
        ("2025-12-01", vec!["valid from 2026-01-01"]),
        ("2026-11-27", vec![]),
        ("2027-12-20", vec!["ends on 2027-12-31, in 10 days"]),
        ("2028-01-02", vec!["certificate 1 ended", "client certificate ended on 2027-12-31"]),
    ] {
        let loaded = bench.load(&at(day)).unwrap();
        let said: Vec<&str> = loaded.warnings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(said.len(), words.len(), "{day}: {said:?}");
        assert!(words.iter().all(|word| said.iter().any(|said| said.contains(word))), "{day}: {said:?}");
    }
}

#[test]
fn a_key_that_check_cannot_reach_is_a_warning() {
    let bench = bench("client_certificate_file = \"a.crt\"\nclient_key_file = \"away.key\"");
    assert!(bench.load(&at("2026-11-27")).is_err());
    let loaded = load(&bench.path(), &at("2026-11-27"), Strictness::Check).unwrap();
    assert!(loaded.warnings.iter().any(|finding| finding.severity == Severity::Warning));
}

#[test]
fn a_file_that_changes_in_place_is_a_change() {
    let bench =
        bench("client_certificate_file = \"a.crt\"\nclient_key_file = \"a.key\"\nproxy = \"http://proxy:3128/\"");
    let before = bench.load(&at("2026-11-27")).unwrap().settings;
    assert_eq!(before.network.proxy, Proxy::Url("http://proxy:3128".to_owned()));
    let (certificate, key) = certificate();
    std::fs::write(bench.folder.path().join("a.crt"), certificate).unwrap();
    std::fs::write(bench.folder.path().join("a.key"), key).unwrap();
    let after = bench.load(&at("2026-11-27")).unwrap().settings;
    let found = diff::diff(&before, &after);
    assert_eq!(found.changed, ["network.client_certificate_file", "network.client_key"]);
    assert!(found.exchange && found.needs_restart.is_empty());
    assert!(!format!("{before:?}").contains("PRIVATE KEY"));
}

#[test]
fn a_scheme_is_chosen_or_named_as_not_supported() {
    let with = |scheme: &str| Bench::new(GOOD.replace("[sources", &format!("authentication = {scheme:?}\n\n[sources")));
    for (word, expected) in
        [("auto", Authentication::Auto), ("basic", Authentication::Basic), ("ntlm", Authentication::Ntlm)]
    {
        let loaded = with(word).load(&Environment::default()).unwrap();
        let Credential::Password { authentication, .. } = &only(&loaded.settings.exchange).credential else {
            panic!("{word}")
        };
        assert_eq!(*authentication, expected);
    }
    for (word, words) in
        [("kerberos", "not supported"), ("Negotiate", "WindowsAuthentication"), ("ntml", "did you mean \"ntlm\"?")]
    {
        let faults = with(word).load(&Environment::default()).unwrap_err();
        let text = faults.to_string();
        assert!(
            faults.errors().count() == 1 && text.contains("exchange.authentication") && text.contains(words),
            "{text}"
        );
    }
}
