"""Addresses of people: what can be sent to, its one form, and how it is shown to others."""

from __future__ import annotations

import re
import unicodedata

from giftpad.messaging.errors import AddressUnfit

MAIL_LENGTH_MAX = 254
"""Source: RFC 5321, section 4.5.3.1.3, without the two brackets."""

MASKED_TAIL = 4
COUNTRY = "+81"
"""Whose national numbers begin with a 0 here."""

# Dots may stand together or at the end of the first part: a Japanese carrier gave such addresses
# out, and their owners have them still.
_LOCAL = r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_MAIL = re.compile(rf"(?P<local>{_LOCAL})@(?P<domain>{_LABEL}(?:\.{_LABEL})+)")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_FILLERS = re.compile(r"[\s().\u2010-\u2015\u2212\u30fc-]")


def check_mail(text: str) -> str:
    """Return a mail address as it is sent to.

    Raises: AddressUnfit.

    >>> check_mail(" hana..s@aoba.example ")
    'hana..s@aoba.example'
    """
    address = text.strip()
    if len(address) > MAIL_LENGTH_MAX or not _MAIL.fullmatch(address):
        raise AddressUnfit
    return address


def split_mail(address: str) -> tuple[str, str]:
    """Return the two parts of a checked address."""
    local, _, domain = address.rpartition("@")
    return local, domain


def quote_mail(address: str) -> str:
    """Return a checked address as it is written on the wire: strange dots need quotes.

    >>> quote_mail("hana..s.@docomo.example"), quote_mail("hana.s@aoba.example")
    ('"hana..s."@docomo.example', 'hana.s@aoba.example')
    """
    local, domain = split_mail(address)
    return address if all(local.split(".")) else f'"{local}"@{domain}'


def check_phone(text: str) -> str:
    """Return a telephone number with its country, as providers take it.

    Raises: AddressUnfit.

    >>> check_phone("090-1234-5678")
    '+819012345678'
    """
    number = _FILLERS.sub("", unicodedata.normalize("NFKC", text))
    if number.startswith("0") and not number.startswith("00"):
        number = COUNTRY + number[1:]
    if not _PHONE.fullmatch(number):
        raise AddressUnfit
    return number


def check_recipient(channel: str, text: str) -> str:
    """Return whom a message goes to in the form of its channel.

    Raises: AddressUnfit.
    """
    return check_mail(text) if channel == "mail" else check_phone(text)


def mask(recipient: str) -> str:
    """Return what may be shown of a recipient to whoever looks after the queue.

    >>> mask("hana@aoba.example"), mask("+819012345678")
    ('h***@aoba.example', '***5678')
    """
    local, at, domain = recipient.rpartition("@")
    return f"{local[:1]}***@{domain}" if at else f"***{recipient[-MASKED_TAIL:]}"
