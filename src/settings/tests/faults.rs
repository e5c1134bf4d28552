//! Files that are wrong: each fault at its line and column, all of them at once.

use super::{
    super::{
        Credential, Environment, EwsAccess, Identity, NamedCalendar, Protocol, ServerVersion, SettingsFaults, Severity,
        Strictness, load, side_of_key,
    },
    Bench, GOOD, GRAPH, only, variables,
};
use crate::model::side::Side;

fn lines(faults: &SettingsFaults, severity: Severity) -> Vec<String> {
    let of_severity = faults.findings.iter().filter(|finding| finding.severity == severity);
    of_severity
        .map(|finding| {
            let place = match (finding.line, finding.column) {
                (Some(line), Some(column)) => format!("{line}:{column}"),
                _ => "-".to_owned(),
            };
            let hint = finding.hint.as_deref().unwrap_or_default();
            format!("{place} {} | {} | {hint}", finding.key, finding.message)
        })
        .collect()
}

/// `text` must have exactly one fault: at `place`, of `key`, with `words` in its message or hint.
fn check(text: &str, place: &str, key: &str, words: &str) {
    let bench = Bench::new(text);
    let faults = bench.load(&Environment::default()).expect_err(&format!("{place} {key} {words}"));
    let errors = lines(&faults, Severity::Error);
    let expected = format!("{place} {key} |");
    assert!(
        errors.len() == 1 && errors[0].starts_with(&expected) && errors[0].contains(words),
        "expected {expected} … {words:?}, found {errors:#?}"
    );
}

#[test]
fn values_that_cannot_be_are_found_where_they_stand() {
    // What is added below `[jobs.team]` of the good file stands on line 14.
    let job: &[(&str, &str, &str, &str)] = &[
        ("evry = \"15m\"", "14:1", "jobs.team.evry", "did you mean `every`?"),
        ("every = 15", "14:1", "jobs.team.every", "a duration in quotes"),
        ("every = \"15 min\"", "14:1", "jobs.team.every", "is not a duration"),
        ("every = \"0s\"", "14:1", "jobs.team.every", "out of range"),
        ("window_days_ahead = 0", "14:1", "jobs.team.window_days_ahead", "from 1 to 1825"),
        ("window_days_back = -1", "14:1", "jobs.team.window_days_back", "-1 is out of range"),
        ("  window_days_back = \"30\"", "14:3", "jobs.team.window_days_back", "a whole number is needed, not a text"),
        ("window_days_back = 3.5", "14:1", "jobs.team.window_days_back", "a number with a fraction"),
        ("window_days_back = 99999999999999999999999999", "14:1", "jobs.team.window_days_back", "out of range"),
        ("reminder_minutes = 2629801", "14:1", "jobs.team.reminder_minutes", "from 0 to 2629800"),
        ("keep_reminder = \"yes\"", "14:1", "jobs.team.keep_reminder", "true or false"),
        ("keep_notes = \"--\"", "14:1", "jobs.team.keep_notes", "too short or too long"),
        ("keep_notes = \"<b>notes</b>\"", "14:1", "jobs.team.keep_notes", "a character of HTML"),
        ("keep_notes = \"one\\ntwo\"", "14:1", "jobs.team.keep_notes", "control characters"),
        ("deleted_by_user = \"never\"", "14:1", "jobs.team.deleted_by_user", "neither \"recreate\" nor a duration"),
        ("deleted_by_user = \"5m\"", "14:1", "jobs.team.deleted_by_user", "from 1h to 3660d"),
        ("show_as = \"bussy\"", "14:1", "jobs.team.show_as", "did you mean \"busy\"?"),
        ("zone = \"Europe/Pariss\"", "14:1", "jobs.team.zone", "unknown time zone"),
        ("zone = 2026-01-01", "14:1", "jobs.team.zone", "a date or time"),
        ("kinds = []", "14:1", "jobs.team.kinds", "nothing would be pushed"),
        ("kinds = [\"schedule\", \"note\"]", "14:22", "jobs.team.kinds", "unknown value \"note\""),
        ("kinds = [\"schedule\", \"schedule\"]", "14:22", "jobs.team.kinds", "listed twice"),
        ("kinds = \"schedule\"", "14:1", "jobs.team.kinds", "a list of texts"),
        ("people = [\"ana@@example.test\"]", "14:11", "jobs.team.people", "not an SMTP address"),
        ("people = [1]", "14:11", "jobs.team.people", "text in quotes"),
        ("people_domain = \"@example.test\"", "14:1", "jobs.team.people_domain", "without @"),
        ("morning = [\"12:30\", \"09:00\"]", "14:1", "jobs.team.morning", "does not come after"),
        ("morning = [\"09:00\", \"15:00\"]", "14:1", "jobs.team.morning", "follow each other"),
        ("morning = [\"9:00\", \"12:00\"]", "14:12", "jobs.team.morning", "not a time of day"),
        ("generic_people = [\"gen\", \"gen\"]", "14:26", "jobs.team.generic_people", "listed twice"),
        ("max_days = 0", "14:1", "jobs.team.max_days", "from 1 to 3660"),
        ("max_days = 3661", "14:1", "jobs.team.max_days", "from 1 to 3660"),
        ("skip_non_working_days = \"yes\"", "14:1", "jobs.team.skip_non_working_days", "true or false"),
        ("working_days = []", "14:1", "jobs.team.working_days", "no day would be worked"),
        ("working_days = [\"monday\", \"lundi\"]", "14:27", "jobs.team.working_days", "known are monday"),
        ("working_days = [\"monday\", \"monday\"]", "14:27", "jobs.team.working_days", "listed twice"),
        ("holidays = [\"25.12.2026\"]", "14:13", "jobs.team.holidays", "write it as \"2026-12-25\""),
        ("holidays = [2026-12-25]", "14:13", "jobs.team.holidays", "text in quotes"),
        ("holidays = [\"2026-12-25\", \"2026-12-25\"]", "14:27", "jobs.team.holidays", "listed twice"),
        ("holidays_file = \"none.txt\"", "14:1", "jobs.team.holidays_file", "no such file"),
        ("holidays_file = \".\"", "14:1", "jobs.team.holidays_file", "not a file"),
        ("afternoon = [\"14:00\", \"24:00\"]", "14:23", "jobs.team.afternoon", "not a time of day"),
        ("categories = [\"a,b\"]", "14:15", "jobs.team.categories", "name of a category"),
        ("private_subject = \"\"", "14:1", "jobs.team.private_subject", "empty"),
        ("private_subject = \" x\"", "14:1", "jobs.team.private_subject", "blanks around"),
        ("addresses = 1", "14:1", "jobs.team.addresses", "not a number"),
        ("addresses.\"ana martin\" = \"ana\"", "14:11", "jobs.team.addresses.ana martin", "not an SMTP address"),
    ];
    for (added, place, key, words) in job {
        check(&format!("{GOOD}{added}\n"), place, key, words);
    }
}

#[test]
fn identities_and_calendars_are_checked() {
    let identities = |line: &str| format!("{GOOD}[exchange.identities]\n{line}\n");
    for (text, words) in [
        (identities("\"ana\" = \"ana@corp.test\""), "is not an SMTP address"),
        (identities("\"ana@example.test\" = 'CORP\\ana'"), "neither a user principal name nor a security identifier"),
        (GOOD.replace("[exchange]", "[exchange]\nimpersonate_by = \"sid\""), "known are smtp_address, upn"),
        (GOOD.replace("[exchange]", &format!("[exchange]\ncalendar = \"{}\"", "x".repeat(256))), "too long"),
        (GRAPH.replace("[exchange]", "[exchange]\nimpersonate_by = \"upn\""), "is a field of EWS"),
    ] {
        let faults = Bench::new(&text).load(&Environment::default()).expect_err(&text);
        let errors = lines(&faults, Severity::Error);
        assert!(errors.len() == 1 && errors[0].contains(words), "{words}: {errors:#?}");
    }
    let text =
        identities("\"ana@example.test\" = \"S-1-5-21-7\"").replace("[exchange]", "[exchange]\ncalendar = \"Duty\"");
    let exchange = Bench::new(text).load(&Environment::default()).unwrap().settings.exchange;
    assert_eq!(exchange.calendar, Some(NamedCalendar { name: "Duty".to_owned(), create: false }));
    let Protocol::Ews { access: EwsAccess::Impersonation(identities), .. } = &only(&exchange).protocol else {
        panic!("EWS")
    };
    let named: Vec<&Identity> = identities.named.values().collect();
    assert_eq!(named, [&Identity::Sid("S-1-5-21-7".to_owned())]);
}

#[test]
fn faulty_templates_are_found_in_their_line() {
    let cases = [
        ("private_when = \"'x' in categories or titel\"", "14:38", "private_when", "there is no value `titel`"),
        ("private_when = \"data.a ==\"", "14:", "private_when", "unexpected"),
        ("private_when = 1", "14:1", "private_when", "text in quotes"),
        ("templates.subject = \"{{ subjet }}\"", "14:25", "templates.subject", "did you mean `subject`?"),
        ("[jobs.team.templates]\nsubjekt = \"\"", "15:1", "templates.subjekt", "did you mean `subject`?"),
        ("[jobs.team.templates]\nbody_type = \"text\"", "15:1", "templates.body_type", "known are source, html"),
        ("[jobs.team.templates.schedules]\n", "14:22", "templates.schedules", "did you mean `schedule`?"),
        (
            "[jobs.team.templates.schedule]\nbody_type = \"html\"",
            "15:1",
            "templates.schedule.body_type",
            "keys here are",
        ),
        (
            "[jobs.team.templates]\nbody = \"\"\"\n{{ body }}\n{% if url %}\n  {{ urll }}\n{% endif %}\"\"\"",
            "18:6",
            "templates.body",
            "did you mean `url`?",
        ),
        ("[jobs.team.templates]\nbody = '''\n\n{{ start + 1 }}'''", "17:4", "templates.body", "sample event"),
        (
            "[jobs.team.templates.appointment]\ncategories = [\"{{ kind }}\", \"{{ sort }}\"]",
            "15:33",
            "templates.appointment.categories",
            "there is no value `sort`",
        ),
        (
            "[jobs.team.templates.appointment]\ncategories = \"{{ kind }}\"",
            "15:1",
            "templates.appointment.categories",
            "a list",
        ),
    ];
    let mut wrong = Vec::new();
    for (added, place, key, words) in cases {
        let bench = Bench::new(format!("{GOOD}{added}\n"));
        let faults = bench.load(&Environment::default()).expect_err(added);
        let errors = lines(&faults, Severity::Error);
        let found = errors.len() == 1
            && errors[0].starts_with(place)
            && errors[0].contains(&format!("jobs.team.{key} |"))
            && errors[0].contains(words);
        if !found {
            wrong.push(format!("{added}: expected {place} {key} {words:?}, found {errors:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let many = "[jobs.team.templates]\nsubject = \"{{ a }}\"\nlocation = \"{{ b }}\"\n";
    let faults = Bench::new(format!("{GOOD}{many}")).load(&Environment::default()).unwrap_err();
    assert_eq!(faults.errors().count(), 2, "{faults}");
    let good = "private_when = '''\n  \"Leave\" in categories'''\n[jobs.team.templates]\nlocation = \"\"\nsubject = \"{{ data.a }}\"\n";
    let loaded =
        Bench::new(format!("{GOOD}{good}")).load(&Environment::default()).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(loaded.settings.jobs["team"].templates.given().count(), 3);
    let from_variable = variables(&[("CALSYNCD__JOBS__TEAM__TEMPLATES__SUBJECT", "a\n{{ subjet }}")]);
    let faults = Bench::new(GOOD).load(&from_variable).unwrap_err().to_string();
    assert!(faults.contains("CALSYNCD__JOBS__TEAM__TEMPLATES__SUBJECT") && faults.contains("line 2 of"), "{faults}");
}

/// The good file with a part replaced.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replace(from, to)
}

/// The good file for Graph with a line added on line 3.
fn graph(added: &str) -> String {
    GRAPH.replace("use_graph_api = true\n", &format!("use_graph_api = true\n{added}\n"))
}

/// The good file with a line of `[exchange]` (line 5) replaced.
fn exchange(line: &str) -> String {
    with("use_impersonation = true", line)
}

/// EWS of Exchange Online with client credentials, and a line added on line 7.
fn oauth(added: &str) -> String {
    let fields = "use_oauth = true\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_file = \"secret\"\n";
    let head = "[exchange]\news_service_url = \"https://outlook.office365.com/EWS/Exchange.asmx\"\n";
    let (_, tail) = GOOD.split_once("\n[sources").unwrap();
    format!("{head}{fields}{added}\n[sources{tail}")
}

#[test]
fn fields_of_the_exchange_page_are_judged() {
    let versions: Vec<&str> = ServerVersion::ALL.iter().map(|version| version.as_str()).collect();
    let versions = versions.join(", ");
    let cases = [
        ("max_threads = 0", "max_threads", "from 1 to 100"),
        ("max_threads = 101", "max_threads", "from 1 to 100"),
        ("use_impersonation = \"yes\"", "use_impersonation", "true or false"),
        ("use_impersonatoin = true", "use_impersonatoin", "`use_impersonation`"),
        ("batch_size = 20", "batch_size", "belongs into [limits]"),
        ("test_user = \"ana\"", "test_user", "not an SMTP address"),
        ("exchange_server_version = \"Exchange2019\"", "exchange_server_version", versions.as_str()),
        ("linked_password = \"x\"", "linked_password", "both"),
    ];
    for (line, key, words) in cases {
        check(&exchange(line), "5:1", &format!("exchange.{key}"), words);
    }
    let without_user = with("delegated_user = \"svc@example.test\"\n", "");
    let without_password = with("linked_password_file = \"password\"\n", "");
    check(&with("https://mail", "http://mail"), "2:1", "exchange.ews_service_url", "in clear");
    check(&without_user, "1:2", "exchange.delegated_user", "when use_oauth and use_graph_api are off");
    check(&without_password, "1:2", "exchange.linked_password", "LoadCredential=linked_password");
    check(&with("\"password\"", "\"missing\""), "4:1", "exchange.linked_password_file", "no such file");
    check(&with("\"password\"", "\".\""), "4:1", "exchange.linked_password_file", "not a file of one line");
}

/// The good file for a hybrid, with a line added on line 6.
fn hybrid(added: &str) -> String {
    let fields = "protocol = \"auto\"\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_file = \"secret\"\n";
    with("[exchange]\n", &format!("[exchange]\n{fields}{added}\n"))
}

#[test]
fn a_hybrid_has_two_sides() {
    let loaded =
        Bench::new(hybrid("graph_url = \"https://graph.example.test\"")).load(&Environment::default()).unwrap();
    let exchange = &loaded.settings.exchange;
    let (ews, graph) = (&exchange.sides[&Side::Ews], &exchange.sides[&Side::Graph]);
    assert!(exchange.is_hybrid() && loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    assert_eq!((ews.url(), graph.url()), ("https://mail.example.test/EWS/Exchange.asmx", "https://graph.example.test"));
    assert!(matches!(ews.credential, Credential::Password { .. }));
    assert!(matches!(graph.credential, Credential::Application { .. }));
    let online = hybrid("").replace("mail.example.test", "outlook.office365.com");
    check(&hybrid("").replace("\"auto\"", "\"ews\""), "2:1", "exchange.protocol", "use_graph_api chooses");
    check(&hybrid("use_graph_api = true"), "6:1", "exchange.use_graph_api", "chooses for each");
    check(&hybrid("use_oauth = true"), "6:1", "exchange.use_oauth", "chooses for each");
    check(&online, "7:1", "exchange.ews_service_url", "Exchange Online is none of them");
    let reason = "when protocol is \"auto\"";
    check(&hybrid("").replace("client_id = \"c\"\n", ""), "1:2", "exchange.client_id", reason);
    check(&hybrid("").replace("delegated_user = \"svc@example.test\"\n", ""), "1:2", "exchange.delegated_user", reason);
    for (key, side) in [
        ("exchange.linked_password", Some(Side::Ews)),
        ("exchange.identities.ana@example.test", Some(Side::Ews)),
        ("exchange.client_secret", Some(Side::Graph)),
        ("exchange.graph_url", Some(Side::Graph)),
        ("exchange.protocol", None),
        ("network.proxy", None),
    ] {
        assert_eq!(side_of_key(key), side, "{key}");
    }
}

#[test]
fn ews_of_exchange_online_has_an_end() {
    for (text, ends) in [(oauth("use_impersonation = true"), Some("2027-04-01T00:00:00Z")), (GOOD.to_owned(), None)] {
        let loaded = Bench::new(text).load(&Environment::default()).unwrap();
        let protocol = &only(&loaded.settings.exchange).protocol;
        let Protocol::Ews { ends: found, .. } = protocol else { panic!("{protocol:?}") };
        assert_eq!(found.map(|end| end.to_string()).as_deref(), ends);
    }
}

#[test]
fn fields_that_do_not_go_together_are_refused_with_the_reason() {
    let own = "https://m.example.test/x.asmx";
    let root = "https://graph.microsoft.com/v1.0";
    check(&graph(&format!("ews_service_url = \"{own}\"")), "3:1", "exchange.ews_service_url", "use_graph_api is on");
    check(&graph("use_impersonation = true"), "3:1", "exchange.use_impersonation", "Graph needs none");
    check(&graph("delegated_user = \"a\""), "3:1", "exchange.delegated_user", "use_graph_api is on");
    check(&graph(&format!("graph_url = \"{root}\"")), "3:1", "exchange.graph_url", "without /v1.0");
    check(
        &graph("").replace("tenant_id = \"example.test\"\n", ""),
        "1:2",
        "exchange.tenant_id",
        "when use_graph_api is on",
    );
    check(&graph("").replace("\"example.test\"", "\"common\""), "4:1", "exchange.tenant_id", "names no tenant");
    check(&oauth(""), "3:1", "exchange.use_oauth", "without use_impersonation cannot work");
    check(&oauth("use_impersonation = false"), "7:1", "exchange.use_impersonation", "cannot work");
    check(&with("mail.example.test", "outlook.office365.com"), "1:2", "exchange.use_oauth", "takes no passwords");
}

#[test]
fn sections_and_names_are_judged() {
    let top = with("[exchange]", "max_threads = 4\n[exchange]");
    check(&top, "1:1", "max_threads", "belongs into [exchange]");
    check(&format!("state = 1\n{GOOD}"), "1:1", "state", "this is a section");
    check(&with("source = \"erp\"", "source = \"epr\""), "13:1", "jobs.team.source", "did you mean \"erp\"?");
    check(&with("source = \"erp\"", ""), "12:7", "jobs.team.source", "is needed");
    check(&with("[jobs.team]", "[jobs.Team]"), "12:7", "jobs.Team", "is not a name");
    check(&with("kind = \"files\"", "kind = \"ftp\""), "8:1", "sources.erp.kind", "known are files");
    check(&with("zone = \"Europe/Paris\"", ""), "7:10", "sources.erp.zone", "is needed");
    check(&format!("{GOOD}[log]\nlevel = \"trace\"\n"), "15:1", "log.level", "error, warn, info, debug");
    check(&format!("{GOOD}[brake]\nshare_percent = 101\n"), "15:1", "brake.share_percent", "from 0 to 100");
    check(&format!("{GOOD}[limits]\nbatch_size = 0\n"), "15:1", "limits.batch_size", "from 1 to 100");
    let faults = Bench::new(with("[exchange]", "[exchnage]")).load(&Environment::default()).unwrap_err();
    let errors = lines(&faults, Severity::Error);
    assert!(
        errors.len() == 2 && errors[0].contains("1:2 exchnage") && errors[0].contains("[exchange]?"),
        "{errors:#?}"
    );
    assert!(errors[1].contains("[exchange] is missing"), "{errors:#?}");
}

#[test]
fn a_file_that_is_no_settings_file_is_one_clear_finding() {
    let utf16: Vec<u8> = "\u{feff}[exchange]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16_bare: Vec<u8> = "[exchange]".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let cases: Vec<(Vec<u8>, &str, &str)> = vec![
        (Vec::new(), "-", "the file is empty"),
        (b" \n\n".to_vec(), "-", "the file is empty"),
        (utf16, "-", "UTF-16"),
        (utf16_bare, "-", "NUL bytes"),
        (b"[exchange]\n# Andr\xe9\n".to_vec(), "2:7", "0xE9 is not UTF-8"),
        (GOOD.as_bytes()[..40].to_vec(), "2:30", "truncated"),
        (b"[exchange\nmax_threads = 1\n".to_vec(), "1:10", "the rest of the file"),
        (b"[log]\nlevel = \"info\"\nlevel = \"warn\"\n".to_vec(), "3:1", "duplicate key"),
        (vec![b'#'; 2_000_000], "-", "at most"),
    ];
    for (bytes, place, words) in cases {
        let bench = Bench::new(&bytes);
        let faults = bench.load(&Environment::default()).unwrap_err();
        let errors = lines(&faults, Severity::Error);
        assert!(errors[0].starts_with(place) && errors[0].contains(words), "{place} {words}: {errors:?}");
    }
    let bench = Bench::new(GOOD);
    for (path, words) in
        [(bench.folder.path().join("none.toml"), "no such file"), (bench.folder.path().into(), "a folder")]
    {
        let faults = load(&path, &Environment::default(), Strictness::Check).unwrap_err();
        let errors = lines(&faults, Severity::Error);
        assert!(errors.len() == 1 && errors[0].contains(words), "{errors:?}");
    }
    assert!(Bench::new(format!("\u{feff}{GOOD}")).load(&Environment::default()).is_ok());
}

#[test]
fn every_fault_of_a_file_is_reported_in_the_order_of_its_lines() {
    let text = r#"[exchange]
ews_service_url = "http://mail.example.test/EWS/Exchange.asmx"
delegated_user = 7
max_thread = 4
max_threads = 400

[jobs.a]
source = "erp"
every = "soon"
zone = "Mars/Olympus"

[brake]
share_percent = "many"
"#;
    let faults = Bench::new(text)
        .load(&variables(&[("CALSYNCD__LOG__LEVEL", "loud"), ("CALSYNCD__LOG__COLOUR", "1")]))
        .unwrap_err();
    let keys: Vec<String> = faults.errors().map(|finding| format!("{:?} {}", finding.line, finding.key)).collect();
    assert_eq!(
        keys,
        [
            "Some(1) exchange.linked_password",
            "Some(2) exchange.ews_service_url",
            "Some(3) exchange.delegated_user",
            "Some(4) exchange.max_thread",
            "Some(5) exchange.max_threads",
            "Some(8) jobs.a.source",
            "Some(9) jobs.a.every",
            "Some(10) jobs.a.zone",
            "Some(13) brake.share_percent",
            "None log.colour",
            "None log.level",
        ]
    );
    let shown = faults.to_string();
    assert!(
        shown.contains("calsyncd.toml:9:1: error: jobs.a.every: \"soon\" is not a duration\n  hint: write it as"),
        "{shown}"
    );
    assert!(shown.contains("environment CALSYNCD__LOG__LEVEL: error: log.level: unknown value \"loud\""), "{shown}");
    assert!(!faults.one_line().contains('\n'));
}

#[test]
fn what_works_but_should_be_looked_at_is_a_warning() {
    let online = GOOD.replace("mail.example.test", "outlook.office365.com").replace(
        "delegated_user = \"svc@example.test\"\nlinked_password_file = \"password\"\n",
        "use_oauth = true\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_file = \"secret\"\n",
    );
    let cases = [
        (online, "exchange.ews_service_url", "2027-04-01"),
        (GOOD.replace("/EWS/Exchange.asmx", "/owa"), "exchange.ews_service_url", "does not look like"),
        (GOOD.replace("use_impersonation = true", "tenant_id = \"t\""), "exchange.tenant_id", "no effect"),
        (GOOD.replace("[jobs.team]\nsource = \"erp\"\n", ""), "jobs", "nothing is pushed"),
        (
            format!("{GOOD}[sources.other]\nkind = \"files\"\npath = \"x\"\nzone = \"Europe/Berlin\"\n"),
            "sources.other",
            "no job pushes",
        ),
        (format!("{GOOD}[brake]\nshare_percent = 100\n"), "brake.share_percent", "the brake is off"),
        (
            GOOD.replace("use_impersonation = true", "impersonate_by = \"upn\""),
            "exchange.impersonate_by",
            "while use_impersonation is off",
        ),
        (
            GOOD.replace("[exchange]", "[exchange]\ncreate_calendar = true"),
            "exchange.create_calendar",
            "no effect without `calendar`",
        ),
        (
            format!("{GOOD}skip_non_working_days = false\nholidays = []\n"),
            "jobs.team.holidays",
            "while skip_non_working_days is off",
        ),
    ];
    for (text, key, words) in cases {
        let loaded = Bench::new(&text).load(&Environment::default()).unwrap_or_else(|faults| panic!("{key}: {faults}"));
        let found = loaded.warnings.iter().any(|finding| finding.key == key && finding.message.contains(words));
        assert!(found && loaded.warnings.len() == 1, "{key}: {:?}", loaded.warnings);
    }
    assert_eq!(Bench::new(GOOD).load(&Environment::default()).unwrap().warnings, []);
    assert_eq!(Bench::new(GRAPH).load(&Environment::default()).unwrap().warnings, []);
}

#[test]
fn what_the_version_cannot_carry_is_said_where_it_stands() {
    let of_version = |version: &str| exchange(&format!("exchange_server_version = \"{version}\""));
    let elsewhere = |text: String| format!("{text}show_as = \"working_elsewhere\"\n");
    let shown = "14:1 jobs.team.show_as | Exchange2010_SP2 has no WorkingElsewhere: working_elsewhere is shown as busy";
    let old = [
        "5:1 exchange.exchange_server_version | Exchange2007_SP1 has no FirstDayOfWeek: it is left out",
        "5:1 exchange.exchange_server_version | Exchange2007_SP1 has no StartTimeZone and EndTimeZone: the zone goes into",
        "5:1 exchange.exchange_server_version | Exchange2007_SP1 has no TimeZoneContext: it is left out",
    ];
    let cases: Vec<(String, Vec<&str>)> = vec![
        (of_version("Exchange2007_SP1"), old.to_vec()),
        (of_version("Exchange2010"), vec![]),
        (of_version("V2016_10_10"), vec![]),
        (elsewhere(of_version("Exchange2010_SP2")), vec![shown]),
        (elsewhere(GOOD.to_owned()), vec![shown]),
        (elsewhere(of_version("Exchange2013")), vec![]),
        (elsewhere(GRAPH.to_owned()), vec![]),
    ];
    for (text, expected) in cases {
        let loaded = Bench::new(&text).load(&Environment::default()).unwrap();
        let mut warnings = lines(&SettingsFaults { findings: loaded.warnings }, Severity::Warning);
        warnings.sort();
        assert_eq!(warnings.len(), expected.len(), "{text}: {warnings:#?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.starts_with(expected) && warning.contains("or later"), "{warning}");
        }
    }
}

#[test]
fn a_file_of_holidays_is_judged_line_by_line() {
    let bench = Bench::new(format!("{GOOD}holidays_file = \"holidays.txt\"\nevery = \"soon\"\n"));
    let path = bench.folder.path().join("holidays.txt");
    std::fs::write(&path, b"\xef\xbb\xbf2026-12-25 # No\xebl\n\n  25 d\xe9cembre\n2026-13-01\n").unwrap();
    let faults = bench.load(&Environment::default()).unwrap_err();
    assert_eq!(
        lines(&faults, Severity::Error),
        [
            "15:1 jobs.team.every | \"soon\" is not a duration | write it as \"30s\", \"15m\", \"1h30m\" or \"2d\"",
            "3:3 jobs.team.holidays_file | \"25 d\u{fffd}cembre\" is not a date | write one date on each line, such as 2026-12-25; # begins a comment",
            "4:1 jobs.team.holidays_file | \"2026-13-01\" is not a date | write one date on each line, such as 2026-12-25; # begins a comment",
        ]
    );
    assert!(faults.to_string().contains("holidays.txt:3:3: error"), "{faults}");
    std::fs::write(&path, "x\n".repeat(60)).unwrap();
    let faults = bench.load(&Environment::default()).unwrap_err();
    assert_eq!(faults.errors().count(), 21);
    assert!(faults.to_string().contains("is not a date, and 40 more lines are none"), "{faults}");
    std::fs::write(&path, vec![b'#'; 300 * 1024]).unwrap();
    let faults = bench.load(&Environment::default()).unwrap_err();
    assert!(faults.to_string().contains("too large"), "{faults}");
    let empty = Bench::new(format!("{GOOD}holidays_file = \"holidays.txt\"\n"));
    std::fs::write(empty.folder.path().join("holidays.txt"), "# none yet\n").unwrap();
    let warnings = empty.load(&Environment::default()).unwrap().warnings;
    assert!(warnings.len() == 1 && warnings[0].message.contains("lists no holiday"), "{warnings:?}");
}
