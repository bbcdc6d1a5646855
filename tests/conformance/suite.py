"""The modules of the OpenID Foundation's suite that are tried here, by the names it gives them.

The lists are those of the suite's three plans, in their order; what each module does is written
anew beside its name, as a function of the provider under test.

Source: openid-certification/conformance-suite, OIDCCBasicTestPlan, OIDCCConfigTestPlan and
OIDCCRpInitiatedLogoutTestPlan.  Older releases of the suite have
oidcc-ensure-other-scope-order-succeeds where it now has oidcc-alternate-happy-flow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BASIC = (
    "oidcc-server",
    "oidcc-response-type-missing",
    "oidcc-idtoken-signature",
    "oidcc-idtoken-unsigned",
    "oidcc-userinfo-get",
    "oidcc-userinfo-post-header",
    "oidcc-userinfo-post-body",
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow",
    "oidcc-scope-profile",
    "oidcc-scope-email",
    "oidcc-scope-address",
    "oidcc-scope-phone",
    "oidcc-scope-all",
    "oidcc-alternate-happy-flow",
    "oidcc-display-page",
    "oidcc-display-popup",
    "oidcc-prompt-login",
    "oidcc-prompt-none-not-logged-in",
    "oidcc-prompt-none-logged-in",
    "oidcc-max-age-1",
    "oidcc-max-age-10000",
    "oidcc-ensure-request-with-unknown-parameter-succeeds",
    "oidcc-id-token-hint",
    "oidcc-login-hint",
    "oidcc-ui-locales",
    "oidcc-claims-locales",
    "oidcc-ensure-request-with-acr-values-succeeds",
    "oidcc-codereuse",
    "oidcc-codereuse-30seconds",
    "oidcc-ensure-registered-redirect-uri",
    "oidcc-ensure-post-request-succeeds",
    "oidcc-server-client-secret-post",
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
    "oidcc-claims-essential",
    "oidcc-ensure-request-object-with-redirect-uri",
    "oidcc-refresh-token",
    "oidcc-ensure-request-with-valid-pkce-succeeds",
)
CONFIG = ("oidcc-discovery-endpoint-verification",)
LOGOUT = (
    "oidcc-rp-initiated-logout-discovery-endpoint-verification",
    "oidcc-rp-initiated-logout",
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-modified-id-token-hint",
    "oidcc-rp-initiated-logout-no-id-token-hint",
    "oidcc-rp-initiated-logout-no-params",
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-no-state",
    "oidcc-rp-initiated-logout-only-state",
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-bad-id-token-hint",
)
PLANS = {
    "oidcc-basic-certification-test-plan": BASIC,
    "oidcc-config-certification-test-plan": CONFIG,
    "oidcc-rp-initiated-logout-certification-test-plan": LOGOUT,
}
VERDICTS = ("passed", "review", "warning", "skipped", "left out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module: what it does here, and what the suite itself would say of us, with the reason.

    "review" is a screenshot that a person must look at; "left out" is what the suite runs only
    with clients that register themselves.
    """

    run: Callable[[Any], None]
    verdict: str
    because: str


MODULES: dict[str, Module] = {}


def module(name: str, *, verdict: str = "passed", because: str = ""):
    """Keep a function as the module of this name."""
    assert name not in MODULES, name
    assert verdict in VERDICTS
    assert (verdict == "passed") == (because == ""), name

    def keep(run: Callable[[Any], None]) -> Callable[[Any], None]:
        MODULES[name] = Module(run=run, verdict=verdict, because=because)
        return run

    return keep
