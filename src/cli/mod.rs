//! The commands: arguments in, words and tables out.

mod adopt;
mod check;
mod cohort;
mod config;
mod demo;
mod held;
mod history;
mod left_out;
mod man;
mod output;
mod plan;
mod plan_json;
mod purge;
mod run;
mod sandbox;
mod saved_plan;
mod setup;
mod status;
mod sync;
mod test;
mod why;
mod why_day;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind, parser::ValueSource};

pub use man::pages as man_pages;

use self::cohort::CohortArguments;
use crate::model::hold::Verdict;

/// Pushes the schedules and appointments of a business system one way into Outlook calendars.
#[derive(Debug, Parser)]
#[command(name = "calsyncd", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    /// The settings file [default: /etc/calsyncd/calsyncd.toml, else config/calsyncd.toml]
    #[arg(long, global = true, value_name = "FILE", env = "CALSYNCD_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon
    Run,
    /// Load and check the settings, as the daemon would
    Check(JsonOnly),
    /// Test the access to calendars, step by step, with the cause of a failure and what to do about it
    ///
    /// A canary is written to each calendar, read back, changed and deleted: a private item that counts as free and reminds
    /// nobody. It is removed whatever happens; what a killed test left is removed by the next one. A wrong password or secret
    /// costs one attempt.
    Test(TestArguments),
    /// Show what a run would do, and why; writes nothing
    ///
    /// Ends with 0 when there is nothing to do, with 10 when a run would create, update or delete something, with 1 when a
    /// source or a calendar could not be read, and with 2 for faulty settings or arguments. docs/plan.schema.json describes
    /// the JSON.
    Plan(PlanArguments),
    /// One pass in the foreground, with progress
    Sync(SyncArguments),
    /// Show mailboxes, waits, held deletions and quarantine
    Status(JsonOnly),
    /// Show what is known of one event and what happened to it, or of one day of a mailbox; writes nothing
    Why(WhyArguments),
    /// The deletions that the brake keeps back: list, approve or reject them
    #[command(subcommand)]
    Held(HeldCommand),
    /// Remove everything of ours from one calendar, after asking; for a daemon that is stopped
    Purge(PurgeArguments),
    /// Rebuild the links from the calendars, when the state is lost or not to be trusted; for a daemon that is stopped
    ///
    /// Reads each calendar whole and writes nothing to it. With --take-over, after asking, it writes the name of this instance
    /// on the items of another one, which has to be stopped, and nothing else; it may be run again when it was interrupted.
    Adopt(AdoptArguments),
    /// Read or write one setting
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Run the simulated Exchange as a server of its own
    ///
    /// --config names settings of its own (mailboxes, accounts, applications, throttling, faults); docs/sandbox.toml shows them.
    /// Without it there are three mailboxes, an account and an application, which are printed. A mailbox with a `half` lives on
    /// premises or online, as in a hybrid; POST /sandbox/move moves it to the other half, where all of its ids are others.
    Sandbox(SandboxArguments),
    /// Show it all on this machine: sandbox, sample data and daemon, nothing to configure
    Demo(DemoArguments),
    /// Write the manual pages into a folder
    #[command(hide = true)]
    Man {
        /// The folder
        folder: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, Args)]
struct JsonOnly {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, Args)]
struct CredentialArguments {
    /// Try a credential that the server refused, although it has not changed: it may lock the account
    #[arg(long)]
    try_credential: bool,
}

#[derive(Debug, Args)]
struct TestArguments {
    /// A mailbox to test; may be given several times [default: exchange.test_user]
    #[arg(long, value_name = "ADDRESS")]
    user: Vec<String>,
    /// Every mailbox that the sources or the state name
    #[arg(long, conflicts_with = "user")]
    all: bool,
    /// A mailbox that must be refused; it is read only, and may be given several times
    #[arg(long, value_name = "ADDRESS")]
    out_of_scope: Vec<String>,
    #[command(flatten)]
    credential: CredentialArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct MailboxArguments {
    /// Only this mailbox
    #[arg(long, value_name = "ADDRESS")]
    mailbox: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct SyncArguments {
    #[command(flatten)]
    cohort: CohortArguments,
    /// Carry out a plan that `plan --save` saved: all of it, or nothing when anything has moved since
    #[arg(long, value_name = "FILE", conflicts_with_all = ["mailbox", "share"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    credential: CredentialArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct WhyArguments {
    /// The key of an event, as plans and the log name it: SOURCE/appointment/ID; or a mailbox
    #[arg(value_name = "KEY|MAILBOX")]
    what: String,
    /// The day of the mailbox, such as 2026-11-27
    day: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct PlanArguments {
    #[command(flatten)]
    cohort: CohortArguments,
    /// Save it for `sync --plan`, which carries it out if nothing has moved by then
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Name every event that is left out
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    credential: CredentialArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct PurgeArguments {
    /// The mailbox
    #[arg(long, value_name = "ADDRESS")]
    mailbox: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    credential: CredentialArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct AdoptArguments {
    #[command(flatten)]
    cohort: CohortArguments,
    #[command(flatten)]
    credential: CredentialArguments,
    /// Also what another instance wrote: after this it is refused, and this one goes on
    #[arg(long)]
    take_over: bool,
    /// Do not ask
    #[arg(long, requires = "take_over")]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum HeldCommand {
    /// Name the held deletions, with what was said of them
    List(MailboxArguments),
    /// Let items be removed at the next turn of their mailboxes, unless the source shows them again
    Approve(HeldArguments),
    /// Let items stay, until the source shows them again
    Reject(HeldArguments),
}

#[derive(Debug, Args)]
struct HeldArguments {
    /// The keys, as `held list` names them
    #[arg(value_name = "KEY", required_unless_present_any = ["all", "source"], conflicts_with_all = ["all", "source"])]
    keys: Vec<String>,
    /// Everything that nobody has decided about
    #[arg(long)]
    all: bool,
    /// The same of one source; approved, what it holds now is what its next reads are compared with
    #[arg(long, value_name = "NAME", conflicts_with_all = ["all", "mailbox"])]
    source: Option<String>,
    /// Only in this mailbox
    #[arg(long, value_name = "ADDRESS")]
    mailbox: Option<String>,
    /// Who decides [default: the user]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the value of a setting
    Get {
        /// Its name, such as exchange.max_threads
        key: String,
    },
    /// Write one setting; comments and order stay, and nothing is written that does not check
    Set {
        /// Its name, such as exchange.max_threads
        key: String,
        /// Its value
        value: String,
    },
}

#[derive(Debug, Args)]
struct SandboxArguments {
    /// Where to listen; port 0 takes a free one and prints it
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8088")]
    listen: SocketAddr,
    /// Listen for TLS with this certificate, PEM
    #[arg(long, value_name = "FILE.pem", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of that certificate, PEM
    #[arg(long, value_name = "FILE.pem", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Listen for TLS with a self-made certificate, written to this file for clients to trust it
    #[arg(long, value_name = "FILE.pem", conflicts_with = "tls_cert")]
    tls_self_made: Option<PathBuf>,
    /// Keep every exchange, one HAR 1.2 entry a line, secrets redacted
    #[arg(long, value_name = "FILE.jsonl")]
    record: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct DemoArguments {
    /// Push twice and end; otherwise go on and follow changes of the sample files
    #[arg(long)]
    once: bool,
    /// Print one JSON object on the last line
    #[arg(long)]
    json: bool,
    /// Keep every exchange, one HAR 1.2 entry a line, secrets redacted
    #[arg(long, value_name = "FILE.jsonl")]
    record: Option<PathBuf>,
    /// Where the sandbox listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// What a command ends with.
type Outcome = anyhow::Result<ExitCode>;

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let matches = Arguments::command().get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let is_named = matches.value_source("config") == Some(ValueSource::CommandLine);
    if is_named && matches!(arguments.command, Command::Demo(_)) {
        let message = "the demo takes no settings: it makes its own";
        Arguments::command().error(ErrorKind::ArgumentConflict, message).exit();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::failure(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    let code = match runtime.block_on(dispatch(arguments, is_named)) {
        Ok(code) => code,
        Err(error) => output::failure(&error),
    };
    // A file system that does not answer must not keep the process from ending.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

async fn dispatch(arguments: Arguments, is_named: bool) -> Outcome {
    let config = arguments.config.as_deref();
    match arguments.command {
        Command::Run => run::run(config).await,
        Command::Check(JsonOnly { json }) => check::check(config, json),
        Command::Test(arguments) => test::test(config, &arguments).await,
        Command::Plan(arguments) => plan::plan(config, &arguments).await,
        Command::Sync(arguments) => sync::sync(config, &arguments).await,
        Command::Status(JsonOnly { json }) => status::status(config, json).await,
        Command::Why(WhyArguments { what, day, json }) => why::why(config, &what, day.as_deref(), json).await,
        Command::Held(HeldCommand::List(MailboxArguments { mailbox, json })) => {
            held::list(config, mailbox.as_deref(), json).await
        }
        Command::Held(HeldCommand::Approve(arguments)) => held::decide(config, Verdict::Approved, &arguments).await,
        Command::Held(HeldCommand::Reject(arguments)) => held::decide(config, Verdict::Rejected, &arguments).await,
        Command::Purge(arguments) => purge::purge(config, &arguments).await,
        Command::Adopt(arguments) => adopt::adopt(config, &arguments).await,
        Command::Config(ConfigCommand::Get { key }) => config::get(config, &key),
        Command::Config(ConfigCommand::Set { key, value }) => config::set(config, &key, &value),
        Command::Sandbox(SandboxArguments { listen, tls_cert, tls_key, tls_self_made, record }) => {
            let tls = sandbox::Tls { certificate: tls_cert.zip(tls_key), self_made: tls_self_made };
            // What the environment names are the settings of the daemon.
            sandbox::sandbox(listen, config.filter(|_| is_named), tls, record).await
        }
        Command::Demo(DemoArguments { once, json, record, listen }) => {
            demo::demo(demo::Options { once, json, record, listen }).await
        }
        Command::Man { folder } => man::write(&folder),
    }
}
