//! Words on the terminal: errors with hints, tables, progress.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::{
    desired::Note,
    model::{key::SourceKey, source::Rejection},
    scheduler::PassStop,
    sources::SourceError,
};

/// Prints a line on standard output.
macro_rules! say {
    ($($words:tt)*) => { $crate::cli::output::line(format_args!($($words)*)) };
}
pub(super) use say;

/// A line under the head, and no other.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// An error whose remedy is known.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Hinted {
    message: String,
    hint: String,
}

/// An error with a hint.
pub(super) fn hinted(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Hinted { message: message.into(), hint: hint.into() }.into()
}

/// Prints a line on standard output. A reader that has gone (`| head`) is no reason to fail; a disk that is full is one.
pub(super) fn line(words: fmt::Arguments<'_>) {
    let mut out = anstream::stdout();
    match writeln!(out, "{words}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(format_args!("error: cannot write to standard output: {error}"));
            std::process::exit(1);
        }
        Ok(()) | Err(_) => {}
    }
}

/// Prints a line on standard error; where nobody listens, nobody misses it.
pub(super) fn complain(words: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{words}");
}

/// An error and its causes in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// `1 fault`, `2 faults`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `1 mailbox`, `2 mailboxes`.
pub(super) fn count_of(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// The sources that could not be read, and what to do.
pub(super) fn print_sources_failed(failed: &[(String, SourceError)]) {
    for (name, error) in failed {
        say!("source {name} cannot be read: {}", chain(error));
        say!("  hint: {}", error.hint());
    }
}

/// The events that cannot be used, and why.
pub(super) fn print_rejections(rejections: &[(String, Rejection)]) {
    for (source, rejection) in rejections {
        say!("cannot be used: {source} {}: {}", rejection.place, rejection.reason);
    }
}

/// The events that cannot be used, as JSON.
pub(super) fn rejections_as_json(rejections: &[(String, Rejection)]) -> Vec<serde_json::Value> {
    let entry = |(source, rejection): &(String, Rejection)| {
        let key = rejection.key.as_ref().map(SourceKey::as_str);
        json!({ "source": source, "key": key, "place": rejection.place, "reason": rejection.reason })
    };
    rejections.iter().map(entry).collect()
}

/// The events that are not shown by one item, and why.
pub(super) fn print_notes(notes: &[Note]) {
    for Note { key, mailbox, reason, items } in notes {
        say!("shown by {}: {key} of {mailbox}: {reason}", count(*items, "item"));
    }
}

/// The events that are not shown by one item, as JSON.
pub(super) fn notes_as_json(notes: &[Note]) -> Vec<serde_json::Value> {
    let entry = |note: &Note| json!({ "key": note.key.as_str(), "mailbox": note.mailbox.as_str(), "items": note.items, "reason": note.reason });
    notes.iter().map(entry).collect()
}

/// What to do about a mailbox that did not come to its end.
pub(super) fn stop_hint(stop: &PassStop) -> Option<&str> {
    match stop {
        PassStop::Fault(fault) => fault.hint.as_deref(),
        PassStop::State(error) => Some(error.hint()),
        PassStop::Plan(_) => {
            Some("leave this mailbox to it; or stop it, and take over with `calsyncd adopt --take-over`")
        }
        PassStop::Violation(_) => Some("this is a defect of calsyncd: report it with the output of `calsyncd plan`"),
        PassStop::Moved(_) => Some("look at what moved, and save a new plan"),
        PassStop::Stopped => None,
    }
}

/// Prints an error with its causes and its hint. The exit status is 1.
pub(super) fn failure(error: &anyhow::Error) -> ExitCode {
    let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    complain(format_args!("{red}error:{red:#} {}", chain.join(": ")));
    if let Some(hint) = error.chain().find_map(|cause| cause.downcast_ref::<Hinted>()).map(|hinted| &hinted.hint) {
        print_hint(hint);
    }
    ExitCode::FAILURE
}

/// Prints what to do.
pub(super) fn print_hint(hint: &str) {
    let cyan = Style::new().fg_color(Some(AnsiColor::Cyan.into()));
    complain(format_args!("{cyan}hint:{cyan:#} {hint}"));
}

/// A table with a head; the columns of `numbers` are right-aligned.
pub(super) fn table(head: &[&str], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
    let cells = head.iter().enumerate().map(|(index, title)| {
        let cell = Cell::new(title);
        if numbers.contains(&index) { cell.set_alignment(CellAlignment::Right) } else { cell }
    });
    table.set_header(cells);
    for index in numbers {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A bar on standard error where that is a terminal, nothing elsewhere.
pub(super) fn progress_bar(title: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{prefix:>8} [{bar:40.cyan/blue}] {pos}/{len} {msg} {elapsed}") {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar.set_prefix(title.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A duration for people.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
