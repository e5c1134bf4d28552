//! Time as a port: everything that asks what time it is, or waits, asks a [`Clock`].

use std::{future::Future, pin::Pin, time::Duration};

use jiff::Timestamp;

/// A future that ends when a wait is over.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where the time comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;
    /// A future that ends after `duration`.
    fn sleep(&self, duration: Duration) -> Wait;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> Wait {
        Box::pin(tokio::time::sleep(duration))
    }
}
