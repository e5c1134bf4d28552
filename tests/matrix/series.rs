//! The series of the matrix: their occurrences around each change of the clocks.

use std::collections::BTreeMap;

use jiff::{
    ToSpan,
    civil::{Date, DateTime, time},
};
use serde_json::{Value, json};

use crate::{
    cases::{Expected, span},
    report,
    stage::{Face, MAILBOX, Stage},
    zones::{self, Edge, Named},
};

/// A daily series that begins some days before a change.
struct Daily {
    zone: Named,
    /// Its first occurrence.
    start: DateTime,
    end: DateTime,
    all_day: bool,
    count: i64,
}

impl Daily {
    fn line(&self, id: &str) -> Value {
        let (start, end) = if self.all_day {
            (self.start.date().to_string(), self.end.date().yesterday().unwrap().to_string())
        } else {
            (self.start.to_string(), self.end.to_string())
        };
        json!({
            "kind": "appointment", "id": id, "mailbox": MAILBOX, "subject": id, "zone": self.zone.name,
            "all_day": self.all_day, "start": start, "end": end,
            "recurrence": format!("FREQ=DAILY;COUNT={}", self.count),
        })
    }

    fn occurrences(&self) -> Vec<Expected> {
        let mut found: Vec<Expected> = (0..self.count)
            .map(|day| {
                let (start, end) = (self.start + day.days(), self.end + day.days());
                if self.all_day {
                    Expected::Days(start.date(), end.date().yesterday().unwrap())
                } else {
                    span(&self.zone, start, end)
                }
            })
            .collect();
        found.sort();
        found
    }
}

/// The series of a change; `later` is another edition of them.
fn around(zone: &str, edge: Edge, later: bool) -> Vec<Daily> {
    let first: Date = edge.low.date() - if later { 3.days() } else { 4.days() };
    let day = |days: i64| first + days.days();
    let at = |days: i64, hour: i8, minute: i8| day(days).to_datetime(time(hour, minute, 0, 0));
    let shift = if later { 1.hour() } else { 0.hours() };
    let inside = first.to_datetime(edge.low.time()) + 15.minutes();
    let spans = [
        (at(0, 9, 0) + shift, at(0, 10, 30) + shift, false),
        (at(0, 22, 0) + shift, at(1, 6, 0) + shift, false),
        (inside, inside + 3.hours(), false),
        (inside, inside + 30.minutes(), false),
        (at(0, 0, 0), at(1, 0, 0), true),
    ];
    let daily = |(start, end, all_day)| Daily { zone: Named::new(zone), start, end, all_day, count: 9 };
    spans.into_iter().map(daily).collect()
}

/// Writes every series, then changes its time, then its zone, and compares the occurrences each time.
pub(crate) fn run(face: Face) {
    let zones = zones::chosen();
    let mut stage = Stage::new(face);
    let (mut differences, mut count) = (Vec::new(), 0);
    for step in ["create", "update of the time", "update of the zone"] {
        let mut expected: BTreeMap<String, Daily> = BTreeMap::new();
        for (number, (zone, edges)) in zones.iter().enumerate() {
            for (edge_number, edge) in edges.iter().enumerate() {
                let name =
                    if step == "update of the zone" { &zones[(number + 1) % zones.len()].0.name } else { &zone.name };
                let series = around(name, *edge, step != "create");
                expected.extend(
                    series.into_iter().enumerate().map(|(kind, one)| (format!("{number}-{edge_number}-{kind}"), one)),
                );
            }
        }
        let lines: Vec<Value> = expected.iter().map(|(id, series)| series.line(id)).collect();
        let refused = stage.write(&lines);
        assert_eq!(refused, BTreeMap::new(), "{step}");
        differences.extend(stage.failures());
        let found = stage.view("2016-01-01T00:00:00Z", "2029-01-01T00:00:00Z");
        for (id, series) in &expected {
            let place = || {
                let Daily { start, end, zone, .. } = series;
                format!("{face:?}, {step}: daily from {start} to {end} {}", zone.name)
            };
            let wanted = series.occurrences();
            count += wanted.len();
            let shown = found.get(id).map(Vec::as_slice).unwrap_or_default();
            if shown != wanted {
                differences.push(format!("{}: expected {wanted:?}, found {shown:?}", place()));
            }
        }
    }
    report(face, "occurrence", count, &differences);
}
