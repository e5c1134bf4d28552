//! The zones that the files of a source name.

use std::collections::HashMap;

use crate::model::zone::{Zone, ZoneError};

/// Reads zone names, each once: a file names few zones in many events.
#[derive(Debug)]
pub(super) struct Zones {
    default: Zone,
    known: HashMap<String, Result<Zone, ZoneError>>,
}

impl Zones {
    /// The zones of a source whose wall times are in `default` where they name no zone.
    pub(super) fn new(default: Zone) -> Self {
        Self { default, known: HashMap::new() }
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
            (2..=3).filter_map(|count| Some(segments.get(segments.len().checked_sub(count)?..)?.join("/"))).collect()
        });
        let candidates: Vec<String> = after_prefix.unwrap_or_default();
        let mut others = candidates.iter().map(String::as_str).chain(location);
        others.find_map(|name| self.named(Some(name)).ok()).ok_or(fault)
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
