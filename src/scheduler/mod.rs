//! When, how fast and in which order: sources are read, mailboxes get their turn, waits are kept.

mod adopt;
mod agenda;
mod apply;
mod backoff;
mod brake;
mod calendar;
mod catalogue;
mod copies;
mod day;
mod echoes;
mod ends;
mod engine;
mod expected;
mod explain;
mod hand_over;
mod history;
mod left_out;
mod limiter;
mod look;
mod notes;
mod outcomes;
mod outside;
mod pass;
mod planning;
mod progress;
mod purge;
mod readings;
mod recovery;
mod relocation;
mod route;
mod sides;
mod turns;
mod view;
mod waits;
mod ways;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

pub use adopt::{Adoptions, Owners};
pub use calendar::{Choice as CalendarChoice, Known as KnownCalendar, choose as choose_calendar, refuse_a_change};
pub use day::{Day, DayError, OnDay, day};
pub use engine::{Command, Engine, Heartbeat, MailboxSummary, Summary};
pub use explain::{Explanation, InMailbox, JobWord, SourceWord, explain};
pub use hand_over::Waiting;
pub use limiter::Limiter;
pub use look::{Looked, Plans, mailboxes, plans};
pub use pass::{Done, PassReport, PassStop};
pub use progress::{Progress, ProgressEvent};
pub use purge::Purge;
pub use route::{OfSide, place as place_of};
pub use ways::{Calendars, Way, Ways};

use crate::{
    model::cohort::Cohort,
    plan::Policy,
    settings::{Brake, Job, Limits, NamedCalendar},
    sources::Source,
};

/// Everything that an engine runs on; replaced as a whole when the settings change. A pass in flight keeps what it has.
#[derive(Debug)]
pub struct Wiring {
    /// The ways to Outlook.
    pub ways: Ways,
    /// The sources by their names.
    pub sources: BTreeMap<String, Arc<dyn Source>>,
    /// The jobs by their names.
    pub jobs: BTreeMap<String, Job>,
    /// The mailboxes that take part; the others are left as they are.
    pub rollout: Cohort,
    /// The brake on deletions.
    pub brake: Brake,
    /// Limits and intervals.
    pub limits: Limits,
    /// Mailboxes at the same time.
    pub max_threads: usize,
    /// Events that were over this many days ago are frozen.
    pub freeze_days: u16,
    /// How long the history is kept.
    pub keep_history: Duration,
    /// The calendar that is written to; `None` for the default one of each mailbox.
    pub calendar: Option<NamedCalendar>,
}

impl Wiring {
    /// The rules that plans follow.
    fn policy(&self, now: Timestamp) -> Policy {
        let age = SignedDuration::from_hours(24 * i64::from(self.freeze_days));
        Policy {
            brake_share_percent: self.brake.share_percent,
            brake_number: self.brake.number,
            frozen_before: now.checked_sub(age).unwrap_or(Timestamp::MIN),
        }
    }
}
