//! Who may have a turn: the state of the credential, and what a pass that stopped means for the next one.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    backoff,
    pass::{PassReport, PassStop},
};
use crate::model::fault::{Fault, FaultKind, FaultScope};

/// Whether the server takes our credential.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Credential {
    /// Nobody knows yet: one mailbox at a time, so that a wrong password costs one attempt.
    #[default]
    Unproven,
    /// It does.
    Proven,
    /// It does not: nothing is sent before `until`.
    Refused {
        /// When it is tried again.
        until: Timestamp,
        /// How often in a row it was refused.
        times: u32,
    },
}

impl Credential {
    /// How many mailboxes may have their turn at the same time.
    pub(super) fn turns(self, max_threads: usize, now: Timestamp) -> usize {
        match self {
            Self::Proven => max_threads,
            Self::Unproven => 1,
            Self::Refused { until, .. } if until <= now => 1,
            Self::Refused { .. } => 0,
        }
    }

    /// After it was refused once more.
    pub(super) fn refused(self, now: Timestamp) -> Self {
        let times = match self {
            Self::Refused { times, .. } => times + 1,
            Self::Unproven | Self::Proven => 0,
        };
        Self::Refused { until: after(now, backoff::recheck(times)), times }
    }
}

/// What happens after a pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Next {
    /// Its next regular turn.
    Regular,
    /// Nothing more: the daemon stops.
    Nothing,
    /// The mailbox is left alone for a while.
    Park {
        /// For how long.
        wait: Duration,
        /// Whether only somebody's help ends it.
        permanent: bool,
        /// Whether the server asked for the wait.
        asked: bool,
    },
    /// The server is left alone for a while, with all its mailboxes.
    Pause(Duration),
    /// The credential is left alone.
    RefuseCredential,
}

/// Decides what happens after a pass that is the `attempt`th in a row to stop early.
pub(super) fn next(report: &PassReport, attempt: u32, jitter: f64) -> Next {
    let Some(stop) = &report.stop else { return Next::Regular };
    match stop {
        PassStop::Stopped | PassStop::Moved(_) => Next::Nothing,
        PassStop::State(_) => Next::Park { wait: backoff::wait(attempt, None, jitter), permanent: false, asked: false },
        PassStop::Plan(_) | PassStop::Violation(_) => {
            Next::Park { wait: backoff::recheck(attempt), permanent: true, asked: false }
        }
        PassStop::Fault(fault) => after_fault(fault, attempt, jitter),
    }
}

fn after_fault(fault: &Fault, attempt: u32, jitter: f64) -> Next {
    let wait = backoff::wait(attempt, fault.wait(), jitter);
    match (fault.scope, fault.kind) {
        // A refused item waits in the quarantine; the mailbox goes on as usual.
        (FaultScope::Item, FaultKind::Permanent) => Next::Regular,
        (FaultScope::Credential, FaultKind::Permanent) => Next::RefuseCredential,
        (FaultScope::Mailbox, FaultKind::Permanent) => {
            Next::Park { wait: backoff::recheck(attempt), permanent: true, asked: false }
        }
        (FaultScope::Server, FaultKind::Permanent) => Next::Pause(backoff::recheck(attempt)),
        (FaultScope::Server | FaultScope::Credential, _) => Next::Pause(wait),
        (FaultScope::Item | FaultScope::Mailbox, _) => {
            Next::Park { wait, permanent: false, asked: fault.wait().is_some() }
        }
    }
}

/// Whether a server that says this took our credential: it answered, of an item or a mailbox.
pub(super) const fn takes_the_credential(fault: &Fault) -> bool {
    matches!(fault.scope, FaultScope::Item | FaultScope::Mailbox)
        && !matches!(fault.kind, FaultKind::Doubtful { .. })
        && fault.request_id.is_some()
}

/// The instant `wait` after `now`.
pub(super) fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{Credential, Next, after_fault};
    use crate::model::fault::{Fault, FaultKind, FaultScope};

    #[test]
    fn a_credential_that_nobody_has_tried_is_tried_by_one() {
        let (past, future) = (Timestamp::MIN, Timestamp::MAX);
        for (credential, turns) in [
            (Credential::Unproven, 1),
            (Credential::Proven, 4),
            (Credential::Refused { until: past, times: 3 }, 1),
            (Credential::Refused { until: future, times: 3 }, 0),
        ] {
            assert_eq!(credential.turns(4, Timestamp::UNIX_EPOCH), turns, "{credential:?}");
        }
    }

    #[test]
    fn only_whom_a_fault_concerns_waits() {
        const ASKED: Duration = Duration::from_secs(40);
        let transient = FaultKind::Transient { wait: Some(ASKED) };
        let doubtful = FaultKind::Doubtful { wait: None };
        let parked = |wait, permanent, asked| Next::Park { wait, permanent, asked };
        let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
        let cases = [
            (FaultScope::Item, FaultKind::Permanent, Next::Regular),
            (FaultScope::Item, transient, parked(ASKED, false, true)),
            (FaultScope::Mailbox, transient, parked(ASKED, false, true)),
            (FaultScope::Mailbox, doubtful, parked(second / 2, false, false)),
            (FaultScope::Mailbox, FaultKind::Permanent, parked(hour, true, false)),
            (FaultScope::Credential, transient, Next::Pause(ASKED)),
            (FaultScope::Credential, FaultKind::Permanent, Next::RefuseCredential),
            (FaultScope::Server, transient, Next::Pause(ASKED)),
            (FaultScope::Server, FaultKind::Permanent, Next::Pause(hour)),
        ];
        for (scope, kind, expected) in cases {
            let fault = Fault::new(scope, kind, "Code", "message");
            assert_eq!(after_fault(&fault, 0, 0.0), expected, "{scope:?} {kind:?}");
        }
    }
}
