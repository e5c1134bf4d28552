//! Where each mailbox is: the side that its links were written on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{AnyConnection, Row, any::AnyRow};

use super::{StateError, Store, instant, mailboxes::address};
use crate::model::{address::Address, side::Side};

/// Where a mailbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxPlace {
    /// The side.
    pub side: Side,
    /// Whether the other side said that it has no such mailbox: with one way alone nobody asks.
    pub asked: bool,
    /// Since when that is known.
    pub since: Timestamp,
}

impl Store {
    /// Where a mailbox is; `None` while nobody knows.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn place(&self, mailbox: &Address) -> Result<Option<MailboxPlace>, StateError> {
        let failed = |source| StateError::Statement { what: "read the place of a mailbox", source };
        let row = sqlx::query("SELECT * FROM places WHERE mailbox = $1")
            .bind(mailbox.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        row.as_ref().map(place).transpose()
    }

    /// Where every mailbox is that this is known of.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn places(&self) -> Result<BTreeMap<Address, MailboxPlace>, StateError> {
        let failed = |source| StateError::Statement { what: "read the places of mailboxes", source };
        let rows = sqlx::query("SELECT * FROM places").fetch_all(&self.pool).await.map_err(failed)?;
        rows.iter().map(|row| Ok((address(row)?, place(row)?))).collect()
    }
}

/// Notes where a mailbox is.
pub(super) async fn write(
    connection: &mut AnyConnection,
    mailbox: &Address,
    place: &MailboxPlace,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO places (mailbox, side, asked, since) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (mailbox) DO UPDATE SET side = excluded.side, asked = excluded.asked, since = excluded.since",
    )
    .bind(mailbox.as_str())
    .bind(place.side.as_str())
    .bind(i64::from(place.asked))
    .bind(place.since.as_millisecond())
    .execute(connection)
    .await
    .map(|_| ())
}

fn place(row: &AnyRow) -> Result<MailboxPlace, StateError> {
    let failed = |source| StateError::Statement { what: "read the place of a mailbox", source };
    let word: String = row.try_get("side").map_err(failed)?;
    let side = Side::parse(&word).ok_or(StateError::Content { what: "side of a mailbox", value: word })?;
    let asked: i64 = row.try_get("asked").map_err(failed)?;
    Ok(MailboxPlace { side, asked: asked != 0, since: instant(row.try_get("since").map_err(failed)?) })
}
