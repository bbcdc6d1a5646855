"""Every module of the OpenID Foundation's three plans, one case each, by the module's name.

``pytest tests/conformance -k oidcc-prompt-login`` tries one.  What the suite itself would say of
us, where that is not "passed", stands beside the module with the reason.
"""

from __future__ import annotations

import pytest

from tests.conformance import (
    basic_claims,
    basic_flow,
    basic_requests,
    basic_sessions,
    discovery,
    logout,
)
from tests.conformance.suite import BASIC, CONFIG, LOGOUT, MODULES

GROUPS = (basic_claims, basic_flow, basic_requests, basic_sessions, discovery, logout)


@pytest.mark.parametrize("name", BASIC)
def test_basic_op(provider, name):
    MODULES[name].run(provider)


@pytest.mark.parametrize("name", CONFIG)
def test_config_op(provider, name):
    MODULES[name].run(provider)


@pytest.mark.parametrize("name", LOGOUT)
def test_rp_initiated_logout_op(provider, name):
    MODULES[name].run(provider)


def test_every_module_of_the_plans_is_tried_and_nothing_else():
    assert (len(set(BASIC)), len(set(CONFIG)), len(set(LOGOUT))) == (38, 1, 11)
    assert sorted(MODULES) == sorted((*BASIC, *CONFIG, *LOGOUT))
    assert {found.run.__module__ for found in MODULES.values()} == {
        group.__name__ for group in GROUPS
    }
