//! Plans as text: one world, one text.

use std::collections::BTreeSet;

use calsyncd::{
    model::{
        address::Address,
        link::{ItemRef, Owner, Repairs},
        snapshot::Snapshot,
    },
    plan::{KeepReason, PlanError, Refusal},
};
use insta::assert_snapshot;

use crate::world::{World, event, key, now};

#[test]
fn a_first_push_creates() {
    let mut world = World::default();
    world.want(event(1, 1, 0));
    world.want(event(2, 1, 3));
    world.foreign(1);
    assert_snapshot!(world.text(&world.whole()), @r"
    ana@example.test: 2 to create, 0 to update, 0 to delete, 0 held, 0 kept, 0 in quarantine
      create      erp/appointment/1: new
      create      erp/appointment/2: new
    ");
}

#[test]
fn every_reason_has_its_line() {
    let mut world = World::default();
    for number in 1..=9 {
        world.wrote(&event(number, 1, 1));
    }
    world.want(event(1, 1, 1)); // as it should be
    world.want(event(2, 2, 1)); // the source changed
    world.want(event(3, 1, 1)); // changed in Outlook, below
    world.want(event(4, 1, 1)); // deleted in Outlook, below
    // 5 is no longer in the source
    world.scope.elsewhere.insert(key(6), BTreeSet::from([Address::parse("bob@example.test").unwrap()]));
    world.scope.kept.insert(key(7), KeepReason::OutOfWindow);
    world.scope.kept.insert(key(8), KeepReason::NotSelected);
    world.scope.kept.insert(key(9), KeepReason::Rejected);
    world.want(event(10, 1, -30)); // over for long
    let refused = event(11, 1, 1);
    let refusal = Refusal {
        fingerprint: refused.fingerprint(),
        code: "ErrorCalendarDurationIsTooLong".to_owned(),
        retry_at: "2026-11-24T00:00:00Z".parse().unwrap(),
    };
    world.refusals.insert(key(11), refusal);
    world.want(refused);
    world.items.get_mut("item-0003").unwrap().change = 2;
    world.items.remove("item-0004");
    let copy = world.items["item-0001"].clone();
    world.items.insert("item-9999".to_owned(), copy);
    assert_snapshot!(world.text(&world.whole()), @r"
    ana@example.test: 1 to create, 2 to update, 2 to delete, 0 held, 5 kept, 1 in quarantine
      keep        erp/appointment/10: over for long, frozen
      quarantine  erp/appointment/11: the server refused it: ErrorCalendarDurationIsTooLong
      update      erp/appointment/2: the source changed: subject, location
      update      erp/appointment/3: changed in Outlook: subject, body, location, time, recurrence, show_as, sensitivity, importance, categories, reminder, occurrences
      create      erp/appointment/4: deleted in Outlook
      delete      erp/appointment/5: no longer in the source
      delete      erp/appointment/6: handed to another person
      keep        erp/appointment/7: outside the window of the job
      keep        erp/appointment/8: not selected by the job
      keep        erp/appointment/9: the source's event could not be used
      leave       item-9999: a copy that carries our mark
    ");
}

#[test]
fn an_incomplete_read_deletes_nothing() {
    let mut world = World::default();
    for number in 1..=3 {
        world.wrote(&event(number, 1, 1));
    }
    world.want(event(1, 2, 1));
    world.scope.complete.clear();
    assert_snapshot!(world.text(&Snapshot::NotRead), @r"
    ana@example.test: 0 to create, 1 to update, 0 to delete, 0 held, 2 kept, 0 in quarantine
      update      erp/appointment/1: the source changed: subject, location
      keep        erp/appointment/2: the source was not read to its end
      keep        erp/appointment/3: the source was not read to its end
    ");
}

#[test]
fn the_brake_holds_deletions_and_lets_the_rest_through() {
    let mut world = World::default();
    for number in 1..=20 {
        world.wrote(&event(number, 1, 1));
        if number > 11 {
            world.want(event(number, 1, 1));
        }
    }
    world.want(event(21, 1, 1));
    let (plan, violations) = world.plan(&Snapshot::NotRead).unwrap();
    assert_eq!(violations, []);
    let counts = plan.counts();
    assert_eq!((counts.create, counts.delete, counts.hold), (1, 0, 11));
    // Ten of twenty is over the share, but not over the number.
    world.want(event(11, 1, 1));
    let counts = world.plan(&Snapshot::NotRead).unwrap().0.counts();
    assert_eq!((counts.create, counts.delete, counts.hold), (1, 10, 0));
}

#[test]
fn a_lost_state_is_found_again() {
    let mut world = World::default();
    world.wrote(&event(1, 1, 1));
    world.wrote(&event(2, 1, 1));
    world.wrote(&event(3, 1, 1));
    world.links.clear();
    world.want(event(1, 1, 1));
    world.want(event(2, 2, 1));
    assert_snapshot!(world.text(&world.whole()), @r"
    ana@example.test: 0 to create, 1 to update, 0 to delete, 1 held, 1 kept, 0 in quarantine
      keep        erp/appointment/1: as it should be
      update      erp/appointment/2: the source changed: subject, location
      hold        erp/appointment/3: ours by its mark, but nothing is known of it
    ");
}

#[test]
fn a_calendar_of_another_instance_is_left_alone() {
    let mut world = World::default();
    world.wrote(&event(1, 1, 1));
    world.items.get_mut("item-0001").unwrap().owner = Some(Owner("another".to_owned()));
    world.want(event(1, 2, 1));
    let error = world.plan(&world.whole()).unwrap_err();
    assert!(matches!(error, PlanError::OwnedByAnother { count: 1, .. }), "{error}");
}

#[test]
fn what_moves_between_past_and_future_is_followed() {
    let mut world = World::default();
    world.wrote(&event(1, 1, -30)); // long over, and stays so: frozen
    world.want(event(1, 2, -30));
    world.wrote(&event(2, 1, 5)); // to come, moved into the past
    world.want(event(2, 1, -30));
    world.wrote(&event(3, 1, -30)); // over, moved into the future
    world.want(event(3, 1, 5));
    world.wrote(&event(4, 1, -30)); // over, and gone from the source: ageing out never deletes
    assert_snapshot!(world.text(&Snapshot::NotRead), @r"
    ana@example.test: 0 to create, 2 to update, 0 to delete, 0 held, 2 kept, 0 in quarantine
      keep        erp/appointment/1: over for long, frozen
      update      erp/appointment/2: the source changed: time
      update      erp/appointment/3: the source changed: time
      keep        erp/appointment/4: over for long, frozen
    ");
}

#[test]
fn changes_since_a_cursor_name_what_was_touched() {
    let mut world = World::default();
    for number in 1..=3 {
        world.wrote(&event(number, 1, 1));
        world.want(event(number, 1, 1));
    }
    let changed = |id: &str, change_key: &str| ItemRef { id: id.to_owned(), change_key: change_key.to_owned() };
    let snapshot = Snapshot::Changes {
        // The first is our own write; the last is nobody's business.
        changed: vec![changed("item-0001", "1"), changed("item-0002", "7"), changed("foreign-1", "3")],
        ours: Vec::new(),
        gone: vec!["item-0003".to_owned(), "foreign-2".to_owned()],
    };
    assert_snapshot!(world.text(&snapshot), @r"
    ana@example.test: 1 to create, 1 to update, 0 to delete, 0 held, 1 kept, 0 in quarantine
      update      erp/appointment/2: changed in Outlook: subject, body, location, time, recurrence, show_as, sensitivity, importance, categories, reminder, occurrences
      create      erp/appointment/3: deleted in Outlook
    ");
}

#[test]
fn a_fight_over_an_item_ends() {
    let mut world = World::default();
    world.wrote(&event(1, 1, 1));
    world.want(event(1, 1, 1));
    let mut writes = 0;
    for change in 2..20 {
        world.items.values_mut().next().unwrap().change = 100 * change;
        let (plan, _) = world.plan(&world.whole()).unwrap();
        writes += plan.counts().update;
        world.carry_out(&plan);
    }
    assert_eq!(writes, usize::try_from(Repairs::COUNT_MAX).unwrap());
    assert!(world.text(&world.whole()).contains("repaired too often today"));
}

#[test]
fn a_repeated_create_keeps_its_generation() {
    let mut world = World::default();
    world.want(event(1, 1, 1));
    world.pending.insert(key(1), 42);
    let (plan, _) = world.plan(&Snapshot::NotRead).unwrap();
    let generation = plan.decisions.iter().find_map(|decision| match &decision.action {
        calsyncd::plan::Action::Create { generation, .. } => Some(*generation),
        _ => None,
    });
    assert_eq!(generation, Some(42));
    world.pending.clear();
    let (plan, _) = world.plan(&Snapshot::NotRead).unwrap();
    let fresh = matches!(&plan.decisions[0].action, calsyncd::plan::Action::Create { generation, .. }
        if *generation == now().as_millisecond());
    assert!(fresh);
}

#[test]
fn what_moves_out_of_the_window_is_followed() {
    let mut world = World::default();
    for number in 1..=6 {
        world.wrote(&event(number, 1, if number == 2 { -30 } else { 5 }));
        world.scope.kept.insert(key(number), KeepReason::OutOfWindow);
    }
    let outside = [event(1, 1, 400), event(2, 2, -40), event(3, 1, 5), event(4, 1, 5), event(5, 1, 400)];
    world.scope.outside = outside.into_iter().map(|event| (event.key.clone(), event)).collect();
    world.items.get_mut("item-0004").unwrap().change = 2; // as the source says, but moved in Outlook
    world.items.remove("item-0005"); // deleted in Outlook
    // 6 ended before the window: nobody asks where it is now
    world.wrote(&event(7, 1, 5)); // the state lost it
    world.links.remove(&key(7));
    world.scope.kept.insert(key(7), KeepReason::OutOfWindow);
    world.scope.outside.insert(key(7), event(7, 1, 400));
    assert_snapshot!(world.text(&world.whole()), @r"
    ana@example.test: 0 to create, 3 to update, 0 to delete, 0 held, 3 kept, 0 in quarantine
      update      erp/appointment/1: the source changed: time
      keep        erp/appointment/2: over for long, frozen
      keep        erp/appointment/3: outside the window of the job
      update      erp/appointment/4: changed in Outlook: subject, body, location, time, recurrence, show_as, sensitivity, importance, categories, reminder, occurrences
      forget      erp/appointment/5: gone in Outlook and in the source
      keep        erp/appointment/6: outside the window of the job
      update      erp/appointment/7: the source changed: time
    ");
}

#[test]
fn an_event_that_other_items_show_weighs_once_for_the_brake() {
    let part = |number: usize, day: i8| key(number).part(jiff::civil::date(2026, 12, day).at(9, 0, 0, 0));
    let of = |key: calsyncd::model::key::SourceKey| {
        let mut event = (*event(1, 1, 5)).clone();
        event.key = key;
        event
    };
    let world = |events: usize, shown: usize| {
        let mut world = World::default();
        for number in 1..=events {
            for day in 1..=6 {
                world.wrote(&of(part(number, day)));
            }
            if number <= shown {
                world.want(event(number, 1, 5));
            }
        }
        world
    };
    // Expanded events that became one item each: 60 deletions weigh 10, 66 weigh 11. One that is gone weighs by its items.
    for (events, shown, deleted, held) in
        [(1, 1, 6, 0), (10, 10, 60, 0), (11, 11, 66, 0), (10, 0, 0, 60), (6, 1, 0, 36)]
    {
        let (plan, violations) = world(events, shown).plan(&Snapshot::NotRead).unwrap();
        assert_eq!(violations, []);
        assert_eq!((plan.counts().delete, plan.counts().hold), (deleted, held), "{events} {shown}");
    }
    let mut many = world(11, 11);
    many.policy.brake_share_percent = 10;
    assert_eq!(many.plan(&Snapshot::NotRead).unwrap().0.counts().hold, 66);
    let text = world(1, 1).text(&Snapshot::NotRead);
    assert!(text.contains("its event is shown by other items now"), "{text}");
    // The checker believes no such reason that it does not see.
    let lie = |action: &mut calsyncd::plan::Action| {
        if let calsyncd::plan::Action::Delete { reason, .. } = action {
            *reason = calsyncd::plan::DeleteReason::Reshaped;
        }
    };
    let violations = world(1, 0).check_with(lie);
    assert!(matches!(violations[..], [calsyncd::plan::Violation::NotShownOtherwise(_), ..]), "{violations:?}");
}

#[test]
fn an_operator_decides_over_held_deletions() {
    use calsyncd::model::hold::Verdict::{Approved, Rejected};
    // Thirty items of which fifteen are no longer wanted: [approved, rejected] → [deleted, held].
    let cases = [([0, 0], [0, 15]), ([2, 0], [2, 13]), ([15, 0], [15, 0]), ([0, 15], [0, 15]), ([2, 2], [2, 13])];
    // What was decided does not weigh: ten are left, and the brake lets go.
    let released = [([5, 0], [15, 0]), ([0, 5], [10, 5]), ([3, 2], [13, 2])];
    for ([approved, rejected], expected) in cases.into_iter().chain(released) {
        let mut world = World::default();
        for number in 1..=30 {
            let event = event(number, 1, 5);
            world.wrote(&event);
            if number > 15 {
                world.want(event);
            }
        }
        let verdicts = [Approved].repeat(approved).into_iter().chain([Rejected].repeat(rejected));
        world.verdicts = (1..).map(key).zip(verdicts).collect();
        let counts = |world: &World| {
            let (plan, violations) = world.plan(&Snapshot::NotRead).unwrap();
            assert_eq!(violations, []);
            [plan.counts().delete, plan.counts().hold]
        };
        assert_eq!(counts(&world), expected, "{approved} approved, {rejected} rejected");
        world.scope.braked.insert("erp".to_owned());
        assert_eq!(counts(&world), [approved, 15 - approved], "the source is braked");
        world.scope.complete.clear();
        assert_eq!(counts(&world), [0, 0], "nobody knows whether they are gone");
        world.verdicts = (1..=30).map(|number| (key(number), Approved)).collect();
        (1..=15).for_each(|number| world.want(event(number, 1, 5)));
        world.scope.complete.insert("erp".to_owned());
        assert_eq!(counts(&world), [0, 0], "they are wanted again");
    }
}

#[test]
fn an_orphan_goes_when_an_operator_approves() {
    use calsyncd::model::hold::Verdict;
    for (verdict, expected) in [(None, [0, 1]), (Some(Verdict::Approved), [1, 0]), (Some(Verdict::Rejected), [0, 1])] {
        let mut world = World::default();
        world.wrote(&event(1, 1, 5));
        world.links.clear();
        world.verdicts = verdict.map(|verdict| (key(1), verdict)).into_iter().collect();
        let (plan, violations) = world.plan(&world.whole()).unwrap();
        assert_eq!(violations, []);
        assert_eq!([plan.counts().delete, plan.counts().hold], expected, "{verdict:?}");
    }
}
