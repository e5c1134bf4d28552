//! The sandbox on a socket.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State, connect_info::Connected},
    response::Response,
    serve::{IncomingStream, Listener},
};
use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    counters::Counts, error::SandboxError, faces::Outcome, faults::Fault, service::Sandbox, settings::SandboxSettings,
};
use crate::clock::{Clock, SystemClock};

/// How long a stop waits for requests in flight.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// A sandbox that listens; it stops when dropped.
#[derive(Debug)]
pub struct RunningSandbox {
    sandbox: Sandbox,
    address: SocketAddr,
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
        let sandbox = Self::new(settings, record, clock)?;
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => SandboxError::PortInUse { listen },
            _ => SandboxError::Listen { listen, source },
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stop = CancellationToken::new();
        let router = Router::new().fallback(handle).with_state(sandbox.clone());
        let service = router.into_make_service_with_connect_info::<Wire>();
        let serve = axum::serve(Cuttable(listener), service).with_graceful_shutdown(stop.clone().cancelled_owned());
        let task = tokio::spawn(async move {
            // Errors of single connections are handled inside; the accept loop itself never ends with one.
            let _ = serve.await;
        });
        Ok(RunningSandbox { sandbox, address, stop, task: Some(task) })
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
        format!("http://{}", self.address)
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
    let (parts, body) = request.into_parts();
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
            wire.cut.store(true, Ordering::Release);
            Response::new(Body::empty())
        }
    }
}

/// The handle on a connection by which a request can break it.
#[derive(Debug, Clone)]
struct Wire {
    cut: Arc<AtomicBool>,
}

impl Connected<IncomingStream<'_, Cuttable>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Cuttable>) -> Self {
        Self { cut: Arc::clone(&stream.io().cut) }
    }
}

/// A listener whose connections can be cut.
struct Cuttable(TcpListener);

impl Listener for Cuttable {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Answers are small; waiting to fill a packet would only add latency.
        let _ = stream.set_nodelay(true);
        (Connection { stream, cut: Arc::default() }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection that, once cut, sends nothing more and ends with a reset.
struct Connection {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

impl Connection {
    fn refuse_when_cut(&self) -> io::Result<()> {
        if !self.cut.load(Ordering::Acquire) {
            return Ok(());
        }
        // Linger 0: closing sends RST, which the client sees as "connection reset by peer".
        let _ = self.stream.set_zero_linger();
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut on purpose"))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.refuse_when_cut()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.refuse_when_cut()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut.load(Ordering::Acquire) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
