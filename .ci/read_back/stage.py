"""A sandbox, and `calsyncd sync` pushing the cases into it: the real program over real HTTP."""

import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import tempfile

from .cases import ANA, BOB, MASK, YEAR

USER = "svc-calsyncd@example.test"
SECRET = "read-back"
TENANT = "example.test"
CLIENT = "00000000-0000-0000-0000-000000000001"

SANDBOX = f"""
mailboxes = [
  {{ address = "{ANA}", zone = "Europe/Paris" }},
  {{ address = "{BOB}", zone = "America/New_York" }},
]
[[accounts]]
user = "{USER}"
password = "{SECRET}"
impersonate = "all"
[[applications]]
tenant_id = "{TENANT}"
client_id = "{CLIENT}"
client_secrets = ["{SECRET}"]
"""

EWS = f"""
[exchange]
ews_service_url = "{{url}}/EWS/Exchange.asmx"
exchange_server_version = "Exchange2016"
delegated_user = "{USER}"
linked_password_file = "secret"
use_impersonation = true
"""

GRAPH = f"""
[exchange]
use_graph_api = true
graph_url = "{{url}}"
token_url = "{{url}}/{TENANT}/oauth2/v2.0/token"
tenant_id = "{TENANT}"
client_id = "{CLIENT}"
client_secret_file = "secret"
"""

JOBS = """
[sources.inbox]
kind = "files"
path = "inbox"
zone = "Europe/Paris"

[jobs.ana]
source = "inbox"
people = ["{ana}"]
window_days_ahead = {days}

[jobs.bob]
source = "inbox"
people = ["{bob}"]
window_days_ahead = {days}
private_subject = "{mask}"

[state]
path = "state.sqlite"
"""


class Stage:
    """A running sandbox with the cases pushed into it."""

    def __init__(self, binary, folder, url):
        self.binary, self.folder, self.url = binary, folder, url

    def push(self, face, cases):
        """One pass; returns what it did."""
        folder = self.folder / face
        (folder / "inbox").mkdir(parents=True, exist_ok=True)
        secret = folder / "secret"
        secret.touch(mode=0o600)
        secret.write_text(SECRET)
        lines = [json.dumps(case.line, ensure_ascii=False) for case in cases]
        (folder / "inbox" / "events.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        days = (datetime.date(YEAR + 1, 12, 31) - datetime.date.today()).days
        head = (EWS if face == "ews" else GRAPH).format(url=self.url)
        settings = folder / "calsyncd.toml"
        settings.write_text(head + JOBS.format(ana=ANA, bob=BOB, mask=MASK, days=days), encoding="utf-8")
        command = [self.binary, "--config", str(settings), "sync", "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, timeout=300)
        if done.returncode != 0:
            raise SystemExit(f"calsyncd sync ended with {done.returncode}:\n{done.stdout}")
        return json.loads(done.stdout.strip().splitlines()[-1])


@contextlib.contextmanager
def stage(record=None):
    """Starts a sandbox on a free port and ends it."""
    binary = os.environ.get("CALSYNCD") or "target/debug/calsyncd"
    if not pathlib.Path(binary).is_file():
        raise SystemExit(f"{binary} is not there: cargo build, or name the program in CALSYNCD")
    binary = str(pathlib.Path(binary).resolve())
    with tempfile.TemporaryDirectory(prefix="calsyncd-read-back-") as name:
        folder = pathlib.Path(name)
        settings = folder / "sandbox.toml"
        settings.write_text(SANDBOX, encoding="utf-8")
        command = [binary, "--config", str(settings), "sandbox", "--listen", "127.0.0.1:0"]
        if record:
            command += ["--record", str(record)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as sandbox:
            try:
                yield Stage(binary, folder, url_of(sandbox))
            finally:
                sandbox.terminate()
                sandbox.wait(timeout=30)


def url_of(sandbox):
    """The address that the sandbox prints."""
    for line in sandbox.stdout:
        if line.startswith("listening on "):
            return line.split()[-1]
    raise SystemExit("the sandbox does not start")
