"""The second step on the way in, over HTTP: set up, taken, missed, and recovered from."""

from __future__ import annotations

import re

import pyotp
import pytest

from giftpad import identity
from tests.make_factors import PASSKEYS, PASSWORD, give_passkey, step_on, use_passkey
from tests.make_pages import hidden

EN = {"Accept-Language": "en"}
SECOND, SET_UP = "/sign-in/second", "/sign-in/set-up"


def first_step(site, email, **more):
    """Give address and password."""
    browser = site.nobody()
    browser.headers |= EN
    browser.get("/sign-in")
    return browser, browser.post("/sign-in", {"email": email, "password": PASSWORD} | more)


def secret_of(page):
    """Return the key that a page shows to an authenticator app."""
    found = re.search(r"<code[^>]*>([A-Z2-7 ]{32,})</code>", page)
    assert found is not None
    return found[1].replace(" ", "")


def set_up_app(browser):
    """Set an app up on the way in; return it and the sheet of codes."""
    page = browser.get(SET_UP).text
    app = pyotp.TOTP(secret_of(page))
    sheet = browser.post(f"{SET_UP}/app", {"app": hidden(page, "app"), "code": app.now()})
    assert sheet.status_code == 200, sheet.text[:3000]
    return app, re.findall(r"<code[^>]*>([0-9A-Z-]{14})</code>", sheet.text)


def test_whoever_keeps_a_town_sets_a_second_step_up_first(site):
    browser, answered = first_step(site, site.new_person("owner"), next="/desk/members")
    assert answered.headers["Location"] == SET_UP
    assert browser.get("/desk").headers["Location"].startswith("/sign-in")
    _, codes = set_up_app(browser)
    assert len(codes) == 10
    assert browser.get("/desk").headers["Location"].startswith("/sign-in")
    done = browser.post(f"{SET_UP}/done", {})
    assert done.headers["Location"] == "/desk/members"
    assert browser.follow(done).status_code == 200


def test_whoever_need_not_is_not_asked(site):
    _, answered = first_step(site, site.new_person("viewer"))
    assert answered.headers["Location"] == "/desk"


def test_wrong_digits_set_nothing_up_and_the_same_key_stays_on_the_page(site):
    email = site.new_person("owner")
    browser, _ = first_step(site, email)
    page = browser.get(SET_UP).text
    fields = {"app": hidden(page, "app"), "code": "000000"}
    answered = browser.post(f"{SET_UP}/app", fields)
    assert answered.status_code == 422
    assert secret_of(answered.text) == secret_of(page)
    person_id = identity.verify_password(email, PASSWORD)
    assert not identity.find_factors(person_id).are_any


def test_the_next_time_the_step_is_taken_and_each_code_once(site):
    email = site.new_person("owner")
    browser, _ = first_step(site, email)
    app, codes = set_up_app(browser)
    for code, is_good in ((codes[0], True), (codes[0], False), (app.now(), False)):
        again, answered = first_step(site, email)
        assert answered.headers["Location"] == SECOND
        assert again.get(SET_UP).headers["Location"] == SECOND
        answered = again.post(SECOND, {"code": code})
        if is_good:
            assert answered.headers["Location"] == "/desk"
            assert again.follow(answered).status_code == 200
        else:
            assert answered.status_code == 422
            assert "used already" in answered.text
            assert again.get("/desk").status_code == 303


def test_a_passkey_is_set_up_and_then_needs_no_password(site):
    email = site.new_person("owner")
    browser, answered = first_step(site, email)
    assert step_on(browser, answered, email).headers["Location"] == "/desk"
    phone = site.nobody()
    fields = use_passkey(phone.get("/sign-in?next=/desk/shops").text, PASSKEYS[email])
    answered = phone.post("/sign-in/passkey", fields)
    assert answered.headers["Location"] == "/desk/shops"
    assert phone.follow(answered).status_code == 200
    (newest, *_) = identity.list_sessions(identity.verify_password(email, PASSWORD))
    assert "mfa" in newest.amr


def test_the_answer_of_a_passkey_is_good_once_and_in_its_own_form(site):
    email = site.new_person("owner")
    give_passkey(email)
    browser = site.nobody()
    fields = use_passkey(browser.get("/sign-in").text, PASSKEYS[email])
    between, _ = first_step(site, email)
    assert between.post(f"{SECOND}/passkey", fields).status_code == 422
    assert browser.post("/sign-in/passkey", fields).status_code == 303
    thief = site.nobody()
    thief.get("/sign-in")
    assert thief.post("/sign-in/passkey", fields).status_code == 422


def test_a_passkey_of_another_is_no_second_step(site):
    victim, thief = site.new_person("owner"), site.new_person("owner")
    give_passkey(victim)
    give_passkey(thief)
    browser, _ = first_step(site, victim)
    fields = use_passkey(browser.get(SECOND).text, PASSKEYS[thief])
    assert browser.post(f"{SECOND}/passkey", fields).status_code == 422
    assert browser.get("/desk").status_code == 303


def test_whoever_has_taken_no_first_step_begins_again(site):
    browser = site.nobody()
    browser.get("/sign-in")
    for path in (SECOND, SET_UP):
        assert browser.get(path).headers["Location"] == "/sign-in"
    for path in (SECOND, f"{SECOND}/passkey", f"{SET_UP}/app", f"{SET_UP}/passkey"):
        answered = browser.post(path, {"code": "000000"})
        assert answered.headers["Location"] == "/sign-in"


def test_a_step_is_not_skipped_by_asking_for_the_next(site):
    email = site.new_person("owner")
    give_passkey(email)
    browser, _ = first_step(site, email)
    assert browser.post(f"{SET_UP}/done", {}).headers["Location"] == SECOND
    (role,) = identity.list_memberships(identity.verify_password(email, PASSWORD))
    chosen = {"membership": f"{role.tenant_id}.{role.id}"}
    assert browser.post("/sign-in/choose", chosen).headers["Location"] == SECOND
    assert browser.get("/desk").status_code == 303


def test_too_many_wrong_digits_lock_the_app_and_the_sheet_still_opens(site):
    email = site.new_person("owner")
    browser, _ = first_step(site, email)
    _, codes = set_up_app(browser)
    again, _ = first_step(site, email)
    again.get(SECOND)
    for _ in range(20):
        assert again.post(SECOND, {"code": "000000"}).status_code == 422
    answered = again.post(SECOND, {"code": "000000"})
    assert "not taken any more" in answered.text
    assert again.post(SECOND, {"code": codes[1]}).headers["Location"] == "/desk"


def test_who_joins_as_an_approver_sets_a_second_step_up(site):
    new = identity.NewInvitation(name="承認 三郎", role="approver")
    code = identity.invite(site.scope, new).code
    browser = site.nobody()
    browser.get(f"/join/{code}")
    email = "approver@new.example"
    fields = {"name": "承認 三郎", "email": email, "password": PASSWORD}
    answered = browser.post(f"/join/{code}", fields)
    assert answered.headers["Location"] == SET_UP
    assert step_on(browser, answered, email).headers["Location"] == "/desk"


class TestOnesOwn:
    @pytest.fixture
    def email(self, site):
        return site.new_person("owner")

    @pytest.fixture
    def browser(self, site, email):
        browser, answered = first_step(site, email)
        browser.follow(step_on(browser, answered, email))
        return browser

    def test_it_shows_what_there_is_and_adds_an_app(self, browser):
        page = browser.get("/account/second-step").text
        assert "10 codes of your sheet are left." in page
        app = pyotp.TOTP(secret_of(page))
        fields = {"app": hidden(page, "app"), "code": app.now()}
        answered = browser.post("/account/second-step/app", fields)
        assert answered.headers["Location"] == "/account/second-step"
        assert "digits of this app" in browser.follow(answered).text

    def test_the_app_of_another_page_is_not_taken(self, site, browser):
        email = site.new_person("owner")
        other, _ = first_step(site, email)
        page = other.get(SET_UP).text
        app = pyotp.TOTP(secret_of(page))
        browser.get("/account/second-step")
        fields = {"app": hidden(page, "app"), "code": app.now()}
        assert browser.post("/account/second-step/app", fields).status_code == 422

    def test_the_last_one_stays(self, browser, email):
        person_id = identity.verify_password(email, PASSWORD)
        (key,) = identity.find_factors(person_id).passkeys
        browser.get("/account/second-step")
        answered = browser.post(f"/account/second-step/passkeys/{key.id}/remove", {})
        assert answered.status_code == 409
        assert "Add another passkey or app first." in answered.text

    def test_a_new_sheet_is_shown_once(self, browser, email):
        browser.get("/account/second-step")
        answered = browser.post("/account/second-step/codes", {})
        codes = re.findall(r"<code[^>]*>([0-9A-Z-]{14})</code>", answered.text)
        assert len(codes) == 10
        assert answered.headers["Cache-Control"] == "no-store"
        assert codes[0] not in browser.get("/account/second-step").text
        assert identity.prove_code(
            identity.verify_password(email, PASSWORD), codes[0], identity.Seen()
        )
