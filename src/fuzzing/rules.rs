//! A series from its rule and the occurrences that differ.

use jiff::civil::DateTime;

use super::{promises, stage};
use crate::{
    desired::desired,
    model::{
        key::{Kind, SourceKey},
        source::{
            Completeness, Recipient, SourceChange, SourceContent, SourceEvent, SourceException, SourceRead,
            SourceRecurrence, SourceTime,
        },
        time::EventTime,
        zone::Zone,
    },
};

/// Lines: the start of the first occurrence, the zone, the rule; then further rules, rules of what is left out after `!`,
/// additional starts after `+`, and one line for each occurrence that differs: its start, and where it is moved the new
/// one after a blank. A start is a date or a wall time.
pub(super) fn rule(input: &[u8]) {
    let Some(event) = std::str::from_utf8(input).ok().and_then(event) else { return };
    let read = SourceRead { events: vec![event], rejections: Vec::new(), completeness: Completeness::Complete };
    let desired = desired(&read, stage::job(), stage::window());
    promises::check(&read, &desired);
    stage::write(&desired);
    for event in desired.mailboxes.values().flatten() {
        let Some(series) = &event.series else { continue };
        let first = event.time.start().date();
        let days: Vec<_> = series.recurrence.days(first).take(1000).collect();
        assert!(days.first() == Some(&first), "a series begins on a day of its own");
        assert!(days.windows(2).all(|pair| pair[0] < pair[1]), "the days of a series are in order");
    }
}

fn event(text: &str) -> Option<SourceEvent> {
    let mut lines = text.lines();
    let start = lines.next()?;
    let zone = Zone::parse(lines.next()?).ok()?;
    let mut recurrence = SourceRecurrence { rules: vec![lines.next()?.to_owned()], ..SourceRecurrence::default() };
    let time = |start: &str| -> Option<EventTime> {
        let zone = zone.clone();
        // The years that a source believes.
        let believed = ("1900".."2201").contains(&start.get(..4)?);
        if !believed {
            return None;
        }
        if let (10, Ok(first)) = (start.len(), start.parse()) {
            return Some(EventTime::AllDay { first, last: first, zone });
        }
        let start: DateTime = start.parse().ok()?;
        let end = start.checked_add(jiff::SignedDuration::from_hours(1)).ok()?;
        Some(EventTime::Timed { start, end, zone })
    };
    let first = time(start)?;
    for line in lines {
        if line.starts_with("FREQ=") {
            recurrence.rules.push(line.to_owned());
        } else if let Some(rule) = line.strip_prefix('!') {
            recurrence.excluded_rules.push(rule.to_owned());
        } else if let Some(additional) = line.strip_prefix('+') {
            recurrence.additional.extend(time(additional).map(|time| time.start()));
        } else {
            recurrence.exceptions.extend(exception(line, &time));
        }
    }
    Some(SourceEvent {
        key: SourceKey::new("erp", Kind::Appointment, "1"),
        kind: Kind::Appointment,
        place: "rule".to_owned(),
        recipient: Recipient::Mailbox(stage::mailbox()),
        time: SourceTime::Fixed(first),
        recurrence: Some(recurrence),
        generic: false,
        cancelled: false,
        content: SourceContent::default(),
    })
}

fn exception(line: &str, time: &dyn Fn(&str) -> Option<EventTime>) -> Option<SourceException> {
    let (original, moved) = line.split_once(' ').map_or((line, None), |(original, moved)| (original, Some(moved)));
    let change = match moved {
        None => None,
        Some(moved) => Some(SourceChange { time: time(moved)?, content: SourceContent::default() }),
    };
    Some(SourceException { original: time(original)?.start(), change })
}
