//! On which side of a hybrid a mailbox lives.

use std::fmt;

/// The protocol by which a mailbox is reached. In a hybrid it tells where it lives: on-premises mailboxes are reached by EWS,
/// those of Exchange Online by Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Exchange Web Services.
    Ews,
    /// Microsoft Graph.
    Graph,
}

impl Side {
    /// The word used in JSON, logs and the state.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ews => "ews",
            Self::Graph => "graph",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ews, Self::Graph].into_iter().find(|side| side.as_str() == text)
    }

    /// Where its mailboxes live, in a hybrid.
    #[must_use]
    pub const fn place(self) -> &'static str {
        match self {
            Self::Ews => "on-premises",
            Self::Graph => "Exchange Online",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Ews => Self::Graph,
            Self::Graph => Self::Ews,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ews => "EWS",
            Self::Graph => "Graph",
        })
    }
}
