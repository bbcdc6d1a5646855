"""A tenant's own page: the code typed by hand, the shops, whom to call."""

from __future__ import annotations

import re

import pytest

from giftpad import coupons, guard, shops, tenancy
from giftpad.kernel import codes
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.portals.holder.conftest import without_tokens
from tests.portals.holder.test_balance import heading, words


@pytest.fixture
def reader(phone):
    """A browser that reads English, so that tests need not know the translations."""
    browser = phone()
    browser.headers |= {"Accept-Language": "en"}
    return browser


def _type(town, browser, code):
    path = f"/t/{town.site.slug}/"
    browser.get(path)
    return browser.post(path, {"code": code})


def test_a_typed_code_shows_the_same_as_the_qr(town, reader):
    paper = town.papers(1)[0]
    town.pay(paper, 350)
    answer = _type(town, reader, paper.typed)
    assert answer.headers["Location"] == f"/t/{town.site.slug}/balance"
    page = reader.follow(answer)
    assert heading(page) == "Living support coupon Left ¥ 650"
    told = answer.text + page.text + str(answer.headers) + str(page.headers)
    assert not [trace for trace in paper.traces() if trace in told]
    by_qr = reader.follow(reader.get(paper.path))
    ours, theirs = (re.search(r"<main.*</main>", each.text, re.DOTALL)[0] for each in (page, by_qr))
    assert ours.split("As it was")[0] == theirs.split("As it was")[0]


WAYS_TO_TYPE = {
    "small": str.lower,
    "in one": lambda code: code.replace("-", ""),
    "with blanks": lambda code: code.replace("-", " "),
    "with look-alikes": lambda code: code.replace("-", "ー").replace("0", "O").replace("1", "l"),
    "in full width": lambda code: "".join(chr(ord(c) + 0xFEE0) for c in code),
    "with blanks around": lambda code: f"  {code}\u3000",
}


def test_however_a_code_is_typed_it_opens(town, reader):
    paper = town.papers(1)[0]
    statuses = {
        way: _type(town, reader, as_typed(paper.typed)).status_code
        for way, as_typed in WAYS_TO_TYPE.items()
    }
    assert statuses == dict.fromkeys(WAYS_TO_TYPE, 303)


def test_a_slip_is_told_and_not_counted(town, reader):
    paper = town.papers(1)[0]
    guard.allow_failures(f"holder:{reader.http.environ_base['REMOTE_ADDR']}", 1)
    slip = paper.typed[:-1] + ("A" if paper.typed[-1] != "A" else "B")
    for wrong in (slip, "hello", "", paper.typed[:-1], paper.typed + "0"):
        for _ in range(2):
            answer = _type(town, reader, wrong)
            assert answer.status_code == 422
    assert "That number does not look right. Please check it again." in words(
        _type(town, reader, slip)
    )
    assert f'value="{slip}"' in reader.last.text, "what was typed is kept to be corrected"
    assert _type(town, reader, paper.typed).status_code == 303


def test_the_other_number_of_the_paper_is_told_apart_and_not_counted(town, reader):
    paper = town.papers(1)[0]
    guard.allow_failures(f"holder:{reader.http.environ_base['REMOTE_ADDR']}", 1)
    (serial,) = _serials(town, paper)
    for typed in (serial, serial.lower().replace("-", " "), "ＫＯ－００００００１"):
        for _ in range(2):
            answer = _type(town, reader, typed)
            assert answer.status_code == 422
            assert "That is the No. of the coupon. Type the payment number: the 16 signs." in words(
                answer
            )
    assert "Type the payment number." in words(_type(town, reader, ""))
    assert "Please fill this in." not in words(reader.last)
    assert _type(town, reader, paper.typed).status_code == 303


def _serials(town, paper):
    with unit_of_work(town.site.scope) as work:
        return coupons.find_serials(work, [paper.locator]).values()


def test_an_example_stays_on_one_line(site, reader):
    page = reader.get(f"/t/{site.slug}/")
    assert '<span class="gp-nowrap">7K3Q-9MXW-2D8F-RT5A</span>' in page.text


def test_codes_that_open_nothing_get_one_page_and_count(town, reader):
    other = make.make_town()
    make.issue(other)
    never = codes.build_typed(b"k" * 32, 7)
    address = reader.http.environ_base["REMOTE_ADDR"]
    guard.allow_failures(f"holder:{address}", 2)
    answers = [_type(town, reader, code) for code in (never, other.coupons[0].typed)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({without_tokens(answer) for answer in answers}) == 1
    assert "This coupon was not found" in heading(answers[0])
    assert never not in answers[0].text
    assert _type(town, reader, never).status_code == 429
    assert heading(reader.last) == "Please wait a while"


def test_the_form_of_another_site_is_refused(town, reader):
    paper = town.papers(1)[0]
    path = f"/t/{town.site.slug}/"
    reader.get(path)
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert reader.post(path, {"code": paper.typed}, headers=foreign).status_code == 403
    assert reader.post(path, {"code": paper.typed}, csrf="").status_code == 403


def test_the_page_names_what_runs_and_whom_to_call(town, reader):
    said = words(reader.get(f"/t/{town.site.slug}/"))
    assert "Midori City" in said
    assert "Living support coupon" in said
    assert "Family support coupon" in said
    assert "00-0000-0100" in said
    assert "Weekdays, 9 am to 5 pm" in said


def test_an_unknown_tenant_has_no_page(site, reader):
    for slug in ("no-such-town", tenancy.PLATFORM_SLUG):
        for path in ("", "balance", "shops", "accessibility"):
            assert reader.get(f"/t/{slug}/{path}").status_code == 404, (slug, path)


def test_a_suspended_tenant_has_no_page(site, reader):
    with unit_of_work(site.scope) as work:
        tenancy.suspend_tenant(work)
    tenancy.forget_tenants()
    assert reader.get(f"/t/{site.slug}/").status_code == 403


def test_accessibility_names_the_office(site, reader):
    said = words(reader.get(f"/t/{site.slug}/accessibility"))
    assert "JIS X 8341-3:2016" in said
    assert "Coupon Desk" in said
    assert "coupon@midori.example" in said


def _stop_shop(site, number):
    with unit_of_work(site.scope) as work:
        shop_id = shops.find_shop_id(work, number)
        shops.set_accepting(work, shop_id, accepting=False)


def test_shops_that_do_not_accept_now_are_not_listed(site, reader):
    path = f"/t/{site.slug}/shops"
    assert "青葉ベーカリー" in words(reader.get(path))
    _stop_shop(site, "1001")
    said = words(reader.get(path))
    assert "青葉ベーカリー" not in said
    assert "中央書店" in said


def test_only_shops_of_the_programme_are_listed_for_its_coupon(town, reader):
    reader.follow(reader.get(town.papers(1)[0].path))
    everywhere = words(reader.get("/balance/shops"))
    assert "青葉ベーカリー" in everywhere
    family = words(reader.get(f"/t/{town.site.slug}/shops?programme=miraikko"))
    assert "中央書店" in family
    assert "青葉ベーカリー" not in family


def test_without_a_coupon_those_of_any_programme_that_runs_are_listed(site, reader):
    with unit_of_work(site.scope) as work:
        for number, group in (("G1", "大型店"), ("G2", "子育て応援店")):
            facts = shops.Facts(name=f"店{number}", area="中央地区", groups=(group,))
            shops.enrol(work, shops.NewShop(number=number, facts=facts))
    said = words(reader.get(f"/t/{site.slug}/shops?text=店G"))
    assert "店G2" in said
    assert "店G1" not in said


def test_shops_are_found_by_name_and_area(site, reader):
    path = f"/t/{site.slug}/shops"
    said = words(reader.get(path + "?text=書店"))
    assert "中央書店" in said
    assert "青葉ベーカリー" not in said
    assert "北の湯" not in words(reader.get(path + "?area=中央地区"))
    empty = reader.get(path + "?text=xyzzy")
    assert "No shop was found." in words(empty)
    assert f'href="{path}"' in empty.text


def test_a_long_list_comes_in_pages_and_keeps_the_search(site, reader):
    names = [f"ながい商店{number:02d}" for number in range(40)]
    with unit_of_work(site.scope) as work:
        for number, name in enumerate(names):
            facts = shops.Facts(name=name, area="中央地区", groups=("市内加盟店",))
            shops.enrol(work, shops.NewShop(number=f"L{number:03d}", facts=facts))
    seen, path = [], f"/t/{site.slug}/shops?text=ながい商店"
    for _ in range(2):
        page = reader.get(path)
        seen += re.findall(r"ながい商店\d\d", page.text)
        found = re.search(r'href="([^"]*after=[^"]*)"', page.text)
        path = found[1].replace("&amp;", "&") if found else ""
    assert sorted(seen) == names
    assert path == ""


def test_a_hostile_query_is_no_accident(site, reader):
    for query in ("after=x", f"after={new_id()}", "programme=no", "area=%F0%9F%98%80", "text=%FF"):
        assert reader.get(f"/t/{site.slug}/shops?{query}").status_code == 200, query


def test_a_shop_name_is_escaped_in_the_search_field(site, reader):
    page = reader.get(f'/t/{site.slug}/shops?text="><script>alert(1)</script>')
    assert "<script>alert" not in page.text


def test_looks_of_the_tenant_come_from_addresses_that_never_change(site, reader):
    page = reader.get(f"/t/{site.slug}/")
    for pattern, mimetype, part in (
        (r'href="(/theme/[^"]+\.css)"', "text/css", "--brand"),
        (r'src="(/theme/[^"]+\.svg)"', "image/svg+xml", "<svg"),
    ):
        (href,) = re.findall(pattern, page.text)
        found = reader.get(href)
        assert found.mimetype == mimetype
        assert part in found.text
        assert "immutable" in found.headers["Cache-Control"]
        assert "Set-Cookie" not in found.headers
        ending = href[-4:]
        for wrong in (
            href.replace(ending, "0" + ending),
            f"/theme/{site.slug}-000000000000{ending}",
            f"/theme/no-such-town-000000000000{ending}",
        ):
            assert reader.get(wrong).status_code == 404, wrong
