//! When nothing moves any more: every task waits for the driver, and no statement is under way.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
};

use calsyncd::state::Store;

/// Looked at whenever the thread of the runtime has nothing left to do. SQLite works on a thread of its own, which is why the
/// state is asked, too.
#[derive(Clone, Default)]
pub(crate) struct Quiet(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    store: Option<Store>,
    waiting: Option<Waker>,
    is_quiet: bool,
}

impl Quiet {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches this state, or none.
    pub(crate) fn watch(&self, store: Option<Store>) {
        self.inner().store = store;
    }

    /// To be called before the thread parks.
    pub(crate) fn parks(&self) {
        let mut inner = self.inner();
        if inner.store.as_ref().is_none_or(Store::is_idle)
            && let Some(waker) = inner.waiting.take()
        {
            inner.is_quiet = true;
            drop(inner);
            waker.wake();
        }
    }

    /// Ends when nothing moves any more.
    pub(crate) async fn wait(&self) {
        self.inner().is_quiet = false;
        poll_fn(|context| {
            let mut inner = self.inner();
            if inner.is_quiet {
                return Poll::Ready(());
            }
            inner.waiting = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// A runtime of one thread on which tasks run in an order that depends on nothing but what they do: what comes from SQLite's
/// thread is taken in when nothing else is left.
pub(crate) fn runtime(quiet: &Quiet) -> tokio::runtime::Runtime {
    let quiet = quiet.clone();
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .global_queue_interval(u32::MAX)
        .on_thread_park(move || quiet.parks())
        .build()
        .unwrap()
}
