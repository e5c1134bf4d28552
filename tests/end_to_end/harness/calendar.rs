//! What a calendar of the sandbox holds.

use std::collections::{BTreeMap, BTreeSet};

use calsyncd::{
    gateway::PROPERTY_SET,
    sandbox::store::{Entry, Filter, PropertyName},
};
use jiff::Zoned;

use super::World;

/// The items of a mailbox: ours by their source keys, and the rest.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Ours, by `<kind>/<id>`; more than one under a key is a duplicate.
    pub(crate) ours: BTreeMap<String, Vec<Entry>>,
    /// Everything else, each as one text that changes with any change.
    pub(crate) foreign: BTreeSet<String>,
}

impl Shown {
    /// The one item of a key.
    #[track_caller]
    pub(crate) fn one(&self, key: &str) -> &Entry {
        match self.ours.get(key).map(Vec::as_slice) {
            Some([one]) => one,
            Some(several) => panic!("{key}: {} items", several.len()),
            None => panic!("{key}: no item, but {:?}", self.ours.keys()),
        }
    }

    /// Start, end and subject of the one item of a key, in wall times.
    #[track_caller]
    pub(crate) fn line(&self, key: &str) -> String {
        line(self.one(key))
    }
}

/// Start, end and subject, in wall times.
fn line(entry: &Entry) -> String {
    let content = &entry.content;
    let start = content.start_wall().strftime("%Y-%m-%dT%H:%M");
    let end = content.end_wall().strftime("%Y-%m-%dT%H:%M");
    format!("{start} {end} {}", content.subject)
}

impl World {
    /// What the calendar of a person holds.
    pub(crate) fn shown(&self, person: &str) -> Shown {
        let property = PropertyName::new(PROPERTY_SET, "SourceKey");
        let entries = self.store().find(&format!("{person}@example.test"), None, &Filter::All).unwrap();
        let mut shown = Shown { ours: BTreeMap::new(), foreign: BTreeSet::new() };
        for entry in entries {
            match entry.content.properties.get(&property) {
                Some(key) => {
                    let key = key.split_once('/').unwrap().1.to_owned();
                    shown.ours.entry(key).or_default().push(entry);
                }
                None => {
                    shown.foreign.insert(format!("{entry:?}"));
                }
            }
        }
        shown
    }

    /// How many items the calendar of a person holds.
    pub(crate) fn item_count(&self, person: &str) -> usize {
        self.store().mailbox(&format!("{person}@example.test")).unwrap().item_count
    }

    /// Everything that takes place in the calendar of a person in the next 90 days, series expanded.
    pub(crate) fn agenda(&self, person: &str) -> Vec<String> {
        let now = Zoned::now();
        let from = now.timestamp();
        let to = from + jiff::SignedDuration::from_hours(24 * 90);
        let entries = self.store().view(&format!("{person}@example.test"), None, from, to).unwrap();
        entries.iter().map(line).collect()
    }

    /// Panics unless the calendar of the person holds exactly one item of ours for each event, and nothing else of ours.
    #[track_caller]
    pub(crate) fn assert_exactly(&self, person: &str, events: &[serde_json::Value]) {
        let shown = self.shown(person);
        let expected: BTreeSet<String> = events
            .iter()
            .filter(|event| event["person"] == person)
            .map(|event| format!("{}/{}", event["kind"].as_str().unwrap(), event["id"].as_str().unwrap()))
            .collect();
        let found: BTreeSet<String> = shown.ours.keys().cloned().collect();
        let missing: Vec<_> = expected.difference(&found).collect();
        let surplus: Vec<_> = found.difference(&expected).collect();
        let doubled: Vec<_> = shown.ours.iter().filter(|(_, items)| items.len() > 1).map(|(key, _)| key).collect();
        assert!(
            missing.is_empty() && surplus.is_empty() && doubled.is_empty(),
            "{person}: missing {missing:?}, surplus {surplus:?}, doubled {doubled:?}"
        );
    }
}
