//! How an account gets into other people's mailboxes on EWS, and by which name it says whose.

use std::collections::BTreeMap;

use crate::model::address::Address;

/// How the account gets into a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EwsAccess {
    /// `use_impersonation` is off: it has rights of its own in each calendar.
    Delegate,
    /// `use_impersonation` is on: it acts as the owner of the mailbox.
    Impersonation(Identities),
}

impl EwsAccess {
    /// Impersonation by primary SMTP address.
    #[must_use]
    pub fn impersonation() -> Self {
        Self::Impersonation(Identities::default())
    }

    /// Whether requests are sent in the name of the mailbox.
    #[must_use]
    pub const fn is_impersonation(&self) -> bool {
        matches!(self, Self::Impersonation(_))
    }
}

/// By which name each mailbox is impersonated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identities {
    /// `impersonate_by`: what the address of a mailbox without a name of its own is.
    pub form: AddressForm,
    /// `[exchange.identities]`: mailbox → name.
    pub named: BTreeMap<Address, Identity>,
}

impl Identities {
    /// The name of a mailbox.
    #[must_use]
    pub fn of(&self, mailbox: &Address) -> Identity {
        self.named.get(mailbox).cloned().unwrap_or_else(|| match self.form {
            AddressForm::SmtpAddress => Identity::PrimarySmtpAddress(mailbox.as_str().to_owned()),
            AddressForm::PrincipalName => Identity::PrincipalName(mailbox.as_str().to_owned()),
        })
    }
}

/// What the address of a mailbox is taken for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AddressForm {
    /// Its primary SMTP address.
    #[default]
    SmtpAddress,
    /// The user principal name of its owner.
    PrincipalName,
}

/// The one name of `ConnectingSID`.
/// <https://learn.microsoft.com/exchange/client-developer/web-service-reference/connectingsid>
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The primary SMTP address of the mailbox.
    PrimarySmtpAddress(String),
    /// The user principal name of its owner.
    PrincipalName(String),
    /// The security identifier of its owner, `S-1-…`.
    Sid(String),
}

impl Identity {
    /// Reads a user principal name or a security identifier.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("S-1-") {
            let numbers =
                rest.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
            return numbers.then(|| Self::Sid(text.to_owned()));
        }
        let (user, domain) = text.rsplit_once('@')?;
        let is_name =
            !user.is_empty() && !domain.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        is_name.then(|| Self::PrincipalName(text.to_owned()))
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::PrimarySmtpAddress(text) | Self::PrincipalName(text) | Self::Sid(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{AddressForm, Identities, Identity};
    use crate::model::address::Address;

    #[test]
    fn names_are_told_apart_by_their_form() {
        for (text, expected) in [
            ("S-1-5-21-1004336348-1177238915-682003330-512", Some(Identity::Sid as fn(String) -> Identity)),
            ("ana@corp.local", Some(Identity::PrincipalName)),
            ("S-1-", None),
            ("S-1-5-x", None),
            ("CORP\\ana", None),
            ("@corp.local", None),
            ("an a@corp.local", None),
        ] {
            assert_eq!(Identity::parse(text), expected.map(|form| form(text.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn a_mailbox_without_a_name_is_named_by_its_address() {
        let ana = Address::parse("ana@example.test").unwrap();
        let named = Identity::Sid("S-1-5-21-1".to_owned());
        let mut identities = Identities::default();
        assert_eq!(identities.of(&ana), Identity::PrimarySmtpAddress("ana@example.test".to_owned()));
        identities.form = AddressForm::PrincipalName;
        assert_eq!(identities.of(&ana), Identity::PrincipalName("ana@example.test".to_owned()));
        identities.named.insert(ana.clone(), named.clone());
        assert_eq!(identities.of(&ana), named);
    }
}
