//! Where schedules and appointments come from. Sources are only read.
//!
//! *Invariant*: a read that did not see everything says so, and what could not be read is never mistaken for empty.

use std::{fmt::Debug, future::Future, path::PathBuf, pin::Pin, sync::Arc};

use crate::{model::source::SourceRead, settings};

mod files;
mod folder;
mod icalendar;
mod json_lines;
mod json_values;
mod links;
mod moments;
mod surrogates;
mod watch;
mod zones;

#[cfg(any(test, fuzzing))]
pub(crate) use files::{FileForm, read_bytes};

/// A boxed future.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The port to a system that events come from.
pub trait Source: Send + Sync + Debug {
    /// Reads everything, or fails as a whole; what was read says whether it is complete.
    fn read(&self) -> Later<'_, Result<SourceRead, SourceError>>;

    /// Ends when something has changed since the last read, or never.
    fn changed(&self) -> Later<'_, ()>;
}

/// Why a source could not be read at all. Nothing is written or deleted then.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A folder or file could not be opened or read.
    #[error("{} could not be read", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The path is there and is not a folder.
    #[error("{} is not a folder", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The source holds more than is read at once.
    #[error("{} holds more than {what}", path.display())]
    TooLarge {
        /// The folder.
        path: PathBuf,
        /// The limit, in words.
        what: &'static str,
    },
    /// The reader itself stopped.
    #[error("the reader of {} stopped before its end", path.display())]
    Stopped {
        /// The folder.
        path: PathBuf,
    },
}

impl SourceError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => {
                "check `path`, and that the account of the daemon may read the folder and its files"
            }
            Self::NotAFolder { .. } => "let `path` name the folder that holds the files",
            Self::TooLarge { .. } => "leave out events that are long over, or spread the files over several sources",
            Self::Stopped { .. } => "report this with the log of the daemon",
        }
    }
}

/// Opens a source. Nothing is read yet: a folder may still be missing.
///
/// # Errors
/// When the source cannot be opened with these settings.
pub fn open(name: &str, settings: &settings::Source) -> Result<Arc<dyn Source>, SourceError> {
    match settings {
        settings::Source::Files(files) => Ok(Arc::new(files::Files::new(name, files))),
    }
}
