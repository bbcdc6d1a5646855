"""Ask for codes beside a product, and wake bulk that waits for its minute.

The bench of gifts runs it on a product's data folder (``python -m tests.bench.letters``): codes
go by the door that the pages of signing in use; what is measured comes after it.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import click

from giftpad import messaging
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.messaging import jobs

EVERY_S = 0.25
VALID = timedelta(minutes=5)


def _ask(scope: Scope, to: str) -> None:
    code = messaging.Message(
        template="sign_in_code",
        to=to,
        values={
            "organisation": "はなまる",
            "code": "417593",
            "minutes": 5,
            "host": "bench.example",
        },
        send_before=datetime.now(UTC) + VALID,
    )
    with unit_of_work(scope) as work:
        messaging.send(work, code)


@click.group()
def main() -> None:
    """Ask for codes, or wake bulk."""
    connect()


@main.command()
@click.option("--tenant", "slug", required=True)
def codes(slug: str) -> None:
    """Ask for a code four times a second until the input ends; then tell when each was."""
    ((_, scope),) = tenant_scopes(slug)
    ended, asked = threading.Event(), []
    click.echo("ready")
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    run = time.monotonic_ns()
    for number in itertools.count():
        if ended.wait(EVERY_S):
            break
        to = f"code-{run}-{number}@codes.example"
        _ask(scope, to)
        asked.append((time.monotonic(), to))
    for at, to in asked:
        click.echo(f"{at} {to}")


@main.command()
@click.option("--tenant", "slug", required=True)
def wake(slug: str) -> None:
    """Do what the schedule does each minute."""
    ((_, scope),) = tenant_scopes(slug)
    jobs.go_on_with_bulk(scope)


if __name__ == "__main__":
    main()
