//! `GET /users/{user}`.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{super::answer, Ask, GraphError, query::Query};

/// The object id of the user of a primary address.
pub(in super::super) fn user_id(address: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("mailto:{}", address.to_lowercase()).as_bytes())
}

/// Shows a user.
pub(super) fn answer(ask: &Ask<'_>, query: &Query) -> Result<Response<Bytes>, GraphError> {
    let settings = ask.store.mailbox(ask.mailbox)?.settings;
    let mut shown = json!({
        "id": user_id(&settings.address).to_string(),
        "displayName": settings.display_name,
        "mail": settings.address,
        "userPrincipalName": settings.address,
    });
    if let (Some(select), Value::Object(map)) = (&query.select, &mut shown) {
        map.retain(|name, _| select.iter().any(|one| one == name));
    }
    Ok(answer::json(200, &shown))
}
