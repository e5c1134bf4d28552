//! `GetFolder`: the calendar of a mailbox.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/getfolder-operation>

use super::{
    document::{Element, Unreadable},
    operation::{Effect, Operation, ReadError, only},
    route::Route,
    xml::Xml,
};
use crate::{
    model::fault::{Fault, FaultKind, FaultScope},
    settings::ServerVersion,
};

/// Asks for the id of the calendar of a mailbox.
#[derive(Debug)]
pub(super) struct GetFolder<'a> {
    /// The way to the mailbox.
    pub(super) route: Route<'a>,
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
            xml.element("m:FolderIds", &[], |xml| self.route.write_folder(xml, "calendar"));
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

    use super::{GetFolder, Route};
    use crate::{
        gateway::ews::sample::{self, Delegate, Latest, Oldest, check_answer, check_request},
        model::fault::{FaultKind, FaultScope},
        settings::EwsAccess,
    };

    #[test]
    fn the_request_names_the_mailbox() {
        let mailbox = sample::mailbox();
        for (golden, setting) in
            [("get_folder", Latest), ("get_folder_2007", Oldest), ("get_folder_delegate", Delegate)]
        {
            let route = Route::new(&setting.config().access, &mailbox);
            check_request(golden, &setting, &GetFolder { route });
        }
    }

    #[test]
    fn the_answer_is_read() {
        let mailbox = sample::mailbox();
        let operation = GetFolder { route: Route::new(&EwsAccess::impersonation(), &mailbox) };
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
