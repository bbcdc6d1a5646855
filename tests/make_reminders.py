"""Letters of gifts that have arrived, reminders of them, and what these wait for."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from giftpad import gifts, messaging
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import Company


def set_gifts(company: Company, order_id: UUID, said: str, **values: object) -> None:
    """Let gifts of an order stand otherwise, as after days of which no test wants to wait."""
    where = " AND number = :number" if "number" in values else ""
    with unit_of_work(company.scope) as work:
        work.session.execute(
            sa.text(f"UPDATE gifts SET {said} WHERE order_id = :order{where}"),
            {"order": order_id} | values,
        )


def arrived(company: Company, count: int, channel: str = "mail", **more: object) -> UUID:
    """Return an order whose letters arrived the other day."""
    order_id = company.sent(count, channel, **more)
    set_gifts(company, order_id, "delivery = 'delivered', queued_at = queued_at - interval '1 day'")
    return order_id


def a_day_later(company: Company, order_id: UUID) -> None:
    """Let a day go by for the letters of an order."""
    set_gifts(
        company,
        order_id,
        "queued_at = queued_at - interval '1 day',"
        " reminded_at = reminded_at - interval '1 day', hand_reminded_at ="
        " ARRAY(SELECT at - interval '1 day' FROM unnest(hand_reminded_at) AS at)",
    )


def look(company: Company, order_id: UUID, **asked: str) -> gifts.Reminding:
    """Return whom a reminder would reach now."""
    with unit_of_work(company.scope) as work:
        return gifts.look_at_reminders(work, gifts.Selection(order_id=order_id, **asked))


def remind(company: Company, order_id: UUID, **asked: str) -> tuple[int, bool]:
    """Remind whoever can be reminded, as somebody at the desk."""
    with unit_of_work(company.as_("support")) as work:
        return gifts.begin_reminding(work, gifts.Selection(order_id=order_id, **asked))


def reminded(company: Company, order_id: UUID) -> list[int]:
    """Return the numbers of the gifts of which reminders were written, one for each reminder."""
    with unit_of_work(company.scope) as work:
        return list(
            work.session.scalars(
                sa.text(
                    "SELECT g.number FROM messaging_messages m JOIN gifts g ON g.id = m.reference"
                    " WHERE g.order_id = :order AND m.template LIKE '%reminder' ORDER BY g.number"
                ),
                {"order": order_id},
            )
        )


def states(company: Company, gift: gifts.GiftView) -> list[str]:
    """Return what became of the reminders of a gift, the newest first."""
    with unit_of_work(company.scope) as work:
        return [
            each.state
            for each in messaging.list_messages(work)
            if each.reference == gift.id and each.template.endswith("reminder")
        ]


def pause(company: Company, order_id: UUID, *, ends: bool = False) -> None:
    """Let the letters of an order wait, or go on."""
    with unit_of_work(company.scope) as work:
        run_id = company.order(order_id).run_id
        assert run_id is not None
        assert (messaging.resume_run if ends else messaging.pause_run)(work, run_id)


def quiet_until(company: Company, order_id: UUID, hours: int) -> datetime:
    """Let the letters of an order rest for some hours, and return until when."""
    with unit_of_work(company.scope) as work:
        now = work.at.astimezone(ZoneInfo("Asia/Tokyo"))
        begin, end = now - timedelta(hours=1), now + timedelta(hours=hours)
        work.session.execute(
            sa.text(
                "UPDATE messaging_runs SET quiet_from = :begin, quiet_until = :end WHERE id = :run"
            ),
            {
                "begin": begin.time(),
                "end": end.time(),
                "run": company.order(order_id).run_id,
            },
        )
    return end
