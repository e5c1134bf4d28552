//! Held deletions, and what operators say of them.

use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};

use super::{
    Advance, StateError, Store,
    change::Change,
    history, instant,
    links::key,
    mailboxes::address,
    rows::{ROWS_MAX, placeholders},
};
use crate::model::{address::Address, history::Entry, hold::Verdict, key::SourceKey};

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
        let before = self.holds(Some(mailbox)).await?;
        let released = released(&before, held, stays);
        let step = Advance { held, released: &released, ..Advance::default() };
        self.advance(mailbox, &step, now).await
    }

    /// Writes down what an operator says of held deletions, and returns how many are still held.
    ///
    /// # Errors
    /// When the state cannot be written: then nothing is decided.
    pub async fn decide_holds(&self, holds: &[&Held], decision: &Decision) -> Result<u64, StateError> {
        let failed = |source| StateError::Statement { what: "write decisions about held deletions", source };
        let mut change = Change::begin(&self.pool).await.map_err(failed)?;
        let (mut decided, mut entries) = (0, Vec::new());
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
            if done.rows_affected() > 0 {
                entries.push(Entry::ruled(decision.at, &hold.mailbox, &hold.key, decision.verdict, &decision.by));
            }
        }
        let place = self.history_places(entries.len());
        history::write(change.connection(), &entries, place).await.map_err(failed)?;
        change.commit().await.map_err(failed)?;
        Ok(decided)
    }
}

/// The keys of the deletions that were held and are no longer; `held` is in the order of the keys.
#[must_use]
pub fn released(before: &[Held], held: &[(SourceKey, String)], stays: impl Fn(&SourceKey) -> bool) -> Vec<SourceKey> {
    let is_held = |key: &SourceKey| held.binary_search_by(|(held, _)| held.cmp(key)).is_ok();
    before.iter().map(|hold| &hold.key).filter(|key| !is_held(key) && !stays(key)).cloned().collect()
}

/// Writes down which deletions are held. Those that were before keep their date and what was said of them.
pub(super) async fn write(
    connection: &mut AnyConnection,
    mailbox: &Address,
    held: &[(SourceKey, String)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    for some in held.chunks(ROWS_MAX) {
        let sql = format!(
            "INSERT INTO holds (mailbox, source_key, reason, since) VALUES {} \
             ON CONFLICT (mailbox, source_key) DO UPDATE SET reason = excluded.reason",
            placeholders(some.len(), 4)
        );
        // Made of names and numbers of ours: the values are bound.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (key, reason) in some {
            query = query.bind(mailbox.as_str()).bind(key.as_str()).bind(reason).bind(now.as_millisecond());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
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
