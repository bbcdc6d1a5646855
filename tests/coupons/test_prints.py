"""What is wrong on paper never leaves the house, and what leaves is kept sealed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from giftpad import coupons, printing
from giftpad.coupons import errors
from giftpad.coupons.adapters import press
from giftpad.coupons.handlers import print_due_volume
from giftpad.coupons.models import CouponVolume
from giftpad.kernel.work import unit_of_work
from tests import make
from tests import make_coupons as mk
from tests.pump import pump


@pytest.fixture
def town(house):
    return mk.make_town()


def swap(items):
    return [items[1], items[0], *items[2:]]


def swap_codes_only(items):
    first, second = items[0] | {"qr": items[1]["qr"]}, items[1] | {"qr": items[0]["qr"]}
    return [first, second, *items[2:]]


def repeat(items):
    return [*items[:-1], items[-1] | {"qr": items[0]["qr"]}]


def lose(items):
    return items[:-1]


def add(items):
    return [*items, items[0]]


def mistype(items):
    return [*items[:-1], items[-1] | {"typed_code": items[0]["typed_code"]}]


@pytest.mark.parametrize("spoil", [swap, swap_codes_only, repeat, lose, add, mistype])
def test_a_print_with_one_thing_wrong_fails_the_batch(town, settings, monkeypatch, spoil):
    mk.spoil_items(monkeypatch, spoil)
    batch_id = mk.order(town, 10)
    pump(settings)
    batch = mk.get_batch(town, batch_id)
    assert (batch.state, batch.failure_code) == ("failed", "print.verification_failed")
    assert "page" in batch.failure_text
    with pytest.raises(errors.BatchWrongState):
        mk.release(town, batch_id)
    with pytest.raises(errors.PrintNotReady):
        mk.take_pdf(town, batch_id)


def test_the_reason_names_the_place_and_never_a_code(town, settings, monkeypatch):
    mk.spoil_items(monkeypatch, repeat)
    batch_id = mk.order(town, 10)
    pump(settings)
    batch = mk.get_batch(town, batch_id)
    assert "page 2" in batch.failure_text
    assert "MC-0000010" in batch.failure_text
    monkeypatch.undo()
    with unit_of_work(town.scope) as work:
        coupons.reprint(work, batch_id)
    pump(settings)
    for qr, typed in mk.read_paper(mk.take_pdf(town, batch_id)):
        assert qr[-36:] not in batch.failure_text
        assert typed not in batch.failure_text


def test_one_bad_volume_keeps_the_good_ones_in(town, settings, monkeypatch):
    monkeypatch.setattr("giftpad.coupons.commands.opening.VOLUME_COUNT_MAX", 3)
    mk.spoil_items(monkeypatch, lambda items: swap(items) if len(items) == 2 else items)
    batch_id = mk.order(town, 5)
    pump(settings)
    assert [volume.state for volume in mk.get_batch(town, batch_id).volumes] == ["ready", "failed"]
    with pytest.raises(errors.PrintNotReady):
        mk.take_pdf(town, batch_id, 1)


def test_a_failed_batch_can_be_printed_again(town, settings, monkeypatch):
    with monkeypatch.context() as spoilt:
        mk.spoil_items(spoilt, swap)
        batch_id = mk.order(town, 10)
        pump(settings)
    with unit_of_work(town.scope) as work:
        coupons.reprint(work, batch_id)
    assert mk.get_batch(town, batch_id).state == "printing"
    pump(settings)
    batch = mk.get_batch(town, batch_id)
    assert (batch.state, batch.failure_code, batch.failure_text) == ("ready", None, None)


def test_a_reprint_says_the_same_letter_by_letter(town, settings):
    batch_id = mk.released(town, settings, 9)
    before = mk.take_pdf(town, batch_id)
    with unit_of_work(town.scope) as work:
        coupons.reprint(work, batch_id, volume=1)
    assert mk.get_batch(town, batch_id).state == "released"
    pump(settings)
    assert mk.take_pdf(town, batch_id) == before
    assert mk.get_batch(town, batch_id).state == "released"


def test_a_character_that_cannot_be_printed_is_refused_by_name(town):
    town.programme_id = mk.add_programme(town, "MX", "商品券\U0001f600")
    with pytest.raises(printing.MissingGlyph) as refusal:
        mk.order(town)
    assert "U+1F600" in str(refusal.value)
    with unit_of_work(town.scope) as work:
        assert coupons.list_batches(work) == []


def test_a_text_that_does_not_fit_is_refused(town):
    town.programme_id = mk.add_programme(town, "MX", "とても長い名前の" * 40)
    with pytest.raises(printing.TextTooLong):
        mk.order(town)


def files_of(town):
    system, root = press.print_shop().files._system, press.print_shop().files._root
    folder = f"{root}/{town.tenant_id}"
    return [system.cat_file(path) for path in system.find(folder)] if system.exists(folder) else []


def test_a_print_file_lies_sealed_and_opens_only_unchanged(town, settings):
    batch_id = mk.order(town)
    pump(settings)
    pdf = mk.take_pdf(town, batch_id)
    (sealed,) = files_of(town)
    assert b"%PDF" not in sealed
    assert pdf[1000:1040] not in sealed
    files = press.print_shop().files
    (path,) = files._system.find(f"{files._root}/{town.tenant_id}")
    files._system.pipe_file(path, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(errors.PrintUnreadable):
        mk.take_pdf(town, batch_id)


def test_an_attempt_that_was_overtaken_leaves_nothing(town, settings, monkeypatch):
    batch_id = mk.order(town)
    check = press.check_volume

    def be_overtaken(task, printed):
        monkeypatch.setattr(press, "check_volume", check)
        with unit_of_work(town.scope) as work:
            from giftpad.coupons.commands import renew_claim

            renew_claim(work, task, ends=True)
        event = coupons.VolumeDue(object_id=task.volume_id, batch_id=task.batch_id)
        print_due_volume(town.scope, event)
        return check(task, printed)

    monkeypatch.setattr(press, "check_volume", be_overtaken)
    pump(settings)
    assert mk.get_batch(town, batch_id).state == "ready"
    assert len(files_of(town)) == 1
    assert len(mk.read_paper(mk.take_pdf(town, batch_id))) == 3


def test_a_volume_is_printed_by_one_worker_at_a_time(town, settings, monkeypatch):
    batch_id = mk.order(town)
    check, refused = press.check_volume, []

    def come_twice(task, printed):
        monkeypatch.setattr(press, "check_volume", check)
        event = coupons.VolumeDue(object_id=task.volume_id, batch_id=task.batch_id)
        with pytest.raises(errors.VolumeBusy):
            print_due_volume(town.scope, event)
        refused.append(task.volume_id)
        return check(task, printed)

    monkeypatch.setattr(press, "check_volume", come_twice)
    pump(settings)
    assert len(refused) == 1
    assert mk.get_batch(town, batch_id).state == "ready"


def test_a_repeated_event_changes_nothing(town, settings):
    batch_id = mk.released(town, settings)
    before = mk.take_pdf(town, batch_id)
    with unit_of_work(town.scope) as work:
        from giftpad.coupons.models.finding import list_volumes

        (volume,) = list_volumes(work, batch_id)
    print_due_volume(town.scope, coupons.VolumeDue(object_id=volume.id, batch_id=batch_id))
    assert mk.take_pdf(town, batch_id) == before
    assert make.differences(town.scope) == []


@pytest.fixture
def half_printed(town, settings, monkeypatch):
    """A batch whose second volume is wrong, while a worker is at the first."""
    with monkeypatch.context() as spoilt:
        spoilt.setattr("giftpad.coupons.commands.opening.VOLUME_COUNT_MAX", 3)
        mk.spoil_items(spoilt, lambda items: swap(items) if len(items) == 2 else items)
        batch_id = mk.order(town, 5)
        pump(settings)
    set_first_volume(town, batch_id, state="printing", claimed_until=CLAIMED)
    return batch_id


CLAIMED, LAPSED = sa.text("now() + interval '1 hour'"), sa.text("now() - interval '1 second'")


def set_first_volume(town, batch_id, **values):
    with unit_of_work(town.scope) as work:
        first = sa.update(CouponVolume).where(
            CouponVolume.batch_id == batch_id, CouponVolume.number == 1
        )
        return work.session.execute(first.values(values).returning(CouponVolume.id)).scalar_one()


def reprint(town, batch_id):
    with unit_of_work(town.scope) as work:
        coupons.reprint(work, batch_id)


def destroy_print(town, batch_id):
    with unit_of_work(town.scope) as work:
        coupons.destroy_print(work, batch_id)


@pytest.mark.parametrize("verb", [reprint, destroy_print])
def test_a_volume_that_is_being_printed_is_left_alone(town, half_printed, verb):
    with pytest.raises(errors.BatchWrongState):
        verb(town, half_printed)


@pytest.mark.parametrize("is_resent", [False, True])
def test_a_failed_batch_of_which_a_worker_died_is_printed_again(
    town, settings, half_printed, is_resent
):
    volume_id = set_first_volume(town, half_printed, claimed_until=LAPSED)
    if is_resent:
        print_due_volume(town.scope, coupons.VolumeDue(object_id=volume_id, batch_id=half_printed))
        states = [volume.state for volume in mk.get_batch(town, half_printed).volumes]
        assert states == ["due", "failed"]
    reprint(town, half_printed)
    pump(settings)
    batch = mk.get_batch(town, half_printed)
    assert (batch.state, [volume.state for volume in batch.volumes]) == ("ready", ["ready"] * 2)
    assert len(files_of(town)) == 2


def test_the_print_of_a_failed_batch_of_which_a_worker_died_is_destroyed(
    town, settings, half_printed
):
    set_first_volume(town, half_printed, claimed_until=LAPSED)
    destroy_print(town, half_printed)
    pump(settings)
    assert mk.get_batch(town, half_printed).print_destroyed_at is not None
    assert files_of(town) == []
