//! What holds for every plan.

use std::collections::BTreeSet;

use calsyncd::{
    model::{address::Address, snapshot::Snapshot},
    plan::{Action, KeepReason},
};
use proptest::prelude::*;

use crate::world::{KEPT, World, event, key};

/// What has happened to one event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fate {
    desired: Option<(u32, i64)>,
    wrote: Option<(u32, i64)>,
    linked: bool,
    /// 0: untouched, 1: changed in Outlook, 2: deleted in Outlook, 3: copied in Outlook.
    touched: u8,
    /// 0: the source does not know it, 1: handed over, 2..: kept back.
    absent: u8,
    /// Where and how the source puts what is kept back because it is out of the window.
    outside: Option<(u32, i64)>,
}

pub(crate) fn fate() -> impl Strategy<Value = Fate> {
    let version = || proptest::option::of((0_u32..3, prop_oneof![Just(-30_i64), -3_i64..20]));
    let fates = (version(), version(), any::<bool>(), 0_u8..4, 0_u8..5, version());
    fates.prop_map(|(desired, wrote, linked, touched, absent, outside)| Fate {
        desired,
        wrote,
        linked,
        touched,
        absent,
        outside,
    })
}

pub(crate) fn world(fates: &[Fate], complete: bool) -> World {
    let mut world = World::default();
    world.foreign(1);
    world.foreign(2);
    for (number, fate) in fates.iter().enumerate() {
        if let Some((version, days)) = fate.wrote {
            let id = world.wrote(&event(number, version, days));
            match fate.touched {
                1 => world.items.get_mut(&id).unwrap().change += 1,
                2 => drop(world.items.remove(&id)),
                3 => {
                    let copy = world.items[&id].clone();
                    world.items.insert(format!("{id}-copy"), copy);
                }
                _ => {}
            }
            if !fate.linked {
                world.links.remove(&key(number));
            }
        }
        if let Some((version, days)) = fate.desired {
            world.want(event(number, version, days));
        } else if fate.absent == 1 {
            world.scope.elsewhere.insert(key(number), BTreeSet::from([Address::parse("bob@example.test").unwrap()]));
        } else if let Some(reason) = KEPT.get(usize::from(fate.absent).wrapping_sub(2)) {
            world.scope.kept.insert(key(number), reason.clone());
            if let (Some((version, days)), KeepReason::OutOfWindow) = (fate.outside, reason) {
                world.scope.outside.insert(key(number), event(number, version, days));
            }
        }
    }
    if !complete {
        world.scope.complete.clear();
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn plans_pass_the_check_and_converge(fates in prop::collection::vec(fate(), 0..40), complete: bool) {
        let mut world = world(&fates, complete);
        let foreign = world.foreign_items();
        let (plan, violations) = world.plan(&world.whole()).unwrap();
        prop_assert_eq!(violations, vec![]);
        world.carry_out(&plan);
        let (second, violations) = world.plan(&world.whole()).unwrap();
        prop_assert_eq!(violations, vec![]);
        prop_assert_eq!(second.counts().changes(), 0, "the second plan is empty: {}", second);
        prop_assert_eq!(world.foreign_items(), foreign, "foreign items are untouched");
        // Nothing twice: what is wanted, and not frozen, is there once, copies of users aside.
        for key in world.desired.keys() {
            let there = world.items.iter().filter(|(id, item)| item.key.as_ref() == Some(key) && !id.ends_with("-copy"));
            prop_assert!(there.count() <= 1, "{} is there twice", key);
        }
    }

    #[test]
    fn an_incomplete_read_deletes_nothing(fates in prop::collection::vec(fate(), 0..40)) {
        let world = world(&fates, false);
        for snapshot in [Snapshot::NotRead, world.whole()] {
            let (plan, _) = world.plan(&snapshot).unwrap();
            let counts = plan.counts();
            prop_assert_eq!((counts.delete, counts.hold), (0, 0));
        }
    }

    #[test]
    fn deletions_stay_under_the_brake(fates in prop::collection::vec(fate(), 0..80)) {
        let world = world(&fates, true);
        let (plan, _) = world.plan(&Snapshot::NotRead).unwrap();
        let deletions = plan.counts().delete;
        prop_assert!(deletions <= 10 || deletions * 100 <= plan.brake_base * 20);
    }

    #[test]
    fn what_is_written_was_asked_for(fates in prop::collection::vec(fate(), 0..40), complete: bool) {
        let world = world(&fates, complete);
        let (plan, _) = world.plan(&world.whole()).unwrap();
        for decision in &plan.decisions {
            match &decision.action {
                Action::Create { event, .. } => prop_assert_eq!(world.desired.get(&decision.key), Some(event)),
                Action::Update { event, .. } => {
                    let outside = world.scope.outside.get(&decision.key);
                    prop_assert_eq!(world.desired.get(&decision.key).or(outside), Some(event));
                }
                Action::Delete { item, .. } => {
                    prop_assert!(!world.desired.contains_key(&decision.key));
                    prop_assert!(!world.scope.outside.contains_key(&decision.key));
                    prop_assert_eq!(world.items[&item.id].key.as_ref(), Some(&decision.key));
                }
                Action::Hold { .. } | Action::Keep { .. } | Action::Forget | Action::Quarantine { .. } => {}
            }
        }
    }
}
