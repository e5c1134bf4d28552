//! Which authorization the server last took, and for whom. It tells a mailbox that is closed to us from a credential that
//! is refused: a server may answer 401 to both.

use std::sync::{Mutex, PoisonError};

use http::HeaderValue;

use crate::model::address::Address;

/// What was accepted last.
#[derive(Debug, Default)]
pub(super) struct Acceptance(Mutex<Option<Accepted>>);

/// The last header with which a request succeeded.
#[derive(Debug)]
struct Accepted {
    header: HeaderValue,
    /// The first mailbox that it opened.
    mailbox: Address,
    /// Whether it opened others too.
    others: bool,
}

impl Acceptance {
    /// Notes that a request to the mailbox succeeded.
    pub(super) fn note(&self, header: &HeaderValue, mailbox: &Address) {
        let mut accepted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match accepted.as_mut().filter(|accepted| accepted.header == header) {
            Some(accepted) => accepted.others |= accepted.mailbox != *mailbox,
            None => {
                *accepted = Some(Accepted { header: header.clone(), mailbox: mailbox.clone(), others: false });
            }
        }
    }

    /// Whether one of the headers, all refused for this mailbox, opened another one.
    pub(super) fn opened_another(&self, headers: &[&HeaderValue], mailbox: &Address) -> bool {
        let accepted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.as_ref().is_some_and(|accepted| {
            headers.contains(&&accepted.header) && (accepted.others || accepted.mailbox != *mailbox)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use http::HeaderValue;

    use super::Acceptance;
    use crate::model::address::Address;

    #[test]
    fn only_another_mailbox_tells_that_a_header_is_good() {
        let (ana, bob) = (Address::parse("ana@example.test").unwrap(), Address::parse("bob@example.test").unwrap());
        let [one, two] = ["Bearer 1", "Bearer 2"].map(HeaderValue::from_static);
        let acceptance = Acceptance::default();
        assert!(!acceptance.opened_another(&[&one], &ana));
        acceptance.note(&one, &ana);
        assert!(!acceptance.opened_another(&[&one], &ana), "what it did for this mailbox says nothing");
        assert!(acceptance.opened_another(&[&one, &two], &bob));
        assert!(!acceptance.opened_another(&[&two], &bob), "another header says nothing");
        acceptance.note(&one, &bob);
        assert!(acceptance.opened_another(&[&one], &ana));
        acceptance.note(&two, &ana);
        assert!(!acceptance.opened_another(&[&one], &bob) && acceptance.opened_another(&[&two], &bob));
    }
}
