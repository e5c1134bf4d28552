//! Reads the properties of a calendar item that a request sends.

use super::{
    element::{Element, Space, unexpected},
    fault::Fault,
    path::{self, Path},
    recurrence,
    target::read_mailbox,
    time::Time,
    value::{boolean, number, word},
    version::Version,
    vocabulary::{BODY_KINDS, ELEMENTS, FREE_BUSY, IMPORTANCES, SENSITIVITIES, position, value_of},
    zone,
};
use crate::sandbox::store::{Body, Importance, PropertyName, Sensitivity, ShowAs};

/// A property with its value.
#[derive(Debug, Clone)]
pub(super) enum Property {
    Subject(String),
    Sensitivity(Sensitivity),
    Body(Body),
    Categories(Vec<String>),
    Importance(Importance),
    ReminderIsSet(bool),
    ReminderMinutes(u32),
    Named(PropertyName, String),
    /// An extended property that is not kept.
    Extended(Vec<(String, String)>),
    Uid(String),
    Start(Time),
    End(Time),
    IsAllDay(bool),
    FreeBusy(ShowAs),
    Location(String),
    Attendees(Vec<String>),
    Recurrence(Box<recurrence::Said>),
    MeetingTimeZone(zone::Named),
    StartTimeZone(zone::Named),
    EndTimeZone(zone::Named),
    /// One that may be sent and has no effect here.
    Ignored,
    /// One that only the server writes.
    ReadOnly,
}

/// A property under the name of its element.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) name: &'static str,
    /// Its path: `item:…` or `calendar:…`.
    pub(super) path: String,
    pub(super) property: Property,
}

/// Reads a `CalendarItem`: known elements of this version, in the order of the schema.
pub(super) fn read_item(item: &Element, version: Version) -> Result<Vec<Sent>, Fault> {
    item.only_attributes(&[])?;
    let mut last = None;
    let mut sent = Vec::with_capacity(item.children.len());
    for child in &item.children {
        let fault = || Fault::schema(child, unexpected(item, child));
        let place = position(&child.name).filter(|_| child.space == Space::Types).ok_or_else(fault)?;
        let known = ELEMENTS.get(place).filter(|known| known.since <= version).ok_or_else(fault)?;
        let in_order = last.is_none_or(|last| place > last || (place == last && known.name == "ExtendedProperty"));
        if !in_order {
            return Err(fault());
        }
        last = Some(place);
        let property = read(known.name, child, version)?;
        sent.push(Sent { name: known.name, path: format!("{}{}", known.prefix, known.name), property });
    }
    Ok(sent)
}

fn read(name: &'static str, element: &Element, version: Version) -> Result<Property, Fault> {
    if !matches!(name, "Body" | "StartTimeZone" | "EndTimeZone" | "MeetingTimeZone") {
        element.only_attributes(&[])?;
    }
    Ok(match name {
        "Subject" => Property::Subject(element.value()?.to_owned()),
        "Sensitivity" => Property::Sensitivity(word(element, SENSITIVITIES)?),
        "Body" => Property::Body(read_body(element)?),
        "Categories" => Property::Categories(read_strings(element)?),
        "Importance" => Property::Importance(word(element, IMPORTANCES)?),
        "ReminderIsSet" => Property::ReminderIsSet(boolean(element)?),
        "ReminderMinutesBeforeStart" => Property::ReminderMinutes(number(element, 0..=2_629_800)?),
        "ExtendedProperty" => read_extended(element)?,
        "UID" => Property::Uid(element.value()?.to_owned()),
        "Start" => Property::Start(Time::read(element)?),
        "End" => Property::End(Time::read(element)?),
        "IsAllDayEvent" => Property::IsAllDay(boolean(element)?),
        "LegacyFreeBusyStatus" => Property::FreeBusy(read_free_busy(element, version)?),
        "Location" => Property::Location(element.value()?.to_owned()),
        "RequiredAttendees" | "OptionalAttendees" | "Resources" => Property::Attendees(read_attendees(element)?),
        "Recurrence" => Property::Recurrence(Box::new(recurrence::read(element, version)?)),
        "MeetingTimeZone" => Property::MeetingTimeZone(zone::read_meeting(element)?),
        "StartTimeZone" => Property::StartTimeZone(zone::read_definition(element)?),
        "EndTimeZone" => Property::EndTimeZone(zone::read_definition(element)?),
        "EnhancedLocation" => {
            let display = element.child(Space::Types, "DisplayName").map(Element::value).transpose()?;
            Property::Location(display.unwrap_or_default().to_owned())
        }
        "ItemClass"
        | "ReminderDueBy"
        | "Culture"
        | "IsResponseRequested"
        | "AllowNewTimeProposal"
        | "ConferenceType"
        | "NetShowUrl"
        | "MeetingWorkspaceUrl"
        | "When"
        | "InReplyTo"
        | "Flag" => Property::Ignored,
        _ => Property::ReadOnly,
    })
}

fn read_body(element: &Element) -> Result<Body, Fault> {
    element.only_attributes(&["BodyType", "IsTruncated"])?;
    let kind = element.required("BodyType")?;
    let kind = value_of(BODY_KINDS, kind).ok_or_else(|| {
        Fault::schema(element, format!("The 'BodyType' attribute is invalid - The value '{kind}' is invalid."))
    })?;
    Ok(Body { kind, sent: element.value()?.to_owned() })
}

fn read_strings(element: &Element) -> Result<Vec<String>, Fault> {
    let mut strings = Vec::with_capacity(element.children.len());
    let mut sequence = element.sequence();
    while let Some(child) = sequence.optional(Space::Types, "String") {
        strings.push(child.value()?.to_owned());
    }
    sequence.finish()?;
    Ok(strings)
}

fn read_free_busy(element: &Element, version: Version) -> Result<ShowAs, Fault> {
    let value = word(element, FREE_BUSY)?;
    if value == ShowAs::WorkingElsewhere && version < Version::Exchange2013 {
        return Err(element.invalid("LegacyFreeBusyType"));
    }
    Ok(value)
}

fn read_attendees(element: &Element) -> Result<Vec<String>, Fault> {
    let mut addresses = Vec::with_capacity(element.children.len());
    let mut sequence = element.sequence();
    while let Some(attendee) = sequence.optional(Space::Types, "Attendee") {
        let mut inner = attendee.sequence();
        addresses.push(read_mailbox(inner.required(Space::Types, "Mailbox")?)?);
    }
    sequence.finish()?;
    if addresses.is_empty() {
        return Err(Fault::schema(element, format!("The element '{}' has incomplete content.", element.name)));
    }
    Ok(addresses)
}

fn read_extended(element: &Element) -> Result<Property, Fault> {
    let mut sequence = element.sequence();
    let path = path::read(sequence.required(Space::Types, "ExtendedFieldURI")?, Version::Exchange2016)?;
    let value = match sequence.optional(Space::Types, "Values") {
        Some(_) => None,
        None => Some(sequence.required(Space::Types, "Value")?.value()?.to_owned()),
    };
    sequence.finish()?;
    Ok(match (path, value) {
        (Path::Named(name), Some(value)) => Property::Named(name, value),
        (Path::Named(name), None) => Property::Extended(vec![
            ("PropertySetId".to_owned(), name.set),
            ("PropertyType".to_owned(), "String".to_owned()),
        ]),
        (Path::Extended(attributes), _) => Property::Extended(attributes),
        (Path::Field(..) | Path::Foreign(_), _) => Property::ReadOnly,
    })
}
