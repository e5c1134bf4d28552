//! `PATCH /users/{mailbox}/events/{id}`: only what has changed, never a transaction id.
//! <https://learn.microsoft.com/en-us/graph/api/event-update?view=graph-rest-1.0>

use super::{
    super::Calendar,
    batch::Inner,
    event::EventBody,
    fault::Verb,
    path,
    properties::{self, Said},
};
use crate::model::{
    event::{Content, DesiredEvent},
    fingerprint::Field,
    link::Owner,
    time::EventTime,
};

fn patch<'a>(calendar: &Calendar, id: &str, body: EventBody<'a>) -> Inner<'a> {
    Inner {
        method: "PATCH",
        url: path::event(&calendar.mailbox, id),
        body: Some(body),
        verb: Verb::Change,
        as_text: false,
    }
}

/// The request that writes some fields, and lays a series out anew or leaves it as it is. `said` is what the event says after it.
pub(super) fn update_event<'a>(
    calendar: &Calendar,
    id: &str,
    event: &'a DesiredEvent,
    (fields, lays_out): (&[Field], bool),
    said: Said<'a>,
) -> Inner<'a> {
    let mut body = EventBody::sparse(event, fields, lays_out);
    body.single_value_extended_properties = Some(properties::of(&event.key, said));
    patch(calendar, id, body)
}

/// The request that writes our properties only.
pub(super) fn update_properties<'a>(
    calendar: &Calendar,
    id: &str,
    event: &'a DesiredEvent,
    said: Said<'a>,
) -> Inner<'a> {
    update_event(calendar, id, event, (&[], false), said)
}

/// The request that writes whose event it is, and nothing else.
pub(super) fn update_owner<'a>(calendar: &Calendar, id: &str, owner: &'a Owner) -> Inner<'a> {
    let mut body = EventBody::default();
    body.single_value_extended_properties = Some(properties::of_owner(owner));
    patch(calendar, id, body)
}

/// The request that makes a single event of a series, which has no occurrences that differ.
pub(super) fn remove_recurrence<'a>(
    calendar: &Calendar,
    id: &str,
    event: &'a DesiredEvent,
    said: Said<'a>,
) -> Inner<'a> {
    let mut body = EventBody::without_recurrence();
    body.single_value_extended_properties = Some(properties::of(&event.key, said));
    patch(calendar, id, body)
}

/// The request that writes one occurrence as a whole.
pub(super) fn update_occurrence<'a>(
    calendar: &Calendar,
    id: &str,
    time: &EventTime,
    content: &'a Content,
) -> Inner<'a> {
    patch(calendar, id, EventBody::occurrence(time, content))
}
