//! The loop that owns every task: source reads and mailbox passes, their ends, and the commands of the daemon.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::mpsc,
    task::{Id, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{
    Progress, Wiring,
    agenda::{Agenda, Parking},
    catalogue::Catalogue,
    expected::Expected,
    hand_over::Waiting,
    pass::{Done, Pass, PassReport, PassStop},
    sides::{Places, Routed, SideState},
    turns::after,
};
use crate::{
    clock::Clock,
    model::{
        address::Address,
        cohort::{Cohort, Share},
        side::Side,
        source::{Rejection, SourceRead},
    },
    observability::events::WorkersResized,
    plan::SavedPlan,
    sources::SourceError,
    state::{StateError, Store, WaitScope},
};

/// The loop turns at least this often, so that a watchdog sees that it lives.
const TURN_MAX: Duration = Duration::from_secs(5);
/// So long the first turns wait for the first read of every source.
const READ_PATIENCE: Duration = Duration::from_mins(1);
/// How often a pass is repeated in [`Engine::once`] before it counts as failed.
pub(super) const ATTEMPTS_ONCE: u32 = 8;

/// What the daemon asks of a running engine.
#[derive(Debug)]
pub enum Command {
    /// Run on this from now on.
    Replace {
        /// The new wiring.
        wiring: Arc<Wiring>,
        /// The sides whose credential, or the way to them, has changed: they are tried at once.
        changed: BTreeSet<Side>,
    },
}

/// When the loop last turned.
#[derive(Debug, Clone, Default)]
pub struct Heartbeat(Arc<AtomicI64>);

impl Heartbeat {
    /// The instant of the last turn.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::Relaxed)).unwrap_or_default()
    }

    fn beat(&self, now: Timestamp) {
        self.0.store(now.as_millisecond(), Ordering::Relaxed);
    }
}

/// What one run over everything did.
#[derive(Debug, Default)]
pub struct Summary {
    /// The last report of each mailbox, with the writes and requests of all its passes.
    pub mailboxes: BTreeMap<Address, MailboxSummary>,
    /// Tasks that failed in a way that they never should.
    pub tasks_failed: u32,
    /// Whether mailboxes were not reached, because their side is left alone.
    pub is_partial: bool,
    /// Sources that could not be read.
    pub sources_failed: Vec<(String, SourceError)>,
    /// Events that could not be used, with their sources.
    pub rejections: Vec<(String, Rejection)>,
}

/// What was done in one mailbox.
#[derive(Debug, Default)]
pub struct MailboxSummary {
    /// Items written.
    pub done: Done,
    /// What the last plan held back.
    pub held: usize,
    /// The deletions that wait for another mailbox.
    pub waiting: Waiting,
    /// What the last plan left in quarantine.
    pub quarantined: usize,
    /// What the last plan kept.
    pub kept: usize,
    /// Requests sent.
    pub requests: u64,
    /// Why it did not come to its end.
    pub stop: Option<PassStop>,
}

pub(super) enum TaskEnd {
    Read { source: String, result: Result<SourceRead, SourceError> },
    Pass(Box<PassReport>),
    Routed(Box<Routed>),
    Pruned(Result<(), StateError>),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ReadTurn {
    pub(super) due: Timestamp,
    /// When every mailbox has its turn again, whether the source has changed or not.
    pub(super) regular: Timestamp,
    pub(super) running: bool,
    pub(super) again: bool,
    pub(super) ended_once: bool,
}

impl ReadTurn {
    const fn new(now: Timestamp) -> Self {
        Self { due: now, regular: now, running: false, again: false, ended_once: false }
    }
}

/// What a task is about: should it fail in a way that it never should, this has to go on.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    Source(String),
    Mailbox(Address),
    History,
}

/// The scheduler at work.
pub struct Engine {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) wiring: Arc<Wiring>,
    pub(super) progress: Progress,
    pub(super) heartbeat: Heartbeat,
    pub(super) agenda: Agenda,
    pub(super) catalogue: Catalogue,
    pub(super) tasks: JoinSet<TaskEnd>,
    pub(super) subjects: HashMap<Id, Subject>,
    /// What is known of each side.
    pub(super) sides: BTreeMap<Side, SideState>,
    /// Where mailboxes are.
    pub(super) places: Places,
    /// The sides that those who have their turn may send to.
    pub(super) seats: HashMap<Address, Vec<Side>>,
    /// Sources that were not read once by then are not waited for.
    pub(super) patience_ends: Timestamp,
    pub(super) reads: BTreeMap<String, ReadTurn>,
    pub(super) attempts: HashMap<Address, u32>,
    /// The waits that the state knows of.
    pub(super) noted: BTreeSet<WaitScope>,
    /// When the history is pruned next.
    pub(super) prune_due: Timestamp,
    /// The mailboxes that wait for each to show what is handed over.
    pub(super) waiters: HashMap<Address, BTreeSet<Address>>,
    /// How many passes have ended.
    pub(super) passes_ended: u64,
    /// Which of them was the last to create something in a mailbox.
    pub(super) created_in: HashMap<Address, u64>,
    pub(super) stop: CancellationToken,
    pub(super) changes: mpsc::Receiver<String>,
    pub(super) change_sender: mpsc::Sender<String>,
    pub(super) watchers: CancellationToken,
    pub(super) once: Option<Summary>,
    /// The mailboxes that one run is asked for.
    pub(super) only: Cohort,
    /// What a saved plan expects of each mailbox.
    pub(super) expected: BTreeMap<Address, Arc<Expected>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("sides", &self.sides).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine at rest. `stop` ends it: nothing new is begun, batches in flight are finished.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        wiring: Arc<Wiring>,
        progress: Progress,
        stop: CancellationToken,
    ) -> Self {
        let (change_sender, changes) = mpsc::channel(64);
        Self {
            store,
            clock,
            wiring,
            progress,
            heartbeat: Heartbeat::default(),
            agenda: Agenda::default(),
            catalogue: Catalogue::default(),
            tasks: JoinSet::new(),
            subjects: HashMap::new(),
            sides: BTreeMap::new(),
            places: Places::default(),
            seats: HashMap::new(),
            patience_ends: Timestamp::MAX,
            reads: BTreeMap::new(),
            attempts: HashMap::new(),
            noted: BTreeSet::new(),
            prune_due: Timestamp::MIN,
            waiters: HashMap::new(),
            passes_ended: 0,
            created_in: HashMap::new(),
            stop,
            changes,
            change_sender,
            watchers: CancellationToken::new(),
            once: None,
            only: Cohort::everybody(),
            expected: BTreeMap::new(),
        }
    }

    /// When the loop last turned.
    #[must_use]
    pub fn heartbeat(&self) -> Heartbeat {
        self.heartbeat.clone()
    }

    /// Runs until it is stopped.
    ///
    /// # Errors
    /// When the state cannot be read at the start.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) -> Result<(), StateError> {
        self.begin().await?;
        self.watch();
        let mut open = true;
        while !self.stop.is_cancelled() {
            self.dispatch();
            let wait = self.turn_length();
            let stop = self.stop.clone();
            let clock = Arc::clone(&self.clock);
            // In this order, so that a run can be repeated. What is rare goes first; ends of tasks starve nobody, since every turn
            // begins with what is due.
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                command = commands.recv(), if open => match command {
                    Some(command) => self.obey(command).await,
                    None => open = false,
                },
                Some(source) = self.changes.recv() => self.read_soon(&source),
                Some(end) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => self.ended(end).await,
                () = clock.sleep(wait) => {
                    self.wiring.ways.all().for_each(|way| way.limiter.tidy());
                    self.follow_credentials().await;
                }
            }
        }
        self.watchers.cancel();
        self.tasks_to_the_end().await;
        Ok(())
    }

    /// Reads every source and passes once over every mailbox of `only` that takes part; what fails for the moment is repeated a few
    /// times. Returns early when it is stopped.
    ///
    /// # Errors
    /// When the state cannot be read at the start.
    pub async fn once(&mut self, only: &Cohort) -> Result<Summary, StateError> {
        self.once = Some(Summary::default());
        self.only = only.clone();
        self.begin().await?;
        loop {
            self.dispatch();
            let hopeless = || self.agenda.next_due(|mailbox| self.has_hope(mailbox)).is_none();
            let over = self.stop.is_cancelled() || hopeless();
            let idle = self.tasks.is_empty() && over;
            if idle {
                let is_partial = self.wiring.ways.all().any(|way| way.left_alone.is_some());
                let summary = self.once.take().unwrap_or_default();
                return Ok(Summary { is_partial, ..summary });
            }
            let wait = self.turn_length();
            let stop = self.stop.clone();
            let clock = Arc::clone(&self.clock);
            tokio::select! {
                biased;
                Some(end) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => self.ended(end).await,
                () = stop.cancelled(), if !stop.is_cancelled() => {}
                () = clock.sleep(wait) => {}
            }
        }
    }

    async fn begin(&mut self) -> Result<(), StateError> {
        let now = self.clock.now();
        self.heartbeat.beat(now);
        self.patience_ends = after(now, READ_PATIENCE);
        self.reads = self.wiring.sources.keys().map(|name| (name.clone(), ReadTurn::new(now))).collect();
        let mailboxes = self.store.mailboxes().await?;
        let is_once = self.once.is_some();
        for state in &mailboxes {
            let Some(parked) = &state.parked else { continue };
            // Who runs once by hand wants to try again now, but what the server asked for is waited all the same.
            if !is_once || (parked.asked && self.takes(&state.mailbox)) {
                self.agenda.park(&state.mailbox, Parking { until: parked.until, asked: parked.asked });
            }
            if !is_once {
                self.attempts.insert(state.mailbox.clone(), state.parked_times);
            }
        }
        self.catalogue.know_mailboxes(mailboxes.into_iter().map(|state| state.mailbox));
        for (mailbox, place) in self.store.places().await? {
            self.places.note(&mailbox, place);
        }
        self.places.trust_the_noted();
        self.take_up_waits(now).await
    }

    fn watch(&mut self) {
        self.watchers.cancel();
        self.watchers = CancellationToken::new();
        for (name, source) in &self.wiring.sources {
            let (name, source) = (name.clone(), Arc::clone(source));
            let (changes, watchers) = (self.change_sender.clone(), self.watchers.clone());
            tokio::spawn(async move {
                loop {
                    tokio::select! {
                        biased;
                        () = watchers.cancelled() => return,
                        () = source.changed() => if changes.send(name.clone()).await.is_err() { return },
                    }
                }
            });
        }
    }

    fn read_soon(&mut self, source: &str) {
        let now = self.clock.now();
        if let Some(turn) = self.reads.get_mut(source) {
            turn.due = now;
            turn.again = turn.running;
        }
    }

    async fn obey(&mut self, command: Command) {
        let Command::Replace { wiring, changed } = command;
        let now = self.clock.now();
        if wiring.max_threads != self.wiring.max_threads {
            WorkersResized { from: self.wiring.max_threads as u64, to: wiring.max_threads as u64 }.emit();
        }
        for (before, way) in self.wiring.ways.all().filter_map(|before| Some((before, wiring.ways.to(before.side)?))) {
            if let Some(left) = before.limiter.paused_for() {
                way.limiter.pause(left);
            }
        }
        let new: Vec<Side> = wiring.ways.sides().filter(|side| self.wiring.ways.to(*side).is_none()).collect();
        let was_hybrid = self.wiring.ways.is_hybrid();
        self.wiring = wiring;
        self.forget_sides().await;
        self.take_up_sides(&new, now).await;
        if !was_hybrid {
            self.places.trust_the_noted();
        }
        self.patience_ends = after(now, READ_PATIENCE);
        for side in changed {
            self.try_credential(side, now).await;
        }
        let before = std::mem::take(&mut self.reads);
        for name in self.wiring.sources.keys() {
            let turn = before.get(name).copied();
            let turn = turn.unwrap_or(ReadTurn::new(now));
            self.reads.insert(name.clone(), ReadTurn { due: now, regular: now, again: turn.running, ..turn });
        }
        self.catalogue.keep_sources(&self.wiring.sources.keys().cloned().collect());
        self.forget_sources().await;
        self.watch();
    }

    /// Carries out a saved plan where nothing has moved since, mailbox by mailbox; see [`Self::once`].
    ///
    /// # Errors
    /// When the state cannot be read at the start.
    pub async fn once_as_saved(&mut self, saved: &SavedPlan) -> Result<Summary, StateError> {
        self.expected = saved
            .mailboxes
            .iter()
            .map(|(mailbox, stamp)| (mailbox.clone(), Arc::new(Expected::new(stamp.clone()))))
            .collect();
        self.once(&Cohort::only(saved.mailboxes.keys().cloned().collect(), Share::NOTHING)).await
    }

    /// Whether a mailbox has turns: it takes part in the roll-out, and in this run.
    pub(super) fn takes(&self, mailbox: &Address) -> bool {
        self.wiring.rollout.contains(mailbox) && self.only.contains(mailbox)
    }

    /// Begins whatever is due and has room.
    fn dispatch(&mut self) {
        let now = self.clock.now();
        self.heartbeat.beat(now);
        if self.stop.is_cancelled() {
            return;
        }
        self.start_pruning(now);
        self.start_reads(now);
        while self.may_begin(now) {
            let next = self.agenda.next(now, |mailbox| self.has_room(mailbox, now));
            let Some(mailbox) = next else { return };
            self.agenda.start(&mailbox);
            if !self.takes(&mailbox) {
                // It was due before a reload took it out.
                self.agenda.finish(&mailbox);
                continue;
            }
            self.sit_down(&mailbox);
            let subject = Subject::Mailbox(mailbox.clone());
            let Some(way) = self.way(&mailbox) else {
                let task = self.route(mailbox);
                self.subjects.insert(task, subject);
                continue;
            };
            let pass = Pass {
                wiring: Arc::clone(&self.wiring),
                noted: self.places.noted(&mailbox),
                epoch: self.side(way.side).epoch,
                way,
                store: self.store.clone(),
                clock: Arc::clone(&self.clock),
                stop: self.stop.clone(),
                progress: self.progress.clone(),
                desired: self.catalogue.desired(&mailbox),
                view: self.catalogue.view(),
                expected: self.expected.get(&mailbox).cloned(),
                mailbox,
                began: self.passes_ended,
            };
            let task = self.tasks.spawn(async move { TaskEnd::Pass(Box::new(pass.run().await)) });
            self.subjects.insert(task.id(), subject);
        }
    }

    /// Whether one more mailbox may have its turn now. The first turns come when every source was read, or after a while without
    /// those that take long: what was not read deletes nothing.
    fn may_begin(&self, now: Timestamp) -> bool {
        let read_all = self.reads.values().all(|turn| turn.ended_once);
        let may_start = read_all || now >= self.patience_ends;
        may_start && self.running() < self.wiring.max_threads && self.has_any_room(now)
    }

    fn start_reads(&mut self, now: Timestamp) {
        for (name, turn) in &mut self.reads {
            if turn.running || turn.due > now {
                continue;
            }
            let Some(source) = self.wiring.sources.get(name).map(Arc::clone) else { continue };
            turn.running = true;
            turn.again = false;
            let subject = Subject::Source(name.clone());
            let name = name.clone();
            let task = self.tasks.spawn(async move { TaskEnd::Read { result: source.read().await, source: name } });
            self.subjects.insert(task.id(), subject);
        }
    }

    /// How long the loop may rest when nothing happens.
    fn turn_length(&self) -> Duration {
        let now = self.clock.now();
        let read = self.reads.values().filter(|turn| !turn.running).map(|turn| turn.due).min();
        let has_room = |mailbox: &Address| self.has_room(mailbox, now);
        let pass = if self.may_begin(now) { self.agenda.next_due(has_room) } else { None };
        let until = |at: Timestamp| Duration::try_from(at.duration_since(now)).unwrap_or_default();
        let pauses = self.wiring.ways.all().filter_map(|way| way.limiter.paused_for());
        let due = read.into_iter().chain(pass).map(until).chain(pauses).min().unwrap_or(TURN_MAX);
        due.clamp(Duration::from_millis(1), TURN_MAX)
    }

    /// Waits for the passes in flight; a source that is still being read is left alone.
    async fn tasks_to_the_end(&mut self) {
        while self.subjects.values().any(|subject| matches!(subject, Subject::Mailbox(_))) {
            let Some(end) = self.tasks.join_next_with_id().await else { return };
            self.ended(end).await;
        }
        self.tasks.abort_all();
    }
}
