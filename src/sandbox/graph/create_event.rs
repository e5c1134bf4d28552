//! `POST /users/{user}/events`, `/calendar/events`, `/calendars/{calendar}/events`.

use bytes::Bytes;
use http::Response;

use super::{Ask, GraphError, event_in, event_out::check_select, one, query::Query, wrong_id};

/// Creates an event; attendees are mailed at once.
pub(super) fn answer(ask: &Ask<'_>, query: &Query) -> Result<Response<Bytes>, GraphError> {
    check_select(query)?;
    let event = event_in::event(ask.body()?)?;
    let mails = event.mails();
    let calendar = ask.calendar();
    let entry = ask
        .store
        .create(ask.mailbox, calendar.as_deref(), event.into_draft()?)
        .map_err(|error| wrong_id(calendar.as_deref().unwrap_or_default(), error.into()))?;
    ask.store.count_mails(ask.mailbox, mails)?;
    Ok(one(ask, query, 201, &entry))
}
