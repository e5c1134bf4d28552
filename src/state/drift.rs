//! Items that users and other programs have their say about: repaired too often, or deleted.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row;

use super::{StateError, Store, instant, links::key, mailboxes::address};
use crate::model::{address::Address, key::SourceKey, link::Repairs};

/// An item that is left as somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftToUsers {
    /// Whose calendar it is.
    pub mailbox: Address,
    /// The source event.
    pub key: SourceKey,
    /// Since when its deletion is respected; `None`: it is there, and was repaired as often as a day allows.
    pub deleted_at: Option<Timestamp>,
}

impl Store {
    /// The items whose deletion is respected, and those that were repaired so often within the last day that they are not any
    /// more.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn left_to_users(&self, now: Timestamp) -> Result<Vec<LeftToUsers>, StateError> {
        let failed = |source| StateError::Statement { what: "read what is left to users", source };
        let day_ago = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
        let rows = sqlx::query(
            "SELECT mailbox, source_key, deleted_at FROM links \
             WHERE deleted_at IS NOT NULL OR (repairs_count >= $1 AND repairs_since > $2) ORDER BY mailbox, source_key",
        )
        .bind(i64::from(Repairs::COUNT_MAX))
        .bind(day_ago.as_millisecond())
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let deleted_at: Option<i64> = row.try_get("deleted_at").map_err(failed)?;
                Ok(LeftToUsers { mailbox: address(row)?, key: key(row)?, deleted_at: deleted_at.map(instant) })
            })
            .collect()
    }
}
