"""What was found by hostile hands stays mended; each of these was a fault once."""

from __future__ import annotations

import io

import pytest

from giftpad.edge.bodies import FAULT, LARGE_MAX, take_body
from giftpad.edge.errors import BodyCut, LengthMissing
from giftpad.kernel.i18n import format_amount


class Stream(io.RawIOBase):
    """A body as a server gives it: so much came, and then nobody was there."""

    def __init__(self, came: bytes) -> None:
        self.came, self.was_read = came, False

    def read(self, size: int = -1) -> bytes:
        self.was_read = True
        return self.came[: size if size >= 0 else None]


def environ_of(came: bytes = b"", **more: str):
    found = {"PATH_INFO": "/sign-in", "wsgi.input": Stream(came)}
    return found | {name.upper(): value for name, value in more.items()}


def test_half_a_body_is_refused_and_read_by_nobody_else():
    environ = environ_of(b"amount=35", content_length="11")
    take_body(environ)
    assert isinstance(environ[FAULT], BodyCut)
    assert environ["wsgi.input"].read() == b""


def test_a_whole_body_is_handed_on_as_it_came():
    environ = environ_of(b"amount=3500", content_length="11")
    take_body(environ)
    assert FAULT not in environ
    assert environ["wsgi.input"].read() == b"amount=3500"


def test_a_body_that_does_not_say_its_length_cannot_be_told_from_half_of_one():
    environ = environ_of(b"amount=35", http_transfer_encoding="chunked")
    take_body(environ)
    assert isinstance(environ[FAULT], LengthMissing)


@pytest.mark.parametrize(
    "more",
    [
        {"content_length": "0"},
        {"content_length": str(2**20 + 1)},
        {"content_length": "9" * 5000},
        {"content_length": "-1"},
        {"content_length": "10", "path_info": "/api/v1/payments"},
        {"content_length": str(LARGE_MAX + 1), "path_info": "/api/v1/shop-imports"},
    ],
)
def test_what_is_refused_unread_is_not_read(more):
    environ = environ_of(b"x" * 20, **more)
    take_body(environ)
    assert FAULT not in environ
    assert not environ["wsgi.input"].was_read


def test_a_large_sum_is_shown_to_its_last_cent():
    assert format_amount(9007199254740991, "EUR", "en") == "€90,071,992,547,409.91"
    assert format_amount(1000, "JPY", "en") == "¥1,000"
    assert format_amount(5, "EUR", "en") == "€0.05"
