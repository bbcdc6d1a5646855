"""Setting programmes up from a pack: their rules, their book, what payments are judged by."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import ledger, payments
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work
from giftpad.programmes.errors import ProgrammeFixed
from giftpad.programmes.models import ProgrammeRow
from giftpad.programmes.rules import Terms

BOOK_ACCOUNTS = ("funding", "breakage")
_FIXED = ("unit", "serial_prefix")


def set_programme(work: Work, terms: Terms) -> tuple[UUID, tuple[str, ...]]:
    """Make the tenant's programme of this slug what ``terms`` say; return its id and what changed.

    A new one gets its book: what is issued comes from ``funding``, what expires goes to
    ``breakage``.
    Locks: the programme's row.
    Raises: ProgrammeFixed.
    """
    found = sa.select(ProgrammeRow).where(
        ProgrammeRow.tenant_id == work.tenant_id, ProgrammeRow.slug == terms.slug
    )
    row = work.session.scalars(found.with_for_update()).one_or_none()
    if row is None:
        return _open(work, terms), ("opened",)
    values = _values(terms)
    for name in _FIXED:
        if getattr(row, name) != values[name]:
            raise ProgrammeFixed(
                name=name, slug=terms.slug, old=getattr(row, name), new=values[name]
            )
    changed = tuple(name for name, value in values.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.changed_at = work.at
        work.session.flush()  # payments must not judge by rules whose programme is not written yet
        _tell_payments(work, row.id, terms)
    return row.id, changed


def _open(work: Work, terms: Terms) -> UUID:
    programme_id = new_id()
    work.session.execute(
        insert(ProgrammeRow).values(
            tenant_id=work.tenant_id,
            id=programme_id,
            **_values(terms),
            created_at=work.at,
            changed_at=work.at,
        )
    )
    for kind in BOOK_ACCOUNTS:
        account = ledger.Account(
            id=new_id(),
            book_id=programme_id,
            kind=kind,
            unit=terms.unit,
            guarded=False,
            subject_id=programme_id,
        )
        ledger.open_account(work, account)
    _tell_payments(work, programme_id, terms)
    return programme_id


def _tell_payments(work: Work, programme_id: UUID, terms: Terms) -> None:
    rules = payments.Rules(
        programme_id=programme_id,
        unit=terms.unit,
        ceiling_minor=terms.ceiling_minor,
        groups=terms.groups,
        areas=terms.areas,
    )
    payments.set_rules(work, rules)


def _values(terms: Terms) -> dict[str, Any]:
    return {
        "slug": terms.slug,
        "name": dict(terms.names),
        "unit": terms.unit,
        "starts_on": terms.starts_on,
        "ends_on": terms.ends_on,
        "groups": list(terms.groups),
        "areas": list(terms.areas),
        "ceiling_minor": terms.ceiling_minor,
        "valid_until": terms.validity.until,
        "valid_days": terms.validity.days,
        "valid_months": terms.validity.months,
        "serial_prefix": terms.serial_prefix,
        "face_text": {locale: list(lines) for locale, lines in terms.face_text.items()},
        "template": terms.template,
        "spendable_from": terms.spendable_from,
        "quantity_max": terms.quantity_max,
        "face_value_min_minor": terms.face_value_min_minor,
        "face_value_max_minor": terms.face_value_max_minor,
        "gifts": terms.gifts,
    }
