"""A mail as it travels: headers that nobody's value can break out of, text and HTML.

Source: RFC 5322; RFC 2046 and RFC 2387 for parts; RFC 3834 for Auto-Submitted; RFC 2369 and
RFC 8058 for List-Unsubscribe.
"""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from giftpad.messaging.rules.addresses import quote_mail, split_mail
from giftpad.messaging.rules.cards import PICTURE, PICTURE_CID, PICTURE_TAG
from giftpad.messaging.rules.letters import Written
from giftpad.tenancy import PLATFORM_TENANT_ID

LINE_LENGTH = 76
SHORT_MAX = 50
"""An English header of so many letters is not broken into lines."""
LINE_END = "\r\n"
END = LINE_END.encode()
PLAIN_LENGTH_MAX = 900
"""Of a line that travels as it is; a server need not take a thousand letters."""
PICTURES_KEPT_MAX = 50


class _Policy(EmailPolicy):
    """Writes long Japanese texts of headers so that they come out as they went in.

    The library's own folding adds spaces where a text is longer than a line, and loses others;
    its older ``Header`` does not.  A value with a line break is refused by the library before.
    """

    def fold(self, name: str, value: Any) -> str:
        """Return one header as it travels."""
        text, end = str(value), ""
        if name == "List-Unsubscribe":
            return f"{name}: {text}{LINE_END}"  # an address is not broken into words
        if name not in ("Subject", "From") or (text.isascii() and len(text) <= SHORT_MAX):
            folded: str = super().fold(name, value)
            return folded
        if name == "From":
            (sender,) = value.addresses
            text, end = sender.display_name, f"{LINE_END} <{sender.addr_spec}>"
        words = Header(text, "utf-8", maxlinelen=LINE_LENGTH, header_name=name)
        return f"{name}: {words.encode(linesep=LINE_END)}{end}{LINE_END}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return one header as it travels, in bytes."""
        return self.fold(name, value).encode("ascii")


POLICY = _Policy(linesep=LINE_END, cte_type="7bit")
"""Seven bits travel everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One attempt at one message: all that is needed once no transaction is open.

    ``attempt`` is its number; ``repeats`` whether the message may be sent again although it may
    have been taken.
    """

    id: UUID
    channel: str
    queue: str
    template: str
    attempt: int
    repeats: bool
    at: datetime
    to: str = field(repr=False)
    written: Written = field(repr=False)
    sender: str = ""
    sender_name: str = ""
    reply_to: str = ""
    return_path: str = ""
    picture: str = ""
    stop_address: str = ""
    asks_first: bool = False
    begun_at: datetime | None = None
    tenant_id: UUID = PLATFORM_TENANT_ID


def sender_of(parcel: Parcel, house: Address) -> Address:
    """Return whom a mail is from: the tenant where it says so, the house otherwise."""
    local, domain = split_mail(parcel.sender) if parcel.sender else (house.username, house.domain)
    return Address(
        display_name=parcel.sender_name or house.display_name, username=local, domain=domain
    )


def build_mail(parcel: Parcel, house: Address, picture: bytes | None = None) -> bytes:
    """Return the mail of a parcel as it travels; its Message-ID is the same at each attempt.

    The library writes the headers, in which there is what people have typed; the parts are put
    together here, for it takes the picture of thousands of letters apart and together each time.
    """
    outer, inner = (f"{parcel.id.hex}-{number}" for number in (1, 2))
    page = parcel.written.html
    if picture is not None:
        page = page.replace(PICTURE, PICTURE_TAG, 1)
    shown = _part("text/html", page)
    if picture is not None:  # beside the HTML that shows it: nobody sees it twice
        parts = [shown, _picture_part(picture)]
        shown = f'Content-Type: multipart/related; boundary="{inner}"\r\n\r\n'.encode()
        shown += _joined(inner, parts)
    head = _headers(parcel, sender_of(parcel, house), boundary=outer)
    return head + _joined(outer, [_part("text/plain", parcel.written.text), shown])


def _headers(parcel: Parcel, sender: Address, *, boundary: str) -> bytes:
    mail = EmailMessage(policy=POLICY)
    mail["From"] = sender
    if parcel.reply_to:
        mail["Reply-To"] = quote_mail(parcel.reply_to)
    mail["To"] = quote_mail(parcel.to)
    mail["Subject"] = parcel.written.subject
    mail["Date"] = format_datetime(parcel.at)
    mail["Message-ID"] = f"<{parcel.id}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    if parcel.stop_address:
        mail["List-Unsubscribe"] = f"<{parcel.stop_address}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["MIME-Version"] = "1.0"
    mail["Content-Language"] = parcel.written.locale
    mail["Content-Type"] = f'multipart/alternative; boundary="{boundary}"'
    folded = (POLICY.fold_binary(name, value) for name, value in mail.items())
    return b"".join(folded) + END


def _part(kind: str, text: str) -> bytes:
    """Return a text as a part; other letters than ASCII, and long lines, in base64."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    data = LINE_END.join(lines).encode()
    is_plain = data.isascii() and max(map(len, lines)) <= PLAIN_LENGTH_MAX
    encoding, body = ("7bit", data) if is_plain else ("base64", _encoded(data))
    head = f'Content-Type: {kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + body


@lru_cache(maxsize=PICTURES_KEPT_MAX)
def _picture_part(picture: bytes) -> bytes:
    head = (
        "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: inline\r\nContent-ID: <{PICTURE_CID}>\r\n\r\n"
    )
    return head.encode() + _encoded(picture)


def _encoded(data: bytes) -> bytes:
    return encodebytes(data).rstrip().replace(b"\n", END)


def _joined(boundary: str, parts: Sequence[bytes]) -> bytes:
    """Return parts between their boundary, which has the message's id: nobody can write it."""
    mark = b"--" + boundary.encode()
    return b"".join(mark + END + part + END for part in parts) + mark + b"--" + END
