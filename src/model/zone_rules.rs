//! Zones that are given by the changes of their clocks, as a `VTIMEZONE` does, and not by a name.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::LazyLock,
};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use windows_timezones::WindowsTimezone;

use super::zone::Zone;

/// How long before and after now two zones must show the same times to pass for one, in days.
const DAYS_BEFORE: i64 = 366;
const DAYS_AFTER: i64 = 5 * 366;

/// The zones that Outlook knows, one for each Windows name, in the order of these names.
static KNOWN: LazyLock<Vec<Zone>> = LazyLock::new(|| {
    let zones = chrono_tz::TZ_VARIANTS.iter().filter_map(|zone| WindowsTimezone::try_from(*zone).ok());
    let names: BTreeSet<&'static str> = zones.map(|windows| windows.name()).collect();
    names.into_iter().filter_map(|name| Zone::known_to_outlook(name).ok()).collect()
});

/// What the clocks of a zone show.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClockChanges {
    /// The offset from UTC before the first change, in seconds.
    pub before_seconds: i32,
    /// When the offset changes, as seconds of the Unix clock, and to which, in seconds; in order, each instant once.
    pub changes: Vec<(i64, i32)>,
}

impl ClockChanges {
    /// The zone with these changes: `preferred`, or else the first zone that Outlook knows, if it shows the same times
    /// in the years around `now`; otherwise a zone of its own, under `name`. What the changes leave open, the time before
    /// the first of them, is not compared.
    ///
    /// # Errors
    /// When no clock can show them.
    pub fn zone(&self, name: &str, preferred: &Zone, now: Timestamp) -> Result<Zone, String> {
        let rules = self.rules(name)?;
        let candidates = std::iter::once(preferred).filter(|zone| zone.windows().is_some()).chain(KNOWN.iter());
        for candidate in candidates {
            if self.equal(candidate, now) {
                return Ok(candidate.clone());
            }
        }
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        Ok(Zone::own(name, hasher.finish(), rules))
    }

    /// Whether a zone shows the same times in the years around `now`.
    #[must_use]
    pub fn equal(&self, zone: &Zone, now: Timestamp) -> bool {
        let days = |days: i64| days.saturating_mul(86_400);
        let mut from = now.as_second().saturating_sub(days(DAYS_BEFORE));
        let mut to = now.as_second().saturating_add(days(DAYS_AFTER));
        if let Some((first, _)) = self.changes.first()
            && *first > from
        {
            from = *first;
            to = to.max(from.saturating_add(days(DAYS_AFTER)));
        }
        let (Ok(begin), Ok(end)) = (Timestamp::from_second(from), Timestamp::from_second(to)) else { return false };
        let mut offset = zone.rules().to_offset(begin).seconds();
        if offset != self.offset_at(from) {
            return false;
        }
        let mut theirs = zone
            .rules()
            .following(begin)
            .take_while(|change| change.timestamp() < end)
            .map(|change| (change.timestamp().as_second(), change.offset().seconds()))
            .filter(move |(_, after)| std::mem::replace(&mut offset, *after) != *after);
        let mut own = self.offset_at(from);
        let mut ours = self
            .changes
            .iter()
            .copied()
            .filter(|(at, _)| *at > from && *at < to)
            .filter(move |(_, after)| std::mem::replace(&mut own, *after) != *after);
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (one, other) if one == other => {}
                _ => return false,
            }
        }
    }

    fn offset_at(&self, second: i64) -> i32 {
        let next = self.changes.partition_point(|(at, _)| *at <= second);
        next.checked_sub(1).and_then(|last| self.changes.get(last)).map_or(self.before_seconds, |(_, after)| *after)
    }

    /// The rules, by way of the form in which zones are compiled.
    fn rules(&self, name: &str) -> Result<TimeZone, String> {
        let refused = |_| "its changes of the clocks cannot be followed".to_owned();
        let compiled = self.compiled()?;
        let rules = TimeZone::tzif(name, &compiled).map_err(refused)?;
        // A change that leads out of the calendar is found here and not at an event.
        for (at, _) in &self.changes {
            Timestamp::from_second(*at).and_then(|at| at.checked_add(48.hours())).map_err(refused)?;
        }
        Ok(rules)
    }

    /// TZif, version 2 (RFC 8536): an empty block of 32-bit times, the block of 64-bit times, an empty footer.
    fn compiled(&self) -> Result<Vec<u8>, String> {
        let too_many = || "it changes the clocks too often".to_owned();
        let mut offsets: Vec<i32> = vec![self.before_seconds];
        let mut kinds: Vec<u8> = Vec::with_capacity(self.changes.len());
        for (_, after) in &self.changes {
            let kind = offsets.iter().position(|offset| offset == after).unwrap_or_else(|| {
                offsets.push(*after);
                offsets.len() - 1
            });
            kinds.push(u8::try_from(kind).map_err(|_| too_many())?);
        }
        let count = |length: usize| u32::try_from(length).map_err(|_| too_many());
        let mut bytes = Vec::new();
        header(&mut bytes, 0, 1);
        period(&mut bytes, 0);
        bytes.extend_from_slice(DESIGNATION);
        header(&mut bytes, count(self.changes.len())?, count(offsets.len())?);
        self.changes.iter().for_each(|(at, _)| bytes.extend_from_slice(&at.to_be_bytes()));
        bytes.extend_from_slice(&kinds);
        offsets.iter().for_each(|offset| period(&mut bytes, *offset));
        bytes.extend_from_slice(DESIGNATION);
        bytes.extend_from_slice(b"\n\n");
        Ok(bytes)
    }
}

/// The abbreviation that every period has.
const DESIGNATION: &[u8] = b"OWN\0";

fn header(bytes: &mut Vec<u8>, changes: u32, periods: u32) {
    bytes.extend_from_slice(b"TZif2");
    bytes.extend_from_slice(&[0; 15]);
    let designations = u32::try_from(DESIGNATION.len()).unwrap_or(u32::MAX);
    for count in [0, 0, 0, changes, periods, designations] {
        bytes.extend_from_slice(&count.to_be_bytes());
    }
}

fn period(bytes: &mut Vec<u8>, offset_seconds: i32) {
    bytes.extend_from_slice(&offset_seconds.to_be_bytes());
    bytes.extend_from_slice(&[0, 0]);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::{SignedDuration, Timestamp, civil::date};
    use proptest::prelude::*;

    use super::{ClockChanges, KNOWN};
    use crate::model::zone::Zone;

    const NOW: &str = "2026-11-23T12:00:00Z";

    /// The changes of a zone of the database.
    fn changes_of(zone: &Zone, from: &str) -> ClockChanges {
        let from: Timestamp = from.parse().unwrap();
        let changes = zone.rules().following(from).take_while(|change| change.timestamp().as_second() < 3_000_000_000);
        let changes = changes.map(|change| (change.timestamp().as_second(), change.offset().seconds())).collect();
        ClockChanges { before_seconds: zone.rules().to_offset(from).seconds(), changes }
    }

    #[test]
    fn a_zone_is_found_by_what_its_clocks_show() {
        let (now, utc) = (NOW.parse().unwrap(), Zone::utc());
        let cases = [
            ("Europe/Paris", "Europe/Brussels", "Europe/Brussels"),
            ("Europe/Paris", "Etc/UTC", "Europe/Budapest"),
            ("America/New_York", "Etc/UTC", "America/New_York"),
            ("Asia/Kolkata", "Etc/UTC", "Asia/Kolkata"),
            ("Antarctica/Troll", "Etc/UTC", "mine"),
            // A preferred zone that Outlook does not know is none.
            ("Antarctica/Troll", "Antarctica/Troll", "mine"),
        ];
        for (name, preferred, expected) in cases {
            let changes = changes_of(&Zone::parse(name).unwrap(), "1980-01-01T00:00:00Z");
            let found = changes.zone("mine", &Zone::parse(preferred).unwrap(), now).unwrap();
            assert_eq!(found.iana(), expected, "{name} {preferred}");
        }
        let fixed = ClockChanges { before_seconds: 5 * 3600 + 45 * 60, changes: vec![] };
        assert_eq!(fixed.zone("mine", &utc, now).unwrap().iana(), "Asia/Kathmandu");
        let odd = ClockChanges { before_seconds: 5 * 3600 + 44 * 60, changes: vec![] };
        let odd = odd.zone("mine", &utc, now).unwrap();
        assert_eq!((odd.iana(), odd.windows()), ("mine", None));
        assert_ne!(odd, ClockChanges { before_seconds: 60, changes: vec![] }.zone("mine", &utc, now).unwrap());
    }

    #[test]
    fn a_zone_of_its_own_shows_the_times_of_its_rules() {
        let troll = Zone::parse("Antarctica/Troll").unwrap();
        let changes = changes_of(&troll, "2010-01-01T00:00:00Z");
        let own = changes.zone("mine", &Zone::utc(), NOW.parse().unwrap()).unwrap();
        for hour in 0..24 * 730 {
            let wall = date(2026, 1, 1).at(0, 30, 0, 0) + SignedDuration::from_hours(hour);
            assert_eq!(own.instant(wall), troll.instant(wall), "{wall}");
            assert_eq!((own.skips(wall), own.repeats(wall)), (troll.skips(wall), troll.repeats(wall)), "{wall}");
        }
    }

    #[test]
    fn the_known_zones_are_all_zones_of_windows() {
        assert!(KNOWN.len() > 130 && KNOWN.iter().all(|zone| zone.windows().is_some()));
    }

    proptest! {
        /// Whatever is asked of nonsensical rules, there is an answer.
        #[test]
        fn nonsensical_rules_do_no_harm(
            before in -86_399_i32..86_399,
            changes in prop::collection::btree_map(-60_000_000_000_i64..8_000_000_000, -86_399_i32..86_399, 0..40),
            year in 1900_i16..2200,
        ) {
            let changes = ClockChanges { before_seconds: before, changes: changes.into_iter().collect() };
            if let Ok(zone) = changes.zone("mine", &Zone::utc(), NOW.parse().unwrap()) {
                let wall = date(year, 3, 1).at(2, 0, 0, 0);
                let shifted = zone.wall(zone.instant(wall));
                prop_assert!(zone.skips(wall) || shifted == wall);
            }
        }
    }
}
