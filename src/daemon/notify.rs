//! What systemd is told. Without systemd nothing happens.

use sd_notify::NotifyState;

/// The workers run.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The settings are being loaded again; [`ready`] ends it.
pub(super) fn reloading() {
    // `Type=notify-reload` wants the monotonic time along; without it the message is still understood.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The daemon stops.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// The loop lives.
pub(super) fn watchdog() {
    tell(&[NotifyState::Watchdog]);
}

/// How often [`watchdog`] is expected at most; `None` when nobody watches.
pub(super) fn watchdog_interval() -> Option<std::time::Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 3)
}

fn tell(states: &[NotifyState<'_>]) {
    // A manager that does not listen is no reason to stop working.
    let _ = sd_notify::notify(states);
}
