//! Notices that a folder has changed: by the system's notifications, and by looking from time to time where those do not
//! come (network file systems).

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::watch;

use super::folder::{Listing, list};

/// How often the folder is looked at without a notification.
const POLL: Duration = Duration::from_secs(30);
/// How long a burst of changes is left to end.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// Watches a folder.
pub(super) struct Watch {
    path: PathBuf,
    poll: Duration,
    /// Counts notifications.
    changes: watch::Sender<u64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    watcher: Option<(RecommendedWatcher, PathBuf, Option<u64>)>,
    /// The count of notifications when the last read began; `None` before the first.
    seen: Option<u64>,
    /// What the last read saw.
    listing: Option<Arc<Listing>>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Watch").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Watch {
    /// Watches nothing before the first read.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, poll: POLL, changes: watch::Sender::new(0), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A read begins: what changes from now on is news. Sets the watch up, or anew where the folder is another one.
    pub(super) fn reading(&self) {
        let mut state = self.state();
        let root = std::fs::canonicalize(&self.path).ok();
        let identity = root.as_deref().and_then(identity);
        let watched = state.watcher.as_ref().map(|(_, path, identity)| (path.clone(), *identity));
        if let Some(root) = root
            && watched != Some((root.clone(), identity))
        {
            state.watcher = watcher(&root, self.changes.clone()).map(|watcher| (watcher, root, identity));
        }
        state.seen = Some(*self.changes.borrow());
        // A read that fails leaves nothing to compare with: the folder is news as soon as it can be listed again.
        state.listing = None;
    }

    /// A read has ended and saw this.
    pub(super) fn have_read(&self, listing: Listing) {
        self.state().listing = Some(Arc::new(listing));
    }

    /// Ends when something has changed since the last read began; at once when there was none.
    pub(super) async fn changed(&self) {
        let mut changes = self.changes.subscribe();
        loop {
            let seen = self.state().seen;
            if seen != Some(*changes.borrow_and_update()) {
                tokio::time::sleep(DEBOUNCE).await;
                return;
            }
            tokio::select! {
                // The sender lives as long as `self`.
                _ = changes.changed() => {}
                () = tokio::time::sleep(self.poll) => {
                    if self.differs().await {
                        return;
                    }
                }
            }
        }
    }

    /// Whether the folder looks otherwise than at the last read. A folder that cannot be listed counts as changed once
    /// it can be listed again.
    async fn differs(&self) -> bool {
        let path = self.path.clone();
        let now = tokio::task::spawn_blocking(move || list(&path)).await;
        let Ok(Ok(now)) = now else { return false };
        self.state().listing.as_deref() != Some(&now)
    }
}

fn watcher(root: &Path, changes: watch::Sender<u64>) -> Option<RecommendedWatcher> {
    let handler = move |event: notify::Result<Event>| {
        // Reading a file is an event of its own, and must not cause another read.
        if !matches!(event, Ok(Event { kind: EventKind::Access(_), .. })) {
            changes.send_modify(|count| *count += 1);
        }
    };
    let settings = notify::Config::default().with_follow_symlinks(false);
    let mut watcher = RecommendedWatcher::new(handler, settings).ok()?;
    watcher.watch(root, RecursiveMode::Recursive).ok()?;
    Some(watcher)
}

/// The number by which the file system knows a folder.
#[cfg(unix)]
fn identity(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}

#[cfg(not(unix))]
fn identity(_path: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{fs, time::Duration};

    use super::{Watch, list};

    async fn within_deadline(watch: &Watch) -> bool {
        tokio::time::timeout(Duration::from_secs(20), watch.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn a_change_is_noticed_and_a_read_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.jsonl"), "{}").unwrap();
        let watch = Watch::new(folder.path().to_owned());
        assert!(within_deadline(&watch).await, "before the first read");
        watch.reading();
        fs::read(folder.path().join("a.jsonl")).unwrap();
        watch.have_read(list(folder.path()).unwrap());
        let quiet = tokio::time::timeout(Duration::from_millis(300), watch.changed()).await;
        assert!(quiet.is_err());
        fs::create_dir(folder.path().join("ana@example.test")).unwrap();
        fs::write(folder.path().join("ana@example.test/b.ics"), "x").unwrap();
        assert!(within_deadline(&watch).await);
    }

    #[tokio::test]
    async fn without_notifications_the_poll_notices() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(folder.path().to_owned());
        watch.poll = Duration::from_millis(5);
        watch.reading();
        watch.have_read(list(folder.path()).unwrap());
        watch.state().watcher = None;
        fs::write(folder.path().join("a.jsonl"), "{}").unwrap();
        watch.state().seen = Some(*watch.changes.borrow());
        assert!(within_deadline(&watch).await);
    }
}
