//! Waiting for a condition, with a deadline.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long anything may take: generous, since the machine may be busy.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(5);

/// What `condition` gives once it gives something.
pub(crate) fn eventually<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    within_deadline(condition).unwrap_or_else(|| panic!("{what}: not within {DEADLINE:?}"))
}

/// What `condition` gives before the deadline.
pub(crate) fn within_deadline<T>(mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if started.elapsed() >= DEADLINE {
            return None;
        }
        thread::sleep(POLL);
    }
}
