"""What the holder of a coupon sees, state by state, and what the cookie lets nobody else see."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from giftpad import edge, shops
from giftpad.kernel.work import unit_of_work
from giftpad.portals.holder import opened as opened_module
from tests import make_packs
from tests.portals.holder.conftest import Town, open_paper

ENGLISH = {"Accept-Language": "en"}
_TAGS = re.compile(r"<(script|template|style)\b.*?</\1>|<[^>]+>", re.DOTALL)


def words(answer) -> str:
    """Return what a page says, without its markup."""
    return " ".join(html.unescape(_TAGS.sub(" ", answer.text.replace("<wbr>", ""))).split())


def heading(answer) -> str:
    """Return the one heading of the first level."""
    (found,) = re.findall(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    return " ".join(html.unescape(_TAGS.sub(" ", found.replace("<wbr>", ""))).split())


@pytest.fixture
def reader(phone):
    """A browser that reads English, so that tests need not know the translations."""
    browser = phone()
    browser.headers |= ENGLISH
    return browser


def test_the_amount_is_the_heading_with_the_name_and_the_last_day(town, reader):
    page = open_paper(reader, town.papers(1)[0])
    assert heading(page) == "Living support coupon Left ¥ 1,000"
    assert re.search(r"You can use it until \d+ \w+ \d{4} \(\w{3}\)\.", words(page))
    assert "gp-amount" in page.text
    assert 'href="tel:0000000100"' in page.text
    assert "One payment can take up to ¥5,000." in words(page)


def test_the_page_says_which_of_several_coupons_it_is(town, reader):
    first, second = town.papers(2)
    for paper, serial in ((first, "KO-0000001"), (second, "KO-0000002")):
        assert f"No. {serial}" in words(open_paper(reader, paper))


def test_payments_and_what_came_back_are_listed_newest_first(town, reader):
    paper = town.papers(1)[0]
    first = town.pay(paper, 350)
    town.pay(paper, 120, "1003")
    town.give_back(first, 50)
    page = open_paper(reader, paper)
    said = words(page)
    assert "Left ¥ 580" in heading(page)
    back, second, oldest = (
        said.index(text)
        for text in (
            "青葉ベーカリー + ¥ 50 Given back",
            "みどり鮮魚 ¥ 120 Paid",
            "青葉ベーカリー ¥ 350 Paid",
        )
    )
    assert back < second < oldest


def test_reading_again_shows_what_was_paid_since(town, reader):
    paper = town.papers(1)[0]
    open_paper(reader, paper)
    town.pay(paper, 350)
    assert "¥ 650" in heading(reader.get("/balance"))


def test_it_shows_this_one_coupon_only(town, reader):
    paper, other = town.papers(2)
    town.pay(other, 123)
    page = open_paper(reader, paper)
    assert "¥ 1,000" in heading(page)
    assert "123" not in words(page)
    assert "Nothing has been paid with it yet." in words(page)


def test_a_stopped_coupon_shows_no_amount(town, reader):
    paper = town.papers(1)[0]
    town.pay(paper, 350)
    town.stop(paper)
    page = open_paper(reader, paper)
    assert heading(page) == "Living support coupon This coupon has been stopped."
    assert "gp-amount" not in page.text
    assert not {"650", "350", "青葉ベーカリー"} & set(re.findall(r"\w+", words(page)))
    assert 'href="tel:0000000100"' in page.text
    assert "Find a shop" not in words(page)


def test_a_replaced_paper_does_not_show_what_the_new_one_holds(town, reader):
    paper = town.papers(1)[0]
    town.pay(paper, 350)
    town.replace(paper)
    page = open_paper(reader, paper)
    assert "A new coupon has taken the place of this one." in heading(page)
    assert "gp-amount" not in page.text


def test_a_coupon_not_handed_out_cannot_be_used_yet(town, reader):
    page = open_paper(reader, town.papers(1, release=False)[0])
    assert "This coupon cannot be used yet." in heading(page)
    assert "gp-amount" not in page.text


def test_a_used_up_coupon_says_so_and_keeps_its_history(town, reader):
    paper = town.papers(1)[0]
    town.pay(paper, 1000)
    page = open_paper(reader, paper)
    assert "This coupon is used up." in heading(page)
    assert "¥ 1,000 Paid" in words(page)


def test_an_expired_coupon_has_no_amount_in_its_heading(town, reader, fresh_clock):
    paper = town.papers(1)[0]
    town.pay(paper, 350)
    fresh_clock(timedelta(days=400))
    page = open_paper(reader, paper)
    assert "The time to use this coupon is over." in heading(page)
    assert "¥" not in heading(page)
    assert "650" not in words(page)
    assert "You could use it until" in words(page)


def test_page_and_till_judge_alike(town, reader, fresh_clock):
    paper = town.papers(1)[0]
    fresh_clock(timedelta(days=400))
    town.stop(paper)
    assert "stopped" in heading(open_paper(reader, paper)), "stopped counts before expired"


def test_when_the_cookie_is_over_the_code_is_to_be_read_again(town, phone, monkeypatch):
    paper = town.papers(1)[0]
    browser = phone()
    browser.headers |= ENGLISH
    monkeypatch.setattr(opened_module, "COOKIE_LIFE_S", -1)
    kept = browser.get(paper.path).headers["Set-Cookie"].partition(";")[0]
    page = browser.get("/balance", headers={"Cookie": kept})
    assert heading(page) == "Please read the code again"
    assert "gp-amount" not in page.text


def test_a_changed_cookie_opens_nothing(town, reader):
    paper = town.papers(1)[0]
    name, _, sealed = reader.get(paper.path).headers["Set-Cookie"].partition(";")[0].partition("=")
    for spoilt in (sealed[:-3] + "AAA", sealed[: len(sealed) // 2], "", "{}", "ü"):
        reader.http.delete_cookie("gp_coupon", domain="localhost")
        page = reader.get("/balance", headers={"Cookie": f"{name}={spoilt}"})
        assert heading(page) == "Please read the code again", spoilt


def test_a_cookie_for_another_purpose_opens_nothing(town, reader):
    locator = town.papers(1)[0].locator
    value = {"tenant": str(town.site.scope.tenant_id), "locator": locator}
    with town.site.app.test_request_context(base_url="http://localhost:8000"):
        sealed = edge.seal_text("till reading", value)
    page = reader.get("/balance", headers={"Cookie": f"gp_coupon={sealed}"})
    assert heading(page) == "Please read the code again"


def test_another_tenants_coupon_is_not_shown_on_a_tenants_page(town, reader, tmp_path):
    paper = town.papers(1)[0]
    make_packs.apply_town(tmp_path, slug="hanamaru")
    slug = f"hanamaru-{tmp_path.name.replace('_', '-').lower()}"
    open_paper(reader, paper)
    page = reader.get(f"/t/{slug}/balance")
    assert heading(page) == "Please read the code again"
    assert "Living support" not in words(page)


def test_closing_takes_the_coupon_out_of_the_browser(town, reader):
    open_paper(reader, town.papers(1)[0])
    answer = reader.post("/balance/close")
    assert answer.headers["Location"] == f"/t/{town.site.slug}/"
    assert heading(reader.get("/balance")) == "Please read the code again"


def test_names_of_shops_and_programmes_are_text_and_never_markup(site, tmp_path, reader):
    nasty = "<img src=x onerror=alert(1)>\"'&"
    with unit_of_work(site.scope) as work:
        shop_id = shops.find_shop_id(work, "1001")
        facts = shops.get_shop(work, shop_id).facts
        shops.change_facts(work, shop_id, {"name": nasty})
    town = Town(site)
    paper = town.papers(1)[0]
    town.pay(paper, 350)
    page = open_paper(reader, paper)
    assert nasty in words(page) or html.unescape(page.text).count(nasty) == 1
    assert "<img src=x" not in page.text
    assert facts.name not in words(page)
    assert "<img src=x" not in reader.get("/balance/shops").text
