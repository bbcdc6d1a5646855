"""Over HTTP: the link of a lost card, and of a gift that was passed on, opens nothing any more."""

from __future__ import annotations

import html
import re

import pytest

from giftpad import gifts
from giftpad.kernel.work import unit_of_work
from tests.make_pages import hidden
from tests.portals.gift.conftest import Sent, choose, fill_in, open_gift, take

EN = {"Accept-Language": "en"}


@pytest.fixture
def gift(sender):
    """A gift that may be passed on."""
    return sender.send(can_be_passed_on=True)[0]


def link_now(sender, gift):
    with unit_of_work(sender.company.scope) as work:
        return Sent(gift.id, gift.order_id, gifts.get_link(work, gift.id))


def pass_on(browser, **more):
    browser.get("/g/pass-on")
    sent = {"key": hidden(browser.last.text, "key"), "channel": "link", "name": ""} | more
    return sent, browser.post("/g/pass-on", sent)


def replaced(sender, gift, **more):
    support = sender.site.person("support")
    path = f"/desk/gifts/one/{gift.id}/replace"
    page = support.get(path, headers=EN)
    assert page.status_code == 200, page.text[:2000]
    sent = {"key": support.key(), "why": "lost", "channel": "card"} | more
    return support, support.post(path, sent, headers=EN)


@pytest.mark.parametrize("was_open", [True, False])
def test_the_old_card_says_that_there_is_a_new_one_and_opens_nothing(sender, phone, was_open):
    gift = sender.send(channel="card")[0]
    browser = phone()
    if was_open:
        assert open_gift(browser, gift).status_code == 200
    _, answer = replaced(sender, gift)
    assert answer.status_code == 303, answer.text[:3000]
    said = browser.get("/g") if was_open else open_gift(browser, gift)
    assert said.status_code == 410
    assert "This card was replaced by a new one" in said.text
    for path in ("/g/choose", "/g/address", "/g/review"):
        assert browser.get(path).status_code == 410
    new = phone()
    assert open_gift(new, link_now(sender, gift)).status_code == 200
    take(new, sender)
    assert sender.letter(gift).state == "claimed"
    assert sender.company.differences() == []


def test_what_was_typed_with_the_old_card_is_not_sent(sender, phone):
    gift = sender.send(channel="card")[0]
    browser = phone()
    open_gift(browser, gift)
    choose(browser, sender, "BEEF")
    fill_in(browser)
    sent = {"shown": hidden(browser.last.text, "shown")}
    replaced(sender, gift)
    assert browser.post("/g/review", sent).status_code == 410
    assert sender.letter(gift).state == "open"


def test_the_desk_replaces_once_for_each_form_and_can_send_a_mail_instead(sender):
    gift = sender.send(channel="card")[0]
    support, answer = replaced(sender, gift, channel="mail", address="hanako@example.com")
    assert answer.status_code == 303, answer.text[:3000]
    page = support.follow(answer)
    assert "hanako@example.com" in page.text
    wrong = sender.send(channel="card")[0]
    _, refused = replaced(sender, wrong, channel="mail", address="nonsense")
    assert refused.status_code == 422
    assert link_now(sender, wrong).link == wrong.link, "the card still opens"


def test_whoever_only_reads_replaces_nothing(sender):
    gift = sender.send(channel="card")[0]
    viewer = sender.site.person("viewer")
    path = f"/desk/gifts/one/{gift.id}/replace"
    viewer.get("/desk")
    assert viewer.post(path, {"key": "0" * 32, "why": "lost", "channel": "card"}).status_code == 403
    assert link_now(sender, gift).link == gift.link


def test_a_gift_is_passed_on_and_the_old_link_is_dead_at_once(sender, gift, browser, phone):
    assert "/g/pass-on" in browser.get("/g").text
    warned = browser.get("/g/pass-on")
    assert "It cannot be undone, and it can be done once only." in warned.text
    _, done = pass_on(browser)
    assert done.status_code == 200
    link = html.unescape(re.search(r"https?://[^<]+/g/[0-9A-Z]+", done.text)[0])
    said = browser.get("/g")
    assert said.status_code == 410
    assert "This gift was passed on" in said.text
    assert open_gift(phone(), gift).status_code == 410
    other = phone()
    new = Sent(gift.id, gift.order_id, link)
    letter = open_gift(other, new)
    assert letter.status_code == 200
    assert "/g/pass-on" not in letter.text, "once only"
    take(other, sender)
    assert sender.letter(gift).state == "claimed"
    assert sender.company.differences() == []


def test_whoever_has_the_letter_to_a_wrong_address_is_sent_to_the_newer_one(sender, phone):
    gift = sender.send(channel="link")[0]
    with unit_of_work(sender.company.as_("support")) as work:
        gifts.readdress(work, gift.id, channel="mail", address="right@example.com")
    said = open_gift(phone(), gift)
    assert said.status_code == 410
    assert "This gift has another link now" in said.text


def test_a_page_that_got_lost_shows_the_new_link_again_to_the_same_form_only(browser):
    sent, done = pass_on(browser)
    again = browser.post("/g/pass-on", sent)
    found = [re.search(r"/g/[0-9A-Z]{20,}", each.text)[0] for each in (done, again)]
    assert found[0] == found[1]
    assert browser.post("/g/pass-on", sent | {"key": "f" * 32}).status_code == 410
    assert browser.post("/g/pass-on", sent | {"key": ""}).status_code == 400
    assert browser.post("/g/pass-on", sent | {"key": "f" * 5000}).status_code == 400


def test_by_mail_whoever_gets_it_reads_who_passed_it_on_and_the_desk_reads_no_address(
    sender, gift, browser
):
    _, done = pass_on(
        browser,
        channel="mail",
        name="見本 次郎",
        address="jiro@example.com",
        passed_by="見本 花子",
    )
    assert done.status_code == 200, done.text[:3000]
    assert link_now(sender, gift).tail not in done.text
    letter = sender.letter(gift)
    assert letter.recipient_name == "見本 次郎"
    assert "見本 花子" in letter.note
    owner = sender.site.person("owner").get(f"/desk/gifts/one/{gift.id}", headers=EN)
    assert "Whoever held the gift" in owner.text, "the deed names no member"
    for role in ("owner", "support"):
        somebody = sender.site.person(role)
        for path in (f"/desk/gifts/one/{gift.id}", f"/desk/gifts/{gift.order_id}"):
            page = somebody.get(path, headers=EN)
            assert page.status_code == 200
            assert "jiro" not in page.text
            assert "次郎" not in page.text
            assert "Passed on" in page.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": "mail", "name": "", "address": "jiro@example.com"},
        {"channel": "mail", "name": "見本 次郎", "address": "nonsense"},
        {"channel": "mail", "name": "見本 次郎", "address": ""},
        {"channel": "pigeon"},
    ],
)
def test_what_is_wrong_is_said_and_the_gift_stays(sender, gift, browser, wrong):
    _, answer = pass_on(browser, **wrong)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert browser.get("/g").status_code == 200
    assert link_now(sender, gift).link == gift.link


def test_where_the_sender_does_not_want_it_there_is_no_way(sender, phone):
    gift = sender.send()[0]
    browser = phone()
    assert "/g/pass-on" not in open_gift(browser, gift).text
    assert browser.get("/g/pass-on").status_code == 303
    sent = {"key": "a" * 32, "channel": "link", "name": ""}
    assert browser.post("/g/pass-on", sent).status_code == 303
    assert link_now(sender, gift).link == gift.link


def test_the_draft_keeps_whether_gifts_may_be_passed_on(sender):
    issuer, order_id = sender.site.person("issuer"), sender.company.draft()
    path = f"/desk/gifts/{order_id}/when"
    page = issuer.get(path, headers=EN)
    day = re.search(r'name="claim_by"[^>]*value="([^"]+)"', page.text)[1]
    for said, kept in (("yes", True), ("no", False)):
        issuer.get(path)
        answer = issuer.post(path, {"start": "now", "claim_by": day, "passing": said})
        assert answer.status_code == 303
        assert sender.company.order(order_id).draft.can_be_passed_on is kept
