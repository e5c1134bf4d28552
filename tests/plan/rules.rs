//! The rules that no plan breaks, over random worlds, random settings and everything that operators may have said.

use std::collections::{BTreeMap, BTreeSet};

use calsyncd::{
    model::{
        hold::Verdict,
        key::SourceKey,
        link::{FoundItem, ItemRef, Link, Owner},
        snapshot::Snapshot,
    },
    plan::{Action, DeleteReason, Plan, PlanError, Policy, ends},
};
use proptest::prelude::*;

use crate::{
    properties::{Fate, fate, world},
    world::{World, key},
};

/// What is there, and what was said and set.
#[derive(Debug, Clone)]
struct Setting {
    fates: Vec<Fate>,
    /// For each event: nothing, approved, rejected.
    verdicts: Vec<u8>,
    complete: bool,
    braked: bool,
    share: u8,
    number: u32,
}

impl Setting {
    fn world(&self) -> World {
        let mut world = world(&self.fates, self.complete);
        world.policy = Policy { brake_share_percent: self.share, brake_number: self.number, ..world.policy };
        for (number, said) in self.verdicts.iter().enumerate() {
            let verdict = match said {
                1 => Verdict::Approved,
                2 => Verdict::Rejected,
                _ => continue,
            };
            world.verdicts.insert(key(number), verdict);
        }
        if self.braked {
            world.scope.braked.insert("erp".to_owned());
        }
        world
    }
}

fn setting() -> impl Strategy<Value = Setting> {
    let fates = prop::collection::vec(fate(), 0..40);
    let said = prop::collection::vec(prop_oneof![4 => Just(0_u8), 1 => Just(1), 1 => Just(2)], 0..40);
    let braked = prop::bool::weighted(0.2);
    let complete = prop::bool::weighted(0.8);
    let brake = (prop_oneof![Just(0_u8), Just(20), 0..=100_u8], prop_oneof![Just(0_u32), Just(10), 0_u32..40]);
    (fates, said, complete, braked, brake).prop_map(|(fates, verdicts, complete, braked, (share, number))| Setting {
        fates,
        verdicts,
        complete,
        braked,
        share,
        number,
    })
}

/// The item that an action writes to.
fn written(action: &Action) -> Option<&ItemRef> {
    match action {
        Action::Update { item, .. } | Action::Delete { item, .. } => Some(item),
        Action::Create { .. }
        | Action::Hold { .. }
        | Action::Keep { .. }
        | Action::Forget
        | Action::Quarantine { .. } => None,
    }
}

/// What a reading since a cursor says, had the cursor been kept when the links were written.
fn changes(world: &World) -> Snapshot {
    let Snapshot::Whole(found) = world.whole() else { unreachable!() };
    let written: BTreeMap<&str, &Link> = world.links.values().map(|link| (link.item.id.as_str(), link)).collect();
    let is_new = |item: &&FoundItem| written.get(item.item.id.as_str()).is_none_or(|link| link.item != item.item);
    let ours: Vec<FoundItem> = found.iter().filter(is_new).cloned().collect();
    let there: BTreeSet<&str> = found.iter().map(|item| item.item.id.as_str()).collect();
    let gone = written.keys().filter(|id| !there.contains(*id)).map(|id| (*id).to_owned()).collect();
    Snapshot::Changes { changed: ours.iter().map(|item| item.item.clone()).collect(), ours, gone }
}

/// The keys for which a plan does one of these things.
fn keys(plan: &Plan, is_one: impl Fn(&Action) -> bool) -> BTreeSet<SourceKey> {
    let decisions = plan.decisions.iter().filter(|decision| is_one(&decision.action));
    decisions.map(|decision| decision.key.clone()).collect()
}

fn decided(world: &World, snapshot: &Snapshot) -> Plan {
    let (plan, violations) = world.plan(snapshot).unwrap();
    assert_eq!(violations, [], "{plan}");
    plan
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_foreign_is_written_to(setting in setting()) {
        let world = setting.world();
        for snapshot in [world.whole(), changes(&world)] {
            let plan = decided(&world, &snapshot);
            for decision in &plan.decisions {
                let Some(item) = written(&decision.action) else { continue };
                let there = &world.items[&item.id];
                prop_assert_eq!(there.key.as_ref(), Some(&decision.key), "an item without our mark, or of another key");
                prop_assert!(!item.id.ends_with("-copy"), "a copy is its user's");
            }
        }
    }

    #[test]
    fn a_calendar_of_another_instance_has_no_plan(setting in setting(), which: prop::sample::Index) {
        let mut world = setting.world();
        let ours: Vec<String> = world.items.iter().filter(|(_, item)| item.key.is_some()).map(|(id, _)| id.clone()).collect();
        prop_assume!(!ours.is_empty());
        let item = world.items.get_mut(which.get(&ours)).unwrap();
        item.owner = Some(Owner("another".to_owned()));
        item.change += 1;
        for snapshot in [world.whole(), changes(&world)] {
            let refused = matches!(world.plan(&snapshot), Err(PlanError::OwnedByAnother { count: 1, .. }));
            prop_assert!(refused);
        }
    }

    #[test]
    fn the_past_is_frozen(setting in setting()) {
        let world = setting.world();
        let frozen_before = world.policy.frozen_before;
        for snapshot in [Snapshot::NotRead, world.whole(), changes(&world)] {
            for decision in decided(&world, &snapshot).decisions {
                let lives = |link: Option<&Link>| link.is_some_and(|link| link.ends >= frozen_before);
                let before = world.links.get(&decision.key);
                match &decision.action {
                    Action::Create { event, .. } => prop_assert!(ends(event) >= frozen_before),
                    Action::Update { event, .. } => prop_assert!(ends(event) >= frozen_before || lives(before)),
                    // An operator has looked at it.
                    Action::Delete { reason: DeleteReason::Orphan, .. } => prop_assert_eq!(before, None),
                    Action::Delete { link, .. } => prop_assert!(lives(Some(link)) && lives(before)),
                    Action::Hold { .. } | Action::Keep { .. } | Action::Forget | Action::Quarantine { .. } => {}
                }
            }
        }
    }

    #[test]
    fn deletions_are_held_before_they_are_done(setting in setting()) {
        let world = setting.world();
        for snapshot in [Snapshot::NotRead, world.whole(), changes(&world)] {
            for decision in decided(&world, &snapshot).decisions {
                let Action::Delete { reason, .. } = &decision.action else { continue };
                let verdict = world.verdicts.get(&decision.key);
                prop_assert!(setting.complete, "a read that was not complete deletes nothing");
                prop_assert_ne!(verdict, Some(&Verdict::Rejected));
                let is_approved = verdict == Some(&Verdict::Approved);
                prop_assert!(is_approved || !setting.braked, "the brake of the source");
                prop_assert!(is_approved || *reason != DeleteReason::Orphan, "no link tells of it");
            }
        }
    }

    /// What its source holds stays, whatever the reason for which it is not pushed.
    #[test]
    fn what_is_out_of_scope_is_not_deleted(setting in setting()) {
        let world = setting.world();
        for snapshot in [Snapshot::NotRead, world.whole(), changes(&world)] {
            let gone = |action: &Action| matches!(action, Action::Delete { .. } | Action::Hold { .. });
            let gone = keys(&decided(&world, &snapshot), gone);
            prop_assert!(gone.iter().all(|key| !world.scope.kept.contains_key(key)), "{:?}", gone);
        }
    }

    /// Over the share *and* over the number, nothing at all is deleted but what was approved.
    #[test]
    fn the_brake_bounds_deletions(setting in setting()) {
        let world = setting.world();
        for snapshot in [Snapshot::NotRead, world.whole(), changes(&world)] {
            let plan = decided(&world, &snapshot);
            let is_approved = |key| world.verdicts.get(key) == Some(&Verdict::Approved);
            let deletions = plan.decisions.iter().filter(|decision| {
                matches!(decision.action, Action::Delete { .. }) && !is_approved(&decision.key)
            });
            let deletions = deletions.count();
            let live = world.links.values().filter(|link| link.ends >= world.policy.frozen_before).count();
            prop_assert!(deletions <= setting.number as usize || deletions * 100 <= live * usize::from(setting.share));
        }
    }

    /// What is held is not in the way of what is created and changed.
    #[test]
    fn the_brake_keeps_nothing_else_back(setting in setting()) {
        let mut world = setting.world();
        let (create, update) = { let counts = decided(&world, &world.whole()).counts(); (counts.create, counts.update) };
        world.policy = Policy { brake_share_percent: 100, brake_number: u32::MAX, ..world.policy };
        let counts = decided(&world, &world.whole()).counts();
        prop_assert_eq!((counts.create, counts.update), (create, update));
    }

    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do(setting in setting()) {
        let mut world = setting.world();
        let plan = decided(&world, &world.whole());
        let held = keys(&plan, |action| matches!(action, Action::Hold { .. }));
        world.carry_out(&plan);
        for snapshot in [world.whole(), changes(&world)] {
            let rest = decided(&world, &snapshot);
            // What was created may widen the share, so that what was held goes through.
            let changes = keys(&rest, |action| written(action).is_some() || matches!(action, Action::Create { .. }));
            prop_assert!(changes.is_subset(&held), "{}", rest);
            prop_assert_eq!(rest.counts().changes(), rest.counts().delete, "{}", rest);
        }
    }

    /// A plan that stops anywhere is taken up where it stopped, and nothing is there twice.
    #[test]
    fn a_plan_that_stops_anywhere_is_finished_by_the_next(setting in setting(), stop: prop::sample::Index) {
        let (mut world, mut whole) = (setting.world(), setting.world());
        let mut plan = decided(&world, &world.whole());
        whole.carry_out(&plan);
        // How many deletions the brake lets through is another matter.
        let stays = keys(&plan, |action| !matches!(action, Action::Delete { .. } | Action::Hold { .. }));
        plan.decisions.truncate(stop.index(plan.decisions.len() + 1));
        world.carry_out(&plan);
        let rest = decided(&world, &world.whole());
        world.carry_out(&rest);
        let shows = |world: &World| {
            let items = world.items.values().filter(|item| item.key.as_ref().is_none_or(|key| stays.contains(key)));
            let mut items: Vec<_> = items.map(|item| (item.key.clone(), item.says.clone())).collect();
            items.sort();
            items
        };
        prop_assert_eq!(shows(&world), shows(&whole));
    }

    #[test]
    fn the_order_of_what_is_read_decides_nothing(setting in setting(), seed: u64) {
        let world = setting.world();
        let plan = decided(&world, &world.whole());
        let mut random = fastrand::Rng::with_seed(seed);
        let Snapshot::Whole(mut found) = world.whole() else { unreachable!() };
        random.shuffle(&mut found);
        let (mut desired, mut links): (Vec<_>, Vec<_>) =
            (world.desired.values().cloned().collect(), world.links.values().cloned().collect());
        random.shuffle(&mut desired);
        random.shuffle(&mut links);
        prop_assert_eq!(&world.plan_of(&desired, &links, &Snapshot::Whole(found)), &plan);
    }

    /// What a reading since a cursor leaves out is as it was written: both decide alike.
    #[test]
    fn a_reading_of_changes_decides_as_a_whole_one(setting in setting()) {
        let world = setting.world();
        let (whole, since) = (decided(&world, &world.whole()), decided(&world, &changes(&world)));
        prop_assert_eq!(&whole.decisions, &since.decisions);
        prop_assert_eq!(whole.copies, since.copies);
    }
}
