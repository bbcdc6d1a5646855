"""A partner's HTTP client: plain, one connection a thread, every answer returned as it is."""

from __future__ import annotations

import http.client
import json
import threading
import uuid
from typing import Any

TIMEOUT_S = 20


class Caller:
    """A machine client of one address."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port = port
        self.token = token
        self._local = threading.local()

    def _connection(self) -> http.client.HTTPConnection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
            self._local.connection = connection
        return connection

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
        headers = {"Accept-Language": "en", "Connection": "keep-alive"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["Idempotency-Key"] = uuid.uuid4().hex if key is True else str(key)
        body = None
        if content is not None:
            body = content if isinstance(content, str | bytes) else json.dumps(content)
            headers["Content-Type"] = content_type
        connection = self._connection()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self._local.connection = None
            raise

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
