//! Held deletions, and what operators say of them.

use jiff::Timestamp;
use sqlx::{Row, any::AnyRow};

use super::{StateError, Store, change::Change, instant, links::key, mailboxes::address};
use crate::model::{address::Address, hold::Verdict, key::SourceKey};

/// A deletion that the brake keeps back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose calendar it is in.
    pub mailbox: Address,
    /// The source event.
    pub key: SourceKey,
    /// Why it would be deleted.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// What an operator said of it.
    pub decision: Option<Decision>,
}

impl Held {
    /// The verdict, where there is one.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.decision.as_ref().map(|decision| decision.verdict)
    }
}

/// What an operator said of a held deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of it.
    pub verdict: Verdict,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// The held deletions of one mailbox, or of all.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn holds(&self, mailbox: Option<&Address>) -> Result<Vec<Held>, StateError> {
        let failed = |source| StateError::Statement { what: "read held deletions", source };
        let rows = sqlx::query("SELECT * FROM holds WHERE $1 IN ('', mailbox) ORDER BY mailbox, source_key")
            .bind(mailbox.map_or("", Address::as_str))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter().map(held).collect()
    }

    /// Writes down which deletions of a mailbox are held. Those that were held before keep their date and what was said of
    /// them; others go, except those of which `stays` says that nothing is known of them now.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn replace_holds(
        &self,
        mailbox: &Address,
        held: &[(SourceKey, String)],
        stays: impl Fn(&SourceKey) -> bool + Send,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let failed = |source| StateError::Statement { what: "write held deletions", source };
        // Read before the transaction: a decision may be written beside it.
        let before = self.holds(Some(mailbox)).await?;
        let is_held = |key: &SourceKey| held.binary_search_by(|(held, _)| held.cmp(key)).is_ok();
        let over: Vec<_> = before.iter().map(|hold| &hold.key).filter(|key| !is_held(key) && !stays(key)).collect();
        if over.is_empty() && held.is_empty() {
            return Ok(());
        }
        let mut change = Change::begin(&self.pool).await.map_err(failed)?;
        super::rows::remove(change.connection(), super::rows::Table::Holds, mailbox, &over).await.map_err(failed)?;
        for (key, reason) in held {
            sqlx::query(
                "INSERT INTO holds (mailbox, source_key, reason, since) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (mailbox, source_key) DO UPDATE SET reason = excluded.reason",
            )
            .bind(mailbox.as_str())
            .bind(key.as_str())
            .bind(reason)
            .bind(now.as_millisecond())
            .execute(change.connection())
            .await
            .map_err(failed)?;
        }
        change.commit().await.map_err(failed)
    }

    /// Writes down what an operator says of held deletions, and returns how many are still held.
    ///
    /// # Errors
    /// When the state cannot be written: then nothing is decided.
    pub async fn decide_holds(&self, holds: &[&Held], decision: &Decision) -> Result<u64, StateError> {
        let failed = |source| StateError::Statement { what: "write decisions about held deletions", source };
        let mut change = Change::begin(&self.pool).await.map_err(failed)?;
        let mut decided = 0;
        for hold in holds {
            let done = sqlx::query(
                "UPDATE holds SET verdict = $1, decided_by = $2, decided_at = $3 WHERE mailbox = $4 AND source_key = $5",
            )
            .bind(decision.verdict.as_str())
            .bind(&decision.by)
            .bind(decision.at.as_millisecond())
            .bind(hold.mailbox.as_str())
            .bind(hold.key.as_str())
            .execute(change.connection())
            .await
            .map_err(failed)?;
            decided += done.rows_affected();
        }
        change.commit().await.map_err(failed)?;
        Ok(decided)
    }
}

fn held(row: &AnyRow) -> Result<Held, StateError> {
    let failed = |source| StateError::Statement { what: "read a held deletion", source };
    let verdict: Option<String> = row.try_get("verdict").map_err(failed)?;
    let (by, at): (Option<String>, Option<i64>) =
        (row.try_get("decided_by").map_err(failed)?, row.try_get("decided_at").map_err(failed)?);
    let decision = verdict
        .map(|text| {
            let verdict = Verdict::parse(&text).ok_or(StateError::Content { what: "verdict", value: text })?;
            Ok(Decision { verdict, by: by.unwrap_or_default(), at: instant(at.unwrap_or_default()) })
        })
        .transpose()?;
    Ok(Held {
        mailbox: address(row)?,
        key: key(row)?,
        reason: row.try_get("reason").map_err(failed)?,
        since: instant(row.try_get("since").map_err(failed)?),
        decision,
    })
}
