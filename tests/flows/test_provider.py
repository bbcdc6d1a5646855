"""The provider over HTTP, by two server processes: what can be had once, and keys that change."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from joserfc import jws

from giftpad.kernel.config import read_settings
from tests.flows.http import Caller
from tests.flows.tills import wait_for
from tests.flows.visitor import make_running_client, visitor_of

AT_ONCE = 50
ROTATIONS = 5
TRIES_MAX = 200
NOT_NOW = (429, 503)
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def _two_processes(product):
    assert read_settings(product.environment).web_workers >= 2


def heard(ask, *given, **more):
    """Ask as a client does: again while the answer is 'not now'."""
    for _ in range(TRIES_MAX):
        with contextlib.suppress(OSError, http.client.HTTPException):
            status, body = ask(*given, **more)
            if status not in NOT_NOW:
                return status, body
        time.sleep(0.1)  # a client asks again
    message = "never heard"
    raise AssertionError(message)


def at_once(ask, *given, **more):
    """Let many ask the same at one moment, and return who won and who lost."""
    start = threading.Barrier(AT_ONCE)

    def one(_):
        start.wait()
        return heard(ask, *given, **more)

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        answers = list(crowd.map(one, range(AT_ONCE)))
    won = [body for status, body in answers if status == 200]
    lost = [body["error"] for status, body in answers if status == 400]
    assert len(won) + len(lost) == AT_ONCE, answers
    return won, lost


def knows(product, token):
    """Whether the provider says who a token's person is."""
    status, _ = Caller(product.port, token).call("GET", "/userinfo")
    return status == 200


def family_is_dead(product, app, tokens):
    """Assert that nothing of what a client got is good any more, whichever process is asked."""
    status, body = heard(app.refresh, tokens["refresh_token"])
    assert (status, body["error"]) == (400, "invalid_grant")
    wait_for(lambda: not any(knows(product, tokens["access_token"]) for _ in range(8)))


def test_of_fifty_with_one_code_one_wins_and_loses_it_again(product):
    app = make_running_client(product, "spa")
    won, lost = at_once(app.exchange, app.code(visitor_of(product)))
    assert (len(won), set(lost)) == (1, {"invalid_grant"})
    family_is_dead(product, app, won[0])


def test_of_fifty_with_one_refresh_token_one_wins_and_loses_it_again(product):
    app = make_running_client(product, "web")
    status, first = app.exchange(app.code(visitor_of(product)))
    assert status == 200
    won, lost = at_once(app.refresh, first["refresh_token"])
    assert (len(won), set(lost)) == (1, {"invalid_grant"})
    assert won[0]["refresh_token"] != first["refresh_token"]
    family_is_dead(product, app, won[0])


def test_of_fifty_that_ask_for_a_device_one_gets_the_tokens(product):
    device = make_running_client(product, "device", "--permission", "shops:read")
    _, shown = device.ask("/oauth/device/code", scope="openid offline_access")
    owner = visitor_of(product)
    owner.sign_in()
    address = owner.issuer + "activate"
    _, _, page = owner.ask(address)
    _, _, page = owner.fill_in(address, page, "/activate", user_code=shown["user_code"])
    start = threading.Barrier(AT_ONCE)

    def approve(_):
        start.wait()
        return owner.fill_in(address, page, "/activate/answer", answer="yes")[0]

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        assert 303 in set(crowd.map(approve, range(AT_ONCE)))
    with psycopg.connect(product.superuser()) as connection:
        (families,) = connection.execute(
            "SELECT count(*) FROM identity_authorisations WHERE client_id = %s",
            [device.client_id],
        ).fetchone()
    assert families == 1
    won, lost = at_once(device.ask, grant_type=DEVICE_GRANT, device_code=shown["device_code"])
    assert (len(won), set(lost)) == (1, {"invalid_grant"})
    assert heard(device.refresh, won[0]["refresh_token"])[0] == 200


class Callers:
    """Programs and people's apps at work, which write down every answer that is not a yes."""

    def __init__(self, product):
        self.product = product
        self.stop = threading.Event()
        self.refused, self.keys = [], set()
        self.answers = []

    def note(self, what, status, body):
        self.answers.append(status)
        if status != 200:
            self.refused.append((what, status, body))

    def use(self, token):
        """Call with a token twice, and remember which key has signed it."""
        self.keys.add(jws.extract_compact(token.encode()).headers()["kid"])
        for _ in range(2):
            answer = Caller(self.product.port, token).call("GET", "/api/v1/shops?limit=1")
            self.note("api", *answer)

    def be_machine(self, machine):
        while not self.stop.wait(0.2):  # a program works between its calls, too
            status, body = machine.ask(grant_type="client_credentials")
            self.note("token", status, body)
            if status == 200:
                self.use(body["access_token"])

    def be_app(self, app, tokens):
        while not self.stop.wait(0.2):
            status, body = app.refresh(tokens["refresh_token"])
            self.note("refresh", status, body)
            if status != 200:
                return
            tokens = body
            self.use(tokens["access_token"])

    def be_old(self, token):
        while not self.stop.wait(0.1):
            self.use(token)


def test_nobody_is_refused_while_keys_change(product):
    callers = Callers(product)
    shops = ("--permission", "shops:read")
    machines = [make_running_client(product, "machine", *shops) for _ in range(2)]
    app = make_running_client(product, "web", *shops)
    audience = f"http://localhost:{product.port}/api/v1"
    status, tokens = app.exchange(app.code(visitor_of(product), audience=audience))
    assert status == 200
    _, old = machines[0].ask(grant_type="client_credentials")
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(callers.be_machine, each) for each in machines]
        work.append(pool.submit(callers.be_app, app, tokens))
        work.append(pool.submit(callers.be_old, old["access_token"]))
        try:
            for _ in range(ROTATIONS):
                product.must("keys", "rotate", "--now")
                seen = len(callers.answers)
                wait_for(lambda seen=seen: len(callers.answers) > seen + 20)
        finally:
            callers.stop.set()
        for each in work:
            each.result()
    assert not callers.refused
    assert len(callers.keys) >= 3
    published = json.loads(Caller(product.port).call("GET", "/.well-known/jwks.json")[1])
    assert callers.keys <= {key["kid"] for key in published["keys"]}
