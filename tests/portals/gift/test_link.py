"""The link of a gift: it opens one gift in one browser, leaves nothing behind, and tells nobody."""

from __future__ import annotations

import time

import pytest

from giftpad import guard, tenancy
from giftpad.kernel.work import unit_of_work
from tests.portals.gift.conftest import open_gift

WRONG_LINKS_MAX = 300


def _cookies(answer):
    return {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}


def test_the_link_leaves_the_address_at_once(gift, phone):
    browser = phone()
    sent_on = browser.get(gift.path)
    assert (sent_on.status_code, sent_on.headers["Location"]) == (303, "/g")
    letter = browser.follow(sent_on)
    assert letter.status_code == 200
    for answer in (sent_on, letter):
        told = answer.text + str(answer.headers)
        assert gift.tail not in told
        assert gift.tail[13:] not in told
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_code_on_a_card_opens_the_gift_as_it_is_printed(gift, phone):
    browser = phone()
    printed = gift.path.upper()
    assert printed.startswith("/G/")
    sent_on = browser.get(printed)
    assert (sent_on.status_code, sent_on.headers["Location"]) == (303, "/g")
    assert browser.follow(sent_on).status_code == 200
    wrong = phone().get(printed[:-4] + "0000")
    assert wrong.status_code == 404
    assert printed[3:-4] not in wrong.text


def test_the_cookie_is_sealed_and_out_of_reach_of_scripts(gift, phone):
    cookie = _cookies(phone().get(gift.path))["gp_gift"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert gift.tail not in cookie
    by_https = phone().http.get(gift.path, base_url="https://gift.example")
    assert "Secure" in _cookies(by_https)["__Host-gp_gift"]


def test_by_plain_http_from_afar_no_gift_is_opened(gift, phone):
    answer = phone().http.get(
        gift.path, base_url="http://gift.example", headers={"Accept": "text/html"}
    )
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_all_wrong_links_are_answered_alike(sender, gift, phone):
    tail = gift.tail
    (coupon, _), *_ = sender.site.paper(1)
    wrong = {
        "forged": tail[:-1] + ("0" if tail[-1] != "0" else "1"),
        "of another number": tail[:12] + ("1" if tail[12] != "1" else "2") + tail[13:],
        "small": tail.lower(),
        "short": tail[:-1],
        "long": tail + "0",
        "with a slash": tail + "/",
        "no link": "hello",
    }
    said = set()
    for path in wrong.values():
        answer = phone().get(f"/g/{path}")
        assert answer.status_code == 404, path
        assert "gp_gift" not in str(answer.headers)
        assert "This link does not work" in answer.text
        assert path not in answer.text
        said.add(answer.text.partition("<main")[2].partition("</main>")[0])
    browser = phone()
    of_coupon = browser.follow(browser.get("/g/" + coupon.rpartition("/Q/")[2]))
    assert of_coupon.status_code == 404
    said.add(of_coupon.text.partition("<main")[2].partition("</main>")[0])
    assert len(said) == 1


def test_whoever_guesses_links_is_stopped_and_nobody_else(gift, phone):
    guesser, other = phone(), phone()
    assert guesser.get(f"/g/{7:036}").status_code == 404
    for _ in range(WRONG_LINKS_MAX - 1):
        guard.count_failure(f"gift:{guesser.http.environ_base['REMOTE_ADDR']}")
    assert guesser.get(f"/g/{8:036}").status_code == 429
    assert "Please wait a while" in guesser.last.text
    assert guesser.get(gift.path).status_code == 429
    assert other.get(gift.path).status_code == 303


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_a_link_changes_nothing(sender, gift, phone, method):
    before = sender.letter(gift)
    browser = phone()
    for _ in range(2):
        getattr(browser.http, method)(gift.path, base_url="http://localhost:8000")
        getattr(browser.http, method)("/g", base_url="http://localhost:8000")
    assert sender.opened_at(gift) is None
    assert sender.letter(gift) == before


def test_without_a_gift_one_is_told_how_to_open_it(sender, phone):
    for path in ("/g", "/g/choose", "/g/address", "/g/review", "/g/change", sender.path("BEEF")):
        answer = phone().get(path)
        assert answer.status_code == 401, path
        assert "Please open the link again" in answer.text
        assert "Location" not in answer.headers


def test_who_is_signed_in_at_the_desk_is_nobody_here(sender, gift):
    owner = sender.site.person("owner")
    assert owner.get("/g").status_code == 401
    assert open_gift(owner, gift).status_code == 200
    assert "見本 太郎" not in owner.last.text
    assert owner.get("/desk").status_code == 200  # and the session goes on


def test_a_gift_opens_no_other_door(browser):
    for path in ("/desk", "/desk/shops", "/shop", "/account", "/operator/health"):
        answer = browser.get(path)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/sign-in")
    assert browser.http.get("/api/v1/shops").status_code == 401


def test_another_link_opens_another_gift_in_its_place(sender, phone):
    first, second = sender.send(2)
    browser = phone()
    assert "受取 0" in open_gift(browser, first).text
    assert "受取 1" in open_gift(browser, second).text
    assert "受取 0" not in browser.get("/g").text


def test_a_token_is_signed_anew_while_the_pages_are_in_use(browser, monkeypatch):
    assert browser.get("/g").status_code == 200
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 31 * 60)
    answer = browser.get("/g")
    assert answer.status_code == 200
    assert "gp_gift" in _cookies(answer)


def test_two_hours_later_the_gift_is_closed(browser, monkeypatch):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 2 * 3600 + 60)
    assert browser.get("/g").status_code == 401


def test_a_tenant_that_is_suspended_opens_nothing(sender, gift, phone):
    browser = phone()
    open_gift(browser, gift)
    with unit_of_work(sender.company.scope) as work:
        tenancy.suspend_tenant(work)
    tenancy.forget_tenants()
    for answer in (phone().get(gift.path), browser.get("/g")):
        assert answer.status_code == 403


def test_language_and_size_are_chosen_on_the_pages_themselves(browser):
    assert "has arrived" in browser.get("/g").text
    answer = browser.post("/g/preferences", {"lang": "ja", "next": "/g"})
    assert answer.headers["Location"] == "/g"
    assert "会員登録はいりません。" in browser.get("/g").text
    assert 'action="/g/preferences"' in browser.last.text


def test_a_form_of_the_desk_does_not_fit_here(sender, gift):
    owner = sender.site.person("owner")
    owner.get("/account")
    of_desk = owner.csrf
    open_gift(owner, gift)
    assert owner.post("/g/opened", csrf=of_desk).status_code == 403
    assert sender.opened_at(gift) is None
