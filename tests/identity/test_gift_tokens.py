"""The token of one gift opens that gift, and is nobody's token for anything else."""

from __future__ import annotations

import time

import pytest
from joserfc.jwk import RSAKey

from giftpad import identity, tenancy
from giftpad.identity.queries import find_signer
from tests.make_identity import sign

LOCATOR = 4711


@pytest.fixture
def org_id(scope):
    """The organisation of a tenant."""
    return tenancy.get_tenant(scope.tenant_id).org_id


@pytest.fixture
def signed(org_id):
    """A token of one of its gifts."""
    return identity.sign_gift_token(org_id, LOCATOR)


def test_it_names_one_gift_and_lets_its_bearer_receive_it(signed, org_id):
    claims = identity.verify_gift_token(signed.token)
    assert (claims.org_id, claims.gift_locator) == (org_id, LOCATOR)
    assert claims.permissions == {"gifts:receive"}
    assert claims.person_id is None
    assert claims.session_id is None


def test_it_is_over_after_half_an_hour(signed):
    claims = identity.verify_gift_token(signed.token)
    assert claims.expires_at == signed.over_at
    assert signed.over_at - time.time() == pytest.approx(30 * 60, abs=5)
    assert signed.token not in repr(signed)


def test_the_api_does_not_believe_it(machine, signed):
    machine.token()
    with pytest.raises(identity.TokenRefused) as caught:
        identity.verify_token(signed.token)
    assert caught.value.reason == "audience"
    answered = machine.get("/probe", signed.token)
    assert (answered.status_code, answered.json["code"]) == (401, "token.invalid")


def test_no_role_and_no_machine_can_hold_what_it_holds():
    assert not set(identity.RECIPIENT_PERMISSIONS) & set(identity.PERMISSIONS)
    assert not any(
        held & set(identity.RECIPIENT_PERMISSIONS)
        for held in (*identity.ROLES.values(), *identity.OPERATOR_ROLES.values())
    )


def claims_of(org, **changes):
    """Return the claims of a good token, changed; what is None is left out."""
    now, issuer = int(time.time()), identity.issuer()
    claims = {
        "iss": issuer.address,
        "aud": issuer.gifts,
        "sub": f"gift|{LOCATOR}",
        "client_id": "giftpad-web",
        "jti": "one",
        "iat": now,
        "exp": now + 600,
        "permissions": ["gifts:receive"],
        "org_id": org,
        "urn:giftpad:gift": LOCATOR,
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


def test_one_made_by_hand_as_ours_is_believed(signed, org_id):
    assert identity.verify_gift_token(sign(claims_of(org_id))).gift_locator == LOCATOR


HOUR_AGO = int(time.time()) - 3600
REFUSED = {
    "of another gift than its subject": {"urn:giftpad:gift": LOCATOR + 1},
    "of no gift": {"urn:giftpad:gift": None},
    "of a gift that is no number": {"urn:giftpad:gift": str(LOCATOR)},
    "of a gift that is true": {"urn:giftpad:gift": True, "sub": "gift|True"},
    "of a machine": {"sub": "somebody@clients"},
    "of a session": {
        "sub": "auth0|00000000-0000-7000-8000-000000000000",
        "sid": "00000000-0000-7000-8000-000000000001",
    },
    "with more permissions": {"permissions": ["gifts:receive", "gifts:read"]},
    "with another permission": {"permissions": ["gifts:read"]},
    "with none": {"permissions": []},
    "for the API": {"aud": "api"},
    "expired": {"iat": HOUR_AGO - 600, "exp": HOUR_AGO},
    "of another issuer": {"iss": "https://evil.example/"},
    "without an organisation": {"org_id": None},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_token_of_a_gift_is_refused(signed, org_id, kind):
    changes = dict(REFUSED[kind])
    if changes.get("aud") == "api":
        changes["aud"] = identity.issuer().audience
    with pytest.raises(identity.TokenRefused):
        identity.verify_gift_token(sign(claims_of(org_id, **changes)))


def test_one_signed_by_another_key_is_refused(signed, org_id):
    assert find_signer() is not None
    with pytest.raises(identity.TokenRefused):
        identity.verify_gift_token(sign(claims_of(org_id), key=RSAKey.generate_key(2048)))
