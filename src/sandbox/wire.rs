//! Connections: in clear or behind TLS, each with what is known of who is at the other end.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{Accept, server::TlsStream};

use super::{ntlm, tls::Tls};

/// What the requests of one connection share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Set by a request that breaks the connection.
    cut: AtomicBool,
    /// Set by a request after whose answer the connection is closed, without a word.
    closing: AtomicBool,
    requests: AtomicU64,
    /// Whether it is behind TLS, and what a log-on is tied to then.
    pub(super) channel_bindings: Option<[u8; 16]>,
    /// How far a log-on by NTLM has come.
    pub(super) log_on: Mutex<ntlm::Progress>,
}

/// A connection as its requests know it.
#[derive(Debug, Clone, Default)]
pub(super) struct Wire(Arc<Shared>);

impl Wire {
    /// Breaks the connection.
    pub(super) fn cut(&self) {
        self.0.cut.store(true, Ordering::Release);
    }

    /// Counts a request; each `close_every`th is the last of its connection.
    pub(super) fn count(&self, close_every: u64) {
        let number = self.0.requests.fetch_add(1, Ordering::AcqRel) + 1;
        if close_every > 0 && number >= close_every {
            self.0.closing.store(true, Ordering::Release);
        }
    }
}

impl std::ops::Deref for Wire {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Connected<IncomingStream<'_, Door>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().wire.clone()
    }
}

/// A listener whose connections can be cut.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    pub(super) tls: Option<Tls>,
}

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Answers are small; waiting to fill a packet would only add latency.
        let _ = stream.set_nodelay(true);
        let (stream, channel_bindings) = match &self.tls {
            None => (Stream::Plain(stream), None),
            // The handshake is made by the first read: a slow client keeps nobody waiting at the door.
            Some(tls) => (Stream::Greeting(Box::new(tls.acceptor.accept(stream))), Some(tls.channel_bindings)),
        };
        let wire = Wire(Arc::new(Shared { channel_bindings, ..Shared::default() }));
        (Connection { stream, wire, writing: false, answered: false }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

enum Stream {
    Plain(TcpStream),
    Greeting(Box<Accept<TcpStream>>),
    Secure(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(stream) => Some(stream),
            Self::Greeting(accept) => accept.get_ref(),
            Self::Secure(stream) => Some(stream.get_ref().0),
        }
    }
}

/// A connection that, once cut, sends nothing more and ends with a reset.
pub(super) struct Connection {
    stream: Stream,
    wire: Wire,
    /// Whether something was written since the last flush.
    writing: bool,
    /// Whether the last answer has left.
    answered: bool,
}

/// The two kinds of stream behind one name.
trait Both: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Both for T {}

impl Connection {
    fn refuse_when_cut(&self) -> io::Result<()> {
        if !self.wire.cut.load(Ordering::Acquire) {
            return Ok(());
        }
        // Linger 0: closing sends RST, which the client sees as "connection reset by peer".
        let _ = self.stream.tcp().map(TcpStream::set_zero_linger);
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut on purpose"))
    }

    /// The stream, once TLS stands.
    fn poll_stream(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Both>>> {
        if let Stream::Greeting(accept) = &mut self.stream {
            let stream = ready!(Pin::new(&mut **accept).poll(context))?;
            self.stream = Stream::Secure(Box::new(stream));
        }
        Poll::Ready(match &mut self.stream {
            Stream::Plain(stream) => Ok(Pin::new(stream)),
            Stream::Secure(stream) => Ok(Pin::new(&mut **stream)),
            Stream::Greeting(_) => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.answered {
            // The end of what the client sends, as if it had said so.
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_stream(context))?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.refuse_when_cut()?;
        self.writing = true;
        ready!(self.poll_stream(context))?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(ready!(self.poll_stream(context))?.poll_flush(context));
        self.answered |= self.writing && self.wire.closing.load(Ordering::Acquire);
        self.writing = false;
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.wire.cut.load(Ordering::Acquire) {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_stream(context))?.poll_shutdown(context)
    }
}
