//! What stands without a write: items that were repaired too often today, items that stay for a reason.

use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::{
    StateError, Store, instant,
    links::key,
    mailboxes::address,
    rows::{ROWS_MAX, placeholders},
};
use crate::model::{address::Address, key::SourceKey};

/// A decision that stands without a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The source event.
    pub key: SourceKey,
    /// `quarantine` or `keep`.
    pub action: String,
    /// The stable word of the reason.
    pub code: String,
    /// Since when.
    pub since: Timestamp,
    /// When it is looked at again.
    pub retry_at: Option<Timestamp>,
}

impl Store {
    /// What stands in one mailbox, or in all, in the order of the keys.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn standings(&self, mailbox: Option<&Address>) -> Result<Vec<(Address, Standing)>, StateError> {
        let failed = |source| StateError::Statement { what: "read what stands", source };
        let rows = sqlx::query("SELECT * FROM standings WHERE $1 IN ('', mailbox) ORDER BY mailbox, source_key")
            .bind(mailbox.map_or("", Address::as_str))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let standing = Standing {
                    key: key(row)?,
                    action: row.try_get("action").map_err(failed)?,
                    code: row.try_get("code").map_err(failed)?,
                    since: instant(row.try_get("since").map_err(failed)?),
                    retry_at: row.try_get::<Option<i64>, _>("retry_at").map_err(failed)?.map(instant),
                };
                Ok((address(row)?, standing))
            })
            .collect()
    }
}

/// Writes what stands.
pub(super) async fn write(
    connection: &mut AnyConnection,
    mailbox: &Address,
    standings: &[Standing],
) -> Result<(), sqlx::Error> {
    for some in standings.chunks(ROWS_MAX) {
        let sql = format!(
            "INSERT INTO standings (mailbox, source_key, action, code, since, retry_at) VALUES {} \
             ON CONFLICT (mailbox, source_key) DO UPDATE SET action = excluded.action, code = excluded.code, \
             since = excluded.since, retry_at = excluded.retry_at",
            placeholders(some.len(), 6)
        );
        // Made of names and numbers of ours: the values are bound.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for standing in some {
            query = query
                .bind(mailbox.as_str())
                .bind(standing.key.as_str())
                .bind(&standing.action)
                .bind(&standing.code)
                .bind(standing.since.as_millisecond())
                .bind(standing.retry_at.map(Timestamp::as_millisecond));
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}
