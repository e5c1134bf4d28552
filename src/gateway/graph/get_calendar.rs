//! `GET /users/{mailbox}/calendar`: the mailbox's own calendar.
//! <https://learn.microsoft.com/en-us/graph/api/calendar-get?view=graph-rest-1.0>

use super::{
    super::Calendar,
    GraphGateway,
    answer::CalendarAnswer,
    fault::{self, Verb},
    path,
    send::{self, Call},
};
use crate::model::{
    address::Address,
    fault::{Fault, FaultKind, FaultScope},
};

/// Opens the calendar of a mailbox. Its owner must be the mailbox that was asked for: what is written to it is written
/// to the person that the source means.
pub(super) async fn get_calendar(gateway: &GraphGateway, mailbox: &Address) -> Result<Calendar, Fault> {
    let path = format!("{}/calendar?$select=id,name,owner", path::user(mailbox));
    let answer: CalendarAnswer = send::read(gateway, &Call::get(mailbox, "GET /users/{id}/calendar", path)).await?;
    let Some(id) = answer.id.filter(|id| !id.is_empty()) else {
        return Err(fault::of_nonsense(Verb::Read, "the calendar that was asked for has no id"));
    };
    match answer.owner.and_then(|owner| owner.address) {
        Some(owner) if owner.eq_ignore_ascii_case(mailbox.as_str()) => Ok(Calendar { mailbox: mailbox.clone(), id }),
        Some(owner) => {
            let message = format!("the calendar of {mailbox} belongs to {owner}");
            let hint = format!("if {mailbox} is another name of the same person, use {owner} in its place");
            Err(Fault::new(FaultScope::Mailbox, FaultKind::Permanent, "OwnerMismatch", message).hint(hint))
        }
        None => {
            let message = format!("the calendar of {mailbox} does not say whose it is");
            Err(Fault::new(FaultScope::Mailbox, FaultKind::Permanent, "OwnerUnknown", message)
                .hint("make sure that the address is that of a person's own mailbox"))
        }
    }
}
