//! File, environment, credentials; and secrets.

use std::{path::Path, time::Duration};

use secrecy::ExposeSecret;

use super::{
    super::{
        Credential, Environment, EwsAccess, ProofKind, Protocol, SecretOrigin, ServerVersion, Settings, Severity,
        Source, Strictness, load,
    },
    Bench, GOOD, GRAPH, only, variables,
};
use crate::model::key::Kind;

fn secret(settings: &Settings) -> &str {
    match &only(&settings.exchange).credential {
        Credential::Password { password, .. } => password.expose_secret(),
        Credential::Application { proofs, .. } => match &proofs[0].kind {
            ProofKind::Secret(secret) => secret.expose_secret(),
            ProofKind::Certificate { .. } | ProofKind::FederatedToken(_) => panic!("no secret"),
        },
    }
}

#[test]
fn the_file_is_resolved() {
    let bench = Bench::new(GOOD);
    let loaded = bench.load(&Environment::default()).unwrap();
    let settings = &loaded.settings;
    assert_eq!(
        only(&settings.exchange).protocol,
        Protocol::Ews {
            url: "https://mail.example.test/EWS/Exchange.asmx".to_owned(),
            version: ServerVersion::Exchange2010_SP2,
            access: EwsAccess::impersonation(),
            ends: None,
        }
    );
    assert_eq!(secret(settings), "pass-word-1");
    assert_eq!(
        loaded.secrets.get("exchange.linked_password"),
        Some(&SecretOrigin::File(bench.folder.path().join("password")))
    );
    let Source::Files(files) = &settings.sources["erp"];
    assert_eq!(files.path, bench.folder.path().join("inbox"));
    let job = &settings.jobs["team"];
    assert_eq!(job.zone.iana(), "Europe/Paris");
    assert_eq!((job.window_days_back, job.window_days_ahead, job.every), (30, 180, Duration::from_secs(900)));
    assert_eq!(settings.state.path, Path::new("/var/lib/calsyncd/state.sqlite"));
}

#[test]
fn graph_takes_its_addresses_from_the_cloud() {
    let cases = [
        ("", "https://graph.microsoft.com", "https://login.microsoftonline.com/example.test/oauth2/v2.0/token"),
        (
            "graph_url = \"https://graph.microsoft.us/\"",
            "https://graph.microsoft.us",
            "https://login.microsoftonline.us/example.test/oauth2/v2.0/token",
        ),
        (
            "cloud = \"us-gov-dod\"",
            "https://dod-graph.microsoft.us",
            "https://login.microsoftonline.us/example.test/oauth2/v2.0/token",
        ),
        (
            "cloud = \"china\"\ngraph_url = \"https://graph.example.test\"",
            "https://graph.example.test",
            "https://login.chinacloudapi.cn/example.test/oauth2/v2.0/token",
        ),
        (
            "graph_url = \"http://127.0.0.1:8080\"\ntoken_url = \"http://127.0.0.1:8080/t/oauth2/v2.0/token\"",
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/t/oauth2/v2.0/token",
        ),
    ];
    for (added, expected_root, expected_token) in cases {
        let text = GRAPH.replace("use_graph_api = true\n", &format!("use_graph_api = true\n{added}\n"));
        let settings = Bench::new(text).load(&Environment::default()).unwrap().settings;
        let Protocol::Graph { root } = &only(&settings.exchange).protocol else { panic!("{added}") };
        let Credential::Application { token_url, scope, .. } = &only(&settings.exchange).credential else {
            panic!("{added}")
        };
        assert_eq!((root.as_str(), token_url.as_str()), (expected_root, expected_token));
        assert_eq!(scope, &format!("{expected_root}/.default"));
    }
}

#[test]
fn ews_asks_tokens_for_its_own_resource() {
    let password = "delegated_user = \"svc@example.test\"\nlinked_password_file = \"password\"\n";
    let oauth = "use_oauth = true\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_file = \"secret\"\n";
    for (server, expected) in [
        ("https://outlook.office365.com", "https://outlook.office365.com/.default"),
        ("https://eur.outlook.office365.com", "https://outlook.office365.com/.default"),
        ("https://outlook.office365.us", "https://outlook.office365.us/.default"),
        ("https://outlook-dod.office365.us", "https://outlook-dod.office365.us/.default"),
        ("https://partner.outlook.cn", "https://partner.outlook.cn/.default"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/.default"),
    ] {
        let text = GOOD.replace(password, oauth).replace("https://mail.example.test", server);
        let settings = Bench::new(text).load(&Environment::default()).unwrap().settings;
        let Credential::Application { scope, .. } = &only(&settings.exchange).credential else { panic!("{server}") };
        assert_eq!(scope, expected);
    }
}

#[test]
fn the_environment_goes_before_the_file() {
    let bench = Bench::new(format!("{GOOD}every = \"1h\"\n"));
    let environment = variables(&[
        ("CALSYNCD__EXCHANGE__MAX_THREADS", "8"),
        ("CALSYNCD__EXCHANGE__USE_IMPERSONATION", "false"),
        ("CALSYNCD__JOBS__TEAM__EVERY", "5m"),
        ("CALSYNCD__JOBS__TEAM__KINDS", "schedule"),
        ("CALSYNCD__JOBS__TEAM__PEOPLE", "ana, ben"),
        ("CALSYNCD__LOG__LEVEL", ""),
        ("CALSYNCD_CONFIG", "elsewhere"),
        ("PATH", "/bin"),
    ]);
    let settings = bench.load(&environment).unwrap().settings;
    assert_eq!(settings.exchange.max_threads, 8);
    assert!(matches!(only(&settings.exchange).protocol, Protocol::Ews { access: EwsAccess::Delegate, .. }));
    let job = &settings.jobs["team"];
    assert_eq!((job.every, job.kinds.clone()), (Duration::from_secs(300), vec![Kind::Schedule]));
    assert_eq!(job.people, ["ana", "ben"]);
}

#[test]
fn a_password_of_digits_stays_a_password() {
    let text = GOOD.replace("linked_password_file = \"password\"\n", "");
    let loaded = Bench::new(text).load(&variables(&[("CALSYNCD__EXCHANGE__LINKED_PASSWORD", "0123")])).unwrap();
    assert_eq!(secret(&loaded.settings), "0123");
    let origin = SecretOrigin::Variable("CALSYNCD__EXCHANGE__LINKED_PASSWORD".to_owned());
    assert_eq!(loaded.secrets["exchange.linked_password"], origin);
}

#[test]
fn a_higher_layer_replaces_the_secret_of_a_lower_one() {
    let bench = Bench::new(GOOD);
    std::fs::create_dir(bench.folder.path().join("credentials")).unwrap();
    let value = variables(&[("CALSYNCD__EXCHANGE__LINKED_PASSWORD", "from variable")]);
    assert_eq!(secret(&bench.load(&value).unwrap().settings), "from variable");
    let file = variables(&[("CALSYNCD__EXCHANGE__LINKED_PASSWORD_FILE", "secret")]);
    assert_eq!(secret(&bench.load(&file).unwrap().settings), "sec-ret-1");
    let credentials = Environment { credentials: Some(bench.folder.path().join("credentials")), ..value };
    assert_eq!(secret(&bench.load(&credentials).unwrap().settings), "from variable");
    std::fs::write(bench.folder.path().join("credentials/linked_password"), "from credential\r\n").unwrap();
    let loaded = bench.load(&credentials).unwrap();
    assert_eq!(secret(&loaded.settings), "from credential");
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
}

#[test]
fn secret_files_are_read_with_care() {
    let cases: [(&[u8], Result<&str, &str>); 6] = [
        (b"word\n", Ok("word")),
        (b"word", Ok("word")),
        (b" w o r d \n\n", Ok(" w o r d \n")),
        (b"\n", Err("is empty")),
        (b"", Err("is empty")),
        (b"w\xf6rd\n", Err("not UTF-8")),
    ];
    for (bytes, expected) in cases {
        let bench = Bench::new(GOOD);
        std::fs::write(bench.folder.path().join("password"), bytes).unwrap();
        match (bench.load(&Environment::default()), expected) {
            (Ok(loaded), Ok(word)) => assert_eq!(secret(&loaded.settings), word),
            (Err(faults), Err(words)) => assert!(faults.to_string().contains(words), "{faults}"),
            (Ok(_), Err(words)) => panic!("no finding of {words}"),
            (Err(faults), Ok(_)) => panic!("{faults}"),
        }
    }
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_may_read_is_a_warning_in_check_and_a_fault_in_run() {
    let by_value = GOOD.replace("linked_password_file = \"password\"", "linked_password = \"clear-word\"");
    for (text, open) in [(GOOD.to_owned(), "password"), (by_value, "calsyncd.toml")] {
        let bench = Bench::new(text);
        let path = bench.folder.path().join(open);
        for (mode, good) in [(0o600, true), (0o640, true), (0o644, false), (0o602, false)] {
            super::set_mode(&path, mode);
            let run = bench.load(&Environment::default());
            let check = load(&bench.path(), &Environment::default(), Strictness::Check).unwrap();
            assert_eq!((run.is_ok(), check.warnings.is_empty()), (good, good), "{open} {mode:o}");
            assert!(check.warnings.iter().all(|finding| finding.severity == Severity::Warning));
            assert!(!format!("{run:?} {check:?}").contains("clear-word"));
        }
    }
}

#[test]
fn nothing_shows_a_secret() {
    let text = GOOD.replace("linked_password_file = \"password\"", "linked_password = \"clear-word\"");
    let bench = Bench::new(text.replace("zone = \"Europe/Paris\"", "zone = 1"));
    #[cfg(unix)]
    super::set_mode(&bench.path(), 0o600);
    let environment = variables(&[("CALSYNCD__EXCHANGE__CLIENT_SECRET", "other-word")]);
    let faults = bench.load(&environment).unwrap_err();
    let good = Bench::new(text);
    #[cfg(unix)]
    super::set_mode(&good.path(), 0o600);
    let loaded = good.load(&environment).unwrap();
    let all = format!("{faults} {faults:?} {loaded:?} {environment:?}");
    assert!(!all.contains("clear-word") && !all.contains("other-word"), "{all}");
}
