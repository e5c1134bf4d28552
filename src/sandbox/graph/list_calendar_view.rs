//! `GET …/calendarView`: what takes place in a window, series expanded.

use bytes::Bytes;
use http::Response;

use super::{
    Ask, GraphError,
    event_out::{View, check_select, event},
    filter::Condition,
    page::page,
    query::Query,
    window::window,
    wrong_id,
};

/// Lists what takes place. Extended properties fail here as they do in Graph: a filter is a 500, an expansion is dropped.
pub(super) fn answer(ask: &Ask<'_>, query: &Query) -> Result<Response<Bytes>, GraphError> {
    check_select(query)?;
    let (from, to) = window(query)?;
    if query.filter.as_ref().is_some_and(Condition::has_property) {
        let message = "An internal server error occurred. The operation failed.";
        return Err(GraphError::new(500, "ErrorInternalServerError", message));
    }
    let id = ask.calendar();
    let folder = ask
        .store
        .folder(ask.mailbox, id.as_deref())
        .map_err(|error| wrong_id(id.as_deref().unwrap_or_default(), error.into()))?;
    let mut entries = ask.store.view(ask.mailbox, Some(&folder.id), from, to)?;
    if let Some(condition) = &query.filter {
        entries.retain(|entry| condition.holds(entry));
    }
    let view = View::new(&ask.prefer, query).without_properties();
    Ok(page(ask, query, "calendarView", &entries, |entry| event(entry, &view)))
}
