"""Write the contract of the API, or see that the committed one is what the code says."""

from __future__ import annotations

import json
from pathlib import Path

import click

from giftpad.api import contract_of
from giftpad.app import build_app
from giftpad.kernel.config import Settings

CONTRACT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "openapi.json"


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if the file is out of date.")
def openapi(check: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Write docs/reference/openapi.json from the routes."""
    document = contract_of(build_app(Settings()))
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if check:
        known = CONTRACT.read_text(encoding="utf-8") if CONTRACT.exists() else ""
        if known != text:
            click.echo(f"{CONTRACT.name} is not what the code says: run make openapi", err=True)
            raise SystemExit(1)
        return
    CONTRACT.parent.mkdir(parents=True, exist_ok=True)
    CONTRACT.write_text(text, encoding="utf-8")
