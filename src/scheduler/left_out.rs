//! What the jobs leave out of the last reads, for a plan to tell.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::Catalogue;
use crate::{
    desired::{SkipReason, Skipped},
    model::{address::Address, key::SourceKey},
};

/// The events that no job shows and that are no rejections.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Those inside the window, in the order of their keys, each with the reason that says most.
    pub(super) skipped: Vec<Skipped>,
    /// How many are outside the window.
    pub(super) out_of_window: usize,
}

/// What is left out of the calendars that are `asked` about; what is nobody's is left out of every one.
pub(super) fn left_out(catalogue: &Catalogue, asked: impl Fn(&Address) -> bool) -> LeftOut {
    let shown: BTreeSet<SourceKey> = catalogue
        .mailboxes()
        .flat_map(|mailbox| catalogue.desired(mailbox).iter().map(|event| event.key.event()).collect::<Vec<_>>())
        .collect();
    let mut by_event: BTreeMap<SourceKey, Skipped> = BTreeMap::new();
    for skipped in catalogue.skipped() {
        // One event, not its parts.
        let event = skipped.key.event();
        if by_event.get(&event).is_none_or(|other| other.reason < skipped.reason) {
            by_event.insert(event.clone(), Skipped { key: event, ..skipped.clone() });
        }
    }
    let mut result = LeftOut::default();
    for (key, skipped) in by_event {
        let elsewhere = skipped.mailbox.as_ref().is_some_and(|mailbox| !asked(mailbox));
        if shown.contains(&key) || elsewhere {
            continue;
        }
        match skipped.reason {
            SkipReason::OutOfWindow => result.out_of_window += 1,
            // These are told among the rejections, with their places.
            SkipReason::NoMailbox | SkipReason::Rejected => {}
            SkipReason::OtherKind | SkipReason::NotSelected | SkipReason::Generic | SkipReason::TooLong { .. } => {
                result.skipped.push(skipped)
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use jiff::{Timestamp, civil::date};

    use super::{LeftOut, left_out};
    use crate::{
        model::{
            address::Address,
            key::{Kind, SourceKey},
            source::{Completeness, Period, Recipient, SourceContent, SourceEvent, SourceRead, SourceTime},
        },
        scheduler::catalogue::Catalogue,
        settings::{Environment, Job, Strictness, load},
    };

    const SETTINGS: &str = r#"[exchange]
ews_service_url = "https://mail.example.test/EWS/Exchange.asmx"
delegated_user = "svc"
linked_password = "word"

[sources.erp]
kind = "files"
path = "inbox"
zone = "Europe/Paris"

[jobs.one]
source = "erp"
kinds = ["schedule"]
people = ["ana", "ben"]
addresses.ana = "ana@example.test"
addresses.ben = "ben@example.test"

[jobs.two]
source = "erp"
people = ["cyd", "ana"]
kinds = ["schedule"]
addresses.cyd = "cyd@example.test"
addresses.ana = "ana@example.test"
max_days = 90
"#;

    fn jobs() -> BTreeMap<String, Job> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calsyncd.toml");
        std::fs::write(&path, SETTINGS).unwrap();
        load(&path, &Environment::default(), Strictness::Check).unwrap().settings.jobs
    }

    fn now() -> Timestamp {
        "2026-11-23T08:00:00Z".parse().unwrap()
    }

    fn schedule(id: &str, person: &str, kind: Kind, days: i16) -> SourceEvent {
        let half_days = u32::from(days.unsigned_abs()) * 2;
        let year = if days < 0 { 2020 } else { 2026 };
        let time = SourceTime::Period { date: date(year, 11, 27), period: Period::Day, half_days, zone: None };
        SourceEvent {
            key: SourceKey::new("erp", kind, id),
            kind,
            place: "a.jsonl:1".to_owned(),
            recipient: Recipient::Person(person.to_owned()),
            generic: person == "gen",
            cancelled: false,
            time,
            recurrence: None,
            content: SourceContent::default(),
        }
    }

    fn taken(events: Vec<SourceEvent>) -> Catalogue {
        let mut catalogue = Catalogue::telling();
        let read = SourceRead { events, rejections: Vec::new(), completeness: Completeness::Complete };
        catalogue.take(&jobs(), "erp", Ok(read), now());
        catalogue
    }

    #[test]
    fn each_event_that_no_job_shows_is_told_once() {
        use Kind::{Appointment, Schedule};
        let catalogue = taken(vec![
            schedule("shown", "ana", Schedule, 4),
            schedule("shown by two", "ana", Schedule, 75),
            schedule("long", "ben", Schedule, 75),
            schedule("longest", "cyd", Schedule, 91),
            schedule("old", "ana", Schedule, -5),
            schedule("kind", "ana", Appointment, 1),
            schedule("other", "dan", Schedule, 1),
            schedule("generic", "gen", Schedule, 75),
        ]);
        let told = |only: Option<&str>| {
            let only = only.map(|only| Address::parse(only).unwrap());
            let asked = |mailbox: &Address| only.as_ref().is_none_or(|only| only == mailbox);
            let LeftOut { skipped, out_of_window } = left_out(&catalogue, asked);
            let text = |skipped: &crate::desired::Skipped| {
                format!("{}: {}", skipped.key.as_str().rsplit('/').next().unwrap(), skipped.reason)
            };
            (skipped.iter().map(text).collect::<Vec<_>>(), out_of_window)
        };
        let all = [
            "kind: of a kind that the job does not push",
            "generic: of a generic person, who has no calendar",
            "long: a planned workload of 75 days, over max_days = 60",
            "longest: a planned workload of 91 days, over max_days = 90",
            "other: of a person that the job does not push to",
        ]
        .map(str::to_owned);
        assert_eq!(told(None), (all.to_vec(), 1));
        let of_ben = [&all[..3], &all[4..]].concat();
        assert_eq!(told(Some("ben@example.test")), (of_ben, 0));
    }

    /// What was handed to a placeholder leaves the calendar; what was in the placeholder's own, or is too long, stays.
    #[test]
    fn what_is_left_out_is_kept_where_it_was() {
        let catalogue =
            taken(vec![schedule("generic", "gen", Kind::Schedule, 1), schedule("long", "ben", Kind::Schedule, 75)]);
        let ben = Address::parse("ben@example.test").unwrap();
        let keys = [SourceKey::new("erp", Kind::Schedule, "generic"), SourceKey::new("erp", Kind::Schedule, "long")];
        let scope = catalogue.view().scope(&ben, keys.iter());
        let kept: Vec<&SourceKey> = scope.kept.keys().collect();
        assert_eq!(kept, [&keys[1]]);
    }
}
