//! What the commands say, and how they end.

use serde_json::{Value, json};

use crate::harness::{Face, WRONG, World, appointment, many};

through!(a_plan_tells_and_writes_nothing: Ews Graph);
through!(the_test_button_says_each_step: Ews Delegate Graph);

fn a_plan_tells_and_writes_nothing(face: Face) {
    let world = World::new(face);
    let mut events = many("ana", 3);
    events.push(appointment("b", "bob", 1, "09:00"));
    world.events(&events);
    world.command(&["plan"]).expect(10, &["ana@example.test: 3 to create", "inbox/appointment/ana-000: new"]);
    assert_eq!(world.writes(), 0);
    world.sync();
    let written = world.writes();
    let nothing = world.command(&["plan"]).expect(0, &["ana@example.test: 0 to create, 0 to update, 0 to delete"]);
    assert!(!nothing.out.contains("inbox/"), "{nothing:#?}");

    events[0]["subject"] = json!("Changed");
    events.remove(1);
    world.events(&events);
    world.command(&["plan"]).expect(10, &["the source changed: subject", "delete      inbox/appointment/ana-001"]);
    let plan = world.command(&["plan", "--mailbox", "ana@example.test", "--json"]).expect(10, &[]).json();
    assert_eq!(plan["mailboxes"].as_array().unwrap().len(), 1);
    let counts = ["create", "update", "delete", "keep"].map(|field| plan["mailboxes"][0][field].as_u64().unwrap());
    assert_eq!(counts, [0, 1, 1, 1]);
    world.command(&["plan", "--mailbox", "bob@example.test"]).expect(0, &[]);
    world.command(&["plan", "--mailbox", "zoe@example.test"]).expect(1, &["zoe@example.test", "hint: "]);
    assert_eq!(world.writes(), written);

    let pass = world.command(&["sync", "--mailbox", "bob@example.test", "--json"]).expect(0, &[]).json();
    assert_eq!(pass["mailboxes"].as_array().unwrap().len(), 1);
    assert_eq!(world.writes(), written);
    world.command(&["sync"]).expect(0, &["ana@example.test", "created"]);
    world.command(&["plan"]).expect(0, &[]);
}

fn the_test_button_says_each_step(face: Face) {
    let mut world = World::new(face);
    world.command(&["test"]).expect(1, &["exchange.test_user", "hint: "]);
    world.configure(|config| config.set("exchange", "test_user", "\"ana@example.test\""));
    let steps = |json: &Value| -> Vec<(String, bool)> {
        let steps = json["steps"].as_array().unwrap().iter();
        steps.map(|step| (step["step"].as_str().unwrap().to_owned(), step["ok"].as_bool().unwrap())).collect()
    };
    let named = |names: &[(&str, bool)]| names.iter().map(|(name, ok)| ((*name).to_owned(), *ok)).collect::<Vec<_>>();
    world.command(&["test"]).expect(0, &["ok      calendar", "ana@example.test: everything works"]);
    let good = world.command(&["test", "--json"]).expect(0, &[]).json();
    let begin = [("name", true), ("connection", true), ("clock", true), ("credential", true)];
    let rest = ["authentication", "mailbox", "calendar", "items", "write", "read back", "change", "delete"];
    let all: Vec<(&str, bool)> = begin.into_iter().chain(rest.map(|step| (step, true))).collect();
    assert_eq!(steps(&good), named(&all));
    assert_eq!(world.item_count("ana"), 0, "the canary is gone");

    let unknown =
        world.command(&["test", "--user", "zoe@example.test"]).expect(1, &["FAILED  mailbox", "zoe@", "do: "]);
    assert!(unknown.out.contains("ok      credential"), "{unknown:#?}");
    world.secret(WRONG);
    let refused = world.command(&["test", "--json"]).expect(1, &[]).json();
    let expected: Vec<(&str, bool)> = if face == Face::Graph {
        begin[..3].iter().copied().chain([("credential", false)]).collect()
    } else {
        begin.into_iter().chain([("authentication", false)]).collect()
    };
    assert_eq!(steps(&refused), named(&expected));
    let last = refused["steps"].as_array().unwrap().last().unwrap();
    assert!(last["what_to_do"].is_array() && last["code"].is_string(), "{last}");
    assert_eq!(world.counts().failed_log_ons.values().sum::<u64>(), 1);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let mut world = World::new(Face::Ews);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    world.configure(|config| {
        config.set("exchange", "ews_service_url", &format!("\"http://{address}/EWS/Exchange.asmx\""));
    });
    let target = address.to_string();
    world
        .command(&["test", "--user", "ana@example.test"])
        .expect(1, &["FAILED  connection", &target, "(not_reachable)", "do: "]);
}

#[test]
fn settings_are_checked_read_and_saved() {
    let mut world = World::new(Face::Ews);
    world.command(&["check"]).expect(0, &["good (1 source, 1 job)"]);
    let good = world.command(&["check", "--json"]).expect(0, &[]).json();
    assert_eq!((&good["ok"], &good["errors"]), (&json!(true), &json!(0)));
    world.command(&["config", "get", "exchange.max_threads"]).expect(0, &["4"]);
    world.command(&["config", "set", "exchange.max_threads", "7"]).expect(0, &["saved"]);
    world.command(&["config", "get", "exchange.max_threads"]).expect(0, &["7"]);
    let before = std::fs::read_to_string(world.settings_path()).unwrap();
    for (key, value, word) in [
        ("exchange.max_threads", "700", "out of range"),
        ("exchange.max_thread", "7", "exchange.max_threads"),
        ("exchange.linked_password", "x", "secret"),
    ] {
        world.command(&["config", "set", key, value]).expect(2, &[word]);
    }
    world.command(&["config", "get", "exchange.nonsense"]).expect(2, &["exchange.nonsense"]);
    assert_eq!(std::fs::read_to_string(world.settings_path()).unwrap(), before);

    world.configure(|config| {
        config.set("exchange", "max_threads", "0");
        config.set("limits", "batch_size", "1000");
        config.set("jobs.inbox", "evry", "\"15m\"");
    });
    let bad = world.command(&["check", "--json"]).expect(2, &[]).json();
    assert_eq!((&bad["ok"], &bad["errors"]), (&json!(false), &json!(3)));
    for finding in bad["findings"].as_array().unwrap() {
        assert!(finding["line"].is_u64() && finding["column"].is_u64() && finding["hint"].is_string(), "{finding}");
    }
}

#[test]
fn the_demo_converges() {
    let world = World::new(Face::Ews);
    let record = world.path().join("demo.jsonl");
    let ended =
        world.bare(&["demo", "--once", "--json", "--record", record.to_str().unwrap()]).expect(0, &["week page"]);
    let json = ended.json();
    assert_eq!(json["second_pass"]["changes"], 0);
    assert!(json["first_pass"]["created"].as_u64().unwrap() >= 48 && json["converged"] == true, "{json}");
    let recorded = std::fs::read_to_string(record).unwrap();
    assert!(recorded.lines().count() as u64 >= json["first_pass"]["requests"].as_u64().unwrap());
}

#[test]
fn the_sandbox_runs_by_itself() {
    let world = World::new(Face::Ews);
    let mut sandbox = world.spawn_bare(&["sandbox", "--listen", "127.0.0.1:0"]);
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(sandbox.0.stdout.take().unwrap()));
    let address = lines.find_map(|line| line.unwrap().strip_prefix("listening on http://").map(str::to_owned)).unwrap();
    std::net::TcpStream::connect(&address).unwrap();
    sandbox.signal("TERM");
    assert_eq!(sandbox.end(), 0);
    assert!(std::net::TcpStream::connect(&address).is_err());
}

#[test]
fn why_tells_what_is_known_of_one_event() {
    let world = World::new(Face::Ews);
    let mut broken = appointment("broken", "ana", 1, "09:00");
    broken["end"] = json!("1999-01-01T00:00");
    let mut twice = appointment("twice", "ana", 1, "09:00");
    twice["recurrence"] = json!("FREQ=MONTHLY;BYMONTHDAY=1,15");
    let plain = appointment("plain", "ana", 1, "11:00");
    world.events(&[broken.clone(), twice.clone(), plain.clone()]);

    // Nothing was pushed yet, and nothing is made by looking.
    let why = |key: &str, words: &[&str]| world.command(&["why", key]).expect(0, words);
    why(
        "inbox/appointment/plain",
        &["inbox holds it: events.jsonl:3", "shown to ana@example.test as 1 item", "none was written"],
    );
    world.command(&["plan"]).expect(10, &[]);
    assert!(!world.state_path().exists(), "looking made a state");

    world.sync();
    why("inbox/appointment/plain", &["written as it should be"]);
    why("inbox/appointment/broken", &["it cannot be used", "none was written"]);
    let expanded = why("inbox/appointment/twice", &["several days in BYMONTHDAY", "inbox/appointment/twice#"]);
    let part = expanded.out.split_whitespace().find(|word| word.starts_with("inbox/appointment/twice#")).unwrap();
    why(part, &["inbox/appointment/twice\n"]);
    why("inbox/appointment/other", &["inbox does not hold it"]);
    why("elsewhere/appointment/1", &["no source \"elsewhere\""]);
    world.command(&["why", "nonsense"]).expect(1, &["not the key of an event", "hint: "]);

    let mut changed = plain;
    changed["subject"] = json!("Changed");
    world.events(&[broken, twice, changed]);
    let changed = why("inbox/appointment/plain", &["to be changed: subject"]);
    assert!(!changed.out.contains("Changed"), "{changed:#?}");
    let told = world.command(&["why", "inbox/appointment/twice", "--json"]).expect(0, &[]).json();
    assert_eq!(told["jobs"][0]["shown"], true);
    assert!(told["jobs"][0]["items"].as_array().unwrap().len() > 1, "{told}");
    assert!(!told["jobs"][0]["notes"].as_array().unwrap().is_empty(), "{told}");
}
