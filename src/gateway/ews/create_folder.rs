//! `CreateFolder`: a calendar below the default one.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/createfolder-operation>

use super::{
    document::{Element, Unreadable},
    operation::{Effect, Operation, ReadError, only},
    route::Route,
    xml::Xml,
};
use crate::{model::fault::Fault, settings::ServerVersion};

/// Makes a calendar.
#[derive(Debug)]
pub(super) struct CreateFolder<'a> {
    /// The way to the mailbox.
    pub(super) route: Route<'a>,
    /// Its name.
    pub(super) name: &'a str,
}

impl Operation for CreateFolder<'_> {
    /// The folder's id.
    type Answer = String;
    const NAME: &'static str = "CreateFolder";
    const EFFECT: Effect = Effect::Write;

    fn items(&self) -> usize {
        1
    }

    fn write(&self, xml: &mut Xml, _version: ServerVersion) {
        xml.element("m:CreateFolder", &[], |xml| {
            xml.element("m:ParentFolderId", &[], |xml| self.route.write_folder(xml, "calendar"));
            xml.element("m:Folders", &[], |xml| {
                xml.element("t:CalendarFolder", &[], |xml| xml.text("t:DisplayName", self.name));
            });
        });
    }

    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<String, ReadError> {
        let message = only(messages)?;
        let folder = message.require("Folders")?.children().first();
        let folder = folder.ok_or_else(|| Unreadable::new("Folders", "no folder"))?;
        Ok(folder.require("FolderId")?.require_attribute("Id")?.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{CreateFolder, Route};
    use crate::gateway::ews::sample::{self, Delegate, Latest, check_request};

    #[test]
    fn the_request_names_the_mailbox() {
        let mailbox = sample::mailbox();
        for (golden, setting) in [("create_folder", Latest), ("create_folder_delegate", Delegate)] {
            let route = Route::new(&setting.config().access, &mailbox);
            check_request(golden, &setting, &CreateFolder { route, name: "Planning & <Duty>" });
        }
    }
}
