"""A file with wrong lines: its cells are shown, mended in place, and taken again."""

from __future__ import annotations

import csv
import io
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from giftpad import audit, shops
from giftpad.edge import write_line
from giftpad.kernel.cells import guard_cell, unguard_cell
from giftpad.kernel.db import database
from giftpad.kernel.files import open_files
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Actor, unit_of_work
from giftpad.shops import adapters, handlers
from giftpad.shops.jobs import purge_files
from giftpad.shops.rules.mending import write_mended
from tests.make import make_tenant

ROWS = (
    "加盟店番号,店舗名,地区,電話番号,住所",
    "1001,八百屋,中央,00-0000-1001,本町1",
    "1002,,中央,1002,本町2",
    '1003,"書店\r\n二号",北,00-0000-1003,"=HYPERLINK(""x"")"',
    "",
    "1001,二度目,北,00-0000-1004,本町4",
    "1005,多い,北,00-0000-1005,本町5,余分",
)


@pytest.fixture
def scope(house):
    made = make_tenant()
    return replace(made, actor=Actor(kind="person", id="naoko"))


def hand_in(scope, data, **options):
    with shops.kept_file(scope, data) as kept, unit_of_work(scope) as work:
        import_id = shops.order_import(work, kept, **options)
    handlers.run_import(scope, shops.ShopImportOrdered(object_id=import_id))
    return import_id


def faulty(scope, import_id, **wanted):
    return shops.faulty_lines(scope, import_id, **wanted)


def corrected(scope, import_id, mends, **options):
    return shops.corrected_file(scope, import_id, mends, **options)


def look(scope, import_id):
    with unit_of_work(scope) as work:
        return shops.get_import(work, import_id)


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-8-sig"])
def test_wrong_lines_are_shown_with_their_cells(scope, encoding):
    import_id = hand_in(scope, "\r\n".join(ROWS).encode(encoding), is_dry=True)
    lines = faulty(scope, import_id)
    assert [line.line for line in lines] == [3, 7, 8]
    assert {fault.column: fault.code for fault in lines[0].faults} == {
        "name": "required",
        "phone": "phone",
    }
    assert lines[0].cells["phone"] == "1002"
    assert lines[0].cells["area"] == "中央"
    assert lines[1].faults[0].code == "duplicate"
    assert lines[1].cells["name"] == "二度目"
    assert (lines[2].faults[0].code, lines[2].cells) == ("cells", {})
    assert [line.line for line in faulty(scope, import_id, after_line=3, limit=1)] == [7]


def test_a_mended_file_is_taken_and_the_rest_of_it_is_untouched(scope):
    import_id = hand_in(scope, "\r\n".join(ROWS[:-1]).encode("cp932"))
    mends = {(3, "name"): "魚屋", (3, "phone"): "00-0000-1002", (7, "number"): "1004"}
    data = corrected(scope, import_id, mends)
    assert data.startswith(b"\xef\xbb\xbf")
    again = hand_in(scope, data)
    assert (look(scope, again).state, look(scope, again).enrolled_count) == ("done", 4)
    with unit_of_work(scope) as work:
        found = shops.get_shop(work, shops.find_shop_id(work, "1003"))
    assert found.facts.name == "書店 二号"
    assert found.facts.address == '=HYPERLINK("x")'
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows[0] == ROWS[0].split(",")
    assert rows[3][4] == '\'=HYPERLINK("x")'
    assert rows[1] == ROWS[1].split(",")


def test_no_cell_of_a_corrected_file_is_a_formula(scope):
    import_id = hand_in(scope, "\r\n".join(ROWS).encode(), is_dry=True)
    mends = {(3, "name"): "=1+1", (3, "phone"): "@SUM(A1)"}
    for cells in csv.reader(io.StringIO(corrected(scope, import_id, mends).decode("utf-8-sig"))):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


def test_a_file_that_is_not_taken_away_keeps_its_cells_as_they_are(scope):
    rows = "number,name,area,address\r\n1,=cmd,東,@home\r\n2,,東,'=x\r\n"
    import_id = hand_in(scope, rows.encode(), is_dry=True)
    for _ in range(3):
        data = corrected(scope, import_id, {}, is_guarded=False)
        assert data.decode("utf-8-sig") == rows
        import_id = hand_in(scope, data, is_dry=True)
    taken_away = corrected(scope, import_id, {(3, "name"): "店"})
    assert "1,'=cmd,東,'@home\r\n2,店,東,'=x\r\n" in taken_away.decode()
    again = hand_in(scope, taken_away, is_dry=True)
    assert corrected(scope, again, {}) == taken_away
    hand_in(scope, taken_away)
    with unit_of_work(scope) as work:
        first, second = (shops.get_shop(work, shops.find_shop_id(work, n)).facts for n in "12")
    assert (first.name, first.address, second.address) == ("=cmd", "@home", "=x")


@given(st.text(alphabet="'=+-@\t\r\n\0aあ＝＋", max_size=8))
def test_what_guards_a_cell_is_taken_off_again(text):
    guarded = guard_cell(text)
    assert unguard_cell(guarded) == text
    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋"))


@given(st.text(alphabet="'=+-@\t\r\n\0aあ＝＋", max_size=8))
def test_a_line_that_is_taken_away_says_the_same_when_it_comes_back(text):
    ((cell,),) = csv.reader(io.StringIO(write_line([text]), newline=""))
    assert unguard_cell(cell) == text


def test_only_the_wrong_lines_can_be_taken_away(scope):
    import_id = hand_in(scope, "\r\n".join(ROWS[:-1]).encode(), is_dry=True)
    data = corrected(scope, import_id, {(3, "name"): "魚屋"}, only_faulty=True)
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert [row[:2] for row in rows] == [
        ["加盟店番号", "店舗名"],
        ["1002", "魚屋"],
        ["1001", "二度目"],
    ]


def test_what_cannot_be_read_comes_back_as_it_is(scope):
    for data in (b"\xff\xfe\x00broken", b'number,name,area\r\n1,"a"b,c\r\n'):
        import_id = hand_in(scope, data)
        assert corrected(scope, import_id, {}) == data
        assert all(line.cells == {} for line in faulty(scope, import_id))
    assert write_mended(io.BytesIO(b""), {}, only=None) == b""


def test_a_file_is_kept_while_it_may_be_mended_and_no_longer(scope, settings, fresh_clock):
    files = open_files(settings)

    def is_kept(import_id):
        return files.exists(scope.tenant_id, "shop_import", import_id)

    good = "\r\n".join(ROWS[:2]).encode()
    taken_id = hand_in(scope, good)
    dry_id = hand_in(scope, good, is_dry=True)
    refused_id = hand_in(scope, "\r\n".join(ROWS).encode())
    partial_id = hand_in(scope, "\r\n".join(ROWS).encode(), is_partial=True)
    assert [is_kept(i) for i in (taken_id, dry_id, refused_id, partial_id)] == [
        False,
        True,
        True,
        True,
    ]
    with pytest.raises(shops.ImportFileGone):
        corrected(scope, taken_id, {})
    purge_files(scope)
    assert is_kept(dry_id)
    fresh_clock(timedelta(days=8))
    assert purge_files(scope) == 3
    assert not any(is_kept(i) for i in (dry_id, refused_id, partial_id))
    with pytest.raises(shops.ImportFileGone):
        corrected(scope, refused_id, {})
    assert [line.cells for line in faulty(scope, refused_id)] == [{}, {}, {}]


def test_no_transaction_is_open_while_a_file_is_fetched(scope, monkeypatch):
    lent, held, here = [], set(), threading.get_ident()

    def take(_connection, record, _proxy):
        if threading.get_ident() == here:  # threads of other tests may still refresh something
            held.add(record)

    def fetch(*place):
        lent.append(len(held))
        return adapters.open_file(*place)

    pool = database().engine.pool
    sa.event.listen(pool, "checkout", take)
    sa.event.listen(pool, "checkin", lambda _connection, record: held.discard(record))

    monkeypatch.setattr("giftpad.shops.queries.imports.open_file", fetch)
    import_id = hand_in(scope, "\r\n".join(ROWS).encode(), is_dry=True)
    assert faulty(scope, import_id)
    assert corrected(scope, import_id, {}, only_faulty=True)
    assert shops.preview_import(scope, import_id).areas == {"中央": 2, "北": 4}
    assert lent == [0, 0, 0]


def test_a_file_that_no_import_ends_with_goes_too(scope, settings, fresh_clock):
    files = open_files(settings)
    with shops.kept_file(scope, b"number") as kept, unit_of_work(scope) as work:
        stuck_id = shops.order_import(work, kept)
    orphans = [new_id(), new_id()]
    files.write(scope.tenant_id, "shop_import", orphans[0], data=b"of a process that died")
    half = files._path(scope.tenant_id, "shop_import", orphans[1]) + ".part"
    files._system.pipe_file(half, b"of one that died earlier")
    files._system.pipe_file(half.rpartition("/")[0] + "/.stray", b"of some other program")
    assert purge_files(scope) == 0
    fresh_clock(timedelta(days=8))
    fresh_id = hand_in(scope, "\r\n".join(ROWS).encode())
    assert look(scope, stuck_id).state == "ordered"
    assert purge_files(scope) == 3
    assert look(scope, stuck_id).state == "refused"
    assert files.list_ids(scope.tenant_id, "shop_import") == [fresh_id]
    handlers.run_import(scope, shops.ShopImportOrdered(object_id=stuck_id))  # its event, put back
    assert purge_files(scope) == 0


def test_imports_are_listed_newest_first_and_to_the_issuer_only(scope):
    good = hand_in(scope, "\r\n".join(ROWS[:2]).encode())
    bad = hand_in(scope, "\r\n".join(ROWS).encode())
    with unit_of_work(scope) as work:
        assert [view.id for view in shops.list_imports(work)] == [bad, good]
        since = work.at - timedelta(days=7)
        assert [v.id for v in shops.list_imports(work, faulty_since=since)] == [bad]
        assert shops.list_imports(work, faulty_since=work.at) == []
    bound = replace(scope, actor=Actor(kind="person", id="clerk", shop_id=new_id()))
    with unit_of_work(bound) as work:
        assert shops.list_imports(work) == []
    with pytest.raises(shops.ImportNotFound):
        shops.faulty_lines(bound, bad)
    with pytest.raises(shops.ImportNotFound):
        shops.corrected_file(bound, bad, {})


def test_names_of_many_shops_come_at_once_and_a_reason_is_kept(scope):
    hand_in(scope, "\r\n".join(ROWS[:2]).encode())
    with unit_of_work(scope) as work:
        shop_id = shops.find_shop_id(work, "1001")
        assert shops.find_names(work, {shop_id, new_id()}) == {shop_id: ("1001", "八百屋")}
        assert shops.find_names(work, []) == {}
        shops.set_accepting(work, shop_id, accepting=False, reason="closed for repairs")
        (entry, *_) = audit.list_entries(work, audit.EntryFilter(subjects=(f"shop:{shop_id}",)))
    assert entry.details == {"reason": "closed for repairs"}
