//! Time zones under their IANA names, and what Outlook knows of them.

use std::{fmt, hash, sync::Arc};

use jiff::{
    Timestamp, civil,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use windows_timezones::WindowsTimezone;

use super::{
    display_name,
    zone_names::{LINKS, MOVED, RENAMED},
};

/// A time zone of the IANA database, or one that is given by its rules. Two spellings of one zone are equal.
#[derive(Clone)]
pub struct Zone {
    name: Name,
    outlook: Option<Twin>,
    rules: TimeZone,
}

/// What a zone is told from others by.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Name {
    /// A name of the IANA database.
    Iana(&'static str),
    /// A name that says nothing, and a digest of the rules.
    Own(Arc<(String, u64)>),
}

/// The zone that Outlook takes it for.
#[derive(Clone)]
struct Twin {
    /// Its Windows name.
    windows: &'static str,
    /// Its rules; `None` where it is the very same zone.
    rules: Option<TimeZone>,
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
    /// name (`(UTC+01:00) Brussels, Copenhagen, Madrid, Paris`), or `Z`. Outlook need not know the zone.
    ///
    /// # Errors
    /// When neither database knows the name: a zone is never guessed.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        let fault = || ZoneError::Unknown(name.to_owned());
        let trimmed = unquoted(name);
        let windows: Option<WindowsTimezone> = trimmed.parse().ok().or_else(|| display_name::windows(trimmed));
        if let Some(windows) = windows {
            let iana = canonical(windows.tzdb_id()).unwrap_or(windows.tzdb_id());
            return Self::from_names(iana, Some(windows)).ok_or_else(fault);
        }
        let iana = match canonical(trimmed) {
            Some(iana) => iana,
            None => spelling(trimmed).ok_or_else(fault)?,
        };
        // The name of a machine whose zone was never set.
        if iana == "Factory" {
            return Err(fault());
        }
        let known_to_cldr = RENAMED.iter().find(|(ours, _)| *ours == iana).map_or(iana, |(_, theirs)| theirs);
        let zone: chrono_tz::Tz = known_to_cldr.parse().map_err(|_| fault())?;
        let moved = MOVED.iter().find(|(ours, _)| *ours == iana).and_then(|(_, windows)| windows.parse().ok());
        Self::from_names(iana, moved.or_else(|| WindowsTimezone::try_from(zone).ok())).ok_or_else(fault)
    }

    /// The same for a zone that Outlook is to be told of.
    ///
    /// # Errors
    /// Also when the zone has no Windows twin.
    pub fn known_to_outlook(name: &str) -> Result<Self, ZoneError> {
        let zone = Self::parse(name)?;
        if zone.outlook.is_none() { Err(ZoneError::NoWindowsTwin(name.to_owned())) } else { Ok(zone) }
    }

    /// A zone of known names; `None` when no database has its rules.
    fn from_names(iana: &'static str, windows: Option<WindowsTimezone>) -> Option<Self> {
        let outlook = match windows {
            None => None,
            Some(windows) => {
                let theirs = canonical(windows.tzdb_id()).unwrap_or(windows.tzdb_id());
                let rules = if theirs == iana { None } else { Some(rules(theirs)?) };
                Some(Twin { windows: windows.name(), rules })
            }
        };
        Some(Self { name: Name::Iana(iana), outlook, rules: rules(iana)? })
    }

    /// A zone that no database knows, by its rules; `digest` tells them from others.
    pub(super) fn own(name: &str, digest: u64, rules: TimeZone) -> Self {
        Self { name: Name::Own(Arc::new((name.to_owned(), digest))), outlook: None, rules }
    }

    /// The zone without rules.
    #[must_use]
    pub const fn utc() -> Self {
        Self { name: Name::Iana("Etc/UTC"), outlook: Some(Twin { windows: "UTC", rules: None }), rules: TimeZone::UTC }
    }

    /// The IANA name in its present spelling, such as `Europe/Paris`; the source's name of a zone that is given by its
    /// rules.
    #[must_use]
    pub fn iana(&self) -> &str {
        match &self.name {
            Name::Iana(name) => name,
            Name::Own(own) => &own.0,
        }
    }

    /// The Windows name, such as `Romance Standard Time`; `None` when Outlook does not know the zone.
    #[must_use]
    pub fn windows(&self) -> Option<&'static str> {
        self.outlook.as_ref().map(|twin| twin.windows)
    }

    /// The Windows name that EWS and Graph are told: `UTC` for a zone that Outlook does not know, and then every time is
    /// to be told in UTC.
    #[must_use]
    pub fn told(&self) -> &'static str {
        self.windows().unwrap_or("UTC")
    }

    /// Why a series cannot be told in wall times of this zone.
    #[must_use]
    pub fn outlook_fault(&self) -> Option<String> {
        let unknown = self.outlook.is_none();
        unknown.then(|| format!("Outlook knows no zone with the rules of {:?}", self.iana()))
    }

    /// Whether Outlook takes a wall time for the same instant, in the zone that it takes this one for.
    #[must_use]
    pub fn agrees_with_outlook(&self, wall: civil::DateTime) -> bool {
        match &self.outlook {
            None => false,
            Some(Twin { rules: None, .. }) => true,
            Some(Twin { rules: Some(theirs), .. }) => self.offset(wall) == theirs.to_ambiguous_timestamp(wall).offset(),
        }
    }

    /// Whether clocks never show a wall time, because the spring change skips it.
    #[must_use]
    pub fn skips(&self, wall: civil::DateTime) -> bool {
        matches!(self.offset(wall), AmbiguousOffset::Gap { .. })
    }

    /// Whether clocks show a wall time twice, because of the autumn change.
    #[must_use]
    pub fn repeats(&self, wall: civil::DateTime) -> bool {
        matches!(self.offset(wall), AmbiguousOffset::Fold { .. })
    }

    fn offset(&self, wall: civil::DateTime) -> AmbiguousOffset {
        self.rules.to_ambiguous_timestamp(wall).offset()
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

/// A name without the blanks and the quotes around it.
fn unquoted(name: &str) -> &str {
    let trimmed = name.trim();
    let inner = trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or(trimmed, str::trim)
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

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl hash::Hash for Zone {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Zone({})", self.iana())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.iana())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use jiff::{SignedDuration, civil::date, tz::TimeZoneDatabase};

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
            ("Etc/GMT+5", "Etc/GMT+5", "SA Pacific Standard Time"),
            ("etc/gmt+12", "Etc/GMT+12", "Dateline Standard Time"),
            ("America/Scoresbysund", "America/Scoresbysund", "Greenland Standard Time"),
            ("Etc/UCT", "Etc/UTC", "UTC"),
            ("Greenwich", "Etc/UTC", "UTC"),
            ("Etc/Greenwich", "Etc/UTC", "UTC"),
            (" \"Europe/Paris\" ", "Europe/Paris", "Romance Standard Time"),
            ("(UTC) Dublin, Edinburgh, Lisbon, London", "Europe/London", "GMT Standard Time"),
        ];
        for (name, iana, windows) in cases {
            let zone = Zone::parse(name).unwrap();
            assert_eq!((zone.iana(), zone.windows()), (iana, Some(windows)), "{name}");
            assert_eq!(zone, Zone::parse(iana).unwrap(), "{name}");
        }
        assert_eq!(Zone::utc(), Zone::parse("UTC").unwrap());
    }

    #[test]
    fn a_zone_is_never_guessed() {
        for name in [
            "",
            " ",
            "\"",
            "Paris",
            "Europe/Atlantis",
            "+01:00",
            "UTC+1",
            "Etc/GMT+15",
            "(UTC+01:00)",
            "tzone://Microsoft/Custom",
            "é",
            "Factory",
        ] {
            assert_eq!(Zone::parse(name), Err(ZoneError::Unknown(name.to_owned())), "{name:?}");
        }
        let name = "Antarctica/Troll".to_owned();
        assert_eq!(Zone::known_to_outlook(&name), Err(ZoneError::NoWindowsTwin(name)));
    }

    /// What the IANA database holds and Windows does not.
    const WITHOUT_TWIN: &[&str] = &["America/Coyhaique", "Antarctica/Troll", "Factory"];

    #[test]
    fn what_outlook_makes_of_a_wall_time_is_known() {
        // To Windows, Ceuta and Paris are one zone.
        let cases = [
            ("Europe/Paris", "2026-07-01T09:00", true),
            ("Africa/Ceuta", "2026-07-01T09:00", true),
            ("Africa/Ceuta", "1975-07-01T09:00", false),
            ("Antarctica/Troll", "2026-07-01T09:00", false),
            ("America/Coyhaique", "2026-07-01T09:00", false),
        ];
        for (name, wall, expected) in cases {
            let zone = Zone::parse(name).unwrap();
            assert_eq!(zone.agrees_with_outlook(wall.parse().unwrap()), expected, "{name} {wall}");
            assert_eq!(zone.outlook_fault().is_none(), zone.windows().is_some());
            assert_eq!(zone.told(), zone.windows().unwrap_or("UTC"));
        }
    }

    #[test]
    fn every_zone_of_the_database_has_a_twin_or_is_a_known_exception() {
        let mut without: BTreeSet<String> = BTreeSet::new();
        let mut otherwise: BTreeSet<String> = BTreeSet::new();
        let bundled = TimeZoneDatabase::bundled();
        for name in bundled.available() {
            match Zone::known_to_outlook(name.as_str()) {
                Ok(zone) => {
                    assert_eq!(Zone::parse(zone.iana()).unwrap(), zone, "{name}");
                    // The present rules are those of the name as given.
                    let given = bundled.get(name.as_str()).unwrap();
                    for wall in [date(2026, 1, 15).at(12, 0, 0, 0), date(2026, 7, 15).at(12, 0, 0, 0)] {
                        let expected = given.to_ambiguous_timestamp(wall).compatible().unwrap();
                        assert_eq!(zone.instant(wall), expected, "{name} {wall}");
                    }
                    // And those of its twin, so that a series can be told.
                    let days =
                        (0..730).map(|day| date(2026, 1, 1).at(9, 0, 0, 0) + SignedDuration::from_hours(24 * day));
                    if days.into_iter().any(|wall| !zone.agrees_with_outlook(wall)) {
                        otherwise.insert(zone.iana().to_owned());
                    }
                }
                Err(_) => {
                    without.insert(name.as_str().to_owned());
                }
            }
        }
        assert_eq!(otherwise, BTreeSet::new());
        assert_eq!(without, WITHOUT_TWIN.iter().map(|name| (*name).to_owned()).collect());
    }

    #[test]
    fn windows_to_iana_and_back_is_the_identity() {
        let mut names = BTreeSet::new();
        for zone in chrono_tz::TZ_VARIANTS {
            if let Ok(windows) = windows_timezones::WindowsTimezone::try_from(zone) {
                names.insert(windows.name());
                let by_display_name = Zone::parse(windows.description()).unwrap();
                assert_eq!(by_display_name.windows(), Some(windows.name()));
            }
        }
        assert!(names.len() > 130, "{}", names.len());
        for name in names {
            let zone = Zone::parse(name).unwrap();
            assert_eq!(Zone::parse(zone.iana()).unwrap().windows(), Some(name));
        }
    }
}
