//! The brake over all mailboxes: a source that is short all at once empties many small calendars, each under its own brake.
//!
//! Share and number are looked at for each job, for each source and for the whole run; and, without any calendar, for what the
//! source itself holds.

use jiff::Timestamp;

use super::{Wiring, catalogue::Catalogue};
use crate::{
    desired::selects,
    model::{address::Address, key::SourceKey},
    observability::events::{SourceBraked, SourceShrunk},
    plan::{Policy, is_braked},
    settings::Job,
    state::{SourceCount, StateError, Store},
};

/// Holds every deletion on the word of `source` when its last read would delete more than the brake allows, or holds so much
/// less than before. Returns what is to be remembered of the read, where it was complete.
pub(super) async fn brake(
    catalogue: &mut Catalogue,
    wiring: &Wiring,
    store: &Store,
    source: &str,
    now: Timestamp,
) -> Result<Option<SourceCount>, StateError> {
    let Some(events) = catalogue.count(source) else {
        // Nothing is deleted on its word anyway.
        catalogue.set_braked(source, false);
        return Ok(None);
    };
    let policy = wiring.policy(now);
    let before = store.source_counts().await?.into_iter().find(|count| count.source == source);
    let count = counted(before.as_ref(), source, events as u64, &policy, now);
    let is_shrunk = count.shrunk_since.is_some();
    if is_shrunk {
        SourceShrunk { source, events: count.latest, before: count.accepted }.emit();
    }
    let links = store.live_links(source, policy.frozen_before).await?;
    let jobs = wiring.jobs.iter().filter(|(_, job)| job.source == source);
    let over = catalogue.over_the_brake(&links, &policy).map(|over| ("source".to_owned(), over)).or_else(|| {
        jobs.filter_map(|(name, job)| {
            let of_job: Vec<_> = links.iter().filter(|(mailbox, key)| is_of(job, mailbox, key)).cloned().collect();
            Some((format!("job {name}"), catalogue.over_the_brake(&of_job, &policy)?))
        })
        .next()
    });
    if let Some((limit, (deletions, total))) = &over {
        SourceBraked { source, limit, count: *deletions as u64, total: *total as u64 }.emit();
    }
    catalogue.set_braked(source, is_shrunk || over.is_some());
    over_the_run(catalogue, store, source, links, &policy).await?;
    Ok(Some(count))
}

/// Holds the deletions of all sources when those of all together are over the brake.
async fn over_the_run(
    catalogue: &mut Catalogue,
    store: &Store,
    source: &str,
    mut links: Vec<(Address, SourceKey)>,
    policy: &Policy,
) -> Result<(), StateError> {
    let complete = catalogue.view().complete.clone();
    let others: Vec<&String> = complete.iter().filter(|other| *other != source).collect();
    if others.is_empty() {
        return Ok(());
    }
    for other in others {
        links.extend(store.live_links(other, policy.frozen_before).await?);
    }
    let Some((deletions, total)) = catalogue.over_the_brake(&links, policy) else { return Ok(()) };
    SourceBraked { source, limit: "run", count: deletions as u64, total: total as u64 }.emit();
    for source in &complete {
        catalogue.set_braked(source, true);
    }
    Ok(())
}

/// Whether an item is one that a job would write: of its source, its kinds and its people.
fn is_of(job: &Job, mailbox: &Address, key: &SourceKey) -> bool {
    job.source == key.source() && job.kinds.iter().any(|kind| key.is_of(*kind)) && selects(job, mailbox)
}

/// What is remembered of a complete read. What shrank stays compared with what it was, until it grows again or an operator
/// accepts it.
fn counted(before: Option<&SourceCount>, source: &str, latest: u64, policy: &Policy, now: Timestamp) -> SourceCount {
    let as_size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let shrunk = before
        .filter(|before| is_braked(as_size(before.accepted.saturating_sub(latest)), as_size(before.accepted), policy));
    SourceCount {
        source: source.to_owned(),
        accepted: shrunk.map_or(latest, |before| before.accepted),
        latest,
        read_at: now,
        shrunk_since: shrunk.map(|before| before.shrunk_since.unwrap_or(now)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::Timestamp;

    use super::counted;
    use crate::{plan::Policy, state::SourceCount};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_source_that_shrinks_is_compared_with_what_it_was() {
        let policy = Policy { brake_share_percent: 20, brake_number: 10, frozen_before: at(0) };
        let mut count: Option<SourceCount> = None;
        // What is read, what it is compared with from then on, and since when it is short.
        let steps = [
            (100, 100, None),
            (90, 90, None),
            (72, 72, None),
            (40, 72, Some(4)),
            (30, 72, Some(4)),
            (58, 58, None),
            (60, 60, None),
            (0, 60, Some(8)),
            (200, 200, None),
        ];
        for (step, (latest, accepted, since)) in (1..).zip(steps) {
            let next = counted(count.as_ref(), "erp", latest, &policy, at(step));
            assert_eq!((next.accepted, next.latest), (accepted, latest), "step {step}");
            assert_eq!(next.shrunk_since, since.map(at), "step {step}");
            count = Some(next);
        }
        let small = counted(None, "erp", 10, &policy, at(1));
        assert_eq!(counted(Some(&small), "erp", 0, &policy, at(2)).shrunk_since, None, "ten are under the number");
    }
}
