//! The Test button: opens a mailbox with the configured credentials, step by step.

use std::{sync::Arc, time::Duration};

use super::wiring::outlook;
use crate::{
    clock::Clock,
    model::{
        address::Address,
        fault::{Fault, FaultScope},
        link::Owner,
        snapshot::Snapshot,
    },
    settings::{Credential, Protocol, Settings},
};

/// What a step of the test tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessStep {
    /// The host has an address and takes connections.
    Connection,
    /// We have something to show: a token, or the password.
    Credential,
    /// The server takes it, the mailbox is there and its calendar opens.
    Calendar,
    /// Our own items in it can be found.
    Items,
}

impl AccessStep {
    /// What the step tries, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Credential => "credential",
            Self::Calendar => "calendar",
            Self::Items => "items",
        }
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepResult {
    /// The step.
    pub step: AccessStep,
    /// What was tried, on what.
    pub tried: String,
    /// What came back, or the fault.
    pub result: Result<String, Fault>,
}

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Tests the access to `mailbox`, telling each step as it ends; the first that fails is the last. Writes nothing to the
/// calendar. Returns whether all went well.
pub async fn test_access(
    settings: &Settings,
    mailbox: &Address,
    clock: Arc<dyn Clock>,
    mut tell: impl FnMut(&StepResult),
) -> bool {
    let mut report = |step, tried: String, result: Result<String, Fault>| {
        let ok = result.is_ok();
        tell(&StepResult { step, tried, result });
        ok
    };
    let url = match &settings.exchange.protocol {
        Protocol::Ews { url, .. } => url.clone(),
        Protocol::Graph { root } => root.clone(),
    };
    let connected = connect(&url).await;
    if !report(AccessStep::Connection, format!("connect to {}", host_and_port(&url).unwrap_or(url)), connected) {
        return false;
    }
    // The test reads only: the name of an owner is never written.
    let outlook = match outlook(settings, &Owner(String::new()), &clock) {
        Ok(outlook) => outlook,
        Err(error) => {
            let fault = Fault::new(
                FaultScope::Credential,
                crate::model::fault::FaultKind::Permanent,
                "Settings",
                error.to_string(),
            );
            return report(AccessStep::Credential, "prepare the credential".to_owned(), Err(fault));
        }
    };
    let (tried, success) = match &settings.exchange.credential {
        Credential::Password { user, .. } => {
            (format!("prepare Basic authentication for {user}"), "ready; the next step shows whether it is taken")
        }
        Credential::ClientSecret { token_url, client_id, .. } => {
            (format!("get a token for application {client_id} from {token_url}"), "the token came")
        }
    };
    let header = outlook.authorization.header().await;
    if !report(AccessStep::Credential, tried, header.map(|_| success.to_owned())) {
        return false;
    }
    let opened = outlook.gateway.open(mailbox).await;
    let calendar = opened.as_ref().ok().cloned();
    let tried = format!("open the calendar of {mailbox}");
    if !report(AccessStep::Calendar, tried, opened.map(|_| "the calendar is open".to_owned())) {
        return false;
    }
    let Some(calendar) = calendar else { return false };
    let found = outlook.gateway.read(&calendar, None).await.map(|reading| match reading.snapshot {
        Snapshot::Whole(items) => format!("{} items carry our mark", items.len()),
        Snapshot::Changes { .. } | Snapshot::NotRead => "the calendar can be read".to_owned(),
    });
    report(AccessStep::Items, "look for our own items".to_owned(), found)
}

async fn connect(url: &str) -> Result<String, Fault> {
    let fault = |code: &str, message: String, hint: &str| {
        let kind = crate::model::fault::FaultKind::Transient { wait: None };
        Fault::new(FaultScope::Server, kind, code, message).hint(hint)
    };
    let Some(target) = host_and_port(url) else {
        return Err(fault("BadUrl", format!("{url} names no host"), "correct the address in [exchange]"));
    };
    let addresses = tokio::net::lookup_host(&target).await.map(Iterator::collect::<Vec<_>>).map_err(|error| {
        fault(
            "NameNotFound",
            format!("{target} has no address: {error}"),
            "check the host name and the DNS of this machine",
        )
    })?;
    let attempt = tokio::time::timeout(CONNECT_TIMEOUT, tokio::net::TcpStream::connect(addresses.as_slice())).await;
    match attempt {
        Ok(Ok(stream)) => {
            let peer = stream.peer_addr().map_or_else(|_| target.clone(), |peer| peer.to_string());
            Ok(format!("connected to {peer}"))
        }
        Ok(Err(error)) => Err(fault(
            "ConnectionRefused",
            format!("{target} does not take connections: {error}"),
            "check the port, the firewall and whether the server runs",
        )),
        Err(_) => Err(fault(
            "ConnectionTimedOut",
            format!("{target} did not answer within {} seconds", CONNECT_TIMEOUT.as_secs()),
            "check the firewall, and whether this machine needs a proxy",
        )),
    }
}

fn host_and_port(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let default = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    Some(format!("{}:{}", uri.host()?, uri.port_u16().unwrap_or(default)))
}
