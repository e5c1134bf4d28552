"""A sandbox behind TLS, as a client of exchangelib finds Exchange: with nothing in between."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile

import requests

from .stage import url_of


@contextlib.contextmanager
def sandbox(settings):
    """A sandbox with these settings; its address, and the file of its certificate."""
    binary = str(pathlib.Path(os.environ.get("CALSYNCD") or "target/debug/calsyncd").resolve())
    with tempfile.TemporaryDirectory(prefix="calsyncd-tls-") as name:
        folder = pathlib.Path(name)
        (folder / "sandbox.toml").write_text(settings, encoding="utf-8")
        certificate = folder / "ca.pem"
        command = [binary, "--config", str(folder / "sandbox.toml"), "sandbox", "--listen", "127.0.0.1:0",
                   "--tls-self-made", str(certificate)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as running:
            try:
                yield url_of(running), str(certificate)
            finally:
                running.terminate()
                running.wait(timeout=30)


def counters(url, certificate):
    answer = requests.get(f"{url}/sandbox/counters", verify=certificate, timeout=30)
    answer.raise_for_status()
    return answer.json()


def revoke_tokens(url, certificate):
    """Makes every token void that is out."""
    requests.post(f"{url}/sandbox/tokens/revoke", verify=certificate, timeout=30).raise_for_status()


def must(truth, what, told):
    print(f"{'good' if truth else 'BAD '}  {what}")
    if not truth:
        raise SystemExit(json.dumps(told, indent=1, default=str))
