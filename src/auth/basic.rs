//! Basic authentication (RFC 7617): user name and password in each request.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{AuthError, Authorization, refusal::Refusal};
use crate::{clock::Clock, model::fault::Fault};

/// A user name and a password. Once refused, the password is not given out for a while.
pub struct Basic {
    user: String,
    header: HeaderValue,
    refusal: Refusal,
}

/// The header, in UTF-8.
pub(super) fn header(user: &str, password: &SecretString) -> Result<HeaderValue, AuthError> {
    if user.contains(|character: char| character == ':' || character.is_control()) {
        return Err(AuthError::User(user.to_owned()));
    }
    if password.expose_secret().contains(char::is_control) {
        return Err(AuthError::Password);
    }
    let pair = Zeroizing::new(format!("{user}:{}", password.expose_secret()));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut header = HeaderValue::from_str(&text).map_err(|_| AuthError::Password)?;
    header.set_sensitive(true);
    Ok(header)
}

impl Basic {
    /// Prepares the header, in UTF-8.
    ///
    /// # Errors
    /// When the scheme cannot say the user name or the password.
    pub fn new(user: &str, password: &SecretString, clock: Arc<dyn Clock>) -> Result<Self, AuthError> {
        Ok(Self { user: user.to_owned(), header: header(user, password)?, refusal: Refusal::new(clock) })
    }
}

impl Authorization for Basic {
    fn header(&self) -> Pin<Box<dyn Future<Output = Result<HeaderValue, Fault>> + Send + '_>> {
        Box::pin(std::future::ready(self.refusal.check().map(|()| self.header.clone())))
    }

    fn refused(&self, _: &HeaderValue) -> bool {
        self.refusal.note();
        false
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Basic").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{
        sync::{
            Arc,
            atomic::{AtomicI64, Ordering},
        },
        time::Duration,
    };

    use jiff::Timestamp;
    use secrecy::SecretString;

    use super::{AuthError, Authorization, Basic};
    use crate::{
        clock::{Clock, Wait},
        model::fault::{FaultKind, FaultScope},
    };

    /// A clock that the test moves.
    #[derive(Debug, Default)]
    struct HandClock(AtomicI64);

    impl Clock for HandClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(1_795_000_000 + self.0.load(Ordering::SeqCst)).unwrap()
        }

        fn sleep(&self, _: Duration) -> Wait {
            Box::pin(std::future::ready(()))
        }
    }

    fn basic(user: &str, password: &str) -> Result<Basic, AuthError> {
        Basic::new(user, &SecretString::from(password), Arc::new(HandClock::default()))
    }

    #[tokio::test]
    async fn a_refused_password_is_not_given_out_for_a_while() {
        let clock = Arc::new(HandClock::default());
        let basic = Basic::new("test", &SecretString::from("hush"), clock.clone()).unwrap();
        let header = basic.header().await.unwrap();
        assert!(!basic.refused(&header));
        clock.0.store(599, Ordering::SeqCst);
        let fault = basic.header().await.unwrap_err();
        assert_eq!((fault.scope, fault.kind), (FaultScope::Credential, FaultKind::Permanent));
        assert!(fault.hint.is_some() && !format!("{fault:?}").contains("hush"));
        clock.0.store(600, Ordering::SeqCst);
        assert!(basic.header().await.is_ok());
    }

    #[tokio::test]
    async fn the_header_is_right_and_hidden() {
        // The example of RFC 7617 §2.1, with the pound sign in UTF-8.
        let basic = basic("test", "123\u{a3}").unwrap();
        let header = basic.header().await.unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic dGVzdDoxMjPCow==");
        assert!(header.is_sensitive() && !basic.refused(&header));
        let printed = format!("{basic:?} {header:?}");
        assert!(printed.contains("test") && !printed.contains("123") && !printed.contains("dGVzd"), "{printed}");
    }

    #[test]
    fn what_the_scheme_cannot_say_is_refused() {
        assert!(matches!(basic("a:b", "hush"), Err(AuthError::User(_))));
        assert!(matches!(basic("a\nb", "hush"), Err(AuthError::User(_))));
        assert!(matches!(basic("a", "hu\nsh"), Err(AuthError::Password)));
        assert!(basic("EXAMPLE\\ana", "hush").is_ok());
    }
}
