//! A user name and a password, shown once for each connection: by NTLMv2, which proves the password without telling it, or
//! by Basic where the server offers nothing else and the settings leave the choice to it.
//!
//! *Invariant*: of two schemes that the server offers one is used; a password that one refuses is not shown to the other.

mod binding;
mod message;
mod proof;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use rustls::crypto::aws_lc_rs;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use self::proof::Sixteen;
use super::{AuthError, Authorization, basic, refusal::Refusal};
use crate::{
    clock::Clock,
    http::pinned::{LogOn, LogOnError, Peer, Step},
    model::fault::Fault,
};

const NTLM: &str = "NTLM";
const BASIC: &str = "Basic";
/// Seconds from 1601, where Windows counts from, to 1970.
const EPOCH_OF_WINDOWS_S: i64 = 11_644_473_600;

/// Which schemes may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schemes {
    /// NTLM.
    NtlmOnly,
    /// NTLM where the server offers it, else Basic.
    NtlmOrBasic,
}

/// The way that a server and we have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Ntlm,
    Basic,
}

/// Logs connections on with a user name and a password.
pub struct PasswordLogOn {
    user: String,
    domain: String,
    key: Zeroizing<Sixteen>,
    /// The header of Basic authentication, if it may be used.
    basic: Option<HeaderValue>,
    /// What the server was found to offer.
    way: Mutex<Option<Way>>,
    refusal: Refusal,
    clock: Arc<dyn Clock>,
}

impl PasswordLogOn {
    /// Prepares the password. `user` is `DOMAIN\user`, or `user@domain`.
    ///
    /// # Errors
    /// When Basic may be used and cannot say the user name or the password.
    pub fn new(
        user: &str,
        password: &SecretString,
        schemes: Schemes,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AuthError> {
        let (basic, way) = match schemes {
            Schemes::NtlmOnly => (None, Some(Way::Ntlm)),
            Schemes::NtlmOrBasic => (Some(basic::header(user, password)?), None),
        };
        // A principal name is the user as a whole, and the domain finds itself.
        let (domain, name) = user.split_once('\\').unwrap_or(("", user));
        Ok(Self {
            key: proof::key_of_password(name, domain, password.expose_secret()),
            user: name.to_owned(),
            domain: domain.to_owned(),
            basic,
            way: Mutex::new(way),
            refusal: Refusal::new(Arc::clone(&clock)),
            clock,
        })
    }

    fn step(&self, way: Option<Way>) -> Result<Step, LogOnError> {
        match (way, &self.basic) {
            (None, _) => Ok(Step::Ask),
            (Some(Way::Basic), Some(header)) => Ok(Step::Header(header.clone())),
            (Some(Way::Ntlm | Way::Basic), _) => token(&message::first()).map(Step::Handshake),
        }
    }
}

/// A message as a header.
fn token(message: &[u8]) -> Result<HeaderValue, LogOnError> {
    let mut header = HeaderValue::from_str(&format!("{NTLM} {}", STANDARD.encode(message)))
        .map_err(|error| LogOnError::Impossible(error.to_string()))?;
    header.set_sensitive(true);
    Ok(header)
}

impl LogOn for PasswordLogOn {
    fn begin(&self) -> Result<Step, LogOnError> {
        if !self.refusal.is_over() {
            return Err(LogOnError::Refused);
        }
        self.step(*self.way.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn offered(&self, schemes: &[String]) -> Result<Step, LogOnError> {
        let has = |scheme: &str| schemes.iter().any(|offered| offered.eq_ignore_ascii_case(scheme));
        let way = if has(NTLM) {
            Way::Ntlm
        } else if has(BASIC) && self.basic.is_some() {
            Way::Basic
        } else {
            let wanted = if self.basic.is_some() { "NTLM or Basic" } else { NTLM };
            let offered = if schemes.is_empty() { "nothing".to_owned() } else { schemes.join(", ") };
            return Err(LogOnError::Impossible(format!("it offers {offered}; {wanted} is needed")));
        };
        *self.way.lock().unwrap_or_else(PoisonError::into_inner) = Some(way);
        self.step(Some(way))
    }

    fn scheme(&self) -> &'static str {
        NTLM
    }

    fn answer(&self, challenge: &[u8], peer: Peer<'_>) -> Result<HeaderValue, LogOnError> {
        if !self.refusal.is_over() {
            return Err(LogOnError::Refused);
        }
        let impossible = |text: String| LogOnError::Impossible(text);
        let mut client = [0; 8];
        let random = aws_lc_rs::default_provider().secure_random.fill(&mut client);
        random.map_err(|_| impossible("this machine has no random numbers".to_owned()))?;
        let seconds = u64::try_from(self.clock.now().as_second() + EPOCH_OF_WINDOWS_S).unwrap_or_default();
        let answerer = message::Answerer {
            user: &self.user,
            domain: &self.domain,
            key: &self.key,
            service: &format!("HTTP/{}", peer.name),
            channel_bindings: peer.certificate.map(binding::channel_bindings).unwrap_or_default(),
            client,
            now: seconds * 10_000_000,
        };
        let third = answerer.third(&message::first(), challenge).map_err(|error| impossible(error.to_string()))?;
        token(&third)
    }

    fn refused(&self) {
        self.refusal.note();
    }
}

impl Authorization for PasswordLogOn {
    /// The name of the scheme only: the connection shows the password, or what proves it.
    fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>> {
        Box::pin(std::future::ready(self.refusal.check().map(|()| HeaderValue::from_static(NTLM))))
    }

    fn refused(&self, _: &HeaderValue) -> bool {
        self.refusal.note();
        false
    }
}

impl fmt::Debug for PasswordLogOn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PasswordLogOn")
            .field("user", &self.user)
            .field("domain", &self.domain)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}
