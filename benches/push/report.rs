//! The table of medians.

use std::{collections::BTreeMap, fmt};

use super::{
    pass::{PassKind, Taken},
    stage::Face,
};

/// What every run of every pass took.
pub(crate) struct Table {
    events: usize,
    rows: BTreeMap<(Face, PassKind), Vec<Taken>>,
}

impl Table {
    pub(crate) const fn new(events: usize) -> Self {
        Self { events, rows: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, face: Face, kind: PassKind, taken: Taken) {
        self.rows.entry((face, kind)).or_default().push(taken);
    }
}

fn median(runs: &[Taken], figure: impl Fn(&Taken) -> f64) -> f64 {
    let mut figures: Vec<f64> = runs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { f64::midpoint(figures[middle - 1], figures[middle]) }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.events as f64;
        writeln!(
            formatter,
            "| face | pass | seconds | events/s | requests | client CPU, s | client CPU, µs/event | server CPU, s | peak, MiB |"
        )?;
        writeln!(formatter, "|---|---|---:|---:|---:|---:|---:|---:|---:|")?;
        for ((face, kind), runs) in &self.rows {
            let client = median(runs, |taken| taken.client_cpu_seconds);
            writeln!(
                formatter,
                "| {} | {} | {:.2} | {:.0} | {:.0} | {client:.2} | {:.0} | {:.2} | {:.1} |",
                face.name(),
                kind.name(),
                median(runs, |taken| taken.seconds),
                median(runs, |taken| events / taken.seconds),
                median(runs, |taken| taken.requests as f64),
                client / events * 1e6,
                median(runs, |taken| taken.server_cpu_seconds),
                median(runs, |taken| taken.peak_kib as f64 / 1024.0),
            )?;
        }
        Ok(())
    }
}
