"""Batches and coupons over HTTP, in the application as it is served."""

from __future__ import annotations

import csv
import io

import pytest

from giftpad import audit, identity, payments
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import make
from tests import make_coupons as mk
from tests.pump import pump

BATCHES, COUPONS = "/api/v1/coupon-batches", "/api/v1/coupons"
ALL = (
    "coupons:read",
    "coupons:issue",
    "coupons:print",
    "coupons:release",
    "coupons:block",
    "payments:read",
)


class Caller:
    """A machine client of a town with a token of its own."""

    def __init__(self, app, town, *permissions):
        new = identity.NewClient(name="test", permissions=permissions or ALL)
        made = identity.create_client(town.scope, new)
        self.http = app.test_client()
        body = {
            "grant_type": "client_credentials",
            "client_id": made.client_id,
            "client_secret": made.client_secret,
        }
        answered = self.http.post("/oauth/token", json=body)
        assert answered.status_code == 200, answered.text
        self.headers = {"Authorization": f"Bearer {answered.json['access_token']}"}

    def get(self, path):
        return self.http.get(path, headers=self.headers)

    def post(self, path, body, *, key=None):
        keyed = {"Idempotency-Key": key} if key else {}
        return self.http.post(path, json=body, headers=self.headers | keyed)

    def order(self, town, quantity=3, **changes):
        body = {
            "programme_id": str(town.programme_id),
            "quantity": quantity,
            "face_value_minor": 1000,
            "template": "coupon_a4_8up",
        }
        return self.post(BATCHES, body | changes, key=new_id().hex)


@pytest.fixture
def town(house):
    return mk.make_town()


@pytest.fixture
def issuer(app, town):
    return Caller(app, town)


@pytest.fixture
def released(issuer, town, settings):
    """The path of a batch of three that can be spent."""
    path = f"{BATCHES}/{issuer.order(town).json['id']}"
    pump(settings)
    assert issuer.post(f"{path}/release", {}, key=new_id().hex).status_code == 200
    return path


def test_a_batch_goes_from_order_to_release(issuer, town, settings):
    ordered = issuer.order(town, 3)
    assert (ordered.status_code, ordered.json["state"]) == (202, "ordered")
    path = f"{BATCHES}/{ordered.json['id']}"
    pump(settings)
    ready = issuer.get(path)
    assert (ready.status_code, ready.json["state"], ready.json["progress"]) == (200, "ready", 1.0)
    assert ready.json["counts"] == {"issued": 3, "printed": 3, "verified": 3}
    assert [volume["state"] for volume in ready.json["volumes"]] == ["ready"]

    pdf = issuer.get(f"{path}/pdf")
    assert (pdf.status_code, pdf.content_type) == (200, "application/pdf")
    assert pdf.headers["Cache-Control"] == "no-store"
    assert pdf.headers["Content-Disposition"].endswith("filename=MC-0000001-MC-0000003.pdf")
    paper = mk.read_paper(pdf.data)

    done = issuer.post(f"{path}/release", {}, key="r1")
    assert (done.status_code, done.json["state"]) == (200, "released")
    payments.pay(town.scope, make.pay_order(town, 350, code=paper[0][0]))
    seen = issuer.get(f"{COUPONS}/mc-1")
    assert (seen.json["state"], seen.json["balance_minor"]) == ("active", 650)
    assert [payment["amount_minor"] for payment in seen.json["payments"]] == [350]


def test_payments_of_a_coupon_are_shown_to_those_who_may_see_payments(app, town, issuer, released):
    paper = mk.read_paper(issuer.get(f"{released}/pdf").data)
    payments.pay(town.scope, make.pay_order(town, 350, code=paper[0][0]))
    counter = Caller(app, town, "coupons:read", "coupons:block")
    for caller, shown in ((issuer, [350]), (counter, None)):
        answers = [caller.get(f"{COUPONS}/MC-1")]
        answers += [caller.post(f"{COUPONS}/MC-1/{verb}", {}) for verb in ("block", "unblock")]
        for answered in answers:
            listed = answered.json["payments"]
            assert (listed and [payment["amount_minor"] for payment in listed]) == shown


@pytest.mark.parametrize("serial", ["MC-1", "MC-9999999", "no serial"])
def test_a_till_cannot_find_out_whether_there_is_a_coupon(app, town, released, serial):
    till = Caller(app, town, "payments:accept", "payments:read")
    answered = till.get(f"/api/v1/payments?serial={serial}")
    assert (answered.status_code, answered.json["code"]) == (403, "permission.missing")
    assert answered.json["permission"] == "coupons:read"
    office = Caller(app, town, "payments:read", "coupons:read")
    wanted = 200 if serial == "MC-1" else 404
    assert office.get(f"/api/v1/payments?serial={serial}").status_code == wanted


def test_an_order_is_taken_once_for_its_key(issuer, town):
    body = {"programme_id": str(town.programme_id), "quantity": 2, "face_value_minor": 500}
    first = issuer.post(BATCHES, body, key="k1")
    again = issuer.post(BATCHES, body, key="k1")
    assert (again.status_code, again.json) == (first.status_code, first.json)
    assert issuer.post(BATCHES, body | {"quantity": 3}, key="k1").status_code == 422
    assert len(issuer.get(BATCHES).json["items"]) == 1
    assert first.json["template"] == "coupon_a4_8up"


def test_a_release_is_repeated_by_its_key_and_refused_without(issuer, town, settings):
    path = f"{BATCHES}/{issuer.order(town).json['id']}"
    pump(settings)
    first = issuer.post(f"{path}/release", {}, key="k2")
    assert issuer.post(f"{path}/release", {}, key="k2").json == first.json
    again = issuer.post(f"{path}/release", {}, key="k3")
    assert (again.status_code, again.json["code"]) == (409, "coupon_batch.wrong_state")
    assert again.json["state"] == "released"


@pytest.mark.parametrize("tail", ["", "/release", "/replace"])
def test_a_key_is_needed(issuer, released, tail):
    path = {"": BATCHES, "/release": f"{released}/release", "/replace": f"{COUPONS}/MC-1/replace"}
    body = {"programme_id": str(new_id()), "quantity": 1, "face_value_minor": 1} if not tail else {}
    refused = issuer.post(path[tail], body)
    assert (refused.status_code, refused.json["code"]) == (400, "idempotency.key_missing")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"quantity": 0}, 422, "coupon_batch.quantity"),
        ({"quantity": 1_000_001}, 422, "coupon_batch.quantity"),
        ({"face_value_minor": 10_001}, 422, "coupon_batch.face_value"),
        ({"template": "unheard_of"}, 404, "printing.unknown_template"),
        ({"template": "../../etc"}, 422, "request.invalid"),
        ({"programme_id": "01a1fdb7-c7d0-775c-9669-f2356a85f824"}, 404, "programme.not_found"),
        ({"quantity": "3"}, 422, "request.invalid"),
        ({"quantity": 2.5}, 422, "request.invalid"),
        ({"colour": "red"}, 422, "request.invalid"),
    ],
)
def test_an_order_that_cannot_be_taken(issuer, town, changes, status, code):
    refused = issuer.order(town, **changes)
    assert refused.status_code == status, refused.text
    assert refused.json.get("code", code) == code


def test_a_pdf_is_on_record_before_it_leaves(issuer, town, released):
    assert issuer.get(f"{released}/pdf?volume=1").status_code == 200
    assert issuer.get(f"{released}/pdf?volume=2").status_code == 404
    assert issuer.get(f"{released}/pdf?volume=0").status_code == 422
    with unit_of_work(town.scope) as work:
        taken = [e for e in audit.list_entries(work) if e.action == "coupon_batch.pdf_downloaded"]
    assert len(taken) == 1


def test_the_manifest_is_a_csv_without_secrets(issuer, released, monkeypatch):
    monkeypatch.setattr("giftpad.api.v1.coupons.MANIFEST_PAGE", 2)
    got = issuer.get(f"{released}/manifest.csv")
    assert (got.status_code, got.mimetype) == (200, "text/csv")
    rows = list(csv.DictReader(io.StringIO(got.text)))
    assert [row["serial"] for row in rows] == ["MC-0000001", "MC-0000002", "MC-0000003"]
    assert set(rows[0]) == {"serial", "face_value_minor", "unit", "issued_on", "ends_on"}
    assert rows[0]["face_value_minor"] == "1000"


def test_one_coupon_is_stopped_and_freed(issuer, released):
    blocked = issuer.post(f"{COUPONS}/MC-2/block", {"reason": "lost"})
    assert (blocked.status_code, blocked.json["state"]) == (200, "blocked")
    freed = issuer.post(f"{COUPONS}/mc2/unblock", {})
    assert (freed.status_code, freed.json["state"]) == (200, "active")


def test_a_run_is_stopped_and_freed(issuer, released):
    run = {"from": "MC-1", "to": "MC-2", "reason": "lost parcel"}
    assert issuer.post(f"{COUPONS}/block", run).json == {"count": 2}
    assert issuer.get(f"{COUPONS}/MC-2").json["state"] == "blocked"
    assert issuer.post(f"{COUPONS}/unblock", run).json == {"count": 2}
    backwards = issuer.post(f"{COUPONS}/block", {"from": "MC-2", "to": "MC-1"})
    assert (backwards.status_code, backwards.json["code"]) == (422, "coupon.range")


def test_a_lost_coupon_is_replaced_once(issuer, released, settings):
    first = issuer.post(f"{COUPONS}/MC-1/replace", {"reason": "lost"}, key="k4")
    assert (first.status_code, first.json["replaces"]) == (202, "MC-0000001")
    assert issuer.post(f"{COUPONS}/MC-1/replace", {"reason": "lost"}, key="k4").json == first.json
    again = issuer.post(f"{COUPONS}/MC-1/replace", {"reason": "lost"}, key="k5")
    assert (again.status_code, again.json["code"]) == (409, "coupon.already_replaced")
    pump(settings)
    path = f"{BATCHES}/{first.json['id']}"
    assert issuer.get(path).json["state"] == "released"
    assert len(mk.read_paper(issuer.get(f"{path}/pdf").data)) == 1
    old = issuer.get(f"{COUPONS}/MC-1").json
    assert (old["state"], old["replaced_by"]) == ("replaced", "MC-0000004")


def test_lists_go_on_where_they_ended(issuer, town):
    ids = [issuer.order(town, 1).json["id"] for _ in range(3)]
    first = issuer.get(f"{BATCHES}?limit=2").json
    second = issuer.get(f"{BATCHES}?limit=2&cursor={first['next_cursor']}").json
    assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None
    assert issuer.get(f"{BATCHES}?cursor=nonsense").status_code == 422


def requests_of(path):
    """Every route with the permission it asks for."""
    return [
        ("GET", BATCHES, "coupons:read"),
        ("POST", BATCHES, "coupons:issue"),
        ("GET", path, "coupons:read"),
        ("POST", f"{path}/release", "coupons:release"),
        ("GET", f"{path}/pdf", "coupons:print"),
        ("GET", f"{path}/manifest.csv", "coupons:print"),
        ("GET", f"{COUPONS}/MC-1", "coupons:read"),
        ("POST", f"{COUPONS}/MC-1/block", "coupons:block"),
        ("POST", f"{COUPONS}/MC-1/unblock", "coupons:block"),
        ("POST", f"{COUPONS}/MC-1/replace", "coupons:block"),
        ("POST", f"{COUPONS}/block", "coupons:block"),
        ("POST", f"{COUPONS}/unblock", "coupons:block"),
    ]


def ask(caller, method, path):
    return caller.get(path) if method == "GET" else caller.post(path, {}, key=new_id().hex)


def test_every_route_asks_for_its_permission(app, town, issuer, released):
    holders = {permission: Caller(app, town, permission) for permission in ALL}
    for method, path, needed in requests_of(released):
        for permission, holder in holders.items():
            status = ask(holder, method, path).status_code
            assert (status == 403) == (permission != needed), (method, path, permission)


def test_another_tenant_sees_nothing(app, issuer, released):
    stranger = Caller(app, mk.make_town())
    missing = BATCHES + "/01a1fdb7-c7d0-775c-9669-f2356a85f824"
    for tail in ("", "/pdf", "/manifest.csv"):
        foreign, unknown = stranger.get(released + tail), stranger.get(missing + tail)
        assert (foreign.status_code, foreign.data) == (404, unknown.data)
    assert stranger.post(f"{released}/release", {}, key="k").status_code == 404
    assert stranger.get(f"{COUPONS}/MC-1").status_code == 404
    for verb in ("block", "unblock", "replace"):
        assert stranger.post(f"{COUPONS}/MC-1/{verb}", {}, key=new_id().hex).status_code == 404
    run = {"from": "MC-1", "to": "MC-3"}
    assert stranger.post(f"{COUPONS}/block", run).status_code == 404
    assert stranger.get(BATCHES).json["items"] == []
    assert issuer.get(f"{COUPONS}/MC-1").json["state"] == "active"
