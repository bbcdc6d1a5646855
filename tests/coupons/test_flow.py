"""A batch from its order to coupons that pay."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from giftpad import audit, coupons, payments, printing
from giftpad.coupons import errors, rules
from giftpad.coupons.commands import issue_chunk
from giftpad.coupons.handlers import issue_due_chunk
from giftpad.coupons.models import CouponChunk
from giftpad.kernel.errors import DomainError
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import make
from tests import make_coupons as mk
from tests.pump import pump


@pytest.fixture
def town(house):
    return mk.make_town()


def audited(town, action):
    with unit_of_work(town.scope) as work:
        return [entry for entry in audit.list_entries(work) if entry.action == action]


def test_a_batch_is_issued_printed_read_back_and_pays_only_when_released(town, settings):
    batch_id = mk.order(town, 11)
    assert mk.get_batch(town, batch_id).state == "ordered"
    pump(settings)
    ready = mk.get_batch(town, batch_id)
    assert (ready.state, ready.progress) == ("ready", 1.0)
    assert ready.counts == rules.Counts(issued=11, printed=11, verified=11)
    assert (ready.serial_first, ready.serial_last) == ("MC-0000001", "MC-0000011")
    assert [volume.page_count for volume in ready.volumes] == [2]

    paper = mk.read_paper(mk.take_pdf(town, batch_id))
    assert len(set(paper)) == 11
    order = make.pay_order(town, 350, code=paper[0][0])
    with pytest.raises(DomainError) as refusal:
        payments.pay(town.scope, order)
    assert refusal.value.code == "instrument.not_active"

    mk.release(town, batch_id)
    assert mk.get_batch(town, batch_id).state == "released"
    for number, (qr, typed) in enumerate(paper, start=1):
        payments.pay(town.scope, make.pay_order(town, 350, code=qr))
        payments.pay(town.scope, make.pay_order(town, 50, code=typed))
        view = mk.get_coupon(town, f"mc-{number}")
        assert (view.state, view.face_value_minor, view.balance_minor) == ("active", 1000, 600)
        assert [payment.amount_minor for payment in view.payments] == [50, 350]
    assert make.differences(town.scope) == []


def test_serials_and_locators_of_batches_follow_each_other(town, settings):
    first, second = mk.order(town, 3), mk.order(town, 2)
    views = [mk.get_batch(town, batch_id) for batch_id in (first, second)]
    assert [(v.serial_first, v.serial_last) for v in views] == [
        ("MC-0000001", "MC-0000003"),
        ("MC-0000004", "MC-0000005"),
    ]
    pump(settings)
    with unit_of_work(town.scope) as work:
        assert payments.count_instruments(work, mk.LOCATORS_TAKEN + 1, mk.LOCATORS_TAKEN + 5) == 5


def test_a_batch_of_several_chunks_and_volumes_comes_out_whole(town, settings, monkeypatch):
    monkeypatch.setattr("giftpad.coupons.commands.opening.CHUNK_COUNT_MAX", 4)
    monkeypatch.setattr("giftpad.coupons.commands.opening.VOLUME_COUNT_MAX", 3)
    monkeypatch.setattr("giftpad.payments.commands.instruments.ISSUE_PIECE", 3)
    batch_id = mk.order(town, 10)
    pump(settings)
    batch = mk.get_batch(town, batch_id)
    assert (batch.state, [volume.quantity for volume in batch.volumes]) == ("ready", [3, 3, 3, 1])
    mk.release(town, batch_id)
    paper = [
        coupon for n in range(1, 5) for coupon in mk.read_paper(mk.take_pdf(town, batch_id, n))
    ]
    for number, (qr, _) in enumerate(paper, start=1):
        payments.pay(town.scope, make.pay_order(town, number, code=qr))
        assert mk.get_coupon(town, f"MC-{number}").balance_minor == 1000 - number


def test_a_batch_is_released_once(town, settings):
    batch_id = mk.released(town, settings)
    with pytest.raises(errors.BatchWrongState) as refusal:
        mk.release(town, batch_id)
    assert refusal.value.params == {"state": "released"}
    assert len(audited(town, "coupon_batch.released")) == 1


def test_a_batch_is_not_released_before_it_is_read_back(town):
    batch_id = mk.order(town)
    with pytest.raises(errors.BatchWrongState):
        mk.release(town, batch_id)


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001])
def test_a_quantity_out_of_bounds_is_refused(town, quantity):
    with pytest.raises(errors.BadQuantity):
        mk.order(town, quantity)


@pytest.mark.parametrize("face_value_minor", [0, 10_001])
def test_a_face_value_out_of_bounds_is_refused(town, face_value_minor):
    with pytest.raises(errors.BadFaceValue):
        mk.order(town, face_value_minor=face_value_minor)


def test_an_unknown_template_is_refused(town):
    with pytest.raises(printing.UnknownTemplate):
        mk.order(town, template="coupon_on_silk")


def test_every_way_out_of_a_print_file_is_on_record_first(town, settings):
    batch_id = mk.order(town)
    pump(settings)
    with pytest.raises(ValueError, match="changed my mind"), unit_of_work(town.scope) as work:
        coupons.open_pdf(work, batch_id, volume=1)
        message = "changed my mind"
        raise ValueError(message)
    assert audited(town, "coupon_batch.pdf_downloaded") == []
    pdf = mk.take_pdf(town, batch_id)
    (entry,) = audited(town, "coupon_batch.pdf_downloaded")
    assert entry.subject == f"coupon_batch:{batch_id}"
    assert entry.details["volume"] == 1
    assert entry.actor["id"] == town.scope.actor.id
    assert pdf.startswith(b"%PDF")


def test_a_volume_that_there_is_not_cannot_be_taken(town, settings):
    batch_id = mk.order(town)
    with pytest.raises(errors.PrintNotReady):
        mk.take_pdf(town, batch_id)
    pump(settings)
    with pytest.raises(errors.VolumeNotFound):
        mk.take_pdf(town, batch_id, 2)
    with pytest.raises(errors.BatchNotFound):
        mk.take_pdf(town, new_id())


def test_the_manifest_names_every_coupon_and_nothing_that_spends(town, settings):
    batch_id = mk.order(town, 5)
    pump(settings)
    with unit_of_work(town.scope) as work:
        lines = coupons.list_manifest(work, batch_id)
        tail = coupons.list_manifest(work, batch_id, offset=3, limit=10)
    assert [line.serial for line in lines] == [f"MC-000000{n}" for n in range(1, 6)]
    assert tail == lines[3:]
    batch = mk.get_batch(town, batch_id)
    assert lines[0] == coupons.ManifestLine(
        serial="MC-0000001",
        face_value_minor=1000,
        unit="JPY",
        issued_on=batch.issued_on,
        ends_on=batch.ends_on,
    )


@pytest.mark.parametrize("serial", ["MC-0000004", "MC-0", "XX-1", "nonsense", ""])
def test_a_serial_that_nobody_carries_is_not_found(town, settings, serial):
    mk.released(town, settings)
    with pytest.raises(errors.CouponNotFound):
        mk.get_coupon(town, serial)


def test_a_serial_beyond_a_batch_does_not_find_a_neighbour_of_another_programme(town, settings):
    mk.order(town, 3)
    mk.order(town, 3, programme_id=mk.add_programme(town, "MD"))
    pump(settings)
    assert mk.get_coupon(town, "MD-1").serial == "MD-0000001"
    with pytest.raises(errors.CouponNotFound):
        mk.get_coupon(town, "MC-4")


def test_a_chunk_that_is_delivered_again_issues_nothing_twice(town, settings):
    batch_id = mk.order(town, 3)
    pump(settings)
    (chunk_id,) = chunk_ids(town, batch_id)
    issue_due_chunk(town.scope, coupons.ChunkDue(object_id=chunk_id, batch_id=batch_id))
    with unit_of_work(town.scope) as work:
        issue_chunk(work, chunk_id)
    assert mk.get_batch(town, batch_id).state == "ready"
    assert make.differences(town.scope) == []


def chunk_ids(town, batch_id):
    with unit_of_work(town.scope) as work:
        rows = sa.select(CouponChunk.id).where(CouponChunk.batch_id == batch_id)
        return work.session.execute(rows.order_by(CouponChunk.number)).scalars().all()


def test_chunks_of_a_batch_may_be_issued_at_the_same_time(town, settings, monkeypatch):
    monkeypatch.setattr("giftpad.coupons.commands.opening.CHUNK_COUNT_MAX", 2)
    batch_id = mk.order(town, 12)
    chunks = chunk_ids(town, batch_id)
    due = [coupons.ChunkDue(object_id=each, batch_id=batch_id) for each in chunks]
    with ThreadPoolExecutor(3) as workers:
        # Each chunk twice: a hint may come again while its chunk is being issued.
        done = [workers.submit(issue_due_chunk, town.scope, each) for each in due * 2]
        assert [each.result() for each in done] == [None] * 12
    assert mk.get_batch(town, batch_id).state == "printing"
    pump(settings)
    assert mk.get_batch(town, batch_id).state == "ready"
    first = mk.LOCATORS_TAKEN + 1
    with unit_of_work(town.scope) as work:
        assert payments.count_instruments(work, first, first + 11) == 12
    assert make.differences(town.scope) == []


def test_a_piece_that_fails_leaves_nothing_of_its_chunk(town, settings, monkeypatch):
    monkeypatch.setattr("giftpad.payments.commands.instruments.ISSUE_PIECE", 3)
    batch_id = mk.order(town, 8)
    (chunk_id,) = chunk_ids(town, batch_id)
    due = coupons.ChunkDue(object_id=chunk_id, batch_id=batch_id)
    first, hash_typed, hashed = mk.LOCATORS_TAKEN + 1, payments.hash_typed, []

    def fails(*args):
        hashed.append(args)
        if len(hashed) == 5:
            raise MemoryError
        return hash_typed(*args)

    threads = threading.active_count()
    with monkeypatch.context() as broken:
        broken.setattr(payments, "hash_typed", fails)
        with pytest.raises(MemoryError):
            issue_due_chunk(town.scope, due)
    assert threading.active_count() == threads
    with unit_of_work(town.scope) as work:
        assert payments.count_instruments(work, first, first + 7) == 0
    issue_due_chunk(town.scope, due)
    with unit_of_work(town.scope) as work:
        assert payments.count_instruments(work, first, first + 7) == 8
    assert make.differences(town.scope) == []


def test_a_coupon_is_not_found_before_it_is_issued(town):
    mk.order(town)
    with pytest.raises(errors.CouponNotFound):
        mk.get_coupon(town, "MC-1")


def test_batches_are_listed_newest_first_page_by_page(town):
    batch_ids = [mk.order(town, 1) for _ in range(3)]
    with unit_of_work(town.scope) as work:
        first = coupons.list_batches(work, limit=2)
        second = coupons.list_batches(work, before=first[-1].id, limit=2)
    assert [view.id for view in first + second] == batch_ids[::-1]


def test_nothing_of_a_batch_is_seen_from_another_tenant(town, settings):
    batch_id = mk.released(town, settings)
    other = replace(mk.make_town(), programme_id=town.programme_id)
    for attempt in (
        lambda: mk.get_batch(other, batch_id),
        lambda: mk.release(other, batch_id),
        lambda: mk.take_pdf(other, batch_id),
        lambda: mk.get_coupon(other, "MC-1"),
        lambda: mk.order(other),
    ):
        with pytest.raises(DomainError) as refusal:
            attempt()
        assert refusal.value.code.endswith("not_found")
