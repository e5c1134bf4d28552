//! One `VEVENT` (RFC 5545 §3.6.1): its name, its times, its rule.

use std::panic;

use calcard::{
    Entry, Parser,
    common::PartialDateTime,
    icalendar::{
        ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarEntry,
        ICalendarParameterName, ICalendarParameterValue, ICalendarProperty, ICalendarStatus, ICalendarValue,
    },
};
use jiff::civil::{Date, DateTime, Time};

use super::{content, scan::Block, time_zone::TimeZones};
use crate::{
    model::{source::SourceContent, time::EventTime, zone::Zone},
    sources::{
        moments::{self, Length},
        zones::Zones,
    },
};

/// A date, or a wall time in a zone.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Moment {
    /// A date.
    Day(Date),
    /// A wall time.
    Wall(DateTime, Zone),
}

impl Moment {
    /// The wall time at which the rule of a series lets an occurrence start that this moment names: the same instant in
    /// the zone of the series.
    pub(super) fn original(&self, series: &EventTime) -> DateTime {
        match (self, series) {
            (Self::Day(day), EventTime::Timed { start, .. }) => day.to_datetime(start.time()),
            (Self::Day(day), EventTime::AllDay { .. }) => day.at(0, 0, 0, 0),
            (Self::Wall(wall, from), EventTime::Timed { zone, .. }) => in_zone(*wall, from, zone),
            (Self::Wall(wall, _), EventTime::AllDay { .. }) => wall.date().at(0, 0, 0, 0),
        }
    }
}

/// The wall time in `to` at the instant of a wall time in `from`.
fn in_zone(wall: DateTime, from: &Zone, to: &Zone) -> DateTime {
    if from == to { wall } else { to.wall(from.instant(wall)) }
}

/// An event, understood.
#[derive(Debug)]
pub(super) struct Vevent {
    /// The occurrence of a series that it stands for.
    pub(super) recurrence_id: Option<Moment>,
    /// Its revision.
    pub(super) sequence: i64,
    /// Whether it does not take place.
    pub(super) cancelled: bool,
    /// When.
    pub(super) time: EventTime,
    /// `RRULE`, as it stands in the file.
    pub(super) rules: Vec<String>,
    /// `EXRULE` of RFC 2445, as it stands in the file.
    pub(super) excluded_rules: Vec<String>,
    /// `RDATE`.
    pub(super) additional: Vec<Moment>,
    /// `EXDATE`.
    pub(super) excluded: Vec<Moment>,
    /// What it shows.
    pub(super) content: SourceContent,
}

impl Vevent {
    /// Whether it takes place more than once.
    pub(super) const fn repeats(&self) -> bool {
        !self.rules.is_empty() || !self.additional.is_empty()
    }
}

/// What the times of an event are read with.
pub(super) struct Reader<'a> {
    /// The zones of the source.
    pub(super) zones: &'a mut Zones,
    /// The zones that the file defines.
    pub(super) own: &'a mut TimeZones,
}

/// The `UID` of an event, even of one that is otherwise unfit.
pub(super) fn uid(block: &Block) -> Option<String> {
    let (_, value) = block.raw("UID").next()?;
    let uid = content::unescape(value.trim());
    (!uid.is_empty()).then_some(uid)
}

/// Understands an event, or says why not.
pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Result<Vevent, String> {
    if let Some(fault) = &block.fault {
        return Err(fault.clone());
    }
    let calendar = parse(block)?;
    let event = calendar.components.first().ok_or("the event is empty")?;
    if event.component_type != ICalendarComponentType::VEvent {
        return Err("the event could not be parsed".to_owned());
    }
    let repeats = ["RRULE", "RDATE"].iter().any(|name| block.raw(name).next().is_some());
    let time = reader.time(event, repeats)?;
    let recurrence_id = match find(event, &ICalendarProperty::RecurrenceId) {
        None => None,
        Some(entry) => {
            if entry.params.iter().any(|parameter| parameter.name == ICalendarParameterName::Range) {
                return Err("RECURRENCE-ID with RANGE is not supported".to_owned());
            }
            Some(reader.moment(entry, "RECURRENCE-ID")?)
        }
    };
    let rules = |name| block.raw(name).map(|(_, rule)| rule.trim().to_owned()).collect();
    let (additional, excluded) = (
        reader.all_moments(event, &ICalendarProperty::Rdate, "RDATE")?,
        reader.all_moments(event, &ICalendarProperty::Exdate, "EXDATE")?,
    );
    let status = find(event, &ICalendarProperty::Status).and_then(|entry| entry.values.first());
    Ok(Vevent {
        recurrence_id,
        sequence: find(event, &ICalendarProperty::Sequence).and_then(content::integer).unwrap_or_default(),
        cancelled: matches!(status, Some(ICalendarValue::Status(ICalendarStatus::Cancelled))),
        content: content::read(block, &calendar, event, &time),
        time,
        rules: rules("RRULE"),
        excluded_rules: rules("EXRULE"),
        additional,
        excluded,
    })
}

fn parse(block: &Block) -> Result<ICalendar, String> {
    let text = block.lines.join("\r\n") + "\r\n";
    // A panic of the parser costs one event, not the daemon.
    let entry = panic::catch_unwind(|| Parser::new(&text).entry());
    match entry {
        Ok(Entry::ICalendar(calendar)) => Ok(calendar),
        Ok(_) | Err(_) => Err("the event could not be parsed".to_owned()),
    }
}

/// The first property of that name.
pub(super) fn find<'a>(event: &'a ICalendarComponent, name: &ICalendarProperty) -> Option<&'a ICalendarEntry> {
    event.entries.iter().find(|entry| entry.name == *name)
}

/// A duration, with its sign.
pub(super) fn length(duration: &ICalendarDuration) -> (bool, Length) {
    let days = i64::from(duration.weeks) * 7 + i64::from(duration.days);
    let seconds = i64::from(duration.hours) * 3600 + i64::from(duration.minutes) * 60 + i64::from(duration.seconds);
    (duration.neg, Length { days, seconds })
}

impl Reader<'_> {
    fn time(&mut self, event: &ICalendarComponent, repeats: bool) -> Result<EventTime, String> {
        let start = find(event, &ICalendarProperty::Dtstart).ok_or("it has no DTSTART")?;
        let start = self.moment(start, "DTSTART")?;
        let end = find(event, &ICalendarProperty::Dtend).map(|entry| self.moment(entry, "DTEND")).transpose()?;
        let duration = match find(event, &ICalendarProperty::Duration).map(|entry| entry.values.first()) {
            None => None,
            Some(Some(ICalendarValue::Duration(duration))) => match length(duration) {
                (false, length) => Some(length),
                (true, _) => return Err("its DURATION is negative".to_owned()),
            },
            Some(_) => return Err("its DURATION is malformed".to_owned()),
        };
        let time = match (start, end, duration) {
            (Moment::Day(first), Some(Moment::Day(end)), _) => {
                // DTEND is the day after the last. Some producers repeat the first day for one day.
                let last = if end == first { first } else { end.yesterday().map_err(|_| "DTEND is out of range")? };
                EventTime::AllDay { first, last, zone: self.zones.default_zone() }
            }
            (Moment::Day(first), None, duration) => {
                let last = duration.map_or(Ok(first), |length| length.last_day(first))?;
                EventTime::AllDay { first, last, zone: self.zones.default_zone() }
            }
            (Moment::Wall(start, zone), Some(Moment::Wall(end, end_zone)), _) if repeats || end_zone == zone => {
                EventTime::Timed { start, end: in_zone(end, &end_zone, &zone), zone }
            }
            (Moment::Wall(start, zone), Some(Moment::Wall(end, end_zone)), _) => {
                moments::until(start, zone, end_zone.instant(end))
            }
            (Moment::Wall(start, zone), None, None) => EventTime::Timed { start, end: start, zone },
            (Moment::Wall(start, zone), None, Some(length)) => length.timed(start, zone, repeats)?,
            (Moment::Day(_), Some(Moment::Wall(..)), _) | (Moment::Wall(..), Some(Moment::Day(_)), _) => {
                return Err("one of DTSTART and DTEND is a date and the other a time".to_owned());
            }
        };
        moments::checked(time)
    }

    fn moment(&mut self, entry: &ICalendarEntry, name: &str) -> Result<Moment, String> {
        self.moments(entry, name)?.into_iter().next().ok_or_else(|| format!("{name} is empty"))
    }

    /// The values of every property of that name.
    fn all_moments(
        &mut self,
        event: &ICalendarComponent,
        property: &ICalendarProperty,
        name: &str,
    ) -> Result<Vec<Moment>, String> {
        let mut found = Vec::new();
        for entry in event.entries.iter().filter(|entry| entry.name == *property) {
            found.extend(self.moments(entry, name)?);
        }
        Ok(found)
    }

    fn moments(&mut self, entry: &ICalendarEntry, name: &str) -> Result<Vec<Moment>, String> {
        let tzid = entry.params.iter().find(|parameter| parameter.name == ICalendarParameterName::Tzid);
        let tzid = match tzid.map(|parameter| &parameter.value) {
            None => None,
            Some(ICalendarParameterValue::Text(text)) => Some(text.as_str()),
            Some(_) => return Err(format!("the TZID of {name} is malformed")),
        };
        let mut found = Vec::new();
        for value in &entry.values {
            let partial = match value {
                ICalendarValue::PartialDateTime(partial) => partial,
                ICalendarValue::Period(_) => return Err(format!("{name} with periods is not supported")),
                _ => return Err(format!("{name} is malformed")),
            };
            found.push(self.partial(partial, tzid).map_err(|reason| format!("{name}: {reason}"))?);
        }
        Ok(found)
    }

    fn partial(&mut self, partial: &PartialDateTime, tzid: Option<&str>) -> Result<Moment, String> {
        let malformed = || "it is not a date or time".to_owned();
        let (Some(year), Some(month), Some(day)) = (partial.year, partial.month, partial.day) else {
            return Err(malformed());
        };
        let number = |value: u8| i8::try_from(value).map_err(|_| malformed());
        let year = i16::try_from(year).map_err(|_| malformed())?;
        let date = Date::new(year, number(month)?, number(day)?).map_err(|_| "there is no such date".to_owned())?;
        let Some(hour) = partial.hour else {
            return Ok(Moment::Day(date));
        };
        let (Some(minute), Some(second)) = (partial.minute, partial.second) else {
            return Err(malformed());
        };
        // A leap second is a second that wall clocks do not show.
        let time = Time::new(number(hour)?, number(minute)?, number(second.min(59))?, 0);
        let wall = date.to_datetime(time.map_err(|_| "there is no such time".to_owned())?);
        let zone = match (partial.tz_hour, partial.tz_minute.unwrap_or_default(), tzid) {
            (Some(0), 0, _) => Zone::utc(),
            (Some(_), ..) => return Err("an offset is not a time zone".to_owned()),
            (None, _, None) => self.zones.default_zone(),
            (None, _, Some(tzid)) => self.own.zone(tzid, self.zones)?,
        };
        Ok(Moment::Wall(wall, zone))
    }
}
