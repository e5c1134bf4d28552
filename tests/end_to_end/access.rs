//! The test of the access: seeded misconfigurations, each with its cause, at the price of one failed log-on at the most.

use calsyncd::sandbox::{Cloud, Fault, FaultKind, MailboxCondition, SandboxSettings, Scope};
use serde_json::Value;

use crate::harness::{Config, Face, SECRET, WRONG, World, many};

through!(the_canary_of_a_killed_test_is_removed: Ews Graph);
through!(a_mailbox_outside_the_scope_is_proved_to_be_refused: Ews Graph);
through!(the_canary_touches_nothing_and_no_plan_sees_it: Ews Delegate Graph);

/// A misconfiguration.
struct Case {
    name: &'static str,
    face: Face,
    /// What is wrong on the server.
    server: fn(&mut SandboxSettings),
    /// What is wrong in the settings; the address of the sandbox is given.
    settings: fn(&mut Config, &str),
    secret: &'static str,
    fault: Option<FaultKind>,
    /// The mailbox, or none.
    user: &'static str,
    /// The cause and the step that shows it; none where all works.
    expected: Option<(&'static str, &'static str)>,
    failed_log_ons: u64,
}

const ON_PREMISES: Case = Case {
    name: "",
    face: Face::Ews,
    server: |_| {},
    settings: |_, _| {},
    secret: SECRET,
    fault: None,
    user: "ana@example.test",
    expected: None,
    failed_log_ons: 0,
};
const DELEGATE: Case = Case { face: Face::Delegate, ..ON_PREMISES };
const GRAPH: Case = Case { face: Face::Graph, ..ON_PREMISES };
/// EWS with the token of an application.
const OAUTH: Case = Case { settings: oauth, ..ON_PREMISES };

const A_GUID: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";

fn oauth(config: &mut Config, url: &str) {
    config.set("exchange", "use_oauth", "true");
    config.set("exchange", "tenant_id", "\"tenant\"");
    config.set("exchange", "client_id", "\"client\"");
    config.set("exchange", "client_secret_file", "\"secret\"");
    config.set("exchange", "token_url", &format!("\"{url}/tenant/oauth2/v2.0/token\""));
}

fn token_of(config: &mut Config, url: &str, path: &str) {
    config.set("exchange", "token_url", &format!("\"{url}/{path}\""));
}

fn ana(settings: &mut SandboxSettings, state: MailboxCondition) {
    settings.mailboxes[0].state = state;
}

fn roles(settings: &mut SandboxSettings, roles: &[&str]) {
    settings.applications[0].roles = roles.iter().map(|role| (*role).to_owned()).collect();
}

/// Exchange alone grants the role.
fn by_exchange(settings: &mut SandboxSettings, scope: Scope) {
    roles(settings, &[]);
    settings.applications[0].rbac_roles = vec!["Application Calendars.ReadWrite".to_owned()];
    settings.applications[0].rbac_scope = scope;
}

fn only_bob() -> Scope {
    Scope::Only(vec!["bob@example.test".to_owned()])
}

fn alias(settings: &mut SandboxSettings) {
    settings.mailboxes[0].aliases = vec!["a.martin@example.test".to_owned()];
}

/// Accounts with a password.
fn on_premises() -> Vec<Case> {
    vec![
        Case { name: "all is well", ..ON_PREMISES },
        Case {
            name: "a wrong password",
            secret: WRONG,
            expected: Some(("wrong_password", "authentication")),
            failed_log_ons: 1,
            ..ON_PREMISES
        },
        Case {
            name: "impersonation is not granted",
            server: |settings| settings.accounts[0].impersonate = Scope::None,
            expected: Some(("impersonation_not_granted", "calendar")),
            ..ON_PREMISES
        },
        Case {
            name: "impersonation is granted for others",
            server: |settings| settings.accounts[0].impersonate = only_bob(),
            expected: Some(("impersonation_out_of_scope", "calendar")),
            ..ON_PREMISES
        },
        Case {
            name: "a delegate without rights",
            server: |settings| settings.accounts[0].delegate_of.clear(),
            expected: Some(("delegate_without_rights", "calendar")),
            ..DELEGATE
        },
        Case {
            name: "a delegate who may only read",
            server: |settings| {
                let calendars = std::mem::take(&mut settings.accounts[0].delegate_of);
                settings.accounts[0].reviewer_of = calendars;
            },
            expected: Some(("delegate_reads_only", "write")),
            ..DELEGATE
        },
        Case {
            name: "a security identifier that nobody has",
            settings: |config, _| config.set("exchange.identities", "\"ana@example.test\"", "\"S-1-5-21-1-2-3-500\""),
            expected: Some(("no_mailbox", "mailbox")),
            ..ON_PREMISES
        },
        Case {
            name: "a security identifier",
            server: |settings| settings.mailboxes[0].sid = "S-1-5-21-1-2-3-500".to_owned(),
            settings: |config, _| config.set("exchange.identities", "\"ana@example.test\"", "\"S-1-5-21-1-2-3-500\""),
            ..ON_PREMISES
        },
        Case {
            name: "user principal names that are not the addresses",
            server: |settings| settings.mailboxes[0].principal_name = "ana@corp.example.test".to_owned(),
            settings: |config, _| config.set("exchange", "impersonate_by", "\"upn\""),
            expected: Some(("no_mailbox", "mailbox")),
            ..ON_PREMISES
        },
        Case {
            name: "an old server",
            server: |settings| settings.ews_version_max = Some("Exchange2010_SP2".to_owned()),
            expected: Some(("version_unknown", "authentication")),
            ..ON_PREMISES
        },
        Case {
            name: "the wrong path",
            settings: |config, url| config.set("exchange", "ews_service_url", &format!("\"{url}/EWS/Service.asmx\"")),
            expected: Some(("wrong_path", "authentication")),
            ..ON_PREMISES
        },
        Case {
            name: "nobody listens",
            settings: |config, _| config.set("exchange", "ews_service_url", "\"http://127.0.0.1:1/EWS/Exchange.asmx\""),
            expected: Some(("not_reachable", "connection")),
            ..ON_PREMISES
        },
        Case {
            name: "EWS is blocked",
            fault: Some(FaultKind::Forbidden),
            expected: Some(("ews_blocked", "authentication")),
            ..ON_PREMISES
        },
    ]
}

/// What all ways have in common.
fn everywhere() -> Vec<Case> {
    let mut cases = Vec::new();
    for base in [|| ON_PREMISES, || DELEGATE, || GRAPH] {
        cases.extend([
            Case {
                name: "an alias",
                server: alias,
                user: "a.martin@example.test",
                expected: Some(("alias_address", "mailbox")),
                ..base()
            },
            Case {
                name: "no such mailbox",
                user: "zoe@example.test",
                expected: Some(("no_mailbox", "mailbox")),
                ..base()
            },
            Case {
                name: "a full mailbox",
                server: |settings| ana(settings, MailboxCondition::Full),
                expected: Some(("mailbox_full", "write")),
                ..base()
            },
            Case {
                name: "a mailbox that is being moved",
                server: |settings| ana(settings, MailboxCondition::Moving),
                expected: Some(("mailbox_moving", "mailbox")),
                ..base()
            },
            Case {
                name: "a calendar that is not there",
                settings: |config, _| config.set("exchange", "calendar", "\"Planning\""),
                expected: Some(("calendar_missing", "calendar")),
                ..base()
            },
            Case {
                name: "a sign-in page in place of an answer",
                fault: Some(FaultKind::HtmlLoginPage),
                expected: Some(("login_page", "authentication")),
                ..base()
            },
            Case {
                name: "a redirect",
                fault: Some(FaultKind::Redirect),
                expected: Some(("redirect", "authentication")),
                ..base()
            },
            Case {
                name: "a proxy in between",
                fault: Some(FaultKind::ProxyLogin),
                expected: Some(("proxy_authentication", "authentication")),
                ..base()
            },
            Case {
                name: "clocks ten minutes apart",
                server: |settings| settings.date_ahead_s = 600,
                expected: Some(("clock_off", "clock")),
                ..base()
            },
        ]);
    }
    let elsewhere = |base: Case| Case {
        name: "a mailbox on the other side",
        server: |settings| ana(settings, MailboxCondition::Elsewhere),
        expected: Some(("other_side", "mailbox")),
        ..base
    };
    cases.extend([elsewhere(ON_PREMISES), elsewhere(GRAPH)]);
    cases
}

/// Applications and their secrets.
fn entra() -> Vec<Case> {
    vec![
        Case {
            name: "an expired secret",
            server: |settings| {
                let secrets = std::mem::take(&mut settings.applications[0].client_secrets);
                settings.applications[0].expired_secrets = secrets;
            },
            expected: Some(("secret_expired", "credential")),
            failed_log_ons: 1,
            ..GRAPH
        },
        Case {
            name: "the id of the secret in place of its value",
            secret: A_GUID,
            expected: Some(("secret_id_for_value", "credential")),
            failed_log_ons: 1,
            ..GRAPH
        },
        Case {
            name: "a wrong secret",
            secret: WRONG,
            expected: Some(("secret_wrong", "credential")),
            failed_log_ons: 1,
            ..GRAPH
        },
        Case {
            name: "a wrong tenant",
            settings: |config, url| token_of(config, url, "other/oauth2/v2.0/token"),
            expected: Some(("tenant_unknown", "credential")),
            ..GRAPH
        },
        Case {
            name: "the wrong cloud",
            server: |settings| settings.applications[0].cloud = Cloud::China,
            expected: Some(("wrong_cloud", "credential")),
            ..GRAPH
        },
        Case {
            name: "the wrong application",
            settings: |config, _| config.set("exchange", "client_id", "\"other\""),
            expected: Some(("application_unknown", "credential")),
            ..GRAPH
        },
        Case {
            name: "a disabled application",
            server: |settings| settings.applications[0].disabled = true,
            expected: Some(("application_disabled", "credential")),
            ..GRAPH
        },
        Case {
            name: "the wrong token address",
            settings: |config, url| token_of(config, url, "tenant/oauth2/v2.0/tokens"),
            expected: Some(("token_address", "credential")),
            ..GRAPH
        },
    ]
}

/// The rights of applications.
fn rights() -> Vec<Case> {
    vec![
        Case {
            name: "no consent",
            server: |settings| roles(settings, &[]),
            expected: Some(("no_consent", "calendar")),
            ..GRAPH
        },
        Case {
            name: "another role",
            server: |settings| roles(settings, &["User.Read.All"]),
            expected: Some(("role_missing", "calendar")),
            ..GRAPH
        },
        Case {
            name: "no roles in the token, and a role in Exchange",
            server: |settings| by_exchange(settings, Scope::All),
            ..GRAPH
        },
        Case {
            name: "no roles in the token, and a role in Exchange for others",
            server: |settings| by_exchange(settings, only_bob()),
            expected: Some(("no_consent", "calendar")),
            ..GRAPH
        },
        Case {
            name: "a policy that leaves the mailbox out",
            server: |settings| settings.applications[0].scope = only_bob(),
            expected: Some(("out_of_scope", "calendar")),
            ..GRAPH
        },
        Case {
            name: "a token that the server refuses",
            fault: Some(FaultKind::Unauthorized),
            expected: Some(("token_refused", "authentication")),
            ..GRAPH
        },
        Case { name: "all is well by token", ..OAUTH },
        Case {
            name: "no consent for EWS",
            server: |settings| roles(settings, &[]),
            expected: Some(("no_consent", "calendar")),
            ..OAUTH
        },
        Case {
            name: "the role of Graph for EWS",
            server: |settings| roles(settings, &["Calendars.ReadWrite"]),
            expected: Some(("role_missing", "calendar")),
            ..OAUTH
        },
        Case {
            name: "EWS is blocked for the tenant",
            fault: Some(FaultKind::Forbidden),
            expected: Some(("ews_blocked", "authentication")),
            ..OAUTH
        },
        Case {
            name: "a scope that leaves the mailbox out of EWS",
            server: |settings| settings.applications[0].scope = only_bob(),
            expected: Some(("impersonation_out_of_scope", "calendar")),
            ..OAUTH
        },
    ]
}

/// What is wrong with what came of a case.
fn fault_of(case: &Case) -> Option<String> {
    let mut world = World::with(case.face, case.server);
    let url = world.sandbox().url();
    world.configure(|config| (case.settings)(config, &url));
    world.secret(case.secret);
    if let Some(kind) = case.fault {
        world.inject(Fault { operation: Some(case.face.open().to_owned()), ..Fault::new(kind) });
    }
    let ended = world.command(&["test", "--user", case.user, "--json"]);
    let said = ended.json();
    let steps = said["steps"].as_array().unwrap();
    let failed: Vec<&Value> = steps.iter().filter(|step| step["ok"] == false).collect();
    let found = failed.first().map(|step| (step["cause"].as_str().unwrap(), step["step"].as_str().unwrap()));
    let advised = failed.iter().all(|step| !step["what_to_do"].as_array().unwrap().is_empty());
    let log_ons: u64 = world.counts().failed_log_ons.values().sum();
    let is_good = found == case.expected
        && ended.code == i32::from(case.expected.is_some())
        && advised
        && log_ons == case.failed_log_ons
        && world.item_count("ana") == 0;
    (!is_good).then(|| {
        let (name, face, expected) = (case.name, case.face, case.expected);
        format!("{name} ({face:?}): {found:?} in place of {expected:?}, {log_ons} failed log-ons: {said:#}")
    })
}

#[track_caller]
fn check(cases: &[Case]) {
    let faults: Vec<String> = cases.iter().filter_map(fault_of).collect();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

#[test]
fn misconfigurations_of_accounts_are_named() {
    check(&on_premises());
}

#[test]
fn misconfigurations_of_applications_are_named() {
    check(&entra());
    check(&rights());
}

#[test]
fn misconfigurations_on_the_way_are_named() {
    check(&everywhere());
}

#[test]
fn a_locked_account_is_named() {
    let world = World::with(Face::Ews, |settings| settings.lock_out_after = 1);
    let test = ["test", "--user", "ana@example.test"];
    world.secret(WRONG);
    world.command(&test).expect(1, &["(wrong_password)", "do: check exchange.delegated_user (service)"]);
    world.secret(SECRET);
    world.command(&test).expect(1, &["(account_locked)", "PS> Unlock-ADAccount -Identity 'service'"]);
    assert_eq!(world.counts().failed_log_ons.values().sum::<u64>(), 2);
}

#[test]
fn one_wrong_password_is_one_attempt_for_all_mailboxes() {
    let world = World::new(Face::Ews);
    world.events(&["ana", "bob", "chloe"].map(|person| many(person, 1)).concat());
    world
        .command(&["test", "--all"])
        .expect(0, &["ana@example.test, bob@example.test, chloe@example.test: everything"]);
    world.secret(WRONG);
    world.command(&["test", "--all"]).expect(1, &["(wrong_password)"]);
    assert_eq!(world.counts().failed_log_ons.values().sum::<u64>(), 1);
}

#[test]
fn an_alias_is_answered_with_the_primary_address() {
    for face in [Face::Ews, Face::Delegate, Face::Graph] {
        let world = World::with(face, alias);
        world
            .command(&["test", "--user", "a.martin@example.test"])
            .expect(1, &["do: use ana@example.test in place of"]);
    }
}

/// As after a kill: the answer to the write gets lost, and nothing is found from then on. Before it the items are looked
/// for, and the canaries, which on Graph are two requests of a batch.
fn lose_a_canary(world: &World) {
    let nth = if world.face == Face::Graph { 4 } else { 3 };
    let before = world.item_count("ana");
    world.inject(Fault::nth(FaultKind::DropAnswerAfterCommit, 1, world.face.create()));
    world.inject(Fault { every: 1, ..Fault::nth(FaultKind::Reset, nth, world.face.find()) });
    world.command(&["test", "--user", "ana@example.test"]).expect(1, &["FAILED  write"]);
    assert!(world.item_count("ana") > before, "the canary was to be left behind");
    world.sandbox().sandbox().calm();
}

fn the_canary_of_a_killed_test_is_removed(face: Face) {
    let world = World::new(face);
    let test = ["test", "--user", "ana@example.test", "--json"];
    lose_a_canary(&world);
    let said = world.command(&test).expect(0, &[]).json();
    let left =
        said["steps"].as_array().unwrap().iter().find(|step| step["tried"] == "remove what an earlier test left");
    assert!(left.is_some(), "{said:#}");
    assert_eq!(world.item_count("ana"), 0);
}

fn a_mailbox_outside_the_scope_is_proved_to_be_refused(face: Face) {
    let world = World::with(face, |settings| {
        settings.accounts[0].impersonate = only_bob();
        settings.applications[0].scope = only_bob();
    });
    let bob = ["test", "--user", "bob@example.test", "--out-of-scope"];
    world.command(&[&bob[..], &["ana@example.test"]].concat()).expect(0, &["ok      refusal", "refused (Error"]);
    let open = world.command(&["test", "--out-of-scope", "bob@example.test", "--json"]).expect(1, &[]).json();
    let last = open["steps"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((last["step"].as_str(), last["cause"].as_str()), (Some("refusal"), Some("not_refused")), "{open:#}");
    // A mailbox that is not there proves nothing; Graph denies it before it looks.
    if face == Face::Graph {
        return;
    }
    world.command(&["test", "--out-of-scope", "zoe@example.test"]).expect(1, &["FAILED  refusal", "(no_mailbox)"]);
}

fn the_canary_touches_nothing_and_no_plan_sees_it(face: Face) {
    let world = World::new(face);
    world.events(&[crate::harness::appointment("1", "ana", 1, "09:00")]);
    world.sync();
    let before = world.shown("ana");
    world.command(&["test", "--user", "ana@example.test"]).expect(0, &["read back", "as written", "nothing is left"]);
    assert_eq!(format!("{:?}", world.shown("ana")), format!("{before:?}"));
    // One that is left behind is none of the plan's.
    lose_a_canary(&world);
    world.command(&["plan"]).expect(0, &["ana@example.test: 0 to create, 0 to update, 0 to delete"]);
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    assert!(world.status()["held"].as_array().is_none_or(Vec::is_empty), "{:#}", world.status());
}
