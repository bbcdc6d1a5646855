"""A postcode, however it is typed, leads to the address it stands for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from giftpad import places
from giftpad.kernel.prefectures import PREFECTURES


@pytest.mark.parametrize(
    "typed",
    [
        "1000001",
        "100-0001",
        "〒100-0001",
        "１００－０００１",
        "100 0001",
        "〒１００ー０００１",
        "100‐0001",
    ],
)
def test_a_postcode_is_forgiven_how_it_is_typed(typed):
    (found,) = places.find_addresses(typed)
    assert (found.prefecture, found.city, found.town) == ("東京都", "千代田区", "千代田")
    assert places.format_postcode(found.postcode) == "100-0001"


@pytest.mark.parametrize(
    "typed", ["", "100", "10000011", "100-000a", "ABCDEFG", "②000001", "0000000"]
)
def test_what_is_no_postcode_leads_nowhere(typed):
    assert places.find_addresses(typed) == ()


@pytest.mark.parametrize(
    ("typed", "prefecture", "city", "town"),
    [
        ("060-0000", "北海道", "札幌市中央区", ""),  # "everything not listed below"
        ("522-0317", "滋賀県", "犬上郡多賀町", "一円"),  # a place of this very name
        ("029-5505", "岩手県", "和賀郡西和賀町", "湯本"),  # a range of blocks
        ("409-0142", "山梨県", "北都留郡小菅村", ""),  # "where a house number follows"
        ("761-4106", "香川県", "小豆郡土庄町", ""),  # two letters that are no town
        ("602-0847", "京都府", "京都市上京区", "大宮町"),  # with twenty ways to get there
        ("907-1801", "沖縄県", "八重山郡与那国町", "与那国"),
    ],
)
def test_what_the_list_says_otherwise_is_made_an_address(typed, prefecture, city, town):
    (found,) = places.find_addresses(typed)
    assert (found.prefecture, found.city, found.town) == (prefecture, city, town)


def test_one_code_may_stand_for_several_places():
    found = places.find_addresses("498-0000")
    assert {(each.prefecture, each.city) for each in found} == {
        ("愛知県", "弥富市"),
        ("三重県", "桑名郡木曽岬町"),
    }
    many = places.find_addresses("452-0961")
    assert len(many) == len(set(many)) > 50


def test_the_code_of_a_large_office_knows_its_street():
    (found,) = places.find_addresses("060-8544")
    assert (found.city, found.town) == ("札幌市中央区", "北三条西")
    assert found.street


def test_many_may_ask_at_once():
    codes = [f"100{number:04}" for number in range(1, 60)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(places.find_addresses, codes))
    assert found == [places.find_addresses(code) for code in codes]
    assert sum(len(each) for each in found) > 5


def test_the_list_says_of_which_month_it_is():
    assert places.data_month() >= date(2026, 10, 1)
    assert places.data_month().day == 1


def test_there_are_forty_seven_prefectures_and_the_list_names_no_other():
    assert len(set(PREFECTURES)) == 47
    firsts = {code: places.find_addresses(code) for code in ("0600000", "1000000", "9000000")}
    assert {each.prefecture for found in firsts.values() for each in found} == {
        "北海道",
        "東京都",
        "沖縄県",
    }
