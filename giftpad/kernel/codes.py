"""Codes that people see: the text inside a QR and the code typed by hand.

Hides: Crockford's base32, the check symbol, the lengths.  Pure: keys come in, texts go out.
A QR text is ``<ADDRESS>/Q/<kid 1><tag 4><locator 8><MAC 23>`` in capitals, so that a QR can use
its alphanumeric mode.  A typed code is 15 symbols and one check symbol in four groups.

Source: ADR 0004; Crockford base32.
"""

from __future__ import annotations

import hmac
import string
import unicodedata
from dataclasses import dataclass

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KID_LENGTH, TAG_LENGTH, LOCATOR_LENGTH, MAC_LENGTH = 1, 4, 8, 23
QR_TAIL_LENGTH = KID_LENGTH + TAG_LENGTH + LOCATOR_LENGTH + MAC_LENGTH
TYPED_LENGTH = 16
LOCATOR_MAX = 32**LOCATOR_LENGTH - 1
TAG_MAX = 32**TAG_LENGTH - 1

DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\uff0d\uff70")
"""What a keyboard may give for a hyphen; a Japanese one gives a long vowel mark."""

_SYMBOLS = frozenset(ALPHABET)
_DIGITS = str.maketrans(ALPHABET, string.digits + string.ascii_lowercase[:22])
"""Crockford's symbols as the digits that ``int`` reads to the base of 32."""
_PAIRS = [left + right for left in ALPHABET for right in ALPHABET]
_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}
_FORGIVEN = str.maketrans({"I": "1", "L": "1", "O": "0"})
_QR_MARK = "/Q/"
_MAC_LABEL = b"giftpad-qr-v1"
_FIELD_POLYNOMIAL = 0b100101


def _times_alpha(value: int) -> int:
    """Multiply by the generator of GF(32), reducing by x^5 + x^2 + 1."""
    value <<= 1
    return value ^ _FIELD_POLYNOMIAL if value & 32 else value


def _powers_of_alpha() -> tuple[int, ...]:
    powers, value = [], 1
    for _ in range(31):
        powers.append(value)
        value = _times_alpha(value)
    return tuple(powers)


_EXPONENT = _powers_of_alpha()
_LOGARITHM = {value: exponent for exponent, value in enumerate(_EXPONENT)}


def _multiply(left: int, right: int) -> int:
    if left == 0 or right == 0:
        return 0
    return _EXPONENT[(_LOGARITHM[left] + _LOGARITHM[right]) % 31]


_CHECKS = tuple(
    {symbol: _multiply(_EXPONENT[position], value) for symbol, value in _VALUES.items()}
    for position in range(1, 31)
)
"""What each symbol adds to the check at its position, from the first on."""


def encode(number: int, length: int) -> str:
    """Write ``number`` in exactly ``length`` symbols of Crockford's base32."""
    assert 0 <= number < 1 << 5 * length
    symbols = []
    for _ in range(length // 2):  # a million coupons have fifty million symbols: two at a time
        symbols.append(_PAIRS[number & 1023])
        number >>= 10
    if length % 2:
        symbols.append(ALPHABET[number])
    symbols.reverse()
    return "".join(symbols)


def decode(text: str) -> int | None:
    """Read a number from canonical Crockford symbols; None if any symbol is not one."""
    if not text or not _SYMBOLS.issuperset(text):
        return None
    return int(text.translate(_DIGITS), 32)


def check_symbol(symbols: str) -> str:
    """Return the symbol that makes a slip of one key, or a swap of two, visible."""
    total = 0
    for added, symbol in zip(_CHECKS, symbols, strict=False):
        total ^= added[symbol]
    return ALPHABET[total]


@dataclass(frozen=True, slots=True)
class QrText:
    """A QR text taken apart; its MAC is not yet verified."""

    address: str
    kid: int
    tag: int
    locator: int
    body: str
    """Kid, tag and locator as they stand in the text: what the MAC is of."""
    mac: str


def qr_body(kid: int, tag: int, locator: int) -> str:
    """Write what a QR says, without its MAC."""
    return encode(kid, KID_LENGTH) + encode(tag, TAG_LENGTH) + encode(locator, LOCATOR_LENGTH)


def qr_mac(mac_key: bytes, body: str) -> str:
    """Return the 115-bit MAC, as 23 symbols, of what a QR says."""
    digest = hmac.digest(mac_key, _MAC_LABEL + b"\0" + body.encode(), "sha256")
    return encode(int.from_bytes(digest[:15]) >> 5, MAC_LENGTH)


def build_qr(address: str, mac_key: bytes, kid: int, tag: int, *, locator: int) -> str:
    """Write the text of a QR that opens ``locator`` of the tenant whose tag is ``tag``."""
    body = qr_body(kid, tag, locator)
    return address.upper().rstrip("/") + _QR_MARK + body + qr_mac(mac_key, body)


def parse_qr(text: str) -> QrText | None:
    """Take a QR text apart, as printed and not one symbol otherwise; None if it is not one."""
    if len(text) <= QR_TAIL_LENGTH + len(_QR_MARK):
        return None
    head, tail = text[:-QR_TAIL_LENGTH], text[-QR_TAIL_LENGTH:]
    if not head.endswith(_QR_MARK) or not _SYMBOLS.issuperset(tail):
        return None
    tag_at = KID_LENGTH + TAG_LENGTH
    mac_at = tag_at + LOCATOR_LENGTH
    kid, tag, locator = (
        decode(part) for part in (tail[:KID_LENGTH], tail[KID_LENGTH:tag_at], tail[tag_at:mac_at])
    )
    assert kid is not None
    assert tag is not None
    assert locator is not None
    return QrText(head.removesuffix(_QR_MARK), kid, tag, locator, tail[:mac_at], tail[mac_at:])


def is_genuine(qr: QrText, mac_key: bytes) -> bool:
    """Whether the MAC of ``qr`` was made with ``mac_key``."""
    return hmac.compare_digest(qr.mac, qr_mac(mac_key, qr.body))


def build_typed(batch_key: bytes, locator: int) -> str:
    """Write the 16 symbols of the code that opens ``locator``, without hyphens."""
    digest = hmac.digest(batch_key, locator.to_bytes(8), "sha256")
    symbols = encode(int.from_bytes(digest[:10]) >> 5, TYPED_LENGTH - 1)
    return symbols + check_symbol(symbols)


def fold_typed(text: str) -> str:
    """Return what was typed as a code is written, whether it is one or not."""
    folded = unicodedata.normalize("NFKC", text).upper().translate(_FORGIVEN)
    return "".join(c for c in folded if not (c.isspace() or c in DASHES))


def parse_typed(text: str) -> str | None:
    """Return the 16 canonical symbols of a code typed by hand; None if it cannot be one.

    Case, width, spaces and hyphens do not matter; I and L are read as 1, O as 0.
    """
    symbols = fold_typed(text)
    if len(symbols) != TYPED_LENGTH or not _SYMBOLS.issuperset(symbols):
        return None
    return symbols if check_symbol(symbols[:-1]) == symbols[-1] else None


def group_typed(symbols: str) -> str:
    """Write a typed code as people read it: four groups of four."""
    return "-".join(symbols[i : i + 4] for i in range(0, TYPED_LENGTH, 4))
