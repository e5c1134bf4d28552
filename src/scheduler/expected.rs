//! What a saved plan expects of a mailbox: that nothing has moved since.

use std::sync::atomic::{AtomicBool, Ordering};

use super::pass::PassStop;
use crate::plan::{Part, Stamp};

/// What a saved plan was decided on in one mailbox.
#[derive(Debug)]
pub(super) struct Expected {
    saved: Stamp,
    /// Whether this process has begun to write: from then on what it wrote itself has moved, and the rest of the plan has to
    /// be a part of the saved one.
    begun: AtomicBool,
}

impl Expected {
    pub(super) const fn new(saved: Stamp) -> Self {
        Self { saved, begun: AtomicBool::new(false) }
    }

    /// Lets the pass go on, or says what has moved.
    pub(super) fn check(&self, present: Option<&Stamp>) -> Result<(), PassStop> {
        let Some(present) = present else { return Err(PassStop::Moved(vec![Part::Calendar])) };
        let moved = self.saved.moved(present);
        let is_rest = self.begun.load(Ordering::Acquire) && present.is_rest_of(&self.saved);
        if !moved.is_empty() && !is_rest {
            return Err(PassStop::Moved(moved));
        }
        self.begun.store(true, Ordering::Release);
        Ok(())
    }
}

/// What has moved, as words after "since the plan was saved".
pub(super) fn told(moved: &[Part]) -> String {
    moved.iter().map(|part| part.text()).collect::<Vec<_>>().join(", and ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Expected, PassStop};
    use crate::plan::{Part, Stamp};

    fn stamp(calendar: &str, writes: &[(&str, &str)]) -> Stamp {
        let writes = writes.iter().map(|(key, hash)| ((*key).to_owned(), (*hash).to_owned())).collect();
        Stamp { calendar: calendar.to_owned(), writes, ..Stamp::default() }
    }

    fn moved(result: Result<(), PassStop>) -> Option<Vec<Part>> {
        match result {
            Ok(()) => None,
            Err(PassStop::Moved(parts)) => Some(parts),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn before_the_first_write_nothing_may_have_moved_and_afterwards_only_what_was_written() {
        let saved = stamp("a", &[("1", "x"), ("2", "y")]);
        let rest = stamp("b", &[("2", "y")]);
        let other = stamp("b", &[("2", "z")]);
        let more = stamp("b", &[("2", "y"), ("3", "x")]);
        let fresh = || Expected::new(saved.clone());
        assert_eq!(moved(fresh().check(Some(&rest))), Some(vec![Part::Calendar]), "a smaller plan is another plan");
        assert_eq!(moved(fresh().check(None)), Some(vec![Part::Calendar]));
        let expected = fresh();
        assert_eq!(moved(expected.check(Some(&other))), Some(vec![Part::Calendar]));
        assert_eq!(moved(expected.check(Some(&rest))), Some(vec![Part::Calendar]), "a refusal begins nothing");
        assert_eq!(moved(expected.check(Some(&saved))), None);
        assert_eq!(moved(expected.check(Some(&rest))), None);
        assert_eq!(moved(expected.check(Some(&other))), Some(vec![Part::Calendar]));
        assert_eq!(moved(expected.check(Some(&more))), Some(vec![Part::Calendar]));
    }
}
