"""The local network: which addresses this machine has in it, and how a phone gets here.

Hides: the kernel's list of interfaces, how it is known whether the https server answers.
Nobody is asked over the network: all of it is read from this machine.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import http.client
import io
import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from ipaddress import IPv4Address
from pathlib import Path

import qrcode

from giftpad.kernel.config import Settings
from giftpad.local.certificates import LOCAL_NETWORKS, LOOPBACK, CertificateFolder
from giftpad.local.errors import LanAddressUnknown, NoLanAddress

ROUTES = Path("/proc/net/route")
INTERFACES, FLAGS = 0x8912, 0x8913
"""SIOCGIFCONF and SIOCGIFFLAGS: what an interface's IPv4 addresses are, and whether it is up."""
UP = 0x1
ROOM_FOR_NAMES = 64 * 1024
NAME_BYTES = 16
ENTRY_BYTES = 40 if struct.calcsize("P") == 8 else 32  # noqa: PLR2004 - bytes of a pointer
ROUTE_NAME, ROUTE_TARGET, ROUTE_METRIC = 0, 1, 6
PROBE_TIMEOUT_S = 2
PAGE, CERTIFICATE = "/lan", "/lan/giftpad-ca.crt"
"""Where the page for phones and the authority's certificate lie; portals serve both."""


def lan_addresses() -> list[str]:
    """Return this machine's addresses in local networks, the likeliest first.

    The network that leads out of the house comes before those of virtual machines and the like.
    """
    ways_out = _ways_out()
    found = {
        address: ways_out.index(name) if name in ways_out else len(ways_out)
        for name, address in _interfaces()
        if is_local(address)
    }
    return sorted(found, key=lambda address: found[address])


def is_local(address: str) -> bool:
    """Whether an address lies in a local network, so that our authority may vouch for it."""
    return any(IPv4Address(address) in network for network in LOCAL_NETWORKS)


def _interfaces() -> Iterator[tuple[str, str]]:
    room = array.array("B", bytes(ROOM_FOR_NAMES))
    where, size = room.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        answer = fcntl.ioctl(door, INTERFACES, struct.pack("iP", size, where))
        (filled, _) = struct.unpack("iP", answer)
        for at in range(0, filled, ENTRY_BYTES):
            entry = room[at : at + ENTRY_BYTES].tobytes()
            label = entry[:NAME_BYTES].split(b"\0", 1)[0]
            with contextlib.suppress(OSError):  # it went away just now
                answer = fcntl.ioctl(door, FLAGS, label.ljust(NAME_BYTES, b"\0") + bytes(24))
                if struct.unpack_from("H", answer, NAME_BYTES)[0] & UP:
                    yield label.decode().partition(":")[0], socket.inet_ntoa(entry[20:24])


def _ways_out() -> list[str]:
    """Return the interfaces with a route to everywhere, the preferred one first."""
    with contextlib.suppress(OSError):
        rows = [line.split() for line in ROUTES.read_text().splitlines()[1:]]
        out = [row for row in rows if row[ROUTE_TARGET] == "00000000"]
        return [row[ROUTE_NAME] for row in sorted(out, key=lambda row: int(row[ROUTE_METRIC]))]
    return []


def with_lan(settings: Settings, *, address: str = "", port: int = 0) -> Settings:
    """Return the settings of a Giftpad that phones reach by https at ``address``.

    Without one it is the one of the settings, else the likeliest of this machine.
    Raises: NoLanAddress.
    """
    chosen = address or settings.lan_address or next(iter(lan_addresses()), "")
    if not chosen:
        raise NoLanAddress
    return replace(settings, lan_address=chosen, lan_port=port or settings.lan_port)


def prepare_lan(settings: Settings) -> CertificateFolder:
    """Check that the address is ours, and have certificates for it; only the lock's holder may.

    An address of the loopback is taken too: https on one machine is good for trying things.
    Raises: LanAddressUnknown, NoLanAddress.
    """
    chosen, known = settings.lan_address, lan_addresses()
    if IPv4Address(chosen) not in LOOPBACK and chosen not in known:
        if not known:
            raise NoLanAddress
        raise LanAddressUnknown(address=chosen, known=", ".join(known))
    folder = CertificateFolder(settings.lan_folder)
    folder.prepare([*known, chosen])
    return folder


def lan_answers(settings: Settings) -> bool:
    """Tell whether the https server says that it is ready, and shows a certificate of ours."""
    try:
        trust = ssl.create_default_context(cafile=settings.lan_ca_path)
    except OSError:
        return False
    connection = http.client.HTTPSConnection(
        settings.lan_address, settings.lan_port, timeout=PROBE_TIMEOUT_S, context=trust
    )
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def describe_lan(settings: Settings, folder: CertificateFolder) -> str:
    """Return what a person at the terminal needs to bring a phone here."""
    page, port, print_of = settings.lan_url + PAGE, settings.lan_port, folder.fingerprint
    others = [each for each in lan_addresses() if each != settings.lan_address]
    lines = [
        "",
        f"On this machine: http://localhost:{settings.port}",
        f"Phones in the same network: {page}",
        "",
        _picture(page),
        "A phone does not know this machine yet and warns once. Go on past the warning: the page",
        "shows how an iPhone or an Android phone learns to trust it, by the certificate",
        f"{settings.lan_url}{CERTIFICATE}",
        "Before you trust it, compare its SHA-256 fingerprint:",
        f"  {print_of[: len(print_of) // 2]}",
        f"  {print_of[len(print_of) // 2 + 1 :]}",
        "",
        f"No answer on the phone? Let TCP port {port} through the firewall of this machine, for",
        f"example with `sudo ufw allow {port}/tcp`. Networks for guests often keep devices apart.",
    ]
    if others:
        lines.append(f"This machine is also {', '.join(others)}: choose with --lan-address.")
    return "\n".join([*lines, _what_is_printed(settings)])


def _what_is_printed(settings: Settings) -> str:
    if settings.public_url:
        return (
            f"QR codes are printed with {settings.public_address}, because GIFTPAD_PUBLIC_URL "
            "is set."
        )
    return f"QR codes that are ordered from now on carry {settings.public_address}."


def _picture(text: str) -> str:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=2)
    code.add_data(text)
    picture = io.StringIO()
    code.print_ascii(out=picture, invert=True)  # light on dark, as most terminals are
    return picture.getvalue().rstrip("\n")
