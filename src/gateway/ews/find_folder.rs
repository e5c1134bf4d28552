//! `FindFolder`: the calendars of a mailbox, the default one and those beside and below it. What lies in the deleted items is
//! not among them.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/findfolder-operation>

use super::{
    document::Element,
    operation::{Effect, Operation, ReadError},
    route::Route,
    xml::Xml,
};
use crate::{gateway::ListedCalendar, model::fault::Fault, settings::ServerVersion};

/// Where calendars are: below the default one, where Outlook makes them, and beside it.
const PARENTS: [&str; 2] = ["calendar", "msgfolderroot"];

/// Asks for the calendars of a mailbox.
#[derive(Debug)]
pub(super) struct FindFolder<'a> {
    /// The way to the mailbox.
    pub(super) route: Route<'a>,
}

impl Operation for FindFolder<'_> {
    type Answer = Vec<ListedCalendar>;
    const NAME: &'static str = "FindFolder";
    const EFFECT: Effect = Effect::Read;

    fn items(&self) -> usize {
        PARENTS.len()
    }

    fn write(&self, xml: &mut Xml, _version: ServerVersion) {
        xml.element("m:FindFolder", &[("Traversal", "Shallow")], |xml| {
            xml.element("m:FolderShape", &[], |xml| {
                xml.text("t:BaseShape", "IdOnly");
                xml.element("t:AdditionalProperties", &[], |xml| {
                    xml.empty("t:FieldURI", &[("FieldURI", "folder:DisplayName")]);
                    xml.empty("t:FieldURI", &[("FieldURI", "folder:FolderClass")]);
                });
            });
            xml.element("m:ParentFolderIds", &[], |xml| {
                PARENTS.iter().for_each(|parent| self.route.write_folder(xml, parent));
            });
        });
    }

    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<Self::Answer, ReadError> {
        let mut calendars: Vec<ListedCalendar> = Vec::new();
        for message in messages {
            let message = message?;
            let folders = message.require("RootFolder")?.child("Folders").map(Element::children).unwrap_or_default();
            for folder in folders {
                let class = folder.child("FolderClass").map_or("", Element::text);
                if !class.starts_with("IPF.Appointment") {
                    continue;
                }
                let id = folder.require("FolderId")?.require_attribute("Id")?.to_owned();
                let name = folder.child("DisplayName").map_or("", Element::text).to_owned();
                if calendars.iter().all(|calendar| calendar.id != id) {
                    calendars.push(ListedCalendar { id, name });
                }
            }
        }
        Ok(calendars)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{FindFolder, Route};
    use crate::{
        gateway::ews::sample::{self, Delegate, Latest, check_answer, check_request},
        settings::EwsAccess,
    };

    #[test]
    fn the_request_asks_in_both_places() {
        let mailbox = sample::mailbox();
        for (golden, setting) in [("find_folder", Latest), ("find_folder_delegate", Delegate)] {
            check_request(golden, &setting, &FindFolder { route: Route::new(&setting.config().access, &mailbox) });
        }
    }

    #[test]
    fn calendars_are_listed_once_and_other_folders_not() {
        let mailbox = sample::mailbox();
        let operation = FindFolder { route: Route::new(&EwsAccess::impersonation(), &mailbox) };
        let answer = include_str!("../../../tests/goldens/ews/find_folder.answer.xml");
        let found = check_answer(&operation, answer).unwrap();
        let found: Vec<(&str, &str)> = found.iter().map(|one| (one.id.as_str(), one.name.as_str())).collect();
        assert_eq!(found, [("AQ+plan=", "Planning"), ("AQ+cal=", "Calendar")]);
    }
}
