"""Machine clients for tests that go through HTTP."""

from __future__ import annotations

from giftpad import identity

LANGUAGE = "Accept-Language"
TILL_MAY = ("payments:accept", "payments:refund", "payments:read")


class Caller:
    """A machine client of a tenant with a token of its own."""

    def __init__(self, app, scope, *permissions, shop_id=None, limits=identity.DEFAULT_LIMITS):
        new = identity.NewClient(
            name="test", permissions=permissions, shop_id=shop_id, limits=limits
        )
        made = identity.create_client(scope, new)
        self.http = app.test_client()
        body = {
            "grant_type": "client_credentials",
            "client_id": made.client_id,
            "client_secret": made.client_secret,
        }
        answered = self.http.post("/oauth/token", json=body)
        assert answered.status_code == 200, answered.text
        self.token = answered.json["access_token"]
        self.headers = {"Authorization": f"Bearer {self.token}"}

    def get(self, path, *, language="en"):
        return self.http.get(path, headers=self.headers | {LANGUAGE: language})

    def post(self, path, body=None, *, key=None, language="en"):
        headers = self.headers | {LANGUAGE: language}
        if key:
            headers["Idempotency-Key"] = key
        return self.http.post(path, json=body, headers=headers)

    def put(self, path, body):
        return self.http.put(path, json=body, headers=self.headers)

    def send(self, path, data, *, content_type="text/csv", key=None):
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.http.post(path, data=data, content_type=content_type, headers=headers)
