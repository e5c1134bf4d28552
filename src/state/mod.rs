//! What survives a restart: links, intents, cursors, parked mailboxes, holds and quarantine, in SQLite through sqlx.
//!
//! *Invariant*: an intent is on disk before its request leaves; a link and the end of its intent move in one transaction.

mod calendars;
mod change;
mod copies;
mod findings;
mod holds;
mod instance;
mod links;
mod mailboxes;
mod rows;
mod source_counts;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use sqlx::{
    AnyConnection, AnyPool, Connection, SqlSafeStr,
    any::AnyPoolOptions,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::model::link::Owner;

pub use calendars::FollowedCalendar;
pub use findings::{Refused, RejectedEvent};
pub use holds::{Decision, Held};
pub use links::{Settlement, Settlements};
pub use mailboxes::{MailboxState, Parked};
pub use source_counts::SourceCount;

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The folder or the file cannot be made or opened.
    #[error("cannot open the state {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("the state {path} is in use by another calsyncd")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It is not a database of ours, or of a newer version.
    #[error("the state {path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A statement failed: a full disk, a read-only file system, a broken file.
    #[error("cannot {what} in the state")]
    Statement {
        /// What was to be done.
        what: &'static str,
        /// Why.
        source: sqlx::Error,
    },
    /// A row holds what we never write.
    #[error("the state holds a {what} that cannot be read: {value:?}")]
    Content {
        /// What it is.
        what: &'static str,
        /// What is there.
        value: String,
    },
}

impl StateError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Open { .. } => {
                "make sure that the folder exists and that the daemon's user may write there ([state] path)"
            }
            Self::InUse { .. } => "stop the other process, or give this one a [state] path of its own",
            Self::Unreadable { .. } | Self::Content { .. } => {
                "put back a backup, or move the file away and keep the file `.instance` beside it: the links are then rebuilt from the calendars"
            }
            Self::Statement { .. } => {
                "look at the free space and the rights of the file system that holds [state] path"
            }
        }
    }
}

/// The state, open. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    owner: Owner,
    _lock: Option<Arc<File>>,
}

/// How a [`Store`] is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For writing: no other process may have it so.
    Exclusive,
    /// For looking, also while a daemon runs.
    Shared,
}

impl Store {
    /// Opens the state at `path`, making it when there is none.
    ///
    /// # Errors
    /// When it cannot be made, opened, locked or read.
    pub async fn open(path: &Path, access: Access) -> Result<Self, StateError> {
        let open = |source| StateError::Open { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(open)?;
        }
        let lock = match access {
            Access::Exclusive => Some(Arc::new(lock(path)?)),
            Access::Shared => None,
        };
        // SQLite's own error for this case does not say why.
        File::options()
            .create(access == Access::Exclusive)
            .truncate(false)
            .write(true)
            .read(true)
            .open(path)
            .map_err(open)?;
        let unreadable =
            |source: Box<dyn std::error::Error + Send + Sync>| StateError::Unreadable { path: path.to_owned(), source };
        sqlx::any::install_default_drivers();
        let url = sqlite_url(path);
        // A pool would try a broken file again and again until its patience ends: a connection of its own says at once.
        let mut connection = AnyConnection::connect(&url).await.map_err(|error| unreadable(error.into()))?;
        prepare(&mut connection).await.map_err(|error| unreadable(error.into()))?;
        migrator().run(&mut connection).await.map_err(|error| unreadable(error.into()))?;
        connection.close().await.map_err(|error| unreadable(error.into()))?;
        let pool = AnyPoolOptions::new()
            .max_connections(1)
            .after_connect(|connection, _| Box::pin(prepare(connection)))
            .connect(&url)
            .await
            .map_err(|error| unreadable(error.into()))?;
        let owner = instance::name(&pool, path, access).await?;
        Ok(Self { pool, owner, _lock: lock })
    }

    /// Opens the state for looking, also while a daemon has it. Where there is none, what is looked at is empty and kept
    /// in memory: nothing is made on the disk.
    ///
    /// # Errors
    /// When it is there and cannot be opened or read.
    pub async fn look(path: &Path) -> Result<Self, StateError> {
        if path.exists() {
            return Self::open(path, Access::Shared).await;
        }
        let unreadable =
            |source: Box<dyn std::error::Error + Send + Sync>| StateError::Unreadable { path: path.to_owned(), source };
        sqlx::any::install_default_drivers();
        let pool = AnyPoolOptions::new()
            .max_connections(1)
            // The memory goes with its connection.
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect("sqlite::memory:")
            .await
            .map_err(|error| unreadable(error.into()))?;
        migrator().run(&pool).await.map_err(|error| unreadable(error.into()))?;
        let owner = instance::name(&pool, path, Access::Shared).await?;
        Ok(Self { pool, owner, _lock: None })
    }

    /// The name that this instance writes on its items; made once, with the state.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Writes everything to the file and closes it.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// What every connection begins with.
async fn prepare(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for pragma in ["PRAGMA busy_timeout = 10000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
        sqlx::query(pragma).execute(&mut *connection).await?;
    }
    Ok(())
}

fn sqlite_url(path: &Path) -> String {
    let mut url = String::from("sqlite://");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'?' | b'#' | b'%' => url.push_str(&format!("%{byte:02X}")),
            _ if byte.is_ascii_graphic() => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url.push_str("?mode=rw");
    url
}

fn lock(path: &Path) -> Result<File, StateError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let open = |source| StateError::Open { path: lock_path.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(open)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StateError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StateError::Open { path: path.to_owned(), source }),
    }
}

fn migrator() -> Migrator {
    let texts = [
        (1, "state", include_str!("../../migrations/0001_state.sql")),
        (2, "occurrences", include_str!("../../migrations/0002_occurrences.sql")),
        (3, "verdicts", include_str!("../../migrations/0003_verdicts.sql")),
        (10, "source_counts", include_str!("../../migrations/0010_source_counts.sql")),
        (16, "copies", include_str!("../../migrations/0016_copies.sql")),
        (24, "calendars", include_str!("../../migrations/0024_calendars.sql")),
    ];
    let migration = |(version, name, text): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    Migrator::with_migrations(texts.into_iter().map(migration).collect())
}

/// An instant from milliseconds; what is outside the calendar becomes its end.
fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
}
