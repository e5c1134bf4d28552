//! What survives a restart: links, intents, cursors, waits, holds, quarantine and the history, in SQLite
//! through sqlx.
//!
//! *Invariant*: an intent is on disk before its request leaves; a link and the end of its intent move in one transaction, the
//! last of a pass together with the cursor of its mailbox. What is written of them in the history goes with them.

mod calendars;
mod change;
mod copies;
mod findings;
mod history;
mod holds;
mod home;
mod instance;
mod links;
mod mailboxes;
mod places;
mod rows;
mod source_counts;
mod standings;
mod waits;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use jiff::Timestamp;
use sqlx::{
    AnyConnection, AnyPool, Connection, SqlSafeStr,
    any::AnyPoolOptions,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use crate::model::link::Owner;
use instance::Instance;

pub use calendars::FollowedCalendar;
pub use findings::{Refused, RejectedEvent};
pub use holds::{Decision, Held, released};
pub use home::{Elsewhere, Host};
pub use links::{Advance, Settlement, Settlements};
pub use mailboxes::{MailboxState, Parked};
pub use places::MailboxPlace;
pub use source_counts::SourceCount;
pub use standings::Standing;
pub use waits::{Wait, WaitScope};

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
    /// It was copied or moved: what it tells of is another instance's.
    #[error("the state {path} is a copy, or was moved: it is that of {elsewhere}; nothing is written")]
    Elsewhere {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        elsewhere: Box<Elsewhere>,
    },
    /// A later version of the program has written it.
    #[error("the state {path} was written by a newer calsyncd (schema {version})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the schema.
        version: i64,
    },
    /// It is not a database of ours, or it is broken.
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
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Open { .. } => {
                "make sure that the folder exists and that the daemon's user may write there ([state] path)"
            }
            Self::Elsewhere { .. } => {
                "stop that instance for good, then take over what it wrote with `calsyncd adopt --take-over`; containers name their machine in [state] host"
            }
            Self::InUse { .. } => "stop the other process, or give this one a [state] path of its own",
            Self::Newer { .. } => "install that version again, or put back a backup from before it",
            Self::Statement { source, .. } if is_broken(source) => REBUILD,
            Self::Unreadable { .. } | Self::Content { .. } => REBUILD,
            Self::Statement { .. } => {
                "look at the free space and the rights of the file system that holds [state] path"
            }
        }
    }
}

/// What to do about a file that is broken.
const REBUILD: &str = "put back a backup, or move the file away with its -wal and -shm, keep `.instance` beside it, and rebuild the links with `calsyncd adopt`";

/// Whether the file itself is at fault: SQLITE_CORRUPT and SQLITE_NOTADB, extended codes included.
fn is_broken(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xFF, 11 | 26))
}

/// Each statement takes milliseconds, so that who waits longer waits for a file that cannot be opened again.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// The state, open. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    instance: Instance,
    place: Place,
    /// Orders the entries of the history that are of one instant.
    places: Arc<AtomicI64>,
    _lock: Option<Arc<File>>,
}

/// How a [`Store`] is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For writing: no other process may have it so.
    Exclusive,
    /// The same, also for a state that was copied or moved here: to take over what it tells of.
    TakeOver,
    /// For looking, also while a daemon runs.
    Shared,
}

/// The file of a state, and the machine that it is on.
#[derive(Debug, Clone)]
struct Place {
    path: PathBuf,
    host: Host,
}

impl Store {
    /// Opens the state at `path` on the machine as it calls itself, making it when there is none.
    ///
    /// # Errors
    /// When it cannot be made, opened, locked or read, and for writing when it was copied or moved here.
    pub async fn open(path: &Path, access: Access) -> Result<Self, StateError> {
        Self::open_on(&Host::of(None), path, access).await
    }

    /// Opens the state at `path` on this machine, making it when there is none.
    ///
    /// # Errors
    /// When it cannot be made, opened, locked or read, and for writing when it was copied or moved here.
    pub async fn open_on(host: &Host, path: &Path, access: Access) -> Result<Self, StateError> {
        let open = |source| StateError::Open { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(open)?;
        }
        let lock = match access {
            Access::Exclusive | Access::TakeOver => Some(Arc::new(lock(path)?)),
            Access::Shared => None,
        };
        // SQLite's own error for this case does not say why.
        File::options()
            .create(access != Access::Shared)
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
        migrator().run(&mut connection).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => StateError::Newer { path: path.to_owned(), version },
            error => unreadable(error.into()),
        })?;
        connection.close().await.map_err(|error| unreadable(error.into()))?;
        let pool = AnyPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(CONNECTION_TIMEOUT)
            .after_connect(|connection, _| Box::pin(prepare(connection)))
            .connect(&url)
            .await
            .map_err(|error| unreadable(error.into()))?;
        let instance = instance::find(&pool, path, host, access).await?;
        match instance.elsewhere {
            Some(elsewhere) if access == Access::Exclusive => {
                Err(StateError::Elsewhere { path: path.to_owned(), elsewhere: Box::new(elsewhere) })
            }
            _ => {
                let place = Place { path: path.to_owned(), host: host.clone() };
                Ok(Self { pool, instance, place, places: Arc::default(), _lock: lock })
            }
        }
    }

    /// Opens the state for looking, also while a daemon has it. Where there is none, what is looked at is empty and kept
    /// in memory: nothing is made on the disk.
    ///
    /// # Errors
    /// When it is there and cannot be opened or read.
    pub async fn look(path: &Path) -> Result<Self, StateError> {
        Self::look_on(&Host::of(None), path).await
    }

    /// The same on this machine.
    ///
    /// # Errors
    /// When it is there and cannot be opened or read.
    pub async fn look_on(host: &Host, path: &Path) -> Result<Self, StateError> {
        if path.exists() {
            return Self::open_on(host, path, Access::Shared).await;
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
        let instance = instance::find(&pool, path, host, Access::Shared).await?;
        let place = Place { path: path.to_owned(), host: host.clone() };
        Ok(Self { pool, instance, place, places: Arc::default(), _lock: None })
    }

    /// The name that this instance writes on its items; made once, with the state.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.instance.owner
    }

    /// Whose state it is, when it was copied or moved here.
    #[must_use]
    pub const fn elsewhere(&self) -> Option<&Elsewhere> {
        self.instance.elsewhere.as_ref()
    }

    /// The same state under a new name, at home here: the instance that it was copied from refuses what this one writes, and
    /// the other way round.
    ///
    /// # Errors
    /// When the state cannot be written: then its name may be the old one or the new one.
    pub async fn renamed(mut self) -> Result<Self, StateError> {
        self.instance = instance::rename(&self.pool, &self.place.path, &self.place.host).await?;
        Ok(self)
    }

    /// Whether nobody is reading or writing at this moment: every connection has come back.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        usize::try_from(self.pool.size()).is_ok_and(|open| self.pool.num_idle() == open)
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
        (20, "history", include_str!("../../migrations/0020_history.sql")),
        (21, "waits", include_str!("../../migrations/0021_waits.sql")),
        (22, "drift", include_str!("../../migrations/0022_drift.sql")),
        (23, "home", include_str!("../../migrations/0023_home.sql")),
        (24, "calendars", include_str!("../../migrations/0024_calendars.sql")),
        (25, "places", include_str!("../../migrations/0025_places.sql")),
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
