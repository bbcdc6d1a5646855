"""SMS by a provider that speaks as Twilio does: forms, an account, receipts at an address of ours.

It knows no idempotency keys.  So what was posted and not answered is never posted again by itself:
the provider is asked for it first, by recipient and text.

Source: Twilio's Messages resource, 2010-04-01; its guide to securing requests.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlencode, urlsplit

from giftpad.messaging.adapters.mails import Parcel
from giftpad.messaging.adapters.sms_http import (
    NOT_LET_IN,
    PROVIDER_ID_LENGTH_MAX,
    get_json,
    id_in,
    post,
)
from giftpad.messaging.rules.sending import (
    CANNOT_TELL,
    NEVER,
    Found,
    Outcome,
    away,
    lost,
    put_off,
    refused,
    taken,
)

if TYPE_CHECKING:
    import requests

FORM = "application/x-www-form-urlencoded"
LISTED_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioProvider:
    """An account at a provider; ``hook`` is where its receipts are sent."""

    url: str
    token: str = field(repr=False)
    sender: str
    hook: str
    knows_keys: ClassVar[bool] = False

    def send(self, parcel: Parcel) -> Outcome:
        """Hand over one SMS and tell how it ended; raises nothing that the provider can cause."""
        body = {
            "To": parcel.to,
            "From": self.sender,
            "Body": parcel.written.text,
            "StatusCallback": f"{self.hook}?message={parcel.id}",
        }
        return post(
            self.url,
            data=urlencode(body).encode(),
            headers=self._headers() | {"Content-Type": FORM},
            judge=_judge,
        )

    def ask(self, parcel: Parcel) -> Found:
        """Ask whether a message was taken: whether the account has sent this text to this number.

        Raises nothing that the provider can cause.
        """
        status, body = get_json(
            self.url,
            params={"To": parcel.to, "PageSize": str(LISTED_MAX)},
            headers=self._headers(),
        )
        listed = body.get("messages") if isinstance(body, dict) else None
        if status != HTTPStatus.OK or not isinstance(listed, list):
            return CANNOT_TELL
        for each in listed:
            if isinstance(each, dict) and each.get("body") == parcel.written.text:
                return taken(str(each.get("sid", ""))[:PROVIDER_ID_LENGTH_MAX])
        return NEVER if len(listed) < LISTED_MAX else CANNOT_TELL

    def _headers(self) -> dict[str, str]:
        account = urlsplit(self.url).path.split("/")[-2]
        pair = base64.b64encode(f"{account}:{self.token}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}


def _judge(answer: requests.Response) -> Outcome:
    status = answer.status_code
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return taken(id_in(answer, "sid"))
    reason = f"SMS provider answered {status}"
    if status in NOT_LET_IN or status == HTTPStatus.SERVICE_UNAVAILABLE:
        return away(reason)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return lost(reason)
    if status < HTTPStatus.BAD_REQUEST:
        return away(reason)
    return put_off(reason) if status == HTTPStatus.TOO_MANY_REQUESTS else refused(reason)


def sign(token: str, url: str, form: Sequence[tuple[str, str]]) -> str:
    """Return the signature under which such a provider posts a form to an address of ours."""
    text = url + "".join(name + value for name, value in sorted(form))
    digest = hmac.digest(token.encode(), text.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()
