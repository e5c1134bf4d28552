//! Outlook through Exchange Web Services: one file for each operation.
//!
//! *Invariant*: a request that writes names a folder or an item of the mailbox that it is for, and says `SendToNone`.

#![allow(clippy::result_large_err, reason = "a fault is the port's error; errors are rare and never copied in a loop")]

mod apply;
mod batch;
mod calendar_item;
mod client;
mod create_folder;
mod create_item;
mod delete_item;
mod document;
mod envelope;
mod fault;
mod find_folder;
mod find_item;
mod get_folder;
mod get_item;
mod get_shown;
mod occurrences;
mod operation;
mod read;
mod recurrence;
mod response;
mod route;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod sandbox_tests;
mod series;
mod sync_folder_items;
#[cfg(test)]
mod tests;
mod update_item;
mod xml;

use std::sync::Arc;

use super::{
    Answer, BatchLimits, Calendar, Gateway, Later, ListedCalendar, Pace, Reading, Write, acceptance::Acceptance,
    of_mailbox,
};
use crate::{
    auth::Authorization,
    clock::{Clock, SystemClock},
    http::Transport,
    model::{
        address::Address,
        fault::Fault,
        key::SourceKey,
        link::{FoundItem, ItemRef, Owner},
        shown::Seen,
    },
    settings::{EwsAccess, ServerVersion},
};
use client::Client;
use create_folder::CreateFolder;
use find_folder::FindFolder;
use get_folder::GetFolder;
use route::Route;

/// Keys of one probe: each is a comparison of the restriction.
const PROBE_KEYS_MAX: usize = 50;

/// How EWS is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EwsConfig {
    /// The address of the service, such as `https://mail.example.test/EWS/Exchange.asmx`.
    pub url: String,
    /// The schema version that requests are made for.
    pub version: ServerVersion,
    /// How the account gets into a mailbox.
    pub access: EwsAccess,
    /// The name that is written on our items.
    pub owner: Owner,
    /// How many items one request carries.
    pub batch_size: usize,
    /// Whether requests are compressed.
    pub gzip_requests: bool,
}

/// Outlook through Exchange Web Services.
#[derive(Debug)]
pub struct EwsGateway {
    client: Client,
}

impl EwsGateway {
    /// A gateway on the machine's clock.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        authorization: Arc<dyn Authorization>,
        pace: Arc<dyn Pace>,
        config: EwsConfig,
    ) -> Self {
        let clock = Arc::new(SystemClock);
        let acceptance = Acceptance::default();
        Self { client: Client { transport, authorization, acceptance, pace, clock, config } }
    }

    /// The same gateway on another clock: it measures requests and reads `Retry-After` dates by it.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.client.clock = clock;
        self
    }
}

impl Gateway for EwsGateway {
    fn batch_limits(&self) -> BatchLimits {
        let writes = self.client.config.batch_size.max(1);
        BatchLimits { writes, keys: writes.min(PROBE_KEYS_MAX) }
    }

    fn open<'a>(&'a self, mailbox: &'a Address) -> Later<'a, Result<Calendar, Fault>> {
        Box::pin(async move {
            let operation = GetFolder { route: Route::new(&self.client.config.access, mailbox) };
            let id = self.client.send(mailbox, &operation).await?;
            Ok(Calendar { mailbox: mailbox.clone(), id })
        })
    }

    fn calendars<'a>(&'a self, mailbox: &'a Address) -> Later<'a, Result<Vec<ListedCalendar>, Fault>> {
        Box::pin(async move {
            let route = Route::new(&self.client.config.access, mailbox);
            self.client.send(mailbox, &FindFolder { route }).await
        })
    }

    fn create_calendar<'a>(&'a self, mailbox: &'a Address, name: &'a str) -> Later<'a, Result<Calendar, Fault>> {
        Box::pin(async move {
            let route = Route::new(&self.client.config.access, mailbox);
            let id = self.client.send(mailbox, &CreateFolder { route, name }).await.map_err(of_mailbox)?;
            Ok(Calendar { mailbox: mailbox.clone(), id })
        })
    }

    fn read<'a>(&'a self, calendar: &'a Calendar, cursor: Option<&'a str>) -> Later<'a, Result<Reading, Fault>> {
        Box::pin(read::read(&self.client, calendar, cursor))
    }

    fn probe<'a>(&'a self, calendar: &'a Calendar, keys: &'a [SourceKey]) -> Later<'a, Result<Vec<FoundItem>, Fault>> {
        Box::pin(async move {
            let mut found = Vec::new();
            for some in keys.chunks(self.batch_limits().keys) {
                found.extend(read::probe(&self.client, calendar, some).await?);
            }
            Ok(found)
        })
    }

    fn look<'a>(&'a self, calendar: &'a Calendar, items: &'a [ItemRef]) -> Later<'a, Result<Vec<Seen>, Fault>> {
        Box::pin(get_shown::look(&self.client, calendar, items))
    }

    fn apply<'a>(&'a self, calendar: &'a Calendar, writes: &'a [Write]) -> Later<'a, Vec<Answer>> {
        Box::pin(apply::apply(&self.client, calendar, writes))
    }

    fn own<'a>(&'a self, calendar: &'a Calendar, items: &'a [ItemRef]) -> Later<'a, Vec<Result<(), Fault>>> {
        Box::pin(apply::own(&self.client, calendar, items))
    }
}
