"""Compares what a client reads with what was meant, and prints it as a table."""

import argparse
import collections
import html
import pathlib
import re

from .cases import cases
from .stage import stage

PROPERTY_SET = "0ab89da0-c8e5-4849-914a-1396b47752b5"
PROPERTIES = ("SourceKey", "Fingerprint", "Owner")


def text_of(body):
    """The words of a body, as HTML or as text: Outlook keeps no blanks."""
    text = re.sub(r"(?is)<(style|script|head)\b.*?</\1>", " ", body) if "<" in body else body
    if re.search(r"(?i)</?(html|body|div|p|br|ul|li|b|span)\b", text):
        text = html.unescape(re.sub(r"<[^>]*>", " ", text))
    return " ".join(text.split())


class Report:
    """Counts what was compared, field by field."""

    def __init__(self):
        self.compared = collections.Counter()
        self.faults = []

    def field(self, subject, name, wanted, seen):
        self.compared[name] += 1
        if wanted != seen:
            self.faults.append((subject, name, wanted, seen))

    def event(self, case, face, seen):
        subject = case.shown["subject"][:40]
        if seen is None:
            self.faults.append((subject, "event", "there", "not there"))
            return
        for name, wanted in case.wanted(face).items():
            if name == "body":
                wanted = text_of(wanted)
            self.field(subject, name, wanted, seen.get(name))
        for name in ("Fingerprint", "Owner"):
            self.field(subject, name, True, bool(seen["properties"].get(name)))

    def occurrences(self, case, seen):
        subject = case.shown["subject"][:40]
        self.field(subject, "occurrences", sorted(case.occurrences), sorted(seen))

    def end(self, title, events):
        print(f"{title}: {events} events")
        print(f"  {'compared':<14}{'times':>7}{'differ':>9}")
        differ = collections.Counter(name for _, name, _, _ in self.faults)
        for name in sorted(self.compared | differ):
            print(f"  {name:<14}{self.compared[name]:>7}{differ[name]:>9}")
        for subject, name, wanted, seen in self.faults:
            print(f"DIFFERS {subject!r}: {name}\n    meant {wanted!r}\n    read  {seen!r}")
        print(f"{title}: {self.compared.total()} comparisons, {len(self.faults)} differences")
        return 1 if self.faults else 0


def main(title, face, client):
    """Pushes the cases through `face`, reads them back with `client`, and compares.

    `client(url)` has `events(mailbox)`, a dictionary by source key, and `occurrences(mailbox, source key)`.
    """
    arguments = argparse.ArgumentParser(description=f"Reads a pushed mailbox back with {title} and compares.")
    arguments.add_argument("--record", type=pathlib.Path, help="keep every exchange, one HAR entry a line")
    options = arguments.parse_args()
    all_cases = cases()
    report = Report()
    with stage(options.record) as running:
        first = running.push(face, all_cases)
        created = sum(mailbox["created"] for mailbox in first["mailboxes"])
        report.field("first push", "created", len(all_cases), created)
        reader = client(running.url)
        owners = set()
        for mailbox in sorted({case.mailbox for case in all_cases}):
            seen = reader.events(mailbox)
            own = [case for case in all_cases if case.mailbox == mailbox]
            report.field(mailbox, "events", sorted(case.shown["source_key"] for case in own), sorted(seen))
            owners |= {event["properties"].get("Owner") for event in seen.values()}
            for case in own:
                found = seen.get(case.shown["source_key"])
                report.event(case, face, found)
                if found and case.occurrences:
                    report.occurrences(case, reader.occurrences(mailbox, case.shown["source_key"]))
        report.field("all mailboxes", "one owner", 1, len(owners))
        second = running.push(face, all_cases)
        changes = sum(mailbox[name] for mailbox in second["mailboxes"] for name in ("created", "updated", "deleted"))
        report.field("second push", "changes", 0, changes)
    return report.end(title, len(all_cases))
