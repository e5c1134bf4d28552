//! What is wrong with the access to Outlook, and what to do about it: functions over values.
//!
//! [`cause`] names the cause from the mode and what came back; [`advice`](advice()) says what to do, with the values at hand.

mod advice;
mod cause;

pub use advice::advice;
pub use cause::{Cause, cause};

/// How the calendars are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// The protocol, and how an account gets into a mailbox.
    pub way: Way,
    /// What is shown to the server.
    pub proof: Proof,
    /// Whether the server is Exchange Online.
    pub is_online: bool,
}

/// The protocol, and how an account gets into a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// EWS in the name of the mailbox.
    Impersonation,
    /// EWS with rights of one's own.
    Delegate,
    /// Microsoft Graph.
    Graph,
}

/// What is shown to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A user name and a password.
    Password,
    /// The token of an application.
    Token,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CameBack<'a> {
    /// The code of the fault: the server's own, `HTTP 403`, `Unreachable`.
    pub code: &'a str,
    /// The sentence with it.
    pub message: &'a str,
    /// Whether it was to write.
    pub writes: bool,
    /// What is known of the token.
    pub token: Token<'a>,
    /// Whether the client secret has the form of the id of one.
    pub secret_like_an_id: bool,
}

/// What is known of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// There is none, or it cannot be read.
    Unknown,
    /// Its roles; none where the application has none in Entra.
    Roles(&'a [String]),
}

/// What advice is filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// How the calendars are reached.
    pub mode: Mode,
    /// The address of the mailbox that was asked for, or a word in its place.
    pub mailbox: String,
    /// The user name of the account, or the id of the application.
    pub account: String,
    /// The tenant, where it is known.
    pub tenant: Option<String>,
    /// The address of the service.
    pub url: String,
    /// The address that the server names in place of the mailbox's.
    pub primary: Option<String>,
}
