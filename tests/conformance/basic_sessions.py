"""Basic OP: who must sign in again, who must not, and who must not be asked."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from tests.conformance.parties import NEEDS_A_PERSON, Provider
from tests.conformance.suite import module

A_SCREENSHOT = "Somebody must look at the page that asks for the second sign-in."


def _at_once(provider: Provider, **changes: str) -> dict[str, str]:
    """Return what comes back without any page in between."""
    asked = provider.asked(**changes)
    return provider.came_back(provider.browser.get(f"/authorize?{urlencode(asked)}"), asked)


@module("oidcc-prompt-login", verdict="review", because=A_SCREENSHOT)
def prompt_login(provider: Provider):
    provider.grow_older(provider.sign_in(), 60)
    first = provider.sign_in()
    assert provider.asked_in == 1
    second = provider.sign_in(prompt="login")
    assert provider.asked_in == 2
    assert second.claims["auth_time"] > first.claims["auth_time"]
    assert second.claims["sub"] == first.claims["sub"]


@module("oidcc-prompt-none-not-logged-in")
def prompt_none_not_logged_in(provider: Provider):
    asked = provider.asked(prompt="none", state="s" * 128)
    answered = provider.browser.get(f"/authorize?{urlencode(asked)}")
    assert provider.refused(answered, asked) in NEEDS_A_PERSON
    assert provider.asked_in == 0


def _same_again(provider: Provider, **changes: str) -> None:
    """Sign in, and again without a page; it is the same sign-in of the same person."""
    first = provider.sign_in()
    provider.grow_older(first, 60)
    first = provider.sign_in()
    hint = {"id_token_hint": first.id_token} if "id_token_hint" in changes else {}
    assert "code" in _at_once(provider, **(changes | hint))
    second = provider.sign_in(**(changes | hint))
    assert provider.asked_in == 1
    for claim in ("auth_time", "sub", "sid"):
        assert second.claims[claim] == first.claims[claim]


@module("oidcc-prompt-none-logged-in")
def prompt_none_logged_in(provider: Provider):
    _same_again(provider, prompt="none")


@module("oidcc-id-token-hint")
def id_token_hint(provider: Provider):
    _same_again(provider, prompt="none", id_token_hint="")


@module("oidcc-max-age-10000")
def max_age_10000(provider: Provider):
    _same_again(provider, max_age="10000")


@module("oidcc-max-age-1", verdict="review", because=A_SCREENSHOT)
def max_age_1(provider: Provider):
    first = provider.sign_in()
    provider.grow_older(first, 3)  # the suite waits
    second = provider.sign_in(max_age="1")
    assert provider.asked_in == 2
    assert second.claims["auth_time"] > first.claims["auth_time"] - 3
    assert second.claims["auth_time"] >= time.time() - 300
    assert second.claims["sub"] == first.claims["sub"]
