"""The program that times tokens sees each of them believed."""

from __future__ import annotations

from giftpad import identity
from tests.api.conftest import app, bound, machine  # noqa: F401 - the fixtures are used by name
from tests.bench.tokens import measure, tokens_like


def test_tokens_like_one_differ_by_their_id_alone(machine):  # noqa: F811 - the fixture
    token = machine.token()
    first, second = (identity.verify_token(each) for each in tokens_like(token, 2))
    assert first.token_id != second.token_id
    assert first.client_id == second.client_id == machine.client_id


def test_every_token_is_believed_and_timed(machine):  # noqa: F811 - the fixture
    said = measure(machine.token(), 20)
    assert said["believed"] == 20
    assert 0 < said["ours_us"] <= said["ours_p99_us"]
    assert 0 < said["signature_us"] < said["peer_us"]
