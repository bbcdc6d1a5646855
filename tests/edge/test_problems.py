"""Every refusal is a problem: one format, the caller's language, nothing that tells too much."""

from __future__ import annotations

import gettext
import io
import time

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from giftpad import edge, guard
from giftpad.edge.problems import locale_of
from giftpad.kernel import errors, i18n
from giftpad.kernel.db import DatabaseAway


class Short(errors.Rejected):
    code = "thing.short"
    sentence = "Only {balance_minor} are left."


class Gone(errors.NotFound):
    code = "thing.gone"
    sentence = "There is no such thing."


class Late(errors.Conflict):
    code = "thing.late"
    sentence = "It is too late."


class Wrong(errors.Invalid):
    code = "thing.wrong"
    sentence = "It is wrong."


class Hurried(errors.TooMany):
    code = "thing.hurried"
    sentence = "Slow down."


STATUSES = [
    (Short(balance_minor=350), 422, False),
    (Gone(), 404, False),
    (Late(), 409, False),
    (Wrong(), 422, False),
    (Hurried(retry_after_s=2), 429, False),
    (DatabaseAway(), 503, None),
    (guard.StillRunning(), 409, None),
    (guard.KeyReused(), 422, None),
    (edge.TokenMissing(), 401, False),
    (edge.PermissionMissing(permission="x"), 403, False),
    (edge.IdempotencyKeyMissing(), 400, False),
]


@pytest.fixture
def refusing(app, monkeypatch):
    """Answer a request with the refusal given."""

    def refuse(error, **headers):
        @edge.public("A test.")
        def raising():
            raise error

        monkeypatch.setitem(app.view_functions, "everybody", raising)
        return app.test_client().get("/probe/public", headers=headers)

    return refuse


@pytest.mark.parametrize(("error", "status", "moved"), STATUSES, ids=lambda v: str(v)[:40])
def test_a_kind_of_refusal_has_one_status(refusing, error, status, moved):
    answered = refusing(error)
    assert answered.status_code == status
    assert answered.content_type == "application/problem+json"
    body = answered.json
    assert body["type"] == f"urn:giftpad:problem:{error.code}"
    assert (body["status"], body["code"], body["money_moved"]) == (status, error.code, moved)
    assert body["title"]
    assert body["detail"]


def test_what_may_be_repeated_says_when(refusing):
    assert int(refusing(DatabaseAway()).headers["Retry-After"]) >= 1
    assert refusing(guard.StillRunning()).headers["Retry-After"] == "1"
    assert "Retry-After" not in refusing(Late()).headers


def test_the_facts_of_a_refusal_stand_beside_it(refusing):
    body = refusing(Short(balance_minor=350)).json
    assert body["balance_minor"] == 350
    assert body["detail"] == "Only ¥350 are left."
    assert body["request_id"]


def test_a_fact_cannot_take_the_place_of_a_fixed_member(refusing):
    body = refusing(Short(balance_minor=1, status=200, money_moved=True)).json
    assert (body["status"], body["money_moved"]) == (422, False)


def test_what_is_not_found_looks_the_same_to_the_byte(refusing):
    assert refusing(Gone()).data == refusing(Gone(thing="another tenant's")).data


@pytest.fixture
def japanese(tmp_path, monkeypatch):
    """A Japanese catalogue with one sentence."""
    catalogue = Catalog(locale="ja")
    catalogue.add(Short.sentence, "残りは{balance_minor}です。")
    catalogue.add("Refused", "お受けできません")
    folder = tmp_path / "ja" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    (folder / "messages.mo").write_bytes(buffer.getvalue())
    assert gettext.find("messages", tmp_path, ["ja"])
    monkeypatch.setattr(i18n, "TRANSLATIONS", tmp_path)
    i18n._catalogue.cache_clear()
    yield
    i18n._catalogue.cache_clear()


@pytest.mark.parametrize(
    ("accepted", "language", "title", "detail"),
    [
        ("ja", "ja", "お受けできません", "残りは350円です。"),
        ("ja-JP,en;q=0.5", "ja", "お受けできません", "残りは350円です。"),
        ("en;q=0.5, ja;q=0.9", "ja", "お受けできません", "残りは350円です。"),
        ("en-GB,ja;q=0.3", "en", "Refused", "Only ¥350 are left."),
        ("fr", "en", "Refused", "Only ¥350 are left."),
        ("ja;q=0", "en", "Refused", "Only ¥350 are left."),
        ("*;;;=,", "en", "Refused", "Only ¥350 are left."),
        ("", "en", "Refused", "Only ¥350 are left."),
    ],
)
def test_a_problem_speaks_the_callers_language(
    refusing, japanese, accepted, language, title, detail
):
    answered = refusing(Short(balance_minor=350), **{"Accept-Language": accepted})
    assert answered.headers["Content-Language"] == language
    assert (answered.json["title"], answered.json["detail"]) == (title, detail)
    assert answered.json["code"] == "thing.short"


def test_an_accident_tells_nothing(app):
    answered = app.test_client().get("/probe/accident", headers={"X-Request-Id": "find-me-here"})
    assert (answered.status_code, answered.json["code"]) == (500, "internal.unexpected")
    assert answered.json["request_id"] == "find-me-here"
    assert answered.json["money_moved"] is None
    assert "hunter2" not in answered.text
    assert "Traceback" not in answered.text


def test_an_unknown_address_is_a_problem(app):
    answered = app.test_client().get("/nowhere")
    assert (answered.status_code, answered.json["code"]) == (404, "route.not_found")
    assert answered.content_type == "application/problem+json"


def test_a_wrong_method_says_which_are_right(app):
    answered = app.test_client().delete("/probe/public")
    assert (answered.status_code, answered.json["code"]) == (405, "request.method_not_allowed")
    assert "GET" in answered.headers["Allow"]


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"{", "application/json", 400, "request.malformed"),
        (b'{"a": NaN}', "application/json", 400, "request.malformed"),
        (b'{"a": "\xff"}', "application/json", 400, "request.malformed"),
        (b'{"a": "\\u0000"}', "application/json", 400, "request.malformed"),
        (b"", "application/json", 400, "request.malformed"),
        (b"[" * 5000 + b"]" * 5000, "application/json", 400, "request.malformed"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "request.unsupported_type"),
        (b" " * (1024 * 1024 + 1), "application/json", 413, "request.too_large"),
    ],
    ids=["cut", "nan", "no utf-8", "nul", "empty", "deep", "form", "large"],
)
def test_a_body_that_cannot_be_read(app, body, media_type, status, code):
    answered = app.test_client().post("/probe/body", data=body, content_type=media_type)
    assert (answered.status_code, answered.json["code"]) == (status, code)


def test_a_header_of_many_languages_costs_no_more_than_one_of_a_few():
    best = float("inf")
    for number in range(3):
        said = f"x{number},ja," + "en-x;q=0.5," * 35_000
        began = time.perf_counter()
        assert locale_of(said, "en") == "ja"
        best = min(best, time.perf_counter() - began)
    assert best < 0.01
    assert locale_of("x" * 400_000, "en") == "en"


@pytest.mark.parametrize("path", ["/probe/public?a=%00", "/probe%00/public"])
def test_the_character_nul_goes_no_further(app, path):
    answered = app.test_client().get(path)
    assert (answered.status_code, answered.json["code"]) == (400, "request.malformed")
