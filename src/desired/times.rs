//! Times that every clock in their zone shows.

use crate::model::time::EventTime;

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::normal;
    use crate::model::{time::EventTime, zone::Zone};

    #[test]
    fn wall_times_that_do_not_exist_move_forward() {
        // Clocks in Paris go from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25.
        let cases = [
            ("2026-03-29T01:30", "2026-03-29T02:30", "2026-03-29T01:30:00 2026-03-29T03:30:00"),
            ("2026-03-29T02:30", "2026-03-29T03:00", "2026-03-29T03:30:00 2026-03-29T04:00:00"),
            ("2026-03-29T02:00", "2026-03-29T04:00", "2026-03-29T03:00:00 2026-03-29T04:00:00"),
            ("2026-10-25T02:30", "2026-10-25T02:45", "2026-10-25T02:30:00 2026-10-25T02:45:00"),
            ("2026-11-23T09:00", "2026-11-23T09:00", "2026-11-23T09:00:00 2026-11-23T09:00:00"),
            ("2026-11-23T09:00", "2026-11-23T08:00", ""),
        ];
        let zone = Zone::parse("Europe/Paris").unwrap();
        for (start, end, expected) in cases {
            let time =
                EventTime::Timed { start: start.parse().unwrap(), end: end.parse().unwrap(), zone: zone.clone() };
            let once = normal(time);
            let text = once.as_ref().map_or(String::new(), |time| format!("{} {}", time.start(), time.end()));
            assert_eq!(text, expected, "{start}");
            if let Ok(once) = once {
                assert_eq!(normal(once.clone()), Ok(once), "{start}");
            }
        }
    }
}
