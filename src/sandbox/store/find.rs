//! Finds items: by id, by named property, in a window of time.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};

use super::{
    Store,
    error::StoreError,
    item::{Entry, Exception, Item, PropertyName},
    mailbox::Mailbox,
    recurrence::RecurrenceEnd,
    touch::settle_before_listing,
};

/// Which item is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The item of this id: a single item, a master, or an occurrence.
    Id(String),
    /// The occurrence at a 1-based index, which counts deleted ones, of the master of this id.
    Index {
        /// The id of the master.
        master: String,
        /// 1-based.
        index: u32,
    },
    /// The occurrence of a pattern date of the master of this id.
    Date {
        /// The id of the master.
        master: String,
        /// The date that the rule gives, in the series' zone.
        date: Date,
    },
    /// The master of the occurrence of this id.
    MasterOf(String),
}

/// The occurrences of a series that differ from it.
#[derive(Debug, Clone)]
pub struct Exceptions {
    /// The changed ones, in the order of their pattern dates.
    pub changed: Vec<Entry>,
    /// Of the deleted ones: the pattern date, and the instant at which the rule let it start.
    pub deleted: Vec<(Date, Timestamp)>,
    /// The first occurrence that the rule gives and that is not deleted.
    pub first: Option<Entry>,
    /// The last one, of a series that ends.
    pub last: Option<Entry>,
}

/// A condition on the named properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Everything.
    All,
    /// The property is there.
    Exists(PropertyName),
    /// The property is there and has this value, in any case.
    Equals(PropertyName, String),
    /// All of these hold.
    And(Vec<Filter>),
    /// One of these holds.
    Or(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
}

impl Filter {
    /// Whether it holds for an item.
    #[must_use]
    pub fn holds(&self, content: &super::item::Content) -> bool {
        match self {
            Self::All => true,
            Self::Exists(name) => content.properties.contains_key(name),
            Self::Equals(name, value) => {
                content.properties.get(name).is_some_and(|held| held.to_lowercase() == value.to_lowercase())
            }
            Self::And(parts) => parts.iter().all(|part| part.holds(content)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(content)),
            Self::Not(part) => !part.holds(content),
        }
    }
}

impl Store {
    /// One item.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn get(&self, address: &str, target: &Target) -> Result<Entry, StoreError> {
        self.with(address, |mailbox| {
            let (item, date) = resolve(mailbox, target)?;
            date.map_or_else(|| Ok(mailbox.entry(&item)), |date| mailbox.occurrence(&item, date))
        })
    }

    /// The single items and masters of a folder, or of every calendar without one, in the order of their creation.
    ///
    /// # Errors
    /// When the mailbox or the folder cannot be reached.
    pub fn find(&self, address: &str, folder: Option<&str>, filter: &Filter) -> Result<Vec<Entry>, StoreError> {
        let now = self.clock.now();
        self.with(address, |mailbox| {
            settle_before_listing(mailbox, now);
            let folder = folder.map(|id| mailbox.folder(Some(id))).transpose()?;
            let fits = |item: &&Arc<Item>| folder.is_none_or(|folder| item.folder == folder);
            let items = mailbox.items.values().filter(fits).filter(|item| filter.holds(&item.content));
            Ok(items.map(|item| mailbox.entry(item)).collect())
        })
    }

    /// What takes place in a window, series expanded, in the order of the starts; in every calendar without `folder`.
    ///
    /// # Errors
    /// [`StoreError::InvalidWindow`], or when the mailbox or the folder cannot be reached.
    pub fn view(
        &self,
        address: &str,
        folder: Option<&str>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        if to < from {
            return Err(StoreError::InvalidWindow);
        }
        self.with(address, |mailbox| {
            let folder = folder.map(|id| mailbox.folder(Some(id))).transpose()?;
            let mut entries = Vec::new();
            for item in mailbox.items.values().filter(|item| folder.is_none_or(|folder| item.folder == folder)) {
                expand(mailbox, item, from, to, &mut entries)?;
            }
            entries.sort_by(|one: &Entry, two| (one.content.start, &one.id).cmp(&(two.content.start, &two.id)));
            Ok(entries)
        })
    }

    /// The occurrences of one series that differ from it.
    ///
    /// # Errors
    /// [`StoreError::NotASeries`], or an item that cannot be reached.
    pub fn exceptions(&self, address: &str, master: &str) -> Result<Exceptions, StoreError> {
        self.with(address, |mailbox| {
            let (item, series) = series_of(mailbox, master)?;
            let (mut changed, mut deleted) = (Vec::new(), Vec::new());
            for (date, exception) in &series.exceptions {
                match exception {
                    Exception::Deleted => deleted.push((*date, item.content.times_on(*date)?.0)),
                    Exception::Changed(_) => changed.push(mailbox.occurrence(&item, *date)?),
                }
            }
            let kept = |date: &Date| !matches!(series.exceptions.get(date), Some(Exception::Deleted));
            let first = series.recurrence.dates().find(kept);
            let last = match series.recurrence.end {
                RecurrenceEnd::Never => None,
                RecurrenceEnd::On(_) | RecurrenceEnd::After(_) => series.recurrence.dates().filter(kept).last(),
            };
            let entry = |date: Option<Date>| date.map(|date| mailbox.occurrence(&item, date)).transpose();
            Ok(Exceptions { changed, deleted, first: entry(first)?, last: entry(last)? })
        })
    }

    /// The occurrences of one series in a window.
    ///
    /// # Errors
    /// [`StoreError::NotASeries`], [`StoreError::InvalidWindow`], or an item that cannot be reached.
    pub fn instances(
        &self,
        address: &str,
        master: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        if to < from {
            return Err(StoreError::InvalidWindow);
        }
        self.with(address, |mailbox| {
            let (item, date) = mailbox.find(master)?;
            if date.is_some() || item.series.is_none() {
                return Err(StoreError::NotASeries);
            }
            let mut entries = Vec::new();
            expand(mailbox, &item, from, to, &mut entries)?;
            entries.sort_by_key(|entry| entry.content.start);
            Ok(entries)
        })
    }
}

/// The item of a target, and the pattern date when an occurrence is meant.
pub(super) fn resolve(mailbox: &Mailbox, target: &Target) -> Result<(Arc<Item>, Option<Date>), StoreError> {
    let (item, date) = match target {
        Target::Id(id) => mailbox.find(id)?,
        Target::MasterOf(id) => {
            let (item, date) = mailbox.find(id)?;
            return date.map_or(Err(StoreError::NotAnOccurrence), |_| Ok((item, None)));
        }
        Target::Index { master, index } => {
            let (item, series) = series_of(mailbox, master)?;
            let date = series.recurrence.date_at(*index).ok_or(StoreError::IndexOutOfRange)?;
            (item, Some(date))
        }
        Target::Date { master, date } => {
            let (item, _) = series_of(mailbox, master)?;
            (item, Some(*date))
        }
    };
    if let Some(date) = date {
        let series = item.series.as_ref().ok_or(StoreError::UnknownItem)?;
        series.recurrence.index_of(date).ok_or(StoreError::UnknownItem)?;
        if matches!(series.exceptions.get(&date), Some(Exception::Deleted)) {
            return Err(StoreError::OccurrenceDeleted);
        }
    }
    Ok((item, date))
}

fn series_of(mailbox: &Mailbox, master: &str) -> Result<(Arc<Item>, Arc<super::item::Series>), StoreError> {
    let (item, date) = mailbox.find(master)?;
    match (date, item.series.clone()) {
        (None, Some(series)) => Ok((item, series)),
        (Some(_), _) | (None, None) => Err(StoreError::NotASeries),
    }
}

/// Adds what of an item takes place in a window.
fn expand(
    mailbox: &Mailbox,
    item: &Item,
    from: Timestamp,
    to: Timestamp,
    entries: &mut Vec<Entry>,
) -> Result<(), StoreError> {
    let inside = |start: Timestamp, end: Timestamp| start < to && (end > from || (start == end && start >= from));
    let Some(series) = &item.series else {
        if inside(item.content.start, item.content.end) {
            entries.push(mailbox.entry(item));
        }
        return Ok(());
    };
    for date in series.recurrence.dates() {
        let (start, end) = item.content.times_on(date)?;
        let plain = match series.exceptions.get(&date) {
            None => true,
            Some(Exception::Deleted) => continue,
            Some(Exception::Changed(_)) => false,
        };
        if plain && !inside(start, end) {
            // A changed occurrence lies before its right neighbour, so that nothing inside follows the first one outside.
            if start >= to {
                break;
            }
            continue;
        }
        let entry = mailbox.occurrence(item, date)?;
        if inside(entry.content.start, entry.content.end) {
            entries.push(entry);
        }
    }
    Ok(())
}
