//! From settings to everything that an engine runs on.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    auth::{self, AuthError, Authorization, Identity, TokenMemory, UntilRetired, ntlm::PasswordLogOn},
    clock::Clock,
    gateway::{
        Gateway,
        ews::{EwsConfig, EwsGateway},
        graph::{GraphConfig, GraphGateway},
    },
    http::{
        Transport,
        client::{HttpClientError, HttpConfig, ReqwestTransport},
        pinned::{LogOn, PinnedTransport},
    },
    model::link::Owner,
    scheduler::{Calendars, Limiter, Way, Ways, Wiring},
    settings::{Protocol, Settings, SideSettings},
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

/// A way to Outlook, and who we are on it.
pub(super) struct Outlook {
    pub(super) authorization: Arc<dyn Authorization>,
    pub(super) gateway: Arc<dyn Gateway>,
    pub(super) limiter: Arc<Limiter>,
}

/// Sets up the way to a side.
pub(super) fn outlook(
    settings: &Settings,
    side: &SideSettings,
    owner: &Owner,
    clock: &Arc<dyn Clock>,
    tokens: &TokenMemory,
) -> Result<Outlook, WiringError> {
    let limits = &settings.limits;
    let (transport, authorization) = way(settings, side, clock, tokens)?;
    let limiter =
        Arc::new(Limiter::new(Arc::clone(clock), limits.requests_per_minute, limits.mailbox_requests_per_minute));
    let pace: Arc<Limiter> = Arc::clone(&limiter);
    let gateway: Arc<dyn Gateway> = match &side.protocol {
        Protocol::Ews { url, version, access, ends } => {
            let authorization = match ends {
                Some(ends) => Arc::new(UntilRetired::new(Arc::clone(&authorization), Arc::clone(clock), *ends)),
                None => Arc::clone(&authorization),
            };
            let config = EwsConfig {
                url: url.clone(),
                version: *version,
                access: access.clone(),
                owner: owner.clone(),
                batch_size: usize::from(limits.batch_size),
                gzip_requests: limits.gzip_requests,
            };
            Arc::new(EwsGateway::new(transport, authorization, pace, config))
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
    Ok(Outlook { authorization, gateway, limiter })
}

/// How requests travel, and who we are in them.
type Travel = (Arc<dyn Transport>, Arc<dyn Authorization>);

/// The limits of HTTP, and the way into the network.
pub(super) fn http(settings: &Settings) -> HttpConfig {
    HttpConfig {
        request_timeout: settings.limits.request_timeout,
        idle_connections_max: usize::from(settings.exchange.max_threads),
        network: settings.network.clone(),
        ..HttpConfig::default()
    }
}

fn way(
    settings: &Settings,
    side: &SideSettings,
    clock: &Arc<dyn Clock>,
    tokens: &TokenMemory,
) -> Result<Travel, WiringError> {
    let http = http(settings);
    let credential = &side.credential;
    if let Some(log_on) = auth::log_on(credential, Arc::clone(clock))? {
        let as_port: Arc<dyn LogOn> = Arc::<PasswordLogOn>::clone(&log_on);
        return Ok((Arc::new(PinnedTransport::new(&http, as_port)?), log_on));
    }
    let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new(http)?);
    let authorization = auth::authorization(credential, Arc::clone(&transport), Arc::clone(clock), tokens)?;
    Ok((transport, authorization))
}

/// Puts everything together that an engine runs on.
///
/// # Errors
/// When TLS, the credential or a source cannot be set up.
pub fn wire(settings: &Settings, owner: &Owner, clock: &Arc<dyn Clock>) -> Result<Wiring, WiringError> {
    rewire(settings, owner, clock, &TokenMemory::default())
}

/// The same with what is known of tokens: a reload asks for no token that is there, and shows no refused credential again.
pub(super) fn rewire(
    settings: &Settings,
    owner: &Owner,
    clock: &Arc<dyn Clock>,
    tokens: &TokenMemory,
) -> Result<Wiring, WiringError> {
    let mut ways = Vec::new();
    for (side, side_settings) in &settings.exchange.sides {
        let Outlook { gateway, limiter, .. } = outlook(settings, side_settings, owner, clock, tokens)?;
        let (identity, calendars) = (Identity::of(side_settings), Calendars::default());
        ways.push(Way { side: *side, gateway, limiter, identity, calendars, left_alone: None });
    }
    let mut sources = BTreeMap::new();
    for (name, source) in &settings.sources {
        let opened = sources::open(name, source).map_err(|error| WiringError::Source { name: name.clone(), error })?;
        sources.insert(name.clone(), opened);
    }
    Ok(Wiring {
        ways: Ways::new(ways),
        sources,
        jobs: settings.jobs.clone(),
        rollout: settings.rollout.clone(),
        brake: settings.brake,
        limits: settings.limits.clone(),
        max_threads: usize::from(settings.exchange.max_threads),
        freeze_days: settings.limits.freeze_days,
        keep_history: settings.state.keep_history,
        calendar: settings.exchange.calendar.clone(),
    })
}
