//! Which files a folder holds, and whose they are.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{SourceError, files::Gathered};
use crate::model::{address::Address, source::Recipient};

/// How deep folders are looked into.
const DEPTH_MAX: usize = 8;
/// How many files are read at once.
const FILES_MAX: usize = 100_000;

/// The form of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// iCalendar: the calendar of one person.
    ICalendar(Recipient),
    /// JSON Lines: each line names its person.
    JsonLines,
}

/// A file as it was when the folder was listed. Two equal listings enclose a read of files that nobody changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its path inside the folder, for the operator.
    pub(super) name: String,
    /// What it holds.
    pub(super) form: Form,
    /// Its length in bytes.
    pub(super) bytes: u64,
    /// When it was last changed.
    modified: Option<SystemTime>,
}

/// What a folder holds: files in the order of their names, and what was passed over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// The files.
    pub(super) files: Vec<Entry>,
    /// Files that cannot be read, each with the reason.
    pub(super) refused: Vec<(String, String)>,
}

impl Listing {
    /// Adds what was passed over to a read.
    pub(super) fn report(&self, gathered: &mut Gathered) {
        for (name, reason) in &self.refused {
            gathered.reject(None, name.clone(), reason.clone());
        }
        if self.files.is_empty() {
            gathered.incomplete("the folder holds no .ics or .jsonl file".to_owned());
        }
    }
}

/// Lists a folder. Links to files inside it are followed, other links are not; names that begin with a dot are passed
/// over, as writers use them for files that are not finished.
pub(super) fn list(root: &Path) -> Result<Listing, SourceError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| SourceError::Unreadable { path, source }
    };
    let root = fs::canonicalize(root).map_err(unreadable(root))?;
    if !root.is_dir() {
        return Err(SourceError::NotAFolder { path: root });
    }
    let mut listing = Listing::default();
    let mut open = vec![(root.clone(), 0_usize)];
    while let Some((folder, depth)) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(unreadable(&folder))? {
            let entry = entry.map_err(unreadable(&folder))?;
            let path = entry.path();
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let kind = entry.file_type().map_err(unreadable(&path))?;
            let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
            if hidden {
                continue;
            }
            if kind.is_dir() {
                if depth + 1 < DEPTH_MAX {
                    open.push((path, depth + 1));
                } else {
                    listing.refused.push((name, format!("folders are read {DEPTH_MAX} deep at most")));
                }
                continue;
            }
            match entry_of(&root, path, &name, depth) {
                Some(Ok(entry)) => listing.files.push(entry),
                Some(Err(reason)) => listing.refused.push((name, reason)),
                None => {}
            }
            if listing.files.len() > FILES_MAX {
                return Err(SourceError::TooLarge { path: root, what: "100 000 files" });
            }
        }
    }
    listing.files.sort_by(|one, other| one.name.cmp(&other.name));
    listing.refused.sort();
    Ok(listing)
}

/// The entry of a file, or why it is refused; `None` for a file of no concern.
fn entry_of(root: &Path, path: PathBuf, name: &str, depth: usize) -> Option<Result<Entry, String>> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let form = match extension.as_str() {
        "ics" => Ok(Form::ICalendar),
        "jsonl" => Err(Form::JsonLines),
        _ => return None,
    };
    let resolved = match fs::canonicalize(&path) {
        Ok(resolved) if resolved.starts_with(root) => resolved,
        Ok(_) => return Some(Err("the link leads out of the folder".to_owned())),
        Err(error) => return Some(Err(format!("it cannot be opened: {}", error.kind()))),
    };
    let form = match form {
        Err(form) => form,
        Ok(form) => {
            // `ana@example.test.ics` at the top, or any file in a folder `ana@example.test`.
            let owner = if depth == 0 { path.file_stem() } else { path.parent().and_then(Path::file_name) };
            match owner.and_then(|owner| owner.to_str()).map(recipient) {
                Some(Ok(owner)) => form(owner),
                Some(Err(reason)) => return Some(Err(reason)),
                None => return Some(Err("its name is not UTF-8".to_owned())),
            }
        }
    };
    match fs::metadata(&resolved) {
        Ok(metadata) if metadata.is_file() => {
            let modified = metadata.modified().ok();
            Some(Ok(Entry { path: resolved, name: name.to_owned(), form, bytes: metadata.len(), modified }))
        }
        Ok(_) => Some(Err("it is not a regular file".to_owned())),
        Err(error) => Some(Err(format!("it cannot be opened: {}", error.kind()))),
    }
}

fn recipient(name: &str) -> Result<Recipient, String> {
    if name.contains('@') {
        Address::parse(name).map(Recipient::Mailbox).map_err(|error| error.to_string())
    } else if name.trim().is_empty() {
        Err("its name tells no person".to_owned())
    } else {
        Ok(Recipient::Person(name.trim().to_owned()))
    }
}
