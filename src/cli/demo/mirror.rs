//! Copies the sample files, their dates moved to the present week, and goes on doing so as they change.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::{Zoned, civil::Date};
use tokio_util::sync::CancellationToken;

use super::shift::shift_week;

/// The Monday of the week that the sample files are written for.
const REFERENCE_MONDAY: Date = jiff::civil::date(2026, 11, 23);
/// How often the sample files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

type Stamps = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Copies from one folder to the other.
#[derive(Debug, Clone)]
pub(super) struct Mirror {
    from: PathBuf,
    to: PathBuf,
    monday: Date,
    seen: Stamps,
}

impl Mirror {
    pub(super) fn new(from: PathBuf, to: PathBuf) -> Self {
        let today = Zoned::now().date();
        let since_monday = i64::from(today.weekday().to_monday_zero_offset());
        let monday = today.checked_sub(jiff::ToSpan::days(since_monday)).unwrap_or(today);
        Self { from, to, monday, seen: Stamps::new() }
    }

    /// Copies what has changed since the last copy, and removes what is gone.
    pub(super) fn copy(&mut self) -> io::Result<()> {
        let mut now = Stamps::new();
        stamps(&self.from, &self.from, &mut now)?;
        for (path, stamp) in &now {
            if self.seen.get(path) != Some(stamp) {
                self.copy_file(path)?;
            }
        }
        for path in self.seen.keys().filter(|path| !now.contains_key(*path)) {
            match fs::remove_file(self.to.join(path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        self.seen = now;
        Ok(())
    }

    /// Copies every change until it is stopped.
    pub(super) async fn follow(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {
                    // A file that an editor is just replacing is there at the next look.
                    let _ = self.copy();
                }
            }
        }
    }

    /// Writes beside the file and renames, so that a reader sees the old one or the new one.
    fn copy_file(&self, path: &Path) -> io::Result<()> {
        let bytes = fs::read(self.from.join(path))?;
        let moved = match String::from_utf8(bytes) {
            Ok(text) => shift_week(&text, REFERENCE_MONDAY, self.monday).into_bytes(),
            Err(error) => error.into_bytes(),
        };
        let target = self.to.join(path);
        let folder = target.parent().unwrap_or(&self.to);
        fs::create_dir_all(folder)?;
        let mut beside = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(folder)?;
        io::Write::write_all(&mut beside, &moved)?;
        beside.persist(&target).map_err(|error| error.error)?;
        Ok(())
    }
}

fn stamps(root: &Path, folder: &Path, found: &mut Stamps) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, metadata) = (entry.path(), entry.metadata()?);
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if metadata.is_dir() {
            stamps(root, &path, found)?;
        } else if !hidden && let Ok(relative) = path.strip_prefix(root) {
            found.insert(relative.to_owned(), (metadata.modified().ok(), metadata.len()));
        }
    }
    Ok(())
}
