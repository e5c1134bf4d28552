//! A source that is short and does not know it: a file cut off, a filter too narrow, a right lost. Whatever is missing, no
//! calendar loses more than the brake lets through, and what comes back is there again, once.

use std::{collections::BTreeSet, sync::Arc};

use calsyncd::model::{event::DesiredEvent, key::Kind, key::SourceKey, snapshot::Snapshot};
use proptest::prelude::*;

use crate::world::{World, event};

/// What goes wrong with a read.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Nothing comes.
    Empty,
    /// It ends too early.
    Truncated(usize),
    /// Every other event is missing.
    Halved,
    /// What one may not see any more is missing, wherever it is.
    Filtered(u64, u8),
}

impl Fault {
    /// Whether event number `place` comes all the same.
    fn lets_through(self, place: usize) -> bool {
        match self {
            Self::Empty => false,
            Self::Truncated(at) => place < at,
            Self::Halved => place.is_multiple_of(2),
            Self::Filtered(seed, percent) => fastrand::Rng::with_seed(seed ^ (place as u64)).u8(..100) >= percent,
        }
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Empty),
        (0_usize..120).prop_map(Fault::Truncated),
        Just(Fault::Halved),
        (any::<u64>(), 0_u8..=100).prop_map(|(seed, percent)| Fault::Filtered(seed, percent)),
    ]
}

/// Event `number` of a source.
fn of(source: &str, number: usize, days: i64) -> Arc<DesiredEvent> {
    let mut event = event(number, 0, days);
    Arc::make_mut(&mut event).key = SourceKey::new(source, Kind::Appointment, &number.to_string());
    event
}

/// A calendar that shows what two sources say: of each so many events, some of them long past.
fn settled(days: &[i64]) -> World {
    let mut world = World::default();
    world.foreign(1);
    world.scope.complete = BTreeSet::from(["erp".to_owned(), "hr".to_owned()]);
    for (number, days) in days.iter().enumerate() {
        for source in ["erp", "hr"] {
            let event = of(source, number, *days);
            world.wrote(&event);
            world.want(event);
        }
    }
    world
}

/// The same world when the source `erp` is read with a fault.
fn hurt(world: &World, fault: Fault) -> World {
    let mut hurt = world.clone();
    let mut place = 0;
    hurt.desired.retain(|key, _| {
        key.source() != "erp" || {
            place += 1;
            fault.lets_through(place - 1)
        }
    });
    hurt
}

fn days() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(prop_oneof![1 => Just(-30_i64), 5 => 0_i64..60], 0..120)
}

/// The links that live, and those of them that `fault` makes disappear.
fn live_and_missing(world: &World, hurt: &World) -> (usize, usize) {
    let live = world.links.values().filter(|link| link.ends >= world.policy.frozen_before);
    let missing = live.clone().filter(|link| !hurt.desired.contains_key(&link.key));
    (live.count(), missing.count())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_short_source_that_says_so_deletes_nothing(days in days(), fault in fault()) {
        let world = settled(&days);
        let mut hurt = hurt(&world, fault);
        hurt.scope.complete.remove("erp");
        for snapshot in [Snapshot::NotRead, hurt.whole()] {
            let (plan, _) = hurt.plan(&snapshot).unwrap();
            let counts = plan.counts();
            prop_assert_eq!((counts.changes(), counts.hold, counts.forget), (0, 0, 0));
        }
    }

    #[test]
    fn a_short_source_deletes_no_more_than_the_brake_lets_through(days in days(), fault in fault()) {
        let world = settled(&days);
        let hurt = hurt(&world, fault);
        let (live, missing) = live_and_missing(&world, &hurt);
        let (plan, violations) = hurt.plan(&hurt.whole()).unwrap();
        prop_assert_eq!(violations, vec![]);
        let counts = plan.counts();
        let expected = if missing > 10 && missing * 100 > live * 20 { (0, missing) } else { (missing, 0) };
        prop_assert_eq!((counts.delete, counts.hold), expected, "{} of {}", missing, live);
        prop_assert_eq!((counts.create, counts.update), (0, 0));
    }

    /// The same fault at every read takes nothing more; the end of the fault brings back what it took, and no more.
    #[test]
    fn what_a_fault_took_comes_back_once(days in days(), fault in fault(), reads in 1_usize..4) {
        let before = settled(&days);
        let mut world = hurt(&before, fault);
        let mut deleted = 0;
        for _ in 0..reads {
            let (plan, _) = world.plan(&world.whole()).unwrap();
            deleted += plan.counts().delete;
            world.carry_out(&plan);
        }
        let (live, _) = live_and_missing(&before, &world);
        prop_assert!(deleted <= 10 || deleted * 100 <= live * 20, "{} of {}", deleted, live);

        world.desired = before.desired.clone();
        let (plan, _) = world.plan(&world.whole()).unwrap();
        let counts = plan.counts();
        prop_assert_eq!((counts.create, counts.update, counts.delete, counts.hold), (deleted, 0, 0, 0));
        world.carry_out(&plan);
        let shown = |world: &World| {
            let mut shown: Vec<_> = world.items.values().map(|item| (item.key.clone(), item.says.clone())).collect();
            shown.sort();
            shown
        };
        prop_assert_eq!(shown(&world), shown(&before));
    }

    /// A fault of one source is no other source's.
    #[test]
    fn a_short_source_touches_nothing_of_another(days in days(), fault in fault(), complete: bool) {
        let mut world = hurt(&settled(&days), fault);
        if !complete {
            world.scope.complete.remove("erp");
        }
        let of_hr = |world: &World| {
            let of_hr = world.items.iter().filter(|(_, item)| item.key.as_ref().is_some_and(|key| key.source() == "hr"));
            of_hr.map(|(id, item)| (id.clone(), item.clone())).collect::<Vec<_>>()
        };
        let before = of_hr(&world);
        let (plan, _) = world.plan(&world.whole()).unwrap();
        world.carry_out(&plan);
        prop_assert_eq!(of_hr(&world), before);
    }
}
