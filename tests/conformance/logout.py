"""RP-initiated logout: who is signed out at once, who is asked first, who is sent nowhere."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from tests.conformance.parties import AFTERWARDS, NEEDS_A_PERSON, Provider, Signed
from tests.conformance.suite import module
from tests.make_pages import hidden

STATE = "z" * 128
ERROR_PAGE = "Somebody must look at the page that says no."
SIGNED_OUT = "Somebody must look at the page that says that they are signed out."
KEY = RSAKey.generate_key(2048)


def _leave(provider: Provider, asked: dict[str, str]) -> TestResponse:
    query = f"?{urlencode(asked)}" if asked else ""
    return provider.browser.get(f"/oidc/logout{query}")


def _asked(signed: Signed, **changes: str | None) -> dict[str, str]:
    whole = {
        "id_token_hint": signed.id_token,
        "post_logout_redirect_uri": AFTERWARDS,
        "state": STATE,
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def _is_out(provider: Provider) -> bool:
    """Whether the provider would have to ask somebody to sign in."""
    asked = provider.asked(prompt="none", state=STATE)
    answered = provider.browser.get(f"/authorize?{urlencode(asked)}")
    found = provider.came_back(answered, asked)
    assert "code" in found or found["error"] in NEEDS_A_PERSON
    return "code" not in found


def _sent_back(answered: TestResponse) -> dict[str, list[str]]:
    assert answered.status_code == 303, answered.text[:2000]
    address, _, query = answered.headers["Location"].partition("?")
    assert address == AFTERWARDS
    return parse_qs(query, keep_blank_values=True)


@module("oidcc-rp-initiated-logout")
def logout(provider: Provider):
    signed = provider.sign_in()
    assert not _is_out(provider)
    assert _sent_back(_leave(provider, _asked(signed))) == {"state": [STATE]}
    assert _is_out(provider)


@module("oidcc-rp-initiated-logout-no-state")
def no_state(provider: Provider):
    signed = provider.sign_in()
    assert _sent_back(_leave(provider, _asked(signed, state=None))) == {}
    assert _is_out(provider)


def _stays(provider: Provider, answered: TestResponse) -> None:
    """Check that nobody was sent anywhere, and nobody signed out."""
    assert answered.status_code == 400
    assert answered.mimetype == "text/html"
    assert "Location" not in answered.headers
    assert '="https://rp.example.jp' not in answered.text
    assert not _is_out(provider)


@module(
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", verdict="review", because=ERROR_PAGE
)
def bad_redirect_uri(provider: Provider):
    asked = _asked(provider.sign_in(), post_logout_redirect_uri=f"{AFTERWARDS}/unregistered")
    _stays(provider, _leave(provider, asked))


@module(
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri",
    verdict="review",
    because=ERROR_PAGE,
)
def query_added(provider: Provider):
    asked = _asked(provider.sign_in(), post_logout_redirect_uri=f"{AFTERWARDS}?foo=bar")
    _stays(provider, _leave(provider, asked))


@module("oidcc-rp-initiated-logout-modified-id-token-hint", verdict="review", because=ERROR_PAGE)
def modified_hint(provider: Provider):
    signed = provider.sign_in()
    header = json.dumps(signed.header | {"alg": "none"}).encode()
    changed = base64.urlsafe_b64encode(header).decode().rstrip("=")
    body, signature = signed.id_token.split(".")[1:]
    for end in ("", signature):
        hint = f"{changed}.{body}.{end}"
        _stays(provider, _leave(provider, _asked(signed, id_token_hint=hint)))


@module("oidcc-rp-initiated-logout-bad-id-token-hint", verdict="review", because=ERROR_PAGE)
def bad_hint(provider: Provider):
    signed = provider.sign_in()
    hint = jwt.encode(signed.header, signed.claims, KEY, algorithms=["RS256"])
    _stays(provider, _leave(provider, _asked(signed, id_token_hint=hint)))


def _press(provider: Provider, page: TestResponse) -> TestResponse:
    """Say yes on the page that asks; until then nobody is signed out."""
    assert page.status_code == 200, page.headers
    assert not _is_out(provider)
    return provider.browser.post("/oidc/logout/answer", {"asked": hidden(page.text, "asked")})


def _ends_here(provider: Provider, answered: TestResponse) -> None:
    """Check that somebody is signed out, on a page of ours that says so."""
    assert answered.status_code == 303
    assert urlsplit(answered.headers["Location"]).netloc == ""
    page = provider.browser.follow(answered)
    assert page.status_code == 200
    assert "サインアウトしました" in page.text
    assert _is_out(provider)


@module("oidcc-rp-initiated-logout-no-id-token-hint", verdict="review", because=ERROR_PAGE)
def no_hint(provider: Provider):
    page = _leave(provider, _asked(provider.sign_in(), id_token_hint=None))
    _ends_here(provider, _press(provider, page))


@module("oidcc-rp-initiated-logout-no-params", verdict="review", because=SIGNED_OUT)
def no_params(provider: Provider):
    provider.sign_in()
    _ends_here(provider, _press(provider, _leave(provider, {})))


@module("oidcc-rp-initiated-logout-only-state", verdict="review", because=SIGNED_OUT)
def only_state(provider: Provider):
    provider.sign_in()
    _ends_here(provider, _press(provider, _leave(provider, {"state": STATE})))


@module(
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri", verdict="review", because=SIGNED_OUT
)
def no_redirect_uri(provider: Provider):
    signed = provider.sign_in()
    _ends_here(provider, _leave(provider, _asked(signed, post_logout_redirect_uri=None)))
