"""Write the access matrix, or see that the committed one is what the code says.

Hides: how doors, roles and permissions become tables.  Nothing here decides anything: what a door
asks for is declared beside its view, what a role holds in identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import click
from werkzeug.routing import Rule

from giftpad.app import build_app
from giftpad.edge import Door, list_doors
from giftpad.identity import (
    OPERATOR_PERMISSIONS,
    OPERATOR_ROLES,
    PERMISSIONS,
    RECIPIENT_PERMISSIONS,
    ROLES,
)
from giftpad.kernel.config import Settings

MATRIX = Path(__file__).resolve().parents[2] / "docs" / "reference" / "access.md"
BEGIN, END = "<!-- doors -->\n", "<!-- end doors -->"
"""Between these the page is written by the command; what stands around them is not."""
MARK = "●"
MACHINE = "machine"
ELSEWHERE = "Other addresses"
AREAS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("The API", ("/api/",)),
    ("Tokens and discovery", ("/oauth/", "/userinfo/", "/.well-known/")),
    ("The desk of an issuer", ("/desk/",)),
    ("The shop app", ("/shop/",)),
    ("Holders of a coupon", ("/balance/", "/Q/", "/t/")),
    ("Recipients of a gift", ("/g/",)),
    ("Whoever runs the installation", ("/operator/",)),
    (
        "Sign-in and one's own account",
        (
            *("/account/", "/sign-in/", "/sign-out/", "/join/", "/forgotten/"),
            *("/authorize/", "/activate/", "/oidc/", "/v2/"),
        ),
    ),
)
"""The parts of the document by how their addresses begin; what fits none comes last."""

OWN, HIDDEN, SHUT, OPEN = "own", "404", "403", "as all"
"""What somebody gets at a door of another tenant, by what kind of door it is."""


class Line(NamedTuple):
    """One method of one route."""

    rule: Rule
    method: str
    door: Door


def everybody() -> dict[str, frozenset[str]]:
    """Return what each role holds, and the most that a machine can be given."""
    return {**ROLES, **OPERATOR_ROLES, MACHINE: frozenset(PERMISSIONS)}


def may_pass(who: str, door: Door) -> bool:
    """Whether a door opens for a role, or for a machine with the permissions it asks for."""
    if door.access.is_public:
        return True
    if door.is_page and who == MACHINE:
        return False
    return everybody()[who] >= set(door.access.permissions)


def for_strangers(rule: Rule, door: Door) -> str:
    """Return what somebody of another tenant gets at a door."""
    if door.access.is_public:
        return OPEN
    if set(door.access.permissions) & set(OPERATOR_PERMISSIONS):
        return SHUT
    if set(door.access.permissions) & set(RECIPIENT_PERMISSIONS):
        return OWN  # whatever is named there, it is that of the gift that is open
    return HIDDEN if rule.arguments else OWN


def _area(line: Line) -> str:
    address = f"{line.rule.rule}/"
    return next((name for name, begins in AREAS if address.startswith(begins)), ELSEWHERE)


def _needs(door: Door) -> str:
    if door.access.is_public:
        return f"open: {door.access.why}"
    asked = " ".join(f"`{name}`" for name in door.access.permissions) or "signed in"
    return f"{asked}, a recent proof" if door.access.is_fresh else asked


def _row(line: Line) -> str:
    marks = (MARK if may_pass(who, line.door) else "" for who in everybody())
    cells = (
        line.method,
        f"`{line.rule.rule}`",
        _needs(line.door),
        *marks,
        for_strangers(line.rule, line.door),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def filled(page: str, doors: Iterable[tuple[Rule, str, Door]]) -> str:
    """Return the page with the tables of these doors."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + write_matrix(doors) + "\n" + END + rest.partition(END)[2]


def write_matrix(doors: Iterable[tuple[Rule, str, Door]]) -> str:
    """Return a table for each part of what is served."""
    names = [name for name, _ in AREAS] + [ELSEWHERE]
    lines = sorted(
        (Line(*door) for door in doors),
        key=lambda line: (names.index(_area(line)), line.rule.rule, line.method),
    )
    return "".join(_sections(lines))


def _sections(lines: Iterable[Line]) -> Iterator[str]:
    head = ("method", "address", "asks for", *everybody(), "another tenant")
    for area, found in groupby(lines, key=_area):
        rows = "\n".join(_row(line) for line in found)
        yield f"\n## {area}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}\n{rows}\n"


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if the file is out of date.")
def access(check: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Write docs/reference/access.md: who may pass which door."""
    known = MATRIX.read_text(encoding="utf-8")
    text = filled(known, list_doors(build_app(Settings())))
    if check:
        if known != text:
            click.echo(
                f"{MATRIX.name} is not what the code says: run giftpad access, and look at what"
                " has opened or shut",
                err=True,
            )
            raise SystemExit(1)
        return
    MATRIX.write_text(text, encoding="utf-8")
