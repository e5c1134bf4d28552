//! The life of the process.

use super::super::catalogue::declare_events;

declare_events! {
    /// The process has begun; settings and state are not open yet.
    INFO DaemonStarted<'a> "daemon_started": "calsyncd is starting" {
        /// The version of calsyncd.
        version: &'a str,
        /// The process id.
        process: u64,
        /// The settings file.
        settings: &'a str,
    } metric "daemon_starts_total"

    /// The workers run; systemd is told READY.
    INFO DaemonReady "daemon_ready": "calsyncd is ready" {
        /// Jobs that are scheduled.
        jobs: u64,
        /// Sources that are watched.
        sources: u64,
        /// Mailboxes that are synchronised at the same time.
        workers: u64,
    }

    /// A stop has begun: nothing new is taken, what is in flight is finished.
    INFO DaemonStopping "daemon_stopping": "calsyncd is stopping" {
        /// How long it waits for what is in flight, in milliseconds.
        timeout_ms: u64,
    }

    /// The last line of a run.
    INFO DaemonStopped "daemon_stopped": "calsyncd has stopped" {
        /// Milliseconds from the beginning of the stop.
        elapsed_ms: u64,
    }

    /// A signal arrived.
    INFO SignalReceived<'a> "signal_received": "a signal was received" {
        /// The name of the signal.
        signal: &'a str,
    }

    /// The main loop made no progress for so long that systemd was not told that all is well.
    ERROR WatchdogMissed "watchdog_missed": "there is no progress: the watchdog is not fed" {
        /// Milliseconds since the last progress.
        idle_ms: u64,
    } hint "systemd restarts the service; keep the log of the minutes before" metric "watchdog_misses_total"

    /// The state could not be read or written.
    ERROR StateError<'a> "state_error": "the state cannot be used" {
        /// Why it failed.
        reason: &'a str,
    } hint "see that the disk is neither full nor read-only; a lost state is rebuilt from the calendars" metric "state_errors_total"

    /// A task of the daemon ended in a way that it never should; the others go on.
    ERROR TaskError<'a> "task_error": "a task failed" {
        /// What is known of it.
        reason: &'a str,
    } hint "this is a fault of calsyncd: report it with the log of the minutes before" metric "task_errors_total"

    /// The settings changed the number of mailboxes that are synchronised at the same time.
    INFO WorkersResized "workers_resized": "the number of workers changed" {
        /// Workers before.
        from: u64,
        /// Workers now.
        to: u64,
    }
}
