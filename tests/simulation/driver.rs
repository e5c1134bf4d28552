//! Chooses, by the seed, what happens next, and lets it happen.

use std::{collections::BTreeSet, time::Duration};

use calsyncd::{
    http::TransportError,
    model::hold::Verdict,
    sandbox::{Fault, FaultKind},
    state::Decision,
};

use crate::{
    erp::Reading,
    monitor::{Touch, key_of, touches},
    wire::{Sent, broken, unreadable},
    world::{Late, Slow, World},
};

/// For so long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(75);
/// Until then what was on its way has arrived, or never will.
const LATEST: Duration = Duration::from_mins(5);

/// How badly things go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// Of a thousand requests, so many meet a fault.
    pub(crate) faults: u32,
    /// Of a thousand steps, so many are acts of people.
    pub(crate) acts: u32,
}

pub(crate) const CALM: Weather = Weather { faults: 0, acts: 0 };

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    RequestLost,
    AnswerLost,
    Unreachable,
    Refused(FaultKind),
    /// The client hears nothing, and the request arrives later.
    Late,
    SlowAnswer,
    CrashBefore,
    CrashAfter,
}

const REFUSALS: [FaultKind; 9] = [
    FaultKind::Http503,
    FaultKind::Http500,
    FaultKind::Http429,
    FaultKind::Batch429,
    FaultKind::ServerBusy,
    FaultKind::Unauthorized,
    FaultKind::TokenRevoked,
    FaultKind::MailboxMoved,
    FaultKind::DropAnswerAfterCommit,
];

impl World {
    /// One step: waits until nothing moves, and lets one thing happen.
    pub(crate) async fn step(&mut self, weather: Weather) -> Result<(), String> {
        self.quiet.wait().await;
        if let Some(running) = &self.running
            && running.handle.is_finished()
        {
            return Err("the engine has ended by itself".to_owned());
        }
        self.arrive().await?;
        if self.rng.u32(0..1000) < weather.acts {
            return self.act().await;
        }
        let (requests, reads) = (self.wire.requests(), self.wire.reads());
        if requests + reads == 0 || (weather.faults > 0 && self.rng.u32(0..100) < 3) {
            self.pass_time(weather, requests > 0);
            return Ok(());
        }
        let place = self.rng.usize(0..requests + reads);
        if place >= requests {
            self.answer_read(weather);
            return Ok(());
        }
        let sent = self.wire.take_request(place);
        let fate = self.fate(weather, &sent);
        self.meet(sent, fate).await
    }

    /// Lets everything arrive whose time has come.
    async fn arrive(&mut self) -> Result<(), String> {
        let passed = self.clock.passed();
        while let Some(place) = self.late.iter().position(|late| late.at <= passed) {
            let Late { moves, sent, .. } = self.late.remove(place);
            // A mailbox does not move there and back within the time that a request may take.
            let is_lost = self.moves(&sent.mailbox) > moves + 1;
            self.trace.line(format!(
                "late: {} {}{}",
                sent.mailbox,
                sent.operation,
                if is_lost { ", lost" } else { "" }
            ));
            if !is_lost {
                let _ = self.carry_out(&sent).await?;
            }
        }
        while let Some(place) = self.slow.iter().position(|slow| slow.at <= passed) {
            let Slow { sent, answer, .. } = self.slow.remove(place);
            self.trace.line(format!("slow answer: {} {}", sent.mailbox, sent.operation));
            self.hear(sent, answer);
        }
        Ok(())
    }

    /// Lets everything arrive that is still on its way.
    pub(crate) async fn settle_wire(&mut self) -> Result<(), String> {
        for late in &mut self.late {
            late.at = Duration::ZERO;
        }
        for slow in &mut self.slow {
            slow.at = Duration::ZERO;
        }
        self.arrive().await
    }

    fn pass_time(&mut self, weather: Weather, in_flight: bool) {
        let next = self.clock.next().unwrap_or(Duration::from_secs(60));
        let longer = match (weather.faults, in_flight) {
            // Who waits for an answer does not wait for ever.
            (_, true) => Duration::from_secs(self.rng.u64(0..20)),
            (0, false) => Duration::from_mins(self.rng.u64(20..70)),
            (_, false) if self.rng.bool() => Duration::from_secs(self.rng.u64(0..30)),
            (_, false) => Duration::from_mins(self.rng.u64(0..90)),
        };
        let arrivals = self.late.iter().map(|late| late.at).chain(self.slow.iter().map(|slow| slow.at));
        let passed = self.clock.passed();
        let first = arrivals.map(|at| at.saturating_sub(passed)).min();
        // Sleeping longer than asked is what a busy machine does.
        let time = (next + longer).min(first.unwrap_or(Duration::MAX));
        self.clock.pass(time);
    }

    fn answer_read(&mut self, weather: Weather) {
        let reading = match self.rng.u32(0..1000) < weather.faults {
            false => Some(Reading::Whole),
            true => match self.rng.u32(0..6) {
                0 => Some(Reading::Incomplete),
                1 => Some(Reading::Halved),
                2 => Some(Reading::Empty),
                3 => Some(Reading::WithoutPerson(self.rng.usize(0..self.erp.mailboxes.len()))),
                _ => None,
            },
        };
        self.tell(reading);
    }

    /// Answers a read of the source; none for a source that is away.
    pub(crate) fn tell(&mut self, reading: Option<Reading>) {
        let answer = self.wire.take_read();
        let Some(reading) = reading else {
            self.trace.line("source: away".to_owned());
            let _ = answer.send(Err(unreadable()));
            return;
        };
        let read = self.erp.read(reading);
        self.trace.line(format!("source: {reading:?}, {} events", read.events.len()));
        if reading != Reading::Incomplete {
            let id = |key: &str| key.rsplit('/').next().and_then(|id| id.parse().ok());
            let told: BTreeSet<u32> = read.events.iter().filter_map(|event| id(event.key.as_str())).collect();
            self.note_read(&told);
        }
        let _ = answer.send(Ok(read));
    }

    fn fate(&mut self, weather: Weather, sent: &Sent) -> Fate {
        if self.rng.u32(0..1000) >= weather.faults {
            return Fate::Answered;
        }
        match self.rng.u32(0..12) {
            0 => Fate::RequestLost,
            1 | 2 => Fate::AnswerLost,
            3 => Fate::Unreachable,
            4 | 5 if can_be_late(sent) => Fate::Late,
            4 | 5 => Fate::AnswerLost,
            6 => Fate::SlowAnswer,
            7 => Fate::CrashBefore,
            8 => Fate::CrashAfter,
            _ => Fate::Refused(REFUSALS[self.rng.usize(0..REFUSALS.len())]),
        }
    }

    async fn meet(&mut self, sent: Sent, fate: Fate) -> Result<(), String> {
        let writes = self.writes;
        let passed = self.clock.passed();
        if fate != Fate::Answered {
            self.doubt(&sent)?;
        }
        let mut line = format!("{} {}: {fate:?}", sent.mailbox, sent.operation);
        match fate {
            Fate::Answered => {
                let answer = self.carry_out(&sent).await?;
                line = format!("{line} {}", told(&answer));
                self.hear(sent, answer);
            }
            Fate::RequestLost => drop(sent.answer.send(Err(broken()))),
            Fate::AnswerLost => {
                let _ = self.carry_out(&sent).await?;
                let _ = sent.answer.send(Err(broken()));
            }
            Fate::Unreachable => {
                let error = TransportError::Unreachable { host: "sandbox".to_owned(), cause: "no route".to_owned() };
                let _ = sent.answer.send(Err(error));
            }
            Fate::Refused(kind) => {
                let wait = [None, Some(0.0), Some(2.128), Some(30.0), Some(900.0)][self.rng.usize(0..5)];
                self.sandbox.inject(Fault { times: 1, retry_after_s: wait, ..Fault::new(kind) });
                let answer = self.carry_out(&sent).await?;
                self.sandbox.calm();
                line = format!("{line} {}", told(&answer));
                self.hear(sent, answer);
            }
            Fate::Late => {
                let at = passed + Duration::from_secs(self.rng.u64(1..LATEST.as_secs()));
                let Sent { mailbox, operation, number, request, answer } = sent;
                let _ = answer.send(Err(broken()));
                let (answer, _) = tokio::sync::oneshot::channel();
                let moves = self.moves(&mailbox);
                self.late.push(Late { at, moves, sent: Sent { mailbox, operation, number, request, answer } });
            }
            Fate::SlowAnswer => {
                let answer = self.carry_out(&sent).await?;
                let at = passed + Duration::from_secs(self.rng.u64(1..PATIENCE.as_secs()));
                self.slow.push(Slow { at, sent, answer });
            }
            Fate::CrashBefore => {
                self.trace.line(std::mem::take(&mut line));
                self.crash_and_begin().await?;
            }
            Fate::CrashAfter => {
                self.trace.line(std::mem::take(&mut line));
                let _ = self.carry_out(&sent).await?;
                self.crash_and_begin().await?;
            }
        }
        if !line.is_empty() {
            self.trace.line(format!("{line} [{} writes]", self.writes - writes));
        }
        Ok(())
    }

    /// Notes what a request would write whose end nobody hears of.
    fn doubt(&mut self, sent: &Sent) -> Result<(), String> {
        for touch in touches(&self.sandbox, sent)? {
            let key = match touch {
                Touch::Create(key) => key,
                Touch::Update(entry) | Touch::Delete(entry) => key_of(&entry).unwrap_or_default(),
            };
            self.doubtful.insert((sent.mailbox.clone(), key));
        }
        Ok(())
    }

    /// A crash: of what is in flight some reaches the server, and nobody hears the answer.
    pub(crate) async fn crash_and_begin(&mut self) -> Result<(), String> {
        self.crash_only().await?;
        self.begin().await;
        Ok(())
    }

    pub(crate) async fn crash_only(&mut self) -> Result<(), String> {
        for mailbox in self.erp.mailboxes.clone() {
            let intents = self.store().intents(&mailbox).await.map_err(|error| error.to_string())?;
            let place = |key: &str| (mailbox.as_str().to_owned(), key.to_owned());
            self.doubtful.extend(intents.iter().map(|intent| place(intent.key.as_str())));
        }
        self.crash().await;
        self.slow.clear();
        for sent in self.wire.take_all() {
            if self.rng.bool() {
                let _ = self.carry_out(&sent).await?;
            }
        }
        Ok(())
    }

    /// An operator decides about everything that is held.
    pub(crate) async fn decide(&mut self, verdict: Verdict) -> Result<usize, String> {
        let store = self.store().clone();
        let holds = store.holds(None).await.map_err(|error| error.to_string())?;
        let all: Vec<_> = holds.iter().collect();
        let decision = Decision { verdict, by: "an operator".to_owned(), at: self.now() };
        store.decide_holds(&all, &decision).await.map_err(|error| error.to_string())?;
        if verdict == Verdict::Approved {
            store.accept_source_counts(None).await.map_err(|error| error.to_string())?;
        }
        Ok(holds.len())
    }
}

/// A create of EWS has nothing by which a server could know it again.
fn can_be_late(sent: &Sent) -> bool {
    sent.operation != "CreateItem"
}

fn told(answer: &Result<calsyncd::http::Response, TransportError>) -> String {
    match answer {
        Ok(response) => response.status.to_string(),
        Err(_) => "broken".to_owned(),
    }
}
