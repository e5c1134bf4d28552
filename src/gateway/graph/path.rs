//! Paths and queries below `/v1.0`, with every part encoded (RFC 3986 §2.1).

use std::fmt::Write;

use crate::model::address::Address;

/// Encodes one segment of a path or one value of a query; only unreserved characters stay, and those of `kept`.
fn encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// One segment of a path.
pub(super) fn segment(text: &str) -> String {
    encode(text, b"@")
}

/// The value of a query option.
pub(super) fn value(text: &str) -> String {
    encode(text, b"(),:'/$=;@")
}

/// A string of an OData expression, quoted (OData 4.01 URL conventions §5.1.1.6.1).
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `/users/{mailbox}`.
pub(super) fn user(mailbox: &Address) -> String {
    format!("/users/{}", segment(mailbox.as_str()))
}

/// `/users/{mailbox}/events/{id}`.
pub(super) fn event(mailbox: &Address, id: &str) -> String {
    format!("{}/events/{}", user(mailbox), segment(id))
}

/// `/users/{mailbox}/calendars/{calendar}/events`.
pub(super) fn calendar_events(mailbox: &Address, calendar: &str) -> String {
    format!("{}/calendars/{}/events", user(mailbox), segment(calendar))
}

#[cfg(test)]
mod tests {
    use super::{event, literal, value};
    use crate::model::address::Address;

    #[test]
    fn parts_are_encoded() -> Result<(), Box<dyn std::error::Error>> {
        let mailbox = Address::parse("o'neil+x@example.test")?;
        assert_eq!(event(&mailbox, "AA/b+c=?#"), "/users/o%27neil%2Bx@example.test/events/AA%2Fb%2Bc%3D%3F%23");
        assert_eq!(value("a eq 'x&y #+%é'"), "a%20eq%20'x%26y%20%23%2B%25%C3%A9'");
        assert_eq!(literal("o'neil"), "'o''neil'");
        Ok(())
    }
}
