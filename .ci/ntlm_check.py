#!/usr/bin/env python3
"""exchangelib logs on to the sandbox as to Exchange 2019: NTLM with Extended Protection, over TLS, by requests-ntlm and pyspnego.
Of a hybrid it sees the half on premises, and a mailbox that leaves it.

    pip install exchangelib; python .ci/ntlm_check.py

Neither knows of this project, so that they judge the sandbox's side of NTLM, which judges the daemon's. CALSYNCD names the program;
target/debug/calsyncd otherwise.
"""

import os
import sys

import requests
from exchangelib import IMPERSONATION, NTLM, Account, CalendarItem, Configuration, Credentials, EWSDateTime, EWSTimeZone, Version
from exchangelib.errors import ErrorItemNotFound, ErrorMailboxMoveInProgress, ErrorNonExistentMailbox, EWSError
from exchangelib.version import EXCHANGE_2019
from requests_ntlm import HttpNtlmAuth

from read_back.behind_tls import counters, must, sandbox

ANA, BOB = "ana@example.test", "bob@example.test"
USER, SECRET = "EXAMPLE\\svc", "pässwörd €"
SANDBOX = f"""
authentication = ["negotiate", "ntlm"]
extended_protection = "require"
mailboxes = [{{ address = "{ANA}", half = "on_premises" }}, {{ address = "{BOB}", half = "online" }}]
[[accounts]]
user = '{USER}'
password = "{SECRET}"
impersonate = "all"
"""


def move(url, certificate, to, step):
    body = {"mailbox": ANA, "to": to, "step": step}
    requests.post(f"{url}/sandbox/move", json=body, verify=certificate, timeout=30).raise_for_status()


def account(url, secret, address=ANA):
    config = Configuration(service_endpoint=f"{url}/EWS/Exchange.asmx", credentials=Credentials(USER, secret), auth_type=NTLM,
                           version=Version(EXCHANGE_2019), max_connections=1)
    return Account(address, config=config, autodiscover=False, access_type=IMPERSONATION, default_timezone=EWSTimeZone("UTC"))


def refusal(work):
    """The error that something ends with, and its message."""
    try:
        work()
    except EWSError as error:
        return type(error), str(error)
    return None, ""


def halves(url, certificate, item_id):
    """A mailbox of the other half, and one that moves there and back."""
    def look(address):
        return refusal(lambda: list(account(url, SECRET, address).calendar.all()))

    missing = (ErrorNonExistentMailbox, "No mailbox with such guid.")
    must(look(BOB) == missing, "a mailbox online is none on premises", look(BOB))
    move(url, certificate, "online", "begin")
    must(look(ANA)[0] is ErrorMailboxMoveInProgress, "a mailbox that is being moved says so", look(ANA))
    move(url, certificate, "online", "complete")
    must(look(ANA) == missing, "a mailbox that has moved is none on premises", look(ANA))
    for step in ("begin", "complete"):
        move(url, certificate, "on_premises", step)
    anew = account(url, SECRET)
    found = [item.subject for item in anew.calendar.all()]
    must(found == ["By NTLM"], "a mailbox that has come back holds what it held", found)
    old = list(anew.fetch([(item_id, None)]))
    must(len(old) == 1 and isinstance(old[0], ErrorItemNotFound), "under ids that are new", old)


def main():
    with sandbox(SANDBOX) as (url, certificate):
        os.environ["REQUESTS_CA_BUNDLE"] = certificate
        ews = f"{url}/EWS/Exchange.asmx"
        mine = account(url, SECRET)
        zone = EWSTimeZone("UTC")
        CalendarItem(account=mine, folder=mine.calendar, subject="By NTLM", start=EWSDateTime(2027, 1, 4, 9, tzinfo=zone),
                     end=EWSDateTime(2027, 1, 4, 10, tzinfo=zone)).save(send_meeting_invitations="SendToNone")
        found = [item.subject for item in mine.calendar.all()]
        told = counters(url, certificate)
        must(found == ["By NTLM"] and told["challenges"] >= 1, "exchangelib writes and reads by NTLM, bound to TLS", told)
        must(told["unbound_log_ons"] == 0 and not told["failed_log_ons"], "nothing was refused", told)
        halves(url, certificate, mine.calendar.all()[0].id)

        unbound = requests.get(ews, auth=HttpNtlmAuth(USER, SECRET, send_cbt=False), verify=certificate, timeout=30)
        told = counters(url, certificate)
        must(unbound.status_code == 401 and told["unbound_log_ons"] == 1, "without the binding it is refused", told)

        wrong = requests.get(ews, auth=HttpNtlmAuth(USER, "guess"), verify=certificate, timeout=30)
        told = counters(url, certificate)
        must(wrong.status_code == 401 and sum(told["failed_log_ons"].values()) == 1, "a wrong password is refused and counted", told)


if __name__ == "__main__":
    sys.exit(main())
