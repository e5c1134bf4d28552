//! The process is killed in the middle of its work, and begins again.
//!
//! `CALSYNCD_KILLS=200` kills it so often, with fifty events for each time, and `CALSYNCD_SEED` repeats the moments of a run.

use std::{collections::BTreeSet, fmt, ops::Range, str::FromStr, time::Instant};

use calsyncd::{
    model::address::Address,
    sandbox::{Fault, FaultKind, MailboxSettings},
    state::{Access, Store},
};
use fastrand::Rng;

use crate::harness::{Daemon, Face, World, eventually, many};

through!(killed_at_any_moment: Ews Delegate Graph);
through!(killed_between_a_write_and_its_answer: Ews Delegate Graph);

/// How often without the variable.
const KILLS: usize = 6;
/// How many events there are for each kill: fewer, and the push is over before the process was killed so often.
const EVENTS_PER_KILL: usize = 50;
/// How many of them are in one calendar.
const EVENTS_PER_PERSON: usize = 100;

/// When the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// While it starts: once it has logged so many lines.
    Start(usize),
    /// Once the calendars hold so many items.
    Items(usize),
    /// Once they hold so many, as soon as the server has carried out one more write and not answered it.
    Unanswered(usize),
}

impl Moment {
    /// A moment of that part of the push.
    fn random(random: &mut Rng, items: Range<usize>) -> Self {
        match random.u8(..10) {
            0 | 1 => Self::Start(random.usize(..8)),
            2..=4 => Self::Unanswered(random.usize(items)),
            _ => Self::Items(random.usize(items)),
        }
    }

    /// Waits for it.
    fn wait(self, world: &World, daemon: &Daemon, total: usize) {
        match self {
            Self::Start(lines) => eventually("lines", || (daemon.mark() >= lines).then_some(())),
            Self::Items(least) => eventually("items", || (items(world) >= least).then_some(())),
            Self::Unanswered(least) => {
                eventually("items", || (items(world) >= least).then_some(()));
                let broken = world.counts().broken;
                world.inject(Fault::nth(FaultKind::DropAnswerAfterCommit, 1, world.face.create()));
                let is_over = || world.counts().broken > broken || items(world) == total;
                eventually("a write", || is_over().then_some(()));
            }
        }
    }
}

/// What a run was like.
#[derive(Debug, Default)]
struct Told {
    kills: [usize; 3],
    /// Kills for each tenth of the push.
    tenths: [usize; 10],
    /// Kills of a process that had written something.
    busy: usize,
}

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [start, items, unanswered] = self.kills;
        write!(
            formatter,
            "{start} kills at the start, {items} in the push, {unanswered} after a write and before its answer; {} had \
             written something; by tenths of the push {:?}",
            self.busy, self.tenths
        )
    }
}

/// A number from the environment.
fn variable<T: FromStr<Err: fmt::Debug>>(name: &str) -> Option<T> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap())
}

fn items(world: &World) -> usize {
    world.store().mailboxes().iter().map(|mailbox| mailbox.item_count).sum()
}

/// How many items each calendar holds, by its address.
fn counted(world: &World) -> BTreeSet<(String, usize)> {
    world.store().mailboxes().into_iter().map(|mailbox| (mailbox.settings.address, mailbox.item_count)).collect()
}

/// Panics unless the state knows every item of ours in these calendars: an intent is on disk before its request leaves.
fn assert_known<'a>(world: &World, addresses: impl Iterator<Item = &'a String>) {
    let store = world.block_on(Store::open(&world.state_path(), Access::Shared)).unwrap();
    for address in addresses {
        let mailbox = Address::parse(address).unwrap();
        let mut known = world.block_on(store.linked_keys(&mailbox)).unwrap();
        known.extend(world.block_on(store.intents(&mailbox)).unwrap().into_iter().map(|intent| intent.key));
        let known: BTreeSet<&str> = known.iter().filter_map(|key| Some(key.as_str().split_once('/')?.1)).collect();
        let person = address.split_once('@').unwrap().0;
        let unknown: Vec<String> =
            world.shown(person).ours.into_keys().filter(|key| !known.contains(key.as_str())).collect();
        assert!(unknown.is_empty(), "{address}: there is neither a link nor an intent of {unknown:?}");
    }
    world.block_on(store.close());
}

fn killed_at_any_moment(face: Face) {
    let kills = variable("CALSYNCD_KILLS").unwrap_or(KILLS);
    let seed = variable("CALSYNCD_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("{face:?}: CALSYNCD_KILLS={kills} CALSYNCD_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let total = kills * EVENTS_PER_KILL;
    let people: Vec<String> = (0..total.div_ceil(EVENTS_PER_PERSON)).map(|number| format!("p{number:03}")).collect();
    let mut world = World::with(face, |settings| {
        let addresses: Vec<String> = people.iter().map(|person| format!("{person}@example.test")).collect();
        let mailbox = |address: &String| MailboxSettings { address: address.clone(), ..MailboxSettings::default() };
        settings.mailboxes.extend(addresses.iter().map(mailbox));
        settings.accounts[0].delegate_of.extend(addresses);
    });
    world.configure(|config| {
        config.set("limits", "batch_size", "5");
        config.set("limits", "requests_per_minute", "1000000");
        config.set("limits", "mailbox_requests_per_minute", "1000000");
        config.set("log", "level", "\"info\"");
    });
    let mut events: Vec<_> = people.iter().flat_map(|person| many(person, EVENTS_PER_PERSON)).collect();
    events.truncate(total);
    world.events(&events);

    let (mut told, began) = (Told::default(), Instant::now());
    for number in 0..kills {
        let part = number * EVENTS_PER_KILL..(number + 1) * EVENTS_PER_KILL;
        let moment = Moment::random(&mut random, part);
        let before = counted(&world);
        let daemon = world.start(&[]);
        moment.wait(&world, &daemon, total);
        daemon.kill();
        world.sandbox().sandbox().calm();
        let after = counted(&world);
        let grown: Vec<_> = after.difference(&before).map(|(address, _)| address).collect();
        let now: usize = after.iter().map(|(_, count)| count).sum();
        told.kills[match moment {
            Moment::Start(_) => 0,
            Moment::Items(_) => 1,
            Moment::Unanswered(_) => 2,
        }] += 1;
        told.tenths[(now * 10 / total).min(9)] += 1;
        if !grown.is_empty() {
            told.busy += 1;
            assert_known(&world, grown.into_iter());
        }
    }
    println!("{face:?}: {told}; {:.1} s", began.elapsed().as_secs_f64());
    let pass = world.sync();
    assert_eq!(pass.total("failed"), 0);
    assert_eq!(items(&world), total);
    people.iter().for_each(|person| world.assert_exactly(person, &events));
    assert_eq!(world.sync().changes(), [0, 0, 0]);
    assert_eq!((items(&world), world.counts().mails_sent), (total, 0));
    println!("{face:?}: {total} items, each key once, no mail; {:.1} s", began.elapsed().as_secs_f64());
}

/// The server has written and the process, which stands still meanwhile, never learns of it.
fn killed_between_a_write_and_its_answer(face: Face) {
    let mut world = World::new(face);
    world.configure(|config| config.set("limits", "batch_size", "3"));
    let mut events = many("ana", 24);
    // A calendar that was read lately is not read again: only the intents tell of what was under way.
    world.events(&events[..3]);
    world.sync();
    world.events(&events);
    let interrupt = |operation: &str| {
        let asked = world.operations(operation);
        world.inject(Fault { delay_ms: 800, ..Fault::nth(FaultKind::Slow, 1, operation) });
        let daemon = world.daemon();
        eventually(operation, || (world.operations(operation) > asked).then_some(()));
        daemon.signal("STOP");
        let answered = world.counts().exchanges;
        eventually("the write", || (world.counts().exchanges > answered).then_some(()));
        daemon.kill();
        world.sandbox().sandbox().calm();
        assert_known(&world, [&"ana@example.test".to_owned()].into_iter());
    };
    let [create, update, delete] = face.writes();
    interrupt(create);
    interrupt(create);
    world.sync();
    world.assert_exactly("ana", &events);

    events[0]["subject"] = "Changed".into();
    world.events(&events);
    interrupt(update);
    events.remove(5);
    world.events(&events);
    interrupt(delete);
    world.sync();
    world.assert_exactly("ana", &events);
    assert_eq!(world.shown("ana").one("appointment/ana-000").content.subject, "Changed");
    assert_eq!(world.sync().changes(), [0, 0, 0]);
}
