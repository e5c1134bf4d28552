//! The mailbox store behind both faces of the sandbox: stateful, wire-neutral, strict as Exchange is.
//!
//! A [`Store`] may be shared between threads; nothing in it waits. Every mailbox has a lock and counters of its own, so that
//! ids and change keys of a run depend on the seed and on what was done to that mailbox, not on the order between mailboxes.
//!
//! | to | call |
//! |---|---|
//! | set up | [`Store::add_mailbox`], [`Store::set_state`], [`Store::add_folder`], [`Store::reset`] |
//! | move a mailbox between the halves of a hybrid | [`Store::begin_move`], [`Store::complete_move`], [`Store::cancel_move`] |
//! | see what one half shows | [`Store::seen_from`], [`Store::is_here`] |
//! | look | [`Store::mailbox`], [`Store::mailboxes`], [`Store::folders`], [`Store::get`], [`Store::find`], [`Store::view`], [`Store::instances`], [`Store::exceptions`] |
//! | write | [`Store::create`], [`Store::update`], [`Store::delete`], [`Store::copy_item`], [`Store::move_item`], [`Store::touch`], [`Store::settle`] |
//! | follow | [`Store::sync_state`], [`Store::changes`] |
//! | count mails | [`Store::count_mails`], [`MailboxInfo::mails_sent`] |
//!
//! An `address` is the primary address or an alias of a mailbox, in any case. An `id` of an item may be of either form, see
//! [`Entry::id`] and [`Entry::immutable_id`]; [`Store::identify`] tells which, and of which mailbox.

mod body;
mod change;
mod create;
mod delete;
mod error;
mod find;
mod half;
mod identity;
mod item;
mod mailbox;
mod recurrence;
mod relocate;
mod sync;
mod touch;
mod update;
mod zone;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

pub use self::{
    body::{Body, BodyKind},
    change::{Change, ChangeOrder},
    error::StoreError,
    find::{Exceptions, Filter, Target},
    half::Half,
    identity::IdKind,
    item::{
        Content, Draft, Entry, EntryKind, Exception, Importance, MasterIds, Moment, OccurrencePosition, PropertyName,
        Sensitivity, Series, ShowAs,
    },
    mailbox::{FolderInfo, MailboxInfo, MailboxSettings, MailboxState},
    recurrence::{Dates, Pattern, Recurrence, RecurrenceEnd, WeekIndex},
    sync::{Changes, FolderChange},
    update::Guard,
    zone::Zone,
};
use self::{identity::Identity, mailbox::Mailbox};
use crate::clock::Clock;

/// The mailboxes of the simulated server. Cheap to clone; the clones are one store.
#[derive(Debug, Clone)]
pub struct Store {
    clock: Arc<dyn Clock>,
    seed: u64,
    /// The half whose mailboxes it shows.
    half: Half,
    directory: Arc<RwLock<Directory>>,
}

#[derive(Debug, Default)]
struct Directory {
    mailboxes: Vec<Arc<Mutex<Mailbox>>>,
    /// From every address in lower case to a position in `mailboxes`.
    addresses: HashMap<String, usize>,
}

/// What an id names, see [`Store::identify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The primary address of its mailbox.
    pub mailbox: String,
    /// What it names, and in which form.
    pub kind: IdKind,
    /// Whether it names one occurrence of a series.
    pub is_occurrence: bool,
}

impl Store {
    /// An empty store. The seed shapes the ids.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self { clock, seed, half: Half::Both, directory: Arc::default() }
    }

    /// This store as one half shows it: mailboxes of the other half are known by address and cannot be reached.
    #[must_use]
    pub fn seen_from(&self, half: Half) -> Self {
        Self { half, ..self.clone() }
    }

    /// The present instant of the store's clock.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Adds a mailbox with its default calendar.
    ///
    /// # Errors
    /// [`StoreError::AddressTaken`].
    pub fn add_mailbox(&self, settings: MailboxSettings) -> Result<(), StoreError> {
        let mut directory = self.directory.write().unwrap_or_else(PoisonError::into_inner);
        let position = directory.mailboxes.len();
        let addresses: Vec<String> =
            std::iter::once(&settings.address).chain(&settings.aliases).map(|address| address.to_lowercase()).collect();
        if let Some(taken) = addresses.iter().find(|address| directory.addresses.contains_key(*address)) {
            return Err(StoreError::AddressTaken(taken.clone()));
        }
        directory.addresses.extend(addresses.into_iter().map(|address| (address, position)));
        let number = u32::try_from(position).unwrap_or(u32::MAX);
        directory.mailboxes.push(Arc::new(Mutex::new(Mailbox::new(settings, number, self.seed))));
        Ok(())
    }

    /// Removes all items, further calendars, transactions and counters; the mailboxes, their halves and their states stay.
    pub fn reset(&self) {
        for mailbox in self.all() {
            mailbox.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Says whether a mailbox can be used from now on. A move to the other half goes on.
    ///
    /// # Errors
    /// [`StoreError::UnknownMailbox`].
    pub fn set_state(&self, address: &str, state: MailboxState) -> Result<(), StoreError> {
        self.with_any(address, |mailbox| {
            mailbox.settings.state = state;
            Ok(())
        })
    }

    /// Every mailbox, in the order in which they were added, whatever its state.
    #[must_use]
    pub fn mailboxes(&self) -> Vec<MailboxInfo> {
        let lock = |mailbox: &Arc<Mutex<Mailbox>>| info(&mailbox.lock().unwrap_or_else(PoisonError::into_inner));
        self.all().iter().map(lock).collect()
    }

    /// The mailbox of an address, whatever its state.
    ///
    /// # Errors
    /// [`StoreError::UnknownMailbox`].
    pub fn mailbox(&self, address: &str) -> Result<MailboxInfo, StoreError> {
        self.with_any(address, |mailbox| Ok(info(mailbox)))
    }

    /// Whether a mailbox is here, although it may be on the way to the other half.
    ///
    /// # Errors
    /// [`StoreError::UnknownMailbox`].
    pub fn is_here(&self, address: &str) -> Result<bool, StoreError> {
        self.with_any(address, |mailbox| {
            Ok(mailbox.settings.state != MailboxState::Elsewhere && mailbox.settings.half.shows_from(self.half))
        })
    }

    /// The calendars of a mailbox; the default one is the first.
    ///
    /// # Errors
    /// When the mailbox cannot be reached.
    pub fn folders(&self, address: &str) -> Result<Vec<FolderInfo>, StoreError> {
        self.with(address, |mailbox| {
            let count = u32::try_from(mailbox.folders.len()).unwrap_or(u32::MAX);
            Ok((0..count).filter_map(|folder| mailbox.folder_info(folder)).collect())
        })
    }

    /// One calendar; the default one without an id.
    ///
    /// # Errors
    /// When the mailbox cannot be reached or has no such folder.
    pub fn folder(&self, address: &str, id: Option<&str>) -> Result<FolderInfo, StoreError> {
        self.with(address, |mailbox| {
            let folder = mailbox.folder(id)?;
            mailbox.folder_info(folder).ok_or(StoreError::UnknownFolder)
        })
    }

    /// Adds a calendar beside the default one.
    ///
    /// # Errors
    /// [`StoreError::FolderExists`], or when the mailbox cannot be reached.
    pub fn add_folder(&self, address: &str, name: &str) -> Result<FolderInfo, StoreError> {
        self.with(address, |mailbox| {
            if mailbox.folders.iter().flatten().any(|folder| folder.to_lowercase() == name.to_lowercase()) {
                return Err(StoreError::FolderExists);
            }
            let number = u32::try_from(mailbox.folders.len()).map_err(|_| StoreError::UnknownFolder)?;
            mailbox.folders.push(Some(name.to_owned()));
            mailbox.folder_info(number).ok_or(StoreError::UnknownFolder)
        })
    }

    /// Calls a calendar something else, as a person does in Outlook; its id stays.
    ///
    /// # Errors
    /// When the mailbox cannot be reached or has no such folder.
    pub fn rename_folder(&self, address: &str, id: &str, name: &str) -> Result<(), StoreError> {
        self.with_folder(address, id, |_, folder| *folder = Some(name.to_owned()))
    }

    /// Deletes a calendar and what it holds.
    ///
    /// # Errors
    /// When the mailbox cannot be reached or has no such folder beside the default one.
    pub fn delete_folder(&self, address: &str, id: &str) -> Result<(), StoreError> {
        self.with_folder(address, id, |number, folder| {
            if number != mailbox::CALENDAR {
                *folder = None;
            }
        })?;
        self.with(address, |mailbox| {
            let folders = &mailbox.folders;
            let is_left = |folder: u32| {
                usize::try_from(folder).is_ok_and(|folder| folders.get(folder).is_some_and(Option::is_some))
            };
            mailbox.items.retain(|_, item| is_left(item.folder));
            Ok(())
        })
    }

    fn with_folder(
        &self,
        address: &str,
        id: &str,
        work: impl FnOnce(u32, &mut Option<String>),
    ) -> Result<(), StoreError> {
        self.with(address, |mailbox| {
            let number = mailbox.folder(Some(id))?;
            let place = usize::try_from(number).ok().and_then(|place| mailbox.folders.get_mut(place));
            work(number, place.ok_or(StoreError::UnknownFolder)?);
            Ok(())
        })
    }

    /// What an id names. Says nothing of whether it still exists.
    ///
    /// # Errors
    /// [`StoreError::MalformedId`].
    pub fn identify(&self, id: &str) -> Result<Identified, StoreError> {
        let identity = Identity::parse(id, self.seed)?;
        let position = usize::try_from(identity.home.mailbox).map_err(|_| StoreError::MalformedId)?;
        let mailbox = self.all().get(position).cloned().ok_or(StoreError::MalformedId)?;
        let address = mailbox.lock().unwrap_or_else(PoisonError::into_inner).settings.address.clone();
        Ok(Identified { mailbox: address, kind: identity.kind, is_occurrence: identity.date.is_some() })
    }

    /// Counts mails that a write to this mailbox sent.
    ///
    /// # Errors
    /// [`StoreError::UnknownMailbox`].
    pub fn count_mails(&self, address: &str, mails: u64) -> Result<(), StoreError> {
        self.with_any(address, |mailbox| {
            mailbox.mails_sent = mailbox.mails_sent.saturating_add(mails);
            Ok(())
        })
    }

    fn all(&self) -> Vec<Arc<Mutex<Mailbox>>> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner).mailboxes.clone()
    }

    /// Works on a mailbox that is here.
    fn with<T>(
        &self,
        address: &str,
        work: impl FnOnce(&mut Mailbox) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with_any(address, |mailbox| {
            mailbox.check_place(self.half)?;
            work(mailbox)
        })
    }

    /// Works on a mailbox wherever and in whatever state it is.
    fn with_any<T>(
        &self,
        address: &str,
        work: impl FnOnce(&mut Mailbox) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mailbox = {
            let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner);
            let position = directory.addresses.get(&address.to_lowercase()).copied();
            position.and_then(|position| directory.mailboxes.get(position).cloned())
        };
        let mailbox = mailbox.ok_or_else(|| StoreError::UnknownMailbox(address.to_owned()))?;
        let mut mailbox = mailbox.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut mailbox)
    }
}

fn info(mailbox: &Mailbox) -> MailboxInfo {
    MailboxInfo {
        settings: MailboxSettings { state: mailbox.state(), ..mailbox.settings.clone() },
        moving_to: mailbox.moving_to,
        moves: mailbox.moves,
        item_count: mailbox.items.len(),
        mails_sent: mailbox.mails_sent,
    }
}
