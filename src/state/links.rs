//! Links and intents.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};

use super::{
    FollowedCalendar, MailboxPlace, MailboxState, Standing, StateError, Store, calendars,
    change::Change,
    copies, history, holds, instant, mailboxes, places,
    rows::{self, ROWS_MAX, Table, placeholders},
    standings,
};
use crate::model::{
    address::Address,
    echo::Echo,
    fingerprint::Fingerprint,
    history::Entry,
    key::SourceKey,
    link::{Intent, ItemRef, Link, Repairs, Verb},
    occurrences::WrittenOccurrences,
};

/// What becomes of a key once its write is known, in one transaction with the end of its intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The item is there: this is its link.
    Linked(Link),
    /// The item is gone: there is no link any more.
    Unlinked(SourceKey),
    /// Nothing was done.
    Dropped(SourceKey),
    /// The server refused it for good.
    Refused {
        /// The source event.
        key: SourceKey,
        /// What was to be written.
        fingerprint: Fingerprint,
        /// The server's code.
        code: String,
        /// The server's message.
        message: String,
        /// When it is tried again all the same.
        retry_at: Timestamp,
    },
}

impl Settlement {
    /// The source event.
    #[must_use]
    pub const fn key(&self) -> &SourceKey {
        match self {
            Self::Linked(link) => &link.key,
            Self::Unlinked(key) | Self::Dropped(key) | Self::Refused { key, .. } => key,
        }
    }

    /// Does to links in memory what it does to those of the state.
    pub fn apply(&self, links: &mut BTreeMap<SourceKey, Link>) {
        match self {
            Self::Linked(link) => {
                links.insert(link.key.clone(), link.clone());
            }
            Self::Unlinked(key) => {
                links.remove(key);
            }
            Self::Dropped(_) | Self::Refused { .. } => {}
        }
    }
}

/// Several settlements, each of another key.
pub type Settlements = Vec<Settlement>;

/// What is written of one mailbox in one transaction.
#[derive(Debug, Clone, Copy, Default)]
pub struct Advance<'a> {
    /// What became of writes; their intents end.
    pub settlements: &'a [Settlement],
    /// What is about to be sent. No key is in both.
    pub intents: &'a [Intent],
    /// What is added to the history.
    pub entries: &'a [Entry],
    /// The deletions that are held, and why; those that were before keep their date and what was said of them.
    pub held: &'a [(SourceKey, String)],
    /// Those that are held no longer.
    pub released: &'a [SourceKey],
    /// What stands without a write, where that is news.
    pub standings: &'a [Standing],
    /// What stands no longer.
    pub passed: &'a [SourceKey],
    /// What is known of the mailbox from now on: its cursor moves with the last links.
    pub end: Option<&'a MailboxState>,
    /// Where the mailbox is from now on.
    pub place: Option<&'a MailboxPlace>,
    /// The calendar that is followed there, where it is not the default one.
    pub calendar: Option<&'a FollowedCalendar>,
    /// Copies that users made, beside those that are known.
    pub copies: &'a [String],
}

impl Advance<'_> {
    const fn is_empty(&self) -> bool {
        self.settlements.is_empty()
            && self.intents.is_empty()
            && self.entries.is_empty()
            && self.held.is_empty()
            && self.released.is_empty()
            && self.standings.is_empty()
            && self.passed.is_empty()
            && self.end.is_none()
            && self.place.is_none()
            && self.calendar.is_none()
            && self.copies.is_empty()
    }
}

impl Store {
    /// The links of a mailbox, in the order of their keys.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn links(&self, mailbox: &Address) -> Result<Vec<Link>, StateError> {
        let failed = |source| StateError::Statement { what: "read links", source };
        let rows = sqlx::query(
            "SELECT source_key, item_id, change_key, fingerprint, generation, ends, repairs_since, repairs_count, \
             occurrences, echo, deleted_at FROM links WHERE mailbox = $1 ORDER BY source_key",
        )
        .bind(mailbox.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter().map(link).collect()
    }

    /// The keys of the items that are in a mailbox.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn linked_keys(&self, mailbox: &Address) -> Result<BTreeSet<SourceKey>, StateError> {
        let failed = |source| StateError::Statement { what: "read the keys of links", source };
        let rows = sqlx::query("SELECT source_key FROM links WHERE mailbox = $1")
            .bind(mailbox.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter().map(key).collect()
    }

    /// The intents of a mailbox that are not settled.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn intents(&self, mailbox: &Address) -> Result<Vec<Intent>, StateError> {
        let failed = |source| StateError::Statement { what: "read intents", source };
        let rows = sqlx::query(
            "SELECT source_key, verb, generation, ends, repairs_since, repairs_count \
             FROM intents WHERE mailbox = $1 ORDER BY source_key",
        )
        .bind(mailbox.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter().map(intent).collect()
    }

    /// Writes down what is about to be sent.
    ///
    /// # Errors
    /// When the state cannot be written: then nothing may be sent.
    pub async fn intend(&self, mailbox: &Address, intents: &[Intent]) -> Result<(), StateError> {
        self.advance(mailbox, &Advance { intents, ..Advance::default() }, Timestamp::UNIX_EPOCH).await
    }

    /// Writes down what became of writes, and ends their intents, in one transaction.
    ///
    /// # Errors
    /// When the state cannot be written: the intents then stay, and are looked into again.
    pub async fn settle(
        &self,
        mailbox: &Address,
        settlements: &[Settlement],
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.advance(mailbox, &Advance { settlements, ..Advance::default() }, now).await
    }

    /// Writes everything that is known now in one transaction: a commit waits for the disk.
    ///
    /// # Errors
    /// When the state cannot be written: then nothing may be sent, and what was sent is looked into again.
    pub async fn advance(&self, mailbox: &Address, step: &Advance<'_>, now: Timestamp) -> Result<(), StateError> {
        if step.is_empty() {
            return Ok(());
        }
        let failed = |source| StateError::Statement { what: "write what a pass did", source };
        let mut change = Change::begin(&self.pool).await.map_err(failed)?;
        let place = self.history_places(step.entries.len());
        write(change.connection(), mailbox, step, place, now).await.map_err(failed)?;
        change.commit().await.map_err(failed)
    }
}

async fn write(
    connection: &mut AnyConnection,
    mailbox: &Address,
    step: &Advance<'_>,
    place: i64,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    write_settlements(connection, mailbox, step.settlements, now).await?;
    let released: Vec<&SourceKey> = step.released.iter().collect();
    rows::remove(connection, Table::Holds, mailbox, &released).await?;
    holds::write(connection, mailbox, step.held, now).await?;
    let passed: Vec<&SourceKey> = step.passed.iter().collect();
    rows::remove(connection, Table::Standings, mailbox, &passed).await?;
    standings::write(connection, mailbox, step.standings).await?;
    write_intents(connection, mailbox, step.intents).await?;
    history::write(connection, step.entries, place).await?;
    if let Some(state) = step.end {
        mailboxes::write(connection, state).await?;
    }
    if let Some(place) = step.place {
        places::write(connection, mailbox, place).await?;
    }
    if let Some(calendar) = step.calendar {
        calendars::write(connection, mailbox, calendar).await?;
    }
    copies::add(connection, mailbox, step.copies).await
}

async fn write_intents(
    connection: &mut AnyConnection,
    mailbox: &Address,
    intents: &[Intent],
) -> Result<(), sqlx::Error> {
    for some in intents.chunks(ROWS_MAX) {
        let sql = format!(
            "INSERT INTO intents (mailbox, source_key, verb, generation, ends, repairs_since, repairs_count) \
             VALUES {} ON CONFLICT (mailbox, source_key) DO UPDATE SET \
             verb = excluded.verb, generation = excluded.generation, ends = excluded.ends, \
             repairs_since = excluded.repairs_since, repairs_count = excluded.repairs_count",
            placeholders(some.len(), 7)
        );
        // Made of names and numbers of ours: the values are bound.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for intent in some {
            query = query
                .bind(mailbox.as_str())
                .bind(intent.key.as_str())
                .bind(intent.verb.as_str())
                .bind(intent.generation)
                .bind(intent.ends.as_millisecond())
                .bind(intent.repairs.since.as_millisecond())
                .bind(i64::from(intent.repairs.count));
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn write_settlements(
    connection: &mut AnyConnection,
    mailbox: &Address,
    settlements: &[Settlement],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (mut links, mut unlinked, mut accepted, mut all) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for settlement in settlements {
        let key = settlement.key();
        all.push(key);
        match settlement {
            Settlement::Linked(link) => links.push(link),
            Settlement::Unlinked(_) => unlinked.push(key),
            Settlement::Dropped(_) | Settlement::Refused { .. } => {}
        }
        if !matches!(settlement, Settlement::Refused { .. }) {
            accepted.push(key);
        }
    }
    write_links(connection, mailbox, &links).await?;
    rows::remove(connection, Table::Links, mailbox, &unlinked).await?;
    // The item is gone: there is nothing left to hold.
    rows::remove(connection, Table::Holds, mailbox, &unlinked).await?;
    // A key may be both: its item is there, and the rest of the write was refused.
    rows::remove(connection, Table::Refusals, mailbox, &accepted).await?;
    for settlement in settlements {
        write_refusal(connection, mailbox, settlement, now).await?;
    }
    rows::remove(connection, Table::Intents, mailbox, &all).await
}

async fn write_links(connection: &mut AnyConnection, mailbox: &Address, links: &[&Link]) -> Result<(), sqlx::Error> {
    for some in links.chunks(ROWS_MAX) {
        let sql = format!(
            "INSERT INTO links (mailbox, source_key, item_id, change_key, fingerprint, generation, ends, repairs_since, \
             repairs_count, occurrences, echo, deleted_at) VALUES {} ON CONFLICT (mailbox, source_key) DO UPDATE SET \
             item_id = excluded.item_id, change_key = excluded.change_key, fingerprint = excluded.fingerprint, \
             generation = excluded.generation, ends = excluded.ends, repairs_since = excluded.repairs_since, \
             repairs_count = excluded.repairs_count, occurrences = excluded.occurrences, echo = excluded.echo, \
             deleted_at = excluded.deleted_at",
            placeholders(some.len(), 12)
        );
        // Made of names and numbers of ours: the values are bound.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for link in some {
            query = query
                .bind(mailbox.as_str())
                .bind(link.key.as_str())
                .bind(link.item.id.as_str())
                .bind(link.item.change_key.as_str())
                .bind(link.fingerprint.as_str())
                .bind(link.generation)
                .bind(link.ends.as_millisecond())
                .bind(link.repairs.since.as_millisecond())
                .bind(i64::from(link.repairs.count))
                .bind(link.occurrences.as_ref().map(WrittenOccurrences::to_text))
                .bind(link.echo.as_ref().map(Echo::to_text))
                .bind(link.deleted_at.map(Timestamp::as_millisecond));
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn write_refusal(
    connection: &mut AnyConnection,
    mailbox: &Address,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let Settlement::Refused { key, fingerprint, code, message, retry_at } = settlement else { return Ok(()) };
    sqlx::query(
        "INSERT INTO refusals (mailbox, source_key, fingerprint, code, message, since, retry_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (mailbox, source_key) DO UPDATE SET \
         fingerprint = excluded.fingerprint, code = excluded.code, message = excluded.message, \
         retry_at = excluded.retry_at",
    )
    .bind(mailbox.as_str())
    .bind(key.as_str())
    .bind(fingerprint.as_str())
    .bind(code)
    .bind(message)
    .bind(now.as_millisecond())
    .bind(retry_at.as_millisecond())
    .execute(&mut *connection)
    .await
    .map(|_| ())
}

fn link(row: &AnyRow) -> Result<Link, StateError> {
    let failed = |source| StateError::Statement { what: "read a link", source };
    let fingerprint: String = row.try_get("fingerprint").map_err(failed)?;
    let occurrences: Option<String> = row.try_get("occurrences").map_err(failed)?;
    let echo: Option<String> = row.try_get("echo").map_err(failed)?;
    let deleted_at: Option<i64> = row.try_get("deleted_at").map_err(failed)?;
    // A fingerprint of another version makes the item be written once more.
    let fingerprint = Fingerprint::parse(&fingerprint).unwrap_or_else(Fingerprint::unknown);
    let item =
        ItemRef { id: row.try_get("item_id").map_err(failed)?, change_key: row.try_get("change_key").map_err(failed)? };
    Ok(Link {
        generation: row.try_get("generation").map_err(failed)?,
        ends: instant(row.try_get("ends").map_err(failed)?),
        repairs: repairs(row)?,
        // What cannot be read is not known: the series is then written anew.
        occurrences: occurrences.as_deref().and_then(WrittenOccurrences::parse),
        echo: echo.as_deref().and_then(Echo::parse),
        deleted_at: deleted_at.map(instant),
        ..Link::new(key(row)?, item, fingerprint)
    })
}

fn intent(row: &AnyRow) -> Result<Intent, StateError> {
    let failed = |source| StateError::Statement { what: "read an intent", source };
    let verb: String = row.try_get("verb").map_err(failed)?;
    Ok(Intent {
        key: key(row)?,
        verb: Verb::parse(&verb).ok_or(StateError::Content { what: "verb", value: verb })?,
        generation: row.try_get("generation").map_err(failed)?,
        ends: instant(row.try_get("ends").map_err(failed)?),
        repairs: repairs(row)?,
    })
}

fn repairs(row: &AnyRow) -> Result<Repairs, StateError> {
    let failed = |source| StateError::Statement { what: "read repairs", source };
    let since = instant(row.try_get("repairs_since").map_err(failed)?);
    Ok(Repairs { since, count: number(row, "repairs_count")? })
}

/// The source key of a row.
pub(super) fn key(row: &AnyRow) -> Result<SourceKey, StateError> {
    let text: String =
        row.try_get("source_key").map_err(|source| StateError::Statement { what: "read a source key", source })?;
    SourceKey::parse(&text).ok_or(StateError::Content { what: "source key", value: text })
}

fn number(row: &AnyRow, column: &'static str) -> Result<u32, StateError> {
    let value: i64 = row.try_get(column).map_err(|source| StateError::Statement { what: "read a number", source })?;
    u32::try_from(value).map_err(|_| StateError::Content { what: column, value: value.to_string() })
}
