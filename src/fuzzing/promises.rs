//! What `sources` and `desired` promise of whatever they make.

use std::collections::BTreeSet;

use crate::{
    desired::Desired,
    model::{
        event::Content,
        key::SourceKey,
        recurrence::ExceptionChange,
        source::{Completeness, SourceRead},
    },
};

/// The longest title, in UTF-16 units.
const LINE_UNITS_MAX: usize = 255;

/// The most events that are hashed: it costs more than making them.
const FINGERPRINTS_MAX: usize = 1000;

/// Panics when a promise is broken.
pub(super) fn check(read: &SourceRead, desired: &Desired) {
    let order = read.events.windows(2).all(|pair| pair[0].key < pair[1].key);
    assert!(order, "the events of a read are in the order of their keys, each key once");
    for rejection in read.rejections.iter().chain(&desired.rejections) {
        assert!(!rejection.reason.is_empty() && !rejection.place.is_empty());
        let complete = read.completeness == Completeness::Complete;
        assert!(rejection.key.is_some() || !complete, "a rejection without a key hides an event");
    }
    let mut known: BTreeSet<SourceKey> = desired.skipped.iter().map(|skipped| skipped.key.clone()).collect();
    known.extend(desired.divided.iter().map(|divided| divided.key.clone()));
    known.extend(desired.cancelled_away.iter().cloned());
    for event in desired.mailboxes.values().flatten().take(FINGERPRINTS_MAX) {
        let _ = event.fingerprint();
    }
    for event in desired.mailboxes.values().flatten() {
        known.insert(event.key.clone());
        known.extend(event.key.whole().map(|(whole, _)| whole));
        assert!(event.key.as_str().len() < 200);
        assert!(event.time.start() <= event.time.end());
        content(&event.content);
        for exception in event.series.iter().flat_map(|series| &series.exceptions) {
            if let ExceptionChange::Changed { time, content: own } = &exception.change {
                assert!(time.start() <= time.end());
                content(own);
            }
        }
        assert!(
            event
                .series
                .as_ref()
                .is_none_or(|series| { series.exceptions.windows(2).all(|pair| pair[0].original < pair[1].original) })
        );
    }
    let keys = read.events.iter().map(|event| &event.key);
    for key in keys.chain(read.rejections.iter().filter_map(|rejection| rejection.key.as_ref())) {
        assert!(known.contains(key), "{key} is neither in a mailbox nor among what was left out");
    }
}

fn content(content: &Content) {
    let lines = [&content.subject, &content.location].into_iter().chain(&content.categories);
    for line in lines {
        assert!(line.encode_utf16().count() <= LINE_UNITS_MAX && !line.contains(['\n', '\r']));
        assert!(!line.chars().any(is_forbidden));
    }
    assert!(!content.body.content.chars().any(is_forbidden));
}

/// What XML 1.0 §2.2 forbids.
fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}
