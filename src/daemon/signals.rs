//! The signals that the daemon knows.

use futures_util::StreamExt;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_tokio::Signals;

/// A signal that the daemon knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGHUP: load the settings again.
    Reload,
    /// SIGTERM: stop; the second one at once.
    Terminate,
    /// SIGINT (Ctrl-C): the same.
    Interrupt,
}

impl Signal {
    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Reload => "SIGHUP",
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        }
    }

    /// Whether it asks for a stop.
    pub(super) const fn is_stop(self) -> bool {
        matches!(self, Self::Terminate | Self::Interrupt)
    }
}

/// Ends when the process is asked to stop. Where signals cannot be received, it never ends.
pub async fn stop_signal() {
    match SignalStream::open() {
        Ok(mut signals) => while !signals.next().await.is_stop() {},
        Err(_) => std::future::pending().await,
    }
}

/// The signals as they come.
pub(super) struct SignalStream(Signals);

impl SignalStream {
    /// Takes the signals over from their default actions.
    pub(super) fn open() -> std::io::Result<Self> {
        Signals::new([SIGHUP, SIGTERM, SIGINT]).map(Self)
    }

    /// The next signal; never ends when there are no more.
    pub(super) async fn next(&mut self) -> Signal {
        match self.0.next().await {
            Some(SIGHUP) => Signal::Reload,
            Some(SIGINT) => Signal::Interrupt,
            Some(_) => Signal::Terminate,
            None => std::future::pending().await,
        }
    }
}
