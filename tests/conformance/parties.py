"""Who takes part: the provider under test, its clients as the suite has them, a person's browser.

Every step checks what the suite checks at that step, whatever the module is about.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from werkzeug.test import TestResponse

from giftpad import identity
from giftpad.identity.models import SessionRow
from giftpad.identity.queries import PLATFORM
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.make_pages import HOST, PASSWORD, Browser, Site, hidden
from tests.make_provider import read_token

CALLBACK = "https://rp.example.jp/test/a/giftpad/callback"
AFTERWARDS = "https://rp.example.jp/test/a/giftpad/post_logout_redirect"
ENTROPY_BITS = 96
CLOCKS_DIFFER_S = 5
YEAR_1990 = 631_152_000
TOKEN = re.compile(r"[\x20-\x7e]+")
ERROR_TEXT = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
NEEDS_A_PERSON = {
    *("interaction_required", "login_required", "consent_required"),
    "account_selection_required",
}
AT_THE_CALLBACK = {"code", "state", "iss"}


def entropy_of(text: str) -> float:
    """Return the bits that a text can hold at most, judged by how often its symbols occur."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares) * len(text)


def assert_json(answered: TestResponse, status: int = 200) -> Any:
    """Return the body of an answer that nobody may keep."""
    assert answered.status_code == status, answered.text[:2000]
    assert answered.mimetype == "application/json"
    assert "no-store" in answered.headers["Cache-Control"]
    return answered.json


@dataclass
class Client:
    """A client whose secret the suite knows, and how it proves itself."""

    client_id: str
    client_secret: str
    way: str

    def proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the parameters and the headers that prove it."""
        if self.way == "client_secret_post":
            return {"client_id": self.client_id, "client_secret": self.client_secret}, {}
        pair = f"{self.client_id}:{self.client_secret}".encode()
        return {}, {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


@dataclass
class Signed:
    """What a client holds after a whole sign-in."""

    code: str
    answer: dict[str, Any]
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def access_token(self) -> str:
        """The access token."""
        return str(self.answer["access_token"])

    @property
    def id_token(self) -> str:
        """The ID token, as it came."""
        return str(self.answer["id_token"])


@dataclass
class Provider:
    """The provider under test, and one person who has never signed in to it before."""

    site: Site
    client: Client
    other: Client
    posting: Client
    email: str
    browser: Browser = field(init=False)
    asked_in: int = 0
    """How often somebody was asked to sign in."""

    def __post_init__(self) -> None:
        self.browser = self.site.nobody()

    @property
    def issuer(self) -> str:
        """The issuer's name."""
        return identity.issuer().address

    def discovery(self) -> dict[str, Any]:
        """Return what the provider says of itself."""
        answered = self.site.app.test_client().get(
            "/.well-known/openid-configuration", base_url=f"http://{HOST}"
        )
        assert answered.status_code == 200
        assert answered.mimetype == "application/json"
        return dict(answered.json)

    def asked(self, client: Client | None = None, **changes: str | None) -> dict[str, str]:
        """Return the parameters of a request to sign in; None leaves one out."""
        plain = {
            "client_id": (client or self.client).client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": new_id().hex,
            "nonce": new_id().hex,
            "response_type": "code",
        } | changes
        return {name: value for name, value in plain.items() if value is not None}

    def go(self, asked: dict[str, str]) -> TestResponse:
        """Send the person to the provider, and return where that ends.

        They sign in when they are asked to, and say yes when they are asked for that.
        """
        return self.walk(self.browser.get(f"/authorize?{urlencode(asked)}"))

    def walk(self, answered: TestResponse) -> TestResponse:
        """Do what the provider's pages ask for, until it has no more of them."""
        for _ in range(6):
            location = answered.headers.get("Location", "")
            parts = urlsplit(location)
            if answered.status_code == 200 and 'name="asked"' in answered.text:
                answered = self._say_yes(answered)
            elif parts.netloc not in ("", HOST) or answered.status_code != 303:
                return answered
            elif parts.path == "/sign-in":
                answered = self._sign_in(location)
            else:
                answered = self.browser.get(location)
        message = "the pages never end"
        raise AssertionError(message)

    def _sign_in(self, location: str) -> TestResponse:
        page = self.browser.get(location)
        assert page.status_code == 200
        self.asked_in += 1
        wanted = hidden(page.text.partition('action="/sign-in"')[2], "next")
        fields = {"email": self.email, "password": PASSWORD, "next": wanted}
        return self.browser.post("/sign-in", fields)

    def _say_yes(self, page: TestResponse) -> TestResponse:
        chosen = page.text.split('name="membership" value="')[1].split('"')[0]
        fields = {"asked": hidden(page.text, "asked"), "membership": chosen}
        return self.browser.post("/authorize/answer", fields)

    def came_back(self, answered: TestResponse, asked: dict[str, str]) -> dict[str, str]:
        """Return what an answer tells the client, in the query and nowhere else."""
        assert answered.status_code == 303, answered.text[:2000]
        parts = urlsplit(answered.headers["Location"])
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == asked["redirect_uri"]
        assert parts.fragment == ""
        read = parse_qs(parts.query, keep_blank_values=True)
        assert all(len(values) == 1 for values in read.values()), read
        found = {name: values[0] for name, values in read.items()}
        assert found.get("state") == asked.get("state")
        assert found["iss"] == self.issuer
        return found

    def refused(self, answered: TestResponse, asked: dict[str, str]) -> str:
        """Return the error that an answer tells the client."""
        found = self.came_back(answered, asked)
        assert not {"code", "access_token", "id_token"} & set(found)
        assert ERROR_TEXT.fullmatch(found["error"])
        assert ERROR_TEXT.fullmatch(found.get("error_description", "none"))
        return found["error"]

    def code(self, asked: dict[str, str]) -> str:
        """Return the code that the person brings back."""
        found = self.came_back(self.go(asked), asked)
        assert set(found) == AT_THE_CALLBACK & {*asked, "code", "iss"}, found
        assert entropy_of(found["code"]) >= ENTROPY_BITS
        return found["code"]

    def ask(self, client: Client, **given: str) -> TestResponse:
        """Ask for tokens as a client."""
        added, headers = client.proof()
        return self.site.app.test_client().post(
            "/oauth/token", data=given | added, headers=headers, base_url=f"http://{HOST}"
        )

    def exchange(self, client: Client, code: str, **more: str) -> TestResponse:
        """Ask for tokens by a code."""
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        return self.ask(client, **given, **more)

    def sign_in(
        self,
        client: Client | None = None,
        *,
        exchange: dict[str, str] | None = None,
        **changes: str | None,
    ) -> Signed:
        """Let the person sign in to a client, from the first request to the verified tokens."""
        asked = self.asked(client, **changes)
        code = self.code(asked)
        answered = self.exchange(client or self.client, code, **(exchange or {}))
        return self.verified(client or self.client, answered, code, asked.get("nonce"))

    def verified(
        self, client: Client, answered: TestResponse, code: str = "", nonce: str | None = None
    ) -> Signed:
        """Return the tokens of an answer, each checked."""
        answer = assert_json(answered)
        assert answer["token_type"].lower() == "bearer"
        assert isinstance(answer["expires_in"], int)
        assert answer["expires_in"] > 0
        for name in ("access_token", "refresh_token"):
            if name in answer:
                assert TOKEN.fullmatch(answer[name])
                assert entropy_of(answer[name]) >= ENTROPY_BITS
        header, claims = read_token(self.site, answer["id_token"])
        signed = Signed(code, answer, header, claims)
        self._check_id_token(client, signed, nonce)
        return signed

    def _check_id_token(self, client: Client, signed: Signed, nonce: str | None) -> None:
        claims, now = signed.claims, time.time()
        assert claims["iss"] == self.issuer
        assert claims["aud"] == client.client_id
        assert claims.get("azp", client.client_id) == client.client_id
        for name in ("exp", "iat", "auth_time"):
            assert isinstance(claims[name], int)
        assert now < claims["exp"] <= now + 24 * 3600
        assert now - 300 <= claims["iat"] <= now + CLOCKS_DIFFER_S
        assert claims["auth_time"] <= now + CLOCKS_DIFFER_S
        assert claims.get("nonce") == nonce
        digest = hashlib.sha256(signed.access_token.encode()).digest()[:16]
        assert claims["at_hash"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert 0 < len(claims["sub"]) <= 255
        assert claims["sub"].isascii()
        assert (signed.header["alg"], bool(signed.header["kid"])) == ("RS256", True)

    def userinfo(self, token: str, way: str = "get") -> TestResponse:
        """Ask who the bearer of a token stands for."""
        http, bearer = self.site.app.test_client(), {"Authorization": f"Bearer {token}"}
        if way == "get":
            return http.get("/userinfo", headers=bearer, base_url=f"http://{HOST}")
        if way == "post-header":
            return http.post("/userinfo", headers=bearer, base_url=f"http://{HOST}")
        return http.post("/userinfo", data={"access_token": token}, base_url=f"http://{HOST}")

    def known(self, signed: Signed, way: str = "get") -> dict[str, Any]:
        """Return what the provider says of the person, its types checked."""
        answered = self.userinfo(signed.access_token, way)
        assert answered.status_code == 200
        assert answered.mimetype == "application/json"
        known, now = dict(answered.json), int(time.time())
        assert known["sub"] == signed.claims["sub"]
        texts = {"sub", "name", "given_name", "family_name", "email", "phone_number", "locale"}
        assert all(isinstance(known[name], str) for name in texts & set(known))
        for name in {"email_verified", "phone_number_verified"} & set(known):
            assert isinstance(known[name], bool)
        assert YEAR_1990 < known.get("updated_at", now) <= now + CLOCKS_DIFFER_S
        assert isinstance(known.get("address", {}), dict)
        assert not {"access_token", "birthdate"} & set(known)
        return known

    def grow_older(self, signed: Signed, by_s: int) -> None:
        """Let the person have signed in longer ago than they did."""
        with unit_of_work(PLATFORM) as work:
            row = work.session.get(SessionRow, (work.tenant_id, UUID(signed.claims["sid"])))
            row.proved_at = (row.proved_at or row.created_at) - timedelta(seconds=by_s)


def make_clients(site: Site) -> tuple[Client, Client, Client]:
    """Make the suite's three clients as an operator would: without PKCE, as the plan asks."""
    made = []
    for way in ("client_secret_basic", "client_secret_basic", "client_secret_post"):
        new = identity.NewClient(
            name="適合性試験",
            kind="web",
            redirect_uris=(CALLBACK,),
            logout_uris=(AFTERWARDS,),
            needs_challenge=False,
        )
        found = identity.create_client(site.scope, new)
        made.append(Client(found.client_id, found.client_secret, way))
    return made[0], made[1], made[2]
