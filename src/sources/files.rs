//! A folder of files: `<person>/*.ics`, `<person>.ics` and `*.jsonl`, where a person is an address or a code.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Later, Source, SourceError,
    folder::{Entry, Form, Listing, list},
    icalendar::ICalendarFile,
    json_lines::JsonLines,
    watch::Watch,
    zones::Zones,
};
use crate::{
    model::{
        key::SourceKey,
        source::{Completeness, Rejection, SourceEvent, SourceRead},
        zone::Zone,
    },
    settings::FilesSource,
};

/// How often a folder that changes under the reader is read before the read counts as incomplete.
const ATTEMPTS_MAX: usize = 3;
/// The largest iCalendar file, in bytes; it is held in memory as a whole.
const ICALENDAR_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The most that is read at once, in bytes over all files: it bounds the memory of a read.
const TOTAL_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// How many reasons for incompleteness are told.
const REASONS_MAX: usize = 5;
/// The longest reason, in bytes: a reason may quote what it is about.
const REASON_BYTES_MAX: usize = 300;

/// A folder of files as a source.
#[derive(Debug)]
pub(super) struct Files {
    reader: Arc<Reader>,
    watch: Watch,
}

impl Files {
    /// The source of that name.
    pub(super) fn new(name: &str, settings: &FilesSource) -> Self {
        let reader = Reader {
            name: name.to_owned(),
            path: settings.path.clone(),
            zone: settings.zone.clone(),
            end_marker: settings.end_marker,
        };
        Self { reader: Arc::new(reader), watch: Watch::new(settings.path.clone()) }
    }
}

impl Source for Files {
    fn read(&self) -> Later<'_, Result<SourceRead, SourceError>> {
        Box::pin(async move {
            self.watch.reading();
            let reader = Arc::clone(&self.reader);
            let outcome = tokio::task::spawn_blocking(move || reader.read(&mut || {})).await;
            let (listing, read) = outcome.map_err(|_| SourceError::Stopped { path: self.reader.path.clone() })??;
            self.watch.have_read(listing);
            Ok(read)
        })
    }

    fn changed(&self) -> Later<'_, ()> {
        Box::pin(self.watch.changed())
    }
}

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The events.
    pub(super) events: Vec<SourceEvent>,
    /// What could not be used.
    pub(super) rejections: Vec<Rejection>,
    /// Why this is not everything.
    incomplete: Vec<String>,
}

impl Gathered {
    /// Notes an event that cannot be used.
    pub(super) fn reject(&mut self, key: Option<SourceKey>, place: String, reason: String) {
        self.rejections.push(Rejection { key, place, reason });
    }

    /// Notes that something is missing.
    pub(super) fn incomplete(&mut self, reason: String) {
        self.incomplete.push(reason);
    }

    /// The read. The first event of a key is kept; a later one of the same key, or of one that differs only in case
    /// (Graph compares property values without case), is a rejection. A rejection that could not be attributed to a key
    /// makes the read incomplete: its item must not be taken for deleted.
    fn finish(mut self) -> SourceRead {
        let mut seen: HashSet<String> = HashSet::with_capacity(self.events.len());
        let mut events: BTreeMap<SourceKey, SourceEvent> = BTreeMap::new();
        for event in self.events {
            if seen.insert(event.key.as_str().to_ascii_lowercase()) {
                events.insert(event.key.clone(), event);
                continue;
            }
            let same = events.contains_key(&event.key);
            let reason = if same {
                "an earlier event has the same key"
            } else {
                "an earlier event has a key that differs only in case"
            };
            self.rejections.push(Rejection { key: Some(event.key), place: event.place, reason: reason.to_owned() });
        }
        for rejection in &mut self.rejections {
            if rejection.reason.len() > REASON_BYTES_MAX {
                rejection.reason.truncate(rejection.reason.floor_char_boundary(REASON_BYTES_MAX));
                rejection.reason.push('…');
            }
        }
        for rejection in self.rejections.iter().filter(|rejection| rejection.key.is_none()) {
            self.incomplete
                .push(format!("{} could not be attributed to an event: {}", rejection.place, rejection.reason));
        }
        let more = self.incomplete.len().saturating_sub(REASONS_MAX);
        self.incomplete.truncate(REASONS_MAX);
        let mut reasons = self.incomplete.join("; ");
        if more > 0 {
            reasons.push_str(&format!("; and {more} more"));
        }
        self.rejections.sort();
        SourceRead {
            events: events.into_values().collect(),
            rejections: self.rejections,
            completeness: if reasons.is_empty() { Completeness::Complete } else { Completeness::Incomplete(reasons) },
        }
    }
}

/// Reads the folder.
#[derive(Debug)]
struct Reader {
    name: String,
    path: PathBuf,
    zone: Zone,
    end_marker: bool,
}

impl Reader {
    /// Reads every file between two listings of the folder; when they differ, somebody was writing, and it reads again.
    /// `after_files` is called after each reading of the files.
    fn read(&self, after_files: &mut dyn FnMut()) -> Result<(Listing, SourceRead), SourceError> {
        let mut before = list(&self.path)?;
        let mut attempt = 1;
        loop {
            let outcome = self.read_files(&before);
            after_files();
            let after = list(&self.path)?;
            let steady = before == after;
            match outcome {
                Ok(gathered) if steady => return Ok((after, gathered.finish())),
                Ok(mut gathered) if attempt == ATTEMPTS_MAX => {
                    gathered.incomplete("files were changing while they were read".to_owned());
                    return Ok((after, gathered.finish()));
                }
                // A file that went between listing and opening is a change like any other.
                Err(error) if steady || attempt == ATTEMPTS_MAX => return Err(error),
                Ok(_) | Err(_) => {}
            }
            before = after;
            attempt += 1;
        }
    }

    fn read_files(&self, listing: &Listing) -> Result<Gathered, SourceError> {
        if listing.files.iter().map(|file| file.bytes).sum::<u64>() > TOTAL_BYTES_MAX {
            return Err(SourceError::TooLarge { path: self.path.clone(), what: "1 GiB" });
        }
        let mut gathered = Gathered::default();
        listing.report(&mut gathered);
        let mut zones = Zones::new(self.zone.clone());
        for file in &listing.files {
            self.read_file(file, &mut zones, &mut gathered)
                .map_err(|source| SourceError::Unreadable { path: self.path.join(Path::new(&file.name)), source })?;
        }
        Ok(gathered)
    }

    fn read_file(&self, file: &Entry, zones: &mut Zones, gathered: &mut Gathered) -> io::Result<()> {
        let input = File::open(&file.path)?;
        match &file.form {
            Form::JsonLines => {
                let lines = JsonLines { source: &self.name, file: &file.name, end_marker: self.end_marker };
                // A file that grows without end is read up to the limit of all files.
                lines.read(BufReader::new(input.take(TOTAL_BYTES_MAX)), zones, gathered)
            }
            Form::ICalendar(owner) => {
                let mut bytes = Vec::new();
                input.take(ICALENDAR_BYTES_MAX + 1).read_to_end(&mut bytes)?;
                if bytes.len() as u64 > ICALENDAR_BYTES_MAX {
                    gathered.reject(None, file.name.clone(), "the file is larger than 16 MiB".to_owned());
                    return Ok(());
                }
                ICalendarFile { source: &self.name, file: &file.name, owner }.read(&bytes, zones, gathered);
                Ok(())
            }
        }
    }
}

/// The form of a file that is in memory.
#[cfg(any(test, fuzzing))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileForm {
    ICalendar,
    JsonLines,
}

/// What a file that is in memory says: the entry of the fuzz targets.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_bytes(form: FileForm, bytes: &[u8]) -> SourceRead {
    use crate::model::source::Recipient;

    let mut gathered = Gathered::default();
    let mut zones = Zones::new(Zone::utc());
    match form {
        FileForm::ICalendar => {
            let owner = Recipient::Person("ana".to_owned());
            ICalendarFile { source: "erp", file: "a.ics", owner: &owner }.read(bytes, &mut zones, &mut gathered);
        }
        FileForm::JsonLines => {
            let lines = JsonLines { source: "erp", file: "a.jsonl", end_marker: false };
            // Reading from memory does not fail.
            let _ = lines.read(bytes, &mut zones, &mut gathered);
        }
    }
    gathered.finish()
}

#[cfg(test)]
mod tests;
