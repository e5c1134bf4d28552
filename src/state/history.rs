//! The history: entries that are added, read and pruned by age, never changed.

use std::{borrow::Cow, sync::Arc, sync::atomic::Ordering};

use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};

use super::{
    StateError, Store, instant,
    links::key,
    rows::{ROWS_MAX, placeholders},
};
use crate::model::{
    address::Address,
    history::{Entry, Step, Word},
    key::SourceKey,
    link::Verb,
};

const COLUMNS: &str =
    "at, number, mailbox, source_key, step, verb, word, source, code, detail, request_id, starts, ends";

impl Store {
    /// The history of an event and its parts, oldest first.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn history(&self, event: &SourceKey) -> Result<Vec<Entry>, StateError> {
        let failed = |source| StateError::Statement { what: "read the history", source };
        // `$` is the character after `#`: the parts lie between the two.
        let sql = format!(
            "SELECT {COLUMNS} FROM history WHERE source_key = $1 OR (source_key >= $2 AND source_key < $3) \
             ORDER BY at, number"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(event.as_str())
            .bind(format!("{event}#"))
            .bind(format!("{event}$"))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter().map(entry).collect()
    }

    /// The history in one mailbox of everything that took place, or was to, between two instants; in the order of the keys,
    /// of each the oldest first.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn history_between(
        &self,
        mailbox: &Address,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Entry>, StateError> {
        let failed = |source| StateError::Statement { what: "read the history of a day", source };
        let sql = format!(
            "SELECT {COLUMNS} FROM history WHERE mailbox = $1 AND source_key IN (SELECT source_key FROM history \
             WHERE mailbox = $2 AND starts < $3 AND (ends > $4 OR starts >= $5)) ORDER BY source_key, at, number"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(mailbox.as_str())
            .bind(mailbox.as_str())
            .bind(to.as_millisecond())
            .bind(from.as_millisecond())
            .bind(from.as_millisecond())
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter().map(entry).collect()
    }

    /// Removes some of the entries that are older than `before`, and says how many; 0 when there are none left. Some at a
    /// time, so that nobody waits long for the state.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn prune_history(&self, before: Timestamp) -> Result<u64, StateError> {
        sqlx::query(
            "DELETE FROM history WHERE at <= (SELECT MAX(at) FROM (SELECT at FROM history WHERE at < $1 ORDER BY at \
             LIMIT 2000) AS oldest)",
        )
        .bind(before.as_millisecond())
        .execute(&self.pool)
        .await
        .map(|done| done.rows_affected())
        .map_err(|source| StateError::Statement { what: "prune the history", source })
    }

    /// The place of the next of so many entries.
    pub(super) fn history_places(&self, entries: usize) -> i64 {
        self.places.fetch_add(i64::try_from(entries).unwrap_or_default(), Ordering::Relaxed)
    }
}

/// Writes entries; `first` is the place of the first of them.
pub(super) async fn write(connection: &mut AnyConnection, entries: &[Entry], first: i64) -> Result<(), sqlx::Error> {
    let mut number = first;
    for some in entries.chunks(ROWS_MAX) {
        let sql = format!("INSERT INTO history ({COLUMNS}) VALUES {}", placeholders(some.len(), 13));
        // Made of names and numbers of ours: the values are bound.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for entry in some {
            query = query
                .bind(entry.at.as_millisecond())
                .bind(number)
                .bind(entry.mailbox.as_ref().map_or("", Address::as_str))
                .bind(entry.key.as_str())
                .bind(entry.step.as_str())
                .bind(entry.verb.map(Verb::as_str))
                .bind(entry.word.as_ref())
                .bind(entry.source.as_deref())
                .bind(entry.code.as_deref())
                .bind(entry.detail.as_deref())
                .bind(entry.request_id.as_deref())
                .bind(entry.span.map(|(starts, _)| starts.as_millisecond()))
                .bind(entry.span.map(|(_, ends)| ends.as_millisecond()));
            number += 1;
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

fn entry(row: &AnyRow) -> Result<Entry, StateError> {
    let failed = |source| StateError::Statement { what: "read an entry of the history", source };
    let text = |column| row.try_get::<Option<String>, _>(column).map_err(failed);
    let word = |column| text(column).map(|text| text.map(Word::from));
    let time = |column| row.try_get::<Option<i64>, _>(column).map(|value| value.map(instant)).map_err(failed);
    let step: String = row.try_get("step").map_err(failed)?;
    let mailbox: String = row.try_get("mailbox").map_err(failed)?;
    let mailbox = match mailbox.as_str() {
        "" => None,
        text => {
            let content = |_| StateError::Content { what: "mailbox", value: text.to_owned() };
            Some(Address::parse(text).map_err(content)?)
        }
    };
    Ok(Entry {
        at: instant(row.try_get("at").map_err(failed)?),
        mailbox,
        key: key(row)?,
        step: Step::parse(&step).ok_or(StateError::Content { what: "step", value: step })?,
        verb: text("verb")?.as_deref().and_then(Verb::parse),
        word: Cow::Owned(row.try_get("word").map_err(failed)?),
        source: word("source")?,
        code: word("code")?,
        detail: text("detail")?,
        request_id: text("request_id")?.map(Arc::from),
        span: time("starts")?.zip(time("ends")?),
    })
}
