//! `GET …/events/{event}/instances`: the occurrences of a series in a window.

use bytes::Bytes;
use http::Response;

use super::{
    Ask, GraphError,
    event_out::{View, check_select, event},
    page::page,
    query::Query,
    window::window,
};

/// Lists the occurrences, deleted ones left out.
pub(super) fn answer(ask: &Ask<'_>, query: &Query, id: &str) -> Result<Response<Bytes>, GraphError> {
    check_select(query)?;
    let (from, to) = window(query)?;
    let (_, master) = ask.event(id)?;
    let mut entries = ask.store.instances(ask.mailbox, &master.id, from, to)?;
    if let Some(condition) = &query.filter {
        entries.retain(|entry| condition.holds(entry));
    }
    let view = View::new(&ask.prefer, query);
    Ok(page(ask, query, "instances", &entries, |entry| event(entry, &view)))
}
