//! The span of time that a job looks at.

use jiff::Timestamp;

use super::time::EventTime;

/// From `start` (inclusive) to `end` (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after.
    pub end: Timestamp,
}

impl Window {
    /// Whether an event that spans `time` touches the window.
    #[must_use]
    pub fn touches(&self, time: &EventTime) -> bool {
        let (start, end) = (time.start_instant(), time.end_instant());
        start < self.end && (end > self.start || start >= self.start)
    }
}
