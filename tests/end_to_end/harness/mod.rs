//! What every scenario stands on.

mod calendar;
mod config;
mod daemon;
mod events;
mod program;
mod schema;
mod silence;
mod wait;
mod world;

pub(crate) use self::{
    config::Config,
    daemon::Daemon,
    events::{appointment, day, many, on, series},
    program::{Ended, KilledOnDrop, program},
    schema::assert_valid,
    wait::eventually,
    world::{Face, SECRET, WRONG, WRONG_TOO, World},
};
