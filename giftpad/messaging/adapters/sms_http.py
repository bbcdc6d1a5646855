"""SMS by a provider's HTTP: one POST of JSON a message, with the message's id as the key.

Hides: requests.  The wire, for a provider to be put behind it:
``POST <url>``, ``Authorization: Bearer <token>``, ``Idempotency-Key: <message id>``,
``{"to": "+81…", "text": "…", "from": "…"}``; any 2xx means taken, ``{"id": "…"}`` names it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from giftpad.messaging.adapters.mails import Parcel
from giftpad.messaging.rules.sending import Outcome, away, lost, put_off, refused, taken

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 3.0
ANSWER_BYTES_MAX = 16_384
PROVIDER_ID_LENGTH_MAX = 100
NOT_LET_IN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
"""What a wrong token or address is answered with: no message will be taken until it is mended."""
LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsProvider:
    """Who takes our SMS, and what they show as their sender."""

    url: str
    token: str = field(repr=False)
    sender: str = ""

    def send(self, parcel: Parcel) -> Outcome:
        """Hand over one SMS and tell how it ended; raises nothing that the provider can cause."""
        import requests  # noqa: PLC0415 - only a process that sends an SMS pays for loading it

        try:
            with requests.Session() as session:
                # What is set is asked, as it is set: no proxy, and no password file whose entry
                # would replace the token.
                session.trust_env = False
                with session.post(
                    self.url,
                    data=json.dumps(self._body(parcel), ensure_ascii=False).encode(),
                    headers={
                        "Authorization": f"Bearer {self.token}",
                        "Content-Type": "application/json",
                        "Idempotency-Key": str(parcel.id),
                    },
                    timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    return _judge(answer)
        except requests.ConnectTimeout:
            return away("SMS provider: no connection in time")
        except requests.ReadTimeout:
            return lost("SMS provider gave no answer in time")
        except requests.ConnectionError as error:
            return _unconnected(error)
        except requests.RequestException as error:
            return away(f"SMS provider: {type(error).__name__}")

    def _body(self, parcel: Parcel) -> dict[str, str]:
        body = {"to": parcel.to, "text": parcel.written.text}
        return body | {"from": self.sender} if self.sender else body


def _unconnected(error: requests.ConnectionError) -> Outcome:
    """Tell a provider that was never reached from one that hung up before it answered."""
    from urllib3.exceptions import MaxRetryError  # noqa: PLC0415 - as above, and of requests

    if error.args and isinstance(error.args[0], MaxRetryError):
        return away("SMS provider: no connection")
    return lost("SMS provider ended the connection without an answer")


def _judge(answer: requests.Response) -> Outcome:
    status = answer.status_code
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return taken(_id_in(answer))
    reason = f"SMS provider answered {status}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
        return away(reason)
    if status in NOT_LET_IN:
        return away(reason)
    return put_off(reason) if status in LATER else refused(reason)


def _id_in(answer: requests.Response) -> str:
    """Return how the provider calls the message; it was taken, whatever else the answer holds."""
    try:
        found = json.loads(answer.raw.read(ANSWER_BYTES_MAX, decode_content=True))
        return str(found["id"])[:PROVIDER_ID_LENGTH_MAX]
    except Exception:  # noqa: BLE001 - a wire of somebody else: any damage means the same
        return ""
