//! A clock that stands still until the driver moves it.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use calsyncd::clock::{Clock, Wait};
use jiff::{SignedDuration, Timestamp};

/// Time of a simulation. What passes is steady; what the clock on the wall shows may jump.
#[derive(Debug, Clone)]
pub(crate) struct SimClock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    wall: Timestamp,
    /// Since the beginning.
    passed: Duration,
    sleepers: BTreeMap<(Duration, u64), Waker>,
    count: u64,
}

impl SimClock {
    pub(crate) fn new(wall: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Hands { wall, passed: Duration::ZERO, sleepers: BTreeMap::new(), count: 0 })))
    }

    fn hands(&self) -> std::sync::MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long until the first sleeper wakes.
    pub(crate) fn next(&self) -> Option<Duration> {
        let hands = self.hands();
        hands.sleepers.keys().next().map(|(at, _)| at.saturating_sub(hands.passed))
    }

    /// Since the beginning, whatever the wall shows.
    pub(crate) fn passed(&self) -> Duration {
        self.hands().passed
    }

    /// Lets time pass: whoever sleeps no longer than that wakes.
    pub(crate) fn pass(&self, time: Duration) {
        let due: Vec<Waker> = {
            let mut hands = self.hands();
            hands.passed += time;
            hands.wall = hands.wall.checked_add(time).unwrap();
            let passed = hands.passed;
            let later = hands.sleepers.split_off(&(passed, u64::MAX));
            std::mem::replace(&mut hands.sleepers, later).into_values().collect()
        };
        due.into_iter().for_each(Waker::wake);
    }

    /// Sets the clock on the wall.
    pub(crate) fn jump(&self, by: SignedDuration) {
        let mut hands = self.hands();
        hands.wall = hands.wall.checked_add(by).unwrap();
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.hands().wall
    }

    fn sleep(&self, duration: Duration) -> Wait {
        let at = self.hands().passed + duration;
        Box::pin(Sleep { clock: self.clone(), at, entry: None })
    }
}

struct Sleep {
    clock: SimClock,
    at: Duration,
    entry: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut hands = clock.hands();
        if hands.passed >= self.at {
            return Poll::Ready(());
        }
        let number = self.entry.unwrap_or_else(|| {
            hands.count += 1;
            hands.count
        });
        self.entry = Some(number);
        hands.sleepers.insert((self.at, number), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.entry {
            self.clock.hands().sleepers.remove(&(self.at, number));
        }
    }
}
