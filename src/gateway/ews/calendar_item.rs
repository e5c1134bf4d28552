//! Writes `t:CalendarItem`: the properties that we write, in the order of the schema.
//!
//! <https://learn.microsoft.com/exchange/client-developer/web-service-reference/calendaritem>
//!
//! *Invariant*: no attendee is among them, so nothing that anyone does later can mail anybody.

use jiff::civil::DateTime;

use super::{recurrence::recurrence, xml::Xml};
use crate::{
    gateway::PROPERTY_SET,
    model::{
        event::{BodyKind, Content, DesiredEvent, Importance, Sensitivity, ShowAs},
        fingerprint::Fingerprint,
        link::Owner,
        recurrence::Recurrence,
        time::EventTime,
    },
    settings::{Feature, ServerVersion},
};

/// A property of a calendar item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Property {
    Subject,
    Sensitivity,
    Body,
    Categories,
    Importance,
    ReminderIsSet,
    ReminderMinutes,
    Start,
    End,
    IsAllDay,
    FreeBusy,
    Location,
    Recurrence,
    MeetingTimeZone,
    StartTimeZone,
    EndTimeZone,
}

/// The properties before our named ones, in the order of the schema.
pub(super) const BEFORE_NAMED: [Property; 7] = [
    Property::Subject,
    Property::Sensitivity,
    Property::Body,
    Property::Categories,
    Property::Importance,
    Property::ReminderIsSet,
    Property::ReminderMinutes,
];
/// The properties after our named ones, in the order of the schema.
const AFTER_NAMED: [Property; 9] = [
    Property::Start,
    Property::End,
    Property::IsAllDay,
    Property::FreeBusy,
    Property::Location,
    Property::Recurrence,
    Property::MeetingTimeZone,
    Property::StartTimeZone,
    Property::EndTimeZone,
];

impl Property {
    /// Its path in an update.
    pub(super) const fn field_uri(self) -> &'static str {
        match self {
            Self::Subject => "item:Subject",
            Self::Sensitivity => "item:Sensitivity",
            Self::Body => "item:Body",
            Self::Categories => "item:Categories",
            Self::Importance => "item:Importance",
            Self::ReminderIsSet => "item:ReminderIsSet",
            Self::ReminderMinutes => "item:ReminderMinutesBeforeStart",
            Self::Start => "calendar:Start",
            Self::End => "calendar:End",
            Self::IsAllDay => "calendar:IsAllDayEvent",
            Self::FreeBusy => "calendar:LegacyFreeBusyStatus",
            Self::Location => "calendar:Location",
            Self::Recurrence => "calendar:Recurrence",
            Self::MeetingTimeZone => "calendar:MeetingTimeZone",
            Self::StartTimeZone => "calendar:StartTimeZone",
            Self::EndTimeZone => "calendar:EndTimeZone",
        }
    }
}

/// Our named properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    SourceKey,
    Fingerprint,
    Owner,
    Generation,
}

impl Named {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::SourceKey, Self::Fingerprint, Self::Owner, Self::Generation];

    /// The name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SourceKey => "SourceKey",
            Self::Fingerprint => "Fingerprint",
            Self::Owner => "Owner",
            Self::Generation => "Generation",
        }
    }

    /// Writes the path of the property.
    pub(super) fn field_uri(self, xml: &mut Xml) {
        let attributes = [("PropertySetId", PROPERTY_SET), ("PropertyName", self.name()), ("PropertyType", "String")];
        xml.empty("t:ExtendedFieldURI", &attributes);
    }

    /// Writes the property with its value.
    pub(super) fn write(self, xml: &mut Xml, value: &str) {
        xml.element("t:ExtendedProperty", &[], |xml| {
            self.field_uri(xml);
            xml.text("t:Value", value);
        });
    }
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clockwork {
    /// Wall times in the item's zone: the server holds them against its own rules of the zone.
    Wall,
    /// Instants: they mean the same whatever zone the item has at that moment.
    Instant,
}

/// What properties are written from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    /// What the event shows.
    pub(super) content: &'a Content,
    /// When it takes place.
    pub(super) time: &'a EventTime,
    /// How it repeats.
    pub(super) recurrence: Option<&'a Recurrence>,
    /// How times are written.
    pub(super) clockwork: Clockwork,
}

impl<'a> Shown<'a> {
    /// What an event as a whole, or the master of a series, shows.
    pub(super) fn of(event: &'a DesiredEvent, clockwork: Clockwork) -> Self {
        let recurrence = event.series.as_ref().map(|series| &series.recurrence);
        Self { content: &event.content, time: &event.time, recurrence, clockwork }
    }

    /// Writes one property. One that the version does not know, or that has no value, is left out.
    pub(super) fn write(&self, xml: &mut Xml, property: Property, version: ServerVersion) {
        let content = self.content;
        match property {
            Property::Subject => xml.text("t:Subject", &content.subject),
            Property::Sensitivity => xml.text("t:Sensitivity", sensitivity(content.sensitivity)),
            Property::Body => {
                xml.text_with("t:Body", &[("BodyType", body_type(content.body.kind))], &content.body.content);
            }
            Property::Categories if content.categories.is_empty() => {}
            Property::Categories => xml.element("t:Categories", &[], |xml| {
                content.categories.iter().for_each(|category| xml.text("t:String", category));
            }),
            Property::Importance => xml.text("t:Importance", importance(content.importance)),
            // Said also when off: the mailbox has a default of its own.
            Property::ReminderIsSet => xml.text("t:ReminderIsSet", boolean(content.reminder_minutes.is_some())),
            Property::ReminderMinutes => {
                if let Some(minutes) = content.reminder_minutes {
                    xml.text("t:ReminderMinutesBeforeStart", &minutes.to_string());
                }
            }
            Property::Start => xml.text("t:Start", &self.moment(self.time.start(), version)),
            Property::End => xml.text("t:End", &self.moment(self.time.end(), version)),
            Property::IsAllDay => xml.text("t:IsAllDayEvent", boolean(self.time.is_all_day())),
            Property::FreeBusy => xml.text("t:LegacyFreeBusyStatus", free_busy(content.show_as, version)),
            Property::Location => xml.text("t:Location", &content.location),
            Property::Recurrence => {
                if let Some(rule) = self.recurrence {
                    recurrence(xml, rule, self.time.start().date(), version);
                }
            }
            Property::MeetingTimeZone | Property::StartTimeZone | Property::EndTimeZone => {
                self.time_zone(xml, property, version);
            }
        }
    }

    /// Writes the zone where the version has it: in `MeetingTimeZone` before 2010, in the two others since.
    fn time_zone(&self, xml: &mut Xml, property: Property, version: ServerVersion) {
        let zone = self.time.zone().told();
        if !version.carries(Feature::TimeZones) {
            if property == Property::MeetingTimeZone {
                xml.empty("t:MeetingTimeZone", &[("TimeZoneName", zone)]);
            }
        } else if property == Property::StartTimeZone {
            xml.empty("t:StartTimeZone", &[("Id", zone)]);
        } else if property == Property::EndTimeZone {
            xml.empty("t:EndTimeZone", &[("Id", zone)]);
        }
    }

    /// A time as the protocol says it. A wall time that the zone skips or repeats, or that Outlook takes for another
    /// instant, is always said as an instant: the server would choose for itself. Whole days are said as wall times
    /// wherever the request names their zone: the instant of a midnight that the zone skips is one o'clock, and the server
    /// would go on to the next midnight.
    fn moment(&self, wall: DateTime, version: ServerVersion) -> String {
        let zone = self.time.zone();
        let clear = || !zone.skips(wall) && !zone.repeats(wall) && zone.agrees_with_outlook(wall);
        let as_wall_time = match (self.time.is_all_day(), self.clockwork) {
            (true, _) => version.carries(Feature::TimeZoneContext),
            (false, Clockwork::Wall) => clear(),
            (false, Clockwork::Instant) => false,
        };
        if as_wall_time {
            wall.strftime("%Y-%m-%dT%H:%M:%S").to_string()
        } else {
            zone.instant(wall).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        }
    }
}

/// Writes a whole new item.
pub(super) fn new_item(
    xml: &mut Xml,
    event: &DesiredEvent,
    (fingerprint, generation): (&Fingerprint, i64),
    owner: &Owner,
    version: ServerVersion,
) {
    // Before 2010 a wall time means UTC unless the server takes MeetingTimeZone; an instant means the same everywhere.
    let clockwork = if version.carries(Feature::TimeZones) { Clockwork::Wall } else { Clockwork::Instant };
    let shown = Shown::of(event, clockwork);
    let content = &event.content;
    let is_said = |property: &&Property| {
        !(content.body.content.is_empty() && **property == Property::Body
            || content.location.is_empty() && **property == Property::Location)
    };
    xml.element("t:CalendarItem", &[], |xml| {
        BEFORE_NAMED.iter().filter(is_said).for_each(|p| shown.write(xml, *p, version));
        Named::SourceKey.write(xml, event.key.as_str());
        Named::Fingerprint.write(xml, fingerprint.as_str());
        Named::Owner.write(xml, &owner.0);
        Named::Generation.write(xml, &generation.to_string());
        AFTER_NAMED.iter().filter(is_said).for_each(|p| shown.write(xml, *p, version));
    });
}

const fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

const fn body_type(kind: BodyKind) -> &'static str {
    match kind {
        BodyKind::Text => "Text",
        BodyKind::Html => "HTML",
    }
}

const fn sensitivity(value: Sensitivity) -> &'static str {
    match value {
        Sensitivity::Normal => "Normal",
        Sensitivity::Personal => "Personal",
        Sensitivity::Private => "Private",
        Sensitivity::Confidential => "Confidential",
    }
}

const fn importance(value: Importance) -> &'static str {
    match value {
        Importance::Low => "Low",
        Importance::Normal => "Normal",
        Importance::High => "High",
    }
}

fn free_busy(value: ShowAs, version: ServerVersion) -> &'static str {
    match value {
        ShowAs::Free => "Free",
        ShowAs::Tentative => "Tentative",
        ShowAs::OutOfOffice => "OOF",
        ShowAs::WorkingElsewhere if version.carries(Feature::WorkingElsewhere) => "WorkingElsewhere",
        ShowAs::Busy | ShowAs::WorkingElsewhere => "Busy",
    }
}
