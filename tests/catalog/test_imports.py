"""Files of products: checked first, told line by line, taken once, changed by the next one."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from PIL import Image

from giftpad import catalog, sheets
from giftpad.catalog import handlers, jobs
from giftpad.catalog.adapters import list_files, list_kept_pictures, pictures
from giftpad.catalog.commands import files
from giftpad.kernel.work import unit_of_work
from tests.make_catalog import make_picture, read_rows
from tests.pump import pump

HEADER = "code,name,category,price,courses,pictures,variant_code,variant_name,stock"
GOOD = ("TEA,茶,たべもの,3000,C5000,tea.png,,,5", "TOWEL,タオル,くらし,2000,C5000,,TOWEL-W,白,3")


def packed(*rows, header=HEADER, table="products.csv", **pictures):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"カタログ/{table}", "\n".join([header, *rows, ""]))
        archive.writestr("__MACOSX/._products.csv", b"x")
        for name, data in (pictures or {"tea.png": make_picture()}).items():
            archive.writestr(f"写真/{name}", data)
    return out.getvalue()


def order(shelf, settings, data, name="catalogue.zip"):
    with catalog.kept_file(shelf.scope, name, data) as kept:
        with unit_of_work(shelf.scope) as work:
            import_id = catalog.order_import(work, kept)
    pump(settings)
    return import_id


def state(shelf, import_id):
    with unit_of_work(shelf.scope) as work:
        return catalog.get_import(work, import_id), list(catalog.list_faults(work, import_id))


def take_in(shelf, settings, import_id):
    with unit_of_work(shelf.scope) as work:
        catalog.take_import(work, import_id)
    pump(settings)
    return state(shelf, import_id)[0]


def test_a_file_is_checked_first_and_taken_when_somebody_says_so(shelf, settings):
    import_id = order(shelf, settings, packed(*GOOD))
    found, faults = state(shelf, import_id)
    assert (found.state, faults) == ("checked", [])
    assert (found.good_count, found.added_count, found.picture_count) == (2, 2, 1)
    with unit_of_work(shelf.scope) as work:
        assert catalog.list_products(work, catalog.ProductFilter()).items == ()
    found = take_in(shelf, settings, import_id)
    assert (found.state, found.added_count, found.progress) == ("done", 2, 1.0)
    product = shelf.product("TEA")
    assert (product.price_minor, product.variants[0].stock) == (3000, 5)
    assert len(product.picture_ids) == 1
    assert list_files(shelf.scope.tenant_id) == []
    with unit_of_work(shelf.scope) as work, pytest.raises(catalog.ImportNotReady):
        catalog.take_import(work, import_id)


def test_a_picture_is_looked_at_once_however_many_products_show_it(shelf, monkeypatch):
    looked = []

    def counted(name, data):
        looked.append(name)
        return read(name, data)

    read = pictures._read
    monkeypatch.setattr(pictures, "_read", counted)
    rows = [f"P{n},品{n},たべもの,3000,C5000,tea.png;cup.png,,,5" for n in range(250)]
    images = {"tea.png": make_picture(), "cup.png": b"no picture"}
    report = files.check_file(shelf.scope, packed(*rows, **images))
    assert (report.good, {fault.code for fault in report.faults}) == (0, {"picture_unfit"})
    assert len(report.faults) == 250
    assert sorted(looked) == ["cup.png", "tea.png"]
    looked.clear()
    good = [row.replace(";cup.png", "") for row in rows]
    report = files.take_file(shelf.scope, packed(*good))
    assert (report.added, report.picture_count) == (250, 1)
    assert len(looked) == 2, "judged, then drawn"


def test_a_picture_that_unpacks_to_more_than_a_camera_takes_is_refused(shelf):
    out = io.BytesIO()
    Image.new("1", (5000, 4000)).save(out, "PNG")
    assert len(out.getvalue()) < 100_000
    report = files.check_file(shelf.scope, packed(GOOD[0], **{"tea.png": out.getvalue()}))
    assert [fault.code for fault in report.faults] == ["picture_unfit"]


def test_the_next_file_changes_what_it_says_and_leaves_the_rest(shelf, settings):
    take_in(shelf, settings, order(shelf, settings, packed(*GOOD)))
    before = shelf.product("TEA")
    again = order(shelf, settings, packed(*GOOD))
    assert state(shelf, again)[0].unchanged_count == 2
    table = "code,name,stock\nTEA,新茶,\nTOWEL,タオル,9\n".encode("cp932")
    with unit_of_work(shelf.scope) as work:
        catalog.set_stock(work, shelf.variant("TEA").id, stock=77, daily_limit=4)
    changed = order(shelf, settings, table, "small.csv")
    assert (state(shelf, changed)[0].changed_count, state(shelf, changed)[0].added_count) == (2, 0)
    take_in(shelf, settings, changed)
    after = shelf.product("TEA")
    assert (after.names["ja"], after.price_minor) == ("新茶", 3000)
    assert after.picture_ids == before.picture_ids
    assert (after.variants[0].stock, after.variants[0].daily_limit) == (77, 4)
    with unit_of_work(shelf.scope) as work:
        found = catalog.list_choices(work, shelf.course_id, text="しんちゃ 新茶").items
        assert [each.code for each in found] == []
        found = catalog.list_choices(work, shelf.course_id, text="新茶").items
        assert [each.code for each in found] == ["TEA"]


def test_each_fault_is_told_by_its_line_and_the_right_products_can_be_taken(shelf, settings):
    rows = (
        GOOD[0],
        "BAD 1,x,,,,,,,",
        "NONE,,,,,,,,",
        "PRICE,x,,free,,,,,",
        "LOST,x,,,,gone.png,,,",
        "COURSE,x,,,C9,,,,",
        "TEA,紅茶,,,,,TEA-2,,",
        "OK,よい,,1,C5000,,,,2",
        "OK,,,,,,OK,,",
    )
    import_id = order(shelf, settings, packed(*rows))
    found, faults = state(shelf, import_id)
    assert [(each.line, each.column, each.code) for each in faults] == [
        (3, "code", "code"),
        (4, "name", "required"),
        (5, "price", "whole"),
        (6, "pictures", "picture_missing"),
        (7, "courses", "course_unknown"),
        (8, "name", "differs"),
        (10, "variant_code", "duplicate"),
    ]
    assert (found.state, found.good_count, found.fault_count) == ("refused", 0, 7)
    for fault in faults:
        for sentence in catalog.SENTENCES[fault.code]:
            assert "{" not in sentence.format_map(fault.params)
    import_id = order(shelf, settings, packed(*rows[:6], GOOD[1]))
    found = take_in(shelf, settings, import_id)
    assert (found.state, found.added_count, found.fault_count) == ("done", 2, 5)
    assert {shelf.product(code).code for code in ("TEA", "TOWEL")} == {"TEA", "TOWEL"}


def test_what_only_the_database_knows_is_told_too(shelf, settings):
    take_in(shelf, settings, order(shelf, settings, packed(*GOOD)))
    header = "code,name,kind,variant_code"
    rows = ("OTHER,x,,TOWEL-W", "TEA,茶,digital,")
    import_id = order(shelf, settings, packed(*rows, header=header))
    codes = [each.code for each in state(shelf, import_id)[1]]
    assert codes == ["variant_elsewhere", "kind_fixed"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"%PDF-1", "sheet.not_a_table"),
        (b"PK\x03\x04" + b"x" * 99, "catalog_import.archive"),
        (packed(*GOOD, table="products.doc"), "catalog_import.archive"),
        ("コード\n茶".encode("cp932") + b"\x82", "sheet.encoding"),
        (b"number,name\n1,x\n", "header_unknown"),
        (b"code,name\n", "no_products"),
        (packed(*GOOD, **{"tea.png": b"\x89PNG\r\n\x1a\nno"}), "picture_unfit"),
    ],
)
def test_a_file_that_is_none_says_why(shelf, settings, data, code):
    import_id = order(shelf, settings, data)
    found, faults = state(shelf, import_id)
    assert faults[0].code == code
    if code == "picture_unfit":
        assert (found.state, found.good_count) == ("checked", 1)
        return
    assert found.state == "refused"
    assert list_files(shelf.scope.tenant_id) == []


def test_names_that_windows_packs_in_shift_jis_are_found(shelf, settings):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("products.csv", f"{HEADER}\nTEA,茶,,,,茶.png,,,\n")
        archive.writestr(zipfile.ZipInfo("Oc.png"), make_picture())
    windows = out.getvalue().replace(b"Oc.png", "茶.png".encode("cp932"))
    found, faults = state(shelf, order(shelf, settings, windows))
    assert (found.good_count, faults) == (1, [])


def test_taking_goes_on_where_it_was_cut_off(shelf, settings, monkeypatch):
    rows = [f"P{n},品{n},,1,C5000,,,,{n}" for n in range(1, 8)]
    monkeypatch.setattr(files, "CHUNK_PRODUCTS", 3)
    import_id = order(shelf, settings, "\n".join([HEADER, *rows]).encode())
    taken = []
    real = files.take_products

    def cut_off(work, lines, **more):
        taken.append(len(lines))
        if len(taken) == 2:
            message = "the lights go out"
            raise OSError(message)
        return real(work, lines, **more)

    monkeypatch.setattr(files, "take_products", cut_off)
    event = handlers.CatalogImportConfirmed(object_id=import_id)
    with unit_of_work(shelf.scope) as work:
        catalog.take_import(work, import_id)
    with pytest.raises(OSError, match="lights"):
        handlers.take_confirmed(shelf.scope, event)
    assert state(shelf, import_id)[0].taken_count == 3
    handlers.take_confirmed(shelf.scope, event)
    handlers.take_confirmed(shelf.scope, event)
    found = state(shelf, import_id)[0]
    assert (found.state, found.taken_count, found.added_count) == ("done", 7, 7)
    assert taken == [3, 3, 3, 1]


def test_pictures_are_drawn_anew_at_our_widths_without_what_they_carried(shelf):
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    exif[0x0112] = 6  # turned a quarter
    data = make_picture(1200, 900, "JPEG", exif=exif)
    picture_id = catalog.add_picture(shelf.scope, "tea.jpg", data)
    for width in catalog.WIDTHS:
        found = catalog.picture(shelf.scope.tenant_id, picture_id, width=width)
        drawn = Image.open(io.BytesIO(found.data))
        assert (drawn.format, drawn.size) == ("WEBP", (min(width, 900), min(width, 900) * 4 // 3))
        assert not drawn.getexif()
        assert b"secret" not in found.data
        assert found.media_type == "image/webp"
        red, blue = drawn.getpixel((5, 5)), drawn.getpixel((5, drawn.height - 5))
        assert red[0] > 200 > red[2]
        assert blue[2] > 200 > blue[0]
    assert catalog.add_picture(shelf.scope, "tea.jpg", data) == picture_id
    with pytest.raises(catalog.PictureNotFound):
        catalog.picture(shelf.scope.tenant_id, picture_id, width=361)


def bomb():
    out = io.BytesIO()
    Image.new("1", (40_000, 20_000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        make_picture()[:200],
        make_picture(1000, 20),
        bomb(),
        b"GIF89a" + b"\xff" * 50,
        make_picture(kind="BMP"),
    ],
)
def test_what_is_no_picture_is_refused(shelf, data):
    with pytest.raises(catalog.PictureUnfit):
        catalog.add_picture(shelf.scope, "x", data)


def test_what_is_kept_too_long_goes(shelf, settings, fresh_clock):
    take_in(shelf, settings, order(shelf, settings, packed(*GOOD)))
    shown = set(shelf.product("TEA").picture_ids)
    left = catalog.add_picture(shelf.scope, "left.png", make_picture(500, 400))
    waiting = order(shelf, settings, packed("NEW,新,,,,,,,"))
    assert jobs.purge_old(shelf.scope) == 0
    fresh_clock(timedelta(days=8))
    assert jobs.purge_old(shelf.scope) == 2
    assert set(list_kept_pictures(shelf.scope.tenant_id)) == shown
    assert left not in shown
    assert state(shelf, waiting)[0].state == "refused"
    assert list_files(shelf.scope.tenant_id) == []
    fresh_clock(timedelta(days=200))
    jobs.purge_old(shelf.scope)
    with unit_of_work(shelf.scope) as work:
        assert catalog.list_imports(work) == []


def test_many_rows_are_read_and_more_than_allowed_are_refused():
    read = read_rows(*(f"P{n},品,,,,,,,,," for n in range(300)))
    assert len(read.products) == 300
    data = ("code,name\n" + "".join(f"P{n},x\n" for n in range(20_001))).encode()
    with pytest.raises(sheets.SheetTooLong):
        catalog.read_products(sheets.read_sheet(data, rows_max=20_000))
