//! What the engine knows of each side: whether its server takes our credential, and whether it is to be left alone.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::task::Id;
use tokio_util::sync::CancellationToken;

use super::{
    Way, Wiring,
    engine::{Engine, TaskEnd},
    pass::{PassReport, PassStop},
    route::ask,
    turns::Credential,
};
use crate::{
    auth::Mark,
    model::{address::Address, side::Side},
    state::MailboxPlace,
};

/// What is known of a side.
#[derive(Debug, Default)]
pub(super) struct SideState {
    /// Counts the credentials: what a pass with an older one says of it does not count.
    pub(super) epoch: u32,
    pub(super) credential: Credential,
    /// What the files of a refused credential said.
    pub(super) refused: Option<Mark>,
    pub(super) server_attempts: u32,
    /// Whether one run in the foreground has no hope left here.
    pub(super) given_up: bool,
}

/// Where mailboxes are.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Where they live, as far as their side has not said otherwise since.
    lives: HashMap<Address, Side>,
    /// Where their links were written.
    noted: HashMap<Address, MailboxPlace>,
}

impl Places {
    pub(super) fn lives(&self, mailbox: &Address) -> Option<Side> {
        self.lives.get(mailbox).copied()
    }

    pub(super) fn noted(&self, mailbox: &Address) -> Option<MailboxPlace> {
        self.noted.get(mailbox).copied()
    }

    /// It lives there.
    pub(super) fn found(&mut self, mailbox: &Address, side: Side) {
        self.lives.insert(mailbox.clone(), side);
    }

    /// It does not live where it did: both sides have to be asked.
    pub(super) fn lost(&mut self, mailbox: &Address) {
        self.lives.remove(mailbox);
    }

    /// Its links are those of a place.
    pub(super) fn note(&mut self, mailbox: &Address, place: MailboxPlace) {
        self.noted.insert(mailbox.clone(), place);
    }

    /// What is noted holds, where both sides were asked once; of the others nobody knows.
    pub(super) fn trust_the_noted(&mut self) {
        let asked = self.noted.iter().filter(|(_, place)| place.asked);
        self.lives = asked.map(|(mailbox, place)| (mailbox.clone(), place.side)).collect();
    }
}

impl Engine {
    /// What is known of a side.
    pub(super) fn side(&mut self, side: Side) -> &mut SideState {
        self.sides.entry(side).or_default()
    }

    /// The sides where a mailbox may have its turn: its own, or both while nobody knows.
    fn sides_of(&self, mailbox: &Address) -> impl Iterator<Item = Side> {
        self.wiring.ways.possible(self.places.lives(mailbox))
    }

    /// Whether a mailbox may have its turn now.
    pub(super) fn has_room(&self, mailbox: &Address, now: Timestamp) -> bool {
        self.sides_of(mailbox).all(|side| self.side_has_room(side, now))
    }

    /// Whether anybody may have a turn now.
    pub(super) fn has_any_room(&self, now: Timestamp) -> bool {
        self.wiring.ways.sides().any(|side| self.side_has_room(side, now))
    }

    fn side_has_room(&self, side: Side, now: Timestamp) -> bool {
        let way = self.wiring.ways.to(side);
        let is_closed = way.is_none_or(|way| way.left_alone.is_some() || way.limiter.paused_for().is_some());
        let (credential, given_up) =
            self.sides.get(&side).map_or_else(Default::default, |state| (state.credential, state.given_up));
        !is_closed && !given_up && self.running_on(side) < credential.turns(self.wiring.max_threads, now)
    }

    fn running_on(&self, side: Side) -> usize {
        self.seats.values().filter(|sides| sides.contains(&side)).count()
    }

    /// How many have their turn. Whoever waits until a server may be asked again takes it from nobody of the other side.
    pub(super) fn running(&self) -> usize {
        let is_paused = |side: &Side| self.wiring.ways.to(*side).is_some_and(|way| way.limiter.paused_for().is_some());
        let waits = |sides: &&Vec<Side>| self.wiring.ways.is_hybrid() && sides.iter().any(is_paused);
        self.seats.values().filter(|sides| !waits(sides)).count()
    }

    /// Whether one run in the foreground may still reach a mailbox.
    pub(super) fn has_hope(&self, mailbox: &Address) -> bool {
        self.sides_of(mailbox).all(|side| {
            let is_left_alone = self.wiring.ways.to(side).is_none_or(|way| way.left_alone.is_some());
            !is_left_alone && self.sides.get(&side).is_none_or(|state| !state.given_up)
        })
    }

    /// The way to a mailbox; `None` while both sides have to be asked.
    pub(super) fn way(&self, mailbox: &Address) -> Option<Arc<Way>> {
        let mut sides = self.sides_of(mailbox);
        match (sides.next(), sides.next()) {
            (Some(only), None) => self.wiring.ways.to(only).cloned(),
            _ => None,
        }
    }

    /// Takes its turn back.
    pub(super) fn stand_up(&mut self, mailbox: &Address) {
        self.agenda.finish(mailbox);
        self.seats.remove(mailbox);
    }

    /// Begins to ask both sides for a mailbox.
    pub(super) fn route(&mut self, mailbox: Address) -> Id {
        let (wiring, stop, now) = (Arc::clone(&self.wiring), self.stop.clone(), self.clock.now());
        let before = self.places.noted(&mailbox).map(|place| place.side);
        let epochs = self.sides.iter().map(|(side, state)| (*side, state.epoch)).collect();
        let task = self
            .tasks
            .spawn(async move { TaskEnd::Routed(Box::new(routed(&wiring, mailbox, before, epochs, stop, now).await)) });
        task.id()
    }

    /// What became of asking: its turn on that side, or what follows a pass that is stopped by the same fault.
    pub(super) async fn routed(&mut self, routed: Routed) {
        let Routed { mailbox, found, answered, epochs, requests, began } = routed;
        let epoch_of = |side: Side| epochs.get(&side).copied().unwrap_or_default();
        for side in answered {
            self.prove(side, epoch_of(side)).await;
        }
        match found {
            Ok(side) => {
                self.stand_up(&mailbox);
                self.places.found(&mailbox, side);
                self.agenda.bring_forward(&mailbox, self.clock.now());
                if let Some(summary) = &mut self.once {
                    summary.mailboxes.entry(mailbox).or_default().requests += requests;
                }
            }
            Err((side, stop)) => {
                let report = PassReport {
                    epoch: epoch_of(side),
                    requests,
                    began: self.passes_ended,
                    elapsed: Duration::try_from(self.clock.now().duration_since(began)).unwrap_or_default(),
                    ..PassReport::stopped(mailbox, side, stop)
                };
                self.pass_ended(report).await;
            }
        }
    }

    /// Takes a seat on every side that the turn of a mailbox may send to.
    pub(super) fn sit_down(&mut self, mailbox: &Address) {
        let sides = self.sides_of(mailbox).collect();
        self.seats.insert(mailbox.clone(), sides);
    }
}

/// What became of asking both sides for a mailbox.
#[derive(Debug)]
pub(super) struct Routed {
    mailbox: Address,
    found: Result<Side, (Side, PassStop)>,
    /// The sides that took our credential.
    answered: Vec<Side>,
    /// Which credentials they were, in the engine's count.
    epochs: BTreeMap<Side, u32>,
    requests: u64,
    began: Timestamp,
}

async fn routed(
    wiring: &Wiring,
    mailbox: Address,
    before: Option<Side>,
    epochs: BTreeMap<Side, u32>,
    stop: CancellationToken,
    began: Timestamp,
) -> Routed {
    // Nothing is written: what is in flight may be dropped.
    let asked = tokio::select! {
        biased;
        asked = ask(&wiring.ways, &mailbox, before) => Some(asked),
        () = stop.cancelled() => None,
    };
    let requests = wiring.ways.all().map(|way| way.limiter.take_requests(&mailbox)).sum();
    let (found, answered) = match asked {
        Some(asked) => (asked.found.map_err(|(side, fault)| (side, fault.into())), asked.answered),
        None => (Err((before.unwrap_or(Side::Graph), PassStop::Stopped)), Vec::new()),
    };
    Routed { mailbox, found, answered, epochs, requests, began }
}
