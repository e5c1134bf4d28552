//! `GET /users/{mailbox}/calendars/{id}/events`: the items that carry our properties. Never `calendarView`, which
//! cannot be filtered by them.
//! <https://learn.microsoft.com/en-us/graph/api/calendar-list-events?view=graph-rest-1.0>
//! <https://learn.microsoft.com/en-us/graph/api/singlevaluelegacyextendedproperty-get?view=graph-rest-1.0>

use super::{
    super::Calendar,
    GraphGateway,
    answer::EventAnswer,
    batch::Sender,
    fault::{self, Verb},
    pages, path, properties,
};
use crate::model::{fault::Fault, key::SourceKey, link::FoundItem};

fn listing(gateway: &GraphGateway, calendar: &Calendar, key: Option<&SourceKey>) -> String {
    format!(
        "{}?{}&{}&$top={}",
        path::calendar_events(&calendar.mailbox, &calendar.id),
        properties::filter(key),
        properties::selection(),
        gateway.config.page_size
    )
}

/// Every item of the calendar that carries a key.
pub(super) async fn inventory(gateway: &GraphGateway, calendar: &Calendar) -> Result<Vec<FoundItem>, Fault> {
    let path = listing(gateway, calendar, None);
    let operation = "GET /users/{id}/calendars/{id}/events";
    found(pages::read_all(gateway, &calendar.mailbox, operation, path).await?)
}

/// The items that carry one of the keys, one listing for each in a batch. Graph compares the values without regard to
/// case, we do not.
pub(super) async fn with_keys(
    gateway: &GraphGateway,
    calendar: &Calendar,
    keys: &[SourceKey],
) -> Result<Vec<FoundItem>, Fault> {
    let paths = keys.iter().map(|key| listing(gateway, calendar, Some(key))).collect();
    let (mut items, mut faults) = (Vec::new(), Vec::new());
    let mut sender = Sender::new(gateway, &calendar.mailbox);
    for (key, listing) in keys.iter().zip(pages::read_many(&mut sender, paths).await) {
        match listing.map_err(|failure| failure.fault).and_then(found) {
            Ok(found) => items.extend(found.into_iter().filter(|item| item.key == key.as_str())),
            Err(fault) => faults.push(fault),
        }
    }
    pages::gravest(faults).map_or(Ok(items), Err)
}

/// The items of ours among the events of a listing. One that was found by its key and comes without it makes the whole
/// reading worthless: taken as absent, it would be created again.
fn found(events: Vec<EventAnswer>) -> Result<Vec<FoundItem>, Fault> {
    let of_series = |event: &EventAnswer| matches!(event.r#type.as_deref(), Some("occurrence" | "exception"));
    let nameless = || fault::of_nonsense(Verb::Read, "an event of a listing comes without its id, change key or key");
    let items = events.into_iter().filter(|event| !of_series(event));
    items.map(|event| properties::found_item(event).ok_or_else(nameless)).collect()
}
