//! Whose mailbox a request is for, said in the request itself.
//!
//! A request that says nothing opens the account's own mailbox, and what it writes lands there. So each request is built from
//! a [`Route`], which names the mailbox in the SOAP header, or (for a delegate) in every distinguished folder; the other ids
//! of a request come from a folder that was opened so, and lead to its mailbox by themselves.
//! <https://learn.microsoft.com/exchange/client-developer/exchange-web-services/delegate-access-and-ews-in-exchange>
//!
//! *Invariant*: nothing else writes `ExchangeImpersonation` or `DistinguishedFolderId`.

use super::xml::Xml;
use crate::{
    model::address::Address,
    settings::{EwsAccess, Identity},
};

/// The way to one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route<'a> {
    mailbox: &'a Address,
    means: Means,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Means {
    /// The header names the mailbox.
    Impersonate(Identity),
    /// Each distinguished folder names the mailbox.
    Explicit,
}

impl<'a> Route<'a> {
    /// The way to a mailbox.
    pub(super) fn new(access: &EwsAccess, mailbox: &'a Address) -> Self {
        let means = match access {
            EwsAccess::Impersonation(identities) => Means::Impersonate(identities.of(mailbox)),
            EwsAccess::Delegate => Means::Explicit,
        };
        Self { mailbox, means }
    }

    /// Writes the part of the SOAP header.
    pub(super) fn write_header(&self, xml: &mut Xml) {
        let Means::Impersonate(identity) = &self.means else { return };
        let name = match identity {
            Identity::PrimarySmtpAddress(_) => "t:PrimarySmtpAddress",
            Identity::PrincipalName(_) => "t:PrincipalName",
            Identity::Sid(_) => "t:SID",
        };
        xml.element("t:ExchangeImpersonation", &[], |xml| {
            xml.element("t:ConnectingSID", &[], |xml| xml.text(name, identity.as_str()));
        });
    }

    /// Writes the id of a folder that every mailbox has: `calendar`, `msgfolderroot`.
    pub(super) fn write_folder(&self, xml: &mut Xml, folder: &str) {
        let id = [("Id", folder)];
        match &self.means {
            Means::Impersonate(_) => xml.empty("t:DistinguishedFolderId", &id),
            Means::Explicit => xml.element("t:DistinguishedFolderId", &id, |xml| {
                xml.element("t:Mailbox", &[], |xml| xml.text("t:EmailAddress", self.mailbox.as_str()));
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, path::Path};

    use super::{Route, Xml};
    use crate::{
        gateway::ews::sample,
        settings::{AddressForm, EwsAccess, Identities, Identity},
    };

    fn written(access: &EwsAccess) -> String {
        let mailbox = sample::mailbox();
        let route = Route::new(access, &mailbox);
        let mut xml = Xml::new();
        route.write_header(&mut xml);
        route.write_folder(&mut xml, "calendar");
        String::from_utf8(xml.into_bytes()).unwrap()
    }

    #[test]
    fn every_request_names_the_mailbox_once() {
        let with = |form, named: &[&str]| {
            let named = named.iter().map(|name| (sample::mailbox(), Identity::parse(name).unwrap())).collect();
            EwsAccess::Impersonation(Identities { form, named })
        };
        let bare = "<t:DistinguishedFolderId Id=\"calendar\"/>";
        for (access, name, folder) in [
            (EwsAccess::impersonation(), "<t:PrimarySmtpAddress>ana@example.test</t:PrimarySmtpAddress>", bare),
            (with(AddressForm::PrincipalName, &[]), "<t:PrincipalName>ana@example.test</t:PrincipalName>", bare),
            (
                with(AddressForm::SmtpAddress, &["a@corp.local"]),
                "<t:PrincipalName>a@corp.local</t:PrincipalName>",
                bare,
            ),
            (with(AddressForm::SmtpAddress, &["S-1-5-21-7"]), "<t:SID>S-1-5-21-7</t:SID>", bare),
            (EwsAccess::Delegate, "<t:EmailAddress>ana@example.test</t:EmailAddress>", "Id=\"calendar\"><t:Mailbox>"),
        ] {
            let written = written(&access);
            assert!(written.contains(name) && written.contains(folder), "{written}");
            assert_eq!(written.contains("<t:ExchangeImpersonation>"), access.is_impersonation(), "{written}");
            assert_eq!(written.contains("<t:Mailbox>"), !access.is_impersonation(), "{written}");
        }
    }

    #[test]
    fn nothing_else_writes_who_is_meant() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gateway/ews");
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() || path.ends_with("route.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            for word in ["\"t:DistinguishedFolderId", "\"t:ExchangeImpersonation", "\"t:ConnectingSID"] {
                assert!(!code.contains(word), "{} writes {word}: ask the Route for it", path.display());
            }
        }
    }
}
