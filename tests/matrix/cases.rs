//! The single events of the matrix.

use std::fmt;

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, DateTime, time},
};
use serde_json::{Value, json};

use crate::{
    stage::MAILBOX,
    zones::{self, Edge, Named},
};

/// What the source says.
#[derive(Debug, Clone, Copy)]
enum Said {
    Timed(DateTime, DateTime),
    /// So many minutes of elapsed time: the only way to end in the second of two hours that are alike.
    Lasts(DateTime, i64),
    Days(Date, Date),
}

/// What a calendar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Expected {
    /// From one instant to another.
    Timed(Timestamp, Timestamp),
    /// The first and the last of whole days.
    Days(Date, Date),
}

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    zone: String,
    said: Said,
    expected: Expected,
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.said {
            Said::Timed(start, end) => write!(formatter, "{start} – {end} {}", self.zone),
            Said::Lasts(start, minutes) => write!(formatter, "{start} for {minutes} minutes {}", self.zone),
            Said::Days(first, last) => write!(formatter, "{first} – {last} {}", self.zone),
        }
    }
}

impl Case {
    fn timed(zone: &Named, start: DateTime, end: DateTime) -> Self {
        Self { zone: zone.name.clone(), said: Said::Timed(start, end), expected: span(zone, start, end) }
    }

    fn lasts(zone: &Named, start: DateTime, minutes: i64) -> Self {
        let begins = zone.instant(start);
        let expected = Expected::Timed(begins, begins + SignedDuration::from_mins(minutes));
        Self { zone: zone.name.clone(), said: Said::Lasts(start, minutes), expected }
    }

    fn days(zone: &Named, first: Date, last: Date) -> Self {
        Self { zone: zone.name.clone(), said: Said::Days(first, last), expected: Expected::Days(first, last) }
    }

    /// The line of the source.
    pub(crate) fn line(&self, id: &str) -> Value {
        let mut line = json!({
            "kind": "appointment", "id": id, "mailbox": MAILBOX, "subject": id, "zone": self.zone,
        });
        match self.said {
            Said::Timed(start, end) => {
                (line["start"], line["end"]) = (json!(start.to_string()), json!(end.to_string()))
            }
            Said::Lasts(start, minutes) => {
                (line["start"], line["duration"]) = (json!(start.to_string()), json!(minutes))
            }
            Said::Days(first, last) => {
                (line["start"], line["end"], line["all_day"]) =
                    (json!(first.to_string()), json!(last.to_string()), json!(true));
            }
        }
        line
    }

    /// What the calendar shows otherwise.
    pub(crate) fn difference(&self, found: &Expected) -> Option<String> {
        (*found != self.expected).then(|| format!("expected {:?}, found {found:?}", self.expected))
    }
}

/// The instants of a span of wall times. One that begins in a skipped hour and would end before it starts keeps its
/// length.
pub(crate) fn span(zone: &Named, start: DateTime, end: DateTime) -> Expected {
    let (begins, ends) = (zone.instant(start), zone.instant(end));
    if ends < begins {
        Expected::Timed(begins, begins + start.duration_until(end))
    } else {
        Expected::Timed(begins, ends)
    }
}

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (zone, edges) in zones::chosen() {
        for edge in edges {
            let timed = walls(edge).into_iter().map(|(start, end)| Case::timed(&zone, start, end));
            // Across the change, and into the second of two hours that are alike.
            let gap = edge.low.duration_until(edge.high).as_mins();
            let lasting = [30 + gap / 2, 30 + gap + gap / 2, 24 * 60];
            let before = edge.low - SignedDuration::from_mins(30);
            let lasting = lasting.into_iter().map(|minutes| Case::lasts(&zone, before, minutes));
            let mut timed = timed.chain(lasting).collect::<Vec<_>>().into_iter();
            let mut days = days(edge).into_iter().map(|(first, last)| Case::days(&zone, first, last));
            // In turns, so that the next case often differs in whether it is all-day.
            loop {
                let pair = (timed.next(), days.next());
                if pair == (None, None) {
                    break;
                }
                cases.extend(pair.0.into_iter().chain(pair.1));
            }
        }
    }
    for (zone, edge) in zones::every() {
        let walls = walls(edge);
        let (inside, across) = (walls[1], walls[5]);
        cases.push(Case::timed(&zone, inside.0, across.1));
        cases.push(Case::days(&zone, edge.low.date(), edge.high.date()));
    }
    cases
}

impl PartialEq for Case {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// Spans of wall times around a change.
fn walls(Edge { low, high }: Edge) -> Vec<(DateTime, DateTime)> {
    let gap = low.duration_until(high);
    let (hour, half) = (SignedDuration::from_hours(1), SignedDuration::from_mins(30));
    let (quarter, middle) = (low + gap / 4, low + gap / 2);
    let at = |days: i64, hours: i8, minutes: i8| (low.date() + days.days()).to_datetime(time(hours, minutes, 0, 0));
    vec![
        (low - hour, low),
        (quarter, middle),
        (middle, high + hour),
        (low - half, middle),
        (low, high),
        (low - hour, high + hour),
        (at(-1, 22, 0), at(0, 6, 0)),
        (at(-2, 9, 0), at(2, 17, 30)),
        (middle, middle),
    ]
}

/// Spans of days around a change.
fn days(Edge { low, .. }: Edge) -> Vec<(Date, Date)> {
    let day = |days: i64| low.date() + days.days();
    vec![(day(0), day(0)), (day(-1), day(-1)), (day(-1), day(1)), (day(0), day(1)), (day(-3), day(3))]
}
