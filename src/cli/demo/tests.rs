//! The sample data of the demo: everything is used, in any week.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use super::shift::shift_week;
use crate::{
    desired::{Desired, SkipReason, desired},
    model::{
        event::{BodyKind, DesiredEvent, Importance, Sensitivity, ShowAs},
        key::Kind,
        recurrence::ExceptionChange,
        source::{Completeness, SourceRead},
        window::Window,
        zone::Zone,
    },
    settings::{Departure, FilesSource, Job, Source, WorkingDays},
    sources,
    template::Templates,
};
use jiff::{
    ToSpan,
    civil::{Date, date, time},
};

const REFERENCE: Date = date(2026, 11, 23);

fn copy(from: &Path, to: &Path, monday: Date) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target, monday);
        } else {
            let text = fs::read_to_string(entry.path()).unwrap();
            fs::write(target, shift_week(&text, REFERENCE, monday)).unwrap();
        }
    }
}

fn job() -> Job {
    Job {
        source: "demo".to_owned(),
        kinds: vec![Kind::Schedule, Kind::Appointment],
        people: Vec::new(),
        generic_people: Vec::new(),
        people_domain: Some("example.test".to_owned()),
        addresses: BTreeMap::new(),
        window_days_back: 7,
        window_days_ahead: 28,
        every: Duration::from_secs(60),
        zone: Zone::parse("Europe/Paris").unwrap(),
        morning: (time(9, 0, 0, 0), time(12, 30, 0, 0)),
        afternoon: (time(14, 0, 0, 0), time(17, 30, 0, 0)),
        working_days: WorkingDays::default(),
        max_days: 60,
        cancelled: Departure::Delete,
        cancelled_subject: "Cancelled:".to_owned(),
        out_of_scope: Departure::Keep,
        keeps: None,
        show_as: ShowAs::Busy,
        sensitivity: Sensitivity::Normal,
        importance: Importance::Normal,
        categories: Vec::new(),
        reminder_minutes: None,
        private_subject: None,
        templates: Templates::default(),
    }
}

async fn in_week(monday: Date) -> (SourceRead, Desired) {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new("config/demo/events"), folder.path(), monday);
    let zone = Zone::parse("Europe/Paris").unwrap();
    let settings = FilesSource { path: folder.path().to_owned(), zone: zone.clone(), end_marker: true };
    let source = sources::open("demo", &Source::Files(settings)).unwrap();
    let read = source.read().await.unwrap();
    let at = |days: i64| zone.instant(monday.checked_add(days.days()).unwrap().at(0, 0, 0, 0));
    let result = desired(&read, &job(), Window { start: at(-7), end: at(28) });
    (read, result)
}

#[tokio::test]
async fn every_sample_is_used_in_any_week() {
    for weeks in [0_i64, 1, 5, 9, 13, 14, 17, 18, 30, 44, 45, 52, -4] {
        let monday = REFERENCE.checked_add((weeks * 7).days()).unwrap();
        let (read, result) = in_week(monday).await;
        assert_eq!(read.completeness, Completeness::Complete, "{monday}");
        assert_eq!(read.rejections, [], "{monday}");
        assert_eq!(result.rejections, [], "{monday}");
        assert_eq!(result.skipped, [], "{monday}");
    }
}

#[tokio::test]
async fn the_samples_show_what_there_is_to_show() {
    let (_, result) = in_week(REFERENCE).await;
    let counts: Vec<String> = result
        .mailboxes
        .iter()
        .map(|(mailbox, events)| format!("{} {}", mailbox.as_str().split('@').next().unwrap(), events.len()))
        .collect();
    let expected = [
        "ana.martin 11",
        "bruno.lefevre 10",
        "chloe.dubois 10",
        "david.cohen 10",
        "emma.wilson 11",
        "farid.benali 9",
        "grace.oconnor 11",
        "hugo.schmidt 9",
        "ines.garcia 9",
        "jack.miller 10",
        "kavya.iyer 10",
        "louis.petit 9",
        "maya.rosen 8",
    ];
    assert_eq!(counts, expected);
    let events: Vec<&DesiredEvent> = result.mailboxes.values().flatten().map(AsRef::as_ref).collect();
    assert!(events.len() >= 120, "{}", events.len());
    let changes = || events.iter().filter_map(|event| event.series.as_ref()).flat_map(|series| &series.exceptions);
    let shown: &[(&str, bool)] = &[
        ("all day", events.iter().any(|event| event.time.is_all_day())),
        ("moved", changes().any(|exception| matches!(exception.change, ExceptionChange::Changed { .. }))),
        ("cancelled", changes().any(|exception| exception.change == ExceptionChange::Cancelled)),
        ("accents", events.iter().any(|event| event.content.subject.contains('é'))),
        ("emoji", events.iter().any(|event| event.content.subject.contains('🎉'))),
        ("private", events.iter().any(|event| event.content.sensitivity == Sensitivity::Private)),
        ("HTML", events.iter().any(|event| event.content.body.kind == BodyKind::Html)),
        ("categories", events.iter().any(|event| !event.content.categories.is_empty())),
        ("reminder", events.iter().any(|event| event.content.reminder_minutes.is_some())),
    ];
    for (what, found) in shown {
        assert!(found, "{what}");
    }
    for zone in ["Europe/Paris", "Europe/London", "America/New_York", "Asia/Kolkata"] {
        assert!(events.iter().any(|event| event.time.zone().iana() == zone), "{zone}");
    }
    assert!(!result.skipped.iter().any(|skipped| skipped.reason == SkipReason::Rejected));
}
