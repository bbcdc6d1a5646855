import io
import random

import pytest

from giftpad import printing

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
COMMON = {
    "programme_name": "みほん市 くらし応援商品券",
    "issuer_name": "みほん市",
    "face_value": "1,000円",
    "issued_on": "2026年12月1日",
    "expires_on": "2027年5月31日",
    "notes": "つり銭は出ません。",
    "contact": "みほん市 商工振興課 0120-000-000",
    "accent": "#1d6b4f",
}


def make_items(count, *, seed=1):
    chance = random.Random(seed)
    items = []
    for number in range(1, count + 1):
        code = "".join(chance.choices(ALPHABET, k=16))
        items.append(
            {
                "serial": f"MH-{number:07d}",
                "typed_code": "-".join(code[at : at + 4] for at in range(0, 16, 4)),
                "qr": "HTTPS://GIFTPAD.EXAMPLE/Q/" + "".join(chance.choices(ALPHABET, k=36)),
            }
        )
    return items


def expect(items):
    return [
        printing.ExpectedItem(
            qr_text=item["qr"], serial=item["serial"], typed_code=item["typed_code"]
        )
        for item in items
    ]


@pytest.fixture
def items():
    return make_items


@pytest.fixture
def expected():
    return expect


@pytest.fixture
def common():
    return dict(COMMON)


@pytest.fixture
def printed(common):
    """Render and hand out the open file."""

    def render(items, template="coupon_a4_8up", *, overrides_dir=None, **options):
        out = io.BytesIO()
        printing.render(
            template,
            common,
            items,
            out,
            overrides_dir=overrides_dir,
            options=printing.RenderOptions(**options),
        )
        out.seek(0)
        return out

    return render
