//! `GET /users/{user}/calendar` and `/calendars/{calendar}`.

use bytes::Bytes;
use http::Response;

use super::{super::answer, Ask, GraphError, calendar::calendar, query::Query, wrong_id};

/// Shows a calendar.
pub(super) fn answer(ask: &Ask<'_>, query: &Query) -> Result<Response<Bytes>, GraphError> {
    let id = ask.calendar();
    let folder = ask
        .store
        .folder(ask.mailbox, id.as_deref())
        .map_err(|error| wrong_id(id.as_deref().unwrap_or_default(), error.into()))?;
    let mut shown = calendar(&folder, &ask.store.mailbox(ask.mailbox)?, query);
    shown["@odata.context"] = ask.context("calendars/$entity").into();
    Ok(answer::json(200, &shown))
}
