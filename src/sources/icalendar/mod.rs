//! iCalendar files (RFC 5545): each `VEVENT` is an appointment of the person whose folder or file it is.

mod content;
mod event;
mod observance;
mod scan;
mod time_zone;

use std::collections::BTreeMap;

use self::{
    event::{Reader, Vevent},
    scan::Block,
    time_zone::TimeZones,
};
use super::{files::Gathered, moments, zones::Zones};
use crate::model::{
    event::{Body, BodyKind},
    key::{Kind, SourceKey},
    source::{Recipient, SourceChange, SourceContent, SourceEvent, SourceException, SourceRecurrence, SourceTime},
    time::EventTime,
};

/// Reads a file event by event; each `UID` stands or falls by itself.
pub(super) struct ICalendarFile<'a> {
    /// The name of the source.
    pub(super) source: &'a str,
    /// The file, as it is named to the operator.
    pub(super) file: &'a str,
    /// Whose calendar it is.
    pub(super) owner: &'a Recipient,
}

/// The events of one `UID`.
#[derive(Default)]
struct Group {
    masters: Vec<(usize, Vevent)>,
    overrides: Vec<(usize, Vevent)>,
    fault: Option<(usize, String)>,
}

impl ICalendarFile<'_> {
    /// Reads the whole file into `gathered`.
    pub(super) fn read(&self, bytes: &[u8], zones: &mut Zones, gathered: &mut Gathered) {
        let found = scan::scan(bytes);
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let mut own = TimeZones::new(found.zones);
        for block in &found.events {
            let Some(uid) = event::uid(block) else {
                let reason = block.fault.clone().unwrap_or_else(|| "it has no UID".to_owned());
                gathered.reject(None, self.place(block.line), reason);
                continue;
            };
            let group = groups.entry(uid).or_default();
            group.add(block, &mut Reader { zones, own: &mut own }, found.cancels);
        }
        for (uid, group) in groups {
            self.finish(&uid, group, gathered);
        }
        if let Some(reason) = found.broken {
            gathered.incomplete(format!("{}: {reason}", self.file));
        }
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.file)
    }

    /// A `UID` names a meeting, which may be in the calendars of several people: the owner is part of the key.
    fn key(&self, uid: &str) -> SourceKey {
        let owner = match self.owner {
            Recipient::Mailbox(address) => address.as_str(),
            Recipient::Person(person) => person.as_str(),
        };
        SourceKey::new(self.source, Kind::Appointment, &format!("{owner}/{uid}"))
    }

    fn finish(&self, uid: &str, mut group: Group, gathered: &mut Gathered) {
        let key = self.key(uid);
        if let Some((line, reason)) = group.fault {
            gathered.reject(Some(key), self.place(line), reason);
            return;
        }
        // The newest revision counts; of equal ones the first.
        group.masters.sort_by_key(|(_, master)| std::cmp::Reverse(master.sequence));
        group.overrides.sort_by_key(|(_, change)| std::cmp::Reverse(change.sequence));
        let mut masters = group.masters.into_iter();
        let Some((line, master)) = masters.next() else {
            self.orphans(uid, group.overrides, gathered);
            return;
        };
        for (line, _) in masters {
            gathered.reject(Some(key.clone()), self.place(line), "another event of the file has its UID".to_owned());
        }
        let recurrence = match recurrence(&master, group.overrides) {
            Ok(recurrence) => recurrence,
            Err(reason) => return gathered.reject(Some(key), self.place(line), reason),
        };
        gathered.events.push(self.event(key, line, master, recurrence));
    }

    /// Occurrences whose series is not in the file, as invitations to a single occurrence are: events of their own, under
    /// the keys that they have as parts of the series.
    fn orphans(&self, uid: &str, overrides: Vec<(usize, Vevent)>, gathered: &mut Gathered) {
        let key = self.key(uid);
        for (line, single) in overrides {
            let Some(original) = single.recurrence_id.as_ref().map(|moment| moment.original(&single.time)) else {
                continue;
            };
            if single.repeats() {
                let reason = "an occurrence of a series repeats by itself".to_owned();
                gathered.reject(Some(key.clone()), self.place(line), reason);
            } else {
                let event = self.event(key.part(original), line, single, None);
                gathered.events.push(event);
            }
        }
    }

    fn event(&self, key: SourceKey, line: usize, event: Vevent, recurrence: Option<SourceRecurrence>) -> SourceEvent {
        SourceEvent {
            key,
            kind: Kind::Appointment,
            place: self.place(line),
            recipient: self.owner.clone(),
            generic: false,
            cancelled: event.cancelled,
            time: SourceTime::Fixed(event.time),
            recurrence,
            content: event.content,
        }
    }
}

impl Group {
    fn add(&mut self, block: &Block, reader: &mut Reader<'_>, cancels: bool) {
        match event::read(block, reader) {
            Ok(mut event) => {
                event.cancelled |= cancels;
                let place = if event.recurrence_id.is_some() { &mut self.overrides } else { &mut self.masters };
                place.push((block.line, event));
            }
            // One faulty part spoils the series: without it the others would say something else.
            Err(reason) => {
                self.fault.get_or_insert((block.line, reason));
            }
        }
    }
}

fn recurrence(master: &Vevent, overrides: Vec<(usize, Vevent)>) -> Result<Option<SourceRecurrence>, String> {
    if !master.repeats() {
        return match overrides.first() {
            None => Ok(None),
            Some((line, _)) => Err(format!("line {line} changes an occurrence of an event that does not repeat")),
        };
    }
    let mut exceptions = BTreeMap::new();
    for moment in &master.excluded {
        exceptions.insert(moment.original(&master.time), None);
    }
    let mut changed = std::collections::BTreeSet::new();
    for (line, change) in overrides {
        let Some(moment) = &change.recurrence_id else { continue };
        let original = moment.original(&master.time);
        // The newest revision comes first. A change outweighs an EXDATE of the same occurrence.
        if changed.insert(original) {
            exceptions
                .insert(original, source_change(master, change).map_err(|reason| format!("line {line}: {reason}"))?);
        }
    }
    let exceptions = exceptions.into_iter().map(|(original, change)| SourceException { original, change }).collect();
    Ok(Some(SourceRecurrence {
        rules: master.rules.clone(),
        additional: master.additional.iter().map(|moment| moment.original(&master.time)).collect(),
        excluded_rules: master.excluded_rules.clone(),
        exceptions,
    }))
}

/// What takes place in place of an occurrence; `None` when it is cancelled.
fn source_change(master: &Vevent, change: Vevent) -> Result<Option<SourceChange>, String> {
    if change.cancelled {
        return Ok(None);
    }
    let zone = master.time.zone();
    let time = match change.time {
        EventTime::Timed { start, end, zone: own } if !master.time.is_all_day() => {
            let time = if own == *zone {
                EventTime::Timed { start, end, zone: own }
            } else {
                moments::between(own.instant(start), own.instant(end), zone)
            };
            moments::checked(time)?
        }
        EventTime::AllDay { first, last, .. } => EventTime::AllDay { first, last, zone: zone.clone() },
        // Clock times in place of a whole day keep their zone.
        time @ EventTime::Timed { .. } => time,
    };
    Ok(Some(SourceChange { time, content: whole_content(&master.content, change.content) }))
}

/// A changed occurrence is told in full: what it leaves out and its series has is empty, except the title.
fn whole_content(series: &SourceContent, own: SourceContent) -> SourceContent {
    let empty_body = || Body { kind: BodyKind::Text, content: String::new() };
    SourceContent {
        body: own.body.or_else(|| series.body.as_ref().map(|_| empty_body())),
        location: own.location.or_else(|| series.location.as_ref().map(|_| String::new())),
        categories: own.categories.or_else(|| series.categories.as_ref().map(|_| Vec::new())),
        url: own.url.or_else(|| series.url.as_ref().map(|_| String::new())),
        online_meeting_url: own
            .online_meeting_url
            .or_else(|| series.online_meeting_url.as_ref().map(|_| String::new())),
        ..own
    }
}

#[cfg(test)]
mod tests;
