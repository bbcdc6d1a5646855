"""Put clients, a person and an address into the plans, so that the suite can read them.

Reads what ``giftpad client create --json`` printed, for three clients one after the other, from
standard input, and asks for the person's password.  The plans it writes hold secrets: nobody else
may read them.
"""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PLANS = ("basic", "config", "logout")
ADDRESS = "https://giftpad.example.jp"
CLIENTS = 3


def read_clients(text: str) -> list[dict[str, str]]:
    """Return the clients in what the command printed."""
    decoder, found, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        client, end = decoder.raw_decode(rest)
        found.append(client)
        rest = rest[end:].strip()
    if len(found) != CLIENTS:
        message = f"{CLIENTS} clients are needed, and {len(found)} came."
        raise SystemExit(message)
    return found


def fill(part: Any, values: Mapping[str, str]) -> Any:
    """Return a part of a plan with the values in their places."""
    if isinstance(part, dict):
        return {name: fill(value, values) for name, value in part.items()}
    if isinstance(part, list):
        return [fill(value, values) for value in part]
    if not isinstance(part, str):
        return part
    return values.get(part, part.replace(ADDRESS, values[ADDRESS]))


def main(address: str, email: str, folder: Path) -> None:
    """Write the plans into a folder."""
    values = {ADDRESS: address.rstrip("/"), "THE-EMAIL": email}
    for number, client in enumerate(read_clients(sys.stdin.read()), start=1):
        values[f"CLIENT-{number}-ID"] = client["client_id"]
        values[f"CLIENT-{number}-SECRET"] = client["client_secret"]
    values["THE-PASSWORD"] = getpass.getpass(f"Password of {email}: ")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in PLANS:
        plan = fill(json.loads((HERE / f"{name}.json").read_text("utf-8")), values)
        path = folder / f"{name}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(plan, indent=2) + "\n", "utf-8")
        print(path)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
