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

MAILBOXES = {ANA: "Europe/Paris", BOB: "America/New_York"}
SANDBOX = f"""
mailboxes = [{{mailboxes}}]
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
        """One pass over the cases; returns what it did."""
        lines = [json.dumps(case.line, ensure_ascii=False) for case in cases]
        days = (datetime.date(YEAR + 1, 12, 31) - datetime.date.today()).days
        jobs = JOBS.format(ana=ANA, bob=BOB, mask=MASK, days=days)
        told = self.push_files(face, {"events.jsonl": "\n".join(lines) + "\n"}, jobs)
        if not told["ok"]:
            raise SystemExit(f"calsyncd sync did not do everything:\n{told}")
        return told

    def push_files(self, face, files, jobs):
        """One pass over files by their names, with the settings of sources and jobs; returns what it says of it."""
        folder = self.folder / face
        (folder / "inbox").mkdir(parents=True, exist_ok=True)
        secret = folder / "secret"
        secret.touch(mode=0o600)
        secret.write_text(SECRET)
        for name, text in files.items():
            (folder / "inbox" / name).write_bytes(text.encode("utf-8"))
        head = (EWS if face == "ews" else GRAPH).format(url=self.url)
        settings = folder / "calsyncd.toml"
        settings.write_text(head + jobs, encoding="utf-8")
        command = [self.binary, "--config", str(settings), "sync", "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, timeout=900)
        if not done.stdout.strip():
            raise SystemExit(f"calsyncd sync ended with {done.returncode}")
        return json.loads(done.stdout.strip().splitlines()[-1])


@contextlib.contextmanager
def stage(record=None, mailboxes=None):
    """Starts a sandbox with mailboxes and their zones on a free port, and ends it."""
    binary = os.environ.get("CALSYNCD") or "target/debug/calsyncd"
    if not pathlib.Path(binary).is_file():
        raise SystemExit(f"{binary} is not there: cargo build, or name the program in CALSYNCD")
    binary = str(pathlib.Path(binary).resolve())
    with tempfile.TemporaryDirectory(prefix="calsyncd-read-back-") as name:
        folder = pathlib.Path(name)
        settings = folder / "sandbox.toml"
        listed = (f'{{ address = "{address}", zone = "{zone}" }}' for address, zone in (mailboxes or MAILBOXES).items())
        settings.write_text(SANDBOX.replace("{mailboxes}", ", ".join(listed)), encoding="utf-8")
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
