//! A change of several rows that is made as a whole or not at all.

use sqlx::{Any, AnyConnection, AnyPool, pool::PoolConnection};

/// A transaction. One that is not committed, for whatever reason, takes its connection with it: after a full disk a connection
/// may be left inside a transaction that never ends, and everything written later would be lost with it, without a word.
pub(super) struct Change {
    connection: PoolConnection<Any>,
    is_committed: bool,
}

impl Change {
    /// Begins.
    pub(super) async fn begin(pool: &AnyPool) -> Result<Self, sqlx::Error> {
        let mut change = Self { connection: pool.acquire().await?, is_committed: false };
        sqlx::query("BEGIN").execute(&mut *change.connection).await?;
        Ok(change)
    }

    /// What statements are executed on.
    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }

    /// Makes it last.
    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        sqlx::query("COMMIT").execute(&mut *self.connection).await?;
        self.is_committed = true;
        Ok(())
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        if !self.is_committed {
            self.connection.close_on_drop();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::{
        model::{
            address::Address,
            key::{Kind, SourceKey},
            link::{Intent, Repairs, Verb},
        },
        state::{Access, Store},
    };

    fn intents(range: std::ops::Range<u32>) -> Vec<Intent> {
        let intent = |number: u32| Intent {
            key: SourceKey::new("erp", Kind::Appointment, &format!("{number:0100}")),
            verb: Verb::Create,
            generation: i64::from(number),
            ends: jiff::Timestamp::MAX,
            repairs: Repairs::NONE,
        };
        range.map(intent).collect()
    }

    #[tokio::test]
    async fn what_is_written_after_a_full_disk_lasts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let ana = Address::parse("ana@example.test").unwrap();
        let store = Store::open(&path, Access::Exclusive).await.unwrap();
        sqlx::query("PRAGMA max_page_count = 30").execute(&store.pool).await.unwrap();
        let mut written = 0;
        while store.intend(&ana, &intents(written..written + 50)).await.is_ok() {
            written += 50;
            assert!(written < 10_000, "the disk is never full");
        }
        assert_eq!(store.intents(&ana).await.unwrap().len(), written as usize, "a change that failed left nothing");
        // There is room again: the next connection has no limit.
        store.intend(&ana, &intents(20_000..20_100)).await.unwrap();
        let looker = Store::open(&path, Access::Shared).await.unwrap();
        assert_eq!(
            looker.intents(&ana).await.unwrap().len(),
            written as usize + 100,
            "what was told to last is on disk"
        );
    }
}
