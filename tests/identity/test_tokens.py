"""Which tokens are believed, and which are not."""

from __future__ import annotations

import base64
import hmac
import json
import time
from contextlib import contextmanager

import pytest
from joserfc.jwk import RSAKey

from giftpad import identity
from giftpad.identity.queries import find_signer
from tests.make_identity import claims_of, make_machine, sign


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unsigned(machine) -> str:
    kid, _ = find_signer()
    header = _b64(json.dumps({"alg": "none", "typ": "at+jwt", "kid": kid}).encode())
    return f"{header}.{_b64(json.dumps(claims_of(machine)).encode())}."


def _hmac_with_public_key(machine) -> str:
    kid, key = find_signer()
    header = _b64(json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": kid}).encode())
    body = f"{header}.{_b64(json.dumps(claims_of(machine)).encode())}"
    return f"{body}.{_b64(hmac.digest(key.as_pem(private=False), body.encode(), 'sha256'))}"


def _foreign_key_in_header(machine) -> str:
    foreign = RSAKey.generate_key(2048)
    header = {"jwk": foreign.as_dict(private=False)}
    return sign(claims_of(machine), key=foreign, header=header)


def _json_serialised(machine) -> str:
    protected, payload, signature = sign(claims_of(machine)).split(".")
    return json.dumps({"payload": payload, "protected": protected, "signature": signature})


def _changed(machine) -> str:
    protected, _, signature = sign(claims_of(machine)).split(".")
    more = claims_of(machine, permissions=["coupons:read", "members:manage"])
    return f"{protected}.{_b64(json.dumps(more).encode())}.{signature}"


def _id_token(machine) -> str:
    claims = claims_of(machine, aud=machine.client_id, nonce="n", permissions=None)
    return sign(claims, header={"typ": "JWT"})


HOUR_AGO, SOON = int(time.time()) - 3600, int(time.time()) + 3600
REFUSED = {
    "expired": lambda m: sign(claims_of(m, iat=HOUR_AGO - 600, exp=HOUR_AGO)),
    "from the future": lambda m: sign(claims_of(m, iat=SOON, exp=SOON + 600)),
    "not yet valid": lambda m: sign(claims_of(m, nbf=SOON)),
    "without an end": lambda m: sign(claims_of(m, exp=None)),
    "with an end that is no number": lambda m: sign(claims_of(m, exp="tomorrow")),
    "of another issuer": lambda m: sign(claims_of(m, iss="https://evil.example/")),
    "of our issuer without its slash": lambda m: sign(
        claims_of(m, iss=identity.issuer().address.rstrip("/"))
    ),
    "with a list of issuers": lambda m: sign(claims_of(m, iss=[identity.issuer().address])),
    "for another API": lambda m: sign(claims_of(m, aud="https://evil.example/api")),
    "for no API": lambda m: sign(claims_of(m, aud=None)),
    "of type JWT": lambda m: sign(claims_of(m), header={"typ": "JWT"}),
    "without a type": lambda m: sign(claims_of(m), header={"typ": None}),
    "like an ID token": _id_token,
    "without a key id": lambda m: sign(claims_of(m), header={"kid": None}),
    "with an unknown key id": lambda m: sign(claims_of(m), header={"kid": "unknown"}),
    "signed by another key": lambda m: sign(claims_of(m), key=RSAKey.generate_key(2048)),
    "with its key in the header": _foreign_key_in_header,
    "without a signature": _unsigned,
    "with our public key as secret": _hmac_with_public_key,
    "in the JSON form": _json_serialised,
    "with more permissions than signed": _changed,
    "of an unknown organisation": lambda m: sign(claims_of(m, org_id="org_nobody")),
    "without an organisation": lambda m: sign(claims_of(m, org_id=None)),
    "with permissions that are a text": lambda m: sign(claims_of(m, permissions="coupons:read")),
    "that is no token": lambda _: "nonsense",
    "that is too long": lambda _: "a" * 9000,
    "that is empty between dots": lambda _: "..",
    "with other letters": lambda _: "é.é.é",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_token_is_refused(machine, kind):
    machine.token()
    answered = machine.get("/probe", REFUSED[kind](machine).encode().decode("latin-1"))
    assert (answered.status_code, answered.json["code"]) == (401, "token.invalid")
    assert 'error="invalid_token"' in answered.headers["WWW-Authenticate"]


def test_a_token_made_by_hand_as_ours_is_believed(machine):
    machine.token()
    assert machine.get("/probe", sign(claims_of(machine))).status_code == 200


@pytest.mark.parametrize("seconds", [-50, 50])
def test_clocks_may_differ_by_less_than_a_minute(machine, seconds):
    machine.token()
    now = int(time.time())
    claims = claims_of(machine, iat=now + max(seconds, 0) - 600 * (seconds < 0), exp=now + seconds)
    if seconds > 0:
        claims["exp"] = now + 600
    assert identity.verify_token(sign(claims)).client_id == machine.client_id


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eDp5", "Token abc", "bearer  "])
def test_without_a_bearer_token_one_is_asked_for(app, header):
    answered = app.test_client().get("/probe", headers={"Authorization": header})
    assert (answered.status_code, answered.json["code"]) == (401, "token.missing")
    assert answered.headers["WWW-Authenticate"] == 'Bearer realm="giftpad"'


def test_a_token_says_what_rfc_9068_wants(machine):
    token = machine.token()
    header, payload, _ = token.split(".")
    header = json.loads(base64.urlsafe_b64decode(header + "=="))
    payload = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert header["alg"] == "RS256"
    assert header["typ"] == "at+jwt"
    keys = machine.http.get("/.well-known/jwks.json").json["keys"]
    assert header["kid"] == keys[0]["kid"]
    assert payload["iss"].endswith("/")
    assert payload["aud"] == payload["iss"] + "api/v1"
    assert payload["sub"] == f"{machine.client_id}@clients"
    assert payload["exp"] - payload["iat"] == 3600
    assert payload["org_id"].startswith("org_")
    assert (payload["scope"], payload["permissions"]) == ("coupons:read", ["coupons:read"])
    assert set(payload) == {
        *("iss", "aud", "sub", "client_id", "jti", "iat", "exp", "scope", "permissions", "org_id")
    }


def test_shop_and_limits_travel_in_the_token(app):
    from giftpad.kernel.ids import new_id

    shop_id = new_id()
    limits = identity.Limits(rate_s=7, burst=9, failed_codes_max=11)
    machine = make_machine(app, "coupons:read", shop_id=shop_id, limits=limits)
    claims = identity.verify_token(machine.token())
    assert (claims.shop_id, claims.limits) == (shop_id, limits)
    assert machine.get("/probe").json["shop_id"] == str(shop_id)


def test_a_disabled_client_is_out_and_its_tokens_with_it(machine):
    token = machine.token()
    assert machine.get("/probe", token).status_code == 200
    identity.disable_client(machine.scope, machine.client_id)
    identity.refresh_trust()
    assert machine.get("/probe", token).status_code == 401
    assert machine.ask_token().status_code == 401
    identity.disable_client(machine.scope, machine.client_id)


def test_one_token_can_be_revoked_alone(machine):
    first, second = machine.token(), machine.token()
    identity.revoke_token(machine.scope.actor, identity.verify_token(first))
    identity.refresh_trust()
    assert machine.get("/probe", first).status_code == 401
    assert machine.get("/probe", second).status_code == 200


def test_what_is_revoked_while_trust_is_read_is_as_old_as_the_read(machine, monkeypatch):
    from giftpad.identity.queries import trust as queries

    token = machine.token()
    begin = queries.unit_of_work
    clock = [1e9]
    monkeypatch.setattr(queries.time, "monotonic", lambda: clock[0])

    @contextmanager
    def slow(scope):
        with begin(scope) as work:
            yield work
        monkeypatch.setattr(queries, "unit_of_work", begin)
        identity.revoke_token(machine.scope.actor, identity_claims)
        clock[0] += queries.STALE_MAX_S

    identity_claims = identity.verify_token(token)
    monkeypatch.setattr(queries, "unit_of_work", slow)
    identity.refresh_trust()
    assert machine.get("/probe", token).status_code == 401


def test_a_client_of_one_tenant_is_not_stopped_by_another(app, machine):
    other = make_machine(app)
    with pytest.raises(identity.ClientNotFound):
        identity.disable_client(other.scope, machine.client_id)
    assert machine.ask_token().status_code == 200


def test_a_suspended_tenant_gets_no_token_and_no_answer(machine, monkeypatch):
    from giftpad import tenancy
    from giftpad.edge import callers
    from tests.make_identity import work_of

    token = machine.token()
    with work_of(machine.scope) as work:
        tenancy.suspend_tenant(work)
    tenancy.forget_tenants()
    assert machine.ask_token().status_code == 401
    callers.forget_callers()
    answered = machine.get("/probe", token)
    assert (answered.status_code, answered.json["code"]) == (403, "tenant.suspended")


def test_what_cannot_be_read_any_more_is_believed_no_more(machine, monkeypatch):
    from giftpad.identity.queries import trust as queries
    from giftpad.kernel.db import DatabaseAway

    token = machine.token()
    assert machine.get("/probe", token).status_code == 200

    def away():
        raise DatabaseAway

    monkeypatch.setattr(queries, "_read_trust", away)
    monkeypatch.setattr(queries, "STALE_MAX_S", 0.0)
    answered = machine.get("/probe", token)
    assert (answered.status_code, answered.json["code"]) == (503, "database.unavailable")
