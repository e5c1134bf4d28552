//! `GET …/events/{event}`.

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::{
    super::{
        answer,
        store::{EntryKind, Exception, Target},
    },
    Ask, GraphError,
    event_out::{View, check_select, event},
    one,
    query::Query,
};

/// Shows an event; of a series, its changed occurrences too when they are expanded.
pub(super) fn answer(ask: &Ask<'_>, query: &Query, id: &str) -> Result<Response<Bytes>, GraphError> {
    check_select(query)?;
    let (_, entry) = ask.event(id)?;
    if !query.expand.exception_occurrences || entry.kind != EntryKind::Master {
        return Ok(one(ask, query, 200, &entry));
    }
    let plain = Query::default();
    let view = View::new(&ask.prefer, &plain);
    let mut changed = Vec::new();
    for (date, exception) in entry.series.iter().flat_map(|series| &series.exceptions) {
        if matches!(exception, Exception::Changed(_)) {
            let target = Target::Date { master: entry.id.clone(), date: *date };
            changed.push(event(&ask.store.get(ask.mailbox, &target)?, &view));
        }
    }
    let mut shown = event(&entry, &View::new(&ask.prefer, query));
    shown["@odata.context"] = ask.context("events/$entity").into();
    shown["exceptionOccurrences"] = Value::Array(changed);
    Ok(ask.applied(answer::json(200, &shown)))
}
