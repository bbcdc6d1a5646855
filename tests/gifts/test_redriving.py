"""Orders that have stopped: each cause is named, and starting again does nothing twice."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from giftpad import audit, gifts, messaging, tenancy
from giftpad.cli import cli
from giftpad.gifts.handlers import issue_due_gifts
from giftpad.kernel.work import unit_of_work
from tests import make_gifts, pump
from tests.make_gift_rows import ALL_HOURS

REASON = "the worker was mended"


@pytest.fixture
def company(house):
    return make_gifts.make_company(contract=ALL_HOURS)


def change(company, table, order_id, **values):
    """Let an order's rows look as something that went wrong leaves them."""
    column = "id" if table == "gift_orders" else "order_id"
    said = ", ".join(f"{name} = {value}" for name, value in values.items())
    with unit_of_work(company.scope) as work:
        work.session.execute(
            sa.text(f"UPDATE {table} SET {said} WHERE tenant_id = :tenant AND {column} = :order"),
            {"tenant": company.scope.tenant_id, "order": order_id},
        )


def troubles(company, order_id):
    with unit_of_work(company.scope) as work:
        return {one.code: one.count for one in gifts.get_open_order(work, order_id).troubles}


def redrive(company, order_id):
    with unit_of_work(company.scope) as work:
        return gifts.redrive_order(work, order_id, reason=REASON)


def approved(company, count=3):
    """Return an order whose hour has passed, and which nobody has begun."""
    order_id = company.draft(send_at=None)
    company.take(order_id, make_gifts.cells(count))
    company.submit(order_id)
    change(
        company,
        "gift_orders",
        order_id,
        state="'approved'",
        starts_at="now() - interval '20 minutes'",
        run_id="NULL",
    )
    return order_id


def half_issued(company):
    """Return an order of which a chunk is issued and nobody is at the rest."""
    from giftpad.gifts.commands import issuing

    order_id = company.draft(channel="mail")
    company.take(order_id, make_gifts.cells(5, "mail"))
    if company.submit(order_id) == "submitted":
        company.approve(order_id)
    chunk, issuing.CHUNK = issuing.CHUNK, 2
    try:
        with unit_of_work(company.scope) as work:
            assert issuing.issue_chunk(work, order_id)
    finally:
        issuing.CHUNK = chunk
    change(company, "gift_orders", order_id, changed_at="now() - interval '20 minutes'")
    return order_id


def test_an_order_that_does_well_is_stuck_at_nothing(company):
    order_id = company.sent(2)
    assert troubles(company, order_id) == {}
    with pytest.raises(gifts.NothingToRedrive):
        redrive(company, order_id)


def test_an_order_past_its_hour_is_begun(company):
    order_id = approved(company)
    assert troubles(company, order_id) == {"not_started": 1}
    assert redrive(company, order_id) == {"not_started": 1}
    assert company.order(order_id).state == "issuing"
    issue_due_gifts(company.scope, gifts.GiftsDue(object_id=order_id))
    assert company.order(order_id).state == "sent"
    assert company.differences() == []


@pytest.mark.parametrize("make", [approved, half_issued])
def test_what_nobody_could_claim_any_more_is_not_issued_and_can_be_taken_back(company, make):
    order_id = make(company)
    issued = company.order(order_id).issued
    change(company, "gift_orders", order_id, claim_by="current_date - 2")
    left = company.order(order_id).quantity - issued
    assert troubles(company, order_id) == {"too_late": left}
    with pytest.raises(gifts.NothingToRedrive):
        redrive(company, order_id)
    issue_due_gifts(company.scope, gifts.GiftsDue(object_id=order_id))
    assert company.order(order_id).issued == issued
    with unit_of_work(company.as_("issuer")) as work:
        if issued:
            gifts.stop_issuing(work, order_id, reason="too late")
        else:
            gifts.withdraw_order(work, order_id)
    assert company.differences() == []


def test_an_order_that_stopped_half_way_goes_on_where_it_stands(company):
    order_id = half_issued(company)
    assert troubles(company, order_id) == {"not_issuing": 3}
    redrive(company, order_id)
    with pytest.raises(gifts.NothingToRedrive):
        redrive(company, order_id)
    for _ in range(2):  # a word that comes twice, as of a worker that was only slow
        issue_due_gifts(company.scope, gifts.GiftsDue(object_id=order_id))
    order = company.order(order_id)
    assert (order.state, order.issued) == ("sent", 5)
    names = [gift.name for gift in company.gifts(order_id)]
    assert len(names) == len(set(names)) == 5
    assert company.differences() == []
    with unit_of_work(company.scope) as work:
        run = messaging.get_run(work, order.run_id)
    assert run.total == 5, "one letter each"


def test_letters_that_failed_are_sent_again_and_not_twice(company):
    order_id = company.sent(3, "mail")
    change(company, "gifts", order_id, delivery="'failed'")
    with unit_of_work(company.scope) as work:
        work.session.execute(
            sa.text(
                "UPDATE messaging_messages SET state = 'failed', due_at = NULL"
                " WHERE tenant_id = :tenant"
            ),
            {"tenant": company.scope.tenant_id},
        )
        work.session.execute(
            sa.text("UPDATE messaging_runs SET failed = 3 WHERE tenant_id = :tenant"),
            {"tenant": company.scope.tenant_id},
        )
    assert troubles(company, order_id) == {"letters_failed": 3}
    assert redrive(company, order_id) == {"letters_failed": 3}
    assert troubles(company, order_id) == {}
    assert {gift.delivery for gift in company.gifts(order_id)} == {"queued"}


@pytest.mark.parametrize(
    ("table", "values", "code"),
    [
        ("gifts", {"delivery": "'bounced'"}, "letters_bounced"),
        ("gift_claims", {"expected_on": "current_date - 3"}, "parcels_late"),
    ],
)
def test_what_waits_for_people_is_named_and_not_started_again(company, table, values, code):
    order_id = company.sent(2, "mail")
    if table == "gift_claims":
        company.claim(company.gifts(order_id)[0].id)
    change(company, table, order_id, **values)
    assert code in troubles(company, order_id)
    with pytest.raises(gifts.NothingToRedrive):
        redrive(company, order_id)


def test_a_pause_that_somebody_made_stays(company):
    order_id = company.sent(2, "mail")
    with unit_of_work(company.scope) as work:
        messaging.pause_run(work, company.order(order_id).run_id)
    assert troubles(company, order_id) == {"letters_paused": 2}
    with pytest.raises(gifts.NothingToRedrive):
        redrive(company, order_id)


def test_cards_whose_print_failed_are_printed(company, settings):
    order_id = company.sent(2, "card")
    change(company, "gift_prints", order_id, state="'failed'")
    assert troubles(company, order_id) == {"cards_missing": 1}
    redrive(company, order_id)
    pump.pump(settings)
    assert troubles(company, order_id) == {}
    with unit_of_work(company.scope) as work:
        assert [each.state for each in gifts.list_prints(work, order_id)] == ["ready"]


def test_stuck_orders_come_first_and_name_nobody(company):
    well, stuck = company.sent(2), half_issued(company)
    newer = company.sent(2)
    with unit_of_work(company.scope) as work:
        listed = gifts.list_open_orders(work)
    assert [each.order_id for each in listed] == [stuck, newer, well]
    assert "受取" not in repr(listed)
    assert "お歳暮" not in repr(listed)


def test_the_command_line_lists_and_redrives_and_the_tenant_reads_why(
    company, settings, monkeypatch
):
    for name in ("database_url", "database_owner_url", "database_relay_url", "redis_url"):
        monkeypatch.setenv(f"GIFTPAD_{name.upper()}", getattr(settings, name))
    monkeypatch.setenv("GIFTPAD_KEK_FILE", str(settings.kek_file))
    order_id = half_issued(company)
    slug = tenancy.get_tenant(company.scope.tenant_id).slug
    listed = CliRunner().invoke(cli, ["gifts", "stuck", "--tenant", slug])
    assert listed.exit_code == 0, listed.output
    assert str(order_id) in listed.output
    assert "not_issuing: 3" in listed.output
    words = ["gifts", "redrive", str(order_id), "--reason", REASON]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    again = CliRunner().invoke(cli, words)
    assert again.exit_code == 1
    assert "stopped" in again.output
    with unit_of_work(company.scope) as work:
        wanted = audit.EntryFilter(actions=("gift_order.redriven",))
        (entry,) = audit.list_entries(work, wanted)
    assert (entry.details["reason"], entry.details["count"]) == (REASON, 3)
