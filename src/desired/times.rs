//! Times that every clock in their zone shows, in zones that Outlook knows.

use crate::model::{time::EventTime, window::Window, zone::Zone};

/// The same time with wall times that exist: one that the spring change skips moves forward by the gap. An event that
/// begins in the gap keeps its length where it would otherwise end before it starts.
pub(super) fn normal(time: EventTime) -> Result<EventTime, String> {
    let EventTime::Timed { start, end, zone } = time else {
        return if time.end() > time.start() { Ok(time) } else { Err("its last day is before its first".to_owned()) };
    };
    if end < start {
        return Err(format!("it ends at {end}, before it starts at {start}"));
    }
    let shifted = zone.wall(zone.instant(start));
    let mut shifted_end = zone.wall(zone.instant(end));
    if shifted_end < shifted {
        shifted_end =
            shifted.checked_add(start.duration_until(end)).map_err(|_| "it leads out of the calendar".to_owned())?;
    }
    Ok(EventTime::Timed { start: shifted, end: shifted_end, zone })
}

/// The normal time of an event that does not repeat, as Outlook can be told of it. Where it would take one of the wall times
/// for another instant, both are told in UTC: the instant is what counts. Days stay the same days; in a zone that Outlook
/// does not know they are days of `calendar_zone`.
pub(super) fn told(time: EventTime, calendar_zone: &Zone) -> EventTime {
    match time {
        EventTime::AllDay { first, last, zone } if zone.windows().is_none() => {
            EventTime::AllDay { first, last, zone: calendar_zone.clone() }
        }
        EventTime::Timed { start, end, zone } if !zone.agrees_with_outlook(start) || !zone.agrees_with_outlook(end) => {
            let utc = Zone::utc();
            let [start, end] = [start, end].map(|wall| utc.wall(zone.instant(wall)));
            EventTime::Timed { start, end, zone: utc }
        }
        time @ (EventTime::AllDay { .. } | EventTime::Timed { .. }) => time,
    }
}

/// Why Outlook cannot repeat an event: `occurrences` are its times by the rule, from the first on and in order. Looked at
/// are the first one and those that touch the window.
pub(super) fn series_fault(
    first: &EventTime,
    mut occurrences: impl Iterator<Item = EventTime>,
    window: Window,
) -> Option<String> {
    let zone = first.zone();
    if zone.outlook_fault().is_some() {
        return zone.outlook_fault();
    }
    if first.is_all_day() {
        return None;
    }
    // Exchange repeats the wall time that it makes of the first start, and of the first end.
    if let Some(wall) = [first.start(), first.end()].into_iter().find(|wall| zone.skips(*wall)) {
        return Some(format!("Outlook cannot begin a series with a wall time that clocks skip ({wall})"));
    }
    occurrences.find_map(|time| {
        if time.start_instant() >= window.end {
            return Some(None);
        }
        if !window.touches(&time) {
            return None;
        }
        let [start, end] = [time.start(), time.end()];
        if let Some(wall) = [start, end].into_iter().find(|wall| !zone.agrees_with_outlook(*wall)) {
            return Some(Some(format!("Outlook knows no zone with the rules of {:?} on {}", zone.iana(), wall.date())));
        }
        // An occurrence that begins in the hour that is skipped would end before it starts.
        (time.end_instant() < time.start_instant())
            .then(|| Some(format!("Outlook cannot say an occurrence that clocks skip ({start})")))
    })?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::{SignedDuration, Timestamp, civil::DateTime};

    use super::{normal, series_fault, told};
    use crate::model::{time::EventTime, window::Window, zone::Zone};

    fn timed(start: &str, end: &str, zone: &str) -> EventTime {
        EventTime::Timed { start: start.parse().unwrap(), end: end.parse().unwrap(), zone: Zone::parse(zone).unwrap() }
    }

    fn text(time: &EventTime) -> String {
        format!("{} {} {}", time.start(), time.end(), time.zone())
    }

    #[test]
    fn wall_times_that_do_not_exist_move_forward() {
        // Clocks in Paris go from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25.
        let cases = [
            ("2026-03-29T01:30", "2026-03-29T02:30", "2026-03-29T01:30:00 2026-03-29T03:30:00 Europe/Paris"),
            ("2026-03-29T02:30", "2026-03-29T03:00", "2026-03-29T03:30:00 2026-03-29T04:00:00 Europe/Paris"),
            ("2026-03-29T02:00", "2026-03-29T04:00", "2026-03-29T03:00:00 2026-03-29T04:00:00 Europe/Paris"),
            ("2026-10-25T02:30", "2026-10-25T02:45", "2026-10-25T02:30:00 2026-10-25T02:45:00 Europe/Paris"),
            ("2026-11-23T09:00", "2026-11-23T09:00", "2026-11-23T09:00:00 2026-11-23T09:00:00 Europe/Paris"),
            ("2026-11-23T09:00", "2026-11-23T08:00", ""),
        ];
        for (start, end, expected) in cases {
            let once = normal(timed(start, end, "Europe/Paris"));
            assert_eq!(once.as_ref().map_or(String::new(), text), expected, "{start}");
            if let Ok(once) = once {
                assert_eq!(normal(once.clone()), Ok(once), "{start}");
            }
        }
    }

    #[test]
    fn a_single_event_is_told_in_a_zone_that_outlook_knows() {
        // Troll is at UTC+2 in summer and UTC in winter; Ceuta differed from Paris in 1975.
        let cases = [
            ("Antarctica/Troll", "2026-07-01T09:00", "2026-07-01T07:00:00 2026-07-01T08:00:00 Etc/UTC"),
            ("Antarctica/Troll", "2026-03-29T01:30", "2026-03-29T01:30:00 2026-03-29T02:30:00 Etc/UTC"),
            ("America/Coyhaique", "2026-07-01T09:00", "2026-07-01T12:00:00 2026-07-01T13:00:00 Etc/UTC"),
            ("Africa/Ceuta", "2026-07-01T09:00", "2026-07-01T09:00:00 2026-07-01T10:00:00 Africa/Ceuta"),
            ("Africa/Ceuta", "1975-07-01T09:00", "1975-07-01T09:00:00 1975-07-01T10:00:00 Etc/UTC"),
        ];
        let paris = Zone::parse("Europe/Paris").unwrap();
        for (zone, start, expected) in cases {
            let end = start.parse::<DateTime>().unwrap() + SignedDuration::from_hours(1);
            let told = told(normal(timed(start, &end.to_string(), zone)).unwrap(), &paris);
            assert_eq!(text(&told), expected, "{zone} {start}");
            assert_eq!(told.zone().instant(told.end()).duration_since(told.start_instant()).as_hours(), 1);
        }
        let day = "2026-07-01".parse().unwrap();
        let all_day = EventTime::AllDay { first: day, last: day, zone: Zone::parse("Antarctica/Troll").unwrap() };
        assert_eq!(text(&told(all_day, &paris)), "2026-07-01T00:00:00 2026-07-02T00:00:00 Europe/Paris");
    }

    #[test]
    fn a_series_that_outlook_would_repeat_otherwise_is_found() {
        let cases = [
            ("Europe/Paris", "2026-03-01T09:00", 60, ""),
            ("Europe/Paris", "2026-03-01T22:00", 480, ""),
            ("Europe/Paris", "2026-03-01T02:15", 30, ""),
            ("Europe/Paris", "2026-03-01T02:30", 180, ""),
            ("Europe/Paris", "2026-03-01T02:30", 30, "Outlook cannot say an occurrence"),
            ("Europe/Paris", "2026-03-29T02:30", 180, "Outlook cannot begin a series"),
            ("Europe/Paris", "2026-03-29T01:30", 60, "Outlook cannot begin a series"),
            (
                "Antarctica/Troll",
                "2026-03-01T09:00",
                60,
                "Outlook knows no zone with the rules of \"Antarctica/Troll\"",
            ),
        ];
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let window = Window { start: at("2026-03-10T00:00:00Z"), end: at("2026-06-10T00:00:00Z") };
        let check = |zone: &str, start: &str, minutes: i64, window: Window| {
            let end = start.parse::<DateTime>().unwrap() + SignedDuration::from_mins(minutes);
            let first = timed(start, &end.to_string(), zone);
            let day = |number: i64| {
                let later = |wall: DateTime| wall + SignedDuration::from_hours(24 * number);
                EventTime::Timed { start: later(first.start()), end: later(first.end()), zone: first.zone().clone() }
            };
            series_fault(&first, (0..).map(day), window).unwrap_or_default()
        };
        for (zone, start, minutes, expected) in cases {
            let fault = check(zone, start, minutes, window);
            assert!(fault.starts_with(expected) && fault.is_empty() == expected.is_empty(), "{zone} {start}: {fault}");
        }
        let once = Window { start: at("1975-06-01T00:00:00Z"), end: at("1975-07-01T00:00:00Z") };
        let fault = check("Africa/Ceuta", "1975-01-01T09:00", 60, once);
        assert!(fault.starts_with("Outlook knows no zone with the rules of \"Africa/Ceuta\" on 1975"), "{fault}");
    }
}
