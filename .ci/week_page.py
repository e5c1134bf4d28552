#!/usr/bin/env python3
"""The sandbox's week page in a browser, on the sample data of `calsyncd demo`.

    week_page.py check                 the pages load without a word on the console and hold what they must
    week_page.py picture docs/week.png the picture of the README

Needs chromium; the picture also pngquant and fonts-noto-color-emoji. CALSYNCD names the program; target/debug/calsyncd
otherwise.
"""

import contextlib
import html
import os
import pathlib
import re
import subprocess
import sys
import tempfile

CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
            "--hide-scrollbars", "--enable-logging=stderr"]
PEOPLE = ["Ana Martin", "Bruno Lefevre", "Chloe Dubois", "Hugo Schmidt", "Kavya Iyer", "Maya Rosen"]
# What a page must hold, and what nobody may read on it.
PAGES = {
    "/": (PEOPLE + ["26 mailboxes", "Kick-off Solenne 🎉", "Einführung Lagerhaus Köln", "Private appointment"],
          ["Dentist", "No mailbox"]),
    "/?mailbox=ana.martin@onprem.example.test":
        (["Audit Orvane – on site", "Point hebdomadaire", "Kick-off Solenne 🎉", "09:30–11:00", "Room Cézanne",
          "Lunch with the team", "Private appointment", "ana.martin@onprem.example.test"], ["Dentist", "No mailbox"]),
    "/?mailbox=ana.martin@cloud.example.test":
        (["Audit Orvane – on site", "Point hebdomadaire", "Kick-off Solenne 🎉", "09:30–11:00", "Room Cézanne",
          "Lunch with the team", "Private appointment", "ana.martin@cloud.example.test"], ["Dentist", "No mailbox"]),
    "/?mailbox=nobody@example.test": (["No mailbox has the address nobody@example.test."], []),
}
# Wide enough for most titles, and cut where a row ends.
PICTURE_SIZE = "1400,978"
PICTURE_BYTES_MAX = 300_000
# What chromium says of the machine, not of the page, carries the name of another source file.
CONSOLE = re.compile(r":(INFO|WARNING|ERROR):CONSOLE")


@contextlib.contextmanager
def demo():
    """Runs the demo; gives its address once everything is pushed."""
    binary = os.environ.get("CALSYNCD") or "target/debug/calsyncd"
    command = [binary, "demo", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as running:
        try:
            yield address(running)
        finally:
            running.terminate()
            running.wait(timeout=60)


def address(running):
    page = None
    for line in running.stdout:
        if line.startswith("week page: "):
            page = line.split()[-1].rstrip("/")
        if line.startswith("Edit a file"):
            return page
    raise SystemExit("the demo ended before its week page was there")


def browse(arguments):
    """Runs chromium once, with a profile of its own; returns what it prints and what it logs."""
    with tempfile.TemporaryDirectory(prefix="calsyncd-browser-") as profile:
        command = [*CHROMIUM, f"--user-data-dir={profile}", *arguments]
        # Nothing of the browser stays behind, and nothing of the machine's own settings comes in.
        environment = {**os.environ, "HOME": profile}
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
                              env=environment)
    if done.returncode != 0:
        raise SystemExit(f"chromium ended with {done.returncode}:\n{done.stderr}")
    return done.stdout, done.stderr


def check(url):
    faults = []
    for path, (wanted, unwanted) in PAGES.items():
        dom, log = browse(["--dump-dom", url + path])
        text = " ".join(html.unescape(re.sub(r"(?s)<style.*?</style>|<[^>]*>", " ", dom)).split())
        faults += [f"{path}: {line}" for line in log.splitlines() if CONSOLE.search(line)]
        faults += [f"{path}: {phrase!r} is not there" for phrase in wanted if phrase not in text]
        faults += [f"{path}: {phrase!r} is there" for phrase in unwanted if phrase in text]
        print(f"{path}: {len(text)} characters, {len(wanted) + len(unwanted)} phrases looked for")
    print("\n".join(faults) or "the console is silent, everything is there")
    return 1 if faults else 0


def picture(url, path):
    browse([f"--window-size={PICTURE_SIZE}", f"--screenshot={path.resolve()}", f"{url}/"])
    subprocess.run(["pngquant", "--force", "--strip", "--output", str(path), "256", str(path)], check=True)
    print(f"{path}: {path.stat().st_size} bytes")
    return 0 if path.stat().st_size <= PICTURE_BYTES_MAX else 1


def main():
    match sys.argv[1:]:
        case ["check"]:
            with demo() as url:
                return check(url)
        case ["picture", path]:
            with demo() as url:
                return picture(url, pathlib.Path(path))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
