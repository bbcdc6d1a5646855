"""Parcels at the desk: lists for suppliers, files of carriers, what came back, choosing again."""

from __future__ import annotations

import io
import re

import pytest

from giftpad import gifts, messaging
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.make_gift_pages import Company, make_company
from tests.portals.issuer.counter import words

LINKS = "氏名,送り方\n山田 花子,リンク\n鈴木 一,リンク\n佐藤 三郎,リンク\n"
SUPPLIER = {"supplier": "みほん農園"}
LIST = "/desk/gifts/shipping/list"


@pytest.fixture
def company(house, settings, tmp_path) -> Company:
    return make_company(settings, tmp_path)


def claimed(company):
    """Let everybody of an order choose, and return the claims."""
    order_id = company.sent(LINKS)
    for gift in company.gifts(order_id):
        company.claim(gift.id)
    return [gift.claim for gift in company.gifts(order_id)]


def carrier_file(lines, head="お届け番号,伝票番号,運送会社"):
    return (io.BytesIO("\n".join([head, *lines]).encode()), "out.csv")


def take(browser, lines, head="お届け番号,伝票番号,運送会社", **more):
    browser.get("/desk/gifts/shipping/tracking", query_string=SUPPLIER)
    fields = {**SUPPLIER, "file": carrier_file(lines, head)} | more
    return browser.post("/desk/gifts/shipping/tracking", fields)


def states(company, claims):
    with unit_of_work(company.site.scope) as work:
        return [gifts.get_parcel(work, claim.id).claim.state for claim in claims]


def listed(browser):
    """Take out what there is to be sent."""
    browser.get(LIST, query_string=SUPPLIER)
    return browser.post("/desk/gifts/shipping/listed", {**SUPPLIER, "key": browser.key()})


def files(browser):
    """Return the addresses of the files of all lists, newest first."""
    page = browser.get(LIST, query_string={**SUPPLIER, "state": "preparing"})
    return re.findall(r'href="(/desk/gifts/shipping/lists/[0-9a-f-]+\.csv)"', page.text)


def lines_of(browser, path):
    return browser.get(path).get_data(as_text=True).splitlines()


def test_nothing_is_to_be_sent_until_somebody_has_chosen(company):
    browser = company.person("support")
    assert "Nothing is to be sent." in words(browser.get("/desk/gifts/shipping"))
    claimed(company)
    assert "みほん農園 3" in words(browser.get("/desk/gifts/shipping"))


def test_a_list_is_taken_out_as_the_supplier_calls_its_columns(company):
    browser = company.person("support")
    (first, *_) = claimed(company)
    assert "The list is taken out, with 3 on it." in words(browser.follow(listed(browser)))
    (path,) = files(browser)
    lines = lines_of(browser, path)
    assert lines[0].startswith('\ufeff"お届け番号","商品コード"')
    assert len(lines) == 4
    assert f'"{first.number}"' in lines[1]
    assert '"100-0001","東京都"' in lines[1]
    assert '"09000000000"' in lines[1]
    names = {**SUPPLIER, "number": "管理No", "name": "届先名称", "postcode": "届先〒"}
    browser.get("/desk/gifts/shipping/columns", query_string=SUPPLIER)
    assert browser.post("/desk/gifts/shipping/columns", names).status_code == 303
    assert lines_of(browser, path)[0] == '\ufeff"管理No","届先名称","届先〒"'


def test_what_stands_on_a_list_cannot_be_readdressed(company):
    browser = company.person("support")
    claims = claimed(company)
    assert listed(browser).status_code == 303
    assert states(company, claims) == ["preparing"] * 3
    with unit_of_work(company.site.scope) as work, pytest.raises(gifts.ClaimSent):
        gifts.change_address(
            work, claims[0].gift_id, gifts.get_parcel(work, claims[0].id).claim.address
        )


def test_every_claim_stands_on_one_list_whenever_pages_were_opened_and_buttons_pressed(company):
    browser = company.person("support")
    claims = claimed(company)
    browser.get(LIST, query_string=SUPPLIER)
    later = claimed(company)
    form = {**SUPPLIER, "key": browser.key()}
    for _ in range(2):
        assert browser.post("/desk/gifts/shipping/listed", form).status_code == 303
    late = {**SUPPLIER, "key": new_id().hex}  # from a page that a colleague opened long ago
    answer = browser.post("/desk/gifts/shipping/listed", late)
    assert "Nothing is left for this list" in words(browser.follow(answer))
    newest = claimed(company)
    listed(browser)
    found = [lines_of(browser, path)[1:] for path in files(browser)]
    assert [len(lines) for lines in found] == [3, 6]
    for claim, lines in [(each, found[0]) for each in newest] + [
        (each, found[1]) for each in claims + later
    ]:
        assert sum(f'"{claim.number}"' in line for line in lines) == 1


def test_a_file_can_be_fetched_again_without_what_is_on_its_way(company):
    browser = company.person("support")
    claims = claimed(company)
    listed(browser)
    (path,) = files(browser)
    assert lines_of(browser, path) == lines_of(browser, path)
    take(browser, [f"{claims[0].number},1111,架空便"])
    assert len(lines_of(browser, path)) == 3
    take(browser, [f"{each.number},2222,架空便" for each in claims[1:]])
    assert files(browser) == []
    assert browser.get(path).status_code == 404


def test_a_carriers_file_is_taken_line_by_line(company):
    browser = company.person("support")
    claims = claimed(company)
    listed(browser)
    lines = [
        f"{claims[0].number},1111-2222-3333,架空便",
        f"{claims[1].number.lower()},,架空便",
        "G-ZZZZZ,4444,架空便",
    ]
    answer = take(browser, lines)
    assert answer.status_code == 422
    said = words(answer)
    assert "1 claim is on its way now." in said
    assert "3 The carrier's number is missing." in said
    assert "4 There is no claim with the number G-ZZZZZ." in said
    assert states(company, claims) == ["shipped", "preparing", "preparing"]
    lines[1:] = [f"{claims[1].number},5555,架空便"]
    answer = take(browser, lines)
    assert "1 claim is on its way now. Every line was taken." in words(answer)
    assert states(company, claims) == ["shipped", "shipped", "preparing"]


def test_whoever_gets_a_parcel_is_told_once(company):
    browser = company.person("support")
    (claim, *_) = claimed(company)
    before = told(company)
    for _ in range(2):
        take(browser, [f"{claim.number},1111,架空便"])
    assert told(company) - before == 1


def told(company):
    with unit_of_work(company.site.scope) as work:
        return sum(m.template == "gift_shipped" for m in messaging.list_messages(work))


def test_columns_with_other_names_are_named_once(company):
    browser = company.person("support")
    (claim, other, _) = claimed(company)
    head = "Ref,Slip"
    answer = take(browser, [f"{claim.number},1111"], head)
    assert answer.status_code == 422
    assert "Its columns are: Ref, Slip." in words(answer)
    named = {"number": "Ref", "tracking": "Slip", "carrier": "架空便"}
    assert take(browser, [f"{claim.number},1111"], head, **named).status_code == 200
    again = take(browser, [f"{other.number},2222"], head, carrier="架空便")
    assert again.status_code == 200
    assert states(company, [claim, other]) == ["shipped", "shipped"]


def claim_path(claim, more=""):
    return f"/desk/gifts/shipping/claims/{claim.id}{more}"


def turn(browser, claim, **fields):
    browser.get(claim_path(claim))
    return browser.post(claim_path(claim), {"key": browser.key()} | fields)


def test_a_parcel_that_came_back_goes_out_once_more(company):
    browser = company.person("support")
    (claim, *_) = claimed(company)
    take(browser, [f"{claim.number},1111,架空便"])
    answer = turn(browser, claim, act="returned")
    assert answer.status_code == 422
    assert "Please choose one." in words(answer)
    assert turn(browser, claim, act="returned", why="address unknown").status_code == 303
    assert states(company, [claim]) == ["returned"]
    with unit_of_work(company.site.scope) as work:
        at = gifts.get_parcel(work, claim.id).claim.address
        gifts.change_address(work, claim.gift_id, at)
    assert turn(browser, claim, act="again", why="address unknown").status_code == 303
    assert states(company, [claim]) == ["received"]
    listed(browser)
    assert f'"{claim.number}"' in lines_of(browser, files(browser)[0])[1]
    take(browser, [f"{claim.number},2222,架空便"])
    assert turn(browser, claim, act="arrived").status_code == 303
    assert states(company, [claim]) == ["arrived"]
    late = {"key": new_id().hex, "act": "returned", "why": "refused"}
    assert browser.post(claim_path(claim), late).status_code == 409


def test_what_is_not_to_be_had_lets_its_recipient_choose_again(company):
    browser = company.person("support")
    (claim, *_) = claimed(company)
    browser.get(claim_path(claim))
    form = {"key": browser.key(), "why": "not to be had"}
    for _ in range(2):
        answer = browser.post(claim_path(claim, "/choose-again"), form)
        assert answer.status_code == 303
    with unit_of_work(company.site.scope) as work:
        assert gifts.get_letter(work, claim.gift_id).state == "open"
    assert states(company, [claim]) == ["withdrawn"]
    assert "Withdrawn" in words(browser.get(claim_path(claim)))


def test_addresses_are_for_those_who_send_parcels(company):
    claims = claimed(company)
    support = company.person("support")
    listed(support)
    (path,) = files(support)
    for role in ("viewer", "approver"):
        browser = company.person(role)
        for where in ("/desk/gifts/shipping", LIST, path, claim_path(claims[0])):
            assert browser.get(where, query_string=SUPPLIER).status_code == 403
