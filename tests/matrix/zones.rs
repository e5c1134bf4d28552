//! The zones of the matrix and the changes of their clocks, from the IANA database alone.

use jiff::{
    Timestamp,
    civil::{DateTime, date},
    tz::{TimeZone, TimeZoneDatabase},
};

/// Zones whose every change is looked at: the usual ones, those without a midnight, those whose rules are rare, and those
/// that Windows knows under a twin's name or not at all.
const CHOSEN: [&str; 44] = [
    "Europe/Paris",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Berlin",
    "Europe/Brussels",
    "Europe/Kyiv",
    "Europe/Chisinau",
    "Europe/Istanbul",
    "Atlantic/Azores",
    "Atlantic/Reykjavik",
    "America/Nuuk",
    "America/Scoresbysund",
    "America/St_Johns",
    "America/Halifax",
    "America/New_York",
    "America/Toronto",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Adak",
    "America/Havana",
    "America/Santiago",
    "America/Coyhaique",
    "America/Asuncion",
    "America/Sao_Paulo",
    "America/Miquelon",
    "Pacific/Easter",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Norfolk",
    "Pacific/Kiritimati",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Antarctica/Troll",
];

/// Years with a change that 2026 and 2027 lack.
const EXTRA: [(&str, i16); 4] =
    [("America/Sao_Paulo", 2017), ("Asia/Amman", 2021), ("Asia/Tehran", 2021), ("America/Mexico_City", 2021)];

/// A zone of the database.
pub(crate) struct Named {
    /// Its name.
    pub(crate) name: String,
    /// Its rules.
    pub(crate) rules: TimeZone,
}

/// A change of the clocks: the wall times between `low` and `high` are skipped, or come twice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    /// The lower wall time.
    pub(crate) low: DateTime,
    /// The higher wall time.
    pub(crate) high: DateTime,
}

impl Named {
    /// A zone of that name.
    pub(crate) fn new(name: &str) -> Self {
        // The machine's database comes first, as in the program: it may be older or newer than the one built in.
        let rules = TimeZone::get(name).or_else(|_| TimeZoneDatabase::bundled().get(name)).unwrap();
        Self { name: name.to_owned(), rules }
    }

    /// The instant of a wall time, as RFC 5545 reads it.
    pub(crate) fn instant(&self, wall: DateTime) -> Timestamp {
        self.rules.to_ambiguous_timestamp(wall).compatible().unwrap()
    }

    /// The changes from the start of a year to the end of another.
    pub(crate) fn edges(&self, first_year: i16, last_year: i16) -> Vec<Edge> {
        let utc = |wall: DateTime| TimeZone::UTC.to_timestamp(wall).unwrap();
        let (from, to) = (utc(date(first_year, 1, 1).at(0, 0, 0, 0)), utc(date(last_year, 12, 31).at(0, 0, 0, 0)));
        let changes = self.rules.following(from).take_while(|change| change.timestamp() < to);
        let edges = changes.map(|change| {
            let before = self.rules.to_offset(Timestamp::from_second(change.timestamp().as_second() - 1).unwrap());
            let walls = [before, change.offset()].map(|offset| offset.to_datetime(change.timestamp()));
            Edge { low: walls[0].min(walls[1]), high: walls[0].max(walls[1]) }
        });
        edges.filter(|edge| edge.low != edge.high).collect()
    }
}

/// The chosen zones with all their changes.
pub(crate) fn chosen() -> Vec<(Named, Vec<Edge>)> {
    let usual = CHOSEN.iter().map(|name| (*name, 2026, 2027));
    usual
        .chain(EXTRA.iter().map(|(name, year)| (*name, *year, *year)))
        .map(|(name, first, last)| {
            let zone = Named::new(name);
            let edges = zone.edges(first, last);
            (zone, or_a_day(edges))
        })
        .collect()
}

/// Every zone of the database with one change.
pub(crate) fn every() -> Vec<(Named, Edge)> {
    let names = TimeZoneDatabase::bundled();
    let names = names.available().map(|name| name.as_str().to_owned()).filter(|name| name != "Factory");
    let zones = names.map(|name| Named::new(&name));
    zones
        .map(|zone| {
            let edge = or_a_day(zone.edges(2026, 2027))[0];
            (zone, edge)
        })
        .collect()
}

/// Some day, where the clocks do not change.
fn or_a_day(edges: Vec<Edge>) -> Vec<Edge> {
    let some = date(2026, 7, 1).at(2, 0, 0, 0);
    if edges.is_empty() { vec![Edge { low: some, high: some }] } else { edges }
}
