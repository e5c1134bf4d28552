//! The daemon: started, watched through its log, signalled, killed when dropped.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::ExitStatusExt,
    sync::{Arc, Mutex},
    thread,
    time::Instant,
};

use serde_json::Value;

use super::{
    World,
    program::{KilledOnDrop, program},
    silence::Said,
    wait::{DEADLINE, POLL},
};

/// The signal that nobody can catch.
const SIGKILL: i32 = 9;

/// A running daemon.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: KilledOnDrop,
    log: Arc<Mutex<Vec<Value>>>,
}

impl World {
    /// Starts the daemon and waits until it is ready.
    pub(crate) fn daemon(&self) -> Daemon {
        self.daemon_with(&[])
    }

    /// The same with variables.
    pub(crate) fn daemon_with(&self, variables: &[(&str, &str)]) -> Daemon {
        let daemon = self.start(variables);
        daemon.wait("daemon_ready");
        daemon
    }

    /// Starts the daemon.
    pub(crate) fn start(&self, variables: &[(&str, &str)]) -> Daemon {
        let mut command = program(self.path());
        command.arg("--config").arg(self.settings_path()).arg("run").envs(variables.iter().copied());
        let mut child = command.spawn().unwrap();
        self.keep(child.stdout.take().unwrap());
        let log = self.keep(child.stderr.take().unwrap());
        Daemon { child: KilledOnDrop(child), log }
    }

    /// Keeps the lines of a stream, as they come, also for the search for secrets.
    fn keep(&self, stream: impl Read + Send + 'static) -> Arc<Mutex<Vec<Value>>> {
        let lines = BufReader::new(stream).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let entry = serde_json::from_str(&line).unwrap_or(Value::String(line));
                kept.lock().unwrap().push(entry);
            }
        });
        self.heard(Said::Log(Arc::clone(&log), reader));
        log
    }
}

impl Daemon {
    /// How long the log is: where a later look may begin.
    pub(crate) fn mark(&self) -> usize {
        self.log.lock().unwrap().len()
    }

    /// Waits for an event of the catalogue.
    #[track_caller]
    pub(crate) fn wait(&self, event: &str) -> Value {
        self.wait_after(0, event, |_| true)
    }

    /// Waits for an event after `mark` that `fits`.
    #[track_caller]
    pub(crate) fn wait_after(&self, mark: usize, event: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let found =
                self.log.lock().unwrap()[mark..].iter().find(|line| line["event"] == event && fits(line)).cloned();
            if let Some(found) = found {
                return found;
            }
            assert!(
                started.elapsed() < DEADLINE,
                "{event} did not come:
{}",
                self.text()
            );
            thread::sleep(POLL);
        }
    }

    /// How often an event came.
    pub(crate) fn count(&self, event: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|line| line["event"] == event).count()
    }

    /// The whole log.
    pub(crate) fn text(&self) -> String {
        self.log.lock().unwrap().iter().map(|line| format!("{line}\n")).collect()
    }

    /// Sends a signal: `HUP`, `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        self.child.signal(name);
    }

    /// Waits for the end and gives the exit status; -1 when a signal ended it.
    #[track_caller]
    pub(crate) fn end(&mut self) -> i32 {
        self.child.end()
    }

    /// Stops it as systemd does; it must end well.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        let code = self.end();
        assert_eq!(code, 0, "{}", self.text());
    }

    /// Ends it in the middle of whatever it does: with SIGKILL, and with nothing else.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        let status = self.child.kill();
        assert_eq!(status.signal(), Some(SIGKILL), "{status}: {}", self.text());
    }
}
