//! `POST /users/{mailbox}/calendars`: a calendar beside the default one.
//! <https://learn.microsoft.com/en-us/graph/api/user-post-calendars?view=graph-rest-1.0>

use http::Method;
use serde_json::json;

use super::{
    super::Calendar,
    GraphGateway,
    answer::CalendarAnswer,
    fault::{self, Verb},
    path,
    send::{self, Call},
};
use crate::model::{address::Address, fault::Fault};

/// Makes a calendar.
pub(super) async fn create_calendar(gateway: &GraphGateway, mailbox: &Address, name: &str) -> Result<Calendar, Fault> {
    let call = Call {
        mailbox,
        operation: "POST /users/{id}/calendars",
        method: Method::POST,
        path: format!("{}/calendars", path::user(mailbox)),
        body: json!({ "name": name }).to_string().into(),
        cost: 1,
        items: 1,
        verb: Verb::Create,
    };
    let answer: CalendarAnswer = send::read(gateway, &call).await?;
    match answer.id.filter(|id| !id.is_empty()) {
        Some(id) => Ok(Calendar { mailbox: mailbox.clone(), id }),
        None => Err(fault::of_nonsense(Verb::Create, "the new calendar has no id")),
    }
}
