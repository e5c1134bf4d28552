//! `VTIMEZONE` (RFC 5545 §3.6.5): the zones that a file defines itself. A definition is read only where its `TZID` is no
//! name of a zone, and a faulty one costs the events that need it.

use std::collections::HashMap;

use crate::{
    model::{zone::Zone, zone_rules::ClockChanges},
    sources::zones::Zones,
};

use super::{observance::Observance, scan::split};

/// The most rules of one zone: a history of two centuries has some dozens.
const OBSERVANCES_MAX: usize = 500;
/// The most changes of the clocks of one zone.
const CHANGES_MAX: usize = 5000;
/// The most content lines of one definition that are kept.
pub(super) const LINES_MAX: usize = 10_000;

/// One `VTIMEZONE`, as its content lines between `BEGIN` and `END`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Definition {
    /// Its content lines.
    pub(super) lines: Vec<String>,
    /// What is wrong with one of them.
    pub(super) fault: Option<String>,
}

/// The zones of a file, each understood once.
#[derive(Debug, Default)]
pub(super) struct TimeZones {
    definitions: HashMap<String, Definition>,
    known: HashMap<String, Result<Zone, String>>,
}

impl TimeZones {
    /// The zones of these definitions. Two of one `TZID` must be equal.
    pub(super) fn new(found: Vec<Definition>) -> Self {
        let mut definitions: HashMap<String, Definition> = HashMap::new();
        for definition in found {
            let Some(tzid) = definition.property("TZID").map(str::to_owned) else { continue };
            match definitions.get_mut(&tzid) {
                Some(other) if *other != definition => {
                    other.fault = Some("is defined twice, and differently".to_owned());
                }
                Some(_) => {}
                None => {
                    definitions.insert(tzid, definition);
                }
            }
        }
        Self { definitions, known: HashMap::new() }
    }

    /// The zone of a `TZID`: by its name, by the `X-LIC-LOCATION` of its definition, by its rules.
    pub(super) fn zone(&mut self, tzid: &str, zones: &mut Zones) -> Result<Zone, String> {
        let tzid = tzid.trim().trim_matches('"').trim();
        if let Some(known) = self.known.get(tzid) {
            return known.clone();
        }
        let definition = self.definitions.get(tzid);
        let location = definition.and_then(|definition| definition.property("X-LIC-LOCATION"));
        let zone = match (zones.of_tzid(tzid, location), definition) {
            (Ok(zone), _) => Ok(zone),
            (Err(unknown), None) => zones.numbered(tzid).ok_or_else(|| unknown.to_string()),
            (Err(_), Some(definition)) => definition
                .changes()
                .and_then(|changes| zones.of_rules(tzid, &changes))
                .map_err(|reason| format!("the VTIMEZONE of {tzid:?} {reason}")),
        };
        self.known.insert(tzid.to_owned(), zone.clone());
        zone
    }
}

impl Definition {
    /// Takes a content line.
    pub(super) fn take(&mut self, line: &str) {
        if self.lines.len() < LINES_MAX {
            self.lines.push(line.to_owned());
        } else {
            self.fault.get_or_insert_with(|| format!("has more than {LINES_MAX} lines"));
        }
    }

    /// The value of a property of the definition itself.
    fn property(&self, name: &str) -> Option<&str> {
        let own = self.lines.iter().map_while(|line| {
            let (head, value) = split(line)?;
            let own = head.split(';').next().unwrap_or_default().trim();
            (!own.eq_ignore_ascii_case("BEGIN")).then_some((own, value))
        });
        // What follows the rules is rare; what is said twice is taken from where it is said first.
        let mut own = own.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let value = own.next().map(|(_, value)| value).or_else(|| self.property_after_rules(name))?;
        Some(value.trim().trim_matches('"').trim())
    }

    fn property_after_rules(&self, name: &str) -> Option<&str> {
        let mut depth = 0_usize;
        self.lines.iter().find_map(|line| {
            let (head, value) = split(line)?;
            let own = head.split(';').next().unwrap_or_default().trim();
            if own.eq_ignore_ascii_case("BEGIN") {
                depth += 1;
            } else if own.eq_ignore_ascii_case("END") {
                depth = depth.saturating_sub(1);
            }
            (depth == 0 && own.eq_ignore_ascii_case(name)).then_some(value)
        })
    }

    /// What its clocks show.
    fn changes(&self) -> Result<ClockChanges, String> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let mut changes: Vec<(i64, i32, i32)> = Vec::new();
        for observance in self.observances()? {
            changes.extend(observance.changes()?);
            if changes.len() > CHANGES_MAX {
                return Err("changes the clocks too often".to_owned());
            }
        }
        changes.sort_unstable();
        changes.dedup();
        let before_seconds = changes.first().map(|(_, before, _)| *before).ok_or("has no rules")?;
        let mut kept: Vec<(i64, i32)> = Vec::with_capacity(changes.len());
        for (at, _, after) in changes {
            match kept.last() {
                Some((last, offset)) if *last == at && *offset != after => {
                    return Err("sets the clocks to two times at once".to_owned());
                }
                Some((last, _)) if *last == at => {}
                Some(_) | None => kept.push((at, after)),
            }
        }
        Ok(ClockChanges { before_seconds, changes: kept })
    }

    fn observances(&self) -> Result<Vec<Observance>, String> {
        let mut found: Vec<Observance> = Vec::new();
        let mut open: Option<Observance> = None;
        for line in &self.lines {
            let Some((head, value)) = split(line) else { continue };
            let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
            let name = name.trim().to_ascii_uppercase();
            let value = value.trim();
            match (name.as_str(), &mut open) {
                ("BEGIN", None) if ["STANDARD", "DAYLIGHT"].iter().any(|kind| value.eq_ignore_ascii_case(kind)) => {
                    if found.len() == OBSERVANCES_MAX {
                        return Err(format!("has more than {OBSERVANCES_MAX} rules"));
                    }
                    open = Some(Observance::default());
                }
                ("BEGIN", _) => return Err(format!("holds a component {value:?}")),
                ("END", _) => found.extend(open.take()),
                (name, Some(observance)) => observance.take(name, parameters, value)?,
                (_, None) => {}
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
#[path = "time_zone_tests.rs"]
mod tests;
