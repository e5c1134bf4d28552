//! Which calendar of a mailbox is written to, where it is not the default one.

use sqlx::{AnyConnection, Row};

use super::{StateError, Store};
use crate::model::address::Address;

/// A calendar that is followed by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedCalendar {
    /// The name in the settings when it was found or made; it may be called something else now.
    pub name: String,
    /// The folder's own id.
    pub folder_id: String,
}

impl Store {
    /// The calendar that is followed in a mailbox; `None` for the default one.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn calendar(&self, mailbox: &Address) -> Result<Option<FollowedCalendar>, StateError> {
        let failed = |source| StateError::Statement { what: "read the calendar of a mailbox", source };
        let row = sqlx::query("SELECT name, folder_id FROM calendars WHERE mailbox = $1")
            .bind(mailbox.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let text = |column| row.try_get::<String, _>(column).map_err(failed);
        Ok(Some(FollowedCalendar { name: text("name")?, folder_id: text("folder_id")? }))
    }

    /// Follows a calendar from now on; `None` for the default one. The cursor of another calendar goes with it.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn follow(&self, mailbox: &Address, calendar: Option<&FollowedCalendar>) -> Result<(), StateError> {
        let failed = |source| StateError::Statement { what: "write the calendar of a mailbox", source };
        let mut change = super::change::Change::begin(&self.pool).await.map_err(failed)?;
        sqlx::query("UPDATE mailboxes SET cursor = NULL, read_at = NULL WHERE mailbox = $1")
            .bind(mailbox.as_str())
            .execute(change.connection())
            .await
            .map_err(failed)?;
        let written = match calendar {
            Some(calendar) => write(change.connection(), mailbox, calendar).await,
            None => sqlx::query("DELETE FROM calendars WHERE mailbox = $1")
                .bind(mailbox.as_str())
                .execute(change.connection())
                .await
                .map(|_| ()),
        };
        written.map_err(failed)?;
        change.commit().await.map_err(failed)
    }
}

/// Follows a calendar.
pub(super) async fn write(
    connection: &mut AnyConnection,
    mailbox: &Address,
    calendar: &FollowedCalendar,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO calendars (mailbox, name, folder_id) VALUES ($1, $2, $3) ON CONFLICT (mailbox) DO UPDATE \
         SET name = excluded.name, folder_id = excluded.folder_id",
    )
    .bind(mailbox.as_str())
    .bind(&calendar.name)
    .bind(&calendar.folder_id)
    .execute(connection)
    .await
    .map(|_| ())
}
