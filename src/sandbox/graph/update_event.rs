//! `PATCH …/events/{event}`: a single event, a series, or one occurrence.

use bytes::Bytes;
use http::Response;

use super::{super::store::ChangeOrder, Ask, GraphError, event_in, event_out::check_select, one, query::Query};

/// Changes what the body names; attendees, old or new, are mailed.
pub(super) fn answer(ask: &Ask<'_>, query: &Query, id: &str) -> Result<Response<Bytes>, GraphError> {
    check_select(query)?;
    let (target, present) = ask.event(id)?;
    let event = event_in::event(ask.body()?)?;
    if event.transaction_id.is_some() {
        return Err(GraphError::new(400, "ErrorInvalidPropertyRequest", "transactionId can be set at creation alone."));
    }
    let is_draft = event.is_draft;
    let changes = event.into_changes(&present)?;
    let entry = ask.store.update(ask.mailbox, &target, &changes, ChangeOrder::Together, &ask.guard())?;
    let attendees = entry.content.attendees.len().max(present.content.attendees.len());
    if !is_draft {
        ask.store.count_mails(ask.mailbox, u64::try_from(attendees).unwrap_or(u64::MAX))?;
    }
    Ok(one(ask, query, 200, &entry))
}
