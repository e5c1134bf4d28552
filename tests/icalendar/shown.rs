//! From a file in a folder to what a calendar shows, by the public interface only.

use std::{collections::BTreeMap, fs};

use calsyncd::{
    desired::{Desired, desired},
    model::{
        event::DesiredEvent, recurrence::ExceptionChange, source::SourceRead, time::EventTime, window::Window,
        zone::Zone,
    },
    settings::{self, Environment, Job, Strictness},
    sources,
};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
};
use tempfile::TempDir;

/// Whose calendar a file is.
pub(crate) const OWNER: &str = "ana@example.test";

const SETTINGS: &str = r#"
[exchange]
ews_service_url = "https://mail.example.test/EWS/Exchange.asmx"
delegated_user = "svc@example.test"
linked_password_file = "password"
[sources.files]
kind = "files"
path = "inbox"
zone = "Europe/Paris"
[jobs.all]
source = "files"
"#;

/// What a file means for a calendar.
pub(crate) struct Shown {
    pub(crate) read: SourceRead,
    pub(crate) desired: Desired,
    pub(crate) window: Window,
}

/// The window from midnight to midnight in a zone; the last day is inside.
pub(crate) fn window(first: Date, last: Date, zone: &str) -> Window {
    let zone = Zone::parse(zone).unwrap();
    Window { start: zone.instant(first.at(0, 0, 0, 0)), end: zone.instant(last.tomorrow().unwrap().at(0, 0, 0, 0)) }
}

/// Reads a file as the calendar of [`OWNER`].
pub(crate) fn show(file: &[u8], window: Window) -> Shown {
    let folder = tempfile::tempdir().unwrap();
    let (source, job) = settings(&folder);
    fs::create_dir(folder.path().join("inbox")).unwrap();
    fs::write(folder.path().join(format!("inbox/{OWNER}.ics")), file).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let read = runtime.block_on(async { sources::open("files", &source).unwrap().read().await.unwrap() });
    let desired = desired(&read, &job, window);
    Shown { read, desired, window }
}

fn settings(folder: &TempDir) -> (settings::Source, Job) {
    let path = folder.path().join("calsyncd.toml");
    fs::write(&path, SETTINGS).unwrap();
    fs::write(folder.path().join("password"), "secret").unwrap();
    let loaded = settings::load(&path, &Environment::default(), Strictness::Check).unwrap().settings;
    (loaded.sources["files"].clone(), loaded.jobs["all"].clone())
}

/// One occurrence that a calendar shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Occurrence {
    pub(crate) start: DateTime,
    pub(crate) end: DateTime,
    pub(crate) zone: String,
    pub(crate) all_day: bool,
    pub(crate) subject: String,
    pub(crate) location: String,
}

impl Shown {
    /// Every reason for which something is not shown.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let mut rejections: Vec<_> = self.read.rejections.iter().chain(&self.desired.rejections).collect();
        rejections.sort_by_key(|rejection| line(&rejection.place));
        rejections
            .into_iter()
            .map(|rejection| {
                let place = rejection.place.replace(&format!("{OWNER}.ics"), "line ");
                format!("{}: {}", place.replace("line :", "line "), rejection.reason)
            })
            .collect()
    }

    /// The events that are shown, in the order of their keys.
    pub(crate) fn events(&self) -> impl Iterator<Item = &DesiredEvent> {
        self.desired.mailboxes.values().flatten().map(|event| &**event)
    }

    /// Every occurrence that the window touches, in order.
    pub(crate) fn occurrences(&self) -> Vec<Occurrence> {
        let mut found: Vec<Occurrence> = self.events().flat_map(|event| expanded(event, self.window)).collect();
        found.sort();
        found
    }
}

fn line(place: &str) -> usize {
    place.rsplit(':').next().and_then(|line| line.parse().ok()).unwrap_or_default()
}

/// The occurrences of an event inside a window: its series by the days of its recurrence, with what differs.
fn expanded(event: &DesiredEvent, window: Window) -> Vec<Occurrence> {
    let occurrence = |time: &EventTime, subject: &str, location: &str| {
        window.touches(time).then(|| Occurrence {
            start: time.start(),
            end: time.end(),
            zone: time.zone().iana().to_owned(),
            all_day: time.is_all_day(),
            subject: subject.to_owned(),
            location: location.to_owned(),
        })
    };
    let own = |time: &EventTime| occurrence(time, &event.content.subject, &event.content.location);
    let Some(series) = &event.series else { return own(&event.time).into_iter().collect() };
    let mut differing: BTreeMap<DateTime, &ExceptionChange> =
        series.exceptions.iter().map(|exception| (exception.original, &exception.change)).collect();
    let mut found = Vec::new();
    for day in series.recurrence.days(event.time.start().date()) {
        let Some(time) = at(&event.time, day) else { break };
        match differing.remove(&time.start()) {
            None => found.extend(own(&time)),
            Some(ExceptionChange::Cancelled) => {}
            Some(ExceptionChange::Changed { time, content }) => {
                found.extend(occurrence(time, &content.subject, &content.location));
            }
        }
        if time.start_instant() > late(window) {
            break;
        }
    }
    assert!(differing.is_empty(), "an exception of an occurrence that the series does not have: {differing:?}");
    found
}

/// A month after the window: an exception may be moved into it.
fn late(window: Window) -> Timestamp {
    window.end.checked_add(SignedDuration::from_hours(24 * 31)).unwrap()
}

/// The occurrence of a series on a day.
fn at(first: &EventTime, day: Date) -> Option<EventTime> {
    match first {
        EventTime::Timed { start, end, zone } => {
            let lasts = start.duration_until(*end);
            let start = day.to_datetime(start.time());
            Some(EventTime::Timed { start, end: start.checked_add(lasts).ok()?, zone: zone.clone() })
        }
        EventTime::AllDay { first, last, zone } => {
            let lasts = first.duration_until(*last);
            Some(EventTime::AllDay { first: day, last: day.checked_add(lasts).ok()?, zone: zone.clone() })
        }
    }
}
