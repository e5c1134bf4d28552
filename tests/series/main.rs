//! Series and their exceptions, from plan to calendar: any sequence of changes shows what a first push would show, whatever
//! is lost on the way, and an occurrence that does not change is not touched.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use std::{collections::BTreeMap, sync::Arc};

use calsyncd::model::{
    event::{Body, BodyKind, Content, DesiredEvent, Importance, Sensitivity, ShowAs},
    key::{Kind, SourceKey},
    occurrences::Occurrences,
    recurrence::{Exception, ExceptionChange, Pattern, Recurrence, RecurrenceEnd, Series},
    time::EventTime,
    zone::Zone,
};
use jiff::{
    ToSpan,
    civil::{Date, date},
};
use proptest::prelude::*;
use stage::{Face, Lost, Stage};

const COUNT: usize = 6;

/// What a source says of one occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Cancelled,
    Changed { days: i64, hour: i8, all_day: bool, own: u8 },
}

/// What a source says of the series.
#[derive(Debug, Clone)]
struct Said {
    content: u8,
    hour: i8,
    interval: u16,
    changes: BTreeMap<usize, Change>,
}

fn content(number: u8) -> Content {
    let odd = number % 2 == 1;
    Content {
        subject: format!("Subject {}", number / 2),
        body: Body { kind: BodyKind::Text, content: if odd { "Bring the plans.".to_owned() } else { String::new() } },
        location: if number % 3 == 1 { "Lyon".to_owned() } else { String::new() },
        show_as: if odd { ShowAs::Free } else { ShowAs::Busy },
        sensitivity: if number % 3 == 2 { Sensitivity::Private } else { Sensitivity::Normal },
        importance: if odd { Importance::High } else { Importance::Normal },
        categories: if number.is_multiple_of(3) { vec!["Project".to_owned()] } else { Vec::new() },
        reminder_minutes: odd.then_some(u32::from(number)),
    }
}

fn zone() -> Zone {
    Zone::parse("Europe/Paris").unwrap()
}

fn timed(day: Date, hour: i8) -> EventTime {
    EventTime::Timed { start: day.at(hour, 0, 0, 0), end: day.at(hour + 1, 30, 0, 0), zone: zone() }
}

impl Said {
    fn new(changes: impl IntoIterator<Item = (usize, Change)>) -> Self {
        Self { content: 0, hour: 9, interval: 1, changes: changes.into_iter().collect() }
    }

    fn day(&self, occurrence: usize) -> Date {
        let weeks = i64::try_from(occurrence).unwrap() * i64::from(self.interval);
        date(2026, 11, 30).checked_add(weeks.weeks()).unwrap()
    }

    /// The event; a change that would let occurrences meet, or that would leave none, is left out.
    fn event(&self) -> Arc<DesiredEvent> {
        let mut exceptions = Vec::new();
        let mut before: Option<(Date, Date)> = None;
        let mut cancelled = 0;
        for occurrence in 0..COUNT {
            let day = self.day(occurrence);
            let original = day.at(self.hour, 0, 0, 0);
            let mut shown = day;
            match self.changes.get(&occurrence) {
                Some(Change::Cancelled) if cancelled + 1 < COUNT => {
                    cancelled += 1;
                    exceptions.push(Exception { original, change: ExceptionChange::Cancelled });
                    continue;
                }
                Some(Change::Changed { days, hour, all_day, own }) => {
                    let moved = day.checked_add(days.days()).unwrap();
                    let next = self.day(occurrence + 1);
                    if before.is_none_or(|(rule, at)| moved > rule.max(at)) && moved < next {
                        shown = moved;
                        let content = Box::new(content(if *own == 0 { self.content } else { *own }));
                        let time = if *all_day {
                            EventTime::AllDay { first: moved, last: moved, zone: zone() }
                        } else {
                            timed(moved, *hour)
                        };
                        exceptions.push(Exception { original, change: ExceptionChange::Changed { time, content } });
                    }
                }
                Some(Change::Cancelled) | None => {}
            }
            // Where the one before was moved to this one's day or past it, it stays where it is not met.
            if before.is_some_and(|(_, at)| at >= day) {
                exceptions.retain(|exception| exception.original.date() != before.unwrap().0);
            }
            before = Some((day, shown));
        }
        let pattern = Pattern::Weekly {
            interval: self.interval,
            days: vec![self.day(0).weekday()],
            first_day: jiff::civil::Weekday::Monday,
        };
        let recurrence = Recurrence { pattern, end: RecurrenceEnd::After(u16::try_from(COUNT).unwrap()) };
        Arc::new(DesiredEvent {
            key: SourceKey::new("erp", Kind::Appointment, "4711"),
            time: timed(self.day(0), self.hour),
            series: Some(Series { recurrence, exceptions }),
            content: content(self.content),
            keeps: None,
            said: None,
        })
    }
}

const LATER: Change = Change::Changed { days: 0, hour: 14, all_day: false, own: 0 };
const NEXT_DAY: Change = Change::Changed { days: 1, hour: 8, all_day: false, own: 3 };
const ALL_DAY: Change = Change::Changed { days: 0, hour: 0, all_day: true, own: 0 };

fn moved(days: i64) -> Change {
    Change::Changed { days, hour: 9, all_day: false, own: 0 }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// What changes, and which occurrences that writes; none for the whole series.
fn changes() -> Vec<(&'static str, Said, Said, Option<Vec<usize>>)> {
    let before = || Said::new([(0, LATER), (2, Change::Cancelled), (4, NEXT_DAY)]);
    let with = |change: &dyn Fn(&mut Said)| {
        let mut said = before();
        change(&mut said);
        said
    };
    vec![
        ("changed", before(), with(&|said| _ = said.changes.insert(4, LATER)), Some(vec![4])),
        ("for the whole day", before(), with(&|said| _ = said.changes.insert(0, ALL_DAY)), Some(vec![0])),
        ("cancelled", before(), with(&|said| _ = said.changes.insert(3, Change::Cancelled)), Some(vec![3])),
        ("back", before(), with(&|said| _ = said.changes.remove(&4)), Some(vec![4])),
        ("content", before(), with(&|said| said.content = 7), Some(vec![0])),
        ("restored", before(), with(&|said| _ = said.changes.remove(&2)), None),
        ("hour", before(), with(&|said| said.hour = 11), None),
        ("pattern", before(), with(&|said| said.interval = 2), None),
        // The second one goes where the first one was: that has to leave first.
        ("in turn", Said::new([(0, moved(5))]), Said::new([(0, moved(1)), (1, moved(-4))]), Some(vec![0, 1])),
    ]
}

#[test]
fn a_change_touches_what_changes() {
    for face in [Face::Ews, Face::Graph] {
        for (what, before, after, expected) in changes() {
            block_on(async {
                let mut stage = Stage::new(face).await;
                stage.push(&before.event()).await;
                let (id, revisions) = (stage.link.as_ref().unwrap().item.id.clone(), stage.revisions());
                let wrote = stage.push(&after.event()).await.unwrap();
                assert_eq!(stage.shown(), stage.shown_at_first(&after.event()).await, "{face:?} {what}");
                assert_eq!(stage.link.as_ref().unwrap().item.id, id, "{face:?} {what}: in place");
                let Some(expected) = expected else {
                    return assert_eq!(wrote, Occurrences::All, "{face:?} {what}");
                };
                let mut touched: Vec<Date> = expected.into_iter().map(|occurrence| after.day(occurrence)).collect();
                let now = stage.revisions();
                touched.retain(|day| now.get(day) == revisions.get(day));
                assert_eq!(touched, [], "{face:?} {what}: not written");
                let written: Vec<&Date> = now.keys().filter(|day| now.get(day) != revisions.get(day)).collect();
                let Occurrences::Only(only) = wrote else { panic!("{face:?} {what}") };
                assert_eq!(
                    only.iter().map(|original| original.date()).collect::<Vec<_>>().iter().collect::<Vec<_>>(),
                    written
                );
            });
        }
    }
}

#[test]
fn whatever_is_lost_the_calendar_comes_to_show_it() {
    for face in [Face::Ews, Face::Graph] {
        for (what, before, after, _) in changes() {
            for lost in [Lost::Request, Lost::Answer] {
                block_on(async {
                    for nth in 1.. {
                        let mut stage = Stage::new(face).await;
                        stage.push(&before.event()).await;
                        stage.lose(lost, nth);
                        stage.push(&after.event()).await;
                        if !stage.has_lost() {
                            assert!(nth > 3, "{face:?} {what}: {nth} requests");
                            break;
                        }
                        let expected = stage.shown_at_first(&after.event()).await;
                        assert_eq!(stage.shown(), expected, "{face:?} {what}: {lost:?} {nth}");
                        // And on from there.
                        stage.push(&before.event()).await;
                        let expected = stage.shown_at_first(&before.event()).await;
                        assert_eq!(stage.shown(), expected, "{face:?} {what}: {lost:?} {nth}, and back");
                    }
                });
            }
        }
    }
}

/// The source takes its change back while nobody knows how far it was written.
#[test]
fn a_change_that_is_taken_back_halfway_is_taken_back() {
    for face in [Face::Ews, Face::Graph] {
        for (what, before, after, _) in changes() {
            for lost in [Lost::Request, Lost::Answer] {
                block_on(async {
                    for nth in 1..8 {
                        let mut stage = Stage::new(face).await;
                        stage.push(&before.event()).await;
                        stage.lose(lost, nth);
                        stage.attempt(&after.event()).await;
                        stage.push(&before.event()).await;
                        let expected = stage.shown_at_first(&before.event()).await;
                        assert_eq!(stage.shown(), expected, "{face:?} {what}: {lost:?} {nth}");
                    }
                });
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let changed = (-6_i64..7, 0_i8..22, any::<bool>(), 0_u8..6)
        .prop_map(|(days, hour, all_day, own)| Change::Changed { days, hour, all_day, own });
    prop_oneof![1 => Just(Change::Cancelled), 3 => changed]
}

fn said() -> impl Strategy<Value = Said> {
    let changes = prop::collection::btree_map(0..COUNT, change(), 0..COUNT);
    let hour = prop_oneof![4 => Just(9_i8), 1 => Just(11_i8)];
    let interval = prop_oneof![6 => Just(1_u16), 1 => Just(2_u16)];
    (prop_oneof![2 => Just(0_u8), 1 => 0_u8..6], hour, interval, changes)
        .prop_map(|(content, hour, interval, changes)| Said { content, hour, interval, changes })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_shows_what_a_first_push_shows(
        steps in prop::collection::vec((said(), prop::option::weighted(0.3, (any::<bool>(), 1_i64..7))), 1..7),
    ) {
        for face in [Face::Ews, Face::Graph] {
            block_on(async {
                let mut stage = Stage::new(face).await;
                for (number, (said, fault)) in steps.iter().enumerate() {
                    if let Some((answer, nth)) = fault {
                        stage.lose(if *answer { Lost::Answer } else { Lost::Request }, *nth);
                    }
                    let event = said.event();
                    stage.push(&event).await;
                    stage.lose(Lost::Answer, 0);
                    let expected = stage.shown_at_first(&event).await;
                    assert_eq!(stage.shown(), expected, "{face:?} step {number}");
                }
            });
        }
    }
}
