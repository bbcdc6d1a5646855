"""The file that names the issuers whose tokens are believed beside our own.

Hides: its form.  Whoever may sign for a tenant is decided by whoever runs the installation, so this
is a setting and no table: nobody inside can add to it, and it holds no secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from giftpad.identity.rules import PERMISSIONS
from giftpad.kernel.config import SettingsError
from giftpad.tenancy import PLATFORM_SLUG, Problems, Table, read_toml

VARIABLE = "GIFTPAD_TRUSTED_ISSUERS_FILE"
ALGORITHMS = ("RS256", "PS256")
FILE_SIZE_MAX = 1024 * 1024
ADDRESS_LENGTH_MAX = 200
AUDIENCE_LENGTH_MAX = 200
_ADDRESS = r"https?://[a-z0-9.\[\]:-]+(/[A-Za-z0-9._~-]+)*/"
_ADDRESS_SHAPE = "as its tokens say it: https://, a host in small letters, a slash at the end"
_AUDIENCE = r"[!-~]+"
_ORGANISATION = r"org_[A-Za-z0-9_-]{1,64}"
_SLUG = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_NAME = r"[!#-\[\]-~]{1,100}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIssuer:
    """Whose tokens are believed, for which tenants, and the most they may do there."""

    address: str
    """What its tokens say as ``iss``, to the letter; ends with a slash."""
    audience: str
    """What its tokens must be made for."""
    algorithms: frozenset[str]
    permissions: frozenset[str]
    """Of ours, the most that its tokens may carry."""
    names: Mapping[str, str]
    """What it calls a permission, where that is not our word, and our word."""
    tenants: Mapping[str, str]
    """Its organisations, each with the slug of our tenant."""


def read_trusted_issuers(path: Path, *, ours: str) -> tuple[TrustedIssuer, ...]:
    """Read and check the whole file; ``ours`` is our own issuer, which needs no trust.

    Raises: SettingsError, which names every fault by its line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_SIZE_MAX + 1)
    except OSError as error:
        message = f"{VARIABLE} is {str(path)!r}, which cannot be read: {error.strerror}."
        raise SettingsError(message) from None
    if len(data) > FILE_SIZE_MAX:
        message = f"{VARIABLE} is {str(path)!r}, which is larger than {FILE_SIZE_MAX} bytes."
        raise SettingsError(message)
    problems = Problems()
    found: list[TrustedIssuer] = read_toml(
        path.name, data, problems, read=lambda table: _read_issuers(table, ours)
    )
    if problems.found:
        lines = "\n".join(str(problem) for problem in sorted(problems.found))
        message = f"{VARIABLE} cannot be used:\n{lines}"
        raise SettingsError(message)
    return tuple(found)


def _read_issuers(table: Table, ours: str) -> list[TrustedIssuer]:
    known = {ours}
    found = []
    for entry in table.tables("issuers"):
        issuer = _read_issuer(entry)
        if issuer.address in known and issuer.address:
            fault = f'"issuer" is "{issuer.address}", which is believed already.'
            entry.fault("issuer", fault, "Name each issuer once, and never this installation.")
        known.add(issuer.address)
        found.append(issuer)
    return found


def _read_issuer(entry: Table) -> TrustedIssuer:
    permissions = entry.choices("permissions", PERMISSIONS)
    if not permissions:
        fault = '"permissions" is missing or empty.'
        entry.fault("permissions", fault, "List the most that its tokens may do.")
    issuer = TrustedIssuer(
        address=_read_address(entry),
        audience=entry.text(
            "audience",
            pattern=_AUDIENCE,
            shape="the identifier of this API there, without blanks",
            length_max=AUDIENCE_LENGTH_MAX,
        ),
        algorithms=frozenset(entry.choices("algorithms", ALGORITHMS) or ALGORITHMS[:1]),
        permissions=frozenset(permissions),
        names=_read_names(entry, permissions),
        tenants=_read_tenants(entry),
    )
    entry.close()
    return issuer


def _read_address(entry: Table) -> str:
    address = entry.text(
        "issuer", pattern=_ADDRESS, shape=_ADDRESS_SHAPE, length_max=ADDRESS_LENGTH_MAX
    )
    if not re.fullmatch(_ADDRESS, address):
        return address
    try:
        parts = urlsplit(address)
        is_named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_named = False
    if not is_named:
        entry.fault("issuer", f'"issuer" is "{address}".', f"It must be {_ADDRESS_SHAPE}.")
    elif parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        fault = f'"issuer" is "{address}", where anybody on the way could change its keys.'
        entry.fault("issuer", fault, "It must begin with https://.")
    return address


def _is_loopback(host: str) -> bool:
    """Whether a host is this very machine, whatever a name server says."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read_tenants(entry: Table) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in entry.tables("organizations"):
        org_id = each.text("org_id", pattern=_ORGANISATION, shape="an id that begins with org_")
        slug = each.text("tenant", pattern=_SLUG, shape="the slug of a tenant", length_max=100)
        if slug == PLATFORM_SLUG:
            fault = "The platform is no tenant: who runs this installation signs in here."
            each.fault("tenant", fault, "Remove these lines.")
        if org_id in found:
            each.fault("org_id", f'"{org_id}" is named twice.', "Remove the second one.")
        found[org_id] = slug
        each.close()
    if not found:
        fault = '"organizations" names nobody.'
        entry.fault("organizations", fault, "Add [[issuers.organizations]] with org_id and tenant.")
    return found


def _read_names(entry: Table, permissions: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in entry.tables("renamed", required=False):
        theirs = each.text("theirs", pattern=_NAME, shape="the name of a permission there")
        ours = each.choice("ours", permissions or PERMISSIONS)
        if theirs in found:
            each.fault("theirs", f'"{theirs}" is named twice.', "Remove the second one.")
        found[theirs] = ours
        each.close()
    return found
