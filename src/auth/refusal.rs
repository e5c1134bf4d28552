//! A credential that was refused, and until when it is not shown again.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::{REFUSAL, later};
use crate::{
    clock::Clock,
    model::fault::{Fault, FaultKind, FaultScope},
};

/// The memory of a refusal. One attempt only: each further one with the same password brings the account closer to its lock-out.
#[derive(Debug)]
pub(super) struct Refusal {
    clock: Arc<dyn Clock>,
    until: Mutex<Option<Timestamp>>,
}

impl Refusal {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, until: Mutex::default() }
    }

    /// Whether the credential may be shown.
    pub(super) fn is_over(&self) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_none_or(|until| until <= self.clock.now())
    }

    /// The same as a fault of the password.
    ///
    /// # Errors
    /// While the password is not to be shown.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.is_over() {
            return Ok(());
        }
        let message = "the server has refused this user name and password: they are not sent again for now";
        Err(Fault::new(FaultScope::Credential, FaultKind::Permanent, "HTTP 401", message)
            .hint("check the account and its password; repeated attempts lock accounts"))
    }

    /// The server refused it.
    pub(super) fn note(&self) {
        let until = later(self.clock.now(), REFUSAL);
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}
