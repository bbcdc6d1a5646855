"""What is installed is what is locked, and nothing with a known hole."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest

from giftpad.kernel.migrate import ROOT

LEAST = {
    "authlib": (1, 9, 8),
    "cryptography": (45, 0, 1),
    "joserfc": (1, 8),
    "werkzeug": (3, 1),
}
"""Below these lie published weaknesses in what guards tokens and requests."""

PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE | re.IGNORECASE)


def pins(text: str) -> dict[str, str]:
    """Return the versions that a lock file names."""
    return dict(PIN.findall(text))


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def too_old(versions: dict[str, str]) -> list[str]:
    """Name what is missing or older than it may be."""
    return [name for name, least in LEAST.items() if numbers(versions.get(name, "0")) < least]


LOCKED = {
    name: pins((ROOT / "requirements" / f"{name}.lock").read_text("utf-8"))
    for name in ("run", "dev")
}


@pytest.mark.parametrize("name", LOCKED)
def test_no_lock_holds_a_version_with_a_known_hole(name):
    assert too_old(LOCKED[name]) == []


def test_what_is_installed_is_what_is_locked():
    installed = {name: version(name) for name in LOCKED["run"] if name in LEAST}
    assert too_old(installed) == []
    assert installed == {name: LOCKED["dev"][name] for name in LEAST}


def test_both_locks_agree():
    assert LOCKED["run"].items() <= LOCKED["dev"].items()


def test_an_old_or_missing_version_is_seen():
    text = "authlib==1.9.7 \\\n    --hash=sha256:ab\njoserfc==1.10.0 ; python_version < '4'\n"
    assert pins(text) == {"authlib": "1.9.7", "joserfc": "1.10.0"}
    assert too_old(pins(text)) == ["authlib", "cryptography", "werkzeug"]
