#!/usr/bin/env python3
"""Pushes the events of the push benchmark with other clients into the same sandbox, for the ratios of docs/performance.md.

EWS: exchangelib, 20 items a request. Graph: requests, plain `$batch` requests of 20. Neither keeps a state or plans.

    python3 -m venv VENV && VENV/bin/pip install exchangelib requests
    VENV/bin/python benches/peers/push.py ews|graph [--events 10000] [--mailboxes 100] [--threads 4] [--calsyncd PATH]

The sandbox runs as a process of its own; processor time is that of this process, from the start of the push to its end.
"""

import argparse
import datetime
import importlib
import json
import pathlib
import resource
import subprocess
import tempfile
import time
import zoneinfo
from concurrent.futures import ThreadPoolExecutor

USER, SECRET, TENANT = "svc-calsyncd@example.test", "sandbox", "example.test"
CLIENT = "00000000-0000-0000-0000-000000000001"
PROPERTY_SET = "0ab89da0-c8e5-4849-914a-1396b47752b5"
OWNER = "01890a5d-ac96-774b-bcce-b302099a8057"
ZONE = zoneinfo.ZoneInfo("Europe/Paris")
DAYS = 150
BATCH = 20


def sandbox_settings(mailboxes):
    text = f'[[accounts]]\nuser = "{USER}"\npassword = "{SECRET}"\nimpersonate = "all"\n'
    text += f'[[applications]]\ntenant_id = "{TENANT}"\nclient_id = "{CLIENT}"\nclient_secrets = ["{SECRET}"]\nscope = "all"\n'
    return text + "".join(f'[[mailboxes]]\naddress = "{address}"\n' for address in mailboxes)


def event(number, first_day):
    """The event of that number: its key, its texts, its start and end (dates for a whole day), whether it is a series."""
    day = first_day + datetime.timedelta(days=number % DAYS)
    all_day = number % 10 == 9
    start = datetime.datetime(day.year, day.month, day.day, 8 + number // DAYS % 10, number % 4 * 15)
    return {
        "key": f"erp/appointment/{number:08}",
        "subject": f"Réunion de suivi n° {number} <ACME & Co>",
        "body": f"Project 4711-{number}\nBring the plans of the second phase & the list of open points.\nRoom: 3rd floor.",
        "all_day": all_day,
        "series": number % 50 == 1 and not all_day,
        "start": day if all_day else start,
        "end": day if all_day else start + datetime.timedelta(minutes=90),
    }


def fingerprint(number):
    return f"1:{number:0132x}"


def push_with_exchangelib(url, work, threads):
    import exchangelib
    from exchangelib import recurrence
    from exchangelib.items import SEND_TO_NONE
    from exchangelib.version import EXCHANGE_2016, Version

    def named(name):
        members = {"property_set_id": PROPERTY_SET, "property_name": name, "property_type": "String"}
        return type(name, (exchangelib.ExtendedProperty,), members)

    for attribute, name in (("source_key", "SourceKey"), ("fingerprint", "Fingerprint"), ("owner", "Owner")):
        exchangelib.CalendarItem.register(attribute, named(name))
    configuration = exchangelib.Configuration(
        service_endpoint=f"{url}/EWS/Exchange.asmx",
        credentials=exchangelib.Credentials(USER, SECRET),
        auth_type=exchangelib.BASIC,
        version=Version(EXCHANGE_2016),
        max_connections=threads,
    )
    zone = exchangelib.EWSTimeZone("Europe/Paris")

    def moment(value):
        if isinstance(value, datetime.datetime):
            return exchangelib.EWSDateTime.from_datetime(value.replace(tzinfo=ZONE)).astimezone(zone)
        return exchangelib.EWSDate.from_date(value)

    def item(account, number, one):
        repeats = None
        if one["series"]:
            weekday = one["start"].strftime("%A")
            repeats = recurrence.Recurrence(
                pattern=recurrence.WeeklyPattern(interval=1, weekdays=[weekday]),
                start=one["start"].date(),
                number=5,
            )
        return exchangelib.CalendarItem(
            account=account,
            folder=account.calendar,
            subject=one["subject"],
            body=exchangelib.Body(one["body"]),
            location="Lyon, salle Rhône",
            categories=["Project"],
            reminder_minutes_before_start=15,
            reminder_is_set=True,
            is_all_day=one["all_day"],
            start=moment(one["start"]),
            end=moment(one["end"]),
            recurrence=repeats,
            source_key=one["key"],
            fingerprint=fingerprint(number),
            owner=OWNER,
        )

    def mailbox(entry):
        address, events = entry
        account = exchangelib.Account(
            address, config=configuration, autodiscover=False, access_type=exchangelib.IMPERSONATION, default_timezone=zone
        )
        items = [item(account, number, one) for number, one in events]
        created = account.bulk_create(
            account.calendar, items, send_meeting_invitations=SEND_TO_NONE, chunk_size=BATCH
        )
        faults = [result for result in created if isinstance(result, Exception)]
        if faults:
            raise faults[0]
        return len(created)

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(mailbox, work.items()))


def push_with_batches(url, work, threads):
    import requests

    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "scope": f"{url}/.default",
    }
    answer = requests.post(f"{url}/{TENANT}/oauth2/v2.0/token", data=form, timeout=60)
    answer.raise_for_status()
    token = answer.json()["access_token"]

    def body(number, one):
        def at(value):
            if one["all_day"]:
                return {"dateTime": f"{value.isoformat()}T00:00:00", "timeZone": "Romance Standard Time"}
            return {"dateTime": value.isoformat(), "timeZone": "Romance Standard Time"}

        end = one["end"] + datetime.timedelta(days=1) if one["all_day"] else one["end"]
        event = {
            "subject": one["subject"],
            "body": {"contentType": "text", "content": one["body"]},
            "start": at(one["start"]),
            "end": at(end),
            "isAllDay": one["all_day"],
            "location": {"displayName": "Lyon, salle Rhône"},
            "categories": ["Project"],
            "isReminderOn": True,
            "reminderMinutesBeforeStart": 15,
            "singleValueExtendedProperties": [
                {"id": f"String {{{PROPERTY_SET}}} Name SourceKey", "value": one["key"]},
                {"id": f"String {{{PROPERTY_SET}}} Name Fingerprint", "value": fingerprint(number)},
                {"id": f"String {{{PROPERTY_SET}}} Name Owner", "value": OWNER},
            ],
        }
        if one["series"]:
            start = one["start"]
            event["recurrence"] = {
                "pattern": {
                    "type": "weekly",
                    "interval": 1,
                    "daysOfWeek": [start.strftime("%A").lower()],
                    "firstDayOfWeek": "monday",
                },
                "range": {"type": "numbered", "startDate": start.date().isoformat(), "numberOfOccurrences": 5},
            }
        return event

    def mailbox(entry):
        address, events = entry
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {token}"
        done = 0
        for first in range(0, len(events), BATCH):
            calls = [
                {
                    "id": str(index),
                    "method": "POST",
                    "url": f"/users/{address}/events",
                    "headers": {"Content-Type": "application/json"},
                    "body": body(number, one),
                }
                for index, (number, one) in enumerate(events[first : first + BATCH], 1)
            ]
            answer = session.post(f"{url}/v1.0/$batch", json={"requests": calls}, timeout=60)
            answer.raise_for_status()
            for inner in answer.json()["responses"]:
                if inner["status"] != 201:
                    raise RuntimeError(inner)
                done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(mailbox, work.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("face", choices=["ews", "graph"])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--mailboxes", type=int, default=100)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--calsyncd", default="target/release/calsyncd")
    options = parser.parse_args()
    first_day = datetime.date.today() + datetime.timedelta(days=1)
    addresses = [f"p{number:04}@example.test" for number in range(options.mailboxes)]
    work = {address: [] for address in addresses}
    for number in range(options.events):
        work[addresses[number % options.mailboxes]].append((number, event(number, first_day)))
    with tempfile.TemporaryDirectory() as folder:
        settings = pathlib.Path(folder) / "sandbox.toml"
        settings.write_text(sandbox_settings(addresses))
        command = [options.calsyncd, "sandbox", "--listen", "127.0.0.1:0", "--config", str(settings)]
        sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            listening = (line for line in sandbox.stdout if line.startswith("listening on "))
            url = next(listening).split()[-1]
            push = push_with_exchangelib if options.face == "ews" else push_with_batches
            # Not a part of the push.
            importlib.import_module("exchangelib" if options.face == "ews" else "requests")
            before, start = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
            done = push(url, work, options.threads)
            seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_SELF)
        finally:
            sandbox.kill()
            sandbox.wait()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result = {
        "face": options.face,
        "events": done,
        "seconds": round(seconds, 2),
        "events_per_second": round(done / seconds),
        "client_cpu_seconds": round(cpu, 2),
        "client_cpu_us_per_event": round(cpu / done * 1e6),
        "peak_mib": round(after.ru_maxrss / 1024, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
