"""B5 judges what it saw: accepted, turned away, unanswered, and which of them came sooner."""

from __future__ import annotations

from array import array

import pytest

from bench.load import BROKEN, UNSENT, Load
from bench.overload import (
    DEVICES,
    PAID,
    SHOWN,
    TURNED_AWAY,
    Surge,
    _addresses,
    _notes_of_rush,
    _notes_of_surge,
)


def load_of(seconds=10.0, **by_status):
    latencies = {int(name.removeprefix("s")): array("d", v) for name, v in by_status.items()}
    return Load(seconds=seconds, latencies=latencies, own_cpu_s=2.0)


def surge_of(paid, turned_away):
    load = load_of(s201=paid, s503=turned_away)
    return Surge(load=load, server_cpu_s=15.0)


@pytest.mark.parametrize(
    ("paid", "turned_away", "is_faster"),
    [
        ([0.05] * 100, [0.01] * 100, True),
        ([0.05] * 100, [0.06] * 100, False),
        ([0.05] * 100, [0.01] * 90 + [0.2] * 10, False),  # the slowest refusals are slower
        ([0.01] * 100, [0.02] * 60 + [0.001] * 40, False),  # the middle one is slower
    ],
)
def test_refusals_must_be_faster_in_the_middle_and_at_the_end(paid, turned_away, is_faster):
    assert surge_of(paid, turned_away).refuses_faster is is_faster


def test_what_was_accepted_counts_over_the_whole_time_until_the_last_answer():
    assert surge_of([0.05] * 120, [0.01]).accepted == 12


def test_what_got_no_answer_is_counted_and_told():
    load = load_of(s201=[0.05] * 8, s503=[0.01] * 4)
    load.note(BROKEN, 1.0)
    load.note(UNSENT, 5.0)
    found = Surge(load=load, server_cpu_s=15.0)
    assert found.unanswered == 2
    notes = " ".join(_notes_of_surge(found, recovered_s=None))
    assert "8 accepted, 4 turned away, 2 without an answer" in notes
    assert "not within 10 s" in notes
    assert "20% of one core" in notes
    assert "after 0.6 s" in " ".join(_notes_of_surge(found, recovered_s=0.61))


def test_the_rush_is_told_beside_the_payments():
    alone, beside = load_of(s201=[0.010] * 100), load_of(s201=[0.011] * 100)
    visits = Load(seconds=10.0, latencies={SHOWN: array("d", [0.1]), TURNED_AWAY: array("d", [0])})
    notes = " ".join(_notes_of_rush(alone, beside, visits))
    assert "p99 +10%" in notes
    assert "1 let in, 1 turned away" in notes
    assert alone.count(PAID) == 100


def test_every_device_has_an_address_of_this_machine():
    found = _addresses()
    assert len(set(found)) == DEVICES
    assert all(address.startswith("127.") and not address.endswith(".0") for address in found)
