//! The zones that the files of a source name.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{
    clock::{Clock as _, SystemClock},
    model::{
        zone::{Zone, ZoneError},
        zone_rules::ClockChanges,
    },
};

/// Reads zone names, each once: a file names few zones in many events.
#[derive(Debug)]
pub(super) struct Zones {
    default: Zone,
    now: Timestamp,
    known: HashMap<String, Result<Zone, ZoneError>>,
}

impl Zones {
    /// The zones of a source whose wall times are in `default` where they name no zone.
    pub(super) fn new(default: Zone) -> Self {
        Self::at(default, SystemClock.now())
    }

    /// The same at an instant: zones that are given by rules are compared in the years around it.
    pub(super) fn at(default: Zone, now: Timestamp) -> Self {
        Self { default, now, known: HashMap::new() }
    }

    /// The zone of wall times that name none.
    pub(super) fn default_zone(&self) -> Zone {
        self.default.clone()
    }

    /// The zone of that name; the default one where there is no name.
    pub(super) fn named(&mut self, name: Option<&str>) -> Result<Zone, ZoneError> {
        let Some(name) = name else {
            return Ok(self.default_zone());
        };
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let zone = Zone::parse(name);
        self.known.insert(name.to_owned(), zone.clone());
        zone
    }

    /// The zone of an iCalendar `TZID`: an IANA or Windows name, the same after a producer's prefix
    /// (`/producer.example/2024/Europe/Paris`), or the `X-LIC-LOCATION` of its `VTIMEZONE`. An offset is never mapped to
    /// a zone: many zones share one.
    pub(super) fn of_tzid(&mut self, tzid: &str, location: Option<&str>) -> Result<Zone, ZoneError> {
        let fault = match self.named(Some(tzid)) {
            Ok(zone) => return Ok(zone),
            Err(fault) => fault,
        };
        let after_prefix = tzid.strip_prefix('/').map(|path| {
            let segments: Vec<&str> = path.split('/').collect();
            let last = |count: &usize| Some(segments.get(segments.len().checked_sub(*count)?..)?.join("/"));
            // A name of one word says too little, except that of no zone.
            let names = [3, 2, 1].iter().filter_map(|count| last(count).map(|name| (*count, name)));
            names
                .filter(|(count, name)| *count > 1 || ["UTC", "GMT"].contains(&name.as_str()))
                .map(|(_, name)| name)
                .collect()
        });
        let candidates: Vec<String> = after_prefix.unwrap_or_default();
        let mut others = candidates.iter().map(String::as_str).chain(location);
        others.find_map(|name| self.named(Some(name)).ok()).ok_or(fault)
    }

    /// The zone of a name that a producer has numbered: `Europe/Paris-1`, `Romance Standard Time 1`.
    pub(super) fn numbered(&mut self, tzid: &str) -> Option<Zone> {
        let name = tzid.trim_end_matches(|character: char| character.is_ascii_digit());
        let name = name.strip_suffix(['-', '_', ' ']).filter(|name| name.len() + 1 < tzid.len())?;
        // A number after `Etc/GMT-` is an offset.
        let is_name = name.ends_with(" Standard Time") || name.contains('/') && !name.starts_with("Etc/");
        if is_name { self.named(Some(name)).ok() } else { None }
    }

    /// The zone that is given by rules: the one of the name without a number, if they are its rules, then the default one,
    /// then any that Outlook knows, and otherwise a zone of its own.
    pub(super) fn of_rules(&mut self, tzid: &str, changes: &ClockChanges) -> Result<Zone, String> {
        let preferred = self.numbered(tzid).filter(|zone| changes.equal(zone, self.now));
        changes.zone(tzid, preferred.as_ref().unwrap_or(&self.default), self.now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Zones;
    use crate::model::zone::Zone;

    #[test]
    fn names_of_producers_are_understood() {
        let mut zones = Zones::new(Zone::parse("Europe/Paris").unwrap());
        let cases = [
            ("Europe/London", None, Some("Europe/London")),
            ("India Standard Time", None, Some("Asia/Kolkata")),
            ("/producer.example/20240101_1/Europe/Berlin", None, Some("Europe/Berlin")),
            ("/x/America/Indiana/Knox", None, Some("America/Indiana/Knox")),
            ("/freeassociation.sourceforge.net/Europe/Paris", None, Some("Europe/Paris")),
            (
                "/freeassociation.sourceforge.net/Tzfile/America/Argentina/Ushuaia",
                None,
                Some("America/Argentina/Ushuaia"),
            ),
            ("/mozilla.org/20050126_1/Europe/Berlin", None, Some("Europe/Berlin")),
            ("/citadel.org/20210210_1/UTC", None, Some("Etc/UTC")),
            ("/citadel.org/20210210_1/Cuba", None, None),
            ("Customized Time Zone", Some("America/New_York"), Some("America/New_York")),
            ("Customized Time Zone", Some("nowhere"), None),
            ("GMT+01:00", None, None),
            ("/", None, None),
        ];
        for (tzid, location, expected) in cases {
            assert_eq!(zones.of_tzid(tzid, location).ok().as_ref().map(Zone::iana), expected, "{tzid}");
        }
        assert_eq!(zones.named(None).unwrap().iana(), "Europe/Paris");
    }
}
