//! One key at a time: `config get` and `config set`.

use proptest::prelude::*;

use super::{
    super::{
        Environment,
        edit::{EditError, Shown, ValueOrigin, get, set},
    },
    Bench, GOOD, variables,
};

fn none() -> Environment {
    Environment::default()
}

#[test]
fn comments_order_and_line_ends_survive() {
    let text = "# Ours since 2019.\r\n[exchange]  # the server\r\newsx = 1\r\n"
        .replace("ewsx = 1\r\n", &GOOD.replace("[exchange]\n", "").replace('\n', "\r\n"))
        .replace("use_impersonation = true", "use_impersonation = true # agreed with IT");
    let bench = Bench::new(&text);
    let saved = set(&bench.path(), "exchange.use_impersonation", "false", &none()).unwrap();
    assert!(saved.changed && saved.overridden_by.is_none());
    assert_eq!(bench.text(), text.replace("use_impersonation = true", "use_impersonation = false"));
    set(&bench.path(), "exchange.max_threads", "9", &none()).unwrap();
    set(&bench.path(), "limits.batch_size", "50", &none()).unwrap();
    set(&bench.path(), "jobs.team.addresses.ana.martin", "ana@example.test", &none()).unwrap();
    set(&bench.path(), "jobs.team.kinds", "schedule", &none()).unwrap();
    let text = bench.text();
    assert!(text.starts_with("# Ours since 2019.\r\n[exchange]  # the server\r\n"), "{text}");
    assert!(text.contains("agreed with IT\r\nmax_threads = 9\r\n"), "{text}");
    assert!(text.contains("[jobs.team]\r\nsource = \"erp\"\r\nkinds = [\"schedule\"]\r\n"), "{text}");
    assert!(!text.replace("\r\n", "").contains('\n'), "{text}");
    assert!(bench.load(&none()).unwrap().settings.jobs["team"].addresses.contains_key("ana.martin"));
}

#[test]
fn what_cannot_be_saved_changes_nothing() {
    let bench = Bench::new(GOOD);
    let cases = [
        ("exchange.max_threads", "0", "from 1 to 100"),
        ("exchange.max_threads", "many", "a whole number"),
        ("exchange.use_impersonation", "perhaps", "true or false"),
        ("exchange.use_graph_api", "true", "use_graph_api is on"),
        ("exchange.exchange_server_version", "Exchange2019", "Exchange2016"),
        ("jobs.team.zone", "Mars/Olympus", "unknown time zone"),
        ("jobs.team.source", "other", "there is no source"),
        ("jobs.Team.source", "erp", "is not a name"),
        ("log.level", "", "empty"),
        ("exchange.tenant", "x", "no key"),
        ("exchange", "x", "no key"),
        ("exchange.client_secret", "x", "is a secret"),
    ];
    for (key, value, words) in cases {
        // A variable of the same key must not hide the fault.
        let hiding = variables(&[("CALSYNCD__EXCHANGE__MAX_THREADS", "3")]);
        let error = set(&bench.path(), key, value, &hiding).expect_err(key);
        assert!(format!("{error}\n{:?}", error.hint()).contains(words), "{key}: {error}");
        assert_eq!(bench.text(), GOOD, "{key}");
    }
    let error = set(&bench.path(), "exchange.client_secret", "my-word", &none()).unwrap_err();
    assert!(error.hint().unwrap().contains("client_secret_file") && !format!("{error:?}").contains("my-word"));
    let error = set(&bench.path(), "exchange.max_thread", "5", &none()).unwrap_err();
    assert!(matches!(&error, EditError::UnknownKey { nearest: Some(near), .. } if near == "exchange.max_threads"));
}

#[test]
fn a_key_of_nobody_has_no_value() {
    let bench = Bench::new(GOOD);
    let cases = [
        ("jobs.taem.every", "there is no job \"taem\"", "did you mean \"team\"?"),
        ("jobs.other.every", "there is no job \"other\"", "the jobs are team"),
        ("jobs.other.addresses.ana", "there is no job \"other\"", "the jobs are team"),
        ("sources.crm.end_marker", "there is no source \"crm\"", "the sources are erp"),
    ];
    for (key, words, hint) in cases {
        let error = get(&bench.path(), key, &none()).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (words, Some(hint)), "{key}");
    }
    let error = get(&Bench::new("[exchange]\n").path(), "jobs.other.every", &none()).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("there is no [jobs.NAME] at all"));
    assert_eq!(get(&bench.path(), "jobs.team.every", &none()).unwrap().value, "15m");
}

#[test]
fn a_file_can_be_filled_in_field_by_field() {
    let bench = Bench::new("[exchange]\n");
    for (key, value) in [
        ("exchange.tenant_id", "example.test"),
        ("exchange.client_id", "app"),
        ("exchange.client_secret_file", "secret"),
        ("exchange.use_graph_api", "true"),
    ] {
        set(&bench.path(), key, value, &none()).unwrap_or_else(|error| panic!("{key}: {error}"));
    }
    assert!(bench.load(&none()).is_ok());
}

#[test]
fn values_are_shown_with_their_origin() {
    let bench = Bench::new(format!("{GOOD}kinds = [\"schedule\", \"appointment\"]\n"));
    let environment =
        variables(&[("CALSYNCD__LOG__LEVEL", "debug"), ("CALSYNCD__EXCHANGE__CLIENT_SECRET", "other-word")]);
    let cases = [
        ("exchange.delegated_user", "svc@example.test", ValueOrigin::File),
        ("jobs.team.kinds", "schedule, appointment", ValueOrigin::File),
        ("exchange.max_threads", "4", ValueOrigin::Default),
        ("exchange.tenant_id", "", ValueOrigin::Unset),
        ("exchange.linked_password", "", ValueOrigin::Unset),
        ("log.level", "debug", ValueOrigin::Variable("CALSYNCD__LOG__LEVEL".to_owned())),
        ("exchange.client_secret", "(set)", ValueOrigin::Variable("CALSYNCD__EXCHANGE__CLIENT_SECRET".to_owned())),
    ];
    for (key, value, origin) in cases {
        assert_eq!(get(&bench.path(), key, &environment).unwrap(), Shown { value: value.to_owned(), origin }, "{key}");
    }
    let saved = set(&bench.path(), "log.level", "warn", &environment).unwrap();
    assert_eq!(saved.overridden_by.as_deref(), Some("CALSYNCD__LOG__LEVEL"));
    assert!(!set(&bench.path(), "log.level", "warn", &environment).unwrap().changed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_set_is_got(subject in "[^\\p{C}\\s]([^\\p{C}\\p{Z}]| ){0,40}[^\\p{C}\\s]", threads in 1_u16..=100, minutes in 1_u32..10_000) {
        let bench = Bench::new(GOOD);
        for (key, value) in [
            ("jobs.team.private_subject", subject.clone()),
            ("exchange.max_threads", threads.to_string()),
            ("jobs.team.reminder_minutes", minutes.to_string()),
            ("jobs.team.every", format!("{minutes}m")),
        ] {
            prop_assert!(set(&bench.path(), key, &value, &none()).is_ok(), "{key} {value}");
            prop_assert_eq!(get(&bench.path(), key, &none()).unwrap().value, value);
        }
        let settings = bench.load(&none()).unwrap().settings;
        prop_assert_eq!(settings.jobs["team"].private_subject.as_ref(), Some(&subject));
        prop_assert_eq!(settings.exchange.max_threads, threads);
    }
}
