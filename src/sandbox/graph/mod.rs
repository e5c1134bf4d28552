//! The Graph face: one file per operation, with readers and writers of its own.
//!
//! Everything works on whole requests that have passed the door (`faces::graph`): [`route`] says what is asked for,
//! [`carry_out`] does it. Unknown members, options and paths are refused.
//!
//! Where Microsoft's documentation is silent: a repeated `transactionId` is 409 `ErrorDuplicateTransactionId` without an id,
//! also after the event is gone; whole days are shown as their dates in whatever zone is asked for; `/users/{id}/events`
//! holds the default calendar alone.

pub(super) mod batch;
mod calendar;
mod create_calendar;
mod create_event;
mod delete_event;
mod error;
mod event_in;
mod event_out;
mod filter;
mod get_calendar;
mod get_event;
mod get_user;
mod list_calendar_view;
mod list_calendars;
mod list_events;
mod list_instances;
mod members;
mod odata;
mod page;
mod prefer;
mod property_id;
mod query;
mod recurrence_in;
mod recurrence_out;
mod route;
mod update_event;
mod window;
mod words;

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use self::query::Query;
pub(super) use self::{
    error::GraphError,
    get_user::user_id,
    prefer::{Prefer, prefer},
    route::{Operation, Route, route},
};
pub(super) use self::{property_id::id_in, recurrence_out::recurrence as recurrence_json};
use super::{
    answer,
    store::{Change, Draft, Entry, Guard, Store, Target},
};

/// One request, read as far as all operations have in common.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    /// The mailboxes.
    pub(super) store: &'a Store,
    /// What is asked for.
    pub(super) route: &'a Route,
    /// The address of the mailbox.
    pub(super) mailbox: &'a str,
    /// The header `Prefer`.
    pub(super) prefer: Prefer,
    /// The query, percent-encoded.
    pub(super) query: &'a str,
    /// The body.
    pub(super) body: Option<&'a Value>,
    /// The header `If-Match`.
    pub(super) if_match: Option<&'a str>,
    /// The address that was asked, without the query, for links to the next page.
    pub(super) address: &'a str,
}

/// Carries out an operation.
pub(super) fn carry_out(ask: &Ask<'_>) -> Result<Response<Bytes>, GraphError> {
    let query = query::query(ask.query)?;
    match &ask.route.operation {
        Operation::GetUser => get_user::answer(ask, &query),
        Operation::GetCalendar => get_calendar::answer(ask, &query),
        Operation::ListCalendars => list_calendars::answer(ask, &query),
        Operation::CreateCalendar => create_calendar::answer(ask),
        Operation::ListEvents => list_events::answer(ask, &query),
        Operation::CreateEvent => create_event::answer(ask, &query),
        Operation::GetEvent(id) => get_event::answer(ask, &query, id),
        Operation::UpdateEvent(id) => update_event::answer(ask, &query, id),
        Operation::DeleteEvent(id) => delete_event::answer(ask, id),
        Operation::ListInstances(id) => list_instances::answer(ask, &query, id),
        Operation::ListCalendarView => list_calendar_view::answer(ask, &query),
    }
}

impl Ask<'_> {
    /// The body, which must be there.
    fn body(&self) -> Result<&Value, GraphError> {
        self.body.ok_or_else(|| GraphError::body("Empty Payload. JSON content expected."))
    }

    /// The id of the calendar as the store knows it.
    fn calendar(&self) -> Option<String> {
        self.route.calendar.as_deref().map(id_in)
    }

    /// The event of an id, in the calendar that the path names.
    fn event(&self, id: &str) -> Result<(Target, Entry), GraphError> {
        let target = Target::Id(id_in(id));
        let entry = self.store.get(self.mailbox, &target).map_err(|error| wrong_id(id, error.into()))?;
        if self.calendar().is_some_and(|calendar| calendar != entry.folder_id) {
            return Err(GraphError::not_found());
        }
        Ok((target, entry))
    }

    /// The condition of `If-Match`.
    fn guard(&self) -> Guard {
        match self.if_match {
            None | Some("*") => Guard::Any,
            Some(etag) => Guard::ChangeKey(etag.trim_start_matches("W/").trim_matches('"').to_owned()),
        }
    }

    /// The header that says which preferences count.
    fn applied(&self, response: Response<Bytes>) -> Response<Bytes> {
        let mut applied = Vec::new();
        if self.prefer.immutable_ids {
            applied.push("IdType=\"ImmutableId\"".to_owned());
        }
        if let Some((_, name)) = &self.prefer.zone {
            applied.push(format!("outlook.timezone=\"{name}\""));
        }
        if self.prefer.text_bodies {
            applied.push("outlook.body-content-type=\"text\"".to_owned());
        }
        if applied.is_empty() {
            return response;
        }
        answer::with_header(response, "preference-applied", &applied.join(", "))
    }

    /// `@odata.context`.
    fn context(&self, of: &str) -> String {
        let root = self.address.find("/v1.0/").map_or("", |at| &self.address[..at]);
        format!("{root}/v1.0/$metadata#users('{}')/{of}", self.route.user)
    }
}

/// Reads a new event in Graph's form, for the admin face.
pub(super) fn read_draft(value: &Value) -> Result<Draft, GraphError> {
    event_in::event(value)?.into_draft()
}

/// Reads changes of an event in Graph's form, for the admin face.
pub(super) fn read_changes(value: &Value, present: &Entry) -> Result<Vec<Change>, GraphError> {
    event_in::event(value)?.into_changes(present)
}

/// An id that looks like one but is none, such as one with a letter in the other case, is of something that is not there.
fn wrong_id(id: &str, error: GraphError) -> GraphError {
    const ID_LENGTH: usize = 36;
    if error.code == "ErrorInvalidIdMalformed" && id.len() == ID_LENGTH { GraphError::not_found() } else { error }
}

/// An event with its context, as one answer.
fn one(ask: &Ask<'_>, query: &Query, status: u16, entry: &Entry) -> Response<Bytes> {
    let view = event_out::View::new(&ask.prefer, query);
    let mut body = event_out::event(entry, &view);
    if let Value::Object(map) = &mut body {
        map.shift_insert(0, "@odata.context".to_owned(), ask.context("events/$entity").into());
    }
    ask.applied(answer::json(status, &body))
}
