//! What an operator says of a held deletion.

/// The decision about one held deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The item may be removed.
    Approved,
    /// The item stays.
    Rejected,
}

impl Verdict {
    /// Its word in the state and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Approved, Self::Rejected].into_iter().find(|verdict| verdict.as_str() == text)
    }
}
