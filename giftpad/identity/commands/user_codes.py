"""Codes that a device shows and a person types: one is drawn until nobody else is shown the same.

Source: RFC 8628, section 6.1.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert

from giftpad.identity.queries import PLATFORM
from giftpad.identity.rules import hash_user_code, new_user_code
from giftpad.kernel.work import Work, unit_of_work

CODES_TRIED_MAX = 5


def draw_user_code(row: Callable[[Work, bytes], Insert]) -> tuple[str, datetime]:
    """Return a code to be shown, and the instant at which the row that waits with it was written.

    ``row`` says what is written with the hash of a code, in the platform tenant: nobody knows
    before whose the code will be.
    """
    for _ in range(CODES_TRIED_MAX):
        user_code = new_user_code()
        with unit_of_work(PLATFORM) as work:
            written = row(work, hash_user_code(user_code)).on_conflict_do_nothing()
            is_free = work.session.scalar(written.returning(sa.literal(1))) is not None
        if is_free:
            return user_code, work.at
    message = "no free code was found"
    raise AssertionError(message)
