"""Whoever gets letters says that it is enough, by their mail program or on a page."""

from __future__ import annotations

from dataclasses import replace

from giftpad import messaging
from giftpad.kernel.work import unit_of_work
from tests.messaging.conftest import MAIL, invitation
from tests.messaging.test_gift_letters import gift, sent

FORM = "application/x-www-form-urlencoded"


def stop_link(mail):
    return mail["List-Unsubscribe"].strip("<>")


def test_a_reader_says_that_it_is_enough_by_the_mail_program(post, hooks):
    mail = sent(post, gift(to=MAIL))
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = stop_link(mail)
    assert address.startswith(f"{post.settings.public_address}/api/hooks/stop/")
    path = address.removeprefix(post.settings.public_address)
    looked = hooks.client.get(path)
    assert looked.status_code == 303
    still = post.send(gift(to=MAIL))
    post.deliver()
    assert post.view(still).state == "sent", "a program that looks at links changes nothing"
    done = hooks.client.post(path, data="List-Unsubscribe=One-Click", content_type=FORM)
    assert (done.status_code, done.json) == (200, {"stopped": True})
    bulk = post.send(gift(to=MAIL))
    single = post.send(replace(gift(to=MAIL), is_bulk=False))
    post.deliver()
    assert (post.view(bulk).state, post.view(single).state) == ("suppressed", "sent")


def test_a_reader_says_so_on_a_page(post, hooks):
    mail = sent(post, gift(to=MAIL))
    token = stop_link(mail).rpartition("/")[2]
    assert f"/letters/stop/{token}" in mail.get_body(("plain",)).get_content()
    assert f"/letters/stop/{token}" in mail.get_body(("html",)).get_content()
    browser = hooks.client
    page = browser.get(f"/letters/stop/{token}", headers={"Accept-Language": "ja"})
    assert "止めますか" in page.get_data(as_text=True).replace("<wbr>", "").replace("\u200b", "")
    csrf = page.get_data(as_text=True).partition('name="csrf" value="')[2].partition('"')[0]
    done = browser.post(
        f"/letters/stop/{token}", data={"csrf": csrf}, headers={"Origin": "http://localhost"}
    )
    assert done.status_code == 303
    assert token not in done.headers["Location"]
    assert browser.get(done.headers["Location"]).status_code == 200
    bulk = post.send(gift(to=MAIL))
    post.deliver()
    assert post.view(bulk).state == "suppressed"


def test_a_forged_link_stops_nothing(post, hooks):
    token = stop_link(sent(post, gift(to=MAIL))).rpartition("/")[2]
    flipped = token[:-3] + ("A" if token[-3] != "A" else "B") + token[-2:]
    for wrong in (flipped, token[:-4], "x", "あ", token + "AAAA"):
        assert hooks.client.post(f"/api/hooks/stop/{wrong}").status_code == 404
        assert hooks.client.get(f"/letters/stop/{wrong}").status_code == 404
    with unit_of_work(post.scope) as work:
        assert messaging.list_suppressions(work) == []


def test_a_letter_that_somebody_waits_for_has_no_such_link(post):
    assert "List-Unsubscribe" not in sent(post, replace(gift(), is_bulk=False))
    assert "List-Unsubscribe" not in sent(post, invitation())
