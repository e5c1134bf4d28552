//! Zones × changes of the clocks × timed, all-day and many days × create and update × EWS and Graph: every case is read
//! from a file, written by the gateway to the sandbox, and read back as the instants and dates that the source means.
//! What is expected is computed from the IANA database alone.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod cases;
mod series;
mod stage;
mod zones;

use std::collections::BTreeMap;

use cases::Expected;
use stage::{Face, Stage};

/// How many differences are told.
const TOLD_MAX: usize = 20;

#[test]
fn single_events_over_ews() {
    singles(Face::Ews);
}

#[test]
fn single_events_over_graph() {
    singles(Face::Graph);
}

#[test]
fn series_over_ews() {
    series::run(Face::Ews);
}

#[test]
fn series_over_graph() {
    series::run(Face::Graph);
}

/// Creates an item for each case, then lets every item show the next case, then the case at the other end of the list:
/// its time, its zone, and whether it is all-day change.
fn singles(face: Face) {
    let cases = cases::all();
    let count = cases.len();
    let mut stage = Stage::new(face);
    let mut differences = Vec::new();
    for step in ["create", "update to the next", "update to the last"] {
        let shown = |item: usize| match step {
            "create" => &cases[item],
            "update to the next" => &cases[(item + 1) % count],
            _ => &cases[count - 1 - item],
        };
        let lines: Vec<_> = (0..count).map(|item| shown(item).line(&id(item))).collect();
        let refused = stage.write(&lines);
        assert_eq!(refused, BTreeMap::new(), "{step}");
        differences.extend(stage.failures());
        let found = stage.items();
        for item in 0..count {
            let case = shown(item);
            let difference = match found.get(&id(item)).map(Vec::as_slice) {
                Some([one]) => case.difference(one),
                several => Some(format!("{} items", several.map_or(0, <[_]>::len))),
            };
            differences.extend(difference.map(|difference| format!("{face:?}, {step}: {case}: {difference}")));
        }
    }
    report(face, "single", count * 3, &differences);
}

fn id(item: usize) -> String {
    format!("item-{item}")
}

/// Tells how many cases there were, and fails with the first differences.
fn report(face: Face, what: &str, count: usize, differences: &[String]) {
    let told: Vec<&str> = differences.iter().map(String::as_str).take(TOLD_MAX).collect();
    println!("{face:?}: {count} {what} cases, {} differences", differences.len());
    assert!(differences.is_empty(), "{} of {count} differ:\n{}", differences.len(), told.join("\n"));
}

/// What the calendar shows of one item, by its subject.
type Items = BTreeMap<String, Vec<Expected>>;
