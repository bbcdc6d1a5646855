"""Let fewer in, and switch off what is heavy, while the product runs."""

from __future__ import annotations

import json
import re
from datetime import UTC

import click

from giftpad import audit, guard, tenancy
from giftpad.cli import connect
from giftpad.cli.scopes import OPERATOR
from giftpad.kernel.work import Scope, unit_of_work

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID, actor=OPERATOR)
REASON_MAX = 500
_SHARE = re.compile(rf"(\d{{1,2}})(?:/{guard.GROUPS})?")


def _read() -> tuple[guard.Switches, dict[str, guard.SwitchView]]:
    with unit_of_work(PLATFORM) as work:
        return guard.read_switches(work), {v.name: v for v in guard.list_switches(work)}


def _share(text: str) -> int:
    found = _SHARE.fullmatch(text.strip())
    if found is None:
        message = f"--share is {text!r}; write 16/{guard.GROUPS}, for example."
        raise click.UsageError(message)
    return int(found[1])


def _reason(text: str) -> str:
    if not text.strip() or len(text) > REASON_MAX:
        message = f"Write in --reason why, in at most {REASON_MAX} characters."
        raise click.UsageError(message)
    return text.strip()


def _since(view: guard.SwitchView | None) -> str:
    if view is None:
        return ""
    return f"  since {view.set_at:%Y-%m-%d %H:%M} UTC by {view.set_by}: {view.reason}"


def _since_as_json(view: guard.SwitchView | None) -> dict[str, str | None]:
    """Return the same as values; null where nobody has ever set the switch."""
    if view is None:
        return {"since": None, "by": None, "reason": None}
    since = view.set_at.astimezone(UTC).isoformat(timespec="seconds")
    return {"since": since, "by": view.set_by, "reason": view.reason}


@click.group()
def admission() -> None:
    """Let visitors of the public pages in by turns."""


@admission.command()
@click.option("--json", "is_json", is_flag=True, help="One JSON object.")
def show(*, is_json: bool) -> None:
    """Show how many groups of devices are let in."""
    connect()
    switches, views = _read()
    view = views.get(guard.ADMISSION)
    if is_json:
        found = {"share": switches.share, "groups": guard.GROUPS, **_since_as_json(view)}
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        since = _since(view)
        click.echo(f"{switches.share}/{guard.GROUPS} groups are let in{since}")


@admission.command("set")
@click.option("--share", "text", required=True, help="Such as 16/64; 64/64 lets everybody in.")
@click.option("--reason", required=True, help="Kept in the record of who did what.")
def set_command(text: str, reason: str) -> None:
    """Let so many groups of devices in from now on; every process knows within two seconds."""
    share, why = _share(text), _reason(reason)
    connect()
    with unit_of_work(PLATFORM) as work:
        before = guard.read_switches(work).share
        guard.open_share(work, share, reason=why)
        audit.record(
            work,
            action="admission.set",
            subject="switch:admission",
            details={"share": share, "before": before, "reason": why},
        )
    click.echo(f"{share}/{guard.GROUPS} groups are let in; it was {before}/{guard.GROUPS}")


@click.group()
def feature() -> None:
    """Switch off what is heavy, so that payments go on."""


def _switch(name: str, reason: str, *, on: bool) -> None:
    why = _reason(reason)
    connect()
    with unit_of_work(PLATFORM) as work:
        guard.switch_feature(work, name, on=on, reason=why)
        audit.record(
            work,
            action="feature.on" if on else "feature.off",
            subject=f"switch:{name}",
            details={"reason": why},
        )
    click.echo(f"{name} is {'on' if on else 'off'}")


@feature.command()
@click.argument("name")
@click.option("--reason", required=True, help="Kept in the record of who did what.")
def off(name: str, reason: str) -> None:
    """Switch a feature off; every process knows within two seconds."""
    _switch(name, reason, on=False)


@feature.command()
@click.argument("name")
@click.option("--reason", required=True, help="Kept in the record of who did what.")
def on(name: str, reason: str) -> None:
    """Switch a feature on again."""
    _switch(name, reason, on=True)


@feature.command("list")
@click.option("--json", "is_json", is_flag=True, help="One JSON object a line.")
def list_command(*, is_json: bool) -> None:
    """List what can be switched, and how it is."""
    connect()
    switches, views = _read()
    for name, meaning in guard.FEATURES.items():
        state = "off" if name in switches.off else "on"
        if is_json:
            since = _since_as_json(views.get(name))
            found = {"name": name, "state": state, "meaning": meaning, **since}
            click.echo(json.dumps(found, ensure_ascii=False))
        else:
            click.echo(f"{name:<14}{state:<5}{meaning}{_since(views.get(name))}")
