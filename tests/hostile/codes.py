"""Codes that are nearly right: slips, forgeries and everything between, from genuine ones."""

from __future__ import annotations

import random
from collections.abc import Iterator

from giftpad.kernel import codes

LENGTH_MAX = 200
_ODD = (
    *("\u200b", "\ufeff", "\u202e", "\u0301", "\u2066", "\u00ad", "\x7f", "\t", " ", "\n"),
    *("\uff10", "\u0660", "\u1d7d8", "\u2170", "\u212a", "%00", "%2f", "'", '"', "\\", ";", "<"),
)


def mutate_qr(qr: str, chance: random.Random) -> Iterator[str]:
    """Return texts that are nearly ``qr`` and may open nothing; without end."""
    head, tail = qr[: -codes.QR_TAIL_LENGTH], qr[-codes.QR_TAIL_LENGTH :]
    while True:
        place = chance.randrange(len(tail))
        other = chance.choice(codes.ALPHABET.replace(tail[place], ""))
        yield head + tail[:place] + other + tail[place + 1 :]
        swapped = list(tail)
        left, right = chance.sample(range(len(tail)), 2)
        swapped[left], swapped[right] = swapped[right], swapped[left]
        if swapped != list(tail):
            yield head + "".join(swapped)
        odd = chance.choice(_ODD)
        yield qr[: (at := chance.randrange(len(qr) + 1))] + odd + qr[at:]
        yield qr[:at] + qr[at + 1 :] if at < len(qr) else qr.lower()
        yield head + "".join(chance.choices(codes.ALPHABET, k=len(tail)))
        yield head.replace("/Q/", chance.choice(("/q/", "/Q//", "//Q/", "/Q/Q/", "/"))) + tail
        yield chance.choice(("HTTPS://EVIL.EXAMPLE/Q/", "HTTP://127.0.0.1/Q/", "X/Q/")) + tail
        yield head + tail[:13] + codes.encode(chance.randrange(32**23), 23)
        yield "".join(chance.choices(qr, k=chance.randrange(1, LENGTH_MAX)))


def mutate_typed(typed: str, chance: random.Random) -> Iterator[str]:
    """Return texts that are nearly ``typed`` and may open nothing; without end."""
    symbols = typed.replace("-", "")
    while True:
        body = "".join(chance.choices(codes.ALPHABET, k=codes.TYPED_LENGTH - 1))
        yield codes.group_typed(body + codes.check_symbol(body))
        place = chance.randrange(codes.TYPED_LENGTH - 1)
        other = chance.choice(codes.ALPHABET.replace(symbols[place], ""))
        slip = symbols[:place] + other + symbols[place + 1 : -1]
        yield codes.group_typed(slip + codes.check_symbol(slip))
        yield codes.group_typed(slip + symbols[-1])
        odd = chance.choice(_ODD)
        text = typed[: (at := chance.randrange(len(typed) + 1))] + odd + typed[at:]
        if codes.parse_typed(text) != symbols:
            yield text
        yield symbols[: chance.randrange(codes.TYPED_LENGTH)]
        yield symbols[::-1] if symbols[::-1] != symbols else symbols[1:]
