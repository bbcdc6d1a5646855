"""Who comes while another is on its way travels together next, and gets an answer of its own."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from giftpad.kernel.convoy import Convoy, NotTogetherError

PATIENCE_S = 20


class Road:
    """Journeys of which the first waits until it is told to go on."""

    def __init__(self, *, most: int = 16):
        self.open, self.journeys = threading.Event(), []
        self.convoy = Convoy(self.travel, most=most)

    def travel(self, requests):
        self.journeys.append(list(requests))
        if len(self.journeys) == 1:
            assert self.open.wait(PATIENCE_S)
        if "bad" in requests:
            message = "bad"
            raise ValueError(message)
        return [f"{request}!" for request in requests]


@pytest.fixture
def pool():
    with ThreadPoolExecutor(32) as threads:
        yield threads


def wait_for(happened):
    """Wait for another thread to come so far, looking every millisecond."""
    for _ in range(PATIENCE_S * 1000):
        if happened():
            return
        threading.Event().wait(0.001)
    raise AssertionError


def begin(road, pool):
    """Let one caller set out, who is held up on the way."""
    first = pool.submit(road.convoy.call, "first", group="a")
    wait_for(lambda: road.journeys)
    return first


def follow(road, pool, *requests, group="a"):
    coming = []
    for request in requests:
        there = road.convoy.waiting
        coming.append(pool.submit(road.convoy.call, request, group=group))
        wait_for(lambda there=there: road.convoy.waiting > there)
    return coming


def test_who_comes_while_nobody_travels_goes_at_once_and_alone(pool):
    road = Road()
    road.open.set()
    assert [road.convoy.call(each, group="a") for each in ("x", "y")] == ["x!", "y!"]
    assert road.journeys == [["x"], ["y"]]


def test_who_waited_travels_together_by_group_in_the_order_of_coming(pool):
    road = Road(most=3)
    coming = [begin(road, pool)]
    coming += follow(road, pool, "a1", "a2")
    coming += follow(road, pool, "b1", group="b")
    coming += follow(road, pool, "a3", "a4")
    road.open.set()
    answers = [each.result(PATIENCE_S) for each in coming]
    assert answers == ["first!", "a1!", "a2!", "b1!", "a3!", "a4!"]
    assert road.journeys == [["first"], ["a1", "a2", "a3"], ["b1"], ["a4"]]


def test_a_journey_that_fails_is_nobodys_and_the_next_goes_on(pool):
    road = Road(most=3)
    first = begin(road, pool)
    lost = follow(road, pool, "a1", "bad", "a2")
    next_ones = follow(road, pool, "a3", "a4")
    road.open.set()
    for each in lost:
        with pytest.raises(NotTogetherError):
            each.result(PATIENCE_S)
    assert first.result(PATIENCE_S) == "first!"
    assert [each.result(PATIENCE_S) for each in next_ones] == ["a3!", "a4!"]
    with pytest.raises(ValueError, match="bad"):
        road.convoy.call("bad", group="a")
    assert road.convoy.call("after", group="a") == "after!"


def test_every_one_of_many_gets_the_answer_to_its_own_question(pool):
    numbers = itertools.count()
    journeys = []

    def travel(requests):
        journeys.append(len(requests))
        return [request * 2 for request in requests]

    convoy = Convoy(travel, most=5)

    def ask(_):
        mine = [next(numbers) for _ in range(200)]
        return all(convoy.call(number, group=number % 2) == 2 * number for number in mine)

    assert all(pool.map(ask, range(16)))
    assert sum(journeys) == 3200
    assert max(journeys) <= 5
    assert convoy.waiting == 0
