//! Listings that come in pages: `@odata.nextLink` is followed on the same host only, never twice, and not for ever.
//! <https://learn.microsoft.com/en-us/graph/paging>

use std::collections::HashSet;

use super::{
    GraphGateway,
    answer::{EventAnswer, PageAnswer},
    batch::{Failure, Inner, Sender},
    fault::{self, Verb},
    send::{self, Call},
};
use crate::model::{
    address::Address,
    fault::{Fault, FaultKind},
};

/// Pages of one listing.
const PAGES_MAX: usize = 10_000;

/// The links of one listing that were followed.
#[derive(Default)]
struct Trail(HashSet<String>);

impl Trail {
    /// The path of the next page; `None` after the last one.
    fn next(&mut self, gateway: &GraphGateway, link: Option<String>) -> Result<Option<String>, Fault> {
        let Some(link) = link.filter(|link| !link.is_empty()) else {
            return Ok(None);
        };
        let root = &gateway.config.root;
        let path = link
            .get(..root.len())
            .filter(|start| start.eq_ignore_ascii_case(root))
            .and_then(|_| link[root.len()..].strip_prefix("/v1.0"))
            .filter(|path| path.starts_with('/'))
            .ok_or_else(|| fault::of_nonsense(Verb::Read, "a next page is on another server: it is not followed"))?
            .replace(' ', "%20");
        if self.0.len() >= PAGES_MAX {
            return Err(fault::of_nonsense(Verb::Read, format!("a listing has more than {PAGES_MAX} pages")));
        }
        if !self.0.insert(path.clone()) {
            return Err(fault::of_nonsense(Verb::Read, "a listing names the same next page twice"));
        }
        Ok(Some(path))
    }
}

/// All events of one listing, page after page.
pub(super) async fn read_all(
    gateway: &GraphGateway,
    mailbox: &Address,
    operation: &'static str,
    path: String,
) -> Result<Vec<EventAnswer>, Fault> {
    let (mut trail, mut events, mut next) = (Trail::default(), Vec::new(), Some(path));
    while let Some(path) = next {
        let page: PageAnswer = send::read(gateway, &Call::get(mailbox, operation, path)).await?;
        events.extend(whole(page.value)?);
        next = trail.next(gateway, page.next_link)?;
    }
    Ok(events)
}

/// The events of one listing, or why it was not read to its end.
pub(super) type Listing = Result<Vec<EventAnswer>, Failure>;

/// All events of several listings, read in batches; each listing ends well or with its own fault.
pub(super) async fn read_many(sender: &mut Sender<'_>, paths: Vec<String>) -> Vec<Listing> {
    let mut listings: Vec<Listing> = paths.iter().map(|_| Ok(Vec::new())).collect();
    let mut trails: Vec<Trail> = paths.iter().map(|_| Trail::default()).collect();
    let mut due: Vec<(usize, String)> = paths.into_iter().enumerate().collect();
    while !due.is_empty() {
        let requests: Vec<Inner<'_>> = due.iter().map(|(_, path)| Inner::get(path.clone())).collect();
        let answers = sender.run(&requests).await;
        let mut next = Vec::new();
        for ((listing, _), answer) in due.into_iter().zip(answers) {
            let page = answer.and_then(|body| {
                let page = body.into_page();
                let events = whole(page.value);
                let read =
                    events.and_then(|events| Ok((events, trails[listing].next(sender.gateway, page.next_link)?)));
                read.map_err(|fault| Failure { gone: false, fault })
            });
            match (page, &mut listings[listing]) {
                (Ok((events, link)), Ok(so_far)) => {
                    so_far.extend(events);
                    next.extend(link.map(|link| (listing, link)));
                }
                (Ok(_), Err(_)) => {}
                (Err(failure), so_far) => *so_far = Err(failure),
            }
        }
        due = next;
    }
    listings
}

/// The events of a page. A page without the array is not an empty page: nothing may be found missing by it.
fn whole(value: Option<Vec<EventAnswer>>) -> Result<Vec<EventAnswer>, Fault> {
    value.ok_or_else(|| fault::of_nonsense(Verb::Read, "a page of a listing has no value"))
}

/// The fault that stands for several: one that somebody must mend, else the one with the longest wait.
pub(super) fn gravest(faults: impl IntoIterator<Item = Fault>) -> Option<Fault> {
    faults.into_iter().max_by_key(|fault| (fault.kind == FaultKind::Permanent, fault.scope, fault.wait()))
}
