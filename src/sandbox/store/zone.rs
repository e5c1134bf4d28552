//! Time zones under their Windows ids.

use std::fmt;

use jiff::{Timestamp, civil, tz::TimeZone};
use windows_timezones::WindowsTimezone;

use super::error::StoreError;

/// A time zone that Windows knows.
#[derive(Clone)]
pub struct Zone {
    windows: WindowsTimezone,
    rules: TimeZone,
}

impl Zone {
    /// The zone of a Windows id such as `Romance Standard Time`.
    ///
    /// # Errors
    /// [`StoreError::UnknownZone`].
    pub fn windows(id: &str) -> Result<Self, StoreError> {
        let id = if id == "tzone://Microsoft/Utc" { "UTC" } else { id };
        let windows: WindowsTimezone = id.parse().map_err(|_| StoreError::UnknownZone(id.to_owned()))?;
        Self::of(windows).ok_or_else(|| StoreError::UnknownZone(id.to_owned()))
    }

    /// The zone of an IANA name such as `Europe/Paris`, old or new spelling.
    ///
    /// # Errors
    /// [`StoreError::UnknownZone`].
    pub fn iana(name: &str) -> Result<Self, StoreError> {
        let fault = || StoreError::UnknownZone(name.to_owned());
        let zone: chrono_tz::Tz = name.parse().map_err(|_| fault())?;
        let windows = WindowsTimezone::try_from(zone).map_err(|_| fault())?;
        Self::of(windows).ok_or_else(fault)
    }

    /// The zone without rules.
    #[must_use]
    pub fn utc() -> Self {
        Self { windows: WindowsTimezone::Utc, rules: TimeZone::UTC }
    }

    /// Every zone, in the order of their ids.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut names: Vec<&'static str> = chrono_tz::TZ_VARIANTS
            .iter()
            .filter_map(|zone| WindowsTimezone::try_from(*zone).ok())
            .map(|zone| zone.name())
            .collect();
        names.push("UTC");
        names.sort_unstable();
        names.dedup();
        names.into_iter().filter_map(|name| Self::windows(name).ok()).collect()
    }

    fn of(windows: WindowsTimezone) -> Option<Self> {
        let rules = TimeZone::get(windows.tzdb_id()).ok()?;
        Some(Self { windows, rules })
    }

    /// The Windows id.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.windows.name()
    }

    /// The name that Windows shows, such as `(UTC+01:00) Brussels, Copenhagen, Madrid, Paris`.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.windows.description()
    }

    /// The rules of the zone.
    #[must_use]
    pub const fn rules(&self) -> &TimeZone {
        &self.rules
    }

    /// The instant of a wall time. One that the spring change skips is moved forward; one that the autumn change repeats is
    /// the first.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`].
    pub fn instant(&self, wall: civil::DateTime) -> Result<Timestamp, StoreError> {
        self.rules.to_ambiguous_timestamp(wall).compatible().map_err(|_| StoreError::OutOfRange)
    }

    /// The wall time of an instant.
    #[must_use]
    pub fn wall(&self, instant: Timestamp) -> civil::DateTime {
        self.rules.to_datetime(instant)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Zone({})", self.id())
    }
}
