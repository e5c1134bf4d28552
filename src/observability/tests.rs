//! What the log looks like, and that `docs/events.md` says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::BTreeSet,
    io::{self, Write},
    sync::{Arc, Mutex, OnceLock},
};

use jiff::Timestamp;
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use super::{Level, WriterForm, to_writer};
use crate::{
    clock::{Clock, Wait},
    observability::{
        catalogue,
        events::{
            DaemonStopping, ItemWritten, MailboxParked, MailboxPassFinished, RequestFinished, SettingsWarned,
            StateError,
        },
    },
};

#[derive(Debug)]
struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(1_795_420_800, 5_000_000).unwrap()
    }

    fn sleep(&self, _: std::time::Duration) -> Wait {
        Box::pin(async {})
    }
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Captured {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn capture(form: WriterForm, level: Level, act: impl FnOnce(&super::LogHandle)) -> Captured {
    // A second subscriber that lives on: with only one, `tracing` asks the thread at hand whether an event matters, and remembers
    // the answer of a thread that has none.
    static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| {
        tracing::Dispatch::new(to_writer(WriterForm::Json, Level::Debug, io::sink, Arc::new(StillClock)).0)
    });
    let captured = Captured::default();
    let (subscriber, handle) = to_writer(form, level, captured.clone(), Arc::new(StillClock));
    tracing::subscriber::with_default(subscriber, || act(&handle));
    captured
}

fn parked() -> MailboxParked<'static> {
    MailboxParked {
        mailbox: "ana@example.test",
        code: "ErrorMailboxMoveInProgress",
        reason: "line one\n\u{1b}[31mline \"two\"",
        until: Some(Timestamp::from_second(1_795_424_400).unwrap()),
        hint: None,
    }
}

#[test]
fn an_event_is_one_flat_json_line() {
    let captured = capture(WriterForm::Json, Level::Info, |_| {
        parked().emit();
        SettingsWarned { file: "f", line: Some(3), column: None, key: "k", warning: "w", hint: Some("h") }.emit();
        StateError { reason: "disk full" }.emit();
    });
    let text = captured.text();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        concat!(
            r#"{"time":"2026-11-23T08:00:00.005Z","level":"warn","event":"mailbox_parked","message":"a mailbox is parked","#,
            r#""mailbox":"ana@example.test","code":"ErrorMailboxMoveInProgress","reason":"line one\n\u001b[31mline \"two\"","#,
            r#""until":"2026-11-23T09:00:00Z"}"#
        )
    );
    assert_eq!(
        lines.next().unwrap(),
        concat!(
            r#"{"time":"2026-11-23T08:00:00.005Z","level":"warn","event":"settings_warned","#,
            r#""message":"the settings can be used, but should be looked at","file":"f","line":3,"key":"k","warning":"w","hint":"h"}"#
        )
    );
    let state = &captured.lines()[2];
    assert_eq!(state["level"], "error");
    assert!(state["hint"].as_str().unwrap().contains("disk"), "{state}");
    assert_eq!(text.lines().count(), 3);
}

#[test]
fn the_level_can_change_while_the_log_runs() {
    let written = || ItemWritten { mailbox: "m", key: "k", action: "create" }.emit();
    let captured = capture(WriterForm::Json, Level::Info, |handle| {
        written();
        handle.set_level(Level::Debug).unwrap();
        written();
        handle.set_level(Level::Error).unwrap();
        parked().emit();
        handle.set_level(Level::Warn).unwrap();
        parked().emit();
    });
    let events: Vec<Value> = captured.lines().iter().map(|line| line["event"].clone()).collect();
    assert_eq!(events, ["item_written", "mailbox_parked"]);
}

#[test]
fn the_early_log_gives_way_to_that_of_the_settings() {
    let captured = capture(WriterForm::Json, Level::Info, |handle| {
        parked().emit();
        handle.settle(super::Form::Json, Level::Error).unwrap();
        parked().emit();
        handle.set_level(Level::Info).unwrap();
    });
    assert_eq!(captured.lines().len(), 1);
}

#[test]
fn libraries_are_heard_only_when_something_is_bad() {
    let captured = capture(WriterForm::Json, Level::Debug, |_| {
        tracing::debug!(target: "hyper", header = "authorization: Bearer abc", "sent");
        tracing::info!(target: "sqlx", "connected");
        tracing::warn!(target: "sqlx", elapsed = 2.5, "slow");
    });
    let lines = captured.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(
        (&lines[0]["event"], &lines[0]["target"], &lines[0]["elapsed"]),
        (&"library".into(), &"sqlx".into(), &2.5.into())
    );
}

#[test]
fn the_human_form_is_one_line_without_control_characters() {
    let captured = capture(WriterForm::Human { coloured: false }, Level::Info, |_| {
        parked().emit();
        DaemonStopping { timeout_ms: 2 }.emit();
    });
    assert_eq!(
        captured.text(),
        "2026-11-23T08:00:00Z WARN  a mailbox is parked mailbox=ana@example.test code=ErrorMailboxMoveInProgress \
         reason=\"line one\\n\\u{1b}[31mline 'two'\" until=2026-11-23T09:00:00Z\n\
         2026-11-23T08:00:00Z INFO  calsyncd is stopping timeout_ms=2\n"
    );
    let coloured = capture(WriterForm::Human { coloured: true }, Level::Info, |_| parked().emit());
    assert!(coloured.text().contains("\u{1b}[1m\u{1b}[33mWARN"), "{:?}", coloured.text());
}

#[test]
fn events_are_counted_whether_logged_or_not() {
    let count = || catalogue().iter().find(|event| event.name == "request_finished").unwrap().count();
    let before = count();
    capture(WriterForm::Json, Level::Error, |_| {
        RequestFinished { mailbox: None, operation: "GetItem", status: 200, items: 1, elapsed_ms: 3 }.emit();
    });
    assert!(count() > before);
}

#[test]
fn numbers_are_numbers() {
    let captured = capture(WriterForm::Json, Level::Info, |_| {
        MailboxPassFinished {
            mailbox: "m",
            created: 1,
            updated: 2,
            deleted: 3,
            failed: 0,
            kept: 4,
            held: 5,
            quarantined: 6,
            requests: 7,
            elapsed_ms: u64::MAX,
        }
        .emit();
    });
    let line = &captured.lines()[0];
    assert_eq!((line["created"].as_u64(), line["elapsed_ms"].as_u64()), (Some(1), Some(u64::MAX)));
}

#[test]
fn the_catalogue_is_consistent() {
    let mut names = BTreeSet::new();
    let mut metrics = BTreeSet::new();
    for event in catalogue() {
        let name = event.name;
        assert!(names.insert(name), "{name} is declared twice");
        assert!(event.metric.is_none_or(|metric| metrics.insert(metric) && metric.ends_with("_total")), "{name}");
        assert_eq!(
            name.ends_with("_error"),
            name.ends_with("_error") && event.level == tracing::Level::ERROR,
            "{name}"
        );
        assert!(!event.meaning.trim().is_empty() && !event.sentence.ends_with('.'), "{name}");
        let mut fields = BTreeSet::from(["time", "level", "event", "message", "target"]);
        if event.hint.is_some() {
            fields.insert("hint");
        }
        for field in event.fields {
            assert!(fields.insert(field.name), "{name}: {} is taken", field.name);
            assert!(
                !["subject", "title", "body", "location", "password", "token", "secret"].contains(&field.name),
                "{name}"
            );
        }
    }
    assert!(names.len() >= 30);
}

fn events_document() -> String {
    let mut text = String::from(
        "# Events\n\nWritten from `src/observability/events/` by `UPDATE_DOCS=1 cargo test observability`; do not edit.\n\n\
         Each line of the log is one of these events. Every line has `time` (RFC 3339, UTC), `level`, `event` and `message`; then \
         the fields\nbelow, flat. Fields that do not apply are left out. In the journal the fields carry the prefix `CALSYNCD_`. \
         Lines of libraries have\nthe event `library` and a `target`.\n\nNever in a log: titles, bodies and places of events, \
         passwords, tokens.\n",
    );
    for event in catalogue() {
        text.push_str(&format!(
            "\n## {}\n\n{}: {}.\n\n{}\n",
            event.name,
            event.level.as_str().to_ascii_lowercase(),
            event.sentence,
            event.meaning.trim()
        ));
        if !event.fields.is_empty() {
            text.push_str("\n| field | type | meaning |\n|---|---|---|\n");
        }
        for field in event.fields {
            text.push_str(&format!("| `{}` | {} | {} |\n", field.name, field.form, field.meaning.trim()));
        }
        if let Some(hint) = event.hint {
            text.push_str(&format!("\nWhat to do: {hint}.\n"));
        }
        if let Some(metric) = event.metric {
            text.push_str(&format!("\nCounter: `{metric}`.\n"));
        }
    }
    text
}

#[test]
fn the_document_of_events_is_up_to_date() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, events_document()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == events_document(), "docs/events.md is out of date: UPDATE_DOCS=1 cargo test observability");
}
