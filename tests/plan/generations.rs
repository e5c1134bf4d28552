//! The generation of an item against that of its link, and which of several items is ours: tables of cases.

use calsyncd::{
    model::{
        fingerprint::Fingerprint,
        link::{FoundItem, ItemRef, Link, Owner},
        snapshot::Snapshot,
    },
    plan::{Action, KeepReason, Plan, adopt, foreign},
};

use crate::world::{World, event, key, mailbox, now, owner};

fn found(id: &str, change: &str, generation: Option<i64>, says: &Fingerprint) -> FoundItem {
    let item = ItemRef { id: id.to_owned(), change_key: change.to_owned() };
    FoundItem {
        fingerprint: Some(says.clone()),
        owner: Some(owner()),
        generation,
        ..FoundItem::new(item, key(1).as_str())
    }
}

/// The plan for event 1, linked with generation 5 and change key 1, and what is found of it, read both ways.
fn plans(wanted: u32, item: &FoundItem) -> [Plan; 2] {
    let mut world = World::default();
    let id = world.wrote(&event(1, 1, 3));
    world.links.get_mut(&key(1)).unwrap().generation = 5;
    world.want(event(1, wanted, 3));
    let gone = if item.item.id == id { Vec::new() } else { vec![id] };
    let ours = vec![item.clone()];
    let changes = Snapshot::Changes { changed: vec![item.item.clone()], ours: ours.clone(), gone };
    [Snapshot::Whole(ours), changes].map(|snapshot| world.plan(&snapshot).unwrap().0)
}

#[test]
fn the_later_generation_counts() {
    let old = event(1, 1, 3).fingerprint();
    let new = event(1, 2, 3).fingerprint();
    // id, change key, generation, what the item says, version wanted → newer, word, reason
    let cases = [
        ("item-0001", "1", Some(5), &old, 1, 0, "keep", "same"),
        ("item-0001", "1", None, &old, 1, 0, "keep", "same"),
        ("item-0001", "2", Some(5), &old, 1, 0, "update", "changed_in_outlook"),
        ("item-0001", "2", None, &old, 1, 0, "update", "changed_in_outlook"),
        // The state is an old copy.
        ("item-0001", "2", Some(6), &old, 1, 1, "keep", "same"),
        ("item-0001", "2", Some(6), &new, 2, 1, "keep", "same"),
        ("item-0001", "2", Some(6), &old, 2, 1, "update", "source_changed"),
        ("item-0009", "1", Some(6), &new, 2, 1, "keep", "same"),
        // The calendar is an old copy.
        ("item-0001", "1", Some(4), &old, 1, 0, "update", "changed_in_outlook"),
        ("item-0009", "1", Some(4), &old, 1, 0, "update", "changed_in_outlook"),
    ];
    for case @ (id, change, generation, says, wanted, newer, word, code) in cases {
        for plan in plans(wanted, &found(id, change, generation, says)) {
            let action = &plan.decisions[0].action;
            assert_eq!((plan.newer, action.word(), action.code()), (newer, word, code), "{case:?}");
            if let Action::Keep { link, .. } = action {
                let link = link.as_ref().map(|link| (link.generation, link.item.id.as_str(), &link.fingerprint));
                assert_eq!(link, (newer > 0).then_some((6, id, says)), "{case:?}");
            }
        }
    }
}

#[test]
fn a_generation_is_later_than_the_one_before() {
    let present = now().as_millisecond();
    let mut world = World::default();
    for (number, before) in [(1, 7), (2, present), (3, present + 1000)] {
        world.wrote(&event(number, 1, 3));
        world.want(event(number, 2, 3));
        world.links.get_mut(&key(number)).unwrap().generation = before;
    }
    let written = |plan: Plan| -> Vec<i64> {
        let generation = |action: &Action| match action {
            Action::Update { generation, .. } | Action::Create { generation, .. } => *generation,
            other => panic!("{other:?}"),
        };
        plan.decisions.iter().map(|decision| generation(&decision.action)).collect()
    };
    let expected = [present, present + 1, present + 1001];
    assert_eq!(written(world.plan(&Snapshot::NotRead).unwrap().0), expected);
    let created = written(world.plan(&Snapshot::Whole(Vec::new())).unwrap().0);
    assert_eq!(created, expected, "what was deleted in Outlook");
}

#[test]
fn the_original_is_the_item_that_was_created_first() {
    /// An id, and when the item was created.
    type Born<'a> = (&'a str, Option<jiff::Timestamp>);

    let at = |second: i64| jiff::Timestamp::from_second(second).ok();
    let item = |id: &str, created| FoundItem {
        created,
        ..FoundItem::new(ItemRef { id: id.to_owned(), change_key: "1".to_owned() }, "erp/appointment/1")
    };
    let cases: [(&[Born<'_>], &str); 6] = [
        (&[("b", at(1)), ("a", at(2))], "b"),
        (&[("b", at(2)), ("a", at(1))], "a"),
        (&[("b", at(1)), ("a", at(1))], "a"),
        (&[("b", None), ("a", None)], "a"),
        (&[("a", None), ("b", at(9))], "b"),
        (&[("a", at(1)), ("B", at(1))], "B"),
    ];
    for (items, expected) in cases {
        let items: Vec<FoundItem> = items.iter().map(|(id, created)| item(id, *created)).collect();
        let original = |items: Vec<&FoundItem>| FoundItem::original(items).map(|found| found.item.id.clone());
        assert_eq!(original(items.iter().collect()).as_deref(), Some(expected));
        assert_eq!(original(items.iter().rev().collect()).as_deref(), Some(expected));
    }
    assert_eq!(FoundItem::original([]), None);
}

#[test]
fn adopting_links_what_is_wanted() {
    let mut world = World::default();
    for number in 1..=6 {
        world.wrote(&event(number, 1, 3));
    }
    let Snapshot::Whole(mut items) = world.whole() else { unreachable!() };
    items.iter_mut().for_each(|item| item.generation = Some(9));
    (1..=4).for_each(|number| world.want(event(number, 1, 3)));
    // 1: as its link says. 2: newer. 3, 4 (with a copy), 5: no link; nobody wants 5. 6: gone.
    world.links.get_mut(&key(1)).unwrap().generation = 9;
    (3..=5).for_each(|number| drop(world.links.remove(&key(number))));
    items.retain(|item| item.key != key(6).as_str());
    let copy = FoundItem { item: ItemRef { id: "item-0009".to_owned(), ..items[3].item.clone() }, ..items[3].clone() };
    items.push(copy);
    let snapshot = Snapshot::Whole(items.clone());
    let adoption = world.deciding(&snapshot, |inputs| adopt(inputs).unwrap());
    let counts = adoption.counts;
    assert_eq!((counts.known, counts.corrected, counts.linked, counts.unwanted), (1, 1, 2, 1));
    assert_eq!((counts.missing, counts.changed, counts.copies), (1, 0, 1));
    assert_eq!(adoption.copies, ["item-0009"]);
    let linked: Vec<_> = adoption.links.iter().map(|link| (link.key.clone(), link.generation)).collect();
    assert_eq!(linked, [(key(2), 9), (key(3), 9), (key(4), 9)]);
    assert!(adoption.links.iter().all(|link| link.ends < jiff::Timestamp::MAX), "when it ends is known");
    adoption.links.into_iter().for_each(|link: Link| drop(world.links.insert(link.key.clone(), link)));
    let (plan, _) = world.plan(&snapshot).unwrap();
    assert_eq!((plan.counts().changes(), plan.counts().hold), (0, 1), "{plan}");
    let kept = |at: usize| matches!(plan.decisions[at].action, Action::Keep { reason: KeepReason::Same, link: None });
    assert!((0..4).all(kept), "{plan}");

    // What another instance wrote is told, but for the copy.
    let stranger = Owner("another".to_owned());
    let (foreigners, copies) = foreign(&[], &snapshot, &stranger);
    assert_eq!((foreigners.len(), copies.len(), mailbox().as_str()), (5, 1, "ana@example.test"));
    assert_eq!(foreign(&[], &snapshot, &owner()).0, []);
}
