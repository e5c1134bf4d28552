//! Who we are to Outlook: the header `Authorization`, behind a port: [`Authorization`].
//!
//! *Invariant*: no secret is printed, neither by `Debug` nor in a fault.

mod assertion;
pub mod basic;
pub mod client_credentials;
mod entra;
mod identity;
pub mod ntlm;
mod proof;
mod refusal;
mod retirement;
mod slow_digest;
mod token_memory;
mod token_request;

use std::{future::Future, pin::Pin, sync::Arc};

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};

pub use identity::{Identity, Mark};
pub use retirement::UntilRetired;
pub use token_memory::TokenMemory;

use crate::{
    clock::Clock,
    http::Transport,
    model::fault::Fault,
    settings::{Authentication, Credential},
};

/// How long a refused credential is not tried again.
const REFUSAL: SignedDuration = SignedDuration::from_mins(10);

/// Gives the header that says who we are.
pub trait Authorization: Send + Sync + std::fmt::Debug {
    /// The value of the header, marked as sensitive. Asked for right before the request is sent: a credential that was
    /// refused in the meantime is a fault.
    fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>>;
    /// Tells that the server refused this header (HTTP 401): a token is dropped if it is the one that is kept, else there is
    /// a newer one already; returns whether trying once more makes sense.
    fn refused(&self, header: &HeaderValue) -> bool;
}

/// Why a credential cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The token address is none.
    #[error("the token address {url:?} is not a URL")]
    TokenUrl {
        /// The address.
        url: String,
        /// What is wrong with it.
        source: oauth2::url::ParseError,
    },
    /// RFC 7617 cannot say this name.
    #[error("the user name {0:?} holds a colon or a control character, which Basic authentication cannot say")]
    User(String),
    /// A header cannot hold it.
    #[error("the password holds a control character, which Basic authentication cannot say")]
    Password,
}

/// The authorization that the settings ask for; `memory` keeps what is known of tokens over a reload.
///
/// # Errors
/// When the credential cannot be used, whatever the server says.
pub fn authorization(
    credential: &Credential,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    memory: &TokenMemory,
) -> Result<Arc<dyn Authorization>, AuthError> {
    Ok(match credential {
        Credential::Password { user, password, .. } => Arc::new(basic::Basic::new(user, password, clock)?),
        Credential::Application { token_url, client_id, scope, proofs } => {
            let application = client_credentials::Application {
                token_url: token_url.clone(),
                client_id: client_id.clone(),
                scope: scope.clone(),
                proofs: proofs.clone(),
            };
            Arc::new(client_credentials::ClientCredentials::new(application, transport, clock, memory)?)
        }
    })
}

/// The log-on of connections that the settings ask for; `None` where each request shows who we are.
///
/// # Errors
/// When the credential cannot be used, whatever the server says.
pub fn log_on(credential: &Credential, clock: Arc<dyn Clock>) -> Result<Option<Arc<ntlm::PasswordLogOn>>, AuthError> {
    let Credential::Password { authentication, user, password } = credential else { return Ok(None) };
    let schemes = match authentication {
        Authentication::Basic => return Ok(None),
        Authentication::Ntlm => ntlm::Schemes::NtlmOnly,
        Authentication::Auto => ntlm::Schemes::NtlmOrBasic,
    };
    Ok(Some(Arc::new(ntlm::PasswordLogOn::new(user, password, schemes, clock)?)))
}

/// `instant` and `duration` after it, within the calendar.
fn later(instant: Timestamp, duration: SignedDuration) -> Timestamp {
    instant.checked_add(duration).unwrap_or(Timestamp::MAX)
}
