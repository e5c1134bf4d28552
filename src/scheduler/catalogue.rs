//! What all sources together ask of each mailbox, and what they say of everything else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{outside::Read, view::View};
use crate::{
    desired::{Note, SkipReason, Skipped, desired},
    model::{
        address::Address,
        event::DesiredEvent,
        key::SourceKey,
        source::{Completeness, Rejection, SourceRead},
        window::Window,
    },
    observability::events::{EventExpanded, EventQuarantined, SourceIncomplete, SourceReadError, SourceReadFinished},
    plan::{KeepReason, Policy, is_braked},
    settings::{Departure, Job},
    sources::SourceError,
    state::{StateError, Store},
};

/// The place of what concerns a source as a whole.
const WHOLE_SOURCE: &str = "(the whole source)";

type Events = Arc<Vec<Arc<DesiredEvent>>>;

/// What all sources together ask of each mailbox.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    reads: BTreeMap<String, LastRead>,
    mailboxes: BTreeMap<Address, Events>,
    view: Arc<View>,
    /// What was noted at the last read of each source.
    notes: BTreeMap<String, BTreeSet<Noted>>,
    /// What the jobs leave out, where somebody asks for it.
    skipped: Option<Vec<Skipped>>,
}

/// A note without the number of items, which changes as the window moves on.
type Noted = (SourceKey, Address, String);

#[derive(Debug)]
struct LastRead {
    read: Arc<Read>,
    complete: bool,
}

/// What a read brought.
#[derive(Debug)]
pub(super) struct Taken {
    source: String,
    pub(super) events: usize,
    /// The mailboxes for which something is different now.
    pub(super) changed: Vec<Address>,
    /// Why it could not be read.
    pub(super) error: Option<SourceError>,
    /// The events that are not shown by one item.
    pub(super) notes: Vec<Note>,
    /// Those of them of which that is new.
    fresh_notes: Vec<Note>,
    /// What could not be used.
    rejections: Vec<Rejection>,
    pub(super) incomplete: Option<String>,
}

/// What is different after a read.
struct Rebuilt {
    changed: Vec<Address>,
    rejections: Vec<Rejection>,
    notes: Vec<Note>,
}

impl Catalogue {
    /// One that tells what the jobs leave out.
    pub(super) fn telling() -> Self {
        Self { skipped: Some(Vec::new()), ..Self::default() }
    }

    /// What the jobs leave out of the last reads.
    pub(super) fn skipped(&self) -> &[Skipped] {
        self.skipped.as_deref().unwrap_or_default()
    }

    /// Mailboxes in which there may be something of ours.
    pub(super) fn know_mailboxes(&mut self, mailboxes: impl Iterator<Item = Address>) {
        for mailbox in mailboxes {
            self.mailboxes.entry(mailbox).or_default();
        }
    }

    /// Forgets every source but these.
    pub(super) fn keep_sources(&mut self, names: &BTreeSet<String>) {
        self.reads.retain(|name, _| names.contains(name));
        self.notes.retain(|name, _| names.contains(name));
    }

    /// Every mailbox.
    pub(super) fn mailboxes(&self) -> impl Iterator<Item = &Address> {
        self.mailboxes.keys()
    }

    /// What a mailbox should show, in the order of the keys.
    pub(super) fn desired(&self, mailbox: &Address) -> Events {
        self.mailboxes.get(mailbox).cloned().unwrap_or_default()
    }

    /// What the sources say of keys.
    pub(super) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view)
    }

    /// How many events the last read of a source named; `None` when it was not complete.
    pub(super) fn count(&self, source: &str) -> Option<usize> {
        let last = self.reads.get(source).filter(|_| self.view.complete.contains(source))?;
        let LastRead { read, .. } = last;
        Some(read.read.events.len() + read.read.rejections.len())
    }

    /// How many of some live items the last reads would delete, and of how many, where that is over the brake.
    pub(super) fn over_the_brake(&self, links: &[(Address, SourceKey)], policy: &Policy) -> Option<(usize, usize)> {
        let deletions = self.view.deletions(links);
        is_braked(deletions, links.len(), policy).then_some((deletions, links.len()))
    }

    /// Holds every deletion on the word of a source, or does not.
    pub(super) fn set_braked(&mut self, source: &str, is_braked: bool) {
        if self.view.braked.contains(source) == is_braked {
            return;
        }
        let view = Arc::make_mut(&mut self.view);
        if is_braked {
            view.braked.insert(source.to_owned());
        } else {
            view.braked.remove(source);
        }
    }

    /// Takes nothing for deleted on the word of `source` until it is read again.
    pub(super) fn distrust(&mut self, source: &str) {
        Arc::make_mut(&mut self.view).complete.remove(source);
    }

    /// Takes a read in. A read that failed leaves the last one as it is, but nothing is taken for deleted any more.
    pub(super) fn take(
        &mut self,
        jobs: &BTreeMap<String, Job>,
        source: &str,
        result: Result<SourceRead, SourceError>,
        now: Timestamp,
    ) -> Taken {
        let (error, incomplete, events) = match result {
            Ok(read) => {
                let incomplete = match &read.completeness {
                    Completeness::Complete => None,
                    Completeness::Incomplete(reason) => Some(reason.clone()),
                };
                let events = read.events.len();
                let complete = incomplete.is_none();
                self.reads.insert(source.to_owned(), LastRead { read: Arc::new(Read::new(read)), complete });
                (None, incomplete, events)
            }
            Err(error) => {
                if let Some(last) = self.reads.get_mut(source) {
                    last.complete = false;
                }
                (Some(error), None, 0)
            }
        };
        let Rebuilt { changed, rejections, notes } = self.rebuild(jobs, source, now);
        let fresh_notes = self.fresh_notes(source, &notes);
        Taken { source: source.to_owned(), events, changed, error, notes, fresh_notes, rejections, incomplete }
    }

    /// The notes that were not there at the last read.
    fn fresh_notes(&mut self, source: &str, notes: &[Note]) -> Vec<Note> {
        let noted = |note: &Note| (note.key.clone(), note.mailbox.clone(), note.reason.clone());
        let now: BTreeSet<Noted> = notes.iter().map(noted).collect();
        let before = self.notes.insert(source.to_owned(), now).unwrap_or_default();
        notes.iter().filter(|note| !before.contains(&noted(note))).cloned().collect()
    }

    /// Works out anew what every mailbox should show. Returns the mailboxes for which that is something else than before,
    /// and what is to be said of the events of `source`.
    fn rebuild(&mut self, jobs: &BTreeMap<String, Job>, source: &str, now: Timestamp) -> Rebuilt {
        let mut mailboxes: BTreeMap<Address, Vec<Arc<DesiredEvent>>> = BTreeMap::new();
        let mut view = View::default();
        self.skipped = self.skipped.take().map(|_| Vec::new());
        let (mut rejections, mut notes) = (BTreeSet::new(), Vec::new());
        for job in jobs.values() {
            let Some(LastRead { read, complete }) = self.reads.get(&job.source) else { continue };
            if *complete {
                view.complete.insert(job.source.clone());
            }
            view.reads.insert(job.source.clone(), Arc::clone(read));
            let read = &read.read;
            let wanted = desired(read, job, window(job, now));
            let here = read.rejections.iter().chain(&wanted.rejections);
            for rejection in here {
                if let Some(key) = &rejection.key {
                    view.keep(key.clone(), None, KeepReason::Rejected);
                }
                if job.source == source {
                    rejections.insert(rejection.clone());
                }
            }
            if let Some(all) = &mut self.skipped {
                all.extend(wanted.skipped.iter().cloned());
            }
            for skipped in wanted.skipped {
                // A generic person without an address has no calendar: an item of the event that is there was somebody
                // else's before, and was handed on.
                if skipped.reason == SkipReason::Generic && skipped.mailbox.is_none() {
                    continue;
                }
                match (job.out_of_scope, keep_reason(skipped.reason)) {
                    (Departure::Delete, KeepReason::NotSelected | KeepReason::Generic | KeepReason::TooLong)
                        if skipped.reason != SkipReason::NoMailbox =>
                    {
                        view.let_go(skipped.key)
                    }
                    (Departure::Delete | Departure::Keep, reason) => view.keep(skipped.key, skipped.mailbox, reason),
                }
            }
            view.cancel(wanted.cancelled, wanted.cancelled_away);
            wanted.divided.into_iter().for_each(|divided| view.divide(divided));
            notes.extend(wanted.notes.into_iter().filter(|_| job.source == source));
            for (mailbox, events) in wanted.mailboxes {
                mailboxes.entry(mailbox).or_default().extend(events);
            }
        }
        let mut holders = Vec::new();
        for (mailbox, shown) in &mut mailboxes {
            // The sort keeps the order of the jobs among equal keys: the first job that names an event shows it.
            shown.sort_by(|one, other| one.key.cmp(&other.key));
            shown.dedup_by(|one, other| one.key == other.key);
            holders.extend(shown.iter().map(|event| (event.key.clone(), mailbox.clone())));
        }
        view.hold(holders);
        view.braked.clone_from(&self.view.braked);
        let changed = self.replace(mailboxes);
        self.view = Arc::new(view);
        notes.sort();
        notes.dedup_by(|one, other| one.key == other.key && one.mailbox == other.mailbox);
        Rebuilt { changed, rejections: rejections.into_iter().collect(), notes }
    }

    fn replace(&mut self, mut mailboxes: BTreeMap<Address, Vec<Arc<DesiredEvent>>>) -> Vec<Address> {
        let mut changed = Vec::new();
        for (mailbox, before) in &mut self.mailboxes {
            let after = mailboxes.remove(mailbox).unwrap_or_default();
            if **before != after {
                *before = Arc::new(after);
                changed.push(mailbox.clone());
            }
        }
        for (mailbox, shown) in mailboxes {
            changed.push(mailbox.clone());
            self.mailboxes.insert(mailbox, Arc::new(shown));
        }
        changed
    }
}

impl Taken {
    /// Tells the log.
    pub(super) fn emit(&self) {
        for note in &self.fresh_notes {
            EventExpanded {
                source: &self.source,
                key: note.key.as_str(),
                mailbox: note.mailbox.as_str(),
                items: note.items as u64,
                reason: &note.reason,
            }
            .emit();
        }
        if let Some(error) = &self.error {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            SourceReadError { source: &self.source, reason: &format!("{error}{cause}") }.emit();
            return;
        }
        SourceReadFinished {
            source: &self.source,
            events: self.events as u64,
            rejected: self.rejections.len() as u64,
            complete: self.incomplete.is_none(),
        }
        .emit();
        if let Some(reason) = &self.incomplete {
            SourceIncomplete { source: &self.source, reason }.emit();
        }
    }

    /// What somebody should look at: the events that could not be used, and why the source counts as read in part.
    pub(super) fn findings(&self) -> Vec<Rejection> {
        let in_part = self.incomplete.as_ref().map(|reason| Rejection {
            key: None,
            place: WHOLE_SOURCE.to_owned(),
            reason: format!("read in part, so that nothing is deleted on its word: {reason}"),
        });
        self.rejections.iter().cloned().chain(in_part).collect()
    }

    /// Writes the events down that could not be used, and tells the log of those that are new.
    pub(super) async fn save_rejections(&self, store: &Store, now: Timestamp) -> Result<(), StateError> {
        if self.error.is_some() {
            return Ok(());
        }
        let fresh = store.replace_rejections(&self.source, &self.rejections, now).await?;
        for fresh in &fresh {
            EventQuarantined {
                source: &self.source,
                key: fresh.key.as_ref().map_or("", SourceKey::as_str),
                place: &fresh.place,
                reason: &fresh.reason,
            }
            .emit();
        }
        Ok(())
    }
}

const fn keep_reason(reason: SkipReason) -> KeepReason {
    match reason {
        SkipReason::OutOfWindow => KeepReason::OutOfWindow,
        SkipReason::OtherKind | SkipReason::NotSelected | SkipReason::NoMailbox => KeepReason::NotSelected,
        SkipReason::Generic => KeepReason::Generic,
        SkipReason::TooLong { .. } => KeepReason::TooLong,
        SkipReason::Rejected => KeepReason::Rejected,
    }
}

/// The window of a job. It moves by whole days, so that it is the same all day.
pub(super) fn window(job: &Job, now: Timestamp) -> Window {
    let zone = job.zone.rules();
    let today = now.to_zoned(zone.clone()).date();
    let at_midnight = |days: i64, otherwise: Timestamp| {
        let date = today.checked_add(days.days());
        date.ok().and_then(|date| date.to_zoned(zone.clone()).ok()).map_or(otherwise, |zoned| zoned.timestamp())
    };
    let day = SignedDuration::from_hours(24);
    Window {
        start: at_midnight(-i64::from(job.window_days_back), now.checked_sub(day).unwrap_or(now)),
        end: at_midnight(i64::from(job.window_days_ahead) + 1, now.checked_add(day).unwrap_or(now)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Catalogue;
    use crate::{
        desired::Note,
        model::{
            address::Address,
            key::{Kind, SourceKey},
        },
    };

    #[test]
    fn a_note_is_told_once_until_its_reason_changes() {
        let note = |id: &str, reason: &str, items| Note {
            key: SourceKey::new("erp", Kind::Appointment, id),
            mailbox: Address::parse("ana@example.test").unwrap(),
            reason: reason.to_owned(),
            items,
        };
        let mut catalogue = Catalogue::default();
        let cases = [
            (vec![note("1", "a", 2)], vec!["1 a"]),
            (vec![note("1", "a", 3)], vec![]),
            (vec![note("1", "b", 3), note("2", "a", 1)], vec!["1 b", "2 a"]),
            (vec![], vec![]),
            (vec![note("1", "b", 3)], vec!["1 b"]),
        ];
        for (notes, expected) in cases {
            let fresh = catalogue.fresh_notes("erp", &notes);
            let fresh: Vec<String> = fresh
                .iter()
                .map(|note| format!("{} {}", note.key.as_str().trim_start_matches("erp/appointment/"), note.reason))
                .collect();
            assert_eq!(fresh, expected);
        }
        assert_eq!(catalogue.fresh_notes("other", &[note("1", "b", 3)]).len(), 1);
    }
}
