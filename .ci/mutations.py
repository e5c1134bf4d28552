#!/usr/bin/env python3
"""Breaks each rule of the engine once and demands that a test fails: .ci/mutations.py [PART OF A NAME…]

A mutation is a patch in tests/mutations. Its first line says which rule it breaks, its second one which tests must see it, as
`cargo test` takes them:

    Rule 5: there is no brake in a mailbox.
    Test: --test plan rules::the_brake

The patches are applied one by one to a copy of the tree in .ci/tmp/mutations, which has a target directory of its own: what it
needs of other crates is taken over from target/debug. First the tests that are named run on the copy as it is. A patch that
does not apply or does not compile is a failure like one that no test sees.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATCHES = ROOT / "tests" / "mutations"
PLACE = ROOT / ".ci" / "tmp" / "mutations"
COPY = PLACE / "tree"
TARGET = PLACE / "target"
RULES = range(1, 12)
# How long tests may take: what ends no more for a mutation is a failure of its own.
SECONDS_MAX = 300
ENVIRONMENT = {
    **os.environ,
    "CARGO_INCREMENTAL": "1",
    "CARGO_TARGET_DIR": str(TARGET),
    "CARGO_TERM_COLOR": "never",
    # A run is the same wherever it is made.
    "PROPTEST_RNG_SEED": "1",
    # A case that fails is enough: nobody reads it.
    "PROPTEST_MAX_SHRINK_ITERS": "0",
    "CALSYNCD_SEED": "1",
    "INSTA_UPDATE": "no",
    # The copy is no part of the repository around it: git apply would pass over files that it does not track.
    "GIT_CEILING_DIRECTORIES": str(PLACE),
}


class Mutation:
    """A patch, the rule that it breaks and the tests that must see it."""

    def __init__(self, path):
        self.path, self.name = path, path.stem
        rule, test = path.read_text().splitlines()[:2]
        self.rule = re.fullmatch(r"Rule (\d+): .+", rule)
        words = re.fullmatch(r"Test: (--lib|--test [a-z_]+) (\S.*)", test)
        if not self.rule or not words:
            sys.exit(f"{path.name}: the first lines are not `Rule N: …` and `Test: --lib|--test NAME FILTER…`")
        self.target, self.filters = words[1].split(), words[2].split()

    def test(self):
        """The words of `cargo test`, for people."""
        return " ".join(self.target + self.filters)


class Ended(Exception):
    """The tests ended in another way than with a test that fails."""


def renew_copy():
    """Makes the copy the same as the tree. Only what differs is written, with the present time: cargo builds by times."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
    )
    wanted = {name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()}
    for path in [path for path in COPY.rglob("*") if path.is_file()]:
        if str(path.relative_to(COPY)) not in wanted:
            path.unlink()
    for name in wanted:
        original, copy = ROOT / name, COPY / name
        if not copy.is_file() or copy.read_bytes() != original.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(original, copy)


def take_over_dependencies():
    """Links what other crates were built to. What is of this crate has other names there, and is built anew."""
    built = ROOT / "target" / "debug"
    if TARGET.exists() or not (built / "deps").is_dir():
        return
    (TARGET / "debug").mkdir(parents=True)
    with open(built / ".cargo-lock", "a") as lock:
        # As cargo does: nothing is half built as long as it is held.
        fcntl.flock(lock, fcntl.LOCK_EX)
        for folder in ("deps", "build", ".fingerprint"):
            subprocess.run(["cp", "-al", str(built / folder), str(TARGET / "debug")], check=True)


def run(*command):
    return subprocess.run(
        command, cwd=COPY, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def cargo_test(target, *words):
    """The command; nobody debugs what it builds."""
    return "cargo", "test", "--config", "profile.dev.package.calsyncd.debug=0", *target, *words


def build(target):
    """What the compiler complains of; nothing when all is well."""
    built = run(*cargo_test(target, "--quiet", "--no-run"))
    return built.stdout if built.returncode else ""


def outcomes(target, filters):
    """The tests that fail and those that pass."""
    ended = run("timeout", "--kill-after=5", str(SECONDS_MAX), *cargo_test(target, "--", *filters))
    named = {
        word: re.findall(rf"^test (\S+)(?: - should panic)? \.\.\. {word}$", ended.stdout, re.MULTILINE)
        for word in ("FAILED", "ok")
    }
    if ended.returncode and not named["FAILED"]:
        why = f"it takes more than {SECONDS_MAX} s" if ended.returncode in (124, 137) else ended.stdout
        raise Ended(f"DOES NOT RUN: {' '.join(target + filters)}\n{why}")
    return named["FAILED"], named["ok"]


def verdict(mutation):
    """Whether the mutation is seen, and what there is to say."""
    applied = run("git", "apply", "--recount", "-C1", str(mutation.path))
    if applied.returncode:
        return False, f"DOES NOT APPLY: the code has changed, renew the patch\n{applied.stdout}"
    complaints = build(mutation.target)
    if complaints:
        return False, f"DOES NOT COMPILE: renew the patch\n{complaints}"
    try:
        failed, _ = outcomes(mutation.target, mutation.filters)
    except Ended as error:
        return False, str(error)
    if not failed:
        return False, f"SURVIVED: {mutation.test()} sees nothing of it"
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return True, f"killed by {failed[0]}{more}"


def check_the_tree(mutations):
    """The tests that are named exist and pass as long as nothing is broken."""
    for target in sorted({tuple(mutation.target) for mutation in mutations}):
        filters = sorted({word for mutation in mutations if tuple(mutation.target) == target for word in mutation.filters})
        complaints = build(target)
        if complaints:
            sys.exit(complaints)
        failed, passed = outcomes(list(target), filters)
        absent = [word for word in filters if not any(word in name for name in passed)]
        if failed or absent:
            sys.exit(f"without any mutation, {' '.join(target)}: failed {failed}, no test for {absent}")


def main():
    chosen = sys.argv[1:]
    mutations = [Mutation(path) for path in sorted(PATCHES.glob("*.patch"))]
    unbroken = set(RULES) - {int(mutation.rule[1]) for mutation in mutations}
    if unbroken:
        sys.exit(f"no mutation breaks the rules {sorted(unbroken)}")
    if chosen:
        mutations = [mutation for mutation in mutations if any(part in mutation.name for part in chosen)]
    # Those of one test program are next to one another, so that it is built for little.
    mutations.sort(key=lambda mutation: (mutation.target, mutation.name))
    COPY.mkdir(parents=True, exist_ok=True)
    take_over_dependencies()
    renew_copy()
    begin = time.monotonic()
    check_the_tree(mutations)
    print(f"without any mutation, all tests that are named pass; {time.monotonic() - begin:.0f} s", flush=True)
    survivors = []
    for mutation in mutations:
        begin = time.monotonic()
        seen, said = verdict(mutation)
        renew_copy()
        if not seen:
            survivors.append(mutation.name)
        print(f"{mutation.name}: {said}; {time.monotonic() - begin:.0f} s", flush=True)
    print(f"{len(mutations)} mutations, {len(mutations) - len(survivors)} killed")
    if survivors:
        sys.exit(f"not killed: {', '.join(survivors)}")


if __name__ == "__main__":
    main()
