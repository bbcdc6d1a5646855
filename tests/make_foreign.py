"""Builders: an issuer that is not us, on the loopback address, good or with one thing wrong."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import RSAKey

from giftpad import identity
from tests.waiting import PATIENCE_S

DISCOVERY, KEYS = "/.well-known/openid-configuration", "/.well-known/jwks.json"
AUDIENCE = "https://coupons.example/api/v1"
ORG_ID = "org_Foreign1"
SUBJECT = "machine7@clients"


@cache
def key_named(kid: str) -> RSAKey:
    """Return the one key of a name; making one takes long."""
    return RSAKey.generate_key(2048, {"kid": kid})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """Say nothing of callers that have gone."""


class ForeignIssuer:
    """An issuer with keys of its own, in the profile of Auth0 unless another is asked for."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.kids = ["first"]
        self.key_algorithm = {"alg": "RS256"}
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.named = ""
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self._server = _Server(("127.0.0.1", 0), self._handler())
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if context is None else "https"
        host = "127.0.0.1" if context is None else "localhost"
        self.address = f"{scheme}://{host}:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def readings(self) -> int:
        """How often its keys were asked for."""
        return self.asked.count(KEYS)

    def close(self) -> None:
        """Be gone: nobody listens there any more."""
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    def document(self, path: str) -> object:
        """Return what it publishes at a path."""
        if path == DISCOVERY:
            return {"issuer": self.named or self.address, "jwks_uri": self.address + KEYS[1:]}
        return {
            "keys": [
                key_named(kid).as_dict(private=False) | {"use": "sig"} | self.key_algorithm
                for kid in self.kids
            ]
        }

    def _handler(issuer) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                assert issuer.gate.wait(PATIENCE_S)
                if self.path in issuer.answers:
                    issuer.answers[self.path](self)
                else:
                    send(self, json.dumps(issuer.document(self.path)).encode())

            def log_message(self, *_) -> None:
                """Keep quiet."""

        return Handler

    def claims(self, *, profile: str = "auth0", **changes: object) -> dict[str, object]:
        """Return what a good token says; None takes a claim away."""
        now = int(time.time())
        client_id = SUBJECT.removesuffix("@clients")
        of_profile: dict[str, object] = {"azp": client_id, "gty": "client-credentials"}
        if profile == "rfc9068":
            of_profile = {"client_id": client_id, "jti": "t1"}
        good = of_profile | {
            "iss": self.address,
            "sub": SUBJECT,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 86400,
            "scope": "coupons:read",
            "permissions": ["coupons:read"],
            "org_id": ORG_ID,
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def sign(
        self,
        claims: dict[str, object] | None = None,
        *,
        kid: str = "first",
        key: RSAKey | None = None,
        header: dict[str, object] | None = None,
    ) -> str:
        """Sign claims, by default good ones."""
        claims = self.claims() if claims is None else claims
        whole = {"alg": "RS256", "typ": "JWT", "kid": kid} | (header or {})
        whole = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(
            whole, claims, key or key_named(kid), algorithms=[str(whole["alg"])], default_type=None
        )

    def token(self, **changes: object) -> str:
        """Return a token with some claims changed."""
        return self.sign(self.claims(**changes))


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    """Answer a request."""
    handler.send_response(status)
    for name, value in ({"Content-Length": str(len(body))} | headers).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def entry(issuer: str, tenant: str, **changes: object) -> str:
    """Return the lines of a file that trust an issuer for one tenant."""
    values = {
        "issuer": issuer,
        "audience": AUDIENCE,
        "permissions": ["coupons:read", "payments:read"],
    } | changes
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    organisation = [f'org_id = "{ORG_ID}"', f'tenant = "{tenant}"']
    renamed = ['theirs = "read:payments"', 'ours = "payments:read"']
    return "\n".join(
        [
            *("[[issuers]]", *lines),
            *("[[issuers.organizations]]", *organisation),
            *("[[issuers.renamed]]", *renamed, ""),
        ]
    )


def trust(folder: Path, *entries: str) -> None:
    """Let this process trust issuers, by a file."""
    file = folder / "issuers.toml"
    file.write_text("\n".join(entries), "utf-8")
    identity.bind_trusted_issuers(str(file), ours=identity.issuer().address)
