"""Programmes over HTTP."""

from __future__ import annotations

import pytest

from giftpad.kernel.ids import new_id
from tests.make import make_tenant
from tests.make_callers import Caller
from tests.make_packs import apply_town

PATH = "/api/v1/programmes"


@pytest.fixture
def town(house, tmp_path):
    return apply_town(tmp_path)


@pytest.fixture
def reader(app, town):
    return Caller(app, town, "programmes:read")


def test_the_first_programme_of_the_town_comes_first(reader):
    listed = reader.get(PATH)
    assert listed.status_code == 200
    first = listed.json["items"][0]
    assert listed.json["next_cursor"] is None
    assert (first["slug"], first["unit"], first["ceiling_minor"]) == ("kurashi", "JPY", 5000)
    assert first["validity"] == {"until": None, "days": None, "months": 5}
    assert first["areas"] == ["中央地区", "北地区"]
    assert reader.get(f"{PATH}/{first['id']}").json == first


def test_a_name_comes_in_the_callers_language(reader):
    names = [reader.get(PATH, language=tag).json["items"][0]["name"] for tag in ("ja", "en", "fr")]
    assert names == ["暮らし応援券", "Living support coupon", "Living support coupon"]


def test_a_list_goes_on_by_its_cursor(reader):
    first = reader.get(f"{PATH}?limit=1").json
    rest = reader.get(f"{PATH}?limit=1&cursor={first['next_cursor']}").json
    assert [page["items"][0]["slug"] for page in (first, rest)] == ["kurashi", "miraikko"]
    assert rest["next_cursor"] is None
    assert reader.get(f"{PATH}?cursor=zzz").status_code == 422
    assert reader.get(f"{PATH}?limit=0").status_code == 422


def test_another_towns_programme_looks_like_an_unknown_one(app, reader):
    programme_id = reader.get(PATH).json["items"][0]["id"]
    stranger = Caller(app, make_tenant(), "programmes:read")
    foreign, unknown = (stranger.get(f"{PATH}/{found}") for found in (programme_id, new_id()))
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    assert stranger.get(PATH).json["items"] == []


@pytest.mark.parametrize("path", [PATH, f"{PATH}/01930000-0000-7000-8000-000000000000"])
def test_only_who_may_read_programmes_reads_them(app, town, path):
    assert app.test_client().get(path).status_code == 401
    assert Caller(app, town, "shops:read").get(path).status_code == 403
