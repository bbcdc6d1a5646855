"""What a library says of a value reaches people in their language, whatever they sent."""

from __future__ import annotations

import json

import marshmallow
import pytest
from flask import Flask, request

from giftpad import edge
from giftpad.api.http import read_body
from giftpad.api.v1.payments import PaymentBody
from giftpad.cli import messages
from giftpad.edge import RequestInvalid, problems
from giftpad.edge.faults import in_words

NASTY = [-(10**30), 10**30, "", "x" * 100_000, "\u2603", [], list(range(10_000))]
NEVER = {
    (marshmallow.fields.Date, "invalid_awareness"),  # a day has no zone to be aware of
    (marshmallow.fields.Date, "format"),  # said when an answer is made, never of a request
    (marshmallow.fields.DateTime, "format"),
    (marshmallow.fields.AwareDateTime, "format"),
}
INSTRUMENT = {"kind": "coupon", "code": "X"}
BODIES = [
    {},
    [],
    {"instrument": INSTRUMENT, "amount_minor": 0},
    {"instrument": INSTRUMENT, "amount_minor": 2**53},
    {"instrument": INSTRUMENT, "amount_minor": "1"},
    {"instrument": INSTRUMENT, "amount_minor": 1, "more": 1},
    {"instrument": INSTRUMENT, "amount_minor": 1, "shop_id": "x"},
    {"instrument": INSTRUMENT | {"kind": "wallet"}, "amount_minor": 1},
    {"instrument": INSTRUMENT | {"code": ""}, "amount_minor": 1},
    {"instrument": INSTRUMENT | {"code": "X" * 201}, "amount_minor": 1},
]


def fields_of(schema):
    for field in schema.load_fields.values():
        yield field
        if isinstance(field, marshmallow.fields.List):
            yield field.inner
        if isinstance(field, marshmallow.fields.Nested):
            yield from fields_of(field.schema)


def said_by(field):
    """Return what a field of the contract can say."""
    facts = {"obj_type": getattr(field, "OBJ_TYPE", ""), "awareness": "aware", "input": "x"}
    for name, sentence in field.error_messages.items():
        if not any((kind, name) in NEVER for kind in type(field).__mro__):
            yield sentence.format_map(facts)
    for judge in field.validators:
        for value in NASTY:
            try:
                judge(value)
            except marshmallow.ValidationError as error:
                yield from error.messages
            except (TypeError, AttributeError):
                continue  # a value of a kind that never reaches this judge


def test_every_fault_the_contract_can_find_is_known_in_japanese():
    messages.gather()
    said = {
        sentence
        for schema in messages.schemas()
        for field in fields_of(schema())
        for sentence in said_by(field)
    }
    said |= set(marshmallow.Schema().error_messages.values())
    assert len(said) > 10
    assert {each for each in said if in_words(each, "ja") == each} == set()


def call_with(body):
    return edge.HotCall(scope=None, path="/", key=None, body=json.dumps(body).encode(), locale="en")


@pytest.mark.parametrize("body", BODIES, ids=lambda body: json.dumps(body)[:60])
def test_every_fault_of_a_hot_body_is_known_in_japanese(body):
    with pytest.raises(RequestInvalid) as caught:
        read_body(call_with(body), PaymentBody)
    (fault,) = caught.value.faults
    assert in_words(fault["detail"], "ja") != fault["detail"]
    assert in_words(fault["detail"], "en") == fault["detail"]


@pytest.mark.parametrize("name", ["{", "}", "{0}", "{field}", "{most!r:>9}", "", "\n", "` - at `$"])
def test_what_a_caller_sent_is_never_a_template(name):
    detail = f"Object contains unknown field `{name}`"
    assert in_words(detail, "en") == detail
    assert f"`{name}`" in in_words(detail, "ja")


def test_what_nobody_knows_stands_as_it_is():
    assert in_words("Too {odd", "ja") == "Too {odd"


def test_a_problem_names_its_faults_in_the_callers_language():
    app = Flask("faulty")
    problems.init_problems(app)

    @app.post("/")
    def taking():
        read_body(call_with(request.get_json()), PaymentBody)

    body = {"instrument": INSTRUMENT, "amount_minor": 1, "{": 1}
    answered = app.test_client().post("/", json=body, headers={"Accept-Language": "ja"})
    assert answered.status_code == 422
    (fault,) = answered.json["errors"]
    assert fault == {"pointer": "/{", "detail": "`{` は知らない項目です。取り除いてください。"}
