//! A mailbox: its addresses, its folders, and its items.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::civil::Date;

use super::{
    error::StoreError,
    half::Half,
    identity::{Home, IdKind, Identity},
    item::{Entry, EntryKind, Exception, Item, MasterIds, OccurrencePosition},
    zone::Zone,
};

/// How a mailbox is set up.
#[derive(Debug, Clone)]
pub struct MailboxSettings {
    /// The primary SMTP address.
    pub address: String,
    /// Further addresses.
    pub aliases: Vec<String>,
    /// The name of the person.
    pub display_name: String,
    /// The mailbox's zone.
    pub zone: Option<Zone>,
    /// In which half it lives.
    pub half: Half,
    /// Whether it can be used there.
    pub state: MailboxState,
    /// The user principal name of the person.
    pub principal_name: String,
    /// The security identifier of the person; empty for none.
    pub sid: String,
}

impl MailboxSettings {
    /// A normal mailbox without aliases.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        let address: String = address.into();
        let display_name = address.split('@').next().unwrap_or_default().to_owned();
        let principal_name = address.clone();
        let (zone, half, state) = (None, Half::Both, MailboxState::Normal);
        Self { address, aliases: Vec::new(), display_name, zone, half, state, principal_name, sid: String::new() }
    }
}

/// Whether a mailbox can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailboxState {
    /// Here.
    #[default]
    Normal,
    /// Being moved.
    Moving,
    /// On another server, in neither half.
    Elsewhere,
    /// Here, and its quota is used up: reading and deleting work, creating and changing do not.
    Full,
}

/// A mailbox as it is listed.
#[derive(Debug, Clone)]
pub struct MailboxInfo {
    /// How it was set up; half and state are the present ones.
    pub settings: MailboxSettings,
    /// The half that it is being moved to; its state is [`MailboxState::Moving`] so long.
    pub moving_to: Option<Half>,
    /// How often it has moved from one half to the other.
    pub moves: u32,
    /// How many items it holds: singles and masters.
    pub item_count: usize,
    /// How many mails were sent because of writes to it. Stays 0 while nobody invites anybody.
    pub mails_sent: u64,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderInfo {
    /// The id, which changes only when the mailbox moves.
    pub id: String,
    /// Changes with every change of the folder itself.
    pub change_key: String,
    /// The name.
    pub name: String,
    /// The primary address of its mailbox.
    pub mailbox: String,
    /// Whether it is the mailbox's default calendar.
    pub is_default: bool,
    /// How many items it holds.
    pub item_count: usize,
}

/// An item that left its folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Departure {
    pub(super) folder: u32,
    pub(super) number: u32,
    pub(super) alias: u32,
    pub(super) tick_created: u32,
    pub(super) tick: u32,
}

/// The default calendar's number.
pub(super) const CALENDAR: u32 = 0;

#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) settings: MailboxSettings,
    pub(super) seed: u64,
    /// Its number in the store.
    pub(super) number: u32,
    /// Counts the resets and moves, so that the sync states of before are refused.
    pub(super) epoch: u32,
    /// Counts the moves, so that the ids of before are refused.
    pub(super) moves: u32,
    /// The half that it is being moved to.
    pub(super) moving_to: Option<Half>,
    /// Counts the changes.
    pub(super) tick: u32,
    /// Counts the items and their moves.
    pub(super) counter: u32,
    /// The names of the calendars; the first is the default one, and a deleted one has none.
    pub(super) folders: Vec<Option<String>>,
    pub(super) items: BTreeMap<u32, Arc<Item>>,
    /// From the alias of an item to its number.
    pub(super) aliases: HashMap<u32, u32>,
    pub(super) departures: Vec<Departure>,
    /// From a transaction id to the item it made, which may be gone.
    pub(super) transactions: HashMap<String, u32>,
    pub(super) mails_sent: u64,
    /// Whether what was written is rewritten before the folder is listed.
    pub(super) is_settling: bool,
    /// The tick up to which it was.
    pub(super) settled_tick: u32,
}

impl Mailbox {
    pub(super) fn new(settings: MailboxSettings, number: u32, seed: u64) -> Self {
        Self {
            settings,
            seed,
            number,
            epoch: 0,
            moves: 0,
            moving_to: None,
            tick: 0,
            counter: 0,
            folders: vec![Some("Calendar".to_owned())],
            items: BTreeMap::new(),
            aliases: HashMap::new(),
            departures: Vec::new(),
            transactions: HashMap::new(),
            mails_sent: 0,
            is_settling: false,
            settled_tick: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        let mut fresh = Self::new(self.settings.clone(), self.number, self.seed);
        fresh.epoch = self.epoch.wrapping_add(1);
        (fresh.moves, fresh.moving_to) = (self.moves, self.moving_to);
        *self = fresh;
    }

    /// Refuses everything where the mailbox does not show or is on the way.
    pub(super) fn check_place(&self, seen_from: Half) -> Result<(), StoreError> {
        let address = || self.settings.address.clone();
        if !self.settings.half.shows_from(seen_from) {
            return Err(StoreError::MailboxInOtherHalf(address()));
        }
        match self.state() {
            MailboxState::Normal | MailboxState::Full => Ok(()),
            MailboxState::Moving => Err(StoreError::MailboxMoving(address())),
            MailboxState::Elsewhere => Err(StoreError::MailboxElsewhere(address())),
        }
    }

    /// The present state.
    pub(super) const fn state(&self) -> MailboxState {
        if self.moving_to.is_some() { MailboxState::Moving } else { self.settings.state }
    }

    /// Refuses what would need room in a full mailbox.
    pub(super) fn check_quota(&self) -> Result<(), StoreError> {
        match self.settings.state {
            MailboxState::Full => Err(StoreError::MailboxFull(self.settings.address.clone())),
            MailboxState::Normal | MailboxState::Moving | MailboxState::Elsewhere => Ok(()),
        }
    }

    pub(super) fn next_tick(&mut self) -> u32 {
        self.tick = self.tick.saturating_add(1);
        self.tick
    }

    pub(super) fn next_number(&mut self) -> u32 {
        self.counter = self.counter.saturating_add(1);
        self.counter
    }

    pub(super) fn render(&self, kind: IdKind, number: u32, date: Option<Date>) -> String {
        Identity { kind, home: self.home(), number, date }.render(self.seed)
    }

    /// The mailbox as its ids know it.
    pub(super) const fn home(&self) -> Home {
        Home { mailbox: self.number, moves: self.moves }
    }

    /// The change key of a tick.
    pub(super) fn change_key(&self, tick: u32) -> String {
        super::identity::change_key(self.seed, self.home(), tick)
    }

    pub(super) fn folder_id(&self, folder: u32) -> String {
        self.render(IdKind::Folder, folder, None)
    }

    /// The folder of an id; the default calendar without one.
    pub(super) fn folder(&self, id: Option<&str>) -> Result<u32, StoreError> {
        let Some(id) = id else { return Ok(CALENDAR) };
        let identity = Identity::parse(id, self.seed)?;
        if identity.kind != IdKind::Folder {
            return Err(StoreError::WrongKindOfId);
        }
        let folder = usize::try_from(identity.number).ok().and_then(|number| self.folders.get(number));
        let known = folder.is_some_and(Option::is_some);
        if identity.home == self.home() && known { Ok(identity.number) } else { Err(StoreError::UnknownFolder) }
    }

    pub(super) fn folder_info(&self, folder: u32) -> Option<FolderInfo> {
        let name = self.folders.get(usize::try_from(folder).ok()?)?.clone()?;
        Some(FolderInfo {
            id: self.folder_id(folder),
            change_key: self.change_key(folder),
            name,
            mailbox: self.settings.address.clone(),
            is_default: folder == CALENDAR,
            item_count: self.items.values().filter(|item| item.folder == folder).count(),
        })
    }

    /// The item of an id of either form, and the date when the id is that of an occurrence.
    pub(super) fn find(&self, id: &str) -> Result<(Arc<Item>, Option<Date>), StoreError> {
        let identity = Identity::parse(id, self.seed)?;
        let number = match identity.kind {
            IdKind::Folder => return Err(StoreError::WrongKindOfId),
            IdKind::Item => *self.aliases.get(&identity.number).ok_or(StoreError::UnknownItem)?,
            IdKind::Immutable => identity.number,
        };
        if identity.home != self.home() {
            return Err(StoreError::UnknownItem);
        }
        Ok((self.items.get(&number).cloned().ok_or(StoreError::UnknownItem)?, identity.date))
    }

    /// A single item or a master as a reader sees it.
    pub(super) fn entry(&self, item: &Item) -> Entry {
        Entry {
            kind: if item.series.is_some() { EntryKind::Master } else { EntryKind::Single },
            id: self.render(IdKind::Item, item.alias, None),
            immutable_id: self.render(IdKind::Immutable, item.number, None),
            change_key: self.change_key(item.tick),
            mailbox: self.settings.address.clone(),
            folder_id: self.folder_id(item.folder),
            content: Arc::clone(&item.content),
            series: item.series.clone(),
            master: None,
            occurrence: None,
            revision: None,
            transaction_id: item.transaction_id.clone(),
            created: item.created,
            modified: item.modified,
        }
    }

    /// An occurrence as a reader sees it. `date` is one that the rule gives.
    pub(super) fn occurrence(&self, item: &Item, date: Date) -> Result<Entry, StoreError> {
        let series = item.series.as_ref().ok_or(StoreError::NotASeries)?;
        let plain = item.content.on(date)?;
        let position = OccurrencePosition { date, original_start: plain.start, original_end: plain.end };
        let (kind, content) = match series.exceptions.get(&date) {
            None => (EntryKind::Occurrence, plain),
            Some(Exception::Deleted) => return Err(StoreError::OccurrenceDeleted),
            Some(Exception::Changed(changes)) => {
                let order = super::change::ChangeOrder::Together;
                (EntryKind::Exception, super::change::apply(&Arc::new(plain), changes, order)?)
            }
        };
        let master = self.entry(item);
        Ok(Entry {
            kind,
            id: self.render(IdKind::Item, item.alias, Some(date)),
            immutable_id: self.render(IdKind::Immutable, item.number, Some(date)),
            content: Arc::new(content),
            master: Some(MasterIds { id: master.id.clone(), immutable_id: master.immutable_id.clone() }),
            occurrence: Some(position),
            revision: series.revisions.get(&date).copied(),
            ..master
        })
    }
}
