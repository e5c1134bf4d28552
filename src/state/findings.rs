//! What an operator should look at: refused writes, events that could not be used.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::Row;

use super::{StateError, Store, change::Change, history, instant, links::key, mailboxes::address};
use crate::model::{
    address::Address,
    fingerprint::Fingerprint,
    history::{Entry, Step},
    key::SourceKey,
    source::Rejection,
};

/// A write that the server refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Whose calendar it was for.
    pub mailbox: Address,
    /// The source event.
    pub key: SourceKey,
    /// What was to be written.
    pub fingerprint: Fingerprint,
    /// The server's code.
    pub code: String,
    /// The server's message.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again.
    pub retry_at: Timestamp,
}

/// An event of a source that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedEvent {
    /// The source.
    pub source: String,
    /// What and why.
    pub rejection: Rejection,
    /// Since when.
    pub since: Timestamp,
}

impl Store {
    /// The refused writes of one mailbox, or of all.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn refusals(&self, mailbox: Option<&Address>) -> Result<Vec<Refused>, StateError> {
        let failed = |source| StateError::Statement { what: "read refused writes", source };
        let rows = sqlx::query("SELECT * FROM refusals WHERE $1 IN ('', mailbox) ORDER BY mailbox, source_key")
            .bind(mailbox.map_or("", Address::as_str))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let fingerprint: String = row.try_get("fingerprint").map_err(failed)?;
                Ok(Refused {
                    mailbox: address(row)?,
                    key: key(row)?,
                    fingerprint: Fingerprint::parse(&fingerprint).unwrap_or_else(Fingerprint::unknown),
                    code: row.try_get("code").map_err(failed)?,
                    message: row.try_get("message").map_err(failed)?,
                    since: instant(row.try_get("since").map_err(failed)?),
                    retry_at: instant(row.try_get("retry_at").map_err(failed)?),
                })
            })
            .collect()
    }

    /// The events that could not be used.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn rejections(&self) -> Result<Vec<RejectedEvent>, StateError> {
        let failed = |source| StateError::Statement { what: "read the quarantine", source };
        let rows = sqlx::query("SELECT * FROM rejections ORDER BY source, place, reason")
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let key: Option<String> = row.try_get("source_key").map_err(failed)?;
                let rejection = Rejection {
                    key: key.as_deref().and_then(SourceKey::parse),
                    place: row.try_get("place").map_err(failed)?,
                    reason: row.try_get("reason").map_err(failed)?,
                };
                let since = instant(row.try_get("since").map_err(failed)?);
                Ok(RejectedEvent { source: row.try_get("source").map_err(failed)?, rejection, since })
            })
            .collect()
    }

    /// Replaces the events of a source that could not be used, and returns those that are new.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn replace_rejections(
        &self,
        source: &str,
        rejections: &[Rejection],
        now: Timestamp,
    ) -> Result<Vec<Rejection>, StateError> {
        let failed = |source| StateError::Statement { what: "write the quarantine", source };
        let before: BTreeMap<(String, String), (Option<SourceKey>, Timestamp)> = self
            .rejections()
            .await?
            .into_iter()
            .filter(|rejected| rejected.source == source)
            .map(|RejectedEvent { rejection, since, .. }| ((rejection.place, rejection.reason), (rejection.key, since)))
            .collect();
        if before.is_empty() && rejections.is_empty() {
            return Ok(Vec::new());
        }
        let mut change = Change::begin(&self.pool).await.map_err(failed)?;
        sqlx::query("DELETE FROM rejections WHERE source = $1")
            .bind(source)
            .execute(change.connection())
            .await
            .map_err(failed)?;
        let mut fresh = Vec::new();
        for rejection in rejections {
            let since = before.get(&(rejection.place.clone(), rejection.reason.clone())).map(|(_, since)| since);
            if since.is_none() {
                fresh.push(rejection.clone());
            }
            sqlx::query(
                "INSERT INTO rejections (source, place, source_key, reason, since) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (source, place, reason) DO NOTHING",
            )
            .bind(source)
            .bind(&rejection.place)
            .bind(rejection.key.as_ref().map(SourceKey::as_str))
            .bind(&rejection.reason)
            .bind(since.copied().unwrap_or(now).as_millisecond())
            .execute(change.connection())
            .await
            .map_err(failed)?;
        }
        let known = before.into_iter().filter_map(|((_, reason), (key, _))| Some((key?, reason))).collect();
        let entries = entries(&known, rejections, now);
        let place = self.history_places(entries.len());
        history::write(change.connection(), &entries, place).await.map_err(failed)?;
        change.commit().await.map_err(failed)?;
        Ok(fresh)
    }
}

/// What the history says of the events of a source that cannot be used from now on, and of those that are no longer among
/// them. An event that only stands elsewhere in its file is no news.
fn entries(before: &BTreeSet<(SourceKey, String)>, rejections: &[Rejection], now: Timestamp) -> Vec<Entry> {
    let keyed = |rejection: &Rejection| Some((rejection.key.clone()?, rejection.reason.clone()));
    let still: BTreeSet<SourceKey> = rejections.iter().filter_map(|rejection| rejection.key.clone()).collect();
    let fresh = rejections.iter().filter(|rejection| keyed(rejection).is_some_and(|keyed| !before.contains(&keyed)));
    let rejected = fresh.filter_map(|rejection| {
        let detail = Some(format!("{}: {}", rejection.place, rejection.reason));
        Some(Entry { detail, ..Entry::new(now, None, rejection.key.as_ref()?, Step::Source, "rejected") })
    });
    let gone: BTreeSet<&SourceKey> = before.iter().map(|(key, _)| key).filter(|key| !still.contains(*key)).collect();
    let over = gone.into_iter().map(|key| Entry::new(now, None, key, Step::Source, "no_longer_rejected"));
    rejected.chain(over).collect()
}
