//! A folder, a sandbox and a settings file.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use calsyncd::{
    model::side::Side,
    sandbox::{Counts, Fault, MailboxSettings, RunningSandbox, Sandbox, SandboxSettings, Scope, store::Store},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{Config, silence::Said};

/// The password of the account and the secret of the application: a text that nobody writes by chance.
pub(crate) const SECRET: &str = "R1ght-hush+4711/=";
/// One that is neither.
pub(crate) const WRONG: &str = "Wr0ng-hush+4711/=";
/// Another one.
pub(crate) const WRONG_TOO: &str = "Wr0ng-too+4711/=";

/// The people whose calendars there are.
pub(crate) const PEOPLE: [&str; 4] = ["ana", "bob", "chloe", "dan"];

/// How the daemon reaches the calendars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// EWS with impersonation.
    Ews,
    /// EWS as a delegate.
    Delegate,
    /// Graph.
    Graph,
}

impl Face {
    /// The operation of the sandbox's counters and faults that creates items; the one request that carries them.
    pub(crate) const fn create(self) -> &'static str {
        match self {
            Self::Ews | Self::Delegate => "CreateItem",
            Self::Graph => "CreateEvent",
        }
    }

    /// The side of a hybrid that it leads to.
    pub(crate) const fn side(self) -> Side {
        match self {
            Self::Ews | Self::Delegate => Side::Ews,
            Self::Graph => Side::Graph,
        }
    }

    /// The operation that opens a mailbox.
    pub(crate) const fn open(self) -> &'static str {
        match self {
            Self::Ews | Self::Delegate => "GetFolder",
            Self::Graph => "GetCalendar",
        }
    }

    /// The operation that looks for items of ours.
    pub(crate) const fn find(self) -> &'static str {
        match self {
            Self::Ews | Self::Delegate => "FindItem",
            Self::Graph => "ListEvents",
        }
    }

    /// The operations that write.
    pub(crate) const fn writes(self) -> [&'static str; 3] {
        match self {
            Self::Ews | Self::Delegate => ["CreateItem", "UpdateItem", "DeleteItem"],
            Self::Graph => ["CreateEvent", "UpdateEvent", "DeleteEvent"],
        }
    }
}

/// Everything that a scenario plays with; removed when dropped.
#[derive(Debug)]
pub(crate) struct World {
    /// How the daemon reaches the calendars.
    pub(crate) face: Face,
    /// The settings, to be changed with [`World::configure`].
    pub(crate) config: Config,
    /// What the program said, to be searched for secrets.
    pub(super) said: Mutex<Vec<Said>>,
    recording: PathBuf,
    folder: TempDir,
    sandbox: RunningSandbox,
    runtime: Runtime,
}

impl World {
    /// A world with an empty source folder.
    pub(crate) fn new(face: Face) -> Self {
        Self::with(face, |_| {})
    }

    /// The same, with the sandbox's settings changed.
    pub(crate) fn with(face: Face, change: impl FnOnce(&mut SandboxSettings)) -> Self {
        let folder = tempfile::Builder::new().prefix("calsyncd-test-").tempdir().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let mut settings = sandbox_settings(face);
        change(&mut settings);
        let recording = recording().unwrap_or_else(|| folder.path().join("recording.jsonl"));
        let record = Some(recording.clone());
        let started = runtime.block_on(Sandbox::start(settings, ([127, 0, 0, 1], 0).into(), record));
        let sandbox = started.unwrap();
        let mut config = Config::new(face, &sandbox.url());
        if let Some(certificate) = sandbox.certificate() {
            fs::write(folder.path().join("ca.pem"), certificate).unwrap();
            config.set("network", "ca_file", "\"ca.pem\"");
        }
        let world = Self { face, config, said: Mutex::default(), recording, folder, sandbox, runtime };
        fs::create_dir(world.path().join("events")).unwrap();
        world.secret(SECRET);
        world.save();
        world
    }

    /// The folder of this world.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The settings file.
    pub(crate) fn settings_path(&self) -> PathBuf {
        self.path().join("calsyncd.toml")
    }

    /// The state.
    pub(crate) fn state_path(&self) -> PathBuf {
        self.path().join("state/calsyncd.sqlite")
    }

    /// Changes the settings file.
    pub(crate) fn configure(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        self.save();
    }

    /// Writes the settings file.
    pub(crate) fn save(&self) {
        fs::write(self.settings_path(), self.config.text()).unwrap();
    }

    /// Writes the file of the password or the client's secret.
    pub(crate) fn secret(&self, secret: &str) {
        let path = self.path().join("secret");
        fs::write(&path, secret).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Writes the file of the application's secret in a hybrid.
    pub(crate) fn client_secret(&self, secret: &str) {
        let path = self.path().join("client_secret");
        fs::write(&path, secret).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Puts a file into the source folder, whole at once.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let target = self.path().join("events").join(name);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        let written = self.path().join("being-written");
        fs::write(&written, content).unwrap();
        fs::rename(&written, &target).unwrap();
    }

    /// Puts events into the source folder.
    pub(crate) fn events(&self, events: &[Value]) {
        self.file("events.jsonl", events.iter().map(|event| format!("{event}\n")).collect::<String>());
    }

    /// The mailboxes.
    pub(crate) fn store(&self) -> &Store {
        self.sandbox.sandbox().store()
    }

    /// Where the exchanges are kept.
    pub(super) fn recording(&self) -> &Path {
        &self.recording
    }

    /// The sandbox.
    pub(crate) fn sandbox(&self) -> &RunningSandbox {
        &self.sandbox
    }

    /// Adds a fault.
    pub(crate) fn inject(&self, fault: Fault) {
        self.sandbox.inject(fault);
    }

    /// The sandbox's counters.
    pub(crate) fn counts(&self) -> Counts {
        self.sandbox.counters()
    }

    /// How often an operation was asked for.
    pub(crate) fn operations(&self, name: &str) -> u64 {
        self.counts().operations.get(name).copied().unwrap_or_default()
    }

    /// How many writes were asked for.
    pub(crate) fn writes(&self) -> u64 {
        self.face.writes().iter().map(|name| self.operations(name)).sum()
    }

    /// Runs a future of the library.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

impl Drop for World {
    /// Whatever a scenario does, nobody gets a mail, and no secret is told.
    fn drop(&mut self) {
        if !thread::panicking() {
            assert_eq!(self.counts().mails_sent, 0, "mails were sent");
            self.assert_silent();
        }
    }
}

fn sandbox_settings(face: Face) -> SandboxSettings {
    let addresses: Vec<String> = PEOPLE.iter().map(|person| format!("{person}@example.test")).collect();
    let mut settings = SandboxSettings::with_mailboxes(addresses.iter().map(String::as_str), "Europe/Paris");
    settings.accounts[0].password = SECRET.to_owned();
    settings.applications[0].client_secrets = vec![SECRET.to_owned()];
    if face == Face::Delegate {
        let own = "service@example.test".to_owned();
        settings.mailboxes.push(MailboxSettings { address: own.clone(), ..MailboxSettings::default() });
        settings.accounts[0].mailbox = Some(own);
        settings.accounts[0].impersonate = Scope::None;
        settings.accounts[0].delegate_of = addresses;
    }
    settings
}

/// Where the exchanges are kept, if they are.
fn recording() -> Option<PathBuf> {
    static NUMBER: AtomicUsize = AtomicUsize::new(1);
    let folder = PathBuf::from(std::env::var_os("CALSYNCD_RECORD_DIR").filter(|folder| !folder.is_empty())?);
    fs::create_dir_all(&folder).unwrap();
    let test = thread::current().name().unwrap_or("test").replace("::", ".");
    Some(folder.join(format!("{test}-{}.jsonl", NUMBER.fetch_add(1, Ordering::Relaxed))))
}
