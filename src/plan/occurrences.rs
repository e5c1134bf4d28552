//! Which occurrences of a series a change concerns: those of which something else was written than what is wanted now.
//!
//! Two things make a server lay a series out anew, with all its exceptions: other times or another rule, and an occurrence
//! that was cancelled and takes place again, since it is there no more and cannot be written alone.

use jiff::civil::DateTime;

use crate::model::{
    event::DesiredEvent,
    fingerprint::Field,
    link::Link,
    occurrences::{Occurrences, Written, WrittenOccurrences},
    recurrence::{Exception, ExceptionChange},
};

/// The occurrences that an update of these fields writes, and what is known of them once it is done.
pub(super) fn occurrences(
    event: &DesiredEvent,
    fields: &[Field],
    link: &Link,
) -> (Occurrences, Option<WrittenOccurrences>) {
    let Some(series) = &event.series else { return (Occurrences::NONE, None) };
    let whole = |occurrences| (occurrences, WrittenOccurrences::of(event));
    let Some(before) = &link.occurrences else { return whole(Occurrences::All) };
    if fields.iter().any(|field| matches!(field, Field::Time | Field::Recurrence)) {
        return whole(if before.is_empty() { Occurrences::Fresh } else { Occurrences::All });
    }
    let mut touched = Vec::new();
    let mut written = Vec::with_capacity(before.as_slice().len().max(series.exceptions.len()));
    for (original, before, wanted) in both(before.as_slice(), &series.exceptions) {
        let is_cancelled = wanted.is_some_and(|exception| exception.change == ExceptionChange::Cancelled);
        if before == Some(Written::Cancelled) && !is_cancelled {
            return whole(Occurrences::All);
        }
        let now = wanted.map_or(Written::AsTheRule, |exception| Written::of(&exception.change));
        if before != Some(now) || may_follow(wanted, now, fields, link) {
            touched.push(original);
        }
        written.push((original, now));
    }
    (Occurrences::Only(touched), Some(WrittenOccurrences::new(written)))
}

/// Whether an exception that is to stay as it is may not, when the content of its series changes: one that says what its
/// series says, and one that said in some field what its series said before. Whether the server lets such a field follow
/// the series is not documented.
fn may_follow(wanted: Option<&Exception>, now: Written, fields: &[Field], link: &Link) -> bool {
    let mut content = fields.iter().filter(|field| field.is_content());
    match (now, wanted.map(|exception| &exception.change)) {
        (Written::AsTheRule, _) => content.next().is_some(),
        (Written::Changed(_), Some(ExceptionChange::Changed { content: ours, .. })) => {
            content.any(|field| link.fingerprint.says(*field, ours))
        }
        (Written::Cancelled | Written::Changed(_), _) => false,
    }
}

/// Each original of either list with what both say of it, in order.
fn both<'a>(
    before: &'a [(DateTime, Written)],
    wanted: &'a [Exception],
) -> impl Iterator<Item = (DateTime, Option<Written>, Option<&'a Exception>)> {
    let (mut before, mut wanted) = (before.iter().peekable(), wanted.iter().peekable());
    std::iter::from_fn(move || {
        let original = match (before.peek(), wanted.peek()) {
            (Some((one, _)), Some(other)) => *one.min(&other.original),
            (Some((one, _)), None) => *one,
            (None, Some(other)) => other.original,
            (None, None) => return None,
        };
        let before = before.next_if(|(one, _)| *one == original).map(|(_, written)| *written);
        let wanted = wanted.next_if(|exception| exception.original == original);
        Some((original, before, wanted))
    })
}
