//! `GET /users/{user}/calendars`.

use bytes::Bytes;
use http::Response;

use super::{Ask, GraphError, calendar::calendar, page::page, query::Query};

/// Lists the calendars, the default one first.
pub(super) fn answer(ask: &Ask<'_>, query: &Query) -> Result<Response<Bytes>, GraphError> {
    if query.filter.is_some() {
        return Err(GraphError::invalid("The sandbox lists calendars without $filter."));
    }
    let mailbox = ask.store.mailbox(ask.mailbox)?;
    let folders = ask.store.folders(ask.mailbox)?;
    Ok(page(ask, query, "calendars", &folders, |folder| calendar(folder, &mailbox, query)))
}
