"""Look through the code for what must not stand there: rules of ours, and bandit's.

Sets up ``.venv/scan`` from ``requirements/scan.lock`` when that has changed, then needs no network.
Ends with 1 where anything is found.  The rules are ``.semgrep/*.yml``; the file of the same name
beside each shows what it must find and what not, and is looked at first.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv" / "scan"
BIN = VENV / "bin"
LOCK = ROOT / "requirements" / "scan.lock"
STAMP = VENV / "lock.sha256"
RULES = ROOT / ".semgrep"
LOOKED_AT = ("giftpad", "worker", "migrations", "tenants", "wsgi.py", ".ci")
OFFLINE = ("--metrics=off", "--disable-version-check", "--quiet", "--jobs", "1")
SKIPPED = "B101,B404"
"""Asserts are design here (ruff's S101); that a module is imported says nothing: its calls do."""

KNOWN = {
    (".ci/set_up.py", "B603"): "starts pip, npm and the programs of this checkout",
    (".ci/scan.py", "B603"): "starts the scanners",
    (".ci/wapiti.py", "B603"): "starts pip",
    (
        "giftpad/identity/adapters/providers.py",
        "B105",
    ): "where a secret goes, no secret",
    ("giftpad/catalog/queries/available.py", "B608"): "put together of texts of its own",
    ("giftpad/identity/commands/grants.py", "B105"): "the word that RFC 6750 gives every token",
    ("giftpad/kernel/migrate.py", "B608"): "names of our own roles and tables",
    ("giftpad/messaging/commands/sending.py", "B105"): "an empty text, no token yet",
    ("giftpad/portals/holder/letters.py", "B106"): "an empty text: nothing is left to ask",
    ("giftpad/sheets/rules/streaming.py", "B406"): "writes XML and reads none",
    ("giftpad/shops/commands/lines.py", "B608"): "names of our own columns",
}
"""What bandit finds and ruff, whose judgement stands in the line, does not: with the reason."""


def run(*words: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a program that says nothing to anybody outside."""
    quiet = {"SEMGREP_SEND_METRICS": "off", "SEMGREP_ENABLE_VERSION_CHECK": "0"}
    return subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env=os.environ | quiet,
        check=False,
        capture_output=True,
        text=True,
    )


def set_up() -> None:
    """Install the scanners, each file checked against its hash; nothing if that was done."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    print("Installing the scanners ...", flush=True)
    pip = (BIN / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check")
    for words in ((sys.executable, "-m", "venv", VENV), (*pip, "--require-hashes", "-r", LOCK)):
        done = run(*words)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)
    STAMP.write_text(wanted)


def try_rules() -> bool:
    """Tell whether every rule finds what its example says, and no more."""
    # From inside the folder: semgrep passes over folders whose names begin with a dot.
    done = run(BIN / "semgrep", "scan", *OFFLINE, "--test", ".", folder=RULES)
    is_good = done.returncode == 0 and "All tests passed" in done.stdout
    print("semgrep  " + ("every rule finds its example" if is_good else done.stdout + done.stderr))
    return is_good


def look_by_our_rules(*places: str) -> bool:
    """Tell whether nothing is against the rules of ours."""
    done = run(BIN / "semgrep", "scan", *OFFLINE, "--config", RULES, "--error", *places)
    is_good = done.returncode == 0
    print("semgrep  " + ("nothing found" if is_good else done.stdout + done.stderr))
    return is_good


def look_by_bandit(*places: str) -> bool:
    """Tell whether bandit finds nothing that was not judged in its own line."""
    done = run(
        BIN / "bandit", "-q", "-r", "-f", "json", "-s", SKIPPED, "-x", "*/node_modules/*", *places
    )
    said = json.loads(done.stdout)
    left = [*_unjudged(said["results"]), *(str(error) for error in said["errors"])]
    print("bandit   " + ("nothing found" if not left else "\n".join(left)))
    return not left


def _unjudged(found: list[dict[str, object]]) -> Iterator[str]:
    """Return what is neither known nor judged by ``# noqa: Sxxx``, ruff's number of the same."""
    for each in found:
        name = os.path.relpath(str(each["filename"]), ROOT)
        code, lines = str(each["test_id"]), each["line_range"]
        assert isinstance(lines, list)
        text = (ROOT / name).read_text().splitlines()
        said = " ".join(text[number - 1] for number in lines)
        if f"noqa: {code.replace('B', 'S')}" not in said and (name, code) not in KNOWN:
            yield f"{name}:{each['line_number']}: {code} {each['issue_text']}"


def main(places: list[str]) -> int:
    """Look at ``places``, or at all of the product."""
    set_up()
    asked = places or list(LOOKED_AT)
    results = [try_rules(), look_by_our_rules(*asked), look_by_bandit(*asked)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
