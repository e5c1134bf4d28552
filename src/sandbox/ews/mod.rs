//! The EWS face: one file per operation, a parser and a writer of its own.
//!
//! The server calls [`parse`], may decide about faults and throttling by [`Call::operation`] and [`Call::mailbox`], and then
//! calls [`execute`]. Elements, their order and their values are checked as the schema has them for the version that the
//! request names; what the schema refuses is a SOAP fault, what Exchange refuses is an error of one item.

mod access;
mod calendar_item;
mod code;
mod create_folder;
mod create_item;
mod delete_item;
mod element;
mod envelope;
mod fault;
mod find_folder;
mod find_item;
mod folder;
mod get_folder;
mod get_item;
mod get_server_time_zones;
mod path;
mod property;
mod recurrence;
mod reply;
mod restriction;
mod shape;
mod sync_folder_items;
mod target;
mod time;
mod update_item;
mod value;
mod version;
mod vocabulary;
mod writer;
mod zone;

#[cfg(test)]
mod tests;

use self::{
    access::Session,
    element::Element,
    envelope::Header,
    fault::Fault,
    target::{FolderRef, ItemRef},
};
pub use reply::Reply;

use super::{caller::Caller, store::Store};

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";
const ERRORS: &str = "http://schemas.microsoft.com/exchange/services/2006/errors";

/// A request that the schema takes.
#[derive(Debug, Clone)]
pub struct Call {
    header: Header,
    operation: Operation,
}

#[derive(Debug, Clone)]
enum Operation {
    CreateFolder(create_folder::Request),
    CreateItem(create_item::Request),
    DeleteItem(delete_item::Request),
    FindFolder(find_folder::Request),
    FindItem(find_item::Request),
    GetFolder(get_folder::Request),
    GetItem(get_item::Request),
    GetServerTimeZones(get_server_time_zones::Request),
    SyncFolderItems(sync_folder_items::Request),
    UpdateItem(update_item::Request),
}

/// What a request is about: the folders and items that it names.
#[derive(Debug, Default)]
struct Targets<'a> {
    folders: Vec<&'a FolderRef>,
    items: Vec<&'a ItemRef>,
    count: usize,
}

/// Reads a request.
///
/// # Errors
/// The SOAP fault with which Exchange answers.
pub fn parse(body: &[u8]) -> Result<Call, Reply> {
    read(body).map_err(|fault| fault.reply())
}

fn read(body: &[u8]) -> Result<Call, Fault> {
    let root = Element::parse(body)?;
    let (header, element) = envelope::read(&root)?;
    let version = header.version;
    let operation = match element.name.as_str() {
        "CreateFolder" => Operation::CreateFolder(create_folder::Request::read(element)?),
        "CreateItem" => Operation::CreateItem(create_item::Request::read(element, version)?),
        "DeleteItem" => Operation::DeleteItem(delete_item::Request::read(element)?),
        "FindFolder" => Operation::FindFolder(find_folder::Request::read(element, version)?),
        "FindItem" => Operation::FindItem(find_item::Request::read(element, version)?),
        "GetFolder" => Operation::GetFolder(get_folder::Request::read(element, version)?),
        "GetItem" => Operation::GetItem(get_item::Request::read(element, version)?),
        "GetServerTimeZones" => Operation::GetServerTimeZones(get_server_time_zones::Request::read(element)?),
        "SyncFolderItems" => Operation::SyncFolderItems(sync_folder_items::Request::read(element, version)?),
        "UpdateItem" => Operation::UpdateItem(update_item::Request::read(element, version)?),
        _ => return Err(Fault::new("ErrorInvalidRequest", "The request is invalid.")),
    };
    Ok(Call { header, operation })
}

/// Carries a request out, in the half that the caller has logged on to.
pub fn execute(store: &Store, caller: &Caller, call: Call) -> Reply {
    let store = store.seen_from(caller.half());
    let session = match Session::open(&store, caller, &call.header) {
        Ok(session) => session,
        Err(fault) => return fault.reply(),
    };
    match call.operation {
        Operation::CreateFolder(request) => request.execute(&session),
        Operation::CreateItem(request) => request.execute(&session),
        Operation::DeleteItem(request) => request.execute(&session),
        Operation::FindFolder(request) => request.execute(&session),
        Operation::FindItem(request) => request.execute(&session),
        Operation::GetFolder(request) => request.execute(&session),
        Operation::GetItem(request) => request.execute(&session),
        Operation::GetServerTimeZones(request) => request.execute(&session),
        Operation::SyncFolderItems(request) => request.execute(&session),
        Operation::UpdateItem(request) => request.execute(&session),
    }
}

/// A SOAP fault of any code, for what the server itself decides.
pub fn fault(code: &'static str, message: &str) -> Reply {
    Fault::new(code, message).reply()
}

/// The SOAP fault of a busy server, which names how long to wait.
pub fn busy_fault(backoff_ms: u64) -> Reply {
    let message = "The server cannot service this request right now. Try again later.";
    Fault::with_values("ErrorServerBusy", message, vec![("BackOffMilliseconds", backoff_ms.to_string())]).reply()
}

impl Call {
    /// The name of the operation.
    pub const fn operation(&self) -> &'static str {
        match &self.operation {
            Operation::CreateFolder(_) => "CreateFolder",
            Operation::CreateItem(_) => "CreateItem",
            Operation::DeleteItem(_) => "DeleteItem",
            Operation::FindFolder(_) => "FindFolder",
            Operation::FindItem(_) => "FindItem",
            Operation::GetFolder(_) => "GetFolder",
            Operation::GetItem(_) => "GetItem",
            Operation::GetServerTimeZones(_) => "GetServerTimeZones",
            Operation::SyncFolderItems(_) => "SyncFolderItems",
            Operation::UpdateItem(_) => "UpdateItem",
        }
    }

    /// The primary address of the mailbox that the request is about: the impersonated one, else the one of the first
    /// `Mailbox` element, else the one that the first id embeds, else the caller's own. An address that the store does not
    /// know is given as it was sent.
    pub fn mailbox(&self, store: &Store, caller: &Caller) -> Option<String> {
        let targets = self.targets();
        let impersonated = self.header.impersonated.as_ref().and_then(|one| one.address(store));
        let explicit = || targets.folders.iter().find_map(|folder| folder.mailbox()).map(str::to_owned);
        let named = impersonated.or_else(explicit);
        if let Some(address) = named {
            let primary = store.mailbox(&address).ok().map(|mailbox| mailbox.settings.address);
            return Some(primary.unwrap_or(address));
        }
        let ids = targets.folders.iter().filter_map(|folder| folder.id());
        let ids = ids.chain(targets.items.iter().map(|item| item.id.as_str()));
        ids.into_iter().find_map(|id| access::mailbox_of_id(store, id)).or_else(|| caller.mailbox.clone())
    }

    /// Whether it is made for a newer version of the schema than this one.
    pub fn is_newer_than(&self, newest: &str) -> bool {
        version::Version::parse(newest).is_some_and(|newest| self.header.version > newest)
    }

    /// How many items, folders or searches the request asks for: as many response messages come back.
    pub fn item_count(&self) -> usize {
        self.targets().count
    }

    fn targets(&self) -> Targets<'_> {
        match &self.operation {
            Operation::CreateFolder(request) => request.targets(),
            Operation::CreateItem(request) => request.targets(),
            Operation::DeleteItem(request) => request.targets(),
            Operation::FindFolder(request) => request.targets(),
            Operation::FindItem(request) => request.targets(),
            Operation::GetFolder(request) => request.targets(),
            Operation::GetItem(request) => request.targets(),
            Operation::GetServerTimeZones(_) => Targets { count: 1, ..Targets::default() },
            Operation::SyncFolderItems(request) => request.targets(),
            Operation::UpdateItem(request) => request.targets(),
        }
    }
}

impl<'a> Targets<'a> {
    /// Folders, each with a message of its own.
    fn of_folders(folders: impl IntoIterator<Item = &'a FolderRef>) -> Self {
        let folders: Vec<_> = folders.into_iter().collect();
        Self { count: folders.len(), folders, items: Vec::new() }
    }

    /// Items, each with a message of its own.
    fn of_items(items: impl IntoIterator<Item = &'a ItemRef>) -> Self {
        let items: Vec<_> = items.into_iter().collect();
        Self { count: items.len(), folders: Vec::new(), items }
    }
}
