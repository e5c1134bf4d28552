//! A sandbox with empty mailboxes, a file of events, and the settings to push them there.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context, ensure};
use serde_json::json;

use super::{
    Options,
    pass::{PassKind, Taken},
    process, sample,
};

const USER: &str = "svc-calsyncd@example.test";
const SECRET: &str = "sandbox";
const TENANT: &str = "example.test";
const CLIENT: &str = "00000000-0000-0000-0000-000000000001";

/// A way to Outlook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Face {
    Ews,
    Graph,
}

impl Face {
    pub(crate) fn parse(name: &str) -> anyhow::Result<Self> {
        match name {
            "ews" => Ok(Self::Ews),
            "graph" => Ok(Self::Graph),
            other => anyhow::bail!("{other:?} is neither ews nor graph"),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ews => "EWS",
            Self::Graph => "Graph",
        }
    }
}

/// The processes and files of one run.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    sandbox: Server,
    events: usize,
}

/// The sandbox as a process; it ends with this value.
struct Server {
    child: Child,
    url: String,
    /// Kept open: the sandbox has more to say.
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(settings: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_calsyncd"))
            .args(["sandbox", "--listen", "127.0.0.1:0", "--config"])
            .arg(settings)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the sandbox")?;
        let output = child.stdout.take().context("the sandbox has no output")?;
        let mut server = Self { child, url: String::new(), output: BufReader::new(output) };
        let mut line = String::new();
        while server.output.read_line(&mut line)? > 0 {
            if let Some(url) = line.trim_end().strip_prefix("listening on ") {
                url.clone_into(&mut server.url);
                return Ok(server);
            }
            line.clear();
        }
        anyhow::bail!("the sandbox ended without a word")
    }

    fn cpu_seconds(&self) -> anyhow::Result<f64> {
        process::cpu_seconds(&self.child.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stage {
    pub(crate) fn build(parent: &Path, face: Face, options: &Options) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("push-").tempdir_in(parent)?;
        let path = folder.path();
        fs::create_dir(path.join("events"))?;
        fs::write(path.join("events/events.jsonl"), lines(options))?;
        fs::write(path.join("sandbox.toml"), sandbox_settings(options))?;
        let sandbox = Server::start(&path.join("sandbox.toml"))?;
        fs::write(path.join("calsyncd.toml"), settings(face, &sandbox.url, options))?;
        Ok(Self { folder, sandbox, events: options.events })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs one pass in a process of its own.
    pub(crate) fn pass(&self, kind: PassKind) -> anyhow::Result<Taken> {
        let server_before = self.sandbox.cpu_seconds()?;
        let log = File::create(self.path("log.jsonl"))?;
        let output = Command::new(std::env::current_exe()?)
            .arg("pass")
            .arg(self.path("calsyncd.toml"))
            .arg(if kind == PassKind::UnchangedRead { "read" } else { "links" })
            .stderr(log)
            .output()
            .context("cannot start a pass")?;
        let server_cpu_seconds = self.sandbox.cpu_seconds()? - server_before;
        let log = fs::read_to_string(self.path("log.jsonl"))?;
        ensure!(output.status.success(), "the pass \"{}\" failed:\n{log}", kind.name());
        let taken: Taken = serde_json::from_slice(&output.stdout).context("the pass says nothing that can be read")?;
        let expected = if kind == PassKind::First { self.events as u64 } else { 0 };
        ensure!(taken.changes == expected, "{} changes in the pass \"{}\":\n{log}", taken.changes, kind.name());
        Ok(Taken { server_cpu_seconds, ..taken })
    }
}

fn mailbox(number: usize) -> String {
    format!("p{number:04}@example.test")
}

/// The events, from tomorrow on.
fn lines(options: &Options) -> String {
    let zone = sample::zone();
    let tomorrow = jiff::Zoned::now().date().tomorrow().unwrap_or(sample::FIRST_DAY);
    let shift = tomorrow.since(sample::FIRST_DAY).unwrap_or_default();
    let mut text = String::new();
    for number in 0..options.events {
        let event = sample::event(number, &zone);
        let all_day = event.time.is_all_day();
        let at = |wall: jiff::civil::DateTime| match all_day {
            true => wall.date().saturating_add(shift).to_string(),
            false => wall.saturating_add(shift).strftime("%Y-%m-%dT%H:%M").to_string(),
        };
        let content = &event.content;
        let mut line = json!({
            "kind": "appointment",
            "id": format!("{number:08}"),
            "mailbox": mailbox(number % options.mailboxes),
            "subject": content.subject,
            "body": content.body.content,
            "location": content.location,
            "categories": content.categories,
            "reminder_minutes": content.reminder_minutes,
            "zone": zone.iana(),
            "start": at(event.time.start()),
            "end": if all_day { at(event.time.start()) } else { at(event.time.end()) },
            "all_day": all_day,
        });
        if event.series.is_some() {
            line["recurrence"] = json!("FREQ=WEEKLY;COUNT=5");
        }
        let _ = writeln!(text, "{line}");
    }
    text
}

fn sandbox_settings(options: &Options) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "[[accounts]]\nuser = \"{USER}\"\npassword = \"{SECRET}\"\nimpersonate = \"all\"");
    let _ = writeln!(text, "[[applications]]\ntenant_id = \"{TENANT}\"\nclient_id = \"{CLIENT}\"");
    let _ = writeln!(text, "client_secrets = [\"{SECRET}\"]\nscope = \"all\"");
    for number in 0..options.mailboxes {
        let _ = writeln!(text, "[[mailboxes]]\naddress = \"{}\"", mailbox(number));
    }
    text
}

/// The limits are so high that they never hold a request back.
fn settings(face: Face, url: &str, options: &Options) -> String {
    let exchange = match face {
        Face::Ews => format!(
            "delegated_user = \"{USER}\"\nlinked_password = \"{SECRET}\"\news_service_url = \"{url}/EWS/Exchange.asmx\"\n\
             exchange_server_version = \"Exchange2016\"\nuse_impersonation = true\n"
        ),
        Face::Graph => format!(
            "use_graph_api = true\ngraph_url = \"{url}\"\ntoken_url = \"{url}/{TENANT}/oauth2/v2.0/token\"\n\
             tenant_id = \"{TENANT}\"\nclient_id = \"{CLIENT}\"\nclient_secret = \"{SECRET}\"\n"
        ),
    };
    format!(
        "[exchange]\n{exchange}max_threads = {}\n\n[sources.erp]\nkind = \"files\"\npath = \"events\"\nzone = \"Europe/Paris\"\n\n\
         [jobs.erp]\nsource = \"erp\"\n\n[state]\npath = \"state.sqlite\"\n\n\
         [limits]\nrequests_per_minute = 1000000\nmailbox_requests_per_minute = 1000000\n",
        options.threads
    )
}
