//! The admin face `/sandbox/…`: looks into the mailboxes and does what people and administrators do. JSON in, JSON out.
//!
//! | request | does |
//! |---|---|
//! | `POST reset` | empties the mailboxes, unlocks the accounts, forgets faults and counts |
//! | `GET counters` | the counters |
//! | `GET mailboxes` | every mailbox with its state and counts |
//! | `PUT mailboxes/{address}/state` `{"state":"moving"}` | `active`, `full`, `moving`, `elsewhere` |
//! | `POST move` `{"mailbox":"…","to":"online","step":"begin"}` | moves a mailbox between the halves: see below |
//! | `GET mailboxes/{address}/items` | single items and masters, all fields |
//! | `GET mailboxes/{address}/view?from=…&to=…` | what takes place between two instants, series expanded |
//! | `POST mailboxes/{address}/items` | adds an item of the person's own, in Graph's JSON |
//! | `PATCH mailboxes/{address}/items/{id}` | edits an item as the person would, in Graph's JSON |
//! | `DELETE mailboxes/{address}/items/{id}` | deletes an item or an occurrence |
//! | `POST mailboxes/{address}/items/{id}/copy` | copies an item; the copy carries the named properties |
//! | `POST mailboxes/{address}/items/{id}/touch` | saves an item as it is: its change key is another |
//! | `POST mailboxes/{address}/settle` | rewrites what was written, as a server does by itself |
//! | `POST mailboxes/{address}/items/{id}/move` `{"folder":"…"}` | moves an item; its id changes |
//! | `GET mailboxes/{address}/calendars` | the calendars, the default one first |
//! | `PUT mailboxes/{address}/calendars/{id}` `{"name":"…"}` · `DELETE` | renames · deletes a calendar |
//! | `POST faults` · `DELETE faults` | adds a fault, as in the settings · forgets all |
//! | `POST tokens/revoke` | makes every token void |
//!
//! A move leads `to` `online` or `on_premises`. Its steps are `begin`, and then `complete` or `cancel`. `lose` names the items that
//! a move leaves behind when it completes, by the ids of before.

use bytes::Bytes;
use http::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    admin_item::item,
    answer,
    faces::Inbound,
    faults::Fault,
    graph::{GraphError, id_in, read_changes, read_draft},
    service::Sandbox,
    settings::MailboxCondition,
    store::{ChangeOrder, Filter, FolderInfo, Guard, Half, MailboxInfo, MailboxState, Store, StoreError, Target},
    urlencoded,
};

/// Why the admin face refuses.
#[derive(Debug)]
struct Refusal {
    status: u16,
    message: String,
}

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let status = match error {
            StoreError::UnknownMailbox(_) | StoreError::UnknownItem | StoreError::UnknownFolder => 404,
            _ => 400,
        };
        Self::new(status, error.to_string())
    }
}

impl From<GraphError> for Refusal {
    fn from(error: GraphError) -> Self {
        Self::new(400, error.message())
    }
}

/// Answers a request below `/sandbox/`.
pub(super) fn answer(sandbox: &Sandbox, inbound: &Inbound, path: &str) -> Response<Bytes> {
    let segments: Vec<String> = path.trim_matches('/').split('/').map(|one| urlencoded::decode(one, false)).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (status, body) = match carry_out(sandbox, inbound, &segments) {
        Ok(body) => (200, body),
        Err(Refusal { status, message }) => (status, json!({"error": message})),
    };
    answer::answer(status, "application/json", body.to_string())
}

fn carry_out(sandbox: &Sandbox, inbound: &Inbound, segments: &[&str]) -> Result<Value, Refusal> {
    match (inbound.method.as_str(), segments) {
        ("POST", ["reset"]) => sandbox.reset(),
        ("GET", ["counters"]) => return Ok(json!(sandbox.counts())),
        ("GET", ["mailboxes"]) => return Ok(sandbox.store().mailboxes().iter().map(mailbox).collect()),
        ("POST", ["faults"]) => sandbox.inject(read::<Fault>(inbound)?),
        ("DELETE", ["faults"]) => sandbox.calm(),
        ("POST", ["tokens", "revoke"]) => sandbox.revoke_tokens(),
        ("POST", ["move"]) => return move_mailbox(sandbox.store(), read(inbound)?),
        (_, ["mailboxes", address, rest @ ..]) => return in_mailbox(sandbox, inbound, address, rest),
        (method, _) => return Err(unknown(method, segments)),
    }
    Ok(json!({}))
}

/// A step of a move.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    mailbox: String,
    to: Half,
    step: Step,
    #[serde(default)]
    lose: Vec<String>,
}

#[derive(PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Begin,
    Complete,
    Cancel,
}

fn move_mailbox(store: &Store, Move { mailbox: address, to, step, lose }: Move) -> Result<Value, Refusal> {
    if step != Step::Complete && !lose.is_empty() {
        return Err(Refusal::new(400, "items are lost when a move completes"));
    }
    let moving_to = store.mailbox(&address)?.moving_to;
    if step != Step::Begin && moving_to.is_some_and(|half| half != to) {
        return Err(Refusal::new(400, "the mailbox is on the way to the other half"));
    }
    match step {
        Step::Begin => store.begin_move(&address, to)?,
        Step::Complete => {
            store.complete_move(&address, &lose.iter().map(|id| id_in(id)).collect::<Vec<_>>())?;
        }
        Step::Cancel => store.cancel_move(&address)?,
    }
    Ok(mailbox(&store.mailbox(&address)?))
}

fn in_mailbox(sandbox: &Sandbox, inbound: &Inbound, address: &str, segments: &[&str]) -> Result<Value, Refusal> {
    /// `{"state": …}`.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct State {
        state: MailboxCondition,
    }

    let store = sandbox.store();
    let target = |id: &str| Target::Id(id_in(id));
    match (inbound.method.as_str(), segments) {
        ("PUT", ["state"]) => {
            store.set_state(address, read::<State>(inbound)?.state.into())?;
            Ok(mailbox(&store.mailbox(address)?))
        }
        ("GET", ["items"]) => Ok(store.find(address, None, &Filter::All)?.iter().map(item).collect()),
        ("GET", ["view"]) => view(sandbox, inbound, address),
        ("POST", ["items"]) => Ok(item(&store.create(address, None, read_draft(&read(inbound)?)?)?)),
        ("PATCH", ["items", id]) => {
            let present = store.get(address, &target(id))?;
            let changes = read_changes(&read(inbound)?, &present)?;
            Ok(item(&store.update(address, &target(id), &changes, ChangeOrder::Together, &Guard::Any)?))
        }
        ("DELETE", ["items", id]) => {
            store.delete(address, &target(id), &Guard::Any)?;
            Ok(json!({}))
        }
        ("POST", ["items", id, "copy"]) => Ok(item(&store.copy_item(address, &id_in(id), None)?)),
        ("POST", ["items", id, "touch"]) => Ok(item(&store.touch(address, &target(id))?)),
        ("POST", ["settle"]) => {
            store.settle(address)?;
            Ok(json!({}))
        }
        ("POST", ["items", id, "move"]) => {
            let body: Value = if inbound.body.is_empty() { Value::Null } else { read(inbound)? };
            let folder = body["folder"].as_str().map(id_in);
            Ok(item(&store.move_item(address, &id_in(id), folder.as_deref())?))
        }
        ("GET", ["calendars"]) => {
            let shown = |folder: &FolderInfo| json!({"id": folder.id, "name": folder.name, "items": folder.item_count});
            Ok(store.folders(address)?.iter().map(shown).collect())
        }
        ("PUT", ["calendars", id]) => {
            store.rename_folder(address, &id_in(id), &read::<Name>(inbound)?.name)?;
            Ok(json!({}))
        }
        ("DELETE", ["calendars", id]) => {
            store.delete_folder(address, &id_in(id))?;
            Ok(json!({}))
        }
        (method, _) => Err(unknown(method, segments)),
    }
}

/// `{"name": …}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    name: String,
}

fn view(sandbox: &Sandbox, inbound: &Inbound, address: &str) -> Result<Value, Refusal> {
    let query = urlencoded::pairs(&inbound.query);
    let instant = |name: &str| {
        let text = urlencoded::value(&query, name).unwrap_or_default();
        text.parse()
            .map_err(|_| Refusal::new(400, format!("{name}: {text:?} is not an instant such as 2026-11-23T00:00:00Z")))
    };
    let entries = sandbox.store().view(address, None, instant("from")?, instant("to")?)?;
    Ok(entries.iter().map(item).collect())
}

fn unknown(method: &str, segments: &[&str]) -> Refusal {
    Refusal::new(404, format!("no such request: {method} {}", segments.join("/")))
}

fn read<T: for<'a> Deserialize<'a>>(inbound: &Inbound) -> Result<T, Refusal> {
    serde_json::from_slice(&inbound.body)
        .map_err(|error| Refusal::new(400, format!("the body cannot be read: {error}")))
}

fn mailbox(mailbox: &MailboxInfo) -> Value {
    json!({
        "address": mailbox.settings.address,
        "name": mailbox.settings.display_name,
        "aliases": mailbox.settings.aliases,
        "zone": mailbox.settings.zone.as_ref().map(super::store::Zone::id),
        "half": mailbox.settings.half,
        "moving_to": mailbox.moving_to,
        "moves": mailbox.moves,
        "state": match mailbox.settings.state {
            MailboxState::Normal => "active",
            MailboxState::Full => "full",
            MailboxState::Moving => "moving",
            MailboxState::Elsewhere => "elsewhere",
        },
        "items": mailbox.item_count,
        "mails_sent": mailbox.mails_sent,
    })
}
