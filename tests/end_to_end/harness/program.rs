//! Commands of the program that end by themselves.

use std::{
    io::Read,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
};

use serde_json::Value;

use super::{World, eventually, silence::Said, wait::within_deadline};

/// The program, with nothing of this process's environment that could change what it does. `CALSYNCD_PROGRAM` is the path
/// of another build of it.
pub(crate) fn program(folder: &Path) -> Command {
    let other = std::env::var_os("CALSYNCD_PROGRAM").filter(|path| !path.is_empty());
    let mut command = Command::new(other.unwrap_or_else(|| env!("CARGO_BIN_EXE_calsyncd").into()));
    command.env_clear().current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("TMPDIR", folder).env("RUST_BACKTRACE", "1");
    command
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit status; -1 when a signal ended it.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) out: String,
    /// What it complained of.
    pub(crate) err: String,
}

impl Ended {
    /// Waits for the end of a child and kills it at the deadline.
    pub(crate) fn of(mut child: Child) -> Self {
        let out = reader(child.stdout.take().unwrap());
        let err = reader(child.stderr.take().unwrap());
        let mut child = KilledOnDrop(child);
        let code = within_deadline(|| child.0.try_wait().unwrap()).map(|status| status.code().unwrap_or(-1));
        drop(child);
        let (out, err) = (out.join().unwrap(), err.join().unwrap());
        let code = code.unwrap_or_else(|| panic!("it does not end; it said {out}\nand {err}"));
        Self { code, out, err }
    }

    /// The last line of the output, which is JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let last = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Panics unless it ended with `code` and said all of `words`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        for word in words {
            assert!(self.out.contains(word) || self.err.contains(word), "{word:?} is not in {self:#?}");
        }
        self
    }
}

/// A process that does not outlive its test.
#[derive(Debug)]
pub(crate) struct KilledOnDrop(pub(crate) Child);

impl KilledOnDrop {
    /// Sends a signal: `HUP`, `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()).status();
        assert!(status.unwrap().success(), "kill -{name}");
    }

    /// Sends SIGKILL and gives what the system says of the end.
    pub(crate) fn kill(&mut self) -> ExitStatus {
        self.0.kill().unwrap();
        self.0.wait().unwrap()
    }

    /// Waits for the end and gives the exit status; -1 when a signal ended it.
    #[track_caller]
    pub(crate) fn end(&mut self) -> i32 {
        let status = eventually("the end of the process", || self.0.try_wait().unwrap());
        status.code().unwrap_or(-1)
    }
}

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn reader(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// What `sync --json` says.
#[derive(Debug)]
pub(crate) struct Pass {
    /// The whole object.
    pub(crate) json: Value,
    /// The exit status.
    pub(crate) code: i32,
}

impl Pass {
    /// The sum of a number over all mailboxes.
    pub(crate) fn total(&self, field: &str) -> u64 {
        self.json["mailboxes"].as_array().unwrap().iter().map(|mailbox| mailbox[field].as_u64().unwrap()).sum()
    }

    /// Created, updated, deleted.
    pub(crate) fn changes(&self) -> [u64; 3] {
        ["created", "updated", "deleted"].map(|field| self.total(field))
    }

    /// What is said of one person's mailbox.
    pub(crate) fn of(&self, person: &str) -> Value {
        let address = format!("{person}@example.test");
        let mailboxes = self.json["mailboxes"].as_array().unwrap();
        mailboxes.iter().find(|mailbox| mailbox["mailbox"] == address).cloned().unwrap_or(Value::Null)
    }
}

impl World {
    /// Runs a command to its end, with the settings file.
    pub(crate) fn command(&self, arguments: &[&str]) -> Ended {
        self.command_with(&[], arguments)
    }

    /// The same with variables.
    pub(crate) fn command_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut command = program(self.path());
        command.envs(variables.iter().copied()).arg("--config").arg(self.settings_path()).args(arguments);
        self.kept(Ended::of(command.spawn().unwrap()))
    }

    /// Keeps what a command said for the search for secrets.
    pub(crate) fn kept(&self, ended: Ended) -> Ended {
        self.heard(Said::Text(format!("{}{}", ended.out, ended.err)));
        ended
    }

    /// Starts a command without a settings file.
    pub(crate) fn spawn_bare(&self, arguments: &[&str]) -> KilledOnDrop {
        KilledOnDrop(program(self.path()).args(arguments).spawn().unwrap())
    }

    /// Runs a command to its end, without a settings file.
    pub(crate) fn bare(&self, arguments: &[&str]) -> Ended {
        self.kept(Ended::of(program(self.path()).args(arguments).spawn().unwrap()))
    }

    /// One pass in the foreground, however it ends.
    pub(crate) fn try_sync(&self) -> Pass {
        let ended = self.command(&["sync", "--json"]);
        Pass { json: ended.json(), code: ended.code }
    }

    /// One pass in the foreground that goes well.
    #[track_caller]
    pub(crate) fn sync(&self) -> Pass {
        let pass = self.try_sync();
        assert_eq!(pass.code, 0, "{:#}", pass.json);
        pass
    }

    /// What `status --json` says.
    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        self.command(&["status", "--json"]).expect(0, &[]).json()
    }
}
