"""Config OP, and the logout plan's own look at discovery: what the provider says of itself."""

from __future__ import annotations

import base64
import re
from urllib.parse import urlsplit

from tests.conformance.parties import Provider
from tests.conformance.suite import module
from tests.make_pages import HOST

SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
REQUIRED = {
    *("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"),
    *("response_types_supported", "subject_types_supported"),
    "id_token_signing_alg_values_supported",
}


def _check_endpoints(found: dict[str, object]) -> None:
    """Check the addresses: https, but on this very machine, where these tests are."""
    names = [name for name in found if name.endswith(("_endpoint", "_uri"))]
    for name in names:
        parts = urlsplit(str(found[name]))
        assert parts.scheme == "https" or parts.hostname == "localhost", name
        assert parts.netloc == urlsplit(str(found["issuer"])).netloc, name
        assert parts.fragment == ""


@module("oidcc-discovery-endpoint-verification")
def discovery_endpoint_verification(provider: Provider):
    found = provider.discovery()
    assert set(found) >= REQUIRED
    issuer = urlsplit(found["issuer"])
    assert found["issuer"] == provider.issuer
    assert (issuer.query, issuer.fragment) == ("", "")
    assert f"{issuer.netloc}{issuer.path}" == f"{HOST}/"
    _check_endpoints(found)
    assert set(found["response_types_supported"]) == {"code"}
    assert set(found["subject_types_supported"]) <= {"public", "pairwise"} != set()
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert "none" not in found["id_token_signing_alg_values_supported"]
    assert {"authorization_code", "refresh_token"} <= set(found["grant_types_supported"])
    assert "openid" in found["scopes_supported"]
    assert all(SCOPE.fullmatch(name) for name in found["scopes_supported"])
    assert {"sub", "iss", "auth_time", "name", "email"} <= set(found["claims_supported"])
    assert all(LOCALE.fullmatch(name) for name in found["ui_locales_supported"])
    assert found["code_challenge_methods_supported"] == ["S256"]
    methods = {"client_secret_basic", "client_secret_post"}
    assert methods <= set(found["token_endpoint_auth_methods_supported"])
    for name in ("request", "request_uri", "claims"):
        assert found[f"{name}_parameter_supported"] is False
    assert "registration_endpoint" not in found
    assert all(value != [] for value in found.values())
    _check_keys(provider, urlsplit(found["jwks_uri"]).path)


def _check_keys(provider: Provider, path: str) -> None:
    answered = provider.site.app.test_client().get(path, base_url=f"http://{HOST}")
    assert answered.status_code == 200
    keys = answered.json["keys"]
    assert len({key["kid"] for key in keys}) == len(keys) > 0
    for key in keys:
        assert not PRIVATE & set(key)
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
        for name in ("n", "e"):
            assert BASE64URL.fullmatch(key[name])
        modulus = base64.urlsafe_b64decode(key["n"] + "=" * (-len(key["n"]) % 4))
        assert len(modulus) * 8 >= 2048
        assert modulus[0] != 0


@module("oidcc-rp-initiated-logout-discovery-endpoint-verification")
def logout_discovery_endpoint_verification(provider: Provider):
    found = provider.discovery()
    _check_endpoints(found)
    assert found["end_session_endpoint"] == f"{provider.issuer}oidc/logout"
