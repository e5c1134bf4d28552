//! Composition: from settings to a running engine, its signals, its reloads and its stop.

mod access;
mod expiry;
mod notify;
mod run;
mod signals;
mod wiring;

pub use access::{AccessStep, Failure, StepResult, Wanted, test_access};
pub use run::{RunError, form, level, run};
pub use signals::stop_signal;
pub use wiring::{WiringError, wire};
