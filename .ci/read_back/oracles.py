"""Which occurrences a series has, by two libraries that know nothing of this project.

An occurrence is its start, its end and its subject: instants, or the first and the last date of whole days.
"""

import datetime
import zoneinfo

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr, rruleset

from .rules import DAY, between, calendar

UTC = datetime.timezone.utc


def instant(wall, zone):
    """The moment of a wall time, in UTC: of one that the autumn change repeats the first. One that the spring change skips is
    read with the offset before the gap (RFC 5545 §3.3.5), so that clocks show it an hour later, as Outlook does; RFC 5545
    §3.3.10 would leave such an occurrence out. Python's `fold=0` is both."""
    return wall.replace(tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(UTC)


def skipped_by_clocks(series, begin, end):
    """How many occurrences start at a wall time that no clock in their zone shows."""
    if series.zone is None:
        return 0
    zone = zoneinfo.ZoneInfo(series.zone)
    walls = between(series, begin, end)
    return sum(instant(wall, series.zone).astimezone(zone).replace(tzinfo=None) != wall for wall in walls)


def shown(series, wall, subject):
    """An occurrence as a calendar shows it: an event lasts as long as clocks say."""
    if series.zone is None:
        return wall.date().isoformat(), (wall + series.length - DAY).date().isoformat(), subject
    start, end = instant(wall, series.zone), instant(wall + series.length, series.zone)
    return f"{start:%Y-%m-%dT%H:%M:%SZ}", f"{end:%Y-%m-%dT%H:%M:%SZ}", subject


def by_dateutil(series, begin, end):
    """By python-dateutil: a set of rule, additional and excluded times, and then what was changed."""
    times = rruleset()
    rule = series.rule + (f";UNTIL={series.until:%Y%m%dT%H%M%S}" if series.until else "")
    times.rrule(rrulestr(rule, dtstart=series.start))
    # The first occurrence counts, also where it is off the rule.
    times.rdate(series.start)
    for moment in series.added:
        times.rdate(moment)
    for moment in [*series.excluded, *series.changed]:
        times.exdate(moment)
    found = [shown(series, wall, series.subject) for wall in times.between(begin, end, inc=True)]
    found += [shown(series, new, series.moved_subject) for new in series.changed.values() if new and begin <= new <= end]
    return sorted(found)


def by_recurring_ical_events(series, begin, end):
    """By recurring-ical-events, from the text of the file."""
    query = recurring_ical_events.of(icalendar.Calendar.from_ical(calendar([series])))
    found = []
    for event in query.between((begin - DAY).date(), (end + DAY).date()):
        if str(event.get("STATUS", "")) == "CANCELLED":
            continue
        start = event["DTSTART"].dt
        wall = start.replace(tzinfo=None) if isinstance(start, datetime.datetime) else (
            datetime.datetime.combine(start, datetime.time()))
        if begin <= wall <= end:
            found.append(shown(series, wall, str(event["SUMMARY"])))
    return sorted(found)
