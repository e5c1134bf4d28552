//! What is known of each mailbox as a whole.

use jiff::Timestamp;
use sqlx::{AnyConnection, Row, any::AnyRow};

use super::{StateError, Store, instant, links::key};
use crate::model::{address::Address, key::SourceKey};

/// What is known of a mailbox as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxState {
    /// Whose calendar it is.
    pub mailbox: Address,
    /// Where the next reading of changes begins.
    pub cursor: Option<String>,
    /// When its calendar was last read.
    pub read_at: Option<Timestamp>,
    /// When a pass last came to its end.
    pub finished_at: Option<Timestamp>,
    /// Why it is left alone for now.
    pub parked: Option<Parked>,
    /// How often in a row it was parked.
    pub parked_times: u32,
}

/// Why a mailbox is left alone for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The server's code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether the server asked for the wait: then nothing ends it early.
    pub asked: bool,
}

impl MailboxState {
    /// A mailbox that nothing is known of.
    #[must_use]
    pub const fn new(mailbox: Address) -> Self {
        Self { mailbox, cursor: None, read_at: None, finished_at: None, parked: None, parked_times: 0 }
    }
}

impl Store {
    /// What is known of a mailbox.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn mailbox(&self, mailbox: &Address) -> Result<MailboxState, StateError> {
        let failed = |source| StateError::Statement { what: "read a mailbox", source };
        let row = sqlx::query("SELECT * FROM mailboxes WHERE mailbox = $1")
            .bind(mailbox.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        row.as_ref().map_or_else(|| Ok(MailboxState::new(mailbox.clone())), mailbox_state)
    }

    /// Every mailbox that has a state or links.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn mailboxes(&self) -> Result<Vec<MailboxState>, StateError> {
        let failed = |source| StateError::Statement { what: "read mailboxes", source };
        let rows =
            sqlx::query("SELECT * FROM mailboxes ORDER BY mailbox").fetch_all(&self.pool).await.map_err(failed)?;
        let mut states = rows.iter().map(mailbox_state).collect::<Result<Vec<_>, _>>()?;
        let rows = sqlx::query(
            "SELECT mailbox FROM (SELECT mailbox FROM links UNION SELECT mailbox FROM intents) AS known \
             WHERE mailbox NOT IN (SELECT mailbox FROM mailboxes) ORDER BY mailbox",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        for row in &rows {
            states.push(MailboxState::new(address(row)?));
        }
        Ok(states)
    }

    /// How many links each mailbox has.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn link_counts(&self) -> Result<Vec<(Address, u64)>, StateError> {
        let failed = |source| StateError::Statement { what: "count links", source };
        let rows = sqlx::query(
            "SELECT mailbox, CAST(COUNT(*) AS BIGINT) AS links FROM links GROUP BY mailbox ORDER BY mailbox",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let links: i64 = row.try_get("links").map_err(failed)?;
                Ok((address(row)?, u64::try_from(links).unwrap_or_default()))
            })
            .collect()
    }

    /// The items of a source in all calendars whose events are not over before `since`.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn live_links(&self, source: &str, since: Timestamp) -> Result<Vec<(Address, SourceKey)>, StateError> {
        let failed = |source| StateError::Statement { what: "read links", source };
        // `0` is the character after `/`: every key of the source lies between the two.
        let rows = sqlx::query(
            "SELECT mailbox, source_key FROM links WHERE ends >= $1 AND source_key >= $2 AND source_key < $3",
        )
        .bind(since.as_millisecond())
        .bind(format!("{source}/"))
        .bind(format!("{source}0"))
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter().map(|row| Ok((address(row)?, key(row)?))).collect()
    }

    /// Writes down what is known of a mailbox.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn save_mailbox(&self, state: &MailboxState) -> Result<(), StateError> {
        let failed = |source| StateError::Statement { what: "write a mailbox", source };
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        write(&mut connection, state).await.map_err(failed)
    }
}

/// Writes down what is known of a mailbox.
pub(super) async fn write(connection: &mut AnyConnection, state: &MailboxState) -> Result<(), sqlx::Error> {
    let milliseconds = |instant: Option<Timestamp>| instant.map(Timestamp::as_millisecond);
    let parked = state.parked.as_ref();
    sqlx::query(
            "INSERT INTO mailboxes (mailbox, cursor, read_at, finished_at, parked_until, parked_code, parked_message, \
             parked_hint, parked_times, parked_asked, parked_since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (mailbox) DO UPDATE SET \
             cursor = excluded.cursor, read_at = excluded.read_at, finished_at = excluded.finished_at, \
             parked_until = excluded.parked_until, parked_code = excluded.parked_code, \
             parked_message = excluded.parked_message, parked_hint = excluded.parked_hint, \
             parked_times = excluded.parked_times, parked_asked = excluded.parked_asked, \
             parked_since = excluded.parked_since",
        )
        .bind(state.mailbox.as_str())
        .bind(state.cursor.as_deref())
        .bind(milliseconds(state.read_at))
        .bind(milliseconds(state.finished_at))
        .bind(parked.map(|parked| parked.until.as_millisecond()))
        .bind(parked.map(|parked| parked.code.as_str()))
        .bind(parked.map(|parked| parked.message.as_str()))
        .bind(parked.and_then(|parked| parked.hint.as_deref()))
        .bind(i64::from(state.parked_times))
        .bind(i64::from(parked.is_some_and(|parked| parked.asked)))
        .bind(parked.map(|parked| parked.since.as_millisecond()))
        .execute(connection)
        .await
        .map(|_| ())
}

/// The mailbox of a row.
pub(super) fn address(row: &AnyRow) -> Result<Address, StateError> {
    let text: String =
        row.try_get("mailbox").map_err(|source| StateError::Statement { what: "read an address", source })?;
    Address::parse(&text).map_err(|_| StateError::Content { what: "mailbox", value: text })
}

fn mailbox_state(row: &AnyRow) -> Result<MailboxState, StateError> {
    let failed = |source| StateError::Statement { what: "read a mailbox", source };
    let time = |column| row.try_get::<Option<i64>, _>(column).map(|value| value.map(instant)).map_err(failed);
    let text = |column| row.try_get::<Option<String>, _>(column).map_err(failed);
    let parked = match (time("parked_until")?, text("parked_code")?) {
        (Some(until), Some(code)) => {
            let message = text("parked_message")?.unwrap_or_default();
            let asked: i64 = row.try_get("parked_asked").map_err(failed)?;
            let since = time("parked_since")?.or(time("finished_at")?).unwrap_or(until);
            Some(Parked { since, until, code, message, hint: text("parked_hint")?, asked: asked != 0 })
        }
        (None | Some(_), _) => None,
    };
    let parked_times: i64 = row.try_get("parked_times").map_err(failed)?;
    Ok(MailboxState {
        mailbox: address(row)?,
        cursor: text("cursor")?,
        read_at: time("read_at")?,
        finished_at: time("finished_at")?,
        parked,
        parked_times: u32::try_from(parked_times).unwrap_or_default(),
    })
}
