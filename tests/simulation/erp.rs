//! The business system of a simulation: what it holds, and what it says when it is read.

use std::collections::BTreeMap;

use calsyncd::model::{
    address::Address,
    key::{Kind, SourceKey},
    source::{
        Completeness, Recipient, SourceChange, SourceContent, SourceEvent, SourceException, SourceRead,
        SourceRecurrence, SourceTime,
    },
    time::EventTime,
    zone::Zone,
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil, tz::TimeZone};

pub(crate) const SOURCE: &str = "erp";
const ZONE: &str = "Europe/Paris";

/// What happens to the occurrences of a weekly series, by their places; none for cancelled, or hours later.
pub(crate) type Exceptions = BTreeMap<u32, Option<i64>>;

#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: u32,
    /// The place of its mailbox.
    pub(crate) owner: usize,
    pub(crate) version: u32,
    pub(crate) start: civil::DateTime,
    pub(crate) minutes: i64,
    pub(crate) all_day: bool,
    /// A weekly series of so many occurrences.
    pub(crate) weeks: Option<u32>,
    pub(crate) exceptions: Exceptions,
    pub(crate) cancelled: bool,
    /// Deleted events are remembered, for they may come back.
    pub(crate) present: bool,
    /// The earliest end that it ever had: what was over for long may stay as it is.
    pub(crate) ended_first: Timestamp,
}

/// What a calendar shows of one event, or of one occurrence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shown {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) subject: String,
}

fn instant(wall: civil::DateTime) -> Timestamp {
    wall.to_zoned(TimeZone::get(ZONE).unwrap()).unwrap().timestamp()
}

impl Event {
    pub(crate) fn key(&self) -> SourceKey {
        SourceKey::new(SOURCE, Kind::Appointment, &format!("{:04}", self.id))
    }

    fn subject(&self) -> String {
        format!("Event {} version {}", self.id, self.version)
    }

    fn walls(&self, start: civil::DateTime) -> (civil::DateTime, civil::DateTime) {
        if self.all_day {
            let first = start.date();
            return (first.at(0, 0, 0, 0), first.checked_add(1.day()).unwrap().at(0, 0, 0, 0));
        }
        (start, start.checked_add(SignedDuration::from_mins(self.minutes)).unwrap())
    }

    /// Everything that a calendar has to show of it, worked out without the program.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        let mut all: Vec<Shown> = (0..self.weeks.unwrap_or(1))
            .filter_map(|week| {
                let start = self.start.checked_add(i64::from(week).weeks()).unwrap();
                let later = match self.exceptions.get(&week) {
                    Some(None) => return None,
                    Some(Some(hours)) => *hours,
                    None => 0,
                };
                let start = start.checked_add(SignedDuration::from_hours(later)).unwrap();
                let (start, end) = self.walls(start);
                Some(Shown { start: instant(start), end: instant(end), subject: self.subject() })
            })
            .collect();
        all.sort();
        all
    }

    pub(crate) fn ends(&self) -> Timestamp {
        // A cancelled last occurrence counts as taking place: the longer time is the safer one.
        let whole = Self { exceptions: BTreeMap::new(), ..self.clone() };
        let regular = whole.shown().last().map_or(Timestamp::MIN, |last| last.end);
        self.shown().last().map_or(regular, |last| last.end.max(regular))
    }

    /// Remembers when it ended, after a change.
    pub(crate) fn note_end(&mut self) {
        self.ended_first = self.ended_first.min(self.ends());
    }

    fn time(&self, start: civil::DateTime) -> EventTime {
        let zone = Zone::parse(ZONE).unwrap();
        if self.all_day {
            return EventTime::AllDay { first: start.date(), last: start.date(), zone };
        }
        let (start, end) = self.walls(start);
        EventTime::Timed { start, end, zone }
    }

    fn told(&self, mailboxes: &[Address]) -> SourceEvent {
        let recurrence = self.weeks.map(|weeks| {
            let exceptions = self.exceptions.iter().filter(|(week, _)| **week < weeks).map(|(week, change)| {
                let original = self.start.checked_add(i64::from(*week).weeks()).unwrap();
                let change = change.map(|hours| {
                    let start = original.checked_add(SignedDuration::from_hours(hours)).unwrap();
                    SourceChange { time: self.time(start), content: SourceContent::default() }
                });
                let original = if self.all_day { original.date().at(0, 0, 0, 0) } else { original };
                SourceException { original, change }
            });
            SourceRecurrence::of_rule(&format!("FREQ=WEEKLY;COUNT={weeks}"), exceptions.collect())
        });
        SourceEvent {
            key: self.key(),
            kind: Kind::Appointment,
            place: format!("row {}", self.id),
            recipient: Recipient::Mailbox(mailboxes[self.owner].clone()),
            generic: false,
            cancelled: self.cancelled,
            time: SourceTime::Fixed(self.time(self.start)),
            recurrence,
            content: SourceContent { subject: Some(self.subject()), ..SourceContent::default() },
        }
    }
}

/// How a read goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Whole,
    /// Some are missing, and it says so.
    Incomplete,
    /// Half is missing, and it does not say so.
    Halved,
    /// Nothing is there, and it does not say so.
    Empty,
    /// One person is missing, as after a lost right, and it does not say so.
    WithoutPerson(usize),
}

#[derive(Debug)]
pub(crate) struct Erp {
    pub(crate) mailboxes: Vec<Address>,
    pub(crate) events: BTreeMap<u32, Event>,
}

impl Erp {
    pub(crate) fn new(names: &[&str]) -> Self {
        let mailboxes = names.iter().map(|name| Address::parse(&format!("{name}@example.test")).unwrap()).collect();
        Self { mailboxes, events: BTreeMap::new() }
    }

    /// A new event of one hour.
    pub(crate) fn add(&mut self, owner: usize, start: civil::DateTime) -> &mut Event {
        let id = u32::try_from(self.events.len()).unwrap();
        let mut event = Event {
            id,
            owner,
            version: 0,
            start,
            minutes: 60,
            all_day: false,
            weeks: None,
            exceptions: Exceptions::new(),
            cancelled: false,
            present: true,
            ended_first: Timestamp::MAX,
        };
        event.note_end();
        self.events.entry(id).or_insert(event)
    }

    /// What a read says.
    pub(crate) fn read(&self, reading: Reading) -> SourceRead {
        let is_told = |event: &&Event| match reading {
            Reading::Whole => true,
            Reading::Incomplete | Reading::Halved => event.id.is_multiple_of(2),
            Reading::Empty => false,
            Reading::WithoutPerson(person) => event.owner != person,
        };
        let present = self.events.values().filter(|event| event.present);
        let events = present.filter(is_told).map(|event| event.told(&self.mailboxes)).collect();
        let completeness = match reading {
            Reading::Incomplete => Completeness::Incomplete("a page is missing".to_owned()),
            _ => Completeness::Complete,
        };
        SourceRead { events, rejections: Vec::new(), completeness }
    }
}
