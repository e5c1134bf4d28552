//! What the fuzz targets in `fuzz/` call: one function for each kind of input from outside. No normal build has it.
//!
//! Whatever the input, a function ends within a second for 1 MiB, in less than 256 MiB, without a panic, and what it makes
//! of the input keeps the promises of the room that made it: a broken promise is a panic here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is a finding")]

mod answers;
mod promises;
mod rules;
mod stage;
mod templates;
#[cfg(test)]
mod tests;

use crate::{
    desired::desired,
    sources::{FileForm, read_bytes},
};

/// An iCalendar file, up to the requests that write what it says.
pub fn icalendar(input: &[u8]) {
    source(FileForm::ICalendar, input);
}

/// A JSON Lines file, up to the requests that write what it says.
pub fn json_lines(input: &[u8]) {
    source(FileForm::JsonLines, input);
}

/// Answers of EWS. The first line names the call: `open`, `read`, `changes`, `probe` or `apply`; the answers follow, each
/// after a NUL: a status, headers, an empty line, the body.
pub fn ews(input: &[u8]) {
    answers::answer(&|script| stage::ews(script), input);
}

/// Answers of Graph and of its token endpoint, in the form of [`ews`]; `token` is one more call.
pub fn graph(input: &[u8]) {
    answers::answer(&|script| stage::graph(script), input);
}

/// A series: lines with its first occurrence, its zone, its rule, and the occurrences that differ.
pub fn rule(input: &[u8]) {
    rules::rule(input);
}

/// A template, a NUL, and the body of the event that it is rendered with.
pub fn template(input: &[u8]) {
    templates::template(input);
}

fn source(form: FileForm, input: &[u8]) {
    let read = read_bytes(form, input);
    let desired = desired(&read, stage::job(), stage::window());
    promises::check(&read, &desired);
    stage::write(&desired);
}
