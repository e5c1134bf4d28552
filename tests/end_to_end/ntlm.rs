//! On-premises EWS as it is today: TLS with a private authority, NTLM, and Extended Protection required.

use calsyncd::sandbox::{
    ExtendedProtection, Fault, FaultKind, LogOnScheme, SandboxSettings,
    store::{Change, ChangeOrder, Guard, Target},
};

use crate::harness::{Face, SECRET, WRONG, World, eventually, many};

const ANA: &str = "ana@example.test";
const PEOPLE: [&str; 4] = ["ana", "bob", "chloe", "dan"];

fn protected(settings: &mut SandboxSettings) {
    settings.tls.enabled = true;
    settings.authentication = vec![LogOnScheme::Negotiate, LogOnScheme::Ntlm, LogOnScheme::Basic];
    settings.extended_protection = ExtendedProtection::Require;
}

fn events(count: usize) -> Vec<serde_json::Value> {
    PEOPLE.iter().flat_map(|person| many(person, count)).collect()
}

/// Nobody was refused: neither for the password nor for the binding.
#[track_caller]
fn assert_welcome(world: &World) {
    let counts = world.counts();
    assert!(counts.challenges > 0 && counts.unbound_log_ons == 0 && counts.failed_log_ons.is_empty(), "{counts:?}");
}

#[test]
fn events_are_pushed_and_drift_is_put_right() {
    let mut world = World::with(Face::Ews, protected);
    world.configure(|config| {
        config.set("limits", "drift_every", "\"1s\"");
        config.set("jobs.inbox", "every", "\"1s\"");
    });
    let events = events(3);
    world.events(&events);
    let daemon = world.daemon();
    for person in PEOPLE {
        eventually(person, || (world.item_count(person) == 3).then_some(()));
        world.assert_exactly(person, &events);
    }
    let (before, agenda) = (world.shown("ana"), world.agenda("ana"));
    let target = Target::Id(before.one("appointment/ana-000").id.clone());
    let mine = [Change::Subject("Mine".to_owned())];
    world.store().update(ANA, &target, &mine, ChangeOrder::Together, &Guard::Any).unwrap();
    eventually("the repair", || (world.agenda("ana") == agenda).then_some(()));
    // A connection for each of the four workers, at the most.
    assert!(world.counts().challenges <= 4, "{:?}", world.counts());
    assert_welcome(&world);
    daemon.stop();
}

#[test]
fn a_server_that_closes_connections_often_loses_nothing() {
    let mut world = World::with(Face::Ews, |settings| {
        protected(settings);
        settings.close_every = 4;
        settings.mailboxes.extend((0..4).map(|number| calsyncd::sandbox::MailboxSettings {
            address: format!("p{number}@example.test"),
            ..calsyncd::sandbox::MailboxSettings::default()
        }));
    });
    world.configure(|config| {
        config.set("exchange", "max_threads", "8");
        config.set("exchange", "authentication", "\"ntlm\"");
        config.set("limits", "batch_size", "2");
    });
    let people = ["ana", "bob", "chloe", "dan", "p0", "p1", "p2", "p3"];
    let events: Vec<_> = people.iter().flat_map(|person| many(person, 10)).collect();
    world.events(&events);
    world.sync();
    for person in people {
        world.assert_exactly(person, &events);
    }
    assert!(world.counts().challenges > 8);
    assert_welcome(&world);
}

#[test]
fn a_lost_answer_is_looked_up() {
    let mut world = World::with(Face::Ews, protected);
    world.configure(|config| config.set("exchange", "authentication", "\"ntlm\""));
    world.inject(Fault { every: 2, times: 2, ..Fault::nth(FaultKind::DropAnswerAfterCommit, 1, "CreateItem") });
    let events = many("ana", 25);
    world.events(&events);
    world.sync();
    assert!(world.counts().faults > 0);
    world.assert_exactly("ana", &events);
    assert_welcome(&world);
}

#[test]
fn a_wrong_password_is_shown_once_and_the_right_one_taken_over_at_a_reload() {
    let mut world = World::with(Face::Ews, protected);
    world.configure(|config| {
        config.set("exchange", "max_threads", "8");
        config.set("jobs.inbox", "every", "\"1s\"");
    });
    let events = events(3);
    world.events(&events);
    world.secret(WRONG);
    let failed = || world.counts().failed_log_ons.values().sum::<u64>();
    let daemon = world.daemon();
    daemon.wait("credential_parked_error");
    for _ in 0..2 {
        let mark = daemon.mark();
        daemon.wait_after(mark, "source_read_finished", |_| true);
    }
    assert_eq!((failed(), world.writes()), (1, 0));
    world.secret(SECRET);
    daemon.signal("HUP");
    for person in PEOPLE {
        eventually(person, || (world.item_count(person) == 3).then_some(()));
        world.assert_exactly(person, &events);
    }
    assert_eq!(failed(), 1);
    let text = daemon.text();
    assert!(!text.contains("TlRMTVNTU"), "{text}");
    daemon.stop();
}

#[test]
fn what_is_not_trusted_or_not_offered_is_named() {
    let mut world = World::with(Face::Ews, protected);
    world.events(&many("ana", 1));
    std::fs::write(world.path().join("other.pem"), other_authority()).unwrap();
    world.configure(|config| config.set("network", "ca_file", "\"other.pem\""));
    let test = ["test", "--user", ANA];
    world.command(&test).expect(1, &["(certificate_untrusted)", "UnknownIssuer", "network.ca_file"]);
    assert_eq!(world.counts().exchanges, 0);

    let mut world = World::with(Face::Ews, |settings| {
        protected(settings);
        settings.authentication = vec![LogOnScheme::Negotiate];
    });
    world.configure(|config| config.set("exchange", "authentication", "\"ntlm\""));
    let expected = ["(no_log_on)", "offers Negotiate", "NTLM", "Get-WebServicesVirtualDirectory"];
    world.command(&test).expect(1, &expected);
    assert!(world.counts().failed_log_ons.is_empty());

    // Without TLS there is nothing to be bound to: a right password is refused.
    let world = World::with(Face::Ews, |settings| {
        protected(settings);
        settings.tls.enabled = false;
    });
    world.command(&test).expect(1, &["(wrong_password)", "Extended Protection"]);
    let counts = world.counts();
    assert!(counts.unbound_log_ons == 1 && counts.failed_log_ons.is_empty(), "{counts:?}");
}

fn other_authority() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap().pem()
}

#[test]
fn a_renewed_authority_is_taken_over_at_a_reload() {
    let world = World::with(Face::Ews, protected);
    let right = std::fs::read(world.path().join("ca.pem")).unwrap();
    std::fs::write(world.path().join("ca.pem"), other_authority()).unwrap();
    let events = many("ana", 2);
    world.events(&events);
    let daemon = world.daemon();
    daemon.wait_after(0, "server_paused", |line| line["code"] == "CertificateUnknownIssuer");
    std::fs::write(world.path().join("ca.pem"), right).unwrap();
    daemon.signal("HUP");
    eventually("the push", || (world.item_count("ana") == 2).then_some(()));
    daemon.stop();
}
