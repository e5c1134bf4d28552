//! What went wrong with Outlook: who is concerned, whether to try again, and what to do.

use std::{fmt, time::Duration};

/// Whom a fault concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultScope {
    /// One item: the rest of the batch goes on.
    Item,
    /// One mailbox: it is parked, the others go on.
    Mailbox,
    /// The credential: everything that uses it stops.
    Credential,
    /// The server: nobody sends to it until the wait is over.
    Server,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It can, after the wait that the server asked for (`None`: it did not say).
    Transient {
        /// Never waited shorter than this.
        wait: Option<Duration>,
    },
    /// It cannot: somebody must change something.
    Permanent,
    /// The request may have been carried out: look before anything is sent again.
    Doubtful {
        /// Never waited shorter than this.
        wait: Option<Duration>,
    },
    /// The item was not attempted because another stopped the batch: send it again unchanged.
    NotAttempted,
}

/// A fault of a request to Outlook. Holds no content of a calendar and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whom it concerns.
    pub scope: FaultScope,
    /// Whether trying again can help.
    pub kind: FaultKind,
    /// The server's own code, such as `ErrorServerBusy`, `ApplicationThrottled` or `HTTP 503`.
    pub code: String,
    /// What happened, in a sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The server's name for the request.
    pub request_id: Option<String>,
}

impl Fault {
    /// A fault without hint or request id.
    #[must_use]
    pub fn new(scope: FaultScope, kind: FaultKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { scope, kind, code: code.into(), message: message.into(), hint: None, request_id: None }
    }

    /// The same fault with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The wait that the server asked for.
    #[must_use]
    pub const fn wait(&self) -> Option<Duration> {
        match self.kind {
            FaultKind::Transient { wait } | FaultKind::Doubtful { wait } => wait,
            FaultKind::Permanent | FaultKind::NotAttempted => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}
