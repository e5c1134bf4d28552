//! How fast: requests a minute over all mailboxes and to each, and the waits that the server asks for.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    gateway::{Later, Pace, RequestReport},
    model::address::Address,
    observability::events::{RequestFinished, RequestThrottled},
};

/// Admits requests within the configured rates, and none while the server has asked everybody to wait.
#[derive(Debug)]
pub struct Limiter {
    clock: Arc<dyn Clock>,
    all: DefaultDirectRateLimiter,
    each: DefaultKeyedRateLimiter<Address>,
    burst_all: NonZeroU32,
    burst_each: NonZeroU32,
    shared: Mutex<Shared>,
    closed: CancellationToken,
    news: Notify,
}

#[derive(Debug, Default)]
struct Shared {
    paused_until: Option<Timestamp>,
    requests: HashMap<Address, u64>,
    /// The mailboxes that wait for ever, because the daemon stops.
    waiting: HashSet<Address>,
}

impl Limiter {
    /// A limiter of so many requests a minute.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, all_per_minute: u32, mailbox_per_minute: u32) -> Self {
        let burst_all = NonZeroU32::new(all_per_minute).unwrap_or(NonZeroU32::MIN);
        let burst_each = NonZeroU32::new(mailbox_per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            clock,
            all: RateLimiter::direct(Quota::per_minute(burst_all)),
            each: RateLimiter::keyed(Quota::per_minute(burst_each)),
            burst_all,
            burst_each,
            shared: Mutex::new(Shared::default()),
            closed: CancellationToken::new(),
            news: Notify::new(),
        }
    }

    /// Sends nothing to the server for `wait`.
    pub fn pause(&self, wait: Duration) {
        let until = self.clock.now().checked_add(wait).unwrap_or(Timestamp::MAX);
        let mut shared = self.shared();
        shared.paused_until = Some(shared.paused_until.map_or(until, |before| before.max(until)));
    }

    /// How long the server still has to be left alone.
    #[must_use]
    pub fn paused_for(&self) -> Option<Duration> {
        let until = self.shared().paused_until?;
        Duration::try_from(until.duration_since(self.clock.now())).ok().filter(|left| !left.is_zero())
    }

    /// Admits nothing any more.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Ends when a request for `mailbox` waits although nothing is admitted any more.
    pub async fn waits(&self, mailbox: &Address) {
        loop {
            let news = self.news.notified();
            if self.shared().waiting.contains(mailbox) {
                return;
            }
            news.await;
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn admit_in_time(&self, mailbox: &Address, cost: NonZeroU32) {
        // The cost is never over the burst, the only case in which these fail.
        let _ = self.each.until_key_n_ready(mailbox, cost.min(self.burst_each)).await;
        let _ = self.all.until_n_ready(cost.min(self.burst_all)).await;
        while let Some(left) = self.paused_for() {
            self.clock.sleep(left).await;
        }
    }

    /// The requests sent for a mailbox since this was last asked.
    #[must_use]
    pub fn take_requests(&self, mailbox: &Address) -> u64 {
        self.shared().requests.remove(mailbox).unwrap_or_default()
    }

    /// Forgets mailboxes that have been quiet.
    pub fn tidy(&self) {
        self.each.retain_recent();
        self.each.shrink_to_fit();
    }
}

impl Pace for Limiter {
    fn admit<'a>(&'a self, mailbox: &'a Address, cost: u32) -> Later<'a, ()> {
        let cost = NonZeroU32::new(cost).unwrap_or(NonZeroU32::MIN);
        Box::pin(async move {
            tokio::select! {
                biased;
                () = self.closed.cancelled() => {}
                () = self.admit_in_time(mailbox, cost) => return,
            }
            self.shared().waiting.insert(mailbox.clone());
            self.news.notify_waiters();
            std::future::pending().await
        })
    }

    fn report(&self, report: RequestReport<'_>) {
        let mut shared = self.shared();
        *shared.requests.entry(report.mailbox.clone()).or_default() += 1;
        drop(shared);
        if let Some(status @ (429 | 503)) = report.status {
            let code = format!("HTTP {status}");
            let (mailbox, operation) = (Some(report.mailbox.as_str()), report.operation);
            RequestThrottled { mailbox, operation, code: &code, wait_ms: None }.emit();
        }
        RequestFinished {
            mailbox: Some(report.mailbox.as_str()),
            operation: report.operation,
            status: report.status.unwrap_or_default(),
            elapsed_ms: u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
            items: report.items as u64,
        }
        .emit();
    }
}
