"""Clients that others have made, unchanged, against the running product.

They come from npm by ``tests/clients/package-lock.json``; Auth0's for Python is one of our own
development packages.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from auth0.authentication import GetToken, RevokeToken, Users
from auth0.authentication.exceptions import Auth0Error
from auth0.authentication.token_verifier import (
    AsymmetricSignatureVerifier,
    TokenValidationError,
    TokenVerifier,
)

from tests.flows.http import Caller
from tests.flows.visitor import (
    CALLBACK,
    GOODBYE,
    OWNER,
    RunningClient,
    Visitor,
    make_running_client,
    visitor_of,
)

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "tests" / "clients"
BIN = ROOT / ".venv" / "bin"
INSTALL_S, TALK_S = 240, 120
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def clients(tmp_path_factory) -> Path:
    """The clients, installed from their lock into a folder of their own."""
    folder = tmp_path_factory.mktemp("clients")
    for file in CLIENTS.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [BIN / "npm", "ci"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    if done.returncode and "CI" not in os.environ:
        pytest.skip(f"the clients cannot be installed here: {done.stderr.strip()[-300:]}")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def given(product) -> dict[str, Any]:
    """What a client is told: the issuer, and what the operator has made for it."""
    issuer = product.address.replace("127.0.0.1", "localhost") + "/"

    def make(name: str, kind: str, *more: str) -> dict[str, str]:
        words = ("client", "create", "--tenant", "midori-city", "--json")
        made = product.must(*words, "--name", name, "--type", kind, *more)
        return dict(json.loads(made))

    ways = ("--redirect-uri", CALLBACK, "--logout-uri", GOODBYE, "--permission", "shops:read")
    return {
        "issuer": issuer,
        "audience": issuer + "api/v1",
        "callback": CALLBACK,
        "goodbye": GOODBYE,
        "web": make("web", "web", *ways),
        "spa": make("spa", "spa", *ways),
        "machine": make("machine", "machine", "--permission", "shops:read"),
    }


@pytest.fixture
def visitor(product) -> Visitor:
    """Somebody who is not signed in yet."""
    return visitor_of(product)


def run(clients: Path, name: str, given: dict[str, Any], visitor: Visitor | None = None) -> dict:
    """Run a client to its end, and return what it has told."""
    told: dict[str, Any] = {}
    with subprocess.Popen(
        [BIN / "node", f"{name}.mjs", json.dumps(given)],
        cwd=clients,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            if "visit" in said:
                assert visitor is not None
                process.stdin.write(json.dumps({"location": visitor.visit(said["visit"])}) + "\n")
                process.stdin.flush()
            told |= said.get("tell", {})
            told["done"] = said.get("done", False)
        assert process.stderr is not None
        faults = process.stderr.read()
        process.wait(TALK_S)
    assert told.get("done"), f"{told}\n{faults}"
    return told


def take_token(given: dict[str, Any]) -> str:
    """Return a machine's access token."""
    fields = {"grant_type": "client_credentials", **given["machine"]}
    address = given["issuer"] + "oauth/token"
    with urllib.request.urlopen(address, urlencode(fields).encode()) as answer:  # noqa: S310 - as above
        return str(json.load(answer)["access_token"])


def org_of(given: dict[str, Any]) -> str:
    """Return the organisation of the clients, as a machine's token names it."""
    part = take_token(given).split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(part + "=="))["org_id"])


def test_openid_client_does_all_of_it(clients, given, visitor):
    told = run(clients, "openid_client", given, visitor)
    assert told["email"] == OWNER
    assert told["org"].startswith("org_")
    assert told["expires"] == 900
    assert (told["reuse"], told["family"], told["revoked"]) == ("invalid_grant",) * 3
    assert told["machine"]
    assert told["left"] == f"{GOODBYE}?state=bye"
    assert told["none"] == "login_required"


def test_auth0_spa_js_does_all_of_it(clients, given, visitor):
    told = run(clients, "spa", given | {"org_id": org_of(given)}, visitor)
    assert told["org"] == org_of(given)
    assert told["email"] == OWNER
    assert told["renewed"]
    assert told["json"]
    assert told["left"] == GOODBYE
    assert told["again"]


def test_oauth4webapi_verifies_our_tokens(clients, given):
    told = run(clients, "oauth4webapi", given | {"token": take_token(given)})
    assert told["client"] == given["machine"]["client_id"]
    assert told["subject"] == f"{told['client']}@clients"
    assert told["other"]


def test_express_takes_our_tokens_normal_and_strict(clients, given):
    told = run(clients, "jwt_bearer", given | {"token": take_token(given)})
    assert (told["normal"], told["strict"]) == (200, 200)
    assert (told["nobody"], told["wrong"]) == (401, 401)


def auth0_refusal(work) -> tuple[int, str]:
    """Return status and code of what Auth0's own client is refused."""
    with pytest.raises(Auth0Error) as refused:
        work()
    return refused.value.status_code, refused.value.error_code


@dataclass
class Auth0App:
    """An application with Auth0's own client for Python; by http because this is loopback."""

    given: dict[str, Any]
    app: RunningClient

    def __post_init__(self) -> None:
        self.host = self.given["issuer"].split("/")[2]
        proof = (self.host, self.app.client_id, self.app.client_secret or None)
        self.taking = GetToken(*proof, protocol="http")
        self.revoking = RevokeToken(*proof, protocol="http")
        self.users = Users(self.host, protocol="http")
        self.verifier = TokenVerifier(
            AsymmetricSignatureVerifier(self.given["issuer"] + ".well-known/jwks.json"),
            issuer=self.given["issuer"],
            audience=self.app.client_id,
        )

    def sign_in(self, visitor: Visitor, **more: str) -> dict[str, Any]:
        """Return the tokens for somebody who signs in."""
        code = self.app.code(visitor, **more)
        if self.app.client_secret:
            return dict(self.taking.authorization_code(code, CALLBACK))
        verifier = self.app.verifier
        return dict(self.taking.authorization_code_pkce(verifier, code, CALLBACK))


@pytest.fixture(params=["spa", "web"])
def auth0(request, product, given) -> Auth0App:
    """An application without a secret, and one with: the library knows no PKCE for that."""
    if request.param == "spa":
        return Auth0App(given, RunningClient(product, given["spa"]["client_id"]))
    bare = make_running_client(product, "web", "--without-pkce")
    return Auth0App(given, replace(bare, verifier=""))


def test_auth0_python_signs_somebody_in_and_knows_the_organisation(auth0, given, visitor):
    org_id, verify = org_of(given), auth0.verifier.verify
    tokens = auth0.sign_in(visitor, organization=org_id, nonce="n-7", max_age="600")
    claims = verify(tokens["id_token"], nonce="n-7", max_age=600, organization=org_id)
    assert claims["email"] == OWNER
    with pytest.raises(TokenValidationError, match="org_id"):
        verify(tokens["id_token"], nonce="n-7", organization="org_another")
    with pytest.raises(TokenValidationError, match="nonce"):
        verify(tokens["id_token"], nonce="n-8")
    known = auth0.users.userinfo(tokens["access_token"])
    assert (known["sub"], known["email"]) == (claims["sub"], OWNER)


def test_auth0_python_renews_and_a_token_shown_twice_ends_the_family(auth0, visitor):
    first = auth0.sign_in(visitor)
    second = auth0.taking.refresh_token(first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert auth0.verifier.verify(second["id_token"])["email"] == OWNER
    for tokens in (first, second):
        gone = auth0_refusal(lambda t=tokens: auth0.taking.refresh_token(t["refresh_token"]))
        assert gone == (400, "invalid_grant")


def test_auth0_python_gives_back_and_signs_out(auth0, given, visitor):
    tokens = auth0.sign_in(visitor)
    auth0.revoking.revoke_refresh_token(tokens["refresh_token"])
    gone = auth0_refusal(lambda: auth0.taking.refresh_token(tokens["refresh_token"]))
    assert gone == (400, "invalid_grant")
    out = urlencode({"client_id": auth0.app.client_id, "returnTo": GOODBYE})
    assert visitor.visit(f"{given['issuer']}v2/logout?{out}") == GOODBYE
    assert "error=login_required" in visitor.visit(auth0.app.address(prompt="none"))


def test_auth0_python_takes_a_token_for_a_machine(product, given):
    host, machine = given["issuer"].split("/")[2], given["machine"]
    taking = GetToken(host, machine["client_id"], machine["client_secret"], protocol="http")
    for organization in (None, org_of(given)):
        tokens = taking.client_credentials(given["audience"], organization=organization)
        assert tokens["token_type"] == "Bearer"
        asked = Caller(product.port, tokens["access_token"])
        asked.ask("GET", "/api/v1/shops?limit=1", wanted=200)
    denied = auth0_refusal(
        lambda: taking.client_credentials(given["audience"], organization="org_another")
    )
    assert denied == (403, "access_denied")
