//! UpdateItem.

use super::{
    Targets,
    access::{Access, Session},
    calendar_item,
    element::{Element, Space, unexpected},
    fault::{Fault, ItemFault},
    path::{self, Path},
    property::{Property, Sent, read_item},
    reply::{Reply, batch, run},
    target::{ItemRef, ItemRefKind, read_item as read_item_id, read_one_folder},
    value::{parse_boolean, word_attribute},
    version::Version,
    writer::Writer,
};
use crate::sandbox::store::{Change, ChangeOrder, Guard, Moment, StoreError, Zone};

#[derive(Debug, Clone)]
pub(super) struct Request {
    resolution: Resolution,
    /// Whether mails are to be sent; none when the request does not say.
    sends: Option<bool>,
    items: Vec<ItemChange>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resolution {
    NeverOverwrite,
    AutoResolve,
    AlwaysOverwrite,
}

#[derive(Debug, Clone)]
struct ItemChange {
    item: ItemRef,
    updates: Vec<Update>,
}

#[derive(Debug, Clone)]
enum Update {
    Set(Path, Vec<Sent>),
    Append(Path),
    Delete(Path),
}

impl Request {
    pub(super) fn read(element: &Element, version: Version) -> Result<Self, Fault> {
        element.only_attributes(&[
            "ConflictResolution",
            "MessageDisposition",
            "SendMeetingInvitationsOrCancellations",
            "SuppressReadReceipts",
        ])?;
        element.required("ConflictResolution")?;
        let resolutions = [
            ("NeverOverwrite", Resolution::NeverOverwrite),
            ("AutoResolve", Resolution::AutoResolve),
            ("AlwaysOverwrite", Resolution::AlwaysOverwrite),
        ];
        let resolution =
            word_attribute(element, "ConflictResolution", &resolutions)?.unwrap_or(Resolution::NeverOverwrite);
        let dispositions = [("SaveOnly", ()), ("SendOnly", ()), ("SendAndSaveCopy", ())];
        word_attribute(element, "MessageDisposition", &dispositions)?;
        let values = [
            ("SendToNone", false),
            ("SendOnlyToAll", true),
            ("SendOnlyToChanged", true),
            ("SendToAllAndSaveCopy", true),
            ("SendToChangedAndSaveCopy", true),
        ];
        let sends = word_attribute(element, "SendMeetingInvitationsOrCancellations", &values)?;
        if let Some(suppress) = element.attribute("SuppressReadReceipts")
            && (version < Version::Exchange2013Sp1 || parse_boolean(suppress).is_none())
        {
            return Err(Fault::schema(element, "The 'SuppressReadReceipts' attribute is not declared."));
        }
        let mut sequence = element.sequence();
        sequence.optional(Space::Messages, "SavedItemFolderId").map(read_one_folder).transpose()?;
        let list = sequence.required(Space::Messages, "ItemChanges")?;
        sequence.finish()?;
        if list.children.is_empty() {
            return Err(Fault::schema(list, "The element 'ItemChanges' has incomplete content."));
        }
        let items = list.children.iter().map(|child| read_change(list, child, version)).collect::<Result<_, _>>()?;
        Ok(Self { resolution, sends, items })
    }

    pub(super) fn targets(&self) -> Targets<'_> {
        Targets::of_items(self.items.iter().map(|change| &change.item))
    }

    pub(super) fn execute(self, session: &Session<'_>) -> Reply {
        let outcomes = run(&self.items, |change| {
            let sends = self.sends.ok_or_else(|| {
                let message = "The SendMeetingInvitationsOrCancellations attribute is required for calendar items.";
                ItemFault::new("ErrorSendMeetingInvitationsOrCancellationsRequired", message)
            })?;
            update(session, change, self.resolution, sends)
        });
        batch("UpdateItem", "<m:Items/>", &outcomes)
    }
}

fn read_change(list: &Element, element: &Element, version: Version) -> Result<ItemChange, Fault> {
    if !element.is_type("ItemChange") {
        return Err(Fault::schema(element, unexpected(list, element)));
    }
    let mut sequence = element.sequence();
    let id =
        sequence.next().ok_or_else(|| Fault::schema(element, "The element 'ItemChange' has incomplete content."))?;
    let item = read_item_id(element, id)?;
    let updates = sequence.required(Space::Types, "Updates")?;
    sequence.finish()?;
    if updates.children.is_empty() {
        return Err(Fault::schema(updates, "The element 'Updates' has incomplete content."));
    }
    let updates =
        updates.children.iter().map(|child| read_update(updates, child, version)).collect::<Result<_, _>>()?;
    Ok(ItemChange { item, updates })
}

fn read_update(list: &Element, element: &Element, version: Version) -> Result<Update, Fault> {
    let incomplete = || Fault::schema(element, format!("The element '{}' has incomplete content.", element.name));
    let mut sequence = element.sequence();
    let read_path = |child: Option<&Element>| path::read(child.ok_or_else(incomplete)?, version);
    let update = match element.name.as_str() {
        "DeleteItemField" if element.space == Space::Types => Update::Delete(read_path(sequence.next())?),
        "SetItemField" | "AppendToItemField" if element.space == Space::Types => {
            let path = read_path(sequence.next())?;
            let sent = read_item(sequence.required(Space::Types, "CalendarItem")?, version)?;
            if element.name == "SetItemField" { Update::Set(path, sent) } else { Update::Append(path) }
        }
        _ => return Err(Fault::schema(element, unexpected(list, element))),
    };
    sequence.finish()?;
    Ok(update)
}

fn update(
    session: &Session<'_>,
    change: &ItemChange,
    resolution: Resolution,
    sends: bool,
) -> Result<String, ItemFault> {
    let (mailbox, target) = session.item(&change.item, Access::Write)?;
    let changes = changes_of(session, &change.updates)?;
    let guard = guard_of(&change.item, resolution)?;
    let (entry, conflicts) = match session.store.update(&mailbox, &target, &changes, ChangeOrder::OneByOne, &guard) {
        Ok(entry) => (entry, 0),
        Err(StoreError::Conflict) => match resolution {
            Resolution::NeverOverwrite => return Err(StoreError::Conflict.into()),
            // What somebody else wrote since stays, and the answer only counts it.
            Resolution::AutoResolve => (session.store.get(&mailbox, &target)?, changes.len()),
            Resolution::AlwaysOverwrite => {
                let entry = session.store.update(&mailbox, &target, &changes, ChangeOrder::OneByOne, &Guard::Any)?;
                (entry, 0)
            }
        },
        Err(error) => return Err(error.into()),
    };
    let attendees = changes.iter().map(|change| match change {
        Change::Attendees(attendees) => u64::try_from(attendees.len()).unwrap_or(u64::MAX),
        _ => 0,
    });
    session.store.count_mails(&mailbox, attendees.sum::<u64>().max(u64::from(sends)))?;
    let mut writer = Writer::new();
    writer.open("m:Items", &[]);
    calendar_item::write_id_only(&mut writer, &entry);
    writer.close("m:Items");
    writer.open("m:ConflictResults", &[]);
    writer.text("t:Count", &conflicts.to_string());
    writer.close("m:ConflictResults");
    Ok(writer.finish())
}

/// An item must come with the change key that was last read; an occurrence, which shares its series' key, may do without.
fn guard_of(item: &ItemRef, resolution: Resolution) -> Result<Guard, ItemFault> {
    match (&item.change_key, item.kind) {
        (Some(key), _) if !key.is_empty() => Ok(Guard::ChangeKey(key.clone())),
        (_, ItemRefKind::Occurrence(_) | ItemRefKind::Master) if resolution == Resolution::AlwaysOverwrite => {
            Ok(Guard::Any)
        }
        _ => Err(ItemFault::new(
            "ErrorChangeKeyRequiredForWriteOperations",
            "The change key passed in the request is required for this write operation.",
        )),
    }
}

fn changes_of(session: &Session<'_>, updates: &[Update]) -> Result<Vec<Change>, ItemFault> {
    let zones = Zones::of(session, updates)?;
    let mut changes = Vec::with_capacity(updates.len());
    for update in updates {
        match update {
            Update::Set(path, sent) => changes.extend(set(path, sent, &zones)?),
            Update::Append(path) => {
                let message = "Append action is invalid for property.";
                return Err(ItemFault::on("ErrorInvalidPropertyAppend", message, path.label()));
            }
            Update::Delete(path) => changes.extend(delete(path)?),
        }
    }
    Ok(changes)
}

/// The zones in which the wall times of one update are meant.
struct Zones {
    start: Zone,
    end: Zone,
}

impl Zones {
    fn of(session: &Session<'_>, updates: &[Update]) -> Result<Self, StoreError> {
        let (mut start, mut end, mut meeting) = (None, None, None);
        for update in updates {
            let Update::Set(_, sent) = update else { continue };
            for one in sent {
                match &one.property {
                    Property::StartTimeZone(zone) => start = Some(zone.clone()?),
                    Property::EndTimeZone(zone) => end = Some(zone.clone()?),
                    Property::MeetingTimeZone(zone) => meeting = Some(zone.clone()?),
                    _ => {}
                }
            }
        }
        let fallback = meeting.unwrap_or_else(|| session.zone());
        let start = start.unwrap_or(fallback);
        let end = end.unwrap_or_else(|| start.clone());
        Ok(Self { start, end })
    }
}

fn set(path: &Path, sent: &[Sent], zones: &Zones) -> Result<Vec<Change>, ItemFault> {
    let [one] = sent else {
        let message = "An object within a change description must contain one and only one property to modify.";
        return Err(ItemFault::on("ErrorIncorrectUpdatePropertyCount", message, path.label()));
    };
    let fits = match (path, &one.property) {
        (Path::Field(name, _), _) => *name == one.name,
        (Path::Named(name), Property::Named(sent, _)) => name == sent,
        (Path::Extended(attributes), Property::Extended(sent)) => attributes == sent,
        (Path::Named(_) | Path::Extended(_) | Path::Foreign(_), _) => false,
    };
    if !fits {
        let message = "The property in the path is not the property that is set.";
        return Err(ItemFault::on("ErrorUpdatePropertyMismatch", message, path.label()));
    }
    let out_of_range = |_| ItemFault::from(StoreError::OutOfRange);
    Ok(vec![match one.property.clone() {
        Property::Subject(subject) => Change::Subject(subject),
        Property::Sensitivity(sensitivity) => Change::Sensitivity(sensitivity),
        Property::Body(body) => Change::Body(Some(body)),
        Property::Categories(categories) => Change::Categories(categories),
        Property::Importance(importance) => Change::Importance(importance),
        Property::ReminderIsSet(set) => Change::ReminderSet(set),
        Property::ReminderMinutes(minutes) => Change::ReminderMinutes(minutes),
        Property::Named(name, value) => Change::Property(name, Some(value)),
        Property::Uid(uid) => Change::Uid(uid),
        Property::Start(time) => {
            Change::Start(Moment::Instant(time.instant(&zones.start).ok_or(()).map_err(out_of_range)?))
        }
        Property::End(time) => Change::End(Moment::Instant(time.instant(&zones.end).ok_or(()).map_err(out_of_range)?)),
        Property::IsAllDay(all_day) => Change::AllDay(all_day),
        Property::FreeBusy(show_as) => Change::ShowAs(show_as),
        Property::Location(location) => Change::Location(Some(location)),
        Property::Attendees(attendees) => Change::Attendees(attendees),
        Property::Recurrence(said) => Change::Recurrence(Some((*said)?)),
        Property::StartTimeZone(zone) => Change::StartZone(zone?),
        Property::EndTimeZone(zone) => Change::EndZone(zone?),
        Property::MeetingTimeZone(zone) => {
            let zone = zone?;
            return Ok(vec![Change::StartZone(zone.clone()), Change::EndZone(zone)]);
        }
        Property::Extended(attributes) if !path::is_consistent(&attributes) => {
            let message = "The extended property attribute combination is invalid.";
            return Err(ItemFault::new("ErrorInvalidExtendedProperty", message));
        }
        Property::Extended(_) | Property::Ignored => return Ok(Vec::new()),
        Property::ReadOnly => {
            let message = "Set action is invalid for property.";
            return Err(ItemFault::on("ErrorInvalidPropertySet", message, path.label()));
        }
    }])
}

fn delete(path: &Path) -> Result<Option<Change>, ItemFault> {
    let change = match path {
        Path::Named(name) => Change::Property(name.clone(), None),
        Path::Extended(_) => return Ok(None),
        Path::Field(
            "InReplyTo"
            | "Culture"
            | "Flag"
            | "When"
            | "ConferenceType"
            | "AllowNewTimeProposal"
            | "NetShowUrl"
            | "MeetingWorkspaceUrl",
            _,
        ) => return Ok(None),
        Path::Field("Subject", _) => Change::Subject(String::new()),
        Path::Field("Body", _) => Change::Body(None),
        Path::Field("Location" | "EnhancedLocation", _) => Change::Location(None),
        Path::Field("Categories", _) => Change::Categories(Vec::new()),
        Path::Field("Recurrence", _) => Change::Recurrence(None),
        Path::Field("RequiredAttendees" | "OptionalAttendees" | "Resources", _) => Change::Attendees(Vec::new()),
        Path::Field(..) | Path::Foreign(_) => {
            let message = "Delete action is not supported for this property.";
            return Err(ItemFault::on("ErrorInvalidPropertyDelete", message, path.label()));
        }
    };
    Ok(Some(change))
}
