"""What demonstrations have in common: a promise that does not hold ends them."""

from __future__ import annotations

import subprocess
import sys

import click


class DemoFailed(click.ClickException):
    """An answer was not the one that the promise asks for."""


def run_command(*words: str) -> str:
    """Run a command of this command line and return what it says; its failure is ours."""
    done = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "giftpad.cli", *words], check=False, capture_output=True, text=True
    )
    if done.returncode:
        message = f"giftpad {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}"
        raise DemoFailed(message)
    return done.stdout


def check(condition: bool, complaint: str) -> None:  # noqa: FBT001 - reads as an assertion
    """End the demonstration if a promise does not hold."""
    if not condition:
        raise DemoFailed(complaint)
