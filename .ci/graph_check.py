#!/usr/bin/env python3
"""A plain Graph client reads what was pushed through Graph.

    pip install requests; python .ci/graph_check.py [--record FILE.jsonl]

CALSYNCD names the program; target/debug/calsyncd otherwise.
"""

import datetime
import sys

import requests

from read_back.cases import YEAR, instant_in, utc
from read_back.compare import PROPERTIES, PROPERTY_SET, main, text_of
from read_back.stage import CLIENT, SECRET, TENANT

SHOW_AS = {"free": "free", "tentative": "tentative", "busy": "busy", "oof": "out_of_office",
           "workingElsewhere": "working_elsewhere"}
MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december"]
WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def property_id(name):
    return f"String {{{PROPERTY_SET}}} Name {name}"


def moment(point):
    """The instant of a dateTimeTimeZone; everything is asked for in UTC."""
    assert point["timeZone"] == "UTC", point
    # Graph gives seven digits of a second.
    wall = datetime.datetime.fromisoformat(point["dateTime"][:19])
    return utc(wall.replace(tzinfo=datetime.timezone.utc))


def times(event):
    """Start and end: instants, or the first and the last date."""
    if not event["isAllDay"]:
        return moment(event["start"]), moment(event["end"])
    first, after = (datetime.datetime.fromisoformat(event[name]["dateTime"][:19]) for name in ("start", "end"))
    assert first.time() == after.time() == datetime.time(0), event["subject"]
    return first.date().isoformat(), (after.date() - datetime.timedelta(days=1)).isoformat()


def pattern(recurrence):
    """A recurrence in the words of the cases."""
    if recurrence is None:
        return None
    rule, range_ = recurrence["pattern"], recurrence["range"]
    days = " ".join(sorted(rule.get("daysOfWeek") or [], key=WEEK.index))
    text = {
        "daily": "daily every {interval}",
        "weekly": "weekly every {interval} on {days}",
        "absoluteMonthly": "monthly every {interval} on day {dayOfMonth}",
        "relativeMonthly": "monthly every {interval} on {index} {days}",
        "absoluteYearly": "yearly on {dayOfMonth} {month_name}",
    }[rule["type"]].format(**rule, days=days, month_name=MONTHS[rule["month"] - 1])
    end = {
        "numbered": ", {numberOfOccurrences} times",
        "endDate": ", until {endDate}",
        "noEnd": "",
    }[range_["type"]]
    return text + end.format(**range_)


class Graph:
    """Reads mailboxes with a token of the application."""

    def __init__(self, url):
        self.root = f"{url}/v1.0"
        answer = requests.post(f"{url}/{TENANT}/oauth2/v2.0/token", timeout=60, data={
            "grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET,
            "scope": "https://graph.microsoft.com/.default"})
        answer.raise_for_status()
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self.session.headers["Prefer"] = 'outlook.timezone="UTC"'
        self.ids = {}

    def get(self, url, params=None, headers=None):
        answer = self.session.get(url, params=params, headers=headers, timeout=60)
        if not answer.ok:
            raise SystemExit(f"GET {url}: {answer.status_code} {answer.text}")
        return answer.json()

    def pages(self, url, params):
        while url:
            page = self.get(url, params)
            yield from page["value"]
            url, params = page.get("@odata.nextLink"), None

    def events(self, mailbox):
        named = " or ".join(f"id eq '{property_id(name)}'" for name in PROPERTIES)
        params = {"$top": "25", "$expand": f"singleValueExtendedProperties($filter={named})"}
        seen = {}
        for event in self.pages(f"{self.root}/users/{mailbox}/events", params):
            properties = {one["id"].split()[-1]: one["value"] for one in event.get("singleValueExtendedProperties", [])}
            self.ids[properties.get("SourceKey")] = event["id"]
            seen[properties.get("SourceKey")] = self.event(mailbox, event, properties)
        return seen

    def event(self, mailbox, event, properties):
        """An event in the words of the cases."""
        zones = {event["originalStartTimeZone"], event["originalEndTimeZone"]}
        start, end = times(event)
        changed, cancelled = self.differing(mailbox, event) if event["recurrence"] else ([], [])
        return {
            "subject": event["subject"],
            "all_day": event["isAllDay"],
            "start": start,
            "end": end,
            "zone": zones.pop() if len(zones) == 1 else sorted(zones),
            "location": event["location"]["displayName"],
            "body": text_of(event["body"]["content"]),
            "categories": sorted(event["categories"]),
            "show_as": SHOW_AS[event["showAs"]],
            "sensitivity": event["sensitivity"],
            "importance": event["importance"],
            "reminder": event["reminderMinutesBeforeStart"] if event["isReminderOn"] else None,
            "attendees": len(event["attendees"]),
            "pattern": pattern(event["recurrence"]),
            "changed": changed,
            "cancelled": cancelled,
            "source_key": properties.get("SourceKey"),
            "properties": properties,
        }

    def differing(self, mailbox, event):
        """The occurrences that were changed, and the moments of those that were cancelled."""
        instances = list(self.instances(mailbox, event["id"]))
        changed = [[utc(datetime.datetime.fromisoformat(one["originalStart"])), moment(one["start"])]
                   for one in instances if one["type"] == "exception"]
        # The id of a cancelled occurrence ends with its date, in the zone of the series and at its wall time.
        one = f"{self.root}/users/{mailbox}/events/{event['id']}"
        cancelled = self.get(one, {"$select": "cancelledOccurrences"})["cancelledOccurrences"]
        zone = event["originalStartTimeZone"]
        local = self.get(one, {"$select": "start"}, {"Prefer": f'outlook.timezone="{zone}"'})
        clock = local["start"]["dateTime"][10:19]
        return sorted(changed), sorted(instant_in(zone, id_[-10:] + clock) for id_ in cancelled)

    def instances(self, mailbox, event_id):
        params = {"startDateTime": f"{YEAR - 1}-12-01T00:00:00Z", "endDateTime": f"{YEAR + 1}-11-30T00:00:00Z"}
        return self.pages(f"{self.root}/users/{mailbox}/events/{event_id}/instances", params)

    def occurrences(self, mailbox, source_key):
        return [[*times(one), one["subject"], one["location"]["displayName"]]
                for one in self.instances(mailbox, self.ids[source_key])]


if __name__ == "__main__":
    sys.exit(main("Graph client", "graph", Graph))
