"""Ten thousand codes that are nearly right: none opens anything, and none tells why."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import random
import statistics
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from tests.flows.conftest import TENANT
from tests.flows.http import Caller
from tests.hostile.codes import mutate_qr, mutate_typed
from tests.make_coupons import read_paper

OTHER = "hanamaru"
LOOK_UP, PAY = "/api/v1/instruments/lookup", "/api/v1/payments"
FACE_MINOR = 1000
SAMPLES = 300


class Guesser:
    """A till whose limits are as high as they go, with one kept connection a thread."""

    def __init__(self, product, *, failed_codes=100_000):
        self.port, self.shop_id = product.port, product.shops()[0]
        words = ["client", "create", "--tenant", TENANT, "--name", "guesser", "--json"]
        words += ["--permission", "payments:accept", "--shop", self.shop_id]
        words += ["--rate", "100000", "--burst", "100000", "--failed-codes", str(failed_codes)]
        form = urlencode({"grant_type": "client_credentials"} | json.loads(product.must(*words)))
        kind = "application/x-www-form-urlencoded"
        answer = Caller(self.port).ask("POST", "/oauth/token", form, wanted=200, content_type=kind)
        self.token = answer["access_token"]

    @contextlib.contextmanager
    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            yield connection

    def show_once(self, code, *, pays=False):
        with self.connect() as connection:
            return self.show(connection, code, pays=pays)

    def show(self, connection, code, *, pays):
        """Show a code; return the status, the headers that are not ours to compare, the body."""
        order = {"instrument": {"kind": "coupon", "code": code}} | (
            {"amount_minor": 1} if pays else {}
        )
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept-Language": "en",
            "Idempotency-Key": uuid.uuid4().hex,
        }
        while True:
            connection.request("POST", PAY if pays else LOOK_UP, json.dumps(order), headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 503:  # too much at once is no answer about a code
                break
        kept = tuple(
            (name.lower(), value)
            for name, value in answer.getheaders()
            if name.lower() not in ("date", "x-request-id")
        )
        return answer.status, kept, body


@pytest.fixture(scope="module")
def paper(product):
    """A batch, and the genuine codes of its coupons: QR text and typed code."""
    batch = product.batch(8)
    path = f"/api/v1/coupon-batches/{batch['id']}/pdf?volume=1"
    return batch, read_paper(product.caller().call("GET", path)[1])


@pytest.fixture(scope="module")
def guesser(product):
    """A till that may guess as much as it likes."""
    return Guesser(product)


@pytest.fixture(scope="module")
def foreign(product):
    """A genuine QR and a genuine typed code of another tenant."""
    office = product.caller(tenant=OTHER)
    programme = office.ask("GET", "/api/v1/programmes", wanted=200)["items"][0]
    order = {"programme_id": programme["id"], "quantity": 8, "face_value_minor": FACE_MINOR}
    batch = office.ask("POST", "/api/v1/coupon-batches", order, key=True, wanted=202)
    path = f"/api/v1/coupon-batches/{batch['id']}"
    deadline = time.monotonic() + 180
    while office.ask("GET", path, wanted=200)["state"] != "ready":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    office.ask("POST", f"{path}/release", {}, key=True, wanted=200)
    return read_paper(office.call("GET", f"{path}/pdf?volume=1")[1])[0]


def guess(guesser, texts):
    """Show all texts, alternately to look up and to pay; return the different answers to each."""

    def show_some(part):
        found = {}
        with guesser.connect() as connection:
            for number, text in enumerate(part):
                answer = guesser.show(connection, text, pays=number % 2 == 0)
                found.setdefault(answer, text)
        return found

    with ThreadPoolExecutor(max_workers=4) as pool:
        parts = pool.map(show_some, [texts[n::4] for n in range(4)])
        answers = {}
        for part in parts:
            answers |= part
    return answers


def check_nothing_opens(product, guesser, paper, foreign, *, count):
    batch, pairs = paper
    chance = random.Random(count)
    qr, typed = pairs[0]
    texts = list(itertools.islice(mutate_qr(qr, chance), count // 2))
    texts += list(itertools.islice(mutate_typed(typed, chance), count // 2))
    texts = [text for text in texts if text and len(text) <= 200] + [*foreign] * 20
    answers = guess(guesser, texts)
    assert len(answers) == 1, [(a[0], a[2][:200], text) for a, text in answers.items()]
    ((status, _, body),) = answers
    assert status == 404
    assert json.loads(body)["code"] == "instrument.not_found"
    assert "request_id" not in json.loads(body)
    shown = product.caller().ask("GET", f"/api/v1/coupons/{batch['serial_first']}", wanted=200)
    assert (shown["balance_minor"], shown["payments"]) == (FACE_MINOR, [])
    assert guesser.show_once(qr)[0] == 200, "the genuine one still opens"


def test_five_hundred_codes_that_are_nearly_right_open_nothing(product, guesser, paper, foreign):
    check_nothing_opens(product, guesser, paper, foreign, count=500)


@pytest.mark.long
def test_ten_thousand_codes_that_are_nearly_right_open_nothing(product, guesser, paper, foreign):
    check_nothing_opens(product, guesser, paper, foreign, count=10_000)
    product.must("ledger", "verify", "--tenant", TENANT)


@pytest.mark.parametrize(
    ("text", "status"),
    [("", 422), ("x" * 201, 422), ("\0", 400), ("\ud800", 400), ("x" * 200, 404), (" ", 404)],
)
def test_what_is_no_text_for_a_code_is_refused_before_it_is_looked_for(guesser, text, status):
    for pays in (False, True):
        assert guesser.show_once(text, pays=pays)[0] == status


def test_the_limit_of_guesses_holds_for_one_client_and_no_other(product, guesser, paper):
    (qr, _), few = paper[1][1], Guesser(product, failed_codes=10)
    head, tail = qr[:-4], qr[-4:]
    wrong = head + ("0000" if tail != "0000" else "1111")
    statuses = [few.show_once(wrong)[0] for _ in range(40)]
    barred = statuses.index(429)
    # Each process learns of it by its own next wrong one.
    assert 5 <= barred <= 20
    assert set(statuses[barred + 2 :]) == {429}
    status, headers, body = few.show_once(qr, pays=True)
    assert (status, json.loads(body)["code"]) == (429, "limit.failed_codes")
    assert int(dict(headers)["retry-after"]) > 0
    assert guesser.show_once(qr)[0] == 200


@pytest.mark.long
def test_the_time_tells_nothing_of_what_is_wrong_with_a_code(guesser, paper, foreign):
    chance = random.Random(7)
    qr, typed = paper[1][2]
    kinds = {
        "forged": (qr[:-4] + ("0000" if not qr.endswith("0000") else "1111")),
        "foreign": foreign[0],
        "of nobody": qr[:-35] + "0000" + qr[-31:],
    }
    unknown = mutate_typed(typed, chance)
    typed_kinds = {"unknown": next(unknown), "foreign": foreign[1]}
    for alike in (kinds, typed_kinds):
        times = {what: [] for what in alike}
        with guesser.connect() as connection:
            for what, code in list(alike.items()) * SAMPLES:
                began = time.perf_counter()
                assert guesser.show(connection, code, pays=False)[0] == 404
                times[what].append(time.perf_counter() - began)
        middles = {what: statistics.median(each) for what, each in times.items()}
        assert max(middles.values()) < 1.5 * min(middles.values()) + 0.0005, middles
