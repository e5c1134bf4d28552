//! The halves of a hybrid organisation: where a mailbox lives, and from where one looks.

use serde::{Deserialize, Serialize};

/// A half. Of a mailbox: where it lives. Of a [`super::Store`]: what it shows, see [`super::Store::seen_from`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Half {
    /// One content seen from both: there is no hybrid.
    #[default]
    Both,
    /// The servers of the organisation.
    OnPremises,
    /// Exchange Online.
    Online,
}

impl Half {
    /// Whether what lives here shows from there.
    pub(super) const fn shows_from(self, there: Self) -> bool {
        match (self, there) {
            (Self::Both, _) | (_, Self::Both) | (Self::OnPremises, Self::OnPremises) | (Self::Online, Self::Online) => {
                true
            }
            (Self::OnPremises, Self::Online) | (Self::Online, Self::OnPremises) => false,
        }
    }
}
