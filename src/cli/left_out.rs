//! What a plan says of the events that no job shows.

use std::collections::BTreeMap;

use serde_json::json;

use super::output::{count, say};
use crate::{
    desired::{SkipReason, Skipped},
    scheduler::Plans,
};

/// How many events of a reason are named where nobody asks for all.
const NAMED_MAX: usize = 3;

/// A line for each reason, and the events below it: all of them, or the first.
pub(super) fn print(plans: &Plans, verbose: bool) {
    for line in lines(&plans.skipped, plans.out_of_window, verbose) {
        say!("{line}");
    }
}

fn lines(skipped: &[Skipped], out_of_window: usize, verbose: bool) -> Vec<String> {
    let mut by_reason: BTreeMap<SkipReason, Vec<&Skipped>> = BTreeMap::new();
    for skipped in skipped {
        by_reason.entry(skipped.reason).or_default().push(skipped);
    }
    let mut lines = Vec::new();
    if out_of_window > 0 {
        lines.push(format!("left out: {}: {}", count(out_of_window, "event"), SkipReason::OutOfWindow));
    }
    for (reason, skipped) in by_reason {
        lines.push(format!("left out: {}: {reason}", count(skipped.len(), "event")));
        let named = if verbose { skipped.len() } else { skipped.len().min(NAMED_MAX) };
        lines.extend(skipped.iter().take(named).map(|skipped| match &skipped.mailbox {
            Some(mailbox) => format!("  {} of {mailbox}", skipped.key),
            None => format!("  {}", skipped.key),
        }));
        if named < skipped.len() {
            lines.push(format!("  and {} more: --verbose names them", skipped.len() - named));
        }
    }
    lines
}

/// Every event that is left out inside the window.
pub(super) fn as_json(skipped: &[Skipped]) -> Vec<serde_json::Value> {
    let entry = |skipped: &Skipped| {
        let mailbox = skipped.mailbox.as_ref().map(|mailbox| mailbox.as_str());
        json!({ "key": skipped.key.as_str(), "mailbox": mailbox, "reason": skipped.reason.to_string() })
    };
    skipped.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{as_json, lines};
    use crate::{
        desired::{SkipReason, Skipped},
        model::{
            address::Address,
            key::{Kind, SourceKey},
        },
    };

    fn skipped(id: &str, mailbox: Option<&str>, reason: SkipReason) -> Skipped {
        let mailbox = mailbox.map(|mailbox| Address::parse(mailbox).unwrap());
        Skipped { key: SourceKey::new("erp", Kind::Schedule, id), mailbox, reason }
    }

    #[test]
    fn each_reason_has_a_line_and_names_its_events() {
        let too_long = |half_days| SkipReason::TooLong { half_days, days_max: 60 };
        let events = [
            skipped("1", None, SkipReason::Generic),
            skipped("2", None, SkipReason::Generic),
            skipped("3", Some("ana@example.test"), too_long(150)),
            skipped("4", None, SkipReason::Generic),
            skipped("5", Some("ana@example.test"), too_long(121)),
            skipped("6", None, SkipReason::Generic),
        ];
        let brief = [
            "left out: 2 events: out of the window",
            "left out: 4 events: of a generic person, who has no calendar",
            "  erp/schedule/1",
            "  erp/schedule/2",
            "  erp/schedule/4",
            "  and 1 more: --verbose names them",
            "left out: 1 event: a planned workload of 60.5 days, over max_days = 60",
            "  erp/schedule/5 of ana@example.test",
            "left out: 1 event: a planned workload of 75 days, over max_days = 60",
            "  erp/schedule/3 of ana@example.test",
        ];
        assert_eq!(lines(&events, 2, false), brief);
        let verbose = lines(&events, 0, true);
        assert_eq!((verbose.len(), verbose[4].as_str()), (9, "  erp/schedule/6"));
        assert!(lines(&[], 0, false).is_empty());
        let json = as_json(&events[2..4]);
        assert_eq!(json[0]["reason"], "a planned workload of 75 days, over max_days = 60");
        assert_eq!((&json[0]["mailbox"], &json[1]["mailbox"]), (&"ana@example.test".into(), &serde_json::Value::Null));
    }
}
