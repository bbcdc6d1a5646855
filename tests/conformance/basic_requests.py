"""Basic OP: parameters that must not get in the way, and request objects, which are refused."""

from __future__ import annotations

import base64
import json

from tests.conformance.parties import CALLBACK, Provider
from tests.conformance.suite import module

NO_REQUEST_OBJECTS = (
    "Discovery says that request objects are not read, and so does the answer to one."
)


@module("oidcc-display-page")
def display_page(provider: Provider):
    provider.sign_in(display="page")


@module("oidcc-display-popup")
def display_popup(provider: Provider):
    provider.sign_in(display="popup")


@module("oidcc-ensure-request-with-unknown-parameter-succeeds")
def unknown_parameter(provider: Provider):
    provider.sign_in(extra="foobar")


@module("oidcc-login-hint")
def login_hint(provider: Provider):
    provider.sign_in(login_hint=provider.email)
    assert provider.asked_in == 1


@module("oidcc-ui-locales")
def ui_locales(provider: Provider):
    provider.sign_in(ui_locales="se sv fr")
    assert provider.asked_in == 1


@module("oidcc-claims-locales")
def claims_locales(provider: Provider):
    provider.sign_in(claims_locales="se")


@module("oidcc-ensure-request-with-acr-values-succeeds")
def acr_values(provider: Provider):
    signed = provider.sign_in(acr_values="1 2")
    assert signed.claims.get("acr", "1") in ("1", "2")


def _unsigned(claims: dict[str, str]) -> str:
    parts = (json.dumps({"alg": "none"}), json.dumps(claims))
    coded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return f"{coded[0]}.{coded[1]}."


@module(
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
    verdict="left out",
    because="The suite runs it only with clients that register themselves.",
)
def request_uri(provider: Provider):
    assert provider.discovery()["request_uri_parameter_supported"] is False
    asked = provider.asked() | {"request_uri": "https://rp.example.jp/request.jwt"}
    assert provider.refused(provider.go(asked), asked) == "request_uri_not_supported"


@module(
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
    verdict="skipped",
    because=NO_REQUEST_OBJECTS,
)
def unsigned_request_object(provider: Provider):
    found = provider.discovery()
    assert found["request_parameter_supported"] is False
    assert "none" not in found.get("request_object_signing_alg_values_supported", ())
    whole = provider.asked()
    bare = {name: whole[name] for name in ("client_id", "response_type", "scope", "redirect_uri")}
    asked = bare | {"request": _unsigned(whole)}
    assert provider.refused(provider.go(asked), asked) == "request_not_supported"


@module(
    "oidcc-ensure-request-object-with-redirect-uri",
    verdict="review",
    because="The address beside the request object is nobody's, so the answer is a page.",
)
def request_object_with_redirect_uri(provider: Provider):
    within = _unsigned(provider.asked())
    asked = provider.asked(redirect_uri=f"{CALLBACK}/unregistered") | {"request": within}
    answered = provider.go(asked)
    assert (answered.status_code, answered.headers.get("Location")) == (400, None)
    asked = provider.asked() | {"request": within}
    assert provider.refused(provider.go(asked), asked) == "request_not_supported"
