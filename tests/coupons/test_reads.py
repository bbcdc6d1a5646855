"""What pages ask of coupons: found by a code, their history, a page of the print, what waits."""

from __future__ import annotations

import io
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa
import zxingcpp
from PIL import Image

from giftpad import audit, coupons, payments
from giftpad.coupons import errors
from giftpad.kernel import codes
from giftpad.kernel.work import unit_of_work
from giftpad.printing.adapters import pictures
from tests import make
from tests import make_coupons as mk
from tests.pump import pump


@pytest.fixture
def town(house):
    return mk.make_town()


def find(town, code):
    with unit_of_work(town.scope) as work:
        return coupons.find_coupon_by_code(work, code)


def pay(town, code, amount_minor):
    return payments.pay(town.scope, make.pay_order(town, amount_minor, code=code))


def test_a_coupon_is_found_by_each_code_on_its_paper(town, settings):
    batch_id = mk.released(town, settings, 3)
    mk.released(town, settings, 2)
    paper = mk.read_paper(mk.take_pdf(town, batch_id))
    for number, (qr, typed) in enumerate(paper, start=1):
        serial = f"MC-{number:07d}"
        for code in (qr, qr[-codes.QR_TAIL_LENGTH :], typed, typed.lower()):
            assert find(town, code) == serial
        with unit_of_work(town.scope) as work:
            locator = payments.find_locator(work, qr)
            assert coupons.get_coupon_by_locator(work, locator).serial == serial


def test_no_code_and_no_foreign_code_finds_a_coupon(town, settings):
    other = mk.make_town()
    batch_id = mk.released(other, settings, 1)
    ((qr, typed),) = mk.read_paper(mk.take_pdf(other, batch_id))
    for code in (qr, typed, "", "0" * 16, qr[:-1] + ("0" if qr[-1] != "0" else "1")):
        with pytest.raises(errors.CouponNotFound):
            find(town, code)
    make.issue(town)
    with unit_of_work(town.scope) as work, pytest.raises(errors.CouponNotFound):
        coupons.get_coupon_by_locator(work, town.coupons[0].locator)


def test_a_stopped_coupon_tells_since_when_and_why(town, settings):
    mk.released(town, settings, 5)
    with unit_of_work(town.scope) as work:
        coupons.block(work, "MC-0000002", last="MC-0000004", reason="stolen from the counter")
        at = work.at
    stopped, free = mk.get_coupon(town, "MC-0000003"), mk.get_coupon(town, "MC-0000005")
    assert (stopped.blocked_at, stopped.blocked_reason) == (at, "stolen from the counter")
    assert (free.blocked_at, free.blocked_reason) == (None, None)
    with unit_of_work(town.scope) as work:
        coupons.unblock(work, "MC-0000003", reason="found again")
    assert mk.get_coupon(town, "MC-0000003").blocked_at is None


def test_the_coupon_that_holds_the_value_now_is_found_by_any_before_it(town, settings):
    batch_id = mk.released(town, settings, 2)
    qr = mk.read_paper(mk.take_pdf(town, batch_id))[0][0]
    pay(town, qr, 300)

    def live():
        with unit_of_work(town.scope) as work:
            found = coupons.get_live_coupon(work, payments.find_locator(work, qr))
        return found.serial, found.state, found.balance_minor

    assert live() == ("MC-0000001", "active", 700)
    for lost, found in (("MC-0000001", "MC-0000003"), ("MC-0000003", "MC-0000004")):
        with unit_of_work(town.scope) as work:
            coupons.replace(work, lost, reason="lost")
        pump(settings)
        assert live() == (found, "active", 700)
    with unit_of_work(town.scope) as work:
        coupons.block(work, "MC-0000004", reason="lost again")
    assert live() == ("MC-0000004", "blocked", 700)
    with unit_of_work(town.scope) as work, pytest.raises(errors.CouponNotFound):
        coupons.get_live_coupon(work, 31**5)


def history(town, serial):
    with unit_of_work(town.scope) as work:
        return coupons.list_history(work, serial)


def test_the_history_tells_all_that_happened_newest_first(town, settings):
    batch_id = mk.released(town, settings, 3)
    qr = mk.read_paper(mk.take_pdf(town, batch_id))[1][0]
    paid = pay(town, qr, 300)
    with unit_of_work(town.scope) as work:
        payments.refund(work, paid.id, 100, reason="returned goods")
    with unit_of_work(town.scope) as work:
        coupons.block(work, "MC-0000001", last="MC-0000003", reason="lost")
    with unit_of_work(town.scope) as work:
        coupons.unblock(work, "MC-0000002", reason="found")
    with unit_of_work(town.scope) as work:
        coupons.replace(work, "MC-0000002", reason="torn")
    lines = history(town, "MC-0000002")
    shown = [(line.kind, line.amount_minor, line.balance_minor, line.reason) for line in lines]
    assert shown[:5] == [
        ("replaced", None, None, "torn"),
        ("unblocked", None, None, "found"),
        ("blocked", None, None, "lost"),
        ("refund", 100, 800, "returned goods"),
        ("pay", 300, 700, ""),
    ]
    assert [line.kind for line in lines[5:]] == ["released", "checked", "issued", "ordered"]
    assert lines[0].serial == "MC-0000004"
    assert lines[4].shop_id == town.shop_id
    assert lines[4].payment_id == paid.id
    assert lines[4].who == {"kind": "client", "id": "till"}
    assert all(line.who["id"] == "till" for line in lines if line.kind in ("blocked", "ordered"))


def test_the_history_of_a_successor_begins_with_the_coupon_it_replaces(town, settings):
    mk.released(town, settings, 2)
    with unit_of_work(town.scope) as work:
        coupons.replace(work, "MC-0000001", reason="torn")
    pump(settings)
    lines = history(town, "MC-0000003")
    assert ("replaces", "MC-0000001", "torn") in [(x.kind, x.serial, x.reason) for x in lines]
    assert "replaced" not in [line.kind for line in lines]
    assert "replaces" not in [line.kind for line in history(town, "MC-0000002")]


def preview(town, batch_id, **wanted):
    with unit_of_work(town.scope) as work:
        ticket = coupons.open_preview(work, batch_id, **({"volume": 1} | wanted))
    return coupons.preview_page(ticket)


def look(png):
    """Read a picture as hard as an attacker would: larger, and cleared of its greys."""
    picture = Image.open(io.BytesIO(png)).convert("L")
    found = []
    for scale in (1, 2, 3):
        large = picture.resize((picture.width * scale, picture.height * scale))
        found += zxingcpp.read_barcodes(large)
        found += zxingcpp.read_barcodes(large.point(lambda dot: 255 if dot > 128 else 0))
    return found


def test_a_page_is_shown_and_nothing_on_it_spends(town, settings, monkeypatch):
    batch_id = mk.released(town, settings, 10)
    for page in (1, 2):
        png = preview(town, batch_id, page=page)
        assert png.startswith(b"\x89PNG")
        assert look(png) == []
    picture = Image.open(io.BytesIO(png))
    assert (round(picture.width / 110 * 25.4), round(picture.height / 110 * 25.4)) == (210, 297)
    # The same page uncovered is readable: the test can see.
    monkeypatch.setattr("giftpad.printing.adapters.pictures._cover", lambda *_: None)
    with pytest.raises(AssertionError):
        preview(town, batch_id)


@pytest.mark.parametrize("quantity", [1, 10])
def test_codes_are_covered_where_they_stand_and_not_where_a_template_says(
    town, settings, monkeypatch, quantity
):
    batch_id = mk.released(town, settings, quantity)
    by_template = preview(town, batch_id)
    pages = []
    typed_areas = pictures._typed_areas

    def note(page):
        pages.append(typed_areas(page))
        return pages[-1]

    monkeypatch.setattr("giftpad.printing.commands.spending_areas", lambda *_: [])
    monkeypatch.setattr("giftpad.printing.adapters.pictures._typed_areas", note)
    png = preview(town, batch_id)
    assert look(png) == []
    assert len(pages[0]) == min(quantity, 8)
    # Every area that the text layer names lies within what the template's areas cover.
    picture, other = (Image.open(io.BytesIO(p)).convert("RGB") for p in (png, by_template))
    for left, top, width, height in pages[0]:
        middle = tuple(round(x * 110 / 25.4) for x in (left + width / 2, top + height / 2))
        assert min(picture.getpixel(middle)) > 150
        assert min(other.getpixel(middle)) > 150


def test_a_preview_is_refused_like_the_file_and_put_on_record(town, settings):
    batch_id = mk.order(town, 2)
    with pytest.raises(errors.PrintNotReady):
        preview(town, batch_id)
    pump(settings)
    with pytest.raises(errors.VolumeNotFound):
        preview(town, batch_id, volume=2)
    for page in (0, 2):
        with pytest.raises(errors.PageNotFound):
            preview(town, batch_id, page=page)
    preview(town, batch_id)
    with unit_of_work(town.scope) as work:
        entries = audit.list_entries(
            work, audit.EntryFilter(subjects=(f"coupon_batch:{batch_id}",))
        )
    assert [(e.action, e.details) for e in entries[:1]] == [
        ("coupon_batch.page_previewed", {"volume": 1, "page": 1})
    ]
    mk.take_pdf(town, batch_id)
    with unit_of_work(town.scope) as work:
        entries = audit.list_entries(
            work, audit.EntryFilter(subjects=(f"coupon_batch:{batch_id}",))
        )
    assert entries[0].action == "coupon_batch.pdf_downloaded"
    with unit_of_work(town.scope) as work:
        coupons.destroy_print(work, batch_id)
    with pytest.raises(errors.PrintDestroyed):
        preview(town, batch_id)


def attention(town):
    with unit_of_work(town.scope) as work:
        return [(a.kind, a.batch_id, a.volume_count) for a in coupons.list_attention(work)]


def test_what_waits_for_a_person_is_named_until_it_is_done(town, settings, monkeypatch):
    monkeypatch.setattr("giftpad.coupons.commands.opening.VOLUME_COUNT_MAX", 2)
    assert attention(town) == []
    batch_id = mk.order(town, 3)
    assert attention(town) == []
    pump(settings)
    assert attention(town) == [("to_download", batch_id, 2)]
    mk.take_pdf(town, batch_id, 1)
    mk.take_pdf(town, batch_id, 1)
    assert attention(town) == [("to_download", batch_id, 1)]
    mk.take_pdf(town, batch_id, 2)
    assert attention(town) == [("to_release", batch_id, 0)]
    mk.release(town, batch_id)
    assert attention(town) == []
    mk.spoil_items(monkeypatch, lambda items: [*items, items[0]])
    failed_id = mk.order(town, 1)
    pump(settings)
    assert [(kind, batch_id) for kind, batch_id, _ in attention(town)] == [("failed", failed_id)]


AGE = {
    "ordered": "UPDATE coupon_batches SET created_at = now() - %s WHERE id = %s",
    "made": "UPDATE coupon_chunks SET done_at = now() - %s WHERE batch_id = %s",
    "ready": "UPDATE coupon_volumes SET ready_at = now() - %s WHERE batch_id = %s",
    "claimed": "UPDATE coupon_volumes SET claimed_until = now() - %s WHERE batch_id = %s",
}


def age(superuser_url, what, batch_id, minutes):
    """Let an instant of a batch, or of its parts, lie so many minutes back."""
    with psycopg.connect(superuser_url) as connection:
        connection.execute(AGE[what], [timedelta(minutes=minutes), batch_id])


def stands(town, batch_id):
    with unit_of_work(town.scope) as work:
        since = coupons.get_batch(work, batch_id).stands_since
        (listed,) = [b for b in coupons.list_batches(work) if b.id == batch_id]
        told = {a.batch_id: a.since for a in coupons.list_attention(work) if a.kind == "standing"}
    assert listed.stands_since == since == told.get(batch_id)
    return since is not None


def test_a_run_that_nobody_works_on_stands_still_until_it_moves(town, settings, superuser_url):
    batch_id = mk.order(town, 3)
    assert not stands(town, batch_id)
    age(superuser_url, "ordered", batch_id, 29)
    assert not stands(town, batch_id)
    age(superuser_url, "ordered", batch_id, 31)
    assert stands(town, batch_id)
    pump(settings)
    assert not stands(town, batch_id), "what is ready waits for a person"
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "UPDATE coupon_batches SET state = 'verifying' WHERE id = %s", [batch_id]
        )
    assert not stands(town, batch_id), "a part was done a moment ago"
    age(superuser_url, "made", batch_id, 31)
    age(superuser_url, "ready", batch_id, 31)
    assert stands(town, batch_id)
    age(superuser_url, "claimed", batch_id, -1)
    assert not stands(town, batch_id), "an attempt runs"
    age(superuser_url, "claimed", batch_id, 40)
    assert stands(town, batch_id), "its process died"


def test_a_released_run_that_nobody_prints_again_stands_still_until_its_print_is_destroyed(
    town, settings, superuser_url
):
    batch_id = mk.released(town, settings, 1)
    for what in ("ordered", "made", "ready", "claimed"):
        age(superuser_url, what, batch_id, 500)
    assert not stands(town, batch_id), "nobody has asked for anything"
    with unit_of_work(town.scope) as work:
        coupons.reprint(work, batch_id)
    assert not stands(town, batch_id), "it was asked for a moment ago"
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "UPDATE audit_entries SET at = at - interval '31 minutes'"
            " WHERE action = 'coupon_batch.reprinted'"
        )
    assert stands(town, batch_id)
    with unit_of_work(town.scope) as work:
        coupons.destroy_print(work, batch_id)
    assert not stands(town, batch_id)


def test_a_failed_run_that_is_printed_again_has_not_stood_still_since_its_failure(
    town, settings, superuser_url, monkeypatch
):
    with monkeypatch.context() as patch:
        mk.spoil_items(patch, lambda items: [*items, items[0]])
        batch_id = mk.order(town, 1)
        pump(settings)
    age(superuser_url, "ordered", batch_id, 500)
    age(superuser_url, "made", batch_id, 500)
    with unit_of_work(town.scope) as work:
        coupons.reprint(work, batch_id)
    assert not stands(town, batch_id)


def test_a_volume_whose_file_is_another_now_waits_to_be_taken_out_again(town, settings):
    batch_id = mk.order(town, 3)
    pump(settings)
    mk.take_pdf(town, batch_id)
    with unit_of_work(town.scope) as work:
        coupons.reprint(work, batch_id, volume=1)
    pump(settings)
    assert attention(town) == [("to_release", batch_id, 0)]  # the same to the last byte
    with unit_of_work(town.scope) as work:
        work.session.execute(
            sa.text("UPDATE coupon_volumes SET sha256 = repeat('0', 64) WHERE batch_id = :id"),
            {"id": batch_id},
        )
    assert attention(town) == [("to_download", batch_id, 1)]


def test_what_waits_is_told_however_often_a_file_was_taken_out(town, settings, monkeypatch):
    monkeypatch.setattr("giftpad.coupons.queries.attention.DOWNLOAD_PAGES_MAX", 2)
    monkeypatch.setattr(audit, "PAGE_MAX", 2)
    monkeypatch.setattr("giftpad.coupons.commands.opening.VOLUME_COUNT_MAX", 2)
    batch_id = mk.order(town, 3)
    pump(settings)
    mk.take_pdf(town, batch_id, 1)
    for _ in range(6):
        mk.take_pdf(town, batch_id, 2)
    assert attention(town) == [("to_download", batch_id, 1)]


def test_serials_are_found_for_many_locators_at_once(town, settings):
    first_id, second_id = mk.released(town, settings, 3), mk.released(town, settings, 2)
    make.issue(town)
    with unit_of_work(town.scope) as work:
        locators = {
            payments.find_locator(work, qr): serial
            for batch_id, serials in (
                (first_id, ("MC-0000001", "MC-0000002", "MC-0000003")),
                (second_id, ("MC-0000004", "MC-0000005")),
            )
            for (qr, _), serial in zip(
                mk.read_paper(mk.take_pdf(town, batch_id)), serials, strict=True
            )
        }
        strangers = [town.coupons[0].locator, 1, 10**9]
        assert coupons.find_serials(work, [*locators, *strangers]) == locators
        assert coupons.find_serials(work, []) == {}


def test_a_specimen_shows_the_programme_and_nothing_that_spends(town):
    with unit_of_work(town.scope) as work:
        png = coupons.specimen(work, town.programme_id)
    picture = Image.open(io.BytesIO(png))
    assert round(picture.width / 110 * 25.4) == 210
    for code in look(png):
        assert "/Q/" not in code.text
