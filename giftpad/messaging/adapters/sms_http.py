"""SMS by a provider's HTTP: one POST of JSON a message, with the message's id as the key.

Hides: requests.  The wire, for a provider to be put behind it:
``POST <url>``, ``Authorization: Bearer <token>``, ``Idempotency-Key: <message id>``,
``{"to": "+81…", "text": "…", "from": "…"}``; any 2xx means taken, ``{"id": "…"}`` names it.
The same key twice is one message.  ``GET <url>?key=<message id>`` asks for it: 200 with its name
if it was taken, 404 if not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from giftpad.messaging.adapters.mails import Parcel
from giftpad.messaging.rules.sending import (
    CANNOT_TELL,
    NEVER,
    Found,
    Outcome,
    away,
    lost,
    put_off,
    refused,
    silent,
    taken,
)

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 3.0
ANSWER_BYTES_MAX = 16_384
LIST_BYTES_MAX = 262_144
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
    knows_keys: ClassVar[bool] = True
    """Whether the same message twice is taken once."""

    def ask(self, parcel: Parcel) -> Found:
        """Ask whether a message was taken; raises nothing that the provider can cause."""
        status, body = get_json(
            self.url,
            params={"key": str(parcel.id)},
            headers={"Authorization": f"Bearer {self.token}"},
        )
        if status == HTTPStatus.NOT_FOUND:
            return NEVER
        if status != HTTPStatus.OK or not isinstance(body, dict):
            return CANNOT_TELL
        return taken(str(body.get("id", ""))[:PROVIDER_ID_LENGTH_MAX])

    def send(self, parcel: Parcel) -> Outcome:
        """Hand over one SMS and tell how it ended; raises nothing that the provider can cause."""
        return post(
            self.url,
            data=json.dumps(self._body(parcel), ensure_ascii=False).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "Idempotency-Key": str(parcel.id),
            },
            judge=_judge,
        )

    def _body(self, parcel: Parcel) -> dict[str, str]:
        body = {"to": parcel.to, "text": parcel.written.text}
        return body | {"from": self.sender} if self.sender else body


def post(
    url: str,
    *,
    data: bytes,
    headers: Mapping[str, str],
    judge: Callable[[requests.Response], Outcome],
) -> Outcome:
    """Post to a provider and tell how it ended."""
    import requests  # noqa: PLC0415 - only a process that sends an SMS pays for loading it

    try:
        with requests.Session() as session:
            # What is set is asked, as it is set: no proxy, and no password file whose entry
            # would replace the token.
            session.trust_env = False
            with session.post(
                url,
                data=data,
                headers=dict(headers),
                timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as answer:
                return judge(answer)
    except requests.ConnectTimeout:
        return away("SMS provider: no connection in time")
    except requests.ReadTimeout:
        return silent("SMS provider gave no answer in time")
    except requests.ConnectionError as error:
        return _unconnected(error)
    except requests.RequestException as error:
        return away(f"SMS provider: {type(error).__name__}")


def get_json(
    url: str, *, params: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[int, object]:
    """Ask a provider; return its status, 0 for none, and what it said, None if that is no JSON."""
    import requests  # noqa: PLC0415 - as above

    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(
                url,
                params=dict(params),
                headers=dict(headers),
                timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as answer:
                text = answer.raw.read(LIST_BYTES_MAX, decode_content=True)
                return answer.status_code, json.loads(text)
    except ValueError:
        return answer.status_code, None
    except (requests.RequestException, OSError):
        return 0, None


def _unconnected(error: requests.ConnectionError) -> Outcome:
    """Tell a provider that was never reached from one that hung up before it answered."""
    from urllib3.exceptions import MaxRetryError  # noqa: PLC0415 - as above, and of requests

    if error.args and isinstance(error.args[0], MaxRetryError):
        return away("SMS provider: no connection")
    return lost("SMS provider ended the connection without an answer")


def _judge(answer: requests.Response) -> Outcome:
    status = answer.status_code
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return taken(id_in(answer))
    reason = f"SMS provider answered {status}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
        return away(reason)
    if status in NOT_LET_IN:
        return away(reason)
    return put_off(reason) if status in LATER else refused(reason)


def id_in(answer: requests.Response, name: str = "id") -> str:
    """Return how the provider calls the message; it was taken, whatever else the answer holds."""
    try:
        found = json.loads(answer.raw.read(ANSWER_BYTES_MAX, decode_content=True))
        return str(found[name])[:PROVIDER_ID_LENGTH_MAX]
    except Exception:  # noqa: BLE001 - a wire of somebody else: any damage means the same
        return ""
