//! What the commands do with odd surroundings: a closed pipe, no state, a missing secret, settings of somebody else.
#![allow(clippy::unwrap_used)]

use std::{
    io::{self, Read},
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
};

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_calsyncd"));
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    command
}

/// Settings that are right but for what they name: a server that nobody answers for, a secret that may be missing.
fn configure(folder: &Path, server: &TcpListener) {
    let address = server.local_addr().unwrap();
    std::fs::create_dir(folder.join("inbox")).unwrap();
    let text = format!(
        "[exchange]\news_service_url = \"http://{address}/EWS/Exchange.asmx\"\ndelegated_user = \"svc@example.test\"\n\
         linked_password_file = \"password\"\nuse_impersonation = true\ntest_user = \"ana@example.test\"\n\
         [sources.inbox]\nkind = \"files\"\npath = \"inbox\"\nzone = \"Europe/Paris\"\n\
         [jobs.all]\nsource = \"inbox\"\n[state]\npath = \"state.sqlite\"\n"
    );
    std::fs::write(folder.join("settings.toml"), text).unwrap();
}

#[track_caller]
fn expect(output: &Output, code: i32, words: &str) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    assert!(out.contains(words) || err.contains(words), "{words:?} is not in\n{out}\n{err}");
}

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), &TcpListener::bind("127.0.0.1:0").unwrap());
    for (arguments, code) in [(vec!["check", "--config", "settings.toml"], 0), (vec!["check", "--config", "x"], 2)] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut child = program(folder.path()).args(&arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(code), ""), "{arguments:?}");
    }
}

#[test]
fn no_state_is_no_failure_of_the_status() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), &TcpListener::bind("127.0.0.1:0").unwrap());
    std::fs::write(folder.path().join("password"), "secret").unwrap();
    let status = |more: &[&str]| {
        program(folder.path()).args(["status", "--config", "settings.toml"]).args(more).output().unwrap()
    };
    expect(&status(&[]), 0, "nothing yet");
    expect(&status(&["--json"]), 0, r#""mailboxes":[]"#);
    assert!(!folder.path().join("state.sqlite").exists());
}

#[test]
fn a_missing_secret_is_not_tried_as_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    configure(folder.path(), &server);
    expect(&program(folder.path()).args(["test", "--config", "settings.toml"]).output().unwrap(), 2, "no such file");
    assert_eq!(server.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn the_check_names_the_line_of_a_faulty_template() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), &TcpListener::bind("127.0.0.1:0").unwrap());
    std::fs::write(folder.path().join("password"), "secret").unwrap();
    let settings = folder.path().join("settings.toml");
    let good = std::fs::read_to_string(&settings).unwrap();
    let lines = good.lines().count();
    let templates =
        "[jobs.all.templates]\nbody = \"\"\"\n{{ body }}\n{% if url %}\n  {{ url | lnik }}\n{% endif %}\"\"\"\n";
    std::fs::write(&settings, format!("{good}{templates}")).unwrap();
    let check = || program(folder.path()).args(["check", "--config", "settings.toml"]).output().unwrap();
    expect(&check(), 2, &format!("settings.toml:{}:12: error: jobs.all.templates.body: there is no filter", lines + 5));
    expect(&check(), 2, "the filters are default, e, escape");
    std::fs::write(&settings, format!("{good}{}", templates.replace("lnik", "link"))).unwrap();
    expect(&check(), 0, "good (1 source, 1 job)");
}

#[test]
fn a_source_that_is_not_there_is_a_warning_of_the_check() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), &TcpListener::bind("127.0.0.1:0").unwrap());
    std::fs::remove_dir(folder.path().join("inbox")).unwrap();
    let output = program(folder.path()).args(["check", "--config", "settings.toml"]).output().unwrap();
    expect(&output, 0, "warning: sources.inbox.path: ");
}

#[test]
fn settings_of_the_daemon_are_not_those_of_demo_and_sandbox() {
    let folder = tempfile::tempdir().unwrap();
    expect(&program(folder.path()).args(["demo", "--config", "x"]).output().unwrap(), 2, "takes no settings");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut sandbox = program(folder.path());
    sandbox.env("CALSYNCD_CONFIG", "x").args(["sandbox", "--listen", &address]);
    expect(&sandbox.output().unwrap(), 1, "the port is in use");
}
