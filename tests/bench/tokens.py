"""Time how long tokens take to be believed, beside the library that checks their signature.

The benches run it beside a product (``python -m tests.bench.tokens``).  It signs as many different
tokens as are asked for, all like one that is given, by the product's own key, and shows each to
three: to the product, to joserfc, and to cryptography, which looks at the signature only.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from statistics import median

import click
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt

from giftpad import identity
from giftpad.cli import connect
from giftpad.identity.queries import find_signer
from giftpad.kernel.ids import new_id

WARM_UP = 50


def _read(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def tokens_like(token: str, count: int) -> Iterator[str]:
    """Sign tokens that differ from one by their id."""
    claims = json.loads(_read(token.split(".")[1]))
    found = find_signer()
    assert found is not None
    kid, key = found
    header = {"alg": "RS256", "typ": "at+jwt", "kid": kid}
    for _ in range(count):
        yield jwt.encode(header, claims | {"jti": new_id().hex}, key, algorithms=["RS256"])


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - began) / 1000


def measure(token: str, count: int) -> dict[str, float]:
    """Return the medians in µs, and how many of the tokens were believed."""
    made = list(tokens_like(token, WARM_UP + count))
    found = find_signer()
    assert found is not None
    key = found[1]
    public, pkcs, sha256 = key.public_key, padding.PKCS1v15(), hashes.SHA256()
    ours, peer, signature, ids = [], [], [], set()
    for number, each in enumerate(made):
        body, _, mark = each.rpartition(".")
        raw, signed = _read(mark), body.encode()
        taken = (
            _timed(lambda: ids.add(identity.verify_token(each).token_id)),  # noqa: B023 - at once
            _timed(lambda: jwt.decode(each, key, algorithms=["RS256"])),  # noqa: B023 - at once
            _timed(lambda: public.verify(raw, signed, pkcs, sha256)),  # noqa: B023 - at once
        )
        if number >= WARM_UP:
            for times, took in zip((ours, peer, signature), taken, strict=True):
                times.append(took)
    began = time.process_time()
    for each in made[WARM_UP:]:
        identity.verify_token(each)
    cpu_us = (time.process_time() - began) / count * 1e6
    return {
        "ours_us": median(ours),
        "ours_p99_us": sorted(ours)[int(0.99 * (count - 1))],
        "peer_us": median(peer),
        "signature_us": median(signature),
        "cpu_us": cpu_us,
        "believed": len(ids) - WARM_UP,
    }


@click.command()
@click.option("--like", "token", required=True)
@click.option("--count", type=int, required=True)
def tokens(token: str, count: int) -> None:
    """Print what it takes to believe so many tokens like one."""
    identity.bind_issuer(connect().issuer)
    click.echo(json.dumps(measure(token, count)))


if __name__ == "__main__":
    tokens()
