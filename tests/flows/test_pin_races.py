"""Wrong PINs of one clerk, fifty at one moment, before two server processes."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from giftpad.kernel.config import read_settings
from tests.flows.visitor import Visitor, visitor_of

AT_ONCE = 50
SHOP_OWNER = "aoba@midori.example"
CLERK, PIN = "秋田 律", "4071"
_CODE = re.compile(r'class="gp-code gp-nowrap">([A-Z]{4}-[A-Z]{4})<')
_CHOICE = re.compile(r'name="clerk"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="clerk"')


def paired(product, phone: Visitor) -> Visitor:
    """Return a tablet that the owner of a shop has let in."""
    tablet = visitor_of(product)
    here = tablet.issuer + "shop/pair"
    tablet.fill_in(here, tablet.ask(here)[2], "/shop/pair")
    shown = _CODE.search(tablet.ask(here)[2])
    assert shown is not None
    asking = f"{phone.issuer}activate/tablet?user_code={shown[1]}"
    page = phone.ask(asking)[2]
    status, _, text = phone.fill_in(asking, page, "/activate/tablet", answer="yes", name="レジ9")
    assert status == 303, text[:1000]
    status, headers, _ = tablet.ask(here)
    assert (status, headers["Location"]) == (303, "/shop/till")
    return tablet


def staff(phone: Visitor) -> str:
    """Add a clerk with a PIN to the owner's shop, and return the address of its page."""
    status, headers, _ = phone.ask(phone.issuer + "tablets")
    assert status == 303
    here = phone.issuer + headers["Location"].lstrip("/")
    action = headers["Location"] + "/clerks"
    status, _, text = phone.fill_in(here, phone.ask(here)[2], action, name=CLERK, pin=PIN)
    assert status == 303, text[:1000]
    return here


def copy_of(visitor: Visitor) -> Visitor:
    """Return another browser with the same cookies."""
    copy = Visitor(visitor.issuer, visitor.email)
    for cookie in visitor.jar:
        copy.jar.set_cookie(cookie)
    return copy


@pytest.mark.long
def test_fifty_wrong_pins_at_one_moment_lock_the_name_and_let_nobody_in(product):
    assert read_settings(product.environment).web_workers >= 2
    phone = visitor_of(product, SHOP_OWNER)
    phone.sign_in()
    tablet = paired(product, phone)
    clerks = staff(phone)
    here = tablet.issuer + "shop/till"
    page = tablet.ask(here)[2]
    (clerk,) = {found[1] or found[2] for found in _CHOICE.finditer(page)}
    start = threading.Barrier(AT_ONCE)

    def attempt(number: int) -> tuple[int, str]:
        copy = copy_of(tablet)
        start.wait()
        typed = {"clerk": clerk, "pin": str(5000 + number)}
        status, _, text = copy.fill_in(here, page, "/shop/till", **typed)
        return status, text

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        answers = list(crowd.map(attempt, range(AT_ONCE)))
    assert {status for status, _ in answers} <= {422, 429, 503}, (
        "wrong, too often, or too many at once"
    )
    status, _, _ = tablet.fill_in(here, tablet.ask(here)[2], "/shop/till", clerk=clerk, pin=PIN)
    assert status in (422, 429), "the right PIN is no way around"
    unlock = f"{urlsplit(clerks).path}/clerks/{clerk}/unlock"
    assert f'action="{unlock}"' in phone.ask(clerks)[2], "the owner sees it and can end it"
