"""What a provider would tell afterwards, told by hand: whether a message has arrived.

It goes by the same wire as outside: signed, to the web server of this data folder.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from giftpad import messaging
from giftpad.local.sinks.store import Arrived

TIMEOUT_S = 5
TOLD: dict[str, dict[str, str | bool]] = {
    "delivered": {"status": "delivered"},
    "bounced": {"status": "bounced", "permanent": True},
}
"""What can be told, by the word on the button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Who tells the web server at an address what became of messages."""

    address: str
    secret: str = field(repr=False)

    def tell(self, message: Arrived, what: str) -> bool:
        """Tell what became of a message; False if nobody has heard it."""
        body = json.dumps({"receipts": [{"id": message.key, **TOLD[what]}]}).encode()
        parts = urlsplit(self.address)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        try:
            connection.request(
                "POST",
                f"/api/hooks/messages/{message.channel}",
                body,
                {
                    "Content-Type": "application/json",
                    "X-Giftpad-Signature": messaging.sign_own(self.secret, body, int(time.time())),
                },
            )
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
