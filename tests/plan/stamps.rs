//! A stamp changes with everything that a plan is decided on, and with nothing else.

use std::collections::BTreeSet;

use calsyncd::{
    model::{address::Address, hold::Verdict},
    plan::{KeepReason, Part, Refusal},
};
use proptest::prelude::*;

use crate::{
    properties::{fate, world},
    world::{World, event, key, now},
};

/// One thing that moves, and the part of the stamp that tells of it.
fn mutate(world: &mut World, what: usize) -> Vec<Part> {
    const FRESH: usize = 900;
    let link = world.links.keys().next().cloned();
    match what {
        0 => world.want(event(FRESH, 0, 5)),
        1 => match world.desired.keys().next().cloned() {
            Some(wanted) => drop(world.desired.remove(&wanted)),
            None => world.want(event(FRESH, 0, 5)),
        },
        2 => drop(world.scope.complete.insert("other".to_owned())),
        3 => drop(world.scope.braked.insert("other".to_owned())),
        4 => {
            let holders = BTreeSet::from([Address::parse("zoe@example.test").unwrap()]);
            world.scope.elsewhere.insert(key(FRESH), holders);
        }
        5 => drop(world.scope.kept.insert(key(FRESH), KeepReason::TooLong)),
        6 => drop(world.scope.outside.insert(key(FRESH), event(FRESH, 0, 400))),
        7 => {
            let refusal =
                Refusal { fingerprint: event(FRESH, 0, 5).fingerprint(), code: "Full".to_owned(), retry_at: now() };
            world.refusals.insert(key(FRESH), refusal);
        }
        8 => drop(world.pending.insert(key(FRESH), 7)),
        9 => drop(world.verdicts.insert(key(FRESH), Verdict::Rejected)),
        _ => match link {
            None => drop(world.pending.insert(key(FRESH), 7)),
            Some(key) => {
                let link = world.links.get_mut(&key).unwrap();
                match what {
                    10 => link.generation += 1,
                    11 => link.repairs.count += 1,
                    12 => link.ends += jiff::SignedDuration::from_secs(1),
                    13 => link.fingerprint = event(FRESH, 0, 5).fingerprint(),
                    _ => link.occurrences = Some(calsyncd::model::occurrences::WrittenOccurrences::new(Vec::new())),
                }
            }
        },
    }
    vec![if what < 7 { Part::Sources } else { Part::State }]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_moves_is_told(fates in prop::collection::vec(fate(), 0..20), what in 0_usize..15) {
        let mut world = world(&fates, true);
        let snapshot = world.whole();
        let before = world.stamp(&snapshot, 0);
        let parts = mutate(&mut world, what);
        // Only what is on the server stays as it was: the links alone may read it otherwise.
        let moved = before.moved(&world.stamp(&snapshot, 0));
        prop_assert!(parts.iter().all(|part| moved.contains(part)), "{}: {:?}", what, moved);
    }

    #[test]
    fn an_item_of_ours_that_anybody_touches_is_told(fates in prop::collection::vec(fate(), 1..20), which: usize, how in 0_u8..3) {
        let mut world = world(&fates, true);
        let ours: Vec<String> =
            world.items.iter().filter(|(_, item)| item.key.is_some()).map(|(id, _)| id.clone()).collect();
        prop_assume!(!ours.is_empty());
        let before = world.stamp(&world.whole(), 0);
        let id = &ours[which % ours.len()];
        match how {
            // A copy is left alone, whatever it says; that it is there counts.
            0 if !id.ends_with("-copy") => world.items.get_mut(id).unwrap().change += 1,
            1 => drop(world.items.remove(id)),
            _ => {
                let copy = world.items[id].clone();
                world.items.insert(format!("zz-{id}"), copy);
            }
        }
        prop_assert_eq!(before.moved(&world.stamp(&world.whole(), 0)), vec![Part::Calendar]);
    }

    #[test]
    fn what_is_foreign_and_a_while_move_nothing(fates in prop::collection::vec(fate(), 0..20), seconds in 0_i64..3_600) {
        let mut world = world(&fates, true);
        let before = world.stamp(&world.whole(), 0);
        world.foreign(7);
        world.items.remove("foreign-1");
        let after = world.stamp(&world.whole(), seconds);
        prop_assert_eq!(before.moved(&after), vec![]);
        prop_assert_eq!(&before, &after);
    }

    /// What is left after a part of a plan was carried out is a rest of it; a plan of something else is not.
    #[test]
    fn the_rest_of_a_plan_is_known(fates in prop::collection::vec(fate(), 0..20), count in 0_usize..20) {
        let mut world = world(&fates, true);
        let whole = world.stamp(&world.whole(), 0);
        let (mut plan, _) = world.plan(&world.whole()).unwrap();
        plan.decisions.truncate(count);
        world.carry_out(&plan);
        let rest = world.stamp(&world.whole(), 30);
        prop_assert!(rest.is_rest_of(&whole), "{:?} of {:?}", rest.writes, whole.writes);
        world.want(event(900, 0, 5));
        prop_assert!(!world.stamp(&world.whole(), 30).is_rest_of(&whole));
    }
}

/// Nothing moved but the time, which ends a refusal.
#[test]
fn time_that_decides_is_told() {
    let mut world = World::default();
    let event = event(1, 0, 5);
    let retry_at = now() + jiff::SignedDuration::from_secs(60);
    world.refusals.insert(key(1), Refusal { fingerprint: event.fingerprint(), code: "Full".to_owned(), retry_at });
    world.want(event);
    let at = |seconds| world.stamp(&world.whole(), seconds);
    assert_eq!(at(0).moved(&at(59)), []);
    assert_eq!(at(0).moved(&at(61)), [Part::Decisions]);
}
