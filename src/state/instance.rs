//! The name of this instance, which its items carry. It is kept in the state and in a small file beside it, so that an
//! instance that has lost its state knows its own items again.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::{AnyPool, Row};
use uuid::Uuid;

use super::{Access, StateError};
use crate::model::link::Owner;

/// The name in the state; a new state takes it from the file beside it, or makes it.
pub(super) async fn name(pool: &AnyPool, state: &Path, access: Access) -> Result<Owner, StateError> {
    let failed = |source| StateError::Statement { what: "read the instance's name", source };
    let beside = beside(state);
    let kept = std::fs::read_to_string(&beside).ok().and_then(|text| Uuid::parse_str(text.trim()).ok());
    sqlx::query("INSERT INTO instance (one, owner, created_at) VALUES (1, $1, $2) ON CONFLICT (one) DO NOTHING")
        .bind(kept.unwrap_or_else(Uuid::now_v7).to_string())
        .bind(Timestamp::now().as_millisecond())
        .execute(pool)
        .await
        .map_err(failed)?;
    let row = sqlx::query("SELECT owner FROM instance WHERE one = 1").fetch_one(pool).await.map_err(failed)?;
    let owner: String = row.try_get("owner").map_err(failed)?;
    if access == Access::Exclusive && kept.map(|kept| kept.to_string()).as_ref() != Some(&owner) {
        std::fs::write(&beside, format!("{owner}\n"))
            .map_err(|source| StateError::Open { path: beside.clone(), source })?;
    }
    Ok(Owner(owner))
}

/// `state.instance` beside `state.sqlite`: whoever removes `state.sqlite*` removes the state alone.
fn beside(state: &Path) -> PathBuf {
    let beside = state.with_extension("instance");
    if beside == state { state.with_extension("instance.instance") } else { beside }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{Access, Store};

    #[tokio::test]
    async fn the_name_outlives_the_state() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let name = async || {
            let store = Store::open(&path, Access::Exclusive).await.unwrap();
            let owner = store.owner().clone();
            store.close().await;
            owner
        };
        let first = name().await;
        std::fs::remove_file(&path).unwrap();
        assert_eq!(name().await, first, "the state is new, the name is not");
        std::fs::remove_file(folder.path().join("state.instance")).unwrap();
        assert_eq!(name().await, first, "the state knows it");
        std::fs::write(folder.path().join("state.instance"), "garbage").unwrap();
        assert_eq!(name().await, first, "the state goes before the file");
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(folder.path().join("state.instance")).unwrap();
        assert_ne!(name().await, first);
    }
}
