//! From settings to everything that an engine runs on.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    auth::{self, AuthError, Authorization},
    clock::Clock,
    gateway::{
        Gateway,
        ews::{EwsConfig, EwsGateway},
        graph::{GraphConfig, GraphGateway},
    },
    http::{
        Transport,
        client::{HttpClientError, HttpConfig, ReqwestTransport},
    },
    model::link::Owner,
    scheduler::{Calendars, Limiter, Wiring},
    settings::{Protocol, Settings},
    sources::{self, SourceError},
};

/// Events that Graph returns on one page of an inventory.
const GRAPH_PAGE_SIZE: usize = 100;

/// Why an engine cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// TLS.
    #[error(transparent)]
    Http(#[from] HttpClientError),
    /// The credential.
    #[error(transparent)]
    Credential(#[from] AuthError),
    /// A source.
    #[error("source {name}: {error}")]
    Source {
        /// Its name.
        name: String,
        /// Why.
        error: SourceError,
    },
}

/// The way to Outlook that the settings ask for, and who we are on it.
pub(super) struct Outlook {
    pub(super) transport: Arc<ReqwestTransport>,
    pub(super) authorization: Arc<dyn Authorization>,
    pub(super) gateway: Arc<dyn Gateway>,
    pub(super) limiter: Arc<Limiter>,
}

/// Sets up the way to Outlook.
pub(super) fn outlook(settings: &Settings, owner: &Owner, clock: &Arc<dyn Clock>) -> Result<Outlook, WiringError> {
    let limits = &settings.limits;
    let client = Arc::new(ReqwestTransport::new(HttpConfig {
        request_timeout: limits.request_timeout,
        idle_connections_max: usize::from(settings.exchange.max_threads),
        ..HttpConfig::default()
    })?);
    let transport: Arc<dyn Transport> = Arc::<ReqwestTransport>::clone(&client);
    let authorization = auth::authorization(&settings.exchange.credential, Arc::clone(&transport), Arc::clone(clock))?;
    let limiter =
        Arc::new(Limiter::new(Arc::clone(clock), limits.requests_per_minute, limits.mailbox_requests_per_minute));
    let pace: Arc<Limiter> = Arc::clone(&limiter);
    let gateway: Arc<dyn Gateway> = match &settings.exchange.protocol {
        Protocol::Ews { url, version, access } => {
            let config = EwsConfig {
                url: url.clone(),
                version: *version,
                access: access.clone(),
                owner: owner.clone(),
                batch_size: usize::from(limits.batch_size),
                gzip_requests: limits.gzip_requests,
            };
            Arc::new(EwsGateway::new(transport, Arc::clone(&authorization), pace, config))
        }
        Protocol::Graph { root } => {
            let config = GraphConfig {
                root: root.clone(),
                owner: owner.clone(),
                page_size: GRAPH_PAGE_SIZE,
                gzip_requests: limits.gzip_requests,
            };
            Arc::new(GraphGateway::new(transport, Arc::clone(&authorization), pace, Arc::clone(clock), config))
        }
    };
    Ok(Outlook { transport: client, authorization, gateway, limiter })
}

/// Puts everything together that an engine runs on.
///
/// # Errors
/// When TLS, the credential or a source cannot be set up.
pub fn wire(settings: &Settings, owner: &Owner, clock: &Arc<dyn Clock>) -> Result<Wiring, WiringError> {
    let Outlook { gateway, limiter, .. } = outlook(settings, owner, clock)?;
    let mut sources = BTreeMap::new();
    for (name, source) in &settings.sources {
        let opened = sources::open(name, source).map_err(|error| WiringError::Source { name: name.clone(), error })?;
        sources.insert(name.clone(), opened);
    }
    Ok(Wiring {
        gateway,
        limiter,
        sources,
        jobs: settings.jobs.clone(),
        rollout: settings.rollout.clone(),
        brake: settings.brake,
        limits: settings.limits.clone(),
        max_threads: usize::from(settings.exchange.max_threads),
        freeze_days: settings.limits.freeze_days,
        calendar: settings.exchange.calendar.clone(),
        calendars: Calendars::default(),
    })
}
