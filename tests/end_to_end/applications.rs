//! What an application shows to get tokens: certificates, tokens of another issuer, two at a time, and what is wrong with them.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use calsyncd::sandbox::{FederatedSettings, SandboxSettings};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use crate::harness::{Face, SECRET, WRONG, WRONG_TOO, World, eventually, many};

/// A certificate that ends in so many and a half days, and its key.
struct Certificate {
    pem: String,
    key: KeyPair,
}

impl Certificate {
    fn new(days: i64) -> Self {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::default();
        let ends_s = jiff::Timestamp::now().as_second() + days * 24 * 60 * 60 + 12 * 60 * 60;
        params.not_after = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(ends_s.unsigned_abs());
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, key }
    }

    /// Writes certificate and key into one file.
    fn write(&self, world: &World, name: &str) {
        write(world, name, &format!("{}{}", self.pem, self.key.serialize_pem()));
    }
}

fn write(world: &World, name: &str, content: &str) {
    let path = world.path().join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A world through Graph that shows what `lines` say in place of the secret.
fn world(change: impl FnOnce(&mut SandboxSettings), lines: &[(&str, &str)]) -> World {
    let mut world = World::with(Face::Graph, change);
    world.configure(|config| {
        config.unset("exchange", "client_secret_file");
        lines.iter().for_each(|(key, value)| config.set("exchange", key, value));
        config.set("jobs.inbox", "every", "\"1s\"");
    });
    world
}

fn events(count: usize) -> Vec<Value> {
    ["ana", "bob"].iter().flat_map(|person| many(person, count)).collect()
}

/// Waits until both calendars hold so many items.
fn pushed(world: &World, count: usize) {
    for person in ["ana", "bob"] {
        eventually(person, || (world.item_count(person) == count).then_some(()));
    }
}

fn failed(world: &World) -> u64 {
    world.counts().failed_log_ons.values().sum()
}

fn proofs(world: &World) -> Vec<(String, u64)> {
    world.counts().proofs.into_iter().collect()
}

#[test]
fn a_certificate_takes_the_place_of_a_secret() {
    let certificate = Certificate::new(200);
    let pem = certificate.pem.clone();
    let world = world(
        |settings| settings.applications[0].certificates = vec![pem],
        &[("application_certificate_file", "\"app.pem\"")],
    );
    certificate.write(&world, "app.pem");
    let events = events(3);
    world.events(&events);
    world.command(&["check"]).expect(0, &["good"]);
    let pass = world.sync();
    assert_eq!(pass.total("created"), 6);
    assert_eq!((proofs(&world), failed(&world)), (vec![("certificate 1".to_owned(), 1)], 0));
    let status = world.status();
    assert_eq!(status["credentials"][0]["credential"], "application_certificate");
    assert_eq!(status["credentials"][0]["state"], "good");
}

#[test]
fn rs256_is_taken_where_ps256_is_not_and_costs_no_attempt() {
    let certificate = Certificate::new(200);
    let pem = certificate.pem.clone();
    let world = world(
        |settings| {
            settings.applications[0].certificates = vec![pem];
            settings.applications[0].assertion_algorithms = vec!["RS256".to_owned()];
        },
        &[("application_certificate_file", "\"app.pem\"")],
    );
    certificate.write(&world, "app.pem");
    world.events(&events(1));
    world.sync();
    assert_eq!((world.operations("Token"), failed(&world)), (2, 0));
}

#[test]
fn a_rotation_needs_no_restart() {
    let certificate = Certificate::new(200);
    let pem = certificate.pem.clone();
    let world = world(
        |settings| settings.applications[0].certificates = vec![pem],
        &[("client_secret_file", "\"secret\""), ("next_application_certificate_file", "\"app.pem\"")],
    );
    certificate.write(&world, "app.pem");
    world.events(&events(2));
    let daemon = world.daemon();
    pushed(&world, 2);
    assert_eq!(daemon.wait("credential_used")["credential"], "client_secret");
    // The administrator removes the secret, and what it gave is void.
    world.sandbox().sandbox().change_application("client", |application| {
        application.expired_secrets = std::mem::take(&mut application.client_secrets);
    });
    world.sandbox().sandbox().revoke_tokens();
    let mark = daemon.mark();
    world.events(&events(4));
    pushed(&world, 4);
    let refused = daemon.wait_after(mark, "credential_refused", |_| true);
    assert_eq!((&refused["credential"], &refused["code"]), (&json!("client_secret"), &json!("AADSTS7000222")));
    let used = daemon.wait_after(mark, "credential_used", |_| true);
    assert_eq!(
        (&used["credential"], &used["before"]),
        (&json!("next_application_certificate"), &json!("client_secret"))
    );
    assert_eq!(failed(&world), 1, "the secret that is gone is shown once");
    // Once more: the one that works is shown first; and a reload of the same settings is no reason to try the other.
    daemon.signal("HUP");
    world.sandbox().sandbox().revoke_tokens();
    world.events(&events(5));
    pushed(&world, 5);
    assert_eq!(
        (daemon.count("credential_refused"), daemon.count("credential_parked_error"), failed(&world)),
        (1, 0, 1)
    );
    daemon.stop();
}

#[test]
fn when_both_are_wrong_each_is_tried_once_and_the_daemon_goes_on() {
    let mut world = world(|_| {}, &[("client_secret_file", "\"secret\""), ("next_client_secret_file", "\"next\"")]);
    world.secret(WRONG);
    write(&world, "next", WRONG_TOO);
    world.events(&events(3));
    let daemon = world.daemon();
    daemon.wait("credential_parked_error");
    let mark = daemon.mark();
    world.events(&events(5));
    daemon.wait_after(mark, "source_read_finished", |line| line["events"] == 10);
    // A reload that changes something else shows neither again.
    world.configure(|config| config.set("exchange", "test_user", "\"ana@example.test\""));
    daemon.signal("HUP");
    let mark = daemon.mark();
    daemon.wait_after(mark, "settings_reloaded", |_| true);
    let mark = daemon.mark();
    daemon.wait_after(mark, "source_read_finished", |_| true);
    assert_eq!((failed(&world), world.operations("Token")), (2, 2));
    // A right one is taken at once.
    write(&world, "next", SECRET);
    daemon.signal("HUP");
    pushed(&world, 5);
    assert_eq!(failed(&world), 2);
    daemon.stop();
}

#[test]
fn an_unknown_certificate_is_named() {
    let (known, own) = (Certificate::new(200), Certificate::new(200));
    let world = world(
        |settings| settings.applications[0].certificates = vec![known.pem],
        &[("application_certificate_file", "\"app.pem\"")],
    );
    own.write(&world, "app.pem");
    world
        .command(&["test", "--user", "ana@example.test"])
        .expect(1, &["(assertion_refused)", "AADSTS700027", "upload the certificate"]);
    assert_eq!(failed(&world), 1);
}

/// A token of an issuer, for as long as the tests run.
fn issued(issuer: &Certificate, id: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "iss": "https://issuer.example.test", "sub": "system:serviceaccount:calsyncd", "aud": "api://AzureADTokenExchange",
        "jti": id, "exp": jiff::Timestamp::now().as_second() + 3600,
    });
    let signed = format!("{}.{}", part(json!({"alg": "RS256", "typ": "JWT"})), part(claims));
    let pair = RsaKeyPair::from_pkcs8(&issuer.key.serialize_der()).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &aws_lc_rs::rand::SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A world whose application shows the token in the file `token`.
fn federated(issuer: &Certificate) -> World {
    let certificate = issuer.pem.clone();
    let of_issuer = FederatedSettings {
        issuer: "https://issuer.example.test".to_owned(),
        subject: "system:serviceaccount:calsyncd".to_owned(),
        certificate,
        ..FederatedSettings::default()
    };
    world(|settings| settings.applications[0].federated = vec![of_issuer], &[("federated_token_file", "\"token\"")])
}

#[test]
fn a_federated_token_follows_its_file() {
    let issuer = Certificate::new(200);
    let world = federated(&issuer);
    write(&world, "token", &issued(&issuer, "one"));
    world.events(&events(1));
    let daemon = world.daemon();
    pushed(&world, 1);
    write(&world, "token", &issued(&issuer, "two"));
    world.sandbox().sandbox().revoke_tokens();
    world.events(&events(2));
    pushed(&world, 2);
    let shown = ["federated one", "federated two"].map(|proof| (proof.to_owned(), 1));
    assert_eq!((proofs(&world), failed(&world)), (shown.to_vec(), 0));
    daemon.stop();
}

#[test]
fn a_refused_federated_token_is_tried_again_when_its_file_changes() {
    let (issuer, other) = (Certificate::new(200), Certificate::new(200));
    let world = federated(&issuer);
    write(&world, "token", &issued(&other, "one"));
    world.events(&events(1));
    let daemon = world.daemon();
    daemon.wait("credential_parked_error");
    for _ in 0..2 {
        let mark = daemon.mark();
        daemon.wait_after(mark, "source_read_finished", |_| true);
    }
    assert_eq!(failed(&world), 1);
    daemon.stop();
    // The next process knows the refused token again, and no signal tells of the new one.
    let daemon = world.daemon();
    daemon.wait("credential_parked_error");
    assert_eq!(failed(&world), 1);
    write(&world, "token", &issued(&issuer, "two"));
    pushed(&world, 1);
    assert_eq!((proofs(&world), failed(&world)), (vec![("federated two".to_owned(), 1)], 1));
    daemon.stop();
}

#[test]
fn what_comes_to_its_end_is_told_everywhere() {
    let (certificate, ended) = (Certificate::new(5), Certificate::new(-3));
    let pem = certificate.pem.clone();
    let world = world(
        |settings| settings.applications[0].certificates = vec![pem],
        &[("application_certificate_file", "\"app.pem\""), ("next_application_certificate_file", "\"ended.pem\"")],
    );
    certificate.write(&world, "app.pem");
    ended.write(&world, "ended.pem");
    world
        .command(&["check"])
        .expect(0, &["`application_certificate` ends on", "in 5 days", "`next_application_certificate` ended on"]);
    world.command(&["status"]).expect(0, &["`application_certificate` ends on"]);
    let status = world.status();
    let told = |at: usize| (status["credentials"][at]["state"].clone(), status["credentials"][at]["days_left"].clone());
    assert_eq!((told(0), told(1).0), ((json!("expiring"), json!(5)), json!("expired")));
    let daemon = world.daemon();
    let expiring = daemon.wait("credential_expiring");
    assert_eq!(
        (&expiring["credential"], &expiring["days_left"], &expiring["within_days"]),
        (&json!("application_certificate"), &json!(5), &json!(7))
    );
    assert_eq!(daemon.wait("credential_expired_error")["credential"], "next_application_certificate");
    daemon.stop();
}
