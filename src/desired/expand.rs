//! An event that repeats in a way that Outlook cannot say: the single events of the window.

use std::collections::BTreeSet;

use jiff::{SignedDuration, civil::DateTime};

use super::{
    rule::Rule,
    series::{Changes, Repeating, at},
    shape::{Part, Shape, Unlisted},
    walk::OCCURRENCES_MAX,
};

/// The most single events of one source event in the window.
const PARTS_MAX: usize = 1_000;

/// The single events, and why there is no series.
pub(super) fn shape(
    event: &Repeating<'_>,
    rules: &[Rule],
    excluded: &[Rule],
    changes: &Changes<'_>,
    reason: String,
) -> Result<Shape, String> {
    if event.left.get() == 0 {
        return Err(format!("too many events of the source are shown as single events, and {reason}"));
    }
    let (from, to) = wall_window(event);
    let own_times = || std::iter::once(event.first.start()).chain(event.source.additional.iter().copied());
    let mut originals: BTreeSet<DateTime> = own_times().collect();
    let walk = |rule: &Rule| {
        let found = rule.walk.between(from, to);
        // A rule that cannot be followed was followed all the same.
        let steps = found.as_ref().map_or(OCCURRENCES_MAX, Vec::len);
        event.left.set(event.left.get().saturating_sub(steps + 1));
        found
    };
    for rule in rules {
        originals.extend(walk(rule)?);
    }
    for rule in excluded {
        for wall in walk(rule)? {
            originals.remove(&wall);
        }
    }
    let mut parts = Vec::new();
    for (original, change) in changes {
        let inside = originals.remove(original);
        let Some(change) = change else { continue };
        if !inside && ((from..=to).contains(original) || !exists(*original, rules, excluded, own_times())?) {
            return Err(format!("the rule has no occurrence at {original} that could change"));
        }
        parts.push(event.changed(*original, change)?);
    }
    let mut count = parts.iter().filter(|part: &&Part| event.window.touches(&part.time)).count();
    for original in originals {
        let inside = at(event.first, original).is_some_and(|time| event.window.touches(&time));
        if inside {
            count += 1;
            if count > PARTS_MAX {
                return Err(format!("more than {PARTS_MAX} occurrences are in the window, and {reason}"));
            }
            parts.push(event.part(original)?);
        }
    }
    parts.sort_by_key(|part| part.original);
    let cancelled = changes.iter().filter(|(_, change)| change.is_none()).map(|(original, _)| *original).collect();
    let unlisted = Unlisted::OutsideWindow { first: event.first.clone(), window: event.window, cancelled };
    Ok(Shape { main: None, parts, unlisted, note: Some(reason) })
}

/// The wall times between which an occurrence that touches the window can start, with a day to spare on both sides.
fn wall_window(event: &Repeating<'_>) -> (DateTime, DateTime) {
    let zone = event.first.zone();
    let day = SignedDuration::from_hours(24);
    let lasts = event.first.start().duration_until(event.first.end());
    let from = zone.wall(event.window.start).saturating_sub(lasts).saturating_sub(day);
    (from, zone.wall(event.window.end).saturating_add(day))
}

/// Whether the event takes place at a wall time outside of the window.
fn exists(
    original: DateTime,
    rules: &[Rule],
    excluded: &[Rule],
    mut own_times: impl Iterator<Item = DateTime>,
) -> Result<bool, String> {
    for rule in excluded {
        if rule.walk.contains(original)? {
            return Ok(false);
        }
    }
    if own_times.any(|own| own == original) {
        return Ok(true);
    }
    for rule in rules {
        if rule.walk.contains(original)? {
            return Ok(true);
        }
    }
    Ok(false)
}
