"""Receipts as providers post them: who has signed them, what they say.

``mail`` and ``sms`` speak our own words: ``X-Giftpad-Signature: t=<seconds>,v1=<HMAC-SHA256 of
"<t>.<body>", in hex>`` and ``{"receipts": [{"id": "<message id>", "status": "delivered"}]}``; an id
may also be a whole Message-ID.  ``twilio`` posts a form signed as Twilio signs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from giftpad.messaging.adapters.providers import bound
from giftpad.messaging.adapters.sms_twilio import TwilioProvider, sign
from giftpad.messaging.errors import HookForged, HookUnreadable
from giftpad.messaging.rules.receipts import BOUNCED, DELIVERED, STATUSES, UNSUBSCRIBED, Receipt

OWN = ("mail", "sms")
TWILIO = "twilio"
HOOKS = (*OWN, TWILIO)
SIGNATURES = (OWN_SIGNATURE, TWILIO_SIGNATURE) = ("X-Giftpad-Signature", "X-Twilio-Signature")
AGE_MAX_S = 300
RECEIPTS_MAX = 500
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_ID = re.compile(r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:@[^@<>]*)?>?")
TWILIO_STOPPED = "21610"
"""The number has answered STOP."""
TWILIO_GONE = frozenset({"30005", "30006", "21211", "21614"})
"""No such number, or one that takes no SMS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What was posted to an address for receipts; ``path`` with its question, as it was asked."""

    provider: str
    path: str
    body: bytes = field(repr=False)
    form: Sequence[tuple[str, str]] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    message: str = ""


def read_receipts(posted: Posted, at: datetime) -> list[Receipt]:
    """Return what a provider tells, once its signature is found to be good.

    Raises: HookForged, HookUnreadable.
    """
    if posted.provider in OWN:
        _check_own(posted, at)
        return _read_own(posted.body)
    if posted.provider == TWILIO:
        _check_twilio(posted)
        return _read_twilio(posted)
    raise HookForged


def sign_own(secret: str, body: bytes, seconds: int) -> str:
    """Return the signature under which a provider of our own wire posts receipts."""
    digest = hmac.digest(secret.encode(), b"%d." % seconds + body, hashlib.sha256)
    return f"t={seconds},v1={digest.hex()}"


def _check_own(posted: Posted, at: datetime) -> None:
    secret = bound().hooks_secret
    given = _SIGNATURE.fullmatch(posted.headers.get(OWN_SIGNATURE, ""))
    if not secret or given is None:
        raise HookForged
    seconds = int(given[1])
    right = sign_own(secret, posted.body, seconds)
    if not hmac.compare_digest(right, given[0]) or abs(at.timestamp() - seconds) > AGE_MAX_S:
        raise HookForged


def _read_own(body: bytes) -> list[Receipt]:
    try:
        told = json.loads(body)["receipts"]
        if not isinstance(told, list) or len(told) > RECEIPTS_MAX:
            raise HookUnreadable
        return [_read_one(each) for each in told]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise HookUnreadable from error


def _read_one(told: Mapping[str, object]) -> Receipt:
    found, status = _ID.fullmatch(str(told["id"])), told["status"]
    if found is None or status not in STATUSES:
        raise HookUnreadable
    return Receipt(
        message_id=UUID(found[1]), status=str(status), is_permanent=told.get("permanent") is True
    )


def _check_twilio(posted: Posted) -> None:
    provider = bound().sms
    if not isinstance(provider, TwilioProvider):
        raise HookForged
    right = sign(provider.token, bound().public_address + posted.path, posted.form)
    given = posted.headers.get(TWILIO_SIGNATURE, "")
    if not hmac.compare_digest(right.encode(), given.encode("utf-8", "surrogatepass")):
        raise HookForged


def _read_twilio(posted: Posted) -> list[Receipt]:
    told = dict(posted.form)
    found = _ID.fullmatch(posted.message)
    if found is None or "MessageStatus" not in told:
        raise HookUnreadable
    status, code = told["MessageStatus"], told.get("ErrorCode", "")
    receipt = Receipt(
        message_id=UUID(found[1]),
        status=DELIVERED if status == "delivered" else BOUNCED,
        is_permanent=code in TWILIO_GONE,
        provider_id=told.get("MessageSid", "")[:100],
    )
    if status == "delivered":
        return [receipt]
    if status not in ("undelivered", "failed"):
        return []  # it is on its way
    if code != TWILIO_STOPPED:
        return [receipt]
    return [receipt, Receipt(message_id=receipt.message_id, status=UNSUBSCRIBED)]
