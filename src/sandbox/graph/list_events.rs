//! `GET …/events`: single events and masters of one calendar.

use bytes::Bytes;
use http::Response;

use super::{
    super::store::Filter,
    Ask, GraphError,
    event_out::{View, check_select, event},
    page::page,
    query::Query,
    wrong_id,
};

/// Lists the events that fit, in the order of their creation unless another is asked for.
pub(super) fn answer(ask: &Ask<'_>, query: &Query) -> Result<Response<Bytes>, GraphError> {
    check_select(query)?;
    let id = ask.calendar();
    let folder = ask
        .store
        .folder(ask.mailbox, id.as_deref())
        .map_err(|error| wrong_id(id.as_deref().unwrap_or_default(), error.into()))?;
    let in_store = query.filter.as_ref().map_or(Filter::All, super::filter::Condition::in_store);
    let mut entries = ask.store.find(ask.mailbox, Some(&folder.id), &in_store)?;
    if let Some(condition) = &query.filter {
        entries.retain(|entry| condition.holds(entry));
    }
    if let Some(downward) = query.order_by_start {
        entries.sort_by_key(|entry| entry.content.start);
        if downward {
            entries.reverse();
        }
    }
    let view = View::new(&ask.prefer, query);
    Ok(page(ask, query, "events", &entries, |entry| event(entry, &view)))
}
