//! Who asks: an account with a password, or an application with a token.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use super::{
    settings::{AccountSettings, ApplicationSettings, LogOnScheme, SandboxSettings},
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
    /// A message of NTLM came out of order, or on another connection than its challenge, or cannot be read.
    OutOfOrder,
    /// The password is right and the messages of NTLM are not signed with it.
    Unsigned {
        /// Whose.
        user: String,
    },
    /// The password is right and the log-on is not tied to its TLS connection.
    Unbound {
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
    takes_basic: bool,
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
            takes_basic: settings.authentication.contains(&LogOnScheme::Basic),
            wrong_in_a_row: Mutex::default(),
            tokens: Tokens::new(settings.applications.clone(), settings.cloud),
        }
    }

    /// Who sends this `Authorization` header to a face of this audience, on a host.
    pub(super) fn who(
        &self,
        authorization: Option<&str>,
        (audience, host): (Audience, &str),
        now: Timestamp,
    ) -> Result<Who, Denied> {
        let (scheme, credential) =
            authorization.and_then(|header| header.split_once(' ')).ok_or(Denied::NoCredential)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return self
                .tokens
                .verify(credential.trim(), audience, host, now)
                .map(Who::Application)
                .map_err(Denied::Token);
        }
        if scheme.eq_ignore_ascii_case("basic") && self.takes_basic && audience == Audience::Ews {
            let decoded = STANDARD.decode(credential.trim()).map_err(|_| Denied::NoCredential)?;
            let decoded = String::from_utf8(decoded).map_err(|_| Denied::NoCredential)?;
            let (user, password) = decoded.split_once(':').ok_or(Denied::NoCredential)?;
            return self.log_on_by(&[user.to_owned()], |right| right == password).map(Who::Account);
        }
        Err(Denied::NoCredential)
    }

    /// Logs on the first account of these names whose password is found to be right.
    pub(super) fn log_on_by(
        &self,
        names: &[String],
        is_right: impl FnOnce(&str) -> bool,
    ) -> Result<AccountSettings, Denied> {
        let named = |name: &String| self.accounts.iter().find(|account| account.user.eq_ignore_ascii_case(name));
        let account = names.iter().find_map(named);
        let user = names.last().map_or("", String::as_str);
        let key = account.map_or(user, |account| account.user.as_str()).to_lowercase();
        let mut wrong = self.wrong_in_a_row.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = wrong.entry(key).or_default();
        if self.lock_out_after > 0 && *wrong >= self.lock_out_after {
            return Err(Denied::Locked { user: user.to_owned() });
        }
        match account {
            Some(account) if is_right(&account.password) => {
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
        let log_on =
            |password: &str| identity.who(Some(&basic("SERVICE", password)), (Audience::Ews, "localhost"), now);
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
            let denied = identity.who(header, (Audience::Graph, "localhost"), Timestamp::UNIX_EPOCH);
            assert_eq!(denied, Err(Denied::NoCredential), "{header:?}");
        }
    }
}
