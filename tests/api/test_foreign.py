"""Callers with a token of another issuer at the API: served, refused, and never in others' way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from giftpad import audit, guard, identity, tenancy
from giftpad.edge import callers
from giftpad.edge.requests import scope_of
from giftpad.identity.queries import foreign_keys
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.make_foreign import SUBJECT, ForeignIssuer, entry, trust
from tests.make_identity import make_machine, work_of
from tests.waiting import wait_for


@pytest.fixture
def scope(bound):
    """The tenant that the other issuer may speak for."""
    return make.make_tenant()


@pytest.fixture
def foreign(scope, app, tmp_path):
    issuer = ForeignIssuer()
    trust(tmp_path, entry(issuer.address, tenancy.get_tenant(scope.tenant_id).slug))
    yield issuer
    issuer.close()
    identity.bind_trusted_issuers("", ours="")


def ask(app, token, path="/probe"):
    return app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})


def told(answered):
    return answered.status_code, answered.json["code"]


@pytest.mark.parametrize("profile", ["auth0", "rfc9068"])
def test_a_caller_of_another_issuer_is_served_in_the_tenant_of_its_organisation(
    app, scope, foreign, profile
):
    token = foreign.sign(foreign.claims(profile=profile))
    seen = ask(app, token).json
    assert seen["tenant_id"] == str(scope.tenant_id)
    assert seen["client_id"] == f"{foreign.address}|{SUBJECT}"
    assert seen["permissions"] == ["coupons:read"]


def test_a_token_that_is_not_good_is_refused_as_ours_are(app, foreign):
    answered = ask(app, foreign.token(org_id="org_Foreign2"))
    assert told(answered) == (401, "token.invalid")
    assert 'error="invalid_token"' in answered.headers["WWW-Authenticate"]


def test_a_permission_that_the_file_does_not_allow_is_missing(app, foreign):
    answered = ask(app, foreign.token(permissions=["coupons:issue"]))
    assert told(answered) == (403, "permission.missing")


def test_a_suspended_tenant_is_shut_for_foreign_tokens_too(app, scope, foreign):
    with work_of(scope) as work:
        tenancy.suspend_tenant(work)
    tenancy.forget_tenants()
    assert told(ask(app, foreign.token())) == (403, "tenant.suspended")


def test_a_foreign_token_opens_no_page(app, foreign):
    answered = ask(app, foreign.token(permissions=["coupons:read"]), "/desk/batches")
    assert answered.status_code == 303
    assert answered.headers["Location"].startswith("/sign-in")


def test_limits_of_one_are_not_those_of_another_with_its_name(app, scope, foreign, tmp_path):
    namesake = make_machine(app, scope=scope, limits=identity.Limits(rate_s=1, burst=1))
    token = namesake.token()
    assert [namesake.get("/probe", token).status_code for _ in range(2)] == [200, 429]
    other = ForeignIssuer()
    slug = tenancy.get_tenant(scope.tenant_id).slug
    trust(tmp_path, *(entry(issuer.address, slug) for issuer in (foreign, other)))
    theirs = {"sub": namesake.client_id, "azp": namesake.client_id}
    names = []
    for issuer in (foreign, other):
        answered = ask(app, issuer.token(**theirs))
        assert answered.status_code == 200
        names.append(answered.json["client_id"])
    assert len({namesake.client_id, *names}) == 3
    other.close()


def test_the_same_key_of_two_namesakes_is_two_keys(app, scope, foreign):
    namesake = make_machine(app, scope=scope)
    theirs = foreign.token(sub=namesake.client_id, azp=namesake.client_id)
    for token in (namesake.token(), theirs):
        caller = callers.identify_token(token)
        with unit_of_work(scope_of(caller, "a-request")) as work:
            assert guard.once(work, "one key", token.encode()[-32:]) is None
            kept_for = guard.KEPT_FOR_OTHERS
            guard.remember(work, "one key", guard.Answer(200, {}), kept_for=kept_for)
            audit.record(work, action="test.done", subject="a test")
    with unit_of_work(scope) as work:
        actors = work.session.execute(sa.text("SELECT actor ->> 'id' FROM audit_entries")).scalars()
        assert {namesake.client_id, f"{foreign.address}|{namesake.client_id}"} <= set(actors)


def test_a_key_that_is_withdrawn_ends_tokens_that_are_remembered(app, foreign, monkeypatch):
    now = [1e6]
    monkeypatch.setattr(foreign_keys, "now_s", lambda: now[0])
    old = foreign.token()
    assert ask(app, old).status_code == 200
    foreign.kids = ["second"]
    now[0] += 600
    assert ask(app, old).status_code == 200  # remembered, and the key is held
    assert ask(app, foreign.token(jti="other")).status_code == 200  # but somebody looks now
    wait_for(lambda: foreign.readings == 2)
    wait_for(lambda: ask(app, old).status_code == 401)
    assert ask(app, foreign.sign(kid="second")).status_code == 200


def test_an_issuer_that_is_slow_holds_up_two_of_its_own_callers_and_nobody_else(
    app, foreign, machine, monkeypatch
):
    monkeypatch.setattr(foreign_keys, "WAIT_S", 20.0)
    own = machine.token()
    tokens = [foreign.token(jti=f"t{number}") for number in range(20)]
    foreign.gate.clear()
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(ask, app, token) for token in tokens[:2]]
        wait_for(lambda: foreign_keys._waiting._value == 0)
        for token in tokens[2:]:
            answered = ask(app, token)
            assert told(answered) == (503, "issuer.unavailable")
            assert int(answered.headers["Retry-After"]) >= 1
            callers.forget_callers()
            assert machine.get("/probe", own).status_code == 200
        assert not any(asked.done() for asked in waiting)
        foreign.gate.set()
        assert [asked.result().status_code for asked in waiting] == [200, 200]
    assert foreign.readings == 1
    assert ask(app, tokens[2]).status_code == 200


def test_an_issuer_that_is_gone_is_told_honestly(app, foreign, machine):
    token = foreign.token()
    foreign.close()
    for _ in range(3):
        assert told(ask(app, token)) == (503, "issuer.unavailable")
    assert machine.get("/probe").status_code == 200


def test_an_issuer_that_lies_about_its_name_is_believed_in_nothing(app, foreign):
    foreign.named = "https://other.example/"
    assert told(ask(app, foreign.token())) == (503, "issuer.unavailable")
    assert foreign.readings == 0
