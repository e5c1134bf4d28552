//! Writes a calendar.

use serde_json::{Value, json};

use super::{
    super::store::{FolderInfo, MailboxInfo},
    property_id::id_out,
    query::Query,
};

/// The JSON of a calendar.
pub(super) fn calendar(folder: &FolderInfo, mailbox: &MailboxInfo, query: &Query) -> Value {
    let mut shown = json!({
        "id": id_out(&folder.id),
        "name": folder.name,
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": folder.is_default,
        "changeKey": folder.change_key,
        "canShare": true,
        "canViewPrivateItems": true,
        "canEdit": true,
        "allowedOnlineMeetingProviders": [],
        "defaultOnlineMeetingProvider": "unknown",
        "isTallyingResponses": folder.is_default,
        "isRemovable": !folder.is_default,
        "owner": {"name": mailbox.settings.display_name, "address": mailbox.settings.address},
    });
    if let (Some(select), Value::Object(map)) = (&query.select, &mut shown) {
        map.retain(|name, _| name == "id" || select.iter().any(|one| one == name));
    }
    shown
}
