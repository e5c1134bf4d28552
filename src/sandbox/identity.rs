//! Who asks: an account with a password, or an application with a token.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use super::{
    settings::{AccountSettings, ApplicationSettings, SandboxSettings},
    token::{Audience, TokenFault, Tokens},
};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// An account, by its password.
    Account(AccountSettings),
    /// An application, by its token.
    Application(ApplicationSettings),
}

/// Why nobody is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Denied {
    /// There is no credential, or one of a form that the face does not take.
    NoCredential,
    /// The password is wrong, or the account unknown.
    WrongPassword {
        /// Whose.
        user: String,
    },
    /// The account is locked after too many wrong passwords.
    Locked {
        /// Whose.
        user: String,
    },
    /// The token is not valid.
    Token(TokenFault),
}

/// Accounts and applications.
#[derive(Debug)]
pub(super) struct Identity {
    accounts: Vec<AccountSettings>,
    lock_out_after: u32,
    wrong_in_a_row: Mutex<HashMap<String, u32>>,
    /// The tokens that are out.
    pub(super) tokens: Tokens,
}

impl Identity {
    /// Everybody whom the settings name.
    pub(super) fn new(settings: &SandboxSettings) -> Self {
        Self {
            accounts: settings.accounts.clone(),
            lock_out_after: settings.lock_out_after,
            wrong_in_a_row: Mutex::default(),
            tokens: Tokens::new(settings.applications.clone(), settings.foreign_tenants.clone()),
        }
    }

    /// Who sends this `Authorization` header to a face of this audience.
    pub(super) fn who(&self, authorization: Option<&str>, audience: Audience, now: Timestamp) -> Result<Who, Denied> {
        let (scheme, credential) =
            authorization.and_then(|header| header.split_once(' ')).ok_or(Denied::NoCredential)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.tokens.verify(credential.trim(), audience, now).map(Who::Application).map_err(Denied::Token);
        }
        if scheme.eq_ignore_ascii_case("basic") && audience == Audience::Ews {
            let decoded = STANDARD.decode(credential.trim()).map_err(|_| Denied::NoCredential)?;
            let decoded = String::from_utf8(decoded).map_err(|_| Denied::NoCredential)?;
            let (user, password) = decoded.split_once(':').ok_or(Denied::NoCredential)?;
            return self.log_on(user, password).map(Who::Account);
        }
        Err(Denied::NoCredential)
    }

    fn log_on(&self, user: &str, password: &str) -> Result<AccountSettings, Denied> {
        let mut wrong = self.wrong_in_a_row.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = wrong.entry(user.to_lowercase()).or_default();
        if self.lock_out_after > 0 && *wrong >= self.lock_out_after {
            return Err(Denied::Locked { user: user.to_owned() });
        }
        let account = self.accounts.iter().find(|account| account.user.eq_ignore_ascii_case(user));
        match account {
            Some(account) if account.password == password => {
                *wrong = 0;
                Ok(account.clone())
            }
            Some(_) | None => {
                *wrong += 1;
                Err(Denied::WrongPassword { user: user.to_owned() })
            }
        }
    }

    /// Unlocks every account.
    pub(super) fn unlock(&self) {
        self.wrong_in_a_row.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    #[test]
    fn a_wrong_password_locks_after_a_while() {
        let settings = SandboxSettings { lock_out_after: 2, ..SandboxSettings::with_mailboxes([], "UTC") };
        let identity = Identity::new(&settings);
        let now = Timestamp::UNIX_EPOCH;
        let log_on = |password: &str| identity.who(Some(&basic("SERVICE", password)), Audience::Ews, now);
        let wrong = Err(Denied::WrongPassword { user: "SERVICE".to_owned() });
        assert_eq!(log_on("bad"), wrong);
        assert!(log_on("secret").is_ok());
        assert_eq!(log_on("bad"), wrong);
        assert_eq!(log_on("bad"), wrong);
        assert_eq!(log_on("secret"), Err(Denied::Locked { user: "SERVICE".to_owned() }));
        identity.unlock();
        assert!(log_on("secret").is_ok());
    }

    #[test]
    fn graph_takes_no_password() {
        let identity = Identity::new(&SandboxSettings::with_mailboxes([], "UTC"));
        for header in [None, Some("Basic"), Some("Negotiate x"), Some(basic("service", "secret").as_str())] {
            let denied = identity.who(header, Audience::Graph, Timestamp::UNIX_EPOCH);
            assert_eq!(denied, Err(Denied::NoCredential), "{header:?}");
        }
    }
}
