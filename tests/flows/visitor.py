"""Somebody with a browser who signs in when asked to, and goes where they are sent."""

from __future__ import annotations

import base64
import hashlib
import http.cookiejar
import json
import re
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from tests.flows.http import Caller

if TYPE_CHECKING:
    from tests.flows.conftest import Product

CALLBACK, GOODBYE = "http://localhost:3999/callback", "http://localhost:3999/bye"
OWNER = "owner@midori.example"
DEMONSTRATION = "/sign-in/demonstration"
WHOLE = "openid profile email offline_access"
STEPS_MAX = 12
FORM = "application/x-www-form-urlencoded"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


class Visitor:
    """Somebody with a browser, who is one of the people of the demonstration."""

    def __init__(self, issuer: str, email: str = OWNER) -> None:
        self.issuer, self.email = issuer, email
        self.jar = http.cookiejar.CookieJar()
        kept = urllib.request.HTTPCookieProcessor(self.jar)
        self.opener = urllib.request.build_opener(kept, _Stay)

    def visit(self, address: str) -> str:
        """Go to an address of the issuer, and return the first that is not one of its own."""
        for _ in range(STEPS_MAX):
            if not address.startswith(self.issuer):
                return address
            status, headers, text = self.ask(address)
            if status not in (302, 303):
                assert urlsplit(address).path == "/sign-in", (address, status, text[:500])
                status, headers, text = self.fill_in(address, text, DEMONSTRATION, email=self.email)
                assert status == 303, text[:500]
            address = urljoin(address, headers["Location"])
        message = "sent round and round"
        raise AssertionError(message)

    def sign_in(self) -> None:
        """Sign in at the front door."""
        address = self.issuer + "sign-in"
        _, _, page = self.ask(address)
        status, _, text = self.fill_in(address, page, DEMONSTRATION, email=self.email)
        assert status == 303, text[:500]

    def fill_in(self, address: str, page: str, action: str, **typed: str) -> tuple[int, Any, str]:
        """Send a form of a page, with what it holds already and what is typed."""
        form = page.partition(f'action="{action}"')[2].partition("</form>")[0]
        held = {
            unescape(name): unescape(value)
            for name, value in re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form)
        }
        return self.ask(urljoin(address, action), urlencode(held | typed).encode())

    def ask(self, address: str, data: bytes | None = None) -> tuple[int, Any, str]:
        """Ask for a page, or send a form."""
        headers = {"Accept": "text/html"}
        asked = urllib.request.Request(address, data, headers)  # noqa: S310 - our own
        try:
            with self.opener.open(asked) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read().decode()

    def cookies(self) -> str:
        """Return the header by which the server knows this browser."""
        return "; ".join(f"{each.name}={each.value}" for each in self.jar)


def visitor_of(product: Product, email: str = OWNER) -> Visitor:
    """Return a person of the demonstration who is not signed in yet."""
    return Visitor(f"http://localhost:{product.port}/", email)


@dataclass
class RunningClient:
    """A client of the running product that people sign in to, as far as HTTP goes.

    One without a ``verifier`` does without PKCE.
    """

    product: Product
    client_id: str
    client_secret: str = ""
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(40))

    def address(self, **more: str) -> str:
        """Return where this client sends people."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": WHOLE,
        }
        if self.verifier:
            digest = hashlib.sha256(self.verifier.encode()).digest()
            asked["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            asked["code_challenge_method"] = "S256"
        return f"http://localhost:{self.product.port}/authorize?{urlencode(asked | more)}"

    def code(self, visitor: Visitor, **more: str) -> str:
        """Return the code that somebody brings back."""
        came_back = urlsplit(visitor.visit(self.address(**more)))
        return parse_qs(came_back.query)["code"][0]

    def ask(self, path: str = "/oauth/token", **given: str) -> tuple[int, dict[str, Any]]:
        """Ask the provider as this client does; each time by a new connection."""
        proof = {"client_id": self.client_id}
        if self.client_secret:
            proof["client_secret"] = self.client_secret
        status, body = Caller(self.product.port).call(
            "POST", path, urlencode(proof | given), content_type=FORM
        )
        return status, json.loads(body or b"{}")

    def exchange(self, code: str) -> tuple[int, dict[str, Any]]:
        """Ask for tokens by a code."""
        return self.ask(
            grant_type="authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=self.verifier,
        )

    def refresh(self, token: str) -> tuple[int, dict[str, Any]]:
        """Ask for tokens by a refresh token."""
        return self.ask(grant_type="refresh_token", refresh_token=token)


def make_running_client(product: Product, kind: str, *more: str) -> RunningClient:
    """Make a client as the operator does."""
    words = ["client", "create", "--tenant", "midori-city", "--json", "--name", "app"]
    words += ["--type", kind, *more]
    if kind in ("web", "spa"):
        words += ["--redirect-uri", CALLBACK, "--logout-uri", GOODBYE]
    made = json.loads(product.must(*words))
    return RunningClient(product, made["client_id"], made.get("client_secret", ""))
