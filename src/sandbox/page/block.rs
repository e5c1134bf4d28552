//! From items to blocks on a week: days, hours, and lanes where they overlap.

use std::collections::BTreeSet;

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime, Time},
};

use super::super::store::{Entry, EntryKind, Sensitivity, ShowAs, Zone};

/// How many colours there are for categories.
const COLOURS: usize = 8;
/// The minutes of a day.
pub(super) const DAY_MINUTES: u32 = 24 * 60;

/// One item, or one day of it, on the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The subject.
    pub(super) subject: String,
    /// The location.
    pub(super) location: String,
    /// The classes that colour it.
    pub(super) classes: String,
    /// Whether it is private or confidential.
    pub(super) private: bool,
    /// Whether it belongs to a series.
    pub(super) recurring: bool,
    /// When it starts, to be shown.
    pub(super) start: DateTime,
    /// When it ends, to be shown.
    pub(super) end: DateTime,
    /// The first day in the week, 0 for Monday.
    pub(super) day_first: u32,
    /// The last day in the week.
    pub(super) day_last: u32,
    /// Where on the day it begins; a strip has none.
    pub(super) minutes: Option<(u32, u32)>,
    /// Which of the lanes it is in, and how many there are.
    pub(super) lane: (u32, u32),
}

/// The blocks of a week.
#[derive(Debug, Default)]
pub(super) struct Week {
    /// What lasts whole days or longer than one.
    pub(super) strips: Vec<Block>,
    /// What has hours.
    pub(super) hours: Vec<Block>,
}

/// The colours of the categories that a picture shows: each its own, as far as they reach.
#[derive(Debug, Default)]
pub(super) struct Colours {
    categories: BTreeSet<String>,
}

impl Colours {
    /// Takes in what clients have written; what carries no named property is the person's own and grey.
    pub(super) fn add(&mut self, entries: &[Entry]) {
        let written = entries.iter().filter(|entry| !entry.content.properties.is_empty());
        self.categories.extend(written.map(|entry| category(entry).to_owned()));
    }

    /// The categories with their classes.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, String)> {
        self.categories.iter().enumerate().map(|(number, name)| (name.as_str(), format!("c{}", number % COLOURS)))
    }

    fn class(&self, entry: &Entry) -> String {
        if entry.content.properties.is_empty() {
            return "own".to_owned();
        }
        let number = self.categories.iter().position(|one| one == category(entry)).unwrap_or(0);
        format!("c{}", number % COLOURS)
    }
}

fn category(entry: &Entry) -> &str {
    entry.content.categories.first().map_or("", String::as_str)
}

/// The instants between which a week lies in a zone.
pub(super) fn bounds(monday: Date, zone: &Zone) -> Option<(Timestamp, Timestamp)> {
    let at = |date: Date| zone.instant(date.to_datetime(Time::midnight())).ok();
    Some((at(monday)?, at(monday.checked_add(7.days()).ok()?)?))
}

/// Lays out the items of a week, in the zone of the mailbox.
pub(super) fn week(entries: &[Entry], monday: Date, zone: &Zone, colours: &Colours) -> Week {
    let mut week = Week::default();
    for entry in entries {
        let content = &entry.content;
        // Whole days have dates and no instants: they stay on their dates in whatever zone.
        let (start, end) = if content.all_day {
            (content.start_wall(), content.end_wall())
        } else {
            (zone.wall(content.start), zone.wall(content.end))
        };
        let last = last_day(start, end);
        let is_strip = content.all_day || end.duration_since(start).as_hours() >= 24;
        if is_strip {
            if let (Some(day_first), Some(day_last)) = (day(start.date(), monday, true), day(last, monday, false)) {
                week.strips.push(Block { day_first, day_last, ..plain(entry, start, end, colours) });
            }
            continue;
        }
        let mut date = start.date();
        while date <= last {
            if let Some(day) = exact_day(date, monday) {
                let from = if date == start.date() { minutes(start.time()) } else { 0 };
                let to = if date == end.date() { minutes(end.time()) } else { DAY_MINUTES };
                let minutes = Some((from, to.max(from)));
                week.hours.push(Block { day_first: day, day_last: day, minutes, ..plain(entry, start, end, colours) });
            }
            match date.tomorrow() {
                Ok(next) => date = next,
                Err(_) => break,
            }
        }
    }
    week.strips.sort_by_key(|block| (block.day_first, block.day_last));
    lay_in_lanes(&mut week.strips, |block| (block.day_first, block.day_last + 1));
    for day in 0..7 {
        let mut of_day: Vec<Block> = Vec::new();
        week.hours.retain(|block| {
            let here = block.day_first == day;
            if here {
                of_day.push(block.clone());
            }
            !here
        });
        // A short block is drawn as if it lasted 30 minutes, so that its text can be read.
        let extent = |block: &Block| block.minutes.map_or((0, 0), |(from, to)| (from, to.max(from + 30)));
        of_day.sort_by_key(extent);
        lay_in_lanes(&mut of_day, extent);
        week.hours.extend(of_day);
    }
    week
}

fn plain(entry: &Entry, start: DateTime, end: DateTime, colours: &Colours) -> Block {
    let content = &entry.content;
    Block {
        subject: content.subject.clone(),
        location: content.location.clone().unwrap_or_default(),
        classes: classes(entry, colours),
        private: matches!(content.sensitivity, Sensitivity::Private | Sensitivity::Confidential),
        recurring: matches!(entry.kind, EntryKind::Occurrence | EntryKind::Exception),
        start,
        end,
        day_first: 0,
        day_last: 0,
        minutes: None,
        lane: (0, 1),
    }
}

/// The colour, and how the time is shown to others.
fn classes(entry: &Entry, colours: &Colours) -> String {
    let mut classes = colours.class(entry);
    match entry.content.show_as {
        ShowAs::Free => classes.push_str(" free"),
        ShowAs::Tentative => classes.push_str(" tentative"),
        ShowAs::Busy | ShowAs::OutOfOffice | ShowAs::WorkingElsewhere | ShowAs::Unknown => {}
    }
    classes
}

/// The last day that something touches; an end at midnight does not touch its day.
fn last_day(start: DateTime, end: DateTime) -> Date {
    if end > start && end.time() == Time::midnight() {
        end.date().yesterday().unwrap_or(end.date())
    } else {
        end.date()
    }
}

fn exact_day(date: Date, monday: Date) -> Option<u32> {
    u32::try_from(date.since(monday).ok()?.get_days()).ok().filter(|day| *day < 7)
}

/// The day of a date that may lie outside the week: cut off at its edge on the one side, outside on the other.
fn day(date: Date, monday: Date, is_first: bool) -> Option<u32> {
    let days = date.since(monday).ok()?.get_days();
    match (is_first, days) {
        (true, ..=0) => Some(0),
        (false, 6..) => Some(6),
        (_, days) => u32::try_from(days).ok().filter(|day| *day < 7),
    }
}

fn minutes(time: Time) -> u32 {
    u32::try_from(i64::from(time.hour()) * 60 + i64::from(time.minute())).unwrap_or(0)
}

/// Gives overlapping blocks lanes beside each other. The blocks are sorted by where they begin.
fn lay_in_lanes(blocks: &mut [Block], extent: impl Fn(&Block) -> (u32, u32)) {
    let mut cluster_start = 0;
    let mut lane_ends: Vec<u32> = Vec::new();
    let close = |blocks: &mut [Block], lanes: usize| {
        let lanes = u32::try_from(lanes.max(1)).unwrap_or(1);
        blocks.iter_mut().for_each(|block| block.lane.1 = lanes);
    };
    for position in 0..blocks.len() {
        let (from, to) = extent(&blocks[position]);
        if lane_ends.iter().all(|end| *end <= from) {
            close(&mut blocks[cluster_start..position], lane_ends.len());
            cluster_start = position;
            lane_ends.clear();
        }
        let free = lane_ends.iter().position(|end| *end <= from);
        let lane = free.unwrap_or(lane_ends.len());
        match lane_ends.get_mut(lane) {
            Some(end) => *end = to,
            None => lane_ends.push(to),
        }
        blocks[position].lane.0 = u32::try_from(lane).unwrap_or(0);
    }
    close(&mut blocks[cluster_start..], lane_ends.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(from: u32, to: u32) -> Block {
        Block {
            subject: String::new(),
            location: String::new(),
            classes: String::new(),
            private: false,
            recurring: false,
            start: DateTime::MIN,
            end: DateTime::MIN,
            day_first: 0,
            day_last: 0,
            minutes: Some((from, to)),
            lane: (0, 1),
        }
    }

    fn check(extents: &[(u32, u32)], expected: &[(u32, u32)]) {
        let mut blocks: Vec<Block> = extents.iter().map(|(from, to)| block(*from, *to)).collect();
        lay_in_lanes(&mut blocks, |block| block.minutes.unwrap_or_default());
        let lanes: Vec<_> = blocks.iter().map(|block| block.lane).collect();
        assert_eq!(lanes, expected, "{extents:?}");
    }

    #[test]
    fn overlapping_blocks_stand_side_by_side() {
        check(&[], &[]);
        check(&[(0, 10), (10, 20)], &[(0, 1), (0, 1)]);
        check(&[(0, 10), (5, 20)], &[(0, 2), (1, 2)]);
        check(&[(0, 10), (5, 20), (10, 15), (30, 40)], &[(0, 2), (1, 2), (0, 2), (0, 1)]);
        check(&[(0, 30), (0, 10), (5, 10)], &[(0, 3), (1, 3), (2, 3)]);
    }

    #[test]
    fn an_end_at_midnight_touches_no_further_day() {
        let at = |day, hour| jiff::civil::date(2026, 11, day).at(hour, 0, 0, 0);
        assert_eq!(last_day(at(23, 0), at(24, 0)).day(), 23);
        assert_eq!(last_day(at(23, 22), at(24, 1)).day(), 24);
        assert_eq!(last_day(at(23, 0), at(23, 0)).day(), 23);
    }

    #[test]
    fn a_strip_is_cut_at_the_edges_of_the_week() {
        let monday = jiff::civil::date(2026, 11, 23);
        let days = |first: i8, last: i8| {
            let date = |day: i8| jiff::civil::date(2026, 11, day);
            (day(date(first), monday, true), day(date(last), monday, false))
        };
        assert_eq!(days(20, 24), (Some(0), Some(1)));
        assert_eq!(days(28, 30), (Some(5), Some(6)));
        assert_eq!(days(20, 22), (Some(0), None));
    }
}
