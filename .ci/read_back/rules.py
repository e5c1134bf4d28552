"""Random series, as the text of iCalendar files.

One seed gives the same series on the same day: they lie around today, where calsyncd looks.
"""

import datetime
import random
import zoneinfo
from dataclasses import dataclass, field

from dateutil.rrule import rrulestr

DAY = datetime.timedelta(days=1)
ZONES = ["Europe/Paris", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland",
         "America/Sao_Paulo", "UTC"]
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


@dataclass
class Series:
    """A series, and what differs from it. Times are wall times in `zone`; without a zone, dates of whole days."""

    name: str
    rule: str
    start: datetime.datetime
    length: datetime.timedelta
    zone: str | None
    until: datetime.datetime | None = None
    excluded: list = field(default_factory=list)
    added: list = field(default_factory=list)
    # Original start to new start, or to None for an occurrence that is cancelled.
    changed: dict = field(default_factory=dict)

    @property
    def subject(self):
        return self.name

    @property
    def moved_subject(self):
        return f"{self.name} moved"

    def time(self, name, moment):
        """A property with a time of this series."""
        if self.zone is None:
            return f"{name};VALUE=DATE:{moment:%Y%m%d}"
        if self.zone == "UTC":
            return f"{name}:{moment:%Y%m%dT%H%M%SZ}"
        return f"{name};TZID={self.zone}:{moment:%Y%m%dT%H%M%S}"

    def text(self):
        """The events of the series."""
        lines = self.event(self.start, self.subject, [f"RRULE:{self.full_rule()}"])
        for original, new in sorted(self.changed.items()):
            more = [self.time("RECURRENCE-ID", original)] + ([] if new else ["STATUS:CANCELLED"])
            lines += self.event(new or original, self.moved_subject, more)
        return "".join(f"{line}\r\n" for line in lines)

    def event(self, start, subject, more):
        lines = ["BEGIN:VEVENT", f"UID:{self.name.replace(' ', '-')}@example.test", "DTSTAMP:20260101T000000Z",
                 self.time("DTSTART", start), self.time("DTEND", start + self.length), f"SUMMARY:{subject}", *more]
        if more[0].startswith("RRULE"):
            lines += [self.time("EXDATE", moment) for moment in self.excluded]
            lines += [self.time("RDATE", moment) for moment in self.added]
        return [*lines, "END:VEVENT"]

    def full_rule(self):
        """The rule with its UNTIL: a date for whole days, else an instant."""
        if self.until is None:
            return self.rule
        if self.zone is None:
            return f"{self.rule};UNTIL={self.until:%Y%m%d}"
        instant = self.until.replace(tzinfo=zoneinfo.ZoneInfo(self.zone)).astimezone(datetime.timezone.utc)
        return f"{self.rule};UNTIL={instant:%Y%m%dT%H%M%SZ}"


def calendar(series):
    """A file with these series."""
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//calsyncd//checks//EN\r\n" + "".join(
        one.text() for one in series) + "END:VCALENDAR\r\n"


def sayable(pick):
    """A rule of a kind that Outlook has."""
    interval = lambda most: f";INTERVAL={pick.randint(2, most)}" if pick.random() < 0.4 else ""
    days = ",".join(day for day in WEEKDAYS if pick.random() < 0.35) or pick.choice(WEEKDAYS)
    ordinal = pick.choice(["1", "2", "3", "4", "-1"])
    month = pick.randint(1, 12)
    return pick.choice([
        lambda: "FREQ=DAILY" + interval(20),
        lambda: f"FREQ=DAILY;BYDAY={days}",
        lambda: f"FREQ=WEEKLY{interval(5)}",
        lambda: f"FREQ=WEEKLY{interval(5)};BYDAY={days}",
        lambda: f"FREQ=WEEKLY{interval(5)};BYDAY={days};WKST={pick.choice(WEEKDAYS)}",
        lambda: f"FREQ=MONTHLY{interval(4)};BYMONTHDAY={pick.randint(1, 28)}",
        lambda: f"FREQ=MONTHLY{interval(4)};BYMONTHDAY=-1",
        lambda: f"FREQ=MONTHLY{interval(4)};BYDAY={ordinal}{pick.choice(WEEKDAYS)}",
        lambda: f"FREQ=MONTHLY;BYDAY={pick.choice(WEEKDAYS)};BYSETPOS={ordinal}",
        lambda: f"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS={ordinal}",
        lambda: f"FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS={ordinal}",
        lambda: f"FREQ=YEARLY;BYMONTH={month};BYMONTHDAY={pick.randint(1, 28)}",
        lambda: f"FREQ=YEARLY;BYMONTH={month};BYDAY={ordinal}{pick.choice(WEEKDAYS)}",
        lambda: "FREQ=YEARLY",
    ])()


def unsayable(pick, timed):
    """A rule of a kind that Outlook does not have."""
    day, other = pick.sample(WEEKDAYS, 2)
    kinds = [
        f"FREQ=MONTHLY;BYMONTHDAY={pick.randint(1, 14)},{pick.randint(15, 28)}",
        f"FREQ=MONTHLY;BYMONTHDAY={pick.randint(29, 31)}",
        f"FREQ=MONTHLY;BYMONTHDAY=-{pick.randint(2, 10)}",
        f"FREQ=MONTHLY;BYDAY={day}",
        f"FREQ=MONTHLY;BYDAY=5{day}",
        f"FREQ=MONTHLY;BYDAY=-2{day}",
        f"FREQ=MONTHLY;BYDAY=1{day},3{other}",
        f"FREQ=MONTHLY;BYDAY={day},{other};BYSETPOS={pick.choice([1, 2, -1, -2])}",
        f"FREQ=MONTHLY;BYDAY={day};BYMONTHDAY={','.join(map(str, range(8, 15)))}",
        f"FREQ=MONTHLY;INTERVAL=2;BYDAY={day},{other}",
        f"FREQ=WEEKLY;BYDAY={day};BYMONTH={pick.randint(1, 6)},{pick.randint(7, 12)}",
        f"FREQ=WEEKLY;BYDAY={day},{other};BYSETPOS=1",
        f"FREQ=DAILY;INTERVAL=2;BYDAY={day},{other}",
        f"FREQ=DAILY;BYMONTH={pick.randint(1, 6)},12",
        f"FREQ=DAILY;BYMONTHDAY={pick.randint(1, 28)},-1",
        f"FREQ=YEARLY;BYYEARDAY={pick.randint(1, 180)},-{pick.randint(1, 180)}",
        f"FREQ=YEARLY;BYWEEKNO={pick.randint(1, 26)},{pick.randint(27, 52)};BYDAY={day}",
        f"FREQ=YEARLY;BYDAY={pick.randint(1, 50)}{day}",
        f"FREQ=YEARLY;BYMONTH={pick.randint(1, 6)},{pick.randint(7, 12)}",
        f"FREQ=YEARLY;BYMONTH={pick.randint(1, 12)};BYDAY={day}",
    ]
    if timed:
        kinds += ["FREQ=DAILY;BYHOUR=9,17", f"FREQ=WEEKLY;BYDAY={day};BYHOUR=8,13;BYMINUTE=0,30",
                  f"FREQ=HOURLY;INTERVAL={pick.choice([5, 8, 36])}"]
    return pick.choice(kinds)


def between(series, begin, end):
    """The wall times at which the rule alone lets an occurrence start."""
    rule = series.rule + (f";UNTIL={series.until:%Y%m%dT%H%M%S}" if series.until else "")
    return rrulestr(rule, dtstart=series.start).between(begin, end, inc=True)


def one(number, pick, today):
    """A random series; `None` where the rule has no occurrence in years."""
    timed = pick.random() < 0.75
    rule = unsayable(pick, timed) if pick.random() < 0.2 else sayable(pick)
    clock = datetime.timedelta(minutes=15 * pick.randrange(96)) if timed else datetime.timedelta()
    length = datetime.timedelta(minutes=15 * pick.randint(1, 12)) if timed else DAY * pick.choice([1, 1, 1, 2])
    start = datetime.datetime.combine(today + DAY * pick.randint(-400, 60), datetime.time()) + clock
    series = Series(f"Series {number}", rule, start, length, pick.choice(ZONES) if timed else None)
    on_rule = rrulestr(rule, dtstart=start).after(start, inc=True)
    if on_rule is None or on_rule > start + 800 * DAY:
        return None
    off_rule = on_rule != start and pick.random() < 0.1
    if not off_rule:
        series.start = on_rule
    kind = pick.random()
    if kind < 0.3 and not off_rule:
        series.rule += f";COUNT={pick.choice([1, 2, 3, 5, 10, 30, 100, 400])}"
    elif kind < 0.6:
        series.until = datetime.datetime.combine(today + DAY * pick.randint(-20, 160), datetime.time()) + (
            pick.choice([datetime.timedelta(), clock]))
        if series.until < series.start:
            series.until = series.start
    differ(series, pick, today)
    return series


def differ(series, pick, today):
    """Lets some occurrences differ."""
    midnight = datetime.datetime.combine(today, datetime.time())
    inside = between(series, midnight + 2 * DAY, midnight + 120 * DAY)
    pick.shuffle(inside)
    if pick.random() < 0.3:
        series.excluded = [inside.pop() for _ in range(min(len(inside), pick.randint(1, 3)))]
    for _ in range(pick.choice([0, 0, 1, 3])):
        if not inside:
            break
        original, kind = inside.pop(), pick.random()
        if kind < 0.3:
            series.changed[original] = None
        elif kind < 0.75 and series.zone:
            series.changed[original] = original + datetime.timedelta(minutes=15 * pick.randint(1, 12))
        else:
            series.changed[original] = original + pick.choice([-3, -1, 1, 2, 9]) * DAY
    if pick.random() < 0.06:
        moment = midnight + pick.randint(3, 100) * DAY + (
            datetime.timedelta(minutes=15 * pick.randrange(96)) if series.zone else datetime.timedelta())
        if moment not in between(series, moment, moment):
            series.added = [moment]


def many(seed, count, today):
    """As many random series of one seed."""
    pick = random.Random(seed)
    found = []
    while len(found) < count:
        series = one(len(found) + 1, pick, today)
        if series is not None:
            found.append(series)
    return found
