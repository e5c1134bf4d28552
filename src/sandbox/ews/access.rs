//! Who the caller is in this request, and what he may reach.

use super::{
    envelope::{Header, Impersonated},
    fault::{Fault, ItemFault},
    target::{FolderRef, ItemRef, ItemRefKind},
    version::Version,
};
use crate::sandbox::{
    caller::{Caller, Right},
    store::{FolderInfo, IdKind, Store, StoreError, Target, Zone},
};

/// What a request wants to do with a folder or an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Create,
    Write,
}

/// A folder that was found.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    /// The primary address of the mailbox.
    pub(super) mailbox: String,
    pub(super) kind: FolderKind,
}

/// Which folder.
#[derive(Debug, Clone)]
pub(super) enum FolderKind {
    Calendar(FolderInfo),
    /// The root of the mailbox.
    Root,
    /// The root of what a person sees.
    Top,
}

impl FolderKind {
    /// The id of the folder in a mailbox.
    pub(super) fn id(&self, store: &Store, mailbox: &str) -> String {
        match self {
            Self::Calendar(folder) => folder.id.clone(),
            Self::Root => pseudo_id(store, "root", mailbox),
            Self::Top => pseudo_id(store, "top", mailbox),
        }
    }
}

/// One request of one caller.
pub(super) struct Session<'a> {
    pub(super) store: &'a Store,
    pub(super) version: Version,
    caller: &'a Caller,
    /// The zone of `TimeZoneContext`.
    context: Option<Zone>,
    /// The primary address of the mailbox whose owner the caller is here.
    principal: Option<String>,
    impersonates: bool,
}

impl<'a> Session<'a> {
    /// Checks the impersonation.
    pub(super) fn open(store: &'a Store, caller: &'a Caller, header: &Header) -> Result<Self, Fault> {
        let principal = match &header.impersonated {
            Some(impersonated) => Some(impersonate(store, caller, impersonated)?),
            None if caller.is_application => {
                let message = "ExchangeImpersonation SOAP header must be present for this type of OAuth token.";
                return Err(Fault::new("ErrorImpersonationRequired", message));
            }
            None => caller.mailbox.clone(),
        };
        Ok(Self {
            store,
            version: header.version,
            caller,
            context: header.zone.clone().filter(|_| header.version >= Version::Exchange2010),
            principal,
            impersonates: header.impersonated.is_some(),
        })
    }

    /// The zone of a wall time that says none.
    pub(super) fn zone(&self) -> Zone {
        self.context.clone().unwrap_or_else(Zone::utc)
    }

    /// Finds a folder.
    pub(super) fn folder(&self, reference: &FolderRef, access: Access) -> Result<Folder, ItemFault> {
        let (mailbox, kind) = match reference {
            FolderRef::Id(id) => self.folder_of_id(id)?,
            FolderRef::Distinguished { name, mailbox } => self.distinguished(name, mailbox.as_deref())?,
        };
        self.allow(&mailbox, access, "ErrorFolderNotFound", "The specified folder could not be found in the store.")?;
        let kind = match kind {
            Wanted::Root => FolderKind::Root,
            Wanted::Top => FolderKind::Top,
            Wanted::Calendar(id) => FolderKind::Calendar(self.store.folder(&mailbox, id.as_deref())?),
        };
        Ok(Folder { mailbox, kind })
    }

    /// Finds a calendar; other folders hold nothing here.
    pub(super) fn calendar(&self, reference: &FolderRef, access: Access) -> Result<(String, FolderInfo), ItemFault> {
        let folder = self.folder(reference, access)?;
        match folder.kind {
            FolderKind::Calendar(info) => Ok((folder.mailbox, info)),
            FolderKind::Root | FolderKind::Top => {
                Err(ItemFault::new("ErrorCannotCreateCalendarItemInNonCalendarFolder", "The folder is not a calendar."))
            }
        }
    }

    /// Finds the mailbox of an item and what the id leads to.
    pub(super) fn item(&self, reference: &ItemRef, access: Access) -> Result<(String, Target), ItemFault> {
        if reference.id.is_empty() {
            return Err(ItemFault::new("ErrorInvalidIdEmpty", "The Id is empty."));
        }
        let identified = self.store.identify(&reference.id).map_err(|error| {
            let is_folder = parse_pseudo_id(&reference.id).is_some();
            if is_folder { ItemFault::from(StoreError::WrongKindOfId) } else { error.into() }
        })?;
        match identified.kind {
            IdKind::Item => {}
            IdKind::Folder => return Err(StoreError::WrongKindOfId.into()),
            IdKind::Immutable => return Err(StoreError::MalformedId.into()),
        }
        let message = "The specified object was not found in the store.";
        self.allow(&identified.mailbox, access, "ErrorItemNotFound", message)?;
        let id = reference.id.clone();
        let target = match reference.kind {
            ItemRefKind::Item => Target::Id(id),
            ItemRefKind::Master => Target::MasterOf(id),
            ItemRefKind::Occurrence(index) => {
                Target::Index { master: id, index: u32::try_from(index).map_err(|_| StoreError::IndexOutOfRange)? }
            }
        };
        Ok((identified.mailbox, target))
    }

    /// Whether the caller works in another's mailbox by delegation.
    pub(super) fn is_delegate(&self, mailbox: &str) -> bool {
        self.principal.as_deref() != Some(mailbox)
    }

    fn distinguished(&self, name: &str, mailbox: Option<&str>) -> Result<(String, Wanted), ItemFault> {
        let wanted = match name {
            "calendar" => Wanted::Calendar(None),
            "root" => Wanted::Root,
            "msgfolderroot" => Wanted::Top,
            _ => return Err(StoreError::UnknownFolder.into()),
        };
        let Some(address) = mailbox else {
            let own = self.principal.clone().ok_or_else(|| {
                let message = "When making a request as an account that does not have a mailbox, you must specify the \
                               mailbox primary SMTP address for any distinguished folder Ids.";
                ItemFault::new("ErrorMissingEmailAddress", message)
            })?;
            return Ok((own, wanted));
        };
        let primary = self.store.mailbox(address)?.settings.address;
        if !primary.eq_ignore_ascii_case(address) {
            let message = "The primary SMTP address must be specified when referencing a mailbox.";
            return Err(ItemFault { primary: Some(primary), ..ItemFault::new("ErrorNonPrimarySmtpAddress", message) });
        }
        Ok((primary, wanted))
    }

    fn folder_of_id(&self, id: &str) -> Result<(String, Wanted), ItemFault> {
        if id.is_empty() {
            return Err(ItemFault::new("ErrorInvalidIdEmpty", "The Id is empty."));
        }
        if let Some(pseudo) = parse_pseudo_id(id) {
            let mailbox = self.store.mailbox(&pseudo.mailbox)?;
            if mailbox.moves != pseudo.moves {
                return Err(StoreError::UnknownFolder.into());
            }
            return Ok((mailbox.settings.address, pseudo.wanted));
        }
        let identified = self.store.identify(id)?;
        match identified.kind {
            IdKind::Folder => Ok((identified.mailbox, Wanted::Calendar(Some(id.to_owned())))),
            IdKind::Item | IdKind::Immutable => {
                Err(ItemFault::new("ErrorCannotUseItemIdForFolderId", "The id of an item is not that of a folder."))
            }
        }
    }

    fn allow(&self, mailbox: &str, access: Access, unseen: &'static str, message: &str) -> Result<(), ItemFault> {
        let own = self.principal.as_deref().is_some_and(|address| address.eq_ignore_ascii_case(mailbox));
        let delegation = (!self.impersonates)
            .then(|| self.caller.delegations.iter().find(|one| one.mailbox.eq_ignore_ascii_case(mailbox)))
            .flatten();
        let right = if own { Some(Right::Editor) } else { delegation.map(|one| one.right) };
        let denied = "Access is denied. Check credentials and try again.";
        match (right, access) {
            (None, _) => Err(ItemFault::new(unseen, message)),
            (Some(Right::Editor), _) | (Some(Right::Reviewer), Access::Read) => Ok(()),
            (Some(Right::Reviewer), Access::Create) => Err(ItemFault::new("ErrorCreateItemAccessDenied", denied)),
            (Some(Right::Reviewer), Access::Write) => Err(ItemFault::new("ErrorAccessDenied", denied)),
        }
    }
}

enum Wanted {
    /// A calendar; the default one without an id.
    Calendar(Option<String>),
    Root,
    Top,
}

fn impersonate(store: &Store, caller: &Caller, impersonated: &Impersonated) -> Result<String, Fault> {
    use crate::sandbox::caller::Impersonation;
    if caller.impersonation == Impersonation::Nobody {
        let message = "The account does not have permission to impersonate the requested user.";
        return Err(Fault::new("ErrorImpersonationDenied", message));
    }
    let unknown = match impersonated {
        Impersonated::Sid(_) => Fault::new("ErrorInvalidUserSid", "The user SID is invalid."),
        Impersonated::PrincipalName(_) => {
            Fault::new("ErrorInvalidUserPrincipalName", "The user principal name is invalid.")
        }
        Impersonated::PrimarySmtpAddress(_) | Impersonated::SmtpAddress(_) => {
            Fault::new("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
        }
    };
    let address = &impersonated.address(store).unwrap_or_default();
    let Ok(mailbox) = store.mailbox(address) else { return Err(unknown) };
    if !store.is_here(address).unwrap_or_default() {
        return Err(Fault::new("ErrorNonExistentMailbox", super::code::NOT_HERE));
    }
    let primary = mailbox.settings.address;
    if matches!(impersonated, Impersonated::PrimarySmtpAddress(_)) && !primary.eq_ignore_ascii_case(address) {
        let message = "The primary SMTP address must be specified when referencing a mailbox.";
        return Err(Fault::with_values("ErrorNonPrimarySmtpAddress", message, vec![("Primary", primary)]));
    }
    if !caller.impersonation.covers(&primary) {
        let message = "The account does not have permission to impersonate the requested user.";
        return Err(Fault::new("ErrorImpersonateUserDenied", message));
    }
    Ok(primary)
}

/// A folder that the store does not hold.
struct Pseudo {
    wanted: Wanted,
    mailbox: String,
    /// How often the mailbox had moved.
    moves: u32,
}

/// The id of a folder that the store does not hold.
fn pseudo_id(store: &Store, name: &str, mailbox: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let moves = store.mailbox(mailbox).map_or(0, |mailbox| mailbox.moves);
    STANDARD.encode(format!("\u{2}{name}\u{2}{moves}\u{2}{mailbox}"))
}

fn parse_pseudo_id(id: &str) -> Option<Pseudo> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = String::from_utf8(STANDARD.decode(id).ok()?).ok()?;
    let (name, rest) = text.strip_prefix('\u{2}')?.split_once('\u{2}')?;
    let (moves, mailbox) = rest.split_once('\u{2}')?;
    let wanted = match name {
        "root" => Wanted::Root,
        "top" => Wanted::Top,
        _ => return None,
    };
    Some(Pseudo { wanted, mailbox: mailbox.to_owned(), moves: moves.parse().ok()? })
}

/// The mailbox that an id embeds.
pub(super) fn mailbox_of_id(store: &Store, id: &str) -> Option<String> {
    let identified = store.identify(id).ok().map(|identified| identified.mailbox);
    identified.or_else(|| parse_pseudo_id(id).map(|pseudo| pseudo.mailbox))
}
