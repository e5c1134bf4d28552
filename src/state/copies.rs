//! Items with our mark that users made by copying ours.

use std::collections::BTreeSet;

use sqlx::{AnyConnection, Row};

use super::{StateError, Store, change::Change};
use crate::model::address::Address;

impl Store {
    /// The ids of the copies in a calendar.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn copies(&self, mailbox: &Address) -> Result<BTreeSet<String>, StateError> {
        let failed = |source| StateError::Statement { what: "read the copies of users", source };
        let rows = sqlx::query("SELECT item_id FROM copies WHERE mailbox = $1")
            .bind(mailbox.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter().map(|row| row.try_get("item_id").map_err(failed)).collect()
    }

    /// Notes the copies that a reading found. After a whole one the others are gone.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn note_copies(&self, mailbox: &Address, found: &[String], is_whole: bool) -> Result<(), StateError> {
        let failed = |source| StateError::Statement { what: "write the copies of users", source };
        if found.is_empty() && !is_whole {
            return Ok(());
        }
        let before = self.copies(mailbox).await?;
        let found: BTreeSet<&String> = found.iter().collect();
        let fresh: Vec<&String> = found.iter().copied().filter(|id| !before.contains(*id)).collect();
        let gone: Vec<&String> = before.iter().filter(|id| is_whole && !found.contains(id)).collect();
        if fresh.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let mut change = Change::begin(&self.pool).await.map_err(failed)?;
        let statements = [
            ("INSERT INTO copies (mailbox, item_id) VALUES ($1, $2)", fresh),
            ("DELETE FROM copies WHERE mailbox = $1 AND item_id = $2", gone),
        ];
        for (statement, ids) in statements {
            for id in ids {
                let query = sqlx::query(statement).bind(mailbox.as_str()).bind(id);
                query.execute(change.connection()).await.map_err(failed)?;
            }
        }
        change.commit().await.map_err(failed)
    }
}

/// Notes further copies.
pub(super) async fn add(connection: &mut AnyConnection, mailbox: &Address, ids: &[String]) -> Result<(), sqlx::Error> {
    for id in ids {
        sqlx::query("INSERT INTO copies (mailbox, item_id) VALUES ($1, $2) ON CONFLICT (mailbox, item_id) DO NOTHING")
            .bind(mailbox.as_str())
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
