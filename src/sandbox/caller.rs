//! Who calls the sandbox, once authenticated.

use super::store::Half;

/// An account or an application, and whose mailboxes it may open.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The account's address or the application's id.
    pub name: String,
    /// Its own mailbox; a service account may have none.
    pub mailbox: Option<String>,
    /// Whether it is an application with a token of its own: such a caller must impersonate.
    pub is_application: bool,
    /// Whom it may impersonate.
    pub impersonation: Impersonation,
    /// What it may do as a delegate, without impersonation.
    pub delegations: Vec<Delegation>,
}

impl Caller {
    /// The half of a hybrid that he has logged on to: passwords are for the servers on premises, tokens for Exchange Online.
    pub(super) const fn half(&self) -> Half {
        if self.is_application { Half::Online } else { Half::OnPremises }
    }
}

/// Whom a caller may impersonate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Impersonation {
    /// Nobody.
    #[default]
    Nobody,
    /// Everybody.
    Everybody,
    /// The owners of these primary addresses.
    Listed(Vec<String>),
}

impl Impersonation {
    /// Whether the owner of a primary address may be impersonated.
    #[must_use]
    pub fn covers(&self, address: &str) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::Listed(addresses) => addresses.iter().any(|one| one.eq_ignore_ascii_case(address)),
        }
    }
}

/// A right in somebody else's calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// The primary address of the other's mailbox.
    pub mailbox: String,
    /// What is allowed.
    pub right: Right,
}

/// What a delegate may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Read.
    Reviewer,
    /// Read and write.
    Editor,
}
