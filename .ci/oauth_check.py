#!/usr/bin/env python3
"""exchangelib logs on to the sandbox as to Exchange Online: OAuth2 client credentials by requests-oauthlib, and impersonation, over TLS.

    pip install exchangelib; python .ci/oauth_check.py

Neither knows of this project, so that they judge the sandbox's tokens, which judge the daemon. CALSYNCD names the program;
target/debug/calsyncd otherwise.
"""

import os
import sys

import requests
from exchangelib import (
    DELEGATE,
    IMPERSONATION,
    OAUTH2,
    Account,
    CalendarItem,
    Configuration,
    EWSDateTime,
    EWSTimeZone,
    Identity,
    OAuth2Credentials,
    Version,
)
from exchangelib.errors import ErrorImpersonateUserDenied, EWSError
from exchangelib.version import EXCHANGE_O365
from oauthlib.oauth2.rfc6749.errors import OAuth2Error

from read_back.behind_tls import counters, must, revoke_tokens, sandbox

ANA, BOB = "ana@example.test", "bob@example.test"
TENANT, CLIENT, SECRET = "example.test", "00000000-0000-0000-0000-000000000001", "s3cr+t/&=€"
SANDBOX = f"""
authentication = []
mailboxes = [{{ address = "{ANA}", zone = "Europe/Paris" }}, {{ address = "{BOB}", zone = "Europe/Paris" }}]
[[applications]]
tenant_id = "{TENANT}"
client_id = "{CLIENT}"
client_secrets = ["{SECRET}"]
roles = ["full_access_as_app"]
scope = ["{ANA}"]
"""


class Application(OAuth2Credentials):
    """An application whose tokens come from the sandbox: exchangelib knows the one address of the global cloud."""

    def __init__(self, url, secret, identity):
        super().__init__(client_id=CLIENT, client_secret=secret, tenant_id=TENANT, identity=identity)
        self.url = url

    @property
    def token_url(self):
        return f"{self.url}/{TENANT}/oauth2/v2.0/token"


def account(url, secret, whom=ANA, access=IMPERSONATION):
    identity = Identity(primary_smtp_address=whom) if access == IMPERSONATION else None
    config = Configuration(service_endpoint=f"{url}/EWS/Exchange.asmx", credentials=Application(url, secret, identity), auth_type=OAUTH2,
                           version=Version(EXCHANGE_O365), max_connections=1)
    return Account(whom, config=config, autodiscover=False, access_type=access, default_timezone=EWSTimeZone("UTC"))


def error_of(act):
    """What is raised."""
    try:
        act()
    except (EWSError, OAuth2Error) as error:
        return error
    return None


def main():
    with sandbox(SANDBOX) as (url, certificate):
        os.environ["REQUESTS_CA_BUNDLE"] = certificate
        mine = account(url, SECRET)
        zone = EWSTimeZone("UTC")
        CalendarItem(account=mine, folder=mine.calendar, subject="By OAuth", start=EWSDateTime(2027, 1, 4, 9, tzinfo=zone),
                     end=EWSDateTime(2027, 1, 4, 10, tzinfo=zone)).save(send_meeting_invitations="SendToNone")
        found = [item.subject for item in mine.calendar.all()]
        told = counters(url, certificate)
        must(found == ["By OAuth"] and told["tokens_issued"] == 1, "exchangelib writes and reads by OAuth, with one token", told)
        must(not told["failed_log_ons"], "nothing was refused", told)

        error = error_of(lambda: list(account(url, SECRET, BOB).calendar.all()))
        must(isinstance(error, ErrorImpersonateUserDenied), "a mailbox outside of the scope is not opened", repr(error))

        error = error_of(lambda: list(account(url, SECRET, access=DELEGATE).calendar.all()))
        must("ErrorImpersonationRequired" in str(error), "without impersonation the application is nobody", repr(error))

        error = error_of(lambda: list(account(url, "guess").calendar.all()))
        told = counters(url, certificate)
        must("AADSTS7000215" in str(error) and told["failed_log_ons"] == {CLIENT: 1}, "a wrong secret is refused and counted",
             [repr(error), told])

        revoke_tokens(url, certificate)
        token = mine.protocol.credentials.access_token["access_token"]
        void = requests.post(f"{url}/EWS/Exchange.asmx", headers={"Authorization": f"Bearer {token}"}, verify=certificate, timeout=30)
        must(void.status_code == 401 and "Bearer" in void.headers["WWW-Authenticate"], "a token that was revoked opens nothing",
             dict(void.headers))


if __name__ == "__main__":
    sys.exit(main())
