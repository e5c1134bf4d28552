#!/usr/bin/env python3
"""exchangelib, a client that knows nothing of this project, reads what was pushed through EWS.

    pip install exchangelib; python .ci/exchangelib_check.py [--record FILE.jsonl]

CALSYNCD names the program; target/debug/calsyncd otherwise.
"""

import datetime
import sys

from exchangelib import BASIC, IMPERSONATION, Account, CalendarItem, Configuration, Credentials, EWSTimeZone, Version
from exchangelib.extended_properties import ExtendedProperty
from exchangelib.recurrence import (
    AbsoluteMonthlyPattern,
    AbsoluteYearlyPattern,
    DailyPattern,
    NumberedPattern,
    RelativeMonthlyPattern,
    WeeklyPattern,
)
from exchangelib.version import EXCHANGE_2016

from read_back.cases import YEAR, utc
from read_back.compare import PROPERTIES, PROPERTY_SET, main, text_of
from read_back.stage import SECRET, USER

SHOW_AS = {"Free": "free", "Tentative": "tentative", "Busy": "busy", "OOF": "out_of_office",
           "WorkingElsewhere": "working_elsewhere"}
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december"]
PLACES = ["first", "second", "third", "fourth", "last"]


def register(name):
    kind = type(name, (ExtendedProperty,),
                {"property_set_id": PROPERTY_SET, "property_name": name, "property_type": "String"})
    CalendarItem.register(f"calsyncd_{name.lower()}", kind)


for property_name in PROPERTIES:
    register(property_name)


def from_xml(cls, elem, account):
    """An item whose dates are those of its zone: exchangelib takes 24 hours off the end, also where a day has 23."""
    item = super(CalendarItem, cls).from_xml(elem=elem, account=account)
    if item.is_all_day:
        item.start = item.start.astimezone(item._start_timezone).date()
        item.end = item.end.astimezone(item._end_timezone).date() - datetime.timedelta(days=1)
    return item


CalendarItem.from_xml = classmethod(from_xml)


def moment(value):
    """An instant, or the date of a whole day."""
    return utc(value) if isinstance(value, datetime.datetime) else value.isoformat()


def day_names(days):
    return " ".join(name for name in (WEEKDAYS[day - 1] for day in sorted(days)))


def pattern(recurrence):
    """A recurrence in the words of the cases."""
    if recurrence is None:
        return None
    kind, range_ = recurrence.pattern, recurrence.boundary
    match kind:
        case DailyPattern():
            text = f"daily every {kind.interval}"
        case WeeklyPattern():
            text = f"weekly every {kind.interval} on {day_names(kind.weekdays)}"
        case AbsoluteMonthlyPattern():
            text = f"monthly every {kind.interval} on day {kind.day_of_month}"
        case RelativeMonthlyPattern():
            text = f"monthly every {kind.interval} on {PLACES[kind.week_number - 1]} {day_names([kind.weekday])}"
        case AbsoluteYearlyPattern():
            text = f"yearly on {kind.day_of_month} {MONTHS[kind.month - 1]}"
        case _:
            text = repr(kind)
    if isinstance(range_, NumberedPattern):
        return f"{text}, {range_.number} times"
    # A bare date comes as a moment, one with a zone as a date.
    return f"{text}, until {range_.end.isoformat()[:10]}" if hasattr(range_, "end") else text


def event(item):
    """An item in the words of the cases."""
    zones = {item._start_timezone.ms_id, item._end_timezone.ms_id}
    return {
        "subject": item.subject,
        "all_day": item.is_all_day,
        "start": moment(item.start),
        "end": moment(item.end),
        "zone": zones.pop() if len(zones) == 1 else sorted(zones),
        "location": item.location or "",
        "body": text_of(item.body or ""),
        "categories": sorted(item.categories or []),
        "show_as": SHOW_AS[item.legacy_free_busy_status],
        "sensitivity": item.sensitivity.lower(),
        "importance": item.importance.lower(),
        "reminder": item.reminder_minutes_before_start if item.reminder_is_set else None,
        "attendees": len(item.required_attendees or []) + len(item.optional_attendees or [])
        + len(item.resources or []) + bool(item.is_meeting),
        "pattern": pattern(item.recurrence),
        "changed": sorted([utc(one.original_start), utc(one.start)] for one in item.modified_occurrences or []),
        "cancelled": sorted(utc(one.start) for one in item.deleted_occurrences or []),
        "source_key": item.calsyncd_sourcekey,
        "properties": {name: getattr(item, f"calsyncd_{name.lower()}") for name in PROPERTIES},
    }


class Exchangelib:
    """Reads mailboxes through exchangelib, as the service account that impersonates."""

    def __init__(self, url):
        self.config = Configuration(
            service_endpoint=f"{url}/EWS/Exchange.asmx",
            credentials=Credentials(USER, SECRET),
            auth_type=BASIC,
            version=Version(EXCHANGE_2016),
        )
        self.uids = {}

    def account(self, mailbox):
        return Account(mailbox, config=self.config, autodiscover=False, access_type=IMPERSONATION,
                       default_timezone=EWSTimeZone("UTC"))

    def events(self, mailbox):
        # FindItem finds the items, GetItem reads them whole.
        account = self.account(mailbox)
        items = list(account.fetch(account.calendar.all().only("id", "changekey")))
        self.uids |= {item.calsyncd_sourcekey: item.uid for item in items}
        return {item.calsyncd_sourcekey: event(item) for item in items}

    def occurrences(self, mailbox, source_key):
        start = datetime.datetime(YEAR - 1, 12, 1, tzinfo=EWSTimeZone("UTC"))
        end = datetime.datetime(YEAR + 1, 11, 30, tzinfo=EWSTimeZone("UTC"))
        view = self.account(mailbox).calendar.view(start=start, end=end)
        own = [item for item in view if item.uid == self.uids[source_key]]
        return [[moment(item.start), moment(item.end), item.subject, item.location or ""] for item in own]


if __name__ == "__main__":
    sys.exit(main("exchangelib", "ews", Exchangelib))
