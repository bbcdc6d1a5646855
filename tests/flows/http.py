"""A partner's HTTP client: plain, one connection a call, every answer returned as it is."""

from __future__ import annotations

import contextlib
import http.client
import json
import uuid
from typing import Any

TIMEOUT_S = 20


class Caller:
    """A machine client of one address."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port = port
        self.token = token

    def call(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        key: str | bool | None = None,
        content_type: str = "application/json",
    ) -> tuple[int, bytes]:
        """Ask once; OSError or HTTPException when the answer is lost."""
        headers = {"Accept-Language": "en", "Connection": "close"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["Idempotency-Key"] = uuid.uuid4().hex if key is True else str(key)
        body = None
        if content is not None:
            body = content if isinstance(content, str | bytes) else json.dumps(content)
            headers["Content-Type"] = content_type
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def ask(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        wanted: int,
        key: str | bool | None = None,
        content_type: str = "application/json",
    ) -> Any:
        """Ask for JSON with the one status that is right."""
        status, body = self.call(method, path, content, key=key, content_type=content_type)
        assert status == wanted, (method, path, status, body[:600])
        return json.loads(body)
