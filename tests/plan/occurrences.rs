//! Which occurrences of a series an update writes.

use std::sync::Arc;

use calsyncd::{
    model::{
        event::DesiredEvent,
        link::Link,
        occurrences::{Occurrences, Written},
        recurrence::{Exception, ExceptionChange, Pattern, Recurrence, RecurrenceEnd, Series},
        snapshot::Snapshot,
        time::EventTime,
    },
    plan::{Action, Violation},
};
use insta::assert_snapshot;
use jiff::{ToSpan, civil::DateTime};
use proptest::prelude::*;

use crate::world::{World, event, key};

/// What happens to an occurrence: its content follows the series, or is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Cancelled,
    Moved { hours: i64, own_subject: bool },
}

fn original(occurrence: usize) -> DateTime {
    let first: DateTime = "2026-11-30T09:00".parse().unwrap();
    first.checked_add((i64::try_from(occurrence).unwrap() * 7).days()).unwrap()
}

/// A weekly series of six with exceptions at these occurrences.
fn series(version: u32, changes: &[(usize, Change)]) -> DesiredEvent {
    let mut series = DesiredEvent::clone(&event(1, version, 7));
    let exception = |(occurrence, change): &(usize, Change)| {
        let original = original(*occurrence);
        let change = match change {
            Change::Cancelled => ExceptionChange::Cancelled,
            Change::Moved { hours, own_subject } => {
                let start = original.checked_add(hours.hours()).unwrap();
                let time = EventTime::Timed {
                    start,
                    end: start.checked_add(1.hour()).unwrap(),
                    zone: series.time.zone().clone(),
                };
                let mut content = series.content.clone();
                if *own_subject {
                    content.subject = "Event 1 version 1".to_owned();
                }
                ExceptionChange::Changed { time, content: Box::new(content) }
            }
        };
        Exception { original, change }
    };
    let exceptions = changes.iter().map(exception).collect();
    let pattern = Pattern::Weekly { interval: 1, days: vec![original(0).weekday()], first_day: original(0).weekday() };
    series.series = Some(Series { recurrence: Recurrence { pattern, end: RecurrenceEnd::After(6) }, exceptions });
    series
}

const MOVED: Change = Change::Moved { hours: 2, own_subject: false };
const OWN: Change = Change::Moved { hours: 2, own_subject: true };

/// The text of the plan after `before` was written and `after` is wanted.
fn change(before: &DesiredEvent, after: &DesiredEvent) -> String {
    let mut world = World::default();
    world.wrote(before);
    world.want(Arc::new(after.clone()));
    world.text(&Snapshot::NotRead).lines().nth(1).unwrap_or_default().trim().to_owned()
}

#[test]
fn a_change_of_one_occurrence_names_it() {
    use Change::Cancelled;
    let before = series(1, &[(0, MOVED), (1, Cancelled), (3, MOVED)]);
    let later = Change::Moved { hours: 3, own_subject: false };
    let texts = [
        ("changed", change(&before, &series(1, &[(0, later), (1, Cancelled), (3, MOVED)]))),
        ("newly changed", change(&before, &series(1, &[(0, MOVED), (1, Cancelled), (2, MOVED), (3, MOVED)]))),
        ("newly cancelled", change(&before, &series(1, &[(0, MOVED), (1, Cancelled), (3, Cancelled)]))),
        ("back to the rule", change(&before, &series(1, &[(1, Cancelled), (3, MOVED)]))),
        ("no longer cancelled", change(&before, &series(1, &[(0, MOVED), (3, MOVED)]))),
        ("changed in place of cancelled", change(&before, &series(1, &[(0, MOVED), (1, MOVED), (3, MOVED)]))),
        ("the content of the series", change(&before, &series(2, &[(0, MOVED), (1, Cancelled), (3, MOVED)]))),
        (
            "many",
            change(
                &series(1, &[]),
                &series(1, &[(0, MOVED), (1, MOVED), (2, MOVED), (3, MOVED), (4, MOVED), (5, MOVED)]),
            ),
        ),
        ("the content of a plain series", change(&series(1, &[]), &series(2, &[]))),
    ];
    let text: String = texts.iter().map(|(what, text)| format!("{what}: {text}\n")).collect();
    assert_snapshot!(text, @r"
    changed: update      erp/appointment/1: the source changed: occurrences 2026-11-30T09:00
    newly changed: update      erp/appointment/1: the source changed: occurrences 2026-12-14T09:00
    newly cancelled: update      erp/appointment/1: the source changed: occurrences 2026-12-21T09:00
    back to the rule: update      erp/appointment/1: the source changed: occurrences 2026-11-30T09:00
    no longer cancelled: update      erp/appointment/1: the source changed: occurrences
    changed in place of cancelled: update      erp/appointment/1: the source changed: occurrences
    the content of the series: update      erp/appointment/1: the source changed: subject, location, occurrences 2026-11-30T09:00 2026-12-21T09:00
    many: update      erp/appointment/1: the source changed: occurrences 2026-11-30T09:00 2026-12-07T09:00 2026-12-14T09:00 2026-12-21T09:00 2026-12-28T09:00 2027-01-04T09:00
    the content of a plain series: update      erp/appointment/1: the source changed: subject, location
    ");
}

fn only(before: &Link, after: &DesiredEvent) -> Option<Vec<DateTime>> {
    let mut world = World::default();
    world.wrote(after);
    *world.links.get_mut(&key(1)).unwrap() = before.clone();
    world.want(Arc::new(after.clone()));
    let (plan, violations) = world.plan(&Snapshot::NotRead).unwrap();
    assert_eq!(violations, []);
    match &plan.decisions[0].action {
        Action::Update { occurrences, .. } => occurrences.only().map(<[_]>::to_vec),
        other => panic!("{other:?}"),
    }
}

fn link(event: &DesiredEvent) -> Link {
    let mut world = World::default();
    world.wrote(event);
    world.links[&key(1)].clone()
}

#[test]
fn an_exception_is_written_when_the_change_of_its_series_may_reach_it() {
    // Its subject was that of the series, and is to stay: a server may let it follow.
    let before = link(&series(1, &[(0, OWN), (1, OWN)]));
    let after = series(2, &[(0, OWN), (1, OWN)]);
    assert_eq!(only(&before, &after), Some(vec![original(0), original(1)]));
    // It says something else than the series did: it is left alone, but for the place, which the new version has.
    let before = link(&series(0, &[(0, OWN)]));
    assert_eq!(only(&before, &series(1, &[(0, OWN)])), Some(vec![]));
}

#[test]
fn an_occurrence_that_went_back_to_the_rule_follows_its_series() {
    let mut world = World::default();
    world.wrote(&series(1, &[(0, MOVED)]));
    let mut step = |event: DesiredEvent| {
        world.want(Arc::new(event));
        let (plan, violations) = world.plan(&Snapshot::NotRead).unwrap();
        assert_eq!(violations, []);
        world.carry_out(&plan);
        let Action::Update { occurrences, .. } = plan.decisions[0].action.clone() else { panic!("{plan}") };
        (occurrences, world.links[&key(1)].occurrences.clone().unwrap())
    };
    let (occurrences, written) = step(series(1, &[]));
    assert_eq!(occurrences, Occurrences::Only(vec![original(0)]));
    assert_eq!(written.as_slice(), [(original(0), Written::AsTheRule)]);
    // To the server it is an exception for good: what the series says has to be said there too.
    let (occurrences, _) = step(series(2, &[(1, Change::Cancelled)]));
    assert_eq!(occurrences, Occurrences::Only(vec![original(0), original(1)]));
    let (occurrences, written) = step(series(2, &[]));
    assert_eq!(occurrences, Occurrences::All, "a cancelled occurrence takes place again");
    assert!(written.is_empty());
}

#[test]
fn what_is_not_known_is_written_anew() {
    let before = series(1, &[(0, MOVED)]);
    let unknown = Link { occurrences: None, ..link(&before) };
    assert_eq!(only(&unknown, &series(1, &[])), None);
    assert_eq!(only(&unknown, &series(2, &[(0, MOVED)])), None);
    // Found again: nothing is known.
    let mut world = World::default();
    world.wrote(&before);
    world.links.clear();
    world.want(Arc::new(before.clone()));
    let (plan, _) = world.plan(&world.whole()).unwrap();
    world.carry_out(&plan);
    assert_eq!(world.links[&key(1)].occurrences, None);
    // Other times.
    let mut moved = series(1, &[]);
    moved.time = moved.time.on("2026-12-01".parse().unwrap());
    assert_eq!(only(&link(&before), &moved), None);
}

#[test]
fn the_checker_knows_the_rule() {
    let before = series(1, &[(0, MOVED), (1, Change::Cancelled)]);
    let mut world = World::default();
    world.wrote(&before);
    world.want(Arc::new(series(1, &[(0, Change::Cancelled), (1, Change::Cancelled), (2, MOVED)])));
    let check = |world: &World, occurrences: Occurrences| {
        world.check_with(|action| {
            if let Action::Update { occurrences: planned, .. } = action {
                planned.clone_from(&occurrences);
            }
        })
    };
    let left_out = |at: usize| vec![Violation::OccurrenceLeftOut { key: key(1), original: original(at) }];
    assert_eq!(check(&world, Occurrences::All), []);
    assert_eq!(check(&world, Occurrences::Only(vec![original(0), original(2)])), []);
    assert_eq!(check(&world, Occurrences::Only(vec![original(0)])), left_out(2));
    assert_eq!(check(&world, Occurrences::Only(vec![original(2)])), left_out(0));
    assert_eq!(check(&world, Occurrences::Fresh), [Violation::SeriesIsDue(key(1))]);
    world.want(Arc::new(series(1, &[(0, MOVED)])));
    assert_eq!(check(&world, Occurrences::Only(vec![original(1)])), [Violation::SeriesIsDue(key(1))]);
    world.links.get_mut(&key(1)).unwrap().occurrences = None;
    assert_eq!(check(&world, Occurrences::NONE), [Violation::SeriesIsDue(key(1))]);
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Cancelled),
        (-3_i64..4, any::<bool>()).prop_map(|(hours, own_subject)| Change::Moved { hours, own_subject }),
    ]
}

proptest! {
    /// What was written, kept up to date by what the plan says, is what the calendar shows.
    #[test]
    fn the_link_and_the_calendar_agree(
        steps in prop::collection::vec(
            (0_u32..3, prop::collection::btree_map(0_usize..6, any_change(), 0..5)), 1..8),
    ) {
        let mut world = World::default();
        for (version, changes) in steps {
            let changes: Vec<_> = changes.into_iter().collect();
            let event = Arc::new(series(version, &changes));
            world.want(Arc::clone(&event));
            let (plan, violations) = world.plan(&Snapshot::NotRead).unwrap();
            prop_assert_eq!(violations, vec![]);
            world.carry_out(&plan);
            let written = world.links[&key(1)].occurrences.clone().unwrap();
            for exception in &event.series.as_ref().unwrap().exceptions {
                let says = written.as_slice().iter().find(|(original, _)| *original == exception.original);
                prop_assert_eq!(says.map(|(_, says)| *says), Some(Written::of(&exception.change)));
            }
            prop_assert_eq!(world.plan(&Snapshot::NotRead).unwrap().0.counts().changes(), 0);
        }
    }
}
