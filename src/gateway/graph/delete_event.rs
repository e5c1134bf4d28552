//! `DELETE /users/{mailbox}/events/{id}`: the event goes to the deleted items; nobody is told, as nobody was invited.
//! <https://learn.microsoft.com/en-us/graph/api/event-delete?view=graph-rest-1.0>

use super::{super::Calendar, batch::Inner, fault::Verb, path};

/// The request, for an event, a series or one occurrence.
pub(super) fn delete_event(calendar: &Calendar, id: &str) -> Inner<'static> {
    Inner { method: "DELETE", url: path::event(&calendar.mailbox, id), body: None, verb: Verb::Change, as_text: false }
}
