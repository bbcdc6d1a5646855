"""Codes that people type and scanners read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from giftpad.kernel import codes

KEY = b"k" * 32
BATCH = b"b" * 32


@given(st.integers(0, codes.LOCATOR_MAX))
def test_a_qr_says_what_it_was_built_from(locator):
    text = codes.build_qr("https://pay.example", KEY, 3, 77, locator=locator)
    qr = codes.parse_qr(text)
    assert (qr.address, qr.kid, qr.tag, qr.locator) == ("HTTPS://PAY.EXAMPLE", 3, 77, locator)
    assert codes.is_genuine(qr, KEY)
    assert not codes.is_genuine(qr, BATCH)


@given(st.integers(0, codes.LOCATOR_MAX), st.integers(0, 35), st.sampled_from(codes.ALPHABET))
def test_a_changed_symbol_makes_a_qr_false(locator, at, symbol):
    text = codes.build_qr("http://localhost:8000", KEY, 0, 5, locator=locator)
    place = len(text) - codes.QR_TAIL_LENGTH + at
    changed = text[:place] + symbol + text[place + 1 :]
    qr = codes.parse_qr(changed)
    assert changed == text or not codes.is_genuine(qr, KEY)


@pytest.mark.parametrize(
    "change", [str.lower, lambda t: t + " ", lambda t: t[:-1], lambda t: "x" + t[40:]]
)
def test_a_qr_counts_only_as_printed(change):
    text = codes.build_qr("http://localhost:8000", KEY, 0, 5, locator=9)
    qr = codes.parse_qr(change(text))
    assert qr is None or not codes.is_genuine(qr, KEY)


@given(st.integers(0, codes.LOCATOR_MAX))
def test_a_typed_code_is_forgiven_its_looks(locator):
    symbols = codes.build_typed(BATCH, locator)
    loose = codes.group_typed(symbols).lower().replace("1", "l").replace("0", "o")
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else "　" for c in loose)
    assert codes.parse_typed(symbols) == symbols
    assert codes.parse_typed(f"  {loose} ") == symbols
    assert codes.parse_typed(wide) == symbols
    for dash in codes.DASHES:
        assert codes.parse_typed(codes.group_typed(symbols).replace("-", dash)) == symbols


@given(st.integers(0, codes.LOCATOR_MAX), st.integers(0, 15), st.sampled_from(codes.ALPHABET))
def test_one_wrong_key_is_always_noticed(locator, at, symbol):
    symbols = codes.build_typed(BATCH, locator)
    changed = symbols[:at] + symbol + symbols[at + 1 :]
    assert changed == symbols or codes.parse_typed(changed) is None


@given(st.integers(0, codes.LOCATOR_MAX), st.integers(0, 14))
def test_two_swapped_keys_are_always_noticed(locator, at):
    symbols = codes.build_typed(BATCH, locator)
    swapped = symbols[:at] + symbols[at + 1] + symbols[at] + symbols[at + 2 :]
    assert swapped == symbols or codes.parse_typed(swapped) is None
