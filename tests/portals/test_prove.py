"""Money moves, and roles change, by a proof of the last quarter of an hour only."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from giftpad import identity, tenancy
from giftpad.app import build_app
from giftpad.edge import list_doors
from giftpad.kernel.config import Settings
from giftpad.kernel.work import Scope
from tests.make_factors import PASSKEYS, PASSWORD, give_passkey, use_passkey
from tests.make_identity import work_of
from tests.make_sessions import TWO_STEPS

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
EN = {"Accept-Language": "en"}
FRESH = {
    "GET /account/second-step",
    "POST /account/second-step/app",
    "POST /account/second-step/app/remove",
    "POST /account/second-step/codes",
    "POST /account/second-step/passkey",
    "POST /account/second-step/passkeys/<uuid:passkey_id>/remove",
    "POST /desk/batches",
    "POST /desk/batches/<uuid:batch_id>/release",
    "POST /desk/coupons/<serial>/replace",
    "POST /desk/gifts/<uuid:order_id>/approve",
    "POST /desk/gifts/<uuid:order_id>/cancel-rest",
    "POST /desk/gifts/<uuid:order_id>/stop",
    "POST /desk/gifts/<uuid:order_id>/send-back",
    "POST /desk/gifts/<uuid:order_id>/submit",
    "POST /desk/gifts/<uuid:order_id>/withdraw",
    "POST /desk/gifts/one/<uuid:gift_id>/cancel",
    "POST /desk/gifts/shipping/claims/<uuid:claim_id>/choose-again",
    "POST /desk/members/<uuid:membership_id>/remove",
    "POST /desk/members/<uuid:membership_id>/role",
    "POST /desk/members/invite",
    "POST /desk/members/second-step",
    "POST /desk/payments/<uuid:payment_id>/refund",
}
INVITED = {"name": "青葉 花", "role": "viewer", "shop": "", "email": ""}


def test_these_ask_for_a_recent_proof():
    doors = list_doors(build_app(Settings()))
    found = {f"{method} {rule.rule}" for rule, method, door in doors if door.access.is_fresh}
    assert found == FRESH


@pytest.fixture
def email(site):
    return site.new_person("owner")


def at_work(site, email):
    """Return the browser of somebody who proved who they are twenty minutes ago."""
    person_id = identity.verify_password(email, PASSWORD)
    (role,) = identity.list_memberships(person_id)
    opened = identity.open_session(person_id, role.tenant_id, role.id, methods=TWO_STEPS)
    with work_of(PLATFORM) as work:
        work.session.execute(
            sa.text(
                "UPDATE identity_sessions SET proved_at = proved_at - interval '20 minutes'"
                " WHERE id = :id"
            ),
            {"id": opened.session_id},
        )
    browser = site.with_session(identity.renew_session(opened.session_id, opened.secret))
    browser.headers |= EN
    return browser


@pytest.fixture
def browser(site, email):
    """Somebody with a passkey who has been at work for a while."""
    give_passkey(email)
    return at_work(site, email)


def invitations(site):
    return [each.name for each in identity.list_invitations(site.scope)]


def test_a_form_that_comes_too_late_is_kept_and_sent_by_one_press(site, browser, email):
    browser.get("/desk/members/invite")
    asked = browser.post("/desk/members/invite", INVITED)
    assert asked.status_code == 401
    assert "Nothing has been done yet. What you typed is kept." in asked.text
    assert invitations(site) == []
    fields = use_passkey(asked.text, PASSKEYS[email])
    before = identity.list_sessions(identity.verify_password(email, PASSWORD))[0].id
    proved = browser.post("/account/prove/passkey", fields)
    assert proved.status_code == 200, proved.text[:2000]
    assert invitations(site) == []
    held = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', proved.text))
    assert {name: held[name] for name in INVITED} == INVITED
    done = browser.post("/desk/members/invite", {name: held[name] for name in INVITED})
    assert done.headers["Location"] == "/desk/members/invited"
    assert invitations(site) == ["青葉 花"]
    after = identity.list_sessions(identity.verify_password(email, PASSWORD))[0].id
    assert after != before


def test_the_proof_leads_back_to_the_page_that_was_wanted(browser, email):
    answered = browser.get("/account/second-step")
    assert answered.headers["Location"] == "/account/prove?next=/account/second-step"
    fields = use_passkey(browser.follow(answered).text, PASSKEYS[email])
    proved = browser.post("/account/prove/passkey", fields)
    assert proved.headers["Location"] == "/account/second-step"
    assert browser.follow(proved).status_code == 200


def test_the_proof_sends_nobody_to_another_site(browser, email):
    fields = use_passkey(browser.get("/account/prove?next=//evil.example").text, PASSKEYS[email])
    proved = browser.post("/account/prove/passkey", fields | {"next": "https://evil.example/"})
    assert proved.headers["Location"] == "/desk"


def test_a_password_is_no_proof_of_somebody_with_better(browser, email):
    browser.get("/account/prove")
    answered = browser.post("/account/prove", {"password": PASSWORD, "code": ""})
    assert answered.status_code == 422
    assert browser.get("/account/second-step").status_code == 303


def test_a_wrong_proof_keeps_the_form(site, browser, email):
    browser.get("/desk/members/invite")
    asked = browser.post("/desk/members/invite", INVITED)
    held = re.search(r'name="held" value="([^"]+)"', asked.text)[1]
    answered = browser.post("/account/prove", {"held": held, "code": "000000"})
    assert answered.status_code == 422
    assert re.search(r'name="held" value="([^"]+)"', answered.text)[1] == held
    fields = use_passkey(answered.text, PASSKEYS[email])
    assert 'value="青葉 花"' in browser.post("/account/prove/passkey", fields).text


def test_the_form_of_one_is_not_sent_by_another(site, browser, email):
    browser.get("/desk/members/invite")
    asked = browser.post("/desk/members/invite", INVITED)
    held = re.search(r'name="held" value="([^"]+)"', asked.text)[1]
    thief_email = site.new_person("owner")
    give_passkey(thief_email)
    thief = site.nobody()
    fields = use_passkey(thief.get("/sign-in").text, PASSKEYS[thief_email])
    thief.follow(thief.post("/sign-in/passkey", fields))
    fields = use_passkey(thief.get("/account/prove").text, PASSKEYS[thief_email])
    proved = thief.post("/account/prove/passkey", fields | {"held": held})
    assert "青葉 花" not in proved.text


def test_who_has_no_second_step_proves_it_by_the_password(site):
    browser = at_work(site, site.new_person("support"))
    page = browser.follow(browser.get("/account/second-step"))
    assert 'name="password"' in page.text
    answered = browser.post("/account/prove", {"password": "wrong", "next": "/account/second-step"})
    assert answered.status_code == 422
    answered = browser.post(
        "/account/prove", {"password": PASSWORD, "next": "/account/second-step"}
    )
    assert answered.headers["Location"] == "/account/second-step"
    assert browser.follow(answered).status_code == 200


def test_what_stops_a_coupon_waits_for_no_proof(browser):
    answered = browser.post("/desk/coupons/range", {"first": "1", "last": "2"})
    assert answered.status_code != 401
