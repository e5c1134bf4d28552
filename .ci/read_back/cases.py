"""Events as a source gives them, and what a calendar must then show.

Both sides are written here by hand; the only arithmetic is from wall time to instant, by Python's own time zones.
"""

import datetime
import zoneinfo
from dataclasses import dataclass, field

YEAR = datetime.date.today().year + 1

PARIS = "Europe/Paris"
NEW_YORK = "America/New_York"
WINDOWS = {
    PARIS: "Romance Standard Time",
    NEW_YORK: "Eastern Standard Time",
    "Asia/Kolkata": "India Standard Time",
    "Australia/Lord_Howe": "Lord Howe Standard Time",
    "Europe/Kyiv": "FLE Standard Time",
    "Pacific/Apia": "Samoa Standard Time",
    "UTC": "UTC",
}

ANA = "ana@example.test"
BOB = "bob@example.test"
MASK = "Private appointment"


def sunday(month, last_day=None, nth=None):
    """The last Sunday of a month of 31 days, or its nth."""
    if nth:
        first = datetime.date(YEAR, month, 1)
        return first + datetime.timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))
    last = datetime.date(YEAR, month, last_day or 31)
    return last - datetime.timedelta(days=(last.weekday() + 1) % 7)


# Clocks in Paris change on the last Sundays of March and October, in New York on the first Sunday of November.
SPRING = sunday(3)
AUTUMN = sunday(10)
NEW_YORK_AUTUMN = sunday(11, nth=1)


def day(base, days=0):
    return (base + datetime.timedelta(days=days)).isoformat()


def on(month, day_of_month):
    return datetime.date(YEAR, month, day_of_month)


def first_weekday(month, weekday):
    """The first day of a month that is this weekday; Monday is 0."""
    first = datetime.date(YEAR, month, 1)
    return first + datetime.timedelta(days=(weekday - first.weekday()) % 7)


def instant(wall, zone):
    """The moment of a wall time, in UTC."""
    moment = datetime.datetime.fromisoformat(wall).replace(tzinfo=zoneinfo.ZoneInfo(zone))
    return utc(moment)


def instant_in(windows, wall):
    """The moment of a wall time in a zone of Windows."""
    return instant(wall, next(zone for zone, name in WINDOWS.items() if name == windows))


def utc(moment):
    moment = datetime.datetime.fromtimestamp(moment.timestamp(), datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Case:
    """One event: the line of the source, and what is to be seen of it, with what differs through Graph."""

    mailbox: str
    line: dict
    shown: dict
    through_graph: dict
    occurrences: list = field(default_factory=list)

    def wanted(self, face):
        return {**self.shown, **(self.through_graph if face == "graph" else {})}


# What an event shows when its source says no more than a subject.
DEFAULTS = {
    "location": "",
    "body": "",
    "categories": [],
    "show_as": "busy",
    "sensitivity": "normal",
    "importance": "normal",
    "reminder": None,
    "attendees": 0,
    "pattern": None,
    "changed": [],
    "cancelled": [],
}
# A content that is shown as the source says it, and its name in the source.
AS_SAID = {"subject": "subject", "location": "location", "body": "body", "categories": "categories",
           "show_as": "show_as", "sensitivity": "sensitivity", "importance": "importance",
           "reminder": "reminder_minutes"}


class Book:
    """Collects the cases and gives each an id."""

    def __init__(self):
        self.cases = []

    def add(self, subject, line, times, *, shown=None, through_graph=None, occurrences=(), mailbox=ANA,
            kind="appointment", **said):
        number = str(len(self.cases) + 1)
        said = {"subject": subject, **said}
        content = {AS_SAID[name]: value for name, value in said.items()}
        expected = {
            **DEFAULTS,
            **{name: value for name, value in said.items()},
            **times,
            "source_key": f"inbox/{kind}/{number}",
            **(shown or {}),
        }
        line = {"kind": kind, "id": number, "mailbox": mailbox, **content, **line}
        self.cases.append(Case(mailbox, line, expected, through_graph or {}, list(occurrences)))


def timed(start, end, zone=PARIS, *, shown_start=None, shown_end=None):
    """A timed event: the line's part and what is shown; `shown_…` where the wall time does not exist."""
    line = {"start": start, "end": end, "zone": zone}
    times = {
        "all_day": False,
        "start": instant(shown_start or start, zone),
        "end": instant(shown_end or end, zone),
        "zone": WINDOWS[zone],
    }
    return line, times


def whole_days(first, last, zone=PARIS):
    """Whole days: the first and the last."""
    line = {"start": first, "end": last, "all_day": True, "zone": zone}
    return line, {"all_day": True, "start": first, "end": last, "zone": WINDOWS[zone]}


def schedule(date, period, days, start, end, zone=PARIS):
    """Half-days: what the source says, and the wall times shown; dates for whole days."""
    line = {"date": date, "period": period, "days": days, "zone": zone}
    if "T" not in start:
        return line, {"all_day": True, "start": start, "end": end, "zone": WINDOWS[zone]}
    shown = {"start": instant(start, zone), "end": instant(end, zone)}
    return line, {"all_day": False, "zone": WINDOWS[zone], **shown}


def occurrence(start, end, subject, location="", zone=PARIS):
    return [instant(start, zone), instant(end, zone), subject, location]


def contents(book):
    """One event for each content that can be shown."""
    book.add("Kick-off", *timed(f"{YEAR}-06-10T09:00", f"{YEAR}-06-10T10:30"), location="Lyon",
             body="First line & <second>\nlast line", categories=["Customer", "Project"], reminder=15)
    book.add("Réunion d’équipe à Besançon – 日本 🎉👩‍💻", *timed(f"{YEAR}-06-10T11:00", f"{YEAR}-06-10T12:00"),
             location="Café « Œuvre » ☕", body="Déjà vu à l’été 🎉", categories=["Été", "日本"])
    line, times = timed(f"{YEAR}-06-11T09:00", f"{YEAR}-06-11T10:00")
    html = {"body_type": "html", "body": "<p>Agenda of <b>Zoë</b></p><ul><li>One &amp; two</li></ul>"}
    book.add("Body in HTML", {**line, **html}, times, shown={"body": "Agenda of Zoë One & two"})
    book.add("<R&D> \"A\" 'B' ]]> %41", *timed(f"{YEAR}-06-11T11:00", f"{YEAR}-06-11T12:00"), location="a & b <c>")
    book.add("é" * 300, *timed(f"{YEAR}-06-11T13:00", f"{YEAR}-06-11T14:00"), shown={"subject": "é" * 254 + "…"})
    book.add("Deadline", *timed(f"{YEAR}-06-11T17:00", f"{YEAR}-06-11T17:00"))
    for hour, word in enumerate(["free", "tentative", "busy", "out_of_office", "working_elsewhere"], start=9):
        book.add(f"Show as {word}", *timed(f"{YEAR}-06-12T{hour:02}:00", f"{YEAR}-06-12T{hour:02}:45"), show_as=word)
    for hour, word in enumerate(["normal", "personal", "private", "confidential"], start=9):
        book.add(f"Sensitivity {word}", *timed(f"{YEAR}-06-13T{hour:02}:00", f"{YEAR}-06-13T{hour:02}:45"),
                 sensitivity=word, location="Room 1", body="For those who may read it.")
    for hour, word in enumerate(["low", "high"], start=14):
        book.add(f"Importance {word}", *timed(f"{YEAR}-06-13T{hour:02}:00", f"{YEAR}-06-13T{hour:02}:45"),
                 importance=word)
    for hour, minutes in enumerate([0, 5, 10080], start=16):
        book.add(f"Reminder {minutes}", *timed(f"{YEAR}-06-13T{hour}:00", f"{YEAR}-06-13T{hour}:45"), reminder=minutes)
    # The job of this mailbox masks what is private.
    book.add("Secret", *timed(f"{YEAR}-06-10T09:00", f"{YEAR}-06-10T10:00"), mailbox=BOB, sensitivity="private",
             location="12 rue des Lilas", body="Nobody reads this.",
             shown={"subject": MASK, "location": "", "body": ""})


def days(book):
    """Whole days, several days, half-days."""
    book.add("One day", *whole_days(f"{YEAR}-07-14", f"{YEAR}-07-14"), show_as="free")
    book.add("Two weeks", *whole_days(f"{YEAR}-08-03", f"{YEAR}-08-16"), show_as="out_of_office")
    book.add("A day of 23 hours", *whole_days(day(SPRING), day(SPRING)))
    book.add("Over the spring change", *whole_days(day(SPRING, -1), day(SPRING, 1)))
    book.add("A day of 25 hours", *whole_days(day(AUTUMN), day(AUTUMN)))
    book.add("Over the autumn change", *whole_days(day(AUTUMN, -2), day(AUTUMN, 2)))
    book.add("New Year", *whole_days(f"{YEAR}-12-31", f"{YEAR + 1}-01-01"))
    book.add("A day in New York", *whole_days(f"{YEAR}-07-04", f"{YEAR}-07-04", NEW_YORK))
    book.add("A day in New York, seen there", *whole_days(f"{YEAR}-07-04", f"{YEAR}-07-05", NEW_YORK), mailbox=BOB)
    book.add("A day in Lord Howe", *whole_days(f"{YEAR}-07-20", f"{YEAR}-07-20", "Australia/Lord_Howe"))
    book.add("Overnight", *timed(f"{YEAR}-06-15T14:00", f"{YEAR}-06-17T11:00"))
    morning = f"{YEAR}-06-18T09:00", f"{YEAR}-06-18T12:30"
    book.add("Morning", *schedule(f"{YEAR}-06-18", "morning", 0.5, *morning), kind="schedule")
    afternoon = f"{YEAR}-06-18T14:00", f"{YEAR}-06-18T17:30"
    book.add("Afternoon", *schedule(f"{YEAR}-06-18", "afternoon", 0.5, *afternoon), kind="schedule")
    long = f"{YEAR}-06-22T14:00", f"{YEAR}-06-23T17:30"
    book.add("A day and a half", *schedule(f"{YEAR}-06-22", "afternoon", 1.5, *long), kind="schedule")
    both = f"{YEAR}-06-24", f"{YEAR}-06-24"
    book.add("Day", *schedule(f"{YEAR}-06-24", "day", 1, *both), kind="schedule")
    book.add("Morning in New York",
             *schedule(f"{YEAR}-06-18", "morning", 0.5, *morning, NEW_YORK), kind="schedule", mailbox=BOB)


def zones(book):
    """The same wall time in many zones, and the hours that are not there or there twice."""
    for zone in WINDOWS:
        for month in ("01", "07"):
            book.add(f"Nine in {zone}, month {month}", *timed(f"{YEAR}-{month}-20T09:00", f"{YEAR}-{month}-20T10:15", zone))
    gap = timed(f"{day(SPRING)}T02:30", f"{day(SPRING)}T03:00",
                shown_start=f"{day(SPRING)}T03:30", shown_end=f"{day(SPRING)}T04:00")
    book.add("In the hour that is not there", *gap)
    book.add("Over the hour that is not there", *timed(f"{day(SPRING)}T00:30", f"{day(SPRING)}T04:30"))
    # Graph takes wall times only: which of the two is meant is said in UTC.
    in_utc = {"zone": "UTC"}
    book.add("In the hour that is there twice", *timed(f"{day(AUTUMN)}T02:15", f"{day(AUTUMN)}T02:45"),
             through_graph=in_utc)
    book.add("Over the hour that is there twice", *timed(f"{day(AUTUMN)}T00:30", f"{day(AUTUMN)}T04:30"))
    book.add("The hour that is there twice in New York",
             *timed(f"{day(NEW_YORK_AUTUMN)}T01:15", f"{day(NEW_YORK_AUTUMN)}T01:45", NEW_YORK), mailbox=BOB,
             through_graph=in_utc)


def weekly(book):
    """A weekly series over a change of the clocks, one occurrence moved, one renamed, one cancelled."""
    monday = SPRING - datetime.timedelta(days=13)
    at = [day(monday, 7 * week) for week in range(6)]
    line, times = timed(f"{at[0]}T08:45", f"{at[0]}T09:30")
    line["recurrence"] = "FREQ=WEEKLY;COUNT=6"
    moved = day(monday, 8)
    line["exceptions"] = [
        {"original": f"{at[1]}T08:45", "start": f"{moved}T10:00", "end": f"{moved}T11:00"},
        {"original": f"{at[3]}T08:45", "cancelled": True},
        {"original": f"{at[4]}T08:45", "subject": "Point hebdomadaire (déplacé)", "location": "Salle Ampère"},
    ]
    shown = {
        "pattern": "weekly every 1 on monday, 6 times",
        "changed": [[instant(f"{at[1]}T08:45", PARIS), instant(f"{moved}T10:00", PARIS)],
                    [instant(f"{at[4]}T08:45", PARIS), instant(f"{at[4]}T08:45", PARIS)]],
        "cancelled": [instant(f"{at[3]}T08:45", PARIS)],
    }
    name, place = "Point hebdomadaire", "Salle Pasteur"
    seen = [occurrence(f"{at[week]}T08:45", f"{at[week]}T09:30", name, place) for week in (0, 2, 5)]
    seen.append(occurrence(f"{moved}T10:00", f"{moved}T11:00", name, place))
    renamed = "Point hebdomadaire (déplacé)", "Salle Ampère"
    seen.append(occurrence(f"{at[4]}T08:45", f"{at[4]}T09:30", *renamed))
    book.add(name, line, times, shown=shown, occurrences=seen, location=place, categories=["Internal"], reminder=10)


def other_series(book):
    """A rule of each other sort."""
    monday = first_weekday(9, 0)
    line, times = timed(f"{day(monday)}T09:10", f"{day(monday)}T09:30", NEW_YORK)
    line["recurrence"] = "FREQ=DAILY;COUNT=4"
    seen = [occurrence(f"{day(monday, n)}T09:10", f"{day(monday, n)}T09:30", "Stand-up", zone=NEW_YORK)
            for n in range(4)]
    book.add("Stand-up", line, times, shown={"pattern": "daily every 1, 4 times"}, occurrences=seen, mailbox=BOB)

    line, times = timed(f"{day(monday)}T13:00", f"{day(monday)}T14:00")
    until = day(monday, 16)
    line["recurrence"] = f"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL={until.replace('-', '')}"
    seen = [occurrence(f"{day(monday, n)}T13:00", f"{day(monday, n)}T14:00", "Twice a week") for n in (0, 2, 14, 16)]
    book.add("Twice a week", line, times, occurrences=seen,
             shown={"pattern": f"weekly every 2 on monday wednesday, until {until}"})

    fridays = []
    for month, length in ((5, 31), (6, 30), (7, 31)):
        last = on(month, length)
        fridays.append((last - datetime.timedelta(days=(last.weekday() - 4) % 7)).isoformat())
    line, times = timed(f"{fridays[0]}T16:00", f"{fridays[0]}T17:00")
    line["recurrence"] = "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"
    seen = [occurrence(f"{friday}T16:00", f"{friday}T17:00", "Last Friday") for friday in fridays]
    book.add("Last Friday", line, times, shown={"pattern": "monthly every 1 on last friday, 3 times"}, occurrences=seen)

    fifteenths = [f"{YEAR}-{month:02}-15" for month in (2, 4, 6)]
    line, times = timed(f"{fifteenths[0]}T10:00", f"{fifteenths[0]}T10:30")
    line["recurrence"] = "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=15;COUNT=3"
    seen = [occurrence(f"{date}T10:00", f"{date}T10:30", "On the 15th") for date in fifteenths]
    book.add("On the 15th", line, times, shown={"pattern": "monthly every 2 on day 15, 3 times"}, occurrences=seen)

    line, times = whole_days(f"{YEAR}-05-08", f"{YEAR}-05-08")
    line["recurrence"] = "FREQ=YEARLY;COUNT=2"
    seen = [[date, date, "Armistice", ""] for date in (f"{YEAR}-05-08", f"{YEAR + 1}-05-08")]
    book.add("Armistice", line, times, shown={"pattern": "yearly on 8 may, 2 times"}, occurrences=seen)


def cases():
    """Every case."""
    book = Book()
    for chapter in (contents, days, zones, weekly, other_series):
        chapter(book)
    return book.cases
