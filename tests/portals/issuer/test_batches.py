"""Ordering, watching, looking at, releasing and taking out paper coupons at the desk."""

from __future__ import annotations

import io
import re

import pytest
import zxingcpp
from PIL import Image

from giftpad import audit, coupons
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import make_coupons
from tests.make_pages import inputs, make_site
from tests.portals.issuer.counter import words
from tests.pump import pump

SIGN = "\U0001f600"


def desk(site, role):
    browser = site.person(role)
    browser.headers["Accept-Language"] = "en"
    return browser


def asked(site, **changes):
    fields = {"programme": str(site.town().programme_id), "quantity": "12", "face_value": "1000"}
    return {**fields, **changes}


def query(fields):
    return {"query_string": fields}


def address(batch_id, more=""):
    return f"/desk/batches/{batch_id}{more}"


def all_batches(site):
    with unit_of_work(site.scope) as work:
        return coupons.list_batches(work)


def printed(site, quantity=3):
    batch_id = make_coupons.order(site.town(), quantity)
    pump(site.settings)
    return batch_id


def failed(site, monkeypatch):
    with monkeypatch.context() as patch:
        make_coupons.spoil_items(patch, lambda items: items[::-1])
        return printed(site)


def actions_on(site, batch_id):
    with unit_of_work(site.scope) as work:
        return [
            e.action
            for e in audit.list_entries(
                work, audit.EntryFilter(subjects=(f"coupon_batch:{batch_id}",))
            )
        ]


def test_the_figures_are_worked_out_before_anything_is_ordered(site):
    browser = desk(site, "issuer")
    answer = browser.get("/desk/batches/new/check", **query(asked(site, quantity="１，２００ 本")))
    assert answer.status_code == 422
    answer = browser.get("/desk/batches/new/check", **query(asked(site, quantity="１，２００ 枚")))
    assert "1,200 coupons × ¥1,000 = ¥1,200,000" in words(answer)
    assert {"name": "quantity", "value": "1200", "type": "hidden"} in inputs(answer.text)
    assert all_batches(site) == []


def test_an_order_is_made_once_however_often_it_is_pressed(site):
    browser = desk(site, "issuer")
    browser.get("/desk/batches/new/check", **query(asked(site)))
    form = asked(site) | {"key": browser.key()}
    first = browser.post("/desk/batches", form)
    second = browser.post("/desk/batches", form)
    assert (first.status_code, second.status_code) == (303, 303)
    (batch,) = all_batches(site)
    assert (batch.quantity, batch.face_value_minor) == (12, 1000)
    assert {a.headers["Location"] for a in (first, second)} == {address(batch.id)}
    other = browser.post("/desk/batches", form | {"quantity": "13"})
    assert other.status_code == 422
    assert len(all_batches(site)) == 1


WRONG = (
    ({"quantity": "many"}, "Please type a whole number, such as 500."),
    ({"quantity": "0"}, "How many coupons: Type how many coupons"),
    ({"quantity": ""}, "Please fill this in."),
    ({"face_value": "500枚"}, "Please type a whole number, such as 500."),
    ({"programme": ""}, "Please choose one."),
    ({"face_value": "10,001"}, "from 100 to 10,000"),
    ({"programme": "01a1fe4c-a6e4-7395-aca7-08e90cffaca1"}, "Please choose one of these."),
)


def test_what_is_wrong_is_said_and_what_was_typed_stays(site):
    browser = desk(site, "issuer")
    browser.get("/desk/batches/new")
    for changes, said in WRONG:
        fields = asked(site, **changes)
        answers = [
            browser.get("/desk/batches/new/check", **query(fields)),
            browser.post("/desk/batches", fields | {"key": new_id().hex}),
        ]
        for answer in answers:
            assert answer.status_code == 422, changes
            assert said in words(answer)
            assert 'role="alert"' in answer.text
            typed = {i["name"]: i["value"] for i in inputs(answer.text) if i.get("type") == "text"}
            assert typed == {name: fields[name] for name in ("quantity", "face_value")}
    assert all_batches(site) == []


def test_a_sign_that_cannot_be_printed_is_named(site):
    programme_id = make_coupons.add_programme(site.town(), "ZZ", f"見本{SIGN}商品券")
    browser = desk(site, "issuer")
    fields = asked(site, programme=str(programme_id))
    browser.get("/desk/batches/new/check", **query(fields))
    answer = browser.post("/desk/batches", fields | {"key": browser.key()})
    assert answer.status_code == 422
    assert f"The character {SIGN} (U+1F600) cannot be printed." in words(answer)


def test_a_run_asks_for_itself_until_it_is_ready(site):
    browser = desk(site, "issuer")
    batch_id = make_coupons.order(site.town(), 3)
    for path in (address(batch_id), address(batch_id, "/progress"), address(batch_id, "/row")):
        assert 'hx-trigger="every 3s"' in browser.get(path).text
    assert "You may close this page, it goes on." in words(browser.get(address(batch_id)))
    pump(site.settings)
    for path in (address(batch_id), address(batch_id, "/progress"), address(batch_id, "/row")):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "hx-trigger" not in answer.text
    said = words(browser.get(address(batch_id)))
    assert "All 3 codes were read back. 0 differences." in said
    assert "Not active yet: worth nothing if stolen." in said
    assert "Ordered a print run till" in said


def test_the_parts_that_are_asked_for_again_are_parts(site):
    browser = desk(site, "issuer")
    batch_id = make_coupons.order(site.town(), 3)
    assert (
        browser.get(address(batch_id, "/row"))
        .text.lstrip()
        .startswith(f'<tr id="batch-{batch_id}"')
    )
    assert browser.get(address(batch_id, "/progress")).text.lstrip().startswith('<div id="live"')


def test_a_run_that_failed_is_not_to_be_printed(site, monkeypatch):
    browser = desk(site, "owner")
    batch_id = failed(site, monkeypatch)
    answer = browser.get(address(batch_id))
    assert "Do not print." in words(answer)
    assert f"/desk/batches/{batch_id}/volumes/" not in answer.text
    assert browser.get(address(batch_id, "/volumes/1.pdf")).status_code == 409
    assert "They cannot be released now" in words(browser.get(address(batch_id, "/release")))
    answer = browser.post(address(batch_id, "/release"), {"key": new_id().hex})
    assert answer.status_code == 409
    assert make_coupons.get_batch(site.town(), batch_id).state == "failed"


def test_a_run_that_failed_is_printed_again(site, monkeypatch):
    browser = desk(site, "issuer")
    batch_id = failed(site, monkeypatch)
    browser.get(address(batch_id, "/print-again"))
    form = {"key": browser.key()}
    for _ in range(2):
        assert browser.post(address(batch_id, "/print-again"), form).status_code == 303
    pump(site.settings)
    assert make_coupons.get_batch(site.town(), batch_id).state == "ready"
    assert actions_on(site, batch_id).count("coupon_batch.reprinted") == 1


def test_a_release_says_what_it_does_and_does_it_once(site):
    browser = desk(site, "approver")
    batch_id = printed(site, 5)
    answer = browser.get(address(batch_id, "/release"))
    assert "5 coupons × ¥1,000 = ¥5,000" in words(answer)
    assert "Release these 5 coupons" in words(answer)
    form = {"key": browser.key()}
    for _ in range(2):
        answer = browser.post(address(batch_id, "/release"), form)
        assert answer.headers["Location"] == address(batch_id)
    assert "These coupons can be spent now." in words(browser.follow(answer))
    assert actions_on(site, batch_id).count("coupon_batch.released") == 1
    late = browser.post(address(batch_id, "/release"), {"key": new_id().hex})
    assert late.status_code == 409
    assert "They are released already" in words(late)
    assert "Released a print run 見本 太郎" in words(browser.get(address(batch_id)))


def test_a_print_file_is_taken_out_on_record(site):
    browser = desk(site, "issuer")
    batch_id = printed(site)
    assert address(batch_id, "/volumes/1.pdf") in browser.get(address(batch_id)).text
    answer = browser.get(address(batch_id, "/volumes/1.pdf"))
    assert answer.data.startswith(b"%PDF")
    assert answer.headers["Content-Disposition"] == "attachment; filename=KO-0000001-KO-0000003.pdf"
    assert "no-store" in answer.headers["Cache-Control"]
    assert actions_on(site, batch_id)[0] == "coupon_batch.pdf_downloaded"
    assert "Took a print file out 見本 太郎" in words(browser.get(address(batch_id)))
    assert browser.get(address(batch_id, "/volumes/2.pdf")).status_code == 404


def test_the_list_of_numbers_spends_nothing(site):
    browser = desk(site, "issuer")
    batch_id = printed(site)
    answer = browser.get(address(batch_id, "/numbers.csv"))
    head, *lines = answer.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert head == '"Number","Value","Unit","Issued on","Valid until"'
    assert [line.split(",")[0] for line in lines] == [f'"KO-000000{n}"' for n in (1, 2, 3)]
    pdf = make_coupons.take_pdf(site.town(), batch_id)
    for qr, typed in make_coupons.read_paper(pdf):
        assert qr not in answer.text
        assert typed not in answer.text


def test_a_page_is_looked_at_with_its_codes_covered(site):
    browser = desk(site, "issuer")
    batch_id = printed(site, 10)
    answer = browser.get(address(batch_id, "/pages/1/1"))
    assert "The codes are covered here." in words(answer)
    assert f'src="{address(batch_id, "/pages/1/1.png")}"' in answer.text
    assert address(batch_id, "/pages/1/2") in answer.text
    assert address(batch_id, "/pages/1/0") not in answer.text
    picture = browser.get(address(batch_id, "/pages/1/1.png"))
    assert picture.mimetype == "image/png"
    assert zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.data))) == []
    for path in ("/pages/1/0", "/pages/1/3", "/pages/2/1", "/pages/1/3.png"):
        assert browser.get(address(batch_id, path)).status_code == 404
    assert actions_on(site, batch_id)[0] == "coupon_batch.page_previewed"


def test_a_destroyed_print_is_gone_and_said_to_be(site):
    browser = desk(site, "owner")
    batch_id = printed(site)
    with unit_of_work(site.scope) as work:
        coupons.destroy_print(work, batch_id)
    answer = browser.get(address(batch_id))
    assert "The print files are gone" in words(answer)
    assert "/volumes/1.pdf" not in answer.text
    assert browser.get(address(batch_id, "/volumes/1.pdf")).status_code == 409
    assert browser.get(address(batch_id, "/pages/1/1.png")).status_code == 409


READ = ("", "/new", "/new/check", "/{id}", "/{id}/row", "/{id}/progress", "/{id}/release")
TAKEN = ("/{id}/print-again", "/{id}/volumes/1.pdf", "/{id}/numbers.csv")
SEEN = ("/{id}/pages/1/1", "/{id}/pages/1/1.png")


def test_nobody_is_sent_to_sign_in(site):
    for path in READ + TAKEN + SEEN:
        answer = site.nobody().get("/desk/batches" + path.format(id=new_id()))
        assert answer.status_code == 303, path
        assert answer.headers["Location"].startswith("/sign-in?next="), path


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ("viewer", ("/new", "/new/check", "/{id}/release", *TAKEN, *SEEN)),
        ("issuer", ("/{id}/release",)),
        ("approver", ("/new", "/new/check", *TAKEN, *SEEN)),
        ("clerk", READ + TAKEN + SEEN),
    ],
)
def test_each_role_sees_what_is_its_own(site, role, refused):
    browser = desk(site, role)
    batch_id = printed(site, 10)
    for path in READ + TAKEN + SEEN:
        answer = browser.get("/desk/batches" + path.format(id=batch_id))
        assert (answer.status_code == 403) == (path in refused), path
        if path not in refused and path != "/new/check":
            assert answer.status_code == 200, path


@pytest.mark.parametrize(
    ("role", "path"),
    [("approver", ""), ("issuer", "/{id}/release"), ("viewer", "/{id}/print-again")],
)
def test_who_may_not_changes_nothing(site, role, path):
    batch_id = printed(site)
    browser = desk(site, role)
    browser.get(address(batch_id))
    fields = asked(site) | {"key": new_id().hex}
    answer = browser.post("/desk/batches" + path.format(id=batch_id), fields)
    assert answer.status_code == 403
    assert [(b.id, b.state) for b in all_batches(site)] == [(batch_id, "ready")]
    assert set(actions_on(site, batch_id)) == {"coupon_batch.ordered"}


def test_no_button_leads_where_one_may_not_go(site):
    batch_id = printed(site)
    hrefs = {
        role: set(re.findall(r'href="([^"]+)"', desk(site, role).get(address(batch_id)).text))
        for role in ("issuer", "approver", "viewer")
    }
    assert [address(batch_id, "/release") in hrefs[r] for r in hrefs] == [False, True, False]
    assert [address(batch_id, "/volumes/1.pdf") in hrefs[r] for r in hrefs] == [True, False, False]


def test_who_may_not_release_is_told_who_can(site):
    batch_id = printed(site)
    able = site.person("approver", name="利用 開始")
    unable = site.person("viewer", name="閲覧 だけ")
    del able, unable
    browser = desk(site, "issuer")
    for path in ("", "/progress", "/release"):
        said = words(browser.get(address(batch_id, path)))
        assert "They can do it: 利用 開始" in said, path
        assert "閲覧 だけ" not in said, path
    assert "They can do it" not in words(desk(site, "approver").get(address(batch_id)))


def test_the_steps_of_a_released_run_are_all_done(site):
    batch_id = printed(site)
    browser = desk(site, "approver")
    assert "Step 5 of 5" in words(browser.get(address(batch_id)))
    make_coupons.release(site.town(), batch_id)
    answer = browser.get(address(batch_id))
    assert "All 5 steps are done" in words(answer)
    assert answer.text.count("data-done") == 5


def test_the_runs_of_another_town_are_not_there(site, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    other = make_site(site.settings, folder, slug="hanamaru")
    batch_id = printed(site)
    browser = desk(other, "owner")
    for path in READ[3:] + TAKEN + SEEN:
        answer = browser.get("/desk/batches" + path.format(id=batch_id))
        assert answer.status_code == 404, path
    for path in ("/release", "/print-again"):
        assert browser.post(address(batch_id, path), {"key": new_id().hex}).status_code == 404
    assert "KO-" not in browser.get("/desk/batches").text


def test_the_list_is_of_one_programme_if_that_is_asked(site):
    browser = desk(site, "viewer")
    town = site.town()
    make_coupons.order(town, 3)
    other_id = make_coupons.add_programme(town, "ZY")
    text = browser.get("/desk/batches").text
    assert "KO-0000001" in text
    answer = browser.get("/desk/batches", query_string={"programme": str(other_id)})
    assert "KO-0000001" not in answer.text
    assert "No coupons have been ordered yet." in words(answer)
    assert browser.get("/desk/batches?before=x&programme=x").status_code == 200


def test_names_are_text_and_never_markup(site):
    name = "<script>alert(1)</script>{x} { 券"
    programme_id = make_coupons.add_programme(site.town(), "ZX", name)
    browser = desk(site, "issuer")
    browser.headers["Accept-Language"] = "ja"
    for path in ("/desk/batches", "/desk/batches/new", "/desk/programmes", "/desk"):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path
    fields = asked(site, programme=str(programme_id), quantity="x")
    assert "<script>alert" not in browser.get("/desk/batches/new/check", **query(fields)).text
