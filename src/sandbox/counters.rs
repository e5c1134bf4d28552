//! What happened, in numbers.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

/// A reading of the counters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Whole HTTP requests to EWS, Graph and the token endpoint.
    pub exchanges: u64,
    /// Requests per operation, inner requests of a batch one by one; refused ones count.
    pub operations: BTreeMap<String, u64>,
    /// Items that EWS requests carried, per operation.
    pub items: BTreeMap<String, u64>,
    /// Answers per status, inner answers of a batch too.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests per mailbox, inner requests of a batch one by one.
    pub mailboxes: BTreeMap<String, u64>,
    /// The most requests in flight to one mailbox.
    pub in_flight_max: BTreeMap<String, usize>,
    /// Failed log-ons per account or application.
    pub failed_log_ons: BTreeMap<String, u64>,
    /// Challenges of NTLM that were sent: one for each connection that logs on.
    pub challenges: u64,
    /// Log-ons by NTLM with the right password and without the binding that Extended Protection asks for.
    pub unbound_log_ons: u64,
    /// Tokens issued.
    pub tokens_issued: u64,
    /// Tokens per what was shown for them: `secret 1`, `certificate 2`, `federated ID`.
    pub proofs: BTreeMap<String, u64>,
    /// Requests refused by the limits.
    pub rejected: u64,
    /// Requests that met a fault.
    pub faults: u64,
    /// Connections broken on purpose.
    pub broken: u64,
    /// Mails that writes have sent to attendees.
    pub mails_sent: u64,
    /// Moves of mailboxes between the halves since the sandbox started; a reset forgets none.
    pub moves: u64,
    /// Mailboxes that are on the way now.
    pub moving: u64,
}

/// The counters.
#[derive(Debug, Default)]
pub(super) struct Counters {
    counts: Mutex<Counts>,
}

impl Counters {
    /// Changes the counts.
    pub(super) fn update(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// One more request of an operation to a mailbox.
    pub(super) fn request(&self, operation: &str, mailbox: Option<&str>) {
        self.update(|counts| {
            increment(&mut counts.operations, operation, 1);
            if let Some(mailbox) = mailbox {
                increment(&mut counts.mailboxes, mailbox, 1);
            }
        });
    }

    /// One more answer of a status.
    pub(super) fn status(&self, status: u16) {
        self.update(|counts| *counts.statuses.entry(status).or_default() += 1);
    }

    /// One more failed log-on.
    pub(super) fn failed_log_on(&self, user: &str) {
        self.update(|counts| increment(&mut counts.failed_log_ons, user, 1));
    }

    /// A copy of the counts.
    pub(super) fn read(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Adds to the count of a name.
pub(super) fn increment(counts: &mut BTreeMap<String, u64>, name: &str, by: u64) {
    match counts.get_mut(name) {
        Some(count) => *count += by,
        None => {
            counts.insert(name.to_owned(), by);
        }
    }
}
