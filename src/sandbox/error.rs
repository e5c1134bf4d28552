//! What keeps a sandbox from starting.

use std::{io, net::SocketAddr, path::PathBuf};

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The settings cannot be used.
    #[error("the sandbox's settings cannot be used: {fault}")]
    Settings {
        /// What is wrong.
        fault: String,
    },
    /// Another program listens there.
    #[error("cannot listen on {listen}: the port is in use")]
    PortInUse {
        /// Where it was to listen.
        listen: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}")]
    Listen {
        /// Where it was to listen.
        listen: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The recording cannot be written.
    #[error("cannot write the recording {}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl SandboxError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "correct the named setting",
            Self::PortInUse { .. } => "choose another port, or 0 for any free one",
            Self::Listen { .. } => "use an address of this machine, such as 127.0.0.1:0",
            Self::Record { .. } => "name a file in a folder that exists and can be written",
        }
    }
}
