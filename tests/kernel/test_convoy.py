"""Who comes while another is on its way travels together next, and gets an answer of its own."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from giftpad.kernel.convoy import Convoy
from giftpad.kernel.db import Busy
from tests.waiting import PATIENCE_S, wait_for


class Road:
    """Journeys of which the first waits until it is told to go on."""

    def __init__(self, *, most: int = 16, patience_s: float = PATIENCE_S):
        self.open, self.journeys = threading.Event(), []
        self.convoy = Convoy(self.travel, most=most, patience_s=patience_s)

    def travel(self, requests):
        self.journeys.append(list(requests))
        if requests == ["first"]:
            assert self.open.wait(PATIENCE_S)
        if "bad" in requests:
            message = "bad"
            raise ValueError(message)
        return [f"{request}!" for request in requests]


@pytest.fixture
def pool():
    with ThreadPoolExecutor(32) as threads:
        yield threads


def begin(road, pool):
    """Let one caller set out, who is held up on the way."""
    first = pool.submit(road.convoy.call, "first", group="a")
    wait_for(lambda: road.journeys)
    return first


def follow(road, pool, *requests, group="a"):
    coming = []
    for request in requests:
        there = road.convoy.count_waiting(group)
        coming.append(pool.submit(road.convoy.call, request, group=group))
        wait_for(lambda there=there: road.convoy.count_waiting(group) > there)
    return coming


def test_who_comes_while_nobody_travels_goes_at_once_and_alone(pool):
    road = Road()
    road.open.set()
    assert [road.convoy.call(each, group="a") for each in ("x", "y")] == ["x!", "y!"]
    assert road.journeys == [["x"], ["y"]]


def test_who_waited_travels_together_in_the_order_of_coming(pool):
    road = Road(most=3)
    coming = [begin(road, pool)]
    coming += follow(road, pool, "a1", "a2", "a3", "a4")
    road.open.set()
    answers = [each.result(PATIENCE_S) for each in coming]
    assert answers == ["first!", "a1!", "a2!", "a3!", "a4!"]
    assert road.journeys == [["first"], ["a1", "a2", "a3"], ["a4"]]
    assert road.convoy.count_waiting("a") is None


def test_one_group_never_waits_for_another(pool):
    road = Road()
    first = begin(road, pool)
    assert road.convoy.call("b1", group="b") == "b1!"
    assert not first.done()
    road.open.set()
    assert first.result(PATIENCE_S) == "first!"


def test_a_journey_that_fails_fails_for_all_of_it_and_the_next_goes_on(pool):
    road = Road(most=3)
    first = begin(road, pool)
    lost = follow(road, pool, "a1", "bad", "a2")
    next_ones = follow(road, pool, "a3", "a4")
    road.open.set()
    for each in lost:
        with pytest.raises(ValueError, match="bad"):
            each.result(PATIENCE_S)
    assert first.result(PATIENCE_S) == "first!"
    assert [each.result(PATIENCE_S) for each in next_ones] == ["a3!", "a4!"]
    with pytest.raises(ValueError, match="bad"):
        road.convoy.call("bad", group="a")
    assert road.convoy.call("after", group="a") == "after!"


def test_nobody_waits_for_ever_and_who_gave_up_is_not_taken_along(pool):
    road = Road(patience_s=0.01)
    first = begin(road, pool)
    with pytest.raises(Busy):
        road.convoy.call("late", group="a")
    road.open.set()
    assert first.result(PATIENCE_S) == "first!"
    assert road.convoy.call("next", group="a") == "next!"
    assert road.journeys == [["first"], ["next"]]


def test_an_end_of_the_process_leaves_nobody_behind(pool):
    road = Road()

    def travel(requests):
        if requests == ["first"]:
            assert road.open.wait(PATIENCE_S)
            raise SystemExit
        return list(requests)

    road.convoy = Convoy(travel, most=3, patience_s=PATIENCE_S)
    first = pool.submit(road.convoy.call, "first", group="a")
    wait_for(lambda: road.convoy.count_waiting("a") is not None)
    (second,) = follow(road, pool, "second")
    road.open.set()
    with pytest.raises(SystemExit):
        first.result(PATIENCE_S)
    assert second.result(PATIENCE_S) == "second"


def test_every_one_of_many_gets_the_answer_to_its_own_question(pool):
    numbers = itertools.count()
    journeys = []

    def travel(requests):
        journeys.append(len(requests))
        return [request * 2 for request in requests]

    convoy = Convoy(travel, most=5, patience_s=PATIENCE_S)

    def ask(_):
        mine = [next(numbers) for _ in range(200)]
        return all(convoy.call(number, group=number % 2) == 2 * number for number in mine)

    assert all(pool.map(ask, range(16)))
    assert sum(journeys) == 3200
    assert max(journeys) <= 5
    assert [convoy.count_waiting(group) for group in (0, 1)] == [None, None]
