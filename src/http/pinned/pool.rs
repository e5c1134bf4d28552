//! Connections between two requests.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::time::Instant;

use super::connection::Connection;

/// The kept connections of one credential.
#[derive(Debug)]
pub(super) struct Pool {
    idle_max: Duration,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    connections: Vec<Idle>,
    /// Whether a task closes what is idle for too long.
    watched: bool,
}

#[derive(Debug)]
struct Idle {
    authority: String,
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(super) fn new(idle_max: Duration) -> Self {
        Self { idle_max, kept: Mutex::default() }
    }

    /// A connection that is still open, the one used last first. The taker has it for itself.
    pub(super) fn take(&self, authority: &str) -> Option<Connection> {
        let mut kept = self.lock();
        self.clear(&mut kept);
        let at = kept.connections.iter().rposition(|idle| idle.authority == authority)?;
        Some(kept.connections.remove(at).connection)
    }

    /// Keeps a connection for the next request.
    pub(super) fn keep(self: &Arc<Self>, authority: String, connection: Connection) {
        let mut kept = self.lock();
        kept.connections.push(Idle { authority, connection, since: Instant::now() });
        if !std::mem::replace(&mut kept.watched, true) {
            tokio::spawn(watch(Arc::downgrade(self), self.idle_max));
        }
    }

    /// Closes what is idle for too long, and forgets what the server has closed.
    fn clear(&self, kept: &mut Kept) {
        kept.connections.retain(|idle| idle.connection.is_open() && idle.since.elapsed() < self.idle_max);
    }

    /// When the next connection is idle for too long; `None` when there is none, and nobody watches any longer.
    fn next_end(&self) -> Option<Instant> {
        let mut kept = self.lock();
        self.clear(&mut kept);
        let first = kept.connections.iter().map(|idle| idle.since).min();
        kept.watched = first.is_some();
        first.map(|since| since + self.idle_max)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends with the pool, or with its last connection.
async fn watch(pool: Weak<Pool>, idle_max: Duration) {
    let mut end = Instant::now() + idle_max;
    loop {
        tokio::time::sleep_until(end).await;
        match pool.upgrade().and_then(|pool| pool.next_end()) {
            Some(next) => end = next,
            None => return,
        }
    }
}
