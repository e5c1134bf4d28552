//! `CreateItem`: new items, a batch at a time, with our named properties in the same request.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/createitem-operation-calendar-item>

use super::{
    calendar_item::new_item,
    document::Element,
    operation::{Effect, Operation, ReadError, first_item},
    xml::Xml,
};
use crate::{
    gateway::Calendar,
    model::{
        event::DesiredEvent,
        fault::{Fault, FaultKind, FaultScope},
        fingerprint::Fingerprint,
        link::{ItemRef, Owner},
        zone::Zone,
    },
    settings::ServerVersion,
};

/// Creates items.
#[derive(Debug)]
pub(super) struct CreateItem<'a> {
    /// Where.
    pub(super) calendar: &'a Calendar,
    /// What each shows, and the fingerprint and the generation that it is to carry; all in one zone.
    pub(super) events: Vec<(&'a DesiredEvent, Fingerprint, i64)>,
    /// Whose items they are.
    pub(super) owner: &'a Owner,
}

impl Operation for CreateItem<'_> {
    type Answer = Vec<Result<ItemRef, Fault>>;
    const NAME: &'static str = "CreateItem";
    const EFFECT: Effect = Effect::Write;

    fn items(&self) -> usize {
        self.events.len()
    }

    fn zone(&self) -> Option<&Zone> {
        self.events.first().map(|(event, ..)| event.time.zone())
    }

    fn write(&self, xml: &mut Xml, version: ServerVersion) {
        xml.element("m:CreateItem", &[("SendMeetingInvitations", "SendToNone")], |xml| {
            xml.element("m:SavedItemFolderId", &[], |xml| xml.empty("t:FolderId", &[("Id", &self.calendar.id)]));
            xml.element("m:Items", &[], |xml| {
                for (event, fingerprint, generation) in &self.events {
                    new_item(xml, event, (fingerprint, *generation), self.owner, version);
                }
            });
        });
    }

    fn read(&self, messages: Vec<Result<Element, Fault>>) -> Result<Self::Answer, ReadError> {
        Ok(messages.into_iter().map(|message| written(&message?)).collect())
    }
}

/// The name of a written item; without one nobody can tell where the write went.
pub(super) fn written(message: &Element) -> Result<ItemRef, Fault> {
    first_item(message).map_err(|unreadable| {
        let message = format!("the answer cannot be read: {unreadable}");
        Fault::new(FaultScope::Item, FaultKind::Doubtful { wait: None }, "UnreadableAnswer", message)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::CreateItem;
    use crate::{
        gateway::ews::sample::{self, check_answer, check_request},
        model::fault::FaultKind,
    };

    #[test]
    fn requests_are_in_schema_order() {
        let (calendar, owner) = (sample::calendar(), sample::owner());
        let events = [sample::meeting(), sample::all_day(), sample::series_with_exceptions(), sample::ambiguous()];
        let events: Vec<_> = events.iter().map(|event| (event, event.fingerprint(), 1_790_000_000_000)).collect();
        let operation = CreateItem { calendar: &calendar, events, owner: &owner };
        for (setting, version) in sample::VERSIONS {
            check_request(&format!("create_item{version}"), &setting, &operation);
        }
    }

    #[test]
    fn answers_are_read_item_by_item() {
        let (calendar, owner, event) = (sample::calendar(), sample::owner(), sample::meeting());
        let events = vec![(&event, event.fingerprint(), 1); 3];
        let operation = CreateItem { calendar: &calendar, events, owner: &owner };
        let answer = include_str!("../../../tests/goldens/ews/create_item.answer.xml");
        let answers = check_answer(&operation, answer).unwrap();
        assert_eq!(answers[0].as_ref().unwrap().id, "AAMk1=");
        assert_eq!(answers[0].as_ref().unwrap().change_key, "DwA1");
        assert_eq!(answers[1].as_ref().unwrap_err().kind, FaultKind::Permanent);
        assert!(matches!(answers[2].as_ref().unwrap_err().kind, FaultKind::Doubtful { .. }));
    }
}
