//! When a calendar is read, and how a reading is made whole: what an answer of a server can miss is looked for.

use std::{collections::HashSet, time::Duration};

use jiff::Timestamp;

use super::{
    pass::{Pass, PassStop},
    planning::Purpose,
};
use crate::{
    gateway::{Calendar, Reading},
    model::{
        key::SourceKey,
        link::{FoundItem, Link},
        snapshot::Snapshot,
    },
    plan::{Action, Decision, Plan},
    state::MailboxState,
};

impl Pass {
    /// Reads the calendar when that is due.
    pub(super) async fn read(
        &self,
        calendar: &Calendar,
        state: &MailboxState,
        links: &[Link],
        purpose: Purpose,
    ) -> Result<Option<(Reading, Timestamp)>, PassStop> {
        let now = self.clock.now();
        // A reading that lies in the future is one from before the clock was set back.
        let is_due = state.read_at.is_none_or(|read_at| {
            Duration::try_from(now.duration_since(read_at))
                .map_or(true, |since| since >= self.wiring.limits.drift_every)
        });
        if is_due || purpose == Purpose::Look || self.expected.is_some() {
            self.read_since(calendar, state, links).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// Reads what has changed since the last reading, or everything where that would leave something out.
    pub(super) async fn read_since(
        &self,
        calendar: &Calendar,
        state: &MailboxState,
        links: &[Link],
    ) -> Result<(Reading, Timestamp), PassStop> {
        let Some(cursor) = cursor(state, self.clock.now()) else { return self.read_whole(calendar, links).await };
        let (reading, read_at) = self.read_now(calendar, Some(cursor)).await?;
        match &reading.snapshot {
            Snapshot::Changes { .. } if !leaves_out(&reading.snapshot, links, state.read_at) => Ok((reading, read_at)),
            Snapshot::Changes { .. } | Snapshot::NotRead => self.read_whole(calendar, links).await,
            Snapshot::Whole(_) => self.look_for_missing(calendar, links, (reading, read_at)).await,
        }
    }

    /// Reads everything.
    pub(super) async fn read_whole(
        &self,
        calendar: &Calendar,
        links: &[Link],
    ) -> Result<(Reading, Timestamp), PassStop> {
        let read = self.read_now(calendar, None).await?;
        self.look_for_missing(calendar, links, read).await
    }

    /// Looks for what is not there by its key before it is taken for deleted: pages are told apart by their offset, so that an
    /// item can slip through when another one goes meanwhile.
    async fn look_for_missing(
        &self,
        calendar: &Calendar,
        links: &[Link],
        (mut reading, read_at): (Reading, Timestamp),
    ) -> Result<(Reading, Timestamp), PassStop> {
        if let Snapshot::Whole(found) = &mut reading.snapshot {
            let frozen_before = self.wiring.policy(read_at).frozen_before;
            let missing = missing(links, found, frozen_before);
            for keys in missing.chunks(self.way.gateway.batch_limits().keys.max(1)) {
                found.extend(self.way.gateway.probe(calendar, keys).await?);
            }
        }
        Ok((reading, read_at))
    }

    pub(super) async fn read_now(
        &self,
        calendar: &Calendar,
        cursor: Option<&str>,
    ) -> Result<(Reading, Timestamp), PassStop> {
        let now = self.clock.now();
        let reading = self.way.gateway.read(calendar, cursor).await?;
        Ok((reading, now))
    }
}

/// Whether everything of ours was read.
pub(super) const fn is_whole(reading: Option<&(Reading, Timestamp)>) -> bool {
    matches!(reading, Some((Reading { snapshot: Snapshot::Whole(_), .. }, _)))
}

/// The cursor to read from. One without a reading is of no use, nor is one of a clock that was set back since: everything is
/// read anew.
fn cursor(state: &MailboxState, now: Timestamp) -> Option<&str> {
    state.read_at.filter(|read_at| *read_at <= now).and(state.cursor.as_deref())
}

/// The keys of links whose items were not found, but for what is frozen.
fn missing(links: &[Link], found: &[FoundItem], frozen_before: Timestamp) -> Vec<SourceKey> {
    let there: HashSet<&str> = found.iter().map(|found| found.key.as_str()).collect();
    let is_missing = |link: &&Link| link.ends >= frozen_before && !there.contains(link.key.as_str());
    links.iter().filter(is_missing).map(|link| link.key.clone()).collect()
}

/// Whether items that no link tells of stay as they are and stay unknown.
pub(super) fn leaves_orphans(plan: &Plan, links: &[Link], snapshot: &Snapshot) -> bool {
    let found: &[FoundItem] = match snapshot {
        Snapshot::Whole(found) | Snapshot::Changes { ours: found, .. } => found,
        Snapshot::NotRead => &[],
    };
    let found: HashSet<&str> = found.iter().map(|found| found.key.as_str()).collect();
    let stays = |action: &Action| matches!(action, Action::Keep { link: None, .. } | Action::Hold { .. });
    let is_linked = |key: &SourceKey| links.binary_search_by(|link| link.key.cmp(key)).is_ok();
    let is_orphan = |decision: &&Decision| {
        stays(&decision.action) && found.contains(decision.key.as_str()) && !is_linked(&decision.key)
    };
    plan.decisions.iter().any(|decision| is_orphan(&decision))
}

/// Whether something that we created since the last reading is not among the changes: who deletes it before the next one leaves
/// no trace there, since it came and went in between.
fn leaves_out(snapshot: &Snapshot, links: &[Link], last_read_at: Option<Timestamp>) -> bool {
    let (Snapshot::Changes { changed, gone, .. }, Some(last)) = (snapshot, last_read_at) else { return false };
    let told: HashSet<&str> =
        changed.iter().map(|item| item.id.as_str()).chain(gone.iter().map(String::as_str)).collect();
    let is_new = |link: &&Link| link.generation >= last.as_millisecond();
    links.iter().filter(is_new).any(|link| !told.contains(link.item.id.as_str()))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{leaves_out, missing};
    use crate::model::{
        fingerprint::Fingerprint,
        key::{Kind, SourceKey},
        link::{FoundItem, ItemRef, Link},
        snapshot::Snapshot,
    };

    #[test]
    fn what_came_and_went_between_two_readings_is_missed() {
        let item = |id: &str| ItemRef { id: id.to_owned(), change_key: "1".to_owned() };
        let link = |id: &str, generation: i64| Link {
            generation,
            ..Link::new(SourceKey::new("erp", Kind::Appointment, id), item(id), Fingerprint::unknown())
        };
        let changes = |changed: &[&str], gone: &[&str]| Snapshot::Changes {
            changed: changed.iter().map(|id| item(id)).collect(),
            ours: Vec::new(),
            gone: gone.iter().map(|id| (*id).to_owned()).collect(),
        };
        let links = [link("old", 4_000), link("new", 5_000)];
        let last = Timestamp::from_second(5).ok();
        let cases = [
            (changes(&["new"], &[]), last, false),
            (changes(&["old", "other"], &[]), last, true),
            (changes(&[], &["new"]), last, false),
            (changes(&[], &[]), Timestamp::from_second(6).ok(), false),
            (changes(&[], &[]), None, false),
            (Snapshot::Whole(Vec::new()), last, false),
            (Snapshot::NotRead, last, false),
        ];
        for (snapshot, last, missed) in cases {
            assert_eq!(leaves_out(&snapshot, &links, last), missed, "{snapshot:?}");
        }
    }

    #[test]
    fn what_is_not_found_is_looked_for_unless_it_is_frozen() {
        let item = |id: &str| ItemRef { id: id.to_owned(), change_key: "1".to_owned() };
        let key = |id: &str| SourceKey::new("erp", Kind::Appointment, id);
        let link = |id: &str, ends: Timestamp| Link { ends, ..Link::new(key(id), item(id), Fingerprint::unknown()) };
        let (past, future) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let links = [link("found", future), link("lost", future), link("over", past)];
        let found = [FoundItem::new(item("found"), key("found").as_str())];
        let frozen_before = Timestamp::from_second(1).unwrap_or_default();
        assert_eq!(missing(&links, &found, frozen_before), [key("lost")]);
    }
}
