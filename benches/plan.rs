//! What is done for each event on this side of the wire: normalising, hashing, planning. `cargo bench --bench plan`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

mod sample;

use std::{
    collections::{BTreeMap, BTreeSet},
    hint::black_box,
    sync::Arc,
    time::Duration,
};

use calsyncd::{
    desired::desired,
    model::{
        address::Address,
        event::{Body, BodyKind, DesiredEvent, Importance, Sensitivity, ShowAs},
        key::Kind,
        link::{FoundItem, ItemRef, Link, Owner},
        snapshot::Snapshot,
        source::{Completeness, Recipient, SourceContent, SourceEvent, SourceRead, SourceReminder, SourceTime},
        window::Window,
    },
    plan::{Inputs, Policy, Scope, check, ends, plan},
    settings::{Departure, Job, WorkingDays},
    template::Templates,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp, civil::time};

/// Events of one measured call.
const EVENTS: usize = 100_000;
/// The mailboxes that source events are spread over.
const MAILBOXES: usize = 100;

/// The numbers of events: all of them when it is measured, a few when it is only tried.
fn events() -> usize {
    if std::env::args().any(|argument| argument == "--bench") { EVENTS } else { 200 }
}

fn now() -> Timestamp {
    sample::zone().instant(sample::FIRST_DAY.at(0, 0, 0, 0))
}

/// A mailbox in which everything is as it should be.
struct Mailbox {
    address: Address,
    owner: Owner,
    desired: Vec<Arc<DesiredEvent>>,
    links: Vec<Link>,
    found: Vec<FoundItem>,
}

impl Mailbox {
    fn new(count: usize) -> Self {
        let zone = sample::zone();
        let owner = Owner("01890a5d-ac96-774b-bcce-b302099a8057".to_owned());
        let desired: Vec<_> = (0..count).map(|number| Arc::new(sample::event(number, &zone))).collect();
        let links: Vec<Link> = desired.iter().enumerate().map(|(number, event)| link(number, event)).collect();
        let found = links.iter().map(|link| found(link, &owner)).collect();
        Self { address: Address::parse("ana@example.test").unwrap(), owner, desired, links, found }
    }

    /// The desired events with a new title for one of each hundred.
    fn one_percent_changed(&self) -> Vec<Arc<DesiredEvent>> {
        let changed = |(number, event): (usize, &Arc<DesiredEvent>)| match number % 100 {
            0 => {
                let mut event = DesiredEvent::clone(event);
                event.content.subject.push_str(" (moved)");
                Arc::new(event)
            }
            _ => Arc::clone(event),
        };
        self.desired.iter().enumerate().map(changed).collect()
    }

    /// Plans and checks the plan, as a pass does; returns how many writes there are.
    fn plan(&self, desired: &[Arc<DesiredEvent>], links: &[Link], snapshot: &Snapshot) -> usize {
        let inputs = Inputs {
            mailbox: &self.address,
            owner: &self.owner,
            desired,
            links,
            snapshot,
            seen: &BTreeMap::new(),
            scope: &Scope { complete: BTreeSet::from([sample::SOURCE.to_owned()]), ..Scope::default() },
            refusals: &BTreeMap::new(),
            pending: &BTreeMap::new(),
            verdicts: &BTreeMap::new(),
            policy: &Policy { brake_share_percent: 20, brake_number: 10, frozen_before: now() },
            now: now(),
        };
        let plan = plan(&inputs).unwrap();
        assert!(check(&plan, &inputs).is_empty());
        plan.counts().changes()
    }
}

fn link(number: usize, event: &DesiredEvent) -> Link {
    // As long as the ids of Exchange are.
    let id = format!("AAMkAGVjZTI3{number:0130}=");
    let item = ItemRef { id, change_key: format!("DwAAABYAAAD{number:029}") };
    Link { ends: ends(event), ..Link::new(event.key.clone(), item, event.fingerprint()) }
}

fn found(link: &Link, owner: &Owner) -> FoundItem {
    FoundItem {
        fingerprint: Some(link.fingerprint.clone()),
        owner: Some(owner.clone()),
        ..FoundItem::new(link.item.clone(), link.key.as_str())
    }
}

fn plans(criterion: &mut Criterion) {
    let count = events();
    let mailbox = Mailbox::new(count);
    let changed = mailbox.one_percent_changed();
    let whole = Snapshot::Whole(mailbox.found.clone());
    let nothing = Snapshot::Whole(Vec::new());
    let mut group = criterion.benchmark_group("plan");
    group.sample_size(10).throughput(Throughput::Elements(count as u64));
    type Case<'a> = (&'static str, &'a [Arc<DesiredEvent>], &'a [Link], &'a Snapshot, usize);
    let cases: [Case<'_>; 5] = [
        ("first push", &mailbox.desired, &[], &nothing, count),
        ("nothing changed, calendar not read", &mailbox.desired, &mailbox.links, &Snapshot::NotRead, 0),
        ("nothing changed, calendar read whole", &mailbox.desired, &mailbox.links, &whole, 0),
        ("1 % changed, calendar not read", &changed, &mailbox.links, &Snapshot::NotRead, count.div_ceil(100)),
        ("1 % changed, calendar read whole", &changed, &mailbox.links, &whole, count.div_ceil(100)),
    ];
    for (name, desired, links, snapshot, changes) in cases {
        assert_eq!(mailbox.plan(desired, links, snapshot), changes, "{name}");
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| mailbox.plan(black_box(desired), black_box(links), black_box(snapshot)));
        });
    }
    group.finish();
}

fn fingerprints(criterion: &mut Criterion) {
    let zone = sample::zone();
    let events: Vec<DesiredEvent> = (0..1_000).map(|number| sample::event(number, &zone)).collect();
    let mut group = criterion.benchmark_group("fingerprint");
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("1,000 events", |bencher| {
        bencher.iter(|| events.iter().map(|event| black_box(event).fingerprint().as_str().len()).sum::<usize>());
    });
    group.finish();
}

fn source_event(number: usize) -> SourceEvent {
    let event = sample::event(number, &sample::zone());
    SourceEvent {
        key: event.key,
        kind: Kind::Appointment,
        place: format!("events.jsonl:{number}"),
        recipient: Recipient::Mailbox(Address::parse(&format!("p{:03}@example.test", number % MAILBOXES)).unwrap()),
        generic: false,
        cancelled: false,
        time: SourceTime::Fixed(event.time),
        recurrence: None,
        content: SourceContent {
            subject: Some(sample::subject(number)),
            body: Some(Body { kind: BodyKind::Text, content: sample::body(number) }),
            location: Some(event.content.location),
            categories: Some(event.content.categories),
            reminder: Some(SourceReminder::Minutes(15)),
            ..SourceContent::default()
        },
    }
}

fn job() -> Job {
    Job {
        source: sample::SOURCE.to_owned(),
        kinds: vec![Kind::Schedule, Kind::Appointment],
        people: Vec::new(),
        generic_people: Vec::new(),
        people_domain: None,
        addresses: BTreeMap::new(),
        window_days_back: 30,
        window_days_ahead: 180,
        every: Duration::from_mins(15),
        zone: sample::zone(),
        morning: (time(9, 0, 0, 0), time(12, 30, 0, 0)),
        afternoon: (time(14, 0, 0, 0), time(17, 30, 0, 0)),
        working_days: WorkingDays::default(),
        max_days: 60,
        cancelled: Departure::Delete,
        cancelled_subject: "Cancelled:".to_owned(),
        out_of_scope: Departure::Keep,
        show_as: ShowAs::Busy,
        sensitivity: Sensitivity::Normal,
        importance: Importance::Normal,
        categories: Vec::new(),
        reminder_minutes: None,
        private_subject: None,
        templates: Templates::default(),
        keeps: None,
    }
}

fn desired_events(criterion: &mut Criterion) {
    let count = events();
    let events = (0..count).map(source_event).collect();
    let read = SourceRead { events, rejections: Vec::new(), completeness: Completeness::Complete };
    let (job, start) = (job(), now());
    let window = Window { start, end: start.checked_add(SignedDuration::from_hours(24 * 180)).unwrap() };
    let placed: usize = desired(&read, &job, window).mailboxes.values().map(Vec::len).sum();
    assert_eq!(placed, count);
    let mut group = criterion.benchmark_group("desired");
    group.sample_size(10).throughput(Throughput::Elements(count as u64));
    group.bench_function("source events", |bencher| bencher.iter(|| desired(black_box(&read), &job, window)));
    group.finish();
}

criterion_group!(benches, fingerprints, desired_events, plans);
criterion_main!(benches);
