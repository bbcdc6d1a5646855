"""Files of shops at the desk, through HTTP: checked first, mended in place, taken in."""

from __future__ import annotations

import io
import re

import pytest

from giftpad import shops
from giftpad.kernel.work import unit_of_work
from tests.make_pages import HOST, make_site
from tests.portals.issuer.counter import Counter, words

HEADER = "加盟店番号,店舗名,地区,電話番号\r\n"
RIGHT = "7001,ひがし商店,中央地区,00-0000-7001\r\n"
WRONG = "7002,,中央地区,電話なし\r\n"
START = "/desk/shops/imports"


@pytest.fixture
def desk(site) -> Counter:
    """A town with the shops of its pack."""
    return Counter(site)


def upload(desk: Counter, data: bytes | str, name: str = "shops.csv", role: str = "issuer"):
    """Send a file as the upload page does."""
    officer = desk.person(role)
    officer.get(f"{START}/new")
    raw = data.encode() if isinstance(data, str) else data
    form = {"key": officer.key(), "file": (io.BytesIO(raw), name)}
    return officer, officer.post(START, form, content_type="multipart/form-data")


def checked(desk: Counter, data: bytes | str):
    """Send a file, let it be checked, and return the browser and the page's address."""
    officer, answer = upload(desk, data)
    assert answer.status_code == 303, words(answer)
    desk.work_off()
    return officer, answer.headers["Location"]


def find(desk: Counter, number: str) -> shops.ShopView | None:
    with unit_of_work(desk.site.scope) as work:
        shop_id = shops.find_shop_id(work, number)
        return None if shop_id is None else shops.get_shop(work, shop_id)


def test_who_may(desk):
    assert desk.site.nobody().get(f"{START}/new").status_code == 303
    viewer = desk.person("viewer")
    assert viewer.get(f"{START}/new").status_code == 403
    viewer.get("/desk/shops")
    assert viewer.post(START, {}).status_code == 403
    assert desk.person("clerk").get(f"{START}/new").status_code == 403


def test_a_file_that_is_too_large_is_told_on_a_page(desk):
    officer = desk.person("issuer")
    officer.get(f"{START}/new")
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    answer = officer.http.post(
        START,
        data=head + b"7" * (shops.IMPORT_SIZE_MAX + 128 * 1024) + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
        headers=officer.headers | {"X-CSRF-Token": officer.csrf},
        base_url=f"http://{HOST}",
    )
    assert (answer.status_code, answer.mimetype) == (413, "text/html")
    assert "This is too large" in words(answer)
    assert "Send less at once." in words(answer)
    assert officer.get(f"{START}/new").status_code == 200


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_right_file_is_checked_first_and_taken_after_a_press(desk, encoding):
    officer, answer = upload(desk, (HEADER + RIGHT).encode(encoding))
    waiting = officer.follow(answer)
    assert "The file is being checked." in words(waiting)
    assert 'hx-trigger="every' in waiting.text
    desk.work_off()
    address = answer.headers["Location"]
    part = officer.get(f"{address}/progress", headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "hx-trigger" not in part.text
    page = officer.get(address)
    assert "1 new shop, 0 shops change. Nothing has been changed yet." in words(page)
    assert "Take this 1 row" in words(page)
    assert find(desk, "7001") is None

    form = {"key": officer.key()}
    answers = [officer.post(f"{address}/take", form) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    desk.work_off()
    said = words(officer.follow(answers[0]))
    assert "Taken in: 1 new, 0 changed, 0 as before." in said
    shop = find(desk, "7001")
    assert shop is not None
    assert shop.facts.name == "ひがし商店"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"PK\x03\x04rest of a workbook", "shops.xlsx"),
        (b"\xd0\xcf\x11\xe0old workbook", "shops.xls"),
        (b"%PDF-1.7", "shops.csv"),
    ],
)
def test_a_file_of_another_kind_is_told_before_anything_else(desk, data, name):
    _, answer = upload(desk, data, name)
    assert answer.status_code == 422
    assert "This is no CSV file." in words(answer)


def test_no_file_and_an_empty_file_are_told(desk):
    for data, name in ((b"", ""), (b"", "shops.csv")):
        _, answer = upload(desk, data, name)
        assert answer.status_code == 422
        assert "gp-summary" in answer.text


def test_wrong_cells_are_mended_in_place_and_checked_again(desk):
    officer, address = checked(desk, HEADER + RIGHT + WRONG)
    page = officer.get(address)
    said = words(page)
    assert "2 rows read: 1 ready, 1 need you." in said
    assert 'aria-label="Row 3, Shop name"' in page.text
    assert 'name="mend-3-phone"' in page.text
    assert 'value="電話なし"' in page.text
    form = {"key": officer.key(), "mend-3-name": "にし商店", "mend-3-phone": "still wrong"}
    answer = officer.post(f"{address}/mend", form)
    again = officer.post(f"{address}/mend", form)
    assert answer.headers["Location"] == again.headers["Location"] != address
    desk.work_off()
    page = officer.follow(answer)
    assert 'name="mend-3-name"' not in page.text
    assert 'value="still wrong"' in page.text
    answer = officer.post(
        f"{answer.headers['Location']}/mend",
        {"key": officer.key(), "mend-3-phone": "00-0000-7002"},
    )
    desk.work_off()
    page = officer.follow(answer)
    assert "2 new shops, 0 shops change." in words(page)
    corrected = officer.get(f"{answer.headers['Location']}/corrected.csv")
    assert corrected.mimetype == "text/csv"
    assert "7002,にし商店,中央地区,00-0000-7002" in corrected.data.decode("utf-8-sig").replace(
        '"', ""
    )
    answer = officer.post(f"{answer.headers['Location']}/take", {"key": officer.key()})
    desk.work_off()
    assert find(desk, "7002").facts.name == "にし商店"


def test_rows_can_be_left_out_and_what_was_mended_is_not_lost(desk):
    other = "7003,みなみ商店,,00-0000-7003\r\n"
    officer, address = checked(desk, HEADER + RIGHT + WRONG + other)
    page = officer.get(address)
    assert "Leave out 2 rows and go on" in words(page)
    form = {"key": officer.key(), "go": "leave-out", "mend-4-area": "北地区"}
    answer = officer.post(f"{address}/mend", form)
    desk.work_off()
    said = words(officer.follow(answer))
    assert "2 new shops, 0 shops change. Nothing has been changed yet." in said
    assert "1 row with errors is left out." in said
    assert find(desk, "7003") is None
    answer = officer.post(f"{answer.headers['Location']}/take", {"key": officer.key()})
    desk.work_off()
    said = words(officer.follow(answer))
    assert "Taken in: 2 new" in said
    assert "Step 3 of 3" in said
    assert "1 row was left out." in said
    assert find(desk, "7003").facts.area == "北地区"
    assert find(desk, "7002") is None
    rest = officer.get(f"{answer.headers['Location']}/left-out.csv")
    rows = rest.data.decode("utf-8-sig").splitlines()
    assert [row.partition(",")[0] for row in rows] == ["加盟店番号", "7002"]


def test_what_would_change_is_shown_before_it_is_taken_and_named_in_the_log(desk):
    officer, address = checked(desk, HEADER + RIGHT)
    officer.get(address)
    officer.post(f"{address}/take", {"key": officer.key()})
    desk.work_off()
    changed = RIGHT.replace("ひがし商店", "<b>改名</b>").replace("-7001", "-7009")
    officer, address = checked(desk, HEADER + changed + WRONG.replace(",,", ",新店,"))
    page = officer.get(address)
    assert "2 rows read: 1 ready, 1 need you." in words(page)
    assert "7002 新店" in words(page)
    answer = officer.post(f"{address}/mend", {"key": officer.key(), "mend-3-phone": ""})
    desk.work_off()
    page = officer.follow(answer)
    said = words(page)
    assert "1 new shop, 1 shop changes. Nothing has been changed yet." in said
    assert "7001 ひがし商店 <b>改名</b> Telephone" in said
    assert "<b>改名" not in page.text
    assert "Take these 2 rows" in said
    assert find(desk, "7001").facts.name == "ひがし商店"
    officer.post(f"{answer.headers['Location']}/take", {"key": officer.key()})
    desk.work_off()
    assert find(desk, "7001").facts.name == "<b>改名</b>"
    log = words(desk.person("owner").get("/desk/audit?family=shop_import"))
    assert "Numbers of the first changed shops 7001" in log
    assert "A list of shops was checked, nothing was taken in" in log
    assert "refused" not in log


def test_changes_beyond_the_list_are_counted_and_nothing_new_is_nothing_to_take(desk):
    rows = "".join(f"8{n:03},店{n},中央地区,\r\n" for n in range(52))
    officer, address = checked(desk, HEADER + rows)
    officer.get(address)
    officer.post(f"{address}/take", {"key": officer.key()})
    desk.work_off()
    officer, address = checked(desk, HEADER + rows.replace("中央地区", "北地区"))
    said = words(officer.get(address))
    assert "0 new shops, 52 shops change." in said
    assert "2 more shops change that are not listed here." in said
    assert "8049" in said
    assert "8050" not in said
    officer, address = checked(desk, HEADER + rows)
    page = officer.get(address)
    assert "52 rows are as they are on record already." in words(page)
    assert "Nothing to take in" in words(page)
    assert "Take these" not in words(page)


def test_a_file_that_was_not_shown_is_not_taken(desk):
    officer, address = checked(desk, HEADER + RIGHT + WRONG)
    officer.get(address)
    answer = officer.post(f"{address}/take", {"key": officer.key()})
    assert answer.headers["Location"] == address
    desk.work_off()
    assert find(desk, "7001") is None


def test_an_area_of_no_programme_is_a_hint_and_no_fault(desk):
    officer, address = checked(
        desk, HEADER + RIGHT + RIGHT.replace("中央地区", "火星").replace("7001", "7005")
    )
    page = officer.get(address)
    said = words(page)
    assert "No programme accepts these areas" in said
    assert "Row 3 火星" in said
    assert "Row 2 中央地区" not in said
    assert "Take these 2 rows" in said


def test_mending_adds_no_apostrophe(desk):
    officer, address = checked(desk, f"{HEADER}7006,=cmd,中央地区,x\r\n7007,@home,中央地区,y\r\n")
    for phones in (("z", "z"), ("", "")):
        officer.get(address)
        form = {"key": officer.key(), "mend-2-phone": phones[0], "mend-3-phone": phones[1]}
        address = officer.post(f"{address}/mend", form).headers["Location"]
        desk.work_off()
    assert "'=cmd" in officer.get(f"{address}/corrected.csv").text
    assert "''=cmd" not in officer.get(f"{address}/corrected.csv").text
    officer.get(address)
    officer.post(f"{address}/take", {"key": officer.key()})
    desk.work_off()
    assert find(desk, "7006").facts.name == "=cmd"
    assert find(desk, "7007").facts.name == "@home"


def test_what_is_wrong_with_the_whole_file_is_told_with_a_way_on(desk):
    officer, address = checked(desk, "number,colour\r\n1,red\r\n")
    page = officer.get(address)
    assert "There is no column called colour." in words(page)
    assert "Send the mended file" in words(page)
    assert re.search(r'name="mend-', page.text) is None

    officer, address = checked(desk, b"\x82\xff\x00\x01")
    assert "neither UTF-8 nor Shift_JIS" in words(officer.get(address))


def test_cells_that_are_markup_are_shown_as_text(desk):
    cell = '"<script>alert(1)</script>"'
    officer, address = checked(desk, f"{HEADER}7004,x,中央地区,{cell}\r\n")
    page = officer.get(address)
    assert "<script>alert" not in page.text
    assert 'value="&lt;script&gt;alert(1)&lt;/script&gt;"' in page.text


def test_the_sample_is_a_file_that_is_right(desk):
    for language in ("en", "ja"):
        officer = desk.person("issuer")
        officer.headers["Accept-Language"] = language
        sample = officer.get(f"{START}/sample.csv")
        lines = list(shops.read_sheet(io.BytesIO(sample.data)))
        assert [type(line) for line in lines] == [shops.SheetLine], lines
    officer.headers["Accept-Language"] = "en"


def test_another_town_sees_no_file(desk, settings, tmp_path_factory):
    _, address = checked(desk, HEADER + WRONG)
    other = make_site(settings, tmp_path_factory.mktemp("elsewhere"), slug="hanamaru")
    owner = other.person("owner")
    for path in ("", "/progress", "/corrected.csv"):
        assert owner.get(address + path).status_code == 404, path
    owner.get(f"{START}/new")
    key = owner.key()
    for path in ("/mend", "/take"):
        assert owner.post(address + path, {"key": key}).status_code == 404, path
