//! What happens, told to whoever shows it to a person.

use std::{fmt, sync::Arc};

use super::pass::PassReport;
use crate::model::address::Address;

/// Something that a person who waits likes to see.
#[derive(Debug)]
pub enum ProgressEvent<'a> {
    /// A source was read.
    SourceRead {
        /// Its name.
        source: &'a str,
        /// Its events.
        events: usize,
        /// The mailboxes that they go to.
        mailboxes: usize,
    },
    /// A mailbox has its plan.
    Planned {
        /// Whose calendar it is.
        mailbox: &'a Address,
        /// Writes to come.
        writes: usize,
    },
    /// Writes were sent and answered.
    Written {
        /// Whose calendar it is.
        mailbox: &'a Address,
        /// How many.
        writes: usize,
    },
    /// A pass is over.
    Finished(&'a PassReport),
}

type Listener = dyn Fn(ProgressEvent<'_>) + Send + Sync;

/// Tells a listener, if there is one.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<Listener>>);

impl Progress {
    /// Tells `listener`.
    pub fn to(listener: impl Fn(ProgressEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    pub(super) fn tell(&self, event: ProgressEvent<'_>) {
        if let Some(listener) = &self.0 {
            listener(event);
        }
    }

    pub(super) fn planned(&self, mailbox: &Address, writes: usize) {
        self.tell(ProgressEvent::Planned { mailbox, writes });
    }

    pub(super) fn written(&self, mailbox: &Address, writes: usize) {
        self.tell(ProgressEvent::Written { mailbox, writes });
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "Progress(listener)" } else { "Progress" })
    }
}
