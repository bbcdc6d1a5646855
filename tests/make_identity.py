"""Builders: clients, tokens good and bad, and an application to show them to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from giftpad import identity
from giftpad.app import build_app
from giftpad.edge import public, requires
from giftpad.identity.queries import find_signer
from giftpad.kernel.config import Settings
from giftpad.kernel.work import Scope
from giftpad.kernel.work import unit_of_work as _unit_of_work
from tests import make


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A client of a tenant with the application it calls."""

    app: Flask
    scope: Scope
    client_id: str
    client_secret: str

    @property
    def http(self) -> FlaskClient:
        return self.app.test_client()

    @property
    def credentials(self) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }

    def ask_token(self, **changes: str) -> TestResponse:
        """Ask for a token by a form, whatever the answer."""
        return self.http.post("/oauth/token", data=self.credentials | changes)

    def token(self, **changes: str) -> str:
        """Take a token."""
        answered = self.ask_token(**changes)
        assert answered.status_code == 200, answered.text
        return str(answered.json["access_token"])

    def get(self, path: str, token: str | None = None, **headers: str) -> TestResponse:
        """Get a path with a token, by default a fresh one."""
        authorised = {"Authorization": f"Bearer {token or self.token()}"}
        return self.http.get(path, headers=authorised | headers)


def make_machine(app: Flask, *permissions: str, scope: Scope | None = None, **more) -> Machine:
    """Make a client with a tenant of its own, unless one is given."""
    scope = scope or make.make_tenant()
    names = permissions or ("coupons:read",)
    new = identity.NewClient(name="test", permissions=names, **more)
    made = identity.create_client(scope, new)
    return Machine(app=app, scope=scope, client_id=made.client_id, client_secret=made.client_secret)


def add_probe(app: Flask) -> Flask:
    """Add one route behind a permission, one behind a token, one for everybody, and accidents."""
    from flask import request

    from giftpad.edge import current_scope, request_id

    @app.get("/probe")
    @requires("coupons:read")
    def probe():
        scope = current_scope()
        return {
            "tenant_id": scope.tenant_id,
            "client_id": scope.actor.client_id,
            "shop_id": scope.actor.shop_id,
            "permissions": sorted(scope.permissions),
            "request_id": request_id(),
        }

    @app.get("/probe/nothing-asked")
    @requires()
    def nothing_asked():
        return {}

    @app.get("/probe/public")
    @public("A test.")
    def everybody():
        return {}

    @app.post("/probe/body")
    @public("A test.")
    def body():
        return {"got": request.get_json()}

    @app.get("/probe/accident")
    @public("A test.")
    def accident():
        message = "the database password is hunter2"
        raise RuntimeError(message)

    return app


def probing_app(settings: Settings) -> Flask:
    """Build the application with the probes."""
    return add_probe(build_app(settings))


_shared: dict[tuple[object, str], Flask] = {}


def shared_app(build: Callable[[Settings], Flask], settings: Settings) -> Flask:
    """Return what a builder makes of these settings; a test that changes it builds its own."""
    which = (build, settings.database_url)
    if which not in _shared:
        _shared[which] = build(settings)
    identity.bind_issuer(settings.issuer)  # as the builder did
    return _shared[which]


def forget_apps() -> None:
    """Forget the shared applications: the database they knew is another now."""
    _shared.clear()


def claims_of(machine: Machine, **changes: object) -> dict[str, object]:
    """Return what a good token of a machine says, with changes; None takes a claim away."""
    now = int(time.time())
    from giftpad import tenancy

    good: dict[str, object] = {
        "iss": identity.issuer().address,
        "aud": identity.issuer().audience,
        "sub": f"{machine.client_id}@clients",
        "client_id": machine.client_id,
        "jti": "1" * 32,
        "iat": now,
        "exp": now + 600,
        "scope": "coupons:read",
        "permissions": ["coupons:read"],
        "org_id": tenancy.get_tenant(machine.scope.tenant_id).org_id,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def sign(
    claims: dict[str, object], *, key: RSAKey | None = None, header: dict[str, object] | None = None
) -> str:
    """Sign claims as we would, or with another key or header."""
    found = find_signer()
    assert found is not None
    kid, ours = found
    whole = {"alg": "RS256", "typ": "at+jwt", "kid": kid} | (header or {})
    whole = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode(whole, claims, key or ours, algorithms=["RS256"], default_type=None)


def work_of(scope: Scope):
    """Open a transaction of a tenant."""
    return _unit_of_work(scope)
