//! The SMTP address that names a mailbox.

use std::{fmt, sync::Arc};

/// The SMTP address of a mailbox, lower-cased: Exchange compares addresses without regard to case. Clones share the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Arc<str>);

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an SMTP address: {reason}")]
pub struct AddressError {
    text: String,
    reason: &'static str,
}

impl Address {
    /// Reads an address such as `ana@example.test`; at most 254 bytes of printable ASCII (RFC 5321 §4.5.3.1).
    ///
    /// # Errors
    /// When the text has no local part or domain, a blank, or a character outside printable ASCII.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let fault = |reason| Err(AddressError { text: text.to_owned(), reason });
        let Some((local, domain)) = text.rsplit_once('@') else {
            return fault("it has no @");
        };
        if local.is_empty() || domain.is_empty() {
            return fault("a part before or after the @ is missing");
        }
        if text.len() > 254 {
            return fault("it is longer than 254 characters");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return fault("it holds a blank or a character outside ASCII");
        }
        if local.contains('@') || text.contains(['<', '>', '"', ',', ';', '/', '\\']) {
            return fault("it holds a character that no mailbox address has");
        }
        if domain.starts_with('.') || domain.ends_with('.') || domain.contains("..") {
            return fault("its domain has an empty label");
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_are_read_or_refused() {
        let cases = [
            ("ana@example.test", Some("ana@example.test")),
            ("Ana.Martin@Example.TEST", Some("ana.martin@example.test")),
            ("o'neil+x@example.test", Some("o'neil+x@example.test")),
            ("", None),
            ("ana", None),
            ("@example.test", None),
            ("ana@", None),
            ("ana @example.test", None),
            ("ana@exa\u{e9}mple.test", None),
            ("ana@example..test", None),
            ("../ana@example.test", None),
            ("<ana@example.test>", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Address::parse(text).ok().as_ref().map(Address::as_str), expected, "{text:?}");
        }
    }
}
