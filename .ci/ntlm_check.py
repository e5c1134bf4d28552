#!/usr/bin/env python3
"""exchangelib logs on to the sandbox as to Exchange 2019: NTLM with Extended Protection, over TLS, by requests-ntlm and pyspnego.

    pip install exchangelib; python .ci/ntlm_check.py

Neither knows of this project, so that they judge the sandbox's side of NTLM, which judges the daemon's. CALSYNCD names the program;
target/debug/calsyncd otherwise.
"""

import os
import sys

import requests
from exchangelib import IMPERSONATION, NTLM, Account, CalendarItem, Configuration, Credentials, EWSDateTime, EWSTimeZone, Version
from exchangelib.version import EXCHANGE_2019
from requests_ntlm import HttpNtlmAuth

from read_back.behind_tls import counters, must, sandbox

ANA = "ana@example.test"
USER, SECRET = "EXAMPLE\\svc", "pässwörd €"
SANDBOX = f"""
authentication = ["negotiate", "ntlm"]
extended_protection = "require"
mailboxes = [{{ address = "{ANA}", zone = "Europe/Paris" }}]
[[accounts]]
user = '{USER}'
password = "{SECRET}"
impersonate = "all"
"""


def account(url, secret):
    config = Configuration(service_endpoint=f"{url}/EWS/Exchange.asmx", credentials=Credentials(USER, secret), auth_type=NTLM,
                           version=Version(EXCHANGE_2019), max_connections=1)
    return Account(ANA, config=config, autodiscover=False, access_type=IMPERSONATION, default_timezone=EWSTimeZone("UTC"))


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

        unbound = requests.get(ews, auth=HttpNtlmAuth(USER, SECRET, send_cbt=False), verify=certificate, timeout=30)
        told = counters(url, certificate)
        must(unbound.status_code == 401 and told["unbound_log_ons"] == 1, "without the binding it is refused", told)

        wrong = requests.get(ews, auth=HttpNtlmAuth(USER, "guess"), verify=certificate, timeout=30)
        told = counters(url, certificate)
        must(wrong.status_code == 401 and sum(told["failed_log_ons"].values()) == 1, "a wrong password is refused and counted", told)


if __name__ == "__main__":
    sys.exit(main())
