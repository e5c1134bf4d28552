//! What happened to a source event: one entry for each thing that was said, decided, answered or ruled.

use std::{borrow::Cow, sync::Arc};

use jiff::Timestamp;

use super::{address::Address, hold::Verdict, key::SourceKey, link::Verb};

/// One thing that happened to a source event. Holds no title and no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// In whose calendar; `None` where no calendar is meant.
    pub mailbox: Option<Address>,
    /// The source event, or the part of it.
    pub key: SourceKey,
    /// What happened.
    pub step: Step,
    /// What was to be done, for an answer.
    pub verb: Option<Verb>,
    /// The word of the step: `seen`, `create`, `written`, `approved`.
    pub word: Word,
    /// What the source said, for a decision.
    pub source: Option<Word>,
    /// The stable word of the rule, or the server's code.
    pub code: Option<Word>,
    /// More, for people: the fields that were written, the server's message, who ruled.
    pub detail: Option<String>,
    /// The server's name for the request.
    pub request_id: Option<Arc<str>>,
    /// When the event takes place: from the first start to the last end of a series.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// A word of the history.
pub type Word = Cow<'static, str>;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The source said something.
    Source,
    /// A plan decided.
    Decision,
    /// The server answered, or was asked what it holds.
    Answer,
    /// An operator ruled.
    Verdict,
}

impl Step {
    /// The word in the state and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Decision => "decision",
            Self::Answer => "answer",
            Self::Verdict => "verdict",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Source, Self::Decision, Self::Answer, Self::Verdict].into_iter().find(|step| step.as_str() == text)
    }
}

impl Entry {
    /// An entry that says no more than its word.
    #[must_use]
    pub fn new(at: Timestamp, mailbox: Option<&Address>, key: &SourceKey, step: Step, word: impl Into<Word>) -> Self {
        Self {
            at,
            mailbox: mailbox.cloned(),
            key: key.clone(),
            step,
            verb: None,
            word: word.into(),
            source: None,
            code: None,
            detail: None,
            request_id: None,
            span: None,
        }
    }

    /// What an operator ruled about a held deletion.
    #[must_use]
    pub fn ruled(at: Timestamp, mailbox: &Address, key: &SourceKey, verdict: Verdict, by: &str) -> Self {
        let detail = Some(format!("by {by}"));
        Self { detail, ..Self::new(at, Some(mailbox), key, Step::Verdict, verdict.as_str()) }
    }
}
