//! Long and quiet: years that pass, people who save, sources that fall short.

use std::time::Duration;

use calsyncd::{
    sandbox::store::{Change, ChangeOrder, Guard, Target},
    settings::Brake,
};
use jiff::{SignedDuration, ToSpan};

use crate::{
    erp::Reading,
    monitor::key_of,
    quiet::{Quiet, runtime},
    world::{Face, World},
};

const DAY: Duration = Duration::from_hours(24);
const START: &str = "2026-11-23T06:00:00Z";

/// Answers everything, without a fault, until nobody waits for anything but the time.
async fn work(world: &mut World, reading: Reading) -> Result<(), String> {
    loop {
        world.quiet.wait().await;
        if world.wire.requests() > 0 {
            let sent = world.wire.take_request(0);
            let answer = world.carry_out(&sent).await?;
            let _ = sent.answer.send(answer);
        } else if world.wire.reads() > 0 {
            world.tell(Some(reading));
        } else {
            return Ok(());
        }
    }
}

/// A world with an event every `days` days for each person, `count` of them each.
async fn world(seed: u64, quiet: &Quiet, days: i64, count: i64) -> Result<World, String> {
    filled(World::new(seed, START, None, quiet), days, count).await
}

async fn filled(mut world: World, days: i64, count: i64) -> Result<World, String> {
    world.knobs.brake = Brake { share_percent: 20, number: 5 };
    let today = world.now().in_tz("Europe/Paris").unwrap().date();
    for at in 0..count {
        for owner in 0..world.erp.mailboxes.len() {
            let day = today.checked_add((1 + at * days).days()).unwrap();
            world.erp.add(owner, day.at(8 + i8::try_from(owner).unwrap(), 0, 0, 0));
        }
    }
    world.begin().await;
    work(&mut world, Reading::Whole).await?;
    Ok(world)
}

/// The first seed is one of EWS, the second one of Graph.
const BOTH: [(u64, Face); 2] = [(0, Face::Ews), (1, Face::Graph)];

/// Runs a story to its end.
fn tell<F: Future<Output = Result<World, String>>>((seed, face): (u64, Face), story: impl Fn(u64, Quiet) -> F) {
    let quiet = Quiet::default();
    runtime(&quiet).block_on(async {
        let mut world = story(seed, quiet.clone()).await.unwrap_or_else(|fault| panic!("{face:?}: {fault}"));
        assert_eq!(world.face, face);
        world.crash().await;
    });
}

/// What the ERP does to an event that has long been over.
#[derive(Debug, Clone, Copy)]
enum Past {
    Forgotten,
    Split,
}

async fn a_year(seed: u64, quiet: Quiet, past: Past) -> Result<World, String> {
    let mut world = world(seed, &quiet, 40, 8).await?;
    for day in 0..365 {
        let age = SignedDuration::from_hours(24 * if day % 2 == 0 { 31 } else { 40 });
        let old = world.now().checked_sub(age).unwrap();
        let over = world.erp.events.values().filter(|event| event.present && event.ends() < old);
        for id in over.map(|event| event.id).collect::<Vec<_>>() {
            let event = world.erp.events.get_mut(&id).unwrap();
            event.present = false;
            let (owner, start) = (event.owner, event.start);
            // A part of a split event is not split again.
            if matches!(past, Past::Split) && event.minutes == 60 {
                for half in 0..2 {
                    let start = start.checked_add((30 * half).minutes()).unwrap();
                    world.erp.add(owner, start).minutes = 30;
                }
            }
        }
        world.clock.pass(DAY);
        work(&mut world, Reading::Whole).await?;
    }
    if world.deletes > 0 {
        return Err(format!("{} deletions", world.deletes));
    }
    let items: usize = world.erp.mailboxes.iter().map(|mailbox| world.items(mailbox.as_str()).len()).sum();
    let wanted = 8 * world.erp.mailboxes.len();
    if items == wanted { Ok(world) } else { Err(format!("{items} items after a year, {wanted} were written")) }
}

#[test]
fn a_year_passes_and_the_past_stays() {
    for (one, past) in BOTH.into_iter().zip([Past::Forgotten, Past::Split]) {
        tell(one, |seed, quiet| a_year(seed, quiet, past));
    }
}

async fn a_month_of_saves(seed: u64, quiet: Quiet) -> Result<World, String> {
    let mut world = world(seed, &quiet, 3, 10).await?;
    world.clock.pass(DAY);
    work(&mut world, Reading::Whole).await?;
    let before = world.writes;
    for day in 0..30 {
        for mailbox in world.erp.mailboxes.clone() {
            for item in world.items(mailbox.as_str()).iter().filter(|item| key_of(item).is_some()) {
                let change = match day % 3 {
                    0 => Change::Subject(item.content.subject.clone()),
                    1 => Change::ReminderSet(item.content.reminder_set),
                    _ => Change::Uid(item.content.uid.clone()),
                };
                let target = Target::Id(item.id.clone());
                let store = world.sandbox.store();
                store.update(mailbox.as_str(), &target, &[change], ChangeOrder::Together, &Guard::Any).unwrap();
            }
        }
        world.clock.pass(DAY);
        work(&mut world, Reading::Whole).await?;
    }
    if world.writes == before { Ok(world) } else { Err(format!("{} writes", world.writes - before)) }
}

#[test]
fn saves_that_change_nothing_are_not_repaired() {
    BOTH.into_iter().for_each(|one| tell(one, a_month_of_saves));
}

async fn falls_short(seed: u64, quiet: Quiet, reading: Reading) -> Result<World, String> {
    let mut world = world(seed, &quiet, 2, 16).await?;
    for _ in 0..3 {
        world.clock.pass(DAY);
        work(&mut world, reading).await?;
    }
    if world.deletes > 0 {
        return Err(format!("{reading:?}: {} deletions", world.deletes));
    }
    world.clock.pass(DAY);
    let writes = world.writes;
    work(&mut world, Reading::Whole).await?;
    if world.writes == writes { Ok(world) } else { Err(format!("{reading:?}: it was written anew")) }
}

#[test]
fn a_source_that_falls_short_deletes_nothing() {
    for reading in [Reading::Empty, Reading::Halved, Reading::Incomplete, Reading::WithoutPerson(1)] {
        for one in BOTH {
            tell(one, |seed, quiet| falls_short(seed, quiet, reading));
        }
    }
}

async fn moves(seed: u64, quiet: Quiet) -> Result<World, String> {
    let world = World::new(seed, START, Some(Face::Hybrid), &quiet);
    let mut world = filled(world, 3, 10).await?;
    world.clock.pass(DAY);
    work(&mut world, Reading::Whole).await?;
    let before = world.writes;
    // To the other half, there and back between two readings, and back where it was.
    for times in [1, 2, 1] {
        for mailbox in world.erp.mailboxes.clone() {
            for _ in 0..times {
                assert!(world.begin_move(mailbox.as_str()));
                world.complete_move(mailbox.as_str(), false)?;
            }
        }
        for _ in 0..3 {
            world.clock.pass(DAY);
            work(&mut world, Reading::Whole).await?;
        }
        world.at_rest().await?;
        if world.writes != before {
            return Err(format!("{} writes after {times} moves of each mailbox", world.writes - before));
        }
    }
    Ok(world)
}

#[test]
fn a_move_is_followed_without_a_write() {
    (0..2).for_each(|seed| tell((seed, Face::Hybrid), moves));
}
