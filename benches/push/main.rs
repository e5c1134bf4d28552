//! From files to calendars, end to end: the engine pushes events into the sandbox, once through EWS and once through
//! Graph, over HTTP on the loopback. `cargo bench --bench push`.
//!
//! The sandbox and each pass are processes of their own, so that the processor time of client and server are told apart
//! and a peak of memory is that of one pass. Options after `--`: `--events N`, `--mailboxes N`, `--runs N`, `--threads N`,
//! `--face ews|graph`. Without `--bench` (which `cargo bench` adds), or with `--test`, a few events show that it works.
#![allow(missing_docs, reason = "a benchmark")]

#[path = "../sample/mod.rs"]
mod sample;

mod pass;
mod process;
mod report;
mod stage;

use std::{path::Path, process::ExitCode};

use pass::PassKind;
use stage::{Face, Stage};

/// What is pushed, and how often.
#[derive(Debug, Clone)]
struct Options {
    events: usize,
    mailboxes: usize,
    threads: usize,
    runs: usize,
    faces: Vec<Face>,
}

impl Options {
    fn read(arguments: &[String]) -> anyhow::Result<Self> {
        let measured = has(arguments, "--bench") && !has(arguments, "--test");
        let (events, mailboxes, runs) = if measured { (10_000, 100, 3) } else { (60, 3, 1) };
        Ok(Self {
            events: number(arguments, "--events", events)?,
            mailboxes: number(arguments, "--mailboxes", mailboxes)?.max(1),
            threads: number(arguments, "--threads", 4)?,
            runs: number(arguments, "--runs", runs)?.max(1),
            faces: match value(arguments, "--face") {
                Some(name) => vec![Face::parse(name)?],
                None => vec![Face::Ews, Face::Graph],
            },
        })
    }
}

fn has(arguments: &[String], name: &str) -> bool {
    arguments.iter().any(|argument| argument == name)
}

fn value<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let position = arguments.iter().position(|argument| argument == name)?;
    arguments.get(position + 1).map(String::as_str)
}

fn number(arguments: &[String], name: &str, default: usize) -> anyhow::Result<usize> {
    value(arguments, name).map_or(Ok(default), |text| Ok(text.parse()?))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        Some("pass") => pass::run(&arguments[1..]),
        _ if has(&arguments, "--list") => Ok(()),
        _ => Options::read(&arguments).and_then(|options| measure(&options)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything and prints the medians.
fn measure(options: &Options) -> anyhow::Result<()> {
    println!(
        "{} events, {} mailboxes, {} of them at a time; median of {} runs",
        options.events, options.mailboxes, options.threads, options.runs
    );
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut table = report::Table::new(options.events);
    for face in &options.faces {
        for _ in 0..options.runs {
            let stage = Stage::build(parent, *face, options)?;
            for kind in PassKind::ALL {
                table.add(*face, kind, stage.pass(kind)?);
            }
        }
    }
    println!("{table}");
    Ok(())
}
