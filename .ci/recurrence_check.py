#!/usr/bin/env python3
"""Random series, pushed through EWS and Graph, show the occurrences that two other libraries say.

    pip install -r .ci/requirements.txt; python .ci/recurrence_check.py [--seed N] [--series N] [--record FILE.jsonl]

CALSYNCD names the program; target/debug/calsyncd otherwise.
"""

import argparse
import collections
import datetime
import pathlib
import re
import sys

from exchangelib import EWSTimeZone

from exchangelib_check import Exchangelib, moment as ews_moment
from graph_check import Graph, times as graph_times
from read_back import oracles
from read_back.rules import DAY, calendar, many
from read_back.stage import stage

# Series of one mailbox: a view of a few days holds less than a server returns at once.
MAILBOX_SERIES = 50
# Why a series may be refused. Anything else is a fault.
REFUSED = re.compile(r"the rule has no occurrence|more than \d+ occurrences are in the window")
# From the second day on: that nothing of the past is written is another rule.
DAYS_FIRST, DAYS_LAST = 2, 150
# A view of EWS holds at most 1000 items.
VIEW = 4 * DAY

JOBS = """
[sources.inbox]
kind = "files"
path = "inbox"
zone = "Europe/Paris"
[jobs.all]
source = "inbox"
window_days_ahead = 180
[limits]
requests_per_minute = 1000000
mailbox_requests_per_minute = 1000000
[state]
path = "state.sqlite"
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--series", type=int, default=600)
    parser.add_argument("--record", type=pathlib.Path, help="keep every exchange, one HAR entry a line")
    return parser.parse_args()


class Oracle:
    """What each series means, where both libraries say the same."""

    def __init__(self, all_series, today):
        midnight = datetime.datetime.combine(today, datetime.time())
        self.begin, self.end = midnight + DAYS_FIRST * DAY, midnight + DAYS_LAST * DAY
        self.meant, self.disputed, self.skipped_by_clocks = {}, [], 0
        for series in all_series:
            # Wall times of all zones, of which those are kept that every reader sees.
            wide = self.begin - 2 * DAY, self.end + 2 * DAY
            one, other = oracles.by_dateutil(series, *wide), oracles.by_recurring_ical_events(series, *wide)
            if one == other:
                self.meant[series.name] = self.inside(one)
                self.skipped_by_clocks += oracles.skipped_by_clocks(series, self.begin, self.end)
            else:
                self.disputed.append(series)

    def inside(self, occurrences):
        """Those that start in the window, by the text of their start."""
        return sorted(one for one in occurrences if f"{self.begin:%Y-%m-%dT%H:%M:%SZ}" <= one[0] < f"{self.end:%Y-%m-%d}")


def views(oracle):
    begin = oracle.begin - 2 * DAY
    while begin < oracle.end + 2 * DAY:
        yield begin.replace(tzinfo=datetime.timezone.utc), (begin + VIEW).replace(tzinfo=datetime.timezone.utc)
        begin += VIEW


def through_ews(url, mailbox, oracle):
    """The occurrences in a mailbox, as exchangelib reads them."""
    account = Exchangelib(url).account(mailbox)
    seen = {}
    zone = EWSTimeZone("UTC")
    for begin, end in views(oracle):
        view = account.calendar.view(start=begin.astimezone(zone), end=end.astimezone(zone))
        items = list(view.only("subject", "start", "end", "is_all_day"))
        if len(items) >= 1000:
            raise SystemExit(f"{mailbox}: a view of EWS is full: take shorter ones")
        seen |= {item.id: (ews_moment(item.start), ews_moment(item.end), item.subject) for item in items}
    return seen.values()


def through_graph(url, mailbox, oracle):
    """The occurrences in a mailbox, as a plain Graph client reads them."""
    graph = Graph(url)
    params = {"startDateTime": f"{oracle.begin - 2 * DAY:%Y-%m-%dT%H:%M:%SZ}", "$top": "1000",
              "endDateTime": f"{oracle.end + 2 * DAY:%Y-%m-%dT%H:%M:%SZ}", "$select": "id,subject,start,end,isAllDay"}
    pages = graph.pages(f"{graph.root}/users/{mailbox}/calendarView", params)
    return list({event["id"]: (*graph_times(event), event["subject"]) for event in pages}.values())


FACES = {"ews": through_ews, "graph": through_graph}


def by_series(occurrences):
    found = collections.defaultdict(list)
    for one in occurrences:
        found[one[2].removesuffix(" moved")].append(one)
    return found


def compare(face, mailboxes, url, oracle, refused):
    """Compares every series; returns the differences."""
    differences, compared, occurrences, moved = [], 0, 0, 0
    for mailbox, own in mailboxes.items():
        seen = by_series(FACES[face](url, mailbox, oracle))
        for series in own:
            meant = oracle.meant.get(series.name)
            if meant is None or series.name in refused:
                continue
            read = oracle.inside(seen[series.name])
            compared += 1
            occurrences += len(meant)
            moved += sum(new is not None for new in series.changed.values())
            if read != meant:
                differences.append((series, sorted(set(meant) - set(read)), sorted(set(read) - set(meant))))
    print(f"{face}: {compared} series compared, {occurrences} occurrences, {moved} of them moved; "
          f"{len(differences)} series differ")
    return differences


def refusals(told, all_series):
    """The series that were refused, by name, with the reason."""
    found = {}
    names = {series.name.replace(" ", "-"): series.name for series in all_series}
    for rejection in told["rejected"]:
        uid = (rejection["key"] or "").split("/")[-1].removesuffix("@example.test")
        found[names.get(uid, rejection["key"])] = rejection["reason"]
    return found


def main():
    options = arguments()
    today = datetime.datetime.now(datetime.timezone.utc).date()
    all_series = many(options.seed, options.series, today)
    oracle = Oracle(all_series, today)
    mailboxes = {f"person{number // MAILBOX_SERIES}@example.test": all_series[number:number + MAILBOX_SERIES]
                 for number in range(0, len(all_series), MAILBOX_SERIES)}
    print(f"seed {options.seed} on {today}: {len(all_series)} series in {len(mailboxes)} mailboxes; "
          f"the libraries differ on {len(oracle.disputed)} of them, which are left out")
    print(f"{oracle.skipped_by_clocks} occurrences start in an hour that clocks skip: they are meant an hour later")
    for series in oracle.disputed[:5]:
        print(f"  left out: {series.start} {series.zone} {series.full_rule()}")
    files = {f"{mailbox}.ics": calendar(own) for mailbox, own in mailboxes.items()}
    faults = 0
    for face in FACES:
        zones = dict.fromkeys(mailboxes, "Europe/Paris")
        with stage(options.record, zones) as running:
            told = running.push_files(face, files, JOBS)
            failed = {mailbox["mailbox"]: mailbox["failed"] for mailbox in told["mailboxes"] if mailbox["failed"]}
            refused = refusals(told, all_series)
            reasons = collections.Counter(re.sub(r"[-:T\d]{2,}|=[^ ]+", "…", reason) for reason in refused.values())
            print(f"{face}: {sum(mailbox['created'] for mailbox in told['mailboxes'])} items created, "
                  f"{len(refused)} series refused")
            for reason, count in reasons.most_common():
                print(f"  {count:>4} {reason}")
            unexpected = {name: reason for name, reason in refused.items() if not REFUSED.search(reason)}
            differences = compare(face, mailboxes, running.url, oracle, refused)
            again = running.push_files(face, files, JOBS)
            changes = sum(mailbox[name] for mailbox in again["mailboxes"] for name in ("created", "updated", "deleted"))
        for mailbox, count in failed.items():
            print(f"FAILED {face} {mailbox}: {count} writes")
        for name, reason in unexpected.items():
            print(f"REFUSED {name}: {reason}")
        for series, missing, more in differences[:10]:
            print(f"DIFFERS {face} {series.name}: {missing[:5]} missing, {more[:5]} too many\n{series.text()}")
        if changes:
            print(f"{face}: the second push changes {changes} items")
        faults += len(failed) + len(unexpected) + len(differences) + bool(changes)
    return 1 if faults or len(oracle.disputed) > len(all_series) // 10 else 0


if __name__ == "__main__":
    sys.exit(main())
