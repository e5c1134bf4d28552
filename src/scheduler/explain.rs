//! Why an event is shown as it is, or not at all: its source is read, the jobs are asked, the state is looked at. Nothing is
//! written, and no calendar is opened.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Wiring, catalogue::window};
use crate::{
    desired::{Note, SkipReason, desired},
    model::{
        address::Address,
        event::DesiredEvent,
        history::Entry,
        key::SourceKey,
        link::{Intent, Link},
        side::Side,
        source::{Completeness, Rejection, SourceRead},
    },
    sources::SourceError,
    state::{Held, Parked, Refused, Standing, StateError, Store, Wait, WaitScope},
};

/// What is known of one event.
#[derive(Debug)]
pub struct Explanation {
    /// The event as a whole, also where a part of it was asked for.
    pub key: SourceKey,
    /// What its source says of it.
    pub source: SourceWord,
    /// What each job of the source makes of it, by the names of the jobs.
    pub jobs: Vec<(String, JobWord)>,
    /// What the state knows of it and of its parts, by mailbox.
    pub mailboxes: Vec<InMailbox>,
    /// The mailboxes that show it, or should, and are left alone for now.
    pub parked: Vec<(Address, Parked)>,
    /// Who else is left alone: the credential, the server, its source.
    pub waits: Vec<Wait>,
    /// What happened to it, oldest first.
    pub history: Vec<Entry>,
}

/// What a source says of an event.
#[derive(Debug)]
pub enum SourceWord {
    /// The settings name no such source.
    NotConfigured,
    /// It could not be read.
    Unreadable(SourceError),
    /// It holds the event.
    Holds {
        /// Where: file and line.
        place: String,
    },
    /// It holds something under that name that cannot be used.
    Rejected(Vec<Rejection>),
    /// It does not name the event.
    Silent {
        /// Why it may hold it all the same: it was not read to its end.
        incomplete: Option<String>,
    },
}

/// What a job makes of an event.
#[derive(Debug)]
pub enum JobWord {
    /// It is shown.
    Shown {
        /// In whose calendar.
        mailbox: Address,
        /// As these items.
        items: Vec<std::sync::Arc<DesiredEvent>>,
        /// Why it is shown otherwise than as one item.
        notes: Vec<Note>,
    },
    /// It is left out.
    LeftOut {
        /// In whose calendar it would be, where that is known.
        mailbox: Option<Address>,
        /// Why.
        reason: SkipReason,
        /// Why, in the words of the rejection.
        rejection: Option<String>,
    },
}

/// What the state knows of an event in one mailbox.
#[derive(Debug)]
pub struct InMailbox {
    /// Whose calendar it is.
    pub mailbox: Address,
    /// What was written.
    pub links: Vec<Link>,
    /// What was decided and is not confirmed.
    pub intents: Vec<Intent>,
    /// What the server refused.
    pub refused: Vec<Refused>,
    /// Deletions that the brake keeps back.
    pub held: Vec<Held>,
    /// What stands without a write: items that were repaired too often, items that stay for a reason.
    pub standings: Vec<Standing>,
}

/// Explains an event, or the event that a part belongs to.
///
/// # Errors
/// When the state cannot be read.
pub async fn explain(
    wiring: &Wiring,
    store: &Store,
    key: &SourceKey,
    now: Timestamp,
) -> Result<Explanation, StateError> {
    let key = key.event();
    let mailboxes = in_mailboxes(store, &key).await?;
    let mut explanation = Explanation {
        source: SourceWord::NotConfigured,
        jobs: Vec::new(),
        mailboxes,
        parked: Vec::new(),
        waits: Vec::new(),
        history: store.history(&key).await?,
        key,
    };
    match wiring.sources.get(explanation.key.source()) {
        None => {}
        Some(source) => match source.read().await {
            Err(error) => explanation.source = SourceWord::Unreadable(error),
            Ok(read) => {
                let read = of_one(read, &explanation.key);
                explanation.jobs = jobs(wiring, &read, &explanation.key, now);
                explanation.source = source_word(read);
            }
        },
    }
    let shown = explanation.jobs.iter().filter_map(|(_, word)| match word {
        JobWord::Shown { mailbox, .. } => Some(mailbox.clone()),
        JobWord::LeftOut { .. } => None,
    });
    let touched: BTreeSet<Address> =
        explanation.mailboxes.iter().map(|known| known.mailbox.clone()).chain(shown).collect();
    let mut sides: BTreeSet<Side> = if touched.is_empty() { wiring.ways.sides().collect() } else { BTreeSet::new() };
    for mailbox in touched {
        let noted = store.place(&mailbox).await?.map(|place| place.side);
        sides.extend(wiring.ways.possible(noted));
        if let Some(parked) = store.mailbox(&mailbox).await?.parked {
            explanation.parked.push((mailbox, parked));
        }
    }
    explanation.waits = waits(store, &explanation.key, &sides, now).await?;
    Ok(explanation)
}

/// The waits that touch an event on the sides of its mailboxes and are not over.
async fn waits(
    store: &Store,
    key: &SourceKey,
    sides: &BTreeSet<Side>,
    now: Timestamp,
) -> Result<Vec<Wait>, StateError> {
    let touches = |wait: &Wait| match &wait.scope {
        WaitScope::Credential(side) => sides.contains(side),
        WaitScope::Server(side) => sides.contains(side) && wait.until > now,
        WaitScope::Source(name) => name == key.source(),
    };
    Ok(store.waits().await?.into_iter().filter(touches).collect())
}

/// What a read says of one event.
fn of_one(read: SourceRead, key: &SourceKey) -> SourceRead {
    let is_meant = |other: &SourceKey| other.event() == *key;
    SourceRead {
        events: read.events.into_iter().filter(|event| is_meant(&event.key)).collect(),
        rejections: read
            .rejections
            .into_iter()
            .filter(|rejection| rejection.key.as_ref().is_some_and(is_meant))
            .collect(),
        completeness: read.completeness,
    }
}

fn source_word(read: SourceRead) -> SourceWord {
    match (read.events.into_iter().next(), read.completeness) {
        (Some(event), _) => SourceWord::Holds { place: event.place },
        (None, _) if !read.rejections.is_empty() => SourceWord::Rejected(read.rejections),
        (None, Completeness::Complete) => SourceWord::Silent { incomplete: None },
        (None, Completeness::Incomplete(reason)) => SourceWord::Silent { incomplete: Some(reason) },
    }
}

fn jobs(wiring: &Wiring, read: &SourceRead, key: &SourceKey, now: Timestamp) -> Vec<(String, JobWord)> {
    let mut words = Vec::new();
    for (name, job) in wiring.jobs.iter().filter(|(_, job)| job.source == key.source()) {
        let wanted = desired(read, job, window(job, now));
        let is_shown = !wanted.mailboxes.is_empty();
        for (mailbox, items) in wanted.mailboxes {
            let notes = wanted.notes.iter().filter(|note| note.mailbox == mailbox).cloned().collect();
            words.push((name.clone(), JobWord::Shown { mailbox, items, notes }));
        }
        // What is shown in parts has one part out of the window now and then: that is no reason of its own.
        for skipped in wanted.skipped.into_iter().filter(|_| !is_shown) {
            let rejection = wanted.rejections.iter().find(|rejection| rejection.key.as_ref() == Some(&skipped.key));
            let rejection = rejection.map(|rejection| rejection.reason.clone());
            let word = JobWord::LeftOut { mailbox: skipped.mailbox, reason: skipped.reason, rejection };
            words.push((name.clone(), word));
        }
    }
    words
}

async fn in_mailboxes(store: &Store, key: &SourceKey) -> Result<Vec<InMailbox>, StateError> {
    let is_meant = |other: &SourceKey| other.event() == *key;
    let (refused, held) = (store.refusals(None).await?, store.holds(None).await?);
    let standings = store.standings(None).await?;
    let mut found = Vec::new();
    for state in store.mailboxes().await? {
        let mailbox = state.mailbox;
        let known = InMailbox {
            links: store.links(&mailbox).await?.into_iter().filter(|link| is_meant(&link.key)).collect(),
            intents: store.intents(&mailbox).await?.into_iter().filter(|intent| is_meant(&intent.key)).collect(),
            refused: refused
                .iter()
                .filter(|refused| refused.mailbox == mailbox && is_meant(&refused.key))
                .cloned()
                .collect(),
            held: held.iter().filter(|held| held.mailbox == mailbox && is_meant(&held.key)).cloned().collect(),
            standings: standings
                .iter()
                .filter(|(other, standing)| *other == mailbox && is_meant(&standing.key))
                .map(|(_, standing)| standing.clone())
                .collect(),
            mailbox,
        };
        let is_known =
            !known.links.is_empty() || !known.intents.is_empty() || !known.refused.is_empty() || !known.held.is_empty();
        if is_known {
            found.push(known);
        }
    }
    Ok(found)
}
