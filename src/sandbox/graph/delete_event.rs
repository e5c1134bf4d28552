//! `DELETE …/events/{event}`: a single event, a series, or one occurrence.

use bytes::Bytes;
use http::Response;

use super::{super::answer, Ask, GraphError};

/// Deletes an event; its attendees are mailed the cancellation.
pub(super) fn answer(ask: &Ask<'_>, id: &str) -> Result<Response<Bytes>, GraphError> {
    let (target, present) = ask.event(id)?;
    ask.store.delete(ask.mailbox, &target, &ask.guard())?;
    ask.store.count_mails(ask.mailbox, u64::try_from(present.content.attendees.len()).unwrap_or(u64::MAX))?;
    Ok(answer::empty(204))
}
