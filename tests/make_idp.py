"""Builders: a tenant's own identity provider on the loopback address, good or with one fault."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlencode, urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from werkzeug.test import TestResponse

from giftpad import identity
from giftpad.identity.commands.links import _add
from giftpad.identity.queries import PLATFORM, index_subject
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, unit_of_work
from tests.make_foreign import _Server, key_named, send
from tests.make_pages import Browser
from tests.waiting import PATIENCE_S

SECRET = "a channel secret of 32 bytes or more"
CLIENT_ID = "giftpad-at-the-town"
DISCOVERY = "/.well-known/openid-configuration"
KEYS, TOKEN, AUTHORIZE = "/jwks", "/token", "/authorize"


@cache
def curve_key() -> ECKey:
    """Return the one key of ES256."""
    return ECKey.generate_key("P-256", {"kid": "curve"})


class Idp:
    """A provider that signs everybody in as ``subject`` at once."""

    def __init__(self) -> None:
        self.subject = "staff-7"
        self.algorithm = "RS256"
        self.names_itself = True
        self.named = ""
        self.claims: dict[str, object] = {}
        self.header: dict[str, object] = {}
        self.forge: Callable[[dict[str, object]], str] | None = None
        self.metadata: dict[str, object] = {}
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.authorizations: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Semaphore(0)
        self.codes: dict[str, dict[str, str]] = {}
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Be gone."""
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    def document(self) -> dict[str, object]:
        """Return what it says of itself."""
        return {
            "issuer": self.named or self.address,
            "authorization_endpoint": self.address + AUTHORIZE,
            "token_endpoint": self.address + TOKEN,
            "jwks_uri": self.address + KEYS,
            "id_token_signing_alg_values_supported": [self.algorithm],
            "authorization_response_iss_parameter_supported": self.names_itself,
        } | self.metadata

    def sign_in(self, address: str, **changes: str) -> dict[str, str]:
        """Sign in at the address that a browser was sent to; return what it brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        brought = {"code": code, "state": asked["state"]}
        if self.names_itself:
            brought["iss"] = self.address
        return {name: value for name, value in (brought | changes).items() if value}

    def _token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.address,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        return self.forge(claims) if self.forge is not None else self.sign(claims)

    def sign(self, claims: dict[str, object]) -> str:
        """Sign claims by the algorithm of the moment."""
        keys = {"RS256": key_named("first"), "PS256": key_named("first"), "ES256": curve_key()}
        key = keys.get(self.algorithm) or OctKey.import_key(SECRET.encode())
        kid = {} if self.algorithm == "HS256" else {"kid": key.kid}
        header = {"alg": self.algorithm, **kid} | self.header
        header = {name: value for name, value in header.items() if value is not None}
        return jwt.encode(header, claims, key, algorithms=[self.algorithm], default_type=None)

    def _redeem(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers["Content-Length"])
        form = {n: v[0] for n, v in parse_qs(handler.rfile.read(length).decode()).items()}
        self.forms.append(form)
        self.authorizations.append(handler.headers.get("Authorization", ""))
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"]:
            send(handler, b'{"error": "invalid_grant"}', 400)
            return
        answer = {"access_token": "access-1", "id_token": self._token(asked)}
        send(handler, json.dumps(answer).encode())

    def _handler(idp) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                idp.asked.append(self.path)
                if self.path.startswith(AUTHORIZE):
                    brought = urlencode(idp.sign_in(self.path))
                    home = parse_qs(urlsplit(self.path).query)["redirect_uri"][0]
                    send(self, b"", 302, Location=f"{home}?{brought}")
                    return
                keys = [
                    key_named("first").as_dict(private=False),
                    curve_key().as_dict(private=False),
                ]
                found = {DISCOVERY: idp.document(), KEYS: {"keys": keys}}
                send(self, json.dumps(found[self.path]).encode())

            def do_POST(self) -> None:
                idp.asked.append(self.path)
                idp.waiting.release()
                assert idp.gate.wait(PATIENCE_S)
                idp._redeem(self)

            def log_message(self, *_) -> None:
                """Keep quiet."""

        return Handler


def with_public_key(claims: dict[str, object]) -> str:
    """Sign by HS256 with the public key as the secret: the old trick."""
    pem = key_named("first").as_pem(private=False)
    whole = {"alg": "HS256", "kid": "first"}
    key = OctKey.import_key(base64.urlsafe_b64encode(pem).decode())
    return jws.serialize_compact(whole, json.dumps(claims).encode(), key, algorithms=["HS256"])


def with_other_key(claims: dict[str, object]) -> str:
    """Sign by a key that nobody publishes, under the id of one that is published."""
    key = RSAKey.generate_key(2048, {"kid": "first"})
    return jwt.encode({"alg": "RS256", "kid": "first"}, claims, key, algorithms=["RS256"])


def with_critical_header(claims: dict[str, object]) -> str:
    """Sign well, and say that a header must be understood that nobody knows."""
    whole = f"{_part({'alg': 'RS256', 'kid': 'first', 'crit': ['b65']})}.{_part(claims)}"
    signature = key_named("first").private_key.sign(whole.encode(), PKCS1v15(), SHA256())
    return f"{whole}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def unsigned(claims: dict[str, object]) -> str:
    """Sign by nothing."""
    return f"{_part({'alg': 'none'})}.{_part(claims)}."


def connect(scope: Scope, idp: Idp | None, **changes: object) -> identity.ConnectionView:
    """Connect a tenant to a provider; to none of ours, where all is said of it."""
    ours = {"issuer": idp.address, "algorithms": (idp.algorithm,)} if idp is not None else {}
    given = {"name": "市役所アカウント", "client_id": CLIENT_ID, "secret": SECRET}
    new = given | ours | changes
    return identity.create_connection(scope, identity.NewConnection(**new))


def add_connection(scope: Scope) -> identity.ConnectionView:
    """Connect a tenant to a provider that is away from then on."""
    idp = Idp()
    try:
        return connect(scope, idp, client_id=new_id().hex)  # a port may come again
    finally:
        idp.close()


def add_link(connection: identity.ConnectionView, person_id: UUID) -> None:
    """Let somebody have linked an account, without the way there."""
    with unit_of_work(PLATFORM) as work:
        _add(work, connection, index_subject(connection.id, str(person_id)), person_id)


@dataclass
class Way:
    """Somebody's browser on the way through a connection."""

    browser: Browser
    slug: str
    connection: identity.ConnectionView

    def leave(self, **fields: str) -> str:
        """Press the button of the sign-in page; return where the browser goes on to."""
        self.browser.get(f"/sign-in?org={self.slug}")
        answered = self.browser.post(f"/sign-in/with/{self.slug}/{self.connection.id}", fields)
        return address_in(answered)

    def come_back(self, brought: dict[str, str]) -> TestResponse:
        """Come back from the provider."""
        return self.browser.get(f"/sign-in/back?{urlencode(brought)}")

    def through(self, idp: Idp, **fields: str) -> TestResponse:
        """Go there and come back."""
        return self.come_back(idp.sign_in(self.leave(**fields)))


def address_in(answered: TestResponse) -> str:
    """Return where the page sends the browser on to by itself."""
    assert answered.status_code == 200, (answered.status_code, answered.text[:3000])
    found = answered.text.partition('content="0;url=')[2].partition('"')[0]
    return found.replace("&amp;", "&")


def link(browser: Browser, idp: Idp, connection_id: object, password: str) -> TestResponse:
    """Link an account for somebody who is signed in."""
    browser.get(f"/account/links/{connection_id}")
    answered = browser.post(f"/account/links/{connection_id}", {"present": password})
    if answered.status_code != 200:
        return answered
    return browser.get(f"/sign-in/back?{urlencode(idp.sign_in(address_in(answered)))}")


def credentials(authorization: str) -> tuple[str, str]:
    """Return the client and the secret of a header."""
    pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
    client_id, _, secret = pair.partition(":")
    return unquote(client_id), unquote(secret)
