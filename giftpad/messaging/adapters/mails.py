"""A mail as it travels: headers that nobody's value can break out of, text and HTML.

Source: RFC 5322; RFC 3834 for Auto-Submitted; RFC 2369 and RFC 8058 for List-Unsubscribe.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
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


def build_mail(parcel: Parcel, house: Address, picture: bytes | None = None) -> EmailMessage:
    """Return the mail of a parcel; its Message-ID is the same at each attempt."""
    sender = sender_of(parcel, house)
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
    mail.set_content(parcel.written.text)
    html = parcel.written.html
    if picture is not None:
        html = html.replace(PICTURE, PICTURE_TAG, 1)
    mail.add_alternative(html, subtype="html")
    if picture is not None:
        _add_picture(mail, picture)
    mail["Content-Language"] = parcel.written.locale  # last: new content would take it away
    return mail


def _add_picture(mail: EmailMessage, picture: bytes) -> None:
    """Put a PNG beside the HTML that shows it, and below the same part: nobody sees it twice."""
    _, page = mail.iter_parts()
    assert isinstance(page, EmailMessage)
    page.add_related(picture, "image", "png", cid=f"<{PICTURE_CID}>", disposition="inline")
