//! `POST /users/{mailbox}/calendars/{id}/events`: a new event, with our properties from the first moment on.
//! <https://learn.microsoft.com/en-us/graph/api/calendar-post-events?view=graph-rest-1.0>

use uuid::Uuid;

use super::{
    super::{Calendar, PROPERTY_SET},
    batch::Inner,
    event::EventBody,
    fault::Verb,
    path,
    properties::{self, Said},
};
use crate::model::event::DesiredEvent;

/// The name space of our transaction ids: the property set.
const NAMESPACE: Uuid = match Uuid::try_parse(PROPERTY_SET) {
    Ok(uuid) => uuid,
    Err(_) => Uuid::NAMESPACE_OID,
};

/// The request. `said` is what the event says once it is there.
pub(super) fn create_event<'a>(calendar: &Calendar, event: &'a DesiredEvent, said: Said<'a>) -> Inner<'a> {
    let mut body = EventBody::whole(event);
    body.transaction_id = Some(transaction_id(calendar, event, said.generation).to_string());
    body.single_value_extended_properties = Some(properties::of(&event.key, said));
    let url = path::calendar_events(&calendar.mailbox, &calendar.id);
    Inner { method: "POST", url, body: Some(body), verb: Verb::Create, as_text: false }
}

/// The same create always has the same id, so that the server recognises a repetition; an item that is created anew
/// after it was deleted has another one.
fn transaction_id(calendar: &Calendar, event: &DesiredEvent, generation: i64) -> Uuid {
    let name = format!("{}\n{}\n{generation}", calendar.mailbox, event.key);
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}
