//! CreateItem.

use jiff::SignedDuration;

use super::{
    Targets,
    access::{Access, Session},
    calendar_item,
    element::{Element, Space, unexpected},
    fault::{Fault, ItemFault},
    path::is_consistent,
    property::{Property, Sent, read_item},
    reply::{Reply, batch, run},
    target::{FolderRef, read_one_folder},
    time::Time,
    value::word_attribute,
    version::Version,
    writer::Writer,
};
use crate::sandbox::store::{Draft, Moment, StoreError, Zone};

#[derive(Debug, Clone)]
pub(super) struct Request {
    folder: Option<FolderRef>,
    /// Whether mails are to be sent; none when the request does not say.
    sends: Option<bool>,
    items: Vec<Vec<Sent>>,
}

impl Request {
    pub(super) fn read(element: &Element, version: Version) -> Result<Self, Fault> {
        element.only_attributes(&["MessageDisposition", "SendMeetingInvitations"])?;
        let dispositions = [("SaveOnly", ()), ("SendOnly", ()), ("SendAndSaveCopy", ())];
        word_attribute(element, "MessageDisposition", &dispositions)?;
        let values = [("SendToNone", false), ("SendOnlyToAll", true), ("SendToAllAndSaveCopy", true)];
        let sends = word_attribute(element, "SendMeetingInvitations", &values)?;
        let mut sequence = element.sequence();
        let folder = sequence.optional(Space::Messages, "SavedItemFolderId").map(read_one_folder).transpose()?;
        let list = sequence.required(Space::Messages, "Items")?;
        sequence.finish()?;
        if list.children.is_empty() {
            return Err(Fault::schema(list, "The element 'Items' has incomplete content."));
        }
        let item = |child: &Element| {
            if !child.is_type("CalendarItem") {
                return Err(Fault::schema(child, unexpected(list, child)));
            }
            read_item(child, version)
        };
        let items = list.children.iter().map(item).collect::<Result<_, Fault>>()?;
        Ok(Self { folder, sends, items })
    }

    pub(super) fn targets(&self) -> Targets<'_> {
        Targets { folders: self.folder.iter().collect(), items: Vec::new(), count: self.items.len() }
    }

    pub(super) fn execute(self, session: &Session<'_>) -> Reply {
        let calendar = FolderRef::Distinguished { name: "calendar".to_owned(), mailbox: None };
        let folder = self.folder.as_ref().unwrap_or(&calendar);
        let outcomes = run(&self.items, |sent| {
            let sends = self.sends.ok_or_else(|| {
                let message = "The SendMeetingInvitations attribute is required for calendar items.";
                ItemFault::new("ErrorSendMeetingInvitationsRequired", message)
            })?;
            let (mailbox, info) = session.calendar(folder, Access::Create)?;
            let draft = draft_of(session, sent)?;
            let attendees = u64::try_from(draft.attendees.len()).unwrap_or(u64::MAX);
            let entry = session.store.create(&mailbox, Some(&info.id), draft)?;
            session.store.count_mails(&mailbox, attendees.max(u64::from(sends)))?;
            let mut writer = Writer::new();
            writer.open("m:Items", &[]);
            calendar_item::write_id_only(&mut writer, &entry);
            writer.close("m:Items");
            Ok(writer.finish())
        });
        batch("CreateItem", "<m:Items/>", &outcomes)
    }
}

/// The zones that an item is made in.
fn zones_of(session: &Session<'_>, sent: &[Sent]) -> Result<(Zone, Zone), StoreError> {
    let named = |wanted: &str| {
        sent.iter().find(|one| one.name == wanted).and_then(|one| match &one.property {
            Property::StartTimeZone(zone) | Property::EndTimeZone(zone) | Property::MeetingTimeZone(zone) => {
                Some(zone.clone())
            }
            _ => None,
        })
    };
    let meeting = named("MeetingTimeZone").transpose()?;
    let fallback = meeting.unwrap_or_else(|| session.zone());
    let start = named("StartTimeZone").transpose()?.unwrap_or_else(|| fallback.clone());
    let end = named("EndTimeZone").transpose()?.unwrap_or_else(|| start.clone());
    Ok((start, end))
}

fn draft_of(session: &Session<'_>, sent: &[Sent]) -> Result<Draft, ItemFault> {
    let (start_zone, end_zone) = zones_of(session, sent)?;
    let now = session.store.now();
    let mut draft = Draft::new(Moment::Instant(now), Moment::Instant(now), start_zone);
    draft.end_zone = end_zone;
    let mut end = None;
    for one in sent {
        apply(&mut draft, &mut end, one)?;
    }
    draft.end = match (end, draft.start) {
        (Some(end), _) => end,
        (None, Moment::Instant(start)) => Moment::Instant(start + SignedDuration::from_mins(30)),
        (None, Moment::Wall(start)) => Moment::Wall(start + SignedDuration::from_mins(30)),
    };
    Ok(draft)
}

fn apply(draft: &mut Draft, end: &mut Option<Moment>, sent: &Sent) -> Result<(), ItemFault> {
    match sent.property.clone() {
        Property::Subject(subject) => draft.subject = subject,
        Property::Sensitivity(sensitivity) => draft.sensitivity = sensitivity,
        Property::Body(body) => draft.body = Some(body),
        Property::Categories(categories) => draft.categories = categories,
        Property::Importance(importance) => draft.importance = importance,
        Property::ReminderIsSet(set) => draft.reminder_set = Some(set),
        Property::ReminderMinutes(minutes) => draft.reminder_minutes = Some(minutes),
        Property::Named(name, value) => {
            draft.properties.insert(name, value);
        }
        Property::Extended(attributes) => {
            if !is_consistent(&attributes) {
                let message = "The extended property attribute combination is invalid.";
                return Err(ItemFault::new("ErrorInvalidExtendedProperty", message));
            }
        }
        Property::Uid(uid) => draft.uid = Some(uid),
        Property::Start(time) => draft.start = moment(time),
        Property::End(time) => *end = Some(moment(time)),
        Property::IsAllDay(all_day) => draft.all_day = all_day,
        Property::FreeBusy(show_as) => draft.show_as = show_as,
        Property::Location(location) => draft.location = Some(location),
        Property::Attendees(attendees) => draft.attendees.extend(attendees),
        Property::Recurrence(said) => draft.recurrence = Some((*said)?),
        Property::MeetingTimeZone(_) | Property::StartTimeZone(_) | Property::EndTimeZone(_) | Property::Ignored => {}
        Property::ReadOnly => {
            let message = "Set action is invalid for property.";
            return Err(ItemFault::on("ErrorInvalidPropertySet", message, &sent.path));
        }
    }
    Ok(())
}

const fn moment(time: Time) -> Moment {
    match time {
        Time::Instant(instant) => Moment::Instant(instant),
        Time::Wall(wall) => Moment::Wall(wall),
    }
}
