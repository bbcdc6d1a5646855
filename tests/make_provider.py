"""Builders: a client that people sign in to, as far as HTTP goes."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from giftpad import identity
from tests.make_factors import step_on
from tests.make_pages import HOST, PASSWORD, Browser, Site

HOME = "https://app.example.jp/callback"
AWAY = "https://app.example.jp/bye"
WHOLE = "openid profile email offline_access payments:read"


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass
class Relying:
    """A client of a town, with what it would keep between its requests."""

    site: Site
    client_id: str
    client_secret: str
    redirect_uri: str = HOME
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(40))

    def address(self, **changes: str | None) -> str:
        """Return where this client sends people; None leaves a parameter out."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": WHOLE,
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        } | changes
        kept = {name: value for name, value in asked.items() if value is not None}
        return f"/authorize?{urlencode(kept)}"

    def came_back(self, answered: TestResponse) -> dict[str, str]:
        """Return what the client reads from the address that somebody was sent back to."""
        location = answered.headers["Location"]
        assert answered.status_code == 303, answered.text[:2000]
        assert location.startswith(self.redirect_uri + "?"), location
        read = parse_qs(urlsplit(location).query, keep_blank_values=True)
        assert all(len(values) == 1 for values in read.values()), read
        return {name: values[0] for name, values in read.items()}

    def code(self, browser: Browser, **changes: str | None) -> str:
        """Return the code that somebody who is signed in brings back."""
        read = self.came_back(browser.get(self.address(**changes)))
        assert "code" in read, read
        return read["code"]

    def ask(self, path: str = "/oauth/token", *, as_json: bool = False, **given: Any):
        """Ask the provider as this client does; None leaves a parameter out."""
        asked = {"client_id": self.client_id} | given
        if self.client_secret:
            asked = {"client_secret": self.client_secret} | asked
        kept = {name: value for name, value in asked.items() if value is not None}
        http, base = self.site.app.test_client(), f"http://{HOST}"
        if as_json:
            return http.post(path, json=kept, base_url=base)
        return http.post(path, data=kept, base_url=base)

    def exchange(self, code: str, **changes: Any):
        """Ask for tokens by a code, whatever the answer."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        } | changes
        return self.ask(**asked)

    def refresh(self, token: str, **changes: Any):
        """Ask for tokens by a refresh token, whatever the answer."""
        return self.ask(grant_type="refresh_token", refresh_token=token, **changes)

    def tokens(self, browser: Browser, **changes: str | None) -> dict[str, Any]:
        """Take somebody's tokens."""
        answered = self.exchange(self.code(browser, **changes))
        assert answered.status_code == 200, answered.text
        return dict(answered.json)

    def userinfo(self, token: str):
        """Ask who the bearer of a token stands for."""
        return self.site.app.test_client().get(
            "/userinfo", headers={"Authorization": f"Bearer {token}"}, base_url=f"http://{HOST}"
        )


def make_client(site: Site, kind: str = "spa", **more: Any) -> Relying:
    """Make a client of a town."""
    new = {
        "name": "まち歩きアプリ",
        "kind": kind,
        "permissions": ("payments:read", "shops:read"),
        "redirect_uris": (HOME,) if kind in ("web", "spa") else (),
        "logout_uris": (AWAY,) if kind in ("web", "spa") else (),
    } | more
    made = identity.create_client(site.scope, identity.NewClient(**new))
    return Relying(site=site, client_id=made.client_id, client_secret=made.client_secret)


def read_token(site: Site, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token, verified by the published keys alone."""
    answered = site.app.test_client().get("/.well-known/jwks.json", base_url=f"http://{HOST}")
    keys = KeySet.import_key_set(answered.json)
    header = jws.extract_compact(token.encode()).headers()
    return dict(header), dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)


def sign_in_for(relying: Relying, email: str, browser: Browser, **changes: str | None):
    """Come from a client, sign in by the form, and return where that leads."""
    answered = browser.get(relying.address(**changes))
    assert urlsplit(answered.headers["Location"]).path == "/sign-in", answered.headers
    wanted = parse_qs(urlsplit(answered.headers["Location"]).query)["next"][0]
    browser.follow(answered)
    signed = browser.post("/sign-in", {"email": email, "password": PASSWORD, "next": wanted})
    return browser.follow(step_on(browser, signed, email))
