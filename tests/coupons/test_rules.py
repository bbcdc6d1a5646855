"""Serials, parts and states, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from giftpad.coupons import rules

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(days=1), NOW - timedelta(days=1)


@pytest.mark.parametrize(
    "written",
    [
        "MC-0000042",
        "mc-42",
        "MC42",
        "\uff2d\uff23\uff0d\uff14\uff12",
        "MC \u2212 042",
        "MC\u30fc42",
    ],
)
def test_a_serial_is_read_however_it_is_written(written):
    assert rules.parse_serial(written) == ("MC", 42)


@pytest.mark.parametrize(
    "written", ["", "42", "MC", "MC-", "MC-4x", "-42", "MC-1234567890123456", "\U0001f600"]
)
def test_what_is_no_serial_is_not_read(written):
    assert rules.parse_serial(written) is None


def test_a_prefix_that_ends_in_a_digit_needs_its_hyphen():
    assert rules.parse_serial("M2-7") == ("M2", 7)
    assert rules.parse_serial("M27") == ("M", 27)


def test_what_is_printed_is_read_back():
    assert rules.parse_serial(rules.format_serial("M2", 12_345_678)) == ("M2", 12_345_678)


@pytest.mark.parametrize(("quantity", "parts"), [(1, 1), (50_000, 1), (50_001, 2), (1_000_000, 20)])
def test_parts_cover_a_batch_without_gap_or_overlap(quantity, parts):
    cut = list(rules.split(7, quantity, rules.CHUNK_COUNT_MAX))
    assert [part.number for part in cut] == list(range(1, parts + 1))
    ends = [part.serial_first + part.quantity for part in cut]
    assert [part.serial_first for part in cut] == [7, *ends[:-1]]
    assert ends[-1] == 7 + quantity


@pytest.mark.parametrize(
    ("alias", "released_at", "ends_at", "state"),
    [
        ("live", None, LATER, "issued"),
        ("live", EARLIER, LATER, "active"),
        ("blocked", None, LATER, "blocked"),
        ("blocked", EARLIER, LATER, "blocked"),
        ("live", EARLIER, NOW, "expired"),
        ("live", None, NOW, "expired"),
        ("blocked", EARLIER, EARLIER, "expired"),
        ("replaced", EARLIER, LATER, "replaced"),
        ("replaced", EARLIER, EARLIER, "replaced"),
    ],
)
def test_the_state_of_a_coupon(alias, released_at, ends_at, state):
    shown = rules.state_of_coupon(alias, released_at=released_at, ends_at=ends_at, now=NOW)
    assert shown == state


@pytest.mark.parametrize(
    ("volumes", "state"),
    [
        (["due", "due"], "printing"),
        (["ready", "due"], "printing"),
        (["verifying", "printing"], "printing"),
        (["ready", "verifying"], "verifying"),
        (["ready", "ready"], "ready"),
        (["ready", "failed", "due"], "failed"),
    ],
)
def test_a_batch_follows_its_volumes(volumes, state):
    assert rules.state_of_print(volumes) == state
