//! Writes a calendar item.

use super::{
    access::Session,
    fault::ItemFault,
    recurrence,
    shape::Columns,
    time::write_instant,
    version::Version,
    vocabulary::{BODY_KINDS, FREE_BUSY, IMPORTANCES, SENSITIVITIES, word_of},
    writer::Writer,
};
use crate::sandbox::store::{Entry, EntryKind, Exceptions, ShowAs, Zone};

/// FindItem gives no more of a string.
const SEARCH_CHARACTERS_MAX: usize = 255;

/// An item with nothing but its id.
pub(super) fn write_id_only(writer: &mut Writer, entry: &Entry) {
    writer.open("t:CalendarItem", &[]);
    write_id(writer, "t:ItemId", entry);
    writer.close("t:CalendarItem");
}

/// An id with its change key.
fn write_id(writer: &mut Writer, name: &str, entry: &Entry) {
    writer.empty(name, &[("Id", &entry.id), ("ChangeKey", &entry.change_key)]);
}

/// An item with the columns of a shape.
pub(super) fn write(
    writer: &mut Writer,
    session: &Session<'_>,
    entry: &Entry,
    columns: &Columns,
) -> Result<(), ItemFault> {
    let needs_exceptions = ["FirstOccurrence", "LastOccurrence", "ModifiedOccurrences", "DeletedOccurrences"]
        .iter()
        .any(|name| columns.names.contains(name));
    let exceptions = match entry.kind {
        EntryKind::Master if needs_exceptions => Some(session.store.exceptions(&entry.mailbox, &entry.id)?),
        EntryKind::Master | EntryKind::Single | EntryKind::Occurrence | EntryKind::Exception => None,
    };
    writer.open("t:CalendarItem", &[]);
    for name in &columns.names {
        let mut column = Column { writer, entry, columns, version: session.version, name };
        if !column.item() && !column.calendar() && !column.series(exceptions.as_ref()) {
            column.constant();
        }
    }
    writer.close("t:CalendarItem");
    Ok(())
}

struct Column<'a> {
    writer: &'a mut Writer,
    entry: &'a Entry,
    columns: &'a Columns,
    version: Version,
    name: &'static str,
}

impl Column<'_> {
    fn put(&mut self, text: &str) -> bool {
        self.writer.text(&format!("t:{}", self.name), text);
        true
    }

    fn put_if(&mut self, condition: bool, text: &str) -> bool {
        !condition || self.put(text)
    }

    /// What every class of item has. False when the name is another's.
    fn item(&mut self) -> bool {
        let entry = self.entry;
        let content = &entry.content;
        match self.name {
            "ItemId" => write_id(self.writer, "t:ItemId", entry),
            "ParentFolderId" => self.writer.empty("t:ParentFolderId", &[("Id", &entry.folder_id)]),
            "Subject" => return self.put_if(!content.subject.is_empty(), &content.subject),
            "Sensitivity" => return self.put(word_of(SENSITIVITIES, &content.sensitivity)),
            "Body" => self.body(),
            "Categories" if content.categories.is_empty() => {}
            "Categories" => {
                self.writer.open("t:Categories", &[]);
                content.categories.iter().for_each(|category| self.writer.text("t:String", category));
                self.writer.close("t:Categories");
            }
            "Importance" => return self.put(word_of(IMPORTANCES, &content.importance)),
            "DateTimeReceived" | "DateTimeSent" | "DateTimeCreated" => return self.put(&write_instant(entry.created)),
            "ReminderDueBy" => return self.put(&write_instant(content.start)),
            "ReminderIsSet" => return self.put(boolean(content.reminder_set)),
            "ReminderMinutesBeforeStart" => return self.put(&content.reminder_minutes.to_string()),
            "LastModifiedTime" | "DateTimeStamp" => return self.put(&write_instant(entry.modified)),
            "LastModifiedName" => return self.put(&entry.mailbox),
            "ExtendedProperty" => self.extended(),
            "EffectiveRights" => self.rights(),
            _ => return false,
        }
        true
    }

    /// What a calendar item has.
    fn calendar(&mut self) -> bool {
        let content = &self.entry.content;
        match self.name {
            "UID" => self.put(&content.uid),
            "Start" => self.put(&write_instant(content.start)),
            "End" => self.put(&write_instant(content.end)),
            "IsAllDayEvent" => self.put(boolean(content.all_day)),
            "LegacyFreeBusyStatus" => {
                let is_unknown_word =
                    content.show_as == ShowAs::WorkingElsewhere && self.version < Version::Exchange2013;
                let shown = if is_unknown_word { ShowAs::Free } else { content.show_as };
                self.put(word_of(FREE_BUSY, &shown))
            }
            "Location" => content.location.as_ref().is_none_or(|location| self.put(location)),
            "IsMeeting" | "MeetingRequestWasSent" => self.put(boolean(!content.attendees.is_empty())),
            "IsRecurring" => self.put(boolean(self.entry.kind != EntryKind::Single)),
            "CalendarItemType" => self.put(match self.entry.kind {
                EntryKind::Single => "Single",
                EntryKind::Master => "RecurringMaster",
                EntryKind::Occurrence => "Occurrence",
                EntryKind::Exception => "Exception",
            }),
            "Organizer" => {
                self.writer.open("t:Organizer", &[]);
                mailbox(self.writer, &self.entry.mailbox);
                self.writer.close("t:Organizer");
                true
            }
            "RequiredAttendees" => {
                self.attendees();
                true
            }
            "Duration" => self.put(&duration(content.end.duration_since(content.start).as_secs())),
            "TimeZone" => self.put(content.start_zone.description()),
            "MeetingTimeZone" if self.version >= Version::Exchange2010 => true,
            "MeetingTimeZone" => {
                self.writer.empty("t:MeetingTimeZone", &[("TimeZoneName", content.start_zone.id())]);
                true
            }
            "StartTimeZone" => self.zone(&content.start_zone),
            "EndTimeZone" => self.zone(&content.end_zone),
            "StartTimeZoneId" => self.put(content.start_zone.id()),
            "EndTimeZoneId" => self.put(content.end_zone.id()),
            "StartWallClock" => self.put(&wall_clock(&content.start_zone, content.start)),
            "EndWallClock" => self.put(&wall_clock(&content.end_zone, content.end)),
            _ => false,
        }
    }

    /// What a series and its occurrences have.
    fn series(&mut self, exceptions: Option<&Exceptions>) -> bool {
        match self.name {
            "OriginalStart" | "RecurrenceId" => {
                let original = self.entry.occurrence.map(|position| write_instant(position.original_start));
                original.is_none_or(|original| self.put(&original))
            }
            "Recurrence" => {
                if let (EntryKind::Master, Some(series)) = (self.entry.kind, &self.entry.series) {
                    recurrence::write(self.writer, &series.recurrence, self.version);
                }
                true
            }
            "FirstOccurrence" | "LastOccurrence" => {
                let first = self.name == "FirstOccurrence";
                let entry = exceptions.and_then(|found| if first { found.first.as_ref() } else { found.last.as_ref() });
                if let Some(entry) = entry {
                    occurrence_info(self.writer, &format!("t:{}", self.name), entry);
                }
                true
            }
            "ModifiedOccurrences" => {
                if let Some(found) = exceptions.filter(|found| !found.changed.is_empty()) {
                    self.writer.open("t:ModifiedOccurrences", &[]);
                    found.changed.iter().for_each(|entry| occurrence_info(self.writer, "t:Occurrence", entry));
                    self.writer.close("t:ModifiedOccurrences");
                }
                true
            }
            "DeletedOccurrences" => {
                if let Some(found) = exceptions.filter(|found| !found.deleted.is_empty()) {
                    self.writer.open("t:DeletedOccurrences", &[]);
                    for (_, start) in &found.deleted {
                        self.writer.open("t:DeletedOccurrence", &[]);
                        self.writer.text("t:Start", &write_instant(*start));
                        self.writer.close("t:DeletedOccurrence");
                    }
                    self.writer.close("t:DeletedOccurrences");
                }
                true
            }
            _ => false,
        }
    }

    /// What is the same for every item here; nothing for what the sandbox does not have.
    fn constant(&mut self) {
        let value = match self.name {
            "ItemClass" => "IPM.Appointment",
            "Size" => "1024",
            "IsSubmitted" | "IsDraft" | "IsFromMe" | "IsResend" | "IsUnmodified" | "HasAttachments"
            | "IsAssociated" | "IsCancelled" | "IsOnlineMeeting" => "false",
            "Culture" => "en-US",
            "IsResponseRequested" | "AllowNewTimeProposal" | "IsOrganizer" => "true",
            "MyResponseType" => "Organizer",
            "ConflictingMeetingCount"
            | "AdjacentMeetingCount"
            | "AppointmentSequenceNumber"
            | "AppointmentState"
            | "ConferenceType" => "0",
            "DisplayCc" | "DisplayTo" => "",
            _ => return,
        };
        self.put(value);
    }

    fn body(&mut self) {
        let Some(body) = &self.entry.content.body else { return };
        let kind = self.columns.body_kind.unwrap_or(body.kind);
        self.writer.text_with("t:Body", &[("BodyType", word_of(BODY_KINDS, &kind))], &body.read_back(kind));
    }

    fn extended(&mut self) {
        for name in &self.columns.properties {
            let Some(value) = self.entry.content.properties.get(name) else { continue };
            self.writer.open("t:ExtendedProperty", &[]);
            self.writer.empty(
                "t:ExtendedFieldURI",
                &[("PropertySetId", &name.set), ("PropertyName", &name.name), ("PropertyType", "String")],
            );
            if self.columns.is_search {
                let cut: String = value.chars().take(SEARCH_CHARACTERS_MAX).collect();
                self.writer.text("t:Value", &cut);
            } else {
                self.writer.text("t:Value", value);
            }
            self.writer.close("t:ExtendedProperty");
        }
    }

    fn rights(&mut self) {
        self.writer.open("t:EffectiveRights", &[]);
        for (name, value) in [
            ("t:CreateAssociated", "false"),
            ("t:CreateContents", "false"),
            ("t:CreateHierarchy", "false"),
            ("t:Delete", "true"),
            ("t:Modify", "true"),
            ("t:Read", "true"),
        ] {
            self.writer.text(name, value);
        }
        self.writer.close("t:EffectiveRights");
    }

    fn attendees(&mut self) {
        if self.entry.content.attendees.is_empty() {
            return;
        }
        self.writer.open("t:RequiredAttendees", &[]);
        for address in &self.entry.content.attendees {
            self.writer.open("t:Attendee", &[]);
            mailbox(self.writer, address);
            self.writer.close("t:Attendee");
        }
        self.writer.close("t:RequiredAttendees");
    }

    fn zone(&mut self, zone: &Zone) -> bool {
        let name = format!("t:{}", self.name);
        self.writer.empty(&name, &[("Name", zone.description()), ("Id", zone.id())]);
        true
    }
}

fn occurrence_info(writer: &mut Writer, name: &str, entry: &Entry) {
    let original = entry.occurrence.map_or(entry.content.start, |position| position.original_start);
    writer.open(name, &[]);
    write_id(writer, "t:ItemId", entry);
    writer.text("t:Start", &write_instant(entry.content.start));
    writer.text("t:End", &write_instant(entry.content.end));
    writer.text("t:OriginalStart", &write_instant(original));
    writer.close(name);
}

fn mailbox(writer: &mut Writer, address: &str) {
    writer.open("t:Mailbox", &[]);
    writer.text("t:Name", address);
    writer.text("t:EmailAddress", address);
    writer.text("t:RoutingType", "SMTP");
    writer.close("t:Mailbox");
}

const fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn duration(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds % 86_400 / 3600, seconds % 3600 / 60);
    let date = if days > 0 { format!("{days}D") } else { String::new() };
    let time = match (hours, minutes) {
        (0, 0) if days > 0 => String::new(),
        (0, minutes) => format!("T{minutes}M"),
        (hours, 0) => format!("T{hours}H"),
        (hours, minutes) => format!("T{hours}H{minutes}M"),
    };
    format!("P{date}{time}")
}

fn wall_clock(zone: &Zone, instant: jiff::Timestamp) -> String {
    instant.to_zoned(zone.rules().clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
