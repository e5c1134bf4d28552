//! The world of one seed: a server, a source, a state on the disk, and a daemon that runs, crashes and comes back.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use calsyncd::{
    auth::{self, Identity, TokenMemory},
    clock::Clock,
    gateway::{
        Gateway,
        ews::{EwsConfig, EwsGateway},
        graph::{GraphConfig, GraphGateway},
    },
    http::{Response, Transport, TransportError},
    model::{cohort::Cohort, side::Side},
    sandbox::{
        self, Sandbox, SandboxSettings,
        store::{Entry, Half},
    },
    scheduler::{Calendars, Command, Engine, Limiter, Progress, Way, Ways, Wiring},
    settings::{
        self, Authentication, Brake, Credential, Environment, EwsAccess, Job, Limits, Proof, ProofKind, Protocol,
        ServerVersion, SideSettings, Strictness,
    },
    sources::Source,
    state::{Access, StateError, Store},
};
use jiff::Timestamp;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::SimClock,
    erp::{Erp, SOURCE},
    quiet::Quiet,
    trace::Trace,
    wire::{Sent, Wire, broken},
};

pub(crate) const NAMES: [&str; 5] = ["ana", "bob", "chloe", "dan", "eve"];
const ROOT: &str = "http://127.0.0.1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    Ews,
    Graph,
    /// Each mailbox by the one that leads to where it lives.
    Hybrid,
}

impl Face {
    fn sides(self) -> &'static [Side] {
        match self {
            Self::Ews => &[Side::Ews],
            Self::Graph => &[Side::Graph],
            Self::Hybrid => &[Side::Ews, Side::Graph],
        }
    }
}

/// What the settings say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knobs {
    pub(crate) max_threads: usize,
    pub(crate) days_ahead: u16,
    pub(crate) batch_size: usize,
    pub(crate) brake: Brake,
}

/// A daemon that runs.
pub(crate) struct Running {
    pub(crate) handle: JoinHandle<Result<(), StateError>>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) stop: CancellationToken,
}

/// A request whose client has given up, and that is carried out all the same.
pub(crate) struct Late {
    pub(crate) at: Duration,
    /// How often its mailbox had moved when it was sent.
    pub(crate) moves: u32,
    pub(crate) sent: Sent,
}

/// An answer that takes its time.
pub(crate) struct Slow {
    pub(crate) at: Duration,
    pub(crate) sent: Sent,
    pub(crate) answer: Result<Response, TransportError>,
}

pub(crate) struct World {
    pub(crate) rng: fastrand::Rng,
    pub(crate) clock: SimClock,
    pub(crate) quiet: Quiet,
    pub(crate) wire: Wire,
    pub(crate) sandbox: Sandbox,
    pub(crate) erp: Erp,
    pub(crate) face: Face,
    pub(crate) knobs: Knobs,
    pub(crate) trace: Trace,
    pub(crate) store: Option<Store>,
    pub(crate) running: Option<Running>,
    pub(crate) late: Vec<Late>,
    pub(crate) slow: Vec<Slow>,
    /// The files of the state as they once were.
    pub(crate) backup: Option<BTreeMap<&'static str, Vec<u8>>>,
    /// Whether the state was once put back or lost: copies and originals cannot be told apart for sure after that.
    pub(crate) is_restored: bool,
    /// Users' own items, by mailbox and immutable id.
    pub(crate) own: BTreeMap<(String, String), Entry>,
    /// What users made of our items and is theirs now: copies, and items that they moved to another folder.
    pub(crate) copies: BTreeMap<(String, String), Entry>,
    /// Copies that were written while nobody could tell them from an original of the same second.
    pub(crate) tied: BTreeSet<(String, String)>,
    /// When a complete read last said of a key that it is not to be shown in a mailbox.
    pub(crate) absent: BTreeMap<(String, String), Duration>,
    /// Mailboxes and keys: what users edited; what was written, or was to be written, without an answer.
    pub(crate) edited: BTreeSet<(String, String)>,
    /// What users deleted or moved away.
    pub(crate) removed: BTreeSet<(String, String)>,
    pub(crate) doubtful: BTreeSet<(String, String)>,
    /// The change key of an item after the last edit of a user.
    pub(crate) edit_keys: BTreeMap<(String, String), String>,
    /// Edits that nobody had read when the mailbox moved, or was found where it is: the item is taken at its word then.
    pub(crate) unseen: BTreeSet<(String, String)>,
    /// The moves that have begun: what the mailbox holds meanwhile.
    pub(crate) moving: BTreeMap<String, Vec<Entry>>,
    /// Mailboxes of which a side has said that it has none, and the number of the last request before the daemon heard it.
    pub(crate) told_absent: BTreeMap<(String, Side), u64>,
    pub(crate) writes: u64,
    pub(crate) deletes: u64,
    job: Job,
    limits: Limits,
    folder: tempfile::TempDir,
}

impl World {
    /// The world of a seed, which decides the face where none is given.
    pub(crate) fn new(seed: u64, start: &str, face: Option<Face>, quiet: &Quiet) -> Self {
        fastrand::seed(seed);
        let mut rng = fastrand::Rng::with_seed(seed);
        let clock = SimClock::new(start.parse().unwrap());
        let drawn = if rng.bool() { Face::Ews } else { Face::Graph };
        let face = face.unwrap_or(drawn);
        let names = &NAMES[..rng.usize(3..=5)];
        let erp = Erp::new(names);
        let mailboxes = erp.mailboxes.iter().map(calsyncd::model::address::Address::as_str);
        let mut settings = SandboxSettings { seed, ..SandboxSettings::with_mailboxes(mailboxes, "Europe/Paris") };
        for mailbox in settings.mailboxes.iter_mut().filter(|_| face == Face::Hybrid) {
            mailbox.half = if rng.bool() { Half::OnPremises } else { Half::Online };
        }
        let sandbox = Sandbox::new(settings, None, Arc::new(clock.clone())).unwrap();
        // Memory, where there is such a folder: what is written there does not have to reach a disk.
        let base = [PathBuf::from("/dev/shm"), std::env::temp_dir()].into_iter().find(|path| path.is_dir()).unwrap();
        let folder = tempfile::Builder::new().prefix("calsyncd-simulation-").tempdir_in(base).unwrap();
        std::fs::write(folder.path().join("state.instance"), "00000000-0000-7000-8000-000000000001\n").unwrap();
        let (job, limits) = sections(folder.path());
        let knobs = Knobs {
            max_threads: rng.usize(1..=4),
            days_ahead: 180,
            batch_size: rng.usize(1..=8),
            brake: Brake { share_percent: 20, number: rng.u32(2..=10) },
        };
        Self {
            rng,
            clock,
            quiet: quiet.clone(),
            wire: Wire::default(),
            sandbox,
            erp,
            face,
            knobs,
            trace: Trace::default(),
            store: None,
            running: None,
            late: Vec::new(),
            slow: Vec::new(),
            backup: None,
            is_restored: false,
            own: BTreeMap::new(),
            copies: BTreeMap::new(),
            tied: BTreeSet::new(),
            absent: BTreeMap::new(),
            edited: BTreeSet::new(),
            removed: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            edit_keys: BTreeMap::new(),
            unseen: BTreeSet::new(),
            moving: BTreeMap::new(),
            told_absent: BTreeMap::new(),
            writes: 0,
            deletes: 0,
            job,
            limits,
            folder,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn state_path(&self) -> PathBuf {
        self.folder.path().join("state.sqlite")
    }

    /// A way to Outlook, with the real gateway.
    fn way(&self, side: Side) -> Way {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let transport: Arc<dyn Transport> = Arc::new(self.wire.clone());
        let credential = match side {
            Side::Ews => Credential::Password {
                authentication: Authentication::Basic,
                user: "service".to_owned(),
                password: "secret".into(),
            },
            Side::Graph => Credential::Application {
                token_url: format!("{ROOT}/tenant/oauth2/v2.0/token"),
                client_id: "client".to_owned(),
                scope: "https://graph.microsoft.com/.default".to_owned(),
                proofs: vec![Proof { key: "client_secret", kind: ProofKind::Secret("secret".into()), ends: None }],
            },
        };
        let tokens = TokenMemory::default();
        let authorization =
            auth::authorization(&credential, Arc::clone(&transport), Arc::clone(&clock), &tokens).unwrap();
        let protocol = Protocol::Graph { root: ROOT.to_owned() };
        let identity = Identity::of(&SideSettings { protocol, credential });
        // Not to wait in real time: this limiter has a clock of its own for the rates.
        let limiter = Arc::new(Limiter::new(Arc::clone(&clock), 1_000_000, 1_000_000));
        let owner = self.store().owner().clone();
        let gateway: Arc<dyn Gateway> = match side {
            Side::Ews => {
                let config = EwsConfig {
                    url: format!("{ROOT}/EWS/Exchange.asmx"),
                    version: ServerVersion::Exchange2016,
                    access: EwsAccess::impersonation(),
                    owner,
                    batch_size: self.knobs.batch_size,
                    gzip_requests: false,
                };
                Arc::new(EwsGateway::new(transport, authorization, limiter.clone(), config))
            }
            Side::Graph => {
                let config = GraphConfig { root: ROOT.to_owned(), owner, page_size: 7, gzip_requests: false };
                Arc::new(GraphGateway::new(transport, authorization, limiter.clone(), clock, config))
            }
        };
        Way { side, gateway, limiter, identity, calendars: Calendars::default(), left_alone: None }
    }

    /// Everything that an engine runs on.
    pub(crate) fn wiring(&self) -> Wiring {
        let source: Arc<dyn Source> = Arc::new(self.wire.clone());
        let job = Job { window_days_ahead: self.knobs.days_ahead, ..self.job.clone() };
        Wiring {
            ways: Ways::new(self.face.sides().iter().map(|side| self.way(*side))),
            sources: BTreeMap::from([(SOURCE.to_owned(), source)]),
            jobs: BTreeMap::from([("push".to_owned(), job)]),
            rollout: Cohort::everybody(),
            brake: self.knobs.brake,
            limits: self.limits.clone(),
            max_threads: self.knobs.max_threads,
            freeze_days: self.limits.freeze_days,
            keep_history: Duration::from_secs(400 * 86_400),
            calendar: None,
        }
    }

    /// Opens the state and lets a daemon run.
    pub(crate) async fn begin(&mut self) {
        let store = Store::open(&self.state_path(), Access::Exclusive).await.unwrap();
        self.quiet.watch(Some(store.clone()));
        self.store = Some(store.clone());
        let stop = CancellationToken::new();
        let (commands, receiver) = mpsc::channel(4);
        let clock = Arc::new(self.clock.clone());
        let engine = Engine::new(store, clock, Arc::new(self.wiring()), Progress::default(), stop.clone());
        let handle = tokio::spawn(engine.run(receiver));
        self.running = Some(Running { handle, commands, stop });
    }

    /// Ends the daemon as a lost power supply would.
    pub(crate) async fn crash(&mut self) {
        let Some(running) = self.running.take() else { return };
        running.handle.abort();
        let _ = running.handle.await;
        self.close().await;
    }

    pub(crate) async fn close(&mut self) {
        self.quiet.wait().await;
        self.quiet.watch(None);
        if let Some(store) = self.store.take() {
            store.close().await;
        }
    }

    const FILES: [&'static str; 3] = ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"];

    /// Keeps a copy of the state as it is.
    pub(crate) fn back_up(&mut self) {
        let read = |name: &&'static str| Some((*name, std::fs::read(self.folder.path().join(name)).ok()?));
        self.backup = Some(Self::FILES[..2].iter().filter_map(read).collect());
    }

    /// Puts a backup in the place of the state, or nothing.
    pub(crate) fn put_back(&mut self, backup: &BTreeMap<&'static str, Vec<u8>>) {
        for name in Self::FILES {
            let path = self.folder.path().join(name);
            let _ = std::fs::remove_file(&path);
            if let Some(bytes) = backup.get(name) {
                std::fs::write(path, bytes).unwrap();
            }
        }
        self.is_restored = true;
    }

    /// Carries a request out, as the server does.
    pub(crate) async fn carry_out(&mut self, sent: &Sent) -> Result<Result<Response, TransportError>, String> {
        self.observe(sent)?;
        self.trace.bytes(&sent.request.body);
        let request = sent.request.clone();
        let mut inner = http::Request::builder().method(request.method).uri(request.url);
        *inner.headers_mut().unwrap() = request.headers;
        let answer = self.sandbox.handle(inner.body(request.body).unwrap()).await;
        let sandbox::Outcome::Answer(answer) = answer else { return Ok(Err(broken())) };
        let (parts, body) = answer.into_parts();
        self.trace.bytes(parts.status.as_str().as_bytes());
        if !sent.mailbox.is_empty() {
            self.trace.bytes(&body);
        }
        Ok(Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body }))
    }
}

fn sections(folder: &std::path::Path) -> (Job, Limits) {
    let path = folder.join("calsyncd.toml");
    let text = format!(
        "[exchange]\nuse_graph_api = true\ntenant_id = \"tenant\"\nclient_id = \"client\"\nclient_secret = \"secret\"\n\
         [sources.erp]\nkind = \"files\"\npath = \"{0}\"\nzone = \"Europe/Paris\"\n\
         [jobs.push]\nsource = \"erp\"\nwindow_days_back = 30\nwindow_days_ahead = 180\nevery = \"15m\"\n\
         [state]\npath = \"{0}/state.sqlite\"\n[limits]\ndrift_every = \"1h\"\n",
        folder.display()
    );
    std::fs::write(&path, text).unwrap();
    let loaded = settings::load(&path, &Environment::default(), Strictness::Check).unwrap();
    (loaded.settings.jobs["push"].clone(), loaded.settings.limits)
}
