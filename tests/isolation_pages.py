"""A recipe for each page: how the right person opens it or sends it, with a real object.

``stranger`` is the status that somebody of another tenant gets for the same request: the very
answer to objects that do not exist, or one about the stranger's own tenant.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pyotp

from giftpad import identity, shops, tenancy
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests import isolation_gifts
from tests.isolation_catalogue import PAGES as CATALOGUE
from tests.isolation_people import Pages
from tests.isolation_recipe import (
    CONFLICT,
    MISSING,
    OK,
    SENT_ON,
    THEMSELVES,
    UNPROCESSABLE,
    Recipe,
)
from tests.isolation_recipe import at as _at
from tests.isolation_recipe import form as _form
from tests.isolation_recipe import plain as _plain
from tests.isolation_recipes import nothing_like
from tests.isolation_tablets import of_clerk, of_tablet, say_yes
from tests.isolation_world import BAD_SHEET, Call, pay
from tests.make_clients import authorise, let_wait
from tests.make_factors import PASSWORD, give_passkey, standing
from tests.make_idp import add_connection, add_link
from tests.make_sessions import visit

NO_READING = "none-of-ours"
_numbers = itertools.count(5001)


def _of_batch(**more: object) -> Callable[[Pages], Call]:
    return lambda p: Call(path={"batch_id": p.home.side.released_id} | more)


def _of_slug(**data: object) -> Callable[[Pages], Call]:
    return lambda p: Call(
        path={"slug": tenancy.get_tenant(p.home.side.scope.tenant_id).slug},
        data=_form(**data) if data else None,
    )


def _ready(pages: Pages) -> Call:
    return Call(path={"batch_id": pages.home.side.ready_ids.pop()}, data=_form())


def _of_serial(**data: object) -> Callable[[Pages], Call]:
    return lambda p: Call(
        path={"serial": p.home.side.take_serial()}, data=_form(**data) if data else None
    )


def _of_shop(**data: object) -> Callable[[Pages], Call]:
    return lambda p: Call(
        path={"shop_id": p.home.side.town.shop_id}, data=_form(**data) if data else None
    )


def _of_spare_shop(**data: object) -> Callable[[Pages], Call]:
    return lambda p: Call(
        path={"shop_id": p.home.side.town.stranger_shop_id}, data=_form(**data) if data else None
    )


def _of_import(*, posts: bool = False) -> Callable[[Pages], Call]:
    return lambda p: Call(
        path={"import_id": p.home.side.import_id}, data=_form() if posts else None
    )


def _of_payment(**data: object) -> Callable[[Pages], Call]:
    return lambda p: Call(
        path={"payment_id": pay(p.home.side)}, data=_form(**data) if data else None
    )


def _change(pages: Pages) -> Call:
    shop_id = pages.home.side.town.shop_id
    with unit_of_work(pages.home.side.scope) as work:
        seen = shops.get_shop(work, shop_id).starts_at.isoformat()
    fields = _form(name="若葉", area="east", groups="common", seen=seen)
    return Call(path={"shop_id": shop_id}, data=fields)


def _branch(*, posts: bool = False) -> Callable[[Pages], Call]:
    def make(pages: Pages) -> Call:
        side = pages.home.side
        path = {"shop_id": side.town.shop_id, "branch_id": side.take_branch()}
        return Call(path=path, data=_form() if posts else None)

    return make


def _enrol(_: Pages) -> Call:
    number = str(next(_numbers))
    return Call(data=_form(number=number, name="若葉", area="east", groups="common"))


def _order(pages: Pages) -> Call:
    programme_id = str(pages.home.side.town.programme_id)
    return Call(data=_form(programme=programme_id, quantity="2", face_value="500"))


def _check_order(pages: Pages) -> Call:
    programme_id = str(pages.home.side.town.programme_id)
    return Call(query={"programme": programme_id, "quantity": "2", "face_value": "500"})


def _find(pages: Pages) -> Call:
    return Call(data=_form(code=pages.home.side.take_serial()))


def _find_by_code(pages: Pages) -> Call:
    qr, _ = pages.home.side.papers[pages.home.side.take_serial()]
    return Call(data=_form(code=qr))


def _range(pages: Pages) -> Call:
    one, two = sorted((pages.home.side.take_serial(), pages.home.side.take_serial()))
    return Call(data=_form(act="stop", first=one, last=two, why="lost"))


def _range_asked(pages: Pages) -> Call:
    one, two = sorted((pages.home.side.take_serial(), pages.home.side.take_serial()))
    return Call(query={"act": "stop", "first": one, "last": two})


def _member(**data: object) -> Callable[[Pages], Call]:
    def make(pages: Pages) -> Call:
        found = pages.home.join("viewer").membership_id
        return Call(path={"membership_id": found}, data=_form(**data) if data else None)

    return make


def _invitation(pages: Pages) -> Call:
    new = identity.NewInvitation(name="青葉 花", role="viewer")
    return Call(
        path={"invitation_id": identity.invite(pages.home.side.scope, new).id}, data=_form()
    )


def _entered(pages: Pages) -> Call:
    """Enter as an operator of one's own: they come out in another session."""
    member = pages.home.join("operator")
    pages.home.browsers[THEMSELVES] = pages.home.enter(member)
    return _of_slug(reason="asked by phone", lasts="900")(pages)


def _visit(pages: Pages) -> Call:
    return Call(path={"visit_id": visit(pages.home.side.scope)}, data=_form())


def _nobody_invited(pages: Pages) -> Call:
    """Forget the link of an invitation that is shown once."""
    for desk in (pages.home, pages.other):
        desk.person("owner").http.delete_cookie("gp_link", domain="localhost")
    return Call()


def _someone(pages: Pages) -> identity.MemberView:
    """Let somebody new have two browsers; one of them asks, as the role ``themselves``."""
    member = pages.home.join("viewer")
    pages.home.enter(member)
    pages.home.browsers[THEMSELVES] = pages.home.enter(member)
    return member


def _session(pages: Pages) -> Call:
    older = identity.list_sessions(_someone(pages).person_id)[-1]
    return Call(path={"session_id": older.id}, data=_form())


def _authorisation(pages: Pages) -> Call:
    """Let somebody new let a client act for them."""
    member = _someone(pages)
    session = identity.list_sessions(member.person_id)[-1]
    authorisation_id = authorise(pages.home.side.scope, member.person_id, session)
    return Call(path={"authorisation_id": authorisation_id}, data=_form())


def _connection(*, is_linked: bool = False, posts: bool = True) -> Callable[[Pages], Call]:
    """Connect a tenant, and let somebody new link an account there or not."""

    def make(pages: Pages) -> Call:
        member, connection = _someone(pages), add_connection(pages.home.side.scope)
        if is_linked:
            add_link(connection, member.person_id)
        data = _form(present=PASSWORD) if posts else None
        return Call(path={"connection_id": connection.id}, data=data)

    return make


def _waiting_device(**data: object) -> Callable[[Pages], Call]:
    return lambda p: Call(data=_form(user_code=let_wait(p.home.side.scope), **data))


def _own(**data: object) -> Callable[[Pages], Call]:
    def make(pages: Pages) -> Call:
        _someone(pages)
        return Call(data=_form(**data))

    return make


def _with_factors(*, names_passkey: bool = False) -> Callable[[Pages], Call]:
    """Somebody has an app and a passkey, so that either may go."""

    def make(pages: Pages) -> Call:
        member = _someone(pages)
        secret = identity.offer_authenticator(member.person_id).secret
        seen = identity.Seen()
        digits, on = pyotp.TOTP(secret).now(), standing(member.person_id)
        identity.add_authenticator(member.person_id, secret, digits, seen, on=on)
        give_passkey(member.email)
        (passkey,) = identity.find_factors(member.person_id).passkeys
        return Call(path={"passkey_id": passkey.id} if names_passkey else {}, data=_form(sure="1"))

    return make


def _switch(pages: Pages) -> Call:
    member = _someone(pages)
    role = f"{pages.home.side.scope.tenant_id}.{member.membership_id}"
    return Call(data=_form(membership=role))


def _reading(**data: object) -> Callable[[Pages], Call]:
    def make(pages: Pages) -> Call:
        side, clerk = pages.home.side, pages.home.person("shop_owner")
        clerk.get("/account")
        answer = clerk.post("/shop/read", {"code": side.papers[side.take_serial()][0]})
        assert answer.status_code == 303, answer.text[:2000]
        reading = answer.headers["Location"].rpartition("/")[2]
        return Call(path={"reading": reading}, data=_form(**data) if data else None)

    return make


def _upload(_: Pages) -> Call:
    return Call(data=_form(file=BAD_SHEET))


def _scanned(pages: Pages) -> Call:
    qr, _ = pages.home.side.papers[pages.home.side.take_serial()]
    return Call(data=_form(code=qr))


WHY = {"why": "lost"}
NEW_PASSWORD = "a longer word than before"
DESK, SHOP, OPERATOR = "/desk", "/shop", "/operator"
BATCH, COUPON = f"{DESK}/batches/<uuid:batch_id>", f"{DESK}/coupons/<serial>"
ONE_SHOP, IMPORT = f"{DESK}/shops/<uuid:shop_id>", f"{DESK}/shops/imports/<uuid:import_id>"
TABLETS = "/tablets/<uuid:shop_id>"
CLERK = f"{TABLETS}/clerks/<uuid:clerk_id>"
BRANCH = f"{ONE_SHOP}/places/<uuid:branch_id>/close"
PAYMENT, MEMBER = f"{DESK}/payments/<uuid:payment_id>", f"{DESK}/members/<uuid:membership_id>"
RANGE, READING = f"{DESK}/coupons/range", f"{SHOP}/pay/<reading>"
CANCEL = f"{SHOP}/payments/<uuid:payment_id>/cancel"
RECIPES: dict[str, list[Recipe]] = {
    "GET /account": [_at(_plain(), stranger=OK)],
    "POST /account/password": [
        _at(
            _own(present=PASSWORD, password=NEW_PASSWORD, again=NEW_PASSWORD),
            status=SENT_ON,
            stranger=None,
            role=THEMSELVES,
        )
    ],
    "GET /account/links/<uuid:connection_id>": [_at(_connection(posts=False))],
    "POST /account/links/<uuid:connection_id>": [_at(_connection(), role=THEMSELVES)],
    "POST /account/links/<uuid:connection_id>/end": [
        _at(_connection(is_linked=True), status=SENT_ON, role=THEMSELVES)
    ],
    "POST /account/sessions/<uuid:session_id>/end": [
        _at(_session, status=SENT_ON, role=THEMSELVES)
    ],
    "POST /account/apps/<uuid:authorisation_id>/end": [
        _at(_authorisation, status=SENT_ON, role=THEMSELVES)
    ],
    "GET /account/second-step": [_at(_plain(), stranger=OK)],
    "POST /account/second-step/app": [
        _at(_plain(code="1"), status=UNPROCESSABLE, stranger=UNPROCESSABLE)
    ],
    "POST /account/second-step/passkey": [
        _at(_plain(answer="{}"), status=UNPROCESSABLE, stranger=UNPROCESSABLE)
    ],
    "POST /account/second-step/codes": [_at(_with_factors(), stranger=None, role=THEMSELVES)],
    "POST /account/second-step/app/remove": [
        _at(_with_factors(), status=SENT_ON, stranger=None, role=THEMSELVES)
    ],
    "POST /account/second-step/passkeys/<uuid:passkey_id>/remove": [
        _at(_with_factors(names_passkey=True), status=SENT_ON, role=THEMSELVES)
    ],
    "GET /account/prove": [_at(_plain(), stranger=OK)],
    "POST /account/prove": [
        _at(_own(password=PASSWORD), status=SENT_ON, stranger=None, role=THEMSELVES)
    ],
    "POST /account/prove/passkey": [
        _at(_plain(answer="{}"), status=UNPROCESSABLE, stranger=UNPROCESSABLE)
    ],
    "GET /activate": [_at(_plain(), stranger=OK)],
    "POST /activate": [_at(_waiting_device(), stranger=UNPROCESSABLE)],
    "POST /activate/answer": [_at(_waiting_device(answer="yes"), status=SENT_ON, stranger=SENT_ON)],
    "POST /account/sessions/end-all": [_at(_own(), status=SENT_ON, stranger=None, role=THEMSELVES)],
    "POST /account/switch": [_at(_switch, status=SENT_ON, stranger=SENT_ON, role=THEMSELVES)],
    "GET /activate/tablet": [_at(_plain(), stranger=OK)],
    "POST /activate/tablet": [_at(say_yes, status=SENT_ON, stranger=None)],
    "POST /shop/lock": [_at(_plain(sure="1"), status=SENT_ON, stranger=SENT_ON)],
    "GET /tablets": [_at(_plain(), status=SENT_ON, stranger=SENT_ON)],
    f"GET {TABLETS}": [_at(_of_shop())],
    f"POST {TABLETS}/ask": [_at(_of_shop(asks="1"), status=SENT_ON)],
    f"POST {TABLETS}/clerks": [_at(_of_shop(name="見本 桜", pin="4071"), status=SENT_ON)],
    f"GET {CLERK}/pin": [_at(of_clerk())],
    f"POST {CLERK}/pin": [_at(of_clerk(pin="4826"), status=SENT_ON)],
    f"POST {CLERK}/unlock": [_at(of_clerk(sure="1"), status=SENT_ON)],
    f"POST {CLERK}/remove": [_at(of_clerk(sure="1"), status=SENT_ON)],
    f"GET {TABLETS}/<uuid:terminal_id>/name": [_at(of_tablet())],
    f"POST {TABLETS}/<uuid:terminal_id>/name": [_at(of_tablet(name="出口"), status=SENT_ON)],
    f"POST {TABLETS}/<uuid:terminal_id>/end": [_at(of_tablet(sure="1"), status=SENT_ON)],
    f"GET {DESK}/members": [_at(_plain(), stranger=OK)],
    f"POST {DESK}/members/second-step": [
        _at(_plain(second_step="keepers"), status=SENT_ON, stranger=SENT_ON)
    ],
    f"GET {DESK}/members/invite": [_at(_plain(), stranger=OK)],
    f"POST {DESK}/members/invite": [
        _at(_plain(name="青葉 花", role="viewer"), status=SENT_ON, stranger=SENT_ON)
    ],
    f"GET {DESK}/members/invited": [_at(_nobody_invited, status=SENT_ON, stranger=SENT_ON)],
    f"POST {DESK}/members/invitations/<uuid:invitation_id>/withdraw": [
        _at(_invitation, status=SENT_ON)
    ],
    f"GET {MEMBER}/role": [_at(_member())],
    f"POST {MEMBER}/role": [_at(_member(role="counter"), status=SENT_ON)],
    f"GET {MEMBER}/remove": [_at(_member())],
    f"POST {MEMBER}/remove": [_at(_member(sure="1"), status=SENT_ON)],
    f"GET {DESK}": [_at(_plain(), stranger=OK)],
    f"GET {DESK}/programmes": [_at(_plain(), stranger=OK)],
    f"GET {DESK}/programmes/<uuid:programme_id>": [
        _at(lambda p: Call(path={"programme_id": p.home.side.town.programme_id}))
    ],
    f"GET {DESK}/programmes/<uuid:programme_id>/paper.png": [
        _at(lambda p: Call(path={"programme_id": p.home.side.town.programme_id}))
    ],
    f"GET {DESK}/batches": [
        _at(_plain(), stranger=OK),
        _at(
            lambda p: Call(query={"programme": p.home.side.town.programme_id}),
            stranger=OK,
        ),
    ],
    f"POST {DESK}/batches": [_at(_order, status=SENT_ON, stranger=UNPROCESSABLE)],
    f"GET {DESK}/batches/new": [_at(_plain(), stranger=OK)],
    f"GET {DESK}/batches/new/check": [_at(_check_order, stranger=UNPROCESSABLE)],
    f"GET {BATCH}": [_at(_of_batch())],
    f"GET {BATCH}/row": [_at(_of_batch())],
    f"GET {BATCH}/progress": [_at(_of_batch())],
    f"GET {BATCH}/release": [_at(_of_batch())],
    f"POST {BATCH}/release": [_at(_ready, status=SENT_ON)],
    f"GET {BATCH}/print-again": [_at(_of_batch())],
    f"POST {BATCH}/print-again": [_at(_ready, status=SENT_ON)],
    f"GET {BATCH}/volumes/<int:volume>.pdf": [_at(_of_batch(volume=1))],
    f"GET {BATCH}/numbers.csv": [_at(_of_batch())],
    f"GET {BATCH}/pages/<int:volume>/<int:number>": [_at(_of_batch(volume=1, number=1))],
    f"GET {BATCH}/pages/<int:volume>/<int:number>.png": [_at(_of_batch(volume=1, number=1))],
    f"GET {DESK}/coupons": [_at(_plain(), stranger=OK)],
    f"POST {DESK}/coupons/find": [
        _at(_find, status=SENT_ON, stranger=UNPROCESSABLE),
        _at(_find_by_code, status=SENT_ON, stranger=UNPROCESSABLE),
    ],
    f"GET {COUPON}": [_at(_of_serial())],
    f"GET {COUPON}/paper": [_at(_of_serial())],
    f"GET {COUPON}/stop": [_at(_of_serial())],
    f"POST {COUPON}/stop": [_at(_of_serial(**WHY), status=SENT_ON)],
    f"GET {COUPON}/free": [_at(_of_serial())],
    f"POST {COUPON}/free": [_at(_of_serial(why="found"), status=SENT_ON)],
    f"GET {COUPON}/replace": [_at(_of_serial())],
    f"POST {COUPON}/replace": [_at(_of_serial(**WHY), status=SENT_ON)],
    f"GET {RANGE}": [
        _at(_plain(), stranger=OK),
        _at(_range_asked, stranger=UNPROCESSABLE),
    ],
    f"POST {RANGE}": [_at(_range, status=SENT_ON, stranger=UNPROCESSABLE)],
    f"GET {DESK}/shops": [_at(_plain(), stranger=OK)],
    f"GET {DESK}/shops/all.csv": [_at(_plain(), stranger=OK)],
    f"GET {DESK}/shops/new": [_at(_plain(), stranger=OK)],
    f"POST {DESK}/shops/new": [_at(_enrol, status=SENT_ON, stranger=SENT_ON)],
    f"GET {ONE_SHOP}": [_at(_of_shop())],
    f"GET {ONE_SHOP}/change": [_at(_of_shop())],
    f"POST {ONE_SHOP}/change": [_at(_change, status=SENT_ON)],
    f"GET {ONE_SHOP}/stop": [_at(_of_spare_shop())],
    f"POST {ONE_SHOP}/stop": [_at(_of_spare_shop(why="shop asked"), status=SENT_ON)],
    f"GET {ONE_SHOP}/resume": [_at(_of_spare_shop())],
    f"POST {ONE_SHOP}/resume": [_at(_of_spare_shop(why="settled"), status=SENT_ON)],
    f"POST {ONE_SHOP}/places": [_at(_of_shop(name="南口店"), status=SENT_ON)],
    f"GET {BRANCH}": [_at(_branch())],
    f"POST {BRANCH}": [_at(_branch(posts=True), status=SENT_ON)],
    f"POST {ONE_SHOP}/contact": [_at(_of_shop(seen="1"))],
    f"POST {ONE_SHOP}/contact/change": [_at(_of_shop(contact_name="森"), status=SENT_ON)],
    f"GET {DESK}/shops/imports/new": [_at(_plain(), stranger=OK)],
    f"GET {DESK}/shops/imports/sample.csv": [_at(_plain(), stranger=OK)],
    f"POST {DESK}/shops/imports": [_at(_upload, status=SENT_ON, stranger=SENT_ON)],
    f"GET {IMPORT}": [_at(_of_import())],
    f"GET {IMPORT}/progress": [_at(_of_import())],
    f"GET {IMPORT}/corrected.csv": [_at(_of_import())],
    f"GET {IMPORT}/left-out.csv": [_at(_of_import())],
    f"POST {IMPORT}/mend": [_at(_of_import(posts=True), status=SENT_ON)],
    f"POST {IMPORT}/take": [_at(_of_import(posts=True), status=SENT_ON)],
    **CATALOGUE,
    **isolation_gifts.PAGES,
    f"GET {DESK}/payments": [
        _at(_plain(), stranger=OK),
        _at(lambda p: Call(query={"serial": p.home.side.take_serial()}), stranger=UNPROCESSABLE),
        _at(lambda p: Call(query={"shop": p.home.number}), stranger=UNPROCESSABLE),
    ],
    f"GET {DESK}/payments/all.csv": [_at(_plain(), stranger=OK)],
    f"GET {PAYMENT}": [_at(_of_payment())],
    f"GET {PAYMENT}/refund": [_at(_of_payment())],
    f"POST {PAYMENT}/refund": [_at(_of_payment(amount="3", why="wrong amount"), status=SENT_ON)],
    f"GET {DESK}/audit": [_at(_plain(), stranger=OK)],
    f"GET {DESK}/audit/log.csv": [_at(_plain(), stranger=OK)],
    f"GET {SHOP}": [_at(_plain(), stranger=OK, role="shop_owner")],
    f"POST {SHOP}/read": [_at(_scanned, status=SENT_ON)],
    f"GET {READING}": [_at(_reading())],
    f"POST {READING}": [_at(_reading(amount="10", confirm="1"), status=SENT_ON)],
    f"GET {SHOP}/paid/<uuid:payment_id>": [_at(_of_payment())],
    f"GET {SHOP}/today": [_at(_plain(), stranger=OK, role="clerk")],
    f"GET {CANCEL}": [_at(_of_payment())],
    f"POST {CANCEL}": [_at(_of_payment(reason="wrong amount"), status=SENT_ON)],
    f"GET {OPERATOR}/health": [_at(_plain(), stranger=None)],
    f"GET {OPERATOR}/health/live": [_at(_plain(), stranger=None)],
    f"GET {OPERATOR}/dead": [_at(_plain(), stranger=None)],
    f"GET {OPERATOR}/dead/<slug>": [_at(_of_slug(), stranger=None)],
    f"POST {OPERATOR}/dead/<slug>": [
        _at(_of_slug(count="1", reason="mended"), status=CONFLICT, stranger=None)
    ],
    f"GET {OPERATOR}/dead/runs/<uuid:redrive_id>": [
        _at(lambda _: Call(path={"redrive_id": new_id()}), status=MISSING, stranger=None)
    ],
    f"GET {OPERATOR}/dead/runs/<uuid:redrive_id>/live": [
        _at(lambda _: Call(path={"redrive_id": new_id()}), status=MISSING, stranger=None)
    ],
    f"GET {OPERATOR}/visits/<slug>": [_at(_of_slug(), stranger=None)],
    f"POST {OPERATOR}/visits/<slug>": [
        _at(_entered, status=SENT_ON, stranger=None, role=THEMSELVES)
    ],
    f"POST {OPERATOR}/leave": [_at(_own(), status=MISSING, stranger=None, role=THEMSELVES)],
    f"POST {DESK}/members/visits/<uuid:visit_id>/end": [_at(_visit, status=SENT_ON)],
    "GET /balance/pay": [_at(_plain(), status=SENT_ON, stranger=SENT_ON)],
}


def list_cases() -> list[tuple[str, str, Recipe]]:
    """Return every recipe with its name and its route."""
    return [
        (f"{route} {number}" if len(recipes) > 1 else route, route, recipe)
        for route, recipes in RECIPES.items()
        for number, recipe in enumerate(recipes, 1)
    ]


def make_call(pages: Pages, route: str, recipe: Recipe) -> Call:
    """Return a recipe's request with objects that no other test has touched."""
    method, _, rule = route.partition(" ")
    return replace(recipe.make(pages), method=method, rule=rule)


def about_nothing(call: Call) -> Call:
    """Return the same request about objects that do not exist anywhere."""
    path = {
        name: NO_READING if name == "reading" else nothing_like(value)
        for name, value in call.path.items()
    }
    query = {name: nothing_like(value) for name, value in call.query.items()}
    data = call.data
    if isinstance(data, dict):
        data = {name: _nothing_sent(name, value) for name, value in data.items()}
    return replace(call, path=path, query=query, data=data)


def _nothing_sent(name: str, value: object) -> object:
    if name == "key":
        return new_id().hex
    if name == "membership":
        return f"{new_id()}.{new_id()}"
    return nothing_like(value)
