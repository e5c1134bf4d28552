//! The name of this instance, which its items carry, and where it is. Both are kept in the state and in a small file beside it,
//! so that an instance that has lost its state knows its own items again.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::{AnyPool, Row};
use uuid::Uuid;

use super::{
    Access, StateError,
    change::Change,
    home::{Elsewhere, Home, Host},
    instant,
};
use crate::model::link::Owner;

/// Who the instance of a state is.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) owner: Owner,
    /// Where it is, when that is not here.
    pub(super) elsewhere: Option<Elsewhere>,
}

/// What the file beside the state says.
struct Kept {
    owner: Uuid,
    home: Option<Home>,
}

impl Kept {
    fn read(beside: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(beside).ok()?;
        let mut lines = text.lines();
        let owner = Uuid::parse_str(lines.next()?.trim()).ok()?;
        Some(Self { owner, home: Home::of_lines(lines) })
    }
}

/// The instance of the state; a new state takes it from the file beside it, or makes it.
pub(super) async fn find(pool: &AnyPool, state: &Path, host: &Host, access: Access) -> Result<Instance, StateError> {
    let failed = |source| StateError::Statement { what: "read the instance's name", source };
    let beside = beside(state);
    let kept = Kept::read(&beside);
    let kept_home = kept.as_ref().and_then(|kept| kept.home.as_ref());
    let now = Timestamp::now();
    sqlx::query(
        "INSERT INTO instance (one, owner, created_at, host, path, here_since) VALUES (1, $1, $2, $3, $4, $5) \
         ON CONFLICT (one) DO NOTHING",
    )
    .bind(kept.as_ref().map_or_else(Uuid::now_v7, |kept| kept.owner).to_string())
    .bind(now.as_millisecond())
    .bind(kept_home.map(|home| home.host.clone()))
    .bind(kept_home.map(|home| home.path.clone()))
    .bind(kept_home.map(|home| home.since.as_millisecond()))
    .execute(pool)
    .await
    .map_err(failed)?;
    let query = sqlx::query("SELECT owner, host, path, here_since FROM instance WHERE one = 1");
    let row = query.fetch_one(pool).await.map_err(failed)?;
    let owner = Owner(row.try_get("owner").map_err(failed)?);
    let (host_then, path_then): (Option<String>, Option<String>) =
        (row.try_get("host").map_err(failed)?, row.try_get("path").map_err(failed)?);
    let since: Option<i64> = row.try_get("here_since").map_err(failed)?;
    let here = Home::here(host, state, now);
    let home = match (host_then, path_then, since) {
        (Some(host), Some(path), Some(since)) => Home { host, path, since: instant(since) },
        _ if access == Access::Shared => here.clone(),
        _ => {
            let mut change = Change::begin(pool).await.map_err(failed)?;
            settle(&mut change, &owner, &here).await.map_err(failed)?;
            change.commit().await.map_err(failed)?;
            here.clone()
        }
    };
    if !home.is(&here) {
        return Ok(Instance { owner: owner.clone(), elsewhere: Some(Elsewhere { owner, home }) });
    }
    if access != Access::Shared {
        write_beside(state, &owner, &home)?;
    }
    Ok(Instance { owner, elsewhere: None })
}

/// Gives the state a new name, here. Every calendar is read whole before anything is written to it: whatever of it carries the
/// old name is then seen.
pub(super) async fn rename(pool: &AnyPool, state: &Path, host: &Host) -> Result<Instance, StateError> {
    let failed = |source| StateError::Statement { what: "write the instance's name", source };
    let owner = Owner(Uuid::now_v7().to_string());
    let here = Home::here(host, state, Timestamp::now());
    let mut change = Change::begin(pool).await.map_err(failed)?;
    settle(&mut change, &owner, &here).await.map_err(failed)?;
    let forget = sqlx::query("UPDATE mailboxes SET cursor = NULL, read_at = NULL");
    forget.execute(change.connection()).await.map_err(failed)?;
    change.commit().await.map_err(failed)?;
    write_beside(state, &owner, &here)?;
    Ok(Instance { owner, elsewhere: None })
}

async fn settle(change: &mut Change, owner: &Owner, home: &Home) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE instance SET owner = $1, host = $2, path = $3, here_since = $4 WHERE one = 1")
        .bind(&owner.0)
        .bind(&home.host)
        .bind(&home.path)
        .bind(home.since.as_millisecond())
        .execute(change.connection())
        .await
        .map(|_| ())
}

/// Writes the file beside the state where it says something else.
fn write_beside(state: &Path, owner: &Owner, home: &Home) -> Result<(), StateError> {
    let beside = beside(state);
    let text = format!("{}\n{}", owner.0, home.to_lines());
    if std::fs::read_to_string(&beside).is_ok_and(|kept| kept == text) {
        return Ok(());
    }
    std::fs::write(&beside, text).map_err(|source| StateError::Open { path: beside.clone(), source })
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
