"""Which tokens of a trusted issuer are believed, and for how much."""

from __future__ import annotations

import base64
import hmac
import json
import time
from dataclasses import fields

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from giftpad import identity, tenancy
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import SYSTEM
from tests import make
from tests.make_foreign import (
    AUDIENCE,
    ORG_ID,
    SUBJECT,
    ForeignIssuer,
    entry,
    key_named,
    trust,
)
from tests.make_identity import claims_of, sign


@pytest.fixture
def tenant(bound):
    """A tenant that a foreign issuer may speak for."""
    return tenancy.get_tenant(make.make_tenant().tenant_id)


@pytest.fixture
def foreign(tenant, tmp_path):
    """An issuer that is trusted for it."""
    issuer = ForeignIssuer()
    trust(tmp_path, entry(issuer.address, tenant.slug))
    yield issuer
    issuer.close()
    identity.bind_trusted_issuers("", ours="")


@pytest.fixture
def stranger():
    """An issuer that nobody trusts."""
    issuer = ForeignIssuer()
    yield issuer
    issuer.close()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _by_hand(issuer, header, mark=lambda _: b"") -> str:
    """Write a token that no library would; ``mark`` makes its signature."""
    head = _b64(json.dumps({"typ": "JWT", "kid": "first"} | header).encode())
    body = f"{head}.{_b64(json.dumps(issuer.claims()).encode())}"
    return f"{body}.{_b64(mark(body.encode()))}"


def _right(body: bytes) -> bytes:
    signer = key_named("first").get_op_key("sign")
    return signer.sign(body, padding.PKCS1v15(), hashes.SHA256())


def _hmac(body: bytes) -> bytes:
    return hmac.digest(key_named("first").as_pem(private=False), body, "sha256")


def _own_key(issuer) -> str:
    key = key_named("attacker")
    return issuer.sign(key=key, header={"jwk": key.as_dict(private=False)})


def _changed(issuer) -> str:
    head, _, signature = issuer.sign().split(".")
    more = issuer.claims(permissions=["coupons:read", "payments:read"])
    return f"{head}.{_b64(json.dumps(more).encode())}.{signature}"


def _of_payload(issuer, payload: bytes) -> str:
    head, _, signature = issuer.sign().split(".")
    return f"{head}.{_b64(payload)}.{signature}"


def _at(**seconds: int):
    """Make tokens of instants so many seconds from now."""
    return lambda i: i.token(**{name: int(time.time()) + by for name, by in seconds.items()})


def _with(**changes: object):
    return lambda i: i.token(**changes)


def _under(**header: object):
    return lambda i: i.sign(header=header)


ELSEWHERE = "https://other.example/"
REFUSED = {
    "without a signature": (lambda i: _by_hand(i, {"alg": "none"}), "algorithm"),
    "with the public key as secret": (lambda i: _by_hand(i, {"alg": "HS256"}, _hmac), "algorithm"),
    "of an algorithm that is not listed": (_under(alg="PS256"), "algorithm"),
    "of a list of algorithms": (lambda i: _by_hand(i, {"alg": ["RS256"]}, _right), "algorithm"),
    "with its key in the header": (_own_key, "ExceededSizeError"),
    "with an address of keys in the header": (
        lambda i: i.sign(key=key_named("attacker"), header={"jku": ELSEWHERE}),
        "signature",
    ),
    "with a critical header": (
        lambda i: _by_hand(i, {"alg": "RS256", "crit": ["cty"], "cty": "x"}, _right),
        "critical header",
    ),
    "signed by another key": (lambda i: i.sign(key=key_named("attacker")), "signature"),
    "without a key id": (_under(kid=None), "no key id"),
    "with an unknown key id": (lambda i: i.sign(kid="unknown"), "key"),
    "of another type": (_under(typ="logout+jwt"), "type"),
    "without a type": (_under(typ=None), "type"),
    "with more permissions than signed": (_changed, "signature"),
    "that lies about its issuer": (_with(iss=ELSEWHERE), "type"),
    "of the issuer without its slash": (lambda i: i.token(iss=i.address[:-1]), "type"),
    "of a list of issuers": (lambda i: i.token(iss=[i.address]), "type"),
    "for another API": (_with(aud="https://other.example/api"), "audience"),
    "for other APIs": (_with(aud=[ELSEWHERE, AUDIENCE + "/"]), "audience"),
    "for no API": (_with(aud=None), "audience"),
    "expired": (_at(iat=-7200, exp=-90), "expired"),
    "from the future": (_at(iat=90, exp=7200), "not yet valid"),
    "not yet valid": (_at(nbf=90), "not yet valid"),
    "without an end": (_with(exp=None), "exp"),
    "with an end that is no number": (_with(exp="tomorrow"), "exp"),
    "with an end that is true": (_with(exp=True), "exp"),
    "that is an ID token by its nonce": (_with(nonce="n"), "an ID token"),
    "that is an ID token by its hash": (_with(at_hash="h"), "an ID token"),
    "without an organisation": (_with(org_id=None), "organisation"),
    "of an organisation that is not mapped": (_with(org_id="org_Foreign2"), "organisation"),
    "of a list of organisations": (_with(org_id=[ORG_ID]), "organisation"),
    "with a tenant instead of an organisation": (_with(org_id="midori-city"), "organisation"),
    "without a subject": (_with(sub=None), "sub"),
    "of a subject with a line break": (_with(sub="a\nb"), "sub"),
    "of a subject that is a number": (_with(sub=7), "sub"),
    "of a subject too long": (_with(sub="x" * 256), "sub"),
    "without a client": (_with(azp=None), "client_id"),
    "of a machine by the name of another": (_with(azp="machine8"), "client"),
    "with permissions that are a text": (_with(permissions="coupons:read"), "permissions"),
    "with scopes that are a number": (_with(permissions=None, scope=7), "permissions"),
    "with a token id that is none": (_with(jti=""), "jti"),
    "of a shop that is none": (_with(**{identity.SHOP_CLAIM: "1001"}), "shop_id"),
    "whose payload is a list": (lambda i: _of_payload(i, b"[]"), "TypeError"),
    "whose payload is deep": (lambda i: _of_payload(i, b"[" * 4000), "JSONDecodeError"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_token_is_refused(foreign, kind):
    make_token, reason = REFUSED[kind]
    identity.verify_token(foreign.token())
    with pytest.raises(identity.TokenRefused) as refused:
        identity.verify_token(make_token(foreign))
    assert refused.value.reason == reason


GOOD = {
    "Auth0, a machine": dict,
    "Auth0, a person": lambda: {
        "sub": "auth0|65f2",
        "aud": [AUDIENCE, "https://midori.example/userinfo"],
        "gty": None,
        "azp": "spa1",
    },
    "RFC 9068": lambda: {"profile": "rfc9068"},
    "half a minute early": lambda: {name: int(time.time()) + 30 for name in ("iat", "nbf")},
    "half a minute late": lambda: {"exp": int(time.time()) - 30},
}


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "AT+JWT"])
def test_a_good_token_is_believed_in_either_profile(foreign, tenant, kind, typ):
    said = foreign.claims(**GOOD[kind]())
    claims = identity.verify_token(foreign.sign(said, header={"typ": typ}))
    assert isinstance(claims, identity.ForeignClaims)
    assert (claims.issuer, claims.subject) == (foreign.address, said["sub"])
    assert claims.client_id == f"{foreign.address}|{said['sub']}"
    assert claims.org_id == tenant.org_id
    assert claims.permissions == {"coupons:read"}
    assert not identity.is_revoked(claims)


def test_what_a_foreign_token_may_not_say_is_not_read(foreign):
    claims = identity.verify_token(
        foreign.token(
            sid=str(new_id()),
            jti="t1",
            **{"urn:giftpad:role": "owner", "urn:giftpad:limits": {"rate_s": 100_000}},
        )
    )
    assert (claims.session_id, claims.role) == (None, "")
    assert claims.limits == identity.DEFAULT_LIMITS
    read = {field.name for field in fields(claims) if getattr(claims, field.name)}
    assert read == {
        *("token_id", "subject", "client_id", "org_id", "permissions", "limits"),
        *("issued_at", "expires_at", "key_id", "issuer"),
    }


def test_a_foreign_token_may_be_bound_to_a_shop(foreign):
    shop_id = new_id()
    claims = identity.verify_token(foreign.token(**{identity.SHOP_CLAIM: str(shop_id)}))
    assert claims.shop_id == shop_id


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ({"permissions": ["coupons:read", "payments:read"]}, {"coupons:read", "payments:read"}),
        ({"permissions": ["coupons:read", "coupons:issue"]}, {"coupons:read"}),
        ({"permissions": ["read:payments"]}, {"payments:read"}),
        ({"permissions": ["operations:act", "members:manage", "profile"]}, set()),
        ({"permissions": []}, set()),
        ({"permissions": None, "scope": "openid read:payments"}, {"payments:read"}),
        ({"permissions": None, "scope": None}, set()),
    ],
)
def test_permissions_are_never_more_than_the_file_allows(foreign, said, allowed):
    assert identity.verify_token(foreign.token(**said)).permissions == allowed


def test_another_algorithm_counts_where_it_is_listed(tenant, stranger, tmp_path):
    token = stranger.sign(header={"alg": "PS256"})
    trust(tmp_path, entry(stranger.address, tenant.slug, algorithms=["PS256"]))
    with pytest.raises(identity.TokenRefused) as refused:  # its key says that it is for RS256
        identity.verify_token(token)
    assert refused.value.reason == "key"
    stranger.key_algorithm = {}
    trust(tmp_path, entry(stranger.address, tenant.slug, algorithms=["PS256"]))
    identity.verify_token(token)
    with pytest.raises(identity.TokenRefused) as refused:
        identity.verify_token(stranger.sign())
    assert refused.value.reason == "algorithm"


def test_our_name_with_a_foreign_key_and_a_foreign_name_with_ours(foreign, machine):
    machine.token()
    ours = claims_of(machine)
    identity.verify_token(sign(ours))
    for token in (
        foreign.sign(ours),
        foreign.sign(ours, header={"typ": "at+jwt"}),
        sign(ours, key=key_named("first"), header={"kid": "first"}),
        sign(foreign.claims()),
        sign(foreign.claims(), header={"typ": "JWT"}),
    ):
        with pytest.raises(identity.TokenRefused):
            identity.verify_token(token)


def test_tokens_of_our_own_are_of_one_type_still(foreign, machine):
    machine.token()
    with pytest.raises(identity.TokenRefused):
        identity.verify_token(sign(claims_of(machine), header={"typ": "JWT"}))


def test_each_issuer_has_its_own_keys_and_its_own_names(tenant, foreign, stranger, tmp_path):
    stranger.kids = ["second"]
    entries = [entry(issuer.address, tenant.slug) for issuer in (foreign, stranger)]
    trust(tmp_path, *entries)
    names = {
        identity.verify_token(foreign.token()).client_id,
        identity.verify_token(stranger.sign(kid="second")).client_id,
    }
    assert len(names) == 2
    for token in (
        foreign.sign(stranger.claims()),
        stranger.sign(foreign.claims(), kid="second"),
        foreign.sign(kid="second"),
    ):
        with pytest.raises(identity.TokenRefused):
            identity.verify_token(token)


def test_an_issuer_that_is_not_in_the_file_is_not_even_asked(foreign, stranger):
    with pytest.raises(identity.TokenRefused):
        identity.verify_token(stranger.token())
    assert stranger.asked == []


def test_nobody_is_asked_for_keys_by_a_token_that_is_wrong_otherwise(foreign):
    for changes in ({"exp": 1_700_000_000}, {"aud": "x"}, {"org_id": "org_2"}, {"nonce": "n"}):
        with pytest.raises(identity.TokenRefused):
            identity.verify_token(foreign.token(**changes))
    assert foreign.asked == []


def test_a_subject_called_like_somebody_of_ours_is_somebody_else(foreign, machine):
    machine.token()
    person = new_id()
    for subject in (machine.client_id, f"person:{person}", str(person), "giftpad", "cli"):
        claims = identity.verify_token(foreign.token(sub=subject, azp=machine.client_id))
        assert claims.client_id == f"{foreign.address}|{subject}"
        assert "|" not in machine.client_id + identity.person_actor(person).client_id


def test_a_token_with_an_id_can_be_taken_back_alone(foreign):
    first, second = (
        identity.verify_token(foreign.token(profile="rfc9068", jti=jti)) for jti in ("a", "b")
    )
    identity.revoke_token(SYSTEM, first)
    identity.refresh_trust()
    assert identity.is_revoked(first)
    assert not identity.is_revoked(second)


def test_a_token_without_an_id_cannot_be_taken_back_and_nobody_is_told_it_was(foreign):
    claims = identity.verify_token(foreign.token())
    assert claims.token_id == ""
    with pytest.raises(AssertionError):
        identity.revoke_token(SYSTEM, claims)
    assert not identity.is_revoked(claims)


def test_a_token_is_believed_no_more_when_its_issuer_is_not(foreign):
    claims = identity.verify_token(foreign.token())
    identity.bind_trusted_issuers("", ours="")
    assert identity.is_revoked(claims)
    with pytest.raises(identity.TokenRefused):
        identity.verify_token(foreign.token())


def test_a_tenant_that_does_not_exist_is_nobody(foreign, tmp_path):
    trust(tmp_path, entry(foreign.address, "no-such-town"))
    with pytest.raises(identity.TokenRefused):
        identity.verify_token(foreign.token())


def test_the_subject_is_as_the_other_issuer_says_it(foreign):
    assert identity.verify_token(foreign.token()).subject == SUBJECT
