//! Time zones under their IANA names, and their Windows names.

use std::{fmt, hash};

use jiff::{
    Timestamp, civil,
    tz::{TimeZone, TimeZoneDatabase},
};
use windows_timezones::WindowsTimezone;

use super::zone_names::{LINKS, RENAMED};

/// A time zone that both the IANA database and Windows know. Two spellings of one zone are equal.
#[derive(Clone)]
pub struct Zone {
    iana: &'static str,
    windows: &'static str,
    rules: TimeZone,
}

/// Why a text is not a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// Neither database knows the name.
    #[error("unknown time zone {0:?}")]
    Unknown(String),
    /// The IANA database knows it, Windows and so Outlook do not.
    #[error("time zone {0:?} has no Windows twin, so Outlook cannot be told of it")]
    NoWindowsTwin(String),
}

impl Zone {
    /// Reads an IANA name (old or new spelling, in any case), a Windows name (`Romance Standard Time`), a Windows display
    /// name (`(UTC+01:00) Brussels, Copenhagen, Madrid, Paris`), or `Z`.
    ///
    /// # Errors
    /// When neither database knows the name, or the zone has no Windows twin: a zone is never guessed.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        let trimmed = name.trim();
        let fault = || ZoneError::Unknown(name.to_owned());
        let windows: Option<WindowsTimezone> = trimmed.parse().ok().or_else(|| by_display_name(trimmed));
        if let Some(windows) = windows {
            let iana = canonical(windows.tzdb_id()).unwrap_or(windows.tzdb_id());
            return Self::from_names(iana, windows.name()).ok_or_else(fault);
        }
        let iana = match canonical(trimmed) {
            Some(iana) => iana,
            None => spelling(trimmed).ok_or_else(fault)?,
        };
        let known_to_cldr = RENAMED.iter().find(|(ours, _)| *ours == iana).map_or(iana, |(_, theirs)| theirs);
        let zone: chrono_tz::Tz = known_to_cldr.parse().map_err(|_| fault())?;
        let windows = WindowsTimezone::try_from(zone).map_err(|_| ZoneError::NoWindowsTwin(name.to_owned()))?;
        Self::from_names(iana, windows.name()).ok_or_else(fault)
    }

    /// A zone of known names; `None` when no database has its rules.
    fn from_names(iana: &'static str, windows: &'static str) -> Option<Self> {
        Some(Self { iana, windows, rules: rules(iana)? })
    }

    /// The zone without rules.
    #[must_use]
    pub const fn utc() -> Self {
        Self { iana: "Etc/UTC", windows: "UTC", rules: TimeZone::UTC }
    }

    /// The IANA name in its present spelling, such as `Europe/Paris`.
    #[must_use]
    pub const fn iana(&self) -> &str {
        self.iana
    }

    /// The Windows name, such as `Romance Standard Time`: what EWS and Graph are told.
    #[must_use]
    pub const fn windows(&self) -> &'static str {
        self.windows
    }

    /// The rules of the zone.
    #[must_use]
    pub const fn rules(&self) -> &TimeZone {
        &self.rules
    }

    /// The instant of a wall time. A wall time that the spring change skips is moved forward by the gap; one that the
    /// autumn change repeats is the first (RFC 5545 §3.3.5).
    #[must_use]
    pub fn instant(&self, wall: civil::DateTime) -> Timestamp {
        self.rules.to_ambiguous_timestamp(wall).compatible().unwrap_or(if wall.year() > 2000 {
            Timestamp::MAX
        } else {
            Timestamp::MIN
        })
    }

    /// The wall time of an instant.
    #[must_use]
    pub fn wall(&self, instant: Timestamp) -> civil::DateTime {
        self.rules.to_datetime(instant)
    }
}

/// The name used here of a zone that has several; `None` for one that has not.
fn canonical(name: &str) -> Option<&'static str> {
    let renamed =
        RENAMED.iter().find(|(ours, cldr)| cldr.eq_ignore_ascii_case(name) || ours.eq_ignore_ascii_case(name));
    renamed.or_else(|| LINKS.iter().find(|(link, _)| link.eq_ignore_ascii_case(name))).map(|(ours, other)| {
        // In RENAMED the name used here comes first, in LINKS last.
        if renamed.is_some() { *ours } else { *other }
    })
}

/// The database's spelling of a name given in any case.
fn spelling(name: &str) -> Option<&'static str> {
    if let Ok(zone) = name.parse::<chrono_tz::Tz>() {
        return Some(zone.name());
    }
    let rules = rules(name)?;
    rules.iana_name()?.parse::<chrono_tz::Tz>().ok().map(chrono_tz::Tz::name)
}

/// The rules of a zone: those of the machine, or those built in where the machine has none under that name.
fn rules(iana: &str) -> Option<TimeZone> {
    TimeZone::get(iana).or_else(|_| TimeZoneDatabase::bundled().get(iana)).ok()
}

/// The Windows zone of a display name, with `UTC` or, as older Outlooks write it, `GMT`.
fn by_display_name(name: &str) -> Option<WindowsTimezone> {
    let rest = name.strip_prefix("(UTC").or_else(|| name.strip_prefix("(GMT"))?;
    chrono_tz::TZ_VARIANTS
        .iter()
        .filter_map(|zone| WindowsTimezone::try_from(*zone).ok())
        .find(|windows| windows.description().strip_prefix("(UTC") == Some(rest))
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.iana == other.iana
    }
}

impl Eq for Zone {}

impl hash::Hash for Zone {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.iana.hash(state);
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Zone({})", self.iana)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.iana)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use jiff::{civil::date, tz::TimeZoneDatabase};

    use super::{Zone, ZoneError};

    #[test]
    fn every_spelling_names_one_zone() {
        let cases = [
            ("Europe/Paris", "Europe/Paris", "Romance Standard Time"),
            ("europe/paris", "Europe/Paris", "Romance Standard Time"),
            ("Romance Standard Time", "Europe/Paris", "Romance Standard Time"),
            ("(UTC+01:00) Brussels, Copenhagen, Madrid, Paris", "Europe/Paris", "Romance Standard Time"),
            ("(GMT+01:00) Brussels, Copenhagen, Madrid, Paris", "Europe/Paris", "Romance Standard Time"),
            ("Europe/Brussels", "Europe/Brussels", "Romance Standard Time"),
            ("Europe/Amsterdam", "Europe/Amsterdam", "W. Europe Standard Time"),
            ("Europe/Kiev", "Europe/Kyiv", "FLE Standard Time"),
            ("Europe/Kyiv", "Europe/Kyiv", "FLE Standard Time"),
            ("FLE Standard Time", "Europe/Kyiv", "FLE Standard Time"),
            ("Asia/Calcutta", "Asia/Kolkata", "India Standard Time"),
            ("Asia/Kolkata", "Asia/Kolkata", "India Standard Time"),
            ("India Standard Time", "Asia/Kolkata", "India Standard Time"),
            ("America/Godthab", "America/Nuuk", "Greenland Standard Time"),
            ("America/Nuuk", "America/Nuuk", "Greenland Standard Time"),
            ("Asia/Katmandu", "Asia/Kathmandu", "Nepal Standard Time"),
            ("Asia/Kathmandu", "Asia/Kathmandu", "Nepal Standard Time"),
            ("America/Indianapolis", "America/Indiana/Indianapolis", "US Eastern Standard Time"),
            ("US/Eastern", "America/New_York", "Eastern Standard Time"),
            ("Etc/UTC", "Etc/UTC", "UTC"),
            ("Etc/GMT", "Etc/UTC", "UTC"),
            ("UTC", "Etc/UTC", "UTC"),
            ("GMT", "Etc/UTC", "UTC"),
            ("Z", "Etc/UTC", "UTC"),
            ("tzone://Microsoft/Utc", "Etc/UTC", "UTC"),
            ("GMT Standard Time", "Europe/London", "GMT Standard Time"),
            ("Etc/GMT-3", "Etc/GMT-3", "E. Africa Standard Time"),
        ];
        for (name, iana, windows) in cases {
            let zone = Zone::parse(name).unwrap();
            assert_eq!((zone.iana(), zone.windows()), (iana, windows), "{name}");
            assert_eq!(zone, Zone::parse(iana).unwrap(), "{name}");
        }
        assert_eq!(Zone::utc(), Zone::parse("UTC").unwrap());
    }

    #[test]
    fn a_zone_is_never_guessed() {
        for name in
            ["", " ", "Paris", "Europe/Atlantis", "+01:00", "UTC+1", "(UTC+01:00)", "tzone://Microsoft/Custom", "é"]
        {
            assert_eq!(Zone::parse(name), Err(ZoneError::Unknown(name.to_owned())), "{name:?}");
        }
        let name = "Antarctica/Troll".to_owned();
        assert_eq!(Zone::parse(&name), Err(ZoneError::NoWindowsTwin(name)));
    }

    /// What the IANA database holds and Windows does not.
    const WITHOUT_TWIN: &[&str] = &["America/Coyhaique", "Antarctica/Troll", "Factory"];

    #[test]
    fn every_zone_of_the_database_has_a_twin_or_is_a_known_exception() {
        let mut without: BTreeSet<String> = BTreeSet::new();
        let bundled = TimeZoneDatabase::bundled();
        for name in bundled.available() {
            match Zone::parse(name.as_str()) {
                Ok(zone) => {
                    assert_eq!(Zone::parse(zone.iana()).unwrap(), zone, "{name}");
                    // The present rules are those of the name as given.
                    let given = bundled.get(name.as_str()).unwrap();
                    for wall in [date(2026, 1, 15).at(12, 0, 0, 0), date(2026, 7, 15).at(12, 0, 0, 0)] {
                        let expected = given.to_ambiguous_timestamp(wall).compatible().unwrap();
                        assert_eq!(zone.instant(wall), expected, "{name} {wall}");
                    }
                }
                Err(_) => {
                    without.insert(name.as_str().to_owned());
                }
            }
        }
        assert_eq!(without, WITHOUT_TWIN.iter().map(|name| (*name).to_owned()).collect());
    }

    #[test]
    fn windows_to_iana_and_back_is_the_identity() {
        let mut names = BTreeSet::new();
        for zone in chrono_tz::TZ_VARIANTS {
            if let Ok(windows) = windows_timezones::WindowsTimezone::try_from(zone) {
                names.insert(windows.name());
                let by_display_name = Zone::parse(windows.description()).unwrap();
                assert_eq!(by_display_name.windows(), windows.name());
            }
        }
        assert!(names.len() > 130, "{}", names.len());
        for name in names {
            let zone = Zone::parse(name).unwrap();
            assert_eq!(Zone::parse(zone.iana()).unwrap().windows(), name);
        }
    }
}
