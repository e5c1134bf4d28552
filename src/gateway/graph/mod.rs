//! Microsoft Graph v1.0: the `event` resource of the mailbox's own calendar, written in `$batch` requests.
//! <https://learn.microsoft.com/en-us/graph/api/resources/event?view=graph-rest-1.0>
//!
//! *Invariant*: no request carries attendees, because Graph has no way to keep it from mailing them. Every request asks
//! for immutable ids. No request holds two writes for one item.

mod answer;
mod apply;
mod batch;
mod create_calendar;
mod create_event;
mod delete_event;
mod event;
mod fault;
mod get_calendar;
mod get_event;
mod list_calendars;
mod list_events;
mod list_instances;
mod occurrences;
mod pages;
mod path;
mod properties;
mod recurrence;
mod send;
mod update_event;

use std::{fmt, sync::Arc};

use super::{
    Answer, BatchLimits, Calendar, Gateway, Later, ListedCalendar, Pace, Reading, Write, acceptance::Acceptance,
    of_mailbox,
};
use crate::{
    auth::Authorization,
    clock::Clock,
    http::Transport,
    model::{
        address::Address,
        fault::Fault,
        key::SourceKey,
        link::{FoundItem, ItemRef, Owner},
        shown::Seen,
        snapshot::Snapshot,
    },
};

/// How Graph is used.
#[derive(Debug, Clone)]
pub struct GraphConfig {
    /// The root without `/v1.0`, such as `https://graph.microsoft.com`.
    pub root: String,
    /// What our items say as their owner.
    pub owner: Owner,
    /// Events of one page of a listing, 1–1000.
    pub page_size: usize,
    /// Compress what we send.
    pub gzip_requests: bool,
}

/// The gateway to Microsoft Graph.
pub struct GraphGateway {
    transport: Arc<dyn Transport>,
    authorization: Arc<dyn Authorization>,
    acceptance: Acceptance,
    pace: Arc<dyn Pace>,
    clock: Arc<dyn Clock>,
    config: GraphConfig,
}

impl GraphGateway {
    /// A gateway that sends through `transport`, when `pace` admits it.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        authorization: Arc<dyn Authorization>,
        pace: Arc<dyn Pace>,
        clock: Arc<dyn Clock>,
        config: GraphConfig,
    ) -> Self {
        let root = config.root.trim_end_matches('/').to_owned();
        let page_size = config.page_size.clamp(1, 1000);
        let config = GraphConfig { root, page_size, ..config };
        Self { transport, authorization, acceptance: Acceptance::default(), pace, clock, config }
    }
}

impl fmt::Debug for GraphGateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GraphGateway").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Gateway for GraphGateway {
    fn batch_limits(&self) -> BatchLimits {
        BatchLimits { writes: batch::REQUESTS_MAX, keys: batch::REQUESTS_MAX }
    }

    fn open<'a>(&'a self, mailbox: &'a Address) -> Later<'a, Result<Calendar, Fault>> {
        Box::pin(get_calendar::get_calendar(self, mailbox))
    }

    fn calendars<'a>(&'a self, mailbox: &'a Address) -> Later<'a, Result<Vec<ListedCalendar>, Fault>> {
        Box::pin(list_calendars::list_calendars(self, mailbox))
    }

    fn create_calendar<'a>(&'a self, mailbox: &'a Address, name: &'a str) -> Later<'a, Result<Calendar, Fault>> {
        Box::pin(async move { create_calendar::create_calendar(self, mailbox, name).await.map_err(of_mailbox) })
    }

    fn read<'a>(&'a self, calendar: &'a Calendar, _: Option<&'a str>) -> Later<'a, Result<Reading, Fault>> {
        Box::pin(async move {
            let items = list_events::inventory(self, calendar).await?;
            Ok(Reading { snapshot: Snapshot::Whole(items), cursor: None })
        })
    }

    fn probe<'a>(&'a self, calendar: &'a Calendar, keys: &'a [SourceKey]) -> Later<'a, Result<Vec<FoundItem>, Fault>> {
        Box::pin(list_events::with_keys(self, calendar, keys))
    }

    fn look<'a>(&'a self, calendar: &'a Calendar, items: &'a [ItemRef]) -> Later<'a, Result<Vec<Seen>, Fault>> {
        Box::pin(get_event::look(self, calendar, items))
    }

    fn apply<'a>(&'a self, calendar: &'a Calendar, writes: &'a [Write]) -> Later<'a, Vec<Answer>> {
        Box::pin(apply::apply(self, calendar, writes))
    }

    fn own<'a>(&'a self, calendar: &'a Calendar, items: &'a [ItemRef]) -> Later<'a, Vec<Result<(), Fault>>> {
        Box::pin(apply::own(self, calendar, items))
    }
}

#[cfg(test)]
mod tests;
