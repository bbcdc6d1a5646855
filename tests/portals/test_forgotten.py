"""A forgotten password: a code by mail, typed where it was asked for; nobody learns who is here."""

from __future__ import annotations

import email
import email.policy
import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from giftpad import identity, messaging, tenancy
from giftpad.guard import commands as guard_commands
from giftpad.kernel.db import database
from giftpad.kernel.work import Scope
from tests.make_factors import PASSWORD, give_passkey
from tests.make_identity import work_of
from tests.messaging import wire
from tests.pump import pump

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
EN = {"Accept-Language": "en"}
NEW = "another word that is long"
AT_ONCE = 12
_sources = itertools.count(1)


@pytest.fixture
def mail(site, settings):
    """A mail server that takes everything."""
    guard_commands._breakers.clear()  # what failed with the servers of other tests
    with wire.mail_provider() as provider:
        messaging.bind_providers(
            replace(settings, smtp_url=provider.url, mail_from="giftpad@midori.example")
        )
        letters(provider, settings)  # what tests before this one have left to be sent
        yield provider
    messaging.bind_providers(settings)


@pytest.fixture
def address(site):
    return site.new_person("viewer")


def ask(site, address, source=None):
    """Say in a new browser, somewhere else each time, that a password is forgotten."""
    browser = site.nobody()
    browser.headers |= EN
    browser.get("/forgotten")
    here = {"REMOTE_ADDR": source or f"10.{next(_sources) // 250}.0.{next(_sources) % 250}"}
    return browser, browser.post("/forgotten", {"email": address}, environ_base=here)


def letters(mail, settings):
    """Return what has arrived since, each letter as its text."""
    pump(settings, PLATFORM)
    texts = [
        email.message_from_bytes(raw, policy=email.policy.default)
        .get_body(("plain",))
        .get_content()
        for raw in mail.mails
    ]
    mail.mails.clear()
    return texts


def code_in(text):
    found = re.search(r"^([0-9A-Z]{8})\r?$", text, re.MULTILINE)
    assert found is not None, text
    return found[1]


def new_password(browser, code, password=NEW):
    browser.get("/forgotten/code")
    fields = {"code": code, "password": password, "again": password}
    return browser.post("/forgotten/code", fields)


def test_the_code_of_the_mail_opens_a_new_password_and_ends_what_was_open(
    site, settings, mail, address
):
    old = site.sign_in(address)
    letters(mail, settings)
    browser, answered = ask(site, address)
    assert answered.headers["Location"] == "/forgotten/code"
    (text,) = letters(mail, settings)
    code = code_in(text)
    assert "@localhost" in text
    answered = new_password(browser, f" {code[:4].lower()}-{code[4:]} ")
    assert answered.headers["Location"] == "/sign-in"
    assert old.get("/desk").status_code == 303
    assert identity.verify_password(address, PASSWORD) is None
    assert identity.verify_password(address, NEW) is not None
    (told,) = letters(mail, settings)
    assert "password" in told
    assert new_password(browser, code).headers["Location"] == "/forgotten"


def test_nobody_learns_whether_an_address_is_known(site, settings, mail, address):
    answers = []
    for each in (address, "nobody@midori.example"):
        browser, answered = ask(site, each)
        page = browser.follow(answered).text
        wrong = new_password(browser, "AAAAAAAA")
        shown = re.sub(r'value="[^"]*"', "", page + wrong.text)
        answers.append(
            (answered.status_code, answered.headers["Location"], wrong.status_code, shown)
        )
    assert answers[0] == answers[1]
    assert len(letters(mail, settings)) == 1


def test_asking_asks_the_database_as_much_for_an_address_nobody_has(site, mail, address):
    counts = []
    for each in (address, "nobody@midori.example"):
        browser = site.nobody()
        browser.get("/forgotten")
        asked = []
        note = lambda *_, asked=asked: asked.append(1)  # noqa: E731 - taken off again by its name
        sa.event.listen(database().engine, "before_cursor_execute", note)
        browser.post("/forgotten", {"email": each})
        sa.event.remove(database().engine, "before_cursor_execute", note)
        counts.append(len(asked))
    assert counts[0] == counts[1] > 0


def test_the_code_works_in_the_browser_that_asked_only(site, settings, mail, address):
    ask(site, address)
    code = code_in(letters(mail, settings)[0])
    thief, _ = ask(site, "nobody@midori.example")
    assert new_password(thief, code).status_code == 422
    assert identity.verify_password(address, PASSWORD) is not None


def test_five_wrong_codes_end_it(site, settings, mail, address):
    browser, _ = ask(site, address)
    code = code_in(letters(mail, settings)[0])
    for left in (4, 3, 2, 1):
        assert f"{left} more times" in new_password(browser, "AAAAAAAA").text
    assert new_password(browser, "AAAAAAAA").headers["Location"] == "/forgotten"
    browser.get("/forgotten")
    assert new_password(browser, code).headers["Location"] == "/forgotten"
    assert identity.verify_password(address, PASSWORD) is not None


def test_of_guesses_at_once_no_more_than_five_are_judged(site, settings, mail, address):
    reset_id = identity.ask_reset(address, source="192.0.2.9", locale="ja")
    letters(mail, settings)

    def guess(_):
        try:
            identity.reset_by_code(reset_id, "AAAAAAAA", NEW, identity.Seen())
        except (identity.ResetCodeWrong, identity.ResetOver) as error:
            return type(error).__name__

    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(guess, range(AT_ONCE)))
    assert told.count("ResetCodeWrong") == 4
    assert told.count("ResetOver") == AT_ONCE - 4


def test_of_the_right_code_twice_at_once_one_counts(site, settings, mail, address):
    reset_id = identity.ask_reset(address, source="192.0.2.9", locale="ja")
    code = code_in(letters(mail, settings)[0])

    def use(password):
        try:
            identity.reset_by_code(reset_id, code, password, identity.Seen())
        except identity.ResetOver:
            return False
        return True

    words = ["one word that is long", "two words that are long"]
    with ThreadPoolExecutor(2) as pool:
        won = list(pool.map(use, words))
    assert sorted(won) == [False, True]
    assert identity.verify_password(address, words[won.index(True)]) is not None


def test_whoever_asks_for_codes_of_another_takes_none_of_theirs_away(site, settings, mail, address):
    first, _ = ask(site, address)
    code = code_in(letters(mail, settings)[0])
    for _ in range(8):
        assert ask(site, address)[1].status_code == 303
    assert new_password(first, code).headers["Location"] == "/sign-in"


def test_a_code_that_is_over_opens_nothing(site, settings, mail, address):
    browser, _ = ask(site, address)
    code = code_in(letters(mail, settings)[0])
    with work_of(PLATFORM) as work:
        work.session.execute(sa.text("UPDATE identity_resets SET expires_at = now()"))
    assert new_password(browser, code).headers["Location"] == "/forgotten"
    assert identity.verify_password(address, PASSWORD) is not None


def test_an_unfit_password_costs_no_try(site, settings, mail, address):
    browser, _ = ask(site, address)
    code = code_in(letters(mail, settings)[0])
    for _ in range(6):
        assert new_password(browser, code, "short").status_code == 422
    assert new_password(browser, code).headers["Location"] == "/sign-in"


def test_the_second_step_stays(site, settings, mail):
    address = site.new_person("owner")
    give_passkey(address)
    letters(mail, settings)
    browser, _ = ask(site, address)
    new_password(browser, code_in(letters(mail, settings)[0]))
    browser.get("/sign-in")
    answered = browser.post("/sign-in", {"email": address, "password": NEW})
    assert answered.headers["Location"] == "/sign-in/second"


def test_asking_too_often_is_told_alike_for_everybody(site, address):
    for each in (address, f"{address}.example"):
        for _ in range(5):
            assert ask(site, each, f"10.9.{len(each)}.1")[1].status_code == 303
        refused = ask(site, each, f"10.9.{len(each)}.1")[1]
        assert (refused.status_code, bool(refused.headers["Retry-After"])) == (429, True)


def test_nothing_at_rest_is_the_code_or_the_address(site, settings, mail, address):
    ask(site, address)
    code = code_in(letters(mail, settings)[0])
    with work_of(PLATFORM) as work:
        rows = work.session.execute(
            sa.text(
                "SELECT to_jsonb(r)::text FROM identity_resets r UNION ALL"
                " SELECT to_jsonb(m)::text FROM messaging_messages m UNION ALL"
                " SELECT to_jsonb(o)::text FROM event_outbox o"
            )
        )
        kept = "".join(rows.scalars())
    for secret in (code, address):
        assert secret not in kept
        assert secret.encode().hex() not in kept


class TestNotices:
    def test_a_new_browser_is_told_of_and_a_known_one_is_not(self, site, settings, mail, address):
        first = site.sign_in(address)
        assert letters(mail, settings) == []
        site.sign_in(address)
        (text,) = letters(mail, settings)
        assert "/account" in text
        first.post("/sign-out", {})
        first.get("/sign-in")
        first.follow(first.post("/sign-in", {"email": address, "password": PASSWORD}))
        assert letters(mail, settings) == []

    def test_whoever_sends_no_mail_keeps_nobody_out(self, site, address):
        site.sign_in(address)
        assert site.sign_in(address).get("/desk").status_code == 200


def test_whoever_is_invited_by_their_address_gets_the_link_by_mail(site, settings, mail):
    owner = site.person("owner")
    owner.get("/desk/members/invite")
    fields = {"name": "青葉 花", "role": "viewer", "email": "hana@aoba.example"}
    page = owner.follow(owner.post("/desk/members/invite", fields))
    assert "hana@aoba.example" in page.text
    (text,) = letters(mail, settings)
    code = re.search(r"/join/([\w.-]+)", text)[1]
    assert f"/join/{code}" in page.text
    assert "青葉" in site.nobody().get(f"/join/{code}").text
