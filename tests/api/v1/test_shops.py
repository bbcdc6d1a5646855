"""Shops over HTTP, one by one and by file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from giftpad import audit
from giftpad.kernel.clock import local_date
from giftpad.kernel.db import database
from giftpad.kernel.files import FileStore, open_files
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.make import make_tenant
from tests.make_callers import Caller
from tests.pump import pump

SHOPS, IMPORTS = "/api/v1/shops", "/api/v1/shop-imports"
NOBODY = "01930000-0000-7000-8000-000000000000"
SHOP = {"number": "1001", "name": "青葉", "area": "東", "groups": ["一般"], "phone": "00-0000-1001"}


@pytest.fixture
def town(house):
    return make_tenant()


@pytest.fixture
def desk(app, town):
    return Caller(app, town, "shops:read", "shops:write")


def test_a_shop_is_enrolled_and_read_back(desk):
    made = desk.post(SHOPS, SHOP | {"floor_area_m2": 48, "hq_prefecture": "東京都"})
    assert made.status_code == 201, made.text
    assert made.json["accepting"] is True
    assert made.json["groups"] == ["一般"]
    assert desk.get(f"{SHOPS}/{made.json['id']}").json == made.json
    (item,) = desk.get(SHOPS).json["items"]
    assert item["number"] == "1001"


def test_a_repeated_enrolment_with_the_same_key_makes_one_shop(desk):
    first, again = (desk.post(SHOPS, SHOP, key="k1") for _ in range(2))
    assert (first.status_code, again.json) == (201, first.json)
    other = desk.post(SHOPS, SHOP | {"number": "2"}, key="k1")
    assert (other.status_code, other.json["code"]) == (422, "idempotency.mismatch")
    taken = desk.post(SHOPS, SHOP)
    assert (taken.status_code, taken.json["code"]) == (409, "shop.number_taken")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"number": "東"}, "/number"),
        ({"number": None}, "/number"),
        ({"name": ""}, "/name"),
        ({"area": "x" * 41}, "/area"),
        ({"phone": "12"}, "/phone"),
        ({"kana": "青葉"}, "/kana"),
        ({"groups": "一般"}, "/groups"),
        ({"groups": ["x" * 41]}, "/groups"),
        ({"accepting": "yes"}, "/accepting"),
        ({"floor_area_m2": -1}, "/floor_area_m2"),
        ({"floor_area_m2": 1.5}, "/floor_area_m2"),
        ({"hq_prefecture": "東京"}, "/hq_prefecture"),
        ({"starts_on": "soon"}, "/starts_on"),
        ({"contact": {"email": "x"}}, "/contact/email"),
        ({"unknown": 1}, "/unknown"),
    ],
)
def test_a_value_that_cannot_be_taken_is_pointed_at(desk, changes, pointer):
    refused = desk.post(SHOPS, SHOP | changes)
    assert (refused.status_code, refused.json["code"]) == (422, "request.invalid")
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def test_facts_change_from_a_day_on(desk, town, fresh_clock):
    shop_id = desk.post(SHOPS, SHOP).json["id"]
    with unit_of_work(town) as work:
        today = local_date(work.at, "Asia/Tokyo")
    tomorrow, yesterday = (str(today + timedelta(days=days)) for days in (1, -1))
    planned = desk.post(f"{SHOPS}/{shop_id}/facts", {"area": "西", "starts_on": tomorrow})
    assert (planned.status_code, planned.json["area"]) == (201, "東")
    assert [later["facts"]["area"] for later in planned.json["planned"]] == ["西"]
    late = desk.post(f"{SHOPS}/{shop_id}/facts", {"area": "南", "starts_on": yesterday})
    assert (late.status_code, late.json["code"]) == (422, "shop.past_date")
    fresh_clock(timedelta(days=1))
    assert desk.get(f"{SHOPS}?area=西").json["items"][0]["id"] == shop_id


def test_a_shop_is_stopped_and_let_go_on(desk):
    shop_id = desk.post(SHOPS, SHOP).json["id"]
    assert desk.post(f"{SHOPS}/{shop_id}/suspend").json["accepting"] is False
    assert desk.post(f"{SHOPS}/{shop_id}/resume").json["accepting"] is True


def test_a_contact_is_shown_to_who_may_write_and_the_look_is_recorded(app, town, desk):
    contact = {"name": "青葉 花", "phone": "090-0000-0001", "email": "hana@aoba.example"}
    made = desk.post(SHOPS, SHOP | {"contact": contact})
    assert "hana" not in made.text
    path = f"{SHOPS}/{made.json['id']}/contact"
    assert desk.get(path).json == contact
    assert desk.put(path, {"name": "森"}).json == {"name": "森", "phone": "", "email": ""}
    assert Caller(app, town, "shops:read").get(path).status_code == 403
    with unit_of_work(town) as work:
        assert "shop.contact_seen" in {entry.action for entry in audit.list_entries(work)}


def test_branches_are_added_and_closed(desk):
    shop_id = desk.post(SHOPS, SHOP).json["id"]
    (branch,) = desk.post(f"{SHOPS}/{shop_id}/branches", {"name": "駅前店"}).json["branches"]
    closed = desk.post(f"{SHOPS}/{shop_id}/branches/{branch['id']}/close")
    assert closed.json["branches"] == []


def test_lists_are_filtered_and_paged(desk):
    for number in ("1", "2", "3"):
        desk.post(SHOPS, SHOP | {"number": number, "area": "西" if number == "2" else "東"})
    assert [s["number"] for s in desk.get(f"{SHOPS}?area=東").json["items"]] == ["1", "3"]
    assert [s["number"] for s in desk.get(f"{SHOPS}?q=3").json["items"]] == ["3"]
    assert desk.get(f"{SHOPS}?group=なし").json["items"] == []
    first = desk.get(f"{SHOPS}?limit=2").json
    rest = desk.get(f"{SHOPS}?limit=2&cursor={first['next_cursor']}").json
    assert [s["number"] for s in first["items"] + rest["items"]] == ["1", "2", "3"]


def test_a_client_of_a_shop_sees_only_that_shop(app, town, desk):
    mine, other = (desk.post(SHOPS, SHOP | {"number": n}).json["id"] for n in ("1", "2"))
    till = Caller(app, town, "shops:read", shop_id=mine)
    assert [s["id"] for s in till.get(SHOPS).json["items"]] == [mine]
    assert till.get(f"{SHOPS}/{other}").status_code == 404


ROUTES = [
    ("get", SHOPS),
    ("post", SHOPS),
    ("get", f"{SHOPS}/{NOBODY}"),
    ("post", f"{SHOPS}/{NOBODY}/facts"),
    ("post", f"{SHOPS}/{NOBODY}/suspend"),
    ("post", f"{SHOPS}/{NOBODY}/resume"),
    ("get", f"{SHOPS}/{NOBODY}/contact"),
    ("put", f"{SHOPS}/{NOBODY}/contact"),
    ("post", f"{SHOPS}/{NOBODY}/branches"),
    ("post", f"{SHOPS}/{NOBODY}/branches/{NOBODY}/close"),
    ("post", IMPORTS),
    ("get", f"{IMPORTS}/{NOBODY}"),
    ("get", f"{IMPORTS}/{NOBODY}/errors.csv"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_asks_for_a_token_and_a_permission(app, town, method, path):
    client = app.test_client()
    assert getattr(client, method)(path).status_code == 401
    reader = Caller(app, town, "programmes:read")
    assert getattr(client, method)(path, headers=reader.headers).status_code == 403


def test_a_foreign_shop_and_import_look_like_unknown_ones(app, desk):
    shop_id = desk.post(SHOPS, SHOP).json["id"]
    import_id = desk.send(IMPORTS, b"number,name,area\n1,a,b\n").json["id"]
    stranger = Caller(app, make_tenant(), "shops:read", "shops:write")
    for path, found in ((SHOPS, shop_id), (IMPORTS, import_id)):
        foreign, unknown = (stranger.get(f"{path}/{tried}") for tried in (found, new_id()))
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.data == unknown.data


FILE = "加盟店番号,店舗名,地区\n1,青葉,東\n2,森,西\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_file_of_shops_is_taken(desk, settings, encoding):
    ordered = desk.send(IMPORTS, FILE.encode(encoding))
    assert (ordered.status_code, ordered.json["state"]) == (202, "ordered")
    pump(settings)
    done = desk.get(ordered.headers["Location"]).json
    assert (done["state"], done["progress"], done["enrolled_count"]) == ("done", 1.0, 2)
    assert [shop["name"] for shop in desk.get(SHOPS).json["items"]] == ["青葉", "森"]


def test_a_file_may_come_in_a_form(desk, settings):
    form = {"file": (io.BytesIO(FILE.encode()), "shops.csv")}
    ordered = desk.send(IMPORTS, form, content_type="multipart/form-data")
    assert ordered.status_code == 202
    pump(settings)
    assert desk.get(f"{IMPORTS}/{ordered.json['id']}").json["state"] == "done"


def test_the_same_key_hands_a_file_in_once(desk):
    first, again = (desk.send(IMPORTS, FILE.encode(), key="file-1") for _ in range(2))
    assert again.json["id"] == first.json["id"]


def test_a_file_is_kept_while_no_transaction_is_open_and_once_for_its_key(
    desk, town, settings, monkeypatch
):
    open_at_write, write = [], FileStore.write

    def look_and_write(self, *place, data):
        open_at_write.append(database().engine.pool.checkedout())
        write(self, *place, data=data)

    monkeypatch.setattr(FileStore, "write", look_and_write)
    first, *_ = (desk.send(IMPORTS, FILE.encode(), key="file-1") for _ in range(2))
    assert open_at_write == [0, 0]
    files = open_files(settings)
    found = files._system.find(f"{files._root}/{town.tenant_id}/shop_import")
    assert [path.rpartition("/")[2] for path in found] == [first.json["id"]]


BAD = 'number,name,area\n1,青葉,東\n2,,東\n"=1+1",店,西\n'


def test_each_fault_is_told_in_the_callers_language_and_the_file_stays_out(desk, settings):
    path = f"{IMPORTS}/{desk.send(IMPORTS, BAD.encode()).json['id']}"
    pump(settings)
    told = desk.get(path).json
    assert (told["state"], told["good_count"], told["bad_count"]) == ("refused", 1, 2)
    assert [(e["line"], e["column"], e["code"]) for e in told["errors"]] == [
        (3, "name", "required"),
        (4, "number", "number"),
    ]
    assert "=1+1" in told["errors"][1]["detail"]
    assert desk.get(path, language="ja").json["errors"][0]["column"] == "店舗名"
    assert desk.get(SHOPS).json["items"] == []


def test_faults_come_as_a_sheet_in_which_nothing_is_a_formula(desk, settings):
    path = f"{IMPORTS}/{desk.send(f'{IMPORTS}?partial=true', BAD.encode()).json['id']}"
    pump(settings)
    assert desk.get(path).json["enrolled_count"] == 1
    sheet = desk.get(f"{path}/errors.csv")
    assert sheet.mimetype == "text/csv"
    assert sheet.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(sheet.data.decode("utf-8-sig"))))
    assert rows[0] == ["Line", "Column", "What is wrong", "What to do"]
    assert [row[:2] for row in rows[1:]] == [["3", "name"], ["4", "number"]]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_a_dry_run_only_checks(desk, settings):
    path = f"{IMPORTS}/{desk.send(f'{IMPORTS}?dry_run=true', FILE.encode()).json['id']}"
    pump(settings)
    assert (desk.get(path).json["state"], desk.get(SHOPS).json["items"]) == ("done", [])


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (b"", "text/csv", 422, "shop_import.empty"),
        ({"other": "x"}, "multipart/form-data", 422, "shop_import.empty"),
        (b"{}", "application/json", 415, "request.unsupported_type"),
        (b"x" * (33 * 1024 * 1024), "text/csv", 413, "request.too_large"),
    ],
)
def test_what_is_no_file_is_refused(desk, data, content_type, status, code):
    refused = desk.send(IMPORTS, data, content_type=content_type)
    assert (refused.status_code, refused.json["code"]) == (status, code)


def test_a_key_of_a_dry_run_is_not_that_of_the_run(desk):
    path = f"{IMPORTS}?dry_run={{}}"
    tried = desk.send(path.format("true"), FILE.encode(), key="file-1")
    done = desk.send(path.format("false"), FILE.encode(), key="file-1")
    assert (tried.status_code, done.status_code) == (202, 422)
    assert done.json["code"] == "idempotency.mismatch"
    assert desk.send(path.format("true"), FILE.encode(), key="file-1").json == tried.json
