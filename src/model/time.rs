//! When an event takes place: wall times in a zone, or dates.

use jiff::{Timestamp, civil};

use super::zone::Zone;

/// When an event takes place. Never an offset alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTime {
    /// From one wall time to another, both in `zone`.
    Timed {
        /// The wall time at which it starts.
        start: civil::DateTime,
        /// The wall time at which it ends, exclusive.
        end: civil::DateTime,
        /// The zone of both.
        zone: Zone,
    },
    /// Whole days.
    AllDay {
        /// The first day.
        first: civil::Date,
        /// The last day, inclusive.
        last: civil::Date,
        /// The zone of the calendar in which the days begin and end.
        zone: Zone,
    },
}

impl EventTime {
    /// The zone in which the times or dates are meant.
    #[must_use]
    pub const fn zone(&self) -> &Zone {
        match self {
            Self::Timed { zone, .. } | Self::AllDay { zone, .. } => zone,
        }
    }

    /// Whether it is given in whole days.
    #[must_use]
    pub const fn is_all_day(&self) -> bool {
        matches!(self, Self::AllDay { .. })
    }

    /// The wall time at which it starts; midnight for whole days.
    #[must_use]
    pub fn start(&self) -> civil::DateTime {
        match self {
            Self::Timed { start, .. } => *start,
            Self::AllDay { first, .. } => first.at(0, 0, 0, 0),
        }
    }

    /// The wall time at which it ends, exclusive; midnight after the last day for whole days.
    #[must_use]
    pub fn end(&self) -> civil::DateTime {
        match self {
            Self::Timed { end, .. } => *end,
            Self::AllDay { last, .. } => last.tomorrow().unwrap_or(*last).at(0, 0, 0, 0),
        }
    }

    /// The same times of the day, from another day on.
    #[must_use]
    pub fn on(&self, day: civil::Date) -> Self {
        match self {
            Self::Timed { start: first, end: last, zone } => {
                let start = day.to_datetime(first.time());
                let end = start.checked_add(first.duration_until(*last)).unwrap_or(start);
                Self::Timed { start, end, zone: zone.clone() }
            }
            Self::AllDay { first, last, zone } => {
                let last = day.checked_add(first.duration_until(*last)).unwrap_or(day);
                Self::AllDay { first: day, last, zone: zone.clone() }
            }
        }
    }

    /// The instant at which it starts.
    #[must_use]
    pub fn start_instant(&self) -> Timestamp {
        self.zone().instant(self.start())
    }

    /// The instant at which it ends, exclusive.
    #[must_use]
    pub fn end_instant(&self) -> Timestamp {
        self.zone().instant(self.end())
    }
}
