"""What schemathesis cannot know of our answers: checks of our own, run beside all of its checks."""

from __future__ import annotations

import schemathesis
from schemathesis import Case, CheckContext, Response
from schemathesis.generation import GenerationMode

from giftpad import edge, shops

RULES_OF_TEXT = frozenset(remedy for _, remedy in shops.SENTENCES.values())
"""What the rules of a shop's texts say: no schema tells a kana from a letter, or trims a text."""

NO_INTEGER = frozenset({"Not a valid integer.", "Expected `int`, got `float`"})
"""JSON Schema takes 1.0 for an integer; where money is counted, we do not."""

FIXED = ("type", "title", "status", "code", "detail", "money_moved")


@schemathesis.check
def a_no_is_a_rules_no(_: CheckContext, response: Response, case: Case) -> None:
    """What the contract allows is refused by a rule only, never as a value that cannot be read."""
    mode = case.meta.generation.mode if case.meta is not None else None
    if response.status_code != 422 or mode is not GenerationMode.POSITIVE:
        return
    body = response.json()
    if body["code"] != "request.invalid":
        return
    said = [fault for fault in body["errors"] if not _is_of_a_rule(fault["detail"])]
    assert not said, f"the contract allows what is refused: {said}"


def _is_of_a_rule(detail: str) -> bool:
    return detail in NO_INTEGER or any(_fits(sentence, detail) for sentence in RULES_OF_TEXT)


def _fits(sentence: str, detail: str) -> bool:
    """Tell whether a text is a sentence with its holes filled."""
    start, _, rest = sentence.partition("{")
    return detail.startswith(start) and detail.endswith(rest.rpartition("}")[2])


@schemathesis.check
def a_refusal_is_a_problem(_: CheckContext, response: Response, case: Case) -> None:
    """Every refusal is whole, in the one format, and quotes no trace, path or statement."""
    if response.status_code < 400 or case.path == "/oauth/token":
        return
    if case.method == "HEAD":
        return
    kind = response.headers.get("content-type", [""])[0]
    assert kind == edge.MEDIA_TYPE, kind
    body = response.json()
    assert [name for name in FIXED if name not in body] == []
    assert body["status"] == response.status_code
    assert body["money_moved"] is not True
    for word in ("Traceback", "giftpad/", "SELECT ", "psycopg", "sqlalchemy"):
        assert word not in response.text, word


@schemathesis.check
def every_answer_is_shut(_: CheckContext, response: Response, __: Case) -> None:
    """No answer is kept, sniffed or framed, and none sets a cookie."""
    headers = response.headers
    assert headers["x-content-type-options"] == ["nosniff"]
    assert headers["cache-control"][0] in ("no-store", "public, max-age=600")
    assert "default-src 'none'" in headers["content-security-policy"][0]
    assert "set-cookie" not in headers
    assert len(headers["x-request-id"]) == 1
