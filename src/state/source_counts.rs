//! How many events each source held.

use jiff::Timestamp;
use sqlx::{Row, any::AnyRow};

use super::{StateError, Store, instant};

/// How many events a source held at its complete reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCount {
    /// The source.
    pub source: String,
    /// What later reads are compared with.
    pub accepted: u64,
    /// What the last complete read gave.
    pub latest: u64,
    /// When that was.
    pub read_at: Timestamp,
    /// Since when it holds so much less that its deletions are held; `None` where it does not.
    pub shrunk_since: Option<Timestamp>,
}

impl Store {
    /// The counts of all sources, in the order of their names.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn source_counts(&self) -> Result<Vec<SourceCount>, StateError> {
        let failed = |source| StateError::Statement { what: "read the counts of sources", source };
        let sql = "SELECT source, accepted, latest, read_at, shrunk_since FROM source_counts ORDER BY source";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await.map_err(failed)?;
        rows.iter().map(count).collect()
    }

    /// Writes down what a read gave.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn save_source_count(&self, count: &SourceCount) -> Result<(), StateError> {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT INTO source_counts (source, accepted, latest, read_at, shrunk_since) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (source) DO UPDATE SET accepted = excluded.accepted, latest = excluded.latest, \
             read_at = excluded.read_at, shrunk_since = excluded.shrunk_since",
        )
        .bind(&count.source)
        .bind(number(count.accepted))
        .bind(number(count.latest))
        .bind(count.read_at.as_millisecond())
        .bind(count.shrunk_since.map(Timestamp::as_millisecond))
        .execute(&self.pool)
        .await
        .map(|_| ())
        .map_err(|source| StateError::Statement { what: "write the count of a source", source })
    }

    /// Takes what a source holds now, or what all hold, for right: it is what later reads are compared with. Returns how many
    /// sources had shrunk.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn accept_source_counts(&self, source: Option<&str>) -> Result<u64, StateError> {
        sqlx::query(
            "UPDATE source_counts SET accepted = latest, shrunk_since = NULL \
             WHERE shrunk_since IS NOT NULL AND $1 IN ('', source)",
        )
        .bind(source.unwrap_or_default())
        .execute(&self.pool)
        .await
        .map(|done| done.rows_affected())
        .map_err(|source| StateError::Statement { what: "accept the count of a source", source })
    }
}

fn count(row: &AnyRow) -> Result<SourceCount, StateError> {
    let failed = |source| StateError::Statement { what: "read the count of a source", source };
    let number = |column: &'static str| -> Result<u64, StateError> {
        let value: i64 = row.try_get(column).map_err(failed)?;
        u64::try_from(value).map_err(|_| StateError::Content { what: column, value: value.to_string() })
    };
    let since: Option<i64> = row.try_get("shrunk_since").map_err(failed)?;
    Ok(SourceCount {
        source: row.try_get("source").map_err(failed)?,
        accepted: number("accepted")?,
        latest: number("latest")?,
        read_at: instant(row.try_get("read_at").map_err(failed)?),
        shrunk_since: since.map(instant),
    })
}
