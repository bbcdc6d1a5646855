"""Files of shops: whole or not at all, or the good lines; again without change; after a crash."""

from __future__ import annotations

from datetime import timedelta

import pytest

from giftpad import audit, shops
from giftpad.kernel.clock import local_date
from giftpad.kernel.db import DatabaseAway
from giftpad.kernel.files import open_files
from giftpad.kernel.work import Actor, Scope, unit_of_work
from giftpad.shops import handlers
from tests.make import make_tenant
from tests.pump import pump

HEADER = "number,name,area,groups,phone,contact_name,contact_email"


@pytest.fixture
def scope(house):
    made = make_tenant()
    return Scope(tenant_id=made.tenant_id, actor=Actor(kind="person", id="naoko"))


def lines(count, area="東"):
    return [
        f"S{n},店{n},{area},一般,00-0000-{n % 10_000:04d},担当{n},s{n}@shop.example"
        for n in range(count)
    ]


def order(scope, rows, *, encoding="utf-8", **options):
    data = "\r\n".join(rows).encode(encoding)
    with shops.kept_file(scope, data) as kept, unit_of_work(scope) as work:
        return shops.order_import(work, kept, **options)


def run(scope, import_id):
    handlers.run_import(scope, shops.ShopImportOrdered(object_id=import_id))
    return look(scope, import_id)


def look(scope, import_id):
    with unit_of_work(scope) as work:
        return shops.get_import(work, import_id)


def count(scope):
    with unit_of_work(scope) as work:
        return len(shops.list_shops(work, shops.ShopFilter(), limit=200).items)


def test_a_good_file_is_taken_through_the_rails(scope, settings):
    import_id = order(scope, [HEADER, *lines(5)], encoding="cp932")
    assert look(scope, import_id).state == "ordered"
    pump(settings)
    done = look(scope, import_id)
    assert (done.state, done.good_count, done.enrolled_count) == ("done", 5, 5)
    assert (done.progress, done.fault_count) == (1.0, 0)
    with unit_of_work(scope) as work:
        shop_id = shops.find_shop_id(work, "S3")
        assert shops.get_contact(work, shop_id).email == "s3@shop.example"


def test_the_same_file_again_changes_nothing(scope):
    run(scope, order(scope, [HEADER, *lines(5)]))
    again = run(scope, order(scope, [HEADER, *lines(5)]))
    assert (again.enrolled_count, again.changed_count, again.unchanged_count) == (0, 0, 5)


def test_a_changed_line_changes_its_shop_and_missing_columns_stay(scope):
    run(scope, order(scope, [HEADER, *lines(3)]))
    again = run(scope, order(scope, ["number,name,area", "S0,店0,東", "S1,店1,西", "S9,新,東"]))
    assert (again.enrolled_count, again.changed_count, again.unchanged_count) == (1, 1, 1)
    with unit_of_work(scope) as work:
        facts = shops.get_shop(work, shops.find_shop_id(work, "S1")).facts
    assert (facts.area, facts.groups, facts.phone) == ("西", ("一般",), "00-0000-0001")


def test_a_later_day_in_a_file_is_planned(scope, fresh_clock):
    run(scope, order(scope, [HEADER, *lines(1)]))
    with unit_of_work(scope) as work:
        tomorrow = local_date(work.at, "Asia/Tokyo") + timedelta(days=1)
    rows = ["number,name,area,starts_on", f"S0,店0,西,{tomorrow}"]
    for changed in (1, 0):
        assert run(scope, order(scope, rows)).changed_count == changed
    with unit_of_work(scope) as work:
        assert shops.get_shop(work, shops.find_shop_id(work, "S0")).facts.area == "東"
    fresh_clock(timedelta(days=1))
    with unit_of_work(scope) as work:
        assert shops.get_shop(work, shops.find_shop_id(work, "S0")).facts.area == "西"


def test_one_fault_keeps_the_whole_file_out(scope):
    refused = run(scope, order(scope, [HEADER, *lines(3), "S9,,東,,,,"]))
    assert (refused.state, refused.good_count, refused.bad_count) == ("refused", 3, 1)
    assert count(scope) == 0
    with unit_of_work(scope) as work:
        (fault,) = shops.list_faults(work, refused.id)
    assert (fault.line, fault.column, fault.code) == (5, "name", "required")


def test_a_partial_import_takes_the_good_lines(scope):
    rows = [HEADER, *lines(3), "S9,,東,,,,", "S1,二度,東,,,,"]
    done = run(scope, order(scope, rows, is_partial=True))
    assert (done.state, done.enrolled_count, done.bad_count) == ("done", 3, 2)
    assert count(scope) == 3


def test_a_partial_import_without_a_good_line_is_refused(scope):
    assert run(scope, order(scope, [HEADER, "S9,,東,,,,"], is_partial=True)).state == "refused"


def test_a_dry_import_checks_and_takes_nothing(scope):
    done = run(scope, order(scope, [HEADER, *lines(3)], is_dry=True))
    assert (done.state, done.is_dry, done.good_count) == ("done", True, 3)
    assert count(scope) == 0


@pytest.mark.parametrize(("is_partial", "state"), [(False, "refused"), (True, "done")])
def test_a_dry_import_ends_as_a_real_one_would(scope, is_partial, state):
    rows = [HEADER, *lines(3), "S9,,東,,,,"]
    over = run(scope, order(scope, rows, is_dry=True, is_partial=is_partial))
    assert (over.state, over.good_count, over.bad_count) == (state, 3, 1)
    assert (over.is_dry, over.enrolled_count, count(scope)) == (True, 3, 0)


def test_a_dry_import_counts_and_names_what_taking_it_would_do(scope, monkeypatch):
    monkeypatch.setattr(handlers, "CHUNK_LINES", 2)
    run(scope, order(scope, [HEADER, *lines(4)]))
    rows = ["number,name,area,contact_name", "S0,店0,東,担当0", "S1,店壱,西,担当1"]
    rows += ["S2,店2,東,新しい人", "S9,新,火星,誰か"]
    over = run(scope, order(scope, rows, is_dry=True))
    assert (over.enrolled_count, over.changed_count, over.unchanged_count) == (1, 2, 1)
    with unit_of_work(scope) as work:
        entry = audit.list_entries(work, audit.EntryFilter(subjects=(f"shop_import:{over.id}",)))[0]
        assert shops.find_shop_id(work, "S9") is None
        assert shops.get_shop(work, shops.find_shop_id(work, "S1")).facts.name == "店1"
    preview = shops.preview_import(scope, over.id)
    first, second = preview.changes
    assert (first.line, first.number, first.name, first.next_name) == (3, "S1", "店1", "店壱")
    assert set(first.fields) == {"name", "area"}
    assert (second.number, second.fields) == ("S2", ("contact_name",))
    assert preview.areas == {"東": 2, "西": 3, "火星": 5}
    assert entry.action == "shop_import.checked"
    assert "enrolled" not in entry.details


def test_only_the_first_changes_of_many_are_named(scope, monkeypatch):
    run(scope, order(scope, [HEADER, *lines(60)]))
    moved = [HEADER, *lines(60, area="西")]
    over = run(scope, order(scope, moved, is_dry=True))
    assert len(shops.preview_import(scope, over.id).changes) == 50
    assert over.changed_count == 60
    monkeypatch.setattr(handlers, "NUMBERS_AUDITED_MAX", 3)
    taken = run(scope, order(scope, moved))
    with unit_of_work(scope) as work:
        entry = audit.list_entries(work, audit.EntryFilter(subjects=(f"shop_import:{taken.id}",)))[
            0
        ]
    assert (entry.action, entry.details["changed"]) == ("shop_import.done", 60)
    assert entry.details["changed_shops"] == ["S0", "S1", "S2"]


def test_every_fault_of_many_is_kept_with_its_line(scope):
    rows = [HEADER, *(f"S{n},,東,,,," for n in range(2500))]
    refused = run(scope, order(scope, rows))
    assert (refused.fault_count, refused.bad_count) == (2500, 2500)
    with unit_of_work(scope) as work:
        assert [f.line for f in shops.list_faults(work, refused.id, after_seq=2490)] == list(
            range(2492, 2502)
        )


def test_a_file_is_sealed_while_it_waits_and_gone_when_it_is_over(scope, settings):
    files = open_files(settings)
    import_id = order(scope, [HEADER, *lines(2)])
    assert "担当1".encode() not in files.read(scope.tenant_id, "shop_import", import_id)
    run(scope, import_id)
    assert not files.exists(scope.tenant_id, "shop_import", import_id)


def test_an_import_goes_on_after_a_crash_in_the_middle(scope, monkeypatch):
    monkeypatch.setattr(handlers, "CHUNK_LINES", 10)
    import_id = order(scope, [HEADER, *lines(35)])
    taken = []
    take_lines = handlers.take_lines

    def crash_in_the_third(work, chunk):
        taken.append(chunk)
        if len(taken) == 3:
            raise ConnectionAbortedError
        return take_lines(work, chunk)

    monkeypatch.setattr(handlers, "take_lines", crash_in_the_third)
    with pytest.raises(ConnectionAbortedError):
        run(scope, import_id)
    halfway = look(scope, import_id)
    assert (halfway.state, halfway.enrolled_count, halfway.finished_at) == ("taking", 20, None)
    done = run(scope, import_id)
    assert (done.state, done.enrolled_count, done.unchanged_count) == ("done", 35, 0)
    assert count(scope) == 35
    assert run(scope, import_id) == done


def test_a_crash_while_checking_begins_the_check_anew(scope, monkeypatch):
    monkeypatch.setattr(handlers, "CHUNK_LINES", 10)
    import_id = order(scope, [HEADER, *(f"S{n},,東,,,," for n in range(25))])
    keep = handlers._keep_faults

    def crash_in_the_second(*args, first_seq):
        if first_seq > 1:
            raise ConnectionAbortedError
        return keep(*args, first_seq=first_seq)

    monkeypatch.setattr(handlers, "_keep_faults", crash_in_the_second)
    with pytest.raises(ConnectionAbortedError):
        run(scope, import_id)
    monkeypatch.setattr(handlers, "_keep_faults", keep)
    assert run(scope, import_id).fault_count == 25


def test_what_an_import_did_is_recorded_under_the_name_of_who_ordered_it(scope):
    run(scope, order(scope, [HEADER, *lines(2)]))
    with unit_of_work(scope) as work:
        entries = {entry.action: entry for entry in audit.list_entries(work)}
        assert entries["shop_import.done"].actor["id"] == "naoko"
        assert entries["shop_import.done"].details["enrolled"] == 2


def test_an_empty_or_huge_file_is_refused_before_it_is_kept(scope):
    from giftpad.shops.errors import ImportEmpty, ImportTooLarge

    with pytest.raises(ImportEmpty), shops.kept_file(scope, b""):
        pass
    too_much = b"x" * (shops.IMPORT_SIZE_MAX + 1)
    with pytest.raises(ImportTooLarge), shops.kept_file(scope, too_much):
        pass


def try_to_order(scope, error):
    """Order an import of which the transaction ends with ``error``; return its file's id."""
    with (
        pytest.raises(type(error)),
        shops.kept_file(scope, b"x") as kept,
        unit_of_work(scope) as work,
    ):
        shops.order_import(work, kept)
        raise error
    return kept.id


def test_the_file_of_an_order_that_failed_is_dropped(scope, settings):
    files = open_files(settings)
    dropped_id = try_to_order(scope, ConnectionAbortedError())
    assert not files.exists(scope.tenant_id, "shop_import", dropped_id)
    import_id = order(scope, [HEADER, *lines(1)])
    assert files.exists(scope.tenant_id, "shop_import", import_id)


def test_a_file_stays_when_nobody_knows_whether_the_order_was_committed(scope, settings):
    kept_id = try_to_order(scope, DatabaseAway())
    assert open_files(settings).exists(scope.tenant_id, "shop_import", kept_id)


def test_an_import_of_another_tenant_is_not_found(scope):
    import_id = order(scope, [HEADER, *lines(1)])
    with unit_of_work(make_tenant()) as work, pytest.raises(shops.ImportNotFound):
        shops.get_import(work, import_id)


@pytest.mark.long
def test_100000_lines_are_taken(scope):
    """The most a file may hold, in Shift_JIS, with a contact sealed for each shop."""
    done = run(scope, order(scope, [HEADER, *lines(100_000)], encoding="cp932"))
    assert (done.state, done.enrolled_count) == ("done", 100_000)
    with unit_of_work(scope) as work:
        last = shops.get_shop(work, shops.find_shop_id(work, "S99999"))
    assert last.facts.name == "店99999"
