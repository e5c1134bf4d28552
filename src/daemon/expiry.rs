//! Tells once a day which credentials come to their end.

use jiff::{SignedDuration, Timestamp};

use crate::{
    observability::events::{CredentialExpiredError, CredentialExpiring},
    settings::{
        Settings,
        expiry::{Stage, expiries},
    },
};

/// How often it is told.
const EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Tells what is to be told of the settings, and when it is next told.
pub(super) fn tell(settings: &Settings, now: Timestamp) -> Timestamp {
    for expiry in expiries(settings, now) {
        let (credential, ends, days_left) = (expiry.key, expiry.ends, expiry.days_left);
        match expiry.stage {
            Stage::Far => {}
            Stage::Within(within_days) => CredentialExpiring { credential, ends, days_left, within_days }.emit(),
            Stage::Over => CredentialExpiredError { credential, ends, days_left }.emit(),
        }
    }
    now.checked_add(EVERY).unwrap_or(Timestamp::MAX)
}
