//! `GET /users/{mailbox}/calendars`: every calendar of the mailbox.
//! <https://learn.microsoft.com/en-us/graph/api/user-list-calendars?view=graph-rest-1.0>

use super::{
    super::ListedCalendar,
    GraphGateway,
    answer::{CalendarAnswer, CalendarPage},
    fault::{self, Verb},
    path,
    send::{self, Call},
};
use crate::model::{address::Address, fault::Fault};

/// Calendars on one page: no mailbox has more that anybody would find their way in.
const PAGE_SIZE: usize = 1000;

/// The mailbox's own calendars. Those that others share with it are listed too, with another owner: they are left out.
pub(super) async fn list_calendars(gateway: &GraphGateway, mailbox: &Address) -> Result<Vec<ListedCalendar>, Fault> {
    let path = format!("{}/calendars?$select=id,name,owner&$top={PAGE_SIZE}", path::user(mailbox));
    let page: CalendarPage = send::read(gateway, &Call::get(mailbox, "GET /users/{id}/calendars", path)).await?;
    if page.next_link.is_some() {
        return Err(fault::of_nonsense(Verb::Read, format!("the mailbox has more than {PAGE_SIZE} calendars")));
    }
    let Some(calendars) = page.value else {
        return Err(fault::of_nonsense(Verb::Read, "the calendars that were asked for do not come"));
    };
    Ok(calendars.into_iter().filter(|calendar| is_own(calendar, mailbox)).filter_map(listed).collect())
}

fn is_own(calendar: &CalendarAnswer, mailbox: &Address) -> bool {
    let owner = calendar.owner.as_ref().and_then(|owner| owner.address.as_deref());
    owner.is_some_and(|owner| owner.eq_ignore_ascii_case(mailbox.as_str()))
}

fn listed(calendar: CalendarAnswer) -> Option<ListedCalendar> {
    let id = calendar.id.filter(|id| !id.is_empty())?;
    Some(ListedCalendar { id, name: calendar.name.unwrap_or_default() })
}
