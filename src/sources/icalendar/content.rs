//! What a `VEVENT` shows, in the words of the model. `ATTENDEE` and `ORGANIZER` are never read: nobody is invited.

use calcard::icalendar::{
    ICalendar, ICalendarClassification, ICalendarComponent, ICalendarComponentType, ICalendarEntry,
    ICalendarParameterName, ICalendarParameterValue, ICalendarProperty, ICalendarRelated, ICalendarStatus,
    ICalendarTransparency, ICalendarValue,
};

use super::{
    event::{find, length},
    scan::Block,
};
use crate::{
    model::{
        event::{Body, BodyKind, Importance, Sensitivity, ShowAs},
        source::{SourceContent, SourceReminder},
        time::EventTime,
    },
    sources::links::link,
};

/// Reads what an event shows.
pub(super) fn read(block: &Block, calendar: &ICalendar, event: &ICalendarComponent, time: &EventTime) -> SourceContent {
    SourceContent {
        subject: text(event, &ICalendarProperty::Summary),
        body: html(block).or_else(|| {
            let content = text(event, &ICalendarProperty::Description)?;
            Some(Body { kind: BodyKind::Text, content })
        }),
        location: text(event, &ICalendarProperty::Location),
        show_as: show_as(block, event),
        sensitivity: sensitivity(event),
        importance: importance(event),
        categories: categories(event),
        reminder: reminder(calendar, event, time),
        url: first_link(block, "URL"),
        online_meeting_url: online_meeting_url(block),
        data: None,
    }
}

/// The first usable link of a property; what is no link of the web is ignored.
fn first_link(block: &Block, name: &str) -> Option<String> {
    block.raw(name).find_map(|(_, value)| link(&unescape(value)).ok().map(str::to_owned))
}

/// The link to join by: `CONFERENCE` (RFC 7986 §5.11), the one with the most features that matter first, else what
/// Microsoft's and Google's calendars write.
fn online_meeting_url(block: &Block) -> Option<String> {
    let conferences = block.raw("CONFERENCE").filter_map(|(parameters, value)| {
        let link = link(&unescape(value)).ok()?.to_owned();
        Some((conference_rank(parameters), link))
    });
    // The first of those with the same rank.
    let best = conferences.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, link)| link).or_else(|| {
        let others =
            ["X-MICROSOFT-SKYPETEAMSMEETINGURL", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK"];
        others.into_iter().find_map(|name| first_link(block, name))
    })
}

/// How much a `CONFERENCE` is one to see and hear others by, from its `FEATURE` (RFC 7986 §6.3).
fn conference_rank(parameters: &str) -> u8 {
    let mut quoted = false;
    let parts = parameters.split(|character| {
        quoted ^= character == '"';
        character == ';' && !quoted
    });
    let features = parts.filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("FEATURE").then(|| value.to_ascii_uppercase())
    });
    let rank = |feature: &str| match feature.trim_matches(['"', ' ']) {
        "VIDEO" => 5,
        "SCREEN" => 4,
        "AUDIO" => 3,
        "PHONE" => 2,
        _ => 1,
    };
    features.flat_map(|features| features.split(',').map(rank).collect::<Vec<_>>()).max().unwrap_or(1)
}

/// Undoes the escapes of a TEXT value (RFC 5545 §3.3.11).
pub(super) fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, false) => text.push(character),
            (_, true) => match characters.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
        }
    }
    text
}

/// The number of a property.
pub(super) fn integer(entry: &ICalendarEntry) -> Option<i64> {
    match entry.values.first()? {
        ICalendarValue::Integer(number) => Some(*number),
        _ => None,
    }
}

fn text(event: &ICalendarComponent, name: &ICalendarProperty) -> Option<String> {
    let entry = find(event, name)?;
    match entry.values.first() {
        Some(ICalendarValue::Text(text)) => Some(text.clone()),
        Some(_) => None,
        None => Some(String::new()),
    }
}

/// `X-ALT-DESC;FMTTYPE=text/html`, as Outlook writes it.
fn html(block: &Block) -> Option<Body> {
    let (_, value) = block.raw("X-ALT-DESC").find(|(parameters, _)| {
        parameters.split(';').any(|parameter| {
            let (name, kind) = parameter.split_once('=').unwrap_or((parameter, ""));
            name.eq_ignore_ascii_case("FMTTYPE") && kind.trim_matches('"').eq_ignore_ascii_case("text/html")
        })
    })?;
    Some(Body { kind: BodyKind::Html, content: unescape(value) })
}

fn show_as(block: &Block, event: &ICalendarComponent) -> Option<ShowAs> {
    if let Some((_, status)) = block.raw("X-MICROSOFT-CDO-BUSYSTATUS").next() {
        let known = match status.trim().to_ascii_uppercase().as_str() {
            "FREE" => Some(ShowAs::Free),
            "TENTATIVE" => Some(ShowAs::Tentative),
            "BUSY" => Some(ShowAs::Busy),
            "OOF" => Some(ShowAs::OutOfOffice),
            "WORKINGELSEWHERE" => Some(ShowAs::WorkingElsewhere),
            _ => None,
        };
        if known.is_some() {
            return known;
        }
    }
    let value = |name| find(event, &name).and_then(|entry| entry.values.first());
    if let Some(ICalendarValue::Transparency(ICalendarTransparency::Transparent)) = value(ICalendarProperty::Transp) {
        return Some(ShowAs::Free);
    }
    match value(ICalendarProperty::Status) {
        Some(ICalendarValue::Status(ICalendarStatus::Tentative)) => Some(ShowAs::Tentative),
        _ => None,
    }
}

/// `CLASS`; a word that is not known counts as private (RFC 5545 §3.8.1.3).
fn sensitivity(event: &ICalendarComponent) -> Option<Sensitivity> {
    Some(match find(event, &ICalendarProperty::Class)?.values.first()? {
        ICalendarValue::Classification(ICalendarClassification::Public) => Sensitivity::Normal,
        ICalendarValue::Classification(ICalendarClassification::Confidential) => Sensitivity::Confidential,
        _ => Sensitivity::Private,
    })
}

/// `PRIORITY`: 1–4 high, 5 normal, 6–9 low, 0 undefined (RFC 5545 §3.8.1.9).
fn importance(event: &ICalendarComponent) -> Option<Importance> {
    match integer(find(event, &ICalendarProperty::Priority)?)? {
        1..=4 => Some(Importance::High),
        5 => Some(Importance::Normal),
        6..=9 => Some(Importance::Low),
        _ => None,
    }
}

fn categories(event: &ICalendarComponent) -> Option<Vec<String>> {
    let entries = event.entries.iter().filter(|entry| entry.name == ICalendarProperty::Categories);
    let mut found = None;
    for value in entries.flat_map(|entry| &entry.values) {
        if let ICalendarValue::Text(text) = value {
            found.get_or_insert_with(Vec::new).push(text.clone());
        }
    }
    found
}

/// The first alarm before the start, in minutes; Outlook has one reminder.
fn reminder(calendar: &ICalendar, event: &ICalendarComponent, time: &EventTime) -> Option<SourceReminder> {
    let parts = event.component_ids.iter().filter_map(|id| calendar.components.get(usize::try_from(*id).ok()?));
    let mut alarms = parts.filter(|part| part.component_type == ICalendarComponentType::VAlarm);
    alarms.find_map(|alarm| {
        let trigger = find(alarm, &ICalendarProperty::Trigger)?;
        let ICalendarValue::Duration(duration) = trigger.values.first()? else {
            return None;
        };
        let (before, length) = length(duration);
        let seconds = length.days.checked_mul(86_400)?.checked_add(length.seconds)?;
        let mut before_start = if before { seconds } else { -seconds };
        let at_end = trigger.params.iter().any(|parameter| {
            parameter.name == ICalendarParameterName::Related
                && parameter.value == ICalendarParameterValue::Related(ICalendarRelated::End)
        });
        if at_end {
            before_start -= time.end_instant().as_second() - time.start_instant().as_second();
        }
        u32::try_from(before_start / 60).ok().filter(|_| before_start >= 0).map(SourceReminder::Minutes)
    })
}
