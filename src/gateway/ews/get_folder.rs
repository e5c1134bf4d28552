//! `GetFolder`: the calendar of a mailbox.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/getfolder-operation>

use super::{
    document::{Element, Unreadable},
    operation::{Effect, Operation, ReadError, only},
    xml::Xml,
};
use crate::{
    model::{
        address::Address,
        fault::{Fault, FaultKind, FaultScope},
    },
    settings::ServerVersion,
};

/// Asks for the id of the calendar of a mailbox.
#[derive(Debug)]
pub(super) struct GetFolder<'a> {
    /// Whose calendar.
    pub(super) mailbox: &'a Address,
    /// Whether the header of the request names the mailbox; else the folder does, or the server would open the
    /// account's own calendar.
    pub(super) impersonation: bool,
}

impl Operation for GetFolder<'_> {
    /// The folder's id.
    type Answer = String;
    const NAME: &'static str = "GetFolder";
    const EFFECT: Effect = Effect::Read;

    fn items(&self) -> usize {
        1
    }

    fn write(&self, xml: &mut Xml, _version: ServerVersion) {
        xml.element("m:GetFolder", &[], |xml| {
            xml.element("m:FolderShape", &[], |xml| {
                xml.text("t:BaseShape", "IdOnly");
                xml.element("t:AdditionalProperties", &[], |xml| {
                    xml.empty("t:FieldURI", &[("FieldURI", "folder:FolderClass")]);
                });
            });
            xml.element("m:FolderIds", &[], |xml| {
                let calendar = [("Id", "calendar")];
                if self.impersonation {
                    xml.empty("t:DistinguishedFolderId", &calendar);
                } else {
                    xml.element("t:DistinguishedFolderId", &calendar, |xml| {
                        xml.element("t:Mailbox", &[], |xml| xml.text("t:EmailAddress", self.mailbox.as_str()));
                    });
                }
            });
        });
    }

    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<String, ReadError> {
        let message = only(messages)?;
        let folder = message.require("Folders")?.children().first();
        let folder = folder.ok_or_else(|| Unreadable::new("Folders", "no folder"))?;
        let class = folder.child("FolderClass").map_or("IPF.Appointment", Element::text);
        if !class.starts_with("IPF.Appointment") {
            let fault =
                Fault::new(FaultScope::Mailbox, FaultKind::Permanent, "NotACalendar", "the folder is no calendar");
            return Err(fault.hint("an Exchange administrator must repair the default folders of the mailbox").into());
        }
        Ok(folder.require("FolderId")?.require_attribute("Id")?.to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::GetFolder;
    use crate::{
        gateway::ews::sample::{self, Delegate, Latest, Oldest, check_answer, check_request},
        model::fault::{FaultKind, FaultScope},
    };

    #[test]
    fn the_request_names_the_mailbox() {
        let mailbox = sample::mailbox();
        check_request("get_folder", &Latest, &GetFolder { mailbox: &mailbox, impersonation: true });
        check_request("get_folder_2007", &Oldest, &GetFolder { mailbox: &mailbox, impersonation: true });
        check_request("get_folder_delegate", &Delegate, &GetFolder { mailbox: &mailbox, impersonation: false });
    }

    #[test]
    fn the_answer_is_read() {
        let mailbox = sample::mailbox();
        let operation = GetFolder { mailbox: &mailbox, impersonation: true };
        assert_eq!(
            check_answer(&operation, include_str!("../../../tests/goldens/ews/get_folder.answer.xml")).unwrap(),
            "AQ+cal="
        );
        let other =
            include_str!("../../../tests/goldens/ews/get_folder.answer.xml").replace("IPF.Appointment", "IPF.Note");
        let fault = check_answer(&operation, &other).unwrap_err();
        assert_eq!((fault.scope, fault.kind), (FaultScope::Mailbox, FaultKind::Permanent));
        let unknown = include_str!("../../../tests/goldens/ews/get_folder.unknown_mailbox.xml");
        let fault = check_answer(&operation, unknown).unwrap_err();
        assert_eq!((fault.scope, fault.code.as_str()), (FaultScope::Mailbox, "ErrorNonExistentMailbox"));
        assert!(fault.hint.is_some());
    }
}
