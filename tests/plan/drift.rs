//! What users do to items: what is put right, what stays theirs, and what is no drift at all.

use std::{collections::BTreeSet, sync::Arc};

use calsyncd::{
    model::{
        echo::Echo,
        event::{BodyKind, DesiredEvent},
        fingerprint::Field,
        keeps::Keeps,
        link::{ItemRef, Link, Repairs},
        shown::{Seen, Shown, ShownTime},
        snapshot::Snapshot,
    },
    plan::{Action, KeepReason, UpdateReason, learnt},
};
use jiff::SignedDuration;
use proptest::prelude::*;

use crate::world::{World, event, key, now};

const MARKER: &str = "--- notes ---";

fn keeps() -> Keeps {
    Keeps { reminder: true, categories: true, notes: Some(MARKER.to_owned()), deleted: None }
}

/// Event 1 as a source says it in one of several versions of each field.
fn said(keeps: &Keeps, version: impl Fn(Field) -> u32) -> Arc<DesiredEvent> {
    let mut wanted = (*event(1, 0, 5)).clone();
    let content = &mut wanted.content;
    content.subject = format!("Meeting {}", version(Field::Subject));
    content.location = format!("Room {}", version(Field::Location));
    content.categories = vec!["Ours".to_owned(), format!("Ours {}", version(Field::Categories))];
    content.reminder_minutes = Some(10 + version(Field::Reminder));
    content.body.content = format!("Agenda {}", version(Field::Body));
    content.body = keeps.marked(content.body.clone());
    wanted.keeps = (*keeps != Keeps::default()).then(|| Arc::new(keeps.clone()));
    Arc::new(wanted)
}

/// What a server makes of an event that it was told.
fn echo_of(event: &DesiredEvent) -> Shown {
    assert_eq!(event.content.body.kind, BodyKind::Text);
    let (start, end) = (event.time.start_instant(), event.time.end_instant());
    Shown {
        subject: format!("{} ", event.content.subject),
        body: format!("\r\n{}\u{a0}\r\n\r\n", event.content.body.content.replace('\n', "\r\n\r\n")),
        location: event.content.location.clone(),
        time: ShownTime { start, end, is_all_day: false },
        show_as: "Busy".to_owned(),
        sensitivity: "Normal".to_owned(),
        importance: "Normal".to_owned(),
        categories: event.content.categories.clone(),
        reminder_minutes: event.content.reminder_minutes,
        ..Shown::default()
    }
}

/// A world in which `before` was written and the server shows `shown`, under another change key.
fn world(before: &DesiredEvent, is_known: bool, shown: Shown) -> World {
    let mut world = World::default();
    let id = world.wrote(before);
    if is_known {
        let link = world.links.get_mut(&key(1)).unwrap();
        let echo = Echo::after_write(None, before, &Field::ALL).unwrap_or_default();
        link.echo = Some(echo.learnt(before, &echo_of(before)));
    }
    touch(&mut world, &id, shown);
    world
}

fn touch(world: &mut World, id: &str, shown: Shown) {
    let item = world.items.get_mut(id).unwrap();
    item.change += 1;
    let item = ItemRef { id: id.to_owned(), change_key: item.change.to_string() };
    world.seen.insert(id.to_owned(), Seen { item, shown });
}

fn decided(world: &World) -> Action {
    let (plan, violations) = world.plan(&world.whole()).unwrap();
    assert_eq!(violations, []);
    plan.decisions[0].action.clone()
}

type User = fn(&mut Shown);

/// Its name, what a user did, what users may keep, what the source changed, whether the echo is known, what is done.
type Case = (&'static str, User, fn() -> Keeps, Option<Field>, bool, &'static str);

#[test]
fn what_is_touched_is_put_right_and_nothing_else() {
    let nothing = Keeps::default;
    let cases: [Case; 18] = [
        ("a save", |_| {}, nothing, None, true, "keep same"),
        (
            "a save, echo not known",
            |_| {},
            nothing,
            None,
            false,
            "update subject body location time recurrence show_as \
         sensitivity importance categories reminder occurrences",
        ),
        ("a save and the source", |_| {}, nothing, Some(Field::Body), true, "update body"),
        ("the server's blanks", |shown| shown.body = "  Agenda 0 ".to_owned(), nothing, None, true, "keep same"),
        ("a subject", |shown| shown.subject = "Mine".to_owned(), nothing, None, true, "update subject"),
        (
            "a subject and the source",
            |shown| shown.subject = "Mine".to_owned(),
            nothing,
            Some(Field::Location),
            true,
            "update subject location",
        ),
        ("a move", |shown| shown.time.start += SignedDuration::from_hours(1), nothing, None, true, "update time"),
        ("whole days", |shown| shown.time.is_all_day = true, nothing, None, true, "update time"),
        ("a rule", |shown| shown.recurrence = "daily".to_owned(), nothing, None, true, "update recurrence"),
        ("a reminder", |shown| shown.reminder_minutes = None, nothing, None, true, "update reminder"),
        ("a kept reminder", |shown| shown.reminder_minutes = None, keeps, None, true, "keep same"),
        (
            "a kept reminder and the source's",
            |shown| shown.reminder_minutes = None,
            keeps,
            Some(Field::Reminder),
            true,
            "update",
        ),
        ("the source's reminder alone", |_| {}, keeps, Some(Field::Reminder), true, "update reminder"),
        ("a category", |shown| shown.categories.push("Mine".to_owned()), nothing, None, true, "update categories"),
        ("a kept category", |shown| shown.categories.push("Mine".to_owned()), keeps, None, true, "keep same"),
        ("ours removed", |shown| shown.categories = vec!["Mine".to_owned()], keeps, None, true, "update categories"),
        ("kept notes", |shown| shown.body.push_str("Cake"), keeps, None, true, "keep same"),
        ("above the notes", |shown| shown.body = format!("Mine\n{MARKER}\nCake"), keeps, None, true, "update body"),
    ];
    for (name, user, keeps, source, is_known, expected) in cases {
        let before = said(&keeps(), |_| 0);
        let mut shown = echo_of(&before);
        user(&mut shown);
        let mut world = world(&before, is_known, shown);
        world.want(said(&keeps(), |field| u32::from(Some(field) == source)));
        let found = match decided(&world) {
            Action::Update { fields, reason, repairs, .. } => {
                let is_repair = source.is_none();
                assert_eq!(reason == UpdateReason::ChangedInOutlook, is_repair, "{name}");
                assert_eq!(repairs.count, u32::from(is_repair), "{name}");
                let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
                format!("update {}", names.join(" ")).trim().to_owned()
            }
            action => format!("{} {}", action.word(), action.code()),
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn without_an_echo_what_users_may_keep_is_still_theirs() {
    let before = said(&keeps(), |_| 0);
    let mut shown = echo_of(&before);
    shown.reminder_minutes = Some(99);
    shown.categories.push("Mine".to_owned());
    shown.body.push_str("Cake\r\nand tea");
    let mut world = world(&before, false, shown);
    world.want(Arc::clone(&before));
    let Action::Update { event, fields, .. } = decided(&world) else { panic!("no update") };
    assert!(!fields.contains(&Field::Reminder) && !fields.contains(&Field::Categories), "{fields:?}");
    assert!(event.content.body.content.ends_with("Agenda 0\n--- notes ---\nCake\r\nand tea"));
    assert_eq!(event.fingerprint(), before.fingerprint(), "the item says what the source says");
    world.seen.clear();
    let Action::Keep { reason, link } = decided(&world) else { panic!("written without a look") };
    assert_eq!((reason, link), (KeepReason::NotSeen, None));
}

#[test]
fn what_the_source_takes_back_goes_and_what_users_added_stays() {
    let before = said(&keeps(), |_| 0);
    let mut shown = echo_of(&before);
    shown.categories.insert(0, "Mine".to_owned());
    shown.categories.push("ours 1".to_owned());
    let mut world = world(&before, true, shown);
    world.want(said(&keeps(), |field| u32::from(field == Field::Categories)));
    let Action::Update { event, echo, .. } = decided(&world) else { panic!("no update") };
    assert_eq!(event.content.categories, ["Ours", "Ours 1", "Mine"]);
    let echo = echo.unwrap();
    assert!(!echo.is_whole(), "the echo of what is written is to be learnt");
    let shown = Shown { categories: vec!["Mine".to_owned(), "New".to_owned()], ..Shown::default() };
    assert_eq!(echo.categories_of_users(&[], &shown), ["Mine", "New"], "what a user keeps is not what we wrote");
}

#[test]
fn an_echo_is_learnt_once_of_what_nobody_changed() {
    let before = said(&Keeps::default(), |_| 0);
    let mut world = World::default();
    let id = world.wrote(&before);
    world.want(Arc::clone(&before));
    let link = world.links[&key(1)].clone();
    let seen = Seen { item: link.item.clone(), shown: echo_of(&before) };
    world.seen.insert(id.clone(), seen.clone());
    for snapshot in [Snapshot::NotRead, world.whole()] {
        let (plan, _) = world.plan(&snapshot).unwrap();
        assert_eq!(plan.learnt.len(), 1);
        assert!(plan.learnt[0].echo.as_ref().unwrap().is_whole());
        assert_eq!(plan.learnt[0].item, link.item);
        assert_eq!(plan.counts().keep, 1);
    }
    let known = learnt(&world.seen, &before, &link).unwrap();
    assert_eq!(learnt(&world.seen, &before, &known), None, "it is known");
    let text = known.echo.as_ref().unwrap().to_text();
    assert_eq!(Echo::parse(&text), known.echo);
    let other = Seen { item: ItemRef { change_key: "9".to_owned(), ..link.item.clone() }, ..seen };
    world.seen.insert(id, other);
    assert_eq!(learnt(&world.seen, &before, &link), None, "somebody has changed it");
    assert_eq!(decided_at_its_word(&world), "update changed_in_outlook");
}

fn decided_at_its_word(world: &World) -> String {
    let (plan, _) = world.plan(&Snapshot::NotRead).unwrap();
    let action = &plan.decisions[0].action;
    format!("{} {}", action.word(), action.code())
}

#[test]
fn a_deletion_is_respected_for_its_time() {
    let hours = SignedDuration::from_hours;
    let respects = Keeps { deleted: Some(hours(24)), ..Keeps::default() };
    let never = Keeps::default();
    let cases = [
        ("as always", &never, None, None, "create deleted_in_outlook"),
        ("found", &respects, None, None, "keep deleted_by_user"),
        ("known", &respects, Some(hours(23)), None, "keep deleted_by_user"),
        ("over", &respects, Some(hours(24)), None, "create deleted_in_outlook"),
        ("another subject", &respects, Some(hours(1)), Some(Field::Subject), "keep deleted_by_user"),
        ("another time", &respects, Some(hours(1)), Some(Field::Time), "create deleted_in_outlook"),
        ("no longer respected", &never, Some(hours(1)), None, "create deleted_in_outlook"),
    ];
    for (name, keeps, since, source, expected) in cases {
        let mut world = World::default();
        let id = world.wrote(&said(keeps, |_| 0));
        world.items.remove(&id);
        world.links.get_mut(&key(1)).unwrap().deleted_at = since.map(|since| now() - since);
        let mut wanted = (*said(keeps, |field| u32::from(Some(field) == source))).clone();
        if source == Some(Field::Time) {
            wanted.time = event(1, 0, 6).time.clone();
        }
        world.want(Arc::new(wanted));
        let action = decided(&world);
        assert_eq!(format!("{} {}", action.word(), action.code()), expected, "{name}");
        if let Action::Keep { link, .. } = &action {
            assert_eq!(link.as_ref().and_then(|link| link.deleted_at), since.is_none().then(now), "{name}");
        }
        // What is marked is not taken for intact by a pass that reads nothing.
        if since.is_some() {
            assert_eq!(decided_at_its_word(&world), expected, "{name}");
        }
        let (plan, _) = world.plan(&world.whole()).unwrap();
        world.carry_out(&plan);
        let (second, violations) = world.plan(&world.whole()).unwrap();
        assert_eq!((second.counts().changes(), violations), (0, vec![]), "{name}");
    }
}

#[test]
fn a_deleted_item_that_is_back_is_known_again() {
    let respects = Keeps { deleted: Some(SignedDuration::from_hours(24)), ..Keeps::default() };
    let before = said(&respects, |_| 0);
    let mut world = world(&before, true, echo_of(&before));
    world.want(Arc::clone(&before));
    world.links.get_mut(&key(1)).unwrap().deleted_at = Some(now());
    let Action::Keep { reason: KeepReason::Same, link: Some(link) } = decided(&world) else { panic!("not kept") };
    assert_eq!(link.deleted_at, None);
}

#[test]
fn a_source_that_cannot_be_read_forgets_no_deletion() {
    let respects = Keeps { deleted: Some(SignedDuration::from_hours(24)), ..Keeps::default() };
    let mut world = World::default();
    let id = world.wrote(&said(&respects, |_| 0));
    world.items.remove(&id);
    world.scope.complete.clear();
    let Action::Keep { reason: KeepReason::SourceIncomplete, link: Some(link) } = decided(&world) else {
        panic!("forgotten")
    };
    assert_eq!(link.deleted_at, Some(now()));
    world.scope.complete.insert("erp".to_owned());
    assert_eq!(decided(&world), Action::Forget, "the source does not hold it");
}

#[test]
fn five_repairs_in_a_day_and_no_more() {
    let before = said(&Keeps::default(), |_| 0);
    let mine = |shown: &mut Shown| shown.subject = "Mine".to_owned();
    for is_deleted in [false, true] {
        for (count, expected) in [(4, true), (5, false)] {
            let mut shown = echo_of(&before);
            mine(&mut shown);
            let mut world = world(&before, true, shown);
            world.want(Arc::clone(&before));
            world.links.get_mut(&key(1)).unwrap().repairs = Repairs { since: now(), count };
            if is_deleted {
                world.items.clear();
            }
            let (plan, _) = world.plan(&world.whole()).unwrap();
            assert_eq!(plan.counts().changes() == 1, expected, "{count} {plan}");
            assert_eq!(plan.is_settled(), expected, "what is parked is read again");
        }
    }
    // Keeping is no repair, however often.
    let mut world = world(&before, true, echo_of(&before));
    world.want(before);
    world.links.get_mut(&key(1)).unwrap().repairs = Repairs { since: now(), count: 5 };
    let Action::Keep { link: Some(Link { repairs, .. }), .. } = decided(&world) else { panic!("not kept") };
    assert_eq!(repairs.count, 5);
}

/// What a user may do to each of these fields, and what it is to have done nothing.
const FIELDS: [Field; 5] = [Field::Subject, Field::Location, Field::Body, Field::Categories, Field::Reminder];

fn user_edits(shown: &mut Shown, fields: &BTreeSet<Field>, keeps: &Keeps) {
    for field in fields {
        match field {
            Field::Subject => shown.subject = "Mine".to_owned(),
            Field::Location => shown.location = "Mine".to_owned(),
            // Of what may be kept: only what is the user's own.
            Field::Body if keeps.notes.is_some() => shown.body.push_str("Cake"),
            Field::Body => shown.body = "Mine".to_owned(),
            Field::Categories => shown.categories.push("Mine".to_owned()),
            _ => shown.reminder_minutes = Some(99),
        }
    }
}

proptest! {
    #[test]
    fn fields_are_written_for_a_reason(
        touched in prop::collection::btree_set(prop::sample::select(&FIELDS[..]), 0..5),
        changed in prop::collection::btree_set(prop::sample::select(&FIELDS[..]), 0..5),
        (reminder, categories, notes, is_known) in any::<(bool, bool, bool, bool)>(),
    ) {
        let keeps = Keeps { reminder, categories, notes: notes.then(|| MARKER.to_owned()), deleted: None };
        let is_kept = |field: Field| match field {
            Field::Reminder => reminder,
            Field::Categories => categories,
            Field::Body => notes,
            _ => false,
        };
        let before = said(&keeps, |_| 0);
        let mut shown = echo_of(&before);
        user_edits(&mut shown, &touched, &keeps);
        let mut world = world(&before, is_known, shown);
        world.want(said(&keeps, |field| u32::from(changed.contains(&field))));
        match decided(&world) {
            Action::Update { event, fields, .. } => {
                for field in FIELDS {
                    let is_users = touched.contains(&field) && is_kept(field);
                    let is_written = fields.contains(&field);
                    if field == Field::Reminder && is_users && is_known {
                        prop_assert!(!is_written, "a reminder of the user's");
                    } else if changed.contains(&field) || (touched.contains(&field) && !is_users) {
                        prop_assert!(is_written, "{:?}", field);
                    } else if is_known {
                        prop_assert!(!is_written, "{:?} for no reason", field);
                    }
                }
                let content = &event.content;
                if touched.contains(&Field::Categories) && categories && fields.contains(&Field::Categories) {
                    prop_assert!(content.categories.contains(&"Mine".to_owned()));
                }
                if touched.contains(&Field::Body) && notes && fields.contains(&Field::Body) {
                    prop_assert!(content.body.content.ends_with("\n--- notes ---\nCake"));
                }
                prop_assert_eq!(event.fingerprint(), world.desired[&key(1)].fingerprint());
            }
            Action::Keep { reason, link } => {
                prop_assert_eq!(reason, KeepReason::Same);
                prop_assert!(is_known && changed.is_empty() && touched.iter().all(|field| is_kept(*field)));
                prop_assert!(link.is_some());
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
