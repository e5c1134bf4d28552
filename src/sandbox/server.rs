//! The sandbox on a socket.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    response::Response,
};
use bytes::Bytes;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    counters::Counts,
    error::SandboxError,
    faces::Outcome,
    faults::Fault,
    service::Sandbox,
    settings::SandboxSettings,
    tls,
    wire::{Door, Wire},
};
use crate::clock::{Clock, SystemClock};

/// How long a stop waits for requests in flight.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// A sandbox that listens; it stops when dropped.
#[derive(Debug)]
pub struct RunningSandbox {
    sandbox: Sandbox,
    address: SocketAddr,
    secure: bool,
    certificate: Option<String>,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox on the machine's clock; port 0 takes any free port.
    ///
    /// # Errors
    /// [`SandboxError`]: settings, port in use, recording.
    pub async fn start(
        settings: SandboxSettings,
        listen: SocketAddr,
        record: Option<PathBuf>,
    ) -> Result<RunningSandbox, SandboxError> {
        Self::start_with_clock(settings, listen, record, Arc::new(SystemClock)).await
    }

    /// Starts a sandbox on a clock.
    ///
    /// # Errors
    /// [`SandboxError`]: settings, port in use, recording.
    pub async fn start_with_clock(
        settings: SandboxSettings,
        listen: SocketAddr,
        record: Option<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Result<RunningSandbox, SandboxError> {
        let tls = tls::prepare(&settings.tls)?;
        let sandbox = Self::new(settings, record, clock)?;
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => SandboxError::PortInUse { listen },
            _ => SandboxError::Listen { listen, source },
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (secure, certificate) = (tls.is_some(), tls.as_ref().and_then(|tls| tls.self_made.clone()));
        let stop = CancellationToken::new();
        let router = Router::new().fallback(handle).with_state(sandbox.clone());
        let service = router.into_make_service_with_connect_info::<Wire>();
        let serve = axum::serve(Door { listener, tls }, service).with_graceful_shutdown(stop.clone().cancelled_owned());
        let task = tokio::spawn(async move {
            // Errors of single connections are handled inside; the accept loop itself never ends with one.
            let _ = serve.await;
        });
        Ok(RunningSandbox { sandbox, address, secure, certificate, stop, task: Some(task) })
    }
}

impl RunningSandbox {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its root, such as `http://127.0.0.1:4242`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.address)
    }

    /// The self-made certificate, PEM.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// The sandbox behind the socket.
    #[must_use]
    pub const fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// A reading of the counters.
    #[must_use]
    pub fn counters(&self) -> Counts {
        self.sandbox.counts()
    }

    /// Adds a fault, which counts requests from now.
    pub fn inject(&self, fault: Fault) {
        self.sandbox.inject(fault);
    }

    /// Takes no new connections, lets requests in flight finish for a moment, and ends.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            let _ = tokio::time::timeout(STOP_TIMEOUT, task).await;
        }
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

/// One request on the socket: read whole, answered by the sandbox, or cut.
async fn handle(State(sandbox): State<Sandbox>, ConnectInfo(wire): ConnectInfo<Wire>, request: Request) -> Response {
    wire.count(sandbox.settings().close_every);
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(wire.clone());
    let body = match axum::body::to_bytes(body, sandbox.body_bytes_max()).await {
        Ok(body) => body,
        Err(_) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
            return response;
        }
    };
    match sandbox.handle(http::Request::from_parts(parts, body)).await {
        Outcome::Answer(answer) => answer.map(|body: Bytes| Body::from(body)),
        Outcome::Broken => {
            wire.cut();
            Response::new(Body::empty())
        }
    }
}
