"""Basic OP: who a client gets to know, by which way of asking and by which scope."""

from __future__ import annotations

import json

from tests.conformance.parties import Provider
from tests.conformance.suite import module

IN_THE_ID_TOKEN = (
    "Name and address stand in the ID token too, where Auth0's libraries look for them; the suite "
    "expects them at userinfo only."
)
NO_SUCH_SCOPE = "Discovery does not offer the scope: Giftpad knows no {what} of who signs in."


def _asks(name: str, way: str) -> None:
    @module(f"oidcc-userinfo-{name}")
    def userinfo(provider: Provider):
        signed = provider.sign_in(scope="openid profile email")
        known = provider.known(signed, way)
        assert (known["name"], known["email"]) == ("見本 太郎", provider.email)


_asks("get", "get")
_asks("post-header", "post-header")
_asks("post-body", "post-body")


@module(
    "oidcc-scope-profile",
    verdict="warning",
    because="Of the claims of this scope there are a name and updated_at, and the suite wants all.",
)
def scope_profile(provider: Provider):
    signed = provider.sign_in(scope="openid profile")
    assert signed.answer["scope"] == "openid profile"
    assert set(provider.known(signed)) == {"sub", "name", "updated_at"}


@module("oidcc-scope-email", verdict="warning", because=IN_THE_ID_TOKEN)
def scope_email(provider: Provider):
    signed = provider.sign_in(scope="openid email")
    assert signed.answer["scope"] == "openid email"
    assert set(provider.known(signed)) == {"sub", "email", "email_verified"}


def _is_left_out(provider: Provider, *names: str, rest: tuple[str, ...] = ()) -> None:
    """Check that scopes which are not offered are no error, and give nothing."""
    assert not set(names) & set(provider.discovery()["scopes_supported"])
    signed = provider.sign_in(scope=" ".join(("openid", *rest, *names)))
    assert signed.answer["scope"] == " ".join(("openid", *rest))
    known = provider.known(signed)
    assert not {"address", "phone_number", "phone_number_verified"} & set(known)


@module("oidcc-scope-address", verdict="skipped", because=NO_SUCH_SCOPE.format(what="address"))
def scope_address(provider: Provider):
    _is_left_out(provider, "address")


@module("oidcc-scope-phone", verdict="skipped", because=NO_SUCH_SCOPE.format(what="telephone"))
def scope_phone(provider: Provider):
    _is_left_out(provider, "phone")


@module("oidcc-scope-all", verdict="skipped", because=NO_SUCH_SCOPE.format(what="address"))
def scope_all(provider: Provider):
    _is_left_out(provider, "address", "phone", rest=("profile", "email"))


@module("oidcc-alternate-happy-flow", verdict="warning", because=IN_THE_ID_TOKEN)
def alternate_happy_flow(provider: Provider):
    asked = provider.asked(scope="email openid")
    turned = dict(reversed(asked.items()))
    assert list(turned) != list(asked)
    code = provider.code(turned)
    answered = provider.exchange(provider.client, code)
    signed = provider.verified(provider.client, answered, code, asked["nonce"])
    assert provider.known(signed)["email"] == provider.email


@module(
    "oidcc-claims-essential",
    verdict="warning",
    because="Discovery says that the parameter claims is not read; a name is given for a scope.",
)
def claims_essential(provider: Provider):
    assert provider.discovery()["claims_parameter_supported"] is False
    claims = json.dumps({"userinfo": {"name": {"essential": True}}})
    assert set(provider.known(provider.sign_in(claims=claims))) == {"sub"}
    signed = provider.sign_in(claims=claims, scope="openid profile")
    assert provider.known(signed)["name"] == "見本 太郎"
