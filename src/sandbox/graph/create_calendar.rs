//! `POST /users/{user}/calendars`.

use bytes::Bytes;
use http::Response;

use super::{super::answer, Ask, GraphError, calendar::calendar, members::Members, query::Query};

/// Creates a calendar beside the default one.
pub(super) fn answer(ask: &Ask<'_>) -> Result<Response<Bytes>, GraphError> {
    let members = Members::of(ask.body()?, "microsoft.graph.calendar", &["name", "color", "hexColor"])?;
    let name = members.text("name")?.filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| GraphError::property("A name is required."))?;
    let folder = ask.store.add_folder(ask.mailbox, name)?;
    let mut shown = calendar(&folder, &ask.store.mailbox(ask.mailbox)?, &Query::default());
    shown["@odata.context"] = ask.context("calendars/$entity").into();
    Ok(answer::json(201, &shown))
}
